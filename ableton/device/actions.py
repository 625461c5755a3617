"""Buttons, each with the message that it sends, and the ways to give a file."""

from __future__ import annotations

from ableton.device import controls
from ableton.device.display import from_display
from ableton.device.patcher import Box, Part, Rect, chain, cord


def actions() -> Part:
    """All that the user can press, and where a file can be dropped."""
    newest = controls.button(
        "newest_button",
        "Process newest",
        "Newest",
        "Makes stems, masters and presets of the newest finished song in your watched export folders.",
        Rect(x=8, y=6, width=136, height=18),
        (8, 11),
    )
    clip = controls.button(
        "clip_button",
        "Process this clip",
        "Clip",
        "Makes stems, masters and presets of the file of the selected audio clip.",
        Rect(x=8, y=27, width=136, height=18),
        (9, 11),
    )
    stems = controls.button(
        "import_button",
        "Import stems",
        "Import",
        "Builds a named and coloured track for each stem of the last finished song.",
        Rect(x=152, y=125, width=92, height=18),
        (6, 11),
        is_active=False,
    )
    cancel = controls.button(
        "cancel_button",
        "Cancel",
        "Cancel",
        "Ends the song that is being processed. Nothing half done is left.",
        Rect(x=152, y=146, width=92, height=18),
        (7, 11),
        is_active=False,
    )
    return (
        _sends(newest, "process_newest", (8, 12))
        + _sends(clip, "process_clip", (9, 12))
        + _sends(stems, "import_stems", (6, 12))
        + _sends(cancel, "cancel", (7, 12))
        + _allowed("can_import", "import_button", (6, 10))
        + _allowed("can_cancel", "cancel_button", (7, 10))
        + _files()
    )


def _sends(button: Box, word: str, at: tuple[int, int]) -> Part:
    """A button and its message to the script."""
    boxes = (button, controls.message(word, word, at))
    return Part(boxes=boxes, cords=chain(button.name, word, controls.TO_SCRIPT))


def _allowed(word: str, button: str, at: tuple[int, int]) -> Part:
    """The script says whether a button can be pressed."""
    box = controls.plain(f"set_{word}", "prepend active", at)
    return Part(boxes=(box,), cords=(from_display(word, box.name), cord(box.name, button)))


def _files() -> Part:
    """A file is chosen in a dialogue, or dropped."""
    boxes = (
        controls.button(
            "file_button",
            "Process file...",
            "File",
            "Makes stems, masters and presets of a song that you choose.",
            Rect(x=8, y=48, width=136, height=18),
            (10, 11),
        ),
        controls.drop_target(
            "drop",
            "or drop a song here",
            "Drop a song from Live's browser or from a folder to process it.",
            Rect(x=8, y=70, width=136, height=50),
            (11, 12),
        ),
        controls.plain("dialog", "opendialog", (10, 12)),
        controls.plain("process_file", "prepend process_file", (10, 13)),
    )
    cords = (
        *chain("file_button", "dialog", "process_file", controls.TO_SCRIPT),
        cord("drop", "process_file"),
    )
    return Part(boxes=boxes, cords=cords)
