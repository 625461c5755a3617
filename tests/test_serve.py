"""The real service, end to end: started, fed, asked, killed, stopped."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.hashes import hash_file
from bridge.jobs import fingerprint, hash_source, submit_request
from bridge.values import JobRequest, JobState
from tests.badinput.cases import music, write
from tests.badinput.command import faults_of
from tests.serving import Home, Serving, free_port, until

pytestmark = pytest.mark.timeout(180)
LONG_S = 60.0
"""A song whose stages take long enough to be met in the middle."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One service for the tests that do not end it."""
    with Home(tmp_path_factory.mktemp("running")).serve() as serving:
        yield serving


def drop(home: Home, name: str, seconds: float = 2.0) -> Path:
    """A song that appears in the watched folder, whole at once."""
    made = home.root / f"{name}.part"
    write(made, music(seconds))
    return made.rename(home.songs / name)


def delivered(home: Home, title: str) -> list[Path]:
    return sorted((home.project / "StemBridge").glob(f"{title}*/manifest.json"))


def test_a_song_that_is_dropped_is_delivered_once_and_whole(running: Serving) -> None:
    home = running.home
    song = drop(home, "Blue.wav")
    before = song.read_bytes()
    until(lambda: delivered(home, "Blue"))
    until(lambda: [job for job in home.ended() if job.request.source == song])
    assert [faults_of(folder.parent) for folder in delivered(home, "Blue")] == [[]]
    assert song.read_bytes() == before


def test_the_log_tells_the_story_with_names_for_people_and_ids_for_machines(running: Serving) -> None:
    home = running.home
    song = drop(home, "Story.wav", 2.5)
    until(lambda: "Story.wav: delivered" in home.log())
    (job,) = [job for job in home.jobs() if job.request.source == song]
    actions = [record["action"] for record in home.records() if record.get("job") == job.id]
    assert actions[0] == "job_queued"
    assert actions[-1] == "job_done"
    assert {"job_started", "stage_done"} <= set(actions)
    assert "Traceback" not in home.log()


def test_status_and_doctor_tell_of_the_service(running: Serving) -> None:
    told = running.home.command("status").stdout
    assert f"process {running.process.pid}" in told
    assert "watch:" in told
    assert str(running.home.port) in told
    found = json.loads(running.home.command("doctor", "--json").stdout)
    (service,) = [finding for finding in found if finding["what"] == "Service"]
    assert service["is_fine"], service


def test_a_second_service_on_the_same_folder_is_told_who_has_it(running: Serving) -> None:
    second = running.home.command("serve")
    assert second.returncode != 0
    assert f"process {running.process.pid}" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_folder_that_is_added_is_watched_without_a_restart(running: Serving, tmp_path: Path) -> None:
    home = running.home
    other = tmp_path / "other"
    other.mkdir()
    song = other / "Later.wav"
    write(song, music(2.2))
    here = {"path": str(home.songs), "recipe": home.recipe, "project": str(home.project)}
    there = {"path": str(other), "recipe": home.recipe, "project": str(home.project)}
    home.write_settings({"watch": {"folders": [here, there]}})
    until(lambda: delivered(home, "Later"))


def test_settings_that_cannot_be_used_change_nothing_and_are_told(running: Serving) -> None:
    home = running.home
    good = home.config.read_text(encoding="utf-8")
    home.config.write_text("[watch]\nquiet = 3\n", encoding="utf-8")
    until(lambda: (state := home.state()) is not None and state.notes)
    assert "quiet_s" in home.command("doctor").stderr + home.log()
    home.config.write_text(good, encoding="utf-8")
    until(lambda: (state := home.state()) is not None and not state.notes)
    drop(home, "Still.wav", 2.1)
    until(lambda: delivered(home, "Still"))


def test_process_beside_the_service_works(running: Serving, tmp_path: Path) -> None:
    song = tmp_path / "By hand.wav"
    write(song, music(2.3))
    done = running.home.command("process", song, "--recipe", "master-only", "--project", tmp_path / "p")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "p" / "StemBridge" / "By hand" / "manifest.json").exists()


def test_cancel_ends_a_job_at_work_and_retry_does_it_after_all(running: Serving) -> None:
    home = running.home
    song = drop(home, "Changed my mind.wav", LONG_S)

    def states() -> list[JobState]:
        return [job.state for job in home.jobs() if job.request.source == song]

    until(lambda: JobState.PROCESSING in states())
    (job,) = [job for job in home.jobs() if job.request.source == song]
    assert home.command("cancel", job.id).returncode == 0
    assert until(lambda: states() == [JobState.CANCELLED]) < 1.0
    assert delivered(home, "Changed my mind") == []
    assert home.command("retry", job.id).returncode == 0
    until(lambda: JobState.SUCCESS in states())
    again = home.jobs()[0]
    assert again.linked_to == job.id
    assert len(delivered(home, "Changed my mind")) == 1


def test_again_with_another_target_reuses_what_was_finished(running: Serving) -> None:
    home = running.home
    song = drop(home, "Louder.wav", 3.0)
    until(lambda: [job for job in home.ended() if job.request.source == song])
    (old,) = [job for job in home.jobs() if job.request.source == song]
    assert home.command("again", old.id, "--target", "podcast").returncode == 0
    until(lambda: len([job for job in home.ended() if job.request.source == song]) == 2)
    new = home.jobs()[0]
    assert (new.linked_to, new.request.targets) == (old.id, ("podcast",))
    with home.store() as store:
        reused = {record.stage for record in store.stages(new.id) if record.was_reused}
    assert {"ingest", "analyse"} <= reused
    assert [folder.parent.name for folder in delivered(home, "Louder")] == ["Louder", "Louder v2"]


def test_a_failed_song_gets_a_note_that_goes_when_it_succeeds(running: Serving) -> None:
    home = running.home
    song = home.songs / "Broken.wav"
    write(song, music(2.0) * 0.0)
    note = song.with_name("Broken.wav.stembridge.txt")
    until(note.exists)
    assert "silent" in note.read_text(encoding="utf-8")
    write(song, music(2.4))
    until(lambda: delivered(home, "Broken"))
    until(lambda: not note.exists())


def test_stopping_kindly_puts_jobs_back_and_the_next_start_goes_on(home: Home) -> None:
    with home.serve() as serving:
        song = drop(home, "Long.wav", LONG_S)
        until(lambda: [job for job in home.jobs() if job.stage == "master"])
        assert serving.stop(within_s=10) == 0
    (job,) = home.jobs()
    assert (job.state, job.failures) == (JobState.PROCESSING, 0)
    assert home.state() is None
    with home.serve():
        until(home.ended)
    with home.store() as store:
        last = [record for record in store.stages(job.id) if record.attempt == 2]
    assert {"ingest", "analyse"} <= {record.stage for record in last if record.was_reused}
    assert len(delivered(home, "Long")) == 1
    assert song.exists()


def test_a_killed_service_resumes_and_delivers_once(home: Home) -> None:
    with home.serve() as serving:
        drop(home, "Long.wav", LONG_S)
        until(lambda: [job for job in home.jobs() if job.stage == "master"])
        serving.kill()
    with home.serve():
        until(home.ended)
    assert len(delivered(home, "Long")) == 1
    assert [faults_of(folder.parent) for folder in home.deliveries] == [[]]


def test_stop_with_drain_finishes_what_is_at_work_and_leaves_what_waits(home: Home) -> None:
    with home.serve() as serving:
        drop(home, "A long one.wav", LONG_S)
        until(lambda: [job for job in home.jobs() if job.state is JobState.PROCESSING])
        drop(home, "Waits.wav")
        until(lambda: len(home.jobs()) == 2)
        stopped = home.command("stop", "--drain")
        assert stopped.returncode == 0, stopped.stderr
        assert serving.process.wait(10) == 0
    assert {job.request.source.name: job.state for job in home.jobs()} == {
        "A long one.wav": JobState.SUCCESS,
        "Waits.wav": JobState.PENDING,
    }


def test_serve_with_drain_works_everything_off_and_ends(home: Home) -> None:
    for number in range(3):
        drop(home, f"Song {number}.wav", 2.0 + number / 10)
    with home.serve("--drain", wait=False) as serving:
        assert serving.process.wait(60) == 0
    assert len(home.deliveries) == 3
    assert all(job.state is JobState.SUCCESS for job in home.jobs())


def test_a_full_disk_pauses_and_fails_nothing(tmp_path: Path) -> None:
    free_gb = shutil.disk_usage(tmp_path).free / 1e9
    home = Home(tmp_path / "home", settings={"work": {"reserve_gb": free_gb + 50}})
    with home.serve():
        drop(home, "Patient.wav")
        until(lambda: (state := home.state()) is not None and state.paused)
        assert home.jobs()[0].state is JobState.PENDING
        assert "free" in home.command("status").stdout
        home.write_settings({"work": {"reserve_gb": 0.1}})
        until(home.ended)
        assert (state := home.state()) is not None
        assert state.paused == ""


def test_a_source_that_changes_under_its_job_is_done_again_on_the_new_bytes(tmp_path: Path) -> None:
    """Though no folder is watched there: the job itself sees it before it delivers."""
    home = Home(tmp_path / "home", settings={"service": {"retry_after_s": [0.2]}})
    song = home.root / "Take.wav"
    write(song, music(LONG_S))
    request = JobRequest(source=song, recipe="master-only", destination=home.project)
    with home.serve():
        with home.store() as store:
            job = submit_request(store, request, hash_source(song)).job
        until(lambda: home.jobs()[0].stage == "master")
        write(song, music(3.0))
        until(home.ended)
    (done,) = home.jobs()
    assert (done.id, done.state, done.failures) == (job.id, JobState.SUCCESS, 1)
    (manifest,) = home.deliveries
    assert json.loads(manifest.read_text(encoding="utf-8"))["source"]["sha256"] == hash_file(song)
    with home.store() as store:
        assert store.find(fingerprint(request, hash_file(song)), {JobState.SUCCESS}) == done


@pytest.mark.skipif(not shutil.which("oscdump"), reason="no oscsend and oscdump (Debian: liblo-tools)")
def test_liblos_tools_drive_the_service_from_hello_to_the_files(running: Serving) -> None:
    """Nothing of ours on the other side: two programs of a stranger, and files that are there."""
    home, port = running.home, free_port()
    song = home.root / "By hand, by OSC.wav"
    write(song, music(2.7))
    with subprocess.Popen(["oscdump", "-L", str(port)], stdout=subprocess.PIPE, text=True) as dump:
        try:
            assert dump.stdout is not None
            lines = iter(dump.stdout.readline, "")
            until(lambda: _is_bound(port))
            _oscsend(home, "hello", "sii", "liblo", 1, port)
            assert "/stembridge/welcome" in _line_with(lines, "welcome")
            _oscsend(home, "subscribe", "si", "liblo", 2)
            _line_with(lines, "subscribed")
            _oscsend(home, "process", "sisss", "liblo", 3, song, "master-only", home.project)
            job_id = _line_with(lines, "accepted").split('"')[3]
            done = _line_with(lines, "/stembridge/done")
            assert job_id in done
            _oscsend(home, "files", "sis", "liblo", 4, job_id)
            assert "Master/" in _line_with(lines, "file_list")
        finally:
            dump.kill()
    assert len(delivered(home, "By hand, by OSC")) == 1


def _oscsend(home: Home, command: str, types: str, *arguments: object) -> None:
    words = ["oscsend", "localhost", str(home.port), f"/stembridge/{command}", types]
    subprocess.run([*words, *map(str, arguments)], check=True, timeout=20)


def _line_with(lines: Iterator[str], word: str) -> str:
    return next(line for line in lines if word in line)


def _is_bound(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return True
    return False


def test_a_service_whose_settings_broke_is_still_found_and_stopped(home: Home) -> None:
    with home.serve() as serving:
        home.config.write_text('[watch]\nquiet = 3\n[work]\nfolder = ""\n', encoding="utf-8")
        status = home.command("status")
        assert (status.returncode, f"process {serving.process.pid}" in status.stdout) == (0, True)
        assert "quiet_s" in status.stderr
        found = json.loads(home.command("doctor", "--json").stdout)
        assert [one["what"] for one in found if not one["is_fine"] and one["is_needed"]] == ["Settings"]
        assert home.command("stop").returncode == 0
        assert serving.process.wait(10) == 0


def test_what_other_commands_do_is_in_the_log(running: Serving) -> None:
    """They speak to the store, not to the service; it tells all the same, once."""
    home = running.home
    drop(home, "Busy.wav", LONG_S + 1)
    until(lambda: [job for job in home.jobs() if job.stage == "master"])
    song = drop(home, "Cancelled in the queue.wav", 2.6)
    until(lambda: [job for job in home.jobs() if job.request.source == song])
    (job,) = [job for job in home.jobs() if job.request.source == song]
    assert home.command("cancel", job.id).returncode == 0
    until(lambda: "Cancelled in the queue.wav: cancelled." in home.log())
    until(lambda: "Busy.wav: delivered" in home.log())
    assert home.log().count("Cancelled in the queue.wav: cancelled.") == 1


def test_stop_without_a_service_says_so(home: Home) -> None:
    told = home.command("stop")
    assert told.returncode == 1
    assert "nothing to stop" in told.stderr
