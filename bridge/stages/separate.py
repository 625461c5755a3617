"""Separate: the song into stems that sum to it, by the first engine that works.

What was separated already (a generator's own stem download) passes through. The certificate says how deep the
stems null against the source, how they lie in time, and at what level they sum.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from bridge import registry
from bridge.audio import AudioWriter, open_audio
from bridge.errors import EngineError, JobCancelled, RegistryError
from bridge.measure.agreement import alignment, null_depth
from bridge.protocols import Separator
from bridge.stages import roles
from bridge.stages.base import Inputs, Made, Room, Stage, part_of
from bridge.values import Facts, Role, Value

log = logging.getLogger(__name__)


class EngineChoice(Value):
    """An engine by name; its version is part of the result's key."""

    name: str
    version: str


class Params(Value):
    """The engines to try, in order."""

    engines: tuple[EngineChoice, ...]
    null_dbfs: float
    """How deep the stems have to null; what an engine leaves over goes into ``other``."""


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
    _put_residual_back(source, stems, params.null_dbfs)
    certificate = _certificate(source, stems)
    return Made(
        files={f"{roles.SEPARATED}/{label}": path for label, path in stems.items()},
        facts=facts | {"certificate": certificate},
    )


STAGE = Stage(name="separate", version=1, cost=0.04, run=run)


def choices(names: Iterable[str]) -> tuple[EngineChoice, ...]:
    """The engines of those names, with the versions that are installed; "absent" where one is not."""
    return tuple(EngineChoice(name=name, version=_version(name)) for name in names)


def _version(name: str) -> str:
    try:
        return str(registry.load("bridge.separators", name).version)
    except RegistryError:
        return "absent"


def _by_first_engine(
    engines: tuple[EngineChoice, ...], source: Path, room: Room
) -> tuple[dict[str, Path], Facts]:
    """Try each engine; what made one fail is told, in the facts and when none is left."""
    skipped: list[str] = []
    for name in (choice.name for choice in engines):
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


def _put_residual_back(source: Path, stems: Mapping[str, Path], limit_dbfs: float) -> None:
    """Engines that lose or add something: the difference to the source goes into ``other``."""
    if null_depth(list(stems.values()), source).peak_dbfs <= limit_dbfs:
        return
    rest = [path for label, path in stems.items() if label != Role.OTHER]
    with ExitStack() as stack:
        readers = [stack.enter_context(open_audio(path)) for path in (source, *rest)]
        info = readers[0].info
        out = stack.enter_context(
            AudioWriter(stems[Role.OTHER], rate_hz=info.rate_hz, channels=info.channels)
        )
        for whole, *parts in zip(*(reader.blocks() for reader in readers), strict=True):
            out.write((whole - np.sum(parts, axis=0, dtype=np.float64)).astype(np.float32))


def _certificate(source: Path, stems: dict[str, Path]) -> Facts:
    """How deep the stems null, where each lies in time, how their sum stands to the source."""
    null = null_depth(list(stems.values()), source)
    lags = {label: alignment(path, source).model_dump(mode="json") for label, path in stems.items()}
    return {"null": null.model_dump(mode="json"), "alignment": lags}
