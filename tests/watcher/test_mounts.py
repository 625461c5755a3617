"""Which disks tell of changes, and how they are heard."""

import errno
import os
import queue
import sys
from pathlib import Path

import pytest

from watcher import mounts
from watcher.mounts import Disk, attend, disk_of, mount_type

MOUNTS = rb"""sysfs /sys sysfs rw 0 0
/dev/sda1 / ext4 rw 0 0
/dev/sdb1 /media/My\040Disk exfat rw 0 0
server:/music /mnt/music nfs4 rw 0 0
//nas/share /mnt/music/old cifs rw 0 0
me@host: /mnt/ssh fuse.sshfs rw 0 0
/dev/sdc1 /mnt/win fuseblk rw 0 0
tmpfs /mnt/ssh/tmp tmpfs rw 0 0
odd
"""


@pytest.mark.parametrize(
    ("path", "kind", "has_events", "has_inodes"),
    [
        ("/home/me/Music", "ext4", True, True),
        ("/media/My Disk/Suno", "exfat", True, False),
        ("/mnt/music", "nfs4", False, False),
        ("/mnt/musical", "ext4", True, True),
        ("/mnt/music/old/x", "cifs", False, False),
        ("/mnt/ssh/x", "fuse.sshfs", False, False),
        ("/mnt/ssh/tmp/x", "tmpfs", True, True),
        ("/mnt/win/x", "fuseblk", True, False),
    ],
)
def test_the_disk_of_a_path_says_whether_changes_are_told(
    path: str, kind: str, has_events: bool, has_inodes: bool
) -> None:
    disk = Disk(mount_type(path, MOUNTS))
    assert disk == Disk(kind)
    assert (disk.has_events, disk.has_inodes) == (has_events, has_inodes)


def test_a_disk_that_cannot_be_known_is_taken_for_a_local_one() -> None:
    assert Disk("").has_events
    assert mount_type("/x", b"") == ""


@pytest.mark.parametrize("path", ["\\\\server\\share\\Suno", "\\\\?\\C:\\Music"])
def test_a_share_of_windows_is_polled(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "realpath", str)
    assert disk_of(Path(path), platform="win32").has_events is path.startswith("\\\\?\\")


def test_a_disk_of_this_machine_is_found(tmp_path: Path) -> None:
    assert disk_of(tmp_path).has_events


def test_a_network_disk_is_told_as_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "disk_of", lambda _: Disk("nfs4"))
    with pytest.raises(OSError, match="no events from nfs4"):
        attend(tmp_path, lambda _: None)


@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "max_user_watches"), (errno.EMFILE, "max_user_instances")]
)
def test_a_limit_of_the_system_is_told_with_its_name(
    code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, "limit")

    monkeypatch.setattr(mounts._Listener, "_start", refuse)
    with pytest.raises(OSError, match=words):
        attend(tmp_path, lambda _: None)


@pytest.mark.skipif(sys.platform != "linux", reason="counts watches as Linux has them")
def test_changes_at_every_depth_are_heard_and_reading_is_not(tmp_path: Path) -> None:
    root = tmp_path / "link"
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "real" / "old.wav").write_bytes(b"x")
    root.symlink_to(tmp_path / "real", target_is_directory=True)
    heard: queue.SimpleQueue[str] = queue.SimpleQueue()
    attention = attend(root, heard.put)
    try:
        assert attention.is_alive
        assert attention.covers(2)
        assert not attention.covers(3)
        (root / "old.wav").read_bytes()
        (root / "deep" / "new.wav").write_bytes(b"x")
        assert heard.get(timeout=5) == str(root / "deep" / "new.wav")
        (root / "deep" / "new.wav").rename(root / "moved.wav")
        heard_before = list(iter(lambda: heard.get(timeout=5), str(root / "moved.wav")))
        assert set(heard_before) == {str(root / "deep" / "new.wav")}
    finally:
        attention.close()
    assert not attention.is_alive


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep the folder open")
def test_a_listener_whose_folder_is_deleted_is_not_alive(tmp_path: Path) -> None:
    from tests.watcher.support import eventually

    folder = tmp_path / "exports"
    folder.mkdir()
    attention = attend(folder, lambda _: None)
    try:
        folder.rmdir()
        assert eventually(lambda: not attention.is_alive)
    finally:
        attention.close()
