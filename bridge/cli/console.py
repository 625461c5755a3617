"""What the commands share: consoles, exit codes, the log."""

from __future__ import annotations

import logging
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.config import Config, load_config

if TYPE_CHECKING:
    from rich.console import Console

EXIT_FAILED = 1
EXIT_UNUSABLE = 2
EXIT_INTERRUPTED = 130


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


def setup_log(*, verbose: bool) -> None:
    """Log to standard error: everything of ours with ``verbose``, else only what a producer should know."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("bridge").setLevel(logging.INFO if verbose else logging.WARNING)


def config_from(file: Path | None) -> Config:
    """The configuration, from the user's own file or from ``file``."""
    return load_config(file)


def store_path(config: Config) -> Path:
    """Where the jobs' database is."""
    return config.data_folder / "jobs.sqlite3"
