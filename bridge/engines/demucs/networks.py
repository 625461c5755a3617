"""Which files make a model, each with the hash that it must have when it is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.config import Config
from bridge.engines.apart import Answer
from bridge.errors import EngineError
from bridge.hashes import hash_file
from bridge.weights import Weights, WeightsFolder, catalogue

AskBag = Callable[[Path], Answer]
"""Reads the definition of a bag of models."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """One network of a model."""

    file: Path
    sha256: str
    weights: tuple[float, ...] | None = None
    """Its say in each source; None for an equal say in all."""

    def words(self) -> dict[str, Any]:
        """As the engine is told."""
        return {"file": str(self.file), "sha256": self.sha256, "weights": self.weights}


@dataclass(frozen=True, kw_only=True)
class Bag:
    """The networks that make a model."""

    networks: tuple[Network, ...]
    segment_s: float | None = None
    """None for the networks' own."""


def published(
    weights: Weights, folder: WeightsFolder, rows: tuple[tuple[float, ...], ...] | None
) -> tuple[Network, ...]:
    """The networks of published weights, each looked at byte by byte; WeightsError where one is not right."""
    paths = folder.require(weights)
    return tuple(
        Network(
            file=paths[part.name],
            sha256=next(form.sha256 for form in part.forms if form.file == paths[part.name].name),
            weights=rows[number] if rows else None,
        )
        for number, part in enumerate(weights.parts)
    )


def from_repository(config: Config, ask_bag: AskBag) -> Bag:
    """The model that ``demucs.repository`` and ``demucs.model`` name.

    Raises EngineError where it is not there, or one of its files is a pickle that nobody vouches for.
    """
    folder, name = Path(config.demucs.repository).expanduser(), config.demucs.model
    definition = folder / f"{name}.yaml"
    if not definition.is_file():
        there = ", ".join(sorted(path.stem for path in folder.glob("*.yaml"))) or "none"
        raise EngineError(f"{folder} has no model '{name}' (demucs.model); there is: {there}.")
    bag = ask_bag(definition)
    rows: list[list[float] | None] = bag["weights"] or [None] * len(bag["models"])
    vouched = _vouched(config.demucs.hashes)
    return Bag(
        networks=tuple(
            _local(folder, signature, vouched, row)
            for signature, row in zip(bag["models"], rows, strict=True)
        ),
        segment_s=bag["segment"],
    )


def _local(folder: Path, signature: str, vouched: frozenset[str], row: list[float] | None) -> Network:
    file = _file_of(folder, signature)
    sha256 = hash_file(file)
    if file.suffix != ".safetensors" and sha256 not in vouched:
        raise EngineError(
            f"{file} is a pickle, which is a program, and nobody vouches for it. If you do, add it to "
            f'demucs.hashes in your settings: {{ "{file.name}" = "{sha256}" }}. '
            "A .safetensors file needs none."
        )
    return Network(file=file, sha256=sha256, weights=tuple(row) if row else None)


def _file_of(folder: Path, signature: str) -> Path:
    found = [
        path
        for name in ("{}.safetensors", "{}.th", "{}-*.th")
        for path in folder.glob(name.format(signature))
    ]
    if not found or not signature.isalnum():
        raise EngineError(
            f"{folder} has no {signature}.safetensors and no {signature}.th, which its model wants."
        )
    return found[0]


def _vouched(own: Mapping[str, str]) -> frozenset[str]:
    published_hashes = {
        form.sha256 for weights in catalogue().values() for part in weights.parts for form in part.forms
    }
    return frozenset(published_hashes | set(own.values()))
