"""A tiny network with the interface of DeepFilterNet3 with explicit state, as an ONNX file.

It weighs each frame by how the ERB features of three frames (two of them carried as ``b_erb``) sound to one
convolution, so what is not carried, late or out of step shows. Written as protobuf by hand: the format is a
tree of numbered fields, and nothing that stembridge needs can write it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

_FLOAT, _INT64 = 1, 7
Shape = tuple[int | str, ...]
INPUTS: Mapping[str, Shape] = {
    "spec": ("batch", "wide", 481, 2),
    "feat_erb": ("batch", 1, "time", 32),
    "feat_spec": ("batch", 2, "time", 96),
    "h_enc": (1, "batch", 256),
    "h_erb": (2, "batch", 256),
    "h_df": (2, "batch", 256),
    "b_erb": ("batch", 1, 2, 32),
    "b_df": ("batch", 2, 2, 96),
    "b_c0": ("batch", 64, 4, 96),
}
_KEPT = ("h_enc", "h_erb", "h_df", "b_df", "b_c0")


def write_tiny(
    path: Path,
    *,
    weight: float = 0.5,
    bias: float = 0.0,
    gain: float = 1.0,
    first_frame: int = 2,
    inputs: Mapping[str, Shape] = INPUTS,
) -> Path:
    """Write the network: frame x gain x sigmoid(bias + weight x mean of the features), and its path.

    With ``weight=0`` and ``bias=40`` it is a plain gain. ``first_frame`` other than 2 gives a wrong length.
    """
    kernel = np.full((1, 1, 3, 32), weight / 96, np.float32)
    constants = [
        _tensor("kernel", kernel),
        _tensor("bias", np.full(1, bias, np.float32)),
        _tensor("gain", np.full(1, gain, np.float32)),
        *(_tensor(name, np.array([value], np.int64)) for name, value in _numbers(first_frame).items()),
    ]
    nodes = [
        _node("Concat", ["b_erb", "feat_erb"], "around", _int_attribute("axis", 2)),
        _node("Conv", ["around", "kernel", "bias"], "heard"),
        _node("Sigmoid", ["heard"], "share"),
        _node("Transpose", ["share"], "weights", _ints_attribute("perm", [0, 2, 3, 1])),
        _node("Slice", ["spec", "first", "last", "time_axis"], "frames"),
        _node("Mul", ["frames", "weights"], "weighed"),
        _node("Mul", ["weighed", "gain"], "spec_e"),
        _node("Slice", ["around", "minus_two", "end", "feature_axis"], "b_erb_out"),
        *(_node("Identity", [name], f"{name}_out") for name in _KEPT),
    ]
    made = ["spec_e", "b_erb_out", *(f"{name}_out" for name in _KEPT)]
    graph = b"".join(
        [
            *(_field(1, node) for node in nodes),
            _field(2, b"tiny"),
            *(_field(5, constant) for constant in constants),
            *(_field(11, _value(name, shape)) for name, shape in inputs.items()),
            *(_field(12, _value(name, None)) for name in made),
        ]
    )
    path.write_bytes(_number(1, 8) + _field(7, graph) + _field(8, _number(2, 17)))
    return path


def _numbers(first_frame: int) -> dict[str, int]:
    return {
        "first": first_frame,
        "last": -2,
        "time_axis": 1,
        "minus_two": -2,
        "end": 2**31,
        "feature_axis": 2,
    }


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _tensor(name: str, values: np.ndarray) -> bytes:
    kind = _FLOAT if values.dtype == np.float32 else _INT64
    dims = b"".join(_number(1, size) for size in values.shape)
    return dims + _number(2, kind) + _field(8, name.encode()) + _field(9, values.tobytes())


def _value(name: str, shape: Iterable[int | str] | None) -> bytes:
    dims = b"".join(
        _field(1, _number(1, size) if isinstance(size, int) else _field(2, size.encode()))
        for size in shape or ()
    )
    form = _number(1, _FLOAT) + (_field(2, dims) if shape is not None else b"")
    return _field(1, name.encode()) + _field(2, _field(1, form))


def _node(kind: str, inputs: list[str], output: str, attribute: bytes = b"") -> bytes:
    ins = b"".join(_field(1, name.encode()) for name in inputs)
    return ins + _field(2, output.encode()) + _field(4, kind.encode()) + attribute


def _int_attribute(name: str, value: int) -> bytes:
    return _field(5, _field(1, name.encode()) + _number(3, value) + _number(20, 2))


def _ints_attribute(name: str, values: list[int]) -> bytes:
    numbers = b"".join(_number(8, value) for value in values)
    return _field(5, _field(1, name.encode()) + numbers + _number(20, 7))
