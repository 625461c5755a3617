"""``stembridge models``: networks' weights: listed, fetched, checked, brought in, removed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.console import EXIT_FAILED, config_from, errors_console, shown, tell_error
from bridge.cli.networks import make_networks
from bridge.config import Config
from bridge.weights import (
    Weights,
    WeightsFolder,
    catalogue,
    import_own,
    import_weights,
    pull,
    weights_named,
)
from bridge.weights.folder import Verdict
from bridge.weights.pull import Told

app = typer.Typer(help="Networks' weights: list, fetch, check, bring in, remove.", no_args_is_help=True)

ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Your settings.")]
NamesArgument = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="All, if left out.")]


@app.command("list")
def list_weights(config_file: ConfigOption = None) -> None:
    """Say which weights there are, for which engine, how large, under which licence, and which are here."""
    folder = _folder(config_from(config_file))
    widest = max(map(len, catalogue()))
    for weights in catalogue().values():
        here = "here" if folder.is_here(weights) else "-"
        typer.echo(
            f"{weights.name.ljust(widest)}  {here:4}  {_megabytes(weights.size_bytes):>8}  "
            f"{weights.title} ({weights.engine}; {weights.licence})"
        )
    typer.echo(f"They lie in {shown(str(folder.folder))}; fetch some with: stembridge models pull NAME")


@app.command("pull")
def pull_weights(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="As `models list` names them.")],
    config_file: ConfigOption = None,
) -> None:
    """Fetch weights, going on where an earlier try broke off; nothing is kept that is not as published."""
    config = config_from(config_file)
    for weights in [weights_named(name) for name in names]:
        pull_told(weights, config)
    make_networks(config)


@app.command("verify")
def verify(names: NamesArgument = None, config_file: ConfigOption = None) -> None:
    """Look at every byte of the weights that are here; exit code 1 where one is not as published."""
    folder = _folder(config_from(config_file))
    chosen = list(_chosen(names, folder))
    checks = [check for weights in chosen for check in folder.checks(weights)]
    for check in checks:
        typer.echo(shown(f"{'ok' if check.verdict is Verdict.FINE else 'no'}  {check.words}"))
    if not chosen:
        typer.echo(f"There are no weights in {shown(str(folder.folder))}.")
    if any(check.verdict is not Verdict.FINE for check in checks):
        tell_error(
            "What is wrong is replaced, and what is missing is fetched, by: stembridge models pull NAME"
        )
        raise typer.Exit(EXIT_FAILED)


@app.command("import")
def import_(
    place: Annotated[
        Path, typer.Argument(metavar="FOLDER|FILE", help="Where the files are; any names will do.")
    ],
    name: Annotated[
        str,
        typer.Option("--as", metavar="NAME", help="Take FILE, an .onnx, as these weights, on your word."),
    ] = "",
    config_file: ConfigOption = None,
) -> None:
    """Bring in weights without a network: found by their SHA-256, copied, and left where they were."""
    config = config_from(config_file)
    folder = _folder(config)
    if name:
        target = import_own(place, weights_named(name), folder)
        typer.echo(f"{name} is {shown(str(target))} now; whether it fits is seen when it is first used.")
        return
    for found in import_weights(place, folder):
        how = "was here already" if found.was_here else f"copied from {found.origin}"
        typer.echo(shown(f"{found.weights}: {found.file} {how}"))
    make_networks(config)


@app.command("remove")
def remove(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="As `models list` names them.")],
    config_file: ConfigOption = None,
) -> None:
    """Delete weights; they can be fetched again."""
    folder = _folder(config_from(config_file))
    for weights in [weights_named(name) for name in names]:
        freed = folder.remove(weights)
        typer.echo(f"{weights.name} {f'removed, {_megabytes(freed)} freed' if freed else 'was not here'}.")


def pull_told(weights: Weights, config: Config, *, say: Callable[[str], None] = typer.echo) -> None:
    """Fetch weights, and say before what comes, on the way how far it is, and after what was done."""
    page = _page(weights, config)
    tell_error(f"{weights.title}: {_megabytes(weights.size_bytes)}, {weights.licence}, from {page}")
    with _bar(weights) as told:
        fetched = pull(weights, _folder(config), config.weights, told)
    done = f"fetched to {fetched.folder}" if fetched.files else f"was here already, in {fetched.folder}"
    say(f"{weights.name} {shown(done)}, each file with its published SHA-256.")


def _folder(config: Config) -> WeightsFolder:
    return WeightsFolder(config.weights_folder)


def _chosen(names: list[str] | None, folder: WeightsFolder) -> Iterable[Weights]:
    if names:
        return [weights_named(name) for name in names]
    return [weights for weights in catalogue().values() if any(folder.place(weights).glob("*"))]


def _page(weights: Weights, config: Config) -> str:
    source, _, rest = weights.page.partition("}")
    return config.weights.sources.get(source.strip("{"), "") + rest if rest else weights.page


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


@contextlib.contextmanager
def _bar(weights: Weights) -> Iterator[Told]:
    """Share, speed and time left, where there is a terminal to show them."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.progress import TransferSpeedColumn as Speed

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        Speed(),
        TimeRemainingColumn(),
    )
    console = errors_console()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(weights.name, total=weights.size_bytes)
        yield lambda here, all_bytes: progress.update(task, completed=here, total=all_bytes)
