"""``python -m ableton.device``: builds the device, and looks at devices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ableton.device.build import BUILT, build_device
from ableton.device.lint import lint
from ableton.device.pictures import PICTURE, STATES, picture
from ableton.device.reader import KINDS, read_device
from ableton.device.theme import DARK, LIGHT

app = typer.Typer(help="For those who change the device.", no_args_is_help=True, add_completion=False)

DeviceFile = Annotated[Path, typer.Argument(metavar="FILE", help="A .amxd; ours where it is left out.")]


@app.command("build")
def build() -> None:
    """Put the script together, build the device that is shipped, and draw its picture."""
    BUILT.write_bytes(build_device())
    PICTURE.write_text(picture("done"), encoding="utf-8", newline="\n")
    typer.echo(f"{BUILT}\n{PICTURE}")


@app.command("pictures")
def draw_pictures(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to.")]) -> None:
    """Draw the device in each of its states, in a light and a dark theme of Live."""
    folder.mkdir(parents=True, exist_ok=True)
    for theme_name, theme in {"light": LIGHT, "dark": DARK}.items():
        for state in STATES:
            path = folder / f"{state} {theme_name}.svg"
            path.write_text(picture(state, theme), encoding="utf-8")
            typer.echo(path)


@app.command("lint")
def lint_file(file: DeviceFile = BUILT) -> None:
    """Hold a device to Ableton's guidelines; exit code 1 where something is found."""
    findings = lint(read_device(file))
    for finding in findings:
        typer.echo(f"{finding.rule}: {finding.words}")
    if findings:
        raise typer.Exit(1)
    typer.echo("Nothing found.")


@app.command("show")
def show(file: DeviceFile = BUILT) -> None:
    """Print what is in a device."""
    device = read_device(file)
    typer.echo(f"{KINDS[device.kind]}, {'frozen' if device.is_frozen else 'not frozen'}")
    typer.echo(f"{len(device.patcher['boxes'])} objects, {len(device.patcher['lines'])} cords")
    for entry in device.files:
        typer.echo(f"{entry.type.strip()} {entry.name}: {len(entry.data)} bytes")


if __name__ == "__main__":
    app()
