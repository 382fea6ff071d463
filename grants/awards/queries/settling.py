"""What repeated evaluations were settled as, for everything that reads an outcome after its list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select

from grants.awards.models import Complaint
from grants.awards.rules.settling import Settlement
from grants.awards.states import ComplaintState, Remedy
from grants.core.together import Asking, ask


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


def repeating_in(application_ids: Any) -> Select[Any]:
    """Those of these applications whose evaluation is repeated after a complaint and not settled yet."""
    return select(Complaint.application_id).where(Complaint.application_id.in_(application_ids), is_repeated())


def is_repeated() -> ColumnElement[bool]:
    """The condition on :class:`Complaint` that it led to a repeated evaluation, which is not settled yet."""
    return and_(
        Complaint.remedy == Remedy.REPEAT.value,
        Complaint.state == ComplaintState.UPHELD.value,
        Complaint.settled_at.is_(None),
    )


def repeated_by(application_ids: Sequence[UUID]) -> Asking[dict[UUID, int]]:
    """Of these applications those whose evaluation is repeated, with the number of the complaint that led to it."""
    if not application_ids:
        return {}
    rows = yield from ask(repeating_in(application_ids).add_columns(Complaint.number))
    return {row.application_id: row.number for row in rows}


def as_settled(item: Any, settlement: Settlement | None) -> Any:
    """A row of a list with what its repeated evaluation was settled as in place of what was frozen."""
    if settlement is None:
        return item
    return item._replace(
        outcome=settlement.outcome.value, score=settlement.score, halves=settlement.halves, basis=settlement.basis,
        shift_half=settlement.shift_half, threshold_words=settlement.threshold_words,
        rule_words=settlement.words, departures=None, order_told=None,
    )  # fmt: skip
