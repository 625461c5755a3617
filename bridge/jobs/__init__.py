"""Jobs that are durable before they are acknowledged."""

from bridge.jobs.fingerprint import fingerprint, hash_source
from bridge.jobs.processes import ProcessMark, this_process
from bridge.jobs.runner import JOB_TARGET, Ended, interrupt_cancels, run_job, submit_request
from bridge.jobs.states import MOVES, OPEN, TERMINAL, can_move
from bridge.jobs.store import Claim, JobStore, StageRecord, Submitted, Worker, open_store
from bridge.jobs.worker import Outcome, WorkerProcess, worker_environment
from bridge.jobs.workers import Workers

__all__ = [
    "JOB_TARGET",
    "MOVES",
    "OPEN",
    "TERMINAL",
    "Claim",
    "Ended",
    "JobStore",
    "Outcome",
    "ProcessMark",
    "StageRecord",
    "Submitted",
    "Worker",
    "WorkerProcess",
    "Workers",
    "can_move",
    "fingerprint",
    "hash_source",
    "interrupt_cancels",
    "open_store",
    "run_job",
    "submit_request",
    "this_process",
    "worker_environment",
]
