"""Doors open and close, and one that does not open keeps no other from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from bridge import registry
from bridge.errors import RegistryError, ServiceError
from bridge.service import Frontend, Service
from bridge.service.doors import Doors
from bridge.testing.service import FakeService


class Spy:
    """A door that notes what happens to it."""

    log: ClassVar[list[str]] = []
    trouble: ClassVar[Exception | None] = None
    name = "spy"

    def start(self, service: Service) -> None:
        if type(self).trouble is not None:
            raise type(self).trouble
        self.log.append(f"{self.name} opens")

    def stop(self) -> None:
        self.log.append(f"{self.name} closes")


class Watch(Spy):
    name = "watch"


class Osc(Spy):
    name = "osc"
    trouble: ClassVar[Exception | None] = None


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    doors = {"osc": Osc, "watch": Watch}
    monkeypatch.setattr(registry, "names", lambda group: tuple(sorted(doors)))
    monkeypatch.setattr(registry, "load", lambda group, name: doors[name])
    Spy.log.clear()
    Osc.trouble = None
    yield Spy.log
    Osc.trouble = None


def test_a_door_needs_start_and_stop() -> None:
    assert isinstance(Watch(), Frontend)
    assert not isinstance(object(), Frontend)


def test_doors_close_in_reverse(log: list[str]) -> None:
    doors = Doors(FakeService())
    doors.open_all()
    doors.close_all()
    assert log == ["osc opens", "watch opens", "watch closes", "osc closes"]


def test_a_door_that_the_settings_leave_out_stays_closed(log: list[str]) -> None:
    Doors(FakeService({"service": {"without": ["osc"]}})).open_all()
    assert log == ["watch opens"]


@pytest.mark.parametrize("trouble", [ServiceError("The port is taken."), ValueError("a fault")])
def test_a_door_that_cannot_open_says_why_and_keeps_no_other_from_it(
    log: list[str], trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    Osc.trouble = trouble
    service = FakeService()
    doors = Doors(service)
    doors.open_all()
    assert log == ["osc closes", "watch opens"]
    assert doors.closed == ("osc",)
    (state,) = service.states
    assert (state.name, state.is_open) == ("osc", False)
    assert str(trouble) in state.words
    assert str(trouble) in caplog.text


def test_a_door_that_can_neither_open_nor_close_keeps_no_other_from_it(
    log: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its stop needs what its start did not get round to."""
    Osc.trouble = OSError(13, "Permission denied", "Today.m3u")
    monkeypatch.setattr(Osc, "stop", lambda self: self.thread.join(), raising=True)
    service = FakeService()
    doors = Doors(service)
    doors.open_all()
    assert log == ["watch opens"]
    assert doors.closed == ("osc",)
    assert "Please report" not in service.states[0].words
    assert "did not close" in caplog.text


def test_a_door_whose_making_fails_keeps_no_other_from_it(
    log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def _broken(self: Spy) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Osc, "__init__", _broken)
    doors = Doors(FakeService())
    doors.open_all()
    assert (log, doors.closed) == (["watch opens"], ("osc",))


def test_doors_that_close_while_the_service_goes_on_say_so(log: list[str]) -> None:
    service = FakeService()
    doors = Doors(service)
    doors.open_all()
    doors.close_all("closed for today")
    assert [(state.name, state.is_open, state.words) for state in service.states] == [
        ("watch", False, "closed for today"),
        ("osc", False, "closed for today"),
    ]


def test_the_same_trouble_is_told_once_and_passes(log: list[str], caplog: pytest.LogCaptureFixture) -> None:
    Osc.trouble = ServiceError("The port is taken.")
    doors = Doors(FakeService())
    doors.open_all()
    doors.try_closed()
    assert caplog.text.count("The port is taken.") == 1
    Osc.trouble = None
    doors.try_closed()
    assert doors.closed == ()
    assert log[-1] == "osc opens"


def test_a_door_that_does_not_import_is_told(monkeypatch: pytest.MonkeyPatch, log: list[str]) -> None:
    def _broken(group: str, name: str) -> type[Spy]:
        if name == "osc":
            raise RegistryError("bridge.frontends 'osc' does not import.")
        return Watch

    monkeypatch.setattr(registry, "load", _broken)
    doors = Doors(FakeService())
    doors.open_all()
    assert doors.closed == ("osc",)
    assert log == ["watch opens"]


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"watch"}, ["watch closes", "watch opens"]),
        ({"osc", "mix"}, ["osc closes", "osc opens"]),
        ({"recipes"}, ["osc closes", "osc opens", "watch closes", "watch opens"]),
        ({"mix"}, []),
    ],
    ids=["its own", "another's", "shared", "none of its business"],
)
def test_doors_follow_the_settings_that_concern_them(
    log: list[str], sections: set[str], expected: list[str]
) -> None:
    doors = Doors(FakeService())
    doors.open_all()
    log.clear()
    doors.follow(sections, {"recipes"})
    assert log == expected


def test_a_door_that_could_not_open_and_is_left_out_now_is_not_tried_again(log: list[str]) -> None:
    Osc.trouble = ServiceError("The port is taken.")
    doors = Doors(FakeService())
    doors.open_all()
    doors._service = service = FakeService({"service": {"without": ["osc"]}})
    doors.follow({"service"}, set())
    assert doors.closed == ()
    assert (service.states[-1].name, service.states[-1].words) == ("osc", "left out by the settings")
