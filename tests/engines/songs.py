"""Songs with known stems for the tests of separators, and how their separation is scored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.audio import Audio, Samples, read_audio, write_audio
from bridge.generate.composer import compose
from bridge.generate.suggest import random_spec
from bridge.protocols import Separator, no_progress
from bridge.values import FOUR_STEMS

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data" / "audio"


@dataclass(frozen=True)
class Song:
    """Stems of shape (roles, channels, frames); their sum is the mixture."""

    stems: Samples
    rate_hz: int

    @property
    def mixture(self) -> Samples:
        """The sum of the stems."""
        return np.asarray(self.stems.sum(axis=0), np.float32)


def composed(seed: int, duration_s: float) -> Song:
    """A composed song; nothing was fitted to seeds below 1000."""
    song = compose(random_spec(seed, duration_s=duration_s))
    return Song(np.stack([song.stem(role).samples for role in FOUR_STEMS]), song.truth.rate_hz)


def falcon() -> Song:
    """Six seconds of a real song with its stems, for measuring only."""
    parts = [read_audio(SHARED / "falcon69" / f"{role.value}.wav") for role in FOUR_STEMS]
    return Song(np.stack([part.samples for part in parts]), parts[0].rate_hz)


def separated(separator: Separator, mixture: Samples, rate_hz: int, folder: Path) -> Samples:
    """The four stems of a mixture, of shape (roles, channels, frames)."""
    folder.mkdir(parents=True, exist_ok=True)
    write_audio(folder / "mixture.wav", Audio(samples=mixture, rate_hz=rate_hz))
    stems = separator.separate(folder / "mixture.wav", folder, no_progress)
    return np.stack([read_audio(stems[role]).samples for role in FOUR_STEMS])


def sdr_db(truth: Samples, estimate: Samples) -> float:
    """Power of the truth over power of the error."""
    target, found = truth.astype(np.float64), estimate.astype(np.float64)
    return 10 * float(np.log10(np.square(target).sum() / np.square(target - found).sum()))


def si_sdr_db(truth: Samples, estimate: Samples) -> float:
    """The same, blind to level (Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019)."""
    target, found = truth.astype(np.float64).ravel(), estimate.astype(np.float64).ravel()
    nearest = target * (found @ target / (target @ target))
    return 10 * float(np.log10((nearest @ nearest) / np.square(nearest - found).sum()))


def gains_db(song: Song, stems: Samples) -> NDArray[np.float64]:
    """By how much SI-SDR each stem is nearer to its truth than the mixture; NaN where nobody plays."""
    gains = [
        si_sdr_db(truth, stem) - si_sdr_db(truth, song.mixture) if np.square(truth).mean() > 1e-9 else np.nan
        for truth, stem in zip(song.stems, stems, strict=True)
    ]
    return np.asarray(gains)
