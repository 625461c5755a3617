"""How a song is called in what the door tells."""

from __future__ import annotations

from bridge.service.songs import SONG_SUFFIXES


def title_of(name: str) -> str:
    """A song's name without the ending of its file; a folder of stems has none.

    >>> [title_of(name) for name in ("Night Drive.wav", "Song No. 5", "Stems.ZIP", ".wav")]
    ['Night Drive', 'Song No. 5', 'Stems', '.wav']
    """
    base, dot, last = name.rpartition(".")
    return base if base and dot + last.lower() in SONG_SUFFIXES else name
