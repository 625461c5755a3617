"""``stembridge status``: the jobs, newest first."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import config_from, console, shown, store_path
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
        _print_table(jobs)


def _print_table(jobs: tuple[Job, ...]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("job", "when", "song", "recipe", "state", "result"):
        table.add_column(column, overflow="fold")
    for item in jobs:
        when = datetime.datetime.fromtimestamp(item.created_s).strftime("%d %b %H:%M")
        song = escape(shown(item.request.source.name))
        table.add_row(item.id, when, song, item.request.recipe, _state(item), escape(shown(_result(item))))
    console().print(table)


def _state(job: Job) -> str:
    return str(job.state) if job.state.is_terminal else f"{job.state} {job.progress:.0%} {job.stage}"


def _result(job: Job) -> str:
    return job.error or (str(job.delivery.folder) if job.delivery else "")
