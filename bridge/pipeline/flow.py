"""The flow of a job, from the request to the delivery, in one place.

    ingest -> analyse -> separate -> restore -> transcribe -> mix -> master -> qa -> export -> deliver
                                                               ^------------------|  corrected, some times

Which of these run is the recipe's choice. Every stage is looked up on the shelf first, so a job that was
killed, or one that asks for something else of the same song, starts where the finished stages end.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bridge import events
from bridge.config import Config, Recipe
from bridge.errors import QaError
from bridge.pipeline.preflight import check_request
from bridge.pipeline.shelf import Shelf
from bridge.pipeline.source import SourceMark, expect_unchanged, mark_of
from bridge.pipeline.workbench import Report, Workbench
from bridge.stages import (
    analyse,
    deliver,
    export,
    ingest,
    master,
    mix,
    planning,
    qa,
    restore,
    roles,
    separate,
    transcribe,
)
from bridge.stages.base import Stage
from bridge.stages.chain_run import LEFT_OUT
from bridge.stages.choosing import choices
from bridge.stages.findings import Findings, StageTiming
from bridge.values import Asset, Delivery, Job, MediaInfo, QaReport, SampleFormat, StageResult

log = logging.getLogger(__name__)

STAGES: dict[str, Stage[Any]] = {
    stage.name: stage
    for stage in (
        ingest.STAGE,
        analyse.STAGE,
        separate.STAGE,
        restore.STAGE,
        transcribe.STAGE,
        mix.STAGE,
        master.STAGE,
        qa.STAGE,
        export.STAGE,
        deliver.STAGE,
    )
}


def run_job(job: Job, config: Config, report: Report) -> Delivery:
    """Do the whole job and return what was delivered.

    ``report`` hears every event and may raise JobCancelled, which ends the job between two blocks of audio.

    Raises:
        InputError: the source cannot be used as a song.
        DiskFullError: no room; with some it goes on.
        StorageError, DeliveryError: no permission, or a disk that cannot be used.
        SourceChangedError: the song was changed before its delivery.
        QaError: no master passed; the stems are delivered all the same, and the message says where.
    """
    recipe = config.recipe(job.request.recipe)
    shelf = Shelf(config.data_folder / "stages", owner=job.id)
    shelf.clear_rooms()
    check_request(job.request, config, shelf.make_room)
    bench = Workbench(
        shelf=shelf,
        config=config,
        job_id=job.id,
        plan=[STAGES[name] for name in recipe.stages],
        report=report,
    )
    try:
        delivery = _Flow(job=job, config=config, recipe=recipe, bench=bench, report=report).run()
    finally:
        _let_go(bench, shelf)
    with contextlib.suppress(OSError):  # what was delivered stands, whatever is met while tidying
        shelf.prune(
            round(config.work.keep_gb * 1e9),
            spare=bench.keys(),
            older_than_s=config.service.keep_days * 86_400,
        )
    shelf.clear_rooms()
    return delivery


def _let_go(bench: Workbench, shelf: Shelf) -> None:
    """A result that lacks what failed is not kept: mended or given time, it may work the next time."""
    for result, _ in bench.results:
        if result.facts.get(LEFT_OUT):
            shelf.release(result.key)


def clean_up(job: Job, config: Config, report: Report | None = None) -> None:
    """Remove what a job that failed or was cancelled left: for whoever outlives its process.

    A job that ends by itself cleans up after itself; one whose process was killed cannot. What a failed job
    delivered all the same stays. ``report`` is what a worker gives to all that it calls; nothing is told.
    """
    Shelf(config.data_folder / "stages", owner=job.id).clear_rooms()
    destination = job.request.destination / config.delivery.folder
    if job.delivery is None:
        deliver.take_back(job.id, destination)
    with contextlib.suppress(OSError):
        destination.rmdir()  # where nothing was ever delivered


@dataclass(frozen=True, kw_only=True)
class _Rendered:
    """What mix, master and QA came to."""

    plan: planning.Plan
    mixed: StageResult | None
    masters: StageResult | None
    checked: StageResult
    attempts: tuple[QaReport, ...]

    @property
    def has_passed(self) -> bool:
        return self.attempts[-1].passed


@dataclass(frozen=True, kw_only=True)
class _Flow:
    """A job on its way: each method is a step and returns what the next ones need."""

    job: Job
    config: Config
    recipe: Recipe
    bench: Workbench
    report: Callable[[events.Event], None]

    def run(self) -> Delivery:
        source = mark_of(self.job.request.source)
        self.report(events.SourceRead(job_id=self.job.id, sha256=source.sha256))
        song = self._ingest(source)
        analysis = self.bench.do(analyse.STAGE, analyse.Params(), [song.asset(roles.SOURCE)])
        stems = self._separate(song)
        dry = self._restore(analysis, stems)
        music = self._transcribe(song, analysis, dry)
        rendered = self._render(song, analysis, stems, dry)
        exported = self._export(song, analysis, stems, dry, music, rendered)
        expect_unchanged(source)
        delivery = self._deliver(song, stems, dry, rendered, exported)
        if self.recipe.has("master") and not rendered.has_passed:
            raise QaError(_no_master(rendered.attempts[-1], delivery), delivery)
        return delivery

    def _ingest(self, source: SourceMark) -> StageResult:
        song = Asset(path=source.path, sha256=source.sha256, role=roles.SONG)
        params = ingest.Params(source_name=source.path.name, settings=self.config.input)
        return self.bench.do(ingest.STAGE, params, [song])

    def _separate(self, song: StageResult) -> StageResult | None:
        if not self.recipe.has("separate"):
            return None
        params = separate.Params(
            engines=choices("bridge.separators", self.config.separate.engines, self.config),
            null_dbfs=self.config.qa.null_dbfs,
            grid_bits=24 if self._wants_integers(song) else 0,
        )
        stems = roles.of_kind(song.assets, roles.STEM)
        return self.bench.do(separate.STAGE, params, [song.asset(roles.SOURCE), *stems])

    def _wants_integers(self, song: StageResult) -> bool:
        info = MediaInfo.model_validate(song.facts["media"])
        is_integer = info.is_integer_pcm and info.bits <= 24
        return is_integer and self.config.delivery.stem_format is SampleFormat.INT24

    def _restore(self, analysis: StageResult, stems: StageResult | None) -> StageResult | None:
        """The dry stems; without restoration they are the separated ones."""
        if stems is None:
            return None
        separated = roles.of_kind(stems.assets, roles.SEPARATED)
        params = restore.Params.of(
            self.config,
            is_active=self.recipe.has("restore"),
            song_end_hz=analysis.facts["spectrum"]["bandwidth_hz"],
        )
        return self.bench.do(restore.STAGE, params, separated)

    def _transcribe(
        self, song: StageResult, analysis: StageResult, dry: StageResult | None
    ) -> StageResult | None:
        if not self.recipe.has("transcribe"):
            return None
        harmony = analysis.facts["harmony"]
        params = transcribe.Params(
            engines=choices("bridge.transcribers", self.config.transcribe.engines, self.config),
            key=harmony["key"],
            key_confidence=harmony["confidence"],
            tuning_cents=harmony["tuning_cents"],
        )
        stems = roles.of_kind(dry.assets, roles.DRY) if dry else ()
        return self.bench.do(transcribe.STAGE, params, [song.asset(roles.SOURCE), *stems])

    def _render(
        self, song: StageResult, analysis: StageResult, stems: StageResult | None, dry: StageResult | None
    ) -> _Rendered:
        """Mix, master and check; while a hard check fails, correct and render again, so many times."""
        plan = planning.first_plan(self.job.request, self.recipe, self.config, analysis, dry)
        attempts: list[QaReport] = []
        while True:
            mixed = self.bench.do(mix.STAGE, plan.mix, dry.assets) if plan.mix and dry else None
            masters = self._master(plan, song, mixed)
            if attempts:
                self.report(events.QaRetryEnded(job_id=self.job.id, retry=attempts[-1].attempt))
            checked = self._check(song, analysis, stems, dry, mixed, masters, plan)
            attempts.append(qa.report_of(checked).evolve(attempt=len(attempts) + 1))
            better = planning.corrected(plan, attempts[-1])
            if attempts[-1].passed or better is None or len(attempts) >= self.config.qa.max_attempts:
                return _Rendered(
                    plan=plan, mixed=mixed, masters=masters, checked=checked, attempts=tuple(attempts)
                )
            self._tell_retry(attempts[-1])
            plan = better

    def _master(
        self, plan: planning.Plan, song: StageResult, mixed: StageResult | None
    ) -> StageResult | None:
        if plan.master is None:
            return None
        music = mixed.asset(roles.MIX) if mixed else song.asset(roles.SOURCE).evolve(role=roles.MIX)
        return self.bench.do(master.STAGE, plan.master, [music])

    def _check(
        self,
        song: StageResult,
        analysis: StageResult,
        stems: StageResult | None,
        dry: StageResult | None,
        mixed: StageResult | None,
        masters: StageResult | None,
        plan: planning.Plan,
    ) -> StageResult:
        made = [result for result in (stems, dry, mixed, masters) if result is not None]
        assets = [song.asset(roles.SOURCE), *(asset for result in made for asset in result.assets)]
        goals = plan.master.goals if plan.master else ()
        params = qa.Params(
            settings=self.config.qa,
            goals=goals,
            source_clipped_runs=int(analysis.facts["artefacts"]["clipped_runs"]),
            unreached=tuple(qa.unreached(masters)) if masters else (),
        )
        return self.bench.do(qa.STAGE, params, assets)

    def _tell_retry(self, failed: QaReport) -> None:
        reasons = tuple(f"{check.name} of {check.subject}: {check.found}" for check in failed.failures)
        log.info("QA asks for another render: %s", "; ".join(reasons), extra={"action": "qa_retry"})
        self.report(events.QaRetryStarted(job_id=self.job.id, retry=failed.attempt, reasons=reasons))

    def _export(
        self,
        song: StageResult,
        analysis: StageResult,
        stems: StageResult | None,
        dry: StageResult | None,
        music: StageResult | None,
        rendered: _Rendered,
    ) -> StageResult:
        findings = Findings(
            job_id=self.job.id,
            request=self.job.request,
            created_s=self.job.created_s,
            recipe=self.recipe,
            song=song,
            analysis=analysis,
            separated=stems,
            dry=dry,
            music=music,
            mixed=rendered.mixed,
            masters=rendered.masters if rendered.has_passed else None,
            plan=rendered.plan,
            attempts=rendered.attempts,
            timings=tuple(
                StageTiming(stage=result.stage, key=result.key, seconds=result.seconds)
                for result, _ in self.bench.results
            ),
            checked=rendered.checked,
            delivery=self.config.delivery,
            export=self.config.export,
        )
        return self.bench.do(export.STAGE, findings, findings.assets())

    def _deliver(
        self,
        song: StageResult,
        stems: StageResult | None,
        dry: StageResult | None,
        rendered: _Rendered,
        exported: StageResult,
    ) -> Delivery:
        layout = export.load_layout(exported)
        params = deliver.Params(
            job_id=self.job.id,
            destination=self.job.request.destination / self.config.delivery.folder,
            title=layout.title,
            placed=layout.placed,
            manifest=layout.manifest,
        )
        wanted = {placed.role for placed in layout.placed} | {roles.COVER}
        results = (song, stems, dry, rendered.mixed, rendered.masters, exported)
        made = [asset for result in results if result is not None for asset in result.assets]
        done = self.bench.do(deliver.STAGE, params, [asset for asset in made if asset.role in wanted])
        return Delivery(
            folder=done.facts["folder"],
            files=tuple(done.facts["files"]),
            main_figures=exported.facts["main_figures"],
        )


def _no_master(failed: QaReport, delivery: Delivery) -> str:
    reasons = "; ".join(
        f"{check.name}: found {check.found}, wanted {check.wanted}" for check in failed.failures
    )
    return (
        f"No master was delivered, because after {failed.attempts_words} it still failed: {reasons}. "
        f"Everything else is in {delivery.folder}; its report says more."
    )
