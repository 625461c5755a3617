"""What a power cut leaves of a database and of files that were being written."""

from __future__ import annotations

import os
import random
import sqlite3
import struct
from pathlib import Path

HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24


def end_of_commits(wal: Path) -> int:
    """The byte of a WAL behind which no frame belongs to a commit; 0 where there is none."""
    content = wal.read_bytes()
    if len(content) < HEADER_BYTES:
        return 0
    order = "<" if struct.unpack(">I", content[:4])[0] == 0x377F0682 else ">"
    page_bytes, _, salt = struct.unpack(">II8s", content[8:24])
    sums = _sums(content[:24], order, (0, 0))
    end, at = HEADER_BYTES, HEADER_BYTES
    while at + FRAME_HEADER_BYTES + page_bytes <= len(content):
        frame = content[at : at + FRAME_HEADER_BYTES + page_bytes]
        sums = _sums(frame[:8] + frame[FRAME_HEADER_BYTES:], order, sums)
        if frame[8:16] != salt or struct.unpack(">II", frame[16:24]) != sums:
            break
        at += len(frame)
        if struct.unpack(">I", frame[4:8])[0]:
            end = at
    return end


def _sums(content: bytes, order: str, before: tuple[int, int]) -> tuple[int, int]:
    """The checksum of SQLite's WAL format."""
    first, second = before
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for one, two in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFF_FFFF
        second = (second + two + first) & 0xFFFF_FFFF
    return first, second


def tear_wal(database: Path, chance: random.Random) -> str:
    """Change what follows the last commit, as writes do that were under way; what was done, in words.

    Further frames that were never synced come in part, as nonsense or as zeros; what stood there of an
    older turn of the log may be cut anywhere.
    """
    wal, index = (database.with_name(f"{database.name}{end}") for end in ("-wal", "-shm"))
    done = "no log"
    if wal.exists() and wal.stat().st_size > HEADER_BYTES:
        end = end_of_commits(wal)
        done = chance.choice(["cut", "nonsense", "zeros", "frames"])
        _tear(wal, end, done, chance)
        done = f"{done} after {end}"
    if index.exists() and chance.random() < 0.5:
        index.write_bytes(chance.randbytes(chance.randrange(40_000)))
        done += ", index"
    return done


def _tear(wal: Path, end: int, how: str, chance: random.Random) -> None:
    content = wal.read_bytes()
    rest = content[end:]
    if how == "cut":
        rest = rest[: chance.randint(0, len(rest))]
    elif how == "frames":  # frames that look right, of a transaction that was not committed
        frames = content[HEADER_BYTES:end][: chance.randint(1, 3 * 4120)]
        rest = frames + rest[len(frames) :]
    else:
        count = chance.randint(1, 20_000)
        torn = bytes(count) if how == "zeros" else chance.randbytes(count)
        rest = torn + rest[count:]
    wal.write_bytes(content[:end] + rest)


def tear_unsynced(folders: list[Path], chance: random.Random) -> int:
    """Files in hidden folders were never synced for sure: they lose their ends, or are zeros; how many."""
    torn = 0
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and chance.random() < 0.7:
                _tear_file(path, chance)
                torn += 1
    return torn


def _tear_file(path: Path, chance: random.Random) -> None:
    size = path.stat().st_size
    how = chance.choice(["short", "zeros", "gone"])
    if how == "gone":
        path.unlink()
    elif how == "short":
        os.truncate(path, chance.randint(0, size))
    else:
        with path.open("rb+") as file:
            start = chance.randint(0, size)
            file.seek(start)
            file.write(bytes(size - start))


def is_sound(database: Path) -> str:
    """What SQLite says about a database: "ok" where nothing is wrong with it."""
    connection = sqlite3.connect(database)
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        connection.close()
