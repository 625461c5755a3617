"""What can be plugged in: each protocol has one verb, values in, value out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from bridge.values import Role

Progress = Callable[[float], None]
"""Called with the share done, 0 to 1. It may raise ``JobCancelled``: the callee lets it pass."""


def no_progress(_share: float) -> None:
    """A progress callback that listens to nothing."""


@runtime_checkable
class Separator(Protocol):
    """Splits a song into stems that sum to it.

    ``source`` is a float32 WAV of one or two channels. ``separate`` writes one float32 WAV of the same
    rate, channels and length for each of ``roles`` into ``folder`` and returns their paths. The stems sum to
    the source; silence stays silence; any failure is an ``EngineError`` raised from its cause.
    """

    name: str
    version: str
    roles: tuple[Role, ...]
    is_preview: bool
    """Whether a better engine exists that the result should be redone with."""

    def separate(self, source: Path, folder: Path, progress: Progress) -> Mapping[Role, Path]:
        """Write the stems of ``source`` into ``folder``."""
        ...


@runtime_checkable
class Enhancer(Protocol):
    """Repairs one stem: reads ``source``, writes ``target`` with the same rate, channels and length."""

    name: str
    version: str
    roles: tuple[Role, ...]
    """The roles for which it is meant."""

    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        """Write the repaired ``source`` to ``target``."""
        ...
