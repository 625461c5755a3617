"""Colours of Live's theme that the device uses, by the names that Max gives them.

Objects name the theme's colour, so that the device follows whatever theme is chosen. The values here are what
is saved beside the names, and what pictures are drawn with: near Live's own, in a light and a dark theme.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Colour = tuple[float, ...]
"""Red, green, blue and opacity, each 0 to 1."""


def _grey(level: float, opacity: float = 1.0) -> Colour:
    return (level, level, level, opacity)


_AMBER: Final = (1.0, 0.68, 0.2, 1.0)
_BLUE: Final = (0.43, 0.84, 1.0, 1.0)
_RED: Final = (1.0, 0.43, 0.4, 1.0)

LIGHT: Final[Mapping[str, Colour]] = MappingProxyType(
    {
        "live_surface_bg": _grey(0.66),
        "live_control_fg": _grey(0.07),
        "live_control_selection": _AMBER,
        "live_lcd_bg": _grey(0.14),
        "live_lcd_control_fg": _BLUE,
        "live_lcd_control_fg_zombie": _grey(0.65),
        "live_display_scale_text": _grey(0.81, 0.3),
        "live_active_automation": _RED,
    }
)
DARK: Final[Mapping[str, Colour]] = MappingProxyType(
    {
        **LIGHT,
        "live_surface_bg": _grey(0.21),
        "live_control_fg": _grey(0.8),
        "live_lcd_bg": _grey(0.1),
    }
)
