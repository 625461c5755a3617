"""Ingest: the song, whatever it came as, as one float32 WAV at its own rate, with its name and tags.

Mono stays mono, stereo stays stereo, more channels are mixed to two (``bridge.audio.fold``). A zip or a
folder of a generator's stems is one song: its stems become ``stem/...`` and their sum is the source.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np

from bridge.audio import AudioReader, AudioWriter, Samples, fold_to_stereo, open_audio
from bridge.config import Input
from bridge.errors import InputError, SourceChangedError
from bridge.naming import track_of
from bridge.protocols import Progress
from bridge.stages import roles
from bridge.stages.base import Inputs, Made, Room, Stage
from bridge.stemset import StemSet, extract, find_stem_set
from bridge.tags import FoundTags, read_tags
from bridge.values import Asset, Facts, MediaInfo, Value

FORMAT_NAMES = {
    "mp3": "MP3",
    "vorbis": "Ogg Vorbis",
    "opus": "Opus",
    "aac": "AAC",
    "flac": "FLAC",
    "alac": "ALAC",
}


class Params(Value):
    """The file's name, which tells the title, and what is taken as a song."""

    source_name: str
    settings: Input


def run(params: Params, inputs: Inputs, room: Room) -> Made:
    """Decode the asset ``song``; InputError where it cannot be used, saying why and what to do."""
    song = inputs.asset(roles.SONG)
    before = _state_of(song.path)
    stem_set = find_stem_set(song.path)
    made = _from_stems(stem_set, song, params, room) if stem_set else _from_file(song, params, room)
    if _state_of(song.path) != before:
        raise SourceChangedError(
            f"{song.path.name} changed while it was read. Give the command again when it is complete."
        )
    return made


STAGE = Stage(name="ingest", version=1, cost=0.01, run=run)


def _state_of(path: Path) -> list[tuple[int, int]]:
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return [(status.st_size, status.st_mtime_ns) for status in (file.stat() for file in files)]


def _from_file(song: Asset, params: Params, room: Room) -> Made:
    found = read_tags(song.path)
    target = room.folder / "source.wav"
    with open_audio(song.path) as reader:
        info = reader.info
        _expect_length(song.path.name, info.frames / info.rate_hz, params.settings, is_final=False)
        frames, peak = _decode(reader, target, song.path.name, room.progress)
    _expect_music(song.path.name, frames, info.rate_hz, peak, params.settings)
    files = {roles.SOURCE: target} | _cover(found, room)
    facts = _facts(song, params, found, info, frames, is_stem_set=False, notes=_notes(info))
    return Made(files=files, facts=facts)


def _decode(reader: AudioReader, target: Path, name: str, progress: Progress) -> tuple[int, float]:
    """Write the song and give its frames and peak."""
    info, peak = reader.info, 0.0
    with AudioWriter(target, rate_hz=info.rate_hz, channels=min(2, info.channels)) as out:
        for block in reader.blocks():
            _expect_numbers(block, name, out.frames / info.rate_hz)
            out.write(fold_to_stereo(block, info.layout))
            peak = max(peak, float(np.max(np.abs(block), initial=0.0)))
            progress(min(1.0, out.frames / max(1, info.frames)))
        frames = out.frames
    return frames, peak


def _expect_numbers(block: Samples, name: str, start_s: float) -> None:
    broken = int(np.count_nonzero(~np.isfinite(block)))
    if broken:
        raise InputError(
            f"{name} holds samples that are no numbers (NaN or infinity): {broken} of them after "
            f"{_clock(start_s)}. Render it again; a plug-in may have broken down there."
        )


def _expect_length(name: str, seconds: float, limits: Input, *, is_final: bool) -> None:
    if seconds > limits.max_duration_s:
        raise InputError(
            f"{name} is {_clock(seconds)} long; {_clock(limits.max_duration_s)} is the most "
            "(input.max_duration_s). Cut it into songs."
        )
    if is_final and seconds < limits.min_duration_s:
        raise InputError(
            f"{name} holds {seconds:.3g} s of sound; a song has at least {limits.min_duration_s:g} s "
            "(input.min_duration_s). Export it again."
        )


def _expect_music(name: str, frames: int, rate_hz: int, peak: float, limits: Input) -> None:
    _expect_length(name, frames / rate_hz, limits, is_final=True)
    peak_dbfs = 20 * float(np.log10(peak)) if peak > 0 else -float("inf")
    if peak_dbfs < limits.silence_dbfs:
        found = f"its peak is {peak_dbfs:.0f} dBFS" if peak > 0 else "every sample is zero"
        raise InputError(
            f"{name} is silent: {found}, a song passes {limits.silence_dbfs:g} dBFS. Export it again."
        )
    if peak_dbfs > limits.loudest_dbfs:
        raise InputError(
            f"{name} holds a sample at {peak_dbfs:+.0f} dBFS; a song stays below {limits.loudest_dbfs:+g} "
            "dBFS. Render it again; a plug-in may have broken down there."
        )


def _from_stems(stem_set: StemSet, song: Asset, params: Params, room: Room) -> Made:
    extracted = extract(stem_set, room.folder / "given")
    found = read_tags(next(iter(extracted.values())))
    with open_audio(next(iter(extracted.values()))) as first:
        info = first.info
    files = {f"{roles.STEM}/{label}": room.folder / f"stem {label}.wav" for label in extracted}
    source = room.folder / "source.wav"
    frames, peak = _sum(list(extracted.values()), [*files.values(), source], room.progress)
    _expect_music(song.path.name, frames, info.rate_hz, peak, params.settings)
    for path in extracted.values():
        path.unlink()
    notes = [f"The song came as {len(files)} stems; they were not separated again."]
    facts = _facts(song, params, found, info, frames, is_stem_set=True, notes=notes)
    return Made(files=files | {roles.SOURCE: source} | _cover(found, room), facts=facts)


def _sum(stems: list[Path], targets: list[Path], progress: Progress) -> tuple[int, float]:
    """Write each stem as float32 WAV of the longest one's length, and last their sum."""
    with ExitStack() as stack:
        readers = [stack.enter_context(open_audio(path)) for path in stems]
        channels = max(min(2, reader.info.channels) for reader in readers)
        longest = max(reader.info.frames for reader in readers)
        rate_hz = readers[0].info.rate_hz
        outs = [
            stack.enter_context(AudioWriter(path, rate_hz=rate_hz, channels=channels)) for path in targets
        ]
        done, peak = 0, 0.0
        while parts := _next_blocks(readers, channels):
            for reader_path, part in zip(stems, parts, strict=True):
                _expect_numbers(part, reader_path.name, done / rate_hz)
            total = np.asarray(np.sum(parts, axis=0, dtype=np.float64), np.float32)
            for out, part in zip(outs, [*parts, total], strict=True):
                out.write(part)
            done += total.shape[1]
            peak = max(peak, float(np.max(np.abs(total), initial=0.0)))
            progress(min(1.0, done / max(1, longest)))
    return done, peak


def _next_blocks(readers: list[AudioReader], channels: int, frames: int = 65_536) -> list[Samples]:
    """A block of each, ended ones filled up with silence; empty when all have ended."""
    blocks = [fold_to_stereo(reader.read(frames), reader.info.layout) for reader in readers]
    longest = max(block.shape[1] for block in blocks)
    if not longest:
        return []
    return [
        np.pad(np.broadcast_to(block, (channels, block.shape[1])), ((0, 0), (0, longest - block.shape[1])))
        for block in blocks
    ]


def _cover(found: FoundTags, room: Room) -> dict[str, Path]:
    if found.cover is None:
        return {}
    path = room.folder / f"cover{found.cover.suffix}"
    path.write_bytes(found.cover.data)
    return {roles.COVER: path}


def _notes(info: MediaInfo) -> list[str]:
    if info.channels <= 2:
        return []
    layout = f"laid out as {info.layout}" if info.layout else "whose layout the file does not name"
    return [f"The source has {info.channels} channels {layout}; they were mixed to stereo."]


def _facts(
    song: Asset,
    params: Params,
    found: FoundTags,
    info: MediaInfo,
    frames: int,
    *,
    is_stem_set: bool,
    notes: list[str],
) -> Facts:
    return {
        "track": track_of(Path(params.source_name), found.tags).model_dump(mode="json"),
        "media": info.evolve(frames=frames).model_dump(mode="json"),
        "format": _format_words(info),
        "frames": frames,
        "rate_hz": info.rate_hz,
        "is_stem_set": is_stem_set,
        "notes": notes + _credentials(found),
        "source": {"name": params.source_name, "sha256": song.sha256},
    }


def _credentials(found: FoundTags) -> list[str]:
    if not found.has_content_credentials:
        return []
    return [
        "The source carries signed content credentials (C2PA). They vouch for its own bytes alone, so they "
        "were not copied; what they say stands in the source."
    ]


def _format_words(info: MediaInfo) -> str:
    """Such as "MP3" or "WAV, 24 bit"."""
    if info.is_lossy:
        return FORMAT_NAMES.get(info.codec.removesuffix("float"), info.codec.upper())
    return f"{info.container.upper()}, {f'{info.bits} bit' if info.bits else 'float'}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
