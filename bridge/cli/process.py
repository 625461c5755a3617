"""``stembridge process``: songs in, deliveries out, by the same path that the service takes."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_UNUSABLE,
    config_from,
    shown,
    tell,
    tell_error,
)
from bridge.cli.progress import progress_of
from bridge.cli.studio import studio_config
from bridge.errors import StembridgeError
from bridge.values import JobOrigin, JobRequest, JobState
from presets import TARGETS

if TYPE_CHECKING:
    from bridge.config import Config
    from bridge.jobs import Ended, JobStore, Workers
    from bridge.values import Job

FOLLOW_EVERY_S = 0.3
RECIPE_HELP = "full, quick, stems-only, master-only, voiceover-bed, or one of your own."
TARGET_HELP = f"Loudness of a master: {', '.join(TARGETS)}. May be given several times."


def process(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Songs; a zip or folder of stems is one.")
    ],
    project: Annotated[
        Path | None,
        typer.Option(
            "--project", metavar="DIR", help="The project's folder; left out, the song's own folder."
        ),
    ] = None,
    recipe: Annotated[
        str,
        typer.Option(
            "--recipe",
            metavar="NAME",
            help=RECIPE_HELP,
        ),
    ] = "full",
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="NAME",
            help=TARGET_HELP,
        ),
    ] = None,
    wish: Annotated[
        list[str] | None,
        typer.Option("--wish", metavar="WORDS", help='Such as "punchy drums"; may be given several times.'),
    ] = None,
    keep_separated: Annotated[
        bool,
        typer.Option(
            "--keep-separated", help="Deliver the stems as separated, too, and what they null against."
        ),
    ] = False,
    studio: Annotated[
        bool,
        typer.Option("--studio", help="Separate with Demucs; what it needs is fetched first (about 0.6 GB)."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print paths and main figures as JSON.")] = False,
    config_file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings to merge over the defaults.")
    ] = None,
) -> None:
    """Turn songs into stems, masters and presets in the project's folder."""
    config = config_from(config_file)
    _expect_known(recipe, target or (), wish or (), config)
    requests = [
        JobRequest(
            source=whole_path(file),
            recipe=recipe,
            destination=whole_path(project) if project else whole_path(file).parent,
            targets=tuple(target or ()),
            wishes=tuple(wish or ()),
            keep_separated=keep_separated,
            origin=JobOrigin.CLI,
        )
        for file in files
    ]
    results = _process_all(requests, studio_config(config) if studio else config)
    _print_results(requests, results, as_json=as_json)
    is_cut_short = len(results) < len(requests)
    codes = [_exit_code(result) for result in results]
    raise typer.Exit(max(codes + [EXIT_INTERRUPTED] * is_cut_short))


def whole_path(path: Path) -> Path:
    """The path, absolute and without "..", links left as they are: what the user will read."""
    from bridge.config import home_path

    return Path(os.path.abspath(home_path(path)))  # noqa: PTH100 - resolve() would follow links


def _expect_known(recipe: str, targets: Iterable[str], wishes: Iterable[str], config: Config) -> None:
    """Mistakes in words are told before any song is touched."""
    from presets import parse_wishes
    from presets import target as target_of

    config.recipe(recipe)
    for name in targets:
        target_of(name)
    for words in wishes:
        parse_wishes(words)


def _process_all(requests: list[JobRequest], config: Config) -> list[Ended | StembridgeError]:
    """One after the other; a song that fails does not keep the next from its turn, Ctrl-C does."""
    from bridge.jobs import Workers, interrupt_cancels, open_store

    results: list[Ended | StembridgeError] = []
    cancel = threading.Event()
    store = open_store(config.store_path)
    with Workers(threads=1) as workers, interrupt_cancels(cancel):
        try:
            _take_over(store, config)
            for request in requests:
                if cancel.is_set():
                    break
                results.append(_process_one(request, config, store, workers, cancel))
        finally:
            store.close()
    return results


def _process_one(
    request: JobRequest, config: Config, store: JobStore, workers: Workers, cancel: threading.Event
) -> Ended | StembridgeError:
    from bridge.jobs import hash_source, run_job, submit_request

    try:
        job = submit_request(store, request, hash_source(request.source)).job
        with progress_of(request.source.name) as show, _cleaned_up(job, config, store):
            ended = run_job(store, job.id, settings=config, workers=workers, publish=show, cancel=cancel)
            if ended is None:
                name = shown(request.source.name)
                tell_error(f"{name}: another stembridge is at work on it (job {job.id}).")
            while ended is None:
                ended = _wait_for_others(store, job, config, cancel) or run_job(
                    store, job.id, settings=config, workers=workers, publish=show, cancel=cancel
                )
    except StembridgeError as error:
        return error
    return ended


def _take_over(store: JobStore, config: Config) -> None:
    """Let jobs wait again whose process died, and remove what those left that end by it."""
    for job in store.release_orphans():
        if job.state in (JobState.FAILED, JobState.CANCELLED):
            from bridge.pipeline import clean_up

            clean_up(job, config)


def _wait_for_others(store: JobStore, job: Job, config: Config, cancel: threading.Event) -> Ended | None:
    """How a job ended on which another process works; None while it has not. Ctrl-C cancels it."""
    from bridge.errors import JobCancelled, JobError
    from bridge.jobs import Ended, Outcome

    if cancel.wait(FOLLOW_EVERY_S):
        with contextlib.suppress(JobError):  # it may have ended just now
            store.request_cancel(job.id, "Cancelled on the command line.")
        time.sleep(FOLLOW_EVERY_S)
    _take_over(store, config)  # that process may have died
    now = store.get(job.id)
    if not now.state.is_terminal:
        return None
    errors = {JobState.FAILED: StembridgeError(now.error), JobState.CANCELLED: JobCancelled(now.error)}
    return Ended(job=now, outcome=Outcome(value=now.delivery, error=errors.get(now.state)))


@contextlib.contextmanager
def _cleaned_up(job: Job, config: Config, store: JobStore) -> Iterator[None]:
    """Leaves nothing half done of a job that failed or was interrupted, whose worker may have been killed."""
    try:
        yield
    finally:
        now = store.get(job.id)
        if now.state in (JobState.FAILED, JobState.CANCELLED):
            from bridge.pipeline import clean_up

            clean_up(now, config)


def _exit_code(result: Ended | StembridgeError) -> int:
    from bridge.errors import ConfigError, InputError

    if isinstance(result, StembridgeError):
        return EXIT_UNUSABLE if isinstance(result, ConfigError | InputError) else EXIT_FAILED
    if result.job.state is JobState.CANCELLED:
        return EXIT_INTERRUPTED
    if isinstance(result.outcome.error, ConfigError):
        return EXIT_UNUSABLE
    return 0 if result.job.state is JobState.SUCCESS else EXIT_FAILED


def _print_results(
    requests: list[JobRequest], results: list[Ended | StembridgeError], *, as_json: bool
) -> None:
    pairs = list(zip(requests, results, strict=False))
    if as_json:
        typer.echo(json.dumps([_as_json(request, result) for request, result in pairs], indent=2))
        return
    for request, result in pairs:
        _print_one(request, result)


def _as_json(request: JobRequest, result: Ended | StembridgeError) -> dict[str, object]:
    about: dict[str, object] = {"source": str(request.source), "recipe": request.recipe}
    if isinstance(result, StembridgeError):
        return about | {"state": "FAILED", "error": result.message}
    job = result.job
    about |= {"job": job.id, "state": str(job.state), "error": job.error}
    if job.delivery:
        folder = job.delivery.folder
        about |= {
            "folder": str(folder),
            "files": [str(folder / file) for file in job.delivery.files],
            "figures": job.delivery.main_figures,
        }
    return about


def _print_one(request: JobRequest, result: Ended | StembridgeError) -> None:
    from rich.markup import escape

    name = escape(shown(request.source.name))
    if isinstance(result, StembridgeError):
        tell_error(f"[bold red]{name}:[/] {escape(shown(result.message))}")
        return
    job = result.job
    if job.state is JobState.CANCELLED:
        tell_error(f"[yellow]{name}:[/] interrupted; the same command goes on where it stopped.")
    elif job.error:
        tell_error(f"[bold red]{name}:[/] {escape(shown(job.error))}")
    if job.delivery:
        for line in job.delivery.main_figures.get("lines", []):
            tell(f"  {escape(shown(line))}")
        tell(f"[bold]{name}[/] is in {escape(shown(str(job.delivery.folder)))}")
        if "Report.html" in job.delivery.files:
            tell(f"  Report: {escape(shown(str(job.delivery.folder / 'Report.html')))}")
