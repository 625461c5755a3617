"""How near the delivered presets come to the chains they stand for, measured on the song itself.

Where a plug-in is installed, the loudest seconds of the stem go through each effect of its chain, ours and
the plug-in with the written preset, both with the same input. What comes out is compared.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bridge.audio import Audio, read_audio, write_audio
from bridge.config import Config
from bridge.dsp.rack import run
from bridge.engines.vst3 import PluginHost, Setup, installed_plugins, setup_of
from bridge.engines.vst3.words import Render
from bridge.errors import AudioError, EngineError
from bridge.measure.likeness import likeness
from bridge.protocols import Progress
from bridge.stages import roles
from bridge.stages.base import Inputs
from bridge.stages.presetting import UsedChain
from bridge.stages.twins import TWIN, Twin
from bridge.stages.views import load_view, loudest_start_s
from presets import MASTER, Chain, Effect, PluginPreset, Vst3, map_chain

HEARD_S = 4.0
SETTLING_S = 1.0
"""Heard before that, and not compared: detectors settle."""


def with_twins(
    chains: tuple[UsedChain, ...], inputs: Inputs, config: Config, folder: Path, progress: Progress
) -> tuple[UsedChain, ...]:
    """The chains, with ``twin`` in the report of each effect whose plug-in is installed.

    A plug-in that fails here is passed over: nothing that is delivered came from it.
    """
    there = {plugin.name: plugin.path for plugin in installed_plugins(config.vst3)}
    if not config.vst3.compares or not any(_mapped(used, there) for used in chains):
        return chains
    folder.mkdir()
    comparing = _Comparing(there, config, folder)
    try:
        made = []
        for number, used in enumerate(chains, start=1):
            made.append(_with_twins(used, dict(comparing.twins(used, inputs))))
            progress(number / len(chains))
        return tuple(made)
    finally:
        comparing.close()
        shutil.rmtree(folder, ignore_errors=True)


def _mapped(used: UsedChain, there: dict[str, Path]) -> dict[int, PluginPreset]:
    """The presets of effects that did something, by their place, whose plug-ins are installed."""
    return {
        preset.effect_index: preset
        for preset in map_chain(used.chain).presets
        if preset.plugin.name in there and preset.effect_index < len(used.effects)
    }


def _with_twins(used: UsedChain, twins: dict[int, Twin]) -> UsedChain:
    effects = [
        facts | {TWIN: twins[place].model_dump(mode="json")} if place in twins else facts
        for place, facts in enumerate(used.effects)
    ]
    return used.evolve(effects=tuple(effects))


class _Step(NamedTuple):
    """An effect of a chain on an excerpt."""

    made: Audio | None
    """What our effect made of it; None where that is a third-party plug-in that fails this time."""
    twin: Twin | None


class _Comparing:
    """Renders excerpts through plug-ins, in one host process as long as that lives.

    Masters share all of their chains but the limiter: what was measured once is not measured again.
    """

    def __init__(self, there: dict[str, Path], config: Config, folder: Path) -> None:
        self._there = dict(there)
        self._config = config
        self._folder = folder
        self._host: PluginHost | None = None
        self._known: dict[tuple[str, ...], _Step] = {}

    def twins(self, used: UsedChain, inputs: Inputs) -> Iterator[tuple[int, Twin]]:
        """Each mapped effect of a chain, by its place, with what was found."""
        mapped = _mapped(used, self._there)
        heard = _excerpt(used, inputs) if mapped else None
        if heard is None:
            return
        for place in range(max(mapped) + 1):
            step = self._step(used, place, mapped.get(place), heard)
            if step.made is None:
                return
            if step.twin is not None:
                yield place, step.twin
            heard = step.made

    def close(self) -> None:
        """End the host process."""
        if self._host is not None:
            self._host.close()
            self._host = None

    def _step(self, used: UsedChain, place: int, preset: PluginPreset | None, heard: Audio) -> _Step:
        so_far = (_kind(used), *(effect.model_dump_json() for effect in used.chain.effects[: place + 1]))
        if so_far not in self._known:
            made = self._through(used.chain.effects[place], heard)
            twin = self._twin(preset, heard, made) if preset is not None and made is not None else None
            self._known[so_far] = _Step(made, twin)
        return self._known[so_far]

    def _through(self, effect: Effect, heard: Audio) -> Audio | None:
        """Behind an effect of the chain; None where that is a third-party plug-in that fails this time."""
        if not isinstance(effect, Vst3):
            return run(Chain(name="Excerpt", role=MASTER, effects=(effect,)), heard)
        try:
            return self._rendered(setup_of(effect, self._config.vst3), heard, effect.input_db)
        except EngineError:
            self.close()
            return None

    def _twin(self, preset: PluginPreset, heard: Audio, made: Audio) -> Twin | None:
        name = preset.plugin.name
        if name not in self._there:
            return None
        file = self._folder / "preset.vstpreset"
        file.write_bytes(preset.to_vstpreset().to_bytes())
        try:
            theirs = self._rendered(Setup(plugin=self._there[name], preset=file), heard)
            return Twin(plugin=name, likeness=likeness(_settled(made), _settled(theirs)))
        except EngineError:
            self.close()  # the next one gets a process of its own
            del self._there[name]  # one that hangs would take its minute for each of its presets
            return None
        except AudioError:
            return None  # silence, such as behind a gate

    def _rendered(self, setup: Setup, heard: Audio, input_db: float = 0.0) -> Audio:
        source, target = self._folder / "in.wav", self._folder / "out.wav"
        write_audio(source, heard)
        self._host = self._host or PluginHost(self._config.vst3)
        self._host.render(Render(setup=setup, source=source, target=target, input_db=input_db))
        return read_audio(target)


def _excerpt(used: UsedChain, inputs: Inputs) -> Audio | None:
    """The loudest seconds of what the chain heard; None where they are silent or stereo is not theirs."""
    is_master = _kind(used) == MASTER
    role = f"{roles.DRY}/{used.subject}" if not is_master else roles.MIX
    path = inputs.path(role if inputs.has(role) else roles.SOURCE)
    view = load_view(inputs.path(f"{roles.VIEWS}/{roles.SOURCE if is_master else role}"))
    start_s = max(0.0, loudest_start_s(view, HEARD_S) - SETTLING_S)
    found = read_audio(path, round(start_s * view.rate_hz), round((HEARD_S + SETTLING_S) * view.rate_hz))
    return found if found.samples.any() and found.channels <= 2 else None


def _kind(used: UsedChain) -> str:
    """A stem's label, or "master" whatever its target."""
    return used.subject.partition("/")[0]


def _settled(audio: Audio) -> Audio:
    settling = min(audio.frames // 2, round(SETTLING_S * audio.rate_hz))
    return Audio(samples=audio.samples[:, settling:], rate_hz=audio.rate_hz)
