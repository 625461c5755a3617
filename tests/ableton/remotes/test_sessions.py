"""Both remotes at work: against a door, over a bad network, and when the service is started anew."""

from __future__ import annotations

import os
import re
import socket
import time
from pathlib import Path

import pytest

from ableton import OscFrontend
from ableton.addresses import COMMANDS
from ableton.remotes import Setup
from bridge import __version__, events
from bridge.config import load_config
from bridge.testing.service import FakeService
from bridge.values import Delivery, Job, JobState
from tests.ableton.remotes.conftest import OpenRemote, fake_service, needs_lupa, needs_node
from tests.ableton.remotes.hosts import Host, StageControl, TouchOsc
from tests.ableton.support import open_door, submitted, write_song
from tests.badinput.cases import music, write
from tests.faults.osc_proxy import LossyProxy, Weather
from tests.serving import Home, until

FIGURES = {
    "padding": {f"figure_{number:03d}": "x" * 60 for number in range(60)},
    "source": {"integrated_lufs": -9.12, "true_peak_dbtp": 0.41},
    "masters": {"streaming": {"integrated_lufs": -14.0, "true_peak_dbtp": -1.0}},
}
"""More than fits into one message; what is wanted comes last."""


def connected(remote: Host) -> Host:
    remote.until_shown("state", f"Connected to stembridge {__version__}")
    return remote


def only_job(service: FakeService, state: JobState | None = None) -> Job | None:
    jobs = [job for job in service.jobs() if state in (None, job.state)]
    return jobs[0] if len(jobs) == 1 else None


def pressed(remote: Host, service: FakeService) -> Job:
    remote.press("process_newest")
    remote.until(lambda: service.count() > 0, "a job")
    job = only_job(service)
    assert job is not None
    return job


def test_from_process_to_the_figures(
    door: OscFrontend, service: FakeService, folder: Path, song: Path, open_remote: OpenRemote
) -> None:
    remote = connected(open_remote(service, door.port))
    assert remote.shown("stage") == "No job yet"
    job = pressed(remote, service)
    assert (job.request.source, job.request.recipe) == (song, "quick")
    remote.until_shown("title", "Grün, blue")
    remote.until_shown("stage", "Waiting")
    service.play_start(job.id)
    service.feed.publish(events.StageStarted(job_id=job.id, stage="separate"))
    remote.until_shown("stage", "Separating")
    service.feed.publish(events.JobProgress(job_id=job.id, stage="separate", share=0.25, remaining_s=65.0))
    remote.until_shown("progress", 0.25)
    remote.until_shown("remaining", "1:05 to go")
    assert remote.shown("jobs") == "> Grün, blue  -  Separating 25%"
    service.feed.publish(events.JobNote(job_id=job.id, stage="separate", text="Stems bleed."))
    remote.until_shown("message", "Stems bleed.")
    working = service.job(job.id)
    delivery = Delivery(folder=folder / "StemBridge" / "Grün", files=("a.wav", "b.wav"), main_figures=FIGURES)
    service.play_done(working, delivery)
    remote.until_shown("progress", 1)
    remote.until_shown("before", "Before  -9.1 LUFS  0.4 dBTP")
    remote.until_shown("after", "After  -14.0 LUFS  -1.0 dBTP")
    assert remote.shown("stage").startswith("Done")
    assert remote.shown("remaining") == ""


def test_the_chosen_recipe_and_target_are_asked_for(
    door: OscFrontend, service: FakeService, song: Path, open_remote: OpenRemote
) -> None:
    remote = connected(open_remote(service, door.port))
    remote.choose("recipe", "full")
    remote.choose("target", "club")
    job = pressed(remote, service)
    assert (job.request.source, job.request.recipe, job.request.targets) == (song, "full", ("club",))


def test_a_job_is_cancelled_retried_and_done_again_with_another_recipe(
    door: OscFrontend, service: FakeService, song: Path, open_remote: OpenRemote
) -> None:
    remote = connected(open_remote(service, door.port))
    job = pressed(remote, service)
    remote.until_shown("title", "Grün, blue")
    remote.press("cancel")
    remote.until_shown("stage", "Cancelled")
    assert service.job(job.id).state is JobState.CANCELLED
    remote.press("retry")
    remote.until(lambda: service.count() == 2, "the retry")
    remote.until_shown("stage", "Waiting")
    again = service.jobs()[0]
    assert (again.linked_to, again.request.recipe) == (job.id, "quick")
    service.play_failed(service.play_start(again.id), "It is too short.")
    remote.until_shown("stage", "Failed")
    remote.until_shown("message", "It is too short.")
    remote.choose("recipe", "master-only")
    remote.press("again")
    remote.until(lambda: service.count() == 3, "the new one")
    assert service.jobs()[0].request.recipe == "master-only"
    assert service.jobs()[0].linked_to == again.id


def test_what_cannot_be_done_is_told(
    door: OscFrontend, service: FakeService, open_remote: OpenRemote
) -> None:
    remote = connected(open_remote(service, door.port))
    remote.press("cancel")
    remote.until_shown("message", 'There is no job yet. Press "Process newest".')
    remote.press("process_newest")
    remote.until(lambda: "No finished song" in remote.shown("message"), "the refusal")
    assert [message.address for message in remote.said if "cancel" in message.address] == []


def test_a_remote_that_comes_later_is_told_how_things_stand(
    door: OscFrontend, service: FakeService, folder: Path, song: Path, open_remote: OpenRemote
) -> None:
    done = submitted(service, write_song(folder, "Old.wav", b"old"))
    service.play_done(service.play_start(done.id), Delivery(folder=folder, files=("a.wav",)))
    submitted(service, song)
    remote = connected(open_remote(service, door.port))
    remote.until_shown("title", "Grün, blue")
    assert remote.shown("jobs").splitlines()[0] == "> Grün, blue  -  Waiting 0%"
    assert remote.shown("jobs").splitlines()[1].startswith("Old  -  Done")


def test_the_job_that_is_meant_can_be_changed(
    door: OscFrontend, service: FakeService, folder: Path, open_remote: OpenRemote
) -> None:
    jobs = [submitted(service, write_song(folder, f"{name}.wav", name.encode())) for name in "ABCD"]
    remote = connected(open_remote(service, door.port))
    remote.until_shown("title", "D")
    for title in "CBDC":
        remote.press("next_job")
        remote.until_shown("title", title)
    remote.press("cancel")
    remote.until_shown("stage", "Cancelled")
    remote.until_shown("jobs", "D  -  Waiting 0%\n> C  -  Cancelled\nB  -  Waiting 0%")
    assert [service.job(job.id).state for job in jobs].count(JobState.CANCELLED) == 1
    assert service.job(jobs[2].id).state is JobState.CANCELLED


@needs_node
def test_a_screen_that_is_opened_late_shows_it_all(
    door: OscFrontend, service: FakeService, song: Path, tmp_path: Path
) -> None:
    with StageControl(Setup.of(service.config), door.port, tmp_path) as remote:
        pressed(connected(remote), service)
        remote.until_shown("stage", "Waiting")
        remote.open_screen()
        remote.until_shown("title", "Grün, blue")
        remote.until_shown("stage", "Waiting")
        remote.until_shown("state", f"Connected to stembridge {__version__}")


@needs_node
@pytest.mark.parametrize(("host", "token"), [("127.0.0.1", ""), ("192.0.2.7", "quite-a-long-token")])
def test_the_token_is_shown_where_the_service_is_not_at_home(
    service: FakeService, door: OscFrontend, tmp_path: Path, host: str, token: str
) -> None:
    setup = Setup.of(service.config).evolve(host=host, token="quite-a-long-token")
    with StageControl(setup, door.port, tmp_path) as remote:
        hello = connected(remote).said[0]
    assert COMMANDS[hello.address].read(hello.arguments)["token"] == token


@needs_lupa
def test_a_command_that_nobody_answers_is_given_up_and_told(
    door: OscFrontend, service: FakeService, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        with TouchOsc(Setup.of(service.config), deaf.getsockname()[1], tmp_path) as remote:
            remote.press("process_newest")
            remote.skipped_s = 4.0
            remote.until(lambda: "is away" in remote.shown("state"), "the lamp")
            remote.skipped_s = 40.0
            remote.until_shown("message", "stembridge does not answer")


def test_one_press_is_one_job_and_no_event_is_missed_in_a_bad_network(
    folder: Path, song: Path, open_remote: OpenRemote
) -> None:
    service = fake_service(folder, heartbeat_s=0.5)
    with open_door(service) as door, LossyProxy(door.port, Weather(), seed=4) as proxy:
        remote = connected(open_remote(service, proxy.port))
        job = pressed(remote, service)
        remote.until_shown("stage", "Waiting")
        service.play_start(job.id)
        for share in range(40):
            service.feed.publish(events.StageStarted(job_id=job.id, stage=f"stage {share}"))
            remote.pump()
        remote.until_shown("stage", "stage 39")
        service.play_done(service.job(job.id), Delivery(folder=folder, files=()))
        remote.until(lambda: remote.shown("stage").startswith("Done"), "the end")
        assert proxy.lost > 0
    assert service.count() == 1


def test_a_service_that_is_started_anew_is_found_again(
    folder: Path, song: Path, open_remote: OpenRemote
) -> None:
    first = fake_service(folder, heartbeat_s=0.3)
    with open_door(first) as door:
        port = door.port
        remote = connected(open_remote(first, port))
        submitted(first, song)
        remote.until_shown("title", "Grün, blue")
    remote.until(lambda: not remote.shown("state").startswith("Connected"), "the loss")
    second = fake_service(folder, heartbeat_s=0.3, port=port)
    other = write_song(folder, "Red.wav", b"red")
    os.utime(other, (time.time() - 20,) * 2)
    submitted(second, other)
    with open_door(second):
        connected(remote)
        remote.until_shown("title", "Red")
        assert "Grün" not in remote.shown("jobs").splitlines()[0]
        remote.press("cancel")
        remote.until_shown("stage", "Cancelled")


@needs_lupa
@needs_node
@pytest.mark.timeout(180)
def test_both_follow_a_real_job_that_one_of_them_asked_for(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", settings={"service": {"without": ["watch"]}})
    write(home.songs / "Night Drive.wav", music(2.0))
    setup = Setup.of(load_config(home.config))
    with (
        home.serve(),
        TouchOsc(setup, home.port, tmp_path) as touch,
        StageControl(setup, home.port, tmp_path) as stage,
    ):
        remotes = (connected(touch), connected(stage))
        touch.choose("recipe", "quick")
        touch.press("process_newest")
        until(lambda: all(remote.pumped().shown("after") for remote in remotes))
        for remote in remotes:
            assert remote.shown("title") == "Night Drive"
            assert remote.shown("stage").startswith("Done")
            assert remote.shown("progress") == 1
            assert re.fullmatch(r"After  -1\d\.\d LUFS  -\d\.\d dBTP", remote.shown("after"))
    assert len(home.deliveries) == 1
