"""Flaws that were put in are counted, and music without them is clean."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from bridge.audio import Audio, read_audio
from bridge.measure import ArtefactMeter, ClickCounter, artefacts_of

from .signals import SHARED, audio, joined, noise, scaled, silence, tone


def warm(seconds: float, seed: int = 0, channels: int = 2) -> Audio:
    """Low-heavy noise, whose samples follow each other like music's."""
    white = noise(seconds, 0.25, seed=seed, channels=channels).samples.astype(float)
    return audio(sosfilt(butter(1, 600, fs=44_100, output="sos"), white, axis=1), 44_100)


def with_clicks(sound: Audio, places: np.ndarray, height: float) -> Audio:
    """Single samples moved by ``height``, on one channel."""
    samples = sound.samples.copy()
    samples[0, places] += height
    return Audio(samples=samples, rate_hz=sound.rate_hz)


@pytest.mark.parametrize("ceiling", [1.0, 0.7, 1.4], ids=["full scale", "turned down", "float above"])
def test_every_flat_top_is_counted(ceiling: float) -> None:
    """A sine of 100 Hz driven into a ceiling has 200 flat tops a second on each channel."""
    sound = tone(100, 1, 6, rate_hz=44_100).samples * ceiling
    clipped = artefacts_of(Audio(samples=np.clip(sound, -ceiling, ceiling), rate_hz=44_100))
    assert clipped.clipped_runs == 400


@pytest.mark.parametrize(
    "sound", [tone(100, 1, 0, rate_hz=44_100), noise(2), silence(2), scaled(warm(2), 26)], ids=range(4)
)
def test_what_is_not_clipped_has_no_flat_tops(sound: Audio) -> None:
    """A full-scale sine, noise, silence, and float audio beyond full scale."""
    assert artefacts_of(sound).clipped_runs == 0


def test_samples_beyond_full_scale_are_counted() -> None:
    """Float samples above 1 are told apart from clipping."""
    samples = np.zeros((2, 1000))
    samples[0, 10:13], samples[1, 500] = 1.2, -1.01
    assert artefacts_of(audio(samples, 44_100)).over_samples == 4


@pytest.mark.parametrize("height", [0.2, 0.5, -0.4])
def test_clicks_are_found_where_they_are(height: float) -> None:
    """Nine in ten of twenty clicks, to the sample or so, and no others."""
    places = np.arange(20) * 8000 + np.random.default_rng(4).integers(1000, 3000, 20)
    counter = ClickCounter(44_100, 2)
    counter.add(with_clicks(warm(4), places, height).samples)
    found = counter.frames_of_clicks
    hits = sum(np.abs(found - place).min(initial=9999) <= 3 for place in places)
    assert hits >= 18
    assert len(found) <= hits


def test_a_jump_is_a_click() -> None:
    """A bad edit, where the wave jumps, is one click."""
    sound = tone(110, 2, -12, rate_hz=44_100).samples
    cut = np.concatenate([sound[:, :40_000], sound[:, 40_180:]], axis=1)
    assert artefacts_of(Audio(samples=cut, rate_hz=44_100)).clicks == 1


def instruments() -> dict[str, np.ndarray]:
    """Steep, but meant."""
    time_s = np.arange(3 * 44_100) / 44_100
    beat_s = time_s % 0.5
    hiss = np.random.default_rng(2).normal(size=len(time_s))
    return {
        "saw bass": 0.5 * ((55 * time_s) % 1 - 0.5),
        "square": 0.3 * np.sign(np.sin(2 * np.pi * 100 * time_s)),
        "kick": 0.8 * np.sin(2 * np.pi * 50 * beat_s) * np.exp(-beat_s * 20),
        "snare": 0.3 * hiss * np.exp(-beat_s * 40),
    }


@pytest.mark.parametrize("name", instruments())
def test_instruments_are_no_clicks(name: str) -> None:
    """Edges of waveforms and starts of drums are not counted."""
    assert artefacts_of(audio(instruments()[name][None], 44_100)).clicks == 0


def test_broken_samples_are_counted_and_do_no_harm() -> None:
    """NaN and infinity are counted, and the rest is measured as if they were silence."""
    samples = warm(2).samples.copy()
    clean = artefacts_of(audio(samples, 44_100))
    samples[0, 100:103], samples[1, 50_000] = np.nan, np.inf
    found = artefacts_of(audio(samples, 44_100))
    assert found.broken_samples == 4
    assert found.rms_dbfs == pytest.approx(clean.rms_dbfs, abs=0.01)


def test_levels_are_those_of_a_sine() -> None:
    """Peak -6, effective value -9, crest 3 dB, no silence."""
    found = artefacts_of(tone(1000, 2, -6))
    assert (found.peak_dbfs, found.rms_dbfs) == pytest.approx((-6, -9.01), abs=0.02)
    assert found.crest_db == pytest.approx(3.01, abs=0.02)
    assert found.silent_share == 0


def test_the_noise_floor_is_heard_in_the_gaps() -> None:
    """Hiss at -60 dBFS under bursts at -20, digital silence after it left out."""
    hiss, burst = noise(1, 0.001, seed=3), noise(1, 0.1)
    found = artefacts_of(joined(burst, hiss, burst, hiss, silence(2)))
    assert found.noise_floor_dbfs == pytest.approx(-60, abs=0.6)
    assert found.silent_share == pytest.approx(1 / 3, abs=0.02)


def test_an_offset_is_told_with_its_sign() -> None:
    """The larger of both channels' means."""
    samples = warm(1).samples.astype(float)
    samples -= samples.mean(axis=1, keepdims=True)
    assert artefacts_of(audio(samples + np.array([[0.01], [-0.03]]), 44_100)).dc_offset == pytest.approx(
        -0.03, abs=1e-4
    )


def test_silence_has_no_flaws() -> None:
    """Silence, and nothing at all, count nothing and stand at the floors."""
    for found in (artefacts_of(silence(2)), artefacts_of(silence(0))):
        assert (found.clipped_runs, found.clicks, found.broken_samples, found.over_samples) == (0, 0, 0, 0)
        assert (found.peak_dbfs, found.rms_dbfs, found.noise_floor_dbfs, found.crest_db) == (
            -144,
            -144,
            -144,
            0,
        )
        assert found.silent_share == 1
        assert found.shimmer_db == 0


def test_standing_tones_in_the_treble_shimmer() -> None:
    """A comb of faint tones every 1,102.5 Hz raises the shimmer; noise alone has none, at any level."""
    hiss = noise(10, 0.1)
    time_s = np.arange(hiss.frames) / 44_100
    comb = sum(0.01 * np.sin(2 * np.pi * 1102.5 * k * time_s + k) for k in range(8, 15))
    combed = audio(hiss.samples + comb, 44_100)
    plain, quiet, ringing = (artefacts_of(sound).shimmer_db for sound in (hiss, scaled(hiss, -20), combed))
    assert plain < 0.15
    assert quiet == pytest.approx(plain, abs=0.02)
    assert ringing > 0.5


@pytest.mark.parametrize("number", ["000002", "000134"])
def test_a_neural_codec_shimmers(number: str) -> None:
    """The same song has more shimmer behind a neural codec's decoder."""
    folder = SHARED / "audio" / "real_vs_codec"
    if not folder.exists():
        pytest.skip("no pairs of songs and codec output beside the checkout")
    real, decoded = (read_audio(folder / f"{kind}_{number}.mp3") for kind in ("real", "encodec24"))
    assert artefacts_of(decoded).shimmer_db > artefacts_of(real).shimmer_db + 0.2


def test_blocks_do_not_matter() -> None:
    """Any cutting, even into single samples, counts the same."""
    sound = with_clicks(warm(3), np.array([20_000, 70_000]), 0.5).samples
    sound = np.clip(sound, -0.1, 0.1)
    meter = ArtefactMeter(44_100, 2)
    for part in np.split(sound, [1, 2, 3, 5, 4096, 65_536, 65_537, 70_001], axis=1):
        meter.add(part)
    whole = artefacts_of(Audio(samples=sound, rate_hz=44_100))
    assert whole.clipped_runs > 10
    for name, value in meter.result():
        assert value == pytest.approx(getattr(whole, name), abs=1e-5), name
