"""One look at a sound from all sides, in one pass: what the report shows and what decisions rest on."""

from __future__ import annotations

from pathlib import Path

from bridge.audio import open_audio
from bridge.measure import heard_channels
from bridge.measure.artefacts import ArtefactMeter, Artefacts
from bridge.measure.loudness import Loudness, LoudnessCurve, LoudnessMeter
from bridge.measure.meter import Takes, feed
from bridge.measure.pictures import Spectrogram, SpectrogramMeter, Waveform, WaveformMeter
from bridge.measure.spectrum import Spectrum, SpectrumMeter
from bridge.measure.stereo import Stereo, StereoMeter
from bridge.protocols import Progress
from bridge.values import Value


class Inspection(Value):
    """All that was seen; ``spectrogram`` only where a picture was wanted."""

    rate_hz: int
    channels: int
    frames: int
    loudness: Loudness
    short_term: LoudnessCurve
    spectrum: Spectrum
    stereo: Stereo
    artefacts: Artefacts
    waveform: Waveform
    spectrogram: Spectrogram | None = None


def inspect(path: Path, progress: Progress, *more: Takes, has_spectrogram: bool = False) -> Inspection:
    """Inspect a file of one or two channels; ``more`` meters are fed in the same pass."""
    with open_audio(path) as reader:
        rate_hz, channels = reader.info.rate_hz, heard_channels(reader)
        loudness = LoudnessMeter(rate_hz, channels)
        spectrum = SpectrumMeter(rate_hz, channels)
        stereo = StereoMeter(rate_hz, channels)
        artefacts = ArtefactMeter(rate_hz, channels)
        waveform = WaveformMeter(rate_hz, channels)
        spectrogram = SpectrogramMeter(rate_hz, channels) if has_spectrogram else None
        meters: list[Takes] = [loudness, spectrum, stereo, artefacts, waveform, *more]
        feed(reader, *meters, *([spectrogram] if spectrogram else []), progress=progress)
        return Inspection(
            rate_hz=rate_hz,
            channels=channels,
            frames=reader.info.frames,
            loudness=loudness.result(),
            short_term=loudness.short_term(),
            spectrum=spectrum.result(),
            stereo=stereo.result(),
            artefacts=artefacts.result(),
            waveform=waveform.result(),
            spectrogram=spectrogram.result() if spectrogram else None,
        )


def save(inspection: Inspection, path: Path) -> Path:
    """Write an inspection as JSON and give its path back."""
    path.write_text(inspection.model_dump_json(), encoding="utf-8")
    return path


def load(path: Path) -> Inspection:
    """Read what ``save`` wrote."""
    return Inspection.model_validate_json(path.read_bytes())
