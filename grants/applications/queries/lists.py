"""Lists of applications, page by key, in a reader's scope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Integer, Text, and_, cast, func, select, true, union_all
from sqlalchemy.orm import aliased

from grants.applications.models import Application, ApplicationPartner, ApplicationTotal
from grants.applications.queries.reach import FOR_CALL_MAX, LIST_ROWS_MAX, sees_calls_whole, visible, was_sent
from grants.applications.rules import ApplicationRow, ListFilter, words
from grants.applications.states import ApplicationState, Origin
from grants.calls.models import Call, CallDeadline
from grants.core import clock
from grants.core.db import db
from grants.core.paging import COUNTED_MAX, Tally
from grants.core.permissions import Actor, Permission
from grants.core.text import fold
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity.models import Organisation

EXPORT_ROWS_MAX = 5_000
PORTION = 500


def closes_at_of() -> Any:
    """The deadline that counts for an application: its own where it has a later one, else that of its call."""
    everybody = (
        select(CallDeadline.closes_at)
        .where(CallDeadline.call_id == Application.call_id)
        .order_by(CallDeadline.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    # Of nothing and a moment it is the moment.
    return func.greatest(everybody, Application.own_closes_at, type_=Application.own_closes_at.type)


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
    found = [*_of_call(Application.call_id, wanted.call_slug)]
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
    # Read in portions, so that a long list never lies in memory as rows.
    for row in db.session.execute(statement.limit(EXPORT_ROWS_MAX).execution_options(yield_per=PORTION)):
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
    counts: dict[ApplicationState, Tally]
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
def counts(actor: Actor, wanted: ListFilter) -> Asking[dict[ApplicationState, Tally]]:
    """How many of each state a person may see, under the same filter but for its states; states in table order.

    Whole calls are read from the totals kept of them; everything else is counted, each state up to a thousand.
    """
    if sees_calls_whole(actor) and not (wanted.country_code or wanted.search):
        rows = yield from ask(_kept(actor, wanted.call_slug))
        found = {row.state: Tally(int(row.number)) for row in rows if row.number}
    else:
        rows = yield from ask(_counted(actor, replace(wanted, states=())))
        found = {row.state: Tally.of(row.number) for row in rows if row.number}
    return {state: found[state.value] for state in ApplicationState if state.value in found}


def _kept(actor: Actor, call_slug: str) -> Any:
    """State and number by the totals; what this person is barred from, and their own, is looked at one by one."""
    kept = select(ApplicationTotal.state, ApplicationTotal.number)
    one_by_one = actor.places(Permission.APPLICATION_READ, "application") | actor.barred("application")
    in_totals = and_(was_sent(), *_in_calls(actor, Application.call_id, call_slug))
    difference = cast(visible(actor), Integer) - cast(in_totals, Integer)
    apart = select(Application.state, difference).where(
        Application.id.in_(one_by_one), *_of_call(Application.call_id, call_slug)
    )
    summed = union_all(kept.where(*_in_calls(actor, ApplicationTotal.call_id, call_slug)), apart).subquery()
    return select(summed.c.state, func.sum(summed.c.number).label("number")).group_by(summed.c.state)


def _in_calls(actor: Actor, call_id: Any, call_slug: str) -> Iterator[ColumnElement[bool]]:
    """Of the calls of which the person sees all that was sent."""
    if not actor.everywhere(Permission.APPLICATION_READ):
        yield call_id.in_(actor.places(Permission.APPLICATION_READ, "call"))
    if actor.barred("call"):
        yield call_id.not_in(actor.barred("call"))
    yield from _of_call(call_id, call_slug)


def _of_call(call_id: Any, call_slug: str) -> Iterator[ColumnElement[bool]]:
    if call_slug:
        yield call_id.in_(select(Call.id).where(Call.slug == call_slug))


def _counted(actor: Actor, wanted: ListFilter) -> Any:
    """State and number of what the person sees, at most one more than :data:`COUNTED_MAX` of each."""
    states = (
        func.unnest(cast([state.value for state in ApplicationState], ARRAY(Text)))
        .table_valued("state")
        .render_derived()
    )
    seen = (
        select(Application.id)
        .where(Application.state == states.c.state, visible(actor), *_narrowed(wanted))
        .limit(COUNTED_MAX + 1)
        .correlate(states)
        .lateral()
    )
    number = select(func.count()).select_from(seen).correlate(states).scalar_subquery()
    return select(states.c.state, number.label("number"))


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
    # A limit, not EXISTS: of that the planner makes one join with every application there is.
    seen = (
        select(Application.id)
        .join(lead, lead.id == Application.coordinator_id)
        .where(lead.country_code == found.c.code, visible(actor))
        .limit(1)
        .lateral()
    )
    rows = yield from ask(select(found.c.code).join(seen, true()).order_by(found.c.code))
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
