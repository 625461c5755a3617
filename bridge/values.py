"""The nouns of stembridge: frozen values that pass between doors, jobs and stages.

They are validated when they are made and turn into JSON and back without loss
(``model_dump_json`` and ``model_validate_json``).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0)]
Confidence = Annotated[float, Field(ge=0, le=1)]
Facts = dict[str, Any]
"""What a stage found out, ready for JSON."""

AUDIO_SUFFIXES = frozenset({
    ".wav", ".wave", ".rf64", ".bw64", ".aif", ".aiff", ".aifc",
    ".flac", ".mp3", ".ogg", ".oga", ".m4a", ".mp4", ".aac", ".opus", ".webm",
})  # fmt: skip
"""How names of audio files end, in small letters."""


class Value(BaseModel):
    """Base of all values: frozen, no unknown fields, changed only by making a new one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def evolve(self, **changes: Any) -> Self:
        """A copy with ``changes``, validated like any new value."""
        return type(self).model_validate(
            {**{name: getattr(self, name) for name in type(self).model_fields}, **changes}
        )


class Role(StrEnum):
    """What a stem holds. The first four are what every separator gives."""

    VOCALS = "vocals"
    DRUMS = "drums"
    BASS = "bass"
    OTHER = "other"
    BACKING_VOCALS = "backing_vocals"
    GUITAR = "guitar"
    PIANO = "piano"
    KEYBOARD = "keyboard"
    PERCUSSION = "percussion"
    STRINGS = "strings"
    SYNTH = "synth"
    BRASS = "brass"
    WOODWINDS = "woodwinds"
    FX = "fx"


FOUR_STEMS = (Role.VOCALS, Role.DRUMS, Role.BASS, Role.OTHER)


class SampleFormat(StrEnum):
    """How samples lie in a file."""

    FLOAT32 = "float32"
    INT24 = "int24"
    INT16 = "int16"


class MediaInfo(Value):
    """What a media file is, as decoded: after encoder delay and padding are cut away."""

    container: str
    codec: str
    rate_hz: int
    channels: int
    frames: int
    """Frames of the decoded audio; for formats without an exact length, the container's estimate."""
    bits: int = 0
    """Bits of a sample of integer PCM; 0 for float and for lossy codecs."""
    is_lossy: bool
    layout: str = ""
    """FFmpeg's name of the channel layout ("stereo", "5.1"), "" where the file does not say."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate_hz

    @property
    def is_integer_pcm(self) -> bool:
        """Whether the samples are integers, kept exactly."""
        return self.bits > 0 and not self.is_lossy


class Asset(Value):
    """A file between stages: where it is, what it holds, and the hash of its bytes."""

    path: Path
    sha256: str
    role: str


class Tags(Value):
    """What the source says about the song; carried over into everything delivered."""

    title: str = ""
    artist: str = ""
    album: str = ""
    comment: str = ""
    lyrics: str = ""
    generator: str = ""
    """"Suno" or "Udio" where the file or its name says so."""
    generator_id: str = ""
    """The generator's own id of the song."""
    url: str = ""


class Track(Value):
    """The song that a job works on."""

    title: str
    take: int = 0
    """The generator's take number, "Title (1)" is 1; 0 where the name has none."""
    tags: Tags = Tags()


class JobOrigin(StrEnum):
    """The door through which a job came."""

    CLI = "cli"
    FOLDER = "folder"
    OSC = "osc"
    HTTP = "http"
    PLUGIN = "plugin"
    """A door that is not ours."""


ASKED_FOR = 10
"""Priority of what a person asked for and waits for, before what arrived by itself."""


class JobRequest(Value):
    """What a door asks for: one type for all of them."""

    source: Path
    recipe: str = "full"
    destination: Path
    """The project's folder; results land in ``destination/StemBridge/<Title>``."""
    targets: tuple[str, ...] = ()
    """Names of loudness targets; empty means the recipe's own."""
    wishes: tuple[str, ...] = ()
    """Words of the producer that chains answer to, such as "punchy drums"."""
    keep_separated: bool = False
    origin: JobOrigin = JobOrigin.CLI
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    """Higher goes first; of equals, the one that came first."""


class JobState(StrEnum):
    """Where a job stands; terminal states never change."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    RETRYING_QA = "RETRYING_QA"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended."""
        return self in (JobState.SUCCESS, JobState.FAILED, JobState.CANCELLED)


class StageResult(Value):
    """What a stage made: its content key, files and findings."""

    stage: str
    key: str
    assets: tuple[Asset, ...] = ()
    facts: Facts = {}
    seconds: Seconds = 0.0

    def asset(self, role: str) -> Asset:
        """The one asset of that role; KeyError where there is none."""
        for asset in self.assets:
            if asset.role == role:
                return asset
        raise KeyError(role)


class QaCheck(Value):
    """One line of the QA table."""

    code: str
    """A stable name of the check: "true_peak", "loudness", "null"."""
    name: str
    subject: str
    """What was looked at: "master/streaming", "dry/vocals"."""
    found: str
    wanted: str
    passed: bool
    is_hard: bool
    """A failed hard check keeps the master from being delivered."""
    error: float = 0.0
    """How far it is off, signed, in the check's unit; 0 where it passed."""
    advice: str = ""


class QaReport(Value):
    """All checks of one attempt."""

    checks: tuple[QaCheck, ...]
    attempt: int = 1

    @property
    def passed(self) -> bool:
        """Whether no hard check failed."""
        return all(check.passed for check in self.checks if check.is_hard)

    @property
    def attempts_words(self) -> str:
        """How many attempts there were with this one: "1 attempt", "3 attempts"."""
        return f"{self.attempt} attempt" + "s" * (self.attempt != 1)

    @property
    def failures(self) -> tuple[QaCheck, ...]:
        """The checks that failed, hard ones first."""
        return tuple(sorted((c for c in self.checks if not c.passed), key=lambda c: not c.is_hard))


class Delivery(Value):
    """What was delivered."""

    folder: Path
    files: tuple[str, ...]
    """Paths inside the folder, with forward slashes."""
    main_figures: Facts = {}


class Job(Value):
    """A job as the store knows it."""

    id: str
    request: JobRequest
    state: JobState = JobState.PENDING
    attempt: int = 0
    """How often it was claimed; also the fencing number of the claim that holds."""
    created_s: float
    updated_s: float
    stage: str = ""
    progress: Annotated[float, Field(ge=0, le=1)] = 0.0
    error: str = ""
    delivery: Delivery | None = None
    linked_to: str = ""
    """The job that this one repeats, edits or supersedes."""
    failures: int = 0
    """How often an attempt failed in a way that may pass, so that it was tried again."""
    not_before_s: float = 0.0
    """Seconds since 1970 until which a job that was put off waits; 0 where it was not."""
