"""The tools of synthesis: modes, wavetables, spread spectra, strings, envelopes and noise.

All work on whole notes at once. Waves are float32; times and pitches are float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

Wave = NDArray[np.float32]
Curve = NDArray[np.float64]
Draw = np.random.Generator
TABLE = 4096
_T60 = np.log(1000.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """A note as a synthesiser sees it."""

    pitch: int
    held_s: float
    velocity: float
    """0 to 1."""
    rate_hz: int

    @property
    def frequency_hz(self) -> float:
        """Equal temperament, A4 = 440 Hz."""
        return float(440.0 * 2.0 ** ((self.pitch - 69) / 12))

    def frames(self, release_s: float) -> int:
        """Frames of the note with its release."""
        return int((self.held_s + release_s) * self.rate_hz)

    def times_s(self, release_s: float) -> Curve:
        """The time of each frame."""
        return np.arange(self.frames(release_s)) / self.rate_hz


def envelope(tone: Tone, attack_s: float, decay_s: float, sustain: float, release_s: float) -> Curve:
    """Raised-cosine attack, exponential decay to ``sustain``, squared release that ends at zero."""
    t = tone.times_s(release_s)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.clip(t / attack_s, 0, 1))
    body = sustain + (1 - sustain) * np.exp(-np.maximum(t - attack_s, 0) * 3 / decay_s)
    fall = np.clip((tone.held_s + release_s - t) / release_s, 0, 1) ** 2
    return np.asarray(rise * body * fall)


def modes(frequencies_hz: Any, t60_s: Any, amplitudes: Any, phases: Any, frames: int, rate_hz: int) -> Wave:
    """The sum of decaying sinusoids, as one matrix product of a coarse and a fine time grid.

    With z = exp(i w - d), z^(jM + m) = (z^M)^j z^m: N frames of K modes cost two real products of
    (N/M, K) by (K, M). Modes above 0.46 of the rate are left out.
    """
    f, t60, a, phi = np.broadcast_arrays(
        *(np.asarray(x, float) for x in (frequencies_hz, t60_s, amplitudes, phases))
    )
    keep = f < 0.46 * rate_hz
    log_z = (2j * np.pi * f[keep] - _T60 / np.maximum(t60[keep], 1e-3)) / rate_hz
    block = max(64, int(np.sqrt(frames)))
    fine = np.exp(log_z[:, None] * np.arange(block)).astype(np.complex64)
    starts = np.arange(-(-frames // block)) * block
    coarse = (a[keep] * np.exp(1j * phi[keep])) * np.exp(starts[:, None] * log_z)
    coarse = coarse.astype(np.complex64)
    wave = coarse.real @ fine.real - coarse.imag @ fine.imag
    return np.asarray(wave.ravel()[:frames], np.float32)


def ladder(
    frequency_hz: float, cutoffs_hz: Curve, rate_hz: int, resonance: float, odd_only: bool = False
) -> Wave:
    """One cycle of a saw (or square) through a 24 dB/octave low-pass, for each cut-off: a row each."""
    top = min(int(0.45 * rate_hz / frequency_hz), TABLE // 2 - 1)
    k = np.arange(1, max(top, 1) + 1)
    x = k[None, :] * frequency_hz / cutoffs_hz[:, None]
    gain = 1.0 / ((1 - x**2) ** 2 + (x / resonance) ** 2)
    spectrum = np.zeros((len(cutoffs_hz), TABLE // 2 + 1), complex)
    spectrum[:, 1 : len(k) + 1] = gain / k * (-0.5j * TABLE * 0.6)
    if odd_only:
        spectrum[:, 2::2] = 0
    return np.asarray(fft.irfft(spectrum, TABLE, axis=1), np.float32)


def swept(phase: Curve, tables: Wave, level: Curve) -> Wave:
    """Reads wavetables at ``phase`` (cycles), between rows by ``level`` (0 to rows - 1)."""
    place = (phase - np.floor(phase)) * TABLE
    index = place.astype(np.int32)
    part = (place - index).astype(np.float32)
    after = (index + 1) & (TABLE - 1)
    row = np.minimum(level.astype(np.int32), len(tables) - 2)
    share = (level - row).astype(np.float32)
    low = tables[row, index & (TABLE - 1)] * (1 - share) + tables[row + 1, index & (TABLE - 1)] * share
    high = tables[row, after] * (1 - share) + tables[row + 1, after] * share
    return np.asarray(low + (high - low) * part, np.float32)


def saw_through_filter(
    tone: Tone,
    cutoff_hz: Curve,
    detunes_cents: tuple[float, ...],
    draw: Draw,
    *,
    resonance: float = 0.75,
    odd_only: bool = False,
    bend: Curve | None = None,
) -> Wave:
    """Detuned oscillators through a moving low-pass: shape (voices, frames), one row each."""
    grid = np.geomspace(120.0, 0.45 * tone.rate_hz, 14)
    tables = ladder(tone.frequency_hz, grid, tone.rate_hz, resonance, odd_only)
    frames = len(cutoff_hz)
    level = np.interp(np.log(cutoff_hz), np.log(grid), np.arange(len(grid)))
    steps = np.arange(frames) / tone.rate_hz if bend is None else np.cumsum(bend) / tone.rate_hz
    rows = [
        swept(steps * tone.frequency_hz * 2 ** (cents / 1200) + draw.random(), tables, level)
        for cents in detunes_cents
    ]
    return np.stack(rows)


def spread(
    tone: Tone, release_s: float, profile: Callable[[Curve], Curve], width_cents: float, draw: Draw
) -> Wave:
    """A chorus of players: each harmonic a band of random phases, by one inverse FFT a channel.

    After N. O. Nasca's PADsynth. ``profile`` gives the amplitude at each harmonic's frequency.
    Returns (2, frames), the channels alike below 250 Hz and independent above.
    """
    frames = tone.frames(release_s)
    size = fft.next_fast_len(max(frames, tone.rate_hz // 2), real=True)
    f: Curve = np.arange(1.0, int(0.45 * tone.rate_hz / tone.frequency_hz) + 1.0) * tone.frequency_hz
    magnitude = _bands(f, profile(f), width_cents, size, tone.rate_hz)
    phases = draw.random((2, len(magnitude)), dtype=np.float32)
    shared = int(250 * size / tone.rate_hz)
    phases[1, :shared] = phases[0, :shared]
    bins = magnitude * np.exp(2j * np.pi * phases).astype(np.complex64)
    return np.asarray(fft.irfft(bins, size, axis=1)[:, :frames], np.float32)


def _bands(f: Curve, amplitudes: Curve, width_cents: float, size: int, rate_hz: int) -> Wave:
    magnitude = np.zeros(size // 2 + 1, np.float32)
    for centre, amplitude in zip(f * size / rate_hz, amplitudes, strict=True):
        sigma = max(centre * (2 ** (width_cents / 1200) - 1), 0.35)
        low, high = max(1, int(centre - 3 * sigma)), min(len(magnitude), int(centre + 3 * sigma) + 2)
        bins = np.arange(low, high)
        magnitude[low:high] += amplitude / np.sqrt(sigma) * np.exp(-0.5 * ((bins - centre) / sigma) ** 2)
    return magnitude * np.float32(np.sqrt(size) * 0.5)


def plucked(
    frequency_hz: float,
    frames: int,
    rate_hz: int,
    draw: Draw,
    *,
    brightness: float,
    t60_s: float,
    pick: float,
) -> Wave:
    """A plucked string after Karplus and Strong, period by period at once.

    The loop filter's gain at each harmonic, to the power of the period's number, is what the loop would have
    done by then: all periods come from one inverse FFT. They are read off at the exact pitch.
    """
    period = max(8, round(rate_hz / frequency_hz))
    rows = int(frames * frequency_hz / rate_hz) + 2
    k = np.arange(period // 2 + 1)
    f = k * frequency_hz
    loss = _T60 / (t60_s * frequency_hz) * (1 + (f / (900 + 5200 * brightness)) ** 1.3)
    excitation = np.exp(2j * np.pi * draw.random(len(k))) / (1 + (f / (700 + 6500 * brightness)) ** 2) ** 0.75
    excitation *= np.sin(np.pi * k * pick) / np.maximum(k, 1) ** 0.35
    excitation[0] = 0
    decay = np.exp(-loss[None, :] * np.arange(rows)[:, None])
    cycles = fft.irfft((excitation * decay).astype(np.complex64), 2 * period, axis=1).ravel()
    read = np.arange(frames) * (2 * period * frequency_hz / rate_hz)
    return np.asarray(np.interp(read, np.arange(len(cycles)), cycles), np.float32) * np.float32(period)


def band(
    wave: Any, rate_hz: int, low_hz: float | None = None, high_hz: float | None = None, order: int = 2
) -> Wave:
    """Butterworth high-pass and low-pass over the last axis; edges past 0.45 of the rate are left out."""
    found = np.asarray(wave)
    if low_hz:
        found = signal.sosfilt(signal.butter(order, low_hz, "highpass", fs=rate_hz, output="sos"), found)
    if high_hz and high_hz < 0.45 * rate_hz:
        found = signal.sosfilt(signal.butter(order, high_hz, "lowpass", fs=rate_hz, output="sos"), found)
    return np.asarray(found, np.float32)


def noise(draw: Draw, frames: int) -> Wave:
    """White noise of unit standard deviation."""
    return draw.standard_normal(frames, dtype=np.float32)


def faded(wave: Wave, rate_hz: int, out_s: float = 0.01) -> Wave:
    """The wave with its last moments taken down to zero, so that its end is no click."""
    frames = min(wave.shape[-1], max(2, int(out_s * rate_hz)))
    wave[..., -frames:] *= (0.5 + 0.5 * np.cos(np.linspace(0, np.pi, frames))).astype(np.float32)
    return wave


def placed(rows: Wave, width: float) -> Wave:
    """Unison rows over the stereo field, outer ones wide: (rows, frames) to (2, frames)."""
    angles = np.linspace(-1, 1, len(rows)) * width if len(rows) > 1 else np.zeros(1)
    gains = np.stack([np.cos((angles + 1) * np.pi / 4), np.sin((angles + 1) * np.pi / 4)])
    return np.asarray(gains.astype(np.float32) @ rows, np.float32)
