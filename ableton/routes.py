"""Where answers go: the way back to whoever sent a packet."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Protocol


class Route(Protocol):
    """The way to one peer. Sending never waits, and never fails: what cannot be sent is lost."""

    @property
    def host(self) -> str:
        """The peer's address, without its port."""
        ...

    def at_port(self, port: int) -> Route:
        """The way to another UDP port of the same machine; itself, where a connection is the way."""
        ...

    def send(self, packet: bytes) -> None:
        """Send one OSC packet, from any thread."""
        ...


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own; a name is looked at as it stands ("localhost").

    >>> [is_loopback(h) for h in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "localhost", "0.0.0.0")]
    [True, True, True, True, False]
    """
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def is_same_machine(host: str, other: str) -> bool:
    """Whether two addresses are one machine's, as far as can be told: this one has several.

    >>> [is_same_machine("127.0.0.1", h) for h in ("::1", "192.0.2.7")]
    [True, False]
    """
    return host == other or (is_loopback(host) and is_loopback(other))
