"""Selections as they were decided, and what agreements start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from grants.awards.models import Selection, SelectionItem
from grants.awards.rules import Plan, PublishedOther, PublishedPilot, SelectedItem, SelectionView
from grants.awards.states import AmountBasis, LineRule, Outcome, SelectionKind, SelectionState
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import PLAIN_SELECTION, CallView
from grants.core import encoding
from grants.core.db import db, locked
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, both, reader
from grants.evaluation import queries as evaluation
from grants.identity import queries as identity


def selection_scope(selection_id: UUID) -> Scope:
    """A selection lies in its call. The call is locked first: its money becomes scarcer."""
    call_id = db.session.scalar(select(Selection.call_id).where(Selection.id == selection_id))
    if call_id is None:
        raise NotFound
    scope = evaluation.call_scope(call_id)
    locked(Selection, selection_id)
    return scope


@reader
def opened(actor: Actor, slug: str) -> Asking[tuple[CallView, tuple[SelectionView, ...]]]:
    """A call with its selections, latest first, if this person may open its lists; :class:`NotFound` otherwise.

    Two statements.
    """
    named = select(Call.id).where(Call.slug == slug)
    return (yield from both(_open_call(actor, slug), _selections(Selection.call_id.in_(named))))


def _open_call(actor: Actor, slug: str) -> Asking[CallView]:
    call = yield from calls.call.asking(actor, slug)
    refuse_unopened(actor, call.id)
    return call


def refuse_unopened(actor: Actor, call_id: UUID) -> None:
    """Raise :class:`NotFound` for whoever opens no list of a call."""
    scope = Scope.of(("call", call_id))
    opens = (Permission.ASSESSMENT_READ_ALL, Permission.SELECTION_DECIDE, Permission.SELECTION_CONFIRM)
    if not any(actor.may(permission, scope) for permission in opens):
        raise NotFound


@reader
def selections(call_id: UUID) -> Asking[tuple[SelectionView, ...]]:
    """The selections of a call, latest first."""
    return (yield from _selections(Selection.call_id == call_id))


def _selections(wanted: ColumnElement[bool]) -> Asking[tuple[SelectionView, ...]]:
    # All of them: the oldest may be the one that was confirmed, and each is opened by its number.
    rows = yield from ask(select(Selection).where(wanted).order_by(Selection.number.desc()))
    people = yield from identity.people.asking(person for row in rows for person in _who(row) if person)
    return tuple(_view(row, {key: person.name for key, person in people.items()}) for row in rows)


def _who(row: Selection) -> tuple[UUID | None, ...]:
    return row.decided_by, row.confirmed_by, row.returned_by, row.draw_refused_by


def _view(row: Selection, names: Mapping[UUID, str]) -> SelectionView:
    plan = plan_of(row) if "line" in row.rules else None
    # Beside what departs from the published rules, that the order of ties is not the panel's.
    order = (plan.order_words,) if plan is not None and plan.order_reason else ()
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
        plan,
        row.rules.get("scenario", {}).get("number"),
        row.rules.get("scenario", {}).get("name", ""),
        departures=(*row.rules.get("departures", ()), *order),
        undrawn=row.undrawn,
        signed_hash=row.rules.get("signed_sha256", ""),
        draw_refused_by=names.get(row.draw_refused_by, "") if row.draw_refused_by else "",
        draw_refused_at=row.draw_refused_at,
        redrawn=row.rules.get("redrawn", ""),
        despite=row.despite,
        confirmed_despite=row.confirmed_despite or "",
    )


def selection_of(actor: Actor, slug: str, number: int) -> SelectionView:
    """One selection of a call by its number."""
    _, views = opened(actor, slug)
    return numbered(views, number)


def numbered(views: Sequence[SelectionView], number: int) -> SelectionView:
    """The selection of that number; raises :class:`NotFound`."""
    found = next((view for view in views if view.number == number), None)
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class Published:
    """A published outcome as it was recorded, each with its lead organisation: no rank, no score."""

    pilots: tuple[tuple[PublishedPilot, str], ...] = ()
    # The applications that got no grant.
    others: tuple[tuple[PublishedOther, str], ...] = ()


@reader
def published(view: SelectionView) -> Asking[Published]:
    """What a selection recorded of an outcome that was published elsewhere; two statements."""
    if view.kind is not SelectionKind.PUBLISHED_OUTCOME:
        return Published()
    (row,) = yield from ask(select(Selection).where(Selection.id == view.id))
    pilots, others = pilots_of(row), others_of(row)
    leads = [*(each.organisations[0] for each in pilots), *(each.organisations[0] for each in others)]
    names = yield from identity.organisations.asking(leads)
    return Published(
        tuple((each, names[each.organisations[0]].name) for each in pilots),
        tuple((each, names[each.organisations[0]].name) for each in others),
    )


def pilots_of(row: Selection) -> tuple[PublishedPilot, ...]:
    """The recorded pilots of a selection row."""
    found: tuple[PublishedPilot, ...] = encoding.decode(
        {"value": row.rules.get("pilots", [])}, tuple[PublishedPilot, ...]
    )
    return found


def others_of(row: Selection) -> tuple[PublishedOther, ...]:
    """The recorded applications without a grant of a selection row."""
    found: tuple[PublishedOther, ...] = encoding.decode(
        {"value": row.rules.get("others", [])}, tuple[PublishedOther, ...]
    )
    return found


def plan_of(row: Any) -> Plan:
    """By what a list was selected, as it was frozen."""
    if "plan" in row.rules:
        plan: Plan = encoding.decode({"value": row.rules["plan"]}, Plan)
        return plan
    settings = row.rules
    rules = replace(
        PLAIN_SELECTION,
        fund_what_fits=settings["line"] == LineRule.SKIP.value,
        reserve_max=settings["reserve_max"],
    )
    return Plan(rules, tuple(settings["panel_order"]))


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
