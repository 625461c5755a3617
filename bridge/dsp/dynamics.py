"""Compression: the linked gain computer, the compressor, and the de-esser."""

from __future__ import annotations

import numpy as np

from bridge.dsp.envelopes import (
    FallingMaximum,
    ReductionMeter,
    Smoother,
    gain_of,
    level_db,
    overshoot_db,
)
from bridge.dsp.filters import (
    BUTTERWORTH_Q,
    SosFilter,
    bandpass,
    cascade,
    highpass,
)
from bridge.dsp.processor import HIGHEST_SHARE, Figures, Processor, Wide, amplitude, linked_peak
from presets.chain import Compressor, DeEsser


class GainComputer:
    """Gain reduction in dB from a linked level, after Giannoulis, Massberg, Reiss (JAES 60(6), 2012).

    The level goes through the static curve with its soft knee first, then the reduction through the
    decoupled peak detector of their eq. 15: at once up and exponentially down with the release,
    smoothed by a one-pole with the attack. So a reduction reaches 63% after the attack and falls to 37% after
    the release.
    """

    def __init__(
        self,
        *,
        threshold_db: float,
        ratio: float,
        knee_db: float,
        attack_ms: float,
        release_ms: float,
        rate_hz: int,
        most_db: float = np.inf,
    ) -> None:
        self._curve = (threshold_db, ratio, knee_db)
        self._starts_at = amplitude(threshold_db - knee_db / 2)
        self._most_db = most_db
        self._release = FallingMaximum(release_ms * rate_hz / 1000)
        self._attack = Smoother(attack_ms * rate_hz / 1000)
        self.meter = ReductionMeter()

    def __call__(self, level: Wide) -> Wide:
        """The reduction (>= 0) for a block of linear levels, shape ``(frames,)``."""
        if self.is_at_rest and level.max() <= self._starts_at:
            reduction = np.zeros_like(level)
        else:
            wanted = np.minimum(overshoot_db(level_db(level), *self._curve), self._most_db)
            reduction = self._attack(self._release(wanted))
        self.meter.add(reduction, level)
        return reduction

    @property
    def is_at_rest(self) -> bool:
        """Whether the reduction has gone back to none."""
        return self._release.is_at_rest and self._attack.is_at_rest


class CompressorProcessor(Processor):
    """A feed-forward compressor, one gain for both channels, so that the image stands still. No latency.

    The level is the peak of the louder channel in dBFS, above ``sidechain_highpass_hz`` (12 dB an octave).
    ``mix`` below 1 adds the untouched signal: parallel compression.
    """

    def __init__(self, settings: Compressor, *, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        self._computer = GainComputer(
            threshold_db=settings.threshold_db,
            ratio=settings.ratio,
            knee_db=settings.knee_db,
            attack_ms=settings.attack_ms,
            release_ms=settings.release_ms,
            rate_hz=rate_hz,
        )
        self._makeup = amplitude(settings.makeup_db)
        self._mix = settings.mix
        corner_hz = settings.sidechain_highpass_hz
        sections = cascade(*([highpass(corner_hz, BUTTERWORTH_Q, rate_hz)] if corner_hz else []))
        self._sidechain = SosFilter(sections, channels)

    def figures(self) -> Figures:
        """Largest and mean gain reduction in dB, make-up and mix aside."""
        return self._computer.meter.figures()

    def _work(self, x: Wide) -> Wide:
        reduction = self._computer(linked_peak(self._sidechain(x)))
        gain = gain_of(reduction)
        gain *= self._makeup * self._mix
        gain += 1 - self._mix
        x *= gain
        return x

    def _is_at_rest(self) -> bool:
        return self._computer.is_at_rest and self._sidechain.is_at_rest


class DeEsserProcessor(Processor):
    """Turns down the highs while they pass the threshold, one gain for both channels. No latency.

    A second-order low-pass, band-pass and high-pass of one corner sum to the input (a state-variable split).
    Weighted by 1, the root of the gain and the gain, they are a high shelf whose depth follows the level of
    what lies above ``frequency_hz`` (24 dB an octave). While nothing is turned down the output is the input,
    bit by bit. A frequency above 0.45 of the rate leaves the whole de-esser out.
    """

    _ATTACK_MS = 1.0
    _RELEASE_MS = 50.0
    _KNEE_DB = 4.0

    def __init__(self, settings: DeEsser, *, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        self._is_left_out = settings.frequency_hz > HIGHEST_SHARE * rate_hz
        corner_hz = min(settings.frequency_hz, HIGHEST_SHARE * rate_hz)
        high = highpass(corner_hz, BUTTERWORTH_Q, rate_hz)
        self._listen = SosFilter(high, channels)
        self._high = SosFilter(high, channels)
        self._band = SosFilter(bandpass(corner_hz, BUTTERWORTH_Q, rate_hz), channels)
        self._computer = GainComputer(
            threshold_db=settings.threshold_db,
            ratio=settings.ratio,
            knee_db=self._KNEE_DB,
            attack_ms=self._ATTACK_MS,
            release_ms=self._RELEASE_MS,
            rate_hz=rate_hz,
            most_db=-settings.range_db,
        )

    def figures(self) -> Figures:
        """Largest and mean reduction of the highs in dB."""
        return self._computer.meter.figures()

    def _work(self, x: Wide) -> Wide:
        if self._is_left_out:
            return x
        high = self._high(x)
        reduction = self._computer(linked_peak(self._listen(high)))
        band = self._band(x)
        if not reduction.any():
            return x
        high *= 1 - gain_of(reduction)
        band *= 1 - gain_of(reduction / 2)
        x -= high
        x -= band
        return x

    def _is_at_rest(self) -> bool:
        filters_rest = self._high.is_at_rest and self._band.is_at_rest and self._listen.is_at_rest
        return filters_rest and self._computer.is_at_rest
