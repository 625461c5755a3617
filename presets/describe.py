"""A .vstpreset in words: whose it is, what it holds, and its parameters where its state is legible."""

from __future__ import annotations

from collections.abc import Iterator

from presets.dpf import read_state
from presets.errors import PresetError
from presets.plugins import Plugin, plugins
from presets.vstpreset import VstPreset, windows_class_id

_JUCE_MARK = b"VC2!"
_CHUNKS = {
    "Comp": "the plug-in's state",
    "Cont": "its window's state",
    "Prog": "a program",
    "Info": "about it",
}
_MOST_TEXT = 4000


def plugin_of(class_id: str) -> Plugin | None:
    """The plug-in that presets are written for and that has this class id, on any system."""
    known = {found.class_id: found for found in plugins().values()}
    return known.get(class_id) or known.get(windows_class_id(class_id))


def describe(preset: VstPreset) -> list[str]:
    """Lines of text: the plug-in, each chunk with its size, then what is legible in them."""
    lines = [f"Plug-in: {_owner(preset.class_id)}", f"Class id: {preset.class_id}"]
    lines += [f"{chunk.id}: {len(chunk.data):,} bytes, {_CHUNKS[chunk.id]}" for chunk in preset.chunks]
    for chunk in preset.chunks:
        if chunk.data:
            lines += ["", *_content(chunk.id, chunk.data, plugin_of(preset.class_id))]
    return lines


def _owner(class_id: str) -> str:
    found = plugin_of(class_id)
    if found is None:
        return "not one that presets are written for; only its class id tells"
    where = "" if found.class_id == class_id else " (for Windows)"
    return f"{found.name} by {found.vendor}{where}"


def _content(chunk_id: str, data: bytes, plugin: Plugin | None) -> Iterator[str]:
    try:
        yield from _parameter_lines(read_state(data), plugin)
    except PresetError:
        text = _text_in(data)
        if text is not None:
            yield from (f"{chunk_id}:", *text.splitlines())
        else:
            yield f"{chunk_id}: in the plug-in's own form, beginning with {data[:16].hex(' ')}"


def _parameter_lines(values: dict[str, float], plugin: Plugin | None) -> Iterator[str]:
    known = {parameter.symbol: parameter for parameter in plugin.parameters} if plugin else {}
    titles = {symbol: known[symbol].title if symbol in known else symbol for symbol in values}
    widest = max(map(len, titles.values()), default=0)
    for symbol, value in values.items():
        unit = f" {known[symbol].unit}" if symbol in known else ""
        yield f"{titles[symbol].ljust(widest)}  {value:g}{unit}".rstrip()


def _text_in(data: bytes) -> str | None:
    """The text where the data is nothing else; JUCE puts a mark and a length before its XML."""
    body = data[8:] if data.startswith(_JUCE_MARK) else data
    try:
        text = body.rstrip(b"\0").decode("utf-8")
    except UnicodeDecodeError:
        return None
    text = text[:_MOST_TEXT]
    shown = "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)
    is_text = sum(letter.isprintable() or letter.isspace() for letter in text) > 0.9 * len(text)
    return shown if is_text and text.strip() else None
