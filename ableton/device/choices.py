"""Menus that the script fills, tabs that Live keeps, and what is kept of the menus."""

from __future__ import annotations

from typing import Final

from ableton.device import controls
from ableton.device.display import from_display
from ableton.device.patcher import Part, Rect, chain, cord

FIRST_RECIPES: Final = ("automatic", "full")
"""What the menu offers until the script fills it."""
FIRST_TARGETS: Final = ("automatic", "streaming")


def choices() -> Part:
    """All that the user can choose."""
    recipe = controls.menu(
        "recipe_menu",
        "Recipe",
        FIRST_RECIPES,
        "What is made of a song. Automatic: as its folder is watched, else everything.",
        Rect(x=50, y=127, width=94, height=15),
        (0, 12),
    )
    target = controls.menu(
        "target_menu",
        "Target",
        FIRST_TARGETS,
        "The loudness of the master. Automatic: as the recipe says.",
        Rect(x=50, y=148, width=94, height=15),
        (2, 12),
    )
    labels = (
        controls.label("recipe_label", "Recipe", Rect(x=8, y=126, width=42, height=18), (1, 12)),
        controls.label("target_label", "Target", Rect(x=8, y=147, width=42, height=18), (3, 12)),
    )
    menus = Part(boxes=(recipe, target, *labels)) + _filled("recipe", 0) + _filled("target", 2)
    return menus + _kept("recipe", 4) + _kept("target", 5) + _tabs()


def _filled(word: str, column: int) -> Part:
    """What the script tells a menu, all its names at once and which is chosen, and what the menu tells.

    A menu may tell its index when its names change. That is nobody's choice: a gate is closed meanwhile.
    """
    around, names, gate, menu = f"around_{word}s", f"name_{word}s", f"{word}_gate", f"{word}_menu"
    boxes = (
        controls.plain(around, "t 1 l 0", (column, 10)),
        controls.plain(names, "prepend _parameter_range", (column, 11)),
        controls.plain(f"choose_{word}", "prepend set", (column + 1, 10)),
        controls.plain(gate, "gate 1 1", (column, 13)),
        controls.plain(f"say_{word}", f"prepend {word}", (column, 14)),
    )
    cords = (
        from_display(f"{word}s", around),
        cord(around, gate, outlet=2),
        cord(around, names, outlet=1),
        cord(around, gate),
        cord(names, menu),
        from_display(word, f"choose_{word}"),
        cord(f"choose_{word}", menu),
        cord(menu, gate, inlet=1),
        *chain(gate, f"say_{word}", controls.TO_SCRIPT),
    )
    return Part(boxes=boxes, cords=cords)


def _kept(word: str, column: int) -> Part:
    """The name that the user chose is kept with the set; an index would be another one in another list."""
    keeper, say = f"kept_{word}", f"say_kept_{word}"
    boxes = (
        controls.keeper(keeper, f"Kept {word}", (column, 10)),
        controls.plain(say, f"prepend {keeper}", (column, 11)),
    )
    cords = (from_display(f"keep_{word}", keeper), *chain(keeper, say, controls.TO_SCRIPT))
    return Part(boxes=boxes, cords=cords)


def _tabs() -> Part:
    boxes = (
        controls.tabs(
            "import_to_tabs",
            "Import to",
            ("Arrangement", "Session"),
            "Where stems go: onto arrangement tracks, or into slots of new session tracks.",
            Rect(x=252, y=127, width=164, height=15),
            (8, 13),
        ),
        controls.tabs(
            "tempo_tabs",
            "Tempo",
            ("Warp off", "Match tempo"),
            "Warp off: the set's tempo stays. Match tempo: it becomes the song's. Stems are not stretched.",
            Rect(x=252, y=148, width=164, height=15),
            (9, 13),
        ),
        controls.plain("say_import_to", "prepend import_to", (8, 14)),
        controls.plain("say_tempo", "prepend tempo", (9, 14)),
    )
    cords = (
        *chain("import_to_tabs", "say_import_to", controls.TO_SCRIPT),
        *chain("tempo_tabs", "say_tempo", controls.TO_SCRIPT),
    )
    return Part(boxes=boxes, cords=cords)
