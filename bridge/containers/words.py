"""What is said about a file that is not whole."""

UNFINISHED = "the download or export has not finished"
CUT_FRAME = f"the end of its last frame is missing: {UNFINISHED}"
NEVER_FINISHED = "its header was never finished: it is still being written, or its writer was stopped"
PREALLOCATED_BYTES = 16_384
"""So many zeros where sound is due were never written: programs reserve a file's room before they fill it."""


def too_short(promised_bytes: int, found_bytes: int) -> str:
    """The file ends before what its header promises."""
    return f"the header promises {promised_bytes:,} bytes, the file has {found_bytes:,}: {UNFINISHED}"


def too_few_seconds(promised_s: float, found_s: float) -> str:
    """The file holds less sound than its header promises."""
    return f"the header promises {promised_s:.2f} s, the file has {found_s:.2f} s: {UNFINISHED}"


def without(part: str) -> str:
    """A part that every whole file of the kind has is not there."""
    return f"{part} is missing: {UNFINISHED}"


def hollow(start_byte: int) -> str:
    """Room that was reserved and not filled."""
    return f"from byte {start_byte:,} on there are zeros where sound is due: {UNFINISHED}"
