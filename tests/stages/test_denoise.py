"""Denoising in the restore stage: in the settings' order, kept where it helped, never skipped silently."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge import registry
from bridge.audio import Audio, read_audio, write_audio
from bridge.config import load_config
from bridge.errors import EngineError, RegistryError
from bridge.protocols import Progress
from bridge.stages import restore
from bridge.stages.base import Made
from bridge.values import Role
from tests.stages.conftest import RunStage, paths_of

RATE_HZ = 44_100
Restored = Callable[..., Made]


class FakeDenoiser:
    """Gives what the test says; ``oracle`` is the clean sound, by the name of the source."""

    name, version, roles = "oracle", "1", (Role.VOCALS,)
    taken = 0.8
    """Share of what is not the clean sound."""
    voice = 0.0
    """Share of the clean sound that is taken too."""
    clean: np.ndarray

    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        progress(0.0)
        audio = read_audio(source)
        wanted = audio.samples - self.taken * (audio.samples - self.clean) - self.voice * self.clean
        write_audio(target, Audio(samples=wanted.astype(np.float32), rate_hz=audio.rate_hz))
        progress(1.0)


class VoiceEater(FakeDenoiser):
    """Takes the noise, and most of the voice with it."""

    name, voice = "eater", 0.7


class Idle(FakeDenoiser):
    """Does nothing."""

    name, taken = "idle", 0.0


class Broken(FakeDenoiser):
    """Cannot do it."""

    name = "broken"

    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        raise EngineError("The network is damaged. Install it again.")


class ForDrums(FakeDenoiser):
    """Not meant for vocals."""

    name, roles = "drums", (Role.DRUMS,)


@pytest.fixture
def clean() -> np.ndarray:
    """Twelve seconds of a voice-like sound: partials that glide, in phrases with pauses."""
    t = np.arange(RATE_HZ * 12) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(180 + 30 * np.sin(2 * np.pi * 0.7 * t)) / RATE_HZ
    voice = np.sum([np.sin(number * phase) / number for number in range(1, 20)], axis=0)
    phrases = np.convolve((t % 2.4) < 1.4, np.hanning(4_001) / 2_000, "same")
    return np.tile(0.1 * voice * phrases, (2, 1))


@pytest.fixture
def noisy(clean: np.ndarray, tmp_path: Path) -> Path:
    """The same with noise at -55 dBFS."""
    noise = np.random.default_rng(2).standard_normal(clean.shape) * 10 ** (-55 / 20)
    path = tmp_path / "vocals.wav"
    write_audio(path, Audio(samples=(clean + noise).astype(np.float32), rate_hz=RATE_HZ))
    return path


@pytest.fixture(autouse=True)
def denoisers(monkeypatch: pytest.MonkeyPatch, clean: np.ndarray) -> None:
    """These instead of the installed ones."""
    known = {kind.name: kind for kind in (FakeDenoiser, VoiceEater, Idle, Broken, ForDrums)}
    monkeypatch.setattr(FakeDenoiser, "clean", clean, raising=False)

    def load(group: str, name: str) -> type[FakeDenoiser]:
        if group != "bridge.enhancers" or name not in known:
            raise RegistryError(f"No '{name}' is registered in {group}.")
        return known[name]

    monkeypatch.setattr(registry, "load", load)


@pytest.fixture
def restored(run_stage: RunStage) -> Restored:
    """Runs the stage with those denoisers."""

    def run(path: Path, *names: str, label: str = "vocals") -> Made:
        config = load_config(overrides={"restore": {"denoisers": list(names)}})
        return run_stage(
            restore.STAGE, restore.Params.of(config, is_active=True), {f"separated/{label}": path}
        )

    return run


def decisions(made: Made, label: str = "vocals") -> list[Mapping[str, Any]]:
    return list(made.facts["stems"][label]["decisions"])


def test_what_helped_is_kept_and_the_rest_not_asked(
    noisy: Path, clean: np.ndarray, restored: Restored
) -> None:
    """The first that helps counts; the stem comes nearer to the clean one."""
    made = restored(noisy, "oracle", "eater", "hiss")
    assert [(entry["step"], entry["kept"]) for entry in decisions(made)] == [("Noise (oracle)", True)]
    left = read_audio(paths_of(made)["dry/vocals"]).samples - clean
    taken = read_audio(noisy).samples - clean
    assert np.abs(left - 0.2 * taken).max() < 1e-6


@pytest.mark.parametrize(("name", "word"), [("eater", "voice or music"), ("idle", "fell by 0.0 dB only")])
def test_what_did_not_help_is_left(noisy: Path, restored: Restored, name: str, word: str) -> None:
    """With the reason; the stem goes on as the same file."""
    made = restored(noisy, name)
    [decision] = decisions(made)
    assert not decision["kept"]
    assert word in decision["why"]
    assert [asset.path for asset in made.passed_on] == [noisy]


@pytest.mark.parametrize(("name", "word"), [("broken", "damaged. Install"), ("absent", "No 'absent'")])
def test_the_next_one_takes_over_and_it_is_told(
    noisy: Path, restored: Restored, name: str, word: str
) -> None:
    """A denoiser that is missing or fails is named, never passed over in silence."""
    made = restored(noisy, name, "oracle")
    first, second = decisions(made)
    assert (first["step"], first["kept"]) == (f"Noise ({name})", False)
    assert word in first["why"]
    assert (second["step"], second["kept"]) == ("Noise (oracle)", True)


def test_what_is_built_in_is_the_fallback(noisy: Path, restored: Restored) -> None:
    """Our own hiss reduction after a network that took the voice."""
    steps = [(entry["step"], entry["kept"]) for entry in decisions(restored(noisy, "eater", "hiss"))]
    assert steps == [("Noise (eater)", False), ("Hiss", True)]


def test_only_what_is_meant_for_the_stem_is_asked(noisy: Path, restored: Restored) -> None:
    """No word of the others: nothing failed."""
    assert decisions(restored(noisy, "drums")) == []
    assert decisions(restored(noisy, "oracle", label="synth"), "synth") == []


def test_without_noise_nobody_is_asked(tmp_path: Path, clean: np.ndarray, restored: Restored) -> None:
    """Pauses below the noise floor of the settings: a missing denoiser is not missed."""
    path = tmp_path / "clean.wav"
    noise = np.random.default_rng(2).standard_normal(clean.shape) * 10 ** (-85 / 20)
    write_audio(path, Audio(samples=(clean + noise).astype(np.float32), rate_hz=RATE_HZ))
    made = restored(path, "broken", "eater", "oracle", "hiss")
    assert decisions(made) == []
    assert [asset.path for asset in made.passed_on] == [path]


def test_a_full_disk_is_no_reason_for_another_denoiser(
    noisy: Path, restored: Restored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job waits for room instead."""

    def full(*_: object) -> None:
        raise EngineError("There is no room.") from OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Broken, "enhance", full)
    with pytest.raises(EngineError, match="no room"):
        restored(noisy, "broken", "oracle")


def test_another_network_makes_another_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parameters, which name the finished stage, hold the denoisers' versions."""
    config = load_config(overrides={"restore": {"denoisers": ["oracle", "hiss"]}})
    before = restore.Params.of(config, is_active=True)
    monkeypatch.setattr(FakeDenoiser, "version", "2")
    assert restore.Params.of(config, is_active=True) != before
    assert restore.Params.of(config, is_active=False).denoisers == ()
