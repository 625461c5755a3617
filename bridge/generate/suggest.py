"""Specs to start from: a varied one for any seed, and the demo song's."""

from __future__ import annotations

from bridge.music import SHARPS

from .chance import dice
from .sheets import sheet_of
from .spec import SectionKind, SectionSpec, SongSpec, Style

_USUAL_SIGNATURES = {
    Style.BALLAD: ((4, 4), (6, 8), (3, 4)),
    Style.FOLK: ((4, 4), (3, 4), (6, 8)),
    Style.AMBIENT: ((4, 4), (6, 8), (3, 4)),
    Style.ROCK: ((4, 4), (4, 4), (6, 8)),
    Style.POP: ((4, 4), (4, 4), (6, 8)),
}


def random_spec(
    seed: int, *, duration_s: float = 20.0, style: Style | None = None, voice: bool | None = None
) -> SongSpec:
    """A varied spec for a test song: seeds in a row go through all styles.

    Key, tempo, metre and form are drawn within what the style knows; six songs in seven are sung.
    """
    draw = dice(seed, "random spec")
    chosen = style or tuple(Style)[seed % len(Style)]
    low_bpm, high_bpm = sheet_of(chosen).tempo_bpm
    signatures = _USUAL_SIGNATURES.get(chosen, ((4, 4),))
    mode = "minor" if draw.random() < 0.55 else "major"
    return SongSpec(
        title=f"Sketch {seed}",
        style=chosen,
        tempo_bpm=round(float(draw.uniform(low_bpm, high_bpm)), 1),
        key=f"{SHARPS[int(draw.integers(12))]} {mode}",
        time_signature=signatures[int(draw.integers(len(signatures)))],
        duration_s=duration_s,
        voice=bool(draw.random() < 6 / 7) if voice is None else voice,
        seed=seed,
    )


def demo_spec() -> SongSpec:
    """The demo song: "Night Drive", synthwave with a voice, a little over a minute."""
    kinds = SectionKind
    form = (
        (kinds.INTRO, 4),
        (kinds.VERSE, 8),
        (kinds.CHORUS, 8),
        (kinds.BRIDGE, 4),
        (kinds.CHORUS, 4),
        (kinds.OUTRO, 2),
    )
    return SongSpec(
        title="Night Drive",
        style=Style.SYNTHWAVE,
        tempo_bpm=104,
        key="F# minor",
        sections=tuple(SectionSpec(kind=kind, bars=bars) for kind, bars in form),
        seed=7,
    )
