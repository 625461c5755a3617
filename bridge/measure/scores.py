"""How close an estimate comes to the truth: separation scores."""

from __future__ import annotations

import numpy as np

from bridge.audio import Samples
from bridge.errors import AudioError

MOST_DB = 150.0


def sdr_db(estimate: Samples, reference: Samples) -> float:
    """Signal to distortion ratio over all channels and frames: the reference's energy over the error's.

    Arrays of equal shape. From -150 to 150 dB; a silent reference gives -150, or 150 if the estimate is
    silent too. Raises AudioError where the shapes differ. (Global SDR as in the Music Demixing
    Challenge 2021, without its epsilon.)
    """
    truth, guess = _expect_same_shape(estimate, reference)
    return _ratio_db(_energy(truth), _energy(guess - truth))


def si_sdr_db(estimate: Samples, reference: Samples) -> float:
    """Scale-invariant SDR over all channels and frames: like ``sdr_db``, with the best gain on the reference.

    Le Roux et al. 2019, "SDR - half-baked or well done?", eq. 3 to 5; means are not removed.
    A silent estimate of a sound gives -150.
    """
    truth, guess = _expect_same_shape(estimate, reference)
    energy = _energy(truth)
    if energy > 0 and _energy(guess) == 0:
        return -MOST_DB
    target = truth * (float(np.dot(guess, truth)) / energy) if energy > 0 else truth
    return _ratio_db(_energy(target), _energy(guess - target))


def _expect_same_shape(
    estimate: Samples, reference: Samples
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    if estimate.shape != reference.shape:
        raise AudioError(
            f"The estimate's shape is {estimate.shape}, the reference's {reference.shape}; wanted the same. "
            "Cut both to one length."
        )
    return reference.astype(np.float64).reshape(-1), estimate.astype(np.float64).reshape(-1)


def _energy(signal: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(np.dot(signal, signal))


def _ratio_db(wanted: float, unwanted: float) -> float:
    if unwanted <= 0:
        return MOST_DB
    if wanted <= 0:
        return -MOST_DB
    return float(np.clip(10 * np.log10(wanted / unwanted), -MOST_DB, MOST_DB))
