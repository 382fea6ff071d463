"""Which outcome a team was told, and by what: for the lines of a history."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, literal, select

from grants.awards.models import Complaint, DecisionLetter, LetterLeftOut, Selection, SelectionItem, SelectionMove
from grants.awards.states import Outcome, SelectionKind, SelectionState
from grants.core.together import Asking, reader


@reader
def outcomes_told(ids: Collection[UUID]) -> Asking[dict[UUID, str]]:
    """Which outcome was told by each of these sent letters, and by whoever told it where the letter was left out by name."""
    if not ids:
        return {}
    settled_then = (
        select(Complaint.settled_outcome)
        .where(Complaint.application_id == LetterLeftOut.application_id, Complaint.settled_at <= LetterLeftOut.told_at)
        .order_by(Complaint.settled_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    item = SelectionItem.application_id == LetterLeftOut.application_id
    moved_then = (
        select(literal(Outcome.SELECTED.value))
        .where(
            SelectionMove.application_id == LetterLeftOut.application_id,
            SelectionMove.confirmed_at <= LetterLeftOut.told_at,
        )
        .limit(1)
        .scalar_subquery()
    )
    letters, others = yield [
        select(DecisionLetter.id, DecisionLetter.outcome, DecisionLetter.sent_content["frame"]["told"].astext.label("told"))
        .where(DecisionLetter.id.in_(ids), DecisionLetter.sent_at.is_not(None)),
        select(LetterLeftOut.id, func.coalesce(moved_then, settled_then, SelectionItem.outcome).label("outcome"))
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
