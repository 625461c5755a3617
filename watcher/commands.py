"""``stembridge watch``: which folders are watched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.config import Config, WatchedFolder, load_config, user_config_path
from bridge.errors import ConfigError, InputError
from bridge.service import read_state
from bridge.service.listing import rules_of, scan
from bridge.service.songs import is_delivery
from presets import PresetError
from presets import target as target_of
from watcher.settings import edited, entries, expect_folder, place_of, put_entry
from watcher.words import counted

app = typer.Typer(
    help="Say which folders are watched. A running service follows by itself.", no_args_is_help=True
)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="The settings to change; yours by default.")
]


def _named_folder(text: str) -> Path:
    """A path that was given; an empty one, as of an unset variable, would be the current folder."""
    if not text.strip():
        raise InputError("The folder has an empty name; wanted its path. For the current folder, give a dot.")
    return Path(text)


@app.command("add")
def add(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where songs are exported to.", parser=_named_folder)
    ],
    recipe: Annotated[
        str, typer.Option("--recipe", metavar="NAME", help="What is made of them, unless a sub-folder says.")
    ] = "full",
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            metavar="DIR",
            help="Where results go; left out, beside each song.",
            parser=_named_folder,
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="NAME", help="Loudness of a master; may be given several times."),
    ] = None,
    config_file: ConfigOption = None,
) -> None:
    """Watch a folder; one that is watched already is watched as said now."""
    file = config_file or user_config_path()
    config = load_config(file) if file.exists() else load_config()
    watched = _expect_usable(expect_folder(folder), recipe, project, tuple(target or ()), config)
    with edited(file) as document:
        is_new = put_entry(entries(document), watched)
    known = "is watched now" if is_new else "is watched as you say now"
    typer.echo(f"{watched.folder} {known}: {_how(watched)}{_made_later(watched)}")
    if is_new and (count := _songs_in(watched, config)):
        typer.echo(f"It holds {counted(count, 'song')} already; they are taken, too.")
    if read_state(config.data_folder) is None:
        typer.echo("The service is not running; start it with: stembridge serve")


@app.command("list")
def list_folders(config_file: ConfigOption = None) -> None:
    """Print the watched folders, and how they do."""
    config = load_config(config_file)
    states = _states(config)
    for watched in config.watch.folders:
        state = states.get(str(watched.folder))
        typer.echo(f"{watched.folder}: {_how(watched)}" + (f"; {_state_words(state)}" if state else ""))
        for name, why in state.get("unfinished", ()) if state else ():
            typer.echo(f"  not taken yet: {name} ({why})")
    if not config.watch.folders:
        typer.echo("No folder is watched. Add one with: stembridge watch add DIR")


@app.command("remove")
def remove(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder.", parser=_named_folder)],
    config_file: ConfigOption = None,
) -> None:
    """Watch a folder no more. Its songs, and what was made of them, stay."""
    absolute = WatchedFolder(path=str(folder)).folder
    with edited(config_file or user_config_path()) as document:
        folders = document.get("watch", {}).get("folders", [])
        at = place_of(folders, absolute)
        if at is None:
            known = ", ".join(str(entry["path"]) for entry in folders) or "none"
            raise InputError(f"{absolute} is not watched; watched: {known}. See: stembridge watch list")
        del folders[at]
        if not folders:
            del document["watch"]["folders"]
    typer.echo(f"{absolute} is not watched any more.")


def _expect_usable(
    folder: Path, recipe: str, project: Path | None, targets: tuple[str, ...], config: Config
) -> WatchedFolder:
    config.recipe(recipe)
    try:
        for name in targets:
            target_of(name)
    except PresetError as cause:
        raise ConfigError(str(cause)) from cause
    if is_delivery(folder):
        raise InputError(f"{folder} is a delivery of stembridge; wanted a folder with exports. Name another.")
    project_path = WatchedFolder(path=str(project)).folder if project else None
    if project_path is not None and project_path.exists() and not project_path.is_dir():
        raise InputError(f"{project_path} is a file; wanted the project's folder. Name its folder.")
    return WatchedFolder(path=str(folder), recipe=recipe, project=str(project_path or ""), targets=targets)


def _how(watched: WatchedFolder) -> str:
    where = f"into {watched.project_folder}" if watched.project_folder else "beside each song"
    goals = f", targets {', '.join(watched.targets)}" if watched.targets else ""
    return f"recipe {watched.recipe}{goals}, {where}"


def _made_later(watched: WatchedFolder) -> str:
    """That the project's folder is not there: it may be a slip of the pen."""
    project = watched.project_folder
    return "" if project is None or project.exists() else ", which is made with the first song"


def _songs_in(watched: WatchedFolder, config: Config) -> int:
    try:
        return len(scan(watched.folder, rules_of(watched, config)).found)
    except OSError:
        return 0


def _states(config: Config) -> dict[str, dict[str, Any]]:
    """How each folder does, as a running service tells it."""
    service = read_state(config.data_folder)
    doors = [door for door in service.doors if door.name == "watch"] if service else []
    return {folder["path"]: folder for door in doors for folder in door.facts.get("folders", ())}


def _state_words(state: dict[str, Any]) -> str:
    waiting = f", {counted(state['waiting'], 'song')} waiting" if state["waiting"] else ""
    last = f", last taken {state['last_taken']}" if state["last_taken"] else ""
    return f"{state['how']}{waiting}{last}"
