"""Audio in memory and in files: the only place that opens media and turns axes.

In memory audio is float32 of shape ``(channels, frames)`` with its rate attached. WAV, RF64, BW64 and AIFF
are read here, sample by sample as they lie in the file; everything else by FFmpeg's libraries through PyAV,
cut to the length that the container states (LAME and Xing header, MP4 edit list, Opus pre-skip and last page,
FLAC's sample count), so that the decoded length is the true one.

A file that holds less audio than it promises is refused, never shortened in silence: it is most often a
download or an export that had not finished.

More than two channels are mixed to stereo by the coefficients of ITU-R BS.775-4 table 2, the low-frequency
channel left out; a layout that the file does not name is folded by turns, odd channels left, even ones right.
"""

from bridge.audio.files import open_audio, probe, read_audio
from bridge.audio.fold import fold_to_stereo
from bridge.audio.values import BLOCK_FRAMES, Audio, AudioReader, Samples
from bridge.audio.writer import PARTIAL_PATTERN, AudioWriter, sync_file, sync_folder, sync_tree, write_audio
from bridge.values import AUDIO_SUFFIXES

__all__ = [
    "AUDIO_SUFFIXES",
    "BLOCK_FRAMES",
    "PARTIAL_PATTERN",
    "Audio",
    "AudioReader",
    "AudioWriter",
    "Samples",
    "fold_to_stereo",
    "open_audio",
    "probe",
    "read_audio",
    "sync_file",
    "sync_folder",
    "sync_tree",
    "write_audio",
]
