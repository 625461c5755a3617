"""The device: its controls and the way of their messages. INTERFACE.md says what is told."""

from __future__ import annotations

from typing import Final

from ableton.device import controls
from ableton.device.display import DISPLAY, display, from_display
from ableton.device.patcher import Part, Patcher, Rect, chain, cord

NAME: Final = "stembridge"
SCRIPT_FILE: Final = "stembridge.js"
SERVICE_HOST: Final = "127.0.0.1"
SERVICE_PORT: Final = 17710
FIRST_RECEIVING_PORT: Final = 17719
"""Where the device listens until its script chooses a port."""
WIDTH_PX: Final = 424
FIRST_RECIPES: Final = ("automatic", "full")
"""What the menu offers until the service tells its recipes."""
FIRST_TARGETS: Final = ("automatic", "streaming")

_SCRIPT: Final = "script"
_DESCRIPTION: Final = (
    "Sends songs to stembridge on this computer, shows how they get on, and builds tracks from their stems."
)


def device() -> Patcher:
    """The device's patcher."""
    return Patcher(
        name=NAME,
        description=_DESCRIPTION,
        width_px=WIDTH_PX,
        content=_core() + _actions() + _choices() + _kept() + display(),
        files=(SCRIPT_FILE,),
    )


def _core() -> Part:
    """Audio passes untouched; the script stands between Live, the service and the display."""
    boxes = (
        controls.plain("audio_in", "plugin~", (6, 0)),
        controls.plain("audio_out", "plugout~", (6, 1)),
        controls.note("about_audio", "Audio passes untouched.", (6, 2)),
        controls.plain("loaded", "live.thisdevice", (0, 0)),
        controls.message("ready", "ready", (0, 1)),
        # it is told another port before anything comes; defer: no message is handled in the audio's time
        controls.plain("receiver", f"udpreceive {FIRST_RECEIVING_PORT} @quiet 1 @defer 1", (2, 8)),
        controls.script(_SCRIPT, SCRIPT_FILE, 2, 3, (1, 10)),
        controls.plain("sender", f"udpsend {SERVICE_HOST} {SERVICE_PORT}", (0, 11)),
        controls.route("display", DISPLAY, (0, 12)),
    )
    cords = (
        cord("audio_in", "audio_out"),
        cord("audio_in", "audio_out", outlet=1, inlet=1),
        *chain("loaded", "ready", _SCRIPT),
        cord("receiver", _SCRIPT, inlet=1),
        cord(_SCRIPT, "sender"),
        cord(_SCRIPT, "receiver", outlet=1),
        cord(_SCRIPT, "display", outlet=2),
    )
    return Part(boxes=boxes, cords=cords)


def _actions() -> Part:
    """Buttons, each with the message that it sends, and the ways to give a file."""
    newest = controls.button(
        "newest_button",
        "Process newest",
        "Makes stems, masters and presets of the newest finished song in your watched export folders.",
        Rect(x=8, y=6, width=136, height=18),
        (1, 0),
    )
    clip = controls.button(
        "clip_button",
        "Process this clip",
        "Makes stems, masters and presets of the file of the selected audio clip.",
        Rect(x=8, y=27, width=136, height=18),
        (2, 0),
    )
    stems = controls.button(
        "import_button",
        "Import stems",
        "Builds a named and coloured track for each stem of the last finished song.",
        Rect(x=152, y=125, width=92, height=18),
        (3, 0),
        is_active=False,
    )
    cancel = controls.button(
        "cancel_button",
        "Cancel",
        "Ends the song that is being processed. Nothing half done is left.",
        Rect(x=152, y=146, width=92, height=18),
        (4, 0),
        is_active=False,
    )
    buttons = (newest, clip, stems, cancel)
    words = ("process_newest", "process_clip", "import_stems", "cancel")
    messages = tuple(controls.message(word, word, (1 + at, 1)) for at, word in enumerate(words))
    cords = tuple(
        way for box, word in zip(buttons, words, strict=True) for way in chain(box.name, word, _SCRIPT)
    )
    return Part(boxes=buttons + messages, cords=cords) + _files()


def _files() -> Part:
    boxes = (
        controls.button(
            "file_button",
            "Process file...",
            "Makes stems, masters and presets of a song that you choose.",
            Rect(x=8, y=48, width=136, height=18),
            (5, 0),
        ),
        controls.drop_target(
            "drop",
            "or drop a song here",
            "Drop a song from Live's browser or from a folder to process it.",
            Rect(x=8, y=70, width=136, height=50),
            (5, 3),
        ),
        controls.plain("dialog", "opendialog", (5, 1)),
        controls.plain("process_file", "prepend process_file", (5, 4)),
    )
    cords = (*chain("file_button", "dialog", "process_file", _SCRIPT), cord("drop", "process_file"))
    return Part(boxes=boxes, cords=cords)


def _choices() -> Part:
    """Menus that the script fills, and choices that Live keeps."""
    boxes = (
        controls.label("recipe_label", "Recipe", Rect(x=8, y=126, width=42, height=18), (1, 3)),
        controls.menu(
            "recipe_menu",
            "Recipe",
            FIRST_RECIPES,
            "What is made of a song. Automatic: as its folder is watched, else everything.",
            Rect(x=50, y=127, width=94, height=15),
            (1, 4),
        ),
        controls.label("target_label", "Target", Rect(x=8, y=147, width=42, height=18), (2, 3)),
        controls.menu(
            "target_menu",
            "Target",
            FIRST_TARGETS,
            "The loudness of the master. Automatic: as the recipe says.",
            Rect(x=50, y=148, width=94, height=15),
            (2, 4),
        ),
        controls.tabs(
            "import_to_tabs",
            "Import to",
            ("Arrangement", "Session"),
            "Where stems go: onto arrangement tracks, or into slots of new session tracks.",
            Rect(x=252, y=127, width=164, height=15),
            (3, 4),
        ),
        controls.tabs(
            "tempo_tabs",
            "Tempo",
            ("Warp off", "Match tempo"),
            "Warp off: the set's tempo stays. Match tempo: it becomes the song's. Stems are not stretched.",
            Rect(x=252, y=148, width=164, height=15),
            (4, 4),
        ),
    )
    words = ("recipe", "target", "import_to", "tempo")
    prepends = tuple(
        controls.plain(f"say_{word}", f"prepend {word}", (1 + at, 5)) for at, word in enumerate(words)
    )
    cords = (
        *(cord(f"say_{word}", _SCRIPT) for word in words),
        cord("import_to_tabs", "say_import_to"),
        cord("tempo_tabs", "say_tempo"),
    )
    return Part(boxes=boxes + prepends, cords=cords) + _filled_menu("recipe", 0) + _filled_menu("target", 2)


def _filled_menu(word: str, column: int) -> Part:
    """What the script tells a menu: all its names at once, and which is chosen.

    A menu may tell its index when its names change. That is nobody's choice: a gate is closed meanwhile.
    """
    boxes = (
        controls.plain(f"around_{word}s", "t 1 l 0", (column, 13)),
        controls.plain(f"name_{word}s", "prepend _parameter_range", (column, 14)),
        controls.plain(f"choose_{word}", "prepend set", (column + 1, 14)),
        controls.plain(f"{word}_gate", "gate 1 1", (column + 1, 13)),
    )
    around, gate, menu = f"around_{word}s", f"{word}_gate", f"{word}_menu"
    cords = (
        from_display(f"{word}s", around),
        cord(around, gate, outlet=2),
        cord(around, f"name_{word}s", outlet=1),
        cord(around, gate),
        from_display(word, f"choose_{word}"),
        cord(f"name_{word}s", menu),
        cord(f"choose_{word}", menu),
        cord(menu, gate, inlet=1),
        cord(gate, f"say_{word}"),
    )
    return Part(boxes=boxes, cords=cords)


def _kept() -> Part:
    """The names that the user chose are kept with the set: the script may get the menus in another order."""
    boxes = (
        controls.keeper("kept_recipe", "Kept recipe", (0, 6)),
        controls.keeper("kept_target", "Kept target", (2, 6)),
        controls.plain("say_kept_recipe", "prepend kept_recipe", (0, 7)),
        controls.plain("say_kept_target", "prepend kept_target", (2, 7)),
    )
    cords = (
        from_display("keep_recipe", "kept_recipe"),
        from_display("keep_target", "kept_target"),
        *chain("kept_recipe", "say_kept_recipe", _SCRIPT),
        *chain("kept_target", "say_kept_target", _SCRIPT),
    )
    return Part(boxes=boxes, cords=cords)
