"""The host process: loads plug-ins with pedalboard, does what it is asked, and says how far it is.

Whatever goes wrong in a plug-in goes wrong here and nowhere else. A watchdog in native code ends the process
where a plug-in hangs so hard that not even the parent's end is seen.
"""

from __future__ import annotations

import faulthandler
import os
import queue
import signal
import threading
from typing import Any, BinaryIO

from pydantic import TypeAdapter

from bridge.children import take_pipes
from bridge.engines.vst3.words import Look, Looked, Render, Rendered, Request, Told
from bridge.errors import AudioError, EngineError

PATIENCE = 2.0
"""The watchdog waits so many times as long as the parent, which has the better words."""


def main(load_s: float, stall_s: float) -> None:
    """Serve requests until the parent closes its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what Ctrl-C means is the parent's decision
    faulthandler.enable()
    incoming, outgoing = take_pipes()
    requests = _read_requests(incoming)
    teller = Teller(outgoing, load_s, stall_s)
    while True:
        faulthandler.cancel_dump_traceback_later()
        _serve(requests.get(), teller)


class Teller:
    """Tells the parent how far it is; each word keeps the watchdog quiet for a while."""

    def __init__(self, pipe: BinaryIO, load_s: float, stall_s: float) -> None:
        self._pipe = pipe
        self._wait_s = {"loading": load_s, "working": stall_s}
        self._now_s = load_s

    def phase(self, phase: Any) -> None:
        """Say what begins."""
        self._now_s = self._wait_s.get(phase, 0.0)
        self.tell(Told(phase=phase))

    def share(self, share: float) -> None:
        """Say how far it came."""
        self.tell(Told(share=min(1.0, share)))

    def tell(self, told: Told) -> None:
        """Send a line."""
        if self._now_s:
            faulthandler.dump_traceback_later(PATIENCE * self._now_s + 5, exit=True)
        else:
            faulthandler.cancel_dump_traceback_later()
        self._pipe.write(told.model_dump_json(exclude_defaults=True).encode() + b"\n")
        self._pipe.flush()


def _read_requests(pipe: BinaryIO) -> queue.SimpleQueue[Render | Look]:
    """Reads in a thread of its own: plug-ins want the main one, and the parent's end has to be seen."""
    requests: queue.SimpleQueue[Render | Look] = queue.SimpleQueue()
    reader: TypeAdapter[Render | Look] = TypeAdapter(Request)

    def read() -> None:
        for line in pipe:
            requests.put(reader.validate_json(line))
        os._exit(0)

    threading.Thread(target=read, name="parent", daemon=True).start()
    return requests


def _serve(request: Render | Look, teller: Teller) -> None:
    try:
        teller.tell(Told(answer=_answer(request, teller)))
    except EngineError as fault:
        teller.tell(Told(fault="plugin", message=fault.message))
    except (AudioError, OSError) as fault:
        teller.tell(Told(fault="audio", message=str(fault), errno=_errno_of(fault)))
    except Exception as fault:
        teller.tell(Told(fault="plugin", message=f"{type(fault).__name__}: {fault}"))


def _answer(request: Render | Look, teller: Teller) -> Rendered | Looked:
    from bridge.engines.vst3 import work

    if isinstance(request, Render):
        return work.render(request, teller)
    return work.look(request, teller)


def _errno_of(fault: BaseException | None) -> int:
    while fault is not None:
        if isinstance(fault, OSError) and fault.errno:
            return fault.errno
        fault = fault.__cause__
    return 0
