"""The files of a stem set, copied to where they can be worked on."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from bridge.errors import InputError, StorageError
from bridge.naming import safe_name
from bridge.stemset.archive import unpack
from bridge.stemset.find import StemFile, StemSet
from bridge.values import MediaInfo

MAX_DIFFERENCE_S = 1.0


def extract(stem_set: StemSet, folder: Path) -> dict[str, Path]:
    """Copy every stem into ``folder`` as it is, under its label and its own suffix: "Synth 2.wav".

    Returns the paths by label, in the set's order; they are copies, so they may be removed. On an error
    nothing is left. Raises InputError where rates differ, lengths differ by more than a second or an archive
    is damaged, AudioError where a stem cannot be decoded, StorageError where the disk takes no copies.
    """
    made = {stem.label: folder / safe_name(stem.label, _suffix(stem)) for stem in stem_set.stems}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stem in stem_set.stems:
            _copy(stem_set, stem, made[stem.label])
        _expect_one_song(stem_set, made)
    except OSError as cause:
        _remove(made)
        raise StorageError(
            f"The stems of {stem_set.path.name} could not be copied to {folder} ({cause.strerror or cause}). "
            "Check the free space and the permission."
        ) from cause
    except BaseException:
        _remove(made)
        raise
    return made


def _suffix(stem: StemFile) -> str:
    return PurePosixPath(stem.member).suffix.lower()


def _remove(made: Mapping[str, Path]) -> None:
    for path in made.values():
        path.unlink(missing_ok=True)


def _copy(stem_set: StemSet, stem: StemFile, target: Path) -> None:
    if stem_set.is_archive:
        unpack(stem_set.path, stem.member, target)
    else:
        shutil.copyfile(stem_set.path / stem.member, target)


def _expect_one_song(stem_set: StemSet, made: Mapping[str, Path]) -> None:
    """One rate and, within a second, one length."""
    from bridge.audio import probe  # recognising a set needs no decoder, and is done where none is loaded

    infos = {label: probe(path) for label, path in made.items()}
    if len({info.rate_hz for info in infos.values()}) > 1:
        rates = ", ".join(f"{label} {info.rate_hz} Hz" for label, info in infos.items())
        raise InputError(
            f"The stems of {stem_set.path.name} differ in rate: {rates}. Export all at one rate."
        )
    if _spread_s(infos) > MAX_DIFFERENCE_S:
        _expect_near(stem_set, {label: _counted(made[label], info) for label, info in infos.items()})


def _spread_s(infos: Mapping[str, MediaInfo]) -> float:
    lengths_s = [info.duration_s for info in infos.values()]
    return max(lengths_s) - min(lengths_s)


def _counted(path: Path, info: MediaInfo) -> MediaInfo:
    """The file with its length as decoded: some coded files only let it be estimated from outside."""
    if not info.is_lossy:
        return info
    from bridge.audio import open_audio

    with open_audio(path) as reader:
        return info.evolve(frames=sum(block.shape[1] for block in reader.blocks()))


def _expect_near(stem_set: StemSet, infos: Mapping[str, MediaInfo]) -> None:
    longest_s = max(info.duration_s for info in infos.values())
    short = {label: info for label, info in infos.items() if longest_s - info.duration_s > MAX_DIFFERENCE_S}
    if short:
        lengths = ", ".join(f"{label} {info.duration_s:.2f} s" for label, info in short.items())
        raise InputError(
            f"The stems of {stem_set.path.name} differ in length by more than {MAX_DIFFERENCE_S:.0f} s: "
            f"{lengths}; the longest has {longest_s:.2f} s. Are all of one song, and all complete? "
            "Export them again."
        )
