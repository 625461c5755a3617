"""What happens, in words, with ids."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from bridge import events
from bridge.errors import JobError
from bridge.events import EVENT_TYPES
from bridge.service import Feed
from bridge.service.journal import Journal, words_of
from bridge.service.logs import JsonFormatter, ReadableFormatter, is_for_people
from bridge.values import Delivery, Job
from tests.test_events import SAMPLES

SILENT = {events.SourceRead, events.StageStarted, events.JobProgress, events.QaRetryEnded}


def nobody(job_id: str) -> Job:
    raise JobError(f"There is no job {job_id}.")


def test_every_event_has_words_but_those_that_would_only_fill_the_log() -> None:
    assert {type(event) for event in SAMPLES} == set(EVENT_TYPES)
    assert {type(event) for event in SAMPLES if not words_of(event)} == SILENT


def test_the_journal_names_the_song_and_carries_the_job(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    feed = Feed()
    journal = Journal(feed, nobody)
    journal.start()
    feed.publish(events.JobQueued(job_id="1", source="Blue.wav", recipe="full"))
    feed.publish(events.StageDone(job_id="1", stage="separate", key="k", seconds=3.14))
    feed.publish(events.JobDone(job_id="1", delivery=Delivery(folder=Path("P"), files=("a", "b"))))
    feed.publish(events.JobFailed(job_id="2", error="InputError", message="It is silent."))
    journal.stop()
    assert [record.getMessage() for record in caplog.records] == [
        "Blue.wav: waits for its turn (recipe full)",
        "Blue.wav: Separating: done in 3.1 s",
        "Blue.wav: delivered 2 files to P",
        "Job 2: FAILED. It is silent.",
    ]
    assert [record.__dict__["job"] for record in caplog.records] == ["1", "1", "1", "2"]
    assert caplog.records[-1].levelno == logging.WARNING


def record(text: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("bridge.journal", logging.WARNING, __file__, 1, text, (), None)
    made.__dict__.update(extra)
    return made


def test_lines_for_people_have_the_time_and_no_ids() -> None:
    line = ReadableFormatter().format(record("Blue.wav: begins", action="job_started", job="1"))
    assert line.endswith("WARNING: Blue.wav: begins")
    assert line[:2] == "20"


def test_lines_for_machines_are_json_with_ids() -> None:
    line = JsonFormatter().format(record("Blue.wav: begins\nnow", action="job_started", job="1"))
    assert "\n" not in line
    told = json.loads(line)
    assert (told["text"], told["action"], told["job"]) == ("Blue.wav: begins\nnow", "job_started", "1")


def test_what_the_journal_tells_is_not_told_twice() -> None:
    told = record("Blue.wav: FAILED.", action="job_failed")
    assert is_for_people(told)
    told.name = "bridge.jobs.runner"
    assert not is_for_people(told)
    told.__dict__["action"] = "progress_not_stored"
    assert is_for_people(told)
