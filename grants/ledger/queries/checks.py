"""What is wrong with the journal by itself."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Text,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from grants.core import clock
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.errors import Problem
from grants.core.money import ZERO, Money
from grants.ledger import rules
from grants.ledger.accounts import CHART, Account, Floor, Ledger, Side
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.queries.sums import balances, leg_cents, leg_net
from grants.ledger.rules import AsOf, Balances

PROBLEMS_MAX = 100


def verify(*, as_of: AsOf | None = None) -> tuple[Problem, ...]:
    """What is wrong with the journal by itself, at most a hundred problems; empty is right.

    Per entry: balance in each ledger, two legs or more, its digest, what the act that posted it recorded (the audit chain
    covers that), its reversal. Per call and
    grant: I3, I6, floors now and after every entry. What needs other stages (maxima, ceilings,
    whether dimensions exist) is put together in oversight from the pure functions in rules.
    """
    checks = (
        *(
            _unbalanced,
            _changed_legs,
            _changed_entries,
            _lost_entries,
            _wrong_reversals,
            _without_fund,
            _below_floor_ever,
        ),
        lambda: _places(as_of),
    )
    found: list[Problem] = []
    for check in checks:
        found += check()
        if len(found) >= PROBLEMS_MAX:
            break
    return tuple(found[:PROBLEMS_MAX])


def dimension_ids() -> dict[str, frozenset[UUID]]:
    """Every id a leg names, by dimension, for oversight to look up in the stages that own them."""
    names = ("fund_source_id", "call_id", "grant_id", "organisation_id", "document_id")
    return {
        name: frozenset(
            db.session.scalars(select(getattr(LedgerLeg, name)).distinct().where(getattr(LedgerLeg, name).is_not(None)))
        )
        for name in names
    }


def _unbalanced() -> list[Problem]:
    """I1: entries with fewer than two legs, and ledgers within entries that do not balance."""
    few = (
        select(LedgerEntry.number, LedgerEntry.effective_on, func.count(LedgerLeg.entry_id))
        .outerjoin(LedgerLeg, LedgerLeg.entry_id == LedgerEntry.id)
        .group_by(LedgerEntry.id)
        .having(func.count(LedgerLeg.entry_id) < 2)
        .order_by(LedgerEntry.number)
        .limit(PROBLEMS_MAX)
    )
    ledger = case(
        (func.left(LedgerLeg.account, 1) == "B", Ledger.BUDGET.value),
        (func.left(LedgerLeg.account, 1) == "M", Ledger.MEMO.value),
        else_=Ledger.GENERAL.value,
    ).label("ledger")
    sums = (
        select(LedgerLeg.entry_id, ledger, func.sum(leg_net).label("cents"))
        .group_by(LedgerLeg.entry_id, ledger)
        .having(func.sum(leg_net) != 0)
        .subquery()
    )
    off = (
        select(LedgerEntry.number, LedgerEntry.effective_on, sums.c.ledger, sums.c.cents)
        .join(sums, sums.c.entry_id == LedgerEntry.id)
        .order_by(LedgerEntry.number)
        .limit(PROBLEMS_MAX)
    )
    return [
        *(
            Problem(rules.reference(number, day), f"I1: {count} legs; an entry has two or more.")
            for number, day, count in db.session.execute(few)
        ),
        *(
            Problem(rules.reference(number, day), f"I1: the {name} ledger is off by {Money(int(cents))}.")
            for number, day, name, cents in db.session.execute(off)
        ),
    ]


def _changed_legs() -> list[Problem]:
    """Entries whose legs are no longer those their digest was made of; the digest itself is in the audit chain."""
    when_set = rules.SPELLED_WHEN_SET
    spelled = func.concat_ws(
        "|",
        LedgerLeg.account,
        LedgerLeg.side,
        leg_cents,
        *(func.coalesce(getattr(LedgerLeg, name).cast(Text), "") for name in rules.DIMENSIONS if name not in when_set),
        # Left out where it is not set.
        *(getattr(LedgerLeg, name).cast(Text) for name in when_set),
    )
    lines = func.string_agg(spelled, aggregate_order_by(literal("\n"), LedgerLeg.position))
    digest = func.encode(func.sha256(func.convert_to(lines, "UTF8")), "hex")
    made = select(LedgerLeg.entry_id, digest.label("digest")).group_by(LedgerLeg.entry_id).subquery()
    statement = (
        select(LedgerEntry.number, LedgerEntry.effective_on)
        .join(made, made.c.entry_id == LedgerEntry.id)
        .where(made.c.digest != LedgerEntry.legs_sha256)
        .order_by(LedgerEntry.number)
        .limit(PROBLEMS_MAX)
    )
    return [
        Problem(rules.reference(number, day), "its legs are not those that were posted.")
        for number, day in db.session.execute(statement)
    ]


def _as_recorded() -> dict[str, ColumnElement[str]]:
    """Each audited column of an entry, spelled as ``audit.plain_value`` spells it."""
    spelled: dict[str, ColumnElement[str]] = {}
    for column in LedgerEntry.__table__.c:
        if column.info.get("audit") == "none":
            continue
        match column.type:
            case Date():
                spelled[column.name] = func.to_char(column, "YYYY-MM-DD")
            case DateTime():
                spelled[column.name] = func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
            case _:
                spelled[column.name] = column.cast(Text)
    return spelled


def _posting() -> ColumnElement[bool]:
    """The event is the one of an entry's posting: the only one that gives it legs."""
    return (AuditEvent.object_kind == LedgerEntry.__tablename__) & AuditEvent.changes.has_key("legs_sha256")


def _changed_entries() -> list[Problem]:
    """Entries that no act posted, or that say something else than the act that posted them recorded."""
    said = _as_recorded()
    recorded = {name: AuditEvent.changes[name][1].astext for name in said}
    statement = (
        select(
            *(LedgerEntry.number, LedgerEntry.effective_on, AuditEvent.id),
            *(said[name].label(f"said_{name}") for name in said),
            *(recorded[name].label(f"recorded_{name}") for name in said),
        )
        .outerjoin(AuditEvent, (AuditEvent.object_id == LedgerEntry.id) & _posting())
        .where(or_(AuditEvent.id.is_(None), *(said[name].is_distinct_from(recorded[name]) for name in said)))
        .order_by(LedgerEntry.number)
        .limit(PROBLEMS_MAX)
    )
    problems = []
    for number, day, event_id, *values in db.session.execute(statement):
        ref = rules.reference(number, day)
        if event_id is None:
            problems.append(Problem(ref, "no act posted this entry."))
            continue
        pairs = zip(said, values[: len(said)], values[len(said) :], strict=True)
        problems += [
            Problem(
                ref,
                f"its {name.replace('_', ' ')} is not what the act that posted it recorded: it is {now or 'nothing'}, "
                f"recorded was {before or 'nothing'}.",
            )
            for name, now, before in pairs
            if now != before
        ]
    return problems


def _lost_entries() -> list[Problem]:
    """Entries that an act posted and that are not there any more."""
    there = exists().where(LedgerEntry.id == AuditEvent.object_id)
    statement = (
        select(AuditEvent.changes["source_key"][1].astext, AuditEvent.changes["effective_on"][1].astext)
        .where(_posting(), ~there)
        .order_by(AuditEvent.recorded_at, AuditEvent.id)
        .limit(PROBLEMS_MAX)
    )
    return [
        Problem(
            f"{key} of {clock.long_date(date.fromisoformat(day))}",
            "the entry that an act posted under this key is not in the journal any more.",
        )
        for key, day in db.session.execute(statement)
    ]


def _wrong_reversals() -> list[Problem]:
    """E24: a reversal together with its original leaves nothing on any account and place."""
    reversal = aliased(LedgerEntry)
    pairs = select(reversal.id.label("pair"), LedgerLeg.entry_id).join(
        LedgerLeg, or_(LedgerLeg.entry_id == reversal.id, LedgerLeg.entry_id == reversal.reverses_id)
    )
    pairs = pairs.where(reversal.reverses_id.is_not(None)).distinct()
    of_pair = pairs.subquery()
    dims = [getattr(LedgerLeg, name) for name in rules.DIMENSIONS]
    left = (
        select(of_pair.c.pair)
        .join(LedgerLeg, LedgerLeg.entry_id == of_pair.c.entry_id)
        .group_by(of_pair.c.pair, LedgerLeg.account, *dims)
        .having(func.sum(leg_net) != 0)
    )
    statement = select(LedgerEntry.number, LedgerEntry.effective_on).where(LedgerEntry.id.in_(left))
    return [
        Problem(rules.reference(number, day), "this reversal is not the mirror image of what it reverses.")
        for number, day in db.session.execute(statement.order_by(LedgerEntry.number).limit(PROBLEMS_MAX))
    ]


def _without_fund() -> list[Problem]:
    """Legs that name no parent grant although they are of a call, a grant or an account that has one."""
    statement = (
        select(LedgerEntry.number, LedgerEntry.effective_on, func.count())
        .join(LedgerLeg, LedgerLeg.entry_id == LedgerEntry.id)
        .where(
            LedgerLeg.fund_source_id.is_(None),
            or_(
                LedgerLeg.call_id.is_not(None),
                LedgerLeg.grant_id.is_not(None),
                LedgerLeg.account.not_in([account.value for account in rules.BEFORE_A_FUND]),
            ),
        )
        .group_by(LedgerEntry.id)
        .order_by(LedgerEntry.number)
        .limit(PROBLEMS_MAX)
    )
    return [
        Problem(rules.reference(number, day), f"{count} of its legs name no parent grant.")
        for number, day, count in db.session.execute(statement)
    ]


def _below_floor_ever() -> list[Problem]:
    """Accounts that stood below zero after some entry, within their call or grant, in the order of posting."""
    found: list[Problem] = []
    for floor in (Floor.CALL, Floor.GRANT):
        accounts = [account for account in Account if CHART[account].floor is floor]
        credit_side = [account.value for account in accounts if account.normal_side is Side.CREDIT]
        place = getattr(LedgerLeg, floor.value)
        change = func.sum(case((LedgerLeg.account.in_(credit_side), -leg_net), else_=leg_net))
        steps = (
            select(LedgerEntry.number, LedgerEntry.effective_on, LedgerLeg.account, place.label("place"), change.label("cents"))
            .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
            .where(LedgerLeg.account.in_([account.value for account in accounts]), place.is_not(None))
            .group_by(LedgerEntry.number, LedgerEntry.effective_on, LedgerLeg.account, place)
            .subquery()
        )  # fmt: skip
        stands = func.sum(steps.c.cents).over(partition_by=(steps.c.account, steps.c.place), order_by=steps.c.number)
        run = select(steps, stands.label("stands")).subquery()
        below = select(run.c.number, run.c.effective_on, run.c.account, run.c.stands).where(run.c.stands < 0)
        found += [
            Problem(
                rules.reference(number, day),
                f"after it {code} {Account(code).label} stood at {Money(int(cents))}, below zero.",
            )
            for number, day, code, cents in db.session.execute(below.order_by(run.c.number).limit(PROBLEMS_MAX))
        ]
    return found


def _places(as_of: AsOf | None) -> list[Problem]:
    """I3 for every call and I6 for every grant, by the pure rules, and the floors as of the moment asked."""
    calls: dict[UUID, dict[Account, Money]] = {}
    grants: dict[UUID, dict[Account, Money]] = {}
    for row in balances(as_of=as_of):
        for found, place in ((calls, row.dims.call_id), (grants, row.dims.grant_id)):
            if place is not None:
                sums = found.setdefault(place, {})
                sums[row.account] = sums.get(row.account, ZERO) + row.amount
    problems: list[Problem] = []
    for call_id, amounts in sorted(calls.items()):
        problems += rules.budget_problems(f"call {call_id}", Balances(amounts))
        problems += rules.floor_problems(f"call {call_id}", Balances(amounts), Floor.CALL)
    for grant_id, amounts in sorted(grants.items()):
        problems += rules.grant_problems(f"grant {grant_id}", Balances(amounts))
    return problems
