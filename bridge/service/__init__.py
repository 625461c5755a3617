"""The background service: what doors talk to, and what runs the jobs that they bring.

A door is a ``Frontend``: it is started with the ``Service`` and stopped without a word. It submits, cancels
and asks through the service's methods, and hears what happens through ``service.feed``.
"""

from bridge.service.feed import Feed, NumberedEvent
from bridge.service.frontends import Frontend
from bridge.service.service import JobEdit, Service
from bridge.service.state import DoorState, ServiceState, read_state

__all__ = [
    "DoorState",
    "Feed",
    "Frontend",
    "JobEdit",
    "NumberedEvent",
    "Service",
    "ServiceState",
    "read_state",
]
