"""An engine whose process is killed in the middle of a song, as a system without memory does it."""

import os
import signal


def bag(what, teller):
    return {"models": ["aaaa0001"], "weights": None, "segment": None}


def separate(what, teller):
    teller.share(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


OPERATIONS = {"bag": bag, "separate": separate}
