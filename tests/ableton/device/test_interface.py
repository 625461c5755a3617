"""Patcher, script and INTERFACE.md say the same; messages are played through the patcher."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from ableton.device.build import FOLDER, device_document
from ableton.device.rehearsal import Rehearsal
from bridge.config import load_config
from presets import TARGETS

PAGE = (FOLDER / "INTERFACE.md").read_text("utf-8")


def _told(heading: str) -> set[str]:
    """First words of the messages in the table below a heading."""
    section = PAGE.split(f"## {heading}", 1)[1].split("\n## ", 1)[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {code.split()[0] for row in rows for code in re.findall(r"`([^`]+)`", row)}


@pytest.fixture
def rehearsal() -> Rehearsal:
    return Rehearsal(device_document())


def _texts(rehearsal: Rehearsal) -> list[str]:
    return [entry["box"].get("text", "") for entry in rehearsal.document["patcher"]["boxes"]]


def test_the_display_knows_the_words_of_the_page(rehearsal: Rehearsal) -> None:
    words = rehearsal.box("route ")["text"].split()[1:]
    assert set(words) == _told("Outlet 2")


def test_every_word_of_the_page_comes_to_the_script(rehearsal: Rehearsal) -> None:
    rehearsal.load()
    rehearsal.say(2, "can_import", 1)
    rehearsal.say(2, "can_cancel", 1)
    for button in ("Process newest", "Process this clip", "Import stems", "Cancel"):
        rehearsal.press(button)
    rehearsal.drop("/music/Night Drive.wav")
    for control in ("Recipe", "Target", "Import to", "Tempo"):
        rehearsal.choose(control, 1)
    rehearsal.say(2, "keep_recipe", "full")
    rehearsal.say(2, "keep_target", "club")
    assert {str(message[0]) for _, message in rehearsal.heard} == _told("Inlet 0")
    assert {inlet for inlet, _ in rehearsal.heard} == {0}


@pytest.mark.parametrize(
    ("button", "word"),
    [("Process newest", "process_newest"), ("Process this clip", "process_clip")],
)
def test_a_press_is_told_once(rehearsal: Rehearsal, button: str, word: str) -> None:
    rehearsal.press(button)
    assert rehearsal.heard == [(0, (word,))]


def test_loading_tells_the_script_that_live_is_ready_and_nothing_else(rehearsal: Rehearsal) -> None:
    rehearsal.load()
    assert rehearsal.heard == [(0, ("ready",))]
    assert rehearsal.sent == []


@pytest.mark.parametrize(("button", "word"), [("Import stems", "import_stems"), ("Cancel", "cancel")])
def test_a_button_is_pressed_only_where_the_script_allows_it(
    rehearsal: Rehearsal, button: str, word: str
) -> None:
    rehearsal.press(button)
    assert rehearsal.heard == []
    rehearsal.say(2, {"Import stems": "can_import", "Cancel": "can_cancel"}[button], 1)
    rehearsal.press(button)
    assert rehearsal.heard == [(0, (word,))]


def test_a_file_is_chosen(rehearsal: Rehearsal) -> None:
    rehearsal.chosen_file = "Macintosh HD:/Users/me/Night Drive.wav"
    rehearsal.press("Process file")
    assert rehearsal.heard == [(0, ("process_file", "Macintosh HD:/Users/me/Night Drive.wav"))]


def test_a_dialogue_that_is_closed_tells_nothing(rehearsal: Rehearsal) -> None:
    rehearsal.press("Process file")
    assert rehearsal.heard == []


def test_a_file_is_dropped(rehearsal: Rehearsal) -> None:
    rehearsal.drop("/music/Night Drive.wav")
    assert rehearsal.heard == [(0, ("process_file", "/music/Night Drive.wav"))]


def test_a_dropped_file_is_the_file_itself(rehearsal: Rehearsal) -> None:
    """Live would give the path of a decoded copy that it removes again."""
    assert rehearsal.box("Drop target")["decodemode"] == 0


def test_messages_of_the_service_come_by_their_own_inlet(rehearsal: Rehearsal) -> None:
    rehearsal.receive("/stembridge/welcome", "me", 1)
    assert rehearsal.heard == [(1, ("/stembridge/welcome", "me", 1))]


def test_the_script_speaks_to_the_service_and_to_the_receiver(rehearsal: Rehearsal) -> None:
    rehearsal.say(0, "/stembridge/hello", "me", 1, 20001)
    rehearsal.say(1, "port", 20001)
    assert (rehearsal.sent, rehearsal.ports) == ([("/stembridge/hello", "me", 1, 20001)], [20001])


def test_the_sender_names_the_port_of_the_settings(rehearsal: Rehearsal) -> None:
    host, port = rehearsal.box("udpsend ")["text"].split()[1:]
    assert (host, int(port)) == ("127.0.0.1", load_config().osc.port)


def test_the_receiver_does_not_begin_where_answers_without_a_port_go(rehearsal: Rehearsal) -> None:
    first = int(rehearsal.box("udpreceive ")["text"].split()[1])
    assert first not in (load_config().osc.port, load_config().osc.reply_port)


@pytest.mark.parametrize("word", ["song", "stage", "before", "after", "error"])
def test_a_text_is_shown_and_cleared(rehearsal: Rehearsal, word: str) -> None:
    rehearsal.say(2, word, "Night Drive v2 is whole")
    assert _texts(rehearsal).count("Night Drive v2 is whole") == 1
    rehearsal.say(2, word, "")
    assert "Night Drive v2 is whole" not in _texts(rehearsal)


@pytest.mark.parametrize("state", [0, 1, 2])
def test_one_lamp_is_seen(rehearsal: Rehearsal, state: int) -> None:
    rehearsal.say(2, "lamp", 1)
    rehearsal.say(2, "lamp", state)
    lamps = [e["box"] for e in rehearsal.document["patcher"]["boxes"] if "hidden" in e["box"]]
    assert [bool(lamp["hidden"]) for lamp in lamps] == [at != state for at in range(3)]


def test_progress_moves_the_bar(rehearsal: Rehearsal) -> None:
    bar = next(
        e["box"] for e in rehearsal.document["patcher"]["boxes"] if e["box"]["maxclass"] == "multislider"
    )
    rehearsal.say(2, "progress", 0.25)
    assert rehearsal.values[bar["id"]] == 0.25


@pytest.mark.parametrize(
    ("names", "one", "menu"), [("recipes", "recipe", "Recipe"), ("targets", "target", "Target")]
)
def test_a_menu_is_filled_and_set_without_telling(
    rehearsal: Rehearsal, names: str, one: str, menu: str
) -> None:
    rehearsal.say(2, names, "full", "quick", "my own")
    rehearsal.say(2, one, 2)
    box = rehearsal.box(menu)
    assert box["saved_attribute_attributes"]["valueof"]["parameter_enum"] == ["full", "quick", "my own"]
    assert rehearsal.values[box["id"]] == 2
    assert rehearsal.heard == [], "the menu told its index when its names changed; that is no choice"
    rehearsal.choose(menu, 1)
    assert rehearsal.heard == [(0, (one, 1))]


def test_choices_are_kept_by_name(rehearsal: Rehearsal) -> None:
    rehearsal.say(2, "keep_recipe", "my own")
    assert "my own" in rehearsal.values.values()
    assert rehearsal.heard == [(0, ("kept_recipe", "my own"))]


def test_menus_begin_with_names_that_the_service_knows(rehearsal: Rehearsal) -> None:
    def begin(menu: str) -> list[str]:
        saved = rehearsal.box(menu)["saved_attribute_attributes"]["valueof"]
        return list(saved["parameter_enum"])

    assert set(begin("Recipe")[1:]) <= set(load_config().recipes)
    assert set(begin("Target")[1:]) <= set(TARGETS)


def test_no_order_is_left_to_where_objects_lie() -> None:
    """Max sends from right to left; only the lamps, which do not mind, share an outlet."""
    patcher = device_document()["patcher"]
    texts = {entry["box"]["id"]: entry["box"].get("text", "") for entry in patcher["boxes"]}
    ways = Counter(tuple(entry["patchline"]["source"]) for entry in patcher["lines"])
    shared = [
        texts[line["destination"][0]]
        for line in (entry["patchline"] for entry in patcher["lines"])
        if ways[tuple(line["source"])] > 1
    ]
    assert shared == ["!= 0", "!= 1", "!= 2"]
