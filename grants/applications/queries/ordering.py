"""The orders of the list of applications, each walked by key from either end; the indexes of the table are these."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    SQLColumnExpression,
    cast,
    func,
    literal,
    literal_column,
    not_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import BigInteger, DateTime, Text

from grants.applications.models import NEVER, NO_AMOUNT, Application
from grants.applications.queries.reach import state_since_to, state_to, told_apart
from grants.applications.rules.listing import Order, Sorting
from grants.core.permissions import Actor

# Written out and not bound, or the indexes over them would not be used. State and age are those the reader was told.
KEYS: Mapping[Order, Any] = {
    Order.TITLE: Application.title_key,
    Order.LEAD: Application.lead_key,
    Order.ASKED: func.coalesce(Application.requested, literal_column(NO_AMOUNT), type_=BigInteger),
    Order.SENT: func.coalesce(Application.submitted_at, literal_column(NEVER), type_=DateTime(timezone=True)),
}
# The orders by what a team may not have been told yet: what is stored, and what it was told.
TOLD: Mapping[Order, tuple[InstrumentedAttribute[Any], InstrumentedAttribute[Any]]] = {
    Order.STATE: (Application.state, Application.told_state),
    Order.AGE: (Application.state_since, Application.told_since),
}
# What parts the reference from the value in a key of a page; no reference holds one.
_MARK = "~"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which part of a list is wanted: ``after`` a row, ``before`` one, or, with neither, the beginning or the ``end``."""

    size: int
    after: str | None = None
    before: str | None = None
    end: bool = False

    @property
    def backwards(self) -> bool:
        """Whether it is read from its end."""
        return self.end or self.before is not None


def natural(reference: str) -> str:
    """A reference as the database orders it: its number as twelve digits.

    >>> natural("PCP-2022-A-0017")
    'PCP-2022-A-000000000017'
    """
    found = re.search(r"[0-9]+$", reference)
    number = found[0] if found else ""
    return reference[: len(reference) - len(number)] + number.rjust(12, "0")[:12]


def key_of(row: Any, sorting: Sorting) -> str:
    """Where a row stands in an order, as the address of the next page carries it."""
    match sorting.by:
        case Order.REFERENCE:
            return str(row.reference)
        case Order.TITLE:
            value = row.title_key
        case Order.LEAD:
            value = row.lead_key
        case Order.STATE:
            value = row.state
        case Order.ASKED:
            value = "" if row.requested is None else str(row.requested.cents)
        case Order.SENT:
            value = "" if row.submitted_at is None else row.submitted_at.isoformat()
        case Order.AGE:
            value = row.state_since.isoformat()
    return f"{row.reference}{_MARK}{value}"


def ordered(actor: Actor, statement: Any, sorting: Sorting, stretch: Stretch, *, few: bool = False) -> Any:
    """The statement with one row more than the stretch holds, from the end where it is read backwards.

    Where there are ``few`` of them, they are found first and then put into their order; else the order is walked, which
    for one in a hundred thousand would read them all.
    """
    downwards = sorting.descending is not stretch.backwards
    told = told_apart(actor) if sorting.by in TOLD and not few else None
    if told is not None:
        return _merged(statement, told, sorting, stretch, downwards)
    keys = _keys(actor, sorting)
    statement = _from_place(statement, keys, sorting, stretch, downwards)
    if few:
        # The same values, of which the planner does not know that an index holds them in this order.
        keys = tuple(func.greatest(each, each) for each in keys)
    return statement.order_by(*(each.desc() if downwards else each.asc() for each in keys)).limit(stretch.size + 1)


def _from_place(
    statement: Any, keys: Sequence[SQLColumnExpression[Any]], sorting: Sorting, stretch: Stretch, downwards: bool
) -> Any:
    """The statement from where the stretch begins."""
    key = stretch.before if stretch.backwards else stretch.after
    place = _place(sorting, key) if key else None
    if place is None:
        return statement
    here, there = tuple_(*keys), tuple_(*place)
    return statement.where(here < there if downwards else here > there)


def _merged(statement: Any, told: ColumnElement[bool], sorting: Sorting, stretch: Stretch, downwards: bool) -> Any:
    """The ids of a stretch for somebody of a team who sees other applications too.

    Of the few of their own they read what they were told, of all others what is stored: an order over both at once would be
    no index’s. So each is walked by itself, as far as the stretch goes, and the two are put together.
    """
    parts = []
    for condition, first in ((not_(told), TOLD[sorting.by][0]), (told, TOLD[sorting.by][1])):
        keys = (first, Application.reference_key)
        part = _from_place(statement.where(condition), keys, sorting, stretch, downwards)
        part = part.add_columns(first.label("first_key"), Application.reference_key.label("second_key"))
        order = (each.desc() if downwards else each.asc() for each in keys)
        parts.append(part.order_by(*order).limit(stretch.size + 1).subquery().select())
    both = union_all(*parts).subquery("both")
    order = (each.desc() if downwards else each.asc() for each in (both.c.first_key, both.c.second_key))
    return select(both.c.id).order_by(*order).limit(stretch.size + 1)


def whole(actor: Actor, statement: Any, sorting: Sorting, *, backwards: bool = False) -> Any:
    """The statement in the order, without an end; ``backwards`` as a stretch that is read from its end."""
    downwards = sorting.descending is not backwards
    return statement.order_by(*(each.desc() if downwards else each.asc() for each in _keys(actor, sorting)))


def _keys(actor: Actor, sorting: Sorting) -> tuple[SQLColumnExpression[Any], ...]:
    match sorting.by:
        case Order.STATE:
            by: SQLColumnExpression[Any] | None = state_to(actor)
        case Order.AGE:
            by = state_since_to(actor)
        case _:
            by = KEYS.get(sorting.by)
    return (Application.reference_key,) if by is None else (by, Application.reference_key)


def _place(sorting: Sorting, key: str) -> tuple[ColumnElement[Any], ...] | None:
    """What the key of a page says, as values; None for one that no page gave."""
    reference, mark, value = key.partition(_MARK)
    if sorting.by is Order.REFERENCE:
        return None if mark else (literal(natural(reference), Text()),)
    found = _value(sorting.by, value) if mark else None
    return None if found is None else (found, literal(natural(reference), Text()))


def _value(by: Order, value: str) -> ColumnElement[Any] | None:
    match by:
        case Order.TITLE | Order.LEAD | Order.STATE | Order.REFERENCE:
            return literal(value, Text())
        case Order.ASKED:
            if not value:
                return cast(literal_column(NO_AMOUNT), BigInteger)
            return literal(int(value), BigInteger()) if re.fullmatch("[0-9]{1,17}", value) else None
        case Order.SENT | Order.AGE:
            if not value:
                return literal_column(NEVER, DateTime(timezone=True))
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                return None
            return literal(moment, DateTime(timezone=True)) if moment.tzinfo else None
