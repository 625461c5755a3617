"""The flow of a job through its stages, and the shelf of what is finished."""

from bridge.pipeline.flow import STAGES, clean_up, run_job

__all__ = ["STAGES", "clean_up", "run_job"]
