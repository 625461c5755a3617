"""More than two channels mixed to two."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bridge.audio.values import Samples

_HALF_POWER = float(np.sqrt(0.5))
# ITU-R BS.775-4, table 2: centre and surrounds at -3 dB; a single rear centre at -6 dB to each side; no LFE
_GAINS: dict[str, tuple[float, float]] = {
    "FL": (1, 0),
    "FR": (0, 1),
    "FC": (_HALF_POWER, _HALF_POWER),
    "LFE": (0, 0),
    "BL": (_HALF_POWER, 0),
    "BR": (0, _HALF_POWER),
    "FLC": (1, 0),
    "FRC": (0, 1),
    "BC": (0.5, 0.5),
    "SL": (_HALF_POWER, 0),
    "SR": (0, _HALF_POWER),
}
_SPEAKERS = tuple(_GAINS)
"""In the order of their bits in a WAVE channel mask, which is also FFmpeg's channel order."""

_LAYOUTS: dict[str, str] = {
    "mono": "FC",
    "stereo": "FL FR",
    "2.1": "FL FR LFE",
    "3.0": "FL FR FC",
    "3.0(back)": "FL FR BC",
    "3.1": "FL FR FC LFE",
    "4.0": "FL FR FC BC",
    "quad": "FL FR BL BR",
    "quad(side)": "FL FR SL SR",
    "4.1": "FL FR FC LFE BC",
    "5.0": "FL FR FC BL BR",
    "5.0(side)": "FL FR FC SL SR",
    "5.1": "FL FR FC LFE BL BR",
    "5.1(side)": "FL FR FC LFE SL SR",
    "6.0": "FL FR FC BC SL SR",
    "6.1": "FL FR FC LFE BC SL SR",
    "6.1(back)": "FL FR FC LFE BL BR BC",
    "7.0": "FL FR FC BL BR SL SR",
    "7.1": "FL FR FC LFE BL BR SL SR",
    "7.1(wide)": "FL FR FC LFE BL BR FLC FRC",
    "7.1(wide-side)": "FL FR FC LFE FLC FRC SL SR",
    "octagonal": "FL FR FC BL BR BC SL SR",
}


def layout_of_mask(mask: int, channels: int) -> str:
    """FFmpeg's name of the layout with that WAVE channel mask; "" where the mask names none."""
    speakers = " ".join(name for bit, name in enumerate(_SPEAKERS) if mask >> bit & 1)
    if mask.bit_count() != channels or mask >> len(_SPEAKERS):
        return ""
    return next((layout for layout, named in _LAYOUTS.items() if named == speakers), "")


def fold_to_stereo(samples: Samples, layout: str) -> Samples:
    """Mix more than two channels of shape ``(channels, frames)`` to two; one or two pass untouched.

    A named surround layout is mixed by ITU-R BS.775-4 table 2 (centre and surrounds at -3 dB, no LFE);
    an unnamed one is folded by turns and scaled to keep the power of uncorrelated channels. The sum may
    pass 0 dBFS: it is float, and nothing is rescaled.
    """
    channels = samples.shape[0]
    if channels <= 2:
        return samples
    return np.asarray(_matrix(channels, layout) @ samples, np.float32)


def _matrix(channels: int, layout: str) -> NDArray[np.float32]:
    speakers = _LAYOUTS.get(layout, "").split()
    if len(speakers) == channels:
        return np.asarray([_GAINS[speaker] for speaker in speakers], np.float32).T
    matrix = np.zeros((2, channels), np.float32)
    matrix[0, 0::2] = 1 / np.sqrt(len(range(0, channels, 2)))
    matrix[1, 1::2] = 1 / np.sqrt(len(range(1, channels, 2)))
    return matrix
