"""What the service opens and closes."""

from __future__ import annotations

import logging

from ableton.door import Door
from ableton.sockets import open_sockets
from bridge.service import Service

log = logging.getLogger(__name__)


class OscFrontend:
    """Commands and events as OSC messages (docs/osc.md), by UDP and TCP on one port.

    While nobody is connected, its threads sleep.
    """

    def __init__(self) -> None:
        self.port = 0
        """The port that was opened; what the settings say, unless they say 0."""
        self._door: Door | None = None

    def start(self, service: Service) -> None:
        """Open the door; ConfigError or ServiceError, with what to do, where it cannot be."""
        sockets = open_sockets(service.config.osc)
        self.port = sockets.port
        try:
            self._door = Door(service, sockets)
        except BaseException:
            sockets.close()
            raise
        self._door.open()
        log.info("%s", self._door.words, extra={"action": "door_opened"})

    def stop(self) -> None:
        """Tell the subscribers, and close the door."""
        if self._door is not None:
            self._door.close()
            self._door = None
