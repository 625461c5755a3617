"""What the commands share: consoles, exit codes, the log."""

from __future__ import annotations

import io
import logging
import os
import sys
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.config import Config, load_config, load_usable_config

if TYPE_CHECKING:
    from rich.console import Console

EXIT_FAILED = 1
EXIT_UNUSABLE = 2
EXIT_INTERRUPTED = 130
BIDI_CONTROLS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@cache
def console() -> Console:
    """Where results go."""
    from rich.console import Console

    return Console()


@cache
def errors_console() -> Console:
    """Where progress and errors go, so that ``--json`` on standard output stays clean."""
    from rich.console import Console

    return Console(stderr=True)


def is_debugging() -> bool:
    """Whether ``STEMBRIDGE_DEBUG`` asks for tracebacks."""
    return os.environ.get("STEMBRIDGE_DEBUG", "") not in ("", "0")


def shown(text: str) -> str:
    """Text that comes from names and tags, as a terminal may have it.

    Line breaks become spaces. What would steer the terminal or turn the reading direction (a name may hold
    both) becomes a replacement character, and so do bytes that are no text.
    """
    return "".join(map(_shown_letter, text))


def _shown_letter(letter: str) -> str:
    if letter in "\n\r\t":
        return " "
    is_unfit = unicodedata.category(letter) in ("Cc", "Cs") or letter in BIDI_CONTROLS
    return "\N{REPLACEMENT CHARACTER}" if is_unfit else letter


def tell(text: str) -> None:
    """Print a result: one line, whatever the width of the terminal."""
    console().print(text, highlight=False, soft_wrap=True)


def tell_error(text: str) -> None:
    """Print what went wrong, or how far it is, on standard error."""
    errors_console().print(text, highlight=False, soft_wrap=True)


def safe_output() -> None:
    """Letters that the output cannot encode (a pipe on Windows, an old locale) are told by their number."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def setup_log(*, verbose: bool) -> None:
    """Log to standard error: everything of ours with ``verbose``, else only what a producer should know.

    A failed job is told by its command; the log adds its traceback where all is wanted.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_WithDetail("%(levelname)s %(name)s: %(message)s"))
    if not verbose:
        handler.addFilter(lambda record: getattr(record, "action", "") != "job_failed")
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("bridge").setLevel(logging.INFO if verbose else logging.WARNING)


class _WithDetail(logging.Formatter):
    """Adds the detail of a record, such as a worker's traceback."""

    def format(self, record: logging.LogRecord) -> str:
        detail = getattr(record, "detail", "")
        return f"{super().format(record)}\n{detail}" if detail else super().format(record)


def usable_config_from(file: Path | None) -> Config:
    """The configuration as far as it can be used: what is wrong with it is told, and stops nobody."""
    config, trouble = load_usable_config(file)
    if trouble:
        from rich.markup import escape

        tell_error(f"[yellow]The settings cannot be used:[/] {escape(shown(trouble))}")
    return config


def config_from(file: Path | None) -> Config:
    """The configuration, from the user's own file or from ``file``."""
    return load_config(file)
