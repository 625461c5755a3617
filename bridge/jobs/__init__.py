"""Jobs that are durable before they are acknowledged."""

from bridge.jobs.files import FileLedger, SeenFile
from bridge.jobs.fingerprint import fingerprint, hash_source
from bridge.jobs.inspection import Inspected
from bridge.jobs.limits import Limits
from bridge.jobs.processes import ProcessMark, is_running, this_process
from bridge.jobs.retrying import RetryDecision, RetryPolicy, decide
from bridge.jobs.runner import JOB_TARGET, Ended, interrupt_cancels, run_job, submit_request
from bridge.jobs.states import MOVES, OPEN, TERMINAL, can_move
from bridge.jobs.store import Claim, Command, JobStore, StageRecord, Submitted, Worker, open_store
from bridge.jobs.watch import Outcome
from bridge.jobs.worker import WorkerProcess, worker_environment
from bridge.jobs.workers import Workers

__all__ = [
    "JOB_TARGET",
    "MOVES",
    "OPEN",
    "TERMINAL",
    "Claim",
    "Command",
    "Ended",
    "FileLedger",
    "Inspected",
    "JobStore",
    "Limits",
    "Outcome",
    "ProcessMark",
    "RetryDecision",
    "RetryPolicy",
    "SeenFile",
    "StageRecord",
    "Submitted",
    "Worker",
    "WorkerProcess",
    "Workers",
    "can_move",
    "decide",
    "fingerprint",
    "hash_source",
    "interrupt_cancels",
    "is_running",
    "open_store",
    "run_job",
    "submit_request",
    "this_process",
    "worker_environment",
]
