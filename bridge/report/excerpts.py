"""Excerpts to listen to: cut, matched in loudness, coded as MP3 (all browsers play it), kept to a budget."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from bridge.audio import Audio, Samples, fold_to_stereo, open_audio
from bridge.errors import AudioError
from bridge.measure.loudness import LOUDNESS_FLOOR_LUFS, loudness_of
from bridge.report.data import Excerpt, Floats, Waveform
from bridge.values import Value

AUDIO_BUDGET_BYTES = 3_000_000
"""For all excerpts of a page, as base64; the drawings take up to 1 MB more."""
HEADROOM_DBFS = -1.0
"""Peaks of an excerpt stay below this after its gain: MP3 adds a little of its own."""
FADE_S = 0.008
COLUMNS = 500
_Cut = tuple[Samples, int]
"""Samples and their rate."""
_MP3_RATES_HZ = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_ENCODER_EFFORT = 7
"""LAME's 0 (best) to 9 (fastest): 7 takes half the time of its default."""
_WORKERS = 2
_LADDER = (
    # version_s, version_kbps, stem_s, stem_kbps: LAME cuts lower the lower the rate, which would hide from
    # the ear what was won in the highs, so versions keep their rate longest
    (25.0, 192, 20.0, 112),
    (25.0, 192, 15.0, 96),
    (25.0, 192, 15.0, 80),
    (25.0, 192, 12.0, 80),
    (20.0, 192, 12.0, 80),
    (20.0, 160, 12.0, 64),
    (20.0, 160, 10.0, 56),
    (20.0, 128, 10.0, 48),
)


class ExcerptPlan(Value):
    """How long and how well excerpts are coded so that they fit the budget."""

    version_s: float
    version_kbps: int
    stem_s: float
    stem_kbps: int


def plan_excerpts(versions: int, stems: int, budget_bytes: int = AUDIO_BUDGET_BYTES) -> ExcerptPlan:
    """The best plan that fits for so many ``versions`` (source, masters) and ``stems`` (dry and mixed).

    Stems give way first; where the least plan does not fit either, lengths shrink alike.
    """
    plans = [
        ExcerptPlan(version_s=version_s, version_kbps=version_kbps, stem_s=stem_s, stem_kbps=stem_kbps)
        for version_s, version_kbps, stem_s, stem_kbps in _LADDER
    ]
    fitting = next((plan for plan in plans if _cost_bytes(plan, versions, stems) <= budget_bytes), None)
    return fitting or _shrunk(plans[-1], budget_bytes / _cost_bytes(plans[-1], versions, stems))


def loudest_start_s(lufs: Floats, step_s: float, seconds: float, duration_s: float) -> float:
    """Where the loudest ``seconds`` of a song begin, from its loudness at equal steps over the whole song.

    Power is averaged; a song shorter than ``seconds``, silence or an empty series start at 0.
    """
    power = 10 ** (np.nan_to_num(np.array(lufs, np.float64), nan=-99, neginf=-99) / 10)
    width = round(seconds / step_s)
    if power.size <= width or duration_s <= seconds:
        return 0.0
    sums = np.convolve(power, np.ones(width), "valid")
    return min(round(float(np.argmax(sums)) * step_s, 2), duration_s - seconds)


def excerpt(path: Path, start_s: float, seconds: float, gain_db: float = 0.0, kbps: int = 160) -> bytes:
    """A part of an audio file as MP3, with short fades.

    Any length that is there is given: an excerpt past the end is as long as the rest of the file. More than
    two channels are folded to stereo; rates that MP3 does not know become 44.1 or 48 kHz. AudioError where
    the file cannot be decoded or has nothing there.
    """
    samples, rate_hz = _cut(path, start_s, seconds)
    return encode_mp3(_prepared(samples, rate_hz, gain_db), rate_hz, kbps)


def matched_excerpts(
    paths: Sequence[Path], start_s: float, seconds: float, kbps: int = 160
) -> tuple[Excerpt, ...]:
    """The same part of several versions of a song, all turned down to the loudness of the quietest.

    Loudness is the integrated loudness (BS.1770) of the part itself; silent versions steer nothing and keep
    their level. Where a peak would pass -1 dBFS, all go down together.
    """
    cuts = [_cut(path, start_s, seconds) for path in paths]
    gains = matching_gains_db([_loudness_lufs(*cut) for cut in cuts], [_peak_db(cut[0]) for cut in cuts])
    return _made_all(cuts, start_s, gains, kbps)


def set_excerpts(
    paths: Sequence[Path], start_s: float, seconds: float, kbps: int = 80
) -> tuple[Excerpt, ...]:
    """The same part of several stems, all with one gain, so that played together they are the mix.

    The gain is 0 dB unless the sum passes -1 dBFS; then it brings it there.
    """
    cuts = [_cut(path, start_s, seconds) for path in paths]
    gain_db = min(0.0, HEADROOM_DBFS - _sum_peak_db([samples for samples, _ in cuts]))
    return _made_all(cuts, start_s, [gain_db] * len(cuts), kbps)


def matching_gains_db(loudness_lufs: Sequence[float], peaks_dbfs: Sequence[float]) -> tuple[float, ...]:
    """Gains that bring versions to the loudness of the quietest and keep all peaks below -1 dBFS."""
    heard = [lufs for lufs in loudness_lufs if lufs > LOUDNESS_FLOOR_LUFS]
    quietest = min(heard, default=0.0)
    gains = [quietest - lufs if lufs > LOUDNESS_FLOOR_LUFS else 0.0 for lufs in loudness_lufs]
    loudest = max((peak + gain for peak, gain in zip(peaks_dbfs, gains, strict=True)), default=HEADROOM_DBFS)
    return tuple(gain + min(0.0, HEADROOM_DBFS - loudest) for gain in gains)


def encode_mp3(samples: Samples, rate_hz: int, kbps: int) -> bytes:
    """Samples of shape (1 or 2, frames) as an MP3 file whose header states delay and padding."""
    import av

    out = io.BytesIO()
    options = {"compression_level": str(_ENCODER_EFFORT)}
    with av.open(out, "w", format="mp3") as container:
        stream: Any = container.add_stream("libmp3lame", rate=_mp3_rate(rate_hz), options=options)
        stream.bit_rate = kbps * 1000
        stream.layout = _layout(samples)
        stream.format = "fltp"
        for frame in _frames(samples, rate_hz, stream):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def data_uri(mime: str, content: bytes) -> str:
    """Bytes as an address that needs no file beside the page."""
    return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"


def waveform_of(samples: Samples, columns: int = COLUMNS) -> Waveform:
    """The picture of samples in memory, at most ``columns`` columns."""
    count = min(columns, samples.shape[1])
    if not count:
        return Waveform(low=(), high=(), rms=())
    edges = np.linspace(0, samples.shape[1], count + 1).astype(int)[:-1]
    power = np.mean(np.square(samples, dtype=np.float64), axis=0)
    means = np.add.reduceat(power, edges) / np.diff(np.append(edges, samples.shape[1]))
    return Waveform(
        low=_rounded(np.minimum.reduceat(samples.min(axis=0), edges)),
        high=_rounded(np.maximum.reduceat(samples.max(axis=0), edges)),
        rms=_rounded(np.sqrt(means)),
    )


def _cut(path: Path, start_s: float, seconds: float) -> _Cut:
    with open_audio(path) as reader:
        rate_hz = reader.info.rate_hz
        if start_s > 0:
            reader.seek(round(start_s * rate_hz))
        samples = fold_to_stereo(reader.read(round(seconds * rate_hz)), reader.info.layout)
    if not samples.shape[1]:
        raise AudioError(f"{path.name} has no audio from {start_s:.1f} s on; wanted {seconds:.1f} s of it.")
    return np.nan_to_num(samples, posinf=0.0, neginf=0.0), rate_hz


def _made_all(cuts: list[_Cut], start_s: float, gains: Sequence[float], kbps: int) -> tuple[Excerpt, ...]:
    """LAME releases the interpreter, so two at a time."""
    with ThreadPoolExecutor(_WORKERS) as workers:
        return tuple(workers.map(lambda cut, gain_db: _made(cut, start_s, gain_db, kbps), cuts, gains))


def _made(cut: _Cut, start_s: float, gain_db: float, kbps: int) -> Excerpt:
    samples, rate_hz = cut
    prepared = _prepared(samples, rate_hz, gain_db)
    return Excerpt(
        content=encode_mp3(prepared, rate_hz, kbps),
        start_s=start_s,
        seconds=prepared.shape[1] / rate_hz,
        gain_db=round(gain_db, 2),
        waveform=waveform_of(prepared),
    )


def _prepared(samples: Samples, rate_hz: int, gain_db: float) -> Samples:
    """With gain and with fades, so that it neither starts nor ends with a click."""
    out = np.asarray(samples * np.float32(10 ** (gain_db / 20)), np.float32)
    length = min(round(FADE_S * rate_hz), out.shape[1] // 2)
    ramp = np.linspace(0, 1, length, dtype=np.float32)
    out[:, :length] *= ramp
    out[:, out.shape[1] - length :] *= ramp[::-1]
    return np.clip(out, -1, 1)


def _frames(samples: Samples, rate_hz: int, stream: Any) -> list[Any]:
    import av

    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=_layout(samples))
    frame.sample_rate = rate_hz
    frame.pts = 0
    resampler = av.AudioResampler(
        format="fltp",
        layout=_layout(samples),
        rate=stream.rate,
        frame_size=stream.codec_context.frame_size or 1152,
    )
    return [*resampler.resample(frame), *resampler.resample(None)]


def _layout(samples: Samples) -> str:
    return "mono" if samples.shape[0] == 1 else "stereo"


def _mp3_rate(rate_hz: int) -> int:
    if rate_hz in _MP3_RATES_HZ:
        return rate_hz
    return 44_100 if rate_hz % 44_100 == 0 else 48_000


def _loudness_lufs(samples: Samples, rate_hz: int) -> float:
    return loudness_of(Audio(samples=samples, rate_hz=rate_hz)).integrated_lufs


def _peak_db(samples: Samples) -> float:
    return float(20 * np.log10(max(1e-9, float(np.abs(samples).max(initial=0.0)))))


def _sum_peak_db(parts: list[Samples]) -> float:
    if not parts:
        return HEADROOM_DBFS
    frames = min(part.shape[1] for part in parts)
    total = sum((part[:, :frames] for part in parts[1:]), start=parts[0][:, :frames].astype(np.float32))
    return max(_peak_db(total), *(_peak_db(part) for part in parts))


def _shrunk(plan: ExcerptPlan, share: float) -> ExcerptPlan:
    return plan.evolve(version_s=plan.version_s * share, stem_s=plan.stem_s * share)


def _cost_bytes(plan: ExcerptPlan, versions: int, stems: int) -> float:
    bits = versions * plan.version_s * plan.version_kbps + stems * plan.stem_s * plan.stem_kbps
    return bits * 1000 / 8 * 4 / 3


def _rounded(values: Any) -> Floats:
    return tuple(np.round(values.astype(np.float64), 4).tolist())
