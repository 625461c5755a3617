"""The ledger of files in SQL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Row, delete, insert, select

from bridge.jobs.database import Database
from bridge.jobs.files import SeenFile
from bridge.jobs.requests import plain_text
from bridge.jobs.tables import files


class SqlFileLedger:
    """``FileLedger`` in the same ``Database`` as the jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def seen(self, path: Path) -> SeenFile | None:
        """The file as it was last time."""
        with self._database.reading() as connection:
            row = connection.execute(select(files).where(files.c.path == os.fsencode(path))).one_or_none()
            return _seen(row) if row else None

    def seen_under(self, folder: Path) -> tuple[SeenFile, ...]:
        """All files that were seen in a folder and below."""
        first = os.fsencode(folder).rstrip(_SEPARATOR) + _SEPARATOR
        after = first[:-1] + bytes([first[-1] + 1])
        query = select(files).where(files.c.path >= first, files.c.path < after).order_by(files.c.path)
        with self._database.reading() as connection:
            return tuple(map(_seen, connection.execute(query)))

    def remember(self, file: SeenFile) -> None:
        """Note a file, in place of what was noted of its path."""
        values = {
            **file.model_dump(),
            "path": os.fsencode(file.path),
            "modified_ns": str(file.modified_ns),
            "inode": str(file.inode),
            "refused": plain_text(file.refused),
        }
        with self._database.writing() as connection:
            connection.execute(delete(files).where(files.c.path == values["path"]))
            connection.execute(insert(files).values(values))

    def forget(self, path: Path) -> None:
        """Note nothing of a path any more."""
        with self._database.writing() as connection:
            connection.execute(delete(files).where(files.c.path == os.fsencode(path)))


_SEPARATOR = os.fsencode(os.sep)


def _seen(row: Row[Any]) -> SeenFile:
    return SeenFile(
        path=Path(os.fsdecode(row.path)),
        size_bytes=row.size_bytes,
        modified_ns=int(row.modified_ns),
        inode=int(row.inode),
        sha256=row.sha256,
        job_id=row.job_id,
        refused=row.refused,
    )
