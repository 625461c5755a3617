"""The contract of separators, run on ours and on the fake, and shown to fail on broken ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from bridge import registry
from bridge.audio import Audio, read_audio, write_audio
from bridge.engines.light import LightSeparator
from bridge.errors import EngineError
from bridge.protocols import Progress, Separator, no_progress
from bridge.testing import separators as contract
from bridge.testing.fakes import FakeSeparator
from bridge.values import Role


class TestLightSeparator(contract.SeparatorContract):
    """The embedded engine, found as a stranger's would be."""

    def separator(self) -> Separator:
        made = registry.load("bridge.separators", "light")()
        assert isinstance(made, LightSeparator)
        return made


class TestFakeSeparator(contract.SeparatorContract):
    """The public fake."""

    def separator(self) -> Separator:
        return FakeSeparator()


def test_fake_raises_the_failure_it_was_given(tmp_path: Path) -> None:
    """Chained, as an engine would."""
    song = contract.example_song(contract.SongForm(frames=10))
    write_audio(tmp_path / "song.wav", Audio(samples=song, rate_hz=44_100))
    failing = FakeSeparator(failure=OSError("disk full"))
    with pytest.raises(EngineError, match="disk full") as caught:
        failing.separate(tmp_path / "song.wav", tmp_path, no_progress)
    assert isinstance(caught.value.__cause__, OSError)


class _Broken(FakeSeparator):
    """Keeps the contract but for one thing, done to the finished stems."""

    def separate(self, source: Path, folder: Path, progress: Progress) -> Mapping[Role, Path]:
        stems = super().separate(source, folder, progress)
        self.spoil(source, stems)
        return stems

    def spoil(self, source: Path, stems: Mapping[Role, Path]) -> None:
        raise NotImplementedError


class _Shifted(_Broken):
    def spoil(self, source: Path, stems: Mapping[Role, Path]) -> None:
        bass = read_audio(stems[Role.BASS])
        late = np.roll(bass.samples, 1, axis=1)
        write_audio(stems[Role.BASS], Audio(samples=late, rate_hz=bass.rate_hz))


class _Shortened(_Broken):
    def spoil(self, source: Path, stems: Mapping[Role, Path]) -> None:
        bass = read_audio(stems[Role.BASS])
        short = np.ascontiguousarray(bass.samples[:, :-1])
        write_audio(stems[Role.BASS], Audio(samples=short, rate_hz=bass.rate_hz))


class _Littering(_Broken):
    def spoil(self, source: Path, stems: Mapping[Role, Path]) -> None:
        (stems[Role.BASS].parent / "notes.txt").write_text("left over")


class _Meddling(_Broken):
    def spoil(self, source: Path, stems: Mapping[Role, Path]) -> None:
        source.write_bytes(source.read_bytes() + b"\0\0\0\0")


class _Humming(_Broken):
    def spoil(self, source: Path, stems: Mapping[Role, Path]) -> None:
        bass = read_audio(stems[Role.BASS])
        write_audio(stems[Role.BASS], Audio(samples=bass.samples + np.float32(1e-9), rate_hz=bass.rate_hz))


class _Deaf(FakeSeparator):
    def separate(self, source: Path, folder: Path, progress: Progress) -> Mapping[Role, Path]:
        return super().separate(source, folder, no_progress)


class _Unchained(FakeSeparator):
    def separate(self, source: Path, folder: Path, progress: Progress) -> Mapping[Role, Path]:
        try:
            return super().separate(source, folder, progress)
        except EngineError as error:
            raise RuntimeError(str(error)) from None


@pytest.mark.parametrize(
    ("broken", "check", "complaint"),
    [
        (_Shifted, contract.check_forms, "source minus stems"),
        (_Shortened, contract.check_forms, "wanted the source's"),
        (_Littering, contract.check_forms, "notes.txt"),
        (_Meddling, contract.check_forms, "source was changed"),
        (_Humming, contract.check_silence, "exact zeros"),
        (_Deaf, contract.check_progress, "never called"),
        (_Unchained, contract.check_bad_sources, "wanted EngineError"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_contract_catches(broken, check, complaint, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Each broken promise is named."""
    with pytest.raises(AssertionError, match=complaint):
        check(broken(), tmp_path)


def test_all_checks_run_without_pytest(tmp_path: Path) -> None:
    """A plug-in's author may call them by hand."""
    contract.check_separator(FakeSeparator(), tmp_path)
