"""The files: they hold the panel, nothing but addresses of the table, and are the same on each export."""

from __future__ import annotations

import itertools
import json
import re
import xml.etree.ElementTree as Xml
import zlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ableton.addresses import COMMANDS, SENT
from ableton.contract import Type
from ableton.remotes import PANEL, Button, Setup, document_bytes, module_text, session_text
from ableton.remotes.commands import app
from ableton.remotes.panel import BUTTONS, CHOICES, DISPLAYS, HEIGHT, JOB, SWITCHES, WIDTH, Rect
from ableton.remotes.touchosc import lua, script_text
from bridge.config import Config, load_config, shipped_config_path
from presets import TARGETS
from tests.ableton.remotes.hosts import properties

EVERY_NODE = {
    *("name", "frame", "color", "background", "outline", "outlineStyle", "cornerRadius", "shape"),
    *("orientation", "visible", "interactive", "grabFocus", "locked", "pointerPriority"),
}
LETTERS = {"font", "textSize", "textColor", "textAlignH", "textAlignV", "textClip"}
NEEDED = {
    "GROUP": EVERY_NODE | {"script"},
    "BOX": EVERY_NODE,
    "FADER": EVERY_NODE | {"bar", "cursor", "response"},
    "BUTTON": EVERY_NODE | {"buttonType", "press", "release", "valuePosition", "script"},
    "LABEL": EVERY_NODE | LETTERS | {"textLength"},
    "TEXT": EVERY_NODE | LETTERS | {"textWrap"},
}
"""What the application writes for each kind of node."""
EVERY_WIDGET = {
    *("type", "id", "left", "top", "width", "height", "address", "bypass", "interaction", "css"),
    *("colorText", "colorWidget", "alphaFillOff", "default", "decimals", "target", "ignoreDefaults"),
}
KNOWN = {
    "button": EVERY_WIDGET | {"label", "mode"},
    "dropdown": EVERY_WIDGET | {"label", "values"},
    "fader": EVERY_WIDGET | {"horizontal", "design", "knobSize", "range"},
    "text": (EVERY_WIDGET - {"ignoreDefaults", "decimals"}) | {"align", "wrap"},
}
"""Of the properties that Open Stage Control's reference lists for each widget, those that are used."""


@pytest.fixture
def config() -> Config:
    return load_config(shipped_config_path())


@pytest.fixture
def setup(config: Config) -> Setup:
    return Setup.of(config)


def document(setup: Setup) -> Xml.Element:
    return Xml.fromstring(zlib.decompress(document_bytes(setup)))


def frame(node: Xml.Element) -> Rect:
    value = node.find("properties/property[key='frame']/value")
    assert value is not None
    x, y, width, height = (int(value.findtext(part, "")) for part in "xywh")
    return Rect(x=x, y=y, width=width, height=height)


def test_no_control_leaves_the_panel_or_lies_on_another() -> None:
    for control in PANEL:
        rect = control.rect
        assert 0 <= rect.x < rect.x + rect.width <= WIDTH
        assert 0 <= rect.y < rect.y + rect.height <= HEIGHT
    for one, other in itertools.combinations([control.rect for control in PANEL], 2):
        is_beside = one.x + one.width <= other.x or other.x + other.width <= one.x
        assert is_beside or one.y + one.height <= other.y or other.y + other.height <= one.y


def test_names_are_unique() -> None:
    names = [control.name for control in PANEL]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("button", BUTTONS, ids=lambda button: button.name)
def test_each_button_gives_a_command_of_the_table_with_arguments_that_fit(button: Button) -> None:
    fields = COMMANDS[f"/stembridge/{button.command}"].fields[2:]
    assert len(button.sources) == len(fields)
    known = {JOB, *(choice.name for choice in CHOICES), ""}
    for field, source in zip(fields, button.sources, strict=True):
        assert field.type is Type.TEXT
        assert source in known
        assert source or field.is_optional


@pytest.mark.parametrize(
    ("command", "fills", "error"),
    [
        ("cancel", {}, ValueError),
        ("cancel", {"job": JOB, "recipe": "recipe"}, KeyError),
        ("list", {}, ValueError),
    ],
    ids=["what must be given is left out", "an argument that there is not", "a number"],
)
def test_a_button_whose_command_would_be_refused_is_not_made(
    command: str, fills: dict[str, str], error: type[Exception]
) -> None:
    button = BUTTONS[0].evolve(command=command, fills=fills)
    with pytest.raises(error, match=f"/stembridge/{command}"):
        _ = button.sources


def test_the_session_has_each_control_once_at_its_place(setup: Setup) -> None:
    session = json.loads(session_text(setup))
    assert (session["type"], session["content"]["type"]) == ("session", "root")
    widgets = {widget["id"]: widget for widget in session["content"]["widgets"]}
    assert set(widgets) == {control.name for control in PANEL}
    assert len(session["content"]["widgets"]) == len(PANEL)
    for control in PANEL:
        rect, widget = control.rect, widgets[control.name]
        found = [float(widget[side].removesuffix("%")) for side in ("left", "top", "width", "height")]
        wanted = [rect.x / WIDTH, rect.y / HEIGHT, rect.width / WIDTH, rect.height / HEIGHT]
        assert found == pytest.approx([100 * share for share in wanted])


def test_the_session_sends_to_the_door_and_nowhere_else(setup: Setup) -> None:
    widgets = {widget["id"]: widget for widget in json.loads(session_text(setup))["content"]["widgets"]}
    for button in BUTTONS:
        assert widgets[button.command]["address"] in COMMANDS
    for sending in (*(button.command for button in BUTTONS), *(choice.name for choice in CHOICES)):
        assert widgets[sending]["target"] == ["127.0.0.1:17710"]
        assert widgets[sending]["ignoreDefaults"] is True
    for display in DISPLAYS:
        assert widgets[display.name]["bypass"] is True
        assert widgets[display.name]["address"] == f"/remote/{display.name}"


def test_widgets_have_no_properties_but_those_that_there_are(setup: Setup) -> None:
    for widget in json.loads(session_text(setup))["content"]["widgets"]:
        assert set(widget) <= KNOWN[widget["type"]], widget["id"]


def test_the_choices_are_the_recipes_and_targets_that_there_are(config: Config, setup: Setup) -> None:
    widgets = {widget["id"]: widget for widget in json.loads(session_text(setup))["content"]["widgets"]}
    assert list(widgets["recipe"]["values"].values()) == ["", *config.recipes]
    assert list(widgets["target"]["values"].values()) == ["", *TARGETS]
    assert all(f"'{name}'" in script_text(setup) for name in [*config.recipes, *TARGETS])


def test_what_the_module_shows_is_on_the_session(setup: Setup) -> None:
    shown = set(re.findall(r'show\("(\w+)"', module_text(setup)))
    assert shown == {display.name for display in DISPLAYS}


def test_what_the_script_shows_is_in_the_document(setup: Setup) -> None:
    shown = set(re.findall(r"show\('(\w+)'", script_text(setup)))
    assert shown == {display.name for display in DISPLAYS}


def test_both_scripts_know_each_message_of_the_table(setup: Setup) -> None:
    for name, entry in SENT.items():
        assert f"['{name}'] = {{" in script_text(setup)
        assert f'"{name}": {{' in module_text(setup)
        for field in (*entry.fields, *entry.row):
            assert f"'{field.name}'" in script_text(setup)


def test_the_document_is_one_group_whose_nodes_have_what_the_application_writes(setup: Setup) -> None:
    root = document(setup)
    assert (root.tag, root.get("version"), len(root)) == ("lexml", "4", 1)
    assert root[0].get("type") == "GROUP"
    nodes = list(root.iter("node"))
    assert len({node.get("ID") for node in nodes}) == len(nodes)
    for node in nodes:
        keys = [entry.findtext("key") for entry in node.findall("properties/property")]
        assert len(set(keys)) == len(keys)
        assert NEEDED[node.get("type", "")] <= set(keys), properties(node)["name"]
        assert {entry.get("type") for entry in node.findall("properties/property")} <= set("bifsrc")
        assert "touch" in [value.findtext("key") for value in node.findall("values/value")]


def test_the_document_has_each_control_once_at_its_place(setup: Setup) -> None:
    children = document(setup)[0].findall("children/node")
    places = {properties(node)["name"]: frame(node) for node in children}
    assert len(places) == len(children)
    for control in PANEL:
        assert places[control.name] == control.rect
    pressed = [node for node in children if node.get("type") == "BUTTON"]
    assert len(pressed) == len(BUTTONS) + len(CHOICES) + len(SWITCHES)
    for node in pressed:
        assert places[f"{properties(node)['name']}_text"] == frame(node)


def test_what_has_several_lines_is_no_label(setup: Setup) -> None:
    """A LABEL of TouchOSC has one line."""
    kinds = {properties(node)["name"]: node.get("type") for node in document(setup).iter("node")}
    assert [name for name, kind in kinds.items() if kind == "TEXT"] == ["message", "jobs"]


def test_labels_let_presses_through(setup: Setup) -> None:
    for node in document(setup).iter("node"):
        assert (properties(node)["interactive"] == "1") == (node.get("type") == "BUTTON")


def test_two_exports_are_the_same_byte_for_byte(setup: Setup) -> None:
    assert document_bytes(setup) == document_bytes(setup.evolve())
    assert session_text(setup) == session_text(setup.evolve())
    assert module_text(setup) == module_text(setup.evolve())


def test_lua_reads_what_was_written() -> None:
    lupa = pytest.importorskip("lupa.lua51", reason="lupa is not installed (pip install lupa)")
    value = {"it's": ["a\\b", "c\nd", 3], "empty": [], "inner": {"x": -1}}
    found = lupa.LuaRuntime().eval(lua(value))
    assert list(found["it's"].values()) == value["it's"]
    assert list(found["empty"].values()) == []
    assert found["inner"]["x"] == -1


class TestExport:
    """``stembridge remote export``."""

    def test_the_layouts_are_made_for_the_settings(self, tmp_path: Path) -> None:
        settings = tmp_path / "settings.toml"
        token = "quite-a-long-token"
        settings.write_text(f'[osc]\nhost = "0.0.0.0"\nport = 18000\ntoken = "{token}"\n', encoding="utf-8")
        done = CliRunner().invoke(app, ["export", str(tmp_path / "out"), "--config", str(settings)])
        assert done.exit_code == 0, done.output
        assert "osc.token" in done.output
        assert "18000" in done.output
        files = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
        assert set(files) == {"stembridge.json", "stembridge-module.js", "stembridge.tosc"}
        assert b"127.0.0.1:18000" in files["stembridge.json"]
        assert token.encode() in zlib.decompress(files["stembridge.tosc"])
        assert token.encode() not in files["stembridge.json"] + files["stembridge-module.js"]

    def test_a_place_that_cannot_be_written_to_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        done = CliRunner().invoke(app, ["export", str(tmp_path / "file")])
        assert done.exit_code != 0
        assert "could not be written" in str(done.exception)
