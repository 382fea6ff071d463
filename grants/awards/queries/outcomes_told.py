"""Which outcome a team was told, and by what: for the lines of a history."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import and_, case, func, select

from grants.awards.models import Complaint, DecisionLetter, LetterLeftOut, Selection, SelectionItem, SelectionMove
from grants.awards.states import Outcome, SelectionKind, SelectionState
from grants.core.together import Asking, reader


@reader
def outcomes_told(ids: Collection[UUID]) -> Asking[dict[UUID, str]]:
    """Which outcome was told by each of these sent letters, and by whoever told it where the letter was left out by name."""
    if not ids:
        return {}
    settled = (
        select(Complaint.settled_outcome, Complaint.settled_at)
        .where(Complaint.application_id == LetterLeftOut.application_id, Complaint.settled_at <= LetterLeftOut.told_at)
        .order_by(Complaint.settled_at.desc())
        .limit(1)
    )
    item = SelectionItem.application_id == LetterLeftOut.application_id
    moved_at = (
        select(func.max(SelectionMove.confirmed_at))
        .where(
            SelectionMove.application_id == LetterLeftOut.application_id,
            SelectionMove.confirmed_at <= LetterLeftOut.told_at,
        )
        .scalar_subquery()
    )
    settled_then = settled.with_only_columns(Complaint.settled_outcome).scalar_subquery()
    settled_at = settled.with_only_columns(Complaint.settled_at).scalar_subquery()
    # Whatever came last: a move from the reserve list, a repeated evaluation, else the list.
    moved_last = and_(moved_at.is_not(None), func.coalesce(settled_at < moved_at, True))
    stood = case((moved_last, Outcome.SELECTED.value), else_=func.coalesce(settled_then, SelectionItem.outcome))
    letters, others = yield [
        select(DecisionLetter.id, DecisionLetter.outcome, DecisionLetter.sent_content["frame"]["told"].astext.label("told"))
        .where(DecisionLetter.id.in_(ids), DecisionLetter.sent_at.is_not(None)),
        select(LetterLeftOut.id, stood.label("outcome"))
        .join(SelectionItem, item)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(
            LetterLeftOut.id.in_(ids),
            LetterLeftOut.told_at.is_not(None),
            Selection.kind == SelectionKind.RANKED.value,
            Selection.state == SelectionState.CONFIRMED.value,
        ),
    ]  # fmt: skip
    found = {row.id: Outcome(row.outcome).words.lower() for row in others}
    return found | {row.id: row.told or Outcome(row.outcome).words.lower() for row in letters}
