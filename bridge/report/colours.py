"""The report's colours: computed in OKLCH, so that equal lightness looks equally light.

OKLab after B. Ottosson, "A perceptual color space for image processing" (2020).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from bridge.values import Role

Rgb = NDArray[np.float64]

ROLE_HUES: dict[Role, float] = {
    Role.VOCALS: 12,
    Role.BACKING_VOCALS: 345,
    Role.DRUMS: 78,
    Role.PERCUSSION: 98,
    Role.BASS: 258,
    Role.OTHER: 200,
    Role.GUITAR: 48,
    Role.PIANO: 285,
    Role.KEYBOARD: 272,
    Role.STRINGS: 122,
    Role.SYNTH: 308,
    Role.BRASS: 62,
    Role.WOODWINDS: 145,
    Role.FX: 328,
}
"""Degrees on the OKLCH hue circle."""

MASTER_HUES = (165.0, 300.0, 55.0, 230.0, 110.0)
"""Masters in their order; a sixth starts again."""

_OKLAB_TO_LMS = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def oklch_to_srgb(lightness: Rgb, chroma: Rgb, hue_degrees: Rgb) -> Rgb:
    """Colours as sRGB, shape (..., 3), 0 to 1; what lies outside the gamut is cut to its edge."""
    angle = np.radians(hue_degrees)
    lab = np.stack(np.broadcast_arrays(lightness, chroma * np.cos(angle), chroma * np.sin(angle)), axis=-1)
    linear = np.clip((lab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T, 0, 1)
    # IEC 61966-2-1, the sRGB transfer curve
    return np.asarray(
        np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055), np.float64
    )


def hex_colour(lightness: float, chroma: float, hue_degrees: float) -> str:
    """One colour as ``#rrggbb``."""
    rgb = oklch_to_srgb(np.array(lightness), np.array(chroma), np.array(hue_degrees))
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in rgb)


@cache
def heat_palette() -> tuple[tuple[int, int, int], ...]:
    """256 colours for levels: near black over violet and rose to pale amber, lightness rising evenly."""
    level = np.linspace(0, 1, 256)
    lightness = 0.17 + 0.77 * level
    hue = 278 + 172 * level**1.15  # past 360: violet, magenta, rose, orange, amber
    chroma = 0.03 + 0.145 * np.sin(np.pi * np.clip(level * 0.92 + 0.04, 0, 1)) ** 0.85
    rgb = np.rint(255 * oklch_to_srgb(lightness, chroma, hue)).astype(int)
    return tuple((int(red), int(green), int(blue)) for red, green, blue in rgb)


def role_class(role: Role | None) -> str:
    """The CSS class that gives its element the role's colour."""
    return f"role-{role.value}" if role is not None else "role-none"


def master_class(index: int) -> str:
    """The CSS class that gives its element a master's colour; index from 0."""
    return f"master-{index % len(MASTER_HUES)}"


def colour_rules(lightness: float, chroma: float) -> str:
    """CSS rules for all roles and masters at a lightness that suits a colour scheme."""
    hues = {role_class(role): hue for role, hue in ROLE_HUES.items()}
    hues |= {master_class(index): hue for index, hue in enumerate(MASTER_HUES)}
    return "".join(f".{name}{{--own:{hex_colour(lightness, chroma, hue)}}}" for name, hue in hues.items())
