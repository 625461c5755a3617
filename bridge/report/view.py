"""From a report's data to what its page places: drawings, addresses of sounds and pictures, words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bridge.report.axes import Axis as Scale
from bridge.report.axes import Chart, Tick, frequency_ticks, time_ticks
from bridge.report.colours import master_class, role_class
from bridge.report.curves import (
    Line,
    LoudnessLine,
    correlation_svg,
    difference_svg,
    loudness_svg,
    response_svg,
    spectrum_svg,
)
from bridge.report.data import (
    ChainUse,
    Curve,
    Excerpt,
    Floats,
    ReportData,
    Song,
    Sound,
    Spectrogram,
    StageTime,
    StemShow,
)
from bridge.report.excerpts import data_uri
from bridge.report.verdict import delivered
from bridge.report.waveform import disc_svg, loudest_sample, waveform_svg
from bridge.report.words import clock, hertz, is_silent, number
from bridge.values import QaCheck, QaReport

LETTERS = "ABCDEFGH"
SECTION_TONES = (8, 28, 17, 36, 12, 32, 22)
"""Per cent of the text's colour in a section's ground; neighbours differ."""
QUIETEST_SCALE = 0.05
"""Drawings are never blown up further than this sample value at their edge: near silence looks silent."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """The source or a master, in its colour."""

    css: str
    name: str
    sound: Sound
    target_lufs: float | None = None


@dataclass(frozen=True, kw_only=True)
class Player:
    """An excerpt ready to play."""

    uri: str
    seconds: float
    gain_db: float
    wave: Markup | None = None


@dataclass(frozen=True, kw_only=True)
class Track:
    """A version in the A/B deck."""

    letter: str
    css: str
    name: str
    player: Player


@dataclass(frozen=True, kw_only=True)
class Region:
    """Where an excerpt lies in the song, in per cent and in words."""

    left: float
    width: float
    text: str


@dataclass(frozen=True, kw_only=True)
class SectionBlock:
    """A section as a block along the song, in per cent; equal names have equal tones."""

    name: str
    left: float
    width: float
    tone: int
    text: str


@dataclass(frozen=True, kw_only=True)
class SpectrogramFigure:
    """A spectrogram with its axes and the line where the sound ends."""

    css: str
    name: str
    uri: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    edge: float | None
    edge_text: str


@dataclass(frozen=True, kw_only=True)
class StemRow:
    """A stem with its drawing and players."""

    stem: StemShow
    css: str
    wave: Markup | None
    dry: Player | None
    mixed: Player | None


@dataclass(frozen=True, kw_only=True)
class StageBar:
    """A stage's time against the longest one, per cent."""

    stage: StageTime
    share: float


def versions(data: ReportData) -> list[Version]:
    """The source first, then the delivered masters."""
    before = Version(css="before", name="Before", sound=data.before)
    masters = [
        Version(
            css=master_class(index),
            name=_master_name(data, master.name),
            sound=master.sound,
            target_lufs=master.target_lufs,
        )
        for index, master in enumerate(delivered(data.masters))
    ]
    return [before, *masters]


def tracks(data: ReportData) -> list[Track]:
    """What the A/B deck plays, drawn to one scale; empty where nothing was cut."""
    heard = [(version, version.sound.excerpt) for version in versions(data) if version.sound.excerpt]
    parts = [(version, part) for version, part in heard[: len(LETTERS)] if part is not None]
    scale = max((loudest_sample(part.waveform) for _, part in parts if part.waveform), default=1.0)
    return [
        Track(
            letter=letter,
            css=version.css,
            name=version.name,
            player=_player(part, f"{version.name}, excerpt", max(scale, QUIETEST_SCALE)),
        )
        for letter, (version, part) in zip(LETTERS, parts, strict=False)
    ]


def ab_region(data: ReportData) -> Region | None:
    """Where the A/B excerpt lies."""
    part = next((version.sound.excerpt for version in versions(data) if version.sound.excerpt), None)
    return _region(part, data.song.duration_s)


def stem_region(data: ReportData) -> Region | None:
    """Where the stems' excerpts lie."""
    part = next((part for stem in data.stems for part in (stem.dry, stem.mixed) if part), None)
    return _region(part, data.song.duration_s)


def stem_rows(data: ReportData) -> list[StemRow]:
    """All stems, drawn to one scale so that their levels can be compared."""
    scale = max((loudest_sample(stem.waveform) for stem in data.stems if stem.waveform), default=1.0)
    return [_stem_row(stem, max(scale, QUIETEST_SCALE)) for stem in data.stems]


def waveforms(data: ReportData) -> list[tuple[Version, Markup]]:
    """The whole song before and after, to full scale."""
    return [
        (version, waveform_svg(version.sound.waveform, f"Waveform, {version.name}"))
        for version in versions(data)
        if version.sound.waveform
    ]


def section_blocks(data: ReportData) -> list[SectionBlock]:
    """The song's form; empty where it is all one."""
    names = list(dict.fromkeys(section.name for section in data.sections))
    if len(data.sections) < 2 or data.song.duration_s <= 0:
        return []
    return [
        SectionBlock(
            name=section.name,
            left=round(100 * section.start_s / data.song.duration_s, 2),
            width=round(100 * (section.end_s - section.start_s) / data.song.duration_s, 2),
            tone=SECTION_TONES[names.index(section.name) % len(SECTION_TONES)],
            text=f"{section.name}, {clock(section.start_s)}\N{EN DASH}{clock(section.end_s)}",
        )
        for section in data.sections
    ]


def loudness_chart(data: ReportData) -> Chart | None:
    """Loudness over time before and after with the targets."""
    lines = [
        LoudnessLine(css=version.css, series=version.sound.loudness, target_lufs=version.target_lufs)
        for version in versions(data)
        if version.sound.loudness
    ]
    if all(is_silent(value) for line in lines for value in line.series.lufs):
        return None
    return loudness_svg(
        lines, data.song.duration_s, f"Short-term loudness over time. {_loudness_words(data)}"
    )


def spectrum_chart(data: ReportData) -> Chart | None:
    """Long-term spectra before and after."""
    lines = [
        Line(css=version.css, curve=version.sound.spectrum)
        for version in versions(data)
        if version.sound.spectrum and _is_audible(version.sound.spectrum)
    ]
    return spectrum_svg(lines, "Long-term spectrum before and after, at equal level") if lines else None


def difference_chart(data: ReportData) -> Chart | None:
    """What the masters' tone has more or less of than the source's."""
    before = data.before.spectrum
    lines = [
        Line(css=version.css, curve=version.sound.spectrum)
        for version in versions(data)[1:]
        if version.sound.spectrum and _is_audible(version.sound.spectrum)
    ]
    if before is None or not _is_audible(before) or not lines:
        return None
    return difference_svg(before, lines, "Long-term spectrum after minus before")


def correlation_chart(data: ReportData) -> Chart | None:
    """Correlation over time; None for mono or where it was not measured."""
    series: list[tuple[str, Floats]] = [
        (version.css, version.sound.stereo.correlation_series)
        for version in versions(data)
        if version.sound.stereo and version.sound.stereo.correlation_series
    ]
    return correlation_svg(series, data.song.duration_s, "Stereo correlation over time") if series else None


def spectrograms(data: ReportData) -> list[SpectrogramFigure]:
    """The pictures before and after."""
    return [
        _spectrogram(version, version.sound.spectrogram, data.song.duration_s)
        for version in versions(data)
        if version.sound.spectrogram
    ]


def response_chart(curve: Curve, css: str) -> Chart:
    """An equaliser's curve."""
    return response_svg(curve, css, "Frequency response of the equaliser")


def check_groups(qa: QaReport) -> list[list[QaCheck]]:
    """Failures first, hard ones before advice, each for itself; then what passed, the same check together."""
    groups: dict[str, list[QaCheck]] = {}
    for check in qa.checks:
        if check.passed:
            groups.setdefault(check.name, []).append(check)
    return [*([check] for check in qa.failures), *groups.values()]


def folder_and_name(path: str) -> tuple[str, str]:
    """A relative path as its folder, with the last slash, and its name."""
    folder, slash, name = path.rpartition("/")
    return folder + slash, name


def stage_bars(stages: Sequence[StageTime]) -> list[StageBar]:
    """Stages, each as long as it took against the longest."""
    longest = max((stage.seconds for stage in stages), default=0.0) or 1.0
    return [StageBar(stage=stage, share=round(100 * stage.seconds / longest, 2)) for stage in stages]


def work_seconds(stages: Sequence[StageTime]) -> float:
    """The time of all stages."""
    return sum(stage.seconds for stage in stages)


def cover(song: Song) -> str:
    """The cover's address, empty where there is none."""
    return data_uri(song.cover.mime, song.cover.content) if song.cover else ""


def cover_drawing(data: ReportData) -> Markup | None:
    """A drawn cover for a song without one, made from its own loudness."""
    made = [version.sound.waveform for version in versions(data) if version.sound.waveform]
    return disc_svg(made[min(1, len(made) - 1)]) if made else None


def chain_css(data: ReportData, chain: ChainUse) -> str:
    """The colour of a chain: its stem's, its master's, or the first master's for the mix."""
    if chain.role is not None:
        return role_class(chain.role)
    names = [master.name for master in delivered(data.masters)]
    return master_class(names.index(chain.master) if chain.master in names else 0)


def _master_name(data: ReportData, name: str) -> str:
    return name if len(delivered(data.masters)) > 1 else "Master"


def _player(part: Excerpt, label: str, full_scale: float = 1.0) -> Player:
    wave = waveform_svg(part.waveform, f"Waveform, {label}", full_scale=full_scale) if part.waveform else None
    return Player(
        uri=data_uri("audio/mpeg", part.content), seconds=part.seconds, gain_db=part.gain_db, wave=wave
    )


def _stem_row(stem: StemShow, scale: float) -> StemRow:
    wave = waveform_svg(stem.waveform, f"Waveform, {stem.name}", full_scale=scale) if stem.waveform else None
    return StemRow(
        stem=stem,
        css=role_class(stem.role),
        wave=wave,
        dry=_player(stem.dry, stem.name) if stem.dry else None,
        mixed=_player(stem.mixed, stem.name) if stem.mixed else None,
    )


def _region(part: Excerpt | None, duration_s: float) -> Region | None:
    if part is None or duration_s <= 0:
        return None
    left = min(100.0, 100 * part.start_s / duration_s)
    width = min(100 - left, 100 * part.seconds / duration_s)
    text = f"{clock(part.start_s)}\N{EN DASH}{clock(part.start_s + part.seconds)}"
    return Region(left=round(left, 2), width=round(width, 2), text=text)


def _spectrogram(version: Version, picture: Spectrogram, duration_s: float) -> SpectrogramFigure:
    axis = Scale(low=picture.low_hz, high=picture.high_hz, is_log=True)
    edge_hz = version.sound.measures.bandwidth_hz
    is_inside = edge_hz is not None and picture.low_hz < edge_hz < picture.high_hz * 0.97
    return SpectrogramFigure(
        css=version.css,
        name=version.name,
        uri=data_uri(picture.picture.mime, picture.picture.content),
        x_ticks=time_ticks(duration_s, 8),
        y_ticks=tuple(tick for tick in frequency_ticks(axis, is_vertical=True) if 2 < tick.at < 98),
        edge=round(100 * (1 - axis.share(edge_hz)), 2) if edge_hz is not None and is_inside else None,
        edge_text=hertz(edge_hz) if is_inside else "",
    )


def _is_audible(curve: Curve) -> bool:
    return any(math.isfinite(level) and level > -140 for level in curve.level_db)


def _loudness_words(data: ReportData) -> str:
    told = [
        f"{version.name} {number(version.sound.measures.integrated_lufs)} LUFS integrated"
        for version in versions(data)
        if version.sound.measures.integrated_lufs is not None
    ]
    return ", ".join(told)
