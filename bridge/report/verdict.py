"""The first sentences of the report: what came out, in plain words."""

from __future__ import annotations

from enum import StrEnum

from bridge.report.data import Certificate, Master, MasterStatus, ReportData
from bridge.report.words import counted, listed, number, with_unit
from bridge.values import QaReport, Value


class Tone(StrEnum):
    """How the page sounds."""

    GOOD = "good"
    ADVICE = "advice"
    FAILED = "failed"


class Verdict(Value):
    """A headline and the sentences below it."""

    tone: Tone
    headline: str
    details: tuple[str, ...] = ()


def verdict(data: ReportData) -> Verdict:
    """The verdict on a delivery: from what was delivered, the checks, and what fell short."""
    return Verdict(tone=_tone(data), headline=" ".join(_headline(data)), details=tuple(_details(data)))


def delivered(masters: tuple[Master, ...]) -> list[Master]:
    """The masters that the delivery holds."""
    return [master for master in masters if master.status is not MasterStatus.FAILED]


def shortfall_lu(master: Master) -> float | None:
    """How far a master is from its target, negative where it is quieter; None where it was not measured."""
    reached = master.sound.measures.integrated_lufs
    return None if reached is None else reached - master.target_lufs


def _tone(data: ReportData) -> Tone:
    if data.failure or any(master.status is MasterStatus.FAILED for master in data.masters):
        return Tone.FAILED
    if data.qa is not None and not data.qa.passed:
        return Tone.FAILED
    is_short = any(master.status is MasterStatus.SHORT for master in data.masters)
    has_advice = data.qa is not None and bool(data.qa.failures)
    return Tone.ADVICE if is_short or has_advice or _certificate_fails(data.certificate) else Tone.GOOD


def _headline(data: ReportData) -> list[str]:
    made = delivered(data.masters)
    if not made and (data.failure or data.masters):
        return ["No master was delivered.", *_stems_sentence(data, "are here")]
    if len(made) == 1:
        return [f"{_master_words(made[0])}.", *_checks_sentence(data.qa)]
    if made:
        return [
            f"{len(made)} masters: {listed([_short_words(master) for master in made])}.",
            *_checks_sentence(data.qa),
        ]
    stems = _stems_sentence(data, _stems_claim(data.certificate)) or ["Neither a master nor stems were made."]
    return [*stems, *_checks_sentence(data.qa)]


def _details(data: ReportData) -> list[str]:
    failed = [
        f"{master.name}: {master.why}" for master in data.masters if master.status is MasterStatus.FAILED
    ]
    short = [_short_reason(master) for master in data.masters if master.status is MasterStatus.SHORT]
    return [*([data.failure] if data.failure else []), *failed, *short]


def _master_words(master: Master) -> str:
    measures = master.sound.measures
    peak = f", {with_unit(measures.true_peak_dbtp, 'dBTP')}" if measures.true_peak_dbtp is not None else ""
    return f"Master at {with_unit(measures.integrated_lufs, 'LUFS')}{peak}"


def _short_words(master: Master) -> str:
    return f"{master.name} at {with_unit(master.sound.measures.integrated_lufs, 'LUFS')}"


def _short_reason(master: Master) -> str:
    distance = shortfall_lu(master)
    reached = (
        ""
        if distance is None
        else f" It is {number(abs(distance))} LU {'below' if distance < 0 else 'above'} that."
    )
    return (
        f"{master.name} was meant for {with_unit(master.target_lufs, 'LUFS')}.{reached} {master.why}".rstrip()
    )


def _stems_sentence(data: ReportData, claim: str) -> list[str]:
    return [f"{counted(len(data.stems), 'stem')} {claim}."] if data.stems else []


def _stems_claim(certificate: Certificate | None) -> str:
    if certificate is not None and certificate.holds:
        return "that sum to the source, aligned to the sample"
    return "delivered"


def _certificate_fails(certificate: Certificate | None) -> bool:
    return certificate is not None and not certificate.holds


def _checks_sentence(qa: QaReport | None) -> list[str]:
    if qa is None or not qa.checks:
        return []
    failures = qa.failures
    if not failures:
        return [f"All {len(qa.checks)} checks passed." if len(qa.checks) > 1 else "The check passed."]
    kind = "is advice" if len(failures) == 1 else "are advice"
    passed = f"{len(qa.checks) - len(failures)} of {len(qa.checks)} checks passed"
    hard = sum(check.is_hard for check in failures)
    return (
        [f"{passed}; {counted(hard, 'hard check')} failed."]
        if hard
        else [f"{passed}; {len(failures)} {kind}."]
    )
