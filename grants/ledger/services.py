"""Posting and reversing: plain helpers that stages call inside their acts; nothing else writes the journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select

from grants.core import acts, faults
from grants.core.db import db, get
from grants.core.errors import Conflict, Refused
from grants.core.money import ZERO, Money
from grants.ledger import queries, rules
from grants.ledger.accounts import CHART, Account, Floor, floor_words
from grants.ledger.models import LedgerEntry, LedgerLeg, LedgerReading
from grants.ledger.rules import Event, Leg


def post(event: Event | str, *, source_key: str, effective_on: date, description: str, legs: Iterable[Leg]) -> UUID:
    """Write one balanced entry inside the running act and return its id.

    ``source_key`` names the fact that is booked (``payment_order:<id>:sent``) and may be booked
    once: a second time is a :class:`Conflict`. An account that may not fall below zero within its
    call or grant refuses the entry with :class:`Refused`. Unbalanced legs are a programmer's error.
    """
    return _write(Event(event), source_key, effective_on, description, tuple(legs), reverses=None)


def reverse(entry_id: UUID, *, effective_on: date, reason: str) -> UUID:
    """Write the mirror image of an entry (E24), at most once for each, and return its id."""
    original = get(LedgerEntry, entry_id)
    ref = rules.reference(original.number, original.effective_on)
    if original.event == Event.REVERSED:
        raise Refused(f"{ref} is itself a reversal. Post the right entry anew instead of reversing it.")
    earlier = db.session.scalar(select(LedgerEntry).where(LedgerEntry.reverses_id == entry_id))
    if earlier is not None:
        again = rules.reference(earlier.number, earlier.effective_on)
        raise Conflict(f"{ref} was already reversed by {again}. An entry is reversed once.")
    return _write(
        Event.REVERSED,
        f"reversal:{entry_id}",
        effective_on,
        f"Reversal of {ref}: {reason}",
        rules.legs_e24(queries.legs(entry_id)),
        reverses=entry_id,
    )


def read_up_to(as_of: datetime) -> None:
    """Fix what the books say up to a moment, inside the running act, before they are read for a statement.

    Waits for every act that is posting now, whatever moment it carries; whatever is posted later is
    recorded at ``as_of`` or after. So a statement of that moment says the same whenever it is made.
    """
    if (known := _read_so_far()) is not None and known >= as_of:
        return
    db.session.execute(select(func.pg_advisory_xact_lock(_READING)))
    db.session.add(LedgerReading(as_of=as_of))
    db.session.flush()


# The books as a whole: shared by acts that post, held alone for a moment by one that reads up to a moment.
_READING = int.from_bytes(b"reading!", signed=True)


def _recorded_at() -> datetime:
    """The act's moment, or the moment up to which the books were read meanwhile; the lock is held until the act ends."""
    db.session.execute(select(func.pg_advisory_xact_lock_shared(_READING)))
    known = _read_so_far()
    return acts.moment() if known is None else max(acts.moment(), known)


def _read_so_far() -> datetime | None:
    return db.session.scalar(select(func.max(LedgerReading.as_of)))


def _write(
    event: Event, source_key: str, effective_on: date, description: str, legs: rules.Legs, *, reverses: UUID | None
) -> UUID:
    rules.refuse_unbalanced(legs)
    recorded_at = _recorded_at()
    _lock(legs)
    earlier = db.session.scalar(select(LedgerEntry).where(LedgerEntry.source_key == source_key))
    if earlier is not None:
        ref = rules.reference(earlier.number, earlier.effective_on)
        raise Conflict(f"This was already booked as {ref}. Reload the page to see what stands now.")
    entry = LedgerEntry(
        event=event.value,
        source_key=source_key,
        effective_on=effective_on,
        recorded_at=recorded_at,
        description=description,
        reverses_id=reverses,
        legs_sha256=rules.digest(legs),
    )
    db.session.add(entry)
    for position, leg in enumerate(legs, start=1):
        db.session.add(_row(entry.id, position, leg))
    db.session.flush()
    assert rules.differences(queries.legs(entry.id)) == rules.differences(legs), "what was written is what was meant"
    refuse_below_floor(legs)
    return entry.id


def _lock(legs: Sequence[Leg]) -> None:
    """Posts on one call, then one grant, queue behind each other, whatever rows their acts have locked.

    The floor below is a sum over legs, and a sum cannot be locked by rows.
    """
    calls = {leg.dims.call_id for leg in legs if leg.dims.call_id}
    grants = {leg.dims.grant_id for leg in legs if leg.dims.grant_id}
    for place in (*sorted(calls), *sorted(grants)):
        key = int.from_bytes(place.bytes[:8], signed=True)
        db.session.execute(select(func.pg_advisory_xact_lock(key)))


def _row(entry_id: UUID, position: int, leg: Leg) -> LedgerLeg:
    dims = {name: getattr(leg.dims, name) for name in rules.DIMENSIONS}
    return LedgerLeg(
        entry_id=entry_id,
        position=position,
        account=leg.account.value,
        side=leg.side.value,
        cents=leg.amount,
        **dims,
    )


def refuse_below_floor(legs: Sequence[Leg]) -> None:
    """Refuse legs, already written, that took an account below zero within its call or grant."""
    faults.point("ceiling")
    lowered: dict[tuple[Account, UUID], Money] = {}
    for leg in legs:
        floor = CHART[leg.account].floor
        place = None if floor is Floor.NONE else getattr(leg.dims, floor.value)
        if place is not None and not leg.grows:
            lowered[leg.account, place] = lowered.get((leg.account, place), ZERO) + leg.amount
    for (account, place), amount in lowered.items():
        floor = CHART[account].floor
        stands = queries.balance(
            account,
            call_id=place if floor is Floor.CALL else None,
            grant_id=place if floor is Floor.GRANT else None,
        )
        if stands < ZERO:
            raise Refused(
                f"“{account.label}” of {floor_words(floor)} would fall to {stands}: "
                f"{amount} is taken from {stands + amount}. Take less, or raise what there is first."
            )
