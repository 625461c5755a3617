"""What can be plugged in: each protocol has one verb, values in, value out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from bridge.music import Music, Note
from bridge.values import Asset, Role, Track, Value

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
    """Repairs one stem: reads ``source``, writes ``target`` with the same rate, channels and length.

    ``source`` is a float32 WAV of one or two channels and stays as it is; ``target`` is one too, and appears
    when it is whole. Silence stays silence; any failure is an ``EngineError`` raised from its cause, and
    leaves no file. Its class is registered in ``bridge.enhancers`` and made without arguments. Whether the
    result is better is for the caller to measure.
    """

    name: str
    version: str
    roles: tuple[Role, ...]
    """The roles for which it is meant."""

    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        """Write the repaired ``source`` to ``target``."""
        ...


@runtime_checkable
class Transcriber(Protocol):
    """Writes down what one stem plays. Silence has no notes; any failure is an ``EngineError``."""

    name: str
    version: str
    roles: tuple[Role, ...]
    """The roles for which it is meant."""

    def transcribe(self, stem: Path, role: Role, progress: Progress) -> tuple[Note, ...]:
        """The notes of ``stem``, a WAV, in order of their start."""
        ...


class StemToExport(Value):
    """A stem as it is delivered."""

    label: str
    """Such as "vocals" or "synth 2"."""
    role: Role
    asset: Asset
    """The audio itself; all stems begin with the song and are as long."""
    delivered_path: str
    """Where it lies in the delivery, with forward slashes."""
    presets: tuple[Path, ...] = ()
    """Preset files (.vstpreset) of its chain, in the chain's order."""


class SongToExport(Value):
    """What an exporter may write about."""

    track: Track
    title: str
    """Safe as a file's name."""
    rate_hz: int
    frames: int
    music: Music
    stems: tuple[StemToExport, ...] = ()
    """The dry stems, in order of their roles."""
    delivery: Path
    """The folder where all of it will lie, unless another delivery takes its name in the meantime."""
    live_template: Path | None = None
    """A Live Set that the user saved, for exporters that fill one in."""


@runtime_checkable
class Exporter(Protocol):
    """Adds files to a delivery, inside the job and before its manifest.

    Its class is registered in ``bridge.exporters`` under its name and made without arguments.
    """

    name: str
    version: str

    def export(self, song: SongToExport, folder: Path, progress: Progress) -> tuple[Path, ...]:
        """Write files below ``folder``, where they keep their place in the delivery; their paths.

        Whatever it raises leaves out its own files alone, and is told in the report.
        """
        ...
