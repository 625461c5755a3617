"""What sustains: pads, strings, supersaw, plucks, leads and brass."""

from __future__ import annotations

import numpy as np

from .tones import Curve, Draw, Tone, Wave, band, envelope, noise, placed, saw_through_filter, spread


def pad(tone: Tone, draw: Draw) -> Wave:
    """A warm, wide chorus that swells in."""
    release_s = 0.5

    def warm(f: Curve) -> Curve:
        return np.asarray(
            (tone.frequency_hz / f) ** 0.95 / (1 + (f / (1600 + 2600 * tone.velocity)) ** 2) ** 0.7
        )

    return np.asarray(
        spread(tone, release_s, warm, 9, draw) * envelope(tone, 0.16, 2, 0.9, release_s), np.float32
    )


_WOOD = ((280, 0.7), (460, 0.8), (1100, 0.6), (2700, 1.0))
"""Where bodies of violins and violas resonate, and how much."""


def strings(tone: Tone, draw: Draw) -> Wave:
    """A string section: resonances of wooden bodies, bow noise, an attack that takes its time."""
    release_s = 0.3

    def bodies(f: Curve) -> Curve:
        wood = sum(gain * np.exp(-0.5 * (np.log2(f / hz) / 0.22) ** 2) for hz, gain in _WOOD)
        slope = (tone.frequency_hz / f) ** 0.85 / (1 + (f / (3400 + 3600 * tone.velocity)) ** 2) ** 0.6
        return np.asarray((0.9 + wood) * slope)

    attack_s = min(0.13, max(0.03, tone.held_s * 0.3))
    wave = spread(tone, release_s, bodies, 13, draw)
    hiss = band(np.stack([noise(draw, wave.shape[1]) for _ in range(2)]), tone.rate_hz, 1800, 8000)
    bow = hiss * np.float32(0.12 * np.sqrt((wave**2).mean()))
    return np.asarray((wave + bow) * envelope(tone, attack_s, 2, 0.92, release_s), np.float32)


def supersaw(tone: Tone, draw: Draw) -> Wave:
    """Seven saws out of tune over the whole width."""
    release_s = 0.12
    t = tone.times_s(release_s)
    cutoff = 3000 + (4000 + 8000 * tone.velocity) * np.exp(-t / 0.5)
    rows = saw_through_filter(tone, cutoff, (-17, -10, -4, 0, 5, 11, 16), draw)
    return np.asarray(placed(rows, 0.85) * envelope(tone, 0.005, 0.6, 0.7, release_s), np.float32)


def pluck(tone: Tone, draw: Draw) -> Wave:
    """A short synthetic pluck: a filter that shuts at once."""
    release_s = 0.15
    t = tone.times_s(release_s)
    cutoff = 500 + (2500 + 9000 * tone.velocity) * np.exp(-t / 0.1)
    rows = saw_through_filter(tone, cutoff, (-6, 6), draw, resonance=1.2)
    return np.asarray(placed(rows, 0.6) * envelope(tone, 0.002, 0.35, 0.25, release_s), np.float32)


def _vibrato(t: Curve, cents: float, draw: Draw) -> Curve:
    """A pitch factor that starts to sway after the note has settled."""
    depth = cents * np.clip((t - 0.18) / 0.25, 0, 1)
    return np.asarray(2 ** (depth / 1200 * np.sin(2 * np.pi * (5.4 * t + draw.random()))))


def lead(tone: Tone, draw: Draw) -> Wave:
    """A square and saw lead with vibrato."""
    release_s = 0.1
    t = tone.times_s(release_s)
    cutoff = 1800 + (2500 + 5000 * tone.velocity) * np.exp(-t / 0.4)
    bend = _vibrato(t, 18, draw)
    saws = saw_through_filter(tone, cutoff, (-7, 7), draw, bend=bend)
    square = saw_through_filter(tone, cutoff, (0.0,), draw, odd_only=True, bend=bend)
    rows = np.stack([saws[0], 0.8 * square[0], saws[1]])
    return np.asarray(placed(rows, 0.4) * envelope(tone, 0.008, 0.8, 0.8, release_s), np.float32)


def brass(tone: Tone, draw: Draw) -> Wave:
    """A section of horns: the filter opens with the breath."""
    release_s = 0.08
    t = tone.times_s(release_s)
    breath = np.clip(t / 0.06, 0, 1) * (0.75 + 0.25 * np.exp(-t / 0.2))
    cutoff = 450 + (1200 + 4200 * tone.velocity) * breath
    scoop = 2 ** (-0.35 / 12 * np.exp(-t / 0.025))
    rows = saw_through_filter(tone, cutoff, (-8, -2, 3, 8), draw, bend=_vibrato(t, 9, draw) * scoop)
    return np.asarray(placed(rows, 0.5) * envelope(tone, 0.022, 0.5, 0.8, release_s), np.float32)
