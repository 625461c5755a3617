"""Separates one song: every network that has a say, pass by pass, on the best device that keeps its word."""

from __future__ import annotations

import contextlib
import random
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .devices import Choice, choose, infer_with, is_out_of_memory, lesser, prepared
from .networks import Fault, load
from .schedule import Mixture, passed, shifted_begins
from .stems import StemFiles

_loaded: dict[tuple[str, Choice], nn.Module] = {}
"""The network that was used last: the next song most often wants the same."""


@dataclass(frozen=True)
class Turn:
    """A network's part in the result."""

    network: dict[str, Any]
    gains: dict[str, float]
    """Its share in each stem; those without any are not there."""


def separate(what: dict[str, Any], teller: Any) -> dict[str, Any]:
    """Write the wanted stems of ``what["source"]``; where memory runs out, again with less at once.

    ``what``: source (a raw file of interleaved float32, 44.1 kHz, 2 channels), frames, networks (each a file,
    its sha256, and its weights by the order of sources or None), sources, segment_s (None for the networks'
    own), stems (name to file), overlap, shifts, seed, device, precision.
    """
    choice = choose(what["device"], what["precision"])
    turns = turns_of(what["networks"], what["sources"], list(what["stems"]))
    while True:
        try:
            _separate(what, turns, choice, teller)
        except RuntimeError as fault:
            if not is_out_of_memory(fault):
                raise
            choice = lesser(choice, fault)
            _loaded.clear()
            continue
        _give_back()
        return {"device": choice.device, "precision": choice.precision, "notes": list(choice.notes)}


def turns_of(networks: list[dict[str, Any]], sources: list[str], wanted: list[str]) -> list[Turn]:
    """Who gives what; networks that give nothing wanted are not run."""
    weights = [network["weights"] or [1.0] * len(sources) for network in networks]
    totals = [sum(column) for column in zip(*weights, strict=True)]
    turns = []
    for network, row in zip(networks, weights, strict=True):
        shares = {
            name: weight / total for name, weight, total in zip(sources, row, totals, strict=True) if weight
        }
        gains = {name: share for name, share in shares.items() if name in wanted}
        if gains:
            turns.append(Turn(network, gains))
    return turns


def _separate(what: dict[str, Any], turns: list[Turn], choice: Choice, teller: Any) -> None:
    mixture = Mixture(Path(what["source"]), what["frames"])
    places = {name: Path(path) for name, path in what["stems"].items()}
    try:
        with StemFiles(places, mixture.frames) as stems, torch.inference_mode():
            if mixture.is_silent:
                return
            chance = random.Random(what["seed"])
            for number, turn in enumerate(turns):
                _run(what, turn, choice, mixture, stems, chance, _Part(teller, number, len(turns)))
    finally:
        mixture.close()


def _run(
    what: dict[str, Any],
    turn: Turn,
    choice: Choice,
    mixture: Mixture,
    stems: StemFiles,
    chance: random.Random,
    part: _Part,
) -> None:
    network = _network(turn.network, what, choice)
    part.share(0.0)
    names = list(turn.gains)
    kept = [what["sources"].index(name) for name in names]
    begins = shifted_begins(what["shifts"], network.samplerate, chance)
    for number, begin in enumerate(begins):
        for piece in passed(
            network, mixture, kept, begin=begin, overlap=what["overlap"], infer=infer_with(choice)
        ):
            for name, samples in zip(names, piece.samples, strict=True):
                gain = turn.gains[name] / len(begins) * float(mixture.deviation + 1e-8)
                stems.add(name, piece.start, samples, gain)
            part.share((number + piece.done) / len(begins))


def _network(wanted: dict[str, Any], what: dict[str, Any], choice: Choice) -> Any:
    """Loaded, on its device; one at a time stays in memory."""
    key = (wanted["sha256"], choice)
    if key not in _loaded:
        _loaded.clear()
        _loaded[key] = prepared(load(Path(wanted["file"]), wanted["sha256"]), choice)
        _give_back()  # the file's bytes
    network: Any = _loaded[key]
    if (
        list(network.sources) != what["sources"]
        or network.samplerate != 44_100
        or network.audio_channels != 2
    ):
        raise Fault(
            f"{wanted['file']} gives {', '.join(network.sources)} of {network.audio_channels} channels at "
            f"{network.samplerate} Hz; wanted {', '.join(what['sources'])} of 2 at 44100 Hz."
        )
    network.segment = _segment(network, what["segment_s"], choice.segment_share)
    return network


def _segment(network: Any, wanted_s: float | None, share: Fraction) -> Any:
    """Seconds to work on at once: the length that the network was made for, if nothing else is wanted."""
    if not hasattr(network, "made_segment"):
        network.made_segment = network.segment
    whole = wanted_s or network.made_segment
    return whole if share == 1 else Fraction(whole) * share


def _give_back() -> None:
    """Return the memory that was kept between segments (``KEEP_MEMORY`` in engine.py)."""
    import ctypes
    import sys

    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)


class _Part:
    """Tells a network's share of the whole."""

    def __init__(self, teller: Any, number: int, count: int) -> None:
        self._teller, self._number, self._count = teller, number, count

    def share(self, share: float) -> None:
        self._teller.share((self._number + share) / self._count)
