"""The table of bad and odd songs: how each is made, and what has to come of it."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bridge.audio import Audio, AudioWriter, write_audio
from bridge.values import SampleFormat
from tests.encoded_media import Samples, encode, song, wav

RATE_HZ = 44_100
SECONDS = 2.5
HOUR_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """A song that is wrong or odd in one way.

    ``refused`` holds words that its message has to have; empty means that a correct delivery is wanted.
    ``code`` is the command's exit code: 2 where it is told before there is a job, 1 where the job failed.
    """

    id: str
    name: str
    make: Callable[[Path], object]
    refused: tuple[str, ...] = ()
    code: int = 0
    recipe: str = "master-only"
    is_slow: bool = False

    def made(self, folder: Path) -> Path:
        """Make it in ``folder`` and give its path."""
        path = folder / self.name
        self.make(path)
        return path


def music(seconds: float = SECONDS, rate_hz: int = RATE_HZ, channels: int = 2) -> Samples:
    """A plain song; seeded."""
    return song(round(seconds * rate_hz), rate_hz, channels)


def write(path: Path, samples: Samples, rate_hz: int = RATE_HZ) -> None:
    """A WAV of 24 bits, as exports are."""
    write_audio(path, Audio(samples=samples, rate_hz=rate_hz), SampleFormat.INT24)


def write_float(path: Path, samples: Samples, rate_hz: int = RATE_HZ) -> None:
    """A WAV that holds exactly these samples, numbers or not."""
    write_audio(path, Audio(samples=samples, rate_hz=rate_hz), SampleFormat.FLOAT32)


def plain(path: Path) -> None:
    """A song without a flaw: for cases whose oddness is the name."""
    write(path, music())


def _cut(path: Path, share: float) -> None:
    os.truncate(path, round(path.stat().st_size * share))


def _truncated_wav(path: Path) -> None:
    plain(path)
    _cut(path, 0.6)


def _coded(codec: str, packing: str, rate_hz: int = RATE_HZ) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        encode(path, music(4.0, rate_hz), rate_hz, codec=codec, packing=packing)

    return make


def _truncated(codec: str, packing: str, share: float = 0.6) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        _coded(codec, packing)(path)
        _cut(path, share)

    return make


def _truncated_vorbis(path: Path) -> None:
    import soundfile

    soundfile.write(path, music(4.0).T, RATE_HZ, format="OGG", subtype="VORBIS")
    _cut(path, 0.6)


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _png(path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (64, 64), "red").save(path, format="PNG")


def _pdf(path: Path) -> None:
    path.write_bytes(b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n")


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lyrics.txt", "la la la")


def _video(path: Path) -> None:
    """A film without sound."""
    import av

    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(25):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))


def _spoilt(value: float) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        samples = music()
        samples[0, 50_000:50_003] = value
        write_float(path, samples)

    return make


def _huge(path: Path) -> None:
    samples = music()
    samples[:, 60_000] = 3e38
    write_float(path, samples)


def _loud_float(path: Path) -> None:
    """A song that passes 0 dBFS by 20 dB, as float exports may."""
    write_float(path, music() * np.float32(10))


def _tiny_float(path: Path) -> None:
    """Denormal numbers: a plug-in's tail."""
    write_float(path, music() * np.float32(1e-39))


def _clipped(path: Path) -> None:
    write(path, np.clip(music() * np.float32(30), -1, 1))


def _square(path: Path) -> None:
    """Full scale and nothing else: every sample clips."""
    wave = np.sign(np.sin(2 * np.pi * 110 * np.arange(round(SECONDS * RATE_HZ)) / RATE_HZ) + 1e-9)
    write(path, np.float32(np.stack([wave, wave])))


def _offset(path: Path) -> None:
    write(path, np.float32(0.45 + 0.5 * music()))


def _only_offset(path: Path) -> None:
    write(path, np.full((2, round(SECONDS * RATE_HZ)), 0.5, np.float32))


def _quiet(peak_dbfs: float) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        samples = music()
        write_float(path, samples * np.float32(10 ** (peak_dbfs / 20) / np.abs(samples).max()))

    return make


def _one_side(path: Path) -> None:
    samples = music()
    samples[1] = 0
    write(path, samples)


def _out_of_phase(path: Path) -> None:
    samples = music()
    write(path, np.stack([samples[0], -samples[0]]))


def _gap(path: Path) -> None:
    """Almost all silence: a sound at the start and one at the end."""
    samples = np.zeros((2, round(8 * RATE_HZ)), np.float32)
    samples[:, :4_410] = music()[:, :4_410]
    samples[:, -4_410:] = music()[:, :4_410]
    write(path, samples)


def _click(path: Path) -> None:
    """One full-scale sample in silence."""
    samples = np.zeros((2, round(SECONDS * RATE_HZ)), np.float32)
    samples[:, 40_000] = 0.99
    write(path, samples)


def _sine_ultrasonic(path: Path) -> None:
    t = np.arange(round(SECONDS * 192_000)) / 192_000
    wave = np.float32(0.5 * np.sin(2 * np.pi * 60_000 * t))
    write(path, np.stack([wave, wave]), 192_000)


def _rate(rate_hz: int, channels: int = 2) -> Callable[[Path], None]:
    return lambda path: write(path, music(rate_hz=rate_hz, channels=channels), rate_hz)


def _claims_thirty_hours(path: Path) -> None:
    """A sparse WAV that really has thirty hours of silence: 8 kHz, 8 bit, mono."""
    frames = round(30 * HOUR_S * 8_000)
    head = wav(b"", bits=8, rate_hz=8_000, data_size=frames)
    riff = struct.pack("<4sI", b"RIFF", len(head) - 8 + frames)
    path.write_bytes(riff + head[8:])
    os.truncate(path, len(head) + frames)


def _claims_more_than_there_is(path: Path) -> None:
    path.write_bytes(wav(bytes(4 * RATE_HZ), channels=2, data_size=2**31))


def _header_only(path: Path) -> None:
    path.write_bytes(wav(b"", channels=2))


def _absurd_rate(path: Path) -> None:
    path.write_bytes(wav(bytes(400_000), channels=2, rate_hz=3))


def _no_channels(path: Path) -> None:
    head = bytearray(wav(bytes(4_000), channels=1))
    at = head.index(b"fmt ") + 10
    head[at : at + 2] = b"\0\0"
    path.write_bytes(bytes(head))


def _tagged(title: str, artist: str = "") -> Callable[[Path], None]:
    def make(path: Path) -> None:
        from mutagen.id3 import COMM, TIT2, TPE1
        from mutagen.mp3 import MP3

        _coded("libmp3lame", "fltp")(path)
        file = MP3(path)
        file.tags.add(TIT2(encoding=3, text=title))
        file.tags.add(TPE1(encoding=3, text=artist or title))
        file.tags.add(COMM(encoding=3, lang="eng", desc="", text=title))
        file.save()

    return make


def _damaged_middle(path: Path) -> None:
    """A FLAC with a stretch of zeros in its middle."""
    _coded("flac", "s16")(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3_000] = bytes(3_000)
    path.write_bytes(bytes(content))


def _eight_channels(path: Path) -> None:
    samples = music(channels=8)
    with AudioWriter(path, rate_hz=48_000, channels=8) as out:
        out.write(samples)


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}[bold]\u202e'

REFUSED = (
    Case(id="truncated wav", name="a.wav", make=_truncated_wav, refused=("incomplete", "again"), code=1),
    Case(id="truncated mp3", name="b.mp3", make=_truncated("libmp3lame", "fltp"), refused=("incomplete",), code=1),
    Case(id="truncated m4a", name="c.m4a", make=_truncated("aac", "fltp"), refused=("again",), code=1),
    Case(id="truncated flac", name="d.flac", make=_truncated("flac", "s16"), refused=("again",), code=1),
    Case(id="truncated ogg", name="d.ogg", make=_truncated_vorbis, refused=("again",), code=1),
    Case(id="damaged flac", name="d2.flac", make=_damaged_middle, refused=("again",), code=1),
    Case(id="empty", name="e.wav", make=_bytes(b""), refused=("empty", "0 bytes"), code=1),
    Case(id="header and no data", name="f.wav", make=_header_only, refused=("0 s of sound",), code=1),
    Case(id="header cut", name="f2.wav", make=_bytes(wav(b"")[:20]), refused=("again",), code=1),
    Case(id="text named mp3", name="g.mp3", make=_bytes(b"Hello, this is no song.\n" * 99), refused=("wanted",), code=1),
    Case(id="picture named wav", name="h.wav", make=_png, refused=("wanted",), code=1),
    Case(id="pdf named flac", name="i.flac", make=_pdf, refused=("wanted",), code=1),
    Case(id="zip named mp3", name="j.mp3", make=_zip, refused=("stems", "wanted"), code=1),
    Case(id="zip without stems", name="k.zip", make=_zip, refused=("stems", "wanted"), code=1),
    Case(id="damaged zip", name="k2.zip", make=_bytes(b"PK\x03\x04" + bytes(900)), refused=("zip",), code=1),
    Case(id="film without sound", name="l.mp4", make=_video, refused=("no audio",), code=1),
    Case(id="one sample", name="m.wav", make=lambda p: write(p, music()[:, :1]), refused=("s of sound", "at least"), code=1),
    Case(id="half a second", name="n.wav", make=lambda p: write(p, music(0.5)), refused=("0.5 s",), code=1),
    Case(id="digital silence", name="o.wav", make=lambda p: write(p, 0 * music()), refused=("silent",), code=1),
    Case(id="denormals", name="o2.wav", make=_tiny_float, refused=("silent",), code=1),
    Case(id="noise at -120 dBFS", name="p.wav", make=_quiet(-120), refused=("silent", "-120 dBFS"), code=1),
    Case(id="NaN", name="q.wav", make=_spoilt(np.nan), refused=("NaN", "0:0"), code=1),
    Case(id="infinity", name="r.wav", make=_spoilt(np.inf), refused=("infinity", "0:0"), code=1),
    Case(id="claims 30 hours", name="s.wav", make=_claims_thirty_hours, refused=("30:00:00", "4:00:00"), code=1),
    Case(id="claims more than there is", name="t.wav", make=_claims_more_than_there_is, refused=("incomplete",), code=1),
    Case(id="3 Hz", name="u.wav", make=_absurd_rate, refused=("long",), code=1),
    Case(id="no channels", name="v.wav", make=_no_channels, refused=("wanted",), code=1),
)  # fmt: skip

DONE = (
    Case(id="near-silence at -85 dBFS", name="near silence.wav", make=_quiet(-85), recipe="full"),
    Case(id="float 20 dB over full scale", name="loud float.wav", make=_loud_float, recipe="full"),
    Case(id="float of 3e38", name="huge float.wav", make=_huge),
    Case(id="offset", name="offset.wav", make=_offset, recipe="full"),
    Case(id="nothing but offset", name="only offset.wav", make=_only_offset),
    Case(id="clipped", name="clipped.wav", make=_clipped, recipe="full"),
    Case(id="square wave at full scale", name="square.wav", make=_square),
    Case(id="one channel silent", name="one side.wav", make=_one_side, recipe="full"),
    Case(id="out of phase", name="out of phase.wav", make=_out_of_phase, recipe="full"),
    Case(id="two sounds in silence", name="gap.wav", make=_gap, recipe="full"),
    Case(id="one click", name="click.wav", make=_click),
    Case(id="60 kHz sine at 192 kHz", name="ultrasonic.wav", make=_sine_ultrasonic),
    Case(id="8 channels", name="eight.wav", make=_eight_channels, recipe="full"),
    Case(id="mono", name="mono.wav", make=_rate(44_100, 1), recipe="full"),
    Case(id="8 kHz", name="8k.wav", make=_rate(8_000), recipe="full"),
    Case(id="8 kHz mono mp3", name="8k.mp3", make=lambda p: encode(p, music(4, 8_000, 1), 8_000, codec="libmp3lame", packing="fltp", bit_rate=32_000), recipe="full"),
    Case(id="22.05 kHz", name="22k.wav", make=_rate(22_050), recipe="full"),
    Case(id="96 kHz", name="96k.wav", make=_rate(96_000), recipe="full"),
    Case(id="192 kHz", name="192k.wav", make=_rate(192_000), recipe="full"),
    Case(id="wrong suffix", name="really a wav.mp3", make=plain),
    Case(id="no suffix", name="song without suffix", make=plain),
    Case(id="name of 255 bytes", name="ö" * 125 + "x.wav", make=plain),
    Case(id="name of emoji", name="🎵🔥👩‍👩‍👧 night.wav", make=plain),
    Case(id="name right to left", name="שיר לילה \u202ealive.wav", make=plain),
    Case(id="name with quotes", name="it's \"so\" `good` $HOME; rm.wav", make=plain),
    Case(id="name with a line break", name="two\nlines\tand\x1b[31mred.wav", make=plain),
    Case(id="name with percent and braces", name="100% {title} %s [bold].wav", make=plain),
    Case(id="name with a leading dash", name="-rf.wav", make=plain),
    Case(id="name with a leading dot", name=".hidden.wav", make=plain),
    Case(id="name that is all dots", name="....wav", make=plain),
    Case(id="name that Windows reserves", name="CON.wav", make=plain),
    Case(id="name of spaces", name="   .wav", make=plain),
    Case(id="song called test", name="test", make=plain),
    Case(id="title of 5000 letters", name="long title.mp3", make=_tagged("ä" * 5_000)),
    Case(id="hostile tags", name="hostile.mp3", make=_tagged(HOSTILE, "../../../etc/passwd\0x")),
)  # fmt: skip

CASES = REFUSED + DONE
