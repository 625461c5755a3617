"""Keys: piano, electric piano, organ and bell."""

from __future__ import annotations

import numpy as np

from .tones import Draw, Tone, Wave, band, envelope, modes, noise


def piano(tone: Tone, draw: Draw) -> Wave:
    """Stiff strings in pairs, struck: partials by velocity, higher ones shorter; (2, frames)."""
    release_s = 0.16
    frames = tone.frames(release_s)
    k = np.arange(1, min(42, int(13_000 / tone.frequency_hz)) + 1)
    stiff = 1.2e-4 * 2 ** ((tone.pitch - 48) / 8.0)
    f = tone.frequency_hz * k * np.sqrt((1 + stiff * k**2) / (1 + stiff))
    edge_hz = (1000 + 4800 * tone.velocity**1.5) * 2 ** ((tone.pitch - 60) / 36)
    amplitudes = (0.35 + np.abs(np.sin(np.pi * k / 8.3))) / k**0.55 / (1 + (f / edge_hz) ** 2) ** 0.8
    t60 = 7.5 * 2 ** (-(tone.pitch - 48) / 16) / (1 + (f / 2200) ** 0.9)
    t = tone.times_s(release_s)
    thump = band(noise(draw, frames) * np.exp(-t / 0.018), tone.rate_hz, 90, 1800) * 0.35 * tone.velocity
    rows = [
        modes(f * 2 ** (cents / 1200), t60, amplitudes, draw.random(len(k)) * 2.0, frames, tone.rate_hz)
        for cents in (-0.7, 0.8)
    ]
    sides = np.stack([rows[0] + 0.75 * rows[1], rows[1] + 0.75 * rows[0]]) + 0.5 * thump
    return np.asarray(sides * envelope(tone, 0.0025, 1, 1, release_s), np.float32)


def electric_piano(tone: Tone, draw: Draw) -> Wave:
    """A tine and a bar by frequency modulation, brighter when struck hard, gently panned to and fro."""
    release_s = 0.18
    t = tone.times_s(release_s)
    cycles = 2 * np.pi * tone.frequency_hz * t
    index = (0.35 + 1.5 * tone.velocity**1.5) * np.exp(-t / 0.5) + 0.15
    bar = np.sin(cycles + index * np.sin(cycles))
    tine = np.sin(14 * cycles) if tone.frequency_hz * 14 < 0.45 * tone.rate_hz else np.zeros_like(t)
    chime = np.sin(cycles + 0.9 * tone.velocity * np.exp(-t / 0.05) * tine)
    decay_s = 2.6 * 2 ** (-(tone.pitch - 60) / 24)
    wave = (0.75 * bar + 0.35 * chime) * np.exp(-t / decay_s) * envelope(tone, 0.0025, 1, 1, release_s)
    sway = 0.22 * np.sin(2 * np.pi * 4.6 * t)
    return np.asarray(np.stack([wave * (1 + sway), wave * (1 - sway)]), np.float32)


def organ(tone: Tone, draw: Draw) -> Wave:
    """Drawbars with a key click, a rotor's slow beating between the sides."""
    release_s = 0.05
    frames = tone.frames(release_s)
    ratios = np.array([0.5, 1.5, 1, 2, 3, 4, 6, 8])
    levels = np.array([0.6, 0.3, 1.0, 0.7, 0.35, 0.4, 0.15, 0.2])
    rows = [
        modes(
            tone.frequency_hz * ratios * (1 + beat), 1e6, levels, draw.random(8) * 6.28, frames, tone.rate_hz
        )
        for beat in (-0.0009, 0.0009)
    ]
    t = tone.times_s(release_s)
    click = band(noise(draw, frames) * np.exp(-t / 0.004), tone.rate_hz, 1000, 8000) * 0.12
    sides = np.stack([rows[0] + 0.4 * rows[1], rows[1] + 0.4 * rows[0]]) + click
    return np.asarray(sides * envelope(tone, 0.006, 1, 1, release_s), np.float32)


def bell(tone: Tone, draw: Draw) -> Wave:
    """A struck bar: few partials far apart, long fundamental."""
    release_s = 0.6
    frames = tone.frames(release_s)
    ratios = np.array([1.0, 2.003, 3.98, 5.4, 9.2, 13.3])
    levels = np.array([1.0, 0.25, 0.5, 0.18, 0.22, 0.08]) * np.array([1, 1, 1, *[0.3 + tone.velocity] * 3])
    t60 = np.array([3.2, 1.9, 1.1, 0.7, 0.35, 0.2]) * 2 ** (-(tone.pitch - 72) / 20)
    rows = [
        modes(tone.frequency_hz * ratios * (1 + shift), t60, levels, draw.random(6), frames, tone.rate_hz)
        for shift in (-0.0006, 0.0006)
    ]
    t = tone.times_s(release_s)
    mallet = band(noise(draw, frames) * np.exp(-t / 0.004), tone.rate_hz, 2000, 10_000) * 0.15 * tone.velocity
    return np.asarray((np.stack(rows) + mallet) * envelope(tone, 0.0015, 1, 1, release_s), np.float32)
