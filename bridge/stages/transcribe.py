"""Transcribe: the song as music: beats, chords and sections of the whole, and the notes that its stems play.

Each stem's notes come from the first engine that is meant for its role and can do it; where none can, the
stem has no notes and the reason is told. So it is with beats, chords and sections: what fails is missing, and
the song goes on without.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from bridge.audio import probe
from bridge.config import Config
from bridge.errors import MissedError
from bridge.measure.beats import measure_beats
from bridge.measure.chords import measure_chords
from bridge.measure.sections import measure_sections
from bridge.music import BeatGrid, Music, Part
from bridge.protocols import Progress, Transcriber
from bridge.stages import roles
from bridge.stages.base import Inputs, Made, Room, Stage, for_each, part_of
from bridge.stages.chain_run import LEFT_OUT
from bridge.stages.choosing import EngineChoice, make
from bridge.stages.missing import attempt
from bridge.values import Asset, Confidence, Facts, Role, StageResult, Value

log = logging.getLogger(__name__)

Told = TypeVar("Told")

MUSIC = "music"
BEATS = "beats"
DRUM_ROLES = frozenset({Role.DRUMS, Role.PERCUSSION})
NO_CHORD_ROLES = DRUM_ROLES | {Role.FX, Role.VOCALS, Role.BACKING_VOCALS}
"""Stems that say little about chords: noise, and voices that sing around them."""


class Params(Value):
    """The engines to try, in order, and the key and tuning that were heard in the whole song."""

    engines: tuple[EngineChoice, ...]
    key: str
    key_confidence: Confidence
    tuning_cents: float


class Structure(Value):
    """The song as a whole; ``left_out`` has a subject and why for each part that is missing."""

    music: Music
    left_out: tuple[Facts, ...] = ()


class Heard(Value):
    """The notes of one stem; ``engine`` is "" where none was meant for it, or none could do it."""

    part: Part
    engine: str = ""
    skipped: tuple[str, ...] = ()
    """Engines that failed, with their words."""


def run(params: Params, inputs: Inputs, room: Room) -> Made:
    """Hear ``source`` and the assets ``dry/...``; all of it goes into a file, its outline into the facts."""
    stems = roles.of_kind(inputs, roles.DRY)
    done = for_each(
        (None, *stems),
        lambda stem, progress: (
            _hear(stem, params.engines, room.config, progress)
            if stem
            else _structure(params, inputs, progress)
        ),
        room.config.work.threads,
        room.progress,
    )
    structure = next(part for part in done if isinstance(part, Structure))
    heard = [part for part in done if isinstance(part, Heard)]
    music = structure.music.evolve(parts=tuple(stem.part for stem in heard if stem.part.notes))
    path = room.folder / "music.json"
    path.write_text(music.model_dump_json(), encoding="utf-8")
    return Made(files={MUSIC: path}, facts=_facts(music, heard) | {LEFT_OUT: list(structure.left_out)})


STAGE = Stage(name="transcribe", version=2, cost=0.06, run=run)


def load_music(transcribed: StageResult) -> Music:
    """All that the stage heard."""
    return Music.model_validate_json(transcribed.asset(MUSIC).path.read_bytes())


def _structure(params: Params, inputs: Inputs, progress: Progress) -> Structure:
    """Beats, chords and sections; one that fails is left out, and the others do without it."""
    source = inputs.path(roles.SOURCE)
    stems = roles.of_kind(inputs, roles.DRY)
    pitched = [asset.path for asset in stems if _role(asset) not in NO_CHORD_ROLES] or [source]
    left_out: list[Facts] = []

    def told(subject: str, work: Callable[[Progress], Told], start: float, end: float) -> Told | None:
        try:
            return attempt(work, part_of(progress, start, end))
        except MissedError as missed:
            log.warning("No %s were told: %s", subject, missed, exc_info=missed, extra={"action": "left_out"})
            left_out.append({"subject": subject, "why": missed.message})
            return None

    beats = partial(measure_beats, source, _path_of(stems, Role.DRUMS))
    grid = told(BEATS, beats, 0.0, 0.5) or BeatGrid(tempo_bpm=0, confidence=0)
    tuned = partial(measure_chords, pitched, grid, params.key, tuning_cents=params.tuning_cents)
    chords = told("chords", tuned, 0.5, 0.8) or ()
    sections = told("sections", partial(measure_sections, source, grid), 0.8, 1.0) or ()
    music = Music(
        duration_s=probe(source).duration_s,
        grid=grid,
        key=params.key,
        key_confidence=params.key_confidence,
        chords=chords,
        sections=sections,
    )
    return Structure(music=music, left_out=tuple(left_out))


def _path_of(stems: Sequence[Asset], role: Role) -> Path | None:
    return next((asset.path for asset in stems if _role(asset) is role), None)


def _role(asset: Asset) -> Role:
    return roles.role_of(roles.label(asset))


def _hear(asset: Asset, engines: tuple[EngineChoice, ...], config: Config, progress: Progress) -> Heard:
    """Try each engine that is meant for the stem; what made one fail is kept."""
    part = Part(name=roles.label(asset), role=_role(asset), is_drums=_role(asset) in DRUM_ROLES)
    skipped: list[str] = []
    for name in (choice.name for choice in engines):
        try:
            heard = attempt(partial(_heard_by, name, config, asset, part), progress)
        except MissedError as missed:
            log.warning("Transcriber %s did not do it: %s", name, missed, extra={"action": "engine_skipped"})
            skipped.append(f"{part.name}, {name}: {missed}")
            continue
        if heard:
            return heard.evolve(skipped=tuple(skipped))
    progress(1.0)
    return Heard(part=part, skipped=tuple(skipped))


def _heard_by(name: str, config: Config, asset: Asset, part: Part, progress: Progress) -> Heard | None:
    """What an engine hears of a stem; None where it is not meant for its role."""
    engine: Transcriber = make("bridge.transcribers", name, config)
    if part.role not in engine.roles:
        return None
    notes = engine.transcribe(asset.path, part.role, progress)
    return Heard(part=part.evolve(notes=notes), engine=engine.name)


def _facts(music: Music, heard: list[Heard]) -> Facts:
    outline = music.grid.model_dump(mode="json", exclude={"beats_s"})
    return {
        "rhythm": outline | {"beats": len(music.grid.beats_s)},
        "key": music.key,
        "key_confidence": music.key_confidence,
        "chords": len(music.chords),
        "sections": [section.model_dump(mode="json") for section in music.sections],
        "notes": {stem.part.name: len(stem.part.notes) for stem in heard if stem.engine},
        "engines": {stem.part.name: stem.engine for stem in heard if stem.engine},
        "skipped": [line for stem in heard for line in stem.skipped],
    }
