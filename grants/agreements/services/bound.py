"""Plain helpers of reporting and payments: what keeps a partner that is not bound, or no more, from costs and from its share."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from grants.agreements import queries, rules
from grants.agreements.models import Grant


def refuse_unpaid(grant: Grant, paid: Collection[UUID]) -> None:
    """Whoever has not acceded where the agreement asks it is paid no share; the grant is locked."""
    rules.refuse_unpaid(queries.bonds(grant.id), paid)


def refuse_ahead_of_end(grant: Grant, paid: Collection[UUID]) -> None:
    """Whose part is to end is paid nothing ahead of its costs; the grant is locked."""
    rules.refuse_ahead_of_end(queries.bonds(grant.id), paid)
