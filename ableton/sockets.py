"""Opens the door's sockets: UDP and TCP on one port."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any, NamedTuple

from ableton.routes import is_loopback
from bridge.config import Osc
from bridge.errors import ConfigError, ServiceError

SHORTEST_TOKEN = 16
BACKLOG = 128
"""Connections that may wait to be accepted; a burst of them is over in a moment."""
TRIES = 20
"""A free port for TCP may be taken for UDP; so often another one is tried."""
_TAKEN = frozenset([errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)])


class OpenSockets(NamedTuple):
    """Both sockets, bound to one port."""

    udp: socket.socket
    tcp: socket.socket

    @property
    def port(self) -> int:
        """The port."""
        return int(self.udp.getsockname()[1])

    def close(self) -> None:
        """Give the port back."""
        self.udp.close()
        self.tcp.close()


def open_sockets(settings: Osc) -> OpenSockets:
    """Bind UDP and TCP; ConfigError or ServiceError, with what to do, where that cannot be.

    Port 0 takes any that is free.
    """
    family, address = _resolved(settings)
    _expect_token(settings, str(address[0]))
    for _ in range(TRIES - 1):
        try:
            return _bound(family, address)
        except OSError as cause:
            if settings.port or cause.errno not in _TAKEN:
                raise _trouble(settings, cause) from cause
    return _bound(family, address)


def host_words(host: str, port: int) -> str:
    """An address for people: 127.0.0.1:17710, [::1]:17710."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _resolved(settings: Osc) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as cause:
        raise ConfigError(
            f"osc.host is '{settings.host}', which is no address ({cause}). Set 127.0.0.1 for this machine "
            "alone, or an address that this machine has."
        ) from cause
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, address


def _expect_token(settings: Osc, address: str) -> None:
    if is_loopback(address) or len(settings.token) >= SHORTEST_TOKEN:
        return
    raise ConfigError(
        f"osc.host is '{settings.host}', which other machines can reach, and osc.token has "
        f"{len(settings.token)} letters; wanted at least {SHORTEST_TOKEN}. Set a token, as from: "
        'python -c "import secrets; print(secrets.token_hex(16))", or set osc.host to 127.0.0.1.'
    )


def _bound(family: socket.AddressFamily, address: tuple[Any, ...]) -> OpenSockets:
    tcp = _socket(family, socket.SOCK_STREAM)
    udp = _socket(family, socket.SOCK_DGRAM)
    try:
        tcp.bind(address)
        udp.bind((address[0], tcp.getsockname()[1], *address[2:]))
        tcp.listen(BACKLOG)
    except OSError:
        tcp.close()
        udp.close()
        raise
    return OpenSockets(udp, tcp)


def _socket(family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
    """A socket whose port nobody else can take, and that can be opened again right after a restart."""
    sock = socket.socket(family, kind)
    if os.name == "nt":
        sock.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", -5), 1)
    elif kind is socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return sock


def _trouble(settings: Osc, cause: OSError) -> ServiceError:
    where = host_words(settings.host, settings.port)
    if cause.errno in _TAKEN:
        return ServiceError(
            f"OSC cannot listen on {where}: the port is taken{_by_whom(settings.port)}. End that program, or "
            "set another osc.port (and the same in the device)."
        )
    if isinstance(cause, PermissionError):
        return ServiceError(f"OSC may not listen on {where}. Set osc.port to one above 1023, such as 17710.")
    return ServiceError(
        f"OSC cannot listen on {where} ({cause.strerror or cause}). Set osc.host to an address that this "
        "machine has, such as 127.0.0.1."
    )


def _by_whom(port: int) -> str:
    """Who has the port, where the system tells: " by python (process 4711)"."""
    import psutil

    try:
        pids = {c.pid for c in psutil.net_connections("inet") if c.laddr and c.laddr.port == port and c.pid}
        names = [f"{psutil.Process(pid).name()} (process {pid})" for pid in sorted(pids)]
    except (psutil.Error, OSError, RuntimeError):
        names = []
    return f" by {', '.join(names)}" if names else ", by another stembridge perhaps"
