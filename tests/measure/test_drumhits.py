"""Drum hits: which drum, when and how hard, and what is none."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, write_audio
from bridge.errors import EngineError, JobCancelled
from bridge.generate import Instrument, Style, compose, random_spec
from bridge.generate.synth.drums import KITS, drum
from bridge.measure.bands import BANDS, BandMeter, flux
from bridge.measure.drumhits import KEYS, hits_of_drums
from bridge.measure.meter import blocks_of
from bridge.measure.nets import network
from bridge.music import Note
from bridge.values import Role, SampleFormat

from .note_songs import events_of, scored, true_events
from .signals import audio, noise, scaled, silence, tone

RATE_HZ = 44_100
SOUNDS = {"kick": 36, "snare": 38, "hat": 42, "crash": 49}


def beaten(hits: list[tuple[float, str]], seconds: float, velocity: float = 0.8) -> Audio:
    """Hits of an acoustic kit at their times."""
    samples = np.zeros((2, round(seconds * RATE_HZ)), np.float32)
    for index, (at_s, name) in enumerate(hits):
        draw = np.random.default_rng(index)
        wave = drum(name, KITS[Instrument.ACOUSTIC_KIT], velocity, RATE_HZ, draw)
        start = round(at_s * RATE_HZ)
        samples[:, start : start + wave.shape[1]] += wave[:, : samples.shape[1] - start]
    return Audio(samples=samples * np.float32(0.5), rate_hz=RATE_HZ)


def heard(sound: Audio, folder: Path) -> tuple[Note, ...]:
    """The hits of a sound that was written to a file."""
    path = folder / "drums.wav"
    write_audio(path, sound, SampleFormat.FLOAT32)
    return hits_of_drums(path)


ROCK = [(beat * 0.5, "kick" if beat % 2 == 0 else "snare") for beat in range(16)]
ROCK += [(step * 0.25, "hat") for step in range(32)]


def test_a_rock_beat_is_written_down(tmp_path: Path) -> None:
    """Kicks, snares and hats, together and apart, within 15 ms."""
    notes = heard(beaten(ROCK, 8.5), tmp_path)
    true = [(at_s, SOUNDS[name]) for at_s, name in ROCK]
    assert scored(true, events_of(notes)).f1 >= 0.97
    kicks = [note.start_s for note in notes if note.pitch == 36]
    assert kicks == pytest.approx([0.0, 1, 2, 3, 4, 5, 6, 7], abs=0.015)


def test_a_hit_in_a_silent_minute_is_found(tmp_path: Path) -> None:
    """A stem that plays once is judged by what it plays."""
    notes = heard(beaten([(40.0, "snare")], 60), tmp_path)
    assert 38 in {note.pitch for note in notes}
    assert all(note.start_s == pytest.approx(40, abs=0.015) for note in notes)


def test_notes_are_in_order_and_short(tmp_path: Path) -> None:
    """Starts never fall; each hit lasts 0.1 s and has a key that is told apart."""
    notes = heard(beaten(ROCK, 8.5), tmp_path)
    assert [note.start_s for note in notes] == sorted(note.start_s for note in notes)
    assert all(note.end_s - note.start_s == pytest.approx(0.1) for note in notes)
    assert {note.pitch for note in notes} <= set(KEYS)


@pytest.mark.parametrize("gain_db", [-40, -20, 6])
def test_hits_do_not_depend_on_level(gain_db: float, tmp_path: Path) -> None:
    """A quieter stem has the same hits, velocities within a few steps."""
    loud, quiet = heard(beaten(ROCK, 8.5), tmp_path), heard(scaled(beaten(ROCK, 8.5), gain_db), tmp_path)
    assert scored(events_of(loud), events_of(quiet)).f1 >= 0.98
    kicks = [np.median([note.velocity for note in notes if note.pitch == 36]) for notes in (loud, quiet)]
    assert kicks[0] == pytest.approx(kicks[1], abs=3)


def test_velocity_follows_level(tmp_path: Path) -> None:
    """Every fourth snare is played softly and comes out softly."""
    hits = [(0.3 + 0.4 * count, "snare") for count in range(16)]
    sound = beaten([hit for index, hit in enumerate(hits) if index % 4], 7)
    sound = audio(sound.samples + beaten(hits[::4], 7, velocity=0.5).samples, RATE_HZ)
    found = {
        round((note.start_s - 0.3) / 0.4): note.velocity
        for note in heard(sound, tmp_path)
        if note.pitch == 38
    }
    assert len(found) == 16
    soft, hard = (
        [found[index] for index in found if (index % 4 == 0) == is_soft] for is_soft in (True, False)
    )
    assert max(soft) < min(hard)
    assert np.median(soft) < 0.75 * np.median(hard)


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(3), id="silence"),
        pytest.param(silence(0.001), id="a moment"),
        pytest.param(audio(np.zeros((1, 1)), RATE_HZ), id="one sample"),
        pytest.param(scaled(beaten(ROCK, 8.5), -110), id="nearly silent"),
        pytest.param(audio(np.full((2, RATE_HZ), np.nan), RATE_HZ), id="NaN"),
    ],
)
def test_what_has_no_hits(sound: Audio, tmp_path: Path) -> None:
    """Nothing is struck, nothing is written."""
    assert heard(sound, tmp_path) == ()


@pytest.mark.parametrize(
    "sound", [pytest.param(noise(6), id="noise"), pytest.param(tone(220, 6, -12), id="a held tone")]
)
def test_steady_sound_has_hardly_any_hits(sound: Audio, tmp_path: Path) -> None:
    """What neither begins nor ends is no drum, but where the file starts."""
    assert len([note for note in heard(sound, tmp_path) if note.start_s > 0.1]) <= 6


def test_cancelling_passes_through(tmp_path: Path) -> None:
    """What the progress callback raises comes out."""
    write_audio(tmp_path / "drums.wav", beaten(ROCK, 8.5), SampleFormat.FLOAT32)

    def cancel(_share: float) -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        hits_of_drums(tmp_path / "drums.wav", cancel)


@pytest.mark.parametrize("frames", [1, 997, 65_536])
def test_levels_do_not_depend_on_blocks(frames: int) -> None:
    """Any way of cutting gives the same levels."""
    sound = beaten([(0.05, "kick"), (0.1, "snare")], 0.2 if frames == 1 else 2.0)
    whole, cut = BandMeter(RATE_HZ, 2), BandMeter(RATE_HZ, 2)
    whole.add(sound.samples)
    for block in blocks_of(sound.samples, frames):
        cut.add(block)
    np.testing.assert_allclose(whole.levels(), cut.levels(), atol=0.1)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000])
def test_a_tones_level_is_right_and_in_its_band(rate_hz: int) -> None:
    """A sine of -20 dBFS has that level in its own band, at any rate."""
    meter = BandMeter(rate_hz, 2)
    meter.add(tone(1000, 1, -20, rate_hz=rate_hz).samples)
    levels = meter.levels()[30:60]
    band = int(np.log(1000 / 30) / np.log(16_000 / 30) * BANDS)
    assert levels.mean(axis=0).argmax() in (band - 1, band, band + 1)
    assert 10 * np.log10((10 ** (levels / 10)).sum(axis=1)).mean() == pytest.approx(-20, abs=2)


def test_flux_rises_where_sound_begins() -> None:
    """The only rise is at the onset, in the group of the tone's band; chunks make no seam."""
    meter = BandMeter(RATE_HZ, 2)
    for _ in range(45):
        meter.add(silence(1).samples)
    meter.add(tone(8000, 1, -12, rate_hz=RATE_HZ).samples)
    rises = flux(meter.levels(), 4)
    assert abs(int(rises[:, 3].argmax()) - 4500) <= 2
    assert rises[: 4500 - 5].max() == 0


def test_unreadable_weights_are_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A broken package names the file and what to do."""
    monkeypatch.setattr(resources, "files", lambda _package: tmp_path)
    network.cache_clear()
    (tmp_path / "net_drums.json").write_text("{}")
    with pytest.raises(EngineError, match=r"net_drums\.json.*Reinstall"):
        network("drums")
    with pytest.raises(EngineError, match=r"net_bass\.json.*Reinstall"):
        network("bass")


@pytest.mark.parametrize("style", [Style.FUNK, Style.HIP_HOP, Style.ROCK])
def test_composed_drums_are_found(style: Style, tmp_path: Path) -> None:
    """Ghost notes, fills and cymbals of three kits."""
    song = compose(random_spec(4, duration_s=16, style=style))
    notes = heard(song.stem(Role.DRUMS), tmp_path)
    assert scored(true_events(song.truth, Role.DRUMS), events_of(notes)).f1 >= 0.9
