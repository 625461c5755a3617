"""Log records of a worker process, logged in its parent: one log tells the whole story."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from bridge.jobs.channel import FrameWriter, Kind

OURS = "bridge"
"""What the loggers of stembridge begin with; what libraries say stays in their process."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LogLine(NamedTuple):
    """A log record on its way: nothing in it needs a class of the other side."""

    name: str
    level: int
    text: str
    trace: str
    extra: dict[str, Any]


class LogSender(logging.Handler):
    """In the worker: sends every record to the parent."""

    def __init__(self, writer: FrameWriter) -> None:
        super().__init__()
        self._writer = writer
        self._number = 0

    def begin(self, number: int, level: int) -> None:
        """Send what the run of that number logs from ``level`` on."""
        self._number = number
        logging.getLogger(OURS).setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; where the parent is gone, nobody is there to read it."""
        try:
            line = _line(record)
        except Exception:  # a record whose arguments do not fit its text
            self.handleError(record)
            return
        with contextlib.suppress(OSError, ValueError):
            self._writer.send(Kind.LOG, self._number, line)


def parent_level() -> int:
    """The level from which this process logs what is ours."""
    return logging.getLogger(OURS).getEffectiveLevel()


def log_here(line: LogLine, about: Mapping[str, str]) -> None:
    """In the parent: log the record as if it had been made here, with ``about`` where it says nothing."""
    logger = logging.getLogger(line.name)
    if not logger.isEnabledFor(line.level):
        return
    fields = {
        **about,
        **line.extra,
        "name": line.name,
        "levelno": line.level,
        "levelname": logging.getLevelName(line.level),
        "msg": "%s",
        "args": (line.text,),
        "exc_text": line.trace or None,
    }
    logger.handle(logging.makeLogRecord(fields))


def _line(record: logging.LogRecord) -> LogLine:
    trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
    extra = {name: _plain(value) for name, value in vars(record).items() if name not in _STANDARD}
    return LogLine(record.name, record.levelno, record.getMessage(), trace, extra)


def _plain(value: object) -> object:
    """Exactly a plain type: a number of NumPy's would have the other side import NumPy."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    return float(value) if isinstance(value, float) else str(value)
