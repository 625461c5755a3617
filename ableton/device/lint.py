"""Holds a device to the guidelines."""

from __future__ import annotations

from typing import NamedTuple

from ableton.device.reader import Device
from ableton.device.rules import RULES


class Finding(NamedTuple):
    """One thing that is not as the guidelines ask."""

    rule: str
    words: str


def lint(device: Device) -> list[Finding]:
    """All that is wrong with a device, in the order of the rules; empty where nothing is."""
    return [Finding(rule.__name__, words) for rule in RULES for words in rule(device)]
