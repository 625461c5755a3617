"""Surveys of sounds as files between stages, for the report."""

from __future__ import annotations

from pathlib import Path

from bridge.measure.survey import Survey


def save_view(survey: Survey, path: Path) -> Path:
    """Write a survey as JSON and give its path back."""
    path.write_text(survey.model_dump_json(), encoding="utf-8")
    return path


def load_view(path: Path) -> Survey:
    """Read what ``save_view`` wrote."""
    return Survey.model_validate_json(path.read_bytes())
