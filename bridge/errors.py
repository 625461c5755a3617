"""Every error that stembridge raises on purpose: one root, one class per part.

The message of each says what was found, what was wanted and what to do. A class's docstring is its
message when none is given.
"""

import errno
from typing import Any

_NO_ROOM = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


class StembridgeError(Exception):
    """Something went wrong in stembridge."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__ or "")

    @property
    def message(self) -> str:
        """What happened, as one sentence or more for people."""
        return str(self.args[0])


class ConfigError(StembridgeError):
    """The configuration holds a key or a value that stembridge does not know."""


class InputError(StembridgeError):
    """The file cannot be used as a song."""


class AudioError(StembridgeError):
    """Audio could not be read or written."""


class EngineError(StembridgeError):
    """A separation or enhancement engine failed."""


class WeightsError(StembridgeError):
    """A network's weights are not there, or are not what was published."""


class RegistryError(StembridgeError):
    """No plug-in of that name is installed."""


class StageError(StembridgeError):
    """A stage of the pipeline could not finish."""


class MissedError(StageError):
    """Something failed that the job can do without."""


class WorkerDiedError(StageError):
    """The process that worked on the job ended under it."""


class QaError(StembridgeError):
    """The master failed a hard check after the last retry, so it was not delivered.

    ``delivery`` is what was delivered all the same.
    """

    def __init__(self, message: str | None = None, delivery: Any = None) -> None:
        super().__init__(message)
        self.delivery = delivery


class DeliveryError(StembridgeError):
    """The results could not be written to the project folder."""


class StorageError(StembridgeError):
    """There is not enough room, or no permission, to work."""


class DiskFullError(StorageError):
    """The disk is full. Free some space; the work goes on from where it stopped."""


class LimitError(StembridgeError):
    """The job took more memory or more time than it may."""


class SourceMissingError(InputError):
    """The file is not there."""


class SourceChangedError(InputError):
    """The file changed while it was worked on, so that work was dropped."""


class ServiceError(StembridgeError):
    """The service cannot start, or is not there."""


class JobError(StembridgeError):
    """The job cannot do that in the state in which it is."""


class JobLostError(JobError):
    """Another worker took this job over; nothing more may be written for it."""


class JobHalted(StembridgeError):  # noqa: N818 - a request that was met, not a fault
    """The job was put back, since the service stops; it goes on from its last finished stage."""


class JobCancelled(StembridgeError):  # noqa: N818 - a request that was met, not a fault
    """The job was cancelled."""


def is_disk_full(fault: BaseException | None) -> bool:
    """Whether a fault, or one that it was raised from, is a disk or a quota without room."""
    while fault is not None:
        if isinstance(fault, DiskFullError) or (isinstance(fault, OSError) and fault.errno in _NO_ROOM):
            return True
        fault = fault.__cause__
    return False
