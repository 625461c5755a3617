"""What every processor promises, whatever it does."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio import Samples
from bridge.dsp import build
from bridge.errors import AudioError
from presets.chain import (
    Chain,
    Compressor,
    DeEsser,
    Effect,
    Eq,
    EqBand,
    Gain,
    Gate,
    Limiter,
    Multiband,
    MultibandBand,
    Saturator,
    StereoWidth,
    TransientShaper,
)

from .signals import difference_db, drums, noise, samples, through

BANDS = (
    EqBand(shape="highpass", frequency_hz=60, slope_db_per_octave=24),
    EqBand(shape="low_shelf", frequency_hz=150, gain_db=3),
    EqBand(shape="bell", frequency_hz=1000, gain_db=-4, q=2),
    EqBand(shape="high_shelf", frequency_hz=5000, gain_db=2),
    EqBand(shape="lowpass", frequency_hz=16_000, slope_db_per_octave=12),
)
BAND = MultibandBand(threshold_db=-30, ratio=3, attack_ms=5, release_ms=60)
LINEAR: dict[str, Effect] = {
    "eq": Eq(bands=BANDS),
    "eq mid": Eq(bands=BANDS, channel="mid"),
    "eq side": Eq(bands=BANDS, channel="side"),
    "width": StereoWidth(width=1.4, mono_below_hz=120),
    "gain": Gain(gain_db=-3),
}
OTHERS: dict[str, Effect] = {
    "compressor": Compressor(threshold_db=-25, ratio=4, attack_ms=3, release_ms=80, sidechain_highpass_hz=90),
    "parallel compressor": Compressor(threshold_db=-35, ratio=10, attack_ms=0.1, makeup_db=6, mix=0.4),
    "multiband": Multiband(low=BAND, mid=BAND, high=BAND),
    "gate": Gate(threshold_db=-18, range_db=-30, attack_ms=0.5, hold_ms=15, release_ms=40),
    "transient shaper": TransientShaper(attack_db=6, sustain_db=-6),
    "de-esser": DeEsser(threshold_db=-40, frequency_hz=3000),
    "saturator": Saturator(drive_db=12, mix=1.0),
    "limiter": Limiter(ceiling_dbtp=-3, gain_db=6),
}
EFFECTS = LINEAR | OTHERS
CHAIN = (LINEAR["eq"], OTHERS["compressor"], OTHERS["saturator"], LINEAR["width"], OTHERS["limiter"])
NAMES = pytest.mark.parametrize("name", EFFECTS)


def run(name: str, whole: Samples, rate_hz: int = 44_100, frames: int = 65_536) -> Samples:
    return through(build(chain_of(EFFECTS[name]), rate_hz, len(whole)), whole, frames)


def chain_of(*effects: Effect) -> Chain:
    return Chain(name="Test", role="drums", effects=effects)


@NAMES
@pytest.mark.parametrize(("frames", "seconds"), [(7, 0.12), (480, 0.7), (4096, 0.7)])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_block_size_gives_the_same(name: str, frames: int, seconds: float, channels: int) -> None:
    """Linear processors bit by bit, the others within -120 dB."""
    whole = drums(seconds, channels=channels)
    found, wanted = run(name, whole, frames=frames), run(name, whole)
    if name in LINEAR:
        np.testing.assert_array_equal(found, wanted)
    else:
        assert difference_db(found, wanted) < -120


@NAMES
def test_single_frames_give_the_same(name: str) -> None:
    """Blocks of one frame are blocks like others."""
    whole = drums(0.02)
    assert difference_db(run(name, whole, frames=1), run(name, whole)) < -120


@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(1, 5000), min_size=1, max_size=8))
def test_a_chain_gives_the_same_for_any_cuts(cuts: list[int]) -> None:
    """Blocks of changing size, as a stream may bring them."""
    whole = drums(0.3)
    wanted = through(build(chain_of(*CHAIN), 44_100, 2), whole)
    rack = build(chain_of(*CHAIN), 44_100, 2)
    padded = np.pad(whole, ((0, 0), (0, rack.latency_frames)))
    borders = [0, *np.cumsum(cuts).tolist(), padded.shape[1]]
    borders = sorted({min(border, padded.shape[1]) for border in borders})
    parts = [rack.process(padded[:, start:end]) for start, end in pairwise(borders)]
    found = np.concatenate(parts, axis=1)[:, rack.latency_frames :]
    assert difference_db(found, wanted) < -120


@NAMES
@pytest.mark.parametrize("rate_hz", [8000, 22_050, 48_000, 96_000, 192_000])
def test_every_rate_works(name: str, rate_hz: int) -> None:
    """From 8 to 192 kHz: same shape, finite, not wildly louder."""
    whole = drums(0.5, rate_hz=rate_hz)
    made = run(name, whole, rate_hz)
    assert made.shape == whole.shape
    assert made.dtype == np.float32
    assert np.isfinite(made).all()
    assert np.abs(made).max() < 4


@NAMES
def test_the_input_is_not_changed(name: str) -> None:
    """Blocks belong to the caller, read-only ones too."""
    whole = drums(0.2)
    whole.flags.writeable = False
    kept = whole.copy()
    run(name, whole)
    np.testing.assert_array_equal(whole, kept)


@NAMES
def test_silence_stays_silence(name: str) -> None:
    """Not a single sample appears."""
    assert not run(name, np.zeros((2, 50_000), np.float32)).any()


@NAMES
def test_tails_end_in_exact_silence(name: str) -> None:
    """After a sound the output comes to exact zeros, never denormal numbers."""
    whole = np.concatenate([drums(0.3), np.zeros((2, 441_000), np.float32)], axis=1)
    made = run(name, whole)
    assert made[:, :13_230].any()
    assert not made[:, -22_050:].any()
    assert not np.any((made != 0) & (np.abs(made) < 1e-20))


@NAMES
def test_sound_after_a_pause_is_like_sound_from_the_start(name: str) -> None:
    """What rests during silence wakes up as new."""
    hit = drums(0.3)
    pause = np.zeros((2, 20 * 44_100), np.float32)
    made = run(name, np.concatenate([hit, pause, hit], axis=1))
    assert difference_db(made[:, -hit.shape[1] :], run(name, hit)) < -100


@NAMES
def test_mono_is_one_channel_of_dual_mono(name: str) -> None:
    """The same sound on both channels is treated like that sound alone."""
    mono = drums(0.6, channels=1)
    dual = run(name, np.repeat(mono, 2, axis=0))
    np.testing.assert_allclose(dual[0], dual[1], atol=1e-7)
    assert difference_db(dual[:1], run(name, mono)) < -120


@NAMES
def test_an_empty_block_is_returned_empty(name: str) -> None:
    """No frames in, no frames out, no error."""
    rack = build(chain_of(EFFECTS[name]), 44_100, 2)
    assert rack.process(np.zeros((2, 0), np.float32)).shape == (2, 0)


@pytest.mark.parametrize("name", ["eq", "gain", "saturator"])
def test_channels_do_not_hear_each_other(name: str) -> None:
    """Processors without a linked detector treat each channel alone."""
    whole = noise(20_000)
    alone = whole.copy()
    alone[1] = 0
    np.testing.assert_allclose(run(name, whole)[0], run(name, alone)[0], atol=1e-7)
    assert not run(name, alone)[1].any()


@pytest.mark.parametrize("name", ["compressor", "gate", "transient shaper", "limiter", "de-esser"])
def test_the_image_stands_still(name: str) -> None:
    """Linked processors turn both channels by one gain: their ratio stays."""
    left = drums(1.0, channels=1)[0]
    made = run(name, samples(np.stack([left, 0.25 * left])))
    heard = np.abs(made[0]) > 1e-4
    np.testing.assert_allclose(made[1][heard], 0.25 * made[0][heard], rtol=1e-5)
    assert difference_db(made[0], left) > -60


@NAMES
def test_an_impulse_stays_at_its_frame(name: str) -> None:
    """Latency is compensated: the peak of a soft click comes out where it went in."""
    whole = np.zeros((2, 10_000), np.float32)
    whole[:, 5000] = 0.2
    made = run(name, whole)
    turned = 1 if name in ("eq", "eq mid", "width", "multiband") else 0
    assert abs(int(np.abs(made[0]).argmax()) - 5000) <= turned


def test_latencies_add_up() -> None:
    """The latency of a chain is the sum over its effects, and it is compensated."""
    soft = noise(30_000, rms=1e-4)
    effects = (Saturator(drive_db=0, mix=1), Limiter(ceiling_dbtp=0), Saturator(drive_db=0, mix=1))
    rack = build(chain_of(*effects), 44_100, 2)
    assert rack.latency_frames == 2 * 32 + (2 * 66 - 2 + 16)
    assert difference_db(through(rack, soft), soft) < -100


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (np.zeros((1, 10), np.float32), "(1, 10)"),
        (np.zeros((10, 2), np.float32), "(10, 2)"),
        (np.zeros((2, 10), np.float64), "float64"),
        (np.zeros(10, np.float32), "(10,)"),
    ],
    ids=["mono", "turned", "float64", "one axis"],
)
def test_a_wrong_block_is_refused(block: Samples, says: str) -> None:
    """A wrong layout is told, never guessed."""
    rack = build(chain_of(Gain(gain_db=1)), 44_100, 2)
    with pytest.raises(AudioError, match="wanted float32") as caught:
        rack.process(block)
    assert says in caught.value.message


@pytest.mark.parametrize(("rate_hz", "channels"), [(4000, 2), (384_000, 2), (44_100, 3), (44_100, 0)])
def test_a_format_out_of_range_is_refused(rate_hz: int, channels: int) -> None:
    """Rates from 8 to 192 kHz, one or two channels."""
    with pytest.raises(AudioError, match="wanted"):
        build(chain_of(Gain()), rate_hz, channels)
