"""How long a file that is not whole may stay as it is before a note says what is missing."""

from __future__ import annotations

from pathlib import Path

from bridge.service.marks import Mark

PATIENCE_S = 600.0
"""A slow download may pause for minutes."""

SMALL_BYTES = 4096
SMALL_PATIENCE_S = 60.0
"""Nothing of so few bytes is a song, and nobody writes so little for long."""


def patience_s(size_bytes: int, longest_s: float = PATIENCE_S) -> float:
    """Seconds that a file of that size may stay unchanged."""
    return min(longest_s, SMALL_PATIENCE_S) if size_bytes < SMALL_BYTES else longest_s


def unchanged_s(path: Path, mark: Mark, now_s: float) -> float:
    """Seconds, by the disk's clock, since a file was written or put where it is; 0 if that lies ahead.

    The time of change alone may be that of a download's original; the system notes besides when the file
    itself was last touched. Both outlive a restart of ours.
    """
    try:
        touched_ns = path.stat().st_ctime_ns
    except OSError:
        touched_ns = 0
    return max(0.0, now_s - max(mark.modified_ns, touched_ns) / 1e9)
