"""What the report is told of a job."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bridge.stages.findings import Findings
from bridge.stages.showing import _making
from bridge.values import JobRequest


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system's time zone cannot be set")
def test_the_time_is_that_of_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    """A song that was made at half past five in India says so, and where that was."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        findings = Findings.model_construct(
            created_s=0.0,
            request=JobRequest(source=Path("/a.wav"), recipe="full", destination=Path("/project")),
            separated=None,
        )
        made_at = _making(findings).made_at
    finally:
        monkeypatch.undo()
        time.tzset()
    assert made_at.isoformat() == "1970-01-01T05:30:00+05:30"
