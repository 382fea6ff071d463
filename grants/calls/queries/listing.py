"""The public list of calls: what is open and what is to come, then what is over, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, false, func, not_, or_, select
from sqlalchemy.orm import aliased

from grants.calls.models import Call, CallDeadline
from grants.calls.queries.reading import CALLS_MAX, LAST, calls, in_phase, listed, row_of, visible
from grants.calls.rules import CallRow
from grants.calls.states import CallState, Phase
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader, side_by_side


@reader
def calls_page(actor: Actor | None, at: datetime, page: Page) -> Asking[tuple[tuple[CallRow, ...], Rows[CallRow]]]:
    """The calls that are not over at a moment, on the first page only, and one page of those that are; one statement.

    A page goes on after the reference of its last call.
    """
    ended = LAST.c.closes_at
    closed = and_(Call.state == CallState.PUBLISHED.value, Call.opens_at <= at, ended <= at)
    over = func.coalesce(or_(Call.state == CallState.CANCELLED.value, closed), false())
    behind, current = listed(actor).where(over), listed(actor).where(not_(over))
    if page.after:
        other, deadline = aliased(Call), aliased(CallDeadline)
        key = (
            select(func.max(deadline.closes_at))
            .join(other, other.id == deadline.call_id)
            .where(other.reference == page.after, visible(actor, other))
            .scalar_subquery()
        )
        # Those that were called off before they had a deadline come last, by reference.
        beside = and_(ended.is_not_distinct_from(key), Call.reference > page.after)
        behind = behind.where(or_(ended < key, and_(ended.is_(None), key.is_not(None)), beside))
    asked = [ask(behind.limit(page.limit)), *([] if page.after else [ask(current.limit(CALLS_MAX))])]
    found, *others = yield from side_by_side(asked)
    shown = [row_of(row, row.closes_at) for row in found]
    now = tuple(row_of(row, row.closes_at) for rows in others for row in rows)
    return now, cut(shown, page, key=lambda row: row.reference)


# The first page names so many calls that are over; all of them stand on the list.
OVER_NAMED_MAX = 3


@dataclass(frozen=True, slots=True)
class FrontCalls:
    """What the first page says of the calls: those open, those that open later, and the last ones that are over."""

    now: tuple[CallRow, ...]
    later: tuple[CallRow, ...]
    over: tuple[CallRow, ...]


def front_calls(at: datetime) -> FrontCalls:
    """The calls as everybody sees them at this moment, in each group the nearest one first. One statement."""
    found = calls(None)
    later = sorted(in_phase(found, Phase.UPCOMING, at), key=lambda row: (row.opens_at or at, row.reference))
    return FrontCalls(
        tuple(reversed(in_phase(found, Phase.OPEN, at))),
        tuple(later),
        in_phase(found, Phase.CLOSED, at)[:OVER_NAMED_MAX],
    )
