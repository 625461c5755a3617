"""Whether the system tells of changes in a folder, and how to listen; else the folder is polled."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

log = logging.getLogger(__name__)

EVENTLESS_TYPES = frozenset({
    "nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afpfs", "afs", "webdav", "davfs", "ncpfs", "9p", "v9fs",
    "virtiofs", "vboxsf", "vmhgfs", "prl_fs", "drvfs", "ceph", "glusterfs", "lustre", "gpfs", "beegfs",
    "gfs2", "ocfs2", "sshfs", "macfuse", "osxfuse", "fuse", "ftp", "autofs",
})  # fmt: skip
"""File systems whose files are changed elsewhere, so that this system is not told."""

LOCAL_FUSE_TYPES = frozenset({"fuseblk", "fuse.exfat", "fuse.ntfs", "fuse.ntfs-3g", "fuse.ext2"})
"""File systems of disks in this machine that run as programs: all changes pass through this system."""

UNSTEADY_INODE_TYPES = frozenset({"vfat", "msdos", "exfat", "fat32", "cifs", "smb2", "smb3", "smbfs"})
"""Besides those in user space: a file's number may be another after the next mount, or at any time."""

DRIVE_REMOTE = 4  # GetDriveTypeW


class Disk(NamedTuple):
    """What a folder lies on."""

    kind: str
    """The file system's name, in small letters; "" where it cannot be known."""

    @property
    def has_events(self) -> bool:
        """Whether this system hears of every change."""
        if self.kind in LOCAL_FUSE_TYPES:
            return True
        return self.kind not in EVENTLESS_TYPES and not self.kind.startswith("fuse.")

    @property
    def has_inodes(self) -> bool:
        """Whether a file keeps its number."""
        return self.has_events and self.kind not in UNSTEADY_INODE_TYPES | LOCAL_FUSE_TYPES


def disk_of(folder: Path, *, platform: str = sys.platform) -> Disk:
    """The disk on which a folder lies; links in its path are followed."""
    real = os.path.realpath(folder)
    try:
        if platform == "win32":
            return Disk("smbfs" if _is_remote_drive(real) else "")
        if platform == "linux":
            return Disk(mount_type(real, Path("/proc/self/mounts").read_bytes()))
        return Disk(_partition_type(real))
    except OSError:
        return Disk("")


def mount_type(path: str, mounts: bytes) -> str:
    """The type of file system at a path, from the text of /proc/mounts: the last of the longest mounts."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(b" ")
        if len(fields) < 3:
            continue
        place = os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), fields[1]))
        if _holds(place, path) and len(place) >= best:
            best, kind = len(place), os.fsdecode(fields[2]).lower()
    return kind


def _holds(place: str, path: str) -> bool:
    return path == place or path.startswith(place.rstrip("/") + "/")


def _partition_type(path: str) -> str:
    import psutil

    parts = [part for part in psutil.disk_partitions(all=True) if _holds(part.mountpoint, path)]
    return max(parts, key=lambda part: len(part.mountpoint)).fstype.lower() if parts else ""


def _is_remote_drive(path: str) -> bool:
    if path.startswith("\\\\") and not path.startswith("\\\\?\\"):
        return True  # \\server\share
    drive = os.path.splitdrive(path)[0] + "\\"
    kernel = getattr(ctypes, "windll", None)
    return kernel is not None and kernel.kernel32.GetDriveTypeW(drive) == DRIVE_REMOTE


class Attention(Protocol):
    """Listens for changes in one folder and below."""

    @property
    def is_alive(self) -> bool:
        """Whether it still hears."""
        ...

    def covers(self, folders: int) -> bool:
        """Whether it hears of so many folders; false where the system refused some."""
        ...

    def close(self) -> None:
        """Listen no more."""
        ...


Hear = Callable[[str], None]
"""Called with a path of which something changed; from any thread."""

Attend = Callable[[Path, Hear], Attention]
"""Starts to listen; OSError, whose words say why, where the system does not tell."""


def attend(folder: Path, hear: Hear) -> Attention:
    """Listen by the system's own means: inotify, FSEvents or ReadDirectoryChangesW."""
    disk = disk_of(folder)
    if not disk.has_events:
        raise OSError(errno.ENOTSUP, f"no events from {disk.kind}")
    try:
        return _Listener(folder, hear)
    except OSError as cause:
        raise OSError(cause.errno, _why_not(cause)) from cause


def _why_not(cause: OSError) -> str:
    if cause.errno == errno.ENOSPC:
        return "the system's limit for watched folders is reached, fs.inotify.max_user_watches"
    if cause.errno == errno.EMFILE:
        return "the system's limit for watchers is reached, fs.inotify.max_user_instances"
    return f"the system does not tell of changes: {cause.strerror or cause}"


class _Listener:
    """Hears by watchdog. Paths are told as lying in ``folder``, also where that is a link."""

    _one_at_a_time = threading.Lock()

    def __init__(self, folder: Path, hear: Hear) -> None:
        from watchdog.observers import Observer
        from watchdog.utils import BaseThread

        # it calls the usual end of a listener an error, and warns of races in its own book-keeping; what it
        # loses, the next scan finds
        logging.getLogger("watchdog").setLevel(logging.CRITICAL)
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.")
        self._real = os.path.realpath(folder)
        self._shown = str(folder)
        self._hear = hear
        with self._one_at_a_time:
            before, others = _inotify_files(), set(threading.enumerate())
            self._observer = Observer()
            try:
                self._start()
            except BaseException:
                self.close()
                raise
            self._own_files = _inotify_files() - before
            self._own_threads = [
                one for one in threading.enumerate() if isinstance(one, BaseThread) and one not in others
            ]

    def _start(self) -> None:
        from watchdog import events

        # Not heard are openings and readings: we and our workers read, and would wake ourselves
        kinds: list[type[events.FileSystemEvent]] = [
            events.FileCreatedEvent,
            events.FileModifiedEvent,
            events.FileMovedEvent,
            events.FileDeletedEvent,
            events.FileClosedEvent,
            events.DirCreatedEvent,
            events.DirMovedEvent,
            events.DirDeletedEvent,
        ]
        handler = events.FileSystemEventHandler()
        handler.on_any_event = self._pass_on  # type: ignore[method-assign]
        self._observer.schedule(handler, self._real, recursive=True, event_filter=kinds)
        self._observer.start()

    @property
    def is_alive(self) -> bool:
        return bool(self._observer.emitters) and all(one.is_alive() for one in self._own_threads)

    def covers(self, folders: int) -> bool:
        watches = [_watches_of(number) for number in self._own_files]
        return not watches or sum(watches) >= folders

    def close(self) -> None:
        with contextlib.suppress(RuntimeError, OSError):
            self._observer.stop()
            self._observer.join(timeout=2.0)

    def _pass_on(self, event: object) -> None:
        for path in (getattr(event, "src_path", ""), getattr(event, "dest_path", "")):
            if path:
                self._hear(self._as_shown(os.fsdecode(path)))

    def _as_shown(self, path: str) -> str:
        return self._shown + path[len(self._real) :] if path.startswith(self._real) else path


def _inotify_files() -> frozenset[str]:
    """Numbers of this process's inotify files; empty where the system has none."""
    found = set()
    with contextlib.suppress(OSError):
        for file in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(file.readlink()) == "anon_inode:inotify":
                    found.add(file.name)
    return frozenset(found)


def _watches_of(number: str) -> int:
    """How many folders an inotify file watches: watchdog is silent about those that were refused."""
    try:
        return Path("/proc/self/fdinfo", number).read_bytes().count(b"inotify wd:")
    except OSError:
        return sys.maxsize
