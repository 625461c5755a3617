"""``stembridge device``: puts the Max for Live device where Live finds it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from ableton.device.build import BUILT, build_device
from ableton.device.patch import SERVICE_PORT
from ableton.device.places import IN_LIBRARY, this_machine, user_library
from bridge.config import load_config
from bridge.errors import ConfigError, DeliveryError

app = typer.Typer(help="Put the Max for Live device where Live finds it.", no_args_is_help=True)

LibraryOption = Annotated[
    Path | None,
    typer.Option("--library", metavar="DIR", help="Your User Library, if it is not found by itself."),
]


@app.command("install")
def install(library: LibraryOption = None) -> None:
    """Put the device into Live's User Library; an older one there is replaced.

    It talks to the service at the port of your settings (osc.port).
    """
    place = _library(library)
    typer.echo(f"The device is {_written(place / IN_LIBRARY / BUILT.name)}")
    typer.echo("In Live: Browser > User Library > Presets > Audio Effects > Max Audio Effect > stembridge.")
    typer.echo("Drag it onto an audio track. It finds the service as soon as that runs: stembridge serve")


@app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; it is made if it is not there.")],
) -> None:
    """Write the device into any folder, to take it to another computer."""
    typer.echo(f"The device is {_written(folder / BUILT.name)}")


@app.command("where")
def where(library: LibraryOption = None) -> None:
    """Print where the device goes, and whether it is there and up to date."""
    if library is None:
        found = user_library(this_machine())
        typer.echo(f"User Library: {found.folder} ({found.how})")
    path = _library(library) / IN_LIBRARY / BUILT.name
    typer.echo(f"Device: {path} ({_state(path)})")


def _library(given: Path | None) -> Path:
    if given is None:
        return user_library(this_machine()).folder
    if not given.is_dir():
        raise ConfigError(
            f"{given} is no folder; wanted your User Library. Live shows it in Settings > Library."
        )
    return given


def _state(path: Path) -> str:
    if not path.exists():
        return "not there; put it there with: stembridge device install"
    is_same = path.read_bytes() == _device()
    return "up to date" if is_same else "another version; replace it with: stembridge device install"


def _device() -> bytes:
    """The device as it is shipped; built anew where the service listens at another port than as shipped."""
    port = load_config().osc.port
    return BUILT.read_bytes() if port == SERVICE_PORT else build_device(service_port=port)


def _written(path: Path) -> Path:
    """The device at ``path``, written whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(_device())
        partial.replace(path)
    except OSError as cause:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise DeliveryError(
            f"{path} cannot be written ({cause.strerror}). Close Live if it has the device open, or see the "
            "folder's permissions."
        ) from cause
    return path
