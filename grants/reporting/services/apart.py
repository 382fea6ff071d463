"""Who may not decide on a report: whoever sent it, or acts for its city."""

from __future__ import annotations

from uuid import UUID

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core import faults
from grants.core.db import locked
from grants.core.errors import Refused
from grants.core.permissions import Actor, Permission


def refuse_own(actor: Actor, grant_id: UUID, sent_by: UUID | None) -> None:
    """Nobody accepts what they sent themselves, or what their own city sent."""
    faults.point("four_eyes")
    for_the_city = actor.may(Permission.REPORT_SUBMIT, agreements.scope(locked(Grant, grant_id)))
    if actor.user_id is None or actor.user_id == sent_by or for_the_city:
        raise Refused("You act for the city in this grant, so you cannot accept what it sends. Ask a colleague.")
