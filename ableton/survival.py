"""Keeps a thread that serves everybody alive when one thing goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable

from bridge.errors import StembridgeError

log = logging.getLogger(__name__)


def survived(call: Callable[[], None], what: str) -> None:
    """Call, and log what went wrong: with its trace where it is a fault of ours, and not a full disk."""
    try:
        call()
    except StembridgeError as error:
        log.warning("%s: %s", what, error, extra={"action": "osc_trouble"})
    except Exception:
        log.exception("%s; please report this", what, extra={"action": "osc_fault"})
