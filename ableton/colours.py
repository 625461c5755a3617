"""The colours of stems in sessions: those of the report."""

from __future__ import annotations

from bridge.report.colours import ROLE_HUES, hex_colour
from bridge.values import Role

LIGHTNESS, CHROMA = 0.72, 0.135
"""In OKLCH; between those of the report's dark and light pages, since sessions have either ground."""


def colour_of(role: Role) -> str:
    """A role's colour as ``#rrggbb``."""
    return hex_colour(LIGHTNESS, CHROMA, ROLE_HUES[role])
