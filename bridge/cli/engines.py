"""``stembridge engines``: engines that live in environments of their own: listed, installed, looked at."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import EXIT_FAILED, config_from, errors_console, shown, tell_error
from bridge.cli.networks import make_networks
from bridge.errors import EngineError

if TYPE_CHECKING:
    from bridge.config import Config
    from bridge.engines.environments import Device, Engine, HowFar, Look, Told

app = typer.Typer(
    help="Engines with an environment of their own: list, install, look at, remove.", no_args_is_help=True
)

ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Your settings.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="As `engines list` names it.")]


@app.command("list")
def list_engines(config_file: ConfigOption = None) -> None:
    """Say which engines there are, what they are for, how large, under which licence, and which are here."""
    from bridge.engines.environments import catalogue, state_of

    config = config_from(config_file)
    known = catalogue().values()
    states = {engine.name: str(state_of(engine, config)) for engine in known}
    widths = [max(map(len, column)) for column in (states.keys(), states.values())]
    for engine in known:
        typer.echo(
            f"{engine.name.ljust(widths[0])}  {states[engine.name].ljust(widths[1])}  "
            f"{engine.download_mb['cpu']:>4} MB to fetch, {engine.disk_mb['cpu']:>4} MB on the disk  "
            f"{engine.title} ({engine.licence})"
        )
    typer.echo(
        f"They lie in {shown(str(config.data_folder / 'engines'))}; get one: stembridge engines install NAME"
    )


@app.command("install")
def install_engine(
    name: NameArgument,
    cuda: Annotated[
        bool, typer.Option("--cuda", help="Let NVIDIA's packages in, several GB, for a GPU of theirs.")
    ] = False,
    python: Annotated[
        Path | None, typer.Option("--python", metavar="PATH", help="Make it with this Python.")
    ] = None,
    config_file: ConfigOption = None,
) -> None:
    """Make an engine's environment, going on where an earlier try stopped."""
    from bridge.engines.environments import engine_named

    config = config_from(config_file)
    engine = engine_named(name)
    install_told(engine, config, device="cuda" if cuda else "cpu", python=python)
    _tell_weights(engine, config)
    make_networks(config)


@app.command("doctor")
def doctor(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="All, if left out.")] = None,
    config_file: ConfigOption = None,
) -> None:
    """Start each engine that is here and say what it found; exit code 1 where one does not run."""
    from bridge.engines.environments import State, catalogue, engine_named, look

    config = config_from(config_file)
    engines: Iterable[Engine] = map(engine_named, names) if names else catalogue().values()
    looks = []
    for engine in engines:
        looks.append(look(engine, config))
        typer.echo(shown(_words_of(looks[-1], engine)))
        for note in _notes(looks[-1], config):
            typer.echo(f"    {shown(note)}")
    if any(found.state in (State.BROKEN, State.UNFINISHED) for found in looks):
        raise typer.Exit(EXIT_FAILED)


@app.command("remove")
def remove_engine(name: NameArgument, config_file: ConfigOption = None) -> None:
    """Delete an engine's environment; its weights stay."""
    from bridge.engines.environments import engine_named, remove

    config = config_from(config_file)
    freed = remove(engine_named(name), config)
    typer.echo(f"{name} {f'removed, {megabytes(freed / 1e6)} freed' if freed else 'was not here'}.")


def install_told(
    engine: Engine,
    config: Config,
    *,
    device: Device,
    python: Path | None = None,
    say: Callable[[str], None] = typer.echo,
) -> None:
    """Install, and say before what comes, on the way how far it is, and after what was done."""
    from bridge.engines.environments import State, install, state_of

    state = state_of(engine, config)
    if python is None and state in (State.NAMED, State.BASE):
        say(f"{engine.name} runs already: {state}. Nothing has to be installed.")
        return
    if state is not State.READY:
        tell_error(
            f"{engine.short_title}: about {megabytes(engine.download_mb[device])} to fetch, "
            f"{megabytes(engine.disk_mb[device])} on the disk, {engine.licence}"
        )
    with _bar(engine, device) as told:
        done = install(engine, config, device=device, named=python, told=told)
    how = "was here already" if done.was_there else "is ready"
    say(shown(f"{engine.name} {how}: {done.python}"))


def megabytes(size_mb: float) -> str:
    """Such as "250 MB", "2.7 GB"."""
    return f"{size_mb / 1000:.1f} GB" if size_mb >= 1000 else f"{size_mb:.0f} MB"


def _tell_weights(engine: Engine, config: Config) -> None:
    from bridge.engines.environments import has_weights_of
    from bridge.weights import weights_named

    if not engine.weights or has_weights_of(engine, config):
        return
    weights = weights_named(engine.weights)
    typer.echo(
        f"Its weights are still to be fetched: stembridge models pull {weights.name} "
        f"({megabytes(weights.size_bytes / 1e6)}, {weights.licence})"
    )


def _words_of(found: Look, engine: Engine) -> str:
    parts = [f"{found.engine}: {found.state}"]
    parts += [", ".join(f"{name} {version}" for name, version in found.versions.items() if version)]
    parts += [f"on {found.device}"] if found.device else []
    if engine.weights:
        where = "here" if found.has_weights else f"not here (stembridge models pull {engine.weights})"
        parts.append(f"weights {engine.weights} {where}")
    return "; ".join(filter(None, [*parts, found.words]))


def _notes(found: Look, config: Config) -> Iterable[str]:
    """What an engine finds out by itself: which device gives right numbers, and why no faster one does."""
    if found.engine != "demucs" or found.python is None:
        return ()
    from bridge.engines.apart import close_all
    from bridge.engines.demucs import look

    try:
        seen = look(config)
    except EngineError as fault:
        return (fault.message,)
    finally:
        close_all()
    return (f"Its self-test passes on {seen.device} in {seen.precision}.", *seen.notes)


@contextlib.contextmanager
def _bar(engine: Engine, device: Device) -> Iterator[Told]:
    """What is done, the share fetched and the time left; a line for each step where there is no terminal."""
    if not errors_console().is_terminal:
        yield _lines()
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Left

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), Left(), TimeElapsedColumn())
    with Progress(*columns, console=errors_console(), transient=True) as progress:
        task = progress.add_task("looking", total=engine.download_mb[device] * 1e6)

        def told(how_far: HowFar) -> None:
            here = how_far.fetched_mb * 1e6
            total = max(engine.download_mb[device] * 1e6, here)
            words = how_far.words or progress.tasks[task].description
            progress.update(task, description=words, completed=here, total=total)

        yield told


def _lines() -> Told:
    last = [""]

    def told(how_far: HowFar) -> None:
        words = how_far.words.partition(" ")[0] if how_far.words.startswith("fetching") else how_far.words
        if words and words != last[0]:
            last[0] = words
            tell_error(f"... {words}")

    return told
