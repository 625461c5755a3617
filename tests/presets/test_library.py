"""The shipped chains are sane and gentle; the user's own go over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from presets import MASTER, Chain, Compressor, Library, PresetError, StereoWidth, style_of
from presets.styles import styles

SHIPPED = Library().chains()
STEM_ROLES = (
    "vocals", "drums", "bass", "other", "backing_vocals", "guitar", "piano", "keyboard", "percussion",
    "strings", "synth", "brass", "woodwinds", "fx",
)  # fmt: skip


def chain_id(chain: Chain) -> str:
    return f"{chain.role}/{chain.style}"


def test_every_role_has_a_chain_in_every_style() -> None:
    """With the fallback to neutral no combination is empty."""
    library = Library()
    assert set(library.roles()) == {*STEM_ROLES, MASTER}
    for role in library.roles():
        for style in styles():
            assert library.chain(role, style).role == role


@pytest.mark.parametrize("chain", SHIPPED, ids=chain_id)
def test_shipped_chains_round_trip_and_explain_themselves(chain: Chain) -> None:
    """Equal through TOML; a description, and a reason on each effect; names that edits can use."""
    assert Chain.from_toml(chain.to_toml()) == chain
    assert chain.description.endswith(".")
    assert all(effect.reason.endswith(".") for effect in chain.effects)
    names = [effect.name for effect in chain.effects]
    assert all(names)
    assert len(set(names)) == len(names)
    assert chain.level_lufs == -20.0


@pytest.mark.parametrize("chain", SHIPPED, ids=chain_id)
def test_shipped_chains_do_no_harm(chain: Chain) -> None:
    """Separated stems have artefacts: boosts, ratios and drives stay where they do not lift them."""
    for effect in chain.effects:
        settings: dict[str, Any] = effect.model_dump()
        assert all(-5 <= band["gain_db"] <= 2 for band in settings.get("bands", ()))
        assert settings.get("drive_db", 0) * settings.get("mix", 1) <= 2
        if isinstance(effect, Compressor):
            assert effect.ratio <= (6 if effect.mix <= 0.2 else 3.5)
            assert effect.attack_ms >= 3
        if isinstance(effect, StereoWidth):
            assert 0.8 <= effect.width <= 1.25


@pytest.mark.parametrize("style", Library().styles("bass"))
def test_bass_is_mono_at_the_bottom(style: str) -> None:
    """Every bass chain folds what lies below 120 Hz."""
    assert Library().chain("bass", style).effects[-1].model_dump()["mono_below_hz"] == 120


@pytest.mark.parametrize("style", Library().styles(MASTER))
def test_masters_leave_limiting_to_the_target(style: str) -> None:
    """No shipped master limits; those of styles compress at 2:1 at most."""
    chain = Library().chain(MASTER, style)
    assert "limiter" not in [effect.kind for effect in chain.effects]
    if style != "voiceover-bed":
        assert [e.kind for e in chain.effects].count("multiband") == 1
        assert all(e.ratio <= 2 for e in chain.effects if isinstance(e, Compressor))


def test_the_bed_leaves_room_for_a_voice() -> None:
    """A static dip inside 200 to 500 Hz, a milder one inside 2 to 4 kHz."""
    bands = [b for e in Library().chain(MASTER, "voiceover-bed").effects if e.kind == "eq" for b in e.bands]
    body = [b for b in bands if b.shape == "bell" and 200 <= b.frequency_hz <= 500]
    words = [b for b in bands if b.shape == "bell" and 2000 <= b.frequency_hz <= 4000]
    assert sum(b.gain_db for b in body) <= -3
    assert sum(b.gain_db for b in body) < sum(b.gain_db for b in words) < -1


def test_a_style_without_its_own_chain_falls_back() -> None:
    """Rock has no brass chain: the neutral one serves."""
    assert Library().chain("brass", "rock") == Library().chain("brass")


@pytest.mark.parametrize(
    ("role", "style", "told"),
    [
        ("vocal", "pop", "did you mean 'vocals'"),
        ("vocals", "pup", "did you mean 'pop'"),
        ("../etc", "pop", "no chains"),
    ],
)
def test_unknown_words_are_answered(role: str, style: str, told: str) -> None:
    """A wrong role or style suggests the near one."""
    with pytest.raises(PresetError, match=told):
        Library().chain(role, style)


def write(folder: Path, place: str, text: str) -> Path:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_the_users_chains_go_over_the_shipped(tmp_path: Path) -> None:
    """Own style, shipped style, own neutral, shipped neutral, in this order; own roles and styles too."""
    write(tmp_path, "brass/neutral.toml", 'name = "My brass"')
    write(tmp_path, "drums/rock.toml", 'name = "My rock drums"')
    write(tmp_path, "drums/neutral.toml", 'name = "My drums"')
    write(tmp_path, "theremin/spooky.toml", 'name = "Spooky theremin"')
    library = Library(user_folder=tmp_path)
    assert library.chain("brass", "pop").name == "My brass"
    assert library.chain("drums", "rock").name == "My rock drums"
    assert library.chain("drums", "pop").name == "Pop drums"
    assert library.chain("drums", "spooky").name == "My drums"
    assert library.chain("vocals", "spooky").name == "Vocals"
    assert library.chain("theremin", "spooky").role == "theremin"
    with pytest.raises(PresetError, match=r"theremin/neutral\.toml"):
        library.chain("theremin", "pop")


def test_a_missing_user_folder_is_no_fault(tmp_path: Path) -> None:
    """The shipped chains serve."""
    assert Library(user_folder=tmp_path / "none").chains() == SHIPPED


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param('name = "x"\nrole = "bass"', "its place says drums/rock", id="moved"),
        pytest.param('name = "x"\n[[effects]]\nkind = "gain"\ngain_db = 90.0', "found 90", id="range"),
        pytest.param("name =", "TOML", id="toml"),
        pytest.param("\udcff", "UTF-8", id="bytes"),
    ],
)
def test_a_broken_user_chain_names_its_file(tmp_path: Path, text: str, told: str) -> None:
    """The path is in the message, and what is wrong."""
    path = tmp_path / "drums" / "rock.toml"
    path.parent.mkdir()
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(PresetError) as caught:
        Library(user_folder=tmp_path).chain("drums", "rock")
    assert str(path) in caught.value.message
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("said", "style"),
    [
        ("dark Synthwave, 90s, female vocals", "electronic"),
        ("Bedroom pop with tape hiss", "lofi"),
        ("boom bap hip-hop", "hiphop"),
        ("epic orchestral trailer", "cinematic"),
        ("indie folk", "acoustic"),
        ("popcorn", "neutral"),
        ("", "neutral"),
        ("R&B", "pop"),
    ],
)
def test_styles_are_read_from_descriptions(said: str, style: str) -> None:
    """Tags and prompts map to a style; what is not known is neutral."""
    assert style_of(said) == style
