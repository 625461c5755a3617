"""Guitars: plucked strings with a body or an amplifier's voice."""

from __future__ import annotations

import numpy as np
from scipy import signal

from .tones import Draw, Tone, Wave, band, envelope, noise, plucked


def _two_planes(
    tone: Tone, draw: Draw, release_s: float, *, bright: float, t60_s: float, pick: float
) -> Wave:
    """A string swings in two planes a hair apart in pitch, one dying sooner."""
    frames = tone.frames(release_s)
    edge = min(1.0, bright * (0.45 + 0.7 * tone.velocity))
    first = plucked(
        tone.frequency_hz * 2 ** (-0.5 / 1200),
        frames,
        tone.rate_hz,
        draw,
        brightness=edge,
        t60_s=t60_s,
        pick=pick,
    )
    second = plucked(
        tone.frequency_hz * 2 ** (0.6 / 1200),
        frames,
        tone.rate_hz,
        draw,
        brightness=edge,
        t60_s=t60_s * 0.55,
        pick=pick,
    )
    return np.asarray(first + 0.6 * second, np.float32)


def _resonant(wave: Wave, rate_hz: int, peaks: tuple[tuple[float, float, float], ...]) -> Wave:
    """Adds resonances of a body: (frequency, quality, gain)."""
    body = wave.copy()
    for frequency_hz, quality, gain in peaks:
        b, a = signal.iirpeak(frequency_hz, quality, fs=rate_hz)
        body += np.asarray(signal.lfilter(b, a, wave), np.float32) * np.float32(gain)
    return body


def acoustic_guitar(tone: Tone, draw: Draw) -> Wave:
    """Steel strings over a wooden box."""
    release_s = 0.12
    string = _two_planes(tone, draw, release_s, bright=0.75, t60_s=4.5, pick=0.14)
    t = tone.times_s(release_s)
    scrape = band(noise(draw, len(t)) * np.exp(-t / 0.006), tone.rate_hz, 1500, 9000) * 0.25 * tone.velocity
    box = _resonant(string, tone.rate_hz, ((105, 4, 0.9), (205, 6, 0.7), (420, 5, 0.4)))
    return np.asarray((box + scrape) * envelope(tone, 0.0015, 1, 1, release_s), np.float32)


def clean_guitar(tone: Tone, draw: Draw) -> Wave:
    """An electric guitar by a clean amplifier."""
    release_s = 0.08
    string = _two_planes(tone, draw, release_s, bright=0.55, t60_s=5.0, pick=0.21)
    voiced = band(_resonant(string, tone.rate_hz, ((2600, 1.2, 0.9),)), tone.rate_hz, 90, 7000)
    return np.asarray(voiced * envelope(tone, 0.0015, 1, 1, release_s), np.float32)


def overdriven_guitar(tone: Tone, draw: Draw) -> Wave:
    """An electric guitar before its amplifier: the drive acts on the sum of its strings."""
    release_s = 0.07
    string = _two_planes(tone, draw, release_s, bright=0.7, t60_s=7.0, pick=0.12)
    return np.asarray(string * envelope(tone, 0.002, 1, 1, release_s), np.float32)
