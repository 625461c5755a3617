"""Where weights lie, and whether they are what was published."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from bridge.errors import WeightsError
from bridge.hashes import hash_file
from bridge.values import Value
from bridge.weights.catalogue import Form, Part, Weights


class Verdict(StrEnum):
    """What a look at a part found."""

    FINE = "fine"
    MISSING = "missing"
    WRONG = "wrong"


class Check(Value):
    """What a look at one part found."""

    part: str
    verdict: Verdict
    words: str
    path: Path | None = None


class WeightsFolder:
    """The folder that holds all weights, each set in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, weights: Weights) -> Path:
        """The folder of one set."""
        return self.folder / weights.name

    def path(self, weights: Weights, form: Form) -> Path:
        """Where a form lies, or would."""
        return self.place(weights) / form.file

    def form_here(self, weights: Weights, part: Part) -> Form | None:
        """The form of a part that is here, unchecked; None where there is none."""
        return next((form for form in part.forms if self.path(weights, form).is_file()), None)

    def is_here(self, weights: Weights) -> bool:
        """Whether each part is here, or what is made of them; its bytes are not looked at."""
        if weights.own_file is not None and (self.place(weights) / weights.own_file).is_file():
            return True
        return all(self.form_here(weights, part) for part in weights.parts)

    def checks(self, weights: Weights) -> tuple[Check, ...]:
        """A look at every byte of every part; a file made of them stands for those that are not here."""
        checks = tuple(self._check(weights, part) for part in weights.parts)
        own = self.place(weights) / (weights.own_file or "")
        if not own.is_file():
            return checks
        here = [check for check in checks if check.verdict is not Verdict.MISSING]
        words = f"{own.name} was made or brought here; there is nothing published to compare it with."
        return (*here, Check(part=own.name, verdict=Verdict.FINE, words=words, path=own))

    def require(self, weights: Weights) -> Mapping[str, Path]:
        """The parts' files by the parts' names, each checked; WeightsError where one is missing or wrong."""
        found = {}
        for part in weights.parts:
            check = self._check(weights, part)
            if check.path is None or check.verdict is not Verdict.FINE:
                raise WeightsError(f"{check.words} {_remedy(weights)}")
            found[part.name] = check.path
        return found

    def remove(self, weights: Weights) -> int:
        """Delete a set; the bytes that became free. What others put into its folder stays."""
        names = [form.file for part in weights.parts for form in part.forms]
        names += [f"{name}.part" for name in names] + ([weights.own_file] if weights.own_file else [])
        freed = 0
        for path in (self.place(weights) / name for name in names):
            if path.is_file():
                freed += path.stat().st_size
                path.unlink()
        if self.place(weights).is_dir() and not any(self.place(weights).iterdir()):
            self.place(weights).rmdir()
        return freed

    def _check(self, weights: Weights, part: Part) -> Check:
        form = self.form_here(weights, part)
        if form is None:
            file = part.forms[0].file
            words = f"The weights {weights.name} are not complete: {file} is not in {self.place(weights)}."
            return Check(part=part.name, verdict=Verdict.MISSING, words=words)
        path = self.path(weights, form)
        fault = fault_of(path, form)
        if fault:
            return Check(part=part.name, verdict=Verdict.WRONG, words=f"{path} {fault}", path=path)
        return Check(part=part.name, verdict=Verdict.FINE, words=f"{form.file} is as published.", path=path)


def fault_of(path: Path, form: Form) -> str:
    """What is wrong with a file that should be ``form``, as the rest of a sentence; "" where nothing is."""
    found_bytes = path.stat().st_size
    if not form.may_have(found_bytes):
        return f"is not what was published: found {found_bytes} bytes, wanted {form.size_bytes}."
    found = hash_file(path)
    if found != form.sha256:
        return f"is not what was published: found SHA-256 {found[:12]}..., wanted {form.sha256[:12]}...."
    return ""


def _remedy(weights: Weights) -> str:
    return (
        f"Fetch them: stembridge models pull {weights.name} ({weights.size_bytes / 1e6:.0f} MB, "
        f"{weights.licence}). Without a network: stembridge models import FOLDER"
    )
