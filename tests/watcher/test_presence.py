"""A watched folder that comes, goes and comes back, and how it is listened to."""

import errno
import logging
from pathlib import Path

import pytest

from bridge.config import Watch
from tests.watcher.support import Clock
from watcher.mounts import Hear
from watcher.presence import AWAY, Presence

SETTINGS = Watch(folders=(), quiet_s=3, poll_s=5, rescan_s=60)


class Ear:
    """Stands for a listener."""

    def __init__(self, folders: int = 10**6) -> None:
        self.is_alive = True
        self._folders = folders

    def covers(self, folders: int) -> bool:
        return folders <= self._folders

    def close(self) -> None:
        self.is_alive = False


class Ears:
    """Makes listeners, or refuses."""

    def __init__(self) -> None:
        self.made: list[Ear] = []
        self.refusal = ""
        self.folders = 10**6

    def __call__(self, folder: Path, hear: Hear) -> Ear:
        if self.refusal:
            raise OSError(errno.ENOSPC, self.refusal)
        self.made.append(Ear(self.folders))
        return self.made[-1]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def presence(root: Path, ears: Ears, clock: Clock) -> Presence:
    return Presence(root, SETTINGS, ears, lambda _: None, clock)


def test_a_folder_that_is_there_is_listened_to_once(presence: Presence, ears: Ears) -> None:
    assert presence.look()
    assert not presence.look()
    assert (presence.how, presence.pause_s) == ("events", 60)
    assert len(ears.made) == 1


def test_a_folder_that_goes_is_away_and_is_listened_to_anew_when_it_is_back(
    presence: Presence, root: Path, ears: Ears, caplog: pytest.LogCaptureFixture
) -> None:
    presence.look()
    root.rename(root.with_name("away"))
    with caplog.at_level(logging.WARNING):
        assert not presence.look()
        assert not presence.look()
    assert (presence.how, presence.pause_s) == (AWAY, 5)
    assert caplog.text.count("is away") == 1
    assert not ears.made[0].is_alive
    root.with_name("away").rename(root)
    with caplog.at_level(logging.INFO):
        assert presence.look()
        assert not presence.look()
    assert caplog.text.count("is there") == 1
    assert ears.made[1].is_alive


def test_another_folder_in_its_place_is_a_new_one(presence: Presence, root: Path, ears: Ears) -> None:
    """An unmounted disk leaves an empty folder where it was."""
    presence.look()
    root.rename(root.with_name("away"))
    root.mkdir()
    assert not presence.is_unchanged()
    assert presence.look()
    assert [ear.is_alive for ear in ears.made] == [False, True]


def test_where_there_is_no_hearing_the_folder_is_polled_and_says_why(
    presence: Presence, ears: Ears, clock: Clock
) -> None:
    ears.refusal = "the limit is reached"
    presence.look()
    assert presence.how == "polling every 5 s (the limit is reached)"
    assert presence.pause_s == 5
    ears.refusal = ""
    presence.look()
    assert presence.how.startswith("polling")
    clock.now_s += 60
    presence.look()
    assert presence.how == "events"


def test_a_listener_that_died_is_replaced(presence: Presence, ears: Ears, clock: Clock) -> None:
    presence.look()
    ears.made[0].is_alive = False
    clock.now_s += 60
    assert not presence.look()
    assert ears.made[1].is_alive


def test_a_listener_that_died_is_a_change(presence: Presence, ears: Ears) -> None:
    """As when the folder is deleted and made again so fast that it looks the same."""
    presence.look()
    assert not presence.has_changed()
    ears.made[0].is_alive = False
    assert presence.has_changed()
    presence.look()
    assert presence.how == "events"
    assert not presence.has_changed()


def test_a_folder_that_goes_is_a_change_and_one_that_is_away_is_none(presence: Presence, root: Path) -> None:
    assert not presence.has_changed()
    presence.look()
    root.rmdir()
    assert presence.has_changed()
    presence.look()
    assert not presence.has_changed()


def test_a_listener_that_misses_folders_twice_is_given_up(presence: Presence, ears: Ears) -> None:
    """watchdog says nothing when the system refuses to watch a sub-folder."""
    ears.folders = 3
    presence.look()
    presence.expect_covered(4)
    assert presence.how == "events"
    presence.expect_covered(3)
    presence.expect_covered(4)
    assert presence.how == "events"
    presence.expect_covered(4)
    assert presence.how.startswith("polling every 5 s")


def test_a_file_in_the_place_of_the_folder_is_no_folder(presence: Presence, root: Path) -> None:
    root.rmdir()
    root.touch()
    presence.look()
    assert not presence.is_there
