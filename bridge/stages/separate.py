"""Separate: the song into stems that sum to it, by the first engine that works.

What was separated already (a generator's own stem download) passes through. The certificate says how deep the
stems null against the source, how they lie in time, and at what level they sum.
"""

from __future__ import annotations

import logging
from pathlib import Path

from bridge import registry
from bridge.errors import EngineError, JobCancelled, RegistryError
from bridge.measure.agreement import alignment, null_test
from bridge.protocols import Separator
from bridge.stages import roles
from bridge.stages.base import Inputs, Made, Room, Stage, part_of
from bridge.values import Asset, Facts, Value

log = logging.getLogger(__name__)


class Params(Value):
    """The engines to try, in order."""

    engines: tuple[str, ...]


def run(params: Params, inputs: Inputs, room: Room) -> Made:
    """Give every stem of the asset ``source``; assets ``stem/...`` stand for a song that came in stems."""
    source = inputs.path(roles.SOURCE)
    given = roles.of_kind(inputs, roles.STEM)
    if given:
        paths = {roles.label(asset): asset.path for asset in given}
        facts = {"engine": "none", "version": "", "is_preview": False, "skipped": []}
        return Made(
            passed_on=roles.renamed(given, roles.SEPARATED),
            facts=facts | {"certificate": _certificate(source, paths)},
        )
    stems, facts = _by_first_engine(params.engines, source, room)
    certificate = _certificate(source, stems)
    return Made(
        files={f"{roles.SEPARATED}/{label}": path for label, path in stems.items()},
        facts=facts | {"certificate": certificate},
    )


STAGE = Stage(name="separate", version=1, cost=0.04, run=run)


def _by_first_engine(engines: tuple[str, ...], source: Path, room: Room) -> tuple[dict[str, Path], Facts]:
    """Try each engine; what made one fail is told, in the facts and when none is left."""
    skipped: list[str] = []
    for name in engines:
        try:
            engine: Separator = registry.load("bridge.separators", name)()
            stems = engine.separate(source, room.folder, part_of(room.progress, 0.0, 0.95))
        except JobCancelled:
            raise
        except (EngineError, RegistryError) as failure:
            log.warning("Separator %s did not do it: %s", name, failure, extra={"action": "engine_skipped"})
            skipped.append(f"{name}: {failure}")
            continue
        facts = {
            "engine": engine.name,
            "version": engine.version,
            "is_preview": engine.is_preview,
            "skipped": skipped,
        }
        return {str(role): path for role, path in stems.items()}, facts
    raise EngineError(
        f"No separator could split the song. {' '.join(skipped)} Check 'separate.engines' in the settings."
    )


def _certificate(source: Path, stems: dict[str, Path]) -> Facts:
    null = null_test(source, list(stems.values()))
    lags = {label: alignment(source, path).model_dump(mode="json") for label, path in stems.items()}
    return {"null": null.model_dump(mode="json"), "alignment": lags}


def stem_labels(assets: tuple[Asset, ...]) -> tuple[str, ...]:
    """The labels of the separated stems, in order."""
    return tuple(roles.label(asset) for asset in roles.of_kind(assets, roles.SEPARATED))
