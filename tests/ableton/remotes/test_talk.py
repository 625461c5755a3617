"""What the remotes make of losses, word by word, with a service that is played by hand."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ableton.addresses import COMMANDS, SENT
from ableton.messages import decode, encode
from ableton.remotes import Setup
from bridge.config import load_config, shipped_config_path
from tests.ableton.remotes.conftest import KINDS
from tests.ableton.remotes.hosts import Host

EPOCH = "e1"
JOB = "j1"


class HandPlayed:
    """A service that says what the test has it say."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.005)
        self._peer: tuple[str, int] = ("127.0.0.1", 9)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def asked(self, remote: Host, name: str) -> dict[str, Any]:
        """The next command of that name; others before it are let be."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            with contextlib.suppress(TimeoutError):
                packet, self._peer = self._socket.recvfrom(65_536)
                (message,) = decode(packet)
                command = COMMANDS[message.address]
                if command.name == name:
                    found.append(dict(command.read(message.arguments)))
            return bool(found)

        remote.until(look, name)
        return found[0]

    def heard(self, remote: Host, seconds: float) -> list[str]:
        """The addresses of what comes in that time."""
        found = []
        for _ in range(int(seconds / 0.01)):
            remote.pump()
            with contextlib.suppress(TimeoutError):
                found += [message.address for message in decode(self._socket.recv(65_536))]
        return found

    def say(self, name: str, *values: Any, rows: list[tuple[Any, ...]] | None = None) -> None:
        self._socket.sendto(encode(SENT[name].message(*values, rows=rows or [])), self._peer)

    def answer(self, asked: dict[str, Any], name: str, *values: Any) -> None:
        self.say(name, asked["client"], asked["seq"], *values)

    def stage(self, number: int, after: int, words: str, epoch: str = EPOCH) -> None:
        self.say("stage", number, epoch, JOB, after, "separate", words, 0.5)

    def greet(self, remote: Host, heartbeat_s: float = 600.0) -> None:
        """From hello to the subscription, with one job at work."""
        last = 0
        self.answer(self.asked(remote, "hello"), "welcome", "9.9", 1, EPOCH, last, heartbeat_s, "")
        subscribe = self.asked(remote, "subscribe")
        row = (JOB, "PROCESSING", "ingest", 0.1, "Night Drive", "full", 0)
        self.say("resync", EPOCH, last, 0, 1, rows=[row])
        self.answer(subscribe, "subscribed", EPOCH, last, last)
        remote.until_shown("title", "Night Drive")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def service() -> Iterator[HandPlayed]:
    with contextlib.closing(HandPlayed()) as service:
        yield service


@pytest.fixture(**KINDS)
def remote(request: pytest.FixtureRequest, service: HandPlayed, tmp_path: Path) -> Iterator[Host]:
    setup = Setup.of(load_config(shipped_config_path()))
    with request.param(setup, service.port, tmp_path) as remote:
        yield remote


def test_after_a_gap_only_the_missing_event_has_to_come_again(remote: Host, service: HandPlayed) -> None:
    service.greet(remote)
    service.stage(1, 0, "one")
    remote.until_shown("stage", "one")
    service.stage(3, 2, "three")
    asked = service.asked(remote, "events")
    assert (asked["from"], asked["epoch"]) == (1, EPOCH)
    assert remote.shown("stage") == "one"
    service.stage(2, 1, "two")
    remote.until_shown("stage", "three")


def test_the_event_that_closes_a_gap_is_taken_however_many_wait_behind_it(
    remote: Host, service: HandPlayed
) -> None:
    service.greet(remote)
    for number in range(2, 252):
        service.stage(number, number - 1, str(number))
        remote.pump()
    service.asked(remote, "events")
    service.stage(1, 0, "1")
    remote.until(lambda: remote.shown("stage").isdigit() and int(remote.shown("stage")) >= 200, "the rest")


def test_what_waits_is_told_when_the_gap_before_it_is_known_to_be_empty(
    remote: Host, service: HandPlayed
) -> None:
    service.greet(remote)
    service.stage(5, 4, "five")
    service.answer(service.asked(remote, "events"), "events_told", EPOCH, 4, -1, 4)
    remote.until_shown("stage", "five")


def test_what_comes_twice_or_late_changes_nothing(remote: Host, service: HandPlayed) -> None:
    service.greet(remote)
    for number, after, words in [(1, 0, "one"), (2, 1, "two"), (1, 0, "one"), (2, 1, "again")]:
        service.stage(number, after, words)
    service.stage(3, 2, "elsewhere", epoch="other")
    service.say("beat", EPOCH, 2)
    assert service.heard(remote, 0.3) == []
    assert remote.shown("stage") == "two"


def test_a_beat_that_is_ahead_brings_what_was_missed(remote: Host, service: HandPlayed) -> None:
    service.greet(remote)
    service.say("beat", EPOCH, 2)
    asked = service.asked(remote, "events")
    service.answer(asked, "events_told", EPOCH, 2, 2, 2)
    assert service.asked(remote, "events")["from"] == 0, "the events that were told are lost: asked again"


def test_events_that_were_not_to_be_told_are_not_asked_for_again(remote: Host, service: HandPlayed) -> None:
    """Numbers have gaps: nothing was told up to 5."""
    service.greet(remote)
    service.say("beat", EPOCH, 5)
    asked = service.asked(remote, "events")
    service.answer(asked, "events_told", EPOCH, 5, -1, 5)
    service.say("beat", EPOCH, 5)
    assert "/stembridge/events" not in service.heard(remote, 0.3)


def test_the_state_is_whole_or_it_is_asked_for_again(remote: Host, service: HandPlayed) -> None:
    service.answer(service.asked(remote, "hello"), "welcome", "9.9", 1, EPOCH, 7, 600.0, "")
    subscribe = service.asked(remote, "subscribe")
    row = (JOB, "PROCESSING", "ingest", 0.1, "Night Drive", "full", 0)
    service.say("resync", EPOCH, 7, 1, 2, rows=[row])
    service.answer(subscribe, "subscribed", EPOCH, 7, 7)
    again = service.asked(remote, "subscribe")
    assert again["seq"] != subscribe["seq"]
    assert remote.shown("title") == ""
    service.say("resync", EPOCH, 7, 0, 2, rows=[("j0", *row[1:4], "Blue Hour", "full", 0)])
    remote.until_shown("title", "Night Drive")
    assert remote.shown("jobs").splitlines()[1].startswith("Blue Hour")


def test_a_subscription_that_ended_unheard_is_made_anew(remote: Host, service: HandPlayed) -> None:
    service.greet(remote)
    service.say("unknown_client", "whoever")
    assert "/stembridge/hello" not in service.heard(remote, 0.2), "that was for another"
    service.say("closing", EPOCH)
    service.answer(service.asked(remote, "hello"), "welcome", "9.9", 1, EPOCH, 0, 600.0, "")
    assert service.asked(remote, "subscribe")["from"] == 0


def test_each_heartbeat_a_sign_of_life_is_given(remote: Host, service: HandPlayed) -> None:
    service.greet(remote, heartbeat_s=0.2)
    ping = service.asked(remote, "ping")
    service.answer(ping, "pong", EPOCH, 0, 1)
    assert service.asked(remote, "ping")["seq"] > ping["seq"]


def test_a_pong_that_knows_of_no_subscription_brings_one(remote: Host, service: HandPlayed) -> None:
    """The notice that it ended was lost."""
    service.greet(remote, heartbeat_s=1.0)
    service.answer(service.asked(remote, "ping"), "pong", EPOCH, 0, 0)
    assert "/stembridge/hello" in service.heard(remote, 0.4), "at once, not when it was silent for long"


def test_a_ping_that_nobody_hears_brings_a_hello(remote: Host, service: HandPlayed) -> None:
    service.greet(remote, heartbeat_s=0.2)
    assert service.asked(remote, "hello")["seq"] > 2
    remote.until(lambda: "Connected" not in remote.shown("state"), "the lamp")


def test_answers_to_others_are_let_be(remote: Host, service: HandPlayed) -> None:
    service.greet(remote)
    remote.press("process_newest")
    asked = service.asked(remote, "process_newest")
    service.say("refused", "another", asked["seq"], "no_song", "No song.")
    assert service.asked(remote, "process_newest")["seq"] == asked["seq"], "it is still asked"
    assert remote.shown("message") == ""
    service.answer(asked, "accepted", "j2", 1, "PENDING", "Blue Hour")
    remote.until_shown("title", "Blue Hour")


def test_an_answer_that_comes_after_its_events_does_not_turn_them_back(
    remote: Host, service: HandPlayed
) -> None:
    service.greet(remote)
    remote.press("process_newest")
    asked = service.asked(remote, "process_newest")
    service.say("failed", 1, EPOCH, JOB, 0, "InputError", "It is too short.")
    remote.until_shown("stage", "Failed")
    service.answer(asked, "accepted", JOB, 0, "PENDING", "Night Drive")
    assert service.heard(remote, 0.3) == []
    assert remote.shown("stage") == "Failed"


def test_a_busy_service_is_asked_again_with_the_same_number(remote: Host, service: HandPlayed) -> None:
    service.greet(remote)
    remote.press("process_newest")
    asked = service.asked(remote, "process_newest")
    service.answer(asked, "refused", "busy", "Too much at once.")
    again = service.asked(remote, "process_newest")
    assert again == asked
    service.answer(again, "accepted", "j2", 1, "PENDING", "Blue Hour")
    remote.until_shown("title", "Blue Hour")


def test_the_job_at_work_keeps_its_place(remote: Host, service: HandPlayed) -> None:
    service.greet(remote)
    service.say("queued", 1, EPOCH, "j2", 0, "Blue Hour", "full")
    remote.until(lambda: "Blue Hour" in remote.shown("jobs"))
    assert remote.shown("title") == "Night Drive"
    service.say("cancelled", 2, EPOCH, JOB, 1, "By hand.")
    remote.until_shown("stage", "Cancelled")
    service.say("started", 3, EPOCH, "j2", 2, 1)
    remote.until_shown("title", "Blue Hour")


def test_a_late_answer_to_an_older_press_leaves_the_newer_one_shown(
    remote: Host, service: HandPlayed
) -> None:
    service.greet(remote)
    remote.press("cancel")
    older = service.asked(remote, "cancel")
    remote.press("process_newest")
    service.answer(service.asked(remote, "process_newest"), "accepted", "j2", 1, "PENDING", "Blue Hour")
    remote.until_shown("title", "Blue Hour")
    service.answer(older, "accepted", JOB, 0, "CANCELLED", "Night Drive")
    remote.until(lambda: "Night Drive  -  Cancelled" in remote.shown("jobs"))
    assert remote.shown("title") == "Blue Hour"


def test_the_job_at_work_stays_in_sight_however_many_come_after_it(remote: Host, service: HandPlayed) -> None:
    service.greet(remote)
    for number in range(1, 150):
        service.say("queued", number, EPOCH, f"j{number + 1}", number - 1, f"Song {number}", "full")
        remote.pump()
    remote.until(lambda: "Song 149" in remote.shown("jobs"))
    service.say("stage", 150, EPOCH, JOB, 149, "mix", "Mixing", 0.5)
    remote.until_shown("stage", "Mixing")
    assert remote.shown("title") == "Night Drive"


def test_of_many_jobs_the_one_at_work_is_shown(remote: Host, service: HandPlayed) -> None:
    """As many as a state has at most: those that ended come first, those that wait last."""
    service.answer(service.asked(remote, "hello"), "welcome", "9.9", 1, EPOCH, 0, 600.0, "")
    subscribe = service.asked(remote, "subscribe")
    states = ["SUCCESS"] * 5 + ["PROCESSING"] + ["PENDING"] * 50
    rows = [(f"j{at}", state, "mix", 0.5, f"Song {at}", "full", 0) for at, state in enumerate(states)]
    pages = [rows[at : at + 8] for at in range(0, len(rows), 8)]
    for part, page in enumerate(pages):
        service.say("resync", EPOCH, 0, part, len(pages), rows=page)
        remote.pump()
    service.answer(subscribe, "subscribed", EPOCH, 0, 0)
    remote.until_shown("title", "Song 5")


def test_a_job_of_which_nothing_was_told_is_asked_for_its_title(remote: Host, service: HandPlayed) -> None:
    service.greet(remote)
    service.say("cancelled", 1, EPOCH, JOB, 0, "By hand.")
    service.say("started", 2, EPOCH, "j2", 1, 1)
    asked = service.asked(remote, "status")
    assert asked["job"] == "j2"
    service.answer(asked, "job", "j2", "PROCESSING", "mix", 0.5, "Blue Hour", "full", 1, 0, "", "")
    remote.until_shown("title", "Blue Hour")


def test_the_time_that_was_left_is_forgotten_when_a_job_waits(remote: Host, service: HandPlayed) -> None:
    service.greet(remote)
    service.say("progress", 1, EPOCH, JOB, 0, 0.5, 65.0, "mix", "Mixing")
    remote.until_shown("remaining", "1:05 to go")
    service.say("postponed", 2, EPOCH, JOB, 1, 30.0, "No room is left.")
    remote.until_shown("stage", "Goes on in 0:30")
    assert remote.shown("remaining") == ""
