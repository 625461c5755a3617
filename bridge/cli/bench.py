"""``stembridge bench``: time and memory of jobs and of separation, beside references of the same run."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import config_from, console, errors_console

if TYPE_CHECKING:
    from bridge.bench import Compared, Measured

app = typer.Typer(invoke_without_command=True)


@app.callback()
def bench(
    context: typer.Context,
    length: Annotated[
        list[float] | None,
        typer.Option("--length", metavar="SECONDS", min=5, help="Of the song; several may be given."),
    ] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option("--recipe", metavar="NAME", help="Several may be given; quick and full else."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where to work; two hours of music take some 50 GB.")
    ] = None,
    config_file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Your settings.")
    ] = None,
) -> None:
    """Measure whole jobs on songs made for it, beside a plain copy of the same files: time and memory."""
    if context.invoked_subcommand:
        return
    from bridge.bench import run_bench

    config = config_from(config_file)
    with tempfile.TemporaryDirectory(dir=folder, prefix="stembridge-bench-") as place:
        found = []
        lengths = list(length or [30.0, 180.0])
        for measured in run_bench(
            lengths, recipe or ["quick", "full"], config, Path(place), errors_console().print
        ):
            found.append(measured)
            if not as_json:
                _print(measured)
    if as_json:
        typer.echo(json.dumps([_as_json(measured) for measured in found], indent=2))


@app.command()
def separation(
    length: Annotated[
        list[float] | None,
        typer.Option("--length", metavar="SECONDS", min=5, help="Of the song; several may be given."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    folder: Annotated[Path | None, typer.Option("--folder", help="Where to work.")] = None,
    config_file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Your settings.")
    ] = None,
) -> None:
    """Measure Demucs through this engine beside Demucs' own command: time, memory and how near they come."""
    from bridge.bench import compare_separation

    config = config_from(config_file)
    with tempfile.TemporaryDirectory(dir=folder, prefix="stembridge-bench-") as place:
        found = []
        lengths = list(length or [60.0, 240.0, 1200.0])
        for compared in compare_separation(lengths, config, Path(place), errors_console().print):
            found.append(compared)
            if not as_json:
                _print_compared(compared)
    if as_json:
        typer.echo(json.dumps([_compared_as_json(compared) for compared in found], indent=2))


def _compared_as_json(compared: Compared) -> dict[str, object]:
    ratios = {name: getattr(compared, name) for name in ("speed", "cpu_speed", "memory", "preview_cost")}
    return compared.model_dump(mode="json") | ratios


def _print_compared(compared: Compared) -> None:
    ours, theirs = compared.ours, compared.theirs
    near = ", ".join(f"{stem} {snr_db:.1f}" for stem, snr_db in compared.snr_db.items())
    lines = (
        f"[bold]{compared.length_s:g} s of music[/], {compared.weights} weights, {compared.setup}: "
        f"{ours.seconds:.1f} s against {theirs.seconds:.1f} s, {compared.speed:.2f} x as fast "
        f"(processor time {compared.cpu_speed:.2f} x)",
        f"  peak {ours.peak_bytes / 1e6:.0f} MB against {theirs.peak_bytes / 1e6:.0f} MB, "
        f"{compared.memory:.2f} x; SNR to the command's stems in dB: {near}",
        f"  quality preview: {compared.preview.seconds:.1f} s, {compared.preview_cost:.3f} x the song",
    )
    for line in lines:
        console().print(line, highlight=False, soft_wrap=True)


def _as_json(measured: Measured) -> dict[str, object]:
    ratios = {"ratio": measured.ratio, "to_copy": measured.to_copy, "to_matchering": measured.to_matchering}
    return measured.model_dump(mode="json") | ratios


def _print(measured: Measured) -> None:
    against = [
        f"{measured.ratio:.3f} x the song",
        f"{measured.to_copy:.1f} x reading and writing the same files",
    ]
    if measured.to_matchering is not None:
        against.append(f"master {measured.to_matchering:.2f} x matchering")
    console().print(
        f"[bold]{measured.recipe}[/], {measured.length_s:g} s of music: {measured.seconds:.1f} s, "
        f"{', '.join(against)}; peak {measured.peak_bytes / 1e6:.0f} MB",
        highlight=False,
        soft_wrap=True,
    )
    stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in measured.stages.items())
    console().print(f"  seconds by stage: {stages}", highlight=False, soft_wrap=True)
