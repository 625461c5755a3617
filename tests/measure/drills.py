"""Stems of no style, with what is played in them: sounds, balances, rooms and patterns drawn at random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.audio import Audio
from bridge.generate import Instrument
from bridge.generate.drumming import KEYS
from bridge.generate.melody import SYLLABLES
from bridge.generate.players import SOUNDS
from bridge.generate.space import convolved, room
from bridge.generate.synth.drums import Kit, drum
from bridge.generate.synth.tones import Tone
from bridge.generate.synth.voice import SungNote, Throat, phrase

RATE_HZ = 44_100
BASSES = (*(instrument for instrument in SOUNDS if instrument.is_bass), Instrument.PIANO, Instrument.ORGAN)
LEADS = tuple(instrument for instrument in SOUNDS if not instrument.is_bass)
_BARS, _STEPS = 12, 16
_LAYERS = 5
_LINE_S = 24.0

Wave = NDArray[np.float32]
Draw = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class Played:
    """A note or a hit: velocity from 0 to 1."""

    onset_s: float
    end_s: float
    pitch: int
    velocity: float
    sound: str = ""


@dataclass(frozen=True, kw_only=True)
class Drill:
    """A stem and what is played in it."""

    audio: Audio
    notes: Sequence[Played]


def drum_drill(seed: int) -> Drill:
    """Twelve bars of a random kit."""
    draw = np.random.default_rng(seed)
    hits = sorted(_hits(draw), key=lambda hit: hit.onset_s)
    kit, sounds = _kit(draw), dict[tuple[str, int], Wave]()
    gains = {name: np.float32(10 ** (draw.normal(0, 5) / 20)) for name in KEYS}
    wave = np.zeros((2, round((hits[-1].onset_s + 1.5) * RATE_HZ)), np.float32)
    for hit in hits:
        key = hit.sound, int(hit.velocity * _LAYERS)
        if key not in sounds:
            sounds[key] = drum(hit.sound, kit, (key[1] + 0.5) / _LAYERS, RATE_HZ, draw)
        _add(wave, sounds[key] * gains[hit.sound], hit.onset_s)
    return Drill(audio=_treated(wave, draw), notes=hits)


def bass_drill(seed: int) -> Drill:
    """A random bass line of 24 s."""
    return _line_drill(np.random.default_rng(seed), BASSES, (26, 55))


def melody_drill(seed: int) -> Drill:
    """A random melody of 24 s; half of them are sung."""
    draw = np.random.default_rng(seed)
    if draw.random() < 0.5:
        return _line_drill(draw, LEADS, (48, 80))
    notes = list(_line(draw, (45, 72)))
    wave = np.zeros((2, round((_LINE_S + 2) * RATE_HZ)), np.float32)
    throat = Throat(
        is_high=bool(draw.random() < 0.5), breath=draw.uniform(0.2, 1), vibrato_cents=draw.uniform(0, 60)
    )
    for breath in _breaths(notes):
        _add(
            wave,
            phrase([_sung(note, breath[0]) for note in breath], throat, RATE_HZ, draw),
            breath[0].onset_s,
        )
    return Drill(audio=_treated(wave, draw), notes=notes)


def _line_drill(draw: Draw, instruments: Sequence[Instrument], pitches: tuple[int, int]) -> Drill:
    """A line on an instrument of the composer's, or, two times in three, on one that is made up."""
    notes = list(_line(draw, pitches))
    sound = SOUNDS[instruments[int(draw.integers(len(instruments)))]]
    make = sound if draw.random() < 1 / 3 else MadeUp(draw)
    wave = np.zeros((2, round((_LINE_S + 2) * RATE_HZ)), np.float32)
    for note in notes:
        held_s = note.end_s - note.onset_s
        tone = Tone(pitch=note.pitch, held_s=held_s, velocity=note.velocity, rate_hz=RATE_HZ)
        _add(wave, make(tone, draw) * np.float32(note.velocity), note.onset_s)
    return Drill(audio=_treated(wave, draw), notes=notes)


class MadeUp:
    """An instrument of steady harmonics, random in balance, attack, decay, noise and release."""

    def __init__(self, draw: Draw) -> None:
        count = int(draw.integers(3, 40))
        self._weights = np.arange(1, count + 1) ** -draw.uniform(0.3, 2) * draw.uniform(0.2, 1, count)
        self._attack_s, self._release_s = draw.uniform(0.001, 0.04), draw.uniform(0.004, 0.12)
        self._decay_s = float(np.exp(draw.uniform(np.log(0.1), np.log(4))))
        self._floor = draw.choice([0.0, draw.uniform(0, 0.9)])
        self._noise = draw.choice([0.0, draw.uniform(0, 0.3)])

    def __call__(self, tone: Tone, draw: Draw) -> Wave:
        """One note with its release."""
        time_s = np.arange(round((tone.held_s + self._release_s) * tone.rate_hz)) / tone.rate_hz
        weights = self._weights[: max(1, int(9000 / tone.frequency_hz))]
        phases = np.outer(np.arange(1, len(weights) + 1), 2 * np.pi * tone.frequency_hz * time_s)
        wave = weights @ np.sin(phases + draw.uniform(0, 6.28, len(weights))[:, None])
        wave += self._noise * draw.normal(size=len(time_s)) * np.exp(-time_s / 0.01)
        body = self._floor + (1 - self._floor) * np.exp(-time_s / self._decay_s)
        edges = np.clip(time_s / self._attack_s, 0, 1) * np.clip(
            (time_s[-1] - time_s) / self._release_s, 0, 1
        )
        return np.asarray(0.2 * wave * body * edges, np.float32)


def _line(draw: Draw, pitches: tuple[int, int]) -> Iterator[Played]:
    """Notes of a song's lengths, some repeated, some tied, some followed by a rest."""
    at_s, pitch = float(draw.uniform(0, 0.5)), int(draw.integers(*pitches))
    unit_s = float(draw.uniform(0.09, 0.22))
    held, repeated = draw.uniform(0.5, 1.0), draw.uniform(0.1, 0.6)
    while at_s < _LINE_S:
        length_s = unit_s * float(draw.choice([1, 1, 2, 2, 3, 4, 8]))
        yield Played(
            onset_s=at_s,
            end_s=at_s + max(0.06, held * length_s),
            pitch=pitch,
            velocity=float(draw.uniform(0.35, 0.99)),
            sound=str(draw.choice(SYLLABLES["verse"] + SYLLABLES["long"])),
        )
        at_s += length_s + (unit_s * float(draw.integers(1, 9)) if draw.random() < 0.12 else 0)
        if draw.random() >= repeated:
            pitch = int(np.clip(pitch + draw.integers(-7, 8), *pitches))


def _breaths(notes: Sequence[Played]) -> Iterator[list[Played]]:
    """Notes that are sung in one breath."""
    current: list[Played] = []
    for note in notes:
        if current and note.onset_s - current[-1].end_s > 0.12:
            yield current
            current = []
        current.append(note)
    yield current


def _sung(note: Played, first: Played) -> SungNote:
    return SungNote(
        onset_s=note.onset_s - first.onset_s,
        duration_s=note.end_s - note.onset_s,
        pitch=note.pitch,
        velocity=note.velocity,
        syllable=note.sound,
    )


def _kit(draw: Draw) -> Kit:
    return Kit(
        kick_hz=draw.uniform(40, 75),
        kick_from_hz=draw.uniform(100, 400),
        kick_s=draw.uniform(0.12, 0.5),
        kick_click=draw.uniform(0, 1.2),
        kick_drive=draw.uniform(1, 4),
        snare_hz=draw.uniform(140, 270),
        snare_s=draw.uniform(0.08, 0.4),
        snare_noise=draw.uniform(0.5, 1.6),
        snare_bright_hz=draw.uniform(4000, 14_000),
        hat_s=draw.uniform(0.02, 0.09),
        hat_metal=draw.uniform(0.1, 0.95),
        top_hz=draw.choice([9000, 12_000, 15_000, 20_000, 20_000]),
    )


def _hits(draw: Draw) -> Iterator[Played]:
    """Each voice of the kit with its own density on a grid of sixteenths, a little off it."""
    step_s = 60 / draw.uniform(65, 170) / 4
    swing = draw.choice([0.0, 0.0, 0.25])
    backbeat = str(draw.choice(["snare", "snare", "rim", "clap"]))
    timekeeper = str(draw.choice(["hat", "hat", "ride", "shaker"]))
    chances = {"kick": 0.25, backbeat: 0.15, timekeeper: draw.uniform(0.35, 0.95)}
    chances |= {"open hat": draw.choice([0, 0.1]), "crash": draw.choice([0, 0.02])}
    chances |= {"tambourine": draw.choice([0, 0, 0.2])}
    chances |= dict.fromkeys(("low tom", "mid tom", "high tom"), draw.choice([0, 0.05]))
    for name, chance in chances.items():
        for step in np.flatnonzero(draw.random(_BARS * _STEPS) < chance):
            at_s = max(0.0, float((step + swing * (step % 2) + draw.normal(0, 0.03)) * step_s))
            velocity = float(draw.uniform(0.25, 0.999))
            yield Played(onset_s=at_s, end_s=at_s + 0.1, pitch=KEYS[name], velocity=velocity, sound=name)


def _add(wave: Wave, sound: Wave, onset_s: float) -> None:
    start = round(onset_s * RATE_HZ)
    wave[:, start : start + sound.shape[-1]] += sound[..., : wave.shape[1] - start]


def _treated(wave: Wave, draw: Draw) -> Audio:
    """A room, and for one stem in two a driven bus."""
    wave = wave / np.float32(np.abs(wave).max())
    response = room(draw.uniform(0.2, 2.0), RATE_HZ, draw)
    wave = wave + np.float32(draw.uniform(0, 0.25)) * convolved(wave, response)
    drive = np.float32(draw.choice([0.0, draw.uniform(0.5, 3)]))
    return Audio(samples=np.tanh(drive * wave) / drive if drive else wave, rate_hz=RATE_HZ)
