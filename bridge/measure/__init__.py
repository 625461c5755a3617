"""What audio is like: audio in, frozen values out."""

from bridge.measure.agreement import (
    Alignment,
    LevelDifference,
    NullDepth,
    alignment,
    level_difference,
    null_depth,
)
from bridge.measure.artefacts import ArtefactMeter, Artefacts, artefacts_of, measure_artefacts
from bridge.measure.beats import measure_beats
from bridge.measure.chords import measure_chords
from bridge.measure.clicks import ClickCounter
from bridge.measure.cutoff import Cutoff, CutoffMeter, measure_cutoff
from bridge.measure.drumhits import hits_of_drums
from bridge.measure.ffmpeg_meter import FfmpegLoudness, ffmpeg_loudness
from bridge.measure.harmony import Harmony, HarmonyMeter, harmony_of, measure_harmony
from bridge.measure.loudness import (
    LOUDNESS_FLOOR_LUFS,
    Loudness,
    LoudnessCurve,
    LoudnessMeter,
    loudness_of,
    measure_loudness,
)
from bridge.measure.meter import (
    PEAK_FLOOR_DBFS,
    Meter,
    feed,
    heard_channels,
    measure_audio,
    measure_file,
)
from bridge.measure.notes import notes_of_melody
from bridge.measure.pictures import (
    Spectrogram,
    SpectrogramMeter,
    Waveform,
    WaveformMeter,
    draw_spectrogram,
    draw_waveform,
    spectrogram_of,
    waveform_of,
)
from bridge.measure.rhythm import Rhythm, RhythmMeter, measure_rhythm, rhythm_of
from bridge.measure.scores import sdr_db, si_sdr_db
from bridge.measure.sections import measure_sections
from bridge.measure.shimmer import ShimmerMeter
from bridge.measure.spectrum import Spectrum, SpectrumMeter, measure_spectrum, spectrum_of
from bridge.measure.stereo import Stereo, StereoBand, StereoMeter, measure_stereo, stereo_of
from bridge.measure.survey import Survey, survey_file
from bridge.measure.truepeak import TruePeakMeter

__all__ = [
    "LOUDNESS_FLOOR_LUFS",
    "PEAK_FLOOR_DBFS",
    "Alignment",
    "ArtefactMeter",
    "Artefacts",
    "ClickCounter",
    "Cutoff",
    "CutoffMeter",
    "FfmpegLoudness",
    "Harmony",
    "HarmonyMeter",
    "LevelDifference",
    "Loudness",
    "LoudnessCurve",
    "LoudnessMeter",
    "Meter",
    "NullDepth",
    "Rhythm",
    "RhythmMeter",
    "ShimmerMeter",
    "Spectrogram",
    "SpectrogramMeter",
    "Spectrum",
    "SpectrumMeter",
    "Stereo",
    "StereoBand",
    "StereoMeter",
    "Survey",
    "TruePeakMeter",
    "Waveform",
    "WaveformMeter",
    "alignment",
    "artefacts_of",
    "draw_spectrogram",
    "draw_waveform",
    "feed",
    "ffmpeg_loudness",
    "harmony_of",
    "heard_channels",
    "hits_of_drums",
    "level_difference",
    "loudness_of",
    "measure_artefacts",
    "measure_audio",
    "measure_beats",
    "measure_chords",
    "measure_cutoff",
    "measure_file",
    "measure_harmony",
    "measure_loudness",
    "measure_rhythm",
    "measure_sections",
    "measure_spectrum",
    "measure_stereo",
    "notes_of_melody",
    "null_depth",
    "rhythm_of",
    "sdr_db",
    "si_sdr_db",
    "spectrogram_of",
    "spectrum_of",
    "stereo_of",
    "survey_file",
    "waveform_of",
]
