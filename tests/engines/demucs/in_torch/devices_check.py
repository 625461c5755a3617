"""Run by an interpreter that has torch and demucs: devices that fail, played by the CPU.

``python devices_check.py CHECK INSIDE REPOSITORY FOLDER`` runs one check; a broken one raises AssertionError.
"""

import hashlib
import importlib.util
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

torch.set_num_threads(1)


def package(folder: Path):
    spec = importlib.util.spec_from_file_location(
        "inside", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["inside"] = module
    spec.loader.exec_module(module)
    return module


package(Path(sys.argv[2]))
from inside import devices, run  # noqa: E402

REPOSITORY, FOLDER = Path(sys.argv[3]), Path(sys.argv[4])
NAMED = ["cuda", "mps", "cpu"]


def play(monkey_answer) -> None:
    """cuda and mps are there; each answers as it is told."""
    devices.choose.cache_clear()
    right = devices._answer
    devices._devices = lambda wanted, notes: iter(NAMED)
    devices._answer = lambda choice: monkey_answer(choice, right)


def wrong_numbers_and_unsupported_ops() -> None:
    def answer(choice, right):
        if choice.device == "cuda":
            raise NotImplementedError("aten::_fft_r2c is not there\nlong trace")
        good = right(devices.Choice("cpu"))
        return (
            good + 0.01 * np.sin(np.arange(good.size)).reshape(good.shape) if choice.device == "mps" else good
        )

    play(answer)
    choice = devices.choose("auto", "fp32")
    assert choice.device == "cpu", choice
    first, second = choice.notes
    assert "cuda is not used" in first, first
    assert "aten::_fft_r2c is not there" in first, first
    assert "long trace" not in first, first
    assert "mps is not used: its numbers are" in second, second


def nan_is_wrong() -> None:
    play(lambda choice, right: right(devices.Choice("cpu")) * (np.nan if choice.device != "cpu" else 1))
    assert devices.choose("auto", "fp32").device == "cpu"


def a_good_device_is_taken_and_imprecise_numbers_are_not() -> None:
    def answer(choice, right):
        good = right(devices.Choice("cpu"))
        return good * 1.1 if choice.precision == "fp16" else good

    play(answer)
    choice = devices.choose("auto", "auto")
    assert (choice.device, choice.precision) == ("cuda", "fp32"), choice
    assert "fp16 is not used on cuda: its numbers are 20 dB from right; wanted 60" in choice.notes[0], choice


class Quiet:
    def share(self, share: float) -> None:
        pass


def memory_that_runs_out() -> None:
    """Half a segment is tried, then a quarter, then the CPU; what comes out is whole."""
    tried = []

    def infer_with(choice):
        def infer(network, samples):
            tried.append((choice.device, choice.segment_share))
            if choice.device == "cuda":
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return network(samples)

        return infer

    asked = devices.Choice("cuda")
    run.choose = lambda device, precision: asked if device == "auto" else devices.Choice("cpu")
    devices.choose = lambda device, precision: devices.Choice("cpu")
    run.infer_with = infer_with
    run.prepared = lambda network, choice: network
    answer = run.separate(_what(), Quiet())
    shares = [share for device, share in tried if device == "cuda"]
    assert shares == [Fraction(1), Fraction(1, 2), Fraction(1, 4)], shares
    assert answer["device"] == "cpu", answer
    assert sum("ran out of memory" in note for note in answer["notes"]) == 3, answer
    assert np.fromfile(FOLDER / "vocals.raw", np.float32).any()


def short_segments() -> None:
    """A half segment gives stems of the right length, near the whole one's."""
    run.choose = lambda device, precision: devices.Choice("cpu", segment_share=Fraction(1, 2))
    run.separate(_what(), Quiet())
    half = np.fromfile(FOLDER / "vocals.raw", np.float32)
    run._loaded.clear()
    run.choose = lambda device, precision: devices.Choice("cpu")
    run.separate(_what(), Quiet())
    whole = np.fromfile(FOLDER / "vocals.raw", np.float32)
    assert half.shape == whole.shape
    assert half.any()
    assert np.square(half - whole).sum() < np.square(whole).sum()


def _what():
    file = REPOSITORY / "aaaa0001.safetensors"
    noise = np.random.default_rng(1).normal(0, 0.1, (150_000, 2)).astype(np.float32)
    noise.tofile(FOLDER / "song.raw")
    return {
        "source": str(FOLDER / "song.raw"),
        "frames": 150_000,
        "networks": [
            {"file": str(file), "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "weights": None}
        ],
        "sources": ["drums", "bass", "other", "vocals"],
        "segment_s": None,
        "stems": {"vocals": str(FOLDER / "vocals.raw")},
        "overlap": 0.25,
        "shifts": 0,
        "seed": 0,
        "device": "auto",
        "precision": "auto",
    }


if __name__ == "__main__":
    globals()[sys.argv[1]]()
