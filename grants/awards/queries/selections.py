"""Selections as they were decided, and what agreements start from."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from grants.awards.models import Selection, SelectionItem
from grants.awards.rules import PublishedOther, PublishedPilot, SelectedItem, SelectionView
from grants.awards.states import AmountBasis, LineRule, Outcome, SelectionKind, SelectionState
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import encoding
from grants.core.db import db, locked
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.evaluation import queries as evaluation
from grants.identity import queries as identity

ROWS_MAX = 2_000


def selection_scope(selection_id: UUID) -> Scope:
    """A selection lies in its call. The call is locked first: its money becomes scarcer."""
    call_id = db.session.scalar(select(Selection.call_id).where(Selection.id == selection_id))
    if call_id is None:
        raise NotFound
    scope = evaluation.call_scope(call_id)
    locked(Selection, selection_id)
    return scope


def open_call(actor: Actor, slug: str) -> CallView:
    """The call, if this person may open its lists; :class:`NotFound` otherwise."""
    call = calls.call(actor, slug)
    scope = Scope.of(("call", call.id))
    opens = (Permission.ASSESSMENT_READ_ALL, Permission.SELECTION_DECIDE, Permission.SELECTION_CONFIRM)
    if not any(actor.may(permission, scope) for permission in opens):
        raise NotFound
    return call


def selections(call_id: UUID) -> tuple[SelectionView, ...]:
    """The selections of a call, latest first."""
    rows = db.session.scalars(
        select(Selection).where(Selection.call_id == call_id).order_by(Selection.number.desc()).limit(100)
    ).all()
    people = identity.people(
        person for row in rows for person in (row.decided_by, row.confirmed_by, row.returned_by) if person
    )
    return tuple(_view(row, {key: person.name for key, person in people.items()}) for row in rows)


def _view(row: Selection, names: Mapping[UUID, str]) -> SelectionView:
    return SelectionView(
        row.id,
        row.number,
        SelectionKind(row.kind),
        SelectionState(row.state),
        row.version,
        row.budget,
        row.used,
        LineRule(row.rules["line"]) if "line" in row.rules else None,
        row.rules.get("reserve_max"),
        row.line_words,
        row.list_sha256.hex(),
        row.reason,
        row.source_url or "",
        row.source_title or "",
        names.get(row.decided_by, ""),
        row.decided_by,
        row.decided_at,
        names.get(row.confirmed_by, "") if row.confirmed_by else "",
        row.confirmed_at,
        names.get(row.returned_by, "") if row.returned_by else "",
        row.return_reason or "",
    )


def selection_of(actor: Actor, slug: str, number: int) -> SelectionView:
    """One selection of a call by its number."""
    call = open_call(actor, slug)
    found = next((view for view in selections(call.id) if view.number == number), None)
    if found is None:
        raise NotFound
    return found


def published_pilots(view: SelectionView) -> tuple[tuple[PublishedPilot, str], ...]:
    """The pilots of a published outcome as they were recorded, each with its lead organisation: no rank, no score."""
    row = db.session.scalars(select(Selection).where(Selection.id == view.id)).one()
    pilots = pilots_of(row)
    names = identity.organisations(pilot.organisations[0] for pilot in pilots)
    return tuple((pilot, names[pilot.organisations[0]].name) for pilot in pilots)


def pilots_of(row: Selection) -> tuple[PublishedPilot, ...]:
    """The recorded pilots of a selection row."""
    found: tuple[PublishedPilot, ...] = encoding.decode(
        {"value": row.rules.get("pilots", [])}, tuple[PublishedPilot, ...]
    )
    return found


def published_others(view: SelectionView) -> tuple[tuple[PublishedOther, str], ...]:
    """The applications of a published outcome that got no grant, as they were recorded, each with its lead organisation."""
    others = others_of(db.session.scalars(select(Selection).where(Selection.id == view.id)).one())
    names = identity.organisations(other.organisations[0] for other in others)
    return tuple((other, names[other.organisations[0]].name) for other in others)


def others_of(row: Selection) -> tuple[PublishedOther, ...]:
    """The recorded applications without a grant of a selection row."""
    found: tuple[PublishedOther, ...] = encoding.decode(
        {"value": row.rules.get("others", [])}, tuple[PublishedOther, ...]
    )
    return found


def item_of(application_id: UUID) -> SelectedItem:
    """How one application stands in the latest confirmed selection; :class:`NotFound` when it is in none."""
    row = db.session.execute(
        select(SelectionItem, Selection)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(SelectionItem.application_id == application_id, Selection.state == SelectionState.CONFIRMED.value)
        .order_by(Selection.number.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise NotFound
    return _item(row[0], row[1])


def _item(item: SelectionItem, selection: Selection) -> SelectedItem:
    assert selection.confirmed_at is not None, "a confirmed selection has its moment"
    return SelectedItem(
        item.application_id,
        selection.id,
        selection.call_id,
        SelectionKind(selection.kind),
        Outcome(item.outcome),
        item.amount,
        AmountBasis(item.amount_basis),
        item.entry_id,
        selection.confirmed_at,
    )
