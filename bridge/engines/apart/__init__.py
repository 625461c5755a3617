"""Engines that run in an interpreter of their own: nothing that they do can end the job queue.

``host`` is our side: it starts the process, asks, waits no longer than is fair, and says whose fault it was.
``child`` is the other side, a script that needs nothing but Python; it loads a folder of the engine's own
code, which imports what that environment has and never ``bridge``. Audio travels by raw files, the rest as
lines of JSON. ``warm`` keeps processes between jobs.
"""

from __future__ import annotations

from bridge.engines.apart.host import Answer, EngineHost, Start
from bridge.engines.apart.warm import borrowed, close_all

__all__ = ["Answer", "EngineHost", "Start", "borrowed", "close_all"]
