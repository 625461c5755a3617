"""Producers' words as changes of chains."""

from __future__ import annotations

import pytest

from presets import (
    MASTER,
    Chain,
    Compressor,
    Gate,
    Library,
    PresetError,
    StereoWidth,
    TransientShaper,
    apply_wishes,
    parse_wishes,
)
from presets.wishes import wishes


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("punchy drums", [("punchy", ("drums",))]),
        ("Punchy", [("punchy", ("drums", "percussion"))]),
        ("wider backing vocals", [("wide", ("backing_vocals",))]),
        ("warm bass and bright vocals", [("warm", ("bass",)), ("bright", ("vocals",))]),
        ("less bass", [("lean", (MASTER,))]),
        ("less harsh vocals", [("smooth", ("vocals",))]),
        ("make the whole mix warm", [("warm", (MASTER,))]),
        ("make it sound really warm please", [("warm", (MASTER,))]),
    ],
)
def test_words_are_understood(said: str, found: list[tuple[str, tuple[str, ...]]]) -> None:
    """What, and where; without a where, the wish's own place."""
    assert [(wish.wish, wish.roles) for wish in parse_wishes(said)] == found


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("puncy drums", "did you mean 'punchy'"),
        ("punchy drms", "did you mean 'drums'"),
        ("drums less punchy", "say the opposite"),
        ("more cowbell", "known are punchy, .* and words like them"),
        ("drums", "No chain answers"),
        ("", "empty"),
        (" , ", "empty"),
    ],
)
def test_words_that_mean_nothing_are_answered(said: str, told: str) -> None:
    """A helpful refusal, never a silent nothing."""
    with pytest.raises(PresetError, match=told):
        parse_wishes(said)


def test_punchy_drums_get_more_attack_before_the_compressor() -> None:
    """A shaper that raises attacks stands before a compressor that lets them through."""
    plain, punchy = Library().chain("drums"), apply_wishes(Library().chain("drums"), ["punchy drums"])
    kinds = [effect.kind for effect in punchy.effects]
    assert attack(punchy) >= attack(plain) + 2
    assert kinds.index("transient_shaper") < kinds.index("compressor")
    old, new = [next(e for e in c.effects if isinstance(e, Compressor)) for c in (plain, punchy)]
    assert new.attack_ms > old.attack_ms
    assert any("Wish: punchy drums" in effect.reason for effect in punchy.effects)


def attack(chain: Chain) -> float:
    return sum(effect.attack_db for effect in chain.effects if isinstance(effect, TransientShaper))


def test_other_roles_are_left_alone() -> None:
    """Punchy drums are no matter of the voice's chain."""
    chain = Library().chain("vocals")
    assert apply_wishes(chain, ["punchy drums", "warm"]) == chain


def test_added_thresholds_follow_the_level_of_the_chain() -> None:
    """Before or after at_level: the same chain."""
    chain = Library().chain("drums")
    assert apply_wishes(chain.at_level(-27.0), ["tight"]) == apply_wishes(chain, ["tight"]).at_level(-27.0)
    assert any(isinstance(effect, Gate) for effect in apply_wishes(chain, ["tight"]).effects)


def test_dynamic_raises_every_threshold_of_compression() -> None:
    """All stems and the master answer to it."""
    for role in Library().roles():
        chain = Library().chain(role)
        freed = apply_wishes(chain, ["dynamic"])
        for old, new in zip(chain.effects, freed.effects, strict=True):
            if isinstance(old, Compressor) and isinstance(new, Compressor):
                assert new.threshold_db == old.threshold_db + 4
                assert new.ratio < old.ratio


def test_wide_makes_wider() -> None:
    """A wide synth has more side than before."""
    added = apply_wishes(Library().chain("synth"), ["wide"]).effects[-1]
    assert isinstance(added, StereoWidth)
    assert added.width > 1


@pytest.mark.parametrize("wish", wishes().values(), ids=lambda wish: wish.name)
def test_every_wish_serves_every_role_it_may_be_asked_for(wish: object) -> None:
    """Each word of each wish gives a valid, changed chain on each shipped chain."""
    found = wishes()[wish.name]  # type: ignore[attr-defined]
    for chain in Library().chains():
        said = f"{found.words[0]} {chain.role.replace('_', ' ')}"
        changed = apply_wishes(chain, [said])
        assert Chain.from_toml(changed.to_toml()) == changed
        # "dynamic" has nothing to free where nothing compresses
        assert changed != chain or (found.name == "dynamic" and chain.role == "fx"), said


def test_no_word_means_two_wishes() -> None:
    """Each word leads to one place."""
    words = [word for wish in wishes().values() for word in wish.words]
    assert len(set(words)) == len(words)
