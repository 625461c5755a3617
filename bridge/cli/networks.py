"""Networks that are made on this machine, once what they are made of is here."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import typer

from bridge.cli.console import shown, tell_error

if TYPE_CHECKING:
    from bridge.config import Config


def make_networks(config: Config) -> None:
    """Make DeepFilterNet's network where its environment and its checkpoint are here now, and say so.

    What is still missing was said by the command that calls this. Raises EngineError where it cannot be made.
    """
    from bridge.engines.deepfilternet import make_missing_model

    tell_begin = _once("Making DeepFilterNet's network from its checkpoint; this takes some seconds.")
    made = make_missing_model(config, lambda _share: tell_begin())
    if made is not None:
        typer.echo(f"DeepFilterNet's network was made, and does what its package does: {shown(str(made))}")


def _once(words: str) -> Callable[[], None]:
    """Says it the first time that it is called."""
    return cache(lambda: tell_error(words))
