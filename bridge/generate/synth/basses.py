"""Basses: plucked strings as modes, saws through a filter, driven sines."""

from __future__ import annotations

import numpy as np

from .tones import Curve, Draw, Tone, Wave, band, envelope, faded, modes, noise, saw_through_filter


def _plucked_bass(tone: Tone, draw: Draw, *, bright: float, t60_s: float, pick: float, noisy: float) -> Wave:
    """Slightly stiff harmonics, fewer and shorter for soft notes, and the finger's noise."""
    release_s = 0.06
    frames = tone.frames(release_s)
    k = np.arange(1, 36)
    f = tone.frequency_hz * k * np.sqrt((1 + 6e-5 * k**2) / (1 + 6e-5))
    edge_hz = bright * (0.35 + 0.75 * tone.velocity)
    amplitudes = np.abs(np.sin(np.pi * k * pick)) / k / (1 + (f / edge_hz) ** 2)
    amplitudes[0] *= 1.3
    t60 = t60_s / (1 + (f / (bright * 0.9)) ** 1.2) * (41 / max(tone.pitch, 20)) ** 0.5
    string = modes(f, t60, amplitudes, -np.pi / 2, frames, tone.rate_hz)
    t = tone.times_s(release_s)
    finger = (
        band(noise(draw, frames) * np.exp(-t / 0.012), tone.rate_hz, 300, 3500) * noisy * 0.12 * tone.velocity
    )
    return np.asarray((string + finger) * envelope(tone, 0.004, 1, 1, release_s), np.float32)


def finger_bass(tone: Tone, draw: Draw) -> Wave:
    """An electric bass played with fingers."""
    return _plucked_bass(tone, draw, bright=1300, t60_s=5.0, pick=0.17, noisy=1.0)


def pick_bass(tone: Tone, draw: Draw) -> Wave:
    """An electric bass played with a pick, a little driven."""
    clean = _plucked_bass(tone, draw, bright=2600, t60_s=4.5, pick=0.11, noisy=2.5)
    return faded(np.asarray(np.tanh(2.2 * clean) / 2.0, np.float32), tone.rate_hz, 0.004)


def upright_bass(tone: Tone, draw: Draw) -> Wave:
    """A double bass, plucked."""
    return _plucked_bass(tone, draw, bright=750, t60_s=2.2, pick=0.22, noisy=1.6)


def saw_bass(tone: Tone, draw: Draw) -> Wave:
    """Two saws and a sub-octave sine through a closing filter."""
    release_s = 0.05
    t = tone.times_s(release_s)
    peak_hz = 900 + 2600 * tone.velocity
    cutoff = 260 + peak_hz * np.exp(-t / 0.11)
    saws = saw_through_filter(tone, cutoff, (-5.0, 5.0), draw, resonance=1.1).sum(0)
    deep = np.sin(2 * np.pi * tone.frequency_hz * t)
    return np.asarray((0.5 * saws + 0.45 * deep) * envelope(tone, 0.003, 0.4, 0.75, release_s), np.float32)


def sub_bass(tone: Tone, draw: Draw) -> Wave:
    """A long sine with a falling start, driven for its overtones."""
    release_s = 0.09
    t = tone.times_s(release_s)
    fall_s = 0.018
    cycles = tone.frequency_hz * (t + 0.9 * fall_s * (1 - np.exp(-t / fall_s)))
    drive = 1.4 + 1.4 * tone.velocity
    swing = np.exp(-t / 1.6)
    wave = np.tanh(drive * swing * np.sin(2 * np.pi * cycles)) + 0.12 * swing * np.sin(4 * np.pi * cycles)
    click = band(noise(draw, len(t)) * np.exp(-t / 0.004), tone.rate_hz, 500, 3000) * 0.06
    return np.asarray((wave + click) * envelope(tone, 0.004, 1.0, 0.9, release_s), np.float32)


def reese_bass(tone: Tone, draw: Draw) -> Wave:
    """Saws far out of tune that beat against each other, over a steady sine."""
    release_s = 0.08
    t = tone.times_s(release_s)
    wobble: Curve = 500 + 700 * tone.velocity + 350 * np.sin(2 * np.pi * (0.7 * t + draw.random()))
    saws = saw_through_filter(tone, wobble, (-16.0, 0.0, 16.0), draw, resonance=0.9).sum(0)
    deep = np.sin(2 * np.pi * tone.frequency_hz * t)
    high = band(saws, tone.rate_hz, 110)
    return np.asarray((0.4 * high + 0.65 * deep) * envelope(tone, 0.006, 1.0, 0.9, release_s), np.float32)
