"""The contract of enhancers, run on ours and on the fake, and shown to fail on broken ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge import registry
from bridge.audio import BLOCK_FRAMES, Audio, read_audio, write_audio
from bridge.engines.extend import NativeExtender
from bridge.errors import EngineError
from bridge.protocols import Enhancer, Progress, no_progress
from bridge.testing import enhancers as contract
from bridge.testing.fakes import FakeEnhancer


class TestNativeExtender(contract.EnhancerContract):
    """The embedded bandwidth extension, found as a stranger's would be, on stems that end at 10 kHz."""

    def enhancer(self, block_frames: int | None = None) -> Enhancer:
        made = registry.load("bridge.enhancers", "native-extend")
        assert made is NativeExtender
        return NativeExtender(block_frames=block_frames or BLOCK_FRAMES)


class TestFakeEnhancer(contract.EnhancerContract):
    """The public fake."""

    def enhancer(self, block_frames: int | None = None) -> Enhancer:
        return FakeEnhancer(block_frames=block_frames or BLOCK_FRAMES)


class _Broken(FakeEnhancer):
    """Keeps the contract but for one thing, done to the finished target."""

    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        super().enhance(source, target, progress)
        self.spoil(source, target)

    def spoil(self, source: Path, target: Path) -> None:
        raise NotImplementedError


class _Shortened(_Broken):
    def spoil(self, source: Path, target: Path) -> None:
        made = read_audio(target)
        write_audio(target, Audio(samples=np.ascontiguousarray(made.samples[:, 1:]), rate_hz=made.rate_hz))


class _Littering(_Broken):
    def spoil(self, source: Path, target: Path) -> None:
        (target.parent / "notes.txt").write_text("left over")


class _Meddling(_Broken):
    def spoil(self, source: Path, target: Path) -> None:
        source.write_bytes(source.read_bytes() + b"\0\0\0\0")


class _Humming(_Broken):
    def spoil(self, source: Path, target: Path) -> None:
        made = read_audio(target)
        write_audio(target, Audio(samples=made.samples + np.float32(1e-9), rate_hz=made.rate_hz))


class _Drawing(_Broken):
    def spoil(self, source: Path, target: Path) -> None:
        made = read_audio(target)
        noise = np.random.standard_normal(made.samples.shape) * 1e-3
        write_audio(target, Audio(samples=(made.samples + noise).astype(np.float32), rate_hz=made.rate_hz))


class _Blowing(_Broken):
    def spoil(self, source: Path, target: Path) -> None:
        made = read_audio(target)
        write_audio(target, Audio(samples=made.samples * np.float32(100), rate_hz=made.rate_hz))


class _Seamed(_Broken):
    def spoil(self, source: Path, target: Path) -> None:
        made = read_audio(target)
        made.samples[:, :: self.block_frames] = 0
        write_audio(target, made)


class _Deaf(FakeEnhancer):
    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        super().enhance(source, target, no_progress)


class _Stubborn(FakeEnhancer):
    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        progress(0.0)
        target.touch()
        super().enhance(source, target, progress)


class _Unchained(FakeEnhancer):
    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        try:
            super().enhance(source, target, progress)
        except EngineError as error:
            raise RuntimeError(str(error)) from None


@pytest.mark.parametrize(
    ("broken", "check", "complaint"),
    [
        (_Shortened, contract.check_forms, "wanted the source's"),
        (_Littering, contract.check_forms, "notes.txt"),
        (_Meddling, contract.check_forms, "source was changed"),
        (_Humming, contract.check_silence, "exact zeros"),
        (_Drawing, contract.check_repeatable, "two runs"),
        (_Blowing, contract.check_loud, "the peak grew"),
        (_Deaf, contract.check_progress, "never called"),
        (_Stubborn, contract.check_cancel, "wanted nothing"),
        (_Unchained, contract.check_bad_sources, "wanted EngineError"),
        (_Unchained, contract.check_no_room, "wanted EngineError"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_contract_catches(broken, check, complaint, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Each broken promise is named."""
    with pytest.raises(AssertionError, match=complaint):
        check(broken(), tmp_path)


def test_contract_catches_seams(tmp_path: Path) -> None:
    """A zero where each block begins."""
    with pytest.raises(AssertionError, match="blocks of 777 frames differ"):
        contract.check_blocks(lambda frames: _Seamed(block_frames=frames or BLOCK_FRAMES), tmp_path)


def test_all_checks_run_without_pytest(tmp_path: Path) -> None:
    """A plug-in's author may call them by hand."""
    contract.check_enhancer(FakeEnhancer(), tmp_path)
