"""TouchOSC on a tablet: another machine, which has to show the token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ableton.remotes import Setup
from bridge.testing.service import FakeService
from tests.ableton.remotes.conftest import fake_service, needs_lupa
from tests.ableton.remotes.hosts import TouchOsc
from tests.ableton.support import open_door

pytestmark = needs_lupa
TOKEN = "quite-a-long-token"


@pytest.fixture
def service(folder: Path) -> FakeService:
    return fake_service(folder, token=TOKEN)


@pytest.fixture
def strict_port(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A door that takes this machine for another."""
    for module in ("clients", "guard"):
        monkeypatch.setattr(f"ableton.{module}.is_loopback", lambda _host: False)
    with open_door(service) as door:
        yield door.port


def hellos(remote: TouchOsc) -> int:
    return sum(message.address == "/stembridge/hello" for message in remote.said)


def test_the_layout_that_was_exported_is_let_in(
    service: FakeService, strict_port: int, song: Path, tmp_path: Path
) -> None:
    with closing(TouchOsc(Setup.of(service.config), strict_port, tmp_path)) as remote:
        remote.until(lambda: remote.shown("state").startswith("Connected"))
        remote.press("process_newest")
        remote.until(lambda: service.count() == 1)
        assert service.jobs()[0].request.source == song


def test_a_wrong_token_is_told_and_tried_again_after_a_minute(
    service: FakeService, strict_port: int, tmp_path: Path
) -> None:
    """Sooner, it would only be barred for longer."""
    setup = Setup.of(service.config).evolve(token="another-long-token")
    with closing(TouchOsc(setup, strict_port, tmp_path)) as remote:
        remote.until(lambda: "wrong token" in remote.shown("message"))
        assert remote.shown("state") == "Not let in; tried again in a minute"
        remote.press("process_newest")
        remote.skipped_s = 50.0
        for _ in range(20):
            remote.pump()
        assert len(remote.said) == hellos(remote) == 1
        remote.skipped_s = 70.0
        remote.until(lambda: hellos(remote) == 2)
    assert service.count() == 0


def test_commands_are_said_again_when_the_service_had_forgotten_who_asks(
    folder: Path, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started anew without a word, it does not know the token was shown."""
    for module in ("clients", "guard"):
        monkeypatch.setattr(f"ableton.{module}.is_loopback", lambda _host: False)
    with open_door(fake_service(folder, token=TOKEN)) as door:
        port = door.port
        remote = TouchOsc(Setup.of(fake_service(folder, token=TOKEN).config), port, tmp_path)
        remote.until(lambda: remote.shown("state").startswith("Connected"))
    second = fake_service(folder, port=port, token=TOKEN)
    with closing(remote), open_door(second):
        remote.press("process_newest")  # before it heard that the first one closed
        remote.until(lambda: second.count() == 1)
        assert second.jobs()[0].request.source == song
        remote.until(lambda: remote.shown("stage") == "Waiting")
