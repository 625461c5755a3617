"""The contract that every transcriber keeps, ours, the fake and a stranger's plug-in, as checks to run.

With pytest, subclass ``TranscriberContract`` and say which transcriber to test::

    class TestMine(TranscriberContract):
        def transcriber(self) -> Transcriber:
            return MyTranscriber()

Without it, ``check_transcriber(MyTranscriber(), folder)`` runs all of them. A broken promise raises
AssertionError that says what was found and what was wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from bridge.audio import Audio, Samples, write_audio
from bridge.errors import EngineError, JobCancelled
from bridge.hashes import hash_file
from bridge.music import Note
from bridge.protocols import Progress, Transcriber, no_progress
from bridge.testing.separators import FORMS, SongForm, example_song
from bridge.values import Role

LONG = SongForm(frames=300_000)


def check_attributes(transcriber: Transcriber, folder: Path) -> None:
    """Name, version and roles are stated."""
    del folder
    _expect(isinstance(transcriber, Transcriber), "it lacks a member of the protocol Transcriber")
    _expect(bool(transcriber.name and transcriber.version), "name or version is empty; both enter the key")
    _expect(bool(transcriber.roles), "roles are empty: it would never be asked")


def check_forms(transcriber: Transcriber, folder: Path) -> None:
    """Any rate, length and channels: notes in order, inside the stem, which is not touched."""
    for number, form in enumerate(FORMS.values()):
        stem = _written(folder / f"{number}.wav", example_song(form), form.rate_hz)
        before = hash_file(stem)
        for role in transcriber.roles:
            notes = transcriber.transcribe(stem, role, no_progress)
            _expect_notes(notes, form.frames / form.rate_hz)
        _expect(hash_file(stem) == before, "the stem was changed; wanted it untouched")


def check_silence(transcriber: Transcriber, folder: Path) -> None:
    """Digital silence has no notes."""
    stem = _written(folder / "silence.wav", np.zeros((2, 132_300), np.float32), 44_100)
    for role in transcriber.roles:
        notes = transcriber.transcribe(stem, role, no_progress)
        _expect(not notes, f"{role} of silence has {len(notes)} notes; wanted none")


def check_repeatable(transcriber: Transcriber, folder: Path) -> None:
    """The same stem has the same notes."""
    stem = _written(folder / "stem.wav", example_song(LONG), 44_100)
    for role in transcriber.roles:
        first, second = (transcriber.transcribe(stem, role, no_progress) for _ in range(2))
        _expect(first == second, f"{role} differs between two runs on the same stem")


def check_progress(transcriber: Transcriber, folder: Path) -> None:
    """Progress starts at 0 or above, never falls and ends at 1."""
    stem = _written(folder / "stem.wav", example_song(LONG), 44_100)
    for role in transcriber.roles:
        shares: list[float] = []
        transcriber.transcribe(stem, role, shares.append)
        _expect(bool(shares), "progress was never called; wanted it often: it is where a job is cancelled")
        _expect(shares == sorted(shares), f"progress fell: {shares}")
        _expect(
            shares[0] >= 0 and shares[-1] == 1, f"progress ran {shares[0]} to {shares[-1]}; wanted 0 to 1"
        )


def check_cancel(transcriber: Transcriber, folder: Path) -> None:
    """JobCancelled from a progress call passes through."""
    stem = _written(folder / "stem.wav", example_song(LONG), 44_100)

    def cancel(_share: float) -> None:
        raise JobCancelled

    for role in transcriber.roles:
        error = _error_of(transcriber, stem, role, cancel)
        _expect(isinstance(error, JobCancelled), f"cancelled: found {error!r}; wanted JobCancelled")


def check_bad_stems(transcriber: Transcriber, folder: Path) -> None:
    """A missing, empty or foreign file is an EngineError raised from its cause."""
    (folder / "empty.wav").write_bytes(b"")
    (folder / "foreign.wav").write_text("This is no stem.\n" * 100)
    for name in ("missing", "empty", "foreign"):
        for role in transcriber.roles:
            error = _error_of(transcriber, folder / f"{name}.wav", role, no_progress)
            _expect(isinstance(error, EngineError), f"{name}: found {error!r}; wanted EngineError")
            _expect(error.__cause__ is not None, f"{name}: the EngineError has no cause")


CHECKS: Mapping[str, Callable[[Transcriber, Path], None]] = {
    "attributes": check_attributes,
    "forms": check_forms,
    "silence": check_silence,
    "repeatable": check_repeatable,
    "progress": check_progress,
    "cancel": check_cancel,
    "bad stems": check_bad_stems,
}


def check_transcriber(transcriber: Transcriber, folder: Path) -> None:
    """Run every check, each in a folder of its own below ``folder``; AssertionError at the first that
    fails."""
    for name, check in CHECKS.items():
        (folder / name).mkdir()
        check(transcriber, folder / name)


class TranscriberContract:
    """The checks as a pytest class: subclass it, and return a fresh transcriber from ``transcriber``."""

    def transcriber(self) -> Transcriber:
        """The transcriber under test."""
        raise NotImplementedError("return the transcriber to test")

    def test_states_what_it_is(self, tmp_path: Path) -> None:
        """Name, version and roles."""
        check_attributes(self.transcriber(), tmp_path)

    def test_takes_every_form_of_stem(self, tmp_path: Path) -> None:
        """Notes in order and inside the stem."""
        check_forms(self.transcriber(), tmp_path)

    def test_hears_nothing_in_silence(self, tmp_path: Path) -> None:
        """No notes."""
        check_silence(self.transcriber(), tmp_path)

    def test_hears_the_same_twice(self, tmp_path: Path) -> None:
        """Equal notes."""
        check_repeatable(self.transcriber(), tmp_path)

    def test_reports_progress_to_the_end(self, tmp_path: Path) -> None:
        """Rising, to 1."""
        check_progress(self.transcriber(), tmp_path)

    def test_can_be_cancelled(self, tmp_path: Path) -> None:
        """JobCancelled passes."""
        check_cancel(self.transcriber(), tmp_path)

    def test_refuses_bad_stems_with_the_cause(self, tmp_path: Path) -> None:
        """EngineError."""
        check_bad_stems(self.transcriber(), tmp_path)


def _expect_notes(notes: tuple[Note, ...], duration_s: float) -> None:
    starts = [note.start_s for note in notes]
    _expect(starts == sorted(starts), "notes are not in order of their start")
    for note in notes:
        is_inside = 0 <= note.start_s <= note.end_s <= duration_s + 0.05
        _expect(is_inside, f"a note from {note.start_s} to {note.end_s} s in a stem of {duration_s} s")


def _error_of(transcriber: Transcriber, stem: Path, role: Role, progress: Progress) -> Exception:
    try:
        transcriber.transcribe(stem, role, progress)
    except Exception as error:
        return error
    raise AssertionError(f"{stem.name} as {role} was transcribed without a word; wanted an error")


def _written(path: Path, samples: Samples, rate_hz: int) -> Path:
    write_audio(path, Audio(samples=samples, rate_hz=rate_hz))
    return path


def _expect(is_kept: bool, message: str) -> None:
    if not is_kept:
        raise AssertionError(message)
