"""Entries of the ledger as a statement reads them: as known at its moment, of its days, within what it is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, false, func, select, tuple_

from grants.core import clock
from grants.core.db import db
from grants.core.money import ZERO, Money
from grants.core.paging import Page, Rows, cut
from grants.documents.rules import Period
from grants.ledger.accounts import CHART, Account, Side
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.queries.sums import credits_sum, debits_sum, leg_cents
from grants.ledger.rules import Event, natural, reference


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the books a statement looks: in these calls, in one grant, or in these entries."""

    call_ids: tuple[UUID, ...] = ()
    grant_id: UUID | None = None
    entry_ids: tuple[UUID, ...] = ()

    @property
    def condition(self) -> ColumnElement[bool]:
        """The legs that lie there."""
        if self.grant_id is not None:
            return LedgerLeg.grant_id == self.grant_id
        if self.entry_ids:
            return LedgerLeg.entry_id.in_(self.entry_ids)
        return LedgerLeg.call_id.in_(self.call_ids) if self.call_ids else false()


@dataclass(frozen=True, slots=True)
class Known:
    """What of the books counts: recorded before an instant, effective on the days of a period up to that instant's day."""

    recorded_before: datetime
    period: Period

    @property
    def ends_before(self) -> date:
        """The first day that no longer counts."""
        tomorrow = clock.add_days(clock.in_zone(self.recorded_before).date(), 1)
        return min(self.period.ends_before, tomorrow) if self.period.ends_before else tomorrow

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """The entries that count."""
        found = [LedgerEntry.recorded_at < self.recorded_before, LedgerEntry.effective_on < self.ends_before]
        if self.period.starts_on:
            found.append(LedgerEntry.effective_on >= self.period.starts_on)
        return found


def at(moment: datetime, period: Period | None = None) -> Known:
    """What is known at a moment, of a period or from the beginning."""
    return Known(moment, period or Period())


@dataclass(frozen=True, slots=True)
class AccountLine:
    """What one entry did to one account, and where the account stood then."""

    account: Account
    ref: str
    event: Event
    effective_on: date
    recorded_at: datetime
    description: str
    debit: Money
    credit: Money
    balance: Money


def account_lines(place: Place, known: Known) -> Iterator[AccountLine]:
    """Every entry by account, then day and number, with the running balance of each account. One statement, streamed."""
    statement = (
        select(
            *(LedgerLeg.account, LedgerEntry.number, LedgerEntry.event, LedgerEntry.effective_on),
            *(LedgerEntry.recorded_at, LedgerEntry.description, debits_sum, credits_sum),
        )
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(place.condition, *known.conditions)
        .group_by(LedgerLeg.account, LedgerEntry.id)
        .order_by(LedgerLeg.account, LedgerEntry.effective_on, LedgerEntry.number)
        .execution_options(yield_per=1_000)
    )
    standing: dict[Account, Money] = {}
    for code, number, event, effective_on, recorded_at, description, debits, credits in db.session.execute(statement):
        account = Account(code)
        standing[account] = standing.get(account, ZERO) + natural(account, int(debits), int(credits))
        yield AccountLine(
            *(account, reference(number, effective_on), Event(event), effective_on, recorded_at, description),
            *(Money(int(debits)), Money(int(credits)), standing[account]),
        )


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry behind a figure: by how much it moved it, and where the figure stood then."""

    number: int
    ref: str
    event: Event
    effective_on: date
    recorded_at: datetime
    description: str
    moved: Money
    stands: Money

    @property
    def key(self) -> str:
        """Its place in the list, oldest first."""
        return f"{self.effective_on.isoformat()}.{self.number}"


def behind(place: Place, accounts: Sequence[Account], known: Known, page: Page) -> Rows[EntryLine]:
    """The entries behind a figure that adds these accounts, oldest first, with the figure after each. One statement."""
    side = {Side.DEBIT: LedgerLeg.side == Side.DEBIT.value, Side.CREDIT: LedgerLeg.side == Side.CREDIT.value}
    grows = case(*((LedgerLeg.account == each.value, side[CHART[each].normal_side]) for each in accounts))
    moved = func.sum(case((grows, leg_cents), else_=-leg_cents)).label("moved")
    entries = (
        select(LedgerEntry.id, LedgerEntry.effective_on, LedgerEntry.number, moved)
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(place.condition, LedgerLeg.account.in_([each.value for each in accounts]), *known.conditions)
        .group_by(LedgerEntry.id)
        .subquery()
    )
    stands = func.sum(entries.c.moved).over(order_by=(entries.c.effective_on, entries.c.number)).label("stands")
    running = select(entries, stands).subquery()
    statement = (
        select(LedgerEntry.event, LedgerEntry.recorded_at, LedgerEntry.description, running)
        .join(running, running.c.id == LedgerEntry.id)
        .order_by(running.c.effective_on, running.c.number)
        .limit(page.limit)
    )
    if (key := _key(page.after)) is not None:
        statement = statement.where(tuple_(running.c.effective_on, running.c.number) > tuple_(*key))
    found = [
        EntryLine(
            *(row.number, reference(row.number, row.effective_on), Event(row.event), row.effective_on),
            *(row.recorded_at, row.description, Money(int(row.moved)), Money(int(row.stands))),
        )
        for row in db.session.execute(statement)
    ]
    return cut(found, page, key=lambda line: line.key)


def _key(after: str | None) -> tuple[Any, ...] | None:
    """The key in an address; a broken one is as if there were none."""
    day, _, number = (after or "").partition(".")
    try:
        return date.fromisoformat(day), int(number)
    except ValueError:
        return None


def moved(place: Place, account: Account, known: Known, *, by: str = "grant_id") -> dict[UUID | None, Money]:
    """By how much an account grew, for each grant (or another dimension). One statement."""
    dimension = getattr(LedgerLeg, by)
    statement = (
        select(dimension, debits_sum, credits_sum)
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(place.condition, LedgerLeg.account == account.value, *known.conditions)
        .group_by(dimension)
    )
    return {key: natural(account, int(debits), int(credits)) for key, debits, credits in db.session.execute(statement)}


def moved_by(place: Place, account: Account, event: Event, known: Known) -> Money:
    """By how much an account grew through events of one kind."""
    statement = (
        select(debits_sum, credits_sum)
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(place.condition, LedgerLeg.account == account.value, LedgerEntry.event == event.value, *known.conditions)
    )
    debits, credits = db.session.execute(statement).one()
    return natural(account, int(debits), int(credits))


# Cash of a grant that is not paid of it, interest either way and receipts that are not of it, and what was set off
# between grants, which counts as if cash had moved.
_BESIDE = (
    *(Account.INTEREST_IN_TRANSIT, Account.INTEREST_RECEIVABLE, Account.OFFSET_BETWEEN_GRANTS),
    *(Account.INTEREST_PAYABLE, Account.UNIDENTIFIED),
)
# Interest that is owed, due or waived moves no cash.
_NO_CASH = (Event.WAIVED, Event.LATE_INTEREST, Event.RECOVERY_INTEREST)


def paid_out(place: Place, known: Known) -> dict[UUID | None, Money]:
    """What left the bank for each grant less what came back of it, by the general ledger, not by the budget. One statement.

    Interest, charges and receipts nobody knows are left out; what was set off across grants is paid on one and paid back on
    the other.
    """
    accounts = [each.value for each in (Account.BANK, *_BESIDE)]
    statement = (
        select(LedgerLeg.grant_id, debits_sum, credits_sum)
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(
            place.condition,
            LedgerLeg.account.in_(accounts),
            LedgerEntry.event.not_in([each.value for each in _NO_CASH]),
            *known.conditions,
        )
        .group_by(LedgerLeg.grant_id)
    )
    return {key: Money(int(credits) - int(debits)) for key, debits, credits in db.session.execute(statement)}
