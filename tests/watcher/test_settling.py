"""When a file is quiet, by an injected clock."""

from pathlib import Path

from bridge.service.marks import Mark
from watcher.settling import Settling

SONG = Path("song.wav")
SMALL, LARGE = Mark(10, 1, 7), Mark(20, 2, 7)


def test_a_file_is_quiet_when_it_looked_the_same_for_long_enough() -> None:
    settling = Settling(3.0)
    settling.see(SONG, SMALL, 100.0)
    settling.see(SONG, SMALL, 102.0)
    assert settling.next_due_s == 103.0
    assert settling.take_due(102.9) == []
    assert settling.take_due(103.0) == [(SONG, SMALL)]
    assert list(settling) == []


def test_every_change_begins_the_wait_anew() -> None:
    settling = Settling(3.0)
    settling.see(SONG, SMALL, 100.0)
    settling.see(SONG, LARGE, 102.9)
    assert settling.take_due(105.8) == []
    assert settling.take_due(105.9) == [(SONG, LARGE)]


def test_an_old_time_of_change_does_not_shorten_the_wait() -> None:
    """A download keeps the time of its original."""
    settling = Settling(3.0)
    settling.see(SONG, Mark(10, 0, 7), 100.0)
    assert settling.take_due(102.0) == []


def test_a_file_that_is_let_go_is_never_due() -> None:
    settling = Settling(3.0)
    settling.see(SONG, SMALL, 100.0)
    settling.drop(SONG)
    settling.drop(SONG)
    assert settling.next_due_s is None
    assert settling.take_due(200.0) == []


def test_a_held_file_waits_as_long_as_it_is_told() -> None:
    settling = Settling(3.0)
    settling.hold(SONG, SMALL, 160.0)
    settling.see(SONG, SMALL, 101.0)
    assert settling.due(159.0) == []
    assert settling.due(160.0) == [SONG]


def test_files_come_in_the_order_in_which_their_waits_ended() -> None:
    settling = Settling(1.0)
    for number in (3, 1, 2):
        settling.see(Path(f"{number}.wav"), SMALL, float(number))
    assert [quiet.path.name for quiet in settling.take_due(9.0)] == ["1.wav", "2.wav", "3.wav"]
