"""The saturator: a soft curve, oversampled so that it makes harmonics and no aliases."""

from __future__ import annotations

import numpy as np

from bridge.audio import Samples
from bridge.dsp.envelopes import Delay
from bridge.dsp.oversample import Oversampler, factor_at
from bridge.dsp.processor import Figures, Processor, Wide, amplitude
from presets.chain import Saturator


class SaturatorProcessor(Processor):
    """``tanh(drive x) / drive``: small signals pass at unity, loud ones bend.

    What the curve adds to the signal is computed at 4 times the rate (2 times from 80 kHz on, the rate itself
    from 160 kHz on), brought down and added to the delayed input, weighted by ``mix``. So what is not bent
    stays as it is, and the oversampling filters touch the harmonics alone. Latency: 32 frames, none from
    160 kHz on.
    """

    def __init__(self, settings: Saturator, *, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        self._drive = np.float32(amplitude(settings.drive_db))
        self._mix = settings.mix
        self._output = amplitude(settings.output_db)
        factor = factor_at(rate_hz)
        self._oversampler = Oversampler(factor, channels) if factor > 1 else None
        self.latency_frames = Oversampler.latency_frames if factor > 1 else 0
        self._delay = Delay(self.latency_frames, channels)
        self._added_energy = self._energy = 0.0

    def figures(self) -> Figures:
        """Energy of what was added, in dB relative to the signal: how much it distorts."""
        if not self._added_energy or not self._energy:
            return {}
        return {"added_db": round(float(10 * np.log10(self._added_energy / self._energy)), 1)}

    def _work(self, x: Wide) -> Wide:
        added = self._added(x)
        made = self._delay(x)
        self._added_energy += float(np.vdot(added, added))
        self._energy += float(np.vdot(made, made))
        made = made + added
        made *= self._output
        return made

    def _added(self, x: Wide) -> Wide:
        narrow = x.astype(np.float32)
        if self._oversampler is None:
            bent = self._bend(narrow)
        else:
            bent = self._oversampler.down(self._bend(self._oversampler.up(narrow)))
        return bent.astype(np.float64) * self._mix

    def _bend(self, x: Samples) -> Samples:
        """What the curve adds to ``x``."""
        made: Samples = np.tanh(x * self._drive)
        made /= self._drive
        made -= x
        return made

    def _is_at_rest(self) -> bool:
        return self._delay.is_at_rest and (self._oversampler is None or self._oversampler.is_at_rest)
