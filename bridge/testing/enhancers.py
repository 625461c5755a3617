"""The contract that every enhancer keeps, ours, the fake and a stranger's plug-in, as checks to run.

With pytest, subclass ``EnhancerContract`` and say which enhancer to test::

    class TestMine(EnhancerContract):
        def enhancer(self, block_frames: int | None = None) -> Enhancer:
            return MyEnhancer() if block_frames is None else MyEnhancer(block_frames=block_frames)

Without it, ``check_enhancer(MyEnhancer(), folder)`` runs all but the check of block sizes, for which
``check_blocks`` wants to make several. A broken promise raises AssertionError that says what was found and
what was wanted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from bridge.audio import Audio, Samples, open_audio, probe, read_audio, write_audio
from bridge.errors import EngineError, JobCancelled
from bridge.protocols import Enhancer, Progress, no_progress
from bridge.testing.separators import BAD_SOURCES, FORMS, SongForm, example_song

Make = Callable[[int | None], Enhancer]
"""Makes an enhancer that works on so many frames at once; None leaves that to it."""
BLOCKS_FRAMES = (777, 8_192, 100_000)
SAME_DB = -200.0
"""Difference to the loudest sample below which two results count as the same; networks may allow -60."""
LONG_S = 1200.0
_LONG_RATE_HZ = 8_000
_END_SHARE = 0.22
_HISS = 1e-3


def example_stem(form: SongForm) -> Samples:
    """A seeded stem with something to repair for everyone: hiss at -60 dBFS, and nothing above 0.22 of the
    rate (9.7 kHz at 44.1)."""
    noise = np.random.default_rng(2).normal(0, _HISS, (form.channels, form.frames))
    spectrum = np.fft.rfft(example_song(form) + noise)
    spectrum[:, np.fft.rfftfreq(form.frames) > _END_SHARE] = 0
    return np.asarray(np.fft.irfft(spectrum, form.frames), np.float32)


def check_attributes(enhancer: Enhancer, folder: Path) -> None:
    """Name, version and roles are stated."""
    del folder
    _expect(isinstance(enhancer, Enhancer), "the enhancer lacks a member of the protocol Enhancer")
    _expect(bool(enhancer.name and enhancer.version), "name or version is empty; both enter the content key")
    _expect(bool(enhancer.roles), "roles are empty: it would never be asked")


def check_forms(enhancer: Enhancer, folder: Path) -> None:
    """Every form of stem, from one sample on: same rate, length and channels out, finite float32, and a
    source that is not touched."""
    for number, form in enumerate(FORMS.values()):
        _check_form(enhancer, _made(folder / str(number)), form, example_stem(form))


def check_long(enhancer: Enhancer, folder: Path, long_s: float = LONG_S) -> None:
    """A stem of twenty minutes (of ``long_s``), in mono at 8 kHz to be quick."""
    form = SongForm(rate_hz=_LONG_RATE_HZ, channels=1, frames=int(long_s * _LONG_RATE_HZ))
    second = example_stem(SongForm(rate_hz=_LONG_RATE_HZ, channels=1, frames=_LONG_RATE_HZ))
    stem = np.tile(second, (1, form.frames // second.shape[1] + 1))[:, : form.frames]
    _check_form(enhancer, folder, form, stem)


def check_loud(enhancer: Enhancer, folder: Path) -> None:
    """Float samples far beyond full scale, and very quiet ones, come out finite and neither clipped nor
    blown up."""
    stem = example_stem(SongForm())
    for name, gain in (("loud", 8.0), ("quiet", 1e-4)):
        given = (stem * np.float32(gain)).astype(np.float32)
        made = read_audio(_enhanced(enhancer, _made(folder / name), given, 44_100)).samples
        _expect(bool(np.isfinite(made).all()), f"{name}: NaN or infinity came out")
        ratio = float(np.abs(made).max() / np.abs(given).max())
        _expect(ratio < 4, f"{name}: the peak grew {ratio:.1f} times; an enhancer keeps the level")


def check_silence(enhancer: Enhancer, folder: Path) -> None:
    """Digital silence gives digital silence."""
    for channels in (1, 2):
        silent = np.zeros((channels, 60_000), np.float32)
        made = _enhanced(enhancer, _made(folder / str(channels)), silent, 44_100)
        peak = float(np.abs(read_audio(made).samples).max())
        _expect(peak == 0.0, f"silence of {channels} channels peaks at {peak:g}; wanted exact zeros")


def check_repeatable(enhancer: Enhancer, folder: Path) -> None:
    """The same source gives the same target, sample by sample, whatever the global generator holds."""
    stem = example_stem(SongForm(frames=100_000))
    np.random.seed(1)
    first = read_audio(_enhanced(enhancer, _made(folder / "first"), stem, 44_100)).samples
    np.random.seed(2)
    second = read_audio(_enhanced(enhancer, _made(folder / "second"), stem, 44_100)).samples
    _expect(np.array_equal(first, second), "two runs on the same source differ; wanted equal samples")


def check_blocks(make: Make, folder: Path, same_db: float = SAME_DB) -> None:
    """The result does not hang on how many frames are worked on at once."""
    stem = example_stem(SongForm(frames=150_001))
    whole = read_audio(_enhanced(make(None), _made(folder / "own"), stem, 44_100)).samples
    for frames in BLOCKS_FRAMES:
        found = read_audio(_enhanced(make(frames), _made(folder / str(frames)), stem, 44_100)).samples
        peak = float(np.abs(found - whole).max()) / max(float(np.abs(whole).max()), 1e-20)
        off_db = 20 * float(np.log10(max(peak, 1e-20)))
        _expect(
            off_db <= same_db, f"blocks of {frames} frames differ at {off_db:.0f} dB; wanted {same_db:g} dB"
        )


def check_progress(enhancer: Enhancer, folder: Path) -> None:
    """Progress starts at 0 or above, never falls, and ends at 1."""
    shares: list[float] = []
    _enhanced(enhancer, folder, example_stem(SongForm(frames=300_000)), 44_100, shares.append)
    _expect(bool(shares), "progress was never called; wanted it often, since it is where a job is cancelled")
    _expect(shares == sorted(shares), f"progress fell: {shares}")
    _expect(shares[0] >= 0 and shares[-1] == 1, f"progress ran {shares[0]} to {shares[-1]}; wanted 0 to 1")


def check_cancel(enhancer: Enhancer, folder: Path) -> None:
    """JobCancelled from any progress call passes through and leaves no file."""
    stem = example_stem(SongForm(frames=150_000))
    calls: list[float] = []
    _enhanced(enhancer, _made(folder / "whole"), stem, 44_100, calls.append)
    for call in sorted({0, len(calls) // 2, len(calls) - 1}):
        _check_cancel_at(enhancer, _made(folder / f"at {call}"), stem, call)


def check_bad_sources(enhancer: Enhancer, folder: Path) -> None:
    """A missing, empty, foreign or truncated source, NaN and infinity are an EngineError; no file is left."""
    for name, make in BAD_SOURCES.items():
        place = _made(folder / name)
        out, source = _made(place / "out"), place / "stem.wav"
        make(source)
        error = _error_of(enhancer, source, out / "target.wav")
        _expect(isinstance(error, EngineError), f"{name}: found {error!r}; wanted EngineError")
        is_rooted = error.__cause__ is not None or name.startswith("holds")
        _expect(is_rooted, f"{name}: the EngineError has no cause; wanted it raised from what went wrong")
        _expect_empty(out, name)


def check_no_room(enhancer: Enhancer, folder: Path) -> None:
    """A target that cannot be written is an EngineError with its cause."""
    source = folder / "stem.wav"
    write_audio(source, Audio(samples=example_stem(SongForm()), rate_hz=44_100))
    error = _error_of(enhancer, source, folder / "no such folder" / "target.wav")
    _expect(isinstance(error, EngineError), f"no folder: found {error!r}; wanted EngineError")
    _expect(error.__cause__ is not None, "no folder: the EngineError has no cause")


CHECKS: Mapping[str, Callable[[Enhancer, Path], None]] = {
    "attributes": check_attributes,
    "forms": check_forms,
    "long": check_long,
    "loud and quiet": check_loud,
    "silence": check_silence,
    "repeatable": check_repeatable,
    "progress": check_progress,
    "cancel": check_cancel,
    "bad sources": check_bad_sources,
    "no room": check_no_room,
}


def check_enhancer(enhancer: Enhancer, folder: Path) -> None:
    """Run every check, each in a folder of its own below ``folder``; AssertionError at the first that
    fails."""
    for name, check in CHECKS.items():
        check(enhancer, _made(folder / name))


class EnhancerContract:
    """The checks as a pytest class: subclass it, and return a fresh enhancer from ``enhancer``."""

    same_db = SAME_DB
    """How equal results of other block sizes have to be."""
    long_s = LONG_S
    """The longest stem, in seconds; a slow engine may take less."""

    def enhancer(self, block_frames: int | None = None) -> Enhancer:
        """The enhancer under test, working on ``block_frames`` at once; None leaves that to it."""
        raise NotImplementedError("return the enhancer to test")

    def test_states_what_it_is(self, tmp_path: Path) -> None:
        """Name, version and roles."""
        check_attributes(self.enhancer(), tmp_path)

    def test_keeps_the_form_of_every_stem(self, tmp_path: Path) -> None:
        """Rates, lengths, channels; the source is not touched."""
        check_forms(self.enhancer(), tmp_path)

    def test_takes_a_long_stem(self, tmp_path: Path) -> None:
        """Twenty minutes."""
        check_long(self.enhancer(), tmp_path, self.long_s)

    def test_takes_loud_and_quiet_stems(self, tmp_path: Path) -> None:
        """+18 dBFS and -86."""
        check_loud(self.enhancer(), tmp_path)

    def test_leaves_silence_silent(self, tmp_path: Path) -> None:
        """Exact zeros."""
        check_silence(self.enhancer(), tmp_path)

    def test_gives_the_same_twice(self, tmp_path: Path) -> None:
        """Equal samples."""
        check_repeatable(self.enhancer(), tmp_path)

    def test_gives_the_same_by_any_blocks(self, tmp_path: Path) -> None:
        """No seams."""
        check_blocks(self.enhancer, tmp_path, self.same_db)

    def test_reports_progress_to_the_end(self, tmp_path: Path) -> None:
        """Rising, to 1."""
        check_progress(self.enhancer(), tmp_path)

    def test_can_be_cancelled_at_any_call(self, tmp_path: Path) -> None:
        """JobCancelled passes and no file stays."""
        check_cancel(self.enhancer(), tmp_path)

    def test_refuses_bad_sources_with_the_cause(self, tmp_path: Path) -> None:
        """EngineError, and no file stays."""
        check_bad_sources(self.enhancer(), tmp_path)

    def test_says_where_it_cannot_write(self, tmp_path: Path) -> None:
        """EngineError from its cause."""
        check_no_room(self.enhancer(), tmp_path)


def _enhanced(
    enhancer: Enhancer, place: Path, stem: Samples, rate_hz: int, progress: Progress = no_progress
) -> Path:
    """The target; source and target lie in folders of their own."""
    source, target = place / "stem.wav", _made(place / "out") / "target.wav"
    write_audio(source, Audio(samples=stem, rate_hz=rate_hz))
    before = _sha256(source)
    enhancer.enhance(source, target, progress)
    _expect(_sha256(source) == before, "the source was changed; wanted it untouched")
    found = sorted(path.name for path in target.parent.iterdir())
    _expect(found == [target.name], f"the folder holds {found}; wanted the target alone")
    return target


def _check_form(enhancer: Enhancer, place: Path, form: SongForm, stem: Samples) -> None:
    target = _enhanced(enhancer, place, stem, form.rate_hz)
    info = probe(target)
    found = SongForm(rate_hz=info.rate_hz, channels=info.channels, frames=info.frames)
    _expect(found == form, f"the target has {found}; wanted the source's {form}")
    _expect(info.codec == "pcm_float32", f"the target is {info.codec}; wanted float32 PCM")
    with open_audio(target) as reader:
        is_finite = all(bool(np.isfinite(block).all()) for block in reader.blocks())
    _expect(is_finite, "the target holds NaN or infinity")


def _check_cancel_at(enhancer: Enhancer, place: Path, stem: Samples, call: int) -> None:
    count = 0

    def progress(_share: float) -> None:
        nonlocal count
        count += 1
        if count > call:
            raise JobCancelled

    try:
        _enhanced(enhancer, place, stem, 44_100, progress)
    except JobCancelled:
        _expect_empty(place / "out", f"cancelled at call {call}")
        return
    raise AssertionError(f"JobCancelled from progress call {call} did not come through")


def _error_of(enhancer: Enhancer, source: Path, target: Path) -> Exception:
    try:
        enhancer.enhance(source, target, no_progress)
    except Exception as error:
        return error
    raise AssertionError(f"{source.parent.name}: was enhanced without a word; wanted EngineError")


def _expect_empty(folder: Path, when: str) -> None:
    left = sorted(path.name for path in folder.iterdir())
    _expect(not left, f"{when}: the folder holds {left}; wanted nothing")


def _expect(is_kept: bool, message: str) -> None:
    if not is_kept:
        raise AssertionError(message)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
