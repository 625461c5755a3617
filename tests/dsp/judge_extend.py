"""How near bandwidth extension comes to what was cut off: a table of songs, cut-offs and figures.

Run from the repository: ``python -m tests.dsp.judge_extend [SECONDS]``. Songs of the composer (seeds from 0;
the network was fitted on others) and, where ../shared/data is there, real ones, are low-passed at 8, 10 and
12 kHz by a linear-phase filter 200 Hz wide to either side. Told for doing nothing and for the extension:

- LSD, the log-spectral distance above the cut-off, up to the reference's own: over windows of 46 ms the root
  of the mean squared difference of levels in dB, none below -90 dBFS, mean over windows and channels. Once
  between bands of a sixth of an octave, about as wide as the ear's there (in dBFS as ``bridge.measure``
  counts: bands add up to the mean square), and once between single bins (a full-scale sine is 0 dBFS). Two
  noises of equal spectrum are 7.9 dB apart by bins: no guess of what is lost comes nearer than that by much.
- what changed below the cut-off, as effective value in dBFS, up to 300 Hz below it;
- how many times faster than real time one core was, both passes, reading and writing.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.signal import fftconvolve, firwin, kaiser_beta

from bridge.audio import Audio, read_audio, write_audio
from bridge.engines.extend import NativeExtender
from bridge.generate import compose, random_spec
from bridge.measure.cutoff import CutoffMeter
from bridge.protocols import no_progress
from bridge.values import FOUR_STEMS

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data" / "audio"
REAL = {
    "demucs_test": "demucs_test.mp3",
    "real_000002": "real_vs_codec/real_000002.mp3",
    "real_000134": "real_vs_codec/real_000134.mp3",
    "falcon69": "falcon69/mixture.wav",
    "falcon69 drums": "falcon69/drums.wav",
}
SEEDS = (1, 2, 3, 4, 5, 6)
CUTOFFS_HZ = (8_000.0, 10_000.0, 12_000.0)
TOP_HZ, FLOOR_DBFS = 20_000.0, -90.0
_SIZE = 2048

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A song and a cut-off: distances without and with the extension, and what it cost."""

    bands_before_db: float
    bands_after_db: float
    bins_before_db: float
    bins_after_db: float
    changed_below_dbfs: float
    faster: float

    @property
    def bands_ratio(self) -> float:
        """Of the distances between bands."""
        return self.bands_after_db / self.bands_before_db

    @property
    def bins_ratio(self) -> float:
        """Of the distances between bins."""
        return self.bins_after_db / self.bins_before_db


def composed_songs(seconds: float) -> Iterator[tuple[str, Audio]]:
    """Songs of our composer."""
    for seed in SEEDS:
        song = compose(random_spec(seed, duration_s=seconds))
        mixture = np.sum([song.stem(role).samples for role in FOUR_STEMS], axis=0)
        yield f"composed {seed}", Audio(samples=mixture.astype(np.float32), rate_hz=song.truth.rate_hz)


def real_songs(seconds: float) -> Iterator[tuple[str, Audio]]:
    """Real songs, for measuring only; none where they are absent."""
    for name, place in REAL.items():
        if (SHARED / place).exists():
            audio = read_audio(SHARED / place)
            # a burst stands at both ends of falcon69's files
            kept = audio.samples[:, 2048 : audio.frames - 2048][:, : round(seconds * audio.rate_hz)]
            yield name, Audio(samples=np.ascontiguousarray(kept), rate_hz=audio.rate_hz)


def judge(audio: Audio, cutoff_hz: float, folder: Path) -> Judgement:
    """Cut a song off, extend it, compare."""
    cut = low_passed(audio, cutoff_hz)
    write_audio(folder / "cut.wav", cut)
    started_s = time.process_time()
    NativeExtender().enhance(folder / "cut.wav", folder / "extended.wav", no_progress)
    took_s = time.process_time() - started_s
    extended = read_audio(folder / "extended.wav")
    span = (cutoff_hz, _own_end_hz(audio))
    return Judgement(
        bands_before_db=_distance_db(_bands, audio, cut, span),
        bands_after_db=_distance_db(_bands, audio, extended, span),
        bins_before_db=_distance_db(_bins, audio, cut, span),
        bins_after_db=_distance_db(_bins, audio, extended, span),
        changed_below_dbfs=changed_below_dbfs(cut, extended, cutoff_hz - 300),
        faster=audio.duration_s / took_s,
    )


def low_passed(audio: Audio, cutoff_hz: float, width_hz: float = 400.0) -> Audio:
    """By 120 dB, by a linear-phase filter that falls over ``width_hz`` around the cut-off."""
    taps = int((120 - 7.95) / (2.285 * 2 * np.pi * width_hz / audio.rate_hz)) | 1
    impulse = firwin(taps, cutoff_hz, window=("kaiser", kaiser_beta(120)), fs=audio.rate_hz)
    made = np.stack([fftconvolve(channel, impulse, "same") for channel in audio.samples])
    return Audio(samples=made.astype(np.float32), rate_hz=audio.rate_hz)


def changed_below_dbfs(before: Audio, after: Audio, limit_hz: float) -> float:
    """Effective value of the difference below a frequency, but for the ends, where all sound breaks off."""
    difference = Audio(samples=after.samples - before.samples, rate_hz=before.rate_hz)
    edge = before.rate_hz // 10
    below = low_passed(difference, limit_hz, 200.0).samples[:, edge:-edge]
    return float(10 * np.log10(np.mean(np.square(below, dtype=np.float64)) + 1e-20))


def _own_end_hz(audio: Audio) -> float:
    meter = CutoffMeter(audio.rate_hz, audio.channels)
    meter.add(audio.samples)
    return min(TOP_HZ, meter.result().hz or TOP_HZ)


def _distance_db(levels, reference: Audio, other: Audio, span: tuple[float, float]) -> float:  # type: ignore[no-untyped-def]
    wanted, found = levels(reference, span), levels(other, span)
    return float(np.sqrt(np.mean((wanted - found) ** 2, axis=2)).mean())


def _power(audio: Audio) -> Floats:
    window = np.hanning(_SIZE + 1)[:-1]
    windows = np.lib.stride_tricks.sliding_window_view(audio.samples, _SIZE, axis=1)[:, :: _SIZE // 4]
    spectra = rfft(windows * window.astype(np.float32), axis=2)
    return np.asarray(spectra.real**2 + spectra.imag**2, np.float64)


def _bins(audio: Audio, span: tuple[float, float]) -> Floats:
    """Levels of single bins: a full-scale sine is 0."""
    hertz = np.fft.rfftfreq(_SIZE, 1 / audio.rate_hz)
    power = _power(audio)[:, :, (hertz >= span[0]) & (hertz <= span[1])] * (4 / _SIZE) ** 2
    return _floored_db(power)


def _bands(audio: Audio, span: tuple[float, float]) -> Floats:
    """Levels of bands of a sixth of an octave: all bands add up to the mean square."""
    hertz = np.fft.rfftfreq(_SIZE, 1 / audio.rate_hz)
    count = max(1, round(6 * np.log2(span[1] / span[0])))
    borders = np.searchsorted(hertz, np.geomspace(span[0], span[1], count + 1))
    power = _power(audio)[:, :, : borders[-1]] * (2 / (_SIZE * 0.375 * _SIZE))
    return _floored_db(np.add.reduceat(power, borders[:-1], axis=2))


def _floored_db(power: Floats) -> Floats:
    return np.maximum(10 * np.log10(power + 1e-30), FLOOR_DBFS)


def main() -> None:
    """Print the table; the last line has the worst of each column."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    _tell(
        f"{'':16}{'cut':>6} |{'bands: nothing':>15}{'extended':>9}{'ratio':>6} |{'bins: nothing':>14}"
        f"{'extended':>9}{'ratio':>6} |{'below':>6}      |{'speed':>6}"
    )
    found: list[Judgement] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, audio in (*real_songs(seconds), *composed_songs(seconds)):
            for cutoff_hz in CUTOFFS_HZ:
                found.append(judge(audio, cutoff_hz, Path(folder)))
                _tell(_line(f"{name:16}{cutoff_hz / 1000:4.0f} k", found[-1]))
    worst = (
        max(j.bands_ratio for j in found),
        max(j.bins_ratio for j in found),
        min(j.faster for j in found),
    )
    _tell("Worst: bands {:.2f}, bins {:.2f}, {:.0f} times real time".format(*worst))


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _line(label: str, one: Judgement) -> str:
    return (
        f"{label} |{one.bands_before_db:15.1f}{one.bands_after_db:9.1f}{one.bands_ratio:6.2f} |"
        f"{one.bins_before_db:14.1f}{one.bins_after_db:9.1f}{one.bins_ratio:6.2f} |"
        f"{one.changed_below_dbfs:6.0f} dBFS |{one.faster:5.0f}x"
    )


if __name__ == "__main__":
    main()
