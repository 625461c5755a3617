"""Names: what an export's file name says, and names of our own that every system can hold.

What is known of Suno's and Udio's downloads, from files that their users describe in public: a song is
``Title.mp3`` (a second download of the same name becomes ``Title (1).mp3`` in the browser), Suno's stems come
as ``Title Stems.zip`` or, at a fixed tempo, ``Title Stems (103BPM).zip`` holding ``0 Lead Vocals.wav``,
``1 Drums.wav``, or singly as ``Title (Vocals).mp3``. Assumed: ``Artist - Title.mp3`` for Udio, and UUIDs
beside or instead of a title, as download tools leave them.
"""

from __future__ import annotations

import difflib
import re
import string
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path, PurePath

from bridge.errors import ConfigError
from bridge.values import Tags, Track, Value

DEFAULT_TEMPLATE = "{title} - {stem} ({state}) {tempo}bpm {key}"
FIELDS = ("title", "artist", "take", "stem", "state", "tempo", "key")
NAME_BYTES = 200
"""Longest name, with its suffix, in UTF-8: every file system takes 255, backup tools add to it."""
UNTITLED = "Untitled"


class SongName(Value):
    """What the name of a file or folder says about the song in it."""

    title: str
    """"" where the name is nothing but an id."""
    artist: str = ""
    take: int = 0
    """The copy's number, "Title (1)" is 1; 0 where the name has none."""
    stem: str = ""
    """The stem's name in ``Title (Vocals).mp3``; "" for a whole song."""
    generator_id: str = ""
    tempo_bpm: int = 0
    """The tempo that a stem export states; 0 where it does not."""


_UUID = re.compile(
    r"[\s_\-\[(]*(?<![0-9a-f])([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?![0-9a-f])[\])]*", re.IGNORECASE
)
_SUFFIX = re.compile(
    r"\.(?:wave?|rf64|bw64|aif[fc]?|flac|mp3|og[ga]|m4a|mp4|aac|opus|webm|zip|midi?)$", re.IGNORECASE
)
_TAKES = (
    re.compile(r"\s*\((?P<take>[1-9]\d?)\)$"),
    re.compile(r"(?:\s+|[_\-]\s*)v(?:er(?:sion)?)?[ .]?(?P<take>[1-9]\d?)$", re.IGNORECASE),
    re.compile(r"(?:\s+-)?\s+copy(?:\s+(?P<take>[1-9]\d?))?$", re.IGNORECASE),
)
_STEMS_OF = re.compile(r"[\s_\-]+stems?(?:[\s_]*\((?P<bpm>\d{2,3})\s*bpm\))?$", re.IGNORECASE)
_PARENTHESES = re.compile(r"^(?P<title>.*\S)[\s_]*\((?P<stem>[^()]+)\)$")
_VERSION_WORDS = frozenset({
    "remix", "mix", "edit", "version", "extended", "instrumental", "acoustic", "live", "demo",
    "master", "mastered", "remaster", "remastered", "reprise", "cover", "part", "pt", "intro",
    "outro", "radio", "club", "vip", "bootleg", "mashup", "interlude", "unplugged", "karaoke",
    "acapella", "stems",
})  # fmt: skip
STEM_WORDS = frozenset({
    "vocal", "vocals", "vox", "voice", "lead", "backing", "drum", "drums", "percussion", "perc",
    "bass", "guitar", "guitars", "keyboard", "keyboards", "keys", "piano", "strings", "string",
    "synth", "synths", "fx", "sfx", "effects", "brass", "woodwind", "woodwinds", "other", "others",
    "instrumental",
})  # fmt: skip
"""Words that stem names consist of."""


def parse_name(name: str) -> SongName:
    """What a file or folder name, with or without its suffix, says: title, artist, take, stem, id.

    ``parse_name("Night Drive (1).mp3")`` is take 1 of "Night Drive"; "(Remix)" belongs to the title.
    """
    rest = unicodedata.normalize("NFC", _without_suffix(name)).strip()
    ids = _UUID.findall(rest)
    rest = _spaced(_UUID.sub("", rest).strip(" _-"))
    rest, take = _split_take(rest)
    rest, tempo_bpm = _split_stems_word(rest)
    rest, stem = _split_stem(rest)
    artist, title = _split_artist(rest)
    return SongName(
        title=title, artist=artist, take=take, stem=stem, tempo_bpm=tempo_bpm,
        generator_id=ids[0].lower() if ids else "",
    )  # fmt: skip


def track_of(path: PurePath, tags: Tags | None = None) -> Track:
    """The song that a file holds, by its name and its tags.

    The name wins, since producers rename files; the tag's title is taken where the name has none, or where
    both are the same but for what a file name cannot hold ("Who Are You?"). The tags' id is never lost.
    """
    tags = tags or Tags()
    name = parse_name(path.name)
    title, artist = _agreed_title(name, tags)
    if name.stem:
        title = f"{title} ({name.stem})"
    tags = tags.evolve(artist=tags.artist or artist, generator_id=tags.generator_id or name.generator_id)
    return Track(title=title or UNTITLED, take=name.take, tags=tags)


def _agreed_title(name: SongName, tags: Tags) -> tuple[str, str]:
    whole = f"{name.artist} - {name.title}" if name.artist else name.title
    if tags.title and _plain(tags.title) in ("", _plain(whole)):
        return tags.title.strip(), ""
    if tags.title and (not name.title or _plain(tags.title) == _plain(name.title)):
        return tags.title.strip(), name.artist
    if tags.artist and name.artist and _plain(tags.artist) != _plain(name.artist):
        return whole, ""  # what stands before the dash is no artist
    return name.title, name.artist


def _plain(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text).casefold() if letter.isalnum())


def _without_suffix(name: str) -> str:
    return _SUFFIX.sub("", name) or name


def _spaced(text: str) -> str:
    """Underscores as spaces where they stand for them: in names without any space."""
    return text if " " in text else text.replace("_", " ").strip()


def _split_take(text: str) -> tuple[str, int]:
    take = 0
    while found := next((match for form in _TAKES if (match := form.search(text)) and match.start()), None):
        take = take or int(found["take"] or 1)
        text = text[: found.start()].rstrip()
    return text, take


def _split_stems_word(text: str) -> tuple[str, int]:
    found = _STEMS_OF.search(text)
    if not found or not found.start():
        return text, 0
    return text[: found.start()], int(found["bpm"] or 0)


def _split_stem(text: str) -> tuple[str, str]:
    found = _PARENTHESES.match(text)
    if found and is_stem_name(found["stem"]):
        return found["title"].rstrip(" _-"), found["stem"].replace("_", " ").strip()
    return text, ""


def is_stem_name(text: str) -> bool:
    """Whether the text is the name of a stem and nothing else: "Backing_Vocals", "Synth 2"."""
    words = re.findall(r"[^\W\d_]+", text.casefold())
    return bool(words) and all(word in STEM_WORDS for word in words)


def _split_artist(text: str) -> tuple[str, str]:
    artist, dash, title = text.partition(" - ")
    words = set(re.findall(r"\w+", title.casefold()))
    if not dash or not artist.strip() or not title.strip() or words & _VERSION_WORDS:
        return "", text
    return artist.strip(), title.strip()


# Names of our own

_REPLACED = {"/": "-", "\\": "-", "|": "-", '"': "'", "<": "(", ">": ")", "*": "_", "?": ""}
_REMOVED = frozenset("\u00ad\u061c\u200b\u200e\u200f\u2060\ufeff") | {
    chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""Marks that turn the direction of text, so that a name could show as another, and marks without a shape."""
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?=\.|$)", re.IGNORECASE)


def safe_name(text: str, suffix: str = "", limit_bytes: int = NAME_BYTES) -> str:
    """A name that Windows, macOS and Linux can hold, as near to ``text`` as it goes, with ``suffix``.

    No reserved names and characters, no control and direction marks, no dot or space at either end, NFC, at
    most ``limit_bytes`` (at least 40) of UTF-8 with the suffix, cut between characters as people see them.
    Never empty: what leaves nothing is called "Untitled". Emoji and scripts of any direction stay.
    """
    room = max(limit_bytes, 40) - len(suffix.encode())
    name = _trimmed(_cut(_trimmed(_cleaned(text)), room - 1))
    if reserved := _RESERVED.match(name):
        end = len(reserved[0].rstrip())
        name = name[:end] + "_" + name[end:]
    return (name or UNTITLED) + suffix


def _cleaned(text: str) -> str:
    # a colon with a space after it reads as a dash
    text = re.sub(r"\s*:\s+", " - ", text).replace(":", "-")
    shown = "".join(map(_letter, unicodedata.normalize("NFC", text)))
    return unicodedata.normalize("NFC", " ".join(shown.split()))


def _letter(letter: str) -> str:
    kind = unicodedata.category(letter)
    if letter in _REMOVED or (ord(letter) & 0xFFFE) == 0xFFFE:
        return ""
    if kind == "Cc" or kind.startswith("Z"):
        return " "
    return "_" if kind == "Cs" else _REPLACED.get(letter, letter)


def _trimmed(name: str) -> str:
    return name.strip(" .")


def _cut(name: str, limit_bytes: int) -> str:
    """The longest beginning that fits and does not end inside a character as people see it."""
    if len(name.encode()) <= limit_bytes:
        return name
    end = len(name.encode()[:limit_bytes].decode(errors="ignore"))
    while end and not _is_boundary(name, end):
        end -= 1
    return name[:end]


def _is_boundary(name: str, end: int) -> bool:
    """Whether a cut before ``name[end]`` leaves accents, joined emoji and flags whole."""
    follows, before = name[end], name[end - 1]
    joins = unicodedata.category(follows).startswith("M") or follows == "\u200d" or before == "\u200d"
    is_tone = 0x1F3FB <= ord(follows) <= 0x1F3FF
    flags = len(name[:end]) - len(name[:end].rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))
    is_in_flag = 0x1F1E6 <= ord(follows) <= 0x1F1FF and flags % 2 == 1
    return not (joins or is_tone or is_in_flag)


def unique_name(name: str, taken: Iterable[str]) -> str:
    """``name``, or "name (2)" and so on where ``taken`` holds it already, upper and lower case alike."""
    used = {_key(other) for other in taken}
    base, dot, suffix = name.rpartition(".")
    base, suffix = (base, dot + suffix) if base else (name, "")
    return next(form for form in _numbered(base, suffix, " ({})") if _key(form) not in used)


def versioned(folder: Path, title: str) -> str:
    """The name for a new delivery in ``folder``: "Title", or "Title v2", "Title v3" where that exists.

    Upper and lower case count as the same, as they are on Windows and macOS. A missing folder holds nothing.
    """
    used = {_key(path.name) for path in folder.iterdir()} if folder.is_dir() else set()
    base = safe_name(title, limit_bytes=NAME_BYTES - 8)
    return next(form for form in _numbered(base, "", " v{}") if _key(form) not in used)


def _numbered(base: str, suffix: str, form: str) -> Iterator[str]:
    yield base + suffix
    for number in count(2):
        mark = form.format(number)
        yield _cut(base, NAME_BYTES - len((mark + suffix).encode())).rstrip(" .") + mark + suffix


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


# The template of file names

_SEPARATORS = r"\s_\-–—.,"
_PIECE = re.compile(rf"\([^()]*\)|\[[^\[\]]*\]|(?:\{{\w+\}}|[^{_SEPARATORS}(\[{{])+|[{_SEPARATORS}]+|.")
"""Brackets with what is in them, words with the fields in them, separators."""
_FIELD = re.compile(r"\{(\w+)\}")


def check_template(template: str) -> str:
    """The template, if every field in it is known; else ConfigError with the field that was meant.

    Fields: title, artist, take, stem, state (dry, mixed), tempo, key.
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as cause:
        raise ConfigError(
            f'The name template "{template}" cannot be read ({cause}). Write fields as {{title}}.'
        ) from cause
    for _, field, form, conversion in parts:
        if field is not None:
            _expect_field(template, field, bool(form or conversion))
    if set("/\\") & set(template):
        raise ConfigError(f'The name template "{template}" holds a slash; it names files, folders are fixed.')
    if "{title}" not in template and "{stem}" not in template:
        raise ConfigError(f'The name template "{template}" needs {{title}} or {{stem}} to tell files apart.')
    return template


def _expect_field(template: str, field: str, is_formatted: bool) -> None:
    if field in FIELDS and not is_formatted:
        return
    near = difflib.get_close_matches(re.split(r"\W", field)[0], FIELDS, n=1)
    hint = f"Did you mean {{{near[0]}}}?" if near else f"Known are {', '.join(FIELDS)}."
    raise ConfigError(f'The name template "{template}" has the unknown field {{{field}}}. {hint}')


def file_name(
    template: str = DEFAULT_TEMPLATE,
    *,
    title: str,
    stem: str = "",
    state: str = "",
    tempo_bpm: float | None = None,
    key: str | None = None,
    artist: str = "",
    take: int = 0,
    suffix: str = ".wav",
) -> str:
    """The name of a delivered file, safe everywhere: "Night Drive - Vocals (dry) 124bpm Am.wav".

    Fields that are not known (None, "" or 0: pass None for a tempo or key of little confidence) vanish with
    their unit, brackets and space. A name that is too long loses the end of the title, not of the stem.
    Raises ConfigError for a template with unknown fields.
    """
    check_template(template)
    values = {
        "title": safe_name(title),
        "artist": artist,
        "take": str(take or ""),
        "stem": stem,
        "state": state,
        "tempo": "" if tempo_bpm is None else f"{tempo_bpm:.1f}".removesuffix(".0"),
        "key": key or "",
    }
    name = _cleaned(_filled(template, values))
    excess = len(name.encode()) + len(suffix.encode()) - NAME_BYTES + 1
    if excess > 0:
        title_bytes = max(24, len(values["title"].encode()) - excess)
        name = _filled(template, values | {"title": _cut(values["title"], title_bytes).rstrip(" .")})
    return safe_name(name, suffix)


def _filled(template: str, values: dict[str, str]) -> str:
    """The template with its fields; a piece with an unknown field is left out, and a unit after it too."""
    filled = separator = ""
    was_lost = False
    for piece in _PIECE.findall(template):
        if not piece.strip(" _-–—.,"):
            if not separator or (piece.strip() and not separator.strip()):
                separator = piece  # of several that are left, one with a dash
            continue
        is_unit = was_lost and not _FIELD.search(piece) and not separator.strip(" _")
        text = "" if is_unit else _piece(piece, values)
        if text:
            filled += (separator if filled else "") + text
            separator = ""
        was_lost = not text
    return filled


def _piece(piece: str, values: dict[str, str]) -> str:
    fields = _FIELD.findall(piece)
    if piece[0] in "([" and fields:
        inside = _filled(piece[1:-1], values)
        return piece[0] + inside + piece[-1] if any(values[field] for field in fields) else ""
    if any(not values[field] for field in fields):
        return ""
    return _FIELD.sub(lambda found: values[found[1]], piece)
