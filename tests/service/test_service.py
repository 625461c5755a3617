"""What doors may do."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import events
from bridge.errors import ConfigError, InputError, JobError
from bridge.jobs import OPEN, Command
from bridge.service import JobEdit
from bridge.testing.service import FakeService
from bridge.values import Delivery, JobOrigin, JobRequest, JobState
from presets import PresetError


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def request_(tmp_path: Path) -> JobRequest:
    song = tmp_path / "Night Drive.wav"
    song.write_bytes(b"a song")
    return JobRequest(source=song, destination=tmp_path / "project", origin=JobOrigin.FOLDER)


def kinds(service: FakeService) -> list[str]:
    return [item.event.kind for item in service.feed.since(0) or ()]


def test_a_submitted_job_is_stored_and_told(service: FakeService, request_: JobRequest) -> None:
    submitted = service.submit(request_)
    assert submitted.is_new
    assert service.job(submitted.job.id).state is JobState.PENDING
    assert kinds(service) == ["job_queued"]


def test_an_equal_open_job_is_found_and_told_once(service: FakeService, request_: JobRequest) -> None:
    first = service.submit(request_)
    second = service.submit(request_)
    assert (second.job.id, second.is_new) == (first.job.id, False)
    assert kinds(service) == ["job_queued"]


def test_finished_jobs_count_where_the_door_says_so(service: FakeService, request_: JobRequest) -> None:
    first = service.submit(request_).job
    service.play_done(service.play_start(first.id), Delivery(folder=request_.destination, files=()))
    assert not service.submit(request_, counting=OPEN | {JobState.SUCCESS}).is_new
    assert service.submit(request_).is_new


def test_a_command_takes_effect_once_even_when_its_job_has_ended(
    service: FakeService, request_: JobRequest
) -> None:
    command = Command(client="device-1", number=7)
    first = service.submit(request_, command=command).job
    service.play_failed(service.play_start(first.id), "No.")
    again = service.submit(request_, command=command)
    assert (again.job.id, again.is_new) == (first.id, False)


def test_a_command_given_again_needs_its_song_no_more(service: FakeService, request_: JobRequest) -> None:
    command = Command(client="device-1", number=8)
    first = service.submit(request_, command=command).job
    request_.source.unlink()
    assert service.submit(request_, command=command).job.id == first.id


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"recipe": "ful"}, ConfigError),
        ({"targets": ("spotfy",)}, PresetError),
        ({"wishes": ("make it purple",)}, PresetError),
    ],
    ids=["recipe", "target", "wish"],
)
def test_unknown_words_are_refused_before_anything_is_stored(
    service: FakeService, request_: JobRequest, changes: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        service.submit(request_.evolve(**changes))
    assert service.count() == 0


def test_a_missing_source_is_refused(service: FakeService, request_: JobRequest) -> None:
    request_.source.unlink()
    with pytest.raises(InputError, match=r"Night Drive\.wav"):
        service.submit(request_)
    assert service.count() == 0


def test_cancelling_a_waiting_job_ends_it_and_is_told_once(
    service: FakeService, request_: JobRequest
) -> None:
    job = service.submit(request_).job
    assert service.cancel(job.id, "changed my mind").state is JobState.CANCELLED
    service.cancel(job.id)
    assert kinds(service) == ["job_queued", "job_cancelled"]
    assert service.job(job.id).error == "changed my mind"


def test_cancelling_a_job_at_work_leaves_the_telling_to_who_works(
    service: FakeService, request_: JobRequest
) -> None:
    job = service.play_start(service.submit(request_).job.id)
    assert not service.cancel(job.id).state.is_terminal
    assert service.store.is_cancel_requested(job)
    assert "job_cancelled" not in kinds(service)


def test_again_makes_a_linked_job_with_the_edit(service: FakeService, request_: JobRequest) -> None:
    old = service.submit(request_).job
    service.play_failed(service.play_start(old.id), "No.")
    new = service.again(old.id, JobEdit(recipe="quick", targets=("podcast",))).job
    assert new.linked_to == old.id
    assert (new.request.recipe, new.request.targets) == ("quick", ("podcast",))
    assert new.request.source == request_.source
    assert service.job(old.id).state is JobState.FAILED


def test_again_twice_is_one_job(service: FakeService, request_: JobRequest) -> None:
    old = service.submit(request_).job
    service.play_failed(service.play_start(old.id), "No.")
    assert service.again(old.id).job.id == service.again(old.id).job.id


def test_again_needs_a_job_that_has_ended(service: FakeService, request_: JobRequest) -> None:
    job = service.submit(request_).job
    with pytest.raises(JobError, match="has not ended"):
        service.again(job.id)


def test_superseding_cancels_open_jobs_and_leaves_ended_ones(
    service: FakeService, request_: JobRequest
) -> None:
    job = service.submit(request_).job
    assert service.supersede(job.id, "the file changed").state is JobState.CANCELLED
    done = service.submit(request_).job
    service.play_done(service.play_start(done.id), Delivery(folder=request_.destination, files=()))
    assert service.supersede(done.id, "the file changed").state is JobState.SUCCESS


def test_paths_are_confined_to_roots_watched_folders_and_projects(tmp_path: Path) -> None:
    settings = {
        "service": {"roots": [str(tmp_path / "music")]},
        "watch": {"folders": [{"path": str(tmp_path / "suno"), "project": str(tmp_path / "live")}]},
    }
    service = FakeService(settings)
    for inside in ("music/a.wav", "suno/b.wav", "live/Set"):
        assert service.confine(tmp_path / inside) == (tmp_path / inside).resolve()
    for outside in ("musical/a.wav", "music/../secret.wav", "a.wav"):
        with pytest.raises(InputError, match=r"service\.roots"):
            service.confine(tmp_path / outside)


def test_a_link_out_of_the_roots_is_outside(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    (music / "way out").symlink_to(tmp_path)
    service = FakeService({"service": {"roots": [str(music)]}})
    with pytest.raises(InputError):
        service.confine(music / "way out" / "secret.wav")


def test_events_of_the_story_are_events(service: FakeService, request_: JobRequest) -> None:
    service.submit(request_)
    told = service.feed.since(0)
    assert told is not None
    assert told[0].event == events.JobQueued(
        job_id=service.jobs()[0].id, source="Night Drive.wav", recipe="full"
    )
