"""The same song in every coded format."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audio.support import CODED, FRAMES, RATE_HZ
from tests.encoded_media import encode, song


@pytest.fixture(scope="package")
def coded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of each coded format, all of the same song."""
    folder = tmp_path_factory.mktemp("coded")
    made = {
        name: encode(folder / name, song(FRAMES, rate), rate, codec=codec, packing=packing)
        for name, (codec, packing, rate, _) in CODED.items()
    }
    import soundfile

    made["vorbis.ogg"] = folder / "vorbis.ogg"
    soundfile.write(made["vorbis.ogg"], song(FRAMES).T, RATE_HZ, format="OGG", subtype="VORBIS")
    return made
