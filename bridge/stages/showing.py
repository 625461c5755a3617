"""The findings of a job as the report shows them."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from bridge import __version__
from bridge import report as show
from bridge.engines.environments import engine_named
from bridge.measure.harmony import Harmony
from bridge.measure.rhythm import Rhythm
from bridge.measure.survey import Survey
from bridge.protocols import Progress
from bridge.stages import roles
from bridge.stages.base import Inputs, part_of
from bridge.stages.findings import Findings, stem_title
from bridge.stages.presetting import UsedChain
from bridge.stages.transcribe import DRUM_ROLES, load_music
from bridge.stages.twins import Twin, twin_of
from bridge.stages.views import load_view, loudest_start_s
from bridge.values import Facts, QaReport, StageResult
from bridge.weights import weights_named
from presets import dial_in

BETTER, ENGINE = "htdemucs_ft", "demucs"
BETTER_COST = 3 * 0.48
"""Seconds for a second of music on two cores: three networks, each 0.48 times real time in float32."""
NEARLY_SILENT_LUFS = -50.0
USES = {
    ".mid": "Begins with the stems' first sample: tempo, beats, sections, chords and notes.",
    ".dawproject": "For Bitwig, Studio One, Cubase: the dry stems in place, with tempo and sections.",
    ".als": "Experimental: your template with the dry stems in place.",
}
"""What files for other programs are for."""
_TIES = re.compile(r"(?<=\d) (?=dB|k?Hz|ms|s\b|:)|(?<=:) (?=\d)|(?<=^Filter) |(?<=\bQ) ")


def report_data(
    findings: Findings,
    inputs: Inputs,
    chains: tuple[UsedChain, ...],
    sizes: dict[str, int],
    notes: list[str],
    progress: Progress,
) -> show.ReportData:
    """Everything that the report shows."""
    seen = load_view(inputs.path(f"{roles.VIEWS}/{roles.SOURCE}"))
    names = _master_names(findings)
    plan = show.plan_excerpts(1 + len(names), _stem_excerpts(inputs))
    start_s = loudest_start_s(seen, plan.version_s)
    versions = show.matched_excerpts(
        [inputs.path(roles.SOURCE), *(inputs.path(f"{roles.MASTER}/{name}") for name in names)],
        start_s,
        plan.version_s,
        plan.version_kbps,
    )
    progress(0.4)
    stems = tuple(_stems(findings, inputs, start_s, plan, part_of(progress, 0.4, 1.0)))
    return show.ReportData(
        song=_song(findings, inputs),
        making=_making(findings),
        before=_sound(seen, versions[0]),
        sections=tuple(_sections(findings)),
        score=_score(findings.music) if findings.music else None,
        masters=tuple(_masters(findings, inputs, names, versions[1:])),
        failure=_failure(findings),
        stems=stems,
        chains=tuple(_chain(used) for used in chains),
        certificate=_certificate(findings),
        qa=findings.attempts[-1],
        attempts=tuple(_attempt(report, findings.attempts) for report in findings.attempts),
        files=tuple(
            show.DeliveredFile(path=path, size_bytes=size, what=USES.get(PurePosixPath(path).suffix, ""))
            for path, size in sizes.items()
        ),
        stages=tuple(
            show.StageTime(stage=timing.stage, seconds=timing.seconds) for timing in findings.timings
        ),
        provenance=_provenance(findings),
        notes=(
            *findings.song.facts["notes"],
            *notes,
            *_skipped(findings),
        ),
    )


def _master_names(findings: Findings) -> list[str]:
    return list(findings.masters.facts["masters"]) if findings.masters else []


def _stem_excerpts(inputs: Inputs) -> int:
    return len(roles.of_kind(inputs, roles.DRY)) + len(roles.of_kind(inputs, roles.MIXED))


def _song(findings: Findings, inputs: Inputs) -> show.Song:
    track, tags, facts = findings.track, findings.track.tags, findings.song.facts
    cover = inputs.path(roles.COVER).read_bytes() if inputs.has(roles.COVER) else b""
    return show.Song(
        title=track.title,
        artist=tags.artist,
        album=tags.album,
        cover=show.cover_picture(cover) if cover else None,
        generator=tags.generator,
        generator_id=tags.generator_id,
        url=tags.url,
        take=track.take,
        duration_s=facts["frames"] / facts["rate_hz"],
        rate_hz=facts["rate_hz"],
        channels=findings.source_info.channels,
        source_format=facts["format"],
        tempo=_tempo(findings.rhythm),
        key=_key(findings.harmony),
    )


def _tempo(rhythm: Rhythm) -> show.Estimate | None:
    if not rhythm.tempo_bpm:
        return None
    return show.Estimate(
        text=f"{_bpm(rhythm.tempo_bpm)} bpm",
        confidence=rhythm.confidence,
        others=tuple(_bpm(tempo) for tempo in rhythm.other_bpm),
    )


def _bpm(tempo: float) -> str:
    return f"{tempo:.1f}".removesuffix(".0")


def _key(harmony: Harmony) -> show.Estimate | None:
    return show.Estimate(text=harmony.key, confidence=harmony.confidence) if harmony.key else None


def _making(findings: Findings) -> show.Making:
    separated = findings.separated
    engines = []
    if separated and separated.facts["engine"] != "none":
        facts = separated.facts
        engines.append(show.EngineUse(stage="Separation", name=facts["engine"], version=facts["version"]))
    return show.Making(
        version=__version__,
        made_at=datetime.datetime.fromtimestamp(findings.created_s, datetime.UTC).astimezone(),
        recipe=findings.request.recipe,
        engines=tuple(engines),
        preview=_preview(findings) if findings.is_preview else None,
    )


def _preview(findings: Findings) -> show.PreviewNotice:
    facts = findings.song.facts
    absent = findings.separated.facts["absent"] if findings.separated else []
    has_engine = any("models pull" in line for line in absent)
    weights = f"stembridge models pull {BETTER}"
    return show.PreviewNotice(
        engine=findings.separated.facts["engine"] if findings.separated else "",
        better=f"Demucs v4 ({BETTER})",
        command=weights if has_engine else f"stembridge engines install demucs && {weights}",
        download_bytes=weights_named(BETTER).size_bytes
        + (0 if has_engine else engine_named(ENGINE).download_mb["cpu"] * 1_000_000),
        seconds=BETTER_COST * facts["frames"] / facts["rate_hz"],
        reason="Its stems bleed into each other.",
    )


def _sound(seen: Survey, excerpt: show.Excerpt | None) -> show.Sound:
    loudness = seen.loudness
    return show.Sound(
        measures=show.Measures(
            integrated_lufs=loudness.integrated_lufs,
            true_peak_dbtp=loudness.true_peak_dbtp,
            loudness_range_lu=loudness.range_lu,
            peak_to_loudness_db=loudness.peak_to_loudness_lu,
            bandwidth_hz=seen.spectrum.bandwidth_hz,
        ),
        waveform=_waveform(seen),
        loudness=_loudness_series(seen),
        spectrum=show.Curve(frequency_hz=seen.spectrum.band_hz, level_db=seen.spectrum.band_db),
        spectrogram=_spectrogram(seen),
        stereo=_stereo(seen),
        excerpt=excerpt,
    )


def _sections(findings: Findings) -> Iterator[show.Section]:
    for section in findings.music.facts["sections"] if findings.music else ():
        yield show.Section.model_validate(section)


def _score(transcribed: StageResult) -> show.Score:
    music = load_music(transcribed)
    return show.Score(
        beats_per_bar=music.grid.beats_per_bar,
        bars_s=music.grid.downbeats_s,
        chords=music.chords,
        parts=tuple(_part(label, count) for label, count in transcribed.facts["notes"].items()),
    )


def _part(label: str, notes: int) -> show.WrittenPart:
    role = roles.role_of(label)
    return show.WrittenPart(name=stem_title(label), role=role, notes=notes, is_drums=role in DRUM_ROLES)


def _waveform(seen: Survey) -> show.Waveform:
    wave = seen.waveform
    return show.Waveform(low=wave.low, high=wave.high, rms=wave.rms)


def _loudness_series(seen: Survey) -> show.LoudnessSeries:
    curve = seen.short_term
    return show.LoudnessSeries(lufs=curve.lufs, step_s=curve.step_s, start_s=curve.start_s)


def _spectrogram(seen: Survey) -> show.Spectrogram | None:
    picture = seen.spectrogram
    if not picture.columns:
        return None
    return show.Spectrogram(
        picture=show.spectrogram_picture(picture.levels_db()),
        low_hz=picture.band_hz[0],
        high_hz=picture.band_hz[-1],
    )


def _stereo(seen: Survey) -> show.Stereo | None:
    if seen.channels < 2:
        return None
    width = seen.stereo.width
    return show.Stereo(
        correlation=seen.stereo.correlation, side_to_mid_db=20 * math.log10(width) if width > 0 else None
    )


def _masters(
    findings: Findings, inputs: Inputs, names: list[str], excerpts: tuple[show.Excerpt, ...]
) -> Iterator[show.Master]:
    if findings.masters is None:
        return
    for name, excerpt in zip(names, excerpts, strict=True):
        facts = findings.masters.facts["masters"][name]
        target = facts["target"]
        seen = load_view(inputs.path(f"{roles.VIEWS}/{roles.MASTER}/{name}"))
        yield show.Master(
            name=target["title"],
            target_lufs=target["integrated_lufs"],
            ceiling_dbtp=target["ceiling_dbtp"],
            status=show.MasterStatus.REACHED if facts["is_reached"] else show.MasterStatus.SHORT,
            why=facts["why"],
            sound=_sound(seen, excerpt),
        )


def _failure(findings: Findings) -> str:
    if findings.masters is not None or not findings.recipe.has("master"):
        return ""
    last = findings.attempts[-1]
    failed = "; ".join(f"{check.name}: found {check.found}, wanted {check.wanted}" for check in last.failures)
    return f"After {last.attempts_words} it still failed: {failed}."


def _stems(
    findings: Findings, inputs: Inputs, start_s: float, plan: show.ExcerptPlan, progress: Progress
) -> Iterator[show.StemShow]:
    dry, mixed = roles.of_kind(inputs, roles.DRY), roles.of_kind(inputs, roles.MIXED)
    if not dry or findings.dry is None:
        return
    heard = show.set_excerpts([asset.path for asset in dry], start_s, plan.stem_s, plan.stem_kbps)
    progress(0.5)
    treated = show.set_excerpts([asset.path for asset in mixed], start_s, plan.stem_s, plan.stem_kbps)
    progress(1.0)
    after = dict(zip((roles.label(asset) for asset in mixed), treated, strict=True))
    for asset, excerpt in zip(dry, heard, strict=True):
        label = roles.label(asset)
        facts = findings.dry.facts["stems"][label]
        seen = load_view(inputs.path(f"{roles.VIEWS}/{asset.role}"))
        yield show.StemShow(
            role=roles.role_of(label),
            name=stem_title(label),
            loudness_lufs=seen.loudness.integrated_lufs,
            waveform=_waveform(seen),
            dry=excerpt,
            mixed=after.get(label),
            is_nearly_silent=seen.loudness.integrated_lufs < NEARLY_SILENT_LUFS,
            decisions=tuple(_decision(decision) for decision in facts["decisions"]),
        )


def _decision(facts: Facts) -> show.Decision:
    figures = tuple(show.GateFigure.model_validate(figure) for figure in facts.get("figures", []))
    return show.Decision(step=facts["step"], kept=facts["kept"], why=facts["why"], figures=figures)


def _chain(used: UsedChain) -> show.ChainUse:
    return show.ChainUse(
        subject=used.title,
        role=None if used.target else roles.role_of(used.subject),
        master=used.target,
        name=used.chain.name,
        description=used.chain.description,
        effects=tuple(_effects(used)),
        decision=_chain_decision(used),
        dial_in=tuple(
            show.DialIn(
                device=device.device,
                rows=tuple(
                    show.Setting(name=_unbroken(dial.control), value=_unbroken(dial.value))
                    for dial in device.dials
                ),
                notes=device.notes,
            )
            for device in dial_in(used.chain).devices
        ),
    )


def _unbroken(text: str) -> str:
    """A number stays on one line with its unit, its ratio and its filter."""
    return _TIES.sub("\N{NO-BREAK SPACE}", text)


def _effects(used: UsedChain) -> Iterator[show.Effect]:
    """The effects that were used, each with what its processor found, where it tells."""
    for number, effect in enumerate(used.chain.effects):
        facts = used.effects[number] if number < len(used.effects) else {}
        twin = twin_of(facts)
        yield show.effect_shown(
            effect,
            reductions=tuple(_reductions(facts.get("figures", {}))),
            twin=_twin(twin) if twin else None,
            told=facts.get("plugin", {}).get("settings", {}),
        )


def _twin(twin: Twin) -> show.Setting:
    return show.Setting(name=f"Its preset in {twin.plugin}", value=_unbroken(twin.words))


def _reductions(figures: Facts) -> Iterator[show.GainReduction]:
    for name in figures:
        band, is_maximum, rest = name.partition("max_gain_reduction_db")
        if is_maximum and not rest:
            yield show.GainReduction(
                mean_db=max(0.0, figures.get(f"{band}mean_gain_reduction_db", 0.0)),
                max_db=max(0.0, figures[name]),
                band=band.strip("_"),
            )


def _chain_decision(used: UsedChain) -> show.Decision | None:
    if used.why in ("no chain", "silent"):
        return None
    if not used.before:
        return show.Decision(step="Chain", kept=used.is_kept, why=used.why)
    figures = (
        _figure("Loudness", used, "loudness_lufs", "LUFS"),
        _figure("Peak over loudness", used, "crest_db", "dB"),
    )
    why = used.why or "It did what it is for, and harmed nothing that is guarded."
    return show.Decision(step="Chain", kept=used.is_kept, why=why, figures=figures)


def _figure(name: str, used: UsedChain, key: str, unit: str) -> show.GateFigure:
    before, after = used.before[key], used.after.get(key, used.before[key])
    return show.GateFigure(name=name, before=show.with_unit(before, unit), after=show.with_unit(after, unit))


def _certificate(findings: Findings) -> show.Certificate | None:
    certificate = findings.certificate
    if certificate is None:
        return None
    lags = [entry["lag_frames"] for entry in certificate["alignment"].values() if entry["confidence"] > 0.5]
    return show.Certificate(
        null_dbfs=certificate["null"]["peak_dbfs"],
        alignment_samples=max(lags, key=abs, default=0),
        level_db=certificate["level_db"],
    )


def _attempt(report: QaReport, reports: tuple[QaReport, ...]) -> show.Attempt:
    failed = [check for check in report.failures if check.is_hard]
    if not failed:
        return show.Attempt(number=report.attempt, outcome="All hard checks passed.")
    outcome = "; ".join(f"{check.name} of {check.subject}: {check.found}" for check in failed)
    is_last = report.attempt == len(reports)
    return show.Attempt(
        number=report.attempt,
        outcome=outcome,
        changes=() if is_last else tuple(check.advice for check in failed),
    )


def _provenance(findings: Findings) -> show.Provenance:
    generator = findings.track.tags.generator
    statement = (
        f"The song was generated with {generator}; its id and tags are carried over into every file."
        if generator
        else "The source does not say that it was generated; its tags are carried over into every file."
    )
    done = [stage for stage in findings.recipe.stages if stage in ("separate", "restore", "mix", "master")]
    return show.Provenance(is_ai_made=bool(generator), statement=statement, processed=tuple(done))


def _skipped(findings: Findings) -> Iterator[str]:
    if findings.separated:
        facts = findings.separated.facts
        for line in facts["skipped"]:
            yield f"A separator could not do it, so the next one did: {line}"
        for line in facts["absent"]:
            yield f"A separator that would have come first is not installed: {line}"
        for line in facts["notes"]:
            yield f"About the separation by {facts['engine']}: {line}"
    if findings.music:
        for line in findings.music.facts["skipped"]:
            yield f"A transcriber could not do it: {line}"
