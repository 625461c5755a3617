"""Any order of calls, by anybody, old claims included: the SQL store does what the one in memory does."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from bridge.errors import JobError
from bridge.jobs import Command, JobStore, ProcessMark, StageRecord, open_store
from bridge.testing.memory_store import MemoryJobStore
from bridge.values import Delivery, Job, JobState
from tests.jobs.support import HERE, THERE, Clock, request

PRINTS = st.sampled_from(["a" * 64, "b" * 64])
COMMANDS = st.none() | st.builds(Command, client=st.just("device"), number=st.integers(0, 3))
WORKERS = st.sampled_from([HERE, THERE])
DELIVERY = Delivery(folder=Path("/projects/one"), files=())


class StoreMachine(RuleBasedStateMachine):
    """Plays each call on both stores and compares what comes back; ids are matched by order."""

    jobs = Bundle("jobs")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.gone: set[ProcessMark] = set()
        running: Callable[[ProcessMark], bool | None] = lambda mark: mark not in self.gone  # noqa: E731
        self.real: JobStore = open_store(self.folder / "jobs.sqlite", clock=self.clock, is_running=running)
        self.model: JobStore = MemoryJobStore(clock=self.clock, is_running=running)
        self.pairs: list[tuple[str, str]] = []
        self.seen: dict[str, Job] = {}
        self.forgotten: set[str] = set()

    def teardown(self) -> None:
        self.real.close()
        shutil.rmtree(self.folder)

    def both(self, call: Callable[[JobStore, int], Any]) -> tuple[Any, Any]:
        """The two answers, errors by class, after they were found equal."""
        answers = (_answer(call, self.real, 0), _answer(call, self.model, 1))
        assert self.by_place(answers[0], 0) == self.by_place(answers[1], 1)
        return answers

    def by_place(self, answer: Any, side: int) -> Any:
        """An answer with ids replaced by the place of the job."""
        if isinstance(answer, Job):
            places = {pair[side]: place for place, pair in enumerate(self.pairs)}
            return answer.evolve(id=str(places[answer.id]))
        if isinstance(answer, tuple):
            return tuple(self.by_place(part, side) for part in answer)
        return answer

    @rule(target=jobs, fingerprint=PRINTS, once=st.booleans(), command=COMMANDS, priority=st.integers(-1, 1))
    def submit(self, fingerprint: str, once: bool, command: Command | None, priority: int) -> int:
        asked = request().evolve(priority=priority)
        made = [
            s.submit_once(asked, fingerprint, command=command).job
            if once
            else s.submit(asked, fingerprint, command=command)
            for s in (self.real, self.model)
        ]
        pair = (made[0].id, made[1].id)
        if pair not in self.pairs:
            assert all(pair[side] > old[side] for old in self.pairs for side in (0, 1))
            self.pairs.append(pair)
        return self.pairs.index(pair)

    @rule(target=claims, place=jobs, worker=WORKERS)
    def claim_one(self, place: int, worker: Any) -> Any:
        answers = self.both(lambda store, side: store.claim(worker, self.pairs[place][side]))
        return answers if isinstance(answers[0], Job) else multiple()

    @rule(target=claims, worker=WORKERS)
    def claim_next(self, worker: Any) -> Any:
        answers = self.both(lambda store, _side: store.claim(worker))
        return answers if isinstance(answers[0], Job) else multiple()

    @rule(claim=claims, share=st.sampled_from([0.0, 0.5, 1.0]))
    def heartbeat(self, claim: tuple[Job, Job], share: float) -> None:
        self.both(lambda store, side: store.heartbeat(claim[side], stage="mix", share=share))

    @rule(claim=claims, state=st.sampled_from(list(JobState)))
    def transition(self, claim: tuple[Job, Job], state: JobState) -> None:
        self.both(lambda store, side: store.transition(claim[side], state))

    @rule(claim=claims, key=st.sampled_from(["x", "y"]))
    def record(self, claim: tuple[Job, Job], key: str) -> None:
        record = StageRecord(stage="mix", key=key)
        self.both(lambda store, side: store.record_stage(claim[side], record))

    @rule(claim=claims, end=st.sampled_from(["succeed", "fail", "confirm_cancel", "release"]))
    def end(self, claim: tuple[Job, Job], end: str) -> None:
        words: tuple[Any, ...] = {"succeed": (DELIVERY,), "fail": ("broken",)}.get(end, ())
        self.both(lambda store, side: getattr(store, end)(claim[side], *words))

    @rule(claim=claims, delay_s=st.sampled_from([0.0, 60.0, 1e9]), counts=st.booleans())
    def postpone(self, claim: tuple[Job, Job], delay_s: float, counts: bool) -> None:
        self.both(lambda store, side: store.postpone(claim[side], "later", delay_s, counts=counts))

    @rule(claim=claims)
    def look_for_cancel(self, claim: tuple[Job, Job]) -> None:
        self.both(lambda store, side: store.is_cancel_requested(claim[side]))

    @rule(place=jobs, reason=st.sampled_from(["", "superseded"]))
    def cancel(self, place: int, reason: str) -> None:
        self.both(lambda store, side: store.request_cancel(self.pairs[place][side], reason))

    @rule(older_than_s=st.sampled_from([0.0, 60.0]))
    def forget_old(self, older_than_s: float) -> None:
        self.both(lambda store, _side: store.forget(older_than_s))
        there = {job.id for job in self.real.list(limit=1000)}
        self.forgotten |= {pair[0] for pair in self.pairs} - there

    @rule(worker=WORKERS)
    def crash(self, worker: Any) -> None:
        self.gone = {worker.process}
        self.both(lambda store, _side: tuple(sorted(store.release_orphans(), key=lambda job: job.id)))
        self.gone = set()

    @rule(fingerprint=PRINTS)
    def find(self, fingerprint: str) -> None:
        self.both(lambda store, _side: store.find_open(fingerprint))

    @rule(step_s=st.sampled_from([0.5, 100.0, -50.0]))
    def time_passes(self, step_s: float) -> None:
        self.clock.now_s += step_s

    @rule(claim=consumes(claims))
    def forget(self, claim: tuple[Job, Job]) -> None:
        """A worker that is never heard of again."""

    @invariant()
    def stores_agree(self) -> None:
        self.both(lambda store, _side: store.list(limit=100))
        self.both(lambda store, _side: store.next_due_s())
        for pair in self.pairs:
            self.both(lambda store, side, pair=pair: store.claim_of(pair[side]))  # type: ignore[misc]
            self.both(lambda store, side, pair=pair: store.stages(pair[side]))  # type: ignore[misc]

    @invariant()
    def history_is_sane(self) -> None:
        """What must hold whatever the model says."""
        for job in self.real.list(limit=100):
            before = self.seen.get(job.id, job)
            assert job.attempt >= before.attempt
            assert job == before or not before.state.is_terminal
            assert (self.real.claim_of(job.id) is None) or job.state in (
                JobState.PROCESSING,
                JobState.RETRYING_QA,
            )
            assert job.failures <= job.attempt
            self.seen[job.id] = job

    @invariant()
    def nothing_unfinished_is_forgotten(self) -> None:
        """What was forgotten had ended, as far as anybody saw."""
        assert all(self.seen[job_id].state.is_terminal for job_id in self.forgotten if job_id in self.seen)


def _answer(call: Callable[[JobStore, int], Any], store: JobStore, side: int) -> Any:
    try:
        return call(store, side)
    except JobError as error:
        return type(error)


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
