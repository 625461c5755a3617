"""An engine that does everything an engine should not."""

import os
import signal
import subprocess
import sys
import time

from .words import GREETING


class Told(Exception):  # noqa: N818
    is_told = True


def greet(what, teller):
    print("a library prints", flush=True)  # noqa: T201
    os.write(1, b"and writes past Python\n")
    teller.share(0.5)
    return {"greeting": GREETING, "what": what, "pid": os.getpid(), "path": sys.path}


def tell(what, teller):
    return {"threads": os.environ["OMP_NUM_THREADS"], "waits": os.environ["OMP_WAIT_POLICY"]}


def refuse(what, teller):
    raise Told("The song has no sound.")


def fail(what, teller):
    raise ValueError("wrong shape")


def fill(what, teller):
    raise OSError(28, "No space left on device")


def leave(what, teller):
    sys.exit(1)


def crash(what, teller):
    os.kill(os.getpid(), signal.SIGSEGV)


def garble(what, teller):
    teller._pipe._file.write(b"Downloading: 100%\n")
    teller._pipe._file.flush()
    time.sleep(60)


def flood(what, teller):
    while True:
        teller._pipe._file.write(b"x" * 65536)


def hang(what, teller):
    teller.share(0.25)
    time.sleep(60)


def work(what, teller):
    while True:
        teller.share(0.1)
        time.sleep(0.01)


def grow(what, teller):
    held = []
    while True:
        held.append(bytearray(os.urandom(1 << 20)) * 20)
        teller.share(0.1)


def breed(what, teller):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdin=subprocess.DEVNULL)
    return {"pid": child.pid}


OPERATIONS = {name: value for name, value in globals().items() if callable(value) and name != "Told"}
