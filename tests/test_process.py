"""The main job, end to end: one command, a worker of its own, a delivery that keeps its promises.

What is promised is checked by code that is not the product's: soundfile, NumPy and FFmpeg.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from bridge.generate import compose, random_spec
from bridge.measure.ffmpeg_meter import ffmpeg_loudness
from bridge.stages.manifest import Manifest
from tests.encoded_media import encode

ROLES = ("Vocals", "Drums", "Bass", "Other")


class Command:
    """The real command in a process of its own, with a data folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.environment = os.environ | {
            "STEMBRIDGE_DATA": str(folder / "data"),
            "STEMBRIDGE_CONFIG": str(folder / "none.toml"),
        }

    def __call__(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bridge.cli", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, env=self.environment, timeout=240, check=False
        )

    def process(self, song: Path, *options: object) -> dict[str, Any]:
        done = self("process", song, "--project", self.project, "--json", *options)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout)[0])


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    return Command(tmp_path_factory.mktemp("process"))


@pytest.fixture(scope="module")
def song(command: Command) -> Path:
    """An MP3 with tags, as Suno names takes."""
    mixture = compose(random_spec(21, duration_s=12.0, voice=True)).mixture
    path = command.folder / "Night Drive (1).mp3"
    encode(path, mixture.samples, mixture.rate_hz, codec="libmp3lame", container="mp3")
    return path


@pytest.fixture(scope="module")
def delivered(command: Command, song: Path) -> dict[str, Any]:
    digest = hashlib.sha256(song.read_bytes()).hexdigest()
    result = command.process(song, "--keep-separated", "--target", "streaming", "--target", "club")
    assert hashlib.sha256(song.read_bytes()).hexdigest() == digest, "the source was touched"
    return result


@pytest.fixture(scope="module")
def folder(delivered: dict[str, Any]) -> Path:
    return Path(delivered["folder"])


def one(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    assert len(found) == 1, (pattern, found)
    return found[0]


Samples = np.ndarray[Any, np.dtype[np.float64]]


def samples(path: Path) -> Samples:
    return soundfile.read(path, dtype="float64", always_2d=True)[0].T


def test_the_delivery_lies_where_it_was_promised(command: Command, folder: Path) -> None:
    """In StemBridge/<Title> of the project, with every part."""
    assert folder == command.project / "StemBridge" / "Night Drive (1)"
    for role in ROLES:
        one(folder, f"Stems/Night Drive (1) - {role} (dry)*.wav")
        one(folder, f"Stems/Mixed/Night Drive (1) - {role} (mixed)*.wav")
        one(folder, f"Stems/Separated/Night Drive (1) - {role} (separated)*.wav")
    one(folder, "Stems/Separated/Night Drive (1) - Source (decoded)*.wav")
    one(folder, "Master/Night Drive (1) - Master (streaming -14 LUFS)*.wav")
    one(folder, "Master/Night Drive (1) - Master (club -*.wav")
    assert (folder / "Presets" / "Dial it in.txt").stat().st_size > 500
    assert list(folder.glob("Presets/*/ZamCompX2/*.vstpreset"))
    one(folder, "MIDI/Night Drive (1).mid")
    one(folder, "Session/Night Drive (1).dawproject")
    assert (folder / "Report.html").stat().st_size > 100_000
    assert not list(folder.parent.glob(".*")), "something hidden was left"


def test_manifest_vouches_for_every_file(folder: Path) -> None:
    """Hash and size of each, and nothing that it does not list."""
    content = (folder / "manifest.json").read_text()
    assert Manifest.model_validate_json(content).format == "stembridge/manifest/1"
    manifest = json.loads(content)
    listed = {file["path"]: file for file in manifest["files"]}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {*listed, "manifest.json"}
    for path, file in listed.items():
        content = (folder / path).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])


def test_separated_stems_null_against_the_decode(folder: Path) -> None:
    """By plain addition in double precision: -120 dBFS or deeper."""
    whole = samples(one(folder, "Stems/Separated/*Source*.wav"))
    parts = [samples(one(folder, f"Stems/Separated/*{role} (separated)*.wav")) for role in ROLES]
    assert np.abs(sum(parts) - whole).max() <= 10 ** (-120 / 20)


@pytest.mark.parametrize("role", ROLES)
def test_everything_lines_up(folder: Path, role: str) -> None:
    """Every stem: the source's rate and length, and its cross-correlation highest at lag 0.

    Mixed stems went through filters that turn phases, so theirs is whitened: it looks at time alone.
    """
    source = one(folder, "Stems/Separated/*Source*.wav")
    whole, rate_hz = samples(source), soundfile.info(source).samplerate
    separated = samples(one(folder, f"Stems/Separated/*{role} (separated)*.wav"))
    dry = samples(one(folder, f"Stems/*{role} (dry)*.wav"))
    mixed = samples(one(folder, f"Stems/Mixed/*{role} (mixed)*.wav"))
    assert soundfile.info(one(folder, f"Stems/*{role} (dry)*.wav")).samplerate == rate_hz
    assert separated.shape == dry.shape == mixed.shape == whole.shape
    assert lag(separated, whole) == lag(dry, separated) == 0
    assert lag(mixed, dry, is_whitened=True) == 0


def lag(late: Samples, early: Samples, *, is_whitened: bool = False) -> int:
    size = 2 * late.shape[1]
    cross = np.fft.rfft(late.mean(axis=0), size) * np.conj(np.fft.rfft(early.mean(axis=0), size))
    if is_whitened:
        cross /= np.abs(cross) + 1e-6 * np.abs(cross).max()
    peak = int(np.argmax(np.abs(np.fft.irfft(cross))))
    return peak if peak < size // 2 else peak - size


def test_masters_meet_their_targets(folder: Path, delivered: dict[str, Any]) -> None:
    """By FFmpeg's meter; where a target was not forced, the reason is told."""
    for name, ceiling_dbtp in (("streaming", -1.0), ("club", -0.5)):
        path = one(folder, f"Master/*({name}*.wav")
        figures = delivered["figures"]["masters"][name]
        found = ffmpeg_loudness(path)
        assert found.true_peak_dbtp <= ceiling_dbtp + 0.005
        if figures["is_reached"]:
            assert found.integrated_lufs == pytest.approx(figures["target_lufs"], abs=0.1)
        else:
            assert figures["why"]
        assert soundfile.info(path).subtype == "PCM_24"


def test_the_figures_tell_which_file_is_which_stem_and_how_loud_the_source_is(
    folder: Path, song: Path, delivered: dict[str, Any]
) -> None:
    figures = delivered["figures"]
    stems = {stem["role"]: stem for stem in figures["stem_files"]}
    assert set(stems) == {"vocals", "drums", "bass", "other"}
    assert stems["vocals"]["title"] == "Vocals"
    assert folder / stems["vocals"]["file"] == one(folder, "Stems/*Vocals*.wav")
    found = ffmpeg_loudness(song)
    assert figures["source"]["integrated_lufs"] == pytest.approx(found.integrated_lufs, abs=0.1)
    assert figures["source"]["true_peak_dbtp"] == pytest.approx(found.true_peak_dbtp, abs=0.2)


def test_the_same_song_for_another_target_starts_from_the_stems(
    command: Command, song: Path, folder: Path
) -> None:
    """Nothing is separated again, nothing delivered is touched, the next version is v2."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    done = command("process", song, "--project", command.project, "--target", "apple")
    assert done.returncode == 0, done.stderr
    for words in ("Separating", "Writing down the notes"):
        assert f"{words} - finished earlier" in done.stderr
    assert "Restoring - finished earlier" in done.stderr
    assert (folder.parent / "Night Drive (1) v2" / "manifest.json").exists()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_tags_are_carried_over(folder: Path) -> None:
    """Title and part in every delivered WAV, so that Live's and the system's browser show them."""
    from bridge.tags import read_tags

    found = read_tags(one(folder, "Stems/*Vocals (dry)*.wav")).tags
    assert found.title == "Night Drive (1) - Vocals (dry)"


@pytest.mark.parametrize("recipe", ["quick", "stems-only", "master-only", "voiceover-bed"])
def test_every_recipe_gives_what_it_says(command: Command, song: Path, recipe: str) -> None:
    """Stems or masters or both, and a report and manifest always."""
    result = command.process(song, "--recipe", recipe)
    folder = Path(result["folder"])
    stems, masters = list(folder.glob("Stems/*.wav")), list(folder.glob("Master/*.wav"))
    assert len(stems) == (4 if recipe in ("quick", "stems-only") else 0)
    assert len(masters) == (0 if recipe == "stems-only" else 1)
    assert (folder / "Report.html").exists()
    is_written_down = [(folder / name).exists() for name in ("MIDI", "Session")]
    assert is_written_down == [recipe == "stems-only"] * 2
    if recipe == "voiceover-bed":
        assert result["figures"]["masters"]["voiceover-bed"]["integrated_lufs"] == pytest.approx(-24, abs=0.1)


def test_integer_stems_null_exactly(command: Command) -> None:
    """A 16-bit WAV and stem_format int24: the sum is the source to the last bit."""
    mixture = compose(random_spec(4, duration_s=6.0)).mixture
    song = command.folder / "Whole Numbers.wav"
    soundfile.write(song, mixture.samples.T, mixture.rate_hz, subtype="PCM_16")
    settings = command.folder / "int24.toml"
    settings.write_text('[delivery]\nstem_format = "int24"\n')
    result = command.process(song, "--recipe", "quick", "--keep-separated", "--config", settings)
    parts = [
        soundfile.read(path, dtype="int32", always_2d=True)[0].astype(np.int64) >> 8
        for path in Path(result["folder"]).glob("Stems/Separated/*.wav")
    ]
    whole = soundfile.read(song, dtype="int16", always_2d=True)[0].astype(np.int64) << 8
    assert len(parts) == 4
    assert [stem["role"] for stem in result["figures"]["stem_files"]] == ["vocals", "drums", "bass", "other"]
    assert np.array_equal(sum(parts), whole)


def test_status_and_doctor_know_the_jobs(command: Command, delivered: dict[str, Any]) -> None:
    """The store is the same for every command."""
    jobs = json.loads(command("status", "--json").stdout)["jobs"]
    assert delivered["job"] in {job["id"] for job in jobs}
    doctor = command("doctor", "--json")
    assert doctor.returncode == 0, doctor.stdout
    assert {finding["what"] for finding in json.loads(doctor.stdout)} >= {"Python", "Decoders", "Separators"}


STRICT = "[qa]\nmax_attempts = {attempts}\nloudness_tolerance_lu = 0.0000001\n"
"""A tolerance far below what the search for the loudness ends at."""


def test_what_qa_finds_is_corrected_by_another_render(command: Command, song: Path) -> None:
    """The first master is some thousandths of a LU off; the second one is aimed by that much better."""
    settings = command.folder / "twice.toml"
    settings.write_text(STRICT.format(attempts=3))
    result = command.process(song, "--recipe", "master-only", "--config", settings)
    manifest = json.loads((Path(result["folder"]) / "manifest.json").read_text())
    errors = [
        check["error"]
        for attempt in manifest["qa"]
        for check in attempt["checks"]
        if check["code"] == "loudness"
    ]
    assert len(errors) > 1
    assert abs(errors[0]) > 0.001
    assert abs(errors[-1]) < 1e-6


def test_a_master_that_fails_is_kept_back_and_the_stems_are_not(command: Command, song: Path) -> None:
    """Without another attempt the job fails in words, its stems delivered, no master among them."""
    settings = command.folder / "once.toml"
    settings.write_text(STRICT.format(attempts=1))
    done = command("process", song, "--project", command.project, "--json", "--config", settings)
    result = json.loads(done.stdout)[0]
    assert (done.returncode, result["state"]) == (1, "FAILED")
    assert "No master was delivered" in result["error"]
    folder = Path(result["folder"])
    assert str(folder) in result["error"]
    assert len(list(folder.glob("Stems/*.wav"))) == 4
    assert not list(folder.glob("Master/*"))
    assert json.loads((folder / "manifest.json").read_text())["masters"] is None
