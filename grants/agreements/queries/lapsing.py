"""Preparations whose last day is near, or has passed."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from grants.agreements.models import Grant
from grants.agreements.states import GrantState
from grants.core.db import db

# So many in one night; the rest is asked for in the next.
A_NIGHT_MAX = 500


def ending(until: date) -> list[Grant]:
    """Grants not yet signed whose preparation ends on or before a day, the earliest first."""
    unsigned = (GrantState.PREPARATION.value, GrantState.READY_TO_SIGN.value)
    return list(
        db.session.scalars(
            select(Grant)
            .where(Grant.state.in_(unsigned), Grant.preparation_ends_on <= until)
            .order_by(Grant.preparation_ends_on, Grant.reference)
            .limit(A_NIGHT_MAX)
        )
    )
