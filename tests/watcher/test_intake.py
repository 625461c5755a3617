"""How a song becomes a job, step by step, with an injected clock and no threads."""

import logging
import os
import sys
from pathlib import Path

import pytest

from bridge.errors import InputError, SourceChangedError, StageError, StorageError
from bridge.values import Delivery, JobOrigin, JobState
from tests.watcher.support import PATIENCE_S, QUIET_S, Desk, as_nobody, wav
from watcher.notes import note_of

PENDING, FAILED, CANCELLED = JobState.PENDING, JobState.FAILED, JobState.CANCELLED


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    root = tmp_path / "exports"
    root.mkdir()
    return Desk(root)


def test_a_quiet_song_becomes_a_job(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.settle()
    (job,) = desk.jobs
    assert job.request.source == song
    assert job.request.destination == desk.root
    assert job.request.origin is JobOrigin.FOLDER
    seen = desk.service.files.seen(song)
    assert seen is not None
    assert seen.job_id == job.id
    assert desk.intake.waiting == set()
    assert desk.intake.last_taken == "song.wav"


def test_a_song_that_grows_is_not_inspected(desk: Desk) -> None:
    song = desk.put("song.wav", b"RIFF")
    for part in (b"a", b"b", b"c"):
        desk.scan()
        desk.pass_s(QUIET_S - 0.1)
        with song.open("ab") as file:
            file.write(part)
    desk.pass_s(0.2)
    assert desk.waiting == []
    desk.pass_s(QUIET_S)
    assert [path for path, _ in desk.waiting] == [song]


def test_a_song_that_changes_under_its_inspection_is_inspected_again(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.scan()
    desk.pass_s(QUIET_S)
    song.write_bytes(wav("other"))
    desk.inspect()
    assert desk.jobs == []
    desk.pass_s(QUIET_S)
    desk.inspect()
    assert len(desk.jobs) == 1


def test_the_answer_about_an_older_version_does_not_count(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.scan()
    desk.pass_s(QUIET_S)
    old = desk.service.inspect(song)
    song.write_bytes(wav("other"))
    desk.scan()
    desk.inspect(old)
    assert desk.jobs == []
    desk.settle()
    assert len(desk.jobs) == 1


def test_a_known_song_costs_nothing_after_a_restart(desk: Desk) -> None:
    for number in range(5):
        desk.put(f"{number}.wav")
    desk.settle()
    desk.open()
    desk.inspected.clear()
    desk.settle()
    assert desk.inspected == []
    assert len(desk.jobs) == 5


def test_the_same_content_in_one_place_is_one_job_and_in_two_places_two(desk: Desk) -> None:
    for name in ("a.wav", "b.wav", "2026/c.wav", "quick/d.wav"):
        desk.put(name, wav())
    desk.settle()
    assert sorted(job.request.destination.name for job in desk.jobs) == ["2026", "exports", "quick"]
    assert all(desk.book.known(desk.root / name) for name in ("a.wav", "b.wav"))


def test_a_change_ends_the_open_job_at_once_and_the_new_content_becomes_another(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.settle()
    song.write_bytes(wav("better"))
    desk.scan()
    assert desk.states == [("song.wav", CANCELLED)]
    assert "changed" in desk.jobs[0].error
    desk.pass_s(QUIET_S)
    desk.inspect()
    assert desk.states == [("song.wav", CANCELLED), ("song.wav", PENDING)]


def test_a_change_does_not_take_the_job_from_an_equal_song(desk: Desk) -> None:
    first = desk.put("a.wav", wav())
    desk.settle()
    second = desk.put("b.wav", wav())
    desk.settle()
    first.write_bytes(wav("other"))
    desk.scan()
    assert desk.looked_again == [second]
    desk.settle()
    assert sorted(desk.states) == [("a.wav", CANCELLED), ("a.wav", PENDING), ("b.wav", PENDING)]


def test_a_change_of_the_equal_leaves_the_job_alone(desk: Desk) -> None:
    desk.put("a.wav", wav())
    desk.settle()
    second = desk.put("b.wav", wav())
    desk.settle()
    second.write_bytes(wav("other"))
    desk.settle()
    assert desk.states == [("a.wav", PENDING), ("b.wav", PENDING)]


def test_a_new_inode_alone_ends_no_job_unless_the_content_is_new(desk: Desk) -> None:
    """Some disks number their files anew with every mount; a copy may keep size and time."""
    song = desk.put("song.wav", wav("one"))
    desk.settle()
    for content, states in (
        (wav("one"), [("song.wav", PENDING)]),
        (wav("two"), [("song.wav", CANCELLED), ("song.wav", PENDING)]),
    ):
        found = song.stat()
        other = desk.root / "other"
        other.write_bytes(content)
        os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
        other.replace(song)
        desk.settle()
        assert desk.states == states


def test_a_song_that_is_not_whole_waits_and_is_taken_when_it_is(desk: Desk) -> None:
    song = desk.put("song.wav", wav()[:-100])
    desk.settle()
    assert desk.jobs == []
    assert desk.intake.waiting == set()
    assert list(desk.intake.unfinished) == [song]
    assert desk.intake.unfinished[song].startswith("not whole: ")
    desk.inspected.clear()
    desk.settle()
    assert desk.inspected == []
    song.write_bytes(wav())
    desk.settle()
    assert desk.states == [("song.wav", PENDING)]
    assert not note_of(song).exists()
    assert desk.intake.unfinished == {}


def test_after_a_while_a_note_says_what_is_missing(desk: Desk) -> None:
    song = desk.put("song.wav", wav(frames=4000)[:-100])
    os.utime(song, (1, 1))
    desk.settle()
    desk.pass_s(PATIENCE_S - QUIET_S - 1)
    assert desk.waiting == []
    assert desk.intake.next_due_s == pytest.approx(desk.clock.now_s + 1, abs=0.5)
    desk.pass_s(1.5)
    desk.inspect()
    assert "is not whole" in note_of(song).read_text(encoding="utf-8")
    desk.open()
    desk.inspected.clear()
    desk.settle()
    assert desk.inspected == []


def test_a_restart_does_not_begin_the_wait_anew(desk: Desk) -> None:
    song = desk.put("song.wav", wav(frames=4000)[:-100])
    desk.settle()
    desk.pass_s(PATIENCE_S - 30)
    desk.open()
    desk.settle()
    assert not note_of(song).exists()
    desk.pass_s(30)
    desk.inspect()
    assert note_of(song).exists()
    assert desk.intake.unfinished == {}


def test_a_file_too_small_for_a_song_has_its_note_soon(desk: Desk) -> None:
    song = desk.put("song.mp3", b"sixteen letters.")
    desk.settle()
    assert song in desk.intake.unfinished
    desk.pass_s(60)
    desk.inspect()
    assert "not whole" in note_of(song).read_text(encoding="utf-8")


def test_what_keeps_a_song_back_is_logged_once(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    song = desk.put("song.wav", wav()[:-100])
    with caplog.at_level(logging.INFO):
        for words in (b"a", b"b"):
            desk.settle()
            with song.open("ab") as file:
                file.write(words)
        desk.scan()
        for _ in range(3):
            desk.pass_s(60)
            desk.inspect(StorageError("The database is locked."))
    assert caplog.text.count("is not whole yet") == 1
    assert caplog.text.count("has to wait") == 1


def test_what_is_no_song_gets_a_note_and_is_not_tried_until_it_changes(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.scan()
    desk.pass_s(QUIET_S)
    desk.inspect(InputError("song.wav is a picture. Export it again."))
    assert "is a picture" in note_of(song).read_text(encoding="utf-8")
    desk.open()
    desk.settle()
    assert desk.jobs == []
    song.touch()
    desk.settle()
    assert desk.states == [("song.wav", PENDING)]


def test_a_failed_song_is_tried_again_when_it_is_saved_with_the_same_content(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.settle()
    desk.fail(desk.jobs[0])
    desk.settle()
    assert len(desk.jobs) == 1
    os.utime(song, (1, 1))
    desk.settle()
    assert [state for _, state in desk.states] == [FAILED, PENDING]


def test_a_song_that_is_done_is_not_done_again(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.settle()
    job = desk.service.play_start(desk.jobs[0].id)
    desk.service.play_done(job, Delivery(folder=desk.root, files=()))
    song.touch()
    desk.settle()
    song.rename(desk.root / "other name.wav")
    desk.settle()
    assert len(desk.jobs) == 1


def test_trouble_that_may_pass_is_waited_out_longer_each_time(desk: Desk) -> None:
    desk.put("song.wav")
    desk.scan()
    desk.pass_s(QUIET_S)
    for wait_s in (5, 10, 15):
        desk.inspect(StorageError("The database is locked."))
        desk.pass_s(wait_s - 1)
        assert desk.waiting == []
        desk.pass_s(1)
        assert len(desk.waiting) == 1
    desk.inspect()
    assert len(desk.jobs) == 1


def test_a_song_that_ends_every_inspector_is_given_up(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.scan()
    desk.pass_s(QUIET_S)
    for _ in range(3):
        desk.inspect(StageError("The process was ended by SIGSEGV."))
        desk.pass_s(60)
    assert desk.waiting == []
    assert "SIGSEGV" in note_of(song).read_text(encoding="utf-8")


def test_a_source_that_changed_for_its_inspector_is_seen_anew(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.scan()
    desk.pass_s(QUIET_S)
    desk.inspect(SourceChangedError())
    assert not note_of(song).exists()
    desk.pass_s(QUIET_S)
    desk.inspect()
    assert len(desk.jobs) == 1


def test_a_deleted_song_is_let_go_and_its_note_with_it(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.scan()
    desk.pass_s(QUIET_S)
    desk.inspect(InputError("no song"))
    waiting = desk.put("other.wav")
    desk.scan()
    song.unlink()
    waiting.unlink()
    desk.intake.look_at_paths({song, waiting})
    assert not note_of(song).exists()
    assert desk.intake.waiting == set()


@pytest.mark.parametrize("suffix", [".aria2", ".part"])
def test_a_song_waits_for_its_download_helper_and_is_seen_when_that_goes(desk: Desk, suffix: str) -> None:
    """The system tells of the helper alone: the song itself changes no more."""
    song = desk.put("song.wav")
    desk.intake.look_at_paths({song})
    helper = desk.put(f"song.wav{suffix}", b"")
    desk.intake.look_at_paths({helper})
    assert desk.intake.waiting == set()
    helper.unlink()
    desk.intake.look_at_paths({helper, desk.root / suffix})
    assert desk.intake.waiting == {song}


def test_a_song_that_may_not_be_read_is_told_and_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = desk.put("song.wav")
    desk.scan()
    with monkeypatch.context() as locked:
        locked.setattr(Path, "open", _refuse)
        locked.setattr("watcher.intake.write_note", lambda path, why: desk.looked_again.append(path))
        desk.pass_s(QUIET_S)
    assert desk.waiting == []
    assert desk.looked_again == ([song] if os.name == "posix" else [])
    assert desk.intake.waiting == (set() if os.name == "posix" else {song})
    desk.scan()
    desk.pass_s(5)
    assert desk.intake.waiting == {song}
    assert desk.intake.unfinished == {}
    desk.inspect()
    assert len(desk.jobs) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="has other permissions")
def test_nobody_waits_for_a_song_without_permission_whose_note_is_there(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    song = desk.put("song.wav")
    song.chmod(0)
    with as_nobody(desk.root), caplog.at_level(logging.WARNING):
        for _ in range(3):
            desk.settle()
            desk.pass_s(60)
    assert "cannot be opened" in note_of(song).read_text(encoding="utf-8")
    assert caplog.text.count("cannot be opened") == 1
    assert (desk.intake.waiting, desk.intake.unfinished) == (set(), {song: "cannot be opened"})
    song.unlink()
    desk.put("song.wav", wav("again"))
    desk.scan()
    assert (desk.intake.waiting, desk.intake.unfinished) == ({song}, {})


def _refuse(*_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_a_folder_of_stems_is_one_song_when_all_of_it_is_quiet(desk: Desk) -> None:
    desk.put("Song Stems/0 Vocals.wav")
    desk.scan()
    desk.pass_s(QUIET_S - 1)
    desk.put("Song Stems/1 Drums.wav")
    desk.scan()
    desk.pass_s(QUIET_S - 1)
    assert desk.waiting == []
    desk.put("Song Stems/2 Bass.wav")
    desk.settle()
    (job,) = desk.jobs
    assert job.request.source == desk.root / "Song Stems"
    assert job.request.destination == desk.root


def test_a_stem_that_came_too_late_replaces_what_was_made_of_the_first(desk: Desk) -> None:
    desk.put("Song Stems/0 Vocals.wav")
    desk.settle()
    assert desk.states == [("0 Vocals.wav", PENDING)]
    desk.put("Song Stems/1 Drums.wav")
    desk.settle()
    assert desk.states == [("0 Vocals.wav", CANCELLED), ("Song Stems", PENDING)]


def test_a_delivery_that_is_copied_in_is_left_alone_when_its_manifest_has_come(desk: Desk) -> None:
    for name in ("Song - Vocals (dry).wav", "Song - Master.wav"):
        desk.put(f"Song/Files/{name}")
    desk.scan()
    (desk.root / "Song" / "manifest.json").write_text('{"format": "stembridge/manifest/1"}', encoding="utf-8")
    desk.pass_s(QUIET_S)
    assert desk.waiting == []
    assert desk.intake.waiting == set()


def test_stems_of_two_songs_in_one_folder_get_a_note_beside_it(desk: Desk) -> None:
    for name in ("A (Vocals).wav", "A (Drums).wav", "B (Vocals).wav"):
        desk.put(f"Mixed/{name}")
    desk.settle()
    assert desk.jobs == []
    assert note_of(desk.root / "Mixed").exists()


def test_a_folder_made_free_of_another_songs_stem_is_taken(desk: Desk) -> None:
    for name in ("A (Vocals).wav", "A (Drums).wav", "B (Vocals).wav"):
        desk.put(f"Mixed/{name}")
    desk.settle()
    (desk.root / "Mixed" / "B (Vocals).wav").rename(desk.root / "B.wav")
    desk.settle()
    assert sorted(name for name, _ in desk.states) == ["B.wav", "Mixed"]


def test_a_folder_that_is_no_set_any_more_loses_its_note(desk: Desk) -> None:
    for name in ("A (Vocals).wav", "B (Vocals).wav"):
        desk.put(f"Two/{name}")
    desk.settle()
    assert note_of(desk.root / "Two").exists()
    (desk.root / "Two" / "B (Vocals).wav").rename(desk.root / "B.wav")
    desk.settle()
    assert sorted(name for name, _ in desk.states) == ["A (Vocals).wav", "B.wav"]
    assert not note_of(desk.root / "Two").exists()


def test_a_failure_that_came_while_the_song_was_away_is_no_failure(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.settle()
    song.rename(desk.root.parent / "aside.wav")
    desk.fail(desk.jobs[0], "song.wav is not there.")
    desk.intake.on_failure(song, "song.wav is not there.")
    (desk.root.parent / "aside.wav").rename(song)
    desk.settle()
    assert [state for _, state in desk.states] == [FAILED, PENDING]
    assert not note_of(song).exists()


def test_a_failure_that_nobody_was_told_of_has_one_more_try(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.settle()
    desk.fail(desk.jobs[0])
    desk.intake.on_old_failure(song, "it is silent.", may_try=True)
    assert desk.looked_again == [song]
    desk.settle()
    desk.fail(desk.jobs[1])
    desk.intake.on_old_failure(song, "it is silent.", may_try=False)
    assert note_of(song).exists()


def test_a_song_that_failed_unwatched_and_was_gone_is_new_when_it_is_moved_back(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.settle()
    song.rename(desk.root.parent / "aside.wav")
    desk.fail(desk.jobs[0])
    desk.open()
    desk.intake.on_old_failure(song, "song.wav is not there.", may_try=True)
    (desk.root.parent / "aside.wav").rename(song)
    desk.settle()
    assert [state for _, state in desk.states] == [FAILED, PENDING]


def test_notes_of_songs_that_succeeded_unwatched_go(desk: Desk) -> None:
    song = desk.put("song.wav")
    desk.settle()
    desk.intake.on_failure(song, "it is silent.")
    desk.intake.drop_stale_notes([song])
    assert note_of(song).exists()
    desk.service.play_done(desk.service.play_start(desk.jobs[0].id), Delivery(folder=desk.root, files=()))
    desk.intake.drop_stale_notes([song])
    assert not note_of(song).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_with_odd_bytes_is_told_in_a_note(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    song = desk.put(os.fsdecode(b"S\xffng.wav"), wav())
    with caplog.at_level(logging.INFO):
        desk.settle()
    assert desk.jobs == []
    assert "Rename it" in note_of(song).read_text(encoding="utf-8")
    seen = desk.service.files.seen(song)
    assert seen is not None
    assert "Rename it" in seen.refused
