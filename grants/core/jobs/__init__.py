"""Jobs: rows written in the act that asks for them, worked later under a lease and a fencing token.

RQ is only the bell: it carries a job's id and may be lost at any time. Nothing here knows what a job does.
"""

from grants.core.jobs.asking import cancel, give_up, plan, queue, queue_many, retry, start_again
from grants.core.jobs.models import Job
from grants.core.jobs.queries import (
    JobView,
    Waiting,
    by_key,
    by_number,
    counts,
    last_run,
    latest,
    newest_of,
    page,
    put_off,
    view,
    views,
    waiting,
    waits_about,
    went_wrong,
)
from grants.core.jobs.ringing import connected, line_of_rq, queue_server, spared
from grants.core.jobs.rules import LEASE, NAME, QUEUE_OF_MODULE, QUEUES, RING_AGAIN_AFTER, Asker, QueueRules
from grants.core.jobs.states import MACHINE, JobState
from grants.core.jobs.sweeping import beat, give_back, sweep
from grants.core.jobs.working import Superseded, TryLater, Unavailable, actor, claim, progress, this, work, work_off

__all__ = [
    "LEASE",
    "MACHINE",
    "NAME",
    "QUEUES",
    "QUEUE_OF_MODULE",
    "RING_AGAIN_AFTER",
    "Asker",
    "Job",
    "JobState",
    "JobView",
    "QueueRules",
    "Superseded",
    "TryLater",
    "Unavailable",
    "Waiting",
    "actor",
    "beat",
    "by_key",
    "by_number",
    "cancel",
    "claim",
    "connected",
    "counts",
    "give_back",
    "give_up",
    "last_run",
    "latest",
    "line_of_rq",
    "newest_of",
    "page",
    "plan",
    "progress",
    "put_off",
    "queue",
    "queue_many",
    "queue_server",
    "retry",
    "spared",
    "start_again",
    "sweep",
    "this",
    "view",
    "views",
    "waiting",
    "waits_about",
    "went_wrong",
    "work",
    "work_off",
]
