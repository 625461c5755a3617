"""A quick check-up before and after a treatment: did it do harm?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bridge.audio import open_audio
from bridge.measure.artefacts import ArtefactMeter
from bridge.measure.loudness import LoudnessMeter
from bridge.measure.meter import feed, heard_channels
from bridge.measure.spectrum import SpectrumMeter
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
    bands_db: tuple[float, ...]
    """Long-term spectrum in bands."""
    bad_samples: int
    is_silent: bool


def check_up(path: Path, progress: Progress) -> Checkup:
    """Measure a file in one pass."""
    with open_audio(path) as reader:
        rate_hz, channels = reader.info.rate_hz, heard_channels(reader)
        loudness, spectrum = LoudnessMeter(rate_hz, channels), SpectrumMeter(rate_hz, channels)
        flaws = ArtefactMeter(rate_hz, channels)
        feed(reader, loudness, spectrum, flaws, progress=progress)
    loud = loudness.result()
    return Checkup(
        loudness_lufs=loud.integrated_lufs,
        true_peak_dbtp=loud.true_peak_dbtp,
        crest_db=loud.peak_to_loudness_lu,
        bands_db=spectrum.result().bands_db,
        bad_samples=flaws.result().nonfinite_samples,
        is_silent=loud.is_silent,
    )


def is_changed_too_much(before: Checkup, after: Checkup, crest_loss_db: float, tone_shift_db: float) -> str:
    """Why a treatment did harm, as a sentence; "" where it did none."""
    if after.bad_samples:
        return f"{after.bad_samples} samples came out as no numbers"
    if after.is_silent and not before.is_silent:
        return "it came out silent"
    lost_db = before.crest_db - after.crest_db
    if lost_db > crest_loss_db:
        return f"it took {lost_db:.1f} dB of the peaks' height over the loudness; {crest_loss_db:.1f} dB is the limit"
    shift_db = tone_shift(before, after)
    if shift_db > tone_shift_db:
        return f"it moved the tone by {shift_db:.1f} dB on average; {tone_shift_db:.1f} dB is the limit"
    return ""


def tone_shift(before: Checkup, after: Checkup) -> float:
    """Mean absolute difference of two long-term spectra in dB, their overall level apart."""
    old, new = np.asarray(before.bands_db), np.asarray(after.bands_db)
    heard = old > old.max() + AUDIBLE_BAND_DB
    difference = (new - old)[heard]
    return float(np.mean(np.abs(difference - np.median(difference)))) if heard.any() else 0.0
