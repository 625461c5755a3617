"""A desk that answers commands, without sockets."""

from __future__ import annotations

from typing import Any

import pytest

from ableton.addresses import COMMANDS, COMMON_REFUSALS
from ableton.clients import Clients
from ableton.follower import Heard
from ableton.handlers import Asked, Desk, answer
from ableton.messages import encode
from ableton.storyteller import Storyteller
from bridge.testing.service import FakeService
from tests.ableton.handlers.support import Ask
from tests.ableton.support import FakeRoute, heard


@pytest.fixture
def route() -> FakeRoute:
    return FakeRoute()


@pytest.fixture
def clients(route: FakeRoute) -> Clients:
    clients = Clients(heartbeat_s=10.0)
    clients.hear("me", route)
    return clients


@pytest.fixture
def desk(service: FakeService, clients: Clients) -> Desk:
    return Desk(
        service=service,
        clients=clients,
        storyteller=Storyteller(service.feed, lambda: clients.subscribers),
    )


@pytest.fixture
def ask(desk: Desk, route: FakeRoute) -> Ask:
    """Gives a command with the next number, or with ``seq``; gives its answer, one that the page names."""
    numbers = iter(range(1, 1000))

    def ask(name: str, *arguments: Any, seq: int = 0) -> Heard:
        command = COMMANDS[f"/stembridge/{name}"]
        values = command.read(["me", seq or next(numbers), *arguments])
        found = heard(encode(answer(desk, Asked(command=command, arguments=values, route=route))))
        expected = (*command.refusals, *COMMON_REFUSALS) if found.name == "refused" else command.replies
        assert found.values.get("code", found.name) in expected, "the page does not say so"
        return found

    return ask
