"""Recognising a stem set by the names of its files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from bridge.errors import InputError
from bridge.naming import parse_name
from bridge.stemset.archive import begins_as_zip, checked_entries
from bridge.stemset.names import INSTRUMENTAL_WORDS, MIX_WORDS, NamedFile, label_of, named, plain
from bridge.values import AUDIO_SUFFIXES, Role, Value

_BEST_FIRST = (".wav", ".wave", ".rf64", ".bw64", ".aif", ".aiff", ".aifc", ".flac")


class StemFile(Value):
    """One stem of a set."""

    label: str
    """Its name within the set: "Vocals", "Synth", "Synth 2"."""
    role: Role
    member: str
    """Its path inside the folder or the archive."""


class StemSet(Value):
    """A song that came as stems."""

    path: Path
    title: str
    take: int = 0
    tempo_bpm: int = 0
    """The tempo that the export states in its name; 0 where it does not."""
    stems: tuple[StemFile, ...]
    left_out: tuple[str, ...] = ()
    """Audio that is not summed: the full mix, an instrumental beside its parts, lossy twins."""
    is_archive: bool


def find_stem_set(path: Path) -> StemSet | None:
    """The stem set in a zip or a folder, by names alone: nothing is unpacked or decoded.

    None for a file that is no zip, and for a folder without audio or with one audio file. Raises InputError,
    which lists what was found, where a zip is damaged, encrypted, hostile or holds no stem set, and where a
    folder holds several songs, or stems together with audio that cannot be told from a stem.
    """
    if path.is_dir():
        return _set_in_folder(path)
    if path.suffix.lower() != ".zip" and not begins_as_zip(path):
        return None
    members = [info.filename for info in checked_entries(path)]
    found = _set_of(path, _one_folder(path, members), is_archive=True)
    if found is None:
        raise InputError(
            f"{path.name} holds no set of stems ({_listed(members) or 'no audio'}); wanted stems such as "
            '"0 Lead Vocals.wav", "1 Drums.wav". Unpack it and give the song itself.'
        )
    return found


def _set_in_folder(path: Path) -> StemSet | None:
    folder = path
    try:
        for _ in range(3):
            inside = [entry for entry in folder.iterdir() if _is_shown(entry.name)]
            files = [entry for entry in inside if entry.is_file() and _is_audio(entry.name)]
            folders = [entry for entry in inside if entry.is_dir()]
            if files or len(folders) != 1:
                break
            folder = folders[0]
    except OSError as cause:
        raise InputError(f"{path} cannot be listed: {cause.strerror}. Check your permission.") from cause
    return _set_of(path, [file.relative_to(path).as_posix() for file in files], is_archive=False)


def _is_shown(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def _is_audio(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return all(map(_is_shown, parts)) and PurePosixPath(name).suffix.lower() in AUDIO_SUFFIXES


def _one_folder(path: Path, members: list[str]) -> list[str]:
    """The audio of the one folder in an archive that holds stems."""
    groups: dict[str, list[str]] = {}
    for member in filter(_is_audio, members):
        groups.setdefault(str(PurePosixPath(member).parent), []).append(member)
    with_stems = [group for group in groups.values() if sum(_has_role(member) for member in group) >= 2]
    if len(with_stems) > 1:
        raise _several(path, [member for group in with_stems for member in group])
    return with_stems[0] if with_stems else [member for group in groups.values() for member in group]


def _has_role(member: str) -> bool:
    return named(member, "").role is not None


def _set_of(path: Path, members: list[str], *, is_archive: bool) -> StemSet | None:
    name = parse_name(path.name)
    files = _without_twins(sorted((named(member, name.title) for member in members), key=_order))
    if len(files) < 2:
        return None
    stems = [file for file in files if file.role]
    others = [file for file in files if not file.role]
    title = _title(path, name.title, stems, others)
    stems += [
        file
        for file in others
        if not _is_mix(file, title, stems, others) and _is_stem(path, file, title, stems)
    ]
    stems = sorted(_without_sums(stems), key=_order)
    if len(stems) < 2:
        raise _several(path, members)
    summed = {file.member for file in stems}
    return StemSet(
        path=path,
        title=title,
        take=name.take,
        tempo_bpm=name.tempo_bpm,
        stems=tuple(_labelled(stems)),
        left_out=tuple(sorted(member for member in members if member not in summed)),
        is_archive=is_archive,
    )


def _order(file: NamedFile) -> list[tuple[int, str]]:
    """Names in the order of people: 2 before 10."""
    return [(int(digits or 0), text) for digits, text in re.findall(r"(\d+)|(\D+)", file.member.casefold())]


def _without_twins(files: list[NamedFile]) -> list[NamedFile]:
    """One of each name: "0 Drums.mp3" beside "0 Drums.wav" is the same stem."""
    best: dict[str, NamedFile] = {}
    for file in files:
        base = str(PurePosixPath(file.member).with_suffix("")).casefold()
        best[base] = min(best.get(base, file), file, key=_loss)
    return list(best.values())


def _loss(file: NamedFile) -> int:
    suffix = PurePosixPath(file.member).suffix.lower()
    return _BEST_FIRST.index(suffix) if suffix in _BEST_FIRST else len(_BEST_FIRST)


def _title(path: Path, stated: str, stems: list[NamedFile], others: list[NamedFile]) -> str:
    """The title of the set; InputError where its stems belong to several songs, or there are too few.

    The stems' own names say it best, then the full mix among them, then the folder or archive.
    """
    titles = {plain(file.title): file.title for file in stems if file.title}
    if len(titles) > 1 or len(stems) < 2:
        raise _several(path, [file.member for file in [*stems, *others]])
    songs = [file.title for file in others if not file.is_numbered and not file.words <= MIX_WORDS]
    mix = songs[0] if len(songs) == 1 and not titles else ""
    is_stated = stated.casefold() not in ("", "stems", "stem", "download", "downloads", "export", "exports")
    return next(iter(titles.values()), "") or mix or (stated if is_stated else "") or "Untitled"


def _is_mix(file: NamedFile, title: str, stems: list[NamedFile], others: list[NamedFile]) -> bool:
    """Whether a file that is no stem by its name is the song as a whole."""
    if (file.words and file.words <= MIX_WORDS) or plain(file.title) == plain(title):
        return True
    is_only_song = [other for other in others if not other.is_numbered] == [file]
    return is_only_song and all(not stem.title for stem in stems)


def _is_stem(path: Path, file: NamedFile, title: str, stems: list[NamedFile]) -> bool:
    """True for a stem of a name unknown here, which stands in line with the others; InputError for others."""
    is_in_line = file.is_numbered and all(stem.is_numbered for stem in stems)
    if is_in_line or re.fullmatch(rf"{re.escape(title)}[\s_-]*\([^()]+\)", file.text, re.IGNORECASE):
        return True
    raise InputError(
        f"{path.name} holds stems and {PurePosixPath(file.member).name}, which may be a stem or another "
        f'song. Rename it to "{title} (Other)" if it is a stem, or move it away.'
    )


def _without_sums(stems: list[NamedFile]) -> list[NamedFile]:
    """Without an instrumental whose parts are there too: it would sound twice."""
    parts = [stem for stem in stems if stem.role not in (Role.VOCALS, Role.BACKING_VOCALS)]
    sums = [stem for stem in parts if stem.words & INSTRUMENTAL_WORDS]
    return [stem for stem in stems if stem not in sums] if len(parts) > len(sums) else stems


def _labelled(stems: list[NamedFile]) -> Iterator[StemFile]:
    """Each stem with a label of its own; of several of one kind the second is "Synth 2"."""
    used: Counter[str] = Counter()
    for stem in stems:
        role = stem.role or Role.OTHER
        label = label_of(stem, role)
        used[label.casefold()] += 1
        number = used[label.casefold()]
        yield StemFile(label=f"{label} {number}" if number > 1 else label, role=role, member=stem.member)


def _several(path: Path, members: Iterable[str]) -> InputError:
    return InputError(
        f"{path.name} holds several audio files that are not the stems of one song: {_listed(members)}. "
        "Give one song, or a folder or zip with the stems of one."
    )


def _listed(members: Iterable[str]) -> str:
    names = [PurePosixPath(member).name for member in members if _is_audio(member)]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
