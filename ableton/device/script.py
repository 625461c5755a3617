"""The script of the device: put together from its sources and the table of addresses.

Max's ``js`` takes one file of ES5, and a frozen device is surest with one; people read
the sources in ``script/``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from ableton.addresses import PROTOCOL, SENT
from ableton.contract import Address, Argument
from bridge.config import load_config, shipped_config_path
from bridge.values import Role
from presets import TARGETS

FOLDER: Final = Path(__file__).with_name("script")
SOURCES: Final = (
    "words",
    "messages",
    "follower",
    "client",
    "pages",
    "jobs",
    "live",
    "place",
    "importer",
    "menu",
    "device",
    "main",
)
"""In the order in which they need each other. Those as far as the client are the remotes', too."""
_HEAD = """\
/*
 * The stembridge device. Made by: python -m ableton.device build
 * from ableton/device/script and the table of OSC addresses; change those.
 * Copyright the stembridge authors, GPL-3.0-or-later.
 */
"""


def script_text() -> str:
    """The whole script, the same on each call."""
    parts = [(FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SOURCES]
    return "\n".join([_HEAD, _table(), *parts])


def sent_table() -> dict[str, dict[str, Any]]:
    """What the service sends, by name: its kind, and its arguments and those of its rows by name and type."""
    return {name: _entry(address) for name, address in SENT.items()}


def _table() -> str:
    """What the service sends, first entries of the menus and colours of stems, as the script reads it."""
    sent = ",\n".join(f"        {name}: {json.dumps(entry)}" for name, entry in sent_table().items())
    shipped = {"recipes": list(load_config(shipped_config_path()).recipes), "targets": list(TARGETS)}
    from ableton.colours import colour_of  # brings the report, and with it NumPy

    colours = {role.value: int(colour_of(role).removeprefix("#"), 16) for role in Role}
    parts = (
        f"    protocol: {PROTOCOL}",
        f"    shipped: {json.dumps(shipped)}",
        f"    colours: {json.dumps(colours)}",
        f"    sent: {{\n{sent}\n    }}",
    )
    return "var TABLE = {\n" + ",\n".join(parts) + "\n};\n"


def _entry(address: Address) -> dict[str, Any]:
    return {
        "kind": address.direction.value,
        "fields": [_field(argument) for argument in address.fields],
        "row": [_field(argument) for argument in address.row],
    }


def _field(argument: Argument) -> list[str]:
    return [argument.name, argument.type.value]
