"""Loudness targets: known figures, found by name, alias or not at all."""

from __future__ import annotations

import pytest

from presets import TARGETS, PresetError, target, targets_from_toml


@pytest.mark.parametrize(
    ("name", "lufs", "ceiling"),
    [
        ("streaming", -14, -1),
        ("loud-streaming", -11, -1),
        ("apple", -16, -1),
        ("youtube", -14, -1),
        ("club", -9, -0.5),
        ("broadcast", -23, -1),
        ("podcast", -16, -1),
        ("voiceover-bed", -24, -3),
    ],
)
def test_figures(name: str, lufs: float, ceiling: float) -> None:
    """Loudness and ceiling as services and EBU R 128 publish them."""
    found = TARGETS[name]
    assert (found.name, found.integrated_lufs, found.ceiling_dbtp) == (name, lufs, ceiling)


def test_every_target_explains_itself() -> None:
    """Each has a title and a sentence, leaves the limiter something, and no word means two of them."""
    words = [word for each in TARGETS.values() for word in (each.name, *each.aliases)]
    assert len(set(words)) == len(words)
    for each in TARGETS.values():
        assert each.title
        assert each.description.endswith(".")
        assert 3 <= each.max_limiting_db <= 12


@pytest.mark.parametrize(
    ("said", "name"),
    [("Spotify", "streaming"), ("EBU R128", "broadcast"), ("loud_streaming", "loud-streaming")],
)
def test_lookup_is_forgiving(said: str, name: str) -> None:
    """Case, spaces, underscores and other names find the target."""
    assert target(said).name == name


def test_an_unknown_target_suggests_the_near_one() -> None:
    """A typing mistake is answered with the right word."""
    with pytest.raises(PresetError, match="did you mean 'streaming'"):
        target("streeming")


def test_own_targets_are_read_and_checked() -> None:
    """A user's table becomes a target; a wrong one names its section."""
    own = targets_from_toml(
        '[mine]\ntitle="Mine"\nintegrated_lufs=-12.5\nceiling_dbtp=-1.5\nmax_limiting_db=5.0'
    )
    assert target("mine", own).integrated_lufs == -12.5
    with pytest.raises(PresetError, match=r"\[mine\].*ceiling_dbtp"):
        targets_from_toml(
            '[mine]\ntitle="Mine"\nintegrated_lufs=-12.5\nceiling_dbtp=1.5\nmax_limiting_db=5.0'
        )
    with pytest.raises(PresetError, match="wanted a table"):
        targets_from_toml("mine = -12")
