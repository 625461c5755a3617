"""Drums: swept sines, ringing modes and noise, tuned by kit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bridge.generate.spec import Instrument

from .tones import Curve, Draw, Wave, band, faded, modes, noise


@dataclass(frozen=True, kw_only=True)
class Kit:
    """How a kit is tuned and damped."""

    kick_hz: float = 52
    kick_from_hz: float = 190
    kick_s: float = 0.25
    kick_click: float = 0.5
    kick_drive: float = 1.5
    snare_hz: float = 188
    snare_s: float = 0.2
    snare_noise: float = 1.0
    snare_bright_hz: float = 9000
    hat_s: float = 0.05
    hat_metal: float = 0.5
    cymbals: float = 1.0
    top_hz: float = 20_000
    """Where the whole kit is rolled off."""


KITS: dict[Instrument, Kit] = {
    Instrument.ACOUSTIC_KIT: Kit(),
    Instrument.BRUSH_KIT: Kit(
        kick_hz=58, kick_click=0.2, snare_s=0.28, snare_noise=1.4, snare_bright_hz=6500
    ),
    Instrument.HOUSE_KIT: Kit(
        kick_hz=49,
        kick_from_hz=320,
        kick_s=0.31,
        kick_click=0.6,
        kick_drive=2.5,
        snare_hz=200,
        hat_s=0.04,
        hat_metal=0.8,
    ),
    Instrument.TRAP_KIT: Kit(
        kick_hz=46,
        kick_from_hz=260,
        kick_s=0.36,
        kick_drive=3.0,
        snare_hz=205,
        snare_s=0.16,
        snare_bright_hz=12_000,
        hat_s=0.035,
        hat_metal=0.9,
    ),
    Instrument.LOFI_KIT: Kit(
        kick_hz=55,
        kick_s=0.22,
        kick_click=0.35,
        kick_drive=2.2,
        snare_s=0.15,
        snare_bright_hz=5000,
        hat_s=0.04,
        top_hz=9500,
    ),
    Instrument.BREAK_KIT: Kit(
        kick_hz=62,
        kick_from_hz=240,
        kick_s=0.2,
        kick_click=0.8,
        kick_drive=2.2,
        snare_hz=225,
        snare_s=0.17,
        hat_s=0.04,
    ),
    Instrument.RETRO_KIT: Kit(
        kick_hz=50,
        kick_from_hz=240,
        kick_s=0.26,
        kick_drive=2.4,
        snare_hz=172,
        snare_s=0.34,
        snare_noise=1.3,
        hat_metal=0.8,
    ),
    Instrument.CINEMA_KIT: Kit(
        kick_hz=38, kick_from_hz=95, kick_s=0.9, kick_click=0.25, kick_drive=1.2, snare_s=0.4, cymbals=0.7
    ),
}
Stroke = Callable[[Kit, float, int, Draw], Wave]


def drum(name: str, kit: Kit, velocity: float, rate_hz: int, draw: Draw) -> Wave:
    """One hit, shape (2, frames), peaking near the square of its velocity (0 to 1)."""
    wave = _STROKES[name](kit, velocity, rate_hz, draw)
    if kit.top_hz < 0.45 * rate_hz:
        wave = band(wave, rate_hz, high_hz=kit.top_hz)
    level = _LEVELS[name] * velocity**1.6 / max(float(np.abs(wave).max()), 1e-9)
    return faded(np.asarray(wave * np.float32(level), np.float32), rate_hz, 0.02)


def _times(seconds: float, rate_hz: int) -> Curve:
    return np.arange(int(seconds * rate_hz)) / rate_hz


def _mono(wave: Wave) -> Wave:
    return np.stack([wave, wave])


def _sweep(t: Curve, from_hz: float, to_hz: float, fall_s: float) -> Curve:
    """The sine of a frequency that falls exponentially, its phase in closed form."""
    return np.asarray(
        np.sin(2 * np.pi * (to_hz * t + (from_hz - to_hz) * fall_s * (1 - np.exp(-t / fall_s))))
    )


def _kick(kit: Kit, velocity: float, rate_hz: int, draw: Draw) -> Wave:
    t = _times(kit.kick_s * 2.2, rate_hz)
    body = _sweep(t, kit.kick_from_hz * (0.8 + 0.3 * velocity), kit.kick_hz, 0.024) * np.exp(
        -t * 3.2 / kit.kick_s
    )
    body = np.tanh(body * kit.kick_drive) / np.tanh(kit.kick_drive)
    click = (
        band(noise(draw, len(t)) * np.exp(-t / 0.003), rate_hz, 1200, 9000) * kit.kick_click * velocity * 0.9
    )
    knock = band(noise(draw, len(t)) * np.exp(-t / 0.012), rate_hz, 200, 1800) * 0.3
    return _mono(np.asarray(body * np.clip(t / 0.0008, 0, 1) + click + knock, np.float32))


def _snare(kit: Kit, velocity: float, rate_hz: int, draw: Draw) -> Wave:
    t = _times(kit.snare_s * 3 + 0.05, rate_hz)
    shell = _sweep(t, kit.snare_hz * 1.6, kit.snare_hz, 0.012) * np.exp(-t * 4 / kit.snare_s)
    ratios = np.array([1.0, 1.59, 2.14, 2.30, 2.65, 2.92, 3.16, 3.5])  # modes of a circular membrane
    ring = modes(
        kit.snare_hz * 1.04 * ratios,
        kit.snare_s * 1.6 / ratios**0.5,
        0.3 / ratios,
        draw.random(8) * 6.28,
        len(t),
        rate_hz,
    )
    wires = [
        band(noise(draw, len(t)), rate_hz, 450, kit.snare_bright_hz * (0.6 + 0.5 * velocity))
        for _ in range(3)
    ]
    rattle = (
        np.exp(-t * 3.2 / kit.snare_s) * np.clip(t / 0.0006, 0, 1) * kit.snare_noise * (0.4 + 0.45 * velocity)
    )
    crack = band(noise(draw, len(t)) * np.exp(-t / 0.004), rate_hz, 1800, 12_000) * 0.6 * velocity
    middle = 0.75 * shell + ring + crack
    return np.asarray(
        np.stack([middle + rattle * (wires[0] + 0.45 * side) for side in wires[1:]]), np.float32
    )


def _clap(kit: Kit, velocity: float, rate_hz: int, draw: Draw) -> Wave:
    t = _times(0.35, rate_hz)
    hands = sum(np.where(t >= at, np.exp(-(t - at) / 0.006), 0) for at in (0.0, 0.009, 0.019))
    tail = np.where(t >= 0.027, np.exp(-(t - 0.027) / 0.06), 0)
    shape = 0.7 * np.asarray(hands) + tail
    return np.stack(
        [band(noise(draw, len(t)) * shape, rate_hz, 750, 9000 * (0.5 + 0.5 * velocity)) for _ in range(2)]
    )


def _rim(kit: Kit, velocity: float, rate_hz: int, draw: Draw) -> Wave:
    t = _times(0.12, rate_hz)
    wood = modes(
        [480, 1680, 2430, 3900],
        [0.08, 0.06, 0.04, 0.03],
        [0.5, 1, 0.5, 0.3],
        draw.random(4) * 6.28,
        len(t),
        rate_hz,
    )
    tick = band(noise(draw, len(t)) * np.exp(-t / 0.002), rate_hz, 2000)
    return _mono(np.asarray(wood + 0.5 * tick, np.float32))


def _metal(
    seconds: float,
    low_hz: float,
    high_hz: float,
    count: int,
    t60_s: tuple[float, float],
    rate_hz: int,
    draw: Draw,
) -> Wave:
    """Two channels of crowded inharmonic modes: the low ones die by the first t60, the high by the second."""
    f = np.sort(np.exp(draw.uniform(np.log(low_hz), np.log(high_hz), count)))
    share = np.log(f / low_hz) / np.log(high_hz / low_hz)
    t60 = np.exp(np.interp(share, [0, 1], np.log(t60_s))) * draw.uniform(0.7, 1.3, count)
    frames = int(seconds * rate_hz)
    weights = draw.uniform(0.3, 1.0, (3, count)) / (1 + (f / 11_000) ** 4) ** 0.5
    return np.stack(
        [
            modes(f, t60, weights[0] + 0.6 * weights[side], draw.random(count) * 6.28, frames, rate_hz)
            for side in (1, 2)
        ]
    )


def _sizzle(t: Curve, decay_s: float, low_hz: float, rate_hz: int, draw: Draw) -> Wave:
    shared = noise(draw, len(t))
    rows = np.stack([shared + 0.7 * noise(draw, len(t)) for _ in range(2)]) * np.exp(-t / decay_s)
    return band(band(rows, rate_hz, low_hz, order=3), rate_hz, high_hz=12_000, order=1)


def _hat_like(kit: Kit, seconds: float, decay_s: float, velocity: float, rate_hz: int, draw: Draw) -> Wave:
    t = _times(seconds, rate_hz)
    metal = _metal(seconds, 3200, 16_000, 90, (decay_s * 5, decay_s * 4), rate_hz, draw) / 9
    air = _sizzle(t, decay_s, 6000 + 1500 * (1 - velocity), rate_hz, draw)
    wave = kit.hat_metal * metal + (1.1 - 0.5 * kit.hat_metal) * air
    return np.asarray(band(wave, rate_hz, 2800) * np.clip(t / 0.0008, 0, 1), np.float32)


def _hat(kit: Kit, velocity: float, rate_hz: int, draw: Draw) -> Wave:
    return _hat_like(kit, 0.22, kit.hat_s * (0.6 + 0.5 * velocity), velocity, rate_hz, draw)


def _open_hat(kit: Kit, velocity: float, rate_hz: int, draw: Draw) -> Wave:
    return _hat_like(kit, 0.6, 0.16, velocity, rate_hz, draw)


def _crash(kit: Kit, velocity: float, rate_hz: int, draw: Draw) -> Wave:
    t = _times(2.6, rate_hz)
    metal = _metal(2.6, 320, 17_000, 320, (2.6, 1.3), rate_hz, draw) / 14
    return np.asarray(
        (metal + 0.8 * _sizzle(t, 0.4, 4000, rate_hz, draw)) * np.clip(t / 0.002, 0, 1), np.float32
    )


def _ride(kit: Kit, velocity: float, rate_hz: int, draw: Draw) -> Wave:
    t = _times(1.3, rate_hz)
    bell = _metal(1.3, 700, 6000, 40, (1.2, 0.8), rate_hz, draw) / 9
    wash = _metal(1.3, 2500, 17_000, 180, (0.9, 0.5), rate_hz, draw) / 14
    tick = _sizzle(t, 0.008, 5000, rate_hz, draw)
    return np.asarray((0.5 * bell + wash + 1.1 * tick) * np.clip(t / 0.001, 0, 1), np.float32)


def _tom(hz: float) -> Stroke:
    def stroke(kit: Kit, velocity: float, rate_hz: int, draw: Draw) -> Wave:
        t = _times(0.6, rate_hz)
        body = _sweep(t, hz * 1.7, hz, 0.03) * np.exp(-t / 0.14)
        second = _sweep(t, hz * 2.6, hz * 1.59, 0.02) * np.exp(-t / 0.07) * 0.3
        skin = band(noise(draw, len(t)) * np.exp(-t / 0.01), rate_hz, 300, 6000) * 0.25 * velocity
        return _mono(np.asarray((body + second) * np.clip(t / 0.001, 0, 1) + skin, np.float32))

    return stroke


def _shaker(kit: Kit, velocity: float, rate_hz: int, draw: Draw) -> Wave:
    t = _times(0.14, rate_hz)
    shape = np.clip(t / 0.006, 0, 1) * np.exp(-t / 0.03)
    return np.stack([band(noise(draw, len(t)) * shape, rate_hz, 4500, 13_000) for _ in range(2)])


def _tambourine(kit: Kit, velocity: float, rate_hz: int, draw: Draw) -> Wave:
    t = _times(0.3, rate_hz)
    jingles = _metal(0.3, 5000, 16_000, 50, (0.22, 0.15), rate_hz, draw) / 7
    return np.asarray(
        (jingles + 0.5 * _sizzle(t, 0.03, 5000, rate_hz, draw)) * np.clip(t / 0.001, 0, 1), np.float32
    )


_STROKES: dict[str, Stroke] = {
    "kick": _kick,
    "rim": _rim,
    "snare": _snare,
    "clap": _clap,
    "hat": _hat,
    "open hat": _open_hat,
    "low tom": _tom(88),
    "mid tom": _tom(118),
    "high tom": _tom(155),
    "crash": _crash,
    "ride": _ride,
    "tambourine": _tambourine,
    "shaker": _shaker,
}
_LEVELS = {
    "kick": 0.85,
    "rim": 0.45,
    "snare": 0.95,
    "clap": 0.7,
    "hat": 0.46,
    "open hat": 0.5,
    "low tom": 0.65,
    "mid tom": 0.6,
    "high tom": 0.55,
    "crash": 0.55,
    "ride": 0.48,
    "tambourine": 0.32,
    "shaker": 0.3,
}
"""Peak of each drum at full velocity: the balance inside the kit."""
