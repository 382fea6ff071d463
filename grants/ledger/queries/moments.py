"""What must hold of the journal at every moment it went through: floors, the order of I5, clearing, offsets between grants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Date, case, cast, func, or_, select, type_coerce
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from grants.core import clock
from grants.core.db import db
from grants.core.errors import Problem
from grants.core.money import Money
from grants.core.permissions import Actor
from grants.ledger import rules
from grants.ledger.accounts import CHART, Account, Floor, Ledger, Side
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.queries.journal import visible
from grants.ledger.queries.sums import known_at, leg_net
from grants.ledger.rules import AsOf, Event, natural
from grants.ledger.rules.proofs import (
    AWARDING,
    CLEARING,
    OUTSIDE_GRANTS,
    clearing_problems,
    offset_problems,
    running_differences,
)

PROBLEMS_MAX = 100


def below_floor_ever() -> list[Problem]:
    """Accounts that stood below zero after some entry, within their call or grant, in the order of posting."""
    floored = {account: CHART[account].floor for account in Account if CHART[account].floor is not Floor.NONE}
    of_call = [account.value for account, floor in floored.items() if floor is Floor.CALL]
    credit_side = [account.value for account in floored if account.normal_side is Side.CREDIT]
    place = case((LedgerLeg.account.in_(of_call), LedgerLeg.call_id), else_=LedgerLeg.grant_id)
    grown = case((LedgerLeg.account.in_(credit_side), -leg_net), else_=leg_net)
    # Legs of one entry are peers in this order: each sees the sum after the whole entry.
    stands = func.sum(grown).over(partition_by=(LedgerLeg.account, place), order_by=LedgerEntry.number)
    run = (
        select(LedgerEntry.number, LedgerEntry.effective_on, LedgerLeg.account, stands.label("stands"))
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(LedgerLeg.account.in_([account.value for account in floored]), place.is_not(None))
        .subquery()
    )
    below = select(run.c.number, run.c.effective_on, run.c.account, run.c.stands).where(run.c.stands < 0).distinct()
    return [
        Problem(
            rules.reference(number, day),
            f"after it {code} {Account(code).label} stood at {Money(int(cents))}, below zero.",
        )
        for number, day, code, cents in db.session.execute(below.order_by(run.c.number).limit(PROBLEMS_MAX))
    ]


def out_of_order() -> list[tuple[UUID, Problem]]:
    """I5 at every recorded and every effective moment of each call, by what the journal itself says was awarded.

    Answers the call and the problem at the first moment at which it did not hold, in each of the two times.
    """
    steps = _steps_of_calls()
    found: list[tuple[UUID, Problem]] = []
    for moment in (steps.c.recorded_at, steps.c.effective_on):
        sums = {name: func.sum(func.sum(steps.c[name])).over(partition_by=steps.c.call_id, order_by=moment) for name in _SUMS}  # fmt: skip
        run = (
            select(steps.c.call_id, moment.label("moment"), *(sums[name].label(name) for name in _SUMS))
            .group_by(steps.c.call_id, moment)
            .subquery()
        )
        wrong = or_(run.c.paid > run.c.committed, run.c.committed > run.c.awarded, run.c.awarded > run.c.budget)
        first = select(run).where(wrong).ext(distinct_on(run.c.call_id)).order_by(run.c.call_id, run.c.moment)
        for call_id, when, *cents in db.session.execute(first.limit(PROBLEMS_MAX)):
            amounts = dict(zip(_SUMS, (Money(int(each)) for each in cents), strict=True))
            found += [(call_id, each) for each in rules.order_problems(f"call {call_id}, {_words(when)}", **amounts)]
    return found


_SUMS = ("paid", "committed", "awarded", "budget")


def _steps_of_calls() -> Any:
    """Per call and pair of moments what was paid, committed, awarded and authorised then."""
    budget = (Account.LEGALLY_COMMITTED.value, Account.CONSUMED.value)
    outside = [account.value for account in OUTSIDE_GRANTS]
    event, joined = _as_of_original(LedgerEntry)
    committed = LedgerLeg.account.in_(budget)
    awarding = event.in_([each.value for each in AWARDING])
    return (
        select(
            LedgerLeg.call_id,
            LedgerEntry.recorded_at,
            LedgerEntry.effective_on,
            func.sum(case((LedgerLeg.account.in_([Account.BANK.value, *outside]), -leg_net), else_=0)).label("paid"),
            func.sum(case((committed, leg_net), else_=0)).label("committed"),
            func.sum(case((committed & awarding, leg_net), else_=0)).label("awarded"),
            func.sum(case((LedgerLeg.account == Account.BUDGET_AUTHORISED.value, -leg_net), else_=0)).label("budget"),
        )
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .outerjoin(joined, joined.id == LedgerEntry.reverses_id)
        .where(
            LedgerLeg.account.in_([*budget, *outside, Account.BANK.value, Account.BUDGET_AUTHORISED.value]),
            LedgerLeg.call_id.is_not(None),
        )
        .group_by(LedgerLeg.call_id, LedgerEntry.recorded_at, LedgerEntry.effective_on)
        .cte("steps")
    )


def _as_of_original(entry: Any) -> tuple[ColumnElement[str], Any]:
    """The event an entry counts to: a reversal counts to the event it takes back. With the original, to be joined."""
    original = aliased(LedgerEntry)
    return func.coalesce(original.event, entry.event), original


def _words(moment: date | datetime) -> str:
    if isinstance(moment, datetime):
        return f"recorded {clock.as_utc(moment).isoformat(timespec='microseconds')}"
    return f"as of {clock.long_date(moment)}"


def clearing() -> tuple[int, list[Problem]]:
    """I7 for every grant with pre-financing: how many, and what is wrong."""
    event, original = _as_of_original(LedgerEntry)
    of = {
        "granted": event == Event.PREFINANCING_AUTHORISED.value,
        "cleared": event.in_([each.value for each in CLEARING]),
        "opened": event == Event.FINAL_BELOW.value,
    }
    sums = [
        func.sum(case((wanted, -leg_net if name == "cleared" else leg_net), else_=0)).label(name)
        for name, wanted in of.items()
    ]
    statement = (
        select(LedgerLeg.grant_id, *sums)
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .outerjoin(original, original.id == LedgerEntry.reverses_id)
        .where(LedgerLeg.account == Account.PREFINANCING.value, LedgerLeg.grant_id.is_not(None))
        .group_by(LedgerLeg.grant_id)
        .order_by(LedgerLeg.grant_id)
    )
    number = 0
    found: list[Problem] = []
    for grant_id, *cents in db.session.execute(statement):
        number += 1
        amounts = dict(zip(of, (Money(int(each)) for each in cents), strict=True))
        found += clearing_problems(f"grant {grant_id}", **amounts)
    return number, found[:PROBLEMS_MAX]


def offsets() -> tuple[int, list[Problem]]:
    """I6 across grants: how many legs carry an offset, and since when they do not cancel out."""
    statement = (
        select(LedgerEntry.recorded_at, func.count(), type_coerce(func.sum(leg_net), BigInteger))
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(LedgerLeg.account == Account.OFFSET_BETWEEN_GRANTS.value)
        .group_by(LedgerEntry.recorded_at)
    )
    rows = db.session.execute(statement).all()
    off = running_differences((moment, int(cents)) for moment, _, cents in rows)
    return sum(count for _, count, _ in rows), list(offset_problems([(_words(moment), cents) for moment, cents in off]))


def moments() -> tuple[int, int, int]:
    """How many entries there are, how many days they count from, and at how many moments they were recorded."""
    counted = [
        select(func.count()).select_from(select(column).distinct().subquery()).scalar_subquery()
        for column in (LedgerEntry.effective_on, LedgerEntry.recorded_at)
    ]
    entries = select(func.count()).select_from(LedgerEntry).scalar_subquery()
    number, days, recorded = db.session.execute(select(entries, *counted)).one()
    return number, days, recorded


def off_balance(off: Sequence[tuple[date | None, datetime | None, str, int]]) -> list[Problem]:
    """I2: since when, in each of the two times, and by how much debits are not credits in a ledger.

    ``off`` are the entries that do not balance: the day and the moment (none of an entry that is lost), the ledger, cents.
    All others add nothing at any moment.
    """
    found: list[Problem] = []
    for name in dict.fromkeys(name for _, _, name, _ in off):
        mine = [(day, moment, cents) for day, moment, ledger, cents in off if ledger == name]
        if whole := sum(cents for _, _, cents in mine):
            found.append(Problem(f"{name} ledger", f"I2: it is off by {Money(whole)}."))
        for since in (
            running_differences((day, cents) for day, _, cents in mine if day is not None),
            running_differences((moment, cents) for _, moment, cents in mine if moment is not None),
        ):
            found += [
                Problem(f"{name} ledger, {_words(moment)}", f"I2: from then on it is off by {Money(cents)}.")
                for moment, cents in since[:1]
            ]
    return found


def stood(actor: Actor, *, grant_id: UUID | None, as_of: AsOf) -> dict[Account, Money]:
    """What each account held at a moment of the books, by the entries this person may see. One statement."""
    seen = select(LedgerEntry.id).where(visible(actor))
    statement: Any = select(LedgerLeg.account, func.sum(leg_net)).where(LedgerLeg.entry_id.in_(seen))
    if grant_id is not None:
        statement = statement.where(LedgerLeg.grant_id == grant_id)
    rows = db.session.execute(known_at(as_of, statement).group_by(LedgerLeg.account))
    return {Account(code): natural(Account(code), int(net), 0) for code, net in rows}


def budgets_of_calls(actor: Actor | None, *, fund_source_id: UUID | None = None) -> Any:
    """The budget accounts of every call, by the entries this person may see (the program: all of them): a select of call,
    account and net debit cents.
    """
    budget = [account.value for account in Account if account.ledger is Ledger.BUDGET]
    statement: Any = (
        select(LedgerLeg.call_id, LedgerLeg.account, func.sum(leg_net).label("net"))
        .where(LedgerLeg.account.in_(budget), LedgerLeg.call_id.is_not(None))
        .group_by(LedgerLeg.call_id, LedgerLeg.account)
    )
    if actor is not None:
        statement = statement.where(LedgerLeg.entry_id.in_(select(LedgerEntry.id).where(visible(actor))))
    return statement if fund_source_id is None else statement.where(LedgerLeg.fund_source_id == fund_source_id)


def committed_and_paid(ids: Any) -> Any:
    """By month, what was committed and paid of the grants a select names: a select of month, account and net debit cents."""
    month = func.date_trunc("month", LedgerEntry.effective_on)
    return (
        select(cast(month, Date).label("month"), LedgerLeg.account, func.sum(leg_net).label("net"))
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(
            LedgerLeg.account.in_([Account.LEGALLY_COMMITTED.value, Account.CONSUMED.value]),
            LedgerLeg.grant_id.in_(ids),
        )
        .group_by("month", LedgerLeg.account)
        .order_by("month", LedgerLeg.account)
    )
