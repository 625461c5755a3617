"""Words that the folder door and its command share."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """A count with its noun: "1 song", "2 songs"."""
    return f"{number} {noun}{'s' * (number != 1)}"
