"""The repairs of a stem, a file for each kind: what there is a reason for, and whether it helped."""

from bridge.stages.repairs.base import Repair, Task

__all__ = ["Repair", "Task"]
