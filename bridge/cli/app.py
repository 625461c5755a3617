"""The commands, and the one place where errors become words and exit codes."""

from __future__ import annotations

import os
import sys
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated

import typer

from bridge.cli import (
    bench,
    compose,
    doctor,
    engines,
    jobs,
    models,
    presets,
    process,
    serve,
    settings,
    status,
)
from bridge.cli.console import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_UNUSABLE,
    is_debugging,
    safe_output,
    setup_log,
    shown,
    tell_error,
)
from bridge.errors import ConfigError, InputError, StembridgeError
from presets import PresetError

app = typer.Typer(
    name="stembridge",
    help="From Suno and Udio exports to named dry stems, masters and presets in your Ableton Live project.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("process")(process.process)
app.command("serve")(serve.serve)
app.command("stop")(serve.stop)
app.command("status")(status.status)
app.command("cancel")(jobs.cancel)
app.command("retry")(jobs.retry)
app.command("again")(jobs.again)
app.command("doctor")(doctor.doctor)
app.add_typer(settings.app, name="config")
app.add_typer(presets.app, name="presets")
app.add_typer(models.app, name="models")
app.add_typer(engines.app, name="engines")
app.add_typer(bench.app, name="bench")
app.command("compose")(compose.compose)


@app.callback(invoke_without_command=True)
def _common(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True)
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log every step to standard error.")] = False,
) -> None:
    if version:
        from bridge import __version__

        typer.echo(f"stembridge {__version__}")
        raise typer.Exit
    setup_log(verbose=verbose)


def main() -> None:
    """Run the command line; errors of ours become one message and an exit code.

    Exit codes: 0 done, 1 a job failed, 2 the command or the configuration cannot be used, 130 interrupted.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    safe_output()
    _add_plugged_in_commands()
    try:
        app()
    except (ConfigError, InputError, PresetError) as error:
        _say(error, EXIT_UNUSABLE)
    except StembridgeError as error:
        _say(error, EXIT_FAILED)
    except OSError as error:
        _say(_told(error), EXIT_FAILED)
    except KeyboardInterrupt:
        tell_error("Interrupted. Nothing half done was left; the same command goes on where it stopped.")
        sys.exit(EXIT_INTERRUPTED)


def _add_plugged_in_commands() -> None:
    """A plug-in that does not import costs its own commands and nothing else."""
    for point in entry_points(group="bridge.commands"):
        try:
            app.add_typer(point.load(), name=point.name)
        except Exception as error:
            if is_debugging():
                raise
            tell_error(
                f"The commands of '{point.name}' are missing ({_escaped(error)}); reinstall {_origin(point)}."
            )


def _origin(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value


def _told(error: OSError) -> StembridgeError:
    where = f"{error.filename}" if error.filename else "The output"
    told = StembridgeError(f"{where}: {error.strerror}. Check the path, its permission and the disk.")
    told.__cause__ = error
    return told


def _say(error: Exception, code: int) -> None:
    if is_debugging():
        raise error
    tell_error(f"[bold red]Error:[/] {_escaped(error)}")
    sys.exit(code)


def _escaped(error: Exception) -> str:
    from rich.markup import escape

    return escape(shown(str(error)))
