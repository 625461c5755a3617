"""The rack: the processors of a chain, in order, over audio of any length."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field

from bridge.audio import Audio, Samples
from bridge.dsp.dynamics import CompressorProcessor, DeEsserProcessor
from bridge.dsp.eq import EqProcessor
from bridge.dsp.gain import GainProcessor
from bridge.dsp.gate import GateProcessor
from bridge.dsp.limiter import LimiterProcessor
from bridge.dsp.multiband import MultibandProcessor
from bridge.dsp.processor import Figures, Processor
from bridge.dsp.saturate import SaturatorProcessor
from bridge.dsp.stereo import StereoWidthProcessor
from bridge.dsp.stream import process_audio, process_file
from bridge.dsp.transients import TransientShaperProcessor
from bridge.protocols import Progress, no_progress
from bridge.values import Facts, Value
from presets.chain import Chain, Effect, Limiter

_PROCESSORS: dict[str, Callable[..., Processor]] = {
    "eq": EqProcessor,
    "compressor": CompressorProcessor,
    "multiband": MultibandProcessor,
    "gate": GateProcessor,
    "transient_shaper": TransientShaperProcessor,
    "de_esser": DeEsserProcessor,
    "saturator": SaturatorProcessor,
    "stereo_width": StereoWidthProcessor,
    "gain": GainProcessor,
}


class EffectReport(Value):
    """What one effect of a chain did."""

    kind: str
    name: str = ""
    reason: str = ""
    figures: Figures = Field(default_factory=dict)
    """For example ``{"max_gain_reduction_db": 4.2, "mean_gain_reduction_db": 1.1}``."""
    left_out: str = ""
    """Why it did nothing: of a third-party plug-in that failed."""
    plugin: Facts = Field(default_factory=dict)
    """A third-party plug-in as it tells of itself."""


class RackReport(Value):
    """What a chain did to a signal."""

    chain: str
    frames: int
    effects: tuple[EffectReport, ...]


class Rack:
    """A chain as one processor: its effects in order, their latencies added up.

    ``process`` takes blocks like every processor; ``report`` tells what was done so far.
    """

    def __init__(self, chain: Chain, *, rate_hz: int, channels: int) -> None:
        self.rate_hz = rate_hz
        self.channels = channels
        self._chain = chain
        self._processors = [_processor(effect, rate_hz, channels) for effect in chain.effects]
        self.latency_frames = sum(processor.latency_frames for processor in self._processors)
        self._frames = 0

    def process(self, block: Samples) -> Samples:
        """The next frames: the same shape back, delayed by ``latency_frames``."""
        made = block.copy()
        for processor in self._processors:
            made = processor.process(made)
        self._frames += block.shape[1]
        return made

    def report(self) -> RackReport:
        """What each effect did so far."""
        pairs = zip(self._chain.effects, self._processors, strict=True)
        effects = tuple(_report(effect, processor) for effect, processor in pairs)
        frames = max(0, self._frames - self.latency_frames)
        return RackReport(chain=self._chain.name, frames=frames, effects=effects)


def build(chain: Chain, rate_hz: int, channels: int) -> Rack:
    """A fresh rack for a chain. AudioError for a rate outside 8 to 192 kHz or other than 1 or 2 channels."""
    return Rack(chain, rate_hz=rate_hz, channels=channels)


def run(chain: Chain, audio: Audio) -> Audio:
    """``audio`` through ``chain``: the same rate, channels and length, in time with the input.

    Silence stays silence; no frames give no frames.

    >>> import numpy as np
    >>> tone = Audio(samples=np.full((1, 4), 0.5, np.float32), rate_hz=44_100)
    >>> run(Chain(name="As it is", role="bass"), tone).samples.tolist()
    [[0.5, 0.5, 0.5, 0.5]]
    """
    return process_audio(build(chain, audio.rate_hz, audio.channels), audio)


def run_file(source: Path, target: Path, chain: Chain, *, progress: Progress = no_progress) -> RackReport:
    """``source`` through ``chain`` into ``target``, a float32 WAV of the same rate, channels and length.

    Equal to ``run`` on the same audio; memory does not grow with the length. Raises AudioError where the
    source cannot be read or has more than two channels, or the target cannot be written.
    """
    rack = process_file(
        source, target, lambda rate_hz, channels: build(chain, rate_hz, channels), progress=progress
    )
    return rack.report()


def _processor(effect: Effect, rate_hz: int, channels: int) -> Processor:
    if isinstance(effect, Limiter):
        settings: dict[str, Any] = effect.model_dump(include={"ceiling_dbtp", "gain_db", "release_ms"})
        return LimiterProcessor(**settings, rate_hz=rate_hz, channels=channels)
    return _PROCESSORS[effect.kind](effect, rate_hz=rate_hz, channels=channels)


def _report(effect: Effect, processor: Processor) -> EffectReport:
    return EffectReport(kind=effect.kind, name=effect.name, reason=effect.reason, figures=processor.figures())
