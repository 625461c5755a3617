"""What a stream's codec header says where FFmpeg's libraries do not pass it on.

Sources: RFC 7845 (Opus pre-skip), RFC 9639 (FLAC STREAMINFO), Apple's ALAC magic cookie.
"""

from __future__ import annotations

import struct


def opus_pre_skip(extradata: bytes) -> int:
    """Frames at 48 kHz that an Opus stream begins with and that are not sounded."""
    return int(struct.unpack("<H", extradata[10:12])[0]) if extradata[:8] == b"OpusHead" else 0


def lossless_bits(codec: str, extradata: bytes, decoded_bits: int) -> int:
    """Bits of a sample that went into a lossless coder; it may decode into a wider one."""
    if codec == "flac" and len(extradata) >= 14:
        return ((extradata[12] & 1) << 4 | extradata[13] >> 4) + 1
    if codec == "alac" and len(extradata) >= 18:
        return extradata[17]
    return decoded_bits
