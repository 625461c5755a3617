"""``stembridge compose``: a song with known stems, to try things out with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compose(
    folder: Annotated[Path, typer.Option("--folder", help="Where the song goes.")] = Path("stembridge-demo"),
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same song.")] = 1,
    style: Annotated[str, typer.Option("--style", help="A style; left out, the seed chooses one.")] = "",
    seconds: Annotated[
        float, typer.Option("--seconds", help="Length in seconds, about.", min=5, max=600)
    ] = 60.0,
    demo: Annotated[bool, typer.Option("--demo", help="The demo song.")] = False,
    stems: Annotated[bool, typer.Option("--stems", help="Write its true stems and notes too.")] = False,
) -> None:
    """Compose a song: tempo, key, sections, a formant voice, and the truth about all of it."""
    from bridge.generate.demo import write_composed

    written = write_composed(folder, seed=seed, style=style, seconds=seconds, is_demo=demo, with_stems=stems)
    typer.echo(written)
