"""The composer's promises: same spec same bytes, stems that sum, a truth that holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from bridge.audio import read_audio
from bridge.errors import InputError
from bridge.generate import (
    ComposedSong,
    Instrument,
    SectionKind,
    SectionSpec,
    SongSpec,
    SongTruth,
    Style,
    compose,
    demo_spec,
    random_spec,
    write_song,
)
from bridge.generate.theory import parse_key
from bridge.values import Role, SampleFormat

SHORT = SongSpec(style=Style.POP, duration_s=6.0, seed=3)


def samples(song: ComposedSong) -> dict[Role, bytes]:
    return {role: stem.samples.tobytes() for role, stem in song.stems.items()}


def test_the_same_spec_gives_the_same_bytes() -> None:
    """Nothing but the spec and the rate decides."""
    first, second = compose(SHORT), compose(SHORT)
    assert samples(first) == samples(second)
    assert first.truth == second.truth


def test_another_seed_gives_another_song() -> None:
    """Notes and sound follow the seed."""
    first, second = compose(SHORT, rate_hz=16_000), compose(SHORT.evolve(seed=4), rate_hz=16_000)
    assert first.truth.notes != second.truth.notes
    assert not np.array_equal(first.mixture.samples, second.mixture.samples)


def test_stems_sum_to_the_mixture_exactly_in_any_order(song: ComposedSong) -> None:
    """All samples lie on one grid, so that no addition rounds."""
    stems = [stem.samples for stem in song.stems.values()]
    assert np.array_equal(sum(stems), song.mixture.samples)
    assert np.array_equal(sum(reversed(stems)), song.mixture.samples)


def test_every_style_renders_four_stems_of_the_asked_length(song: ComposedSong) -> None:
    """Stereo float32, finite, all as long as asked to the sample."""
    assert set(song.stems) == {Role.VOCALS, Role.DRUMS, Role.BASS, Role.OTHER}
    for stem in song.stems.values():
        assert stem.samples.shape == (2, 9 * 44_100)
        assert stem.samples.dtype == np.float32
        assert np.isfinite(stem.samples).all()
        assert np.abs(stem.samples).max() > 0.01


def test_the_mixture_peaks_at_minus_three_dbfs(song: ComposedSong) -> None:
    """Neither clipped nor quiet."""
    peak_dbfs = 20 * np.log10(np.abs(song.mixture.samples).max())
    assert peak_dbfs == pytest.approx(-3.0, abs=0.01)


def test_nobody_sings_without_a_voice() -> None:
    """No vocals stem and no sung note; asking for it gives silence."""
    song = compose(SHORT.evolve(voice=False))
    assert Role.VOCALS not in song.stems
    assert not song.truth.notes_of(Role.VOCALS)
    assert not song.stem(Role.VOCALS).samples.any()
    assert song.stem(Role.VOCALS).frames == song.mixture.frames


def test_only_the_named_instruments_play() -> None:
    """Instruments that are not named are absent from stems and truth."""
    song = compose(SHORT.evolve(instruments=(Instrument.PIANO, Instrument.SUB_BASS), voice=False))
    assert set(song.stems) == {Role.OTHER, Role.BASS}
    assert {note.instrument for note in song.truth.notes} == {"piano", "sub bass"}


def test_silence_is_exact_before_a_part_begins() -> None:
    """The bass rests through the intro: not one sample of leakage, from reverb or filters."""
    form = (SectionSpec(kind=SectionKind.INTRO, bars=4), SectionSpec(kind=SectionKind.CHORUS, bars=2))
    song = compose(SHORT.evolve(sections=form, tempo_bpm=150))
    for role in (Role.BASS, Role.VOCALS):
        first = int((song.truth.notes_of(role)[0].onset_s - 0.01) * 44_100)
        assert first > 44_100
        assert not song.stems[role].samples[:, :first].any()
        assert song.stems[role].samples[:, first : first + 8000].any()


@pytest.mark.parametrize("rate_hz", [22_050, 96_000])
def test_other_rates_give_the_same_song(rate_hz: int) -> None:
    """The rate changes samples, not notes."""
    song = compose(SHORT, rate_hz=rate_hz)
    assert song.mixture.frames == 6 * rate_hz
    assert song.truth.notes == compose(SHORT, rate_hz=16_000).truth.notes
    assert np.isfinite(song.mixture.samples).all()


def test_beats_fall_at_the_tempo(song: ComposedSong) -> None:
    """Beats are equally far apart, and the first of each bar is a downbeat."""
    truth = song.truth
    beats = truth.time_signature[0]
    assert np.allclose(np.diff(truth.beats_s), 60 / truth.tempo_bpm)
    assert truth.downbeats_s == truth.beats_s[::beats]
    assert truth.beats_s[-1] < truth.duration_s


@pytest.mark.parametrize(
    ("signature", "beats"),
    [((4, 4), 4), ((3, 4), 3), ((5, 4), 5), ((7, 4), 7), ((6, 8), 2), ((9, 8), 3), ((12, 8), 4)],
)
def test_time_signatures_set_the_beats_of_a_bar(signature: tuple[int, int], beats: int) -> None:
    """A bar has its quarters, or its dotted quarters in compound metres."""
    song = compose(SHORT.evolve(time_signature=signature, voice=False), rate_hz=16_000)
    bars = np.diff(song.truth.downbeats_s)
    assert np.allclose(bars, beats * 60 / song.truth.tempo_bpm)
    kicks = [note.onset_s for note in song.truth.notes if note.sound == "kick"]
    for downbeat in song.truth.downbeats_s:
        assert min(abs(kick - downbeat) for kick in kicks) < 0.03


def test_chords_and_sections_cover_the_song_without_gaps(song: ComposedSong) -> None:
    """From 0 to the end, each span beginning where the last one ended."""
    for spans in (song.truth.chords, song.truth.sections):
        starts = [span.start_s for span in spans]
        ends = [span.end_s for span in spans]
        assert starts == [0.0, *ends[:-1]]
        assert ends[-1] == pytest.approx(song.truth.duration_s)
        assert all(start < end for start, end in zip(starts, ends, strict=True))


def test_notes_lie_within_the_song_in_order(song: ComposedSong) -> None:
    """No onset before 0, no end after the song's, sorted by onset."""
    onsets = [note.onset_s for note in song.truth.notes]
    assert onsets == sorted(onsets)
    assert onsets[0] >= 0
    assert all(note.onset_s + note.duration_s <= song.truth.duration_s for note in song.truth.notes)


def test_notes_are_mostly_in_the_key_and_bass_on_the_chord(song: ComposedSong) -> None:
    """Borrowed chords are spice: nine notes in ten are of the scale, and the bass states the roots."""
    scale = parse_key(song.truth.key).scale
    pitched = [note for note in song.truth.notes if note.role is not Role.DRUMS]
    assert np.mean([note.pitch % 12 in scale for note in pitched]) >= 0.85
    roots = []
    for note in song.truth.notes_of(Role.BASS):
        chord = next(c for c in song.truth.chords if c.start_s <= note.onset_s + 0.04 < c.end_s)
        roots.append(note.pitch % 12 == chord.root)
    assert np.mean(roots) >= 0.5


def test_choruses_repeat_their_melody() -> None:
    """What comes back is the same tune, not another one."""
    kinds = SectionKind
    form = tuple(
        SectionSpec(kind=kind, bars=4) for kind in (kinds.CHORUS, kinds.VERSE, kinds.CHORUS, kinds.OUTRO)
    )
    truth = compose(SHORT.evolve(sections=form), rate_hz=16_000).truth
    tunes = [
        [n.pitch for n in truth.notes if n.part == "lead vocal" and s.start_s <= n.onset_s + 0.05 < s.end_s]
        for s in truth.sections
    ]
    assert tunes[0] == tunes[2]
    assert tunes[0] != tunes[1]


def test_voice_leading_moves_little(song: ComposedSong) -> None:
    """Chords of one part move by a few semitones a voice, not by leaps."""
    truth = song.truth
    part = next(note.part for note in truth.notes_of(Role.OTHER))
    means = []
    for chord in truth.chords:
        pitches = {
            n.pitch for n in truth.notes if n.part == part and chord.start_s <= n.onset_s + 0.05 < chord.end_s
        }
        means += [np.mean(list(pitches))] if pitches else []
    assert np.abs(np.diff(means)).max(initial=0) <= 7


def test_the_truth_survives_json(song: ComposedSong) -> None:
    """What is written is what is read."""
    assert SongTruth.model_validate_json(song.truth.model_dump_json()) == song.truth


@pytest.mark.parametrize("mixture_format", [SampleFormat.INT24, SampleFormat.FLOAT32, SampleFormat.INT16])
def test_written_files_null(tmp_path: Path, mixture_format: SampleFormat) -> None:
    """The files' stems sum to the files' mixture: exactly, or within half a step of 16 bits."""
    song = compose(SHORT, rate_hz=16_000)
    written = write_song(song, tmp_path / "Sketch", mixture_format=mixture_format)
    total = sum(read_audio(path).samples for path in written.stems.values())
    rest = np.abs(read_audio(written.mixture).samples - total).max()
    assert rest == 0 if mixture_format is not SampleFormat.INT16 else rest <= 0.5001 / 32_768
    assert SongTruth.model_validate_json(written.truth.read_text("utf-8")) == song.truth


def test_random_specs_vary_and_repeat() -> None:
    """Seeds in a row go through all styles; the same seed gives the same spec."""
    specs = [random_spec(seed) for seed in range(44)]
    assert {spec.style for spec in specs} == set(Style)
    assert len({spec.key for spec in specs}) >= 12
    assert len({spec.time_signature for spec in specs}) >= 3
    assert {spec.voice for spec in specs} == {True, False}
    assert specs == [random_spec(seed) for seed in range(44)]


def test_the_demo_is_a_sung_song_of_about_a_minute() -> None:
    """60 to 75 seconds, with every kind of section."""
    spec = demo_spec()
    song = compose(spec, rate_hz=16_000)
    assert spec.title == "Night Drive"
    assert 60 <= song.truth.duration_s <= 75
    assert {section.kind for section in song.truth.sections} == {kind.value for kind in SectionKind}
    assert Role.VOCALS in song.stems


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_signature": (4, 3)},
        {"duration_s": 5.0},
        {"duration_s": 601.0},
        {"tempo_bpm": 20.0},
        {"style": "polka"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_wrong_spec_is_refused(wrong: dict[str, object]) -> None:
    """Out of range is told when the spec is made, not when it is played."""
    with pytest.raises(ValidationError):
        SongSpec.model_validate(wrong)


def test_an_unknown_key_is_refused_with_an_example() -> None:
    """The message says what was found and what a key looks like."""
    with pytest.raises(InputError, match=r'"H minor".*"A minor"'):
        SongSpec(key="H minor")


@pytest.mark.parametrize("rate_hz", [8_000, 192_000])
def test_a_rate_out_of_range_is_refused(rate_hz: int) -> None:
    """The synthesis is made for 16 to 96 kHz."""
    with pytest.raises(InputError, match=str(rate_hz)):
        compose(SHORT, rate_hz=rate_hz)
