"""Containers of audio by their bytes alone: nothing is decoded, and nothing heavy is imported.

Each module knows one family of formats and says, with ``lacking``, what its headers promise and the file does
not hold. Sizes in a stranger's file are never trusted: no read is larger than a fixed bound, no walk longer
than the file, and what cannot be understood lacks nothing.
"""

from bridge.containers.bytesource import ByteSource, open_bytes

__all__ = ["ByteSource", "open_bytes"]
