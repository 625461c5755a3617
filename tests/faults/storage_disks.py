"""Small disks of our own: to be filled, made read-only, and cut off from power. Linux, and root alone."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN: the file system stops as it does when the power goes."""
NO_LOG_FLUSH = 2
BALLAST = ".ballast"
EXT4_MOUNTS = (
    "data=ordered,commit=300",
    "data=ordered,commit=300,noauto_da_alloc",
    "data=writeback,commit=300,noauto_da_alloc",
    "data=writeback,commit=300,nodelalloc",
)
"""From what is usual to what is permitted: the last gives a file its size before its bytes are there."""


class Disk:
    """A mounted file system of ``size_mb``; leaving the context unmounts it."""

    def __init__(self, kind: str, folder: Path, size_mb: int, options: str = "") -> None:
        self.kind, self.path = kind, folder
        self._options, self._size_mb = options, size_mb
        self._image = folder.with_name(f"{folder.name}.img")
        folder.mkdir(parents=True)

    def __enter__(self) -> Disk:
        if self.kind == "tmpfs":
            _run("mount", "-t", "tmpfs", "-o", f"size={self._size_mb}m", "tmpfs", self.path)
            return self
        size_mb = max(300, self._size_mb) if self.kind == "xfs" else self._size_mb
        with self._image.open("wb") as image:
            image.truncate(size_mb << 20)
        made = ("-f", "-q") if self.kind == "xfs" else ("-F", "-q", "-m", "0")
        _run(f"mkfs.{self.kind}", *made, self._image)
        self._mount()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            unmount(self.path)
        except subprocess.CalledProcessError:
            _run("umount", "--lazy", self.path)
        self._image.unlink(missing_ok=True)

    def fill(self, leave_bytes: int) -> None:
        """Leave no more room than that."""
        block = bytes(4096)
        with contextlib.suppress(OSError), (self.path / BALLAST).open("ab", buffering=0) as ballast:
            while shutil.disk_usage(self.path).free > leave_bytes:
                ballast.write(block)

    def free(self) -> None:
        """All the room again."""
        (self.path / BALLAST).unlink(missing_ok=True)

    def read_only(self) -> None:
        """Nothing can be written any more; waits for files that are open for it."""
        _insist(lambda: _run("mount", "-o", "remount,ro", self.path))

    def writable(self) -> None:
        """As before."""
        _run("mount", "-o", "remount,rw", self.path)

    def cut(self) -> None:
        """The power goes: what was not synced is lost, except what the system wrote by itself."""
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(handle)

    def power_up(self) -> None:
        """The disk as it is found after the cut; everybody who used it must be dead."""
        unmount(self.path)
        self._mount()

    def _mount(self) -> None:
        options = ",".join(filter(None, ("loop", self._options)))
        _run("mount", "-t", self.kind, "-o", options, self._image, self.path)


def unmount(folder: Path) -> None:
    """Unmount as soon as nobody is in it."""
    _insist(lambda: _run("umount", folder))


@contextlib.contextmanager
def forbidden(*paths: Path) -> Iterator[None]:
    """Within the context nobody, not even root, writes to these files or makes files in these folders."""
    there = [path for path in paths if path.exists()]
    try:
        for path in there:
            _run("chattr", "+i", path)
        yield
    finally:
        for path in there:
            _run("chattr", "-i", path)


@cache
def why_no_disks() -> str:
    """Why disks cannot be mounted here; "" where they can."""
    return _why_not(lambda folder: _try_disk("tmpfs", folder))


@cache
def why_no_power() -> str:
    """Why the power of a disk cannot be cut here; "" where it can."""
    return _why_not(lambda folder: _try_disk("ext4", folder, is_cut=True))


@cache
def why_none_forbidden() -> str:
    """Why files cannot be made immutable here; "" where they can."""
    return _why_not(_try_forbid)


def has_xfs() -> bool:
    """Whether disks of that kind can be made, too."""
    return not _why_not(lambda folder: _try_disk("xfs", folder, is_cut=True))


def _why_not(attempt: Callable[[Path], None]) -> str:
    with tempfile.TemporaryDirectory(prefix="stembridge-disk-") as folder:
        try:
            attempt(Path(folder))
        except subprocess.CalledProcessError as error:
            return f"{Path(error.cmd[0]).name}: {error.stderr.strip()}"
        except OSError as error:
            return str(error)
    return ""


def _try_disk(kind: str, folder: Path, *, is_cut: bool = False) -> None:
    with Disk(kind, folder / "disk", 8) as disk:
        if is_cut:
            disk.cut()
            disk.power_up()


def _try_forbid(folder: Path) -> None:
    with forbidden(folder):
        try:
            (folder / "file").touch()
        except PermissionError:
            return
    raise OSError("an immutable folder took a file")


def _insist(work: Callable[[], None], within_s: float = 20.0) -> None:
    pause, waited_s = threading.Event(), 0.0
    while True:
        try:
            work()
        except subprocess.CalledProcessError:
            if waited_s > within_s:
                raise
            waited_s += 0.05
            pause.wait(0.05)
        else:
            return


def _run(*command: object) -> None:
    subprocess.run([*map(str, command)], check=True, capture_output=True, text=True, timeout=60)
