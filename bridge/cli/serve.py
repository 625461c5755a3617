"""``stembridge serve`` and ``stembridge stop``: the background service."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.console import tell, usable_config_from
from bridge.errors import ServiceError

STOP_WITHIN_S = 30.0


def serve(
    drain: Annotated[
        bool, typer.Option("--drain", help="Work off what waits, in watched folders too, and end.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log every step.")] = False,
    config_file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings to merge over the defaults.")
    ] = None,
) -> None:
    """Run in the background of your work: watch folders, listen for OSC, do what arrives. Ctrl-C ends it."""
    from bridge.app import serve as serve_until_stopped

    serve_until_stopped(config_file, drain=drain, verbose=verbose)


def stop(
    drain: Annotated[bool, typer.Option("--drain", help="Finish the jobs at work first.")] = False,
    config_file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="The settings that the service runs with.")
    ] = None,
) -> None:
    """End the service. Jobs at work go on with its next start, from their last finished stage."""
    from bridge.service.instance import StopWay, ask_to_stop

    folder = usable_config_from(config_file).data_folder
    state = ask_to_stop(folder, StopWay.DRAIN if drain else StopWay.NOW)
    if _is_gone(folder, None if drain else STOP_WITHIN_S):
        tell("The service has stopped.")
        return
    raise ServiceError(
        f"The service (process {state.process.pid}) was asked to stop and still runs "
        f"after {STOP_WITHIN_S:g} s. See its log, or end that process; no job is lost by it."
    )


def _is_gone(folder: Path, within_s: float | None) -> bool:
    from bridge.service import read_state

    pause, started_s = threading.Event(), time.monotonic()
    while read_state(folder) is not None:
        if within_s is not None and time.monotonic() - started_s > within_s:
            return False
        pause.wait(0.1)
    return True
