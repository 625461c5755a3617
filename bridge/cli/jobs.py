"""``stembridge cancel``, ``retry`` and ``again``: what to do with jobs, whoever works on them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import config_from, shown, tell, usable_config_from
from bridge.cli.process import RECIPE_HELP, TARGET_HELP, whole_path

if TYPE_CHECKING:
    from bridge.config import Config
    from bridge.jobs import Submitted
    from bridge.service import Service
    from bridge.values import Job

JobId = Annotated[str, typer.Argument(metavar="JOB", help="Its id, from `stembridge status`.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Your settings.")]


def cancel(job: JobId, config_file: ConfigFile = None) -> None:
    """Cancel a job, waiting or at work. What was finished is kept for another try."""
    with _service(usable_config_from(config_file)) as service:
        found = service.cancel(job, "Cancelled on the command line.")
    how = "is cancelled" if found.state.is_terminal else "stops within a second"
    tell(f"{shown(found.request.source.name)} {how}.")


def retry(job: JobId, config_file: ConfigFile = None) -> None:
    """Do an ended job once more as it was; its finished stages are not run again."""
    with _service(config_from(config_file)) as service:
        submitted = service.again(job)
    _tell_queued(submitted, config_from(config_file))


def again(
    job: JobId,
    project: Annotated[
        Path | None, typer.Option("--project", metavar="DIR", help="Another project's folder.")
    ] = None,
    recipe: Annotated[str | None, typer.Option("--recipe", metavar="NAME", help=RECIPE_HELP)] = None,
    target: Annotated[list[str] | None, typer.Option("--target", metavar="NAME", help=TARGET_HELP)] = None,
    wish: Annotated[list[str] | None, typer.Option("--wish", metavar="WORDS", help="Other wishes.")] = None,
    keep_separated: Annotated[
        bool | None, typer.Option("--keep-separated/--no-keep-separated", help="Stems as separated, too.")
    ] = None,
    config_file: ConfigFile = None,
) -> None:
    """Do an ended job once more, with what is given here in place of what it had."""
    from bridge.service import JobEdit

    edit = JobEdit(
        recipe=recipe,
        destination=whole_path(project) if project else None,
        targets=tuple(target) if target else None,
        wishes=tuple(wish) if wish else None,
        keep_separated=keep_separated,
    )
    with _service(config_from(config_file)) as service:
        submitted = service.again(job, edit)
    _tell_queued(submitted, config_from(config_file))


@contextlib.contextmanager
def _service(config: Config) -> Iterator[Service]:
    """What doors have, over the same jobs, without a dispatcher: a running service sees what is new."""
    from bridge.jobs import Workers, open_store
    from bridge.service import Feed, Service

    with contextlib.closing(open_store(config.store_path)) as store, Workers(threads=1) as prober:
        yield Service(lambda: config, store, prober, feed=Feed(), on_ended=lambda job: _tidy(job, config))


def _tidy(job: Job, config: Config) -> None:
    """Remove what a job left that was at work before, when its service was stopped."""
    if job.attempt:
        from bridge.pipeline import clean_up

        clean_up(job, config)


def _tell_queued(submitted: Submitted, config: Config) -> None:
    from bridge.service import read_state

    job = submitted.job
    how = "is queued as" if submitted.is_new else "is being done already, as"
    tell(f"{shown(job.request.source.name)} {how} job {job.id} ({job.request.recipe}).")
    if read_state(config.data_folder) is None:
        tell("No service runs at present; start it: stembridge serve")
