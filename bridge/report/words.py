"""Numbers, lengths and sizes as people read them; minus is the true minus sign, units keep their number."""

from __future__ import annotations

import math
import re

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
UNKNOWN = "\N{EN DASH}"
INFINITY = "\N{INFINITY}"
_HYPHEN_MINUS = re.compile(r"(?<![^\s(])-(?=\d)")


SILENT_LUFS = -70.0
"""The absolute gate of BS.1770; nothing below is called loudness."""


def is_silent(lufs: float | None) -> bool:
    """Whether a loudness stands for silence."""
    return lufs is not None and lufs <= SILENT_LUFS


def number(value: float | None, digits: int = 1) -> str:
    """A number with fixed digits; a dash for None and NaN, infinity as its sign, never minus zero."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return f"{MINUS}{INFINITY}" if value < 0 else INFINITY
    text = f"{abs(value):,.{digits}f}"
    is_negative = value < 0 and float(text.replace(",", "")) != 0
    return f"{MINUS}{text}" if is_negative else text


def signed(value: float | None, digits: int = 1) -> str:
    """A difference: always with its sign, zero without."""
    text = number(value, digits)
    is_positive = value is not None and value > 0 and any(mark in "123456789" + INFINITY for mark in text)
    return f"+{text}" if is_positive else text


def with_unit(value: float | None, unit: str, digits: int = 1) -> str:
    """A number and its unit, kept on one line; a lone dash where there is no number."""
    text = number(value, digits)
    return text if text == UNKNOWN else f"{text}{NO_BREAK}{unit}"


def hertz(value: float | None) -> str:
    """A frequency: "440 Hz", "16.2 kHz"."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value < 1000:
        return with_unit(value, "Hz", 0)
    return f"{value / 1000:.1f}".removesuffix(".0") + f"{NO_BREAK}kHz"


def clock(seconds: float) -> str:
    """A position or length in a song: "3:05", "1:02:09"."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def lasting(seconds: float) -> str:
    """How long work took: "0.4 s", "48 s", "2 min 5 s", "1 h 10 min"."""
    if seconds < 59.5:
        return with_unit(seconds, "s", 1 if seconds < 10 else 0)
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{NO_BREAK}min" + (f" {rest}{NO_BREAK}s" if rest else "")
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{NO_BREAK}h" + (f" {minutes}{NO_BREAK}min" if minutes else "")


def size(count: int) -> str:
    """A file's size in decimal units: "812 B", "41.2 MB"."""
    value, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            break
        value /= 1000
    return with_unit(value, unit, 0 if unit in ("B", "kB") or value >= 99.95 else 1)


def true_minus(text: str) -> str:
    """Text from elsewhere with the minus sign of this page before its numbers; ranges and names stay."""
    return _HYPHEN_MINUS.sub(MINUS, text)


def percent(share: float) -> str:
    """A share of one: "93%"."""
    return f"{share * 100:.0f}%"


def counted(count: int, noun: str) -> str:
    """A count with its noun, plural by -s: "1 stem", "4 stems"."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def listed(parts: list[str]) -> str:
    """Parts as a list in a sentence: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
