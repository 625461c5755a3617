"""Runs in the environment of DeepFilterNet's own package: its checkpoint as an ONNX file with explicit state.

Imports torch, numpy and that package, never ``bridge``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .checkpoint import folder_of, loaded
from .sample import write_sample
from .streaming import write_onnx


def export(what: dict[str, str], teller: Any) -> dict[str, int]:
    """Write the network of ``checkpoint`` (a folder or a zip) to ``target``, and what it does to a sample.

    ``heard`` and ``cleaned`` get the sample before and after the package's own ``enhance()``, as raw float32.
    """
    teller.share(0.0)
    with folder_of(Path(what["checkpoint"])) as folder:
        model, state = loaded(folder)
    teller.share(0.4)
    channels, frames = write_sample(model, state, Path(what["heard"]), Path(what["cleaned"]))
    teller.share(0.6)
    write_onnx(model, Path(what["target"]))
    teller.share(1.0)
    return {"channels": channels, "frames": frames}


OPERATIONS = {"export": export}
