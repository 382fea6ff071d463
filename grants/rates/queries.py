"""Tables of rates, and the rates that count: of each day the one of the latest table that stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.core import files
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.files import FileView
from grants.core.paging import Page, Rows, cut
from grants.identity import queries as identity
from grants.rates.models import RateSeries, RateTable
from grants.rates.rules import Rates, RateView, Series, TableView
from grants.rates.states import RateKind, TableState

# The days a page of rates shows.
SHOWN_MAX = 62


def tables(kind: RateKind, page: Page) -> Rows[TableView]:
    """The files of a kind, the newest first."""
    statement = (
        select(RateTable).where(RateTable.kind == kind.value).order_by(RateTable.number.desc()).limit(page.limit)
    )
    if (after := page.after or "").isdecimal() and len(after) < 9:
        statement = statement.where(RateTable.number < int(after))
    return cut(_views(db.session.scalars(statement).all()), page, key=lambda view: str(view.number))


def table(kind: RateKind, number: int) -> TableView:
    """One file; raises :class:`NotFound`."""
    found = db.session.scalars(select(RateTable).where(RateTable.kind == kind.value, RateTable.number == number)).all()
    if not found:
        raise NotFound
    return _views(found)[0]


def file_of(table_id: UUID) -> FileView:
    """The file itself, as it was published."""
    row = db.session.get(RateTable, table_id)
    if row is None:
        raise NotFound
    return files.view(row.file_id)


def _views(rows: Iterable[RateTable]) -> list[TableView]:
    found = list(rows)
    people = identity.people([each for row in found for each in (row.imported_by, row.accepted_by) if each])
    kept = {each.object_id: each for each in files.listed_of("rate_table", [row.id for row in found])}
    return [
        TableView(
            id=row.id,
            kind=RateKind(row.kind),
            number=row.number,
            state=TableState(row.state),
            source=row.source,
            file_id=row.file_id,
            file_name=kept[row.id].name,
            file_sha256=kept[row.id].sha256,
            imported_at=row.imported_at,
            imported_by=people[row.imported_by].name,
            accepted_at=row.accepted_at,
            accepted_by=people[row.accepted_by].name if row.accepted_by else None,
            words=row.words,
            first_on=row.first_on,
            last_on=row.last_on,
            added=row.added,
            changed=row.changed,
            problems=tuple(row.problems),
            flags=tuple(row.flags),
            version=row.version,
        )
        for row in found
    ]


def latest(kind: RateKind) -> TableView | None:
    """The table whose rates reach furthest of those that stand; None where none does."""
    found = db.session.scalars(
        select(RateTable)
        .where(RateTable.kind == kind.value, RateTable.state == TableState.STANDING.value)
        .order_by(RateTable.last_on.desc(), RateTable.number.desc())
        .limit(1)
    ).all()
    return _views(found)[0] if found else None


def currencies(kind: RateKind) -> tuple[str, ...]:
    """The currencies of which a rate counts."""
    return tuple(db.session.scalars(_standing(kind, RateSeries.currency).distinct().order_by(RateSeries.currency)))


def rates_of(
    kind: RateKind, currency: str, first: date | None = None, last: date | None = None
) -> Mapping[date, Decimal]:
    """The rates of a currency that count, in order of days."""
    return {each.on: each.rate for each in rate_views(kind, currency, first, last)}


def rate_views(
    kind: RateKind, currency: str, first: date | None = None, last: date | None = None
) -> tuple[RateView, ...]:
    """The same, each with the table that it comes from."""
    statement = _standing(kind, RateSeries.rates, RateTable.number).where(RateSeries.currency == currency)
    if first is not None:
        statement = statement.where(RateSeries.last_on >= first)
    if last is not None:
        statement = statement.where(RateSeries.first_on <= last)
    found: dict[date, RateView] = {}
    for rates, number in db.session.execute(statement.order_by(RateTable.number)):
        for text, rate in rates.items():
            on = date.fromisoformat(text)
            if (first is None or first <= on) and (last is None or on <= last):
                found[on] = RateView(on, Decimal(rate), number)
    return tuple(found[on] for on in sorted(found))


def standing(kind: RateKind) -> Rates:
    """All rates of a kind that count."""
    series: dict[str, dict[date, Decimal]] = {}
    statement = _standing(kind, RateSeries.currency, RateSeries.rates).order_by(RateTable.number)
    for currency, rates in db.session.execute(statement):
        series.setdefault(currency, {}).update({date.fromisoformat(on): Decimal(rate) for on, rate in rates.items()})
    return Rates(kind, tuple(Series(each, dict(sorted(series[each].items()))) for each in sorted(series)))


def _standing(kind: RateKind, *columns: Any) -> Any:
    return (
        select(*columns)
        .join(RateTable, RateTable.id == RateSeries.table_id)
        .where(RateTable.kind == kind.value, RateTable.state == TableState.STANDING.value)
    )


def number_of(table_id: UUID) -> int:
    """The number of a file among those of its kind."""
    number = db.session.scalar(select(RateTable.number).where(RateTable.id == table_id))
    if number is None:
        raise NotFound
    return int(number)
