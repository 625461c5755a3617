"""Players: a part's notes turned into sound, each different note made once and placed where it is played."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy import signal

from .chance import dice
from .score import Note, Part
from .space import by_blocks, panned
from .spec import Instrument
from .styles import Singing
from .synth import basses, guitars, keys, sustained
from .synth.drums import KITS, drum
from .synth.tones import Draw, Tone, Wave, faded
from .synth.voice import SungNote, Throat, phrase

Sound = Callable[[Tone, Draw], Wave]
SOUNDS: dict[Instrument, Sound] = {
    Instrument.FINGER_BASS: basses.finger_bass,
    Instrument.PICK_BASS: basses.pick_bass,
    Instrument.UPRIGHT_BASS: basses.upright_bass,
    Instrument.SAW_BASS: basses.saw_bass,
    Instrument.SUB_BASS: basses.sub_bass,
    Instrument.REESE_BASS: basses.reese_bass,
    Instrument.PIANO: keys.piano,
    Instrument.ELECTRIC_PIANO: keys.electric_piano,
    Instrument.ORGAN: keys.organ,
    Instrument.BELL: keys.bell,
    Instrument.PAD: sustained.pad,
    Instrument.STRINGS: sustained.strings,
    Instrument.SUPERSAW: sustained.supersaw,
    Instrument.PLUCK: sustained.pluck,
    Instrument.LEAD: sustained.lead,
    Instrument.BRASS: sustained.brass,
    Instrument.ACOUSTIC_GUITAR: guitars.acoustic_guitar,
    Instrument.CLEAN_GUITAR: guitars.clean_guitar,
    Instrument.OVERDRIVEN_GUITAR: guitars.overdriven_guitar,
}
_LAYERS = 6
"""Steps of velocity that sound different; loudness follows the velocity itself."""
_GRID_S = 0.02
"""Lengths of notes are made on this grid, so that equal notes are made once."""
_PHRASE_GAP_S = 0.12
_DRUM_PANS = {
    "hat": 0.25,
    "open hat": 0.25,
    "ride": -0.3,
    "crash": -0.2,
    "high tom": 0.35,
    "mid tom": 0.0,
    "low tom": -0.35,
    "shaker": -0.4,
    "tambourine": 0.4,
    "clap": 0.05,
}


def played(part: Part, singing: Singing, frames: int, rate_hz: int, seed: int) -> Wave:
    """The sound of a part before mixing, shape (2, frames)."""
    bus = np.zeros((2, frames), np.float32)
    if part.instrument is None:
        _sing(bus, part, singing, rate_hz, seed)
    elif part.instrument.is_kit:
        _drum(bus, part, part.instrument, rate_hz, seed)
    else:
        for take, pan in enumerate((-0.85, 0.85) if part.sheet.is_doubled else (part.sheet.pan,)):
            _play(bus, part, part.instrument, pan, take, rate_hz, seed)
    return _voiced(bus, part, rate_hz)


def add(bus: Wave, wave: Wave, onset_s: float, rate_hz: int, gain: float = 1.0) -> None:
    """Add a wave to a bus at a time; what would fall outside is cut."""
    start = round(onset_s * rate_hz)
    stop = min(bus.shape[1], start + wave.shape[-1])
    if stop > start:
        bus[:, start:stop] += wave[..., : stop - start] * np.float32(gain)


def _play(
    bus: Wave, part: Part, instrument: Instrument, pan: float, take: int, rate_hz: int, seed: int
) -> None:
    made: dict[tuple[int, int, int, int], Wave] = {}
    delays = dice(seed, "take", part.name, take).uniform(0.0, 0.012 if take else 1e-9, len(part.notes))
    for index, note in enumerate(part.notes):
        layer, length = _layer(note), max(2, round(note.duration_s / _GRID_S))
        key = (note.pitch, length, layer, index % 2 if part.sheet.is_doubled else 0)
        if key not in made:
            draw = dice(seed, "sound", part.name, take, *key)
            tone = Tone(
                pitch=note.pitch, held_s=length * _GRID_S, velocity=(layer + 0.5) / _LAYERS, rate_hz=rate_hz
            )
            spread = part.sheet.spread * (note.pitch - 64) / 24
            made[key] = panned(faded(SOUNDS[instrument](tone, draw), rate_hz, 0.005), pan + spread)
        add(bus, made[key], note.onset_s + float(delays[index]), rate_hz, (note.velocity / 100) ** 1.3)


def _layer(note: Note) -> int:
    return min(_LAYERS - 1, note.velocity * _LAYERS // 128)


def _drum(bus: Wave, part: Part, instrument: Instrument, rate_hz: int, seed: int) -> None:
    made: dict[tuple[str, int, int], Wave] = {}
    for index, note in enumerate(part.notes):
        key = (note.sound, _layer(note), index % 3)
        if key not in made:
            wave = drum(
                note.sound, KITS[instrument], (key[1] + 0.5) / _LAYERS, rate_hz, dice(seed, "drum", *key)
            )
            made[key] = panned(wave, _DRUM_PANS.get(note.sound, 0.0))
        wave = made[key]
        if note.sound == "open hat":
            wave = faded(wave[:, : int((note.duration_s + 0.01) * rate_hz)].copy(), rate_hz)
        add(bus, wave, note.onset_s, rate_hz, 0.75 + 0.25 * note.velocity / 127)


def _sing(bus: Wave, part: Part, singing: Singing, rate_hz: int, seed: int) -> None:
    throat = Throat(is_high=singing.is_high, breath=singing.breath, vibrato_cents=singing.vibrato_cents)
    pans = (-0.6, 0.6) if part.sheet.is_doubled else (0.0,)
    for take, pan in enumerate(pans):
        draw = dice(seed, "throat", part.name, take)
        for notes in phrases(part.notes):
            start = notes[0].onset_s + float(draw.uniform(0, 0.015)) * (len(pans) - 1)
            sung = [
                SungNote(
                    onset_s=note.onset_s - notes[0].onset_s,
                    duration_s=note.duration_s,
                    pitch=note.pitch,
                    velocity=note.velocity / 110,
                    syllable=note.sound,
                )
                for note in notes
            ]
            add(bus, panned(faded(phrase(sung, throat, rate_hz, draw), rate_hz), pan), start, rate_hz)


def phrases(notes: tuple[Note, ...]) -> Iterator[list[Note]]:
    """Notes that are sung in one breath."""
    current: list[Note] = []
    for note in notes:
        if current and note.onset_s - current[-1].onset_s - current[-1].duration_s > _PHRASE_GAP_S:
            yield current
            current = []
        current.append(note)
    if current:
        yield current


def _voiced(bus: Wave, part: Part, rate_hz: int) -> Wave:
    """Drive and tone of the part's channel."""
    sheet = part.sheet
    if sheet.drive:
        _amplify(bus, sheet.drive, rate_hz)
    edges = [signal.butter(2, sheet.lowcut_hz, "highpass", fs=rate_hz, output="sos")]
    if sheet.highcut_hz < 0.45 * rate_hz:
        edges.append(signal.butter(2, sheet.highcut_hz, "lowpass", fs=rate_hz, output="sos"))
    return by_blocks(bus, np.concatenate(edges))


def _amplify(bus: Wave, drive: float, rate_hz: int) -> None:
    """A guitar amplifier: lows cut before the drive, a speaker's band after it."""
    by_blocks(bus, signal.butter(1, 160, "highpass", fs=rate_hz, output="sos"))
    loud = bus[:, ::7]
    level = float(np.sqrt((loud[np.abs(loud) > 1e-4] ** 2).mean())) if np.abs(loud).max() > 1e-4 else 1.0
    np.tanh(bus * np.float32(drive * 0.35 / level), out=bus)
    speaker = [
        signal.butter(2, 85, "highpass", fs=rate_hz, output="sos"),
        signal.butter(4, min(5200, 0.4 * rate_hz), "lowpass", fs=rate_hz, output="sos"),
    ]
    by_blocks(bus, np.concatenate(speaker))
