"""Entries of the journal page by page, and one entry whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    cast,
    exists,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased

from grants.core import clock
from grants.core.audit import AuditEvent, AuditSeal
from grants.core.db import db
from grants.core.errors import Invalid, NotFound
from grants.core.money import ZERO, Money, parse_money
from grants.core.paging import COUNTED_MAX, Page, Rows, Tally, cut
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, alone, ask, both, reader, side_by_side
from grants.ledger import rules
from grants.ledger.accounts import Account, Ledger, Side
from grants.ledger.models import LEDGER_MONTH, LedgerEntry, LedgerLeg
from grants.ledger.queries.sums import leg_net
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
    """What a list of entries shows; every field narrows it. ``effective_before`` is the first day left out, and
    ``recorded_before`` the first moment: what was recorded from then on is as if it were not there yet.

    Places are of one leg: an entry is shown that has a leg with all of them.
    """

    account: Account | None = None
    events: tuple[Event, ...] = ()
    fund_source_id: UUID | None = None
    call_id: UUID | None = None
    grant_id: UUID | None = None
    organisation_ids: tuple[UUID, ...] = ()
    category: str | None = None
    period: str | None = None
    document_id: UUID | None = None
    effective_from: date | None = None
    effective_before: date | None = None
    recorded_before: datetime | None = None
    text: str = ""
    # Grants the text also stands for: the caller found them by the name of a city or a reference.
    text_grant_ids: tuple[UUID, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether a running balance means something: one account, and nothing left out but by place and period."""
        return self.account is not None and not self.events and not self.text.strip()

    def holds(self, leg: Leg) -> bool:
        """Whether a leg lies in all the places that are asked for."""
        dims = leg.dims
        return (
            self.account in (None, leg.account)
            and self.fund_source_id in (None, dims.fund_source_id)
            and self.call_id in (None, dims.call_id)
            and self.grant_id in (None, dims.grant_id)
            and (not self.organisation_ids or dims.organisation_id in self.organisation_ids)
            and self.category in (None, dims.category)
            and self.period in (None, dims.period)
            and self.document_id in (None, dims.document_id)
        )


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
    counted = _counted(actor, asked).subquery()
    number = select(func.count()).select_from(counted).scalar_subquery()
    statement = select(LedgerEntry, number.label("counted")).where(*wanted, *_within_months(asked))
    if (key := entry_key(page.after)) is not None:
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
    lines, others = alone(
        both(
            _legs_of.asking([entry.id for entry in shown]),
            _reversals.asking(shown, recorded_before=asked.recorded_before),
        )
    )
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
    if asked.events:
        conditions.append(LedgerEntry.event.in_([event.value for event in asked.events]))
    if asked.effective_from is not None:
        conditions.append(LedgerEntry.effective_on >= asked.effective_from)
    if asked.effective_before is not None:
        conditions.append(LedgerEntry.effective_on < asked.effective_before)
    if asked.recorded_before is not None:
        conditions.append(LedgerEntry.recorded_at < asked.recorded_before)
    lines = _asked_legs(asked)
    if lines:
        conditions.append(exists().where(LedgerLeg.entry_id == LedgerEntry.id, *lines))
    if asked.text.strip():
        conditions.append(_matches(asked.text.strip(), asked.text_grant_ids))
    return conditions


def _counted(actor: Actor, asked: EntryFilter) -> Select[Any]:
    """The entries that are counted, one more than counting goes.

    Where only places of legs are asked for they are read from an index of those places, in the order of their entries.
    """
    lines = _asked_legs(asked)
    by_legs = (
        lines
        and _sees_all(actor)
        and not (
            asked.events
            or asked.text.strip()
            or asked.effective_from
            or asked.effective_before
            or asked.recorded_before
        )
    )
    if by_legs:
        found = select(LedgerLeg.entry_id).where(*lines).distinct().order_by(LedgerLeg.entry_id)
    else:
        found = select(LedgerEntry.id).where(visible(actor), *_asked(asked))
    return found.limit(COUNTED_MAX + 1)


def _sees_all(actor: Actor) -> bool:
    """Whether no entry is kept from this person."""
    return actor.everywhere(Permission.LEDGER_READ) and _barred(actor) is None


def _within_months(asked: EntryFilter) -> list[ColumnElement[bool]]:
    """From the first month to the last in which anything was booked in the one place asked for: outside there is nothing to
    look through, however long the ledger is. Of two places at once there are few legs, which are found without it."""
    kept = [column == value for column, value in _of_month(asked).items() if value is not None]
    if len(kept) != 1 or not _kept_by_month(asked):
        return []
    months = LEDGER_MONTH.c.effective_month
    if asked.effective_before is not None:
        kept.append(months < asked.effective_before)
    first, last = (select(end(months)).where(*kept).scalar_subquery() for end in (func.min, func.max))
    after_last = cast(last + func.make_interval(0, 1), Date)
    return [LedgerEntry.effective_on >= first, LedgerEntry.effective_on < after_last]


def _of_month(asked: EntryFilter) -> dict[Any, Any]:
    """The places for which months keep sums, as they are asked for."""
    months = LEDGER_MONTH.c
    return {
        months.account: asked.account,
        months.fund_source_id: asked.fund_source_id,
        months.call_id: asked.call_id,
    }


def _asked_legs(asked: EntryFilter) -> list[ColumnElement[bool]]:
    wanted = {
        LedgerLeg.account: asked.account.value if asked.account else None,
        LedgerLeg.fund_source_id: asked.fund_source_id,
        LedgerLeg.call_id: asked.call_id,
        LedgerLeg.grant_id: asked.grant_id,
        LedgerLeg.category: asked.category,
        LedgerLeg.period: asked.period,
        LedgerLeg.document_id: asked.document_id,
    }
    found = [column == value for column, value in wanted.items() if value is not None]
    return [*found, LedgerLeg.organisation_id.in_(asked.organisation_ids)] if asked.organisation_ids else found


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


def entry_key(after: str | None) -> tuple[date, int] | None:
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
        if asked.holds(leg):
            moved += leg.amount if leg.grows else -leg.amount
    return moved


def _running(
    actor: Actor, asked: EntryFilter, shown: Sequence[LedgerEntry], moved: dict[UUID, Money]
) -> dict[UUID, Money]:
    """The balance after each shown entry: one sum up to the newest, then stepwise back. One statement."""
    assert asked.account is not None, "a running balance runs on one account"
    newest = shown[0]
    parts = (
        sums_until(asked, newest) if _sees_all(actor) and _kept_by_month(asked) else [_whole_sum(actor, asked, newest)]
    )
    net = sum(int(cents) for (cents,) in db.session.execute(union_all(*parts)))
    stands = natural(asked.account, net, 0)
    result = {}
    for entry_row in shown:
        result[entry_row.id] = stands
        stands = stands - moved[entry_row.id]
    return result


def _kept_by_month(asked: EntryFilter) -> bool:
    """Whether the months keep sums for the places asked for; of any other place there are few legs, found by an index."""
    return not (asked.grant_id or asked.organisation_ids or asked.category or asked.period or asked.document_id)


def _whole_sum(actor: Actor, asked: EntryFilter, newest: LedgerEntry) -> Select[Any]:
    """Every leg up to an entry that this person may see."""
    statement = (
        select(func.coalesce(func.sum(leg_net), 0))
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(visible(actor), *_asked_legs(asked), _up_to(newest))
    )
    return statement if asked.recorded_before is None else statement.where(_known(asked.recorded_before))


def sums_until(asked: EntryFilter, newest: LedgerEntry) -> list[Select[Any]]:
    """Selects whose sum is what was debited less what was credited on an account up to an entry.

    Whole months come from the sums that the database keeps; legs are read of the months that are cut alone: by the moment
    asked for, and by the entry's day, from whichever end of its month is nearer.
    """
    first = newest.effective_on.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    from_end = newest.effective_on - first > following - newest.effective_on
    bound = following if from_end else first
    months = LEDGER_MONTH.c
    kept = select(func.coalesce(func.sum(months.debits - months.credits), 0)).where(
        months.effective_month < bound,
        *(column == value for column, value in _of_month(asked).items() if value is not None),
    )
    net = func.sum(leg_net)
    legs = select(func.coalesce(net, 0)).join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
    legs = legs.where(*_asked_legs(asked))
    if from_end:
        by_day = legs.with_only_columns(func.coalesce(-net, 0), maintain_column_froms=True).where(
            LedgerEntry.effective_on < following, _place() > _place_of(newest)
        )
    else:
        by_day = legs.where(LedgerEntry.effective_on >= first, _up_to(newest))
    if (known := asked.recorded_before) is None:
        return [kept, by_day]
    first_moment = month_of(known)
    by_moment = legs.where(
        LedgerEntry.effective_on < bound, _up_to(newest), LedgerEntry.recorded_at >= first_moment, _known(known)
    )
    # What the kept sums hold too much, from the end of the month, they hold of what was recorded in whole months.
    return [
        kept.where(months.recorded_month < first_moment.date()),
        by_day.where(_known(first_moment if from_end else known)),
        by_moment,
    ]


def month_of(moment: datetime) -> datetime:
    """The first moment of the month in which something was recorded, in UTC as the database reckons it."""
    return clock.as_utc(moment).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _up_to(newest: LedgerEntry) -> ColumnElement[bool]:
    return _place() <= _place_of(newest)


def _place() -> Any:
    return tuple_(LedgerEntry.effective_on, LedgerEntry.number)


def _place_of(entry_row: LedgerEntry) -> Any:
    return tuple_(entry_row.effective_on, entry_row.number)


def _known(recorded_before: datetime) -> ColumnElement[bool]:
    return LedgerEntry.recorded_at < recorded_before


@dataclass(frozen=True, slots=True)
class _Reversals:
    """References by entry id: of what an entry reverses, and of what reverses it."""

    originals: dict[UUID, str]
    by: dict[UUID, str]


@reader
def _reversals(shown: Sequence[LedgerEntry], *, recorded_before: datetime | None = None) -> Asking[_Reversals]:
    ids = [entry_row.id for entry_row in shown]
    wanted = {entry_row.reverses_id: entry_row.id for entry_row in shown if entry_row.reverses_id}
    columns = (LedgerEntry.id, LedgerEntry.reverses_id, LedgerEntry.number, LedgerEntry.effective_on)
    statement = select(*columns).where(or_(LedgerEntry.id.in_(wanted), LedgerEntry.reverses_id.in_(ids)))
    if recorded_before is not None:
        statement = statement.where(_known(recorded_before))
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
