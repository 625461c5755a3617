"""Songs that several tests look at, composed once."""

from __future__ import annotations

import pytest

from bridge.generate import ComposedSong, SongSpec, Style, compose


@pytest.fixture(scope="session")
def songs() -> dict[Style, ComposedSong]:
    """Nine seconds of every style, sung, in keys a fifth apart."""
    keys = ("A minor", "E minor", "D major", "G major")
    return {
        style: compose(SongSpec(style=style, key=keys[seed % 4], duration_s=9.0, seed=seed))
        for seed, style in enumerate(Style)
    }


@pytest.fixture(params=list(Style), ids=[style.value for style in Style])
def song(request: pytest.FixtureRequest, songs: dict[Style, ComposedSong]) -> ComposedSong:
    """Each of them in turn."""
    return songs[request.param]
