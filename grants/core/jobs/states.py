"""The states of a job and what leads from one to the next."""

from __future__ import annotations

from enum import StrEnum

from grants.core.permissions import Permission
from grants.core.states import Machine, Transition


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


MACHINE: Machine[JobState] = Machine(
    "job",
    JobState,
    JobState.QUEUED,
    (
        Transition("claim", (JobState.QUEUED,), JobState.RUNNING),
        Transition("finish", (JobState.RUNNING,), JobState.DONE),
        Transition("give_back", (JobState.RUNNING,), JobState.QUEUED),
        Transition("park", (JobState.RUNNING,), JobState.FAILED),
        Transition("retry", (JobState.FAILED, JobState.CANCELLED), JobState.QUEUED, Permission.JOB_RETRY),
        Transition("cancel", (JobState.QUEUED, JobState.RUNNING), JobState.CANCELLED, Permission.JOB_CANCEL),
    ),
)


def step(verb: str) -> Transition[JobState]:
    return next(step for step in MACHINE.transitions if step.verb == verb)
