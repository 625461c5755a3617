"""The light separator's work on one part of a song, from samples to the stems' samples.

A part is a run of frames of the grid, analysed with all the context that its cues need, so the result
does not depend on how a song is cut into parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.engines.light_cues import CONTEXT, STRIDE, Powers, cues
from bridge.engines.light_grid import Grid, Spectra
from bridge.engines.light_masks import Evidence

Array = NDArray[np.float32]

FLOOR = 3e-6
"""Amplitude, of a full-scale sine's, below which a band counts as silent: -110 dB under the song's peak."""


@dataclass(frozen=True)
class Part:
    """Frames ``start`` to ``stop`` of a song of ``total`` frames."""

    start: int
    stop: int
    total: int

    @property
    def first(self) -> int:
        """First frame of the context."""
        return max(0, self.start - CONTEXT)

    @property
    def last(self) -> int:
        """First frame after the context."""
        return min(self.total, self.stop + CONTEXT)

    def span(self, grid: Grid) -> tuple[int, int]:
        """First sample that the part looks at, and how many; both may reach beyond the song."""
        return self.first * grid.hop - grid.lead, (self.last - self.first - 1) * grid.hop + grid.size

    @property
    def order(self) -> NDArray[np.int64]:
        """Which of the analysed frames stand where in part and context: beyond the song it is mirrored."""
        wanted = np.arange(self.start - CONTEXT, self.stop + CONTEXT)
        folded = np.mod(wanted, 2 * self.total)
        return np.where(folded < self.total, folded, 2 * self.total - 1 - folded) - self.first


def plan(total: int, length: int) -> list[Part]:
    """Cut ``total`` frames into parts of ``length``, rounded up to the stride of the cues."""
    step = max(STRIDE, -(-length // STRIDE) * STRIDE)
    return [Part(start, min(start + step, total), total) for start in range(0, total, step)]


def separate_part(samples: Array, part: Part, grid: Grid, evidence: Evidence, roles: int) -> list[Array]:
    """The first ``roles`` stems of a part, each (channels, (frames - 1) * hop + size).

    ``samples`` are those of the part's span, scaled to a peak of about 1.
    """
    spectra = grid.analyse(samples)
    masks = evidence.masks(cues(powers_of(spectra, part, grid)))
    inner = spectra[:, part.start - part.first : part.stop - part.first]
    return [grid.synthesise(inner * grid.spread(mask)) for mask in masks[:roles]]


def powers_of(spectra: Spectra, part: Part, grid: Grid) -> Powers:
    """What the cues of a part look at, from the spectra of its frames and their context."""
    left, right = spectra[0], spectra[-1]
    order = part.order
    return Powers(
        left=grid.pool(_power(left))[order],
        right=grid.pool(_power(right))[order],
        cross=grid.pool(_cross(left, right))[order],
        centres_hz=grid.centres_hz,
        floor=FLOOR * grid.size / np.pi,
    )


def _power(values: Spectra) -> Array:
    return values.real**2 + values.imag**2


def _cross(a: Spectra, b: Spectra) -> Array:
    return a.real * b.real + a.imag * b.imag
