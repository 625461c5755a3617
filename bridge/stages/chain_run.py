"""A chain over a file, third-party plug-ins included: what is ours in one pass, each plug-in in a process.

A plug-in that fails costs its own effect and nothing else: the audio goes past it, and the report says why.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from pydantic import Field

from bridge.audio import probe
from bridge.config import Vst3Settings
from bridge.dsp.rack import EffectReport, RackReport, run_file
from bridge.engines.vst3 import render_effect
from bridge.errors import EngineError
from bridge.protocols import Progress
from bridge.stages.base import part_of
from bridge.values import Facts, Value
from presets import Chain, Effect, Vst3

LEFT_OUT = "left_out"
"""In the findings of a stage: what it could not do, and why. Such a result is not kept for other jobs."""


class ChainRun(Value):
    """What a chain did, and the states of its plug-ins as .vstpreset files, by their names."""

    report: RackReport
    states: dict[str, Path] = Field(default_factory=dict)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Why effects were left out, a sentence for each."""
        return tuple(effect.left_out for effect in self.report.effects if effect.left_out)


def run_chain(
    source: Path, target: Path, chain: Chain, settings: Vst3Settings, progress: Progress
) -> ChainRun:
    """``source`` through ``chain`` into ``target``, a float32 WAV of the same rate, channels and length.

    States of plug-ins are written beside the target. Raises AudioError where a file cannot be read or
    written; a plug-in that fails is left out.
    """
    if not any(isinstance(effect, Vst3) for effect in chain.effects):
        return ChainRun(report=run_file(source, target, chain, progress=progress))
    folder = target.with_suffix(".steps")
    folder.mkdir()
    try:
        return _Steps(source, target, chain, settings, folder).run(progress)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # with what a plug-in that was ended left half written


class _Steps:
    """A chain cut at its plug-ins: from file to file."""

    def __init__(
        self, source: Path, target: Path, chain: Chain, settings: Vst3Settings, folder: Path
    ) -> None:
        self._source = self._here = source
        self._target = target
        self._chain = chain
        self._settings = settings
        self._folder = folder
        self._effects: list[EffectReport] = []
        self._states: dict[str, Path] = {}

    def run(self, progress: Progress) -> ChainRun:
        steps = list(_steps(self._chain))
        for number, step in enumerate(steps):
            self._take(step, part_of(progress, number / len(steps), (number + 1) / len(steps)))
        if self._here == self._source:
            run_file(self._source, self._target, self._chain.evolve(effects=()))
        else:
            self._here.replace(self._target)
        report = RackReport(
            chain=self._chain.name, frames=probe(self._target).frames, effects=tuple(self._effects)
        )
        return ChainRun(report=report, states=self._states)

    def _take(self, step: Vst3 | Chain, progress: Progress) -> None:
        there = self._folder / f"{len(self._effects)}.wav"
        if isinstance(step, Chain):
            self._effects += run_file(self._here, there, step, progress=progress).effects
        else:
            self._effects.append(self._hosted(step, there, progress))
        if there.exists():
            if self._here != self._source:
                self._here.unlink()
            self._here = there

    def _hosted(self, effect: Vst3, there: Path, progress: Progress) -> EffectReport:
        told = EffectReport(kind=effect.kind, name=effect.name, reason=effect.reason)
        name = f"{self._target.stem} {len(self._effects) + 1}"
        state = self._target.with_name(f"{name}.vstpreset")
        try:
            made = render_effect(effect, self._here, there, self._settings, state=state, progress=progress)
        except EngineError as fault:
            return told.evolve(left_out=fault.message)
        self._states[name] = state
        plugin: Facts = made.plugin.model_dump(mode="json")
        return told.evolve(plugin=plugin | {"state": name, "settings": made.settings})


def _steps(chain: Chain) -> Iterator[Vst3 | Chain]:
    """Plug-ins one by one, and the chains of what lies between them."""
    for is_hosted, group in groupby(chain.effects, key=lambda effect: isinstance(effect, Vst3)):
        effects: tuple[Effect, ...] = tuple(group)
        if not is_hosted:
            yield chain.evolve(effects=effects)
            continue
        yield from (effect for effect in effects if isinstance(effect, Vst3))
