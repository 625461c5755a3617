"""Mix: every dry stem through its chain, level-matched, and their sum.

A chain is kept only where it did no harm: the stem's crest factor and its long-term spectrum may move so far
and no further, and nothing may be lost. Otherwise the dry stem goes on in its place, and the report says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from bridge.audio import AudioWriter, Samples, open_audio
from bridge.protocols import Progress
from bridge.stages import roles
from bridge.stages.base import Inputs, Made, Room, Stage, for_each, part_of
from bridge.stages.chain_run import LEFT_OUT, run_chain
from bridge.stages.checkup import Checkup, check_up, harm_done
from bridge.values import Asset, Facts, Value
from presets import Chain, Gain

MOST_HEADROOM_DB = 6.0
"""The mix is turned down by no more: a stray peak must not make all stems quiet; float holds it unharmed."""
Decibel = Annotated[float, Field(ge=-60, le=60)]


class StemPlan(Value):
    """What happens to one stem: its chain, how far it is moved against the others, and why."""

    label: str
    chain: Chain
    before: Checkup
    """The dry stem as it was measured when it was restored."""
    move_db: Decibel = 0.0
    move_reason: str = ""


class Params(Value):
    """The plan for all stems, and the limits of what a chain may do to one."""

    stems: tuple[StemPlan, ...]
    headroom_dbfs: float
    crest_loss_db: float
    tone_shift_db: float
    trim_db: Decibel = 0.0
    """Taken off the whole mix: a correction that QA asks for."""
    plugins: tuple[str, ...] = ()
    """Marks of the third-party plug-ins in the chains: a new version makes a new mix."""


def run(params: Params, inputs: Inputs, room: Room) -> Made:
    """Process each stem, then write mixed stems and the mix that they sum to."""
    plans = {plan.label: plan for plan in params.stems}
    stems = [asset for asset in roles.of_kind(inputs, roles.DRY) if roles.label(asset) in plans]
    processed = for_each(
        stems,
        lambda asset, progress: _process(asset, plans[roles.label(asset)], params, room, progress),
        room.config.work.threads,
        part_of(room.progress, 0.0, 0.85),
    )
    gain_db = _headroom_gain_db(processed, params) + params.trim_db
    files = _write(processed, gain_db, room, part_of(room.progress, 0.85, 1.0))
    files |= {f"{roles.STATE}/{name}": path for stem in processed for name, path in stem.states.items()}
    stems_facts = {stem.label: stem.facts | {"gain_db": round(stem.gain_db, 3)} for stem in processed}
    left_out = [{"subject": stem.label, "why": why} for stem in processed for why in stem.left_out]
    facts = {"stems": stems_facts, "bus_gain_db": round(gain_db, 3), LEFT_OUT: left_out}
    return Made(files=files, facts=facts)


STAGE = Stage(name="mix", version=2, cost=0.08, run=run)


class _Processed(Value):
    """A stem behind its chain: where it lies, and the gain that it still needs."""

    label: str
    path: Path
    gain_db: float
    facts: Facts
    states: dict[str, Path] = Field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def _process(asset: Asset, plan: StemPlan, params: Params, room: Room, progress: Progress) -> _Processed:
    before = plan.before
    if before.is_silent or not plan.chain.effects:
        return _as_it_is(asset, plan, "silent" if before.is_silent else "no chain")
    target = room.folder / f"processed {plan.label}.wav"
    run = run_chain(asset.path, target, plan.chain, room.config.vst3, part_of(progress, 0.0, 0.7))
    after = check_up(target, part_of(progress, 0.7, 1.0))
    harm = harm_done(before, after, params.crest_loss_db, params.tone_shift_db)
    if harm:
        target.unlink()
        return _as_it_is(asset, plan, harm).evolve(left_out=run.left_out)
    wished_db = sum(effect.gain_db for effect in plan.chain.effects if isinstance(effect, Gain))
    match_db = before.loudness_lufs + wished_db - after.loudness_lufs
    told = {"effects": run.report.model_dump(mode="json")}
    facts = _facts(plan, before, after, is_kept=True, why="") | told
    return _Processed(
        label=plan.label,
        path=target,
        gain_db=match_db + plan.move_db,
        facts=facts,
        states=run.states,
        left_out=run.left_out,
    )


def _as_it_is(asset: Asset, plan: StemPlan, why: str) -> _Processed:
    facts = {"is_kept": False, "why": why, "move_db": plan.move_db, "move_reason": plan.move_reason}
    return _Processed(label=plan.label, path=asset.path, gain_db=plan.move_db, facts=facts)


def _facts(plan: StemPlan, before: Checkup, after: Checkup, *, is_kept: bool, why: str) -> Facts:
    return {
        "is_kept": is_kept,
        "why": why,
        "move_db": plan.move_db,
        "move_reason": plan.move_reason,
        "before": before.model_dump(mode="json"),
        "after": after.model_dump(mode="json"),
    }


def _headroom_gain_db(stems: list[_Processed], params: Params) -> float:
    peak = max((float(np.max(np.abs(mix))) for mix, _ in _blocks(stems, 0.0) if mix.size), default=0.0)
    if peak <= 0:
        return 0.0
    return min(0.0, max(-MOST_HEADROOM_DB, params.headroom_dbfs - 20 * float(np.log10(peak))))


def _write(stems: list[_Processed], gain_db: float, room: Room, progress: Progress) -> dict[str, Path]:
    files = {f"{roles.MIXED}/{stem.label}": room.folder / f"mixed {stem.label}.wav" for stem in stems}
    files[roles.MIX] = room.folder / "mix.wav"
    with open_audio(stems[0].path) as first:
        info = first.info
    with ExitStack() as stack:
        outs = [
            stack.enter_context(AudioWriter(path, rate_hz=info.rate_hz, channels=info.channels))
            for path in files.values()
        ]
        done = 0
        for mix, parts in _blocks(stems, gain_db):
            for out, part in zip(outs, [*parts, mix], strict=True):
                out.write(part)
            done += mix.shape[1]
            progress(done / max(1, info.frames))
    for stem in stems:
        if stem.path.parent == room.folder:
            stem.path.unlink()
    return files


def _blocks(stems: list[_Processed], gain_db: float) -> Iterator[tuple[Samples, list[Samples]]]:
    """The mix and its parts, block by block; the mix is the float32 sum of exactly these parts."""
    gains = [np.float32(10 ** ((stem.gain_db + gain_db) / 20)) for stem in stems]
    with ExitStack() as stack:
        readers = [stack.enter_context(open_audio(stem.path)) for stem in stems]
        for blocks in zip(*(reader.blocks() for reader in readers), strict=True):
            parts = [block * gain for block, gain in zip(blocks, gains, strict=True)]
            yield np.asarray(np.sum(parts, axis=0, dtype=np.float64), np.float32), parts
