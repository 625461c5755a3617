"""The transcribe stage: what it hears, by whom, and what it does where an engine fails."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from bridge import registry
from bridge.audio import Audio, write_audio
from bridge.config import Config
from bridge.errors import AudioError, EngineError, JobCancelled, JobHalted, RegistryError
from bridge.generate import ComposedSong
from bridge.music import Music, Note
from bridge.protocols import Progress
from bridge.stages import roles, transcribe
from bridge.stages.base import Inputs, Made, Room
from bridge.stages.choosing import EngineChoice
from bridge.values import FOUR_STEMS, Role
from tests.stages.conftest import RunStage, assets_of, paths_of

KICK = Note(start_s=1.0, end_s=1.1, pitch=36)


class DrumEngine:
    """Hears one kick, in drums alone."""

    name = "drummer"
    version = "1"
    roles: tuple[Role, ...] = (Role.DRUMS,)

    def transcribe(self, stem: Path, role: Role, progress: Progress) -> tuple[Note, ...]:
        assert stem.is_file()
        assert role in self.roles
        progress(1.0)
        return (KICK,)


class BrokenEngine(DrumEngine):
    name = "broken"

    def transcribe(self, stem: Path, role: Role, progress: Progress) -> tuple[Note, ...]:
        raise EngineError(f"{stem.name} is too loud")


class FaultyEngine(DrumEngine):
    name = "faulty"

    def transcribe(self, stem: Path, role: Role, progress: Progress) -> tuple[Note, ...]:
        raise ZeroDivisionError("by zero")


class CancelledEngine(DrumEngine):
    name = "cancelled"

    def transcribe(self, stem: Path, role: Role, progress: Progress) -> tuple[Note, ...]:
        raise JobCancelled


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four engines instead of the installed ones."""
    known = {engine.name: engine for engine in (DrumEngine, BrokenEngine, FaultyEngine, CancelledEngine)}

    def load(_group: str, name: str) -> type[DrumEngine]:
        if name not in known:
            raise RegistryError(f"No '{name}' is registered.")
        return known[name]

    monkeypatch.setattr(registry, "load", load)


@pytest.fixture(scope="module")
def files(song: ComposedSong, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The song and its true stems."""
    folder = tmp_path_factory.mktemp("stems")
    sounds = {roles.SOURCE: song.mixture} | {f"dry/{role}": stem for role, stem in song.stems.items()}
    paths = {role: folder / f"{role.replace('/', ' ')}.wav" for role in sounds}
    for role, sound in sounds.items():
        write_audio(paths[role], sound)
    return paths


def params(*names: str) -> transcribe.Params:
    engines = tuple(EngineChoice(name=name, version="1") for name in names)
    return transcribe.Params(engines=engines, key="A minor", key_confidence=0.9, tuning_cents=0.0)


def music_of(made: Made) -> Music:
    return Music.model_validate_json(paths_of(made)[transcribe.MUSIC].read_bytes())


def test_the_song_is_heard(run_stage: RunStage, files: dict[str, Path], song: ComposedSong) -> None:
    """By what is built in: beats, chords, sections, and notes of the three stems that have one voice."""
    music = music_of(run_stage(transcribe.STAGE, params("native"), files))
    truth = song.truth
    assert music.duration_s == pytest.approx(10.0)
    assert music.grid.tempo_bpm == pytest.approx(truth.tempo_bpm, rel=0.03)
    assert (music.key, music.key_confidence) == ("A minor", 0.9)
    assert music.chords[-1].end_s <= 10.01
    assert music.sections[0].start_s == 0
    assert {part.name: part.is_drums for part in music.parts} == {
        "vocals": False,
        "drums": True,
        "bass": False,
    }
    for part in music.parts:
        onsets = [note.start_s for note in part.notes]
        assert onsets == sorted(onsets)
        near = [
            any(abs(onset - note.onset_s) < 0.05 for note in truth.notes_of(part.role)) for onset in onsets
        ]
        assert sum(near) >= 0.7 * len(near)


def test_the_outline_is_in_the_facts(run_stage: RunStage, files: dict[str, Path], engines: None) -> None:
    """Without the beats and notes themselves, which are many."""
    made = run_stage(transcribe.STAGE, params("drummer"), files)
    music = music_of(made)
    rhythm = made.facts["rhythm"]
    assert rhythm["tempo_bpm"] == music.grid.tempo_bpm
    assert rhythm["beats"] == len(music.grid.beats_s)
    assert "beats_s" not in rhythm
    assert made.facts["notes"] == {"drums": 1}
    assert made.facts["engines"] == {"drums": "drummer"}
    assert len(made.facts["sections"]) == len(music.sections)


def test_each_stem_has_the_first_engine_that_can_do_it(
    run_stage: RunStage, files: dict[str, Path], engines: None
) -> None:
    """What a failed one said is kept."""
    made = run_stage(transcribe.STAGE, params("absent", "broken", "faulty", "drummer"), files)
    assert [part.notes for part in music_of(made).parts] == [(KICK,)]
    said = [line for line in made.facts["skipped"] if line.startswith("drums")]
    assert said == [
        "drums, absent: No 'absent' is registered.",
        "drums, broken: dry drums.wav is too loud",
        "drums, faulty: ZeroDivisionError: by zero",
    ]


def test_a_song_that_no_engine_can_do_has_no_notes(
    run_stage: RunStage, files: dict[str, Path], engines: None
) -> None:
    """Beats and chords are there all the same."""
    made = run_stage(transcribe.STAGE, params("broken"), files)
    assert music_of(made).parts == ()
    assert music_of(made).grid.beats_s
    assert made.facts["notes"] == {}


@pytest.mark.parametrize("subject", ["beats", "chords", "sections"])
@pytest.mark.parametrize("failure", [ZeroDivisionError("by zero"), AudioError("song.wav is damaged.")])
def test_what_cannot_be_told_costs_only_itself(
    run_stage: RunStage,
    files: dict[str, Path],
    engines: None,
    monkeypatch: pytest.MonkeyPatch,
    subject: str,
    failure: Exception,
) -> None:
    """A bug or a bad moment of the disk: the rest is heard, and why it is missing stands in the facts."""

    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(transcribe, f"measure_{subject}", fail)
    made = run_stage(transcribe.STAGE, params("drummer"), files)
    music = music_of(made)
    parts = {"beats": music.grid.beats_s, "chords": music.chords, "sections": music.sections}
    assert {name for name, part in parts.items() if not part} == {subject}
    assert [part.notes for part in music.parts] == [(KICK,)]
    (missing,) = made.facts["left_out"]
    assert missing["subject"] == subject
    assert str(failure) in missing["why"]


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "no room"), MemoryError("no memory")])
def test_lack_of_room_is_told_to_the_job(
    run_stage: RunStage,
    files: dict[str, Path],
    engines: None,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
) -> None:
    """On disk or in memory: nothing is left out for that."""

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(transcribe, "measure_beats", fail)
    with pytest.raises(type(failure), match="no"):
        run_stage(transcribe.STAGE, params("drummer"), files)


@pytest.mark.parametrize("interruption", [JobHalted, BrokenPipeError])
def test_what_progress_raises_is_no_failure(
    files: dict[str, Path], config: Config, tmp_path: Path, interruption: type[Exception]
) -> None:
    """It ends the job, wherever it comes."""

    def interrupt(_share: float) -> None:
        raise interruption

    room = Room(folder=tmp_path, progress=interrupt, config=config)
    with pytest.raises(interruption):
        transcribe.run(params("native"), Inputs(assets_of({"source": files["source"]})), room)


def test_a_cancelled_job_ends(run_stage: RunStage, files: dict[str, Path], engines: None) -> None:
    """It is no engine's failure."""
    with pytest.raises(JobCancelled):
        run_stage(transcribe.STAGE, params("cancelled"), files)


def test_it_tells_how_far_it_is_and_ends_where_it_is_told_to(
    files: dict[str, Path], config: Config, tmp_path: Path
) -> None:
    """From 0 to 1 without a step back; at any of these calls a cancelled job ends."""
    inputs = Inputs(assets_of(files))
    shares: list[float] = []
    room = Room(folder=tmp_path, progress=shares.append, config=config)
    transcribe.run(params("native"), inputs, room)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) > 20
    for call in (0, len(shares) // 2, len(shares) - 1):
        calls = count()

        def cancel(_share: float, calls: Iterator[int] = calls, call: int = call) -> None:
            if next(calls) == call:
                raise JobCancelled

        with pytest.raises(JobCancelled):
            transcribe.run(params("native"), inputs, Room(folder=tmp_path, progress=cancel, config=config))


def test_a_song_without_stems_is_heard_as_it_is(
    run_stage: RunStage, files: dict[str, Path], song: ComposedSong
) -> None:
    """Beats, chords and sections from the mixture."""
    source = {roles.SOURCE: files[roles.SOURCE]}
    music = music_of(run_stage(transcribe.STAGE, params("native"), source))
    assert music.parts == ()
    assert music.grid.tempo_bpm == pytest.approx(song.truth.tempo_bpm, rel=0.03)
    assert music.chords


@pytest.mark.parametrize(
    ("rate_hz", "channels", "seconds", "level"),
    [
        pytest.param(44_100, 2, 1.0, 0.1, id="a second"),
        pytest.param(8_000, 1, 3.0, 0.1, id="mono at 8 kHz"),
        pytest.param(192_000, 2, 2.0, 0.1, id="192 kHz"),
        pytest.param(48_000, 2, 6.0, 1e-4, id="hardly anything"),
        pytest.param(48_000, 2, 6.0, 0.0, id="silent stems"),
    ],
)
def test_odd_songs_are_heard_too(
    run_stage: RunStage, tmp_path: Path, rate_hz: int, channels: int, seconds: float, level: float
) -> None:
    """Noise without beat, note or chord: whatever is made of it lies inside the song."""
    noise = np.random.default_rng(3).normal(0, level, (channels, round(seconds * rate_hz)))
    path = tmp_path / "noise.wav"
    write_audio(path, Audio(samples=noise.astype(np.float32), rate_hz=rate_hz))
    files = {roles.SOURCE: path} | {f"dry/{role}": path for role in FOUR_STEMS}
    music = music_of(run_stage(transcribe.STAGE, params("native"), files))
    ends = [*music.grid.beats_s, *(span.end_s for span in (*music.chords, *music.sections))]
    ends += [note.end_s for part in music.parts for note in part.notes]
    assert all(0 <= end <= seconds + 0.01 for end in ends)
    if not level:
        assert (music.parts, music.grid.beats_s, music.grid.confidence) == ((), (), 0)
