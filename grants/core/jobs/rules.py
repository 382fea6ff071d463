"""How the jobs of each queue are treated, and the limits and names of the machinery."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Asker(StrEnum):
    """Whose rights a job has: those of the person whose act asked for it, or the program's own.

    What must follow from an act whoever did it (the reports a signed grant owes) is the program's:
    it happens also when that person's account is closed a moment later.
    """

    PERSON = "person"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class QueueRules:
    """How the jobs of one queue are treated: how often and how long they are tried, and whether order matters."""

    attempts_max: int
    seconds_max: int
    pause_first: timedelta
    pause_longest: timedelta

    def pause(self, attempt: int) -> timedelta:
        """How long to wait after attempt number ``attempt`` failed; doubles each time.

        >>> QUEUES["default"].pause(3)
        datetime.timedelta(seconds=20)
        """
        return min(self.pause_longest, self.pause_first * 2 ** min(attempt - 1, 30))


# A mail waits for its server for about four days: seven attempts in the first hour, then hourly.
QUEUES: Mapping[str, QueueRules] = {
    "default": QueueRules(5, 600, timedelta(seconds=5), timedelta(minutes=10)),
    "mail": QueueRules(100, 120, timedelta(seconds=30), timedelta(hours=1)),
    # A scanner that is away is asked again for about three days; what waits for it is in quarantine meanwhile.
    "scans": QueueRules(1_000, 300, timedelta(seconds=5), timedelta(minutes=5)),
    "reports": QueueRules(3, 1_800, timedelta(seconds=10), timedelta(minutes=10)),
}
# The queue of a job whose asker names none, by the module its function lives in.
QUEUE_OF_MODULE = {
    "mail": "mail",
    "documents": "reports",
    "financial_reports": "reports",
    "lists": "reports",
    "checks": "reports",
    "files": "scans",
}
# An error nobody foresaw parks its job after so many attempts, whatever its queue allows.
FAULTS_MAX = 5
LEASE = timedelta(seconds=30)
# A row rung this long ago and still waiting is rung again, unless the bell still holds it (Valkey was flushed).
RING_AGAIN_AFTER = timedelta(seconds=30)
SWEEP_ROWS_MAX = 2_000
# After the queue server did not answer, acts of this process leave the ringing to the sweeper for so long.
BELL_REST_SECONDS = 10
PROGRESS_SECONDS_MIN = 0.3
NAME = re.compile(r"jobs\.[a-z_]+\.[a-z_]+")
WORK = "jobs.worker.run"
