"""``stembridge status``: the jobs, newest first."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import config_from, shown, store_path
from bridge.jobs import open_store

if TYPE_CHECKING:
    from bridge.values import Job


def status(
    job: Annotated[str, typer.Argument(help="Show this job alone.")] = "",
    limit: Annotated[int, typer.Option("--limit", help="How many jobs.", min=1, max=1000)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config_file: Annotated[Path | None, typer.Option("--config", help="Your settings.")] = None,
) -> None:
    """Show jobs: state, progress, where the results are, what went wrong."""
    store = open_store(store_path(config_from(config_file)))
    try:
        jobs = (store.get(job),) if job else store.list(limit=limit)
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps([item.model_dump(mode="json") for item in jobs], indent=2))
    elif not jobs:
        typer.echo("No jobs yet. Start one: stembridge process SONG")
    else:
        _print_jobs(jobs)


def _print_jobs(jobs: tuple[Job, ...]) -> None:
    """Two lines a job: a path in a column of its own would be cut to pieces in a terminal of 80 letters."""
    for item in jobs:
        when = datetime.datetime.fromtimestamp(item.created_s).strftime("%d %b %H:%M")
        song = shown(item.request.source.name)
        typer.echo(f"{item.id}  {when}  {_state(item)}  {item.request.recipe}  {song}")
        if result := _result(item):
            typer.echo(f"    {shown(result)}")


def _state(job: Job) -> str:
    return str(job.state) if job.state.is_terminal else f"{job.state} {job.progress:.0%} {job.stage}"


def _result(job: Job) -> str:
    return job.error or (str(job.delivery.folder) if job.delivery else "")
