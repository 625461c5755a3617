"""The contract that every separator keeps, ours, the fake and a stranger's plug-in, as checks to run.

With pytest, subclass ``SeparatorContract`` and say which separator to test::

    class TestMine(SeparatorContract):
        def separator(self) -> Separator:
            return MySeparator()

Without it, ``check_separator(MySeparator(), folder)`` runs all of them. A broken promise raises
AssertionError that says what was found and what was wanted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bridge.audio import Audio, Samples, probe, read_audio, write_audio
from bridge.errors import EngineError, JobCancelled
from bridge.protocols import Progress, Separator, no_progress
from bridge.values import FOUR_STEMS, Role

NULL_DBFS = -120.0
"""How far below full scale source minus stems has to stay."""


@dataclass(frozen=True, kw_only=True)
class SongForm:
    """The outer shape of a test song."""

    rate_hz: int = 44_100
    channels: int = 2
    frames: int = 66_150


FORMS: Mapping[str, SongForm] = {
    "stereo": SongForm(),
    "odd length": SongForm(frames=70_001),
    "mono": SongForm(channels=1, frames=50_000),
    "one sample": SongForm(frames=1),
    "one sample mono": SongForm(frames=1, channels=1),
    "short of a hop": SongForm(frames=1_023),
    "a prime": SongForm(frames=4_099),
    "8 kHz": SongForm(rate_hz=8_000, frames=12_001),
    "48 kHz": SongForm(rate_hz=48_000, frames=48_000),
    "96 kHz": SongForm(rate_hz=96_000, frames=96_007),
}


def example_song(form: SongForm, seed: int = 1) -> Samples:
    """Bass, chord, a vibrato voice and struck noise, seeded; peaks near -6 dBFS, shape (channels, frames)."""
    chance = np.random.default_rng(seed)
    time_s = np.arange(form.frames) / form.rate_hz
    bass = 0.2 * np.sin(2 * np.pi * 70 * time_s)
    voice = 0.1 * np.sin(2 * np.pi * 440 * time_s + 3 * np.sin(2 * np.pi * 5.5 * time_s))
    chord = 0.05 * np.sum([np.sin(2 * np.pi * hz * time_s) for hz in (262.0, 330.0, 392.0)], axis=0)
    hits = 0.2 * np.exp(-25 * np.mod(time_s, 0.5)) * chance.normal(0, 0.5, form.frames)
    left, right = bass + voice + 1.2 * chord + hits, bass + voice + 0.5 * chord + 0.9 * hits
    song = np.stack([left, right][: form.channels])
    return np.asarray(np.clip(song, -0.9, 0.9), np.float32)


def check_attributes(separator: Separator, folder: Path) -> None:
    """Name, version and at least the four roles are stated."""
    del folder
    _expect(isinstance(separator, Separator), "the separator lacks a member of the protocol Separator")
    _expect(
        bool(separator.name and separator.version), "name or version is empty; both enter the content key"
    )
    missing = set(FOUR_STEMS) - set(separator.roles)
    _expect(not missing, f"roles lack {sorted(missing)}; wanted vocals, drums, bass and other")


def check_forms(separator: Separator, folder: Path) -> None:
    """Every form of song: same rate, length and channels out, finite float32, summing to the untouched
    source."""
    for number, form in enumerate(FORMS.values()):
        check_form(separator, folder / str(number), form)


def check_form(separator: Separator, folder: Path, form: SongForm) -> None:
    """One form of song: same shape out, finite float32, summing to the source, which is not touched."""
    run = _run(separator, folder, example_song(form), form.rate_hz)
    _expect(run.source_hash == _sha256(run.source), "the source was changed; wanted it untouched")
    _expect_files(run, separator)
    for role, path in run.stems.items():
        _expect_form(role, path, form)
    _expect_sum(run)


def check_loud(separator: Separator, folder: Path) -> None:
    """Float samples far beyond full scale, and very quiet ones, come through: nothing clips, the sum
    holds."""
    song = example_song(SongForm())
    for name, gain in (("loud", 8.0), ("quiet", 1e-4)):
        run = _run(separator, folder / name, (song * np.float32(gain)).astype(np.float32), 44_100)
        _expect_sum(run, NULL_DBFS + max(0.0, 20 * float(np.log10(gain))))


def check_silence(separator: Separator, folder: Path) -> None:
    """Digital silence gives digital silence."""
    for channels in (1, 2):
        silent = np.zeros((channels, 60_000), np.float32)
        run = _run(separator, folder / str(channels), silent, 44_100)
        for role, path in run.stems.items():
            peak = float(np.abs(read_audio(path).samples).max())
            _expect(peak == 0.0, f"{role} of silence peaks at {peak:g}; wanted exact zeros")


def check_repeatable(separator: Separator, folder: Path) -> None:
    """The same source gives the same stems, sample by sample."""
    song = example_song(SongForm(frames=100_000))
    first, second = (_run(separator, folder / name, song, 44_100) for name in ("first", "second"))
    for role, path in first.stems.items():
        same = np.array_equal(read_audio(path).samples, read_audio(second.stems[role]).samples)
        _expect(same, f"{role} differs between two runs on the same source; wanted equal samples")


def check_progress(separator: Separator, folder: Path) -> None:
    """Progress starts at 0 or above, never falls, and ends at 1."""
    shares: list[float] = []
    _run(separator, folder, example_song(SongForm(frames=300_000)), 44_100, shares.append)
    _expect(bool(shares), "progress was never called; wanted it often, since it is where a job is cancelled")
    _expect(shares == sorted(shares), f"progress fell: {shares}")
    _expect(shares[0] >= 0 and shares[-1] == 1, f"progress ran {shares[0]} to {shares[-1]}; wanted 0 to 1")


def check_cancel(separator: Separator, folder: Path) -> None:
    """JobCancelled from any progress call passes through and leaves no file in the stems' folder."""
    song = example_song(SongForm(frames=150_000))
    calls: list[float] = []
    _run(separator, folder / "whole", song, 44_100, calls.append)
    for share in sorted({calls[0], calls[len(calls) // 2], calls[-1]}):
        _check_cancel_at(separator, folder / f"at {share}", song, share)


def check_bad_sources(separator: Separator, folder: Path) -> None:
    """A missing, empty, foreign or truncated source, NaN and infinity are an EngineError; no stem is left."""
    for name, make in BAD_SOURCES.items():
        place = _made(folder / name)
        stems = _made(place / "stems")
        source = place / "song.wav"
        make(source)
        error = _error_of(separator, source, stems)
        _expect(isinstance(error, EngineError), f"{name}: found {error!r}; wanted EngineError")
        is_rooted = error.__cause__ is not None or name.startswith("holds")
        _expect(is_rooted, f"{name}: the EngineError has no cause; wanted it raised from what went wrong")
        _expect_empty(stems, name)


CHECKS: Mapping[str, Callable[[Separator, Path], None]] = {
    "attributes": check_attributes,
    "forms": check_forms,
    "loud and quiet": check_loud,
    "silence": check_silence,
    "repeatable": check_repeatable,
    "progress": check_progress,
    "cancel": check_cancel,
    "bad sources": check_bad_sources,
}


def check_separator(separator: Separator, folder: Path) -> None:
    """Run every check, each in a folder of its own below ``folder``; AssertionError at the first that
    fails."""
    for name, check in CHECKS.items():
        check(separator, _made(folder / name))


class SeparatorContract:
    """The checks as a pytest class: subclass it, and return a fresh separator from ``separator``."""

    def separator(self) -> Separator:
        """The separator under test."""
        raise NotImplementedError("return the separator to test")

    def test_states_what_it_is(self, tmp_path: Path) -> None:
        """Name, version and the four roles."""
        check_attributes(self.separator(), tmp_path)

    def test_keeps_form_and_sum_for_every_song(self, tmp_path: Path) -> None:
        """Rates, lengths, channels; the stems sum to the untouched source."""
        check_forms(self.separator(), tmp_path)

    def test_passes_loud_and_quiet_songs(self, tmp_path: Path) -> None:
        """No clipping at +18 dBFS, no loss at -86."""
        check_loud(self.separator(), tmp_path)

    def test_leaves_silence_silent(self, tmp_path: Path) -> None:
        """Exact zeros."""
        check_silence(self.separator(), tmp_path)

    def test_gives_the_same_twice(self, tmp_path: Path) -> None:
        """Equal samples."""
        check_repeatable(self.separator(), tmp_path)

    def test_reports_progress_to_the_end(self, tmp_path: Path) -> None:
        """Rising, to 1."""
        check_progress(self.separator(), tmp_path)

    def test_can_be_cancelled_at_any_call(self, tmp_path: Path) -> None:
        """JobCancelled passes and no file stays."""
        check_cancel(self.separator(), tmp_path)

    def test_refuses_bad_sources_with_the_cause(self, tmp_path: Path) -> None:
        """EngineError, and no file stays."""
        check_bad_sources(self.separator(), tmp_path)


@dataclass(frozen=True, kw_only=True)
class _Run:
    source: Path
    source_hash: str
    folder: Path
    stems: Mapping[Role, Path]


def _run(
    separator: Separator, place: Path, song: Samples, rate_hz: int, progress: Progress = no_progress
) -> _Run:
    source, folder = _made(place) / "song.wav", _made(place / "stems")
    write_audio(source, Audio(samples=song, rate_hz=rate_hz))
    before = _sha256(source)
    stems = separator.separate(source, folder, progress)
    return _Run(source=source, source_hash=before, folder=folder, stems=stems)


def _expect_files(run: _Run, separator: Separator) -> None:
    _expect(set(run.stems) == set(separator.roles), f"found {set(run.stems)}; wanted {set(separator.roles)}")
    found = {path.name for path in run.folder.iterdir()}
    wanted = {path.name for path in run.stems.values()}
    _expect(found == wanted, f"the folder holds {sorted(found)}; wanted the stems {sorted(wanted)} alone")


def _expect_form(role: Role, path: Path, form: SongForm) -> None:
    info = probe(path)
    found = SongForm(rate_hz=info.rate_hz, channels=info.channels, frames=info.frames)
    _expect(found == form, f"{role} has {found}; wanted the source's {form}")
    _expect(info.codec == "pcm_float32", f"{role} is {info.codec}; wanted float32 PCM")
    _expect(bool(np.isfinite(read_audio(path).samples).all()), f"{role} holds NaN or infinity")


def _expect_sum(run: _Run, limit_dbfs: float = NULL_DBFS) -> None:
    """The null by an independent sum in double precision."""
    left = read_audio(run.source).samples.astype(np.float64)
    for path in run.stems.values():
        left -= read_audio(path).samples
    null_dbfs = 20 * float(np.log10(max(float(np.abs(left).max()), 1e-20)))
    _expect(
        null_dbfs <= limit_dbfs, f"source minus stems peaks at {null_dbfs:.1f} dBFS; wanted {limit_dbfs:g}"
    )


def _check_cancel_at(separator: Separator, place: Path, song: Samples, share: float) -> None:
    """By share, not by number: an engine in a process of its own calls more often while that one is busy."""

    def progress(done: float) -> None:
        if done >= share:
            raise JobCancelled

    try:
        _run(separator, place, song, 44_100, progress)
    except JobCancelled:
        _expect_empty(place / "stems", f"cancelled at {share:.0%}")
        return
    raise AssertionError(f"JobCancelled from progress({share:g}) did not come through")


def _error_of(separator: Separator, source: Path, folder: Path) -> Exception:
    try:
        separator.separate(source, folder, no_progress)
    except Exception as error:
        return error
    raise AssertionError(f"{source.parent.name}: was separated without a word; wanted EngineError")


def _expect_empty(folder: Path, when: str) -> None:
    left = sorted(path.name for path in folder.iterdir())
    _expect(not left, f"{when}: the stems' folder holds {left}; wanted nothing")


def _spoiled(value: float) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        song = example_song(SongForm(frames=20_000))
        song[0, 12_345] = value
        write_audio(path, Audio(samples=song, rate_hz=44_100))

    return make


def _truncated(path: Path) -> None:
    write_audio(path, Audio(samples=example_song(SongForm()), rate_hz=44_100))
    path.write_bytes(path.read_bytes()[:20])


BAD_SOURCES: Mapping[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "empty": lambda path: path.write_bytes(b""),
    "foreign": lambda path: path.write_text("This is no song.\n" * 100),
    "truncated": _truncated,
    "holds NaN": _spoiled(float("nan")),
    "holds infinity": _spoiled(float("-inf")),
}
"""What makes a file at a path that no engine can use; nothing stands for a missing file."""


def _expect(is_kept: bool, message: str) -> None:
    if not is_kept:
        raise AssertionError(message)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
