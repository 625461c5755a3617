"""Job ids: 16 hex digits that sort by time of submission."""

from __future__ import annotations

import secrets

RANDOM_BITS = 20
_LIMIT = 1 << 64


def next_job_id(now_s: float, last_id: str = "", random_bits: int | None = None) -> str:
    """An id for a job submitted at ``now_s`` (seconds since 1970), greater than ``last_id``.

    The upper 44 bits are milliseconds, the lower 20 random, so that stores that were never connected do not
    give the same id. A clock that stands still or goes back counts up from ``last_id`` instead.
    """
    noise = secrets.randbits(RANDOM_BITS) if random_bits is None else random_bits
    by_time = (max(0, int(now_s * 1000)) << RANDOM_BITS) | noise
    after_last = int(last_id, 16) + 1 if last_id else 0
    return f"{max(by_time, after_last) % _LIMIT:016x}"
