"""Work of agreements in the night: preparations whose last day is near or has passed, requests that nobody answered."""

from __future__ import annotations

from uuid import UUID

from grants.agreements import services
from grants.core import jobs
from grants.core.permissions import Permission


def plan_ends() -> int:
    """Ask for every end and reminder that is due; safe to run twice, since each is asked for once."""
    return services.plan_ends(jobs.actor(Permission.AGREEMENT_LAPSE))


def lapse(*, grant_id: str) -> bool:
    """Drop a preparation that was not signed in time; a second run finds it dropped."""
    return services.lapse(jobs.actor(Permission.AGREEMENT_LAPSE), UUID(grant_id))


def remind_of_end(*, grant_id: str) -> bool:
    """Remind both sides of the last day; asked for once for each day and distance."""
    return services.remind_of_end(jobs.actor(Permission.AGREEMENT_LAPSE), UUID(grant_id))


def plan_silence() -> int:
    """Ask for the end of every request whose last day to be answered has passed; safe to run twice."""
    return services.plan_silence(jobs.actor(Permission.AGREEMENT_LAPSE))


def fall_silent(*, grant_id: str, number: int) -> bool:
    """End a request that nobody answered in time; a second run finds it ended."""
    return services.end_silent_amendment(jobs.actor(Permission.AGREEMENT_LAPSE), UUID(grant_id), number)
