"""The guidelines: our device keeps them, and each rule finds what breaks it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ableton.device.lint import lint
from ableton.device.reader import Device, read_device
from ableton.device.rules import RULES
from tests.ableton.device.samples import our_device, real_device

Patcher = dict[str, Any]


def test_our_device_keeps_every_rule() -> None:
    assert lint(our_device()) == []


def _box(patcher: Patcher, words: str) -> dict[str, Any]:
    """The first box that is named so, else one that holds this text, else one of this class."""
    boxes = [entry["box"] for entry in patcher["boxes"]]
    found = (box for key in ("varname", "text", "maxclass") for box in boxes if box.get(key) == words)
    return next(found)


def _parameter(patcher: Patcher, name: str) -> dict[str, Any]:
    found: dict[str, Any] = _box(patcher, name)["saved_attribute_attributes"]["valueof"]
    return found


def _add(to: Patcher, text: str, **more: Any) -> None:
    box = {"id": "obj-999", "maxclass": "newobj", "numinlets": 1, "numoutlets": 1, "text": text}
    to["boxes"].append({"box": {**box, "patching_rect": [0.0, 0.0, 9.0, 9.0], **more}})


def _add_inside(patcher: Patcher, text: str) -> None:
    inner: Patcher = {"boxes": [], "lines": []}
    _add(inner, text)
    _add(patcher, "p inner", patcher=inner)


def _move(patcher: Patcher, name: str, *rect: float) -> None:
    _box(patcher, name)["presentation_rect"] = list(rect)


BREAKS: list[tuple[str, Callable[[Patcher], Any], str]] = [
    ("is_frozen", lambda p: _add(p, "js x.js", saved_object_attributes={"filename": "x.js"}), "x.js"),
    ("is_frozen", lambda p: p["dependency_cache"].append({"name": "logo.svg"}), "logo.svg"),
    ("opens_in_presentation", lambda p: p.update(openinpresentation=0), "presentation"),
    ("opens_in_presentation", lambda p: p.update(devicewidth=0.0), "no width"),
    ("lies_inside", lambda p: _move(p, "Cancel", 152.5, 146.0, 92.0, 18.0), "whole pixels"),
    ("lies_inside", lambda p: _move(p, "Cancel", 152.0, 160.0, 92.0, 18.0), "outside"),
    ("lies_inside", lambda p: _move(p, "Tempo", 252.0, 148.0, 190.0, 15.0), "outside"),
    ("lies_inside", lambda p: p.update(devicewidth=460.0), "margin"),
    ("overlaps_nothing", lambda p: _move(p, "Cancel", 152.0, 130.0, 92.0, 18.0), "Import stems and Cancel"),
    ("is_wired", lambda p: p["lines"][0]["patchline"].update(source=["obj-1", 7]), "outlet 7"),
    ("is_wired", lambda p: p["lines"][0]["patchline"].update(destination=["obj-1", 7]), "inlet 7"),
    ("is_wired", lambda p: p["lines"][0]["patchline"].update(destination=["obj-777", 0]), "obj-777"),
    ("passes_audio", lambda p: p["lines"].pop(0), "channel 0"),
    ("passes_audio", lambda p: _box(p, "plugout~").update(text="dac~"), "channel 1"),
    ("hides_buttons", lambda p: _parameter(p, "Cancel").update(parameter_invisible=0), "Cancel"),
    ("hides_buttons", lambda p: _parameter(p, "Drop target").update(parameter_invisible=1), "Drop target"),
    ("hides_driven_controls", lambda p: _parameter(p, "Recipe").update(parameter_invisible=1), "Recipe"),
    ("names_parameters", lambda p: _parameter(p, "Target").update(parameter_longname="Recipe"), "share"),
    ("names_parameters", lambda p: _parameter(p, "Target").update(parameter_longname="live.menu[1]"), "live"),
    ("names_parameters", lambda p: _parameter(p, "Target").update(parameter_shortname=""), "shortname"),
    ("names_parameters", lambda p: _parameter(p, "Cancel").update(parameter_enum=["val1", "val2"]), "val2"),
    ("names_parameters", lambda p: _parameter(p, "Cancel").update(parameter_shortname=11 * "x"), "letters"),
    ("is_legible", lambda p: _box(p, "Cancel").update(patching_rect=[40.0, 40.0, 9.0, 9.0]), "patching view"),
    ("fits_its_texts", lambda p: _box(p, "Cancel").update(text="Cancel what is at work"), "no room"),
    ("fits_its_texts", lambda p: _parameter(p, "Tempo").update(parameter_enum=["x", 24 * "y"]), "room"),
    ("names_parameters", lambda p: _box(p, "Target").update(varname="Recipe"), "varname"),
    ("registers_parameters", lambda p: p["parameters"].pop(_box(p, "Tempo")["id"]), "Tempo"),
    ("registers_parameters", lambda p: p["parameters"].update({"obj-1": ["Ghost", "Ghost", 0]}), "obj-1"),
    ("has_info_text", lambda p: _box(p, "Cancel").pop("annotation"), "Cancel"),
    ("keeps_names_local", lambda p: _add(p, "s lamp"), "---lamp"),
    ("keeps_names_local", lambda p: _add_inside(p, "buffer~ deep"), "---deep"),
    ("prints_nothing", lambda p: _add(p, "print found"), "prints"),
    ("changes_nothing_on_load", lambda p: _add(p, "loadbang"), "live.thisdevice"),
    ("changes_nothing_on_load", lambda p: _add(p, "loadmess 1"), "live.thisdevice"),
    ("follows_the_theme", lambda p: _box(p, "Cancel").update(bgcolor=[1.0, 0.0, 0.0, 1.0]), "bgcolor"),
    ("follows_the_theme", lambda p: _box(p, "panel").pop("saved_attribute_attributes"), "bgfillcolor"),
    ("looks_like_live", lambda p: _box(p, "Cancel").update(appearance=0), "LCD"),
    ("looks_like_live", lambda p: _box(p, "Cancel").update(outputmode=0), "released"),
    ("looks_like_live", lambda p: _box(p, "Cancel").update(fontname="Comic Sans MS"), "font"),
    ("looks_like_live", lambda p: _box(p, "Before").update(text="Be\tfore"), "tab stop"),
]  # fmt: skip


def _broken(how: Callable[[Patcher], Any]) -> Device:
    device = our_device()
    document = copy.deepcopy(device.document)
    how(document["patcher"])
    return device._replace(document=document)


@pytest.mark.parametrize(
    ("rule", "how", "words"), BREAKS, ids=[f"{rule} {words}" for rule, _, words in BREAKS]
)
def test_a_device_that_breaks_a_rule_is_found(rule: str, how: Callable[[Patcher], Any], words: str) -> None:
    found = [finding.words for finding in lint(_broken(how)) if finding.rule == rule]
    assert any(words in text for text in found), found


def test_a_script_that_writes_to_the_console_is_found() -> None:
    device = our_device()
    script = device.files[0]._replace(data=b"function ready() { post('hello'); }")
    assert [finding.words for finding in lint(device._replace(files=(script,)))] == [
        "stembridge.js calls post"
    ]


def test_every_rule_is_broken_by_some_test() -> None:
    assert {rule.__name__ for rule in RULES} == {rule for rule, _, _ in BREAKS}


def test_a_device_of_abletons_own_is_wired_and_undoes_well() -> None:
    """The rules about cords and undo steps are no stricter than what Ableton ships."""
    found = {finding.rule for finding in lint(read_device(real_device("ableton_CPU_Reporter.amxd")))}
    assert found.isdisjoint(
        {
            "is_wired",
            "passes_audio",
            "hides_buttons",
            "hides_driven_controls",
            "registers_parameters",
            "prints_nothing",
        }
    )


def test_faults_in_a_real_device_are_found() -> None:
    """Ableton's test device prints, and shares names."""
    found = [finding.words for finding in lint(read_device(real_device("ableton_FrozenTest.amxd")))]
    assert any("print" in words for words in found)
    assert any("---myTestTable" in words for words in found)
