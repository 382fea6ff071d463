"""The last look before a step with a grant: nobody takes it who stands in conflict with the application behind it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from grants.agreements import queries, rules
from grants.core import faults
from grants.core.errors import Refused
from grants.core.permissions import Actor


def refuse_conflict(actor: Actor, grant_id: UUID) -> None:
    """Refuse whoever stands in conflict with the application behind a grant: for good, also when results are public and
    the bar has ended (Financial Regulation, article 61)."""
    faults.point("conflict")
    if queries.in_conflict_with(actor, grant_id):
        raise Refused(rules.IN_CONFLICT)


def refuse_conflicts(actor: Actor, grant_ids: Collection[UUID]) -> None:
    """The same of many grants at once; one statement."""
    faults.point("conflict")
    if queries.conflicts_among(actor, grant_ids):
        raise Refused(rules.IN_CONFLICT)
