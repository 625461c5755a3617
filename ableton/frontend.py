"""The OSC door: opened by the service, closed by it."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Final

from ableton.addresses import SENT
from ableton.clients import Clients
from ableton.guard import TokenGuard
from ableton.handlers import Desk
from ableton.loop import SocketLoop
from ableton.messages import encode
from ableton.pulse import Pulse
from ableton.recap import tell_states
from ableton.reception import Reception
from ableton.sockets import OpenSockets, host_words, open_sockets
from ableton.storyteller import Storyteller
from ableton.tcp import TcpConnection, TcpWire
from ableton.udp import UdpWire
from bridge.service import DoorState, Service

log = logging.getLogger(__name__)

NAME: Final = "osc"
SILENT_S: Final = 60.0
"""A TCP connection from which nothing came for so long, and for six heartbeats, is closed."""
JOIN_S: Final = 5.0


class OscFrontend:
    """Commands and events as OSC messages (docs/osc.md), by UDP and TCP on one port.

    While nobody is connected, its threads sleep.
    """

    def __init__(self) -> None:
        self.port = 0
        """The port that was opened; what the settings say, unless they say 0."""
        self._closers = contextlib.ExitStack()
        self._told_count = -1

    def start(self, service: Service) -> None:
        """Open the door; ConfigError or ServiceError, with what to do, where it cannot be."""
        settings = service.config.osc
        sockets = self._opened(open_sockets(settings))
        self.port = sockets.port
        self._service = service
        self._clients = clients = Clients(heartbeat_s=settings.heartbeat_s)
        self._loop = SocketLoop()
        self._storyteller = Storyteller(
            service.feed, lambda: clients.subscribers, on_lost=self._tell_states_to_all
        )
        self._pulse = Pulse(
            settings.heartbeat_s, is_needed=self._is_anybody_there, beat=self._beat, look=self._tell_door
        )
        self._reception = Reception(self._desk(), TokenGuard(settings.token))
        self._wire(sockets)
        self._tell_door()
        self._start_threads()
        log.info("%s", self._words(), extra={"action": "door_opened"})

    def stop(self) -> None:
        """Tell the subscribers, and close the door."""
        self._closers.close()

    def _opened(self, sockets: OpenSockets) -> OpenSockets:
        self._closers.callback(sockets.close)
        return sockets

    def _desk(self) -> Desk:
        return Desk(
            service=self._service,
            clients=self._clients,
            storyteller=self._storyteller,
            on_subscribers=self._pulse.ask_look,
        )

    def _wire(self, sockets: OpenSockets) -> None:
        receive = self._reception.receive
        self._udp = UdpWire(sockets.udp, self._loop, receive)
        self._tcp = TcpWire(
            sockets.tcp,
            self._loop,
            receive,
            refuse=self._reception.refuse_unread,
            on_change=self._connection_changed,
        )
        self._closers.callback(self._tcp.close_all)
        self._closers.callback(self._loop.stop)

    def _start_threads(self) -> None:
        """Each has its end noted before the next begins; they end in reverse."""
        self._loop.start()
        self._reception.start()
        self._closers.callback(self._reception.stop)
        self._start_thread("osc-story", self._storyteller.run, self._storyteller.stop)
        self._start_thread("osc-pulse", self._pulse.run, self._pulse.stop)
        self._closers.callback(self._tell_closing)

    def _start_thread(self, name: str, run: Callable[[], None], stop: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        self._closers.callback(thread.join, JOIN_S)
        self._closers.callback(stop)

    def _is_anybody_there(self) -> bool:
        return bool(self._clients.subscribers) or self._tcp.has_connections

    def _beat(self) -> None:
        if self._clients.give_up_silent():
            self._tell_door()
        self._tcp.close_silent(max(SILENT_S, 6 * self._service.config.osc.heartbeat_s))
        packet = encode(SENT["beat"].message(self._service.feed.epoch, self._storyteller.told))
        for route in self._clients.subscribers:
            route.send(packet)

    def _tell_states_to_all(self) -> None:
        tell_states(self._service, *self._clients.subscribers)

    def _tell_closing(self) -> None:
        packet = encode(SENT["closing"].message(self._service.feed.epoch))
        for route in self._clients.subscribers:
            route.send(packet)

    def _connection_changed(self, closed: TcpConnection | None) -> None:
        if closed is not None:
            self._clients.give_up_route(closed)
        self._pulse.ask_look()

    def _tell_door(self) -> None:
        """Say how the door does, where that changed."""
        count = len(self._clients.subscribers)
        if count == self._told_count:
            return
        self._told_count = count
        facts = {"host": self._service.config.osc.host, "port": self.port, "clients": count}
        self._service.tell_state(DoorState(name=NAME, is_open=True, words=self._words(), facts=facts))

    def _words(self) -> str:
        count = max(0, self._told_count)
        clients = "no client" if count == 0 else f"{count} client" + "s" * (count != 1)
        return f"OSC on {host_words(self._service.config.osc.host, self.port)} (UDP and TCP), {clients}"
