"""Names: exports say what they are, and names of our own are safe everywhere."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.errors import ConfigError
from bridge.naming import (
    DEFAULT_TEMPLATE,
    FIELDS,
    NAME_BYTES,
    SongName,
    check_template,
    file_name,
    is_stem_name,
    parse_name,
    safe_name,
    track_of,
    unique_name,
    versioned,
)
from bridge.values import Tags

UUID = "5cb1b5fe-e47f-42a4-83f6-7625fa7ffa54"


class TestParsing:
    @pytest.mark.parametrize(
        ("name", "wanted"),
        [
            ("Night Drive.mp3", SongName(title="Night Drive")),
            ("Night Drive", SongName(title="Night Drive")),
            ("Night Drive (1).mp3", SongName(title="Night Drive", take=1)),
            ("Night Drive(2).wav", SongName(title="Night Drive", take=2)),
            ("Night Drive_v2.wav", SongName(title="Night Drive", take=2)),
            ("Night Drive v3", SongName(title="Night Drive", take=3)),
            ("night_drive_v3.mp3", SongName(title="night drive", take=3)),
            ("Night Drive - Copy (2).mp3", SongName(title="Night Drive", take=2)),
            ("Night Drive copy.wav", SongName(title="Night Drive", take=1)),
            ("Night Drive (Remix).mp3", SongName(title="Night Drive (Remix)")),
            ("Night Drive (Remix) (2).mp3", SongName(title="Night Drive (Remix)", take=2)),
            ("Night Drive (2024).mp3", SongName(title="Night Drive (2024)")),
            ("Night Drive Stems.zip", SongName(title="Night Drive")),
            ("Night Drive Stems (103BPM).zip", SongName(title="Night Drive", tempo_bpm=103)),
            ("Night Drive Stems (1).zip", SongName(title="Night Drive", take=1)),
            ("Night Drive (Vocals).mp3", SongName(title="Night Drive", stem="Vocals")),
            ("Night Drive (Backing_Vocals).mp3", SongName(title="Night Drive", stem="Backing Vocals")),
            ("Live: at Ten (Synth 2).wav", SongName(title="Live: at Ten", stem="Synth 2")),
            ("Kyra - Night Drive.mp3", SongName(title="Night Drive", artist="Kyra")),
            ("Night Drive - Extended Mix.mp3", SongName(title="Night Drive - Extended Mix")),
            (f"{UUID}.mp3", SongName(title="", generator_id=UUID)),
            (f"Night Drive_{UUID.upper()}.mp3", SongName(title="Night Drive", generator_id=UUID)),
            (f"Night Drive [{UUID}] (1).wav", SongName(title="Night Drive", generator_id=UUID, take=1)),
            ("한성의 이름 아래 (Vocals).mp3", SongName(title="한성의 이름 아래", stem="Vocals")),
            ("99 Problems.mp3", SongName(title="99 Problems")),
            ("Mr. Blue", SongName(title="Mr. Blue")),
            ("U.S.A", SongName(title="U.S.A")),
            ("v2.mp3", SongName(title="v2")),
            ("(1).mp3", SongName(title="(1)")),
            ("Stems.zip", SongName(title="Stems")),
            (".mp3", SongName(title=".mp3")),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_a_name_says(self, name: str, wanted: SongName) -> None:
        assert parse_name(name) == wanted

    def test_decomposed_names_of_macos(self) -> None:
        assert parse_name(unicodedata.normalize("NFD", "Café.mp3")).title == "Café"

    @given(st.text(max_size=80))
    def test_any_name_is_parsed(self, name: str) -> None:
        found = parse_name(name)
        assert 0 <= found.take < 100
        assert found.title == found.title.strip() or not name.strip()

    @given(st.from_regex(r"[A-Z][a-z]{1,9}( [A-Z][a-z]{1,9}){0,3}", fullmatch=True), st.integers(1, 99))
    def test_takes_of_a_title(self, title: str, take: int) -> None:
        for form in (f"{title} ({take}).mp3", f"{title}_v{take}.wav", f"{title} v{take}.flac"):
            found = parse_name(form)
            assert found.take == take
            assert found.title == parse_name(title).title

    def test_stem_names(self) -> None:
        assert all(map(is_stem_name, ["Vocals", "Backing_Vocals", "Synth 2", "0 Lead Vocals", "FX"]))
        assert not any(map(is_stem_name, ["Remix", "Vocal Mix", "Bass Drop Anthem", "", "2"]))


class TestTrack:
    def test_name_alone(self) -> None:
        track = track_of(Path("in/Night Drive (1).mp3"))
        assert (track.title, track.take) == ("Night Drive", 1)

    @pytest.mark.parametrize(
        ("name", "tag", "title"),
        [
            ("Who Are You_.mp3", "Who Are You?", "Who Are You?"),
            ("who are you (2).mp3", "Who Are You?", "Who Are You?"),
            ("My Own Name.mp3", "Untouched Original", "My Own Name"),
            (f"{UUID}.mp3", "Night Drive", "Night Drive"),
            (f"{UUID}.mp3", "", "Untitled"),
            ("Kyra - Night Drive.mp3", "Night Drive", "Night Drive"),
            ("Rain - Night Drive.mp3", "Rain - Night Drive", "Rain - Night Drive"),
            ("Night Drive (Vocals).mp3", "Night Drive", "Night Drive (Vocals)"),
        ],
    )
    def test_title_of_name_or_tag(self, name: str, tag: str, title: str) -> None:
        assert track_of(Path(name), Tags(title=tag)).title == title

    def test_artist_before_a_dash_only_where_the_tags_allow(self) -> None:
        assert track_of(Path("Kyra - Drive.mp3")).tags.artist == "Kyra"
        track = track_of(Path("Kyra - Drive.mp3"), Tags(artist="Somebody"))
        assert (track.title, track.tags.artist) == ("Kyra - Drive", "Somebody")

    def test_ids_are_never_lost(self) -> None:
        assert track_of(Path(f"X_{UUID}.mp3")).tags.generator_id == UUID
        kept = Tags(generator_id="other", generator="Suno", url="u", lyrics="l", comment="c")
        assert track_of(Path(f"X_{UUID}.mp3"), kept).tags == kept


def assert_safe(name: str) -> None:
    """What Windows, macOS and Linux ask of a name."""
    assert name
    assert len(name.encode("utf-8")) <= NAME_BYTES
    assert not set(name) & set('<>:"/\\|?*')
    assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name)
    assert not any(unicodedata.bidirectional(letter) in BIDI_CONTROLS for letter in name)
    assert name == name.strip()
    assert not name.endswith(".")
    assert unicodedata.normalize("NFC", name) == name
    base = name.split(".", maxsplit=1)[0].rstrip().upper()
    assert base not in {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    assert not (base[:3] in ("COM", "LPT") and base[3:] in tuple("0123456789¹²³"))


BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


class TestSafeNames:
    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("Night Drive", "Night Drive"),
            ("AC/DC", "AC-DC"),
            ("Who Are You?", "Who Are You"),
            ("Flight Path: Live", "Flight Path - Live"),
            ("12:30", "12-30"),
            ('The "Best"', "The 'Best'"),
            ("a<b>c|d*e\\f", "a(b)c-d_e-f"),
            ("CON", "CON_"),
            ("con.txt", "con_.txt"),
            ("Nul .x", "Nul_ .x"),
            ("COM¹", "COM¹_"),
            ("Console", "Console"),
            ("COM10", "COM10"),
            ("name. . ", "name"),
            ("..hidden", "hidden"),
            ("tab\there\nand\x00there", "tab here and there"),
            ("", "Untitled"),
            ("???", "Untitled"),
            (" . ", "Untitled"),
            ("Cafe\u0301", "Café"),
            ("evil\u202egpj.exe", "evilgpj.exe"),
            ("👨‍👩‍👧 family", "👨‍👩‍👧 family"),
            ("أغنية الليل", "أغنية الليل"),
            ("שיר", "שיר"),
            ("می‌خواهم", "می‌خواهم"),
            ("\ud800x", "_x"),
        ],
    )
    def test_examples(self, text: str, wanted: str) -> None:
        assert safe_name(text) == wanted
        assert_safe(safe_name(text))

    @given(st.text(alphabet=st.characters(codec=None), max_size=300))
    @example("é" * 150)
    @example("x" * 199 + " .")
    @example("\u0344" * 100)
    @example("0" * 196 + " . x")
    def test_any_text(self, text: str) -> None:
        name = safe_name(text)
        assert_safe(name)
        assert safe_name(name) == name
        assert_safe(safe_name(text, ".wav"))
        assert safe_name(text, ".wav").endswith(".wav")

    @given(st.sampled_from(["con", "NUL", "Com1", "lpt³", "aux "]), st.text(max_size=5))
    def test_reserved_names_with_any_ending(self, base: str, rest: str) -> None:
        assert_safe(safe_name(base + rest))

    @pytest.mark.parametrize(
        "whole",
        ["👨‍👩‍👧‍👦", "👍🏽", "🇩🇪", "❤️", "q̣̇̈"],
        ids=["family", "tone", "flag", "variation", "accents"],
    )
    def test_cut_never_splits_what_people_see_as_one(self, whole: str) -> None:
        for fill in range(12):
            name = safe_name("a" * (150 + fill) + whole * 20)
            assert len(name.encode()) > NAME_BYTES - 1 - len(whole.encode())
            rest = name.lstrip("a")
            assert rest == whole * (len(rest) // len(whole))

    def test_it_can_be_made_on_this_disk(self, tmp_path: Path) -> None:
        for text in ["é" * 300, "CON", "👨‍👩‍👧" * 50, "a/b\0c", "أ" * 300]:
            (tmp_path / safe_name(text, ".wav")).touch()
        assert len(list(tmp_path.iterdir())) == 5


class TestUnique:
    def test_case_and_form_do_not_tell_apart(self) -> None:
        assert unique_name("a.wav", []) == "a.wav"
        assert unique_name("A.wav", ["a.WAV"]) == "A (2).wav"
        assert unique_name("a.wav", ["A.wav", "a (2).wav"]) == "a (3).wav"
        assert unique_name("é", [unicodedata.normalize("NFD", "É")]) == "é (2)"

    @given(st.lists(st.text(alphabet="aAbBé.", min_size=1, max_size=4), max_size=30))
    def test_a_folder_of_any_names(self, texts: list[str]) -> None:
        taken: list[str] = []
        for text in texts:
            taken.append(unique_name(safe_name(text, ".wav"), taken))
        assert len({unicodedata.normalize("NFC", name.casefold()) for name in taken}) == len(texts)

    def test_long_names_stay_within_the_limit(self) -> None:
        name = safe_name("x" * 300, ".wav")
        assert len(unique_name(name, [name]).encode()) <= NAME_BYTES
        assert unique_name(name, [name]).endswith(" (2).wav")


class TestVersioned:
    def test_next_version(self, tmp_path: Path) -> None:
        assert versioned(tmp_path / "missing", "Night Drive") == "Night Drive"
        assert versioned(tmp_path, "Night Drive") == "Night Drive"
        (tmp_path / "night drive").mkdir()
        assert versioned(tmp_path, "Night Drive") == "Night Drive v2"
        (tmp_path / "Night Drive V2").touch()
        (tmp_path / "Night Drive v4").mkdir()
        assert versioned(tmp_path, "Night Drive") == "Night Drive v3"

    def test_titles_are_made_safe(self, tmp_path: Path) -> None:
        (tmp_path / "AC-DC").mkdir()
        assert versioned(tmp_path, "AC/DC") == "AC-DC v2"
        long = versioned(tmp_path, "x" * 500)
        (tmp_path / long).mkdir()
        assert versioned(tmp_path, "x" * 500) == f"{long} v2"

    def test_names_of_another_form(self, tmp_path: Path) -> None:
        (tmp_path / unicodedata.normalize("NFD", "Café")).mkdir()
        assert versioned(tmp_path, "Café") == "Café v2"


class TestTemplate:
    @pytest.mark.parametrize(
        ("fields", "wanted"),
        [
            ({"state": "dry", "tempo_bpm": 124.02, "key": "Am"}, "Night Drive - Vocals (dry) 124bpm Am.wav"),
            ({"state": "dry", "key": "Am"}, "Night Drive - Vocals (dry) Am.wav"),
            ({"state": "dry", "tempo_bpm": 92.5}, "Night Drive - Vocals (dry) 92.5bpm.wav"),
            ({"state": "dry"}, "Night Drive - Vocals (dry).wav"),
            ({"tempo_bpm": 100.0}, "Night Drive - Vocals 100bpm.wav"),
            ({}, "Night Drive - Vocals.wav"),
            ({"stem": "", "key": "F#m"}, "Night Drive - F#m.wav"),
        ],
    )
    def test_unknown_fields_vanish_with_what_belongs_to_them(
        self, fields: dict[str, object], wanted: str
    ) -> None:
        assert file_name(**{"title": "Night Drive", "stem": "Vocals", **fields}) == wanted

    @pytest.mark.parametrize(
        ("template", "known", "unknown"),
        [
            ("{title}_{stem}_{tempo}bpm_{key}", "X_S_90bpm_Am", "X_S"),
            ("{title} {tempo} bpm {stem}", "X 90 bpm S", "X S"),
            ("{stem} ({tempo} bpm, {key}) - {title}", "S (90 bpm, Am) - X", "S - X"),
            ("{key} {tempo} {title} {stem}", "Am 90 X S", "X S"),
            ("[{key}] {title} {stem}", "[Am] X S", "X S"),
            ("{title}.{stem}.{tempo}", "X.S.90", "X.S"),
            ("{stem}", "S", "S"),
        ],
    )
    def test_templates_of_users(self, template: str, known: str, unknown: str) -> None:
        assert file_name(template, title="X", stem="S", tempo_bpm=90, key="Am") == known + ".wav"
        assert file_name(template, title="X", stem="S") == unknown + ".wav"

    @pytest.mark.parametrize(
        ("template", "words"),
        [
            ("{titel}", r"unknown field \{titel\}\. Did you mean \{title\}\?"),
            ("{title} {temp}", r"Did you mean \{tempo\}\?"),
            ("{title} {xyz}", "Known are title, artist"),
            ("{title:>9}", "unknown field"),
            ("{title!r}", "unknown field"),
            ("{title.__class__}", "unknown field"),
            ("{}", "unknown field"),
            ("{title", "cannot be read"),
            ("{stem}/{title}", "holds a slash"),
            ("song", "to tell files apart"),
        ],
    )
    def test_bad_templates_say_what_was_meant(self, template: str, words: str) -> None:
        with pytest.raises(ConfigError, match=words):
            check_template(template)
        with pytest.raises(ConfigError, match=words):
            file_name(template, title="X", stem="S")

    def test_default_is_good(self) -> None:
        assert check_template(DEFAULT_TEMPLATE) == DEFAULT_TEMPLATE

    def test_values_are_text_not_templates(self) -> None:
        assert file_name("{title} - {stem}", title="{stem}", stem="{key}") == "{stem} - {key}.wav"

    def test_long_titles_lose_their_end_and_keep_the_stem(self) -> None:
        for title in ("x" * 400, "é" * 400, "👍🏽" * 100):
            names = [
                file_name(title=title, stem=stem, state="dry", tempo_bpm=124, key="Am")
                for stem in ("Vocals", "Backing Vocals")
            ]
            assert names[0].endswith(" - Vocals (dry) 124bpm Am.wav")
            assert names[1].endswith(" - Backing Vocals (dry) 124bpm Am.wav")
            assert all(150 < len(name.encode()) <= NAME_BYTES for name in names)

    @given(
        title=st.text(max_size=120),
        stem=st.text(max_size=30),
        key=st.none() | st.sampled_from(["Am", "F#m"]),
        tempo_bpm=st.none() | st.floats(40, 240),
        template=st.lists(
            st.sampled_from([*(f"{{{field}}}" for field in FIELDS), " ", "-", "_", "(", ")", "bpm", "."]),
            max_size=9,
        ).map(lambda parts: "".join(["{title}", *parts])),
    )
    def test_any_template_and_text(
        self, title: str, stem: str, key: str | None, tempo_bpm: float | None, template: str
    ) -> None:
        assert_safe(file_name(template, title=title, stem=stem, key=key, tempo_bpm=tempo_bpm))
