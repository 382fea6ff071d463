"""Entries of the journal page by page, and one entry whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    exists,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import aliased

from grants.core.audit import AuditEvent, AuditSeal
from grants.core.db import db
from grants.core.errors import Invalid, NotFound
from grants.core.money import ZERO, Money, parse_money
from grants.core.paging import COUNTED_MAX, Page, Rows, Tally, cut
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, alone, ask, both, reader, side_by_side
from grants.ledger import rules
from grants.ledger.accounts import Account, Ledger, Side
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.queries.sums import credits_sum, debits_sum
from grants.ledger.rules import Dimensions, Event, Leg, natural


def legs(entry_id: UUID) -> rules.Legs:
    """The legs of one entry in their order."""
    found = db.session.scalars(select(LedgerLeg).where(LedgerLeg.entry_id == entry_id).order_by(LedgerLeg.position))
    return tuple(leg_of(row) for row in found)


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


def entries(actor: Actor, asked: EntryFilter, page: Page) -> Rows[EntryRow]:
    """The entries this person may see, newest effective day first; a page goes on after day and number of the last one.

    Two statements, or three with a running balance, whatever the length.
    """
    wanted = (visible(actor), *_asked(asked))
    counted = select(func.count()).select_from(select(LedgerEntry.id).where(*wanted).limit(COUNTED_MAX + 1).subquery())
    statement = select(LedgerEntry, counted.scalar_subquery().label("counted")).where(*wanted)
    if (key := _key(page.after)) is not None:
        statement = statement.where(tuple_(LedgerEntry.effective_on, LedgerEntry.number) < tuple_(*key))
    order = (LedgerEntry.effective_on.desc(), LedgerEntry.number.desc())
    rows = db.session.execute(statement.order_by(*order).limit(page.limit)).all()
    total = Tally.of(rows[0].counted) if rows else None
    on_page = cut(
        [row.LedgerEntry for row in rows],
        page,
        total=total,
        key=lambda entry: f"{entry.effective_on.isoformat()}.{entry.number}",
    )
    shown = on_page.items
    lines, others = alone(both(_legs_of.asking([entry.id for entry in shown]), _reversals.asking(shown)))
    moved = {entry.id: _moved(lines[entry.id], asked) for entry in shown}
    running = _running(actor, asked, shown, moved) if asked.runs and shown else {}
    made = tuple(
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
    return Rows(made, on_page.next_key, total=on_page.total, first=on_page.first)


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


@reader
def entry(actor: Actor, ref: str) -> Asking[EntryView]:
    """One entry this person may see; raises :class:`NotFound` for any other. Two statements."""
    number = rules.number_of(ref)
    rows = yield from ask(select(LedgerEntry).where(LedgerEntry.number == number, visible(actor)))
    if not rows or rules.reference(rows[0].number, rows[0].effective_on) != ref:
        raise NotFound
    found = rows[0]
    about: list[Asking[Any]] = [_reversals.asking([found]), _legs_of.asking([found.id]), _acts_behind(found.id)]
    others, lines, acts = yield from side_by_side(about)
    return EntryView(
        id=found.id,
        ref=ref,
        event=Event(found.event),
        source_key=found.source_key,
        effective_on=found.effective_on,
        recorded_at=found.recorded_at,
        description=found.description,
        legs=tuple(lines[found.id]),
        legs_sha256=found.legs_sha256,
        reverses=others.originals.get(found.id),
        reversed_by=others.by.get(found.id),
        acts=acts,
    )


def amount_of(lines: Sequence[Leg]) -> Money:
    """What an entry is about in one figure: the debit sum of its general ledger, else of its only one."""
    sums: dict[Ledger, int] = {}
    for leg in lines:
        sums[leg.account.ledger] = sums.get(leg.account.ledger, 0) + leg.debit_cents
    return Money(sums.get(Ledger.GENERAL) or max(sums.values(), default=0))


def visible(actor: Actor) -> ColumnElement[bool]:
    """Entries with a leg in the person's calls or grants, and none of a thing he or she is barred from."""
    barred = _barred(actor)
    return _in_reach(actor) if barred is None else _in_reach(actor) & ~barred


def leaves_out(actor: Actor) -> bool:
    """Whether a conflict keeps entries from a person who would read them: lists and sums then say so.

    Whatever a list is narrowed by: that an amount or a word is found in what is left out is nobody's to know.
    """
    barred = _barred(actor)
    if barred is None:
        return False
    return bool(db.session.scalar(select(exists().where(_in_reach(actor), barred).select_from(LedgerEntry))))


def _barred(actor: Actor) -> ColumnElement[bool] | None:
    """Entries that name a thing this person is barred from; None where there is none.

    Before a grant is signed its money is booked for its application, which the legs carry as their document; older
    entries of a reservation carry it in the key of what they book only.
    """
    calls, grants, applications = (actor.barred(kind) for kind in ("call", "grant", "application"))
    if not (calls or grants or applications):
        return None
    # An alias of its own: the statement around may read legs too.
    leg = aliased(LedgerLeg)
    named = or_(leg.call_id.in_(calls), leg.grant_id.in_(grants), leg.document_id.in_(applications))
    booked = func.split_part(LedgerEntry.source_key, ":", 3).in_([str(each) for each in applications])
    return or_(booked, exists().where(leg.entry_id == LedgerEntry.id, named))


def _in_reach(actor: Actor) -> ColumnElement[bool]:
    """Entries with a leg in a place where the person may read the ledger."""
    if actor.everywhere(Permission.LEDGER_READ):
        return true()
    calls = actor.places(Permission.LEDGER_READ, "call")
    grants = actor.places(Permission.LEDGER_READ, "grant")
    if not calls and not grants:
        return false()
    leg = aliased(LedgerLeg)
    return exists().where(leg.entry_id == LedgerEntry.id, or_(leg.call_id.in_(calls), leg.grant_id.in_(grants)))


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


@reader
def _legs_of(entry_ids: Sequence[UUID]) -> Asking[dict[UUID, list[Leg]]]:
    found: dict[UUID, list[Leg]] = {entry_id: [] for entry_id in entry_ids}
    statement = select(LedgerLeg).where(LedgerLeg.entry_id.in_(entry_ids))
    for row in (yield from ask(statement.order_by(LedgerLeg.entry_id, LedgerLeg.position))):
        found[row.entry_id].append(leg_of(row))
    return found


def leg_of(row: LedgerLeg) -> Leg:
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
        select(debits_sum, credits_sum)
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(
            visible(actor),
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


@reader
def _reversals(shown: Sequence[LedgerEntry]) -> Asking[_Reversals]:
    ids = [entry_row.id for entry_row in shown]
    wanted = {entry_row.reverses_id: entry_row.id for entry_row in shown if entry_row.reverses_id}
    columns = (LedgerEntry.id, LedgerEntry.reverses_id, LedgerEntry.number, LedgerEntry.effective_on)
    statement = select(*columns).where(or_(LedgerEntry.id.in_(wanted), LedgerEntry.reverses_id.in_(ids)))
    result = _Reversals({}, {})
    for entry_id, reverses_id, number, effective_on in (yield from ask(statement)):
        ref = rules.reference(number, effective_on)
        if entry_id in wanted:
            result.originals[wanted[entry_id]] = ref
        if reverses_id in ids:
            result.by[reverses_id] = ref
    return result


def _acts_behind(entry_id: UUID) -> Asking[tuple[ActLine, ...]]:
    statement = (
        select(
            *(AuditEvent.verb, AuditEvent.user_id, AuditEvent.recorded_at, AuditEvent.reason),
            *(AuditSeal.position, AuditSeal.hash),
        )
        .outerjoin(AuditSeal, AuditSeal.event_id == AuditEvent.id)
        .where(AuditEvent.object_kind == LedgerEntry.__tablename__, AuditEvent.object_id == entry_id)
        .order_by(AuditEvent.recorded_at)
    )
    return tuple(
        ActLine(verb, user_id, recorded_at, reason, position, seal.hex() if seal else None)
        for verb, user_id, recorded_at, reason, position, seal in (yield from ask(statement))
    )
