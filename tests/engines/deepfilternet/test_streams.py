"""Streams through the network: aligned to the sample, as long as what was fed, the same for any blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bridge.engines.deepfilternet import Network, stream
from bridge.engines.deepfilternet.difference import DifferenceStream
from bridge.engines.deepfilternet.stream import CleaningStream
from tests.engines.deepfilternet.tiny import write_tiny

PLAIN = {"weight": 0.0, "bias": 40.0}
"""The tiny network as a plain gain."""


def noise(frames: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((channels, frames)) * 0.1


def blocks(x: np.ndarray, frames: int) -> Iterator[np.ndarray]:
    return (x[:, start : start + frames] for start in range(0, x.shape[1], frames))


def through(made: CleaningStream | DifferenceStream, x: np.ndarray, frames: int = 65_536) -> np.ndarray:
    return np.concatenate([*(made.feed(block) for block in blocks(x, frames)), made.finish()], axis=1)


def changed(network: Network, x: np.ndarray, rate_hz: int, share: float = 1.0) -> np.ndarray:
    made = DifferenceStream(network, rate_hz=rate_hz, channels=len(x), share=share)
    return through(made, x.astype(np.float32))


@pytest.mark.parametrize("frames", [0, 1, 479, 480, 481, 960, 47_999, 48_001, 100_003])
def test_what_a_network_leaves_comes_back_aligned(tmp_path: Path, frames: int) -> None:
    """A network that changes nothing changes nothing, for every length."""
    network = Network(write_tiny(tmp_path / "plain.onnx", **PLAIN))
    x = noise(frames, 2)
    made = through(CleaningStream(network, 2), x)
    assert made.shape == x.shape
    assert np.abs(made - x).max(initial=0) < 1e-6


@pytest.mark.parametrize("frames", [1, 100, 480, 777, 48_000])
def test_blocks_of_any_size_give_the_same_samples(tiny: Path, frames: int) -> None:
    """Bit by bit."""
    network, x = Network(tiny), noise(48_000 * 3 // 2 if frames > 1 else 5_000, 2)
    whole = through(CleaningStream(network, 2), x)
    assert np.array_equal(through(CleaningStream(network, 2), x, frames), whole)


def test_the_state_is_carried(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short pieces give what long ones give; the tiny network looks back over the seam."""
    network, x = Network(tiny), noise(48_000)
    long = through(CleaningStream(network, 1), x)
    monkeypatch.setattr(stream, "PIECE_HOPS", 3)
    assert np.abs(through(CleaningStream(network, 1), x) - long).max() < 1e-6


def test_channels_are_independent(tiny: Path) -> None:
    """Each as if it were alone."""
    network, x = Network(tiny), noise(30_000, 2)
    both = through(CleaningStream(network, 2), x)
    for channel in (0, 1):
        alone = through(CleaningStream(network, 1), x[channel : channel + 1])
        assert np.abs(both[channel] - alone[0]).max() < 1e-6


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_what_the_network_leaves_stays_at_every_rate(tmp_path: Path, rate_hz: int) -> None:
    """Resampling there and back touches nothing: white noise up to the last hertz stays as it was."""
    network = Network(write_tiny(tmp_path / "plain.onnx", **PLAIN))
    x = noise(rate_hz, 2).astype(np.float32)
    made = changed(network, x, rate_hz)
    assert made.shape == x.shape
    assert np.abs(made - x).max() < 1e-6


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 96_000])
def test_the_change_is_aligned_at_every_rate(tmp_path: Path, rate_hz: int) -> None:
    """Half of a sine that is taken away leaves half, to -100 dB: not a hundredth of a sample late."""
    network = Network(write_tiny(tmp_path / "half.onnx", gain=0.5, **PLAIN))
    t = np.arange(rate_hz) / rate_hz
    x = (0.5 * np.sin(2 * np.pi * 3_000 * t))[None]
    inner = slice(rate_hz // 5, -rate_hz // 5)
    assert np.abs(changed(network, x, rate_hz) - 0.5 * x)[:, inner].max() < 5e-6


def test_what_lies_above_the_networks_band_stays(tmp_path: Path) -> None:
    """At 96 kHz a tone at 30 kHz passes while one at 3 kHz is halved."""
    network, rate_hz = Network(write_tiny(tmp_path / "half.onnx", gain=0.5, **PLAIN)), 96_000
    t = np.arange(rate_hz) / rate_hz
    low, high = (0.3 * np.sin(2 * np.pi * hz * t) for hz in (3_000.0, 30_000.0))
    made = changed(network, (low + high)[None], rate_hz)[0]
    inner = slice(20_000, -20_000)
    assert np.abs(made - (0.5 * low + high))[inner].max() < 1e-5


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_share_says_how_much_is_taken(tmp_path: Path, share: float) -> None:
    """Linear between the source and the cleaned one; none of it is the source, bit by bit."""
    network = Network(write_tiny(tmp_path / "half.onnx", gain=0.5, **PLAIN))
    x = noise(30_000).astype(np.float32)
    made = changed(network, x, 48_000, share)
    assert np.abs(made - (1 - 0.5 * share) * x).max() < 1e-6
    assert share or np.array_equal(made, x)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_digital_silence_stays_silent(tiny: Path, rate_hz: int) -> None:
    """All of it, and a pause from a hundredth of a second after a sound until as long before the next."""
    network, x = Network(tiny), noise(rate_hz, 2).astype(np.float32)
    assert not changed(network, np.zeros_like(x), rate_hz).any()
    x[:, rate_hz // 4 : rate_hz // 2] = 0
    made = changed(network, x, rate_hz)
    assert not made[:, rate_hz // 4 + rate_hz // 100 : rate_hz // 2 - rate_hz // 100].any()
    assert made[:, rate_hz // 2 : rate_hz // 2 + 100].all()


@pytest.mark.parametrize("frames", [1, 100, 777, 44_100])
def test_any_blocks_give_the_same_change(tiny: Path, frames: int) -> None:
    """With resampling and silence too."""
    network, x = Network(tiny), noise(44_100 if frames > 1 else 3_000, 2).astype(np.float32)
    x[:, 1_000:2_500] = 0
    made: Callable[[], DifferenceStream] = lambda: DifferenceStream(  # noqa: E731
        network, rate_hz=44_100, channels=2, share=0.7
    )
    assert np.array_equal(through(made(), x, frames), through(made(), x))
