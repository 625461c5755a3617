"""Receives packets: reads them, says at once that they came, and has them done elsewhere.

Everything here runs in the thread that receives, so nothing here waits or touches the disk.
"""

from __future__ import annotations

import difflib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from ableton.addresses import CLIENT, COMMANDS, SENT, SENT_ADDRESSES, SEQ
from ableton.clients import Verdict
from ableton.contract import ArgumentsError, Code
from ableton.guard import Allowance, TokenGuard
from ableton.handlers import Asked, Desk, answer
from ableton.lanes import Lanes
from ableton.messages import MalformedError, Message, cut, decode, encode
from ableton.routes import Route

log = logging.getLogger(__name__)

NO_CLIENT: Final = ""
NO_SEQ: Final = -1
WARM_UP_GAP_S: Final = 10.0
_SESSION_COMMANDS: Final = frozenset(["subscribe", "ping", "events", "unsubscribe"])
"""Commands about the connection, done apart from the others: no song's disk may keep a sign of life back."""
_OF_KNOWN_CLIENTS: Final = _SESSION_COMMANDS - {"subscribe"}
"""Commands of clients that believe that the service knows them."""


class Reception:
    """Takes packets in and lets their commands take effect once."""

    def __init__(self, desk: Desk, guard: TokenGuard, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._clients = desk.clients
        self._guard = guard
        self._clock = clock
        self._strangers = Allowance(clock=clock)
        self._lanes: Lanes[Asked] = Lanes(self._work)
        self._session_lanes: Lanes[Asked] = Lanes(self._work, name="osc-session")
        self._warmed_s = clock() - WARM_UP_GAP_S

    def start(self) -> None:
        """Do commands from here on."""
        self._lanes.start()
        self._session_lanes.start()

    def stop(self) -> None:
        """Do no more."""
        self._session_lanes.stop()
        self._lanes.stop()

    def receive(self, packet: bytes, route: Route) -> bool:
        """A packet came in; whether it held a command of somebody who may give it."""
        try:
            messages = decode(packet)
        except MalformedError as error:
            self.refuse_unread(route, str(error))
            return False
        admitted = [self._take(message, route) for message in messages]
        return any(admitted)

    def refuse_unread(self, route: Route, words: str) -> None:
        """Answer what could not be read."""
        self._refuse_stranger(route, (), Code.BAD_MESSAGE, lambda: words)

    def _take(self, message: Message, route: Route) -> bool:
        if message.address in SENT_ADDRESSES:  # an echo of our own words; to answer it would never end
            return False
        command = COMMANDS.get(message.address)
        if command is None:
            self._refuse_stranger(
                route, message.arguments, Code.UNKNOWN_ADDRESS, lambda: _unknown(message.address)
            )
            return False
        try:
            arguments = command.read(message.arguments)
        except ArgumentsError as error:
            words = str(error)
            self._refuse_stranger(route, message.arguments, Code.BAD_ARGUMENTS, lambda: words)
            return False
        return self._admit(Asked(command=command, arguments=arguments, route=route))

    def _admit(self, asked: Asked) -> bool:
        way = asked.route
        if asked.command.name == "hello":
            why_not = self._guard.why_not(way.host, asked.text("token"))
            port = self._port_named(asked.number("reply_port"))
            way = way.at_port(port) if port else way
        else:
            is_permitted = self._clients.may_command(asked.client, way)
            why_not = "" if is_permitted else "Say hello with the token first: this is another machine."
        if why_not:
            self._refuse_stranger(way, (asked.client, asked.seq), Code.NOT_PERMITTED, lambda: why_not)
            return False
        was_known = self._clients.is_known(asked.client)
        self._clients.hear(asked.client, asked.route)
        self._tell_if_given_up(asked, was_known=was_known)
        self._do_once(asked)
        return True

    def _tell_if_given_up(self, asked: Asked, *, was_known: bool) -> None:
        is_lost = not was_known and asked.command.name in _OF_KNOWN_CLIENTS
        if asked.command.name != "hello" and (is_lost or self._clients.was_given_up(asked.client)):
            self._send(asked, SENT["unknown_client"].message(asked.client))

    def _do_once(self, asked: Asked) -> None:
        content = hash((asked.command.name, tuple(asked.arguments.values())))
        verdict = self._clients.take(asked.client, asked.seq, content)
        if verdict is Verdict.REUSED:
            self._send(asked, asked.reply("refused", Code.SEQUENCE_REUSED, _reused(asked.seq)))
        elif verdict is Verdict.NEW:
            self._begin(asked)
        else:
            self._acknowledge(asked)
            kept = self._clients.reply(asked.client, asked.seq)
            if kept is not None:
                self._desk.way_to(asked).send(kept)

    def _begin(self, asked: Asked) -> None:
        lanes = self._session_lanes if asked.command.name in _SESSION_COMMANDS else self._lanes
        if asked.command.name == "hello":
            self._greet(asked)
        elif lanes.has_room(asked.client):
            self._acknowledge(asked)
            lanes.put(asked.client, asked)
        else:
            self._clients.drop(asked.client, asked.seq)
            self._send(asked, asked.reply("refused", *_not_now(lanes)))

    def _greet(self, asked: Asked) -> None:
        """Done here: the answer to hello is all that a client can wait for, and it needs no disk."""
        self._clients.greet(asked.client, asked.route, self._port_named(asked.number("reply_port")))
        self._acknowledge(asked)
        self._work(asked)
        if self._clock() - self._warmed_s >= WARM_UP_GAP_S:
            self._warmed_s = self._clock()
            self._desk.service.warm_up()

    def _port_named(self, port: int) -> int | None:
        """The port for answers: 0 is the one sent from, -1 the one in the settings."""
        return self._desk.service.config.osc.reply_port if port < 0 else port or None

    def _work(self, asked: Asked) -> None:
        packet = encode(answer(self._desk, asked))
        self._clients.keep(asked.client, asked.seq, packet)
        self._desk.way_to(asked).send(packet)

    def _acknowledge(self, asked: Asked) -> None:
        self._send(asked, asked.reply("ack"))

    def _send(self, asked: Asked, message: Message) -> None:
        self._desk.way_to(asked).send(encode(message))

    def _refuse_stranger(
        self, route: Route, arguments: Sequence[object], code: Code, words: Callable[[], str]
    ) -> None:
        """Answer what is no command, while it does not come as a flood."""
        if not self._strangers.take():
            return
        why = words()
        log.debug("Refused from %s: %s", route.host, why, extra={"action": "osc_refused"})
        client, seq = _sender_of(arguments)
        packet = encode(SENT["refused"].message(client, seq, code, why))
        for way in self._clients.ways_back(client, route):
            way.send(packet)


def _not_now(lanes: Lanes[Asked]) -> tuple[Code, str]:
    if lanes.is_closed:
        return Code.CLOSING, "The service stops; say hello when it is back, then send the same again."
    return Code.BUSY, "Too many commands wait; try again soon."


def _sender_of(arguments: Sequence[object]) -> tuple[str, int]:
    """Client and seq of a message that is no command, where they can be read all the same."""
    try:
        return str(CLIENT.read(arguments[0])), int(SEQ.read(arguments[1]))
    except (IndexError, ArgumentsError):
        return NO_CLIENT, NO_SEQ


def _unknown(address: str) -> str:
    near = difflib.get_close_matches(address[:200], COMMANDS, n=1)
    hint = f" Did you mean {near[0]}?" if near else f" There are: {', '.join(COMMANDS)}."
    return f"There is no command {cut(address, 200)!r}.{hint}"


def _reused(seq: int) -> str:
    return f"Another command had the number {seq} before; count up with every new command."
