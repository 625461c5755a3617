"""The mix: parts to stems, stems to a song, so that the stems' plain sum is the mixture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import fft, ndimage, signal

from bridge.values import FOUR_STEMS, Role

from .chance import dice
from .players import played
from .score import Note, Part, Score
from .space import convolved, mono_bass, room
from .styles import Mix, StyleSheet
from .synth.tones import Curve, Wave

PEAK_DBFS = -3.0
GRID = np.float32(2.0**-23)
"""Samples lie on the grid of 24-bit audio: sums of stems are exact in any order, also in 24-bit files."""
_BLOCK = 16_384
_TAIL_S = 3.2


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What every channel of the mix knows."""

    score: Score
    sheet: StyleSheet
    frames: int
    rate_hz: int
    seed: int

    @property
    def mix(self) -> Mix:
        """The style's balance."""
        return self.sheet.mix


def mixed(score: Score, sheet: StyleSheet, rate_hz: int, seed: int) -> dict[Role, Wave]:
    """The stems of a score, shape (2, frames) each, whose sum peaks at -3 dBFS."""
    frames = round(score.form.duration_s * rate_hz)
    desk = Desk(score=score, sheet=sheet, frames=frames, rate_hz=rate_hz, seed=seed)
    wanted = _loudness_goals(sheet.mix)
    stems: dict[Role, Wave] = {}
    for role in FOUR_STEMS:
        if score.of(role):
            stems[role] = _stem(role, desk)
            stems[role] *= _gain(stems[role], wanted[role], rate_hz)
    _finish(stems, sheet.mix, rate_hz)
    return stems


def loudness_db(wave: Wave, rate_hz: int) -> float:
    """K-weighted, gated loudness in the manner of BS.1770 (blocks side by side); -120 for silence."""
    rows = wave.shape[1] // _BLOCK
    if rows == 0:
        return loudness_db(np.pad(wave, ((0, 0), (0, _BLOCK - wave.shape[1]))), rate_hz)
    weights = _k_weights(rate_hz)
    powers = np.zeros(rows)
    for row in range(rows):
        spectrum = fft.rfft(wave[:, row * _BLOCK : (row + 1) * _BLOCK], axis=1)
        powers[row] = 2 * float((np.abs(spectrum) ** 2).sum(0) @ weights) / _BLOCK**2
    loud = powers[powers > 1e-7]
    loud = loud[loud > 0.1 * loud.mean()] if loud.size else loud
    return float(10 * np.log10(loud.mean()) - 0.691) if loud.size else -120.0


def _k_weights(rate_hz: int) -> Curve:
    """Power gain of the K filter at each bin (BS.1770-4, tables 1 and 2)."""
    f = np.minimum(fft.rfftfreq(_BLOCK, 1 / rate_hz), 23_900.0)
    _, shelf = signal.freqz(
        [1.53512485958697, -2.69169618940638, 1.19839281085285],
        [1, -1.69065929318241, 0.73248077421585],
        f,
        fs=48_000,
    )
    _, rumble = signal.freqz([1, -2, 1], [1, -1.99004745483398, 0.99007225036621], f, fs=48_000)
    return np.asarray(np.abs(shelf * rumble) ** 2)


def _loudness_goals(mix: Mix) -> dict[Role, float]:
    return {
        Role.VOCALS: mix.vocals_lu,
        Role.DRUMS: mix.drums_lu,
        Role.BASS: mix.bass_lu,
        Role.OTHER: mix.other_lu,
    }


def _gain(wave: Wave, wanted_db: float, rate_hz: int) -> np.float32:
    """What brings a wave to a loudness, -20 being the song's; silence is left alone."""
    found = loudness_db(wave, rate_hz)
    return np.float32(10 ** ((wanted_db - 20 - found) / 20)) if found > -100 else np.float32(1)


def _stem(role: Role, desk: Desk) -> Wave:
    parts = desk.score.of(role)
    dry, send = _summed(parts, desk)
    if send.any():
        dry += _reverberated(send, role, desk)
    del send
    if role in (Role.BASS, Role.OTHER) and desk.mix.pump_db:
        _pump(dry, desk.score.of(Role.DRUMS), desk.mix.pump_db, desk.rate_hz)
    return _silenced(mono_bass(dry, desk.rate_hz), parts, desk.rate_hz)


def _summed(parts: tuple[Part, ...], desk: Desk) -> tuple[Wave, Wave]:
    """The parts at their levels, dry, and what of them goes to the room."""
    dry = np.zeros((2, desk.frames), np.float32)
    send = np.zeros((2, desk.frames), np.float32)
    for part in parts:
        bus = played(part, desk.sheet.singing, desk.frames, desk.rate_hz, desk.seed)
        bus *= _gain(bus, part.sheet.level_db, desk.rate_hz)
        if part.role is Role.DRUMS:
            _punch(bus, desk.mix.drum_drive)
        dry += bus
        bus *= np.float32(part.sheet.reverb)
        send += bus
    return dry, send


def _reverberated(send: Wave, role: Role, desk: Desk) -> Wave:
    """The room's answer; drums stand in a smaller one."""
    seconds = desk.mix.reverb_s * (0.45 if role is Role.DRUMS else 1.0)
    return convolved(send, room(seconds, desk.rate_hz, dice(desk.seed, "room", role.value)))


def _punch(bus: Wave, drive: float) -> None:
    """Soft clipping of the drum bus: the highest peaks are rounded off."""
    peak = float(np.abs(bus).max())
    if drive and peak:
        np.tanh(bus * np.float32(drive / peak * 1.6), out=bus)
        bus *= np.float32(peak / (1.6 * drive))


def _pump(wave: Wave, drums: tuple[Part, ...], depth_db: float, rate_hz: int) -> None:
    """Ducks a wave under each kick and lets it come back within a quarter of a second."""
    shape_s = np.arange(int(0.28 * rate_hz)) / rate_hz
    dip = (0.5 - 0.5 * np.cos(np.pi * np.clip(shape_s / 0.012, 0, 1))) * np.clip(
        1 - shape_s / 0.28, 0, 1
    ) ** 1.5
    depth = np.zeros(wave.shape[1], np.float32)
    for note in (note for part in drums for note in part.notes if note.sound == "kick"):
        start = round(note.onset_s * rate_hz)
        room_left = depth[start : start + len(dip)]
        np.maximum(room_left, dip[: len(room_left)].astype(np.float32), out=room_left)
    wave *= np.float32(10) ** (depth * np.float32(-depth_db / 20))


def _silenced(wave: Wave, parts: tuple[Part, ...], rate_hz: int) -> Wave:
    """Exact silence where no note and no tail of one can be heard, with 50 ms of fade into it."""
    steps = -(-wave.shape[1] // 64)
    heard = np.zeros(steps, np.float32)
    for note in (note for part in parts for note in part.notes):
        start, stop = _heard(note, rate_hz)
        heard[start // 64 : stop // 64 + 1] = 1
    slope = max(1, int(0.05 * rate_hz / 64))
    eased = np.minimum(heard, ndimage.uniform_filter1d(heard, slope, origin=0, mode="nearest") * 2 - 1).clip(
        0, 1
    )
    first = np.diff(heard, prepend=0) > 0
    eased = np.where(ndimage.maximum_filter1d(first, 2 * slope + 1), heard, eased)
    wave *= np.repeat(eased, 64)[: wave.shape[1]].astype(np.float32)
    return wave


def _heard(note: Note, rate_hz: int) -> tuple[int, int]:
    return int((note.onset_s - 0.003) * rate_hz), int((note.onset_s + note.duration_s + _TAIL_S) * rate_hz)


def _finish(stems: dict[Role, Wave], mix: Mix, rate_hz: int) -> None:
    """One gain over time for all stems: limits the sum, fades its last moments, sets its peak."""
    peaks, power = _peaks(stems)
    ceiling = np.sqrt(power) * 10 ** (mix.crest_db / 20)
    gain = _limiter(peaks, float(ceiling), rate_hz)
    frames = len(gain)
    end = max(2, min(frames, int(0.35 * rate_hz)))
    gain[-end:] *= (0.5 + 0.5 * np.cos(np.linspace(0, np.pi, end))).astype(np.float32)
    gain *= np.float32(10 ** (PEAK_DBFS / 20) / max(float((peaks * gain).max()), 1e-9))
    for role, stem in stems.items():
        stem *= gain
        stems[role] = np.rint(stem / GRID, out=stem)
        stem *= GRID


def _peaks(stems: Mapping[Role, Wave]) -> tuple[Wave, float]:
    """The larger of both channels of the sum, frame by frame, and the sum's mean power where it sounds."""
    frames = next(iter(stems.values())).shape[1]
    peaks = np.zeros(frames, np.float32)
    energy, sounding = 0.0, 1
    for start in range(0, frames, _BLOCK):
        total = np.sum([stem[:, start : start + _BLOCK] for stem in stems.values()], axis=0)
        peaks[start : start + _BLOCK] = highest = np.abs(total).max(axis=0)
        energy += float((total.astype(np.float64) ** 2).sum()) / 2
        sounding += int((highest > 1e-4).sum())
    return peaks, energy / sounding


def _limiter(peaks: Wave, ceiling: float, rate_hz: int) -> Wave:
    """Gain that keeps peaks near the ceiling: looks 4 ms ahead, lets go within 90 ms."""
    need = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9)).astype(np.float32)
    ahead, release = int(0.004 * rate_hz) | 1, int(0.09 * rate_hz)
    held = ndimage.minimum_filter1d(need, 2 * ahead + 1)
    slow = ndimage.uniform_filter1d(ndimage.minimum_filter1d(held, release), release)
    fast = ndimage.uniform_filter1d(held, ahead)
    return np.asarray(np.minimum(fast, slow), np.float32)
