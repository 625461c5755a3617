"""The cover picture of a song."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Self

from bridge.values import Value

COVER_BYTES = 2_000_000
"""A JPEG or PNG up to here is taken as it is: every delivered file carries a copy."""
COVER_PIXELS = 1_400
"""Greatest width and height of a cover that had to be made smaller."""
_MOST_PIXELS = 60_000_000
_MOST_BYTES = 64_000_000
_MIMES = {"JPEG": "image/jpeg", "PNG": "image/png"}
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png"}


class Cover(Value):
    """A JPEG or PNG of at most ``COVER_BYTES``."""

    data: bytes
    mime: str

    @property
    def suffix(self) -> str:
        """The suffix of a file that holds it: ".jpg" or ".png"."""
        return _SUFFIXES[self.mime]

    @classmethod
    def of(cls, data: bytes) -> Self | None:
        """The cover in a picture's bytes; None where they are no whole picture.

        A JPEG or PNG of up to 2 MB passes untouched. Others become a JPEG of at most 1,400 pixels a side.
        Pictures of more than 60 megapixels or 64 MB are left out.
        """
        try:
            return cls._of(data) if 0 < len(data) <= _MOST_BYTES else None
        except (
            Exception
        ):  # a stranger's bytes may break a decoder in any way; the song matters, not its cover
            return None

    @classmethod
    def _of(cls, data: bytes) -> Self | None:
        from PIL import Image

        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                return None
            kind = picture.format or ""
            picture.load()  # raises where bytes are missing
            if kind in _MIMES and len(data) <= COVER_BYTES:
                return cls(data=data, mime=_MIMES[kind])
            small = picture.convert("RGB")
        small.thumbnail((COVER_PIXELS, COVER_PIXELS))
        out = io.BytesIO()
        small.save(out, "JPEG", quality=88)
        return cls(data=out.getvalue(), mime="image/jpeg") if out.tell() <= COVER_BYTES else None

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The cover in a file; None where it holds no whole picture, OSError where it cannot be read."""
        return cls.of(path.read_bytes())
