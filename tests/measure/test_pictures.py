"""Spectrogram and waveform: fixed size, true to time, frequency and level."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.audio import Audio
from bridge.measure import Spectrogram, SpectrogramMeter, spectrogram_of, waveform_of
from bridge.measure.frames import Columns

from .signals import joined, noise, scaled, silence, tone


@pytest.mark.parametrize("seconds", [5, 40, 100])
def test_sizes_are_bounded(seconds: float) -> None:
    """However long the song, at most 600 columns of 128 bands and 800 of waveform."""
    sound = noise(seconds, rate_hz=16_000)
    picture, outline = spectrogram_of(sound), waveform_of(sound)
    assert picture.levels_db().shape == (128, picture.columns)
    assert min(600, seconds * 15) <= picture.columns <= 600
    assert len(outline.low) == len(outline.high) == len(outline.rms) == 800
    assert picture.duration_s == outline.duration_s == seconds


@pytest.mark.parametrize("hertz", [100.0, 1000.0, 8000.0])
def test_a_tone_is_a_line_in_its_half(hertz: float) -> None:
    """A tone in the first half shows in its band, at its level, in the first half alone."""
    picture = spectrogram_of(joined(tone(hertz, 20, -6), silence(20, rate_hz=48_000)))
    levels = picture.levels_db()
    row = int(np.argmax(levels[:, : picture.columns // 3].mean(axis=1)))
    assert picture.band_hz[row] == pytest.approx(hertz, rel=0.08)
    power = 10 ** (levels[max(0, row - 3) : row + 4, : picture.columns // 3] / 10)
    assert 10 * np.log10(power.sum(axis=0).mean()) == pytest.approx(-9, abs=1)
    assert levels[:, int(picture.columns * 0.53) :].max() == -100


def test_the_outline_follows_the_sound() -> None:
    """Quiet then loud noise: the outline steps up in the middle, by the right amount."""
    quiet, loud = noise(30, 0.02, rate_hz=16_000), noise(30, 0.2, rate_hz=16_000, seed=2)
    outline = waveform_of(joined(quiet, loud))
    rms = np.array(outline.rms)
    assert rms[:395].mean() == pytest.approx(0.02, rel=0.05)
    assert rms[405:].mean() == pytest.approx(0.2, rel=0.05)
    assert max(outline.high) == pytest.approx(loud.samples.max(), abs=1e-4)
    assert min(outline.low) == pytest.approx(loud.samples.min(), abs=1e-4)


def test_a_picture_survives_json() -> None:
    """Cells travel as text and come back."""
    picture = spectrogram_of(noise(2))
    assert Spectrogram.model_validate_json(picture.model_dump_json()) == picture


def test_gain_moves_the_picture() -> None:
    """6 dB more are 6 dB more in every cell, within its step."""
    sound = scaled(noise(3), -10)
    change = spectrogram_of(scaled(sound, 6)).levels_db() - spectrogram_of(sound).levels_db()
    assert np.abs(change - 6).max() < 0.4


def test_blocks_do_not_matter() -> None:
    """Any cutting gives the same cells, merged columns included."""
    sound = noise(120, rate_hz=8000, channels=1)
    meter = SpectrogramMeter(8000, 1)
    for part in np.split(sound.samples, 97 * np.arange(1, 300, 7) * 30, axis=1):
        meter.add(part)
    whole = spectrogram_of(sound)
    assert meter.result().columns == whole.columns == 600
    assert np.abs(meter.result().levels_db() - whole.levels_db()).max() < 0.5


@pytest.mark.parametrize(
    "sound", [silence(1), silence(0), noise(0.001)], ids=["silence", "nothing", "44 frames"]
)
def test_little_is_drawn_without_fuss(sound: Audio) -> None:
    """Silence is the floor; what is too short has no columns."""
    assert spectrogram_of(sound).levels_db().max(initial=-100) == -100
    assert max(waveform_of(sound).rms, default=0) == 0


@pytest.mark.parametrize("count", [1, 9, 10, 19, 20, 21, 39, 40, 77, 1000])
@pytest.mark.parametrize("merge", [np.add, np.minimum, np.maximum])
def test_columns_lose_nothing(count: int, merge: np.ufunc) -> None:
    """However many values there are, all of them are in at most ten columns, in order."""
    values = np.random.default_rng(count).normal(size=(2, count))
    columns = Columns(merge, 2, 10)
    for part in np.split(values, sorted({1, count // 3, count // 2}), axis=1):
        columns.extend(part)
    table = columns.table()
    assert table.shape[1] == min(count, 10)
    assert merge.reduce(table, axis=1) == pytest.approx(merge.reduce(values, axis=1))
    assert np.isfinite(table).all()
