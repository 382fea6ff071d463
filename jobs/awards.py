"""Jobs of awards: the advice beside the official list, worked out for the person who asked."""

from __future__ import annotations

from uuid import UUID

from grants.awards import services
from grants.core import jobs
from grants.core.permissions import Permission


def advise(*, call_id: str, places: int) -> dict[str, int]:
    """Work out the advice of a call. Safe to run twice: the same sheets make no second run."""
    number = services.advise(jobs.actor(Permission.SELECTION_DECIDE), UUID(call_id), places)
    return {"number": number}
