"""Reads of the journal: balances at any as-of moment, entries page by page, one entry whole, and the checks of it all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from grants.core.audit import AuditEvent, AuditSeal
from grants.core.db import db
from grants.core.errors import Invalid, NotFound, Problem
from grants.core.money import ZERO, Money, parse_money
from grants.core.permissions import Actor, Permission
from grants.ledger import rules
from grants.ledger.accounts import CHART, Account, Floor, Ledger, Side
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.rules import NOW, AsOf, Balances, Dimensions, Event, Leg, natural

PAGE_ENTRIES = 50
PROBLEMS_MAX = 100

# As a plain number: sums come back wider than the column, and are made Money here.
_cents = type_coerce(LedgerLeg.cents, BigInteger)
_debits = func.coalesce(func.sum(case((LedgerLeg.side == Side.DEBIT.value, _cents))), 0)
_credits = func.coalesce(func.sum(case((LedgerLeg.side == Side.CREDIT.value, _cents))), 0)
_net = case((LedgerLeg.side == Side.DEBIT.value, _cents), else_=-_cents)


# --- Balances -------------------------------------------------------------------------------------------------------


def balance(
    account: Account,
    *,
    fund_source_id: UUID | None = None,
    call_id: UUID | None = None,
    grant_id: UUID | None = None,
    organisation_id: UUID | None = None,
    as_of: AsOf | None = None,
) -> Money:
    """The natural balance of one account: positive on the side where it grows. One statement."""
    found = of(
        accounts=(account,),
        fund_source_id=fund_source_id,
        call_id=call_id,
        grant_id=grant_id,
        organisation_id=organisation_id,
        as_of=as_of,
    )
    return found[account]


def of(
    *,
    accounts: Sequence[Account] = (),
    fund_source_id: UUID | None = None,
    call_id: UUID | None = None,
    grant_id: UUID | None = None,
    organisation_id: UUID | None = None,
    as_of: AsOf | None = None,
) -> Balances:
    """The natural balances of all (or these) accounts for one place. One statement."""
    statement = _known_at(as_of, select(LedgerLeg.account, _debits, _credits)).group_by(LedgerLeg.account)
    if accounts:
        statement = statement.where(LedgerLeg.account.in_([account.value for account in accounts]))
    statement = _within(statement, fund_source_id, call_id, grant_id, organisation_id)
    return Balances(
        {
            Account(code): natural(Account(code), int(debits), int(credits))
            for code, debits, credits in db.session.execute(statement)
        }
    )


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One account within one combination of dimensions; dimensions not asked for are None."""

    account: Account
    dims: Dimensions
    debits: Money
    credits: Money

    @property
    def amount(self) -> Money:
        """The natural balance."""
        return natural(self.account, self.debits.cents, self.credits.cents)


def balances(
    *,
    by: Sequence[str] = ("call_id", "grant_id"),
    accounts: Sequence[Account] = (),
    fund_source_id: UUID | None = None,
    call_id: UUID | None = None,
    grant_id: UUID | None = None,
    organisation_id: UUID | None = None,
    as_of: AsOf | None = None,
) -> tuple[BalanceRow, ...]:
    """Balances by account and the dimensions named in ``by``, ordered by account, then dimensions. One statement."""
    assert set(by) <= set(rules.DIMENSIONS), f"not dimensions of a leg: {by}"
    dims = [getattr(LedgerLeg, name) for name in by]
    statement = _known_at(as_of, select(LedgerLeg.account, _debits, _credits, *dims))
    statement = statement.group_by(LedgerLeg.account, *dims).order_by(LedgerLeg.account, *dims)
    if accounts:
        statement = statement.where(LedgerLeg.account.in_([account.value for account in accounts]))
    statement = _within(statement, fund_source_id, call_id, grant_id, organisation_id)
    return tuple(
        BalanceRow(
            Account(code),
            Dimensions(**dict(zip(by, values, strict=True))),
            Money(int(debits)),
            Money(int(credits)),
        )
        for code, debits, credits, *values in db.session.execute(statement)
    )


def grants_balances(grant_ids: Sequence[UUID], *, as_of: AsOf | None = None) -> dict[UUID, Balances]:
    """The balances of each of these grants; a grant without entries stands at zero. One statement."""
    statement = _known_at(as_of, select(LedgerLeg.grant_id, LedgerLeg.account, _debits, _credits))
    statement = statement.where(LedgerLeg.grant_id.in_(grant_ids)).group_by(LedgerLeg.grant_id, LedgerLeg.account)
    found: dict[UUID, dict[Account, Money]] = {grant_id: {} for grant_id in grant_ids}
    for grant_id, code, debits, credits in db.session.execute(statement):
        account = Account(code)
        found[grant_id][account] = natural(account, int(debits), int(credits))
    return {grant_id: Balances(amounts) for grant_id, amounts in found.items()}


def trial_balance(*, call_id: UUID | None = None, as_of: AsOf | None = None) -> tuple[BalanceRow, ...]:
    """Debits and credits of every account that was ever touched, in the order of the chart. One statement."""
    return balances(by=(), call_id=call_id, as_of=as_of)


def partners_open(grant_id: UUID) -> tuple[tuple[UUID | None, Money], ...]:
    """The open legal commitment of each partner of a grant, in the order of their ids."""
    rows = balances(by=("organisation_id",), accounts=(Account.LEGALLY_COMMITTED,), grant_id=grant_id)
    return tuple((row.dims.organisation_id, row.amount) for row in rows)


def partners_consumed(grant_id: UUID) -> tuple[tuple[UUID | None, Money], ...]:
    """What each partner of a grant has consumed, in the order of their ids."""
    rows = balances(by=("organisation_id",), accounts=(Account.CONSUMED,), grant_id=grant_id)
    return tuple((row.dims.organisation_id, row.amount) for row in rows)


def _known_at(as_of: AsOf | None, statement: Select[Any]) -> Select[Any]:
    moment = as_of or NOW
    if moment == NOW:
        return statement
    statement = statement.join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
    if moment.recorded_before is not None:
        statement = statement.where(LedgerEntry.recorded_at < moment.recorded_before)
    if moment.effective_to is not None:
        statement = statement.where(LedgerEntry.effective_on <= moment.effective_to)
    return statement


def _within(
    statement: Select[Any],
    fund_source_id: UUID | None,
    call_id: UUID | None,
    grant_id: UUID | None,
    organisation_id: UUID | None,
) -> Select[Any]:
    wanted = {
        LedgerLeg.fund_source_id: fund_source_id,
        LedgerLeg.call_id: call_id,
        LedgerLeg.grant_id: grant_id,
        LedgerLeg.organisation_id: organisation_id,
    }
    return statement.where(*(column == value for column, value in wanted.items() if value is not None))


# --- Entries --------------------------------------------------------------------------------------------------------


def legs(entry_id: UUID) -> rules.Legs:
    """The legs of one entry in their order."""
    rows = db.session.scalars(
        select(LedgerLeg).where(LedgerLeg.entry_id == entry_id).order_by(LedgerLeg.position)
    ).all()
    return tuple(_leg(row) for row in rows)


def entry_id_of(source_key: str) -> UUID | None:
    """The entry that books this fact, if it was booked."""
    return db.session.scalar(select(LedgerEntry.id).where(LedgerEntry.source_key == source_key))


def source_keys(prefix: str) -> frozenset[str]:
    """The facts of one kind that are booked (``payment_order:``), for the stage that owns them to compare."""
    statement = select(LedgerEntry.source_key).where(LedgerEntry.source_key.startswith(prefix, autoescape=True))
    return frozenset(db.session.scalars(statement))


def count_entries() -> int:
    """How many entries the journal has."""
    return db.session.scalar(select(func.count()).select_from(LedgerEntry)) or 0


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What a list of entries shows; every field narrows it. ``effective_before`` is the first day left out."""

    account: Account | None = None
    event: Event | None = None
    fund_source_id: UUID | None = None
    call_id: UUID | None = None
    grant_id: UUID | None = None
    organisation_id: UUID | None = None
    effective_from: date | None = None
    effective_before: date | None = None
    text: str = ""
    # Grants the text also stands for: the caller found them by the name of a city or a reference.
    text_grant_ids: tuple[UUID, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether a running balance means something: one account, and nothing left out but by place and period."""
        return self.account is not None and self.event is None and not self.text.strip()


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry in a list. ``moved`` and ``balance`` are those of the account asked for, else None."""

    id: UUID
    ref: str
    event: Event
    effective_on: date
    recorded_at: datetime
    description: str
    amount: Money
    moved: Money | None
    balance: Money | None
    grant_ids: tuple[UUID, ...]
    reverses: str | None
    reversed_by: str | None


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries, newest first; ``next_key`` leads to the older ones."""

    rows: tuple[EntryRow, ...]
    next_key: str | None
    asked: EntryFilter


def entries(actor: Actor, asked: EntryFilter, *, after: str | None = None, limit: int = PAGE_ENTRIES) -> EntryPage:
    """The entries this person may see, newest effective day first, at most ``limit``, paged by key.

    Three statements, or four with a running balance, whatever the length.
    """
    statement = select(LedgerEntry).where(_visible(actor), *_asked(asked))
    if (key := _key(after)) is not None:
        statement = statement.where(tuple_(LedgerEntry.effective_on, LedgerEntry.number) < tuple_(*key))
    order = (LedgerEntry.effective_on.desc(), LedgerEntry.number.desc())
    found = db.session.scalars(statement.order_by(*order).limit(limit + 1)).all()
    shown = found[:limit]
    lines = _legs_of([entry.id for entry in shown])
    others = _reversals(shown)
    moved = {entry.id: _moved(lines[entry.id], asked) for entry in shown}
    running = _running(actor, asked, shown, moved) if asked.runs and shown else {}
    rows = tuple(
        EntryRow(
            id=entry.id,
            ref=rules.reference(entry.number, entry.effective_on),
            event=Event(entry.event),
            effective_on=entry.effective_on,
            recorded_at=entry.recorded_at,
            description=entry.description,
            amount=amount_of(lines[entry.id]),
            moved=moved[entry.id] if asked.account else None,
            balance=running.get(entry.id),
            grant_ids=tuple(dict.fromkeys(leg.dims.grant_id for leg in lines[entry.id] if leg.dims.grant_id)),
            reverses=others.originals.get(entry.id),
            reversed_by=others.by.get(entry.id),
        )
        for entry in shown
    )
    last = shown[-1] if len(found) > limit else None
    return EntryPage(rows, f"{last.effective_on.isoformat()}.{last.number}" if last else None, asked)


@dataclass(frozen=True, slots=True)
class ActLine:
    """Who recorded an entry, by which act, and where the audit chain sealed it."""

    verb: str
    user_id: UUID | None
    recorded_at: datetime
    reason: str | None
    position: int | None
    hash: str | None


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry whole: both sides, what it reverses, and the act behind it."""

    id: UUID
    ref: str
    event: Event
    source_key: str
    effective_on: date
    recorded_at: datetime
    description: str
    legs: rules.Legs
    legs_sha256: str
    reverses: str | None
    reversed_by: str | None
    acts: tuple[ActLine, ...]

    @property
    def amount(self) -> Money:
        """The larger sum of one of its ledgers."""
        return amount_of(self.legs)


def entry(actor: Actor, ref: str) -> EntryView:
    """One entry this person may see; raises :class:`NotFound` for any other. Four statements."""
    number = rules.number_of(ref)
    found = db.session.scalars(select(LedgerEntry).where(LedgerEntry.number == number, _visible(actor))).one_or_none()
    if found is None or rules.reference(found.number, found.effective_on) != ref:
        raise NotFound
    others = _reversals([found])
    return EntryView(
        id=found.id,
        ref=ref,
        event=Event(found.event),
        source_key=found.source_key,
        effective_on=found.effective_on,
        recorded_at=found.recorded_at,
        description=found.description,
        legs=legs(found.id),
        legs_sha256=found.legs_sha256,
        reverses=others.originals.get(found.id),
        reversed_by=others.by.get(found.id),
        acts=_acts_behind(found.id),
    )


def amount_of(lines: Sequence[Leg]) -> Money:
    """What an entry is about in one figure: the debit sum of its general ledger, else of its only one."""
    sums: dict[Ledger, int] = {}
    for leg in lines:
        sums[leg.account.ledger] = sums.get(leg.account.ledger, 0) + leg.debit_cents
    return Money(sums.get(Ledger.GENERAL) or max(sums.values(), default=0))


def _visible(actor: Actor) -> ColumnElement[bool]:
    """Entries with a leg in the person's calls or grants, and none of a thing he or she is barred from."""
    # Aliases of their own: the statement around may read legs too.
    leg, other = aliased(LedgerLeg), aliased(LedgerLeg)
    barred = exists().where(
        leg.entry_id == LedgerEntry.id,
        or_(leg.call_id.in_(actor.barred("call")), leg.grant_id.in_(actor.barred("grant"))),
    )
    if actor.everywhere(Permission.LEDGER_READ):
        return ~barred
    calls = actor.places(Permission.LEDGER_READ, "call")
    grants = actor.places(Permission.LEDGER_READ, "grant")
    if not calls and not grants:
        return false()
    mine = exists().where(other.entry_id == LedgerEntry.id, or_(other.call_id.in_(calls), other.grant_id.in_(grants)))
    return mine & ~barred


def _asked(asked: EntryFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.event is not None:
        conditions.append(LedgerEntry.event == asked.event.value)
    if asked.effective_from is not None:
        conditions.append(LedgerEntry.effective_on >= asked.effective_from)
    if asked.effective_before is not None:
        conditions.append(LedgerEntry.effective_on < asked.effective_before)
    lines = _asked_legs(asked)
    if lines:
        conditions.append(exists().where(LedgerLeg.entry_id == LedgerEntry.id, *lines))
    if asked.text.strip():
        conditions.append(_matches(asked.text.strip(), asked.text_grant_ids))
    return conditions


def _asked_legs(asked: EntryFilter) -> list[ColumnElement[bool]]:
    wanted = {
        LedgerLeg.account: asked.account.value if asked.account else None,
        LedgerLeg.fund_source_id: asked.fund_source_id,
        LedgerLeg.call_id: asked.call_id,
        LedgerLeg.grant_id: asked.grant_id,
        LedgerLeg.organisation_id: asked.organisation_id,
    }
    return [column == value for column, value in wanted.items() if value is not None]


def _matches(text: str, grant_ids: Sequence[UUID]) -> ColumnElement[bool]:
    """By reference, by amount of a leg, by grant, or by words of the description."""
    if (number := rules.number_of(text)) is not None:
        return LedgerEntry.number == number
    leg = aliased(LedgerLeg)
    found = LedgerEntry.description.icontains(text, autoescape=True)
    if grant_ids:
        found |= exists().where(leg.entry_id == LedgerEntry.id, leg.grant_id.in_(grant_ids))
    try:
        amount = parse_money(text)
    except Invalid:
        return found
    other = aliased(LedgerLeg)
    return found | exists().where(other.entry_id == LedgerEntry.id, other.cents == amount)


def _key(after: str | None) -> tuple[date, int] | None:
    """The key in an address; a broken one is as if there were none."""
    day, _, number = (after or "").partition(".")
    try:
        return date.fromisoformat(day), int(number)
    except ValueError:
        return None


def _legs_of(entry_ids: Sequence[UUID]) -> dict[UUID, list[Leg]]:
    found: dict[UUID, list[Leg]] = {entry_id: [] for entry_id in entry_ids}
    statement = select(LedgerLeg).where(LedgerLeg.entry_id.in_(entry_ids))
    for row in db.session.scalars(statement.order_by(LedgerLeg.entry_id, LedgerLeg.position)):
        found[row.entry_id].append(_leg(row))
    return found


def _leg(row: LedgerLeg) -> Leg:
    dims = Dimensions(**{name: getattr(row, name) for name in rules.DIMENSIONS})
    return Leg(Account(row.account), Side(row.side), row.cents, dims)


def _moved(lines: Sequence[Leg], asked: EntryFilter) -> Money:
    """What the asked account gained or lost by an entry, within the asked place."""
    moved = ZERO
    for leg in lines:
        place = (
            (asked.fund_source_id, leg.dims.fund_source_id),
            (asked.call_id, leg.dims.call_id),
            (asked.grant_id, leg.dims.grant_id),
            (asked.organisation_id, leg.dims.organisation_id),
        )
        if leg.account is asked.account and all(want is None or want == has for want, has in place):
            moved += leg.amount if leg.grows else -leg.amount
    return moved


def _running(
    actor: Actor, asked: EntryFilter, shown: Sequence[LedgerEntry], moved: dict[UUID, Money]
) -> dict[UUID, Money]:
    """The balance after each shown entry: one sum up to the newest, then stepwise back."""
    assert asked.account is not None, "a running balance runs on one account"
    newest = shown[0]
    statement = (
        select(_debits, _credits)
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(
            _visible(actor),
            *_asked_legs(asked),
            tuple_(LedgerEntry.effective_on, LedgerEntry.number) <= tuple_(newest.effective_on, newest.number),
        )
    )
    debits, credits = db.session.execute(statement).one()
    stands = natural(asked.account, int(debits), int(credits))
    result = {}
    for entry_row in shown:
        result[entry_row.id] = stands
        stands = stands - moved[entry_row.id]
    return result


@dataclass(frozen=True, slots=True)
class _Reversals:
    """References by entry id: of what an entry reverses, and of what reverses it."""

    originals: dict[UUID, str]
    by: dict[UUID, str]


def _reversals(shown: Sequence[LedgerEntry]) -> _Reversals:
    ids = [entry_row.id for entry_row in shown]
    wanted = {entry_row.reverses_id: entry_row.id for entry_row in shown if entry_row.reverses_id}
    columns = (LedgerEntry.id, LedgerEntry.reverses_id, LedgerEntry.number, LedgerEntry.effective_on)
    statement = select(*columns).where(or_(LedgerEntry.id.in_(wanted), LedgerEntry.reverses_id.in_(ids)))
    result = _Reversals({}, {})
    for entry_id, reverses_id, number, effective_on in db.session.execute(statement):
        ref = rules.reference(number, effective_on)
        if entry_id in wanted:
            result.originals[wanted[entry_id]] = ref
        if reverses_id in ids:
            result.by[reverses_id] = ref
    return result


def _acts_behind(entry_id: UUID) -> tuple[ActLine, ...]:
    statement = (
        select(AuditEvent, AuditSeal.position, AuditSeal.hash)
        .outerjoin(AuditSeal, AuditSeal.event_id == AuditEvent.id)
        .where(AuditEvent.object_kind == LedgerEntry.__tablename__, AuditEvent.object_id == entry_id)
        .order_by(AuditEvent.recorded_at)
    )
    return tuple(
        ActLine(event.verb, event.user_id, event.recorded_at, event.reason, position, seal.hex() if seal else None)
        for event, position, seal in db.session.execute(statement)
    )


# --- Exports --------------------------------------------------------------------------------------------------------

JOURNAL_COLUMNS = (
    "entry",
    "event",
    "effective_on",
    "recorded_at",
    "description",
    "source_key",
    "reverses",
    "leg",
    "account",
    "account_title",
    "debit_cents",
    "credit_cents",
    *rules.DIMENSIONS,
)
BALANCE_COLUMNS = ("account", "account_title", "ledger", "call_id", "grant_id", "debit_cents", "credit_cents", "balance_cents")  # fmt: skip


def journal_rows(*, as_of: AsOf | None = None) -> Iterator[tuple[Any, ...]]:
    """Every leg as one row of ``JOURNAL_COLUMNS``, by entry number and leg, streamed. One statement."""
    original = aliased(LedgerEntry)
    statement = (
        select(LedgerLeg, LedgerEntry, original.number, original.effective_on)
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .outerjoin(original, original.id == LedgerEntry.reverses_id)
        .order_by(LedgerEntry.number, LedgerLeg.position)
        .execution_options(yield_per=2_000)
    )
    moment = as_of or NOW
    if moment.recorded_before is not None:
        statement = statement.where(LedgerEntry.recorded_at < moment.recorded_before)
    if moment.effective_to is not None:
        statement = statement.where(LedgerEntry.effective_on <= moment.effective_to)
    for row, head, reversed_number, reversed_on in db.session.execute(statement):
        leg = _leg(row)
        yield (
            rules.reference(head.number, head.effective_on),
            head.event,
            head.effective_on,
            head.recorded_at,
            head.description,
            head.source_key,
            rules.reference(reversed_number, reversed_on) if reversed_number else None,
            row.position,
            leg.account.value,
            leg.account.label,
            leg.debit_cents,
            leg.credit_cents,
            *(getattr(leg.dims, name) for name in rules.DIMENSIONS),
        )


def balance_rows(*, as_of: AsOf | None = None) -> Iterator[tuple[Any, ...]]:
    """Every account by call and grant as one row of ``BALANCE_COLUMNS``. One statement."""
    for row in balances(as_of=as_of):
        yield (
            row.account.value,
            row.account.label,
            row.account.ledger.value,
            row.dims.call_id,
            row.dims.grant_id,
            row.debits.cents,
            row.credits.cents,
            row.amount.cents,
        )


# --- Checks ---------------------------------------------------------------------------------------------------------


def verify(*, as_of: AsOf | None = None) -> tuple[Problem, ...]:
    """What is wrong with the journal by itself, at most a hundred problems; empty is right.

    Per entry: balance in each ledger, two legs or more, its digest, its reversal. Per call and
    grant: I3, I6, floors now and after every entry. What needs other stages (maxima, ceilings,
    whether dimensions exist) is put together in oversight from the pure functions in rules.
    """
    checks = (_unbalanced, _changed_legs, _wrong_reversals, _below_floor_ever, lambda: _places(as_of))
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
        select(LedgerLeg.entry_id, ledger, func.sum(_net).label("cents"))
        .group_by(LedgerLeg.entry_id, ledger)
        .having(func.sum(_net) != 0)
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
    spelled = func.concat_ws(
        "|",
        LedgerLeg.account,
        LedgerLeg.side,
        _cents,
        *(func.coalesce(getattr(LedgerLeg, name).cast(Text), "") for name in rules.DIMENSIONS),
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
        .having(func.sum(_net) != 0)
    )
    statement = select(LedgerEntry.number, LedgerEntry.effective_on).where(LedgerEntry.id.in_(left))
    return [
        Problem(rules.reference(number, day), "this reversal is not the mirror image of what it reverses.")
        for number, day in db.session.execute(statement.order_by(LedgerEntry.number).limit(PROBLEMS_MAX))
    ]


def _below_floor_ever() -> list[Problem]:
    """Accounts that stood below zero after some entry, within their call or grant, in the order of posting."""
    found: list[Problem] = []
    for floor in (Floor.CALL, Floor.GRANT):
        accounts = [account for account in Account if CHART[account].floor is floor]
        credit_side = [account.value for account in accounts if account.normal_side is Side.CREDIT]
        place = getattr(LedgerLeg, floor.value)
        change = func.sum(case((LedgerLeg.account.in_(credit_side), -_net), else_=_net))
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
