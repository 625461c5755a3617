"""Pictures of pixels: spectrograms as PNG, and covers made small."""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray

from bridge.report.colours import heat_palette
from bridge.report.data import Picture

WIDTH_PX = 1000
HEIGHT_PX = 240
SHADES = 96
"""Levels that are told apart: fewer make the file smaller, and the eye sees no more."""
COVER_PX = 320
MAX_COVER_PIXELS = 40_000_000


def spectrogram_png(
    levels_db: NDArray[np.floating],
    *,
    floor_db: float = -90.0,
    ceiling_db: float = -10.0,
    width_px: int = WIDTH_PX,
    height_px: int = HEIGHT_PX,
) -> bytes:
    """A spectrogram as PNG with a palette, exactly ``width_px`` by ``height_px``.

    ``levels_db`` has shape (bins, times), the lowest frequency first, bins evenly spaced in log frequency.
    ``floor_db`` and below, -inf and NaN are the darkest colour. An empty matrix gives a dark picture.
    """
    from PIL import Image

    shares = (np.nan_to_num(levels_db, nan=floor_db, neginf=floor_db) - floor_db) / (ceiling_db - floor_db)
    if not shares.size:
        shares = np.zeros((1, 1))
    grey = np.rint(np.clip(shares, 0, 1)[::-1] * 255).astype(np.uint8)
    picture = Image.fromarray(grey).resize((width_px, height_px), Image.Resampling.BOX)
    steps = np.rint(np.asarray(picture, np.float64) / 255 * (SHADES - 1)).astype(np.uint8)
    coloured = Image.fromarray(steps, mode=None)
    coloured.putpalette(_shades())
    return _png(coloured)


def spectrogram_picture(levels_db: NDArray[np.floating], **options: float) -> Picture:
    """``spectrogram_png`` as a value of the report."""
    return Picture(mime="image/png", content=spectrogram_png(levels_db, **options))  # type: ignore[arg-type]


def cover_picture(content: bytes) -> Picture | None:
    """A cover of any size and format as a small square JPEG; None where it cannot be decoded or is enormous.

    Covers come from strangers' files, so a broken one is no error: the report then draws its own.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content)) as picture:
            warnings.simplefilter("ignore")
            if picture.width * picture.height > MAX_COVER_PIXELS:
                return None
            small = ImageOps.fit(picture.convert("RGB"), (COVER_PX, COVER_PX))
    except Exception:  # Pillow's decoders raise nearly anything on broken input
        return None
    out = io.BytesIO()
    small.save(out, "JPEG", quality=84)
    return Picture(mime="image/jpeg", content=out.getvalue())


def _shades() -> list[int]:
    places = np.rint(np.linspace(0, 255, SHADES)).astype(int)
    return [part for place in places for part in heat_palette()[int(place)]]


def _png(picture: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)  # type: ignore[attr-defined]
    return out.getvalue()
