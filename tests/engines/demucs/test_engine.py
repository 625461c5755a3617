"""Demucs as a separator, on a tiny model of the real architecture."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, AudioWriter, read_audio, write_audio
from bridge.config import Config
from bridge.engines.apart import borrowed
from bridge.engines.demucs import DemucsLocal, HTDemucsFt, engine
from bridge.errors import EngineError
from bridge.hashes import hash_file
from bridge.protocols import Separator, no_progress
from bridge.testing import separators as contract
from bridge.testing.separators import SongForm, example_song
from bridge.values import Role
from bridge.weights import Form, Part, Weights


class TestDemucs(contract.SeparatorContract):
    """The contract, on the real code path."""

    @pytest.fixture(autouse=True)
    def _settings(self, config: Config) -> None:
        self.config = config

    def separator(self) -> Separator:
        return DemucsLocal(self.config)


def stems_of(separator: Separator, song: np.ndarray, rate_hz: int, place: Path) -> dict[Role, np.ndarray]:
    place.mkdir(exist_ok=True)
    (place / "stems").mkdir(exist_ok=True)
    write_audio(place / "song.wav", Audio(samples=song, rate_hz=rate_hz))
    paths = separator.separate(place / "song.wav", place / "stems", no_progress)
    return {role: read_audio(path).samples for role, path in paths.items()}


@pytest.mark.parametrize("rate_hz", [48_000, 96_000, 192_000])
def test_what_is_above_the_networks_band_stays_in_other(rate_hz: int, config: Config, tmp_path: Path) -> None:
    """A tone of 23 kHz is in no stem but other, whole."""
    time_s = np.arange(2 * rate_hz) / rate_hz
    tone = 0.1 * np.sin(2 * np.pi * 23_000 * time_s)
    song = np.stack([tone, tone]).astype(np.float32)
    song += 0.2 * np.sin(2 * np.pi * 300 * time_s).astype(np.float32)
    stems = stems_of(DemucsLocal(config), song, rate_hz, tmp_path)
    for role, stem in stems.items():
        at_tone = np.abs(np.fft.rfft(stem[0] * np.hanning(stem.shape[1])))[46_000 - 20 : 46_000 + 20].max()
        level = 4 * at_tone / stem.shape[1]
        assert level == pytest.approx(0.1, rel=0.01) if role is Role.OTHER else level < 1e-6


def test_resampling_moves_nothing(config: Config, tmp_path: Path) -> None:
    """The same song at 44.1 and 48 kHz gives the same stems, in the same place."""
    import soxr

    song = example_song(SongForm(frames=88_200))
    other_rate = np.ascontiguousarray(soxr.resample(song.T, 44_100, 48_000, "VHQ").T)
    plain = stems_of(DemucsLocal(config), song, 44_100, tmp_path / "plain")
    turned = stems_of(DemucsLocal(config), other_rate, 48_000, tmp_path / "turned")
    for role in (Role.VOCALS, Role.DRUMS, Role.BASS):
        wanted = soxr.resample(plain[role].T, 44_100, 48_000, "VHQ").T[:, 5_000:90_000]
        error = np.square(turned[role][:, 5_000:90_000] - wanted).sum() / np.square(wanted).sum()
        assert 10 * np.log10(error) < -40  # the top of the band is cut twice


def test_digital_silence_inside_a_song_stays_silent(config: Config, tmp_path: Path) -> None:
    """The network hums a little in a break; the stem does not."""
    song = example_song(SongForm(frames=200_000))
    song[:, :50_000] = 0
    song[:, 150_000:] = 0
    stems = np.stack(list(stems_of(DemucsLocal(config), song, 44_100, tmp_path).values()))
    assert not stems[:, :, : 50_000 - 300].any()
    assert not stems[:, :, 150_000 + 300 :].any()


def test_a_pickle_that_nobody_vouches_for_is_refused(config: Config, tmp_path: Path) -> None:
    """With the line that would vouch for it, which then does."""
    hybrid = config.evolve(demucs=config.demucs.evolve(model="tinyhd"))
    song = example_song(SongForm(frames=50_000))
    with pytest.raises(EngineError, match=r"is a pickle.*demucs.hashes.*\.th") as caught:
        stems_of(DemucsLocal(hybrid), song, 44_100, tmp_path)
    digest = str(caught.value).split('" = "')[1][:64]
    vouched = hybrid.evolve(demucs=hybrid.demucs.evolve(hashes={"mine.th": digest}))
    assert stems_of(DemucsLocal(vouched), song, 44_100, tmp_path)[Role.VOCALS].any()


def test_an_unknown_model_is_told(config: Config, tmp_path: Path) -> None:
    """With those that are there."""
    lost = config.evolve(demucs=config.demucs.evolve(model="tinny"))
    with pytest.raises(EngineError, match=r"no model 'tinny'.*there is: tiny, tinybag, tinyhd"):
        stems_of(DemucsLocal(lost), example_song(SongForm(frames=5_000)), 44_100, tmp_path)


def test_missing_weights_are_told_with_the_command(config: Config, tmp_path: Path) -> None:
    """Before a job, and in it."""
    empty = config.evolve(weights=config.weights.evolve(folder=str(tmp_path / "none")))
    assert "stembridge models pull htdemucs_ft (336 MB, MIT)" in HTDemucsFt(empty).missing()
    assert DemucsLocal(config).missing() == ""
    with pytest.raises(EngineError, match="models pull htdemucs_ft"):
        stems_of(HTDemucsFt(empty), example_song(SongForm(frames=5_000)), 44_100, tmp_path)


def test_version_changes_with_what_changes_the_stems(config: Config, repository: Path) -> None:
    """Quality, model and its files are part of the key of a result."""
    best = config.evolve(demucs=config.demucs.evolve(quality="best"))
    bag = config.evolve(demucs=config.demucs.evolve(model="tinybag"))
    versions = {DemucsLocal(settings).version for settings in (config, best, bag)}
    assert len(versions) == 3


def published_as(name: str, files: list[Path], folder: Path) -> Weights:
    """Weights as in the catalogue, of those files, in their place."""
    (folder / name).mkdir(parents=True)
    parts = []
    for number, file in enumerate(files):
        target = folder / name / f"part{number}{file.suffix}"
        shutil.copy(file, target)
        form = Form(
            file=target.name, size_bytes=target.stat().st_size, sha256=hash_file(target), url="{github}/there"
        )
        parts.append(Part(name=f"part{number}", forms=(form,)))
    return Weights(name=name, title="Tiny", engine="demucs", licence="MIT", page="there", parts=tuple(parts))


def test_each_stem_of_the_fine_tuned_set_comes_from_its_own_network(
    config: Config, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drums by the first network, bass by the second, vocals by the fourth; the third is not even opened."""
    first, second = (repository / f"aaaa000{number}.safetensors" for number in (1, 2))
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no network")
    folder = tmp_path / "weights"
    weights = published_as("htdemucs_ft", [first, second, broken, second], folder)
    monkeypatch.setattr(engine, "weights_named", lambda _name: weights)
    tuned = config.evolve(weights=config.weights.evolve(folder=str(folder)))
    song = example_song(SongForm(frames=100_000))
    found = stems_of(HTDemucsFt(tuned), song, 44_100, tmp_path / "found")
    by = {
        name: stems_of(DemucsLocal(_with_model(config, repository, name)), song, 44_100, tmp_path / name)
        for name in ("aaaa0001", "aaaa0002")
    }
    assert HTDemucsFt(tuned).missing() == ""
    np.testing.assert_array_equal(found[Role.DRUMS], by["aaaa0001"][Role.DRUMS])
    np.testing.assert_array_equal(found[Role.BASS], by["aaaa0002"][Role.BASS])
    np.testing.assert_array_equal(found[Role.VOCALS], by["aaaa0002"][Role.VOCALS])


def _with_model(config: Config, repository: Path, name: str) -> Config:
    (repository / f"only{name}.yaml").write_text(f"models: ['{name}']\n")
    return config.evolve(demucs=config.demucs.evolve(model=f"only{name}"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of another process is told by Linux alone")
def test_memory_does_not_grow_with_the_song(config: Config, tmp_path: Path) -> None:
    """The engine's process and ours: 4 minutes more take less than 30 MB more."""
    peaks = []
    song = example_song(SongForm(frames=60 * 44_100))
    for name, times in (("short", 1), ("long", 5)):
        place = tmp_path / name
        (place / "stems").mkdir(parents=True)
        with AudioWriter(place / "song.wav", rate_hz=44_100, channels=2) as out:
            for _ in range(times):
                out.write(song)
        DemucsLocal(config).separate(place / "song.wav", place / "stems", no_progress)
        with borrowed(engine.start_of(config)) as host:
            status = Path(f"/proc/{host.pid}/status").read_text()
        peaks.append(int(status.split("VmHWM:")[1].split()[0]) / 1e3)
    assert peaks[1] - peaks[0] < 30
