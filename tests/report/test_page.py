"""The page as a whole: safe, self-contained, complete in every state."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bridge.report import Picture, ReportData, render_report
from tests.report import examples

VOID = {"meta", "img", "input", "link", "br"}
OUTSIDE = {"src", "href", "action", "poster", "srcset", "xlink:href"}


class Page(HTMLParser):
    """Parses strictly: every element is closed in its order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text.append(data)

    @property
    def words(self) -> str:
        """All text, white space made one."""
        return " ".join("".join(self.text).split())

    def attributes(self, name: str) -> list[str]:
        """All values of an attribute."""
        return [attributes[name] for _, attributes in self.elements if name in attributes]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    """A delivery with everything."""
    return examples.full(tmp_path_factory.mktemp("song"))


@pytest.mark.parametrize("state", examples.STATES)
def test_every_state_is_a_well_formed_page_on_its_own(state: str) -> None:
    """Elements close in order, ids are unique and pointed at rightly, nothing is loaded from elsewhere."""
    page = Page(render_report(examples.STATES[state]()))
    assert page.open == []
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    for name in OUTSIDE:
        for value in page.attributes(name):
            assert value.startswith("data:") or (value.startswith("#") and value[1:] in ids), value
    assert "None" not in page.words
    assert "nan" not in page.words.split()


def test_the_page_itself_names_no_address() -> None:
    """Neither style nor script nor markup holds an address; only texts of the song may."""
    text = render_report(examples.plain())
    assert not re.findall(r"(?:https?:)?//[a-z0-9]", re.sub(r"data:[a-z/]+;base64,[A-Za-z0-9+/=]*", "", text))
    assert "@import" not in text


def test_hostile_texts_stay_texts() -> None:
    """A title with markup, quotes, bidi controls and emoji is shown and does nothing."""
    page = Page(render_report(examples.hostile()))
    assert [tag for tag, _ in page.elements].count("script") == 1
    handlers = [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert handlers == []
    assert page.words.count("<script>alert('pwned')</script>") >= 4
    assert all(
        attributes.get("src", "").startswith("data:") for tag, attributes in page.elements if tag == "img"
    )
    assert not any(value.strip().lower().startswith("javascript") for value in page.attributes("href"))


def test_only_its_own_script_may_run() -> None:
    """The security policy carries the hash of the script, which no song changes."""
    text = render_report(examples.hostile())
    script = text.split("<script>")[-1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(v for v in Page(text).attributes("content") if v.startswith("default-src"))
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_rendering_depends_on_the_data_alone() -> None:
    """The same data give the same page."""
    assert render_report(examples.plain()) == render_report(examples.plain())


def test_a_full_report_stays_in_its_size(full: ReportData) -> None:
    """Less than 4 MB with all sounds, and the sounds are in it."""
    text = render_report(full)
    assert len(text.encode()) < 4_000_000
    assert len([True for tag, _ in Page(text).elements if tag == "audio"]) == 2 + 2 * 4


def test_players_work_without_script(full: ReportData) -> None:
    """Every sound has the browser's own controls and a name."""
    players = [attributes for tag, attributes in Page(render_report(full)).elements if tag == "audio"]
    assert all("controls" in player and player["aria-label"] for player in players)
    assert all(player["src"].startswith("data:audio/mpeg;base64,") for player in players)


def test_pictures_and_drawings_have_words() -> None:
    """Images have an alternative text; drawings a label or they are hidden as decoration."""
    page = Page(render_report(examples.plain()))
    images = [attributes for tag, attributes in page.elements if tag == "img"]
    drawings = [attributes for tag, attributes in page.elements if tag == "svg"]
    assert images
    assert all(image.get("alt") for image in images)
    assert drawings
    assert all(drawing.get("aria-label") or drawing.get("aria-hidden") == "true" for drawing in drawings)


def test_buttons_have_names(full: ReportData) -> None:
    """What a screen reader says for each button: its label or its text."""
    text = render_report(full)
    buttons = re.findall(r"<button([^>]*)>(.*?)</button>", text, re.DOTALL)
    assert len(buttons) > 8
    for attributes, body in buttons:
        assert "aria-label=" in attributes or re.sub(r"<[^>]*>", "", body).strip()


@pytest.mark.parametrize(
    ("state", "there", "gone"),
    [
        ("plain", ["sound", "stems", "chains", "dial-in", "checks", "files", "preview"], ["listen"]),
        ("stems_only", ["sound", "stems", "checks"], ["chains", "dial-in", "preview", "listen"]),
        ("master_only", ["sound", "chains", "checks"], ["stems", "preview"]),
        ("failed_master", ["stems", "checks"], ["listen"]),
        ("bare", [], ["sound", "stems", "chains", "dial-in", "checks", "listen", "preview"]),
    ],
)
def test_sections_without_data_are_left_out(state: str, there: list[str], gone: list[str]) -> None:
    """A recipe that made no stems has no section for them, nor a link to it."""
    page = Page(render_report(examples.STATES[state]()))
    ids = page.attributes("id")
    assert set(there) <= set(ids)
    assert not set(gone) & set(ids)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("plain", "These stems are a preview."),
        ("plain", "1.2\N{NO-BREAK SPACE}GB to download"),
        ("plain", "stembridge engines install demucs"),
        ("plain", "93% sure"),
        ("plain", "AI-made source."),
        ("failed_master", "No master was delivered. 4 stems are here."),
        ("failed_master", "The master failed a hard check after 3 attempts."),
        ("failed_master", "Lower the ceiling."),
        ("mono", "The source is mono."),
        ("silent", "nearly silent"),
        ("short_of_target", "this style allows 6 dB"),
        ("endless", examples.LONG_TITLE),
        ("bare", "Untitled"),
    ],
)
def test_states_are_told(state: str, words: str) -> None:
    """What a producer has to know stands there in words."""
    page = Page(render_report(examples.STATES[state]()))
    assert " ".join(words.split()) in page.words


def test_a_kept_and_a_bypassed_chain_are_told_apart() -> None:
    """Not by colour alone."""
    page = Page(render_report(examples.plain()))
    assert "bypassed" in page.words
    assert "kept" in page.words


def test_a_role_has_one_colour_everywhere() -> None:
    """The stem's row, its chain and its devices carry the same class, and the style defines it."""
    text = render_report(examples.plain())
    uses = re.findall(r'class="[^"]*\brole-drums\b', text)
    assert len(uses) >= 4
    assert re.search(r"\.role-drums\{--own:#[0-9a-f]{6}\}", text)


def test_a_cover_is_shown_and_replaces_the_drawing() -> None:
    """The cover comes as data."""
    data = examples.plain()
    cover = Picture(mime="image/png", content=b"\x89PNG")
    shown = render_report(data.evolve(song=data.song.evolve(cover=cover)))
    assert 'class="cover" src="data:image/png;base64,iVBORw=="' in shown
    assert 'class="disc"' not in shown
    assert 'class="disc"' in render_report(data)


def test_the_data_survive_json(full: ReportData) -> None:
    """Bytes and infinities included."""
    for data in (full, examples.silent(), examples.hostile()):
        assert ReportData.model_validate_json(data.model_dump_json()) == data


def test_the_page_lies_in_the_package() -> None:
    """Templates, style and script are beside the code, where the wheel takes them from."""
    import bridge.report

    folder = Path(bridge.report.__file__).parent / "page"
    assert {"report.html", "report.css", "report.js"} <= {path.name for path in folder.iterdir()}


def test_other_tempi_are_offered() -> None:
    """Half and double, beside the one that is taken."""
    assert "124 bpm 93% sure, or 62 or 248" in Page(render_report(examples.plain())).words


def test_sections_lie_along_the_song() -> None:
    """Without gaps, equal letters in one tone; a song that is all one has none."""
    data = examples.plain()
    page = Page(render_report(data))
    styles = [
        attributes["style"]
        for tag, attributes in page.elements
        if tag == "li" and "--tone" in attributes.get("style", "")
    ]
    places = [re.findall(r"[\d.]+", style) for style in styles]
    assert [(float(left), float(width)) for left, width, _ in places] == [(0, 20), (20, 40), (60, 40)]
    tones = [tone for *_, tone in places]
    assert tones[0] == tones[2] != tones[1]
    assert "A, 0:00\N{EN DASH}0:02" in page.attributes("title")
    alone = data.evolve(sections=data.sections[:1])
    assert "Form of the song" not in Page(render_report(alone)).attributes("aria-label")


def test_figures_without_a_master_say_whose_they_are() -> None:
    """Where there is nothing to compare with, they are the source's."""
    words = Page(render_report(examples.failed_master())).words
    assert "the source integrated, the whole song" in words
    assert "the source integrated" not in Page(render_report(examples.plain())).words
