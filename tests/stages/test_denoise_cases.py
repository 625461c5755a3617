"""Twenty planted cases for DeepFilterNet's gate: noisy and clean speech and vocals, and music.

What is right is measured too: keep where the result is nearer to the clean sound, leave where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from bridge import registry
from bridge.audio import Audio, read_audio, write_audio
from bridge.config import Config, load_config
from bridge.engines.deepfilternet import DeepFilterNetEnhancer
from bridge.generate import ComposedSong, compose, random_spec
from bridge.protocols import no_progress
from bridge.stages import restore
from bridge.values import Role
from tests.engines.deepfilternet.conftest import real_model, settings
from tests.stages.conftest import RunStage, paths_of

__all__ = ["real_model"]

SPEECH, SUNG = "speech/clean_freesound_33711.wav", "falcon69/vocals.wav"
LEAST_GAIN_DB = 0.5


@dataclass(frozen=True)
class Case:
    """A sound, and the noise that is put over it; "composed" sounds come from our own composer."""

    sound: str
    noise: str = ""
    snr_db: float = 0.0
    helps: bool = False

    def __str__(self) -> str:
        name = Path(self.sound).stem
        return f"{name}, {self.noise} at {self.snr_db:g} dB" if self.noise else f"{name}, clean"


CASES = [
    Case(SPEECH),
    *(Case(SPEECH, "white", snr_db, helps=True) for snr_db in (0, 10, 20)),
    *(Case(SPEECH, "pink", snr_db, helps=True) for snr_db in (5, 15)),
    *(Case(SPEECH, "hiss", snr_db, helps=True) for snr_db in (10, 30)),
    *(Case(SPEECH, "room", snr_db, helps=True) for snr_db in (0, 5)),
    Case(SUNG),
    Case(SUNG, "white", 20),
    Case(SUNG, "room", 10),
    Case("composed vocals"),
    Case("composed vocals", "white", 20),
    Case("composed vocals", "room", 10),
    Case("falcon69/mixture.wav"),
    Case("demucs_test.mp3"),
    Case("demucs_test.mp3", "white", 20),
    Case("composed other", "hiss", 20),
]


@pytest.fixture(scope="session")
def sung() -> ComposedSong:
    """Fifteen seconds with a voice."""
    return compose(random_spec(21, duration_s=15.0, voice=True))


@pytest.fixture
def config(real_model: Path) -> Config:
    return settings(real_model)


@pytest.fixture(autouse=True)
def _plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The enhancer, whether or not this checkout's entry points are installed."""
    monkeypatch.setattr(registry, "load", lambda _group, _name: DeepFilterNetEnhancer)


def sound_of(name: str, folder: Path, sung: ComposedSong) -> Audio:
    if name.startswith("composed"):
        return sung.stem(Role(name.partition(" ")[2]))
    audio = read_audio(folder / name, frames=15 * 48_000)
    inner = slice(2_048, -2_048)  # a burst lies at both ends of the songs' stems
    return Audio(samples=audio.samples[:, inner], rate_hz=audio.rate_hz)


def noise_of(kind: str, like: Audio, folder: Path) -> np.ndarray:
    shape = like.samples.shape
    if kind == "room":
        return np.resize(read_audio(folder / "speech/noise_freesound_573577.wav").samples[0], shape)
    white = np.random.default_rng(1).standard_normal(shape)
    if kind == "pink":
        spectrum = np.fft.rfft(white)
        return np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(spectrum.shape[1]))), shape[1])
    high = butter(2, 2_000, "high", fs=like.rate_hz, output="sos")
    return sosfilt(high, white) if kind == "hiss" else white


def mixed(case: Case, clean: Audio, folder: Path) -> Audio:
    if not case.noise:
        return clean
    noise = noise_of(case.noise, clean, folder)
    gain = np.sqrt(np.mean(clean.samples**2) / np.mean(noise**2)) * 10 ** (-case.snr_db / 20)
    return Audio(samples=(clean.samples + gain * noise).astype(np.float32), rate_hz=clean.rate_hz)


def si_sdr_db(clean: np.ndarray, heard: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al., 2019), at most 60 dB."""
    wide, other = clean.astype(np.float64), heard.astype(np.float64)
    target = wide * (np.vdot(other, wide) / np.vdot(wide, wide))
    rest = np.vdot(other - target, other - target) + 1e-6 * np.vdot(target, target)
    return float(10 * np.log10(np.vdot(target, target) / rest))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_gate_keeps_what_helped_and_nothing_else(
    case: Case, shared_data: Path, sung: ComposedSong, run_stage: RunStage, config: Config, tmp_path: Path
) -> None:
    """With the limit of the shipped settings."""
    folder, path, forced = shared_data / "audio", tmp_path / "vocals.wav", tmp_path / "forced.wav"
    clean = sound_of(case.sound, folder, sung)
    noisy = mixed(case, clean, folder)
    write_audio(path, noisy)
    DeepFilterNetEnhancer(config).enhance(path, forced, no_progress)
    before_db = si_sdr_db(clean.samples, noisy.samples)
    gain_db = si_sdr_db(clean.samples, read_audio(forced).samples) - before_db
    assert (gain_db > LEAST_GAIN_DB) is case.helps
    made = run_stage(restore.STAGE, params(config), {"separated/vocals": path})
    is_kept = [entry["kept"] for entry in made.facts["stems"]["vocals"]["decisions"] if is_ours(entry)]
    assert any(is_kept) is case.helps


@pytest.mark.parametrize("limit_db", [3, 100])
@pytest.mark.parametrize(
    "case", [Case("real_vs_codec/real_000002.mp3"), Case(SPEECH, "white", 10, helps=True)], ids=str
)
def test_the_limit_does_not_decide(
    case: Case,
    limit_db: float,
    shared_data: Path,
    sung: ComposedSong,
    run_stage: RunStage,
    real_model: Path,
    tmp_path: Path,
) -> None:
    """A little of what destroys dense music is harm too, though it is far below it."""
    folder, path = shared_data / "audio", tmp_path / "vocals.wav"
    write_audio(path, mixed(case, sound_of(case.sound, folder, sung), folder))
    limited = settings(real_model, attenuation_limit_db=limit_db)
    made = run_stage(restore.STAGE, params(limited), {"separated/vocals": path}, limited)
    is_kept = [entry["kept"] for entry in made.facts["stems"]["vocals"]["decisions"] if is_ours(entry)]
    assert any(is_kept) is case.helps


def test_a_clean_sung_voice_keeps_to_itself(
    shared_data: Path, run_stage: RunStage, config: Config, tmp_path: Path
) -> None:
    """falcon69's vocals, all repairs of the shipped settings: at least 20 dB."""
    source = shared_data / "audio" / SUNG
    made = run_stage(restore.STAGE, restore.Params.of(config, is_active=True), {"separated/vocals": source})
    dry = read_audio(paths_of(made)["dry/vocals"]).samples
    assert si_sdr_db(read_audio(source).samples, dry) >= 20


def params(config: Config) -> restore.Params:
    alone = load_config(overrides={"restore": {"denoisers": ["deepfilternet"]}}).restore
    return restore.Params.of(config, is_active=True).evolve(settings=alone)


def is_ours(decision: dict[str, object]) -> bool:
    return decision["step"] == "Noise (deepfilternet)"
