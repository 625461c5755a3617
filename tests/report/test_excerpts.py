"""Excerpts: right length, right place, equal loudness, inside the budget."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest

from bridge.audio import Audio, Samples, write_audio
from bridge.errors import AudioError
from bridge.measure.loudness import loudness_of
from bridge.report import excerpt, loudest_start_s, matched_excerpts, plan_excerpts, set_excerpts, waveform_of
from bridge.report.excerpts import AUDIO_BUDGET_BYTES, encode_mp3, matching_gains_db
from tests.report import examples


def decoded(content: bytes) -> Audio:
    """An excerpt as a browser would hear it."""
    with av.open(io.BytesIO(content)) as container:
        frames = list(container.decode(audio=0))
        resampler = av.AudioResampler(format="fltp")
        parts = [part.to_ndarray() for frame in frames for part in resampler.resample(frame)]
        return Audio(samples=np.concatenate(parts, axis=1), rate_hz=frames[0].sample_rate)


def level_db(samples: Samples) -> float:
    """RMS over all channels."""
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Eight seconds of stereo."""
    return examples.write_song(tmp_path / "song.wav")


def test_an_excerpt_has_its_length_and_place(song: Path) -> None:
    """To the frame after decoding, and it is the part that was asked for."""
    heard = decoded(excerpt(song, 3.0, 2.0, kbps=192))
    wanted = examples.song_samples()[:, 3 * 44_100 : 5 * 44_100]
    assert heard.rate_hz == 44_100
    assert heard.samples.shape == wanted.shape
    likeness = np.corrcoef(heard.samples[0], wanted[0])[0, 1]
    assert likeness > 0.97
    assert abs(level_db(heard.samples) - level_db(wanted)) < 0.4


def test_gain_is_applied_when_it_is_coded(song: Path) -> None:
    """-12 dB are -12 dB."""
    plain, soft = decoded(excerpt(song, 3, 2)), decoded(excerpt(song, 3, 2, -12.0))
    assert level_db(plain.samples) - level_db(soft.samples) == pytest.approx(12, abs=0.1)


def test_an_excerpt_past_the_end_is_as_long_as_the_rest(song: Path) -> None:
    """And one that begins there is an error that names the file."""
    assert decoded(excerpt(song, 7.0, 25)).duration_s == pytest.approx(1.0, abs=1e-6)
    with pytest.raises(AudioError, match=r"song\.wav has no audio from 9\.0 s on"):
        excerpt(song, 9.0, 2)


def test_excerpts_start_and_end_without_a_click(tmp_path: Path) -> None:
    """A constant is faded in and out."""
    path = tmp_path / "dc.wav"
    write_audio(path, Audio(samples=np.full((1, 44_100), 0.5, np.float32), rate_hz=44_100))
    heard = decoded(excerpt(path, 0, 1)).samples[0]
    assert abs(heard[:5]).max() < 0.1
    assert abs(heard[-5:]).max() < 0.1


@pytest.mark.parametrize(
    ("rate_hz", "wanted_hz"),
    [(8000, 8000), (22_050, 22_050), (48_000, 48_000), (88_200, 44_100), (96_000, 48_000), (192_000, 48_000)],
)
def test_any_rate_becomes_one_that_mp3_knows(rate_hz: int, wanted_hz: int) -> None:
    """The tone keeps its pitch and the excerpt its length."""
    tone = 0.3 * np.sin(2 * np.pi * 1000 * np.arange(rate_hz) / rate_hz)
    heard = decoded(encode_mp3(tone[None].astype(np.float32), rate_hz, 128))
    assert heard.rate_hz == wanted_hz
    assert heard.duration_s == pytest.approx(1.0, abs=0.003)
    spectrum = np.abs(np.fft.rfft(heard.samples[0]))
    assert np.argmax(spectrum) * heard.rate_hz / heard.frames == pytest.approx(1000, abs=3)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_become_one_or_two(tmp_path: Path, channels: int) -> None:
    """Mono stays mono, more than two are folded."""
    path = tmp_path / "many.wav"
    samples = np.random.default_rng(1).normal(0, 0.05, (channels, 44_100)).astype(np.float32)
    write_audio(path, Audio(samples=samples, rate_hz=44_100))
    assert decoded(excerpt(path, 0, 1)).channels == min(2, channels)


def test_versions_are_equally_loud(tmp_path: Path) -> None:
    """Whatever their levels: measured on what a browser decodes, within 0.3 LU, and none clips."""
    paths = [examples.write_song(tmp_path / f"{level}.wav", level) for level in (0.05, 0.2, 0.6)]
    made = matched_excerpts(paths, 2.0, 3.0, 160)
    loudness = [loudness_of(decoded(part.content)).integrated_lufs for part in made]
    assert max(loudness) - min(loudness) < 0.3
    assert [part.gain_db for part in made] == pytest.approx([0, -12.04, -21.58], abs=0.1)
    assert all(np.abs(decoded(part.content).samples).max() < 1 for part in made)


def test_silence_does_not_turn_the_others_down(tmp_path: Path) -> None:
    """And is silence itself."""
    loud = examples.write_song(tmp_path / "loud.wav")
    silent = examples.write_song(tmp_path / "silent.wav", 0.0)
    first, second = matched_excerpts([loud, silent], 2.0, 3.0)
    assert (first.gain_db, second.gain_db) == (0, 0)
    assert np.abs(decoded(second.content).samples).max() < 1e-4


def test_peaks_lower_all_versions_together() -> None:
    """The differences stay, nothing passes -1 dBFS."""
    assert matching_gains_db([-20, -14], [0.5, -3.0]) == (-1.5, -7.5)
    assert matching_gains_db([-70, -14], [-144, -6]) == (0, 0)
    assert matching_gains_db([], []) == ()


def test_stems_keep_their_relation(tmp_path: Path) -> None:
    """One gain for all, so that together they do not clip: here the sum would pass full scale."""
    paths = [examples.write_song(tmp_path / f"{index}.wav", 0.5, seed=1) for index in range(3)]
    made = set_excerpts(paths, 2.0, 3.0, 160)
    assert len({part.gain_db for part in made}) == 1
    total = np.sum([decoded(part.content).samples for part in made], axis=0)
    assert np.abs(total).max() < 1.0
    assert made[0].gain_db < -3


def test_nan_and_infinity_become_silence(tmp_path: Path) -> None:
    """A broken float file still gives a page."""
    samples = examples.song_samples()
    samples[:, 100_000:100_050] = np.nan
    samples[:, 120_000] = np.inf
    path = tmp_path / "broken.wav"
    write_audio(path, Audio(samples=samples, rate_hz=44_100))
    assert np.isfinite(decoded(excerpt(path, 2, 2)).samples).all()


def test_the_loudest_part_is_found() -> None:
    """By mean power; short songs and silence start at 0."""
    lufs = (-30.0,) * 600 + (-12.0,) * 250 + (-30.0,) * 950
    assert loudest_start_s(lufs, 0.1, 25, 180) == pytest.approx(60, abs=0.2)
    assert loudest_start_s(lufs[:50], 0.1, 25, 5) == 0
    assert loudest_start_s((), 0.1, 25, 0) == 0
    assert loudest_start_s((float("-inf"),) * 600, 0.1, 25, 60) == 0
    late = (-30.0,) * 1000 + (-10.0,) * 100
    assert loudest_start_s(late, 0.1, 25, 110) <= 85


@pytest.mark.parametrize(("versions", "stems"), [(1, 0), (2, 4), (2, 8), (4, 8), (6, 24), (2, 0), (0, 8)])
def test_the_plan_fits_the_budget(versions: int, stems: int) -> None:
    """Base64 counted; better where there is room."""
    plan = plan_excerpts(versions, stems)
    bits = versions * plan.version_s * plan.version_kbps + stems * plan.stem_s * plan.stem_kbps
    assert bits * 1000 / 8 * 4 / 3 <= AUDIO_BUDGET_BYTES * 1.0001
    assert plan.version_s >= 5
    assert plan.stem_s >= 3


def test_the_usual_delivery_is_heard_at_full_rate() -> None:
    """A source, a master, four dry and four mixed stems."""
    plan = plan_excerpts(2, 8)
    assert plan.version_kbps == 192
    assert plan.version_s == 25


def test_coded_size_is_what_was_planned() -> None:
    """Constant rate: 3 s at 128 kb/s."""
    content = encode_mp3(examples.song_samples()[:, : 3 * 44_100], 44_100, 128)
    assert len(content) == pytest.approx(3 * 128_000 / 8, rel=0.05)


def test_the_waveform_tells_peaks_and_power() -> None:
    """A sine of 0.5: peaks at half, RMS at 0.354."""
    sine = 0.5 * np.sin(2 * np.pi * 100 * np.arange(44_100) / 44_100)
    shown = waveform_of(np.stack([sine, sine]).astype(np.float32), 50)
    assert len(shown.high) == 50
    assert max(shown.high) == pytest.approx(0.5, abs=1e-3)
    assert min(shown.low) == pytest.approx(-0.5, abs=1e-3)
    assert shown.rms[20] == pytest.approx(0.3536, abs=2e-3)
    assert waveform_of(np.zeros((2, 0), np.float32)).high == ()
