"""``stembridge remote``: layouts for Open Stage Control and TouchOSC."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from ableton.remotes.panel import Setup
from ableton.remotes.stagecontrol import module_text, session_text
from ableton.remotes.touchosc import document_bytes
from bridge.config import load_config
from bridge.errors import InputError

app = typer.Typer(help="Control stembridge from a tablet or a browser by OSC.", no_args_is_help=True)

SESSION: Final = "stembridge.json"
MODULE: Final = "stembridge-module.js"
DOCUMENT: Final = "stembridge.tosc"
STAGE_PORT: Final = 17712
"""Where Open Stage Control listens for OSC; any that is free."""


@app.callback()
def _remote() -> None:
    """Control stembridge from a tablet or a browser by OSC."""


@app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the layouts are written to.")],
    config_file: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="The settings to make them for; yours by default."),
    ] = None,
) -> None:
    """Write the layouts, with the recipes, ports and token of your settings. They replace older ones."""
    setup = Setup.of(load_config(config_file))
    files = {
        SESSION: session_text(setup).encode(),
        MODULE: module_text(setup).encode(),
        DOCUMENT: document_bytes(setup),
    }
    _write(folder, files)
    typer.echo(_how_to_use(folder, setup))


def _write(folder: Path, files: dict[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
    except OSError as cause:
        raise InputError(
            f"The layouts could not be written into {folder}: {cause}. Name a folder that can be written to."
        ) from cause


def _how_to_use(folder: Path, setup: Setup) -> str:
    lines = [
        "Open Stage Control:",
        f'  open-stage-control --load "{folder / SESSION}" --custom-module "{folder / MODULE}" '
        f"--osc-port {STAGE_PORT}",
        f"TouchOSC: open {folder / DOCUMENT} in it, and set up an OSC connection:",
        f"  UDP, host: this machine, send port {setup.port}, receive port {setup.reply_port}",
    ]
    held = "The layouts hold osc.token: give them to nobody else."
    needed = "For a tablet, set osc.host and osc.token in the settings, and export again."
    return "\n".join([*lines, held if setup.token else needed])
