"""Separate: the song into stems that sum to it, by the first engine that works.

What was separated already (a generator's own stem download) passes through. The certificate says how deep the
stems null against the source, how they lie in time, and at what level they sum.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from bridge.audio import AudioWriter, Samples, open_audio, probe
from bridge.errors import EngineError, JobCancelled, RegistryError, is_disk_full
from bridge.measure.agreement import alignment, null_depth
from bridge.protocols import Separator
from bridge.stages import roles
from bridge.stages.base import Inputs, Made, Room, Stage, part_of
from bridge.stages.choosing import EngineChoice, make, missing
from bridge.values import Facts, Role, Value

log = logging.getLogger(__name__)


class Params(Value):
    """The engines to try, in order."""

    engines: tuple[EngineChoice, ...]
    null_dbfs: float
    """How deep the stems have to null; what an engine leaves over goes into ``other``."""
    grid_bits: int = 0
    """Stems are put on the grid of that many bits where they are wanted as integers: they null exactly, then.
    0 leaves them as the engine gave them."""


def run(params: Params, inputs: Inputs, room: Room) -> Made:
    """Give every stem of the asset ``source``; assets ``stem/...`` stand for a song that came in stems."""
    source = inputs.path(roles.SOURCE)
    given = roles.of_kind(inputs, roles.STEM)
    if given:
        paths = {roles.label(asset): asset.path for asset in given}
        facts = _facts("none", "")
        return Made(
            passed_on=roles.renamed(given, roles.SEPARATED),
            facts=facts | {"certificate": _certificate(source, paths)},
        )
    stems, facts = _by_first_engine(params.engines, source, room)
    if params.grid_bits or null_depth(list(stems.values()), source).peak_dbfs > params.null_dbfs:
        _make_exact(source, stems, params.grid_bits)
    certificate = _certificate(source, stems)
    return Made(
        files={f"{roles.SEPARATED}/{label}": path for label, path in stems.items()},
        facts=facts | {"certificate": certificate},
    )


STAGE = Stage(name="separate", version=2, cost=0.04, run=run)


def _by_first_engine(
    engines: tuple[EngineChoice, ...], source: Path, room: Room
) -> tuple[dict[str, Path], Facts]:
    """Try each engine; what is not installed or made one fail is told, in the facts and when none is left."""
    absent: list[str] = []
    skipped: list[str] = []
    for name in (choice.name for choice in engines):
        try:
            engine: Separator = make("bridge.separators", name, room.config)
            if lack := missing(engine):
                absent.append(f"{name}: {lack}")
                continue
            stems = engine.separate(source, room.folder, part_of(room.progress, 0.0, 0.95))
        except JobCancelled:
            raise
        except (EngineError, RegistryError) as failure:
            if is_disk_full(failure):
                raise  # a lesser engine is no answer to that
            log.warning("Separator %s did not do it: %s", name, failure, extra={"action": "engine_skipped"})
            skipped.append(f"{name}: {failure}")
            continue
        facts = _facts(engine.name, engine.version)
        facts |= {"is_preview": engine.is_preview, "skipped": skipped, "absent": absent}
        facts["notes"] = list(getattr(engine, "notes", ()))
        return {str(role): path for role, path in stems.items()}, facts
    why = " ".join([*skipped, *absent])
    raise EngineError(f"No separator could split the song. {why} Check 'separate.engines' in the settings.")


def _facts(engine: str, version: str) -> Facts:
    return {
        "engine": engine, "version": version, "is_preview": False, "skipped": [], "absent": [], "notes": []
    }  # fmt: skip


def _make_exact(source: Path, stems: Mapping[str, Path], grid_bits: int) -> None:
    """Rewrite the stems so that they sum to the source: what is left over goes into ``other``."""
    ordered = [path for label, path in stems.items() if label != Role.OTHER] + [stems[Role.OTHER]]
    with ExitStack() as stack:
        info = probe(source)
        outs = [
            stack.enter_context(AudioWriter(path, rate_hz=info.rate_hz, channels=info.channels))
            for path in ordered
        ]  # before the readers: files are closed in reverse, and Windows replaces none that is open
        readers = [stack.enter_context(open_audio(path)) for path in (source, *ordered[:-1])]
        for whole, *parts in zip(*(reader.blocks() for reader in readers), strict=True):
            kept = [_on_grid(part, grid_bits) for part in parts]
            rest = np.asarray(whole - np.sum(kept, axis=0, dtype=np.float64), np.float32)
            for out, part in zip(outs, [*kept, rest], strict=True):
                out.write(part)


def _on_grid(samples: Samples, bits: int) -> Samples:
    """Rounded to steps of integer PCM; float32 holds up to 24 bits exactly."""
    if not bits:
        return samples
    steps = 2.0 ** (bits - 1)
    return np.asarray(np.rint(samples.astype(np.float64) * steps) / steps, np.float32)


def _certificate(source: Path, stems: dict[str, Path]) -> Facts:
    """How deep the stems null, where each lies in time, how their sum stands to the source."""
    null = null_depth(list(stems.values()), source)
    lags = {label: alignment(path, source).model_dump(mode="json") for label, path in stems.items()}
    level_db = _sum_level_db(source, list(stems.values()))
    return {"null": null.model_dump(mode="json"), "alignment": lags, "level_db": level_db}


def _sum_level_db(source: Path, parts: list[Path]) -> float:
    """RMS of the stems' sum over the source's, in dB; 0 where the source is silent."""
    energies = np.zeros(2)
    with ExitStack() as stack:
        readers = [stack.enter_context(open_audio(path)) for path in (source, *parts)]
        for whole, *blocks in zip(*(reader.blocks() for reader in readers), strict=True):
            total = np.sum(blocks, axis=0, dtype=np.float64)
            energies += (np.square(total).sum(), np.square(whole, dtype=np.float64).sum())
    return round(float(10 * np.log10(energies[0] / energies[1])), 6) if energies.all() else 0.0
