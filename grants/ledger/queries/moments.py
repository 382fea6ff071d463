"""What must hold of the journal at every moment it went through: floors, the order of I5, clearing, offsets between grants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from grants.core import clock
from grants.core.db import db
from grants.core.errors import Problem
from grants.core.money import Money
from grants.core.permissions import Actor
from grants.ledger import rules
from grants.ledger.accounts import CHART, Account, Floor, Ledger, Side
from grants.ledger.models import LEDGER_MONTH, LedgerEntry, LedgerLeg
from grants.ledger.queries.journal import visible
from grants.ledger.queries.sums import credits_sum, debits_sum, known_at, leg_net
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
    # Both times are read from the same steps, which are summed once.
    steps = _steps_of_calls()
    found: list[tuple[UUID, Problem]] = []
    ways = {name: _first_out_of_order(steps, steps.c[name]) for name in ("recorded_at", "effective_on")}
    statement = union_all(
        *(
            select(
                literal(name).label("way"),
                *(way.c[column] for column in ("call_id", *_SUMS)),
                *(way.c.moment if name == own else null().cast(kind) for own, kind in _KINDS),
            )
            for name, way in ways.items()
        )
    )
    by_way = statement.subquery()
    for _, call_id, *cents, recorded_at, day in db.session.execute(
        select(by_way).order_by(by_way.c.way.desc(), by_way.c.call_id)
    ):
        amounts = dict(zip(_SUMS, (Money(int(each)) for each in cents), strict=True))
        when = _words(recorded_at or day)
        found += [(call_id, each) for each in rules.order_problems(f"call {call_id}, {when}", **amounts)]
    return found


_KINDS = (("recorded_at", DateTime(timezone=True)), ("effective_on", Date()))


def _first_out_of_order(steps: Any, moment: Any) -> Any:
    """Of each call the first moment at which its order did not hold, in one of the two times."""
    sums = {name: func.sum(func.sum(steps.c[name])).over(partition_by=steps.c.call_id, order_by=moment) for name in _SUMS}  # fmt: skip
    run = (
        select(steps.c.call_id, moment.label("moment"), *(sums[name].label(name) for name in _SUMS))
        .group_by(steps.c.call_id, moment)
        .subquery()
    )
    wrong = or_(run.c.paid > run.c.committed, run.c.committed > run.c.awarded, run.c.awarded > run.c.budget)
    first = select(run).where(wrong).ext(distinct_on(run.c.call_id)).order_by(run.c.call_id, run.c.moment)
    return first.limit(PROBLEMS_MAX).subquery()


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


def months_off() -> tuple[int, list[Problem]]:
    """How many sums are kept by month, and those that are not what the legs of the month add up to."""
    effective, recorded = (
        cast(func.date_trunc("month", moment), Date)
        for moment in (cast(LedgerEntry.effective_on, DateTime), func.timezone("UTC", LedgerEntry.recorded_at))
    )
    kept = LEDGER_MONTH.c
    names = ("account", "call_id", "fund_source_id", "effective_month", "recorded_month")
    # The months of an entry are reckoned once, not for each of its legs.
    entry = (
        select(LedgerEntry.id, effective.label("effective_month"), recorded.label("recorded_month"))
        .cte("entry")
        .prefix_with("MATERIALIZED")
    )
    places = (LedgerLeg.account, LedgerLeg.call_id, LedgerLeg.fund_source_id)
    months = (entry.c.effective_month, entry.c.recorded_month)
    summed = (
        select(*places, *months, debits_sum.label("debits"), credits_sum.label("credits"))
        .join(entry, entry.c.id == LedgerLeg.entry_id)
        .group_by(*places, *months)
    )
    both = union_all(
        select(*(summed.subquery().c)),
        select(*(kept[name] for name in names), -kept.debits, -kept.credits),
    ).subquery()
    off = (
        select(both.c.account, both.c.effective_month, func.sum(both.c.debits), func.sum(both.c.credits))
        .group_by(*(both.c[name] for name in names))
        .having(or_(func.sum(both.c.debits) != 0, func.sum(both.c.credits) != 0))
        .order_by(both.c.effective_month, both.c.account)
    )
    number = db.session.scalar(select(func.count()).select_from(LEDGER_MONTH)) or 0
    return number, [
        Problem(
            f"{code} {Account(code).label}, {month:%Y-%m}",
            f"the sum kept of this month is off: by {Money(int(debits))} debited, {Money(int(credits))} credited.",
        )
        for code, month, debits, credits in db.session.execute(off.limit(PROBLEMS_MAX))
    ]


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
