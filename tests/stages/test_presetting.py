"""The presets of a delivery: one file for each effect that has one, whatever the song is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.stages.presetting import UsedChain, plugin_preset_paths, write_presets
from presets import Chain, Compressor, Effect, Gate, Vst3

STATE = {"vendor": "Damien Zammit", "name": "ZamCompX2"}


def used(title: str, *effects: Effect) -> UsedChain:
    reports = [
        {"kind": effect.kind, "plugin": STATE | {"state": title} if isinstance(effect, Vst3) else {}}
        for effect in effects
    ]
    return UsedChain(
        subject=title,
        title=title,
        chain=Chain(name=title, role="bass", effects=effects),
        effects=tuple(reports),
        is_kept=True,
        why="",
        before={},
        after={},
    )


@pytest.mark.parametrize(
    "song",
    ["Night Drive", "夜のドライブ" * 14, "A very long title indeed. " * 12],
    ids=["short", "kana", "long"],
)
def test_no_preset_takes_the_place_of_another(song: str, tmp_path: Path) -> None:
    """Stems are told apart by the end of a name, however long the song's title before it is."""
    state = tmp_path / "state"
    state.write_bytes(b"as it was")
    chains = tuple(
        used(title, Compressor(), Gate(), Compressor(), Vst3(plugin="ZamCompX2"), Vst3(plugin="ZamCompX2"))
        for title in ("Vocals", "Drums", "Master (Streaming)")
    )
    states = {chain.title: state for chain in chains}
    written = write_presets(song, chains, states, tmp_path, tempo_bpm=None, has_stems=True)
    assert len({path.name.casefold() for path in written if path.suffix == ".toml"}) == 3
    assert len(set(written)) == len(written) == 3 * (1 + 3 * 2 + 2) + 2
    assert all(len(path.name.encode()) <= 200 for path in written)
    named = [path for chain in chains for path in plugin_preset_paths(song, chain, tmp_path)]
    assert len(set(named)) == 3 * 5
    assert set(named) <= set(written)
