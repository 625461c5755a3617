"""The settings of a running service: read anew when their file changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bridge.config import Config, load_config, user_config_path

FIXED = {"work": ("folder",), "service": ("jobs", "niceness", "look_s")}
"""Settings that take effect with the next start alone, by section."""


class Settings:
    """The configuration as it is now, and the file that it came from (None: the user's own, if there is one).

    Raises ConfigError where it cannot be used.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.now = self._started = self._wanted = load_config(file)
        self.file = file or user_config_path()
        self._named = file
        self._seen = self._mark()

    def look(self) -> frozenset[str] | None:
        """Take in a changed file; the settings that changed, as "section.name". None for the same file.

        Raises ConfigError, once for each change of the file, where it cannot be used: the old settings stay.
        """
        mark = self._mark()
        if mark == self._seen:
            return None
        self._seen = mark
        old, self._wanted = self.now, load_config(self._named)
        self.now = _with_fixed(self._wanted, self._started)
        return frozenset(_differences(old, self.now))

    @property
    def later(self) -> tuple[str, ...]:
        """Settings that the file has otherwise than the service, until its next start."""
        return tuple(sorted(_differences(self.now, self._wanted)))

    def _mark(self) -> tuple[int, int, int] | None:
        try:
            status = self.file.stat()
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns, status.st_ino


def _with_fixed(wanted: Config, started: Config) -> Config:
    """What is wanted, with what is fixed as it was at the start."""
    return wanted.evolve(
        **{
            section: getattr(wanted, section).evolve(
                **{name: getattr(getattr(started, section), name) for name in names}
            )
            for section, names in FIXED.items()
        }
    )


def _differences(old: Config, new: Config) -> Iterator[str]:
    before, after = _flat(old), _flat(new)
    return (name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _flat(config: Config) -> dict[str, Any]:
    sections = config.model_dump(mode="json").items()
    return {f"{section}.{name}": value for section, values in sections for name, value in values.items()}
