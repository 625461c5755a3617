"""What every repair is given and gives back: a stem with what is known of it; a file and a decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from bridge.config import Config, Restore
from bridge.measure.agreement import null_depth
from bridge.measure.survey import Survey
from bridge.protocols import Progress, no_progress
from bridge.stages import roles
from bridge.values import Facts, Role, Value


@dataclass(frozen=True, kw_only=True)
class Task:
    """A stem to look at."""

    label: str
    """Such as "vocals" or "synth 2"."""
    source: Path
    """What the repairs before this one left."""
    folder: Path
    """Where repaired files go."""
    before: Survey
    """What was measured before any repair."""
    song_end_hz: float = 0.0
    """Above this there is nothing in the song that the stem was taken from; 0 where that is not known."""
    is_repaired: bool = False
    """Whether ``source`` is another file than what ``before`` was measured of."""
    settings: Restore
    config: Config
    """What engines are made with."""
    progress: Progress = no_progress

    @property
    def role(self) -> Role:
        """What the stem holds."""
        return roles.role_of(self.label)

    def on(self, source: Path, progress: Progress) -> Task:
        """The same stem after a repair."""
        is_repaired = self.is_repaired or source != self.source
        return replace(self, source=source, progress=progress, is_repaired=is_repaired)

    def target(self, step: str) -> Path:
        """Where that step writes."""
        return self.folder / f"{step} {self.label}.wav"

    def lost_db(self, target: Path) -> float:
        """What a repair took away or added, against the stem, in dB of effective value."""
        return null_depth([target], self.source).rms_dbfs - self.before.artefacts.rms_dbfs


class Repair(Value):
    """What one repair came to: the file to go on with, and the decision for the report."""

    path: Path
    decision: Facts
    seen: Survey | None = None
    """The file as measured, where the decision needed that."""
    tried: tuple[Facts, ...] = ()
    """Decisions on what was tried before it for the same flaw, and did not help."""


def kept(step: str, task: Task, target: Path, why: str, figures: list[Facts] | None = None) -> Repair:
    """The repair counts; the decision says at what level something was taken away or added."""
    changed_dbfs = round(null_depth([target], task.source).rms_dbfs, 1)
    decision = _decision(step, why, figures, kept=True) | {"changed_dbfs": changed_dbfs}
    return Repair(path=target, decision=decision)


def left(step: str, task: Task, target: Path, why: str, figures: list[Facts] | None = None) -> Repair:
    """The stem goes on as it was."""
    target.unlink(missing_ok=True)
    return Repair(path=task.source, decision=_decision(step, why, figures, kept=False))


def _decision(step: str, why: str, figures: list[Facts] | None, *, kept: bool) -> Facts:
    return {"step": step, "kept": kept, "why": why, "figures": figures or []}
