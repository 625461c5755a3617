"""Heavy engines' environments: an interpreter and pinned packages for each, apart from all others.

Their pins exclude each other, and they are large: each is made when it is asked for, and deleted as a folder.
"""

from __future__ import annotations

from bridge.engines.environments.catalogue import Engine, catalogue, engine_named
from bridge.engines.environments.serving import python_of

__all__ = ["Engine", "catalogue", "engine_named", "python_of"]
