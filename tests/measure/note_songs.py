"""Composed songs on disk, true stems and separated ones, and how notes are scored against their truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.engines.light import LightSeparator
from bridge.generate import PlayedNote, SongTruth, compose, random_spec, write_song
from bridge.music import Note
from bridge.protocols import no_progress
from bridge.values import Role, SampleFormat

ONSET_TOLERANCE_S = 0.05
SONG_S = 30.0
SAME_HIT_S = 0.03
"""Hits of drums that count as one, closer than this are one: a clap on a snare, a shaker on a hat."""
JUDGED_AS = {37: 38, 39: 38, 54: 42, 70: 42}
"""Rim shots and claps are judged as snares, tambourines and shakers as closed hats."""
JUDGED_PARTS = {Role.BASS: "bass", Role.VOCALS: "lead vocal", Role.DRUMS: "drums"}

Event = tuple[float, int]
"""Onset in seconds and pitch."""


@dataclass(frozen=True, kw_only=True)
class Stems:
    """A composed song's truth and the files of the stems of ``JUDGED_PARTS`` that it has."""

    truth: SongTruth
    played: dict[Role, Path]
    separated: dict[Role, Path]
    """Empty unless asked for."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """Notes that are right, that there are, and that were found."""

    right: int = 0
    true: int = 0
    found: int = 0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 where there is nothing to find and nothing found."""
        both = self.true + self.found
        return 2 * self.right / both if both else 1.0

    def __add__(self, other: Score) -> Score:
        return Score(
            right=self.right + other.right, true=self.true + other.true, found=self.found + other.found
        )


def stems_of(seed: int, cache: Path, *, with_separated: bool = False) -> Stems:
    """The stems of a song of 30 s, made where they are not in the cache: 3 s, and 2 s to separate them."""
    folder = cache / str(seed)
    if not (folder / "truth.json").exists():
        song = compose(random_spec(seed, duration_s=SONG_S))
        write_song(song, folder, mixture_format=SampleFormat.FLOAT32, stem_format=SampleFormat.INT16)
    apart = folder / "separated"
    if with_separated and not apart.exists():
        making = folder / "separating"
        making.mkdir(exist_ok=True)
        LightSeparator(threads=1).separate(folder / "mixture.wav", making, no_progress)
        making.rename(apart)
    truth = SongTruth.model_validate_json((folder / "truth.json").read_text("utf-8"))
    roles = [role for role in JUDGED_PARTS if (folder / f"{role.value}.wav").exists()]
    return Stems(
        truth=truth,
        played={role: folder / f"{role.value}.wav" for role in roles},
        separated={role: apart / f"{role.value}.wav" for role in roles if with_separated},
    )


def true_notes(truth: SongTruth, role: Role) -> list[PlayedNote]:
    """What there is to find in a stem: the bass, the lead vocal, the drums."""
    return [note for note in truth.notes_of(role) if note.part == JUDGED_PARTS[role]]


def true_events(truth: SongTruth, role: Role) -> list[Event]:
    """Onsets and pitches of what there is to find, with one key for drums that count as one."""
    events = [(note.onset_s, note.pitch) for note in true_notes(truth, role)]
    return merged(events) if role is Role.DRUMS else events


def merged(hits: Iterable[Event], keys: Mapping[int, int] = JUDGED_AS) -> list[Event]:
    """Hits with one key for drums that count as one, those of a key closer than 30 ms as one hit."""
    last: dict[int, float] = {}
    kept = []
    for at, key in sorted((at, keys.get(key, key)) for at, key in hits):
        if at - last.get(key, -1.0) >= SAME_HIT_S:
            kept.append((at, key))
            last[key] = at
    return kept


def events_of(notes: Sequence[Note]) -> list[Event]:
    """Found notes as events."""
    return [(note.start_s, note.pitch) for note in notes]


def scored(true: Sequence[Event], found: Sequence[Event]) -> Score:
    """Each true note is right once where a found one of its pitch begins within 50 ms."""
    return Score(right=len(matches(true, found)), true=len(true), found=len(found))


def matches(true: Sequence[Event], found: Sequence[Event]) -> list[tuple[int, int]]:
    """Places of true notes and of the found ones that match them, the most that can be matched.

    Walking along both in order finds them, since every note reaches equally far.
    """
    return [
        pair
        for pitch in {pitch for _, pitch in true}
        for pair in _walked(
            *([(at, i) for i, (at, other) in enumerate(side) if other == pitch] for side in (true, found))
        )
    ]


def _walked(true: list[tuple[float, int]], found: list[tuple[float, int]]) -> Iterator[tuple[int, int]]:
    true, found = sorted(true), sorted(found)
    while true and found:
        late_s = found[-1][0] - true[-1][0]
        if abs(late_s) <= ONSET_TOLERANCE_S:
            yield true.pop()[1], found.pop()[1]
        elif late_s > 0:
            found.pop()
        else:
            true.pop()
