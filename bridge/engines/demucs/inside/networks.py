"""Loads networks from files whose hash was given; a file that changed since is not looked into."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from demucs.demucs import Demucs
from demucs.hdemucs import HDemucs
from demucs.htdemucs import HTDemucs
from torch import nn

KINDS: dict[str, type[nn.Module]] = {
    f"{kind.__module__}.{kind.__name__}": kind for kind in (HTDemucs, HDemucs, Demucs)
}
"""What a file may ask to be made. A safetensors file names its class and its arguments: another loader would
import and call whatever it names."""


class Fault(Exception):  # noqa: N818 - told to the parent, never caught
    """What is wrong, in words for people."""

    is_told = True


def load(file: Path, sha256: str) -> nn.Module:
    """The network in ``file``, ready to run, in float32 on the CPU.

    Raises Fault where its bytes are not those of ``sha256``, or are no network of Demucs.
    """
    data = file.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise Fault(
            f"{file} is not what was checked: found SHA-256 {found[:12]}..., wanted {sha256[:12]}...."
        )
    try:
        kind, arguments, settings, state = (
            _safe_parts(data) if file.suffix == ".safetensors" else _pickled(data)
        )
    except Exception as cause:  # a broken pickle may raise anything
        raise Fault(f"{file} holds no network of Demucs ({type(cause).__name__}: {cause}).") from cause
    return _made(kind, arguments, settings, state)


def _safe_parts(data: bytes) -> tuple[type[nn.Module], list[Any], dict[str, Any], dict[str, Any]]:
    import safetensors.torch

    (length,) = struct.unpack("<Q", data[:8])
    about = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    if about.get("klass") not in KINDS:
        raise ValueError(f"it asks for {about.get('klass')!r}; wanted one of {', '.join(KINDS)}")
    if "structure" in about:
        raise ValueError("it is quantised; wanted plain numbers")
    arguments, settings = (_with_fractions(json.loads(about[name])) for name in ("args", "kwargs"))
    return KINDS[about["klass"]], arguments, settings, safetensors.torch.load(data)


def _pickled(data: bytes) -> tuple[type[nn.Module], list[Any], dict[str, Any], dict[str, Any]]:
    """A pickle is a program: it is read because its hash was published, or named by the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = torch.load(io.BytesIO(data), "cpu", weights_only=False)
    if package["klass"] not in KINDS.values():
        raise ValueError(f"it asks for {package['klass']!r}; wanted one of {', '.join(KINDS)}")
    if package["state"].get("__quantized"):
        raise ValueError("it is quantised; wanted plain numbers")
    return package["klass"], list(package["args"]), dict(package["kwargs"]), package["state"]


def _made(
    kind: type[nn.Module], arguments: list[Any], settings: dict[str, Any], state: dict[str, Any]
) -> nn.Module:
    """Built without the random start that the numbers would replace anyway."""
    import inspect

    known = inspect.signature(kind).parameters
    with torch.device("meta"):
        network = kind(*arguments, **{name: value for name, value in settings.items() if name in known})
    network.load_state_dict({name: value.float() for name, value in state.items()}, assign=True)
    return network.eval().requires_grad_(False)


def _with_fractions(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("_type") == "fraction":
            return Fraction(value["numerator"], value["denominator"])
        return {name: _with_fractions(item) for name, item in value.items()}
    return [_with_fractions(item) for item in value] if isinstance(value, list) else value
