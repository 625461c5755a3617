"""The code that runs in Demucs' interpreter: equal to demucs, in memory of one segment, on checked files."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from bridge.audio import Samples
from bridge.config import Config
from bridge.engines.apart import borrowed
from bridge.engines.demucs.engine import start_of
from bridge.errors import EngineError
from bridge.testing.separators import SongForm, example_song

from .conftest import run_in_torch

SOURCES = ("drums", "bass", "other", "vocals")
SEGMENT = 57_330
"""Of the tiny models: 1.3 s."""


def networks(repository: Path, name: str) -> list[dict[str, Any]]:
    found = yaml.safe_load((repository / f"{name}.yaml").read_text())
    rows = found.get("weights") or [None] * len(found["models"])
    files = [next(repository.glob(f"{signature}*")) for signature in found["models"]]
    return [
        {"file": str(file), "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "weights": row}
        for file, row in zip(files, rows, strict=True)
    ]


def asked(config: Config, place: Path, song: Samples, bag: list[dict[str, Any]], **changes: Any) -> Samples:
    """What the engine makes of a song: shape (stems, channels, frames)."""
    place.mkdir(exist_ok=True)
    np.ascontiguousarray(song.T).tofile(place / "song.raw")
    stems = {name: place / f"{name}.raw" for name in changes.pop("wanted", SOURCES)}
    what = {
        "source": str(place / "song.raw"),
        "frames": song.shape[1],
        "networks": bag,
        "sources": SOURCES,
        "segment_s": None,
        "stems": {name: str(path) for name, path in stems.items()},
        "overlap": 0.25,
        "shifts": 0,
        "seed": 0,
        "device": "cpu",
        "precision": "fp32",
    }
    with borrowed(start_of(config)) as host:
        host.ask("separate", what | changes)
    return np.stack([np.fromfile(path, np.float32).reshape(-1, 2).T for path in stems.values()])


def below_db(found: Samples, wanted: Samples) -> float:
    error = np.square(found - wanted, dtype=np.float64).sum()
    return float(10 * np.log10(max(error, 1e-30) / np.square(wanted, dtype=np.float64).sum()))


def wanted_by_demucs(
    repository: Path, name: str, song: Samples, place: Path, python: Path, overlap: float
) -> Samples:
    np.save(place / "mixture.npy", song)
    out = place / "wanted.npy"
    run_in_torch(
        python, "reference.py", str(repository), name, str(place / "mixture.npy"), str(out), str(overlap)
    )
    return np.asarray(np.load(out), np.float32)


@pytest.mark.parametrize(
    ("model", "frames", "overlap", "segment_s"),
    [
        ("tiny", 1, 0.25, None),
        ("tiny", SEGMENT - 1, 0.25, None),
        ("tiny", SEGMENT, 0.25, None),
        ("tiny", 200_003, 0.25, None),
        ("tiny", 150_000, 0.6, None),
        ("tinybag", 170_001, 0.25, None),
        ("tinyhd", 200_003, 0.25, 1.5),
    ],
    ids=lambda value: str(value),
)
def test_equal_to_demucs(
    model: str, frames: int, overlap: float, segment_s: float | None, config: Config, repository: Path,
    demucs_python: Path, tmp_path: Path,
) -> None:  # fmt: skip
    """To its own apply_model, within -100 dB in float32: for any length, a bag, both kinds of network."""
    song = example_song(SongForm(frames=max(frames, 2)))[:, :frames]
    wanted = (
        wanted_by_demucs(repository, model, song, tmp_path, demucs_python, overlap) if frames > 1 else None
    )
    found = asked(
        config, tmp_path / "ours", song, networks(repository, model), overlap=overlap, segment_s=segment_s
    )
    assert found.shape == (4, 2, frames)
    assert np.isfinite(found).all()
    if wanted is not None:  # demucs itself gives NaN for one sample
        assert below_db(found, wanted) < -100


def test_networks_without_a_say_are_not_run(config: Config, repository: Path, tmp_path: Path) -> None:
    """They are not even loaded: their file need not be there."""
    bag = networks(repository, "tinybag")
    song = example_song(SongForm(frames=70_000))
    bag[1] = bag[1] | {"file": str(tmp_path / "gone.safetensors")}
    assert asked(config, tmp_path / "drums", song, bag, wanted=("drums",)).any()
    with pytest.raises(EngineError, match=r"gone\.safetensors"):
        asked(config, tmp_path / "vocals", song, bag, wanted=("drums", "vocals"))


def test_shifts_are_seeded_and_change_little_but_something(
    config: Config, repository: Path, tmp_path: Path
) -> None:
    """The mean of two passes, each begun elsewhere; the same for the same seed."""
    bag, song = networks(repository, "tiny"), example_song(SongForm(frames=120_000))
    plain = asked(config, tmp_path / "plain", song, bag)
    first, again = (
        asked(config, tmp_path / name, song, bag, shifts=2, seed=5) for name in ("first", "again")
    )
    other = asked(config, tmp_path / "other", song, bag, shifts=2, seed=6)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert -80 < below_db(first, plain) < 3


def test_level_and_silence(config: Config, repository: Path, tmp_path: Path) -> None:
    """Half the level gives half the stems; silence, a constant and a silent middle give no NaN."""
    bag, song = networks(repository, "tiny"), example_song(SongForm(frames=300_000))
    loud = asked(config, tmp_path / "loud", song, bag)
    soft = asked(config, tmp_path / "soft", (song / 2).astype(np.float32), bag)
    assert below_db(soft * 2, loud) < -90
    for value in (0.0, 0.25):
        constant = np.full((2, 5_000), value, np.float32)
        assert not asked(config, tmp_path / "constant", constant, bag).any()
    song[:, 90_000:260_000] = 0
    holed = asked(config, tmp_path / "holed", song, bag)
    assert np.isfinite(holed).all()
    assert not holed[..., 155_000:190_000].any()


def test_a_file_that_changed_is_not_looked_into(config: Config, repository: Path, tmp_path: Path) -> None:
    """Swapped after it was checked: the engine hashes what it loads."""
    bag = networks(repository, "tiny")
    bag[0]["sha256"] = "0" * 64
    with pytest.raises(EngineError, match=r"is not what was checked: found SHA-256 .*wanted 000000000000"):
        asked(config, tmp_path, example_song(SongForm(frames=1_000)), bag)


def _safe_file(path: Path, about: dict[str, str]) -> dict[str, Any]:
    head = json.dumps({"__metadata__": about}).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head)
    return {"file": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "weights": None}


def test_a_file_that_asks_for_a_program_is_refused(config: Config, tmp_path: Path) -> None:
    """Safetensors name the class to be made, with its arguments: only Demucs' own are."""
    mark = tmp_path / "was run"
    evil = {"klass": "subprocess.Popen", "args": json.dumps([["touch", str(mark)]]), "kwargs": "{}"}
    bag = [_safe_file(tmp_path / "evil.safetensors", evil)]
    with pytest.raises(EngineError, match=r"holds no network of Demucs.*subprocess.Popen"):
        asked(config, tmp_path, example_song(SongForm(frames=1_000)), bag)
    assert not mark.exists()


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04nonsense", b"\xff" * 100], ids=["empty", "pickle", "noise"]
)
@pytest.mark.parametrize("suffix", [".th", ".safetensors"])
def test_a_broken_file_is_told(content: bytes, suffix: str, config: Config, tmp_path: Path) -> None:
    """By its name, and the engine lives on."""
    file = tmp_path / f"broken{suffix}"
    file.write_bytes(content)
    bag = [{"file": str(file), "sha256": hashlib.sha256(content).hexdigest(), "weights": None}]
    with pytest.raises(EngineError, match=r"broken\..*holds no network of Demucs"):
        asked(config, tmp_path / "x", example_song(SongForm(frames=1_000)), bag)


def test_other_stems_than_wanted_are_told(config: Config, repository: Path, tmp_path: Path) -> None:
    """A model of six where four were expected."""
    six = (*SOURCES, "guitar", "piano")
    with pytest.raises(EngineError, match=r"gives drums, bass, other, vocals of 2 channels.*guitar"):
        asked(
            config, tmp_path, example_song(SongForm(frames=1_000)), networks(repository, "tiny"), sources=six
        )


def test_look_tells_what_is_used(config: Config) -> None:
    """The stored answer is met on the CPU."""
    with borrowed(start_of(config)) as host:
        found = host.ask("look", {"device": "auto", "precision": "fp32"})
    assert found["device"] in ("cpu", "cuda", "mps")
    assert found["demucs"].startswith("4.1")
