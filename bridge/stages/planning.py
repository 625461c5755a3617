"""The plan of a render: which chain for which stem at which level, which master for which target.

The first plan comes from the recipe, the measures and the producer's wishes. When QA fails a render, the plan
is corrected by what QA found and nothing else; separation and restoration are never run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from bridge.config import Config, Recipe
from bridge.engines.vst3 import mark_of
from bridge.stages import roles
from bridge.stages.checkup import Checkup
from bridge.stages.master import Goal
from bridge.stages.master import Params as MasterParams
from bridge.stages.mix import Params as MixParams
from bridge.stages.mix import StemPlan
from bridge.values import JobRequest, QaCheck, QaReport, StageResult, Value
from presets import MASTER, Chain, Library, Vst3, apply_wishes, target

PEAK_MARGIN_STEP_DB = 0.05
LOUDNESS_REACH_LU = 2.0
"""A second meter that is further off than this is not corrected for: something else is wrong."""


class Plan(Value):
    """What mix and master are asked to do; None where the recipe leaves one out."""

    mix: MixParams | None = None
    master: MasterParams | None = None


def first_plan(
    request: JobRequest, recipe: Recipe, config: Config, analysis: StageResult, dry: StageResult | None
) -> Plan:
    """The plan by the recipe's style, each chain set for the loudness that was measured."""
    style = recipe.style if recipe.style != "neutral" else config.mix.style
    has_mix = recipe.has("mix") and dry is not None
    return Plan(
        mix=_mix(request, style, config, analysis, dry) if has_mix and dry else None,
        master=_master(request, recipe, style, config, analysis) if recipe.has("master") else None,
    )


def _mix(
    request: JobRequest, style: str, config: Config, analysis: StageResult, dry: StageResult
) -> MixParams:
    labels = [roles.label(asset) for asset in roles.of_kind(dry.assets, roles.DRY)]
    song_lufs = float(analysis.facts["loudness"]["integrated_lufs"])
    stems = tuple(_stem(label, request, style, config, song_lufs, dry) for label in labels)
    return MixParams(
        stems=stems,
        headroom_dbfs=config.mix.headroom_dbfs,
        crest_loss_db=config.mix.crest_loss_db,
        tone_shift_db=config.mix.tone_shift_db,
        plugins=_marks((stem.chain for stem in stems), config),
    )


def _stem(
    label: str, request: JobRequest, style: str, config: Config, song_lufs: float, dry: StageResult
) -> StemPlan:
    before = Checkup.model_validate(dry.facts["stems"][label]["after"])
    stem_lufs = before.loudness_lufs
    role = roles.role_of(label)
    chain = apply_wishes(_library(config).chain(role.value, style), request.wishes)
    move_db, reason = _move(stem_lufs - song_lufs, role.value, config)
    return StemPlan(
        label=label,
        chain=chain.at_level(round(stem_lufs, 1)),
        before=before,
        move_db=move_db,
        move_reason=reason,
    )


def _move(relative_lu: float, role: str, config: Config) -> tuple[float, str]:
    """How far a stem is moved towards the range in which its role is usually heard, and why."""
    low, high = config.mix.balance_lu.get(role, (-200.0, 200.0))
    wanted = min(max(relative_lu, low), high)
    limit = config.mix.balance_limit_db
    move_db = round(min(max(wanted - relative_lu, -limit), limit), 2)
    if move_db == 0 or relative_lu < low - 12:  # nearly absent is the song's own choice
        return 0.0, ""
    where = "below" if move_db > 0 else "above"
    return move_db, (
        f"It lies {relative_lu:.1f} LU against the song, {where} the {low:g} to {high:g} LU where {role} "
        f"are usually heard; moved by {move_db:+.1f} dB, {limit:g} dB at most."
    )


def _master(
    request: JobRequest, recipe: Recipe, style: str, config: Config, analysis: StageResult
) -> MasterParams:
    chain = apply_wishes(_library(config).chain(MASTER, style), request.wishes)
    names = request.targets or recipe.targets
    return MasterParams(
        chain=chain.at_level(round(float(analysis.facts["loudness"]["integrated_lufs"]), 1)),
        goals=tuple(Goal(target=target(name)) for name in dict.fromkeys(names)),
        bits=config.master.bits,
        drive_loss_db=config.master.drive_loss_db,
        tone_shift_db=config.mix.tone_shift_db,
        search_passes=config.master.search_passes,
        search_tolerance_lu=config.master.search_tolerance_lu,
        plugins=_marks((chain,), config),
    )


def _library(config: Config) -> Library:
    return Library(user_folder=config.chains_folder)


def _marks(chains: Iterable[Chain], config: Config) -> tuple[str, ...]:
    effects = [effect for chain in chains for effect in chain.effects if isinstance(effect, Vst3)]
    return tuple(mark_of(effect, config.vst3) for effect in effects)


def corrected(plan: Plan, report: QaReport) -> Plan | None:
    """The plan with every failed hard check answered; None where nothing is left to correct."""
    better = plan
    for check in report.failures:
        correction = _CORRECTIONS.get(check.code)
        if check.is_hard and correction:
            better = correction(better, check)
    return None if better == plan else better


def _lower_ceiling(plan: Plan, check: QaCheck) -> Plan:
    def lower(goal: Goal) -> Goal:
        return goal.evolve(ceiling_margin_db=goal.ceiling_margin_db + check.error + PEAK_MARGIN_STEP_DB)

    return _for_goal(plan, check, lower)


def _shift_loudness(plan: Plan, check: QaCheck) -> Plan:
    def shift(goal: Goal) -> Goal:
        return goal.evolve(loudness_shift_lu=round(goal.loudness_shift_lu - check.error, 3))

    return _for_goal(plan, check, shift) if abs(check.error) <= LOUDNESS_REACH_LU else plan


def _for_goal(plan: Plan, check: QaCheck, change: Callable[[Goal], Goal]) -> Plan:
    if plan.master is None:
        return plan
    name = check.subject.partition("/")[2]
    goals = tuple(change(goal) if goal.target.name == name else goal for goal in plan.master.goals)
    return plan.evolve(master=plan.master.evolve(goals=goals))


def _without_master_chain(plan: Plan, _check: QaCheck) -> Plan:
    if plan.master is None:
        return plan
    return plan.evolve(master=plan.master.evolve(chain=plan.master.chain.evolve(effects=())))


def _without_stem_chain(plan: Plan, check: QaCheck) -> Plan:
    """Leave out the chain of the stem that failed; all of them where the mix did."""
    if plan.mix is None:
        return _without_master_chain(plan, check)
    label = check.subject.partition("/")[2]

    def bare(stem: StemPlan) -> StemPlan:
        return stem.evolve(chain=stem.chain.evolve(effects=())) if label in ("", stem.label) else stem

    return plan.evolve(mix=plan.mix.evolve(stems=tuple(bare(stem) for stem in plan.mix.stems)))


_CORRECTIONS: dict[str, Callable[[Plan, QaCheck], Plan]] = {
    "true_peak": _lower_ceiling,
    "clipping": partial(
        _for_goal, change=lambda goal: goal.evolve(ceiling_margin_db=goal.ceiling_margin_db + 0.2)
    ),
    "loudness": _shift_loudness,
    "not_finite": _without_stem_chain,
    "silence": _without_stem_chain,
}
"""What each failed check leads to; a check that is not here has no correction."""
