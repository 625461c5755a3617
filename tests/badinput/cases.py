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
    """A song that is wrong or odd in one way."""

    id: str
    name: str
    make: Callable[[Path], object]
    words: tuple[str, ...] = ()
    """What the message of a refusal has to say; none where a correct delivery is wanted."""
    recipe: str = "master-only"
    is_slow: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether it must not be taken as a song."""
        return bool(self.words)

    def made(self, folder: Path) -> Path:
        """Make it in ``folder`` and give its path."""
        path = folder / self.name
        self.make(path)
        return path


def bad(what: str, name: str, make: Callable[[Path], object], *words: str) -> Case:
    """A song that has to be refused with these words."""
    return Case(id=what, name=name, make=make, words=words)


def odd(
    what: str,
    name: str,
    make: Callable[[Path], object],
    recipe: str = "master-only",
    *,
    is_slow: bool = False,
) -> Case:
    """A song that has to be delivered correctly."""
    return Case(id=what, name=name, make=make, recipe=recipe, is_slow=is_slow)


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


def _level(factor: float) -> Callable[[Path], None]:
    """The song times a factor, as float."""
    return lambda path: write_float(path, music() * np.float32(factor))


def _short(frames: int) -> Callable[[Path], None]:
    return lambda path: write(path, music()[:, :frames])


def _low_mp3(path: Path) -> None:
    samples = music(4.0, 8_000, 1)
    encode(path, samples, 8_000, codec="libmp3lame", packing="fltp", bit_rate=32_000)


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


def _ultrasonic(path: Path) -> None:
    t = np.arange(round(SECONDS * 192_000)) / 192_000
    wave = np.float32(0.5 * np.sin(2 * np.pi * 60_000 * t))
    write(path, np.stack([wave, wave]), 192_000)


def _rate(rate_hz: int, channels: int = 2) -> Callable[[Path], None]:
    return lambda path: write(path, music(rate_hz=rate_hz, channels=channels), rate_hz)


def _thirty_hours(path: Path) -> None:
    """A sparse WAV that really has thirty hours of silence: 1 kHz, 8 bit, mono."""
    frames = round(30 * HOUR_S * 1_000)
    head = wav(b"", bits=8, rate_hz=1_000, data_size=frames)
    path.write_bytes(struct.pack("<4sI", b"RIFF", len(head) - 8 + frames) + head[8:])
    os.truncate(path, len(head) + frames)


def _promises_too_much(path: Path) -> None:
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
UUID = "6f1c2f0e-8d0b-4c1d-9a55-0123456789a"
"""All but its last digit: a song whose file name is nothing else has its title from the tags."""

REFUSED = (
    bad("truncated wav", "a.wav", _truncated_wav, "incomplete", "again"),
    bad("truncated mp3", "b.mp3", _truncated("libmp3lame", "fltp"), "incomplete", "again"),
    bad("truncated m4a", "c.m4a", _truncated("aac", "fltp"), "again"),
    bad("truncated flac", "d.flac", _truncated("flac", "s16"), "again"),
    bad("truncated ogg", "e.ogg", _truncated_vorbis, "again"),
    bad("flac damaged in its middle", "f.flac", _damaged_middle, "again"),
    bad("empty", "g.wav", _bytes(b""), "empty", "0 bytes", "again"),
    bad("header and no data", "h.wav", _header_only, "0 s of sound", "at least"),
    bad("header cut off", "i.wav", _bytes(wav(b"")[:20]), "wanted", "again"),
    bad("text named mp3", "j.mp3", _bytes(b"Hello, this is no song.\n" * 99), "wanted", "again"),
    bad("picture named wav", "k.wav", _png, "wanted", "again"),
    bad("pdf named flac", "l.flac", _pdf, "wanted", "again"),
    bad("zip named mp3", "m.mp3", _zip, "no set of stems", "wanted"),
    bad("zip without stems", "n.zip", _zip, "no set of stems", "wanted"),
    bad("damaged zip", "o.zip", _bytes(b"PK\x03\x04" + bytes(900)), "no whole zip", "again"),
    bad("film without sound", "p.mp4", _video, "no audio", "wanted"),
    bad("one sample", "q.wav", _short(1), "s of sound", "at least"),
    bad("half a second", "r.wav", _short(22_050), "0.5 s", "at least"),
    bad("digital silence", "s.wav", _level(0.0), "silent", "every sample is zero"),
    bad("denormal numbers", "t.wav", _level(1e-39), "silent", "-90 dBFS"),
    bad("noise at -120 dBFS", "u.wav", _quiet(-120), "silent", "-120 dBFS"),
    bad("NaN", "v.wav", _spoilt(np.nan), "NaN", "3 of them", "0:0"),
    bad("infinity", "w.wav", _spoilt(np.inf), "infinity", "3 of them", "0:0"),
    bad("a sample of 3e38", "w2.wav", _huge, "+770 dBFS", "+60 dBFS", "Render it again"),
    bad("30 hours", "x.wav", _thirty_hours, "30:00:00 long", "4:00:00", "Cut it"),
    bad("promises more than there is", "y.wav", _promises_too_much, "incomplete", "again"),
    bad("3 samples a second", "z.wav", _absurd_rate, "long"),
    bad("no channels", "z2.wav", _no_channels, "0 channels", "wanted"),
)

DONE = (
    odd("near-silence at -85 dBFS", "near silence.wav", _quiet(-85), "full"),
    odd("float 20 dB over full scale", "loud float.wav", _level(10.0), "full", is_slow=True),
    odd("offset", "offset.wav", _offset, "full", is_slow=True),
    odd("nothing but offset", "only offset.wav", _only_offset),
    odd("clipped", "clipped.wav", _clipped, "full"),
    odd("square wave at full scale", "square.wav", _square),
    odd("one channel silent", "one side.wav", _one_side, "full", is_slow=True),
    odd("out of phase", "out of phase.wav", _out_of_phase, "full", is_slow=True),
    odd("two sounds in silence", "gap.wav", _gap, "full", is_slow=True),
    odd("one click", "click.wav", _click),
    odd("60 kHz sine at 192 kHz", "ultrasonic.wav", _ultrasonic),
    odd("8 channels", "eight.wav", _eight_channels, "full"),
    odd("mono", "mono.wav", _rate(44_100, 1), "full"),
    odd("8 kHz", "8k.wav", _rate(8_000), "full"),
    odd("8 kHz mono mp3", "8k.mp3", _low_mp3, "full", is_slow=True),
    odd("22.05 kHz", "22k.wav", _rate(22_050), "full", is_slow=True),
    odd("96 kHz", "96k.wav", _rate(96_000), "full", is_slow=True),
    odd("192 kHz", "192k.wav", _rate(192_000), "full", is_slow=True),
    odd("192 kHz, master only", "192k master.wav", _rate(192_000)),
    odd("wrong suffix", "really a wav.mp3", plain),
    odd("no suffix", "song without suffix", plain, is_slow=True),
    odd("name of 255 bytes", "ö" * 125 + "x.wav", plain),
    odd("name of emoji", "🎵🔥👩‍👩‍👧 night.wav", plain),
    odd("name from right to left", "שיר לילה \u202ealive.wav", plain),
    odd("name with quotes", 'it\'s "so" `good` $HOME; rm.wav', plain),
    odd("name with a line break", "two\nlines\tand\x1b[31mred.wav", plain),
    odd("name with percent and braces", "100% {title} %s [bold].wav", plain),
    odd("name with a leading dash", "-rf.wav", plain),
    odd("name with a leading dot", ".hidden.wav", plain, is_slow=True),
    odd("name that is all dots", "....wav", plain),
    odd("name that Windows reserves", "CON.wav", plain, is_slow=True),
    odd("name of spaces", "   .wav", plain, is_slow=True),
    odd("song called test", "test", plain),
    odd("title of 5000 letters", f"{UUID}0.mp3", _tagged("ä" * 5_000)),
    odd("hostile tags", f"{UUID}1.mp3", _tagged(HOSTILE, "../../../etc/passwd\0x")),
)

CASES = REFUSED + DONE
