"""Asking for a call to be looked through for conflicts of interest, inside whatever act changed what they follow from."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from grants.core import acts, jobs

LOOK_JOB = "jobs.conflicts.look"


def look_for_conflicts(call_id: UUID) -> None:
    """Ask for the look-through at the end of this minute: one for all that changed in it, however many letters go out."""
    minute = acts.moment().replace(second=0, microsecond=0)
    jobs.queue(
        LOOK_JOB,
        subject=("call", call_id),
        unique=f"conflicts of {call_id} after {minute:%Y-%m-%d %H:%M}",
        after=minute + timedelta(minutes=1),
        asker=jobs.Asker.PROGRAM,
        call_id=call_id,
    )
