"""What the name of an audio file says: which stem of which song it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath

from bridge.naming import parse_name, safe_name
from bridge.values import Role, Value

_ROLE_OF = {
    word: role
    for role, words in {
        Role.DRUMS: "drum drums kick snare hihat hats cymbals toms drumkit kit",
        Role.PERCUSSION: "percussion perc percussions",
        Role.BASS: "bass sub",
        Role.GUITAR: "guitar guitars gtr",
        Role.PIANO: "piano pianos",
        Role.KEYBOARD: "keyboard keyboards keys organ rhodes",
        Role.STRINGS: "strings string violin violins viola cello",
        Role.BRASS: "brass trumpet trumpets trombone horn horns",
        Role.WOODWINDS: "woodwind woodwinds flute sax saxophone clarinet",
        Role.SYNTH: "synth synths synthesizer pad pads arp",
        Role.FX: "fx sfx effects effect",
        Role.BACKING_VOCALS: "backing background harmony harmonies choir bgv",
        Role.VOCALS: "vocal vocals vox voice",
        Role.OTHER: "other others instrumental accompaniment rest",
    }.items()
    for word in words.split()
}
"""The first role with a word in the name counts: "Bass Drum" is drums, "Backing Vocals" backing vocals."""
_QUALIFIERS = frozenset(
    ["lead", "main", "electric", "acoustic", "rhythm", "upright", "solo", "dry", "wet", "stem"]
)
MIX_WORDS = frozenset(["mix", "mixdown", "mixture", "master", "full", "song", "track", "original", "stereo"])
INSTRUMENTAL_WORDS = frozenset(["instrumental", "accompaniment"])
_NUMBER = re.compile(r"^\d{1,2}(?:\s*[._-]\s*|\s+)(?=\D)")


def role_of(label: str) -> Role | None:
    """The role that a stem's name means; None where it holds a word that belongs to no stem."""
    words = re.findall(r"[^\W\d_]+", label.casefold())
    roles = [_ROLE_OF.get(word) for word in words if word not in _QUALIFIERS]
    if not words or None in roles:
        return None
    if not roles:
        return Role.VOCALS if words == ["lead"] else None
    return min((role for role in roles if role), key=list(_ROLE_OF.values()).index)


class NamedFile(Value):
    """An audio file by its name."""

    member: str
    title: str = ""
    """The song's title in the name, "" where it names the stem alone."""
    text: str = ""
    role: Role | None = None
    is_numbered: bool = False

    @property
    def words(self) -> frozenset[str]:
        """The words of the name, small."""
        return frozenset(re.findall(r"[^\W\d_]+", self.text.casefold()))


def named(member: str, title: str) -> NamedFile:
    """What a file's name says, knowing the title that the folder or archive states."""
    base = _base(member)
    rest = _NUMBER.sub("", base)
    for song, label in _splits(rest, title):
        if role := role_of(label):
            return NamedFile(member=member, title=song, text=label, role=role, is_numbered=rest != base)
    name = parse_name(base)
    return NamedFile(member=member, title=name.title, text=rest, is_numbered=rest != base)


def _base(member: str) -> str:
    return unicodedata.normalize("NFC", PurePosixPath(member).stem.strip())


def _splits(text: str, title: str) -> Iterator[tuple[str, str]]:
    """Every way to read a name as a song's title and a stem's label."""
    yield "", text
    if match := re.match(r"^(.*\S)[\s_]*\(([^()]+)\)$", text):
        yield match[1].rstrip(" _-"), match[2]
    if title and plain(text).startswith(plain(title)) and len(text) > len(title):
        yield title, text[len(title) :]
    for match in re.finditer(r"\s+-\s+|_|-", text):
        yield text[: match.start()].strip(" _-"), text[match.end() :]


def plain(text: str) -> str:
    """Letters and digits alone, small: what two spellings of a title have in common."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def label_of(stem: NamedFile, role: Role) -> str:
    """What the stem is called within its set, before several of one kind are numbered."""
    if stem.words & INSTRUMENTAL_WORDS:
        return "Instrumental"
    if stem.role is None:
        inner = re.search(r"\(([^()]+)\)$", stem.text)
        return safe_name(inner[1] if inner else stem.text, limit_bytes=60)
    return "FX" if role is Role.FX else role.value.replace("_", " ").title()
