"""Drawings: everything inside its box, right sizes, right places."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image

from bridge.report.axes import FREQUENCY, Axis, Chart, frequency_ticks, pooled, time_ticks
from bridge.report.colours import ROLE_HUES, heat_palette, hex_colour
from bridge.report.curves import (
    Line,
    LoudnessLine,
    correlation_svg,
    difference_svg,
    loudness_axis,
    loudness_svg,
    response_svg,
    spectrum_svg,
)
from bridge.report.data import Curve, LoudnessSeries, Waveform
from bridge.report.spectrogram import cover_picture, spectrogram_png
from bridge.report.waveform import disc_svg, waveform_svg
from bridge.values import Role
from tests.report import examples

NUMBER = r"-?\d+(?:\.\d+)?"


def points(drawing: str) -> list[tuple[float, float]]:
    """All coordinates of M and L commands, and what H and V reach, in the drawing's paths."""
    found: list[tuple[float, float]] = []
    for path in re.findall(r' d="([^"]*)"', drawing):
        found += [(float(x), float(y)) for x, y in re.findall(rf"[ML]({NUMBER}) ({NUMBER})", path)]
        found += [(float(x), 0.0) for x in re.findall(rf"H({NUMBER})", path)]
        found += [(0.0, float(y)) for y in re.findall(rf"V({NUMBER})", path)]
    return found


def box(drawing: str) -> tuple[float, float]:
    """Width and height of the view box."""
    match = re.search(r'viewBox="0 0 (\d+) (\d+)"', drawing)
    assert match
    return float(match[1]), float(match[2])


def wild_waveform() -> Waveform:
    """Samples far beyond full scale."""
    values = tuple((3 * np.sin(np.arange(2000))).tolist())
    return Waveform(low=tuple(-abs(v) for v in values), high=tuple(abs(v) for v in values), rms=(1.5,) * 2000)


def wild_curve() -> Curve:
    """Levels and frequencies outside every axis, gaps of silence."""
    return Curve(
        frequency_hz=(1, 20, 100, 1000, 5000, 20_000, 90_000),
        level_db=(-10, float("-inf"), 80, -300, 0, 12, 5),
    )


def wild_loudness() -> LoudnessSeries:
    """Silence and a shout, longer than the song."""
    return LoudnessSeries(lufs=(float("-inf"), -60.0, 3.0, -20.0) * 300, step_s=0.1)


DRAWINGS = {
    "waveform": lambda: str(waveform_svg(wild_waveform(), "w")),
    "spectrum": lambda: str(spectrum_svg([Line(css="a", curve=wild_curve())], "s").svg),
    "difference": lambda: str(difference_svg(examples.curve(), [Line(css="a", curve=wild_curve())], "d").svg),
    "response": lambda: str(response_svg(wild_curve(), "a", "r").svg),
    "loudness": lambda: str(
        loudness_svg([LoudnessLine(css="a", series=wild_loudness(), target_lufs=-14)], 60, "l").svg
    ),
    "correlation": lambda: str(correlation_svg([("a", (-5.0, 0.0, 5.0, float("nan")))], 60, "c").svg),
    "disc": lambda: str(disc_svg(wild_waveform())),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_stay_inside_their_box(name: str) -> None:
    """Whatever the numbers are, no coordinate leaves the view box and none is NaN."""
    drawing = DRAWINGS[name]()
    width, height = box(drawing)
    found = points(drawing)
    assert found
    assert "nan" not in drawing
    assert "inf" not in drawing
    assert all(0 <= x <= width and 0 <= y <= height for x, y in found)


def test_labels_are_escaped() -> None:
    """A label with markup does not become markup."""
    assert "<b>" not in waveform_svg(wild_waveform(), '"><b>')


def test_a_waveform_of_full_scale_fills_its_height() -> None:
    """Sample 1 lies at the upper edge, -1 at the lower, 0.5 halfway."""
    waveform = Waveform(low=(-1.0, -0.5), high=(1.0, 0.5), rms=(0.1, 0.1))
    peaks = points(str(waveform_svg(waveform, "w")).split('class="body"')[0])
    assert sorted({y for _, y in peaks}) == [0, 50, 150, 200]


def test_silence_is_drawn_as_a_line() -> None:
    """Not as nothing."""
    drawn = points(str(waveform_svg(Waveform(low=(0.0,) * 9, high=(0.0,) * 9, rms=(0.0,) * 9), "w")))
    assert {y for _, y in drawn} == {99, 101}


def test_long_waveforms_keep_their_peaks() -> None:
    """A single loud column of a hundred thousand is still seen."""
    high = np.zeros(100_000)
    high[77_777] = 0.9
    waveform = Waveform(low=tuple(-high), high=tuple(high), rms=tuple(high * 0.1))
    drawing = str(waveform_svg(waveform, "w"))
    assert min(y for _, y in points(drawing)) == 10
    assert len(drawing) < 40_000


def test_a_spectrum_peak_lies_at_its_frequency() -> None:
    """A peak at 1 kHz is drawn where the axis says 1k, whatever the level."""
    frequencies = np.geomspace(20, 20_000, 301)
    levels = -60 + 40 * np.exp(-((np.log2(frequencies / 1000)) ** 2) * 8)
    curve = Curve(frequency_hz=tuple(frequencies.tolist()), level_db=tuple(levels.tolist()))
    line = line_points(spectrum_svg([Line(css="x", curve=curve)], "s"), "x")
    top = min(line, key=lambda point: point[1])
    assert top[0] == pytest.approx(1000 * FREQUENCY.share(1000), abs=4)
    tick = next(tick for tick in frequency_ticks() if tick.text == "1k")
    assert tick.at * 10 == pytest.approx(top[0], abs=4)


def test_spectra_of_different_level_and_equal_tone_lie_on_one_another() -> None:
    """What differs is tone alone; 9 dB more level is no difference."""
    curve = examples.curve()
    louder = curve.evolve(level_db=tuple(level + 9 for level in curve.level_db))
    chart = spectrum_svg([Line(css="x", curve=curve), Line(css="z", curve=louder)], "s")
    assert line_points(chart, "x") == line_points(chart, "z")
    difference = line_points(difference_svg(curve, [Line(css="z", curve=louder)], "d"), "z")
    assert {y for _, y in difference} == {150}


def test_a_brighter_master_is_above_zero_in_the_highs() -> None:
    """A shelf of 3 dB from 5 kHz is drawn 3 dB above the lows."""
    curve = examples.curve()
    shelf = [3.0 if hz > 5000 else 0.0 for hz in curve.frequency_hz]
    levels = tuple(level + more for level, more in zip(curve.level_db, shelf, strict=True))
    drawn = line_points(difference_svg(curve, [Line(css="z", curve=curve.evolve(level_db=levels))], "d"), "z")
    decibel = 300 / 12  # the axis reaches from -6 to 6 dB
    assert drawn[0][1] - drawn[-1][1] == pytest.approx(3 * decibel, abs=1)


def test_loudness_and_target_lie_where_the_axis_says() -> None:
    """A constant -14 LUFS coincides with its target line."""
    series = LoudnessSeries(lufs=(-14.0,) * 100, step_s=0.1, start_s=3.0)
    line = LoudnessLine(css="x", series=series, target_lufs=-14.0)
    chart = loudness_svg([line], 20, "l")
    drawn = line_points(chart, "x")
    target = re.search(rf'class="target x" d="M0 ({NUMBER})H', str(chart.svg))
    assert target
    assert {y for _, y in drawn} == {float(target[1])}
    assert drawn[0][0] == pytest.approx(1000 * 3 / 20, abs=1)


def test_the_loudness_axis_holds_every_target() -> None:
    """A broadcast target far below what is played is still on the picture."""
    lines = [LoudnessLine(css="x", series=LoudnessSeries(lufs=(-9.0, -8.0), step_s=0.1), target_lufs=-23)]
    axis = loudness_axis(lines)
    assert axis.low < -23
    assert axis.high > -8


def test_a_deep_highpass_does_not_flatten_the_rest() -> None:
    """The axis follows the gains, not the stop band."""
    curve = Curve(frequency_hz=(20, 50, 100, 1000), level_db=(-60, -30, -1, 2))
    texts = {tick.text for tick in response_svg(curve, "x", "r").y_ticks}
    assert "6" in texts
    assert "12" not in texts


def test_ticks_lie_on_their_axis_in_order() -> None:
    """From left to right, none beyond the edges, minutes and seconds."""
    for duration_s in (0.4, 8, 61, 184, 600, 7200):
        ticks = time_ticks(duration_s)
        assert 1 <= len(ticks) <= 8
        assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)
        assert all(0 <= tick.at <= 100 for tick in ticks)
    assert time_ticks(0) == ()
    assert [tick.text for tick in time_ticks(184)][:2] == ["0:00", "1:00"]


def test_an_axis_takes_anything() -> None:
    """NaN and infinities land on its edges."""
    axis = Axis(low=-60, high=0)
    assert axis.shares(np.array([float("nan"), float("-inf"), float("inf"), -30])).tolist() == [0, 0, 1, 0.5]


def test_pooling_keeps_mean_and_extremes() -> None:
    """Uneven shares too."""
    values = np.arange(1003, dtype=np.float64)
    assert pooled(values, 10).size == 10
    assert pooled(values, 10, "max")[-1] == 1002
    assert pooled(values, 10, "min")[0] == 0
    assert pooled(values[:5], 10).tolist() == [0, 1, 2, 3, 4]


def test_a_spectrogram_has_its_size_and_low_is_below() -> None:
    """A loud low row is bright at the bottom and nowhere else."""
    levels = np.full((40, 300), -120.0)
    levels[0] = -10.0
    picture = Image.open(io.BytesIO(spectrogram_png(levels, width_px=500, height_px=120)))
    assert (picture.format, picture.size, picture.mode) == ("PNG", (500, 120), "P")
    bright = np.asarray(picture.convert("L"), np.float64)
    assert bright[-1].min() > 180
    assert bright[: 120 - 6].max() < 40


def test_a_spectrogram_runs_from_left_to_right() -> None:
    """What comes late is at the right."""
    levels = np.full((8, 100), -120.0)
    levels[:, 80:] = -10
    bright = np.asarray(Image.open(io.BytesIO(spectrogram_png(levels))).convert("L"), np.float64)
    assert bright[:, 850:].min() > bright[:, :750].max() + 100


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (1, 5), (300, 2)])
def test_any_matrix_gives_a_spectrogram(shape: tuple[int, int]) -> None:
    """Silence, NaN and tiny matrices too."""
    levels = np.full(shape, np.nan)
    assert Image.open(io.BytesIO(spectrogram_png(levels))).size == (1000, 240)


def test_the_heat_palette_grows_evenly_brighter() -> None:
    """Lightness in CIELAB rises with the level, in steps of nearly one size."""
    rgb = np.array(heat_palette(), np.float64) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    ratio = np.where(luminance > 216 / 24_389, np.cbrt(luminance), (24_389 / 27 * luminance + 16) / 116)
    lightness = 116 * ratio - 16
    smooth = np.convolve(np.diff(lightness), np.ones(24) / 24, "valid")
    assert smooth.min() > 0
    assert smooth.max() / smooth.min() < 3
    assert lightness[0] < 8
    assert lightness[-1] > 88


def contrast(first: str, second: str) -> float:
    """WCAG 2.1 contrast ratio of two hex colours."""

    def luminance(colour: str) -> float:
        parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ np.array([0.2126, 0.7152, 0.0722]))

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("role", list(Role))
def test_role_colours_are_seen_in_both_schemes(role: Role) -> None:
    """At least 3:1 against the page, as WCAG 1.4.11 wants for graphics."""
    assert contrast(hex_colour(0.77, 0.125, ROLE_HUES[role]), "#161a20") >= 3
    assert contrast(hex_colour(0.56, 0.14, ROLE_HUES[role]), "#ffffff") >= 3


@pytest.mark.parametrize(("scheme", "grounds"), [(0, ("--bg", "--panel")), (1, ("--bg", "--panel"))])
def test_text_colours_are_readable(scheme: int, grounds: tuple[str, ...]) -> None:
    """Every text colour has 4.5:1 on the page and on panels (WCAG 1.4.3)."""
    from bridge.report.render import _asset

    blocks = re.findall(r":root\{(.*?)\}", _asset("report.css"), re.DOTALL)
    colours = {
        name: full_hex(value) for name, value in re.findall(r"(--[a-z]+):(#[0-9a-f]{3,6})", blocks[scheme])
    }
    for ground in grounds:
        for text in ("--text", "--soft", "--faint", "--good", "--advice", "--failed"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def test_covers_become_small_squares() -> None:
    """Whatever the format and size; what is no picture is no cover."""
    out = io.BytesIO()
    Image.new("RGBA", (900, 600), (200, 30, 60, 128)).save(out, "PNG")
    cover = cover_picture(out.getvalue())
    assert cover is not None
    assert Image.open(io.BytesIO(cover.content)).size == (320, 320)
    assert len(cover.content) < 20_000
    assert cover_picture(b"") is None
    assert cover_picture(b"\x89PNG\r\n\x1a\n broken") is None
    assert cover_picture(out.getvalue()[:60]) is None


def full_hex(colour: str) -> str:
    """``#fff`` as ``#ffffff``."""
    return colour if len(colour) == 7 else "#" + "".join(2 * mark for mark in colour[1:])


def line_points(chart: Chart, css: str) -> list[tuple[float, float]]:
    """The points of one line of a chart."""
    match = re.search(rf'class="line {css}" d="([^"]*)"', str(chart.svg))
    assert match
    return points(f' d="{match[1]}"')
