"""The state of plug-ins made with DPF: plain text of symbols and numbers, both ways.

``key NUL value NUL ...``: the program, then the parameters between two marks, closed by the byte 0xFE and a
NUL. Numbers are the plug-in's 32-bit floats with twelve significant digits.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Final

from presets.errors import PresetError

_PROGRAM: Final = "__dpf_program__"
_BEGIN: Final = "__dpf_parameters_begin__"
_END: Final = "__dpf_parameters_end__"
_CLOSE: Final = b"\xfe\0"
_MOST_BYTES: Final = 1 << 20
"""Tens of thousands of parameters; more is nothing that a plug-in made with DPF has."""


def write_state(values: Mapping[str, float]) -> bytes:
    """The state with these parameters, in their order, on program 0."""
    words = [_PROGRAM, "0", _BEGIN]
    for symbol, number in values.items():
        words += [symbol, _number_text(number)]
    return b"\0".join(word.encode("utf-8") for word in [*words, _END]) + b"\0" + _CLOSE


def read_state(state: bytes, source: str = "state") -> dict[str, float]:
    """The parameters in ``state`` in their order; ``PresetError`` where they are not all there."""
    words = _words(state, source)
    if words[:3] != [_PROGRAM, "0", _BEGIN] or words[-1] != _END or len(words) % 2:
        raise PresetError(f"{source}: found {words[:3]} ... {words[-1:]}, wanted a DPF state on program 0.")
    symbols, numbers = words[3:-1:2], words[4:-1:2]
    if len(set(symbols)) != len(symbols):
        raise PresetError(f"{source}: a parameter stands there twice; wanted each once.")
    return {symbol: _number(number, symbol, source) for symbol, number in zip(symbols, numbers, strict=True)}


def _words(state: bytes, source: str) -> list[str]:
    if len(state) > _MOST_BYTES:
        raise PresetError(
            f"{source}: found {len(state):,} bytes, wanted a DPF state of {_MOST_BYTES:,} at most."
        )
    if not state.endswith(b"\0" + _CLOSE):
        raise PresetError(f"{source}: found {state[-8:]!r} at the end, wanted the closing bytes FE 00.")
    try:
        return state[: -len(_CLOSE) - 1].decode("utf-8").split("\0")
    except UnicodeDecodeError as error:
        raise PresetError(f"{source}: found bytes that are no text, wanted a DPF state.") from error


def _number(text: str, symbol: str, source: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return number
    raise PresetError(f"{source}: found {symbol} = {text!r}, wanted a number.")


def _number_text(number: float) -> str:
    """As the plug-in prints it: the nearest 32-bit float, twelve digits, no trailing zeros."""
    single = struct.unpack("<f", struct.pack("<f", number))[0]
    return f"{single:.12g}"
