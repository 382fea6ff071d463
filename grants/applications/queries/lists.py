"""Lists of applications, page by key, in a reader's scope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from grants.applications.models import Application, ApplicationPartner
from grants.applications.queries.reach import FOR_CALL_MAX, LIST_ROWS_MAX, visible
from grants.applications.rules import ApplicationRow, ListFilter, words
from grants.applications.states import ApplicationState, Origin
from grants.calls.models import Call, CallDeadline
from grants.core import clock
from grants.core.db import db
from grants.core.permissions import Actor
from grants.core.text import fold
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity.models import Organisation

EXPORT_ROWS_MAX = 5_000


def closes_at_of() -> Any:
    return (
        select(CallDeadline.closes_at)
        .where(CallDeadline.call_id == Application.call_id)
        .order_by(CallDeadline.number.desc())
        .limit(1)
        .scalar_subquery()
    )


def _organisations_count() -> Any:
    return (
        select(func.count())
        .select_from(ApplicationPartner)
        .where(ApplicationPartner.application_id == Application.id)
        .scalar_subquery()
    )


def _rows() -> Any:
    lead = aliased(Organisation)
    return (
        select(
            Application.id,
            Application.reference,
            Application.title,
            Application.acronym,
            Application.state,
            Application.origin,
            Application.requested,
            Application.submitted_at,
            Application.created_at,
            Application.call_id,
            Call.slug,
            Call.title.label("call_title"),
            closes_at_of().label("closes_at"),
            lead.name,
            lead.country_code,
            lead.synthetic,
            _organisations_count().label("organisations"),
        )
        .join(Call, Call.id == Application.call_id)
        .join(lead, lead.id == Application.coordinator_id)
    )


def _row(row: Any) -> ApplicationRow:
    return ApplicationRow(
        id=row.id,
        reference=row.reference,
        title=row.title,
        acronym=row.acronym,
        state=ApplicationState(row.state),
        origin=Origin(row.origin),
        synthetic=row.synthetic,
        call_id=row.call_id,
        call_slug=row.slug,
        call_title=row.call_title,
        closes_at=row.closes_at,
        coordinator=row.name,
        country_code=row.country_code,
        organisations=row.organisations,
        requested=row.requested,
        submitted_at=row.submitted_at,
        created_at=row.created_at,
    )


def _narrowed(wanted: ListFilter) -> tuple[ColumnElement[bool], ...]:
    found: list[ColumnElement[bool]] = []
    if wanted.call_slug:
        found.append(Application.call_id.in_(select(Call.id).where(Call.slug == wanted.call_slug)))
    if wanted.states:
        found.append(Application.state.in_([state.value for state in wanted.states]))
    if wanted.country_code:
        leads = select(Organisation.id).where(Organisation.country_code == wanted.country_code)
        found.append(Application.coordinator_id.in_(leads))
    for word in fold(wanted.search).split()[:8]:
        found.append(Application.search_text.contains(word, autoescape=True))
    return tuple(found)


@reader
def applications(
    actor: Actor, wanted: ListFilter, *, size: int, after: str | None = None
) -> Asking[tuple[ApplicationRow, ...]]:
    """Applications this person may see, newest reference first, at most ``size`` and one more than that.

    ``after`` is the reference of the last row of the page before.
    """
    statement = _rows().where(visible(actor), *_narrowed(wanted))
    if after:
        statement = statement.where(Application.reference < after)
    rows = yield from ask(statement.order_by(Application.reference.desc()).limit(min(size, LIST_ROWS_MAX) + 1))
    return tuple(_row(row) for row in rows)


def export_lines(actor: Actor, wanted: ListFilter) -> Iterator[Sequence[object]]:
    """The same list as lines of a table with its head, newest reference first, at most 5,000 rows; one statement."""
    yield (
        *("reference", "title", "call", "state", "lead", "country", "organisations", "requested_eur", "sent_at_utc"),
        "synthetic",
    )
    statement = (
        _rows()
        .add_columns(Application.synthetic_note)
        .where(visible(actor), *_narrowed(wanted))
        .order_by(Application.reference.desc())
    )
    for row in db.session.execute(statement.limit(EXPORT_ROWS_MAX)):
        yield (
            *(row.reference, row.title, row.call_title, words(ApplicationState(row.state)), row.name),
            *(row.country_code, row.organisations, row.requested),
            clock.as_utc(row.submitted_at).isoformat() if row.submitted_at else None,
            row.synthetic_note or ("invented municipality" if row.synthetic else None),
        )


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of the list, how many of each state there are, and what the filters offer."""

    rows: tuple[ApplicationRow, ...]
    counts: dict[ApplicationState, int]
    calls: tuple[tuple[str, str], ...]
    countries: tuple[str, ...]


@reader
def list_page(actor: Actor, wanted: ListFilter, *, size: int, after: str | None = None) -> Asking[ListPage]:
    """Everything the page of the list shows; one statement."""
    parts: list[Asking[Any]] = [
        applications.asking(actor, wanted, size=size, after=after),
        counts.asking(actor, wanted),
        calls_seen.asking(actor),
        countries.asking(actor),
    ]
    return ListPage(*(yield from side_by_side(parts)))


@reader
def counts(actor: Actor, wanted: ListFilter) -> Asking[dict[ApplicationState, int]]:
    """How many of each state a person may see, under the same filter but for its states; states in table order."""
    without_states = ListFilter(wanted.call_slug, (), wanted.country_code, wanted.search)
    rows = yield from ask(
        select(Application.state, func.count())
        .where(visible(actor), *_narrowed(without_states))
        .group_by(Application.state)
    )
    found = {state: number for state, number in rows}
    return {state: found[state.value] for state in ApplicationState if state.value in found}


@reader
def countries(actor: Actor) -> Asking[tuple[str, ...]]:
    """The countries of the leads a person may see, in order, for the filter."""
    # From one country to the next by the index, and for each only until its first application is found.
    code = Organisation.country_code
    found = select(func.min(code).label("code")).cte("countries", recursive=True)
    found = found.union_all(
        select(select(func.min(code)).where(code > found.c.code).scalar_subquery()).where(found.c.code.is_not(None))
    )
    lead = aliased(Organisation)
    seen = (
        select(Application.id)
        .join(lead, lead.id == Application.coordinator_id)
        .where(lead.country_code == found.c.code, visible(actor))
        .exists()
    )
    rows = yield from ask(select(found.c.code).where(found.c.code.is_not(None), seen).order_by(found.c.code))
    return tuple(row.code for row in rows)


@reader
def calls_seen(actor: Actor) -> Asking[tuple[tuple[str, str], ...]]:
    """Slug and title of the calls with applications a person may see, newest first, for the filter."""
    # Looked for call by call, which ends at the first application of each.
    seen = select(Application.id).where(Application.call_id == Call.id, visible(actor)).exists()
    rows = yield from ask(select(Call.slug, Call.title).where(seen).order_by(Call.year.desc(), Call.slug))
    return tuple((slug, title) for slug, title in rows)


def for_call(
    actor: Actor, call_id: UUID, states: Iterable[ApplicationState] | None = None
) -> tuple[ApplicationRow, ...]:
    """The applications to one call a person may see, by reference, at most 2,000; later stages build on it."""
    statement = _rows().where(Application.call_id == call_id, visible(actor))
    if states is not None:
        statement = statement.where(Application.state.in_([state.value for state in states]))
    rows = db.session.execute(statement.order_by(Application.reference).limit(FOR_CALL_MAX)).all()
    return tuple(_row(row) for row in rows)


def of_call(call_id: UUID, states: Iterable[ApplicationState]) -> tuple[UUID, ...]:
    """Ids of the applications to a call in these states, by reference: for acts and jobs of later stages."""
    return tuple(
        db.session.scalars(
            select(Application.id)
            .where(Application.call_id == call_id, Application.state.in_([state.value for state in states]))
            .order_by(Application.reference)
        )
    )
