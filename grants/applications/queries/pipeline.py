"""How many applications stand in each state of a call, what they ask for, and since when; one statement however many they are."""

from __future__ import annotations

from sqlalchemy import BigInteger, cast, func, select

from grants.applications.models import Application
from grants.applications.queries.narrowing import of_calls
from grants.applications.queries.reach import state_since_to, state_to, visible
from grants.applications.rules import ListFilter
from grants.applications.rules.pipeline import Standing
from grants.applications.states import ApplicationState
from grants.calls.models import Call
from grants.core.money import Money
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader

CALLS_MAX, STATES = 200, len(ApplicationState)


@reader
def standing(actor: Actor, wanted: ListFilter) -> Asking[tuple[Standing, ...]]:
    """Of every call and state the applications a person may see, the newest call first, at most of two hundred calls."""
    number = func.count().label("number")
    # Of one's own team one counts what it was told.
    seen = (
        select(
            *(Application.call_id, Application.requested, state_to(actor).label("state")),
            state_since_to(actor).label("since"),
        )
        .where(visible(actor), *of_calls(Application.call_id, wanted))
        .subquery()
    )
    rows = yield from ask(
        select(
            seen.c.call_id,
            Call.slug,
            Call.title,
            seen.c.state,
            number,
            cast(func.coalesce(func.sum(seen.c.requested), 0), BigInteger).label("cents"),
            func.min(seen.c.since).label("oldest"),
            # The middle one itself: half of them have been here as long, or longer.
            func.percentile_disc(0.5).within_group(seen.c.since).label("middle"),
        )
        .join(Call, Call.id == seen.c.call_id)
        .group_by(seen.c.call_id, Call.slug, Call.title, Call.year, seen.c.state)
        .order_by(Call.year.desc(), Call.slug, seen.c.state)
        .limit(CALLS_MAX * STATES)
    )
    return tuple(
        Standing(
            row.call_id,
            row.slug,
            row.title,
            ApplicationState(row.state),
            row.number,
            Money(row.cents),
            row.oldest,
            row.middle,
        )
        for row in rows
    )
