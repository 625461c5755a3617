"""``stembridge compose``: a song with known stems, to try things out with."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.errors import InputError

if TYPE_CHECKING:
    from bridge.generate import ComposedSong, SongSpec


def compose(
    folder: Annotated[Path, typer.Option("--folder", help="Where the song goes.")] = Path("stembridge-demo"),
    demo: Annotated[bool, typer.Option("--demo", help="The demo song.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same song.")] = 1,
    style: Annotated[str, typer.Option("--style", help="A style; left out, the seed chooses one.")] = "",
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=6, max=600, help="Length; left out, about a minute.")
    ] = None,
    stems: Annotated[bool, typer.Option("--stems", help="Write its true stems and notes, too.")] = False,
) -> None:
    """Compose a song with its own synthesis, a formant voice included (la and ooh, no words)."""
    from bridge.audio import write_audio
    from bridge.generate import compose as compose_song
    from bridge.generate import write_song
    from bridge.naming import safe_name
    from bridge.values import SampleFormat

    spec = _spec(demo, seed, style, seconds)
    song = compose_song(spec)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / safe_name(spec.title, ".wav")
    if stems:
        write_song(song, folder / safe_name(f"{spec.title} truth"))
    write_audio(target, song.mixture, SampleFormat.INT24)
    typer.echo(f"{target} ({_about(song)})")


def _spec(is_demo: bool, seed: int, style: str, seconds: float | None) -> SongSpec:
    from bridge.generate import Style, demo_spec, random_spec

    if is_demo:
        spec = demo_spec()
        return spec if seconds is None else spec.evolve(sections=(), duration_s=seconds)
    if style and style not in set(Style):
        near = difflib.get_close_matches(style, list(Style), n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise InputError(f"There is no style '{style}'; there is: {', '.join(sorted(Style))}.{hint}")
    return random_spec(seed, duration_s=seconds or 60.0, style=Style(style) if style else None)


def _about(song: ComposedSong) -> str:
    truth = song.truth
    return f"{song.mixture.duration_s:.0f} s, {song.spec.style}, {truth.tempo_bpm:g} bpm, {truth.key}"
