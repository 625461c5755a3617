"""The separate stage: stems that sum to the source, by the first engine that works."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge import registry
from bridge.audio import Audio, read_audio, write_audio
from bridge.config import Config, load_config
from bridge.errors import EngineError, RegistryError
from bridge.generate import ComposedSong
from bridge.stages import roles, separate
from bridge.stages.choosing import choices
from bridge.testing.fakes import FakeSeparator
from bridge.values import SampleFormat
from tests.stages.conftest import RunStage, paths_of


class LossySeparator(FakeSeparator):
    """Loses a tenth of every stem, as engines do that rescale."""

    name = "lossy"

    def separate(self, source, folder, progress):  # type: ignore[no-untyped-def]
        stems = super().separate(source, folder, progress)
        for path in stems.values():
            audio = read_audio(path)
            write_audio(path, Audio(samples=audio.samples * np.float32(0.9), rate_hz=audio.rate_hz))
        return stems


class BrokenSeparator(FakeSeparator):
    name = "broken"

    def __init__(self) -> None:
        super().__init__(failure=RuntimeError("no weights"))


class AbsentSeparator(FakeSeparator):
    """One whose packages are not installed, or are, as the settings say."""

    name = "heavy"

    @classmethod
    def configured(cls, config: Config) -> AbsentSeparator:
        made = cls()
        made.is_here = config.separate.engines == ("heavy",)
        return made

    def missing(self) -> str:
        return "" if self.is_here else "Heavy is not installed. Get it: stembridge engines install heavy"


ENGINES = {
    "heavy": AbsentSeparator,
    "fake": FakeSeparator,
    "lossy": LossySeparator,
    "broken": BrokenSeparator,
}


@pytest.fixture(autouse=True)
def engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three engines instead of the installed ones."""

    def load(_group: str, name: str) -> type[FakeSeparator]:
        if name not in ENGINES:
            raise RegistryError(f"No '{name}' is registered.")
        return ENGINES[name]

    monkeypatch.setattr(registry, "load", load)


@pytest.fixture
def source(tmp_path: Path, song: ComposedSong) -> Path:
    path = tmp_path / "source.wav"
    write_audio(path, song.mixture, SampleFormat.INT16)
    return path


def params(*names: str, grid_bits: int = 0) -> separate.Params:
    return separate.Params(
        engines=choices("bridge.separators", names, load_config()), null_dbfs=-120.0, grid_bits=grid_bits
    )


def residual(made_paths: dict[str, Path], source: Path) -> float:
    stems = [read_audio(path).samples.astype(np.float64) for path in made_paths.values()]
    return float(np.max(np.abs(sum(stems) - read_audio(source).samples)))


def test_certificate_tells_null_alignment_and_level(run_stage: RunStage, source: Path) -> None:
    """For every job, computed from the files."""
    made = run_stage(separate.STAGE, params("fake"), {roles.SOURCE: source})
    certificate = made.facts["certificate"]
    assert certificate["null"]["peak_dbfs"] <= -120
    assert certificate["level_db"] == pytest.approx(0, abs=0.001)
    assert {entry["lag_frames"] for entry in certificate["alignment"].values()} == {0}


def test_what_an_engine_loses_is_put_back_into_other(run_stage: RunStage, source: Path) -> None:
    """The stems null although the engine's own do not."""
    made = run_stage(separate.STAGE, params("lossy"), {roles.SOURCE: source})
    assert residual(paths_of(made), source) < 10 ** (-120 / 20)


def test_integer_stems_sum_exactly(run_stage: RunStage, source: Path) -> None:
    """On the 24-bit grid the sum of the stems is the source, to the last bit."""
    made = run_stage(separate.STAGE, params("fake", grid_bits=24), {roles.SOURCE: source})
    paths = paths_of(made)
    steps = [np.rint(read_audio(path).samples.astype(np.float64) * 2**23) for path in paths.values()]
    for path, whole in zip(paths.values(), steps, strict=True):
        assert np.array_equal(whole / 2**23, read_audio(path).samples)
    assert np.array_equal(sum(steps), read_audio(source).samples.astype(np.float64) * 2**23)


def test_the_next_engine_takes_over_and_it_is_told(run_stage: RunStage, source: Path) -> None:
    """Missing and broken engines are named, never passed over in silence."""
    made = run_stage(separate.STAGE, params("absent", "broken", "fake"), {roles.SOURCE: source})
    assert made.facts["engine"] == "fake"
    assert [line.split(":")[0] for line in made.facts["skipped"]] == ["absent", "broken"]


def test_what_is_not_installed_is_passed_over_and_told(run_stage: RunStage, source: Path) -> None:
    """It is no failure; the line says how to get it."""
    made = run_stage(separate.STAGE, params("heavy", "fake"), {roles.SOURCE: source})
    assert (made.facts["engine"], made.facts["skipped"]) == ("fake", [])
    assert made.facts["absent"] == ["heavy: Heavy is not installed. Get it: stembridge engines install heavy"]


def test_an_engine_that_comes_later_makes_another_key() -> None:
    """Else the lesser engine's stems would be taken for its."""
    shipped = load_config()
    ready = shipped.evolve(separate=shipped.separate.evolve(engines=("heavy",)))
    assert choices("bridge.separators", ["heavy"], shipped)[0].version == "absent"
    assert choices("bridge.separators", ["heavy"], ready)[0].version == "1"


def test_no_engine_is_an_error_with_every_reason(run_stage: RunStage, source: Path) -> None:
    """And with the setting to look at."""
    with pytest.raises(EngineError, match=r"no weights.*separate\.engines"):
        run_stage(separate.STAGE, params("broken"), {roles.SOURCE: source})


def test_given_stems_pass_through(run_stage: RunStage, source: Path) -> None:
    """A generator's own stems are not separated again, nor copied."""
    made = run_stage(separate.STAGE, params("fake"), {roles.SOURCE: source, "stem/Lead Vocals": source})
    assert [asset.role for asset in made.passed_on] == ["separated/Lead Vocals"]
    assert made.facts["engine"] == "none"


def test_versions_count_for_the_key() -> None:
    """An engine that gets installed later makes another key."""
    assert choices("bridge.separators", ["fake"], load_config())[0].version == "1"
    assert choices("bridge.separators", ["absent"], load_config())[0].version == "absent"
