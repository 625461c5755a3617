"""Builds the device from its description and its script."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ableton.device.amxd import File, write_device
from ableton.device.patch import NAME, SCRIPT_FILE, SERVICE_PORT, device
from ableton.device.patcher import AUDIO_EFFECT, document
from ableton.device.script import script_text
from ableton.device.theme import LIGHT

FOLDER: Final = Path(__file__).parent
BUILT: Final = FOLDER / f"{NAME}.amxd"
"""The device as it is shipped."""


def device_document(service_port: int = SERVICE_PORT) -> dict[str, Any]:
    """The device's patcher as Max saves it, for a service that listens at ``service_port``."""
    return document(device(service_port), LIGHT)


def build_device(script: bytes | None = None, service_port: int = SERVICE_PORT) -> bytes:
    """The frozen device with ``script``, or with its own; the same arguments give the same bytes."""
    text = script_text().encode() if script is None else script
    files = [File(SCRIPT_FILE, b"TEXT", text)]
    return write_device(NAME, AUDIO_EFFECT, device_document(service_port), files)
