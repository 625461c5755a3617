"""A sung formant voice: a glottal source, breath and frication through moving vowels. Syllables, never words.

A phrase is sung in one go: its pitch curve (glides, scoops, vibrato, jitter) drives a band-limited pulse;
short-time spectra of pulse and breath are shaped by formants that move from sound to sound.
Formant frequencies are near the averages of Hillenbrand et al., JASA 97 (1995), table V.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .tones import TABLE, Curve, Draw, Wave, noise, swept

HOP = 256
WINDOW = 1024
_CONTROL_HZ = 400.0
_BANDWIDTHS_HZ = (75.0, 95.0, 130.0, 170.0, 220.0)
_UPPER_FORMANTS_HZ = ((6300.0, 700.0), (7700.0, 800.0), (9300.0, 1100.0), (11_500.0, 1600.0))
"""Centre and bandwidth of the resonances that do not move with the vowel: the air of a voice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SungNote:
    """A note of a phrase, in seconds from the phrase's start."""

    onset_s: float
    duration_s: float
    pitch: int
    velocity: float
    syllable: str


@dataclass(frozen=True, kw_only=True)
class Throat:
    """Who sings."""

    is_high: bool
    breath: float
    vibrato_cents: float

    @property
    def formant_scale(self) -> float:
        """Length of the vocal tract against the table's, which is a tenor's."""
        return 1.16 if self.is_high else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A speech sound: five formants, and how loud voice, breath and frication are."""

    formants_hz: tuple[float, float, float, float, float]
    voice: float = 1.0
    breath: float = 1.0
    hiss: float = 0.0
    hiss_hz: float = 6000.0
    dull: float = 0.0
    """How far the highs are damped (nasals and liquids), 0 to 1."""


_VOWELS = {
    "a": Phone(formants_hz=(760, 1280, 2520, 3350, 4300)),
    "o": Phone(formants_hz=(500, 900, 2480, 3250, 4250), voice=0.95),
    "u": Phone(formants_hz=(370, 900, 2350, 3200, 4200), voice=0.85),
    "e": Phone(formants_hz=(570, 1800, 2600, 3450, 4350)),
    "i": Phone(formants_hz=(350, 2250, 2950, 3550, 4400), voice=0.85),
}
_CONSONANTS = {
    "l": Phone(formants_hz=(360, 1100, 2600, 3300, 4200), voice=0.5, dull=0.6),
    "n": Phone(formants_hz=(270, 1500, 2400, 3200, 4200), voice=0.42, dull=0.85),
    "d": Phone(formants_hz=(300, 1750, 2700, 3400, 4300), voice=0.1, hiss=0.5, hiss_hz=4500, dull=0.4),
    "h": Phone(formants_hz=(650, 1350, 2500, 3400, 4300), voice=0.04, breath=6.0, hiss=0.2, hiss_hz=3500),
    "s": Phone(formants_hz=(400, 1600, 2600, 3400, 4300), voice=0.0, breath=0.4, hiss=1.0, hiss_hz=7500),
}
_SPELLING: dict[str, tuple[str, str]] = {
    "la": ("l", "a"),
    "na": ("n", "a"),
    "da": ("d", "a"),
    "doo": ("d", "u"),
    "no": ("n", "o"),
    "oh": ("", "o"),
    "ooh": ("", "u"),
    "ah": ("", "a"),
    "hey": ("h", "ei"),
    "hoo": ("h", "u"),
    "sha": ("s", "a"),
}
_CONSONANT_S = {"l": 0.07, "n": 0.075, "d": 0.045, "h": 0.075, "s": 0.1, "": 0.0}


def phrase(notes: Sequence[SungNote], throat: Throat, rate_hz: int, draw: Draw) -> Wave:
    """Sings notes that follow each other; shape (frames,), with 0.35 s after the last note's end."""
    frames = int((notes[-1].onset_s + notes[-1].duration_s + 0.35) * rate_hz)
    times_s = np.arange(-(-frames // HOP) + WINDOW // HOP) * HOP / rate_hz
    track = _track(notes, throat, times_s)
    pulse = _glottis(_pitch(notes, throat, frames, rate_hz, draw), throat, rate_hz, draw)
    level = _loudness(notes, frames, rate_hz, draw)
    air = noise(draw, frames) * (0.5 + 0.5 * np.clip(pulse, 0, None)).astype(np.float32)
    tube = _formant_gains(track, rate_hz)
    voiced = _shaped(pulse, tube * track.voice.astype(np.float32)[:, None])
    breath = _shaped(air, tube * _breath_gains(track, throat, rate_hz))
    hiss = _shaped(noise(draw, frames), _hiss_gains(track, rate_hz))
    return np.asarray((voiced + breath) * level + hiss * _opened(level, rate_hz), np.float32)


def _pitch(notes: Sequence[SungNote], throat: Throat, frames: int, rate_hz: int, draw: Draw) -> Curve:
    """Frequency of each frame: steps smoothed to glides, a scoop at the start, vibrato, drift and jitter."""
    t = np.arange(0, frames / rate_hz + 0.01, 1 / _CONTROL_HZ)
    onsets = np.array([note.onset_s for note in notes])
    index = np.clip(np.searchsorted(onsets, t, side="right") - 1, 0, None)
    steps = np.array([note.pitch for note in notes], float)[index]
    glide = np.hanning(int(0.07 * _CONTROL_HZ) | 1)
    curve = np.convolve(np.pad(steps, len(glide) // 2, mode="edge"), glide / glide.sum(), "valid")[: len(t)]
    curve = curve - 0.6 * np.exp(-t / 0.035)
    since = t - onsets[index]
    depth = throat.vibrato_cents / 100 * np.clip((since - 0.22) / 0.3, 0, 1)
    rate = 5.5 + 0.4 * _wander(draw, len(t), 1.0)
    curve = curve + depth * np.sin(2 * np.pi * np.cumsum(rate) / _CONTROL_HZ + draw.random())
    curve = curve + 0.05 * _wander(draw, len(t), 3.0) + 0.03 * _wander(draw, len(t), 40.0)
    return np.asarray(np.interp(np.arange(frames) / rate_hz, t, 440 * 2 ** ((curve - 69) / 12)))


def _wander(draw: Draw, size: int, corner_hz: float) -> Curve:
    """Slow noise within about -1 to 1: random points joined at the corner's rate."""
    points = max(4, int(size / _CONTROL_HZ * corner_hz) + 3)
    return np.interp(np.linspace(0, points - 1, size), np.arange(points), draw.uniform(-1, 1, points))


def _glottis(pitch_hz: Curve, throat: Throat, rate_hz: int, draw: Draw) -> Wave:
    """A pulse train of -7 dB an octave with a weak second harmonic dip, band-limited for its highest note."""
    k = np.arange(1, max(2, min(int(0.46 * rate_hz / pitch_hz.max()), TABLE // 2 - 1)))
    amplitudes = k**-1.12 * (1 + 0.25 * np.cos(np.pi * k / 3.7))
    phases = -0.5 * np.pi - 0.35 * np.sqrt(k)
    spectrum = np.zeros(TABLE // 2 + 1, complex)
    spectrum[1 : len(k) + 1] = amplitudes * np.exp(1j * phases) * TABLE / 4
    table = np.asarray(fft.irfft(spectrum, TABLE), np.float32)
    shimmer = 1 + 0.04 * np.interp(
        np.arange(len(pitch_hz)), np.arange(0, len(pitch_hz) + 999, 1000), _some(draw, len(pitch_hz))
    )
    wave = swept(np.cumsum(pitch_hz / rate_hz), np.stack([table, table]), np.zeros(len(pitch_hz)))
    return np.asarray(wave * shimmer, np.float32)


def _some(draw: Draw, frames: int) -> Curve:
    return draw.uniform(-1, 1, len(range(0, frames + 999, 1000)))


def _loudness(notes: Sequence[SungNote], frames: int, rate_hz: int, draw: Draw) -> Wave:
    """Each note rises in 30 ms, leans a little and gives way to the next; the last one fades in 0.2 s."""
    points: list[tuple[float, float]] = [(0.0, 0.0)]
    for index, note in enumerate(notes):
        strength, end_s = note.velocity**1.2, note.onset_s + note.duration_s
        is_held = index + 1 < len(notes) and notes[index + 1].onset_s - end_s < 0.03
        points += [(note.onset_s, strength * 0.4)] if index else []
        points += [(note.onset_s + 0.03, strength), (note.onset_s + 0.5 * note.duration_s + 0.02, strength)]
        points += [(max(end_s - 0.04, note.onset_s + 0.05), strength * 0.8)]
        points += [] if is_held else [(end_s + 0.14, 0.0)]
    times, levels = np.array(points).T
    times = np.maximum.accumulate(times + np.arange(len(times)) * 1e-6)
    coarse = np.interp(np.arange(0, frames + HOP, HOP // 4) / rate_hz, times, levels)
    smooth = np.convolve(np.pad(coarse, 8, mode="edge"), np.hanning(17) / np.hanning(17).sum(), "valid")
    smooth = smooth * (1 + 0.05 * _wander(draw, len(smooth), 0.15 * _CONTROL_HZ))
    level = np.interp(np.arange(frames), np.arange(len(smooth)) * (HOP // 4), smooth)
    return np.asarray(level * np.clip(np.arange(frames) / (0.006 * rate_hz), 0, 1), np.float32)


def _opened(level: Wave, rate_hz: int) -> Wave:
    """Frication starts before the voice: it follows the loudness only where that has ended."""
    open_s = np.clip(np.arange(len(level)) / (0.004 * rate_hz), 0, 1)
    return np.asarray(open_s * float(level.max()) * 0.8, np.float32)


@dataclass(frozen=True, kw_only=True)
class Track:
    """The sounds over time: a row for each hop."""

    formants_hz: Curve
    voice: Curve
    breath: Curve
    hiss: Curve
    hiss_hz: Curve
    dull: Curve


def _track(notes: Sequence[SungNote], throat: Throat, times_s: Curve) -> Track:
    marks, phones = zip(*[mark for note in notes for mark in _marks(note)], strict=True)
    at = np.maximum.accumulate(np.array(marks) + np.arange(len(marks)) * 1e-6)

    def over_time(values: Sequence[float]) -> Curve:
        return np.asarray(np.interp(times_s, at, np.asarray(values, float)))

    columns = [over_time([phone.formants_hz[i] for phone in phones]) for i in range(5)]
    return Track(
        formants_hz=np.stack(columns, axis=1) * throat.formant_scale,
        voice=over_time([phone.voice for phone in phones]),
        breath=over_time([phone.breath for phone in phones]),
        hiss=over_time([phone.hiss for phone in phones]),
        hiss_hz=over_time([phone.hiss_hz for phone in phones]),
        dull=over_time([phone.dull for phone in phones]),
    )


def _marks(note: SungNote) -> list[tuple[float, Phone]]:
    """When which sound is reached: consonant on the onset, the vowel soon after, the second vowel late."""
    consonant, vowels = _SPELLING[note.syllable]
    length = min(_CONSONANT_S[consonant], 0.35 * note.duration_s)
    start, end = note.onset_s, note.onset_s + note.duration_s
    first, last = _VOWELS[vowels[0]], _VOWELS[vowels[-1]]
    marks = [(start, _CONSONANTS[consonant])] if consonant else []
    marks += [(start + 0.6 * length, _CONSONANTS[consonant])] if consonant else []
    marks += [(start + length + 0.035, first)]
    marks += [(start + 0.55 * note.duration_s, first)] if len(vowels) > 1 else []
    return [*marks, (max(end - 0.045, start + length + 0.04), last)]


def _formant_gains(track: Track, rate_hz: int) -> NDArray[np.float32]:
    """The vocal tract's gain for each hop and bin: resonances in a row, each with a floor.

    The floor keeps a chain of poles from falling faster than a throat with all of its higher ones does.
    """
    f = fft.rfftfreq(WINDOW, 1 / rate_hz).astype(np.float32)[None, :]
    gains = np.ones((len(track.voice), f.shape[1]), np.float32)
    for index, width_hz in enumerate(_BANDWIDTHS_HZ):
        centre_hz = track.formants_hz[:, index].astype(np.float32)[:, None]
        gains *= _resonance(f, centre_hz, np.float32(width_hz) * (1 + np.float32(0.0002) * centre_hz))
    for upper in np.array(_UPPER_FORMANTS_HZ, np.float32):
        gains *= _resonance(f, upper[None, :1], upper[None, 1:])
    muffled = 1 / (1 + (f / 900) ** 2)
    dull = track.dull.astype(np.float32)[:, None]
    top = 1 / (1 + (f / 2200) ** 2) ** 0.55 / (1 + (f / 14_000) ** 4)
    return np.asarray(gains * (1 - dull + dull * muffled) * top, np.float32)


def _resonance(
    f: NDArray[np.float32], centre_hz: NDArray[np.float32], width_hz: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Magnitude of a pole pair, kept from falling below -7 dB."""
    x = (f / centre_hz) ** 2
    return np.asarray(
        np.sqrt(1 / ((1 - x) ** 2 + x * (width_hz / centre_hz) ** 2) + np.float32(0.2)), np.float32
    )


def _breath_gains(track: Track, throat: Throat, rate_hz: int) -> NDArray[np.float32]:
    f = fft.rfftfreq(WINDOW, 1 / rate_hz)[None, :]
    rise = (f / (f + 1500)) * 0.07 * throat.breath
    return np.asarray(track.breath[:, None] * rise, np.float32)


def _hiss_gains(track: Track, rate_hz: int) -> NDArray[np.float32]:
    f = fft.rfftfreq(WINDOW, 1 / rate_hz)[None, :]
    hump = np.exp(-0.5 * (np.log2(np.maximum(f, 50) / track.hiss_hz[:, None]) / 0.55) ** 2)
    return np.asarray(track.hiss[:, None] * hump * 0.5, np.float32)


def _shaped(wave: Wave, gains: NDArray[np.float32]) -> Wave:
    """The wave with its short-time spectra multiplied, rebuilt by overlapping windows."""
    rows = len(gains)
    padded = np.zeros((rows - 1) * HOP + WINDOW, np.float32)
    padded[WINDOW // 2 : WINDOW // 2 + len(wave)] = wave[: len(padded) - WINDOW // 2]
    window = np.sqrt(np.hanning(WINDOW + 1)[:-1]).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * window
    shaped = fft.irfft(fft.rfft(frames, axis=1) * gains, WINDOW, axis=1) * (
        window * np.float32(HOP * 2 / WINDOW)
    )
    parts = shaped.reshape(rows, WINDOW // HOP, HOP)
    out = np.zeros((rows + WINDOW // HOP - 1, HOP), np.float32)
    for index in range(WINDOW // HOP):
        out[index : index + rows] += parts[:, index]
    return np.asarray(out.ravel()[WINDOW // 2 : WINDOW // 2 + len(wave)], np.float32)
