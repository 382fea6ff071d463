"""Lists of applications, page by key, in a reader's scope."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, true
from sqlalchemy.orm import aliased

from grants.applications.models import Application, ApplicationPartner
from grants.applications.queries.counting import counting, is_kept
from grants.applications.queries.narrowing import narrowed, narrowed_first
from grants.applications.queries.ordering import Stretch, key_of, ordered, whole
from grants.applications.queries.reach import LIST_ROWS_MAX, state_since_to, state_to, visible
from grants.applications.queries.saved import saved_lists
from grants.applications.rules import ApplicationRow, stale
from grants.applications.rules.listing import Listing
from grants.applications.rules.saving import SavedListView
from grants.applications.states import ApplicationState, Origin
from grants.calls.models import Call, CallDeadline
from grants.core.db import db
from grants.core.errors import Refused
from grants.core.paging import Tally
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.identity.models import Organisation
from grants.programmes.models import Programme


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
        .where(
            ApplicationPartner.application_id == Application.id,
            # Whom the team asked since it was sent comes with the next version.
            or_(Application.submitted_at.is_(None), ApplicationPartner.created_at <= Application.submitted_at),
        )
        .scalar_subquery()
    )


def every_row(actor: Actor) -> Any:
    """What lists and files show of each application, of any, as this person reads it."""
    lead = aliased(Organisation)
    return (
        select(
            Application.id,
            Application.reference,
            Application.title,
            Application.acronym,
            state_to(actor).label("state"),
            Application.origin,
            Application.requested,
            Application.submitted_at,
            Application.created_at,
            state_since_to(actor).label("state_since"),
            Application.title_key,
            Application.lead_key,
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
        state_since=row.state_since,
        title_key=row.title_key,
        lead_key=row.lead_key,
    )


@reader
def stretch_of(
    actor: Actor, listing: Listing, stretch: Stretch, *, few: bool = False
) -> Asking[tuple[ApplicationRow, ...]]:
    """The rows of one stretch and one more, as they are read: from the end where it is read backwards."""
    conditions = narrowed_first(actor, listing.wanted) if few else narrowed(actor, listing.wanted)
    # Which they are is found first: what is shown of each is joined to these alone, however few the planner expects.
    ids = select(Application.id).where(visible(actor), *conditions)
    statement = every_row(actor).where(Application.id.in_(ordered(actor, ids, listing.sorting, stretch, few=few)))
    rows = yield from ask(whole(actor, statement, listing.sorting, backwards=stretch.backwards))
    return tuple(_row(row) for row in rows)


@reader
def of_organisation(actor: Actor, organisation_id: UUID, *, size: int) -> Asking[tuple[ApplicationRow, ...]]:
    """Applications of which an organisation is a partner or the lead and which this person may see, newest first."""
    taking_part = select(ApplicationPartner.application_id).where(ApplicationPartner.organisation_id == organisation_id)
    statement = every_row(actor).where(visible(actor), Application.id.in_(taking_part))
    rows = yield from ask(statement.order_by(Application.reference.desc()).limit(min(size, LIST_ROWS_MAX)))
    return tuple(_row(row) for row in rows)


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of the list in its order, the keys of the pages beside it, how many there are, and what the filters offer."""

    rows: tuple[ApplicationRow, ...]
    previous_key: str | None
    next_key: str | None
    total: Tally
    counts: dict[ApplicationState, Tally]
    calls: tuple[tuple[str, str], ...]
    programmes: tuple[str, ...]
    countries: tuple[str, ...]
    saved: tuple[SavedListView, ...]


@reader
def list_page(actor: Actor, listing: Listing, stretch: Stretch) -> Asking[ListPage]:
    """Everything the page of the list shows; one statement, and one before it where how many there are must be counted."""
    parts: list[Asking[Any]] = [
        counting.asking(actor, listing.wanted),
        _places_seen(actor),
        countries.asking(actor),
        saved_lists.asking(actor),
    ]
    if is_kept(actor, listing.wanted):
        read, *around = yield from side_by_side([stretch_of.asking(actor, listing, stretch), *parts])
    else:
        around = yield from side_by_side(parts)
        few = not around[0][0].more
        read = yield from stretch_of.asking(actor, listing, stretch, few=few)
    (total, numbers), (calls, programmes), lands, saved = around
    shown = read[: stretch.size]
    more = len(read) > stretch.size
    if stretch.backwards:
        shown = shown[::-1]
    before = more if stretch.backwards else stretch.after is not None
    behind = stretch.before is not None if stretch.backwards else more
    return ListPage(
        rows=shown,
        previous_key=key_of(shown[0], listing.sorting) if shown and before else None,
        next_key=key_of(shown[-1], listing.sorting) if shown and behind else None,
        total=total,
        counts=numbers,
        calls=calls,
        programmes=programmes,
        countries=lands,
        saved=saved,
    )


@reader
def offered(actor: Actor) -> Asking[tuple[tuple[tuple[str, str], ...], tuple[str, ...], tuple[str, ...]]]:
    """The calls, programmes and countries of the applications a person may see, for the filters; one statement."""
    (calls, programmes), lands = yield from both(_places_seen(actor), countries.asking(actor))
    return calls, programmes, lands


class ListNotUnderstood(Refused):
    """A list that is no list: what its address says in vain, by the name of the filter, in a sentence each."""

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__(" ".join(sentence for _, sentence in problems))
        self.problems = problems


def understood(actor: Actor, listing: Listing) -> Listing:
    """The list itself, for a file of it; raises :class:`ListNotUnderstood` where it is not, or names what is not there."""
    calls, programmes, lands = offered(actor)
    if problems := (*listing.problems, *stale(listing.wanted, dict(calls), programmes, lands)):
        raise ListNotUnderstood(problems)
    return listing


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
    # Organisation by organisation, which ends at the first application of each.
    led = _first(actor, Application.coordinator_id, lead.id).lateral()
    seen = select(led.c.id).select_from(lead).join(led, true()).where(lead.country_code == found.c.code).limit(1)
    rows = yield from ask(select(found.c.code).join(seen.lateral(), true()).order_by(found.c.code))
    return tuple(row.code for row in rows)


@reader
def programmes_seen(actor: Actor) -> Asking[tuple[str, ...]]:
    """The codes of the programmes with applications a person may see, in order, for the filter."""
    _, programmes = yield from _places_seen(actor)
    return programmes


@reader
def calls_seen(actor: Actor) -> Asking[tuple[tuple[str, str], ...]]:
    """Slug and title of the calls with applications a person may see, newest first, for the filter."""
    calls, _ = yield from _places_seen(actor)
    return calls


def _places_seen(actor: Actor) -> Asking[tuple[tuple[tuple[str, str], ...], tuple[str, ...]]]:
    """Both at once: for whoever sees few, looking through the calls is most of the work."""
    rows = yield from ask(
        select(Call.slug, Call.title, Programme.code)
        .join(Programme, Programme.id == Call.programme_id)
        .where(_seen(actor))
        .order_by(Call.year.desc(), Call.slug)
    )
    return tuple((row.slug, row.title) for row in rows), tuple(sorted({row.code for row in rows}))


def _seen(actor: Actor) -> ColumnElement[bool]:
    """That a person may see an application of a call: looked for call by call, which ends at the first of each."""
    return _first(actor, Application.call_id, Call.id).correlate(Call).scalar_subquery().is_not(None)


def _first(actor: Actor, column: Any, value: Any) -> Select[Any]:
    """One application a person may see whose column has that value, by the index of the column.

    The planner believes that an application of any call or lead is soon met, and where there is none it reads them all; of
    EXISTS it makes a join with all of them. Asked for as a stretch, in an order that is no order among equals, it has no
    other way than the index.
    """
    stretch = (column >= value, column <= value)
    return select(Application.id).where(*stretch, visible(actor)).order_by(column).limit(1)


def of_call(call_id: UUID, states: Iterable[ApplicationState]) -> tuple[UUID, ...]:
    """Ids of the applications to a call in these states, by reference: for acts and jobs of later stages."""
    return tuple(
        db.session.scalars(
            select(Application.id)
            .where(Application.call_id == call_id, Application.state.in_([state.value for state in states]))
            .order_by(Application.reference)
        )
    )
