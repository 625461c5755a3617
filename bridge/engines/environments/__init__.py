"""Heavy engines' environments: an interpreter and pinned packages for each, apart from all others.

Their pins exclude each other, and they are large: each is made when it is asked for, and deleted as a folder.
"""

from __future__ import annotations

from bridge.engines.environments.catalogue import Device, Engine, catalogue, engine_named
from bridge.engines.environments.installing import Installed, install, remove
from bridge.engines.environments.looking import Look, State, has_weights_of, look, state_of
from bridge.engines.environments.pip import HowFar, Told
from bridge.engines.environments.serving import python_of

__all__ = [
    "Device",
    "Engine",
    "HowFar",
    "Installed",
    "Look",
    "State",
    "Told",
    "catalogue",
    "engine_named",
    "has_weights_of",
    "install",
    "look",
    "python_of",
    "remove",
    "state_of",
]
