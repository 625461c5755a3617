"""Restore: offset, clicks and noise out of each separated stem, lost treble back, where measured to help.

A repair is kept only where the flaw that it is for got smaller and nothing else changed; otherwise the stem
goes on as it was. What a kept repair took away is told, stem by stem. A stem without flaws passes through as
the same file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from bridge.config import Config, Restore
from bridge.measure.survey import Survey, survey_file
from bridge.protocols import Progress
from bridge.stages import roles
from bridge.stages.base import Inputs, Made, Room, Stage, for_each, part_of
from bridge.stages.checkup import Checkup
from bridge.stages.choosing import EngineChoice, choices
from bridge.stages.repairs import Repair, Task, clicks, denoise, extend, offset, trying
from bridge.stages.views import save_view
from bridge.values import Asset, Facts, Value

REPAIRS: tuple[Callable[[Task], Repair | None], ...] = (
    offset.repair,
    clicks.repair,
    denoise.repair,
    extend.repair,
)
"""In this order, each on what the one before it left; None where there is no reason for one."""


class Params(Value):
    """How far repair may go; without ``is_active`` stems are measured and pass on."""

    settings: Restore
    is_active: bool
    denoisers: tuple[EngineChoice, ...] = ()
    """Those of the settings that are plugged in, with their versions."""
    extenders: tuple[EngineChoice, ...] = ()
    song_end_hz: float = 0.0
    """The bandwidth of the song."""

    @classmethod
    def of(cls, config: Config, *, is_active: bool, song_end_hz: float = 0.0) -> Self:
        """As the settings say."""
        if not is_active:
            return cls(settings=config.restore, is_active=False)
        plugged_in = [name for name in config.restore.denoisers if name != denoise.BUILT_IN]
        return cls(
            settings=config.restore,
            is_active=True,
            denoisers=choices(trying.GROUP, plugged_in, config),
            extenders=choices(trying.GROUP, config.restore.extenders, config),
            song_end_hz=song_end_hz,
        )


def run(params: Params, inputs: Inputs, room: Room) -> Made:
    """Repair the assets ``separated/...``; they leave as ``dry/...`` with what was seen of them."""
    stems = roles.of_kind(inputs, roles.SEPARATED)
    restored = for_each(
        stems,
        lambda asset, progress: _restore(asset, params, room, progress),
        room.config.work.threads,
        room.progress,
    )
    files: dict[str, Path] = {}
    passed_on: list[Asset] = []
    facts: Facts = {}
    for asset, stem in zip(stems, restored, strict=True):
        label = roles.label(asset)
        role = f"{roles.DRY}/{label}"
        if stem.path == asset.path:
            passed_on.append(asset.evolve(role=role))
        else:
            files[role] = stem.path
        files[f"{roles.VIEWS}/{role}"] = save_view(stem.seen, room.folder / f"view {label}.json")
        facts[label] = stem.facts
    return Made(files=files, passed_on=tuple(passed_on), facts={"stems": facts})


STAGE = Stage(name="restore", version=3, cost=0.05, run=run)


class _Restored(Value):
    """A stem after repair: where it lies, what is seen of it, what was done."""

    path: Path
    seen: Survey
    facts: Facts


def _restore(asset: Asset, params: Params, room: Room, progress: Progress) -> _Restored:
    before = survey_file(asset.path, part_of(progress, 0.0, 0.4))
    path, decisions = asset.path, []
    seen: Survey | None = before
    if params.is_active and not before.loudness.is_silent:
        task = Task(
            label=roles.label(asset),
            source=asset.path,
            folder=room.folder,
            before=before,
            settings=params.settings,
            config=room.config,
            song_end_hz=params.song_end_hz,
        )
        for repair in _repairs(task, part_of(progress, 0.4, 0.8)):
            seen = seen if repair.path == path else repair.seen
            path = repair.path
            decisions += [*repair.tried, repair.decision]
    seen = seen or survey_file(path, part_of(progress, 0.8, 1.0))
    facts = {
        "before": Checkup.of(before).model_dump(mode="json"),
        "after": Checkup.of(seen).model_dump(mode="json"),
        "sample_peak_dbfs": seen.loudness.sample_peak_dbfs,
        "decisions": decisions,
    }
    return _Restored(path=path, seen=seen, facts=facts)


def _repairs(task: Task, progress: Progress) -> Iterator[Repair]:
    """Each repair that there is a reason for, on what the one before it left."""
    source = task.source
    for number, repair in enumerate(REPAIRS):
        start, end = number / len(REPAIRS), (number + 1) / len(REPAIRS)
        made = repair(task.on(source, part_of(progress, start, end)))
        progress(end)
        if made:
            source = made.path
            yield made
