"""A quick check-up before and after a treatment: did it do harm?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bridge.audio import Samples, open_audio
from bridge.measure import heard_channels
from bridge.measure.loudness import LoudnessMeter
from bridge.measure.meter import feed
from bridge.measure.spectrum import SpectrumMeter
from bridge.measure.survey import Survey
from bridge.protocols import Progress
from bridge.values import Value

AUDIBLE_BAND_DB = -50.0
"""Bands this far below the loudest one are left out when spectra are compared."""


class Checkup(Value):
    """What a treatment must not spoil."""

    loudness_lufs: float
    true_peak_dbtp: float
    crest_db: float
    """True peak over integrated loudness (PLR)."""
    band_db: tuple[float, ...]
    """Long-term spectrum in bands."""
    is_finite: bool
    is_silent: bool

    @classmethod
    def of(cls, seen: Survey) -> Checkup:
        """The check-up in a survey."""
        return cls(
            loudness_lufs=seen.loudness.integrated_lufs,
            true_peak_dbtp=seen.loudness.true_peak_dbtp,
            crest_db=seen.loudness.peak_to_loudness_lu,
            band_db=seen.spectrum.band_db,
            is_finite=seen.artefacts.broken_samples == 0,
            is_silent=seen.loudness.is_silent,
        )


class _Finite:
    """Whether all samples are numbers."""

    def __init__(self) -> None:
        self.is_finite = True

    def add(self, block: Samples) -> None:
        self.is_finite = self.is_finite and bool(np.isfinite(block.sum(dtype=np.float64)))


def check_up(path: Path, progress: Progress) -> Checkup:
    """Measure a file in one pass."""
    with open_audio(path) as reader:
        rate_hz, channels = reader.info.rate_hz, heard_channels(reader)
        loudness, spectrum = LoudnessMeter(rate_hz, channels), SpectrumMeter(rate_hz, channels)
        finite = _Finite()
        feed(reader, loudness, spectrum, finite, progress=progress)
    loud = loudness.result()
    return Checkup(
        loudness_lufs=loud.integrated_lufs,
        true_peak_dbtp=loud.true_peak_dbtp,
        crest_db=loud.peak_to_loudness_lu,
        band_db=spectrum.result().band_db,
        is_finite=finite.is_finite,
        is_silent=loud.is_silent,
    )


def harm_done(before: Checkup, after: Checkup, crest_loss_db: float, tone_shift_db: float) -> str:
    """Why a treatment did harm, as a sentence; "" where it did none."""
    if not after.is_finite:
        return "samples came out that are no numbers"
    if after.is_silent and not before.is_silent:
        return "it came out silent"
    lost_db = before.crest_db - after.crest_db
    if lost_db > crest_loss_db:
        return (
            f"it lowered the peaks over the loudness by {lost_db:.1f} dB; {crest_loss_db:.1f} dB is the limit"
        )
    shift_db = tone_shift(before, after)
    if shift_db > tone_shift_db:
        return f"it moved the tone by {shift_db:.1f} dB on average; {tone_shift_db:.1f} dB is the limit"
    return ""


def tone_shift(before: Checkup, after: Checkup) -> float:
    """Mean absolute difference of two long-term spectra in dB, their overall level apart."""
    old, new = np.asarray(before.band_db), np.asarray(after.band_db)
    heard = old > old.max() + AUDIBLE_BAND_DB
    difference = (new - old)[heard]
    return float(np.mean(np.abs(difference - np.median(difference)))) if heard.any() else 0.0
