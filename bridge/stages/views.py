"""Surveys of sounds as files between stages, for the report."""

from __future__ import annotations

from pathlib import Path

from bridge import report
from bridge.measure.survey import Survey


def save_view(survey: Survey, path: Path) -> Path:
    """Write a survey as JSON and give its path back."""
    path.write_text(survey.model_dump_json(), encoding="utf-8")
    return path


def loudest_start_s(seen: Survey, seconds: float) -> float:
    """Where the loudest part begins; the curve's windows end at their time, so they begin 3 s earlier."""
    curve = seen.short_term
    found_s = report.loudest_start_s(curve.lufs, curve.step_s, seconds, seen.frames / seen.rate_hz)
    return max(0.0, found_s)


def load_view(path: Path) -> Survey:
    """Read what ``save_view`` wrote."""
    return Survey.model_validate_json(path.read_bytes())
