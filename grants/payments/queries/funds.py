"""The money of a parent grant: received, paid, cleared and open side by side, and the grants that outlast it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.states import RUNNING, GrantState, values
from grants.calls.models import Call
from grants.core.db import among, db
from grants.core.money import Money
from grants.core.paging import COUNTED_MAX, Page, Rows, Tally, cut
from grants.core.permissions import Actor, Permission
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances
from grants.programmes import queries as programmes
from grants.programmes.models import FundSource
from grants.programmes.rules import Beyond, FundSourceView, passes_parent_end

# Whoever may still be paid: what ended before it was signed costs nothing, and what is closed is settled.
_OPEN = (GrantState.PREPARATION.value, GrantState.READY_TO_SIGN.value, *values(RUNNING))


@dataclass(frozen=True, slots=True)
class FundLine:
    """What is paid from a parent grant in one of its calls or grants, and what of it is still open."""

    reference: str
    name: str
    paid: Money
    cleared: Money
    advanced: Money
    open: Money
    maximum: Money | None = None
    call: str = ""
    beyond: Beyond | None = None


@dataclass(frozen=True, slots=True)
class FundMoney:
    """The page of a parent grant's money. ``whole`` says that the person reads every entry, so that received counts."""

    source: FundSourceView
    received: Money
    total: FundLine
    calls: tuple[FundLine, ...]
    grants: Rows[FundLine]
    outlasting: Tally
    whole: bool
    partial: bool


def fund_money(actor: Actor, number: str, page: Page) -> FundMoney:
    """The money of a parent grant, as far as this person reads the ledger; raises :class:`NotFound`. Eight statements."""
    source = programmes.fund_source_of(number)
    stands = books.of_fund(actor, source.id)
    total = books.summed(stands)
    reached = agreements.visible(actor, Permission.LEDGER_READ) & (Grant.fund_source_id == source.id)
    return FundMoney(
        source=source,
        received=total[Account.FUNDING_RECEIVED],
        total=_line("", source.title, total),
        calls=_calls(stands),
        grants=_grants(source, reached, page),
        outlasting=_outlasting(reached),
        whole=actor.everywhere(Permission.LEDGER_READ),
        partial=books.leaves_out(actor),
    )


def _line(reference: str, name: str, stands: Balances) -> FundLine:
    return FundLine(
        reference,
        name,
        paid=stands[Account.CONSUMED],
        cleared=stands[Account.GRANT_COSTS],
        advanced=stands[Account.PREFINANCING],
        open=stands[Account.LEGALLY_COMMITTED],
    )


def _calls(stands: dict[UUID | None, Balances]) -> tuple[FundLine, ...]:
    ids = [each for each in stands if each is not None]
    rows = db.session.execute(
        select(Call.id, Call.reference, Call.title).where(among(Call.id, ids)).order_by(Call.reference)
    )
    return tuple(_line(row.reference, row.title, stands[row.id]) for row in rows)


def _grants(source: FundSourceView, reached: ColumnElement[bool], page: Page) -> Rows[FundLine]:
    statement = select(Grant, Call.reference.label("call")).join(Call, Call.id == Grant.call_id).where(reached)
    if page.after:
        statement = statement.where(Grant.reference > page.after)
    rows = db.session.execute(statement.order_by(Grant.reference).limit(page.limit)).all()
    stands = books.grants_balances([row.Grant.id for row in rows])
    made = [_grant_line(row.Grant, row.call, source, stands[row.Grant.id]) for row in rows]
    return cut(made, page, key=lambda line: line.reference)


def _grant_line(grant: Grant, call: str, source: FundSourceView, stands: Balances) -> FundLine:
    return FundLine(
        grant.reference,
        grant.acronym or grant.title,
        paid=stands[Account.CONSUMED],
        cleared=stands[Account.GRANT_COSTS],
        advanced=stands[Account.PREFINANCING],
        open=stands[Account.LEGALLY_COMMITTED],
        maximum=grant.maximum,
        call=call,
        beyond=_beyond(grant, source.ends_on, source.reports_by) if grant.state in _OPEN else None,
    )


def _beyond(grant: Grant, ends_on: date | None, reports_by: date | None) -> Beyond | None:
    return passes_parent_end(
        grant.ends_before,
        report_days=grant.report_days,
        payment_days=grant.balance_days,
        parent_ends_on=ends_on,
        reports_by=reports_by,
    )


def _is_beyond() -> ColumnElement[bool]:
    """The same rule as :func:`passes_parent_end`, for a count of many."""
    settled_by = Grant.ends_before + Grant.report_days + Grant.balance_days
    return (settled_by > FundSource.ends_on) & Grant.state.in_(_OPEN)


def _outlasting(reached: ColumnElement[bool]) -> Tally:
    found = (
        select(Grant.id)
        .join(FundSource, FundSource.id == Grant.fund_source_id)
        .where(reached, _is_beyond())
        .limit(COUNTED_MAX + 1)
    )
    return Tally.of(db.session.scalar(select(func.count()).select_from(found.subquery())) or 0)


def outlasting_words() -> str:
    """What ``grants doctor`` says of grants that outlast their parent grant; empty where none does. One statement."""
    statement = (
        select(Grant, FundSource)
        .join(FundSource, FundSource.id == Grant.fund_source_id)
        .where(_is_beyond())
        .order_by(Grant.reference)
        .limit(COUNTED_MAX + 1)
    )
    return _sentence(db.session.execute(statement).all())


def _sentence(rows: Iterable[tuple[Grant, FundSource]]) -> str:
    found = [(grant, programmes.fund_source_view(fund)) for grant, fund in rows]
    if not found:
        return ""
    grant, source = found[0]
    beyond = _beyond(grant, source.ends_on, source.reports_by)
    assert beyond is not None, "the count and the rule say the same"
    first = f"{grant.reference}: {beyond.words}"
    more = len(found) - 1
    if not more:
        return first
    others = f"{Tally.of(more)} more {'grant outlasts' if more == 1 else 'grants outlast'} the grant that pays them"
    return f"{first} {others}; see the money of each parent grant."
