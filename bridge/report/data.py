"""What a report shows: frozen values of plain numbers and words, filled from the findings of the stages.

Measured numbers are ``None`` where nothing was measured and ``-inf`` where there was only silence; the page
says so in its own way. All values turn into JSON and back without loss, infinities and bytes included.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from bridge.music import Chord
from bridge.values import Confidence, QaReport, Role, Seconds, Value

Floats = tuple[float, ...]
Measured = float | None
"""A measured number; None where nothing was measured, -inf for silence."""
Bytes = Annotated[int, Field(ge=0)]


class ReportValue(Value):
    """Base of the report's values."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        ser_json_inf_nan="strings",
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )


# The song and how it was made


class Picture(ReportValue):
    """An image that goes into the page as it is."""

    mime: Literal["image/png", "image/jpeg"]
    content: bytes


class Estimate(ReportValue):
    """Something that was estimated, in words, and how sure that is."""

    text: str
    confidence: Confidence
    others: tuple[str, ...] = ()
    """Other readings of the same, such as half and double the tempo."""


class Song(ReportValue):
    """The source: what it is called, where it comes from, what it is."""

    title: str
    artist: str = ""
    album: str = ""
    cover: Picture | None = None
    generator: str = ""
    """"Suno", "Udio" or empty."""
    generator_id: str = ""
    url: str = ""
    take: int = 0
    duration_s: Seconds
    rate_hz: int
    channels: Annotated[int, Field(ge=1)]
    """Channels of the source file; 1 is told as mono."""
    source_format: str = ""
    """Such as "MP3" or "WAV, 24 bit"."""
    tempo: Estimate | None = None
    key: Estimate | None = None


class EngineUse(ReportValue):
    """An engine that took part: "Separation", "light", "1"."""

    stage: str
    name: str
    version: str = ""


class PreviewNotice(ReportValue):
    """Why the stems are a preview, and what the better engine costs."""

    engine: str
    better: str = "Demucs"
    command: str = ""
    """What installs it; "" where this version cannot."""
    download_bytes: Bytes
    seconds: Seconds
    """How long the better engine would take for this song on this machine."""
    reason: str = ""


class Making(ReportValue):
    """Who made this delivery, when and with what."""

    version: str
    made_at: datetime
    recipe: str
    engines: tuple[EngineUse, ...] = ()
    preview: PreviewNotice | None = None


# What is heard and seen of one version of the song


class Waveform(ReportValue):
    """The picture of a song's samples: columns of equal length over the whole duration.

    ``low`` and ``high`` are the least and the greatest sample of a column over all channels, ``rms`` its root
    mean square; full scale is 1.
    """

    low: Floats
    high: Floats
    rms: Floats

    @model_validator(mode="after")
    def _columns_agree(self) -> Self:
        if not len(self.low) == len(self.high) == len(self.rms):
            raise ValueError(
                f"low, high, rms have {len(self.low)}, {len(self.high)}, {len(self.rms)} columns"
            )
        return self


class Excerpt(ReportValue):
    """A part of the song as coded audio, with the gain that matches its loudness to its neighbours."""

    content: bytes
    """An MP3 file."""
    start_s: Seconds
    seconds: Seconds
    gain_db: float = 0.0
    waveform: Waveform | None = None
    """Of the excerpt itself, after the gain."""


class LoudnessSeries(ReportValue):
    """Short-term loudness (BS.1770, 3 s) at equal steps; the first value belongs to ``start_s``."""

    lufs: Floats
    step_s: Annotated[float, Field(gt=0)]
    start_s: Seconds = 0.0


class Curve(ReportValue):
    """Levels over frequency: a long-term spectrum or a filter's response."""

    frequency_hz: Floats
    level_db: Floats

    @model_validator(mode="after")
    def _points_agree(self) -> Self:
        if len(self.frequency_hz) != len(self.level_db):
            raise ValueError(f"{len(self.frequency_hz)} frequencies but {len(self.level_db)} levels")
        return self


class Spectrogram(ReportValue):
    """A drawn spectrogram (``spectrogram_png``) and what its edges stand for."""

    picture: Picture
    low_hz: float
    high_hz: float
    """The frequency axis is logarithmic between the two."""


class Stereo(ReportValue):
    """How wide a version is."""

    correlation: Measured = None
    side_to_mid_db: Measured = None
    correlation_series: Floats = ()
    """Correlation at equal steps over the song."""


class Measures(ReportValue):
    """The figures that are compared before and after."""

    integrated_lufs: Measured = None
    true_peak_dbtp: Measured = None
    loudness_range_lu: Measured = None
    peak_to_loudness_db: Measured = None
    """True peak minus integrated loudness (PLR)."""
    bandwidth_hz: Measured = None


class Sound(ReportValue):
    """One version of the whole song; parts that were not made are None and are left out of the page."""

    measures: Measures = Measures()
    waveform: Waveform | None = None
    loudness: LoudnessSeries | None = None
    spectrum: Curve | None = None
    spectrogram: Spectrogram | None = None
    stereo: Stereo | None = None
    excerpt: Excerpt | None = None


class MasterStatus(StrEnum):
    """What became of a master."""

    REACHED = "reached"
    SHORT = "short"
    """Delivered, but the loudness target would have needed more limiting than the style allows."""
    FAILED = "failed"
    """Not delivered: a hard check failed after the last attempt."""


class Master(ReportValue):
    """A master and the target that it was made for."""

    name: str
    """The target's name for people: "Streaming"."""
    target_lufs: float
    ceiling_dbtp: float
    status: MasterStatus = MasterStatus.REACHED
    why: str = ""
    """Why it is short or failed."""
    sound: Sound = Sound()


# Stems, chains and decisions


class GateFigure(ReportValue):
    """One measure that a do-no-harm decision looked at, as text with unit."""

    name: str
    before: str
    after: str


class Decision(ReportValue):
    """Whether a processing step was kept by the do-no-harm gate."""

    step: str
    """Such as "De-clicking"."""
    kept: bool
    why: str
    figures: tuple[GateFigure, ...] = ()


class Setting(ReportValue):
    """A control and its value, with unit."""

    name: str
    value: str


class GainReduction(ReportValue):
    """What a dynamics processor took away, as positive decibels."""

    mean_db: Annotated[float, Field(ge=0)]
    max_db: Annotated[float, Field(ge=0)]
    band: str = ""


class Effect(ReportValue):
    """One effect of a chain with what it did."""

    title: str
    settings: tuple[Setting, ...] = ()
    reason: str = ""
    reductions: tuple[GainReduction, ...] = ()
    response: Curve | None = None
    """The magnitude response of an equaliser."""
    twin: Setting | None = None
    """The delivered preset's plug-in, and how near it comes to the effect."""


class DialIn(ReportValue):
    """A device of the producer's own program, set like one of our effects; rows in the device's order.

    A device without rows is an effect without counterpart: its notes say what to do instead.
    """

    device: str
    rows: tuple[Setting, ...] = ()
    notes: tuple[str, ...] = ()


class ChainUse(ReportValue):
    """A chain as it ran on a stem, the mix or a master."""

    subject: str
    """What it ran on: "Vocals", "Master: Streaming"."""
    role: Role | None = None
    master: str = ""
    """The name of the master that it made; its colour is then the master's."""
    name: str = ""
    description: str = ""
    effects: tuple[Effect, ...] = ()
    decision: Decision | None = None
    dial_in: tuple[DialIn, ...] = ()


class StemShow(ReportValue):
    """A stem: seen, heard, and what was done to it."""

    role: Role
    name: str
    loudness_lufs: Measured = None
    waveform: Waveform | None = None
    dry: Excerpt | None = None
    mixed: Excerpt | None = None
    is_nearly_silent: bool = False
    decisions: tuple[Decision, ...] = ()
    """What restoration did."""
    note: str = ""


# Proof, files and time


class Certificate(ReportValue):
    """How the separated stems relate to the decoded source."""

    null_dbfs: Measured
    """Level of the source minus the sum of the stems; -inf where they are equal to the bit."""
    alignment_samples: int
    level_db: float
    """Level of the sum against the source."""
    wanted_null_dbfs: float = -120.0
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether null and alignment are as promised."""
        return (
            self.null_dbfs is not None
            and self.null_dbfs <= self.wanted_null_dbfs
            and not self.alignment_samples
        )


class Section(ReportValue):
    """A part of the song's form; equal names sound alike."""

    name: str
    start_s: Seconds
    end_s: Seconds


class WrittenPart(ReportValue):
    """A stem whose notes were written down."""

    name: str
    role: Role
    notes: Annotated[int, Field(ge=0)]
    is_drums: bool = False


class Score(ReportValue):
    """What was written down of the song, for MIDI and for sessions; what was not heard is empty."""

    beats_per_bar: Annotated[int, Field(ge=1)] = 4
    bars_s: Floats = ()
    """Where bars begin."""
    chords: tuple[Chord, ...] = ()
    parts: tuple[WrittenPart, ...] = ()


class Attempt(ReportValue):
    """A try of mixing and mastering: what came out and what was changed for the next."""

    number: int
    outcome: str
    changes: tuple[str, ...] = ()


class DeliveredFile(ReportValue):
    """A file of the delivery; the path is relative, with forward slashes."""

    path: str
    size_bytes: Bytes
    what: str = ""


class StageTime(ReportValue):
    """How long a stage took when it was computed, for this job or an earlier one."""

    stage: str
    seconds: Seconds


class Provenance(ReportValue):
    """Where the song comes from and what was done to it."""

    is_ai_made: bool
    statement: str
    processed: tuple[str, ...] = ()


class ReportData(ReportValue):
    """Everything that the report shows; what a recipe did not make stays empty, its section is left out."""

    song: Song
    making: Making
    before: Sound = Sound()
    sections: tuple[Section, ...] = ()
    score: Score | None = None
    masters: tuple[Master, ...] = ()
    failure: str = ""
    """Why no master was delivered although the recipe wanted one."""
    stems: tuple[StemShow, ...] = ()
    chains: tuple[ChainUse, ...] = ()
    certificate: Certificate | None = None
    qa: QaReport | None = None
    attempts: tuple[Attempt, ...] = ()
    files: tuple[DeliveredFile, ...] = ()
    stages: tuple[StageTime, ...] = ()
    provenance: Provenance | None = None
    notes: tuple[str, ...] = ()
    """Further remarks for the producer, such as stems kept in float because they pass 0 dBFS."""
