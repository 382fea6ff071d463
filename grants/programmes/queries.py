"""Reads of programmes and fund sources; small closed lists, so nothing is paged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from grants.core import encoding
from grants.core.db import db, get
from grants.core.errors import NotFound
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader
from grants.programmes.models import FundSource, Programme
from grants.programmes.rules import FundSourceView, FundUse, Keeping, ParentRules, ProgrammeView

ROWS_MAX = 500


def programme(programme_id: UUID) -> ProgrammeView:
    """One programme; raises NotFound."""
    return programme_view(get(Programme, programme_id))


@reader
def programmes_by_id(ids: Iterable[UUID] | Select[Any]) -> Asking[dict[UUID, ProgrammeView]]:
    """Several programmes at once, by id; the ids may come from another table."""
    return programmes_of((yield from ask(programmes_asked(ids if isinstance(ids, Select) else set(ids)))))


def programmes_asked(ids: Collection[UUID] | Select[Any]) -> Select[Any]:
    """What is asked for programmes by id; :func:`programmes_of` makes them of the rows."""
    return select(Programme).where(Programme.id.in_(ids)).order_by(Programme.code)


def programmes_of(rows: Iterable[Any]) -> dict[UUID, ProgrammeView]:
    """Programmes by id, from the rows of :func:`programmes_asked`."""
    return {row.id: programme_view(row) for row in rows}


def fund_sources() -> tuple[FundSourceView, ...]:
    """All fund sources, by number."""
    rows = db.session.scalars(select(FundSource).order_by(FundSource.number).limit(ROWS_MAX))
    return tuple(fund_source_view(row) for row in rows)


def fund_source(fund_source_id: UUID) -> FundSourceView:
    """One fund source; raises NotFound."""
    return fund_source_view(get(FundSource, fund_source_id))


@reader
def fund_sources_by_id(ids: Iterable[UUID] | Select[Any]) -> Asking[dict[UUID, FundSourceView]]:
    """Several fund sources at once, by id; the ids may come from another table."""
    return fund_sources_of((yield from ask(fund_sources_asked(ids if isinstance(ids, Select) else set(ids)))))


def fund_sources_asked(ids: Collection[UUID] | Select[Any]) -> Select[Any]:
    """What is asked for fund sources by id; :func:`fund_sources_of` makes them of the rows."""
    return select(FundSource).where(FundSource.id.in_(ids)).order_by(FundSource.number)


def fund_sources_of(rows: Iterable[Any]) -> dict[UUID, FundSourceView]:
    """Fund sources by id, from the rows of :func:`fund_sources_asked`."""
    return {row.id: fund_source_view(row) for row in rows}


def find_programme(code: str) -> Programme | None:
    """The row of that code, for an act; None where there is none."""
    return db.session.scalars(select(Programme).where(Programme.code == code)).one_or_none()


def find_fund_source(number: str) -> FundSource | None:
    """The row of that number, for an act; None where there is none."""
    return db.session.scalars(select(FundSource).where(FundSource.number == number)).one_or_none()


def fund_source_of(number: str) -> FundSourceView:
    """The parent grant of that number; raises NotFound."""
    found = find_fund_source(number)
    if found is None:
        raise NotFound
    return fund_source_view(found)


_uses: list[Callable[[Actor, FundSourceView], tuple[FundUse, ...]]] = []


def uses_come_from(read: Callable[[Actor, FundSourceView], tuple[FundUse, ...]]) -> None:
    """Take the read of the later stage that knows which calls a parent grant pays."""
    _uses[:] = [read]


def uses(actor: Actor, source: FundSourceView) -> tuple[FundUse, ...]:
    """The calls a parent grant pays that this person may see, with what these rules mean for each, newest first.

    The rules of ``source`` are the ones that are looked at, whether they are kept already or only thought of.
    """
    return next((read(actor, source) for read in _uses), ())


def programme_view(row: Programme) -> ProgrammeView:
    """A row as its frozen value."""
    return ProgrammeView(row.id, row.slug, row.code, row.name, row.organisation_id)


def fund_source_view(row: FundSource) -> FundSourceView:
    """A row as its frozen value."""
    rules = parent_rules(row)
    return FundSourceView(
        row.id, row.number, row.acronym, row.framework, row.starts_on, row.ends_on, rules, row.version,
        row.amount, row.report_days, row.payment_days, keeping(row),
    )  # fmt: skip


def keeping(row: FundSource) -> Keeping:
    """For how long records of its grants are kept."""
    return Keeping(row.final_paid_on, row.kept_years, row.kept_years_small, row.small_grant_max)


def parent_rules(row: FundSource) -> ParentRules:
    """What a parent grant lays down, as its frozen value."""
    return kept_rules(row.rules)


def kept_rules(stored: dict[str, Any]) -> ParentRules:
    """Rules of a parent grant from where they are kept: with it, or with a call that was opened with them."""
    rules: ParentRules = encoding.decode_known(stored, ParentRules)
    return rules
