"""Writes a network in the form in which Demucs' own command loads it from a local repository."""

from __future__ import annotations

import hashlib
import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from demucs.htdemucs import HTDemucs

from .networks import load

SIGNATURE = "ben00001"


def publish(what: dict[str, Any], teller: Any) -> dict[str, Any]:
    """Write ``what["file"]``, or without one a random network of the real size, into ``what["folder"]``."""
    folder = Path(what["folder"])
    network: Any = load(Path(what["file"]), what["sha256"]) if what["file"] else _random()
    teller.share(0.5)
    buffer = io.BytesIO()
    torch.save(_package(network), buffer)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    file = folder / f"{SIGNATURE}-{digest[:8]}.th"
    file.write_bytes(buffer.getvalue())
    (folder / f"{what['name']}.yaml").write_text(f"models: ['{SIGNATURE}']\n", encoding="utf-8")
    return {"file": str(file)}


def _package(network: Any) -> dict[str, Any]:
    arguments, settings = network._init_args_kwargs
    state = {name: value.half() for name, value in network.state_dict().items()}
    return {
        "klass": type(network),
        "args": arguments,
        "kwargs": settings,
        "training_args": {},
        "state": state,
    }


def _random() -> HTDemucs:
    torch.manual_seed(1)
    sources = ["drums", "bass", "other", "vocals"]
    return HTDemucs(
        sources=sources, bottom_channels=512, dconv_mode=3, segment=Fraction(39, 5), samplerate=44_100
    )
