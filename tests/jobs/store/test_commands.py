"""A command takes effect once, however often it is sent."""

from __future__ import annotations

from bridge.jobs import Command, JobStore
from bridge.values import JobState
from tests.jobs.store.support import command
from tests.jobs.support import HERE, OTHER_PRINT, PRINT, request


def test_a_command_takes_effect_once(store: JobStore) -> None:
    """Sent again it finds its job, as that stands; another number or client is another command."""
    first = store.submit(request(), PRINT, command=command())
    store.request_cancel(first.id)
    again = store.submit(request(), PRINT, command=command())
    assert (again.id, again.state) == (first.id, JobState.CANCELLED)
    others = [store.submit(request(), PRINT, command=c).id for c in (command(8), command(client="x"))]
    assert len({first.id, *others}) == store.count() == 3


def test_the_job_of_a_command_can_be_asked_for(store: JobStore) -> None:
    command = Command(client="device", number=3)
    assert store.job_of(command) is None
    job = store.submit(request(), PRINT, command=command)
    assert store.job_of(command) == job
    assert store.job_of(Command(client="device", number=4)) is None


def test_a_command_sent_again_finds_its_job_also_when_that_has_ended(store: JobStore) -> None:
    """A new request of that work would make a new one."""
    first = store.submit_once(request(), PRINT, command=command())
    job = store.claim(HERE)
    assert job is not None
    store.fail(job, "broken")
    again = store.submit_once(request(), PRINT, command=command())
    assert (first.is_new, again.is_new, again.job.id) == (True, False, job.id)
    assert store.submit_once(request(), PRINT, command=command(8)).is_new


def test_a_command_that_found_an_equal_job_stays_with_it(store: JobStore) -> None:
    """Its answer is the same for ever."""
    equal = store.submit(request(), PRINT)
    assert store.submit_once(request(), PRINT, command=command()).job.id == equal.id
    store.request_cancel(equal.id)
    assert store.submit_once(request(), PRINT, command=command()).job.id == equal.id


def test_a_job_submitted_once_can_be_linked(store: JobStore) -> None:
    """To the one that it supersedes."""
    old = store.submit(request(), PRINT)
    new = store.submit_once(request(), OTHER_PRINT, linked_to=old.id)
    assert (new.is_new, new.job.linked_to) == (True, old.id)
