"""Demucs v4, in an interpreter of its own: the separators that the field trusts, without their losses.

``engine`` is the separator, ``networks`` says which files make a model, ``raw`` carries audio there and back.
``inside`` runs in Demucs' own interpreter and imports nothing of ours.
"""

from __future__ import annotations

from bridge.engines.demucs.engine import (
    DemucsLocal,
    DemucsSeparator,
    HDemucsMmi,
    HTDemucs,
    HTDemucs6s,
    HTDemucsFt,
    Look,
    look,
    make_repository,
)

__all__ = [
    "DemucsLocal",
    "DemucsSeparator",
    "HDemucsMmi",
    "HTDemucs",
    "HTDemucs6s",
    "HTDemucsFt",
    "Look",
    "look",
    "make_repository",
]
