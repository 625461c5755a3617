"""Runs the exporters that are plugged in: what one fails to write hurts nothing but its own files."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import Field

from bridge import registry
from bridge.errors import MissedError
from bridge.naming import safe_name, versioned
from bridge.protocols import Exporter, Progress, SongToExport, StemToExport
from bridge.stages import roles
from bridge.stages.base import part_of
from bridge.stages.deliver import Placed
from bridge.stages.findings import Findings
from bridge.stages.missing import attempt
from bridge.stages.presetting import UsedChain, plugin_preset_paths
from bridge.stages.transcribe import load_music
from bridge.values import Asset, Value

log = logging.getLogger(__name__)

GROUP = "bridge.exporters"


class Exported(Value):
    """What one exporter wrote: files by their path in the delivery; or why it wrote none."""

    name: str
    files: Mapping[str, Path] = Field(default_factory=dict)
    failure: str = ""


def song_to_export(
    findings: Findings,
    title: str,
    stems: Sequence[tuple[Asset, Placed]],
    chains: Iterable[UsedChain],
    folder: Path,
) -> SongToExport | None:
    """What exporters hear of the song; None where no music was written down.

    ``stems`` are the delivered dry stems with their places, ``folder`` is where the chains' presets lie.
    """
    if findings.music is None:
        return None
    presets = {used.subject: plugin_preset_paths(title, used, folder) for used in chains}
    return SongToExport(
        track=findings.track,
        title=safe_name(title),
        rate_hz=findings.song.facts["rate_hz"],
        frames=findings.song.facts["frames"],
        music=load_music(findings.music),
        stems=tuple(_stem(asset, placed, presets) for asset, placed in stems),
        delivery=_planned(findings.request.destination / findings.delivery.folder, title),
        live_template=findings.export.live_template_path,
    )


def _planned(destination: Path, title: str) -> Path:
    try:
        return destination / versioned(destination, safe_name(title))
    except OSError:  # told when it is written to
        return destination / safe_name(title)


def _stem(asset: Asset, placed: Placed, presets: dict[str, tuple[Path, ...]]) -> StemToExport:
    label = roles.label(asset)
    return StemToExport(
        label=label,
        role=roles.role_of(label),
        asset=asset,
        delivered_path=placed.path,
        presets=presets.get(label, ()),
    )


def run_exporters(
    names: Sequence[str], song: SongToExport, room: Path, taken: Iterable[str], progress: Progress
) -> list[Exported]:
    """Run the exporters of those names, each in a folder of its own below ``room``.

    ``taken`` are paths of the delivery that no exporter may write to; a later one not those of an earlier.
    """
    used = {path.casefold() for path in taken}
    done: list[Exported] = []
    for number, name in enumerate(names):
        share = part_of(progress, number / len(names), (number + 1) / len(names))
        exported = _run(name, song, room / str(number), used, share)
        used |= {path.casefold() for path in exported.files}
        done.append(exported)
    return done


def _run(name: str, song: SongToExport, folder: Path, used: set[str], progress: Progress) -> Exported:
    folder.mkdir(parents=True)

    def export(told: Progress) -> dict[str, Path]:
        exporter: Exporter = registry.load(GROUP, name)()
        return _expect_own(exporter.export(song, folder, told), folder, used)

    try:
        files = attempt(export, progress)
    except MissedError as missed:
        log.warning("Exporter %s failed: %s", name, missed, extra={"action": "exporter_failed"})
        shutil.rmtree(folder, ignore_errors=True)
        return Exported(name=name, failure=missed.message)
    return Exported(name=name, files=files)


def _expect_own(paths: Iterable[Path], folder: Path, used: set[str]) -> dict[str, Path]:
    """The files by their path in the delivery; ValueError where one is no file of the exporter's own."""
    files: dict[str, Path] = {}
    for path in paths:
        inside = os.path.relpath(path, folder)
        if not path.is_file() or path.is_symlink() or inside.startswith(os.pardir):
            raise ValueError(f"it named {path}, which is no file in the folder that it was given")
        place = Path(inside).as_posix()
        if any(_is_same_or_inside(place.casefold(), taken) for taken in used):
            raise ValueError(f"it wrote {place}, which the delivery holds already")
        files[place] = path
    return files


def _is_same_or_inside(one: str, other: str) -> bool:
    """Whether two places are one, or either is a folder that holds the other."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
