"""Who may come in from other machines, and how often strangers are answered."""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from ableton.routes import is_loopback

MAX_WRONG: Final = 5
"""Wrong tokens from one machine before it has to wait."""
FORGIVEN_AFTER_S: Final = 60.0
MAX_HOSTS: Final = 256
ANSWERS_PER_S: Final = 200.0
"""Answers to packets that are no commands: enough for mistakes, too few to be of use in a flood."""


class TokenGuard:
    """Compares tokens in constant time, and bars a machine for a minute after five wrong ones."""

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._token = token.encode()
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def why_not(self, host: str, token: str) -> str:
        """Why a hello from there is refused; "" where it is not. This machine needs no token."""
        if is_loopback(host):
            return ""
        count, last_s = self._wrong.get(host, (0, 0.0))
        if count >= MAX_WRONG and self._clock() - last_s < FORGIVEN_AFTER_S:
            return f"{MAX_WRONG} wrong tokens came from {host}; try again in a minute."
        if self._token and hmac.compare_digest(token.encode(), self._token):
            self._wrong.pop(host, None)
            return ""
        self._note_wrong(host, 0 if count >= MAX_WRONG else count)
        return (
            f"The hello from {host} carries {'a wrong token' if token else 'no token'}; "
            "wanted osc.token from the settings of stembridge."
        )

    def _note_wrong(self, host: str, count: int) -> None:
        self._wrong[host] = (count + 1, self._clock())
        self._wrong.move_to_end(host)
        if len(self._wrong) > MAX_HOSTS:
            self._wrong.popitem(last=False)


class Allowance:
    """So many a second, and as many at once."""

    def __init__(self, per_s: float = ANSWERS_PER_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._clock = clock
        self._left = per_s
        self._looked_s = clock()

    def take(self) -> bool:
        """Whether one more is within the allowance."""
        now_s = self._clock()
        self._left = min(self._per_s, self._left + (now_s - self._looked_s) * self._per_s)
        self._looked_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
