"""What is known of files and their jobs, and what the end of a job means for them."""

from pathlib import Path

import pytest

from bridge.errors import StorageError
from bridge.service.marks import Mark
from bridge.values import Delivery, JobState
from tests.watcher.support import Desk, wav
from watcher.book import DoorClosed, Failure, Verdict


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def twins(desk: Desk) -> tuple[Path, Path]:
    """Two files of one content, taken in this order, so that the first is the job's source."""
    first = desk.put("a.wav", wav())
    desk.settle()
    second = desk.put("b.wav", wav())
    desk.settle()
    assert len(desk.jobs) == 1
    return first, second


def test_a_failed_job_is_its_sources_failure_and_its_equals_turn(
    desk: Desk, twins: tuple[Path, Path]
) -> None:
    first, second = twins
    desk.fail(desk.jobs[0])
    assert desk.book.ended(desk.jobs[0].id, "InputError") == Verdict(failed=(first,), again=(second,))
    assert desk.book.known(first) is not None
    assert desk.book.known(second) is None
    assert desk.service.files.seen(second) is None


def test_a_job_that_ended_well_is_everybodys_success(desk: Desk, twins: tuple[Path, Path]) -> None:
    job = desk.service.play_start(desk.jobs[0].id)
    desk.service.play_done(job, Delivery(folder=desk.root, files=()))
    assert set(desk.book.ended(job.id).done) == set(twins)
    assert all(desk.book.is_done(path) for path in twins)


def test_a_cancelled_job_is_nobodys_failure(desk: Desk, twins: tuple[Path, Path]) -> None:
    desk.service.cancel(desk.jobs[0].id)
    assert desk.book.ended(desk.jobs[0].id) == Verdict()


@pytest.mark.parametrize("error", ["SourceChangedError", "SourceMissingError"])
def test_a_disturbed_source_has_more_tries_but_not_for_ever(desk: Desk, error: str) -> None:
    song = desk.put("song.wav")
    for trial in range(3):
        desk.settle()
        job = desk.jobs[-1]
        desk.fail(job, error=error)
        verdict = desk.book.ended(job.id, error)
        assert verdict == (Verdict(again=(song,)) if trial < 2 else Verdict(failed=(song,)))


def test_a_door_that_died_between_superseding_and_forgetting_does_the_rest_at_its_next_start(
    desk: Desk, twins: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = twins
    with monkeypatch.context() as broken:
        broken.setattr(desk.service.files, "forget", _fail)
        with pytest.raises(StorageError):
            desk.book.changed(first)
    desk.open()
    assert desk.book.changed(first) == (second,)
    assert desk.book.known(second) is None


def _fail(_: object) -> None:
    raise StorageError


def test_a_song_is_known_also_while_the_ledger_cannot_be_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its job could not be superseded otherwise: the song would be done twice."""
    song = desk.put("song.wav")
    with monkeypatch.context() as locked:
        locked.setattr(desk.service.files, "remember", _fail)
        desk.settle()
        assert desk.book.known(song) is not None
        assert desk.service.files.seen(song) is None
    desk.book.save()
    seen = desk.service.files.seen(song)
    assert seen is not None
    assert seen.job_id == desk.jobs[0].id


def test_a_job_that_was_made_and_not_noted_is_found_at_the_next_start(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.settle()
    desk.service.files.forget(song)
    song.write_bytes(wav("other"))
    desk.open()
    desk.settle()
    assert [state for _, state in desk.states] == [JobState.CANCELLED, JobState.PENDING]


def test_a_users_cancel_does_not_bring_the_equal_back(desk: Desk, twins: tuple[Path, Path]) -> None:
    desk.service.cancel(desk.jobs[0].id)
    assert desk.book.changed(twins[0]) == ()
    assert desk.book.known(twins[1]) is not None


def test_a_retry_from_another_door_stands_for_the_file(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.settle()
    desk.fail(desk.jobs[0])
    retry = desk.service.again(desk.jobs[0].id).job
    desk.book.follow(retry.id)
    known = desk.book.known(song)
    assert known is not None
    assert known.job_id == retry.id
    desk.book.changed(song)
    assert desk.service.job(retry.id).state.is_terminal


def test_failures_on_record_are_found_with_whether_they_are_the_first(desk: Desk) -> None:
    desk.put("a.wav")
    song = desk.put("b.wav")
    desk.settle()
    for job in desk.jobs:
        desk.fail(job)
    song.touch()
    desk.settle()
    last = desk.jobs[-1]
    desk.fail(last)
    desk.open()
    first = next(job for job in desk.jobs if job.request.source.name == "a.wav")
    assert set(desk.book.failures()) == {Failure(last.id, is_first=False), Failure(first.id, is_first=True)}


def test_a_closed_book_changes_nothing_more(desk: Desk, twins: tuple[Path, Path]) -> None:
    desk.book.close()
    for work in (
        lambda: desk.book.changed(twins[0]),
        lambda: desk.book.forget(twins[0]),
        lambda: desk.book.refuse(twins[0], Mark(1, 2, 3), "", "why"),
        lambda: desk.book.take(desk.jobs[0].request, Mark(1, 2, 3), "0" * 64),
        lambda: desk.book.ended(desk.jobs[0].id),
    ):
        with pytest.raises(DoorClosed):
            work()
    assert desk.service.files.seen(twins[0]) is not None


def test_a_job_that_was_long_forgotten_is_no_obstacle(desk: Desk) -> None:
    desk.book.refuse(desk.root / "song.wav", Mark(1, 2, 3), "", "why")
    assert desk.book.changed(desk.root / "song.wav") == ()
    assert desk.book.ended("nothing") == Verdict()
