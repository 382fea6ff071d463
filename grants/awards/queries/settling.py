"""What repeated evaluations were settled as, for everything that reads an outcome after its list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from grants.awards.models import Complaint
from grants.awards.rules.settling import Settlement


def settled_in(application_ids: Any) -> Select[Any]:
    """The settled complaints about these applications, a list or a select of ids, in the order in which they were settled."""
    return (
        select(Complaint.application_id, Complaint.settlement)
        .where(Complaint.application_id.in_(application_ids), Complaint.settled_outcome.is_not(None))
        .order_by(Complaint.settled_at)
    )


def settlements(rows: Sequence[Any]) -> dict[UUID, Settlement]:
    """The newest of each application, from the rows of :func:`settled_in`."""
    return {row.application_id: Settlement.from_mapping(row.settlement) for row in rows}
