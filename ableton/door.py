"""An open door: its sockets and threads, and what it says of itself."""

from __future__ import annotations

import contextlib
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
from ableton.sockets import OpenSockets, host_words
from ableton.storyteller import Storyteller
from ableton.tcp import TcpConnection, TcpWire
from ableton.udp import UdpWire
from bridge.service import DoorState, Service

NAME: Final = "osc"
SILENT_S: Final = 60.0
"""A TCP connection from which nothing came for so long, and for six heartbeats, is closed."""
JOIN_S: Final = 5.0


class Door:
    """Serves the clients of one pair of sockets from ``open`` to ``close``."""

    def __init__(self, service: Service, sockets: OpenSockets) -> None:
        settings = service.config.osc
        self._service = service
        self._where = host_words(settings.host, sockets.port)
        self._facts = {"host": settings.host, "port": sockets.port}
        self._silent_s = max(SILENT_S, 6 * settings.heartbeat_s)
        self._told_count = -1
        self._closers = contextlib.ExitStack()
        self._closers.callback(sockets.close)
        self._clients = Clients(heartbeat_s=settings.heartbeat_s)
        self._storyteller = Storyteller(
            service.feed, lambda: self._clients.subscribers, on_lost=self._tell_states
        )
        self._pulse = Pulse(
            settings.heartbeat_s, is_needed=self._is_anybody_there, beat=self._beat, look=self._tell_count
        )
        self._reception = Reception(self._desk(), TokenGuard(settings.token))
        self._loop = SocketLoop()
        self._udp = UdpWire(sockets.udp, self._loop, self._reception.receive)
        self._tcp = TcpWire(
            sockets.tcp,
            self._loop,
            self._reception.receive,
            refuse=self._reception.refuse_unread,
            on_change=self._connection_changed,
        )

    @property
    def words(self) -> str:
        """How it does, for people."""
        count = max(0, self._told_count)
        clients = "no client" if count == 0 else f"{count} client" + "s" * (count != 1)
        return f"OSC on {self._where} (UDP and TCP), {clients}"

    def open(self) -> None:
        """Start the threads. Each has its end noted before the next begins; they end in reverse."""
        self._closers.callback(self._tcp.close_all)
        self._closers.callback(self._loop.stop)
        self._tell_count()
        self._loop.start()
        self._closers.callback(self._reception.stop)
        self._reception.start()
        self._start_thread("osc-story", self._storyteller.run, self._storyteller.stop)
        self._start_thread("osc-pulse", self._pulse.run, self._pulse.stop)
        self._closers.callback(self._tell_closing)

    def close(self) -> None:
        """Tell the subscribers, end the threads, give the port back."""
        self._closers.close()

    def _desk(self) -> Desk:
        return Desk(
            service=self._service,
            clients=self._clients,
            storyteller=self._storyteller,
            on_subscribers=self._pulse.ask_look,
        )

    def _start_thread(self, name: str, run: Callable[[], None], stop: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        self._closers.callback(thread.join, JOIN_S)
        self._closers.callback(stop)

    def _is_anybody_there(self) -> bool:
        return bool(self._clients.subscribers) or self._tcp.needs_beat

    def _beat(self) -> None:
        if self._clients.give_up_silent():
            self._tell_count()
        self._tcp.beat(self._silent_s)
        self._tell_all(encode(SENT["beat"].message(self._service.feed.epoch, self._storyteller.told)))

    def _tell_states(self) -> None:
        tell_states(self._service, *self._clients.subscribers)

    def _tell_closing(self) -> None:
        self._tell_all(encode(SENT["closing"].message(self._service.feed.epoch)))

    def _tell_all(self, packet: bytes) -> None:
        for route in self._clients.subscribers:
            route.send(packet)

    def _connection_changed(self, closed: TcpConnection | None) -> None:
        if closed is not None:
            self._clients.give_up_route(closed)
        self._pulse.ask_look()

    def _tell_count(self) -> None:
        """Say how the door does, where the number of clients changed."""
        count = len(self._clients.subscribers)
        if count == self._told_count:
            return
        self._told_count = count
        facts = self._facts | {"clients": count}
        self._service.tell_state(DoorState(name=NAME, is_open=True, words=self.words, facts=facts))
