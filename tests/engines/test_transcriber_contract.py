"""The contract of transcribers, run on ours and on the fake, and shown to fail on broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import registry
from bridge.engines.native import NativeTranscriber
from bridge.errors import EngineError
from bridge.music import Note
from bridge.protocols import Progress, Transcriber, no_progress
from bridge.testing import transcribers as contract
from bridge.testing.fakes import FakeTranscriber
from bridge.values import Role


class TestNativeTranscriber(contract.TranscriberContract):
    """The built-in one, found as a stranger's would be."""

    def transcriber(self) -> Transcriber:
        made = registry.load("bridge.transcribers", "native")()
        assert isinstance(made, NativeTranscriber)
        return made


class TestFakeTranscriber(contract.TranscriberContract):
    """The public fake."""

    def transcriber(self) -> Transcriber:
        return FakeTranscriber()


class _Nameless(FakeTranscriber):
    version = ""


class _Backward(FakeTranscriber):
    def transcribe(self, stem: Path, role: Role, progress: Progress) -> tuple[Note, ...]:
        return super().transcribe(stem, role, progress)[::-1]


class _Lingering(FakeTranscriber):
    def transcribe(self, stem: Path, role: Role, progress: Progress) -> tuple[Note, ...]:
        notes = super().transcribe(stem, role, progress)
        return tuple(note.evolve(end_s=note.end_s + 1) for note in notes)


class _Meddling(FakeTranscriber):
    def transcribe(self, stem: Path, role: Role, progress: Progress) -> tuple[Note, ...]:
        notes = super().transcribe(stem, role, progress)
        stem.write_bytes(stem.read_bytes() + b"\0\0\0\0")
        return notes


class _Imagining(FakeTranscriber):
    def transcribe(self, stem: Path, role: Role, progress: Progress) -> tuple[Note, ...]:
        return (Note(start_s=0, end_s=1, pitch=60), *super().transcribe(stem, role, progress))


class _Deaf(FakeTranscriber):
    def transcribe(self, stem: Path, role: Role, progress: Progress) -> tuple[Note, ...]:
        return super().transcribe(stem, role, no_progress)


class _Unchained(FakeTranscriber):
    def transcribe(self, stem: Path, role: Role, progress: Progress) -> tuple[Note, ...]:
        try:
            return super().transcribe(stem, role, progress)
        except EngineError as error:
            raise RuntimeError(str(error)) from None


@pytest.mark.parametrize(
    ("broken", "check", "complaint"),
    [
        (_Nameless, contract.check_attributes, "version is empty"),
        (_Backward, contract.check_forms, "not in order"),
        (_Lingering, contract.check_forms, "in a stem of"),
        (_Meddling, contract.check_forms, "stem was changed"),
        (_Imagining, contract.check_silence, "wanted none"),
        (_Deaf, contract.check_progress, "never called"),
        (_Deaf, contract.check_cancel, "without a word"),
        (_Unchained, contract.check_bad_stems, "wanted EngineError"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_contract_catches(broken, check, complaint, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Each broken promise is named."""
    with pytest.raises(AssertionError, match=complaint):
        check(broken(), tmp_path)


def test_all_checks_run_without_pytest(tmp_path: Path) -> None:
    """A plug-in's author may call them by hand."""
    contract.check_transcriber(FakeTranscriber(), tmp_path)
