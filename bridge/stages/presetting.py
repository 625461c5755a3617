"""The chains that were really used, as presets: files for plug-ins, chains as TOML, "Dial it in"."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from bridge.naming import safe_name
from bridge.stages.findings import Findings, stem_title
from bridge.stages.twins import twin_of
from bridge.values import Facts, Value
from presets import (
    Chain,
    Gain,
    GuidedChain,
    Limiter,
    dial_in,
    map_chain,
    preset_files,
    render_dial_in,
    render_preset_guide,
    state_path,
)

DIAL_IN = "Presets/Dial it in.txt"
GUIDE = "Presets/About these presets.txt"
LEAST_GAIN_DB = 0.05
MOST_GAIN_DB = 24.0
SONG_BYTES = 100
"""What a song's name may take of a preset's: the end, which tells presets apart, is never cut."""


class UsedChain(Value):
    """A chain of this job: on which stem or master, with what it did, and whether it was kept."""

    subject: str
    """A stem's label, or ``master/<target>``."""
    title: str
    chain: Chain
    """With what the stage added: the gain that keeps a stem's level, the limiter of a master."""
    effects: tuple[Facts, ...]
    """What each effect of the chain did, in order; one more where the stage added one."""
    target: str = ""
    """Title of the target, for a master's chain."""
    is_kept: bool
    why: str
    before: Facts
    after: Facts


def used_chains(findings: Findings) -> tuple[UsedChain, ...]:
    """The chains of stems and masters, kept or not."""
    return (*_stem_chains(findings), *_master_chains(findings))


def _stem_chains(findings: Findings) -> Iterator[UsedChain]:
    if findings.mixed is None or findings.plan.mix is None:
        return
    facts = findings.mixed.facts
    for plan in findings.plan.mix.stems:
        found = facts["stems"][plan.label]
        gain_db = found["gain_db"] + facts["bus_gain_db"]
        reason = " ".join(_level_reasons(plan.move_reason, facts["bus_gain_db"]))
        chain = _kept(plan.chain, found)
        yield _used(plan.label, stem_title(plan.label), _with_gain(chain, gain_db, reason), found)


def _kept(chain: Chain, found: Facts) -> Chain:
    """The chain without what was left out; without any effect where the whole was."""
    pairs = zip(chain.effects, _reports(found), strict=False)
    return chain.evolve(effects=tuple(effect for effect, report in pairs if not report["left_out"]))


def _reports(found: Facts) -> list[Facts]:
    return list(found["effects"]["effects"]) if found["is_kept"] else []


def _level_reasons(move: str, bus_gain_db: float) -> Iterator[str]:
    yield "Sets the stem's level: what the chain changed is taken back."
    if move:
        yield move
    if abs(bus_gain_db) >= LEAST_GAIN_DB:
        yield f"All stems are moved by {bus_gain_db:+.1f} dB, so that their sum does not clip."


def _with_gain(chain: Chain, gain_db: float, reason: str) -> Chain:
    if abs(gain_db) < LEAST_GAIN_DB:
        return chain
    gain_db = min(max(round(gain_db, 2), -MOST_GAIN_DB), MOST_GAIN_DB)
    return chain.evolve(effects=(*chain.effects, Gain(name="level", gain_db=gain_db, reason=reason)))


def _master_chains(findings: Findings) -> Iterator[UsedChain]:
    if findings.masters is None or findings.plan.master is None:
        return
    found = findings.masters.facts["chain"]
    planned = findings.plan.master.chain
    chain = _kept(Chain.model_validate(found.get("chain", planned)), found)
    for goal in findings.plan.master.goals:
        master = findings.masters.facts["masters"][goal.target.name]
        limiter = Limiter(
            name="limiter",
            ceiling_dbtp=goal.ceiling_dbtp,
            gain_db=min(max(round(master["gain_db"], 2), -MOST_GAIN_DB), MOST_GAIN_DB),
            reason=f"Brings it to {goal.target.integrated_lufs:g} LUFS, every peak below the ceiling.",
        )
        whole = chain.evolve(effects=(*chain.effects, limiter))
        used = _used(f"master/{goal.target.name}", f"Master ({goal.target.title})", whole, found)
        yield used.evolve(
            effects=(*used.effects, {"kind": "limiter", "figures": _reductions(master["limiter"])}),
            target=goal.target.title,
        )


def _reductions(limiter: Facts) -> Facts:
    return {name: limiter[name] for name in ("max_gain_reduction_db", "mean_gain_reduction_db")}


def _used(subject: str, title: str, chain: Chain, found: Facts) -> UsedChain:
    return UsedChain(
        subject=subject,
        title=title,
        chain=chain,
        effects=tuple(report for report in _reports(found) if not report["left_out"]),
        is_kept=found["is_kept"],
        why=found["why"],
        before=found.get("before", {}),
        after=found.get("after", {}),
    )


def write_presets(
    song: str,
    chains: tuple[UsedChain, ...],
    states: Mapping[str, Path],
    folder: Path,
    *,
    tempo_bpm: float | None,
    has_stems: bool,
) -> list[Path]:
    """Write the preset files of all chains that do something, below ``folder``; the paths in order.

    ``states`` are those of third-party plug-ins, by the names that the effects' reports give them.
    """
    doing = [used for used in chains if used.chain.effects]
    if not doing:
        return []
    written = [
        _write(folder / "Presets" / "Chains" / name, text.encode()) for name, text in _texts(song, doing)
    ]
    for used in doing:
        for file in preset_files(used.chain, _label(song, used)):
            written.append(_write(folder / file.path, file.data))
        for path, state in _states(used, _label(song, used)):
            written.append(_write(folder / path, states[state].read_bytes()))
    sheets = [dial_in(used.chain.evolve(name=used.title)) for used in doing]
    text = render_dial_in(sheets, song, tempo_bpm, has_stems=has_stems)
    written.append(_write(folder / DIAL_IN, text.encode()))
    guide = render_preset_guide(_guided(used, _label(song, used)) for used in doing)
    written.append(_write(folder / GUIDE, guide.encode()))
    return written


def _guided(used: UsedChain, label: str) -> GuidedChain:
    twins = {place: twin_of(effect) for place, effect in enumerate(used.effects)}
    return GuidedChain(used.chain, label, {place: twin.words for place, twin in twins.items() if twin})


def _states(used: UsedChain, label: str) -> Iterator[tuple[str, str]]:
    """Where the state of each third-party plug-in goes, and its name; of one used twice they are numbered.

    The plug-in may be one that presets are written for, so the files are told apart from those.
    """
    plugins = [effect["plugin"] for effect in used.effects if effect.get("plugin")]
    names = [plugin["name"] for plugin in plugins]
    for place, plugin in enumerate(plugins):
        number = f" {names[: place + 1].count(names[place])}" if names.count(names[place]) > 1 else ""
        yield state_path(plugin["vendor"], plugin["name"], f"{label} (as used{number})"), plugin["state"]


def plugin_preset_paths(song: str, used: UsedChain, folder: Path) -> tuple[Path, ...]:
    """What ``write_presets`` wrote for one chain as .vstpreset for this system, in the chain's order."""
    label = _label(song, used)
    files = [file.path for file in preset_files(used.chain, label)]
    ours = [path for path in files if path.endswith("(Windows).vstpreset") == (os.name == "nt")]
    free = [preset.effect_index for preset in map_chain(used.chain).presets]
    third_party = [index for index, effect in enumerate(used.effects) if effect.get("plugin")]
    placed = [
        *zip(free, ours, strict=True),
        *zip(third_party, (path for path, _ in _states(used, label)), strict=True),
    ]
    return tuple(folder / path for _, path in sorted(placed))


def _texts(song: str, chains: list[UsedChain]) -> Iterator[tuple[str, str]]:
    for used in chains:
        yield safe_name(_label(song, used), ".toml"), used.chain.to_toml()


def _label(song: str, used: UsedChain) -> str:
    """What the files of a chain are called: "Night Drive - Vocals"."""
    return f"{safe_name(song, limit_bytes=SONG_BYTES)} - {used.title}"


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
