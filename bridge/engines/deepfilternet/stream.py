"""Cleaning a stream at 48 kHz: blocks of any size in; out, a little later, the same length, aligned."""

from __future__ import annotations

import numpy as np

from bridge.engines.deepfilternet.features import (
    BINS,
    DF_BINS,
    ERB_BANDS,
    HOP,
    Analysis,
    Features,
    Listener,
    Spectra,
    Synthesis,
    Wide,
)
from bridge.engines.deepfilternet.network import AROUND, LOOKAHEAD, Network

PIECE_HOPS = 100
"""Hops (10 ms) for one call of the network. Always the same, counted from the start: so the result cannot
depend on how the stream is cut into blocks, and memory stays flat."""


class CleaningStream:
    """One signal through the network, its state carried.

    ``feed`` takes float64 of shape ``(channels, frames)`` at 48 kHz and gives what is ready; ``finish`` gives
    the rest. In total that is as long as what was fed, and aligned to the sample.
    """

    def __init__(self, network: Network, channels: int) -> None:
        self._network = network
        self._state = network.first_state(channels)
        self._analysis, self._listener = Analysis(channels), Listener(channels)
        self._synthesis = Synthesis(channels)
        self._waiting = np.zeros((channels, 0))
        self._spectra = _nothing(channels, AROUND // 2)
        self._fed = self._given = 0
        self._early_hops = 1
        self._early_frames = LOOKAHEAD

    def feed(self, samples: Wide) -> Wide:
        """The next frames, any number; what they complete."""
        self._fed += samples.shape[1]
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        size = PIECE_HOPS * HOP
        made = []
        while self._waiting.shape[1] >= size:
            made.append(self._hear(self._waiting[:, :size]))
            self._waiting = self._waiting[:, size:]
        return self._given_of(made)

    def finish(self) -> Wide:
        """What is left. The last frames are heard with silence behind them."""
        channels, left = self._waiting.shape
        padded = np.zeros((channels, (left // HOP + 2) * HOP))
        padded[:, :left] = self._waiting
        made = [self._hear(padded), self._clean(_nothing(channels, LOOKAHEAD), _unheard(channels))]
        return self._given_of(made)

    def _hear(self, samples: Wide) -> Wide:
        """Whole hops through all of it."""
        spectra = self._analysis(samples)
        features = self._listener(spectra)
        early = min(self._early_frames, spectra.shape[1])
        self._early_frames -= early
        late = Features(erb=features.erb[:, early:], low=features.low[:, early:])
        return self._clean(spectra, late)

    def _clean(self, spectra: Spectra, features: Features) -> Wide:
        """The frames that these spectra and features complete, as samples."""
        known = np.concatenate([self._spectra, spectra], axis=1)
        self._spectra = known[:, -AROUND:]
        if not features.erb.shape[1]:
            return np.zeros((len(spectra), 0))
        cleaned, self._state = self._network(known, features, self._state)
        return self._synthesis(cleaned)

    def _given_of(self, made: list[Wide]) -> Wide:
        """Joined, without the hop by which the synthesis is late, and not past what was fed."""
        joined = np.concatenate([np.zeros((len(self._waiting), 0)), *made], axis=1)
        early = min(self._early_hops * HOP, joined.shape[1])
        self._early_hops -= early // HOP
        ready = joined[:, early : early + self._fed - self._given]
        self._given += ready.shape[1]
        return ready


def _nothing(channels: int, frames: int) -> Spectra:
    return np.zeros((channels, frames, BINS), np.complex128)


def _unheard(channels: int) -> Features:
    low = np.zeros((channels, LOOKAHEAD, DF_BINS), np.complex128)
    return Features(erb=np.zeros((channels, LOOKAHEAD, ERB_BANDS)), low=low)
