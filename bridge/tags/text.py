"""What tags say, put in order: from pairs of key and text to the song's Tags."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from bridge.values import Tags

Pairs = Iterable[tuple[str, str]]
"""Keys as the formats spell them, and texts as they were found."""

_FIELDS = {
    "title": "tit2 title ©nam inam",
    "artist": "tpe1 artist ©art iart",
    "album": "talb album ©alb iprd",
    "comment": "comm comment description ©cmt desc ldes icmt subtitle tit3 synopsis",
    "lyrics": "uslt lyrics lyrics-eng unsyncedlyrics ©lyr",
    "url": "woas woaf wxxx wcom url website contact purl www",
    "generator": "generator",
    "generator_id": "generator_id",
    "prompt": "prompt style gpt_description_prompt suno_prompt udio_prompt suno_style",
}
_FIELD_OF = {key: field for field, keys in _FIELDS.items() for key in keys.split()}
_MOST_LETTERS = {"comment": 10_000, "lyrics": 100_000, "url": 2_000}
_NOT_COMMENTS = re.compile(r"^(itun|id3v1|musicmatch|songs-db|c2pa)", re.IGNORECASE)

_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_ADDRESS = re.compile(r"https?://[^\s\"'<>;,]+", re.IGNORECASE)
_SUNO_PLACE = re.compile(r"^https?://(?:[\w-]+\.)?suno\.(?:com|ai)(?:/|$)", re.IGNORECASE)
_UDIO_PLACE = re.compile(r"^https?://(?:[\w-]+\.)?udio\.com(?:/|$)", re.IGNORECASE)
_MADE_WITH = re.compile(r"\b(?:made|created|generated) (?:with|by|in|on|using) (suno|udio)\b", re.IGNORECASE)
_SUNO_ID = re.compile(rf"(?:\bid\s*[=:]\s*|suno\.(?:com|ai)/[\w/.-]*?)({_UUID})", re.IGNORECASE)
_UDIO_ID = re.compile(r"udio\.com/songs/([0-9A-Za-z]{16,36})\b|\bid\s*[=:]\s*([0-9A-Za-z-]{16,36})\b")
_BARE_ID = re.compile(rf"^(?:{_UUID}|[0-9A-Za-z]{{22}})$", re.IGNORECASE)


def tags_of(pairs: Pairs) -> Tags:
    """The song's tags. Several comments are joined by line ends; of other fields the first text counts."""
    found: dict[str, list[str]] = {}
    for key, text in pairs:
        field = _field(key)
        value = clean(text, _MOST_LETTERS.get(field, 1_000), is_long=field in ("comment", "lyrics", "prompt"))
        if value and value not in found.setdefault(field, []):
            found[field].append(value)
    first = {field: texts[0] for field, texts in found.items()}
    generator = _generator(found)
    return Tags(
        title=first.get("title", ""),
        artist=first.get("artist", ""),
        album=first.get("album", ""),
        comment="\n".join(
            [*found.get("comment", []), *(f"prompt: {text}" for text in found.get("prompt", []))]
        ),
        lyrics=first.get("lyrics", ""),
        generator=generator,
        generator_id=_generator_id(found, generator),
        url=_url(found),
    )


def _field(key: str) -> str:
    """The field that a key belongs to; "other" for those that only ids are looked for in.

    Keys of free form carry their name after a colon: ``TXXX:prompt``, ``----:com.apple.iTunes:PROMPT``.
    """
    head, _, name = key.lower().partition(":")
    if head in ("txxx", "----"):
        name = name.rpartition(":")[2]
        return _FIELD_OF.get(name, f"other:{name}")
    if head == "comm" and _NOT_COMMENTS.match(name):
        return "other:"
    return _FIELD_OF.get(head, f"other:{head}")


def clean(text: str, most_letters: int, *, is_long: bool = False) -> str:
    """Text without control characters and halves of letters, at most so long; line ends only in long ones."""
    text = _right_encoding(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\n").strip("\ufeff"))
    text = text if is_long else " ".join(text.split())
    kept = (letter for letter in text if letter in "\n\t" or unicodedata.category(letter) not in _NOT_TEXT)
    return "".join(kept)[:most_letters].strip()


_NOT_TEXT = ("Cc", "Cs")


def _right_encoding(text: str) -> str:
    """UTF-8 that was written as Latin-1, put right: "CafÃ©" is "Café"."""
    if text.isascii() or any(ord(letter) > 255 for letter in text):
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return text


def _generator(found: dict[str, list[str]]) -> str:
    for name in found.get("generator", []):
        return {"suno": "Suno", "udio": "Udio"}.get(name.casefold(), name)
    for text in _spoken(found):
        if made := _MADE_WITH.search(text):
            return made[1].capitalize()
    for address in _addresses(found):
        if _SUNO_PLACE.match(address):
            return "Suno"
        if _UDIO_PLACE.match(address):
            return "Udio"
    names = " ".join(field for field in found if field.startswith("other:"))
    return next((name.capitalize() for name in ("suno", "udio") if name in names), "")


def _spoken(found: dict[str, list[str]]) -> list[str]:
    """All texts but those of the song itself: lyrics may mention anything."""
    return [
        text for field, texts in found.items() if field not in ("title", "lyrics", "prompt") for text in texts
    ]


def _addresses(found: dict[str, list[str]]) -> list[str]:
    return [address for text in _spoken(found) for address in _ADDRESS.findall(text)]


def _url(found: dict[str, list[str]]) -> str:
    """The generator's page of the song before any other address, and only real addresses."""
    addresses = _addresses(found)
    ours = [text for text in addresses if _SUNO_PLACE.match(text) or _UDIO_PLACE.match(text)]
    stated = [text for text in found.get("url", []) if _ADDRESS.fullmatch(text)]
    return next(iter([*ours, *stated]), "")


def _generator_id(found: dict[str, list[str]], generator: str) -> str:
    for text in found.get("generator_id", []):
        return text
    pattern = {"Suno": _SUNO_ID, "Udio": _UDIO_ID}.get(generator)
    for text in _spoken(found) if pattern else ():
        if pattern and (match := pattern.search(text)):
            return next(group for group in match.groups() if group)
    for field, texts in found.items():
        if re.search(r"(?:suno|udio).*id|^other:(?:song|clip|track)_?id$", field):
            return next((text for text in texts if _BARE_ID.match(text)), "")
    return ""
