"""Jobs of awards: the advice beside the official list, what its rules select, and the decision letters, one by one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from grants.awards import services
from grants.core import jobs
from grants.core.errors import NotAllowed, NotFound, Refused
from grants.core.permissions import Permission


def advise(*, call_id: str, places: int) -> dict[str, int]:
    """Work out the advice of a call. Safe to run twice: the same sheets make no second run."""
    number = services.advise(jobs.actor(Permission.CONSENSUS_WRITE), UUID(call_id), places)
    return {"number": number}


def solve(*, call_id: str, typed: dict[str, Any] | None = None) -> dict[str, int]:
    """Work out what rules, scenarios and other aims of a call select, or one list as it was typed.

    Safe to run twice: what is answered is not asked again.
    """
    return {"answers": services.solve(jobs.actor(Permission.SELECTION_DECIDE), UUID(call_id), typed)}


def robust(*, call_id: str) -> dict[str, int]:
    """Work out in how many orders simulated from the advice each application stays selected. Safe to run twice."""
    return {"draws": services.work_out_robustness(jobs.actor(Permission.CONSENSUS_WRITE), UUID(call_id))}


def score_changed(
    *, application_id: str, by: str, at: str, text: str, before: str, reason: str, named: bool = True
) -> int:
    """Log in the meetings of the panel that ran then what changed a score. Safe to run twice: it is logged once."""
    return services.panel_log.log_score(
        jobs.actor(Permission.PANEL_LOG_SCORE),
        UUID(application_id),
        UUID(by),
        datetime.fromisoformat(at),
        text,
        before,
        reason,
        named=named,
    )


def send_letter(*, letter_id: str) -> str:
    """Send one decision letter, or keep why it was not sent; safe to run twice, since a letter is sent once."""
    try:
        return services.letters.send_letter(jobs.actor(Permission.SELECTION_CONFIRM), UUID(letter_id))
    except (NotFound, NotAllowed):
        reason = "It is not open any more to whoever had it sent: a conflict of interest was declared or found, or a role ended."
    except Refused as error:
        reason = str(error)
    services.letters.note_failure(jobs.actor(Permission.SELECTION_CONFIRM), UUID(letter_id), reason)
    return reason
