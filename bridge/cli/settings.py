"""``stembridge config``: where the settings are, what they are, whether they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.config import load_config, shipped_config_path, user_config_path

app = typer.Typer(help="Show, check or start your own settings.", no_args_is_help=True)


@app.command("path")
def path() -> None:
    """Print where your own settings belong."""
    typer.echo(user_config_path())


@app.command("show")
def show(
    file: Annotated[
        Path | None, typer.Option("--config", help="Settings to merge over the defaults.")
    ] = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="The shipped file, with units and reasons.")
    ] = False,
) -> None:
    """Print the settings as they apply, or the shipped file with its explanations."""
    if defaults:
        typer.echo(shipped_config_path().read_text(encoding="utf-8"), nl=False)
        return
    import tomli_w

    typer.echo(tomli_w.dumps(load_config(file).model_dump(mode="json")), nl=False)


@app.command("check")
def check(
    file: Annotated[Path | None, typer.Argument(help="The file to check; yours by default.")] = None,
) -> None:
    """Say whether the settings hold; exit code 2 where they do not."""
    load_config(file)
    where = file or user_config_path()
    typer.echo(f"{where} is fine." if where.exists() else f"There is no {where}: the defaults apply.")


@app.command("init")
def init() -> None:
    """Write a file of your own to start from; an existing one is left alone."""
    target = user_config_path()
    if target.exists():
        typer.echo(f"{target} is there already; nothing was changed.")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = shipped_config_path().read_text(encoding="utf-8").splitlines()
    commented = [line if not line or line.startswith(("#", "[")) else f"# {line}" for line in lines]
    target.write_text("\n".join(commented) + "\n", encoding="utf-8")
    typer.echo(f"{target} is written: every setting is in it, commented out.")
