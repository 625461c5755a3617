"""Space: panning, width and a synthetic room."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import fft, signal

from .synth.tones import Curve, Draw, Wave, band

MONO_BELOW_HZ = 110.0
_BLOCK = 65_536


def pan_gains(pan: float) -> tuple[float, float]:
    """Left and right gain of constant power for -1 (left) to 1 (right)."""
    angle = (float(np.clip(pan, -1, 1)) + 1) * np.pi / 4
    return float(np.sqrt(2) * np.cos(angle)), float(np.sqrt(2) * np.sin(angle))


def panned(wave: Wave, pan: float) -> Wave:
    """Mono or stereo wave as stereo, moved to one side."""
    gains = np.array(pan_gains(pan), np.float32)[:, None]
    return np.asarray(np.atleast_2d(wave) * gains, np.float32)


def room(reverb_s: float, rate_hz: int, draw: Draw) -> Wave:
    """The impulse response of a room, shape (2, frames): early reflections, then noise that dies highs first.

    The channels share two fifths of the noise, so that the room sounds wide but not hollow.
    """
    frames = int(min(reverb_s * 0.9, 3.0) * rate_hz)
    t = np.arange(frames) / rate_hz
    shared = draw.standard_normal(frames)
    tail = np.stack([0.63 * shared + 0.77 * draw.standard_normal(frames) for _ in range(2)])
    low, high = band(tail, rate_hz, 250, 2500), band(tail, rate_hz, 2500, 9000)
    wave = low * np.exp(-6.9 * t / reverb_s) + 0.8 * high * np.exp(-6.9 * t / (0.55 * reverb_s))
    wave *= np.clip((t - 0.012) / 0.02, 0, 1) * np.clip((t[-1] - t) / (0.2 * t[-1]), 0, 1)
    wave = wave / np.sqrt((wave**2).sum(axis=1, keepdims=True))
    return np.asarray(wave + 0.5 * _early(frames, rate_hz, draw), np.float32)


def _early(frames: int, rate_hz: int, draw: Draw) -> Wave:
    taps = np.zeros((2, frames), np.float32)
    for index in range(7):
        at = int((0.007 + 0.009 * index + 0.004 * draw.random()) * rate_hz)
        if at < frames:
            taps[index % 2, at] = 0.45 * 0.8**index
    return band(taps, rate_hz, 200, 7000)


def convolved(wave: Wave, response: Wave) -> Wave:
    """Each channel with its response, cut to the wave's length: overlap-add by FFT, block by block."""
    taps = response.shape[1]
    size = fft.next_fast_len(_BLOCK + taps, real=True)
    spectrum = fft.rfft(response, size, axis=1)
    frames = wave.shape[1]
    out = np.zeros((2, frames + size), np.float32)
    for start in range(0, frames, _BLOCK):
        part = wave[:, start : start + _BLOCK]
        if part.any():
            out[:, start : start + size] += fft.irfft(fft.rfft(part, size, axis=1) * spectrum, size, axis=1)
    return out[:, :frames]


def by_blocks(wave: Wave, sections: Curve) -> Wave:
    """Second-order sections over the last axis in place: float64 inside, no float64 copy of the song."""
    state = np.zeros((len(sections), *wave.shape[:-1], 2))
    run = partial(signal.sosfilt, sections, axis=-1)
    for start in range(0, wave.shape[-1], _BLOCK):
        block, state = run(wave[..., start : start + _BLOCK].astype(np.float64), zi=state)
        wave[..., start : start + _BLOCK] = block
    return wave


def mono_bass(wave: Wave, rate_hz: int) -> Wave:
    """Stereo with its side signal cut below 110 Hz."""
    side = 0.5 * (wave[0] - wave[1])
    middle = 0.5 * (wave[0] + wave[1])
    by_blocks(side, signal.butter(4, MONO_BELOW_HZ, "highpass", fs=rate_hz, output="sos"))
    return np.stack([middle + side, middle - side])
