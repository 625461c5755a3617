"""``stembridge status``: the jobs, newest first."""

from __future__ import annotations

import contextlib
import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import shown, usable_config_from
from bridge.jobs import OPEN, open_store
from bridge.service import read_state

if TYPE_CHECKING:
    from bridge.service import ServiceState
    from bridge.values import Job


def status(
    job: Annotated[str, typer.Argument(help="Show this job alone.")] = "",
    limit: Annotated[int, typer.Option("--limit", help="How many jobs.", min=1, max=1000)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config_file: Annotated[Path | None, typer.Option("--config", help="Your settings.")] = None,
) -> None:
    """Show the service and its jobs: state, progress, where the results are, what went wrong."""
    config = usable_config_from(config_file)
    with contextlib.closing(open_store(config.store_path)) as store:
        jobs = (store.get(job),) if job else store.list(limit=limit)
        open_count = store.count(OPEN)
    state = read_state(config.data_folder)
    if as_json:
        _print_json(state, jobs)
        return
    if not job:
        _print_service(state, open_count)
    if not jobs:
        typer.echo("No jobs yet. Start one: stembridge process SONG")
    else:
        _print_jobs(jobs)


def _print_json(state: ServiceState | None, jobs: tuple[Job, ...]) -> None:
    service = state.model_dump(mode="json") if state else None
    about = {"service": service, "jobs": [job.model_dump(mode="json") for job in jobs]}
    typer.echo(json.dumps(about, indent=2))


def _print_service(state: ServiceState | None, open_count: int) -> None:
    if state is None:
        jobs = "1 unfinished job goes" if open_count == 1 else f"{open_count} unfinished jobs go"
        waiting = f"; {jobs} on when it starts" if open_count else ""
        typer.echo(f"No service runs{waiting}. Start it: stembridge serve")
        return
    since = datetime.datetime.fromtimestamp(state.started_s).strftime("%d %b %H:%M")
    draining = ", finishing" if state.is_draining else ""
    jobs = "1 unfinished job" if open_count == 1 else f"{open_count} unfinished jobs"
    typer.echo(f"The service runs since {since} (process {state.process.pid}){draining}: {jobs}.")
    for door in state.doors:
        typer.echo(f"  {door.name}: {'' if door.is_open else 'closed. '}{shown(door.words)}")
    for note in filter(None, (state.paused, *state.notes)):
        typer.echo(f"  {shown(note)}")


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
