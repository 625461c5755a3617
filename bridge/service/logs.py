"""The service's log: lines for people, and the same as JSON lines for machines, neither growing for ever."""

from __future__ import annotations

import json
import logging
import logging.handlers
import time
from pathlib import Path

FOLDER = "logs"
READABLE = "stembridge.log"
STRUCTURED = "stembridge.jsonl"
MOST_BYTES = 5_000_000
BACKUPS = 3
TOLD_BY_JOURNAL = frozenset({"job_failed", "stage_done", "stage_reused", "qa_retry"})
"""Actions of which people read once, in the journal's words."""
EXTRAS = ("action", "job", "key", "detail")


def is_for_people(record: logging.LogRecord) -> bool:
    """Whether the record says something that the journal does not say, too."""
    return record.name == "bridge.journal" or getattr(record, "action", "") not in TOLD_BY_JOURNAL


def is_for_machines(record: logging.LogRecord) -> bool:
    """The same; and what the process of a failed job last wrote, which stands in its own record alone."""
    return is_for_people(record) or bool(getattr(record, "detail", ""))


class ReadableFormatter(logging.Formatter):
    """``2026-03-01 10:05:12  Night Drive.wav: begins``; what needs attention has a mark."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and what was raised below it."""
        mark = "" if record.levelno < logging.WARNING else f"{record.levelname}: "
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        line = f"{when}  {mark}{record.getMessage()}"
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        return "\n".join(part for part in (line, trace) if part)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, name, text, and the record's action, job, key and detail."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        about: dict[str, object] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "name": record.name,
            "text": record.getMessage(),
        }
        about |= {name: getattr(record, name) for name in EXTRAS if getattr(record, name, None)}
        if record.exc_info:
            about["trace"] = self.formatException(record.exc_info)
        return json.dumps(about, ensure_ascii=False, default=str)


def setup_service_log(data_folder: Path, *, verbose: bool) -> Path:
    """Log to standard error and into the data folder; the folder of the log files.

    A log that cannot be written is told on standard error, and the service goes on.
    """
    folder = data_folder / FOLDER
    handlers: list[logging.Handler] = [_readable(logging.StreamHandler())]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handlers.append(_readable(_rotating(folder / READABLE)))
        handlers.append(_rotating(folder / STRUCTURED))
        handlers[-1].setFormatter(JsonFormatter())
        handlers[-1].addFilter(is_for_machines)
    except OSError as error:
        logging.getLogger(__name__).warning("No log is kept: %s", error)
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in ("bridge", "watcher", "ableton"):
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
    return folder


def _rotating(path: Path) -> logging.Handler:
    return logging.handlers.RotatingFileHandler(
        path, maxBytes=MOST_BYTES, backupCount=BACKUPS, encoding="utf-8", errors="backslashreplace"
    )


def _readable(handler: logging.Handler) -> logging.Handler:
    handler.setFormatter(ReadableFormatter())
    handler.addFilter(is_for_people)
    return handler
