"""The device: what is seen, and how its objects are connected. INTERFACE.md says what they tell each other."""

from __future__ import annotations

from itertools import starmap
from typing import Final

from ableton.device import controls
from ableton.device.patcher import Cord, Part, Patcher, Rect

NAME: Final = "stembridge"
SCRIPT_FILE: Final = "stembridge.js"
SERVICE_HOST: Final = "127.0.0.1"
SERVICE_PORT: Final = 17710
FIRST_RECEIVING_PORT: Final = 17719
"""Where the device listens until its script chooses a port."""
WIDTH_PX: Final = 404
FIRST_RECIPES: Final = ("full", "quick")
"""What the menu offers until the service tells its recipes."""
FIRST_TARGETS: Final = ("as in recipe", "streaming")

_SCRIPT: Final = "script"
_DESCRIPTION: Final = (
    "Sends songs to stembridge on this computer, shows how they get on, and builds tracks from their stems."
)
_DISPLAY: Final = (
    "lamp",
    "song",
    "stage",
    "progress",
    "before",
    "after",
    "error",
    "recipes",
    "targets",
    "recipe",
    "target",
    "keep_recipe",
    "keep_target",
    "can_import",
    "can_cancel",
)
"""First words of what the script tells the display, in the order of the outlets that they leave by."""


def device() -> Patcher:
    """The device's patcher."""
    return Patcher(
        name=NAME,
        description=_DESCRIPTION,
        width_px=WIDTH_PX,
        content=_core() + _actions() + _choices() + _kept() + _display() + _lamp() + _background(),
        files=(SCRIPT_FILE,),
    )


def _cord(source: str, destination: str, outlet: int = 0, inlet: int = 0) -> Cord:
    return Cord(source=source, outlet=outlet, destination=destination, inlet=inlet)


def _chain(*names: str) -> tuple[Cord, ...]:
    """Cords from each to the next."""
    return tuple(starmap(_cord, zip(names, names[1:], strict=False)))


def _from_display(word: str, destination: str) -> Cord:
    return _cord("display", destination, outlet=_DISPLAY.index(word))


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
        controls.route("display", _DISPLAY, (0, 12)),
    )
    cords = (
        _cord("audio_in", "audio_out"),
        _cord("audio_in", "audio_out", outlet=1, inlet=1),
        *_chain("loaded", "ready", _SCRIPT),
        _cord("receiver", _SCRIPT, inlet=1),
        _cord(_SCRIPT, "sender"),
        _cord(_SCRIPT, "receiver", outlet=1),
        _cord(_SCRIPT, "display", outlet=2),
    )
    return Part(boxes=boxes, cords=cords)


def _actions() -> Part:
    """Buttons, each with the message that it sends, and the ways to give a file."""
    newest = controls.button(
        "newest_button",
        "Process newest",
        "Makes stems, masters and presets of the newest finished song in your watched export folders.",
        Rect(x=8, y=27, width=116, height=18),
        (1, 0),
    )
    clip = controls.button(
        "clip_button",
        "Process this clip",
        "Makes stems, masters and presets of the file of the selected audio clip.",
        Rect(x=8, y=48, width=116, height=18),
        (2, 0),
    )
    stems = controls.button(
        "import_button",
        "Import stems",
        "Builds a named and coloured track for each stem of the last finished song.",
        Rect(x=132, y=125, width=92, height=18),
        (3, 0),
        is_active=False,
    )
    cancel = controls.button(
        "cancel_button",
        "Cancel",
        "Ends the song that is being processed. Nothing half done is left.",
        Rect(x=132, y=146, width=92, height=18),
        (4, 0),
        is_active=False,
    )
    buttons = (newest, clip, stems, cancel)
    words = ("process_newest", "process_clip", "import_stems", "cancel")
    messages = tuple(controls.message(word, word, (1 + at, 1)) for at, word in enumerate(words))
    cords = tuple(
        cord for box, word in zip(buttons, words, strict=True) for cord in _chain(box.name, word, _SCRIPT)
    )
    return Part(boxes=buttons + messages, cords=cords) + _files()


def _files() -> Part:
    boxes = (
        controls.button(
            "file_button",
            "Process file...",
            "Makes stems, masters and presets of a song that you choose.",
            Rect(x=8, y=69, width=116, height=18),
            (5, 0),
        ),
        controls.drop_target(
            "drop",
            "or drop a song here",
            "Drop a song from Live's browser or from a folder to process it.",
            Rect(x=8, y=90, width=116, height=24),
            (5, 3),
        ),
        controls.plain("dialog", "opendialog", (5, 1)),
        controls.plain("process_file", "prepend process_file", (5, 4)),
    )
    cords = (*_chain("file_button", "dialog", "process_file", _SCRIPT), _cord("drop", "process_file"))
    return Part(boxes=boxes, cords=cords)


def _choices() -> Part:
    """Menus that the script fills, and choices that Live keeps."""
    boxes = (
        controls.label("recipe_label", "Recipe", Rect(x=8, y=120, width=44, height=18), (1, 3)),
        controls.menu(
            "recipe_menu",
            "Recipe",
            FIRST_RECIPES,
            "What is made of a song: which stages run, and how.",
            Rect(x=52, y=121, width=72, height=15),
            (1, 4),
        ),
        controls.label("target_label", "Target", Rect(x=8, y=143, width=44, height=18), (2, 3)),
        controls.menu(
            "target_menu",
            "Target",
            FIRST_TARGETS,
            "The loudness of the master; 'as in recipe' takes what the recipe says.",
            Rect(x=52, y=144, width=72, height=15),
            (2, 4),
        ),
        controls.tabs(
            "import_to_tabs",
            "Import to",
            ("Arrangement", "Session"),
            "Where stems go: onto arrangement tracks, or into slots of new session tracks.",
            Rect(x=232, y=127, width=164, height=15),
            (3, 4),
        ),
        controls.tabs(
            "tempo_tabs",
            "Tempo",
            ("Warp off", "Match tempo"),
            "Warp off: stems sound as they are. Match tempo: Live's tempo is set to the song's, and clips warp.",
            Rect(x=232, y=148, width=164, height=15),
            (4, 4),
        ),
    )
    told = {"recipe_menu": "recipe", "target_menu": "target", "import_to_tabs": "import_to", "tempo_tabs": "tempo"}
    prepends = tuple(
        controls.plain(f"say_{word}", f"prepend {word}", (1 + at, 5)) for at, word in enumerate(told.values())
    )
    cords = tuple(cord for name, word in told.items() for cord in _chain(name, f"say_{word}", _SCRIPT))
    return Part(boxes=boxes + prepends, cords=cords) + _filled_menu("recipe", 0) + _filled_menu("target", 2)


def _filled_menu(word: str, column: int) -> Part:
    """What the script tells a menu: all its names at once, and which is chosen."""
    boxes = (
        controls.plain(f"name_{word}s", "prepend _parameter_range", (column, 14)),
        controls.plain(f"choose_{word}", "prepend set", (column + 1, 14)),
    )
    cords = (
        _from_display(f"{word}s", f"name_{word}s"),
        _from_display(word, f"choose_{word}"),
        *(_cord(box.name, f"{word}_menu") for box in boxes),
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
        _from_display("keep_recipe", "kept_recipe"),
        _from_display("keep_target", "kept_target"),
        *_chain("kept_recipe", "say_kept_recipe", _SCRIPT),
        *_chain("kept_target", "say_kept_target", _SCRIPT),
    )
    return Part(boxes=boxes, cords=cords)


def _display() -> Part:
    """What the device shows of a job, and which buttons can be pressed."""
    on_lcd = "live_lcd_control_fg_zombie"
    lines = {
        "song": ("", "live_lcd_control_fg", Rect(x=140, y=10, width=248, height=18)),
        "stage": ("Looking for stembridge", on_lcd, Rect(x=140, y=26, width=248, height=18)),
        "before": ("-", "live_lcd_control_fg", Rect(x=184, y=56, width=204, height=18)),
        "after": ("-", "live_lcd_control_fg", Rect(x=184, y=71, width=204, height=18)),
        "error": ("", "live_active_automation", Rect(x=140, y=88, width=248, height=30)),
    }
    shown = tuple(
        controls.label(f"{word}_line", text, rect, (at, 16), colour)
        for at, (word, (text, colour, rect)) in enumerate(lines.items())
    )
    setters = tuple(controls.plain(f"set_{word}", "prepend set", (at, 15)) for at, word in enumerate(lines))
    fixed = (
        controls.label("before_label", "Before", Rect(x=140, y=56, width=44, height=18), (0, 17), on_lcd),
        controls.label("after_label", "After", Rect(x=140, y=71, width=44, height=18), (1, 17), on_lcd),
        controls.progress_bar(
            "progress_bar",
            Rect(x=143, y=46, width=242, height=6),
            (5, 15),
            "How much of the song is done.",
        ),
    )
    cords = (
        *(cord for word in lines for cord in (_from_display(word, f"set_{word}"), _cord(f"set_{word}", f"{word}_line"))),
        _from_display("progress", "progress_bar"),
    )
    return Part(boxes=(*fixed, *shown, *setters), cords=cords) + _pressable()


def _pressable() -> Part:
    boxes = (
        controls.plain("allow_import", "prepend active", (4, 14)),
        controls.plain("allow_cancel", "prepend active", (5, 14)),
    )
    cords = (
        _from_display("can_import", "allow_import"),
        _from_display("can_cancel", "allow_cancel"),
        _cord("allow_import", "import_button"),
        _cord("allow_cancel", "cancel_button"),
    )
    return Part(boxes=boxes, cords=cords)


def _lamp() -> Part:
    """Three panels in one place, of which one is seen: so each colour follows Live's theme."""
    colours = ("live_lcd_control_fg_zombie", "live_control_selection", "live_lcd_control_fg")
    rect = Rect(x=9, y=9, width=10, height=10)
    info = "Grey: stembridge is not running. Amber: asking. Blue: connected."
    lamps = tuple(
        controls.panel(
            f"lamp_{state}", colour, rect, (state, 20), hidden=int(state > 0), rounded=10, annotation=info
        )
        for state, colour in enumerate(colours)
    )
    title = controls.label("title", NAME, Rect(x=24, y=5, width=100, height=18), (3, 20))
    return Part(boxes=(title, *lamps)) + sum(map(_lamp_switch, range(len(colours))), Part())


def _lamp_switch(state: int) -> Part:
    """Hides a lamp in every other state than its own."""
    differs, hide = f"not_{state}", f"hide_{state}"
    boxes = (
        controls.plain(differs, f"!= {state}", (state, 18)),
        controls.message(hide, "hidden $1", (state, 19)),
    )
    return Part(boxes=boxes, cords=(_from_display("lamp", differs), *_chain(differs, hide, f"lamp_{state}")))


def _background() -> Part:
    """The dark area behind the display: the last box lies behind all others."""
    area = controls.panel(
        "lcd", "live_lcd_bg", Rect(x=132, y=6, width=264, height=114), (4, 20), rounded=4, background=1
    )
    return Part(boxes=(area,))

