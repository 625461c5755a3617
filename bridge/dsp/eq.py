"""The equaliser: up to eight filters in a row, on both channels, or on the mid or the side alone."""

from __future__ import annotations

import numpy as np

from bridge.dsp.filters import (
    Sections,
    SosFilter,
    bell,
    butterworth_qs,
    cascade,
    high_shelf,
    highpass,
    low_shelf,
    lowpass,
)
from bridge.dsp.processor import HIGHEST_SHARE, Figures, Processor, Wide
from presets.chain import Eq, EqBand

_CHAIN_BUTTERWORTH_Q = 0.71
"""What chains write for Butterworth's 0.7071."""


class EqProcessor(Processor):
    """Filters of the Audio EQ Cookbook; bands above 0.45 of the rate are left out.

    ``channel="mid"`` or ``"side"`` filters (L+R)/2 or (L-R)/2 alone and leaves the other bit-exact. A mono
    signal is all mid: its side is empty and an equaliser on it does nothing. No latency.
    """

    def __init__(self, settings: Eq, *, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        self._sections = eq_sections(settings.bands, rate_hz)
        self._channel = "stereo" if channels == 1 and settings.channel == "mid" else settings.channel
        self._left_out = sum(band.frequency_hz > HIGHEST_SHARE * rate_hz for band in settings.bands)
        self._filter = SosFilter(self._sections, channels if self._channel == "stereo" else 1)

    def figures(self) -> Figures:
        """How many bands had to be left out, where any had."""
        return {"bands_left_out": float(self._left_out)} if self._left_out else {}

    def _work(self, x: Wide) -> Wide:
        if self._channel == "stereo":
            return self._filter(x)
        if self.channels == 2:
            _change_one(x, self._filter, sign=1.0 if self._channel == "mid" else -1.0)
        return x

    def _is_at_rest(self) -> bool:
        return self._filter.is_at_rest


def eq_sections(bands: tuple[EqBand, ...], rate_hz: int) -> Sections:
    """The biquads of all bands that fit below 0.45 of the rate, in order; shape ``(sections, 6)``."""
    fitting = (band for band in bands if band.frequency_hz <= HIGHEST_SHARE * rate_hz)
    return cascade(*(_band_sections(band, rate_hz) for band in fitting))


def eq_response_db(bands: tuple[EqBand, ...], rate_hz: int, frequencies_hz: Wide) -> Wide:
    """The gain in dB of the bands together at each frequency (0 to half the rate)."""
    from scipy.signal import sosfreqz

    sections = eq_sections(bands, rate_hz)
    if not len(sections):
        return np.zeros(len(frequencies_hz))
    _, response = sosfreqz(sections, worN=frequencies_hz, fs=rate_hz)
    return np.asarray(20 * np.log10(np.maximum(np.abs(response), 1e-10)), np.float64)


def _change_one(x: Wide, run: SosFilter, sign: float) -> None:
    """Filter the mid (sign 1) or side (sign -1) of ``x`` in place: only what changed is added."""
    part = (x[0] + sign * x[1]) / 2
    change = run(part[None])[0] - part
    x[0] += change
    x[1] += sign * change


def _band_sections(band: EqBand, rate_hz: int) -> Sections:
    if band.shape == "bell":
        return bell(band.frequency_hz, band.gain_db, band.q, rate_hz)
    if band.shape == "low_shelf":
        return low_shelf(band.frequency_hz, band.gain_db, band.q, rate_hz)
    if band.shape == "high_shelf":
        return high_shelf(band.frequency_hz, band.gain_db, band.q, rate_hz)
    return _pass_sections(band, rate_hz)


def _pass_sections(band: EqBand, rate_hz: int) -> Sections:
    """A Butterworth cascade; another q than 0.71 makes its sharpest section sharper or softer by as much."""
    design = highpass if band.shape == "highpass" else lowpass
    *qs, sharpest = butterworth_qs(band.slope_db_per_octave // 6)
    qs.append(sharpest * band.q / _CHAIN_BUTTERWORTH_Q)
    return cascade(*(design(band.frequency_hz, q, rate_hz) for q in qs))
