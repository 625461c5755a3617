"""``manifest.json``: what a delivery is, made of what, by what, and what was proved of it."""

from __future__ import annotations

import datetime
import json
import math
import re
from typing import Any, Literal, Self

from pydantic import AwareDatetime

from bridge import __version__
from bridge.stages.findings import Findings, StageTiming
from bridge.stages.presetting import UsedChain
from bridge.values import Facts, QaReport, Tags, Value

_ROW = re.compile(r"\[\n\s+(-?\d[-+.\deE]*(?:,\n\s+-?\d[-+.\deE]*)*)\n\s+\]")
"""A list of numbers alone; no text can look like it, since texts hold their line breaks escaped."""


class ManifestFile(Value):
    """A delivered file."""

    path: str
    """Inside the delivery, with forward slashes."""
    role: str
    """Such as ``dry/vocals``, ``mixed/drums``, ``master/streaming``, ``report/Report.html``."""
    sha256: str
    bytes: int


class Provenance(Value):
    """Where the song comes from and what was done to it."""

    generator: str
    """"Suno" or "Udio" where the source says so."""
    generator_id: str
    is_ai_made: bool
    """Whether the source says that it was generated; false says nothing."""
    processed_by: str
    stages: tuple[str, ...]


class Manifest(Value):
    """The whole file. Written last, it vouches for every other file of the delivery by its hash."""

    format: Literal["stembridge/manifest/1"] = "stembridge/manifest/1"
    """Goes up when a reader of the one before could not read the new one."""
    stembridge: str
    """Version that made the delivery."""
    job: str = ""
    created: AwareDatetime
    """When the job was given, ISO 8601 in UTC."""
    title: str
    take: int
    tags: Tags
    source: Facts
    """Name, hash and format of the song."""
    recipe: str
    request: Facts
    """What was asked for beside the recipe: targets, wishes, options."""
    provenance: Provenance
    separation: Facts | None
    """Engine, version, whether it is a preview, engines that failed; None where nothing was separated."""
    analysis: Facts
    """Loudness, spectrum, rhythm and harmony of the source, each estimate with its confidence."""
    music: Facts | None = None
    """Beats, key, sections and notes as they were written down; None where they were not."""
    certificate: Facts | None
    """Null depth, alignment and level of the separated stems against the decoded source."""
    restoration: Facts | None
    """For each stem: what it was before and after, and every decision with its reason."""
    chains: tuple[UsedChain, ...]
    """Every setting of every processor, and what each did."""
    masters: Facts | None
    qa: tuple[QaReport, ...]
    """Every attempt with its checks, the last one delivered."""
    figures: Facts
    stages: tuple[StageTiming, ...]
    notes: tuple[str, ...]
    files: tuple[ManifestFile, ...] = ()

    @classmethod
    def of(cls, findings: Findings, chains: tuple[UsedChain, ...], figures: Facts, notes: list[str]) -> Self:
        """All but the files and the job's id, which ``deliver`` adds when the rest is written."""
        track, facts = findings.track, findings.song.facts
        return cls(
            stembridge=__version__,
            created=datetime.datetime.fromtimestamp(findings.created_s, datetime.UTC).replace(microsecond=0),
            title=track.title,
            take=track.take,
            tags=track.tags,
            source=facts["source"] | {"media": facts["media"]},
            recipe=findings.request.recipe,
            request=findings.request.model_dump(mode="json", include={"targets", "wishes", "keep_separated"}),
            provenance=_provenance(findings),
            separation=_separation(findings),
            analysis={
                name: findings.analysis.facts[name] for name in ("loudness", "spectrum", "rhythm", "harmony")
            },
            music=findings.music.facts if findings.music else None,
            certificate=findings.certificate,
            restoration=findings.dry.facts["stems"] if findings.dry else None,
            chains=chains,
            masters=findings.masters.facts["masters"] if findings.masters else None,
            qa=findings.attempts,
            figures=figures,
            stages=findings.timings,
            notes=tuple(notes),
        )

    def to_text(self) -> str:
        """The file's text: indented, each row of numbers on one line, numbers to a millionth."""
        text = json.dumps(_rounded(self.model_dump(mode="json")), indent=2, ensure_ascii=False)
        return _ROW.sub(lambda row: f"[{' '.join(row[1].split())}]", text) + "\n"


def _rounded(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _rounded(part) for name, part in content.items()}
    if isinstance(content, list):
        return [_rounded(part) for part in content]
    if isinstance(content, float):
        return round(content, 6) + 0.0 if math.isfinite(content) else None
    return content


def _separation(findings: Findings) -> Facts | None:
    if findings.separated is None:
        return None
    facts = findings.separated.facts
    return {name: facts[name] for name in ("engine", "version", "is_preview", "skipped", "absent", "notes")}


def _provenance(findings: Findings) -> Provenance:
    tags = findings.track.tags
    return Provenance(
        generator=tags.generator,
        generator_id=tags.generator_id,
        is_ai_made=bool(tags.generator),
        processed_by=f"stembridge {__version__}",
        stages=findings.recipe.stages,
    )
