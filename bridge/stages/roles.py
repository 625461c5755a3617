"""How assets are called between stages: ``kind/name``, such as ``dry/vocals`` or ``master/streaming``."""

from __future__ import annotations

from collections.abc import Iterable

from bridge import stemset
from bridge.values import Asset, Role

SONG = "song"
SOURCE = "source"
COVER = "cover"
VIEWS = "views"
MIX = "mix"
STEM = "stem"
SEPARATED = "separated"
DRY = "dry"
MIXED = "mixed"
MASTER = "master"
STATE = "state"
"""A third-party plug-in's state, as a preset."""


def of_kind(assets: Iterable[Asset], kind: str) -> tuple[Asset, ...]:
    """The assets whose role is ``kind/...``: stems in the order of ``Role``, others as they come."""
    found = [asset for asset in assets if asset.role.startswith(f"{kind}/")]
    return tuple(sorted(found, key=lambda asset: tuple(Role).index(role_of(label(asset)))))


def label(asset: Asset) -> str:
    """The name after the kind: "vocals", "synth 2", "streaming"."""
    return asset.role.partition("/")[2]


def renamed(assets: Iterable[Asset], kind: str) -> tuple[Asset, ...]:
    """The same files under another kind."""
    return tuple(asset.evolve(role=f"{kind}/{label(asset)}") for asset in assets)


def role_of(stem_label: str) -> Role:
    """The role of a stem's label: "Synth 2" is a synth, what is not known is other."""
    return stemset.role_of(stem_label) or Role.OTHER
