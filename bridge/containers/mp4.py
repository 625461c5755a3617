"""MP4, M4A and MOV as boxes (ISO/IEC 14496-12): exact lengths, and whether every sample lies in the file."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bridge.containers import holes, words
from bridge.containers.bytesource import ByteSource, open_bytes

_MOST_BOXES = 200_000
_MOST_TABLE_BYTES = 1 << 26
_MOST_TRACKS = 32
_TOP_BOXES = frozenset(
    b"ftyp moov mdat free skip wide udta uuid moof mfra sidx styp meta pnot pdin emsg prft ssix".split()
)
_FIRST_BOXES = frozenset(b"ftyp moov mdat free skip wide pnot styp moof".split())
_LEAST_PACKET_BYTES = 4
_CODED = frozenset({b"mp4a", b"alac", b"Opus", b"fLaC", b".mp3", b"ac-3", b"ec-3"})
"""Codings whose packets are never all zeros, silence neither; plain samples may be."""


@dataclass(frozen=True)
class _Box:
    name: bytes
    start: int
    end: int
    """Where it ends within what holds it."""
    promised_end: int


def is_mp4(head: bytes) -> bool:
    """Whether a file that begins with these 12 bytes is one of this family."""
    return head[4:8] in _FIRST_BOXES


def mp4_frames(path: Path, rate_hz: int) -> int | None:
    """Frames of the first sound track after its edit list; None where the headers do not tell.

    The edit list counts in ticks of the movie, often milliseconds; the track's own clock is exact, so where
    both agree within a tick the latter is taken.
    """
    try:
        with open_bytes(path) as source:
            return _mp4_frames(source, rate_hz)
    except (struct.error, IndexError):
        return None


def _mp4_frames(source: ByteSource, rate_hz: int) -> int | None:
    movie = next((box for box in _boxes(source, 0, source.size) if box.name == b"moov"), None)
    if movie is None:
        return None
    header = _inside(source, movie, b"mvhd")
    for track in _tracks(source, movie):
        media = _inside(source, track, b"mdia")
        if header and media and _body(source, _inside(source, media, b"hdlr"))[8:12] == b"soun":
            movie_hz, _ = _clock(_body(source, header))
            return _track_frames(source, track, media, movie_hz, rate_hz)
    return None


def _track_frames(source: ByteSource, track: _Box, media: _Box, movie_hz: int, rate_hz: int) -> int | None:
    track_hz, ticks = _clock(_body(source, _inside(source, media, b"mdhd")))
    if not ticks or not track_hz or not movie_hz:
        return None
    segment, skipped = _edit(_body(source, _down(source, track, b"edts", b"elst")))
    left = ticks - skipped
    kept = segment * track_hz / movie_hz
    if segment and not 0 <= left - kept <= track_hz / movie_hz:
        left = min(left, round(kept))
    return max(0, round(left * rate_hz / track_hz))


def _boxes(source: ByteSource, start: int, end: int) -> Iterator[_Box]:
    for _ in range(_MOST_BOXES):
        head = source.at(start, 16)
        if start + 8 > end or len(head) < 8:
            return
        size, name, head_bytes = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, head_bytes = int.from_bytes(head[8:], "big"), 16
        size = size or end - start
        if size < head_bytes:
            return
        yield _Box(name, start + head_bytes, min(end, start + size), start + size)
        start += size


def _inside(source: ByteSource, box: _Box, name: bytes) -> _Box | None:
    return next((inner for inner in _boxes(source, box.start, box.end) if inner.name == name), None)


def _down(source: ByteSource, box: _Box | None, *names: bytes) -> _Box | None:
    """The box that is reached by going down the names."""
    for name in names:
        box = None if box is None else _inside(source, box, name)
    return box


def _tracks(source: ByteSource, movie: _Box) -> Iterator[_Box]:
    return (box for box in _boxes(source, movie.start, movie.end) if box.name == b"trak")


def _body(source: ByteSource, box: _Box | None, most: int = 256) -> bytes:
    return b"" if box is None else source.at(box.start, min(box.end - box.start, most))


def _clock(header: bytes) -> tuple[int, int]:
    """Ticks a second and ticks in all, of an mvhd or mdhd."""
    rate, ticks = (
        struct.unpack(">IQ", header[20:32]) if header[:1] == b"\1" else struct.unpack(">II", header[12:20])
    )
    return int(rate), int(ticks)


def _edit(body: bytes) -> tuple[int, int]:
    """Ticks kept and ticks skipped by an edit list with one sounding entry; (0, 0) for any other."""
    form = ">Qq4x" if body[:1] == b"\1" else ">Ii4x"
    entries = list(struct.iter_unpack(form, body[8 : 8 + _entries(body) * struct.calcsize(form)]))
    sounding = [(int(kept), int(skipped)) for kept, skipped in entries if skipped >= 0]
    return sounding[0] if len(sounding) == 1 else (0, 0)


def _entries(body: bytes) -> int:
    return int(struct.unpack(">I", body[4:8])[0]) if len(body) >= 8 else 0


def lacking(source: ByteSource) -> str:
    """What a file of this family promises and does not hold; one in fragments does not tell."""
    boxes = [box for box in _boxes(source, 0, source.size) if box.name in _TOP_BOXES]
    end = max((box.promised_end for box in boxes), default=0)
    if end > source.size:
        return words.too_short(end, source.size)
    movie = next((box for box in boxes if box.name == b"moov"), None)
    fragment = next((box for box in boxes if box.name == b"moof"), None)
    if fragment is not None:
        return holes.lacking_between(source, fragment.start, source.size)
    if movie is None:
        return words.without("its index (the box moov)")
    if _inside(source, movie, b"mvex"):
        return ""
    return _lacking_movie(source, movie)


def _lacking_movie(source: ByteSource, movie: _Box) -> str:
    for box in _boxes(source, movie.start, movie.end):
        if box.name == bytes(4):  # no box has that name: the end of the index was not written
            return words.hollow(box.start - 8)
    tracks = islice(_tracks(source, movie), _MOST_TRACKS)
    places = [place for track in tracks if (place := _place(source, track)) is not None]
    for place in places:
        if lacking := _lacking_track(source, place):
            return lacking
    return _hollow_first(source, places)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where the samples of a track lie."""

    start: int
    end: int
    last_bytes: int
    """Bytes of the last sample."""
    is_coded: bool


def _place(source: ByteSource, track: _Box) -> _Place | None:
    samples = _down(source, track, b"mdia", b"minf", b"stbl")
    offsets = _offsets(source, samples)
    if samples is None or not offsets:
        return None
    last_chunk = max(offsets)
    sizes = _sizes_in_chunk(source, samples, offsets.index(last_chunk))
    return _Place(
        start=min(offsets),
        end=last_chunk + sum(sizes),
        last_bytes=min(sizes[-1], _MOST_TABLE_BYTES) if sizes else 0,
        is_coded=_body(source, _inside(source, samples, b"stsd"))[12:16] in _CODED,
    )


def _lacking_track(source: ByteSource, place: _Place) -> str:
    if place.end > source.size:
        return words.too_short(place.end, source.size)
    last_start = place.end - place.last_bytes
    if not place.is_coded or place.last_bytes < _LEAST_PACKET_BYTES:
        return ""
    is_hollow = not source.at(last_start, place.last_bytes).strip(b"\0")
    return words.hollow(last_start) if is_hollow else ""


def _hollow_first(source: ByteSource, places: Sequence[_Place]) -> str:
    """Holes in the first track alone: a stranger may state any number of tracks, all as long as the file."""
    coded = next((place for place in places if place.is_coded), None)
    return "" if coded is None else holes.lacking_between(source, coded.start, coded.end)


def _offsets(source: ByteSource, samples: _Box | None) -> array[int]:
    """Where the chunks of samples begin."""
    if samples is None:
        return array("Q")
    short = _table(source, _inside(source, samples, b"stco"), 8, "I")
    return short or _table(source, _inside(source, samples, b"co64"), 8, "Q")


def _samples_of_chunk(runs: array[int], wanted: int) -> tuple[int, int]:
    """The first sample of a chunk and how many it holds, both from 0 on, by the table of runs of chunks."""
    first = 0
    for place in range(0, len(runs) - 2, 3):
        begin, count = runs[place] - 1, runs[place + 1]
        end = runs[place + 3] - 1 if place + 3 < len(runs) else wanted + 1
        if begin <= wanted < end:
            return first + (wanted - begin) * count, count
        first += max(0, end - begin) * count
    return 0, 0


def _sizes_in_chunk(source: ByteSource, samples: _Box, chunk: int) -> Sequence[int]:
    """Bytes of each sample in a chunk; of samples of one size, those of all together."""
    runs = _table(source, _inside(source, samples, b"stsc"), 8, "I")
    first, count = _samples_of_chunk(runs, chunk)
    sizes = _inside(source, samples, b"stsz")
    if sizes is None:
        return ()
    if same_bytes := source.number(sizes.start + 4, 4):
        return (same_bytes * count,)
    start = sizes.start + 12 + 4 * first
    return _numbers(source.at(start, min(4 * count, sizes.end - start, _MOST_TABLE_BYTES)), "I")


def _table(source: ByteSource, box: _Box | None, skipped: int, form: str) -> array[int]:
    """The big-endian numbers of a table behind its head; none where it is larger than any honest one."""
    size = 0 if box is None else box.end - box.start - skipped
    if box is None or not 0 < size <= _MOST_TABLE_BYTES:
        return array(form)
    return _numbers(source.at(box.start + skipped, size), form)


def _numbers(data: bytes, form: str) -> array[int]:
    numbers = array(form)
    numbers.frombytes(data[: len(data) // numbers.itemsize * numbers.itemsize])
    if struct.pack("=H", 1) == struct.pack("<H", 1):
        numbers.byteswap()
    return numbers
