"""What is wrong with the journal by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Text,
    cast,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from grants.core import clock
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.errors import Problem
from grants.core.money import Money
from grants.core.reading import one_moment
from grants.ledger import rules
from grants.ledger.accounts import Account, Floor, Ledger, Side
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.queries import moments
from grants.ledger.queries.sums import known_at, leg_cents, leg_net
from grants.ledger.rules import AsOf, Balances
from grants.ledger.rules.proofs import Checked

PROBLEMS_MAX = 100


def verify(*, as_of: AsOf | None = None) -> tuple[Problem, ...]:
    """What is wrong with the journal by itself, at most a hundred problems; empty is right."""
    with one_moment():
        found = [problem for each in checked(standing(as_of)) for problem in each.problems]
    return tuple(found[:PROBLEMS_MAX])


def checked(stands: Standing | None = None) -> Iterator[Checked]:
    """The invariants of the journal by itself, one after the other.

    Per entry: balance in each ledger, two legs or more, its digest, what the act that posted it recorded (the audit chain
    covers that), its reversal, its parent grant. Debits are credits, and accounts with a floor stand on it, at every moment.
    What needs other stages (maxima, ceilings, whether dimensions exist) is put together in oversight from the pure functions
    in rules.
    """
    found = stands or standing()
    entries, days, recorded = moments.moments()
    wrong, others, unfunded, off = _entries_off()
    yield Checked(
        "I1", "Every entry balances in each ledger, and has two legs or more.", entries, "entries", tuple(wrong)
    )
    yield Checked(
        "I2",
        f"Debits are credits in each ledger, as of each of {days:,} days and as known at each of {recorded:,} moments.",
        days + recorded,
        "moments",
        tuple(moments.off_balance(off)),
    )
    words = "Legs and entries are what the acts that posted them recorded; reversals mirror what they reverse."
    kept = [*others, *_changed_entries(), *_wrong_reversals()]
    yield Checked("I21", words, entries, "entries", tuple(kept))
    months, apart_by_month = moments.months_off()
    words = "Sums kept by month, for the running balance of long lists, are those of the legs."
    yield Checked("Months", words, months, "sums", tuple(apart_by_month))
    yield Checked("Fund", "Every leg of a call or a grant names its parent grant.", entries, "entries", tuple(unfunded))
    below = [*moments.below_floor_ever(), *_calls_off(found)]
    yield Checked(
        "I3",
        "A call's budget is the sum of its parts; no account fell below its floor after any entry.",
        len(found.calls),
        "calls",
        tuple(below),
    )
    carried, between = moments.offsets()
    apart = [
        problem
        for grant_id in sorted(found.apart)
        for problem in rules.grant_problems(f"grant {grant_id}", found.grants[grant_id])
    ]
    yield Checked(
        "I6",
        f"Net cash of each grant is what its accounts hold; {carried:,} legs of offsets between grants cancel out.",
        len(found.grants),
        "grants",
        (*between, *apart),
    )
    granted, cleared = moments.clearing()
    yield Checked(
        "I7", "Pre-financing cleared is not above what was paid or retained.", granted, "grants", tuple(cleared)
    )


class Places(Mapping[UUID, Balances]):
    """Balances by call or by grant, made of what was summed where somebody asks: tens of thousands stand as they should, and
    a sum in cents tells that of most."""

    def __init__(self, nets: Mapping[UUID, Mapping[str, int]]) -> None:
        self._nets = nets

    def __getitem__(self, place: UUID) -> Balances:
        return Balances(
            {
                _ACCOUNTS[code]: Money(net if _ACCOUNTS[code] in _DEBIT_SIDE else -net)
                for code, net in self._nets[place].items()
            }
        )

    def __iter__(self) -> Iterator[UUID]:
        return iter(self._nets)

    def __len__(self) -> int:
        return len(self._nets)

    def net_cents(self, place: UUID, accounts: Iterable[Account]) -> int:
        """What was debited less what was credited on these accounts together, in cents."""
        found = self._nets.get(place, {})
        return sum(found.get(account.value, 0) for account in accounts)

    def cents(self, place: UUID, accounts: Iterable[Account]) -> int:
        """What stands on these accounts together, of each on its own side, in cents."""
        found = self._nets.get(place, {})
        return sum(
            net if account in _DEBIT_SIDE else -net for account in accounts if (net := found.get(account.value, 0))
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where every call and every grant stands."""

    calls: Places
    grants: Places
    # Grants whose general accounts do not cancel out: the only ones for which I6 can fail.
    apart: frozenset[UUID]


def standing(as_of: AsOf | None = None) -> Standing:
    """The balances of all calls and grants, read once for every check that asks for them. One statement."""
    cents_of: Any = select(
        LedgerLeg.account,
        LedgerLeg.call_id,
        LedgerLeg.grant_id,
        type_coerce(func.sum(leg_net), BigInteger).label("net"),
    )
    by_leg = known_at(as_of, cents_of).group_by(LedgerLeg.account, LedgerLeg.call_id, LedgerLeg.grant_id)
    sums = by_leg.cte("sums")
    general = sums.c.account.in_([account.value for account in _GENERAL])
    made: dict[str, dict[UUID, Mapping[str, int]]] = {"call_id": {}, "grant_id": {}}
    apart: set[UUID] = set()
    statement = union_all(*(_by_place(sums, name, general) for name in made))
    for name, place, off, nets in db.session.execute(statement):
        made[name][place] = nets
        if off and name == "grant_id":
            apart.add(place)
    return Standing(Places(made["call_id"]), Places(made["grant_id"]), frozenset(apart))


def _by_place(sums: Any, name: str, general: ColumnElement[bool]) -> Any:
    """One row for each call or grant: whether its general accounts cancel out, and what stands on each account, in cents."""
    place = sums.c[name]
    net = cast(func.sum(sums.c.net), BigInteger).label("net")
    each = select(place.label("place"), sums.c.account, net, general.label("general")).where(place.is_not(None))
    of = each.group_by(place, sums.c.account).subquery()
    off = func.coalesce(func.sum(of.c.net).filter(of.c.general), 0) != 0
    nets = func.json_object_agg(of.c.account, of.c.net)
    return select(literal(name), of.c.place, off, nets).group_by(of.c.place)


_ACCOUNTS = {account.value: account for account in Account}
_GENERAL = frozenset(account for account in Account if account.ledger is Ledger.GENERAL)
_DEBIT_SIDE = frozenset(account for account in Account if account.normal_side is Side.DEBIT)


def dimension_ids() -> dict[str, frozenset[UUID]]:
    """Every id a leg names, by dimension, for oversight to look up in the stages that own them."""
    names = ("fund_source_id", "call_id", "grant_id", "organisation_id", "document_id")
    return {
        name: frozenset(
            db.session.scalars(select(getattr(LedgerLeg, name)).distinct().where(getattr(LedgerLeg, name).is_not(None)))
        )
        for name in names
    }


Off = tuple[date | None, datetime | None, str, int]


def _entries_off() -> tuple[list[Problem], list[Problem], list[Problem], list[Off]]:
    """Every leg read once, entry by entry: what does not balance (I1), whose digest is another, which name no parent grant
    although they are of one, and what I2 has to sum.

    The digest of the legs is in the audit chain. Legs whose entry is lost count to no moment.
    """
    ledgers = {
        Ledger.BUDGET: func.left(LedgerLeg.account, 1) == "B",
        Ledger.MEMO: func.left(LedgerLeg.account, 1) == "M",
        Ledger.GENERAL: func.left(LedgerLeg.account, 1).not_in(["B", "M"]),
    }
    lines = func.string_agg(_spelled_leg(), aggregate_order_by(literal("\n"), LedgerLeg.position))
    sums = (
        select(
            LedgerLeg.entry_id,
            func.count().label("legs"),
            func.encode(func.sha256(func.convert_to(lines, "UTF8")), "hex").label("digest"),
            func.count().filter(_without_fund()).label("unfunded"),
            *(func.coalesce(func.sum(leg_net).filter(of), 0).label(ledger.value) for ledger, of in ledgers.items()),
        )
        .group_by(LedgerLeg.entry_id)
        .subquery()
    )
    legs = func.coalesce(sums.c.legs, 0)
    changed = sums.c.digest != LedgerEntry.legs_sha256
    unfunded = func.coalesce(sums.c.unfunded, 0)
    statement = (
        select(
            *(LedgerEntry.number, LedgerEntry.effective_on, LedgerEntry.recorded_at, legs, changed, unfunded),
            *(sums.c[ledger.value] for ledger in ledgers),
        )
        .join(sums, sums.c.entry_id == LedgerEntry.id, full=True)
        .where(
            or_(
                *(LedgerEntry.id.is_(None), legs < 2, changed, unfunded > 0),
                *(sums.c[ledger.value] != 0 for ledger in ledgers),
            )
        )
        .order_by(LedgerEntry.number)
    )
    problems: list[Problem] = []
    others: list[Problem] = []
    without: list[Problem] = []
    off: list[Off] = []
    for number, day, moment, count, other, nameless, *cents in db.session.execute(statement):
        ref = "an entry that is lost" if number is None else rules.reference(number, day)
        if number is None:
            problems.append(Problem(ref, f"I1: {count} legs are left of it."))
        elif count < 2:
            problems.append(Problem(ref, f"I1: {count} legs; an entry has two or more."))
        if other:
            others.append(Problem(ref, "its legs are not those that were posted."))
        if nameless:
            without.append(Problem(ref, f"{nameless} of its legs name no parent grant."))
        for ledger, net in zip(ledgers, cents, strict=True):
            if net:
                problems.append(Problem(ref, f"I1: the {ledger.value} ledger is off by {Money(int(net))}."))
                off.append((day, moment, ledger.value, int(net)))
    return problems[:PROBLEMS_MAX], others[:PROBLEMS_MAX], without[:PROBLEMS_MAX], off


def _without_fund() -> ColumnElement[bool]:
    """Legs that name no parent grant although they are of a call, a grant or an account that has one."""
    return LedgerLeg.fund_source_id.is_(None) & or_(
        LedgerLeg.call_id.is_not(None),
        LedgerLeg.grant_id.is_not(None),
        LedgerLeg.account.not_in([account.value for account in rules.BEFORE_A_FUND]),
    )


def _spelled_leg() -> ColumnElement[str]:
    """A leg as ``rules.digest`` spells it: the one place here that says so."""
    when_set = rules.SPELLED_WHEN_SET
    always = [name for name in rules.DIMENSIONS if name not in when_set]
    return func.concat_ws(
        "|",
        *(LedgerLeg.account, LedgerLeg.side, leg_cents),
        *(func.coalesce(getattr(LedgerLeg, name).cast(Text), "") for name in always),
        # Left out where it is not set.
        *(getattr(LedgerLeg, name).cast(Text) for name in when_set),
    )


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
    """Entries that no act posted, that say something else than the act that posted them recorded, or that are gone."""
    said = _as_recorded()
    posting = (
        select(
            AuditEvent.id.label("event_id"),
            AuditEvent.object_id.label("entry_id"),
            AuditEvent.recorded_at.label("at"),
            *(AuditEvent.changes[name][1].astext.label(name) for name in said),
        )
        .where(_posting())
        .subquery()
    )
    differs = [said[name].is_distinct_from(posting.c[name]) for name in said]
    statement = (
        select(
            *(LedgerEntry.number, LedgerEntry.effective_on, posting.c.event_id),
            *(said[name].label(f"said_{name}") for name in said),
            *(posting.c[name].label(f"recorded_{name}") for name in said),
        )
        .join(posting, posting.c.entry_id == LedgerEntry.id, full=True)
        .where(or_(posting.c.event_id.is_(None), LedgerEntry.id.is_(None), *differs))
        .order_by(LedgerEntry.number, posting.c.at, posting.c.event_id)
        .limit(PROBLEMS_MAX)
    )
    return [
        problem
        for number, day, event_id, *values in db.session.execute(statement)
        for problem in _differences(
            None if number is None else rules.reference(number, day),
            event_id is not None,
            dict(zip(said, values[: len(said)], strict=True)),
            dict(zip(said, values[len(said) :], strict=True)),
        )
    ]


def _differences(ref: str | None, posted: bool, now: Mapping[str, str], before: Mapping[str, str]) -> Iterator[Problem]:
    if ref is None:
        yield Problem(
            f"{before['source_key']} of {clock.long_date(date.fromisoformat(before['effective_on']))}",
            "the entry that an act posted under this key is not in the journal any more.",
        )
    elif not posted:
        yield Problem(ref, "no act posted this entry.")
    else:
        for name in now:
            if now[name] != before[name]:
                yield Problem(
                    ref,
                    f"its {name.replace('_', ' ')} is not what the act that posted it recorded: it is {now[name] or 'nothing'}, "
                    f"recorded was {before[name] or 'nothing'}.",
                )


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


def _calls_off(found: Standing) -> Iterator[Problem]:
    """I3 for every call, by the pure rules, and the floors as of the moment asked."""
    for call_id, each in sorted(found.calls.items()):
        yield from rules.budget_problems(f"call {call_id}", each)
        yield from rules.floor_problems(f"call {call_id}", each, Floor.CALL)
