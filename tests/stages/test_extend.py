"""Lost treble in the restore stage: made up where the song is cut off, kept where it is plausible."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge import registry
from bridge.audio import Audio, read_audio, write_audio
from bridge.config import load_config
from bridge.engines.extend import NativeExtender
from bridge.errors import EngineError, JobCancelled, RegistryError
from bridge.generate import ComposedSong
from bridge.protocols import Progress
from bridge.stages import restore
from bridge.stages.base import Inputs, Made, Room
from bridge.values import Facts, Role
from tests.dsp.judge_extend import SHARED, judge, low_passed
from tests.stages.conftest import RunStage, assets_of, paths_of

END_HZ = 10_000.0
Restored = Callable[..., Made]


class Planted(NativeExtender):
    """Extends as ours does, and spoils it."""

    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        super().enhance(source, target, progress)
        before, after = read_audio(source), read_audio(target)
        made = self.spoiled(before.samples, after.samples - before.samples, before.rate_hz)
        write_audio(target, Audio(samples=made.astype(np.float32), rate_hz=before.rate_hz))

    def spoiled(self, stem: Any, treble: Any, rate_hz: int) -> Any:
        raise NotImplementedError


class TooLoud(Planted):
    """18 dB more of it."""

    def spoiled(self, stem: Any, treble: Any, rate_hz: int) -> Any:
        return stem + 8 * treble


class TooSoft(Planted):
    """Next to nothing."""

    def spoiled(self, stem: Any, treble: Any, rate_hz: int) -> Any:
        return stem + 1e-3 * treble


class Rising(Planted):
    """More and more of it towards the top."""

    def spoiled(self, stem: Any, treble: Any, rate_hz: int) -> Any:
        low = low_passed(Audio(samples=treble.astype(np.float32), rate_hz=rate_hz), 15_000)
        return stem + treble + 12 * (treble - low.samples)


class Meddling(Planted):
    """Turns the rest down."""

    def spoiled(self, stem: Any, treble: Any, rate_hz: int) -> Any:
        return 0.9 * stem + treble


class Ringing(Planted):
    """Steady tones."""

    def spoiled(self, stem: Any, treble: Any, rate_hz: int) -> Any:
        t = np.arange(stem.shape[1]) / rate_hz
        tones = sum(np.sin(2 * np.pi * hz * t) for hz in range(10_500, 16_000, 400))
        return stem + treble + 0.003 * tones


class Spiky(Planted):
    """A peak, in the new band alone."""

    def spoiled(self, stem: Any, treble: Any, rate_hz: int) -> Any:
        peak = np.zeros_like(stem)
        peak[:, stem.shape[1] // 2] = 6.0
        low = low_passed(Audio(samples=peak, rate_hz=rate_hz), END_HZ + 500)
        return stem + treble + peak - low.samples


class Breathing(Planted):
    """The pauses are filled."""

    def spoiled(self, stem: Any, treble: Any, rate_hz: int) -> Any:
        steady = np.random.default_rng(1).standard_normal(treble.shape).astype(np.float32) * 3e-3
        low = low_passed(Audio(samples=steady, rate_hz=rate_hz), END_HZ)
        return stem + treble + steady - low.samples


class Broken(NativeExtender):
    """Cannot do it."""

    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        raise EngineError("The engine gave up.")


class Absent(NativeExtender):
    """Its network is not there."""

    def missing(self) -> str:
        return "the network is not there. Get it."

    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        raise AssertionError("an engine that is not installed was asked")


class FullDisk(NativeExtender):
    """No room."""

    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        raise EngineError("No room.") from OSError(errno.ENOSPC, "No space left on device")


ENGINES = {
    "native-extend": NativeExtender,
    "loud": TooLoud,
    "soft": TooSoft,
    "rising": Rising,
    "meddling": Meddling,
    "ringing": Ringing,
    "spiky": Spiky,
    "breathing": Breathing,
    "broken": Broken,
    "absent": Absent,
    "full": FullDisk,
}


@pytest.fixture
def plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engines of this file."""

    def load(group: str, name: str) -> Any:
        assert group == "bridge.enhancers"
        if name in ENGINES:
            return ENGINES[name]
        raise RegistryError(f"No '{name}' is registered in {group}.")

    monkeypatch.setattr(registry, "load", load)


@pytest.fixture
def restored(run_stage: RunStage, plugged_in: None) -> Restored:
    """Runs the stage with extenders, for a song that ends somewhere."""

    def restored(files: Mapping[str, Path], *extenders: str, end_hz: float = END_HZ) -> Made:
        settings = {"denoisers": [], "extenders": list(extenders)}
        config = load_config(overrides={"restore": settings})
        params = restore.Params.of(config, is_active=True, song_end_hz=end_hz)
        return run_stage(restore.STAGE, params, files)

    return restored


def cut_stem(song: ComposedSong, role: Role, folder: Path, end_hz: float = END_HZ) -> Path:
    path = folder / f"{role.value} {end_hz:.0f}.wav"
    write_audio(path, low_passed(song.stem(role), end_hz))
    return path


def decisions(made: Made, label: str) -> list[Facts]:
    return [one for one in made.facts["stems"][label]["decisions"] if one["step"].startswith("Treble")]


def test_a_cut_stem_gets_its_treble_back(restored: Restored, song: ComposedSong, tmp_path: Path) -> None:
    """Told with its figures, made up and said so, and the view is of the new file."""
    path = cut_stem(song, Role.DRUMS, tmp_path)
    made = restored({"separated/drums": path}, "native-extend")
    [told] = decisions(made, "drums")
    assert told["kept"]
    assert "made up" in told["why"]
    assert told["figures"][0]["name"] == "Above 10.0 kHz"
    assert told["changed_dbfs"] > -60
    repaired, given = read_audio(made.files["dry/drums"]), read_audio(path)
    assert repaired.samples.shape == given.samples.shape
    bands = made.facts["stems"]["drums"]["after"]["band_db"]
    assert bands[-4] > -80


def test_other_roles_are_looked_at_too(restored: Restored, song: ComposedSong, tmp_path: Path) -> None:
    """Kept, or left with a reason."""
    made = restored({"separated/synth 2": cut_stem(song, Role.OTHER, tmp_path)}, "native-extend")
    assert len(decisions(made, "synth 2")) == 1


@pytest.mark.parametrize(
    ("role", "stem_end_hz", "song_end_hz"),
    [
        (Role.BASS, 10_000.0, 10_000.0),
        (Role.DRUMS, 10_000.0, 20_000.0),
        (Role.DRUMS, 10_000.0, 0.0),
        (Role.DRUMS, 8_000.0, 16_000.0),
        (Role.DRUMS, 21_000.0, 16_000.0),
    ],
    ids=["a bass", "a whole song", "an unknown song", "a stem's own end", "a whole stem"],
)
def test_what_is_not_cut_passes_as_the_same_file(
    restored: Restored,
    song: ComposedSong,
    tmp_path: Path,
    role: Role,
    stem_end_hz: float,
    song_end_hz: float,
) -> None:
    """No copy, and nothing told."""
    path = cut_stem(song, role, tmp_path, stem_end_hz)
    made = restored({f"separated/{role}": path}, "native-extend", end_hz=song_end_hz)
    assert [asset.path for asset in made.passed_on] == [path]
    assert not decisions(made, role.value)


def test_without_extenders_nothing_is_made_up(restored: Restored, song: ComposedSong, tmp_path: Path) -> None:
    """The setting switches it off."""
    path = cut_stem(song, Role.DRUMS, tmp_path)
    assert paths_of(restored({"separated/drums": path}))["dry/drums"] == path


@pytest.mark.parametrize(
    ("engine", "complaint"),
    [
        ("loud", "limit"),
        ("soft", "Nothing audible"),
        ("rising", "out of the slope|louder than the band"),
        ("meddling", "changed the band below"),
        ("ringing", "rings"),
        ("spiky", "peaks"),
        ("breathing", "limit|pauses"),
    ],
)
def test_what_does_harm_is_left_out(
    restored: Restored, song: ComposedSong, tmp_path: Path, engine: str, complaint: str
) -> None:
    """The stem goes on as it was, and the reason is told."""
    path = cut_stem(song, Role.DRUMS, tmp_path)
    made = restored({"separated/drums": path}, engine)
    [told] = decisions(made, "drums")
    assert not told["kept"]
    assert re.search(complaint, told["why"])
    assert paths_of(made)["dry/drums"] == path


def test_the_next_engine_takes_over_and_both_are_told(
    restored: Restored, song: ComposedSong, tmp_path: Path
) -> None:
    """One that is not installed, one that fails, one that overdoes it, ours."""
    path = cut_stem(song, Role.DRUMS, tmp_path)
    made = restored({"separated/drums": path}, "audiosr", "absent", "broken", "loud", "native-extend")
    told = decisions(made, "drums")
    assert [one["kept"] for one in told] == [False, False, False, False, True]
    assert "No 'audiosr' is registered" in told[0]["why"]
    assert told[1]["why"] == "It is not installed: the network is not there. Get it."
    assert "gave up" in told[2]["why"]
    assert told[4]["step"] == "Treble (native-extend)"


def test_a_full_disk_ends_the_stage(restored: Restored, song: ComposedSong, tmp_path: Path) -> None:
    """Another engine would not find room either."""
    path = cut_stem(song, Role.DRUMS, tmp_path)
    with pytest.raises(EngineError, match="No room"):
        restored({"separated/drums": path}, "full", "native-extend")


def test_it_can_be_cancelled(song: ComposedSong, tmp_path: Path, plugged_in: None) -> None:
    """At any moment, and no repaired file is left."""
    path, room_folder = cut_stem(song, Role.DRUMS, tmp_path), tmp_path / "room"
    room_folder.mkdir()
    config = load_config(overrides={"restore": {"denoisers": [], "extenders": ["native-extend"]}})

    def progress(share: float) -> None:
        if share > 0.7:
            raise JobCancelled

    params = restore.Params.of(config, is_active=True, song_end_hz=END_HZ)
    with pytest.raises(JobCancelled):
        restore.STAGE.run(
            params,
            Inputs(assets_of({"separated/drums": path})),
            Room(folder=room_folder, progress=progress, config=config),
        )
    assert not list(room_folder.glob("*.wav"))


def test_the_key_of_the_stage_names_the_engines(plugged_in: None) -> None:
    """Another engine, version or song's end is another result."""
    config = load_config(overrides={"restore": {"denoisers": [], "extenders": ["native-extend", "audiosr"]}})
    params = restore.Params.of(config, is_active=True, song_end_hz=END_HZ)
    assert [(one.name, one.version) for one in params.extenders] == [
        ("native-extend", NativeExtender.version),
        ("audiosr", "absent"),
    ]
    assert params.song_end_hz == END_HZ


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/data/audio is not there")
@pytest.mark.parametrize("end_hz", [8_000.0, 10_000.0, 12_000.0])
@pytest.mark.parametrize("role", ["drums", "vocals", "other"])
def test_stems_of_a_real_song_come_nearer_where_it_is_kept(
    restored: Restored, tmp_path: Path, role: str, end_hz: float
) -> None:
    """Nothing is kept that is farther from what was lost than nothing."""
    audio = read_audio(SHARED / "falcon69" / f"{role}.wav")
    inner = np.ascontiguousarray(audio.samples[:, 2048:-2048])
    found = judge(Audio(samples=inner, rate_hz=audio.rate_hz), end_hz, tmp_path)
    made = restored({f"separated/{role}": tmp_path / "cut.wav"}, "native-extend", end_hz=end_hz)
    [told] = decisions(made, role)
    assert not told["kept"] or (found.bands_ratio < 1 and found.bins_ratio < 1)
    assert told["kept"] or role == "other"
