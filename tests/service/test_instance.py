"""One service for a data folder."""

from __future__ import annotations

import contextlib
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from bridge.errors import ServiceError
from bridge.jobs import this_process
from bridge.service import DoorState, read_state
from bridge.service.instance import STOP_FILE, Instance, StopRequest, StopWay, ask_to_stop
from bridge.service.state import LOCK_FILE, STATE_FILE


def instance(folder: Path) -> Instance:
    return Instance(folder, version="1.2.3", jobs=1)


def test_a_second_service_is_told_who_has_the_folder(tmp_path: Path) -> None:
    with instance(tmp_path), pytest.raises(ServiceError) as refused, instance(tmp_path):
        pass
    assert f"process {this_process().pid} on" in refused.value.message
    assert "stembridge stop" in refused.value.message


def test_the_folder_is_free_again_afterwards_and_nothing_claims_to_run(tmp_path: Path) -> None:
    with instance(tmp_path):
        assert read_state(tmp_path) is not None
    assert read_state(tmp_path) is None
    with instance(tmp_path) as again:
        assert read_state(tmp_path) == again.state


def test_a_state_that_a_killed_service_left_counts_for_nothing(tmp_path: Path) -> None:
    with instance(tmp_path) as running:
        left = running.state
    dead = left.evolve(process=left.process.evolve(pid=2**22 + 1))
    (tmp_path / STATE_FILE).write_text(dead.model_dump_json(), encoding="utf-8")
    assert read_state(tmp_path) is None
    with instance(tmp_path) as again:
        assert read_state(tmp_path) == again.state


def test_half_a_state_file_is_no_state(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_text('{"version": "1', encoding="utf-8")
    assert read_state(tmp_path) is None


def test_doors_tell_how_they_do_and_a_newer_word_replaces_the_old(tmp_path: Path) -> None:
    with instance(tmp_path) as running:
        running.tell_door(DoorState(name="watch", is_open=True, words="watching 1 folder"))
        running.tell_door(DoorState(name="osc", is_open=False, words="The port is taken."))
        running.tell_door(DoorState(name="watch", is_open=True, words="watching 2 folders"))
        told = read_state(tmp_path)
    assert told is not None
    assert [(door.name, door.words) for door in told.doors] == [
        ("osc", "The port is taken."),
        ("watch", "watching 2 folders"),
    ]


def test_doors_that_tell_at_the_same_time_are_all_heard(tmp_path: Path) -> None:
    rounds = 200
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with instance(tmp_path) as running:

            def tell(name: str) -> None:
                for number in range(rounds):
                    running.tell_door(DoorState(name=name, is_open=True, words=str(number)))

            threads = [threading.Thread(target=tell, args=(name,)) for name in ("a", "b", "c")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert {door.words for door in running.state.doors} == {str(rounds - 1)}
    finally:
        sys.setswitchinterval(before)


def test_the_state_is_written_only_when_it_changes(tmp_path: Path) -> None:
    with instance(tmp_path) as running:
        running.tell(paused="full")
        before = (tmp_path / STATE_FILE).stat().st_ino
        running.tell(paused="full")
        assert (tmp_path / STATE_FILE).stat().st_ino == before
        running.tell(paused="")
        assert (tmp_path / STATE_FILE).stat().st_ino != before


@pytest.mark.parametrize("way", StopWay)
def test_a_service_can_be_asked_to_stop(tmp_path: Path, way: StopWay) -> None:
    with instance(tmp_path) as running:
        assert running.wanted_stop() is None
        ask_to_stop(tmp_path, way)
        assert running.wanted_stop() is way


def test_a_wish_for_an_earlier_service_does_not_stop_this_one(tmp_path: Path) -> None:
    earlier = this_process().evolve(started="long ago")
    with instance(tmp_path) as running:
        wish = StopRequest(process=earlier, way=StopWay.NOW)
        (tmp_path / STOP_FILE).write_text(wish.model_dump_json(), encoding="utf-8")
        assert running.wanted_stop() is None


def test_there_is_nothing_to_stop_where_none_runs(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="nothing to stop"):
        ask_to_stop(tmp_path, StopWay.NOW)


def test_a_state_that_could_not_be_written_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk was full, or on Windows somebody was just reading it."""
    replace = Path.replace

    def refuse(_path: Path, _target: Path) -> Path:
        raise PermissionError("somebody reads it")

    with instance(tmp_path) as running:
        monkeypatch.setattr(Path, "replace", refuse)
        running.tell(is_ready=True)
        monkeypatch.setattr(Path, "replace", replace)
        running.tell()
        state = read_state(tmp_path)
    assert state is not None
    assert state.is_ready


@pytest.mark.parametrize("holds", [True, False], ids=["it runs", "it lost its power"])
def test_a_service_whose_host_has_another_name_runs_as_long_as_it_holds_its_lock(
    tmp_path: Path, holds: bool
) -> None:
    with instance(tmp_path) as running:
        other = running.state.evolve(process=running.state.process.evolve(host="before-the-network"))
    (tmp_path / STATE_FILE).write_text(other.model_dump_json(), encoding="utf-8")
    with FileLock(tmp_path / LOCK_FILE) if holds else contextlib.nullcontext():
        assert (read_state(tmp_path) is not None) is holds
