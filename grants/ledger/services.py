"""Posting and reversing: plain helpers that stages call inside their acts; nothing else writes the journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Text, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from grants.core import acts, faults
from grants.core.db import db, get
from grants.core.errors import Conflict, Refused
from grants.core.money import ZERO
from grants.ledger import queries, rules
from grants.ledger.accounts import CHART, floor_words
from grants.ledger.models import LedgerEntry, LedgerLeg, LedgerReading
from grants.ledger.rules import Event, Leg, Posting


def post(event: Event | str, *, source_key: str, effective_on: date, description: str, legs: Iterable[Leg]) -> UUID:
    """Write one balanced entry inside the running act and return its id: :func:`post_many` of one."""
    (entry_id,) = post_many([Posting(Event(event), source_key, effective_on, description, tuple(legs))])
    return entry_id


def post_many(postings: Sequence[Posting]) -> tuple[UUID, ...]:
    """Write balanced entries inside the running act, numbered in this order, and return the id of each.

    A ``source_key`` names the fact that is booked and is booked once: told again with the same event, day and legs it
    answers with the entry that stands (its words may differ) and writes nothing; told with others, or after that entry
    was reversed, it is a :class:`Conflict`. An account that would stand below zero within its call or grant after any of
    the entries refuses them all with :class:`Refused`: name what raises an account before what lowers it. Unbalanced
    legs are a programmer's error. The number of statements does not grow with the postings.
    """
    return _write(postings, reverses=None)


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
    mirror = rules.legs_e24(queries.legs(entry_id))
    words = f"Reversal of {ref}: {reason}"
    (reversal_id,) = _write(
        [Posting(Event.REVERSED, f"reversal:{entry_id}", effective_on, words, mirror)], reverses=entry_id
    )
    return reversal_id


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

# More places than this in one go hold the books as a whole: each lock takes room that all sessions of the server share.
PLACES_MAX = 1_000


def _recorded_at() -> datetime:
    """The act's moment, or the moment up to which the books were read meanwhile; the lock is held until the act ends."""
    known = _read_so_far()
    return acts.moment() if known is None else max(acts.moment(), known)


def _read_so_far() -> datetime | None:
    return db.session.scalar(select(func.max(LedgerReading.as_of)))


def _write(postings: Sequence[Posting], *, reverses: UUID | None) -> tuple[UUID, ...]:
    for posting in postings:
        rules.refuse_unbalanced(posting.legs)
    if not postings:
        return ()
    _lock([leg for posting in postings for leg in posting.legs])
    recorded_at = _recorded_at()
    known = _booked_already([posting.source_key for posting in postings])
    written: dict[UUID, rules.Legs] = {}
    for posting in postings:
        told = _Told(posting.event.value, posting.effective_on, rules.digest(posting.legs))
        if (earlier := known.get(posting.source_key)) is not None:
            _refuse_another_body(earlier, told)
            continue
        entry = _add(posting, told, recorded_at, reverses)
        known[posting.source_key] = _Booked(entry.id, told, None, None)
        written[entry.id] = posting.legs
    db.session.flush()
    acts.write_lines(
        LedgerLeg,
        [_line(entry_id, place, leg) for entry_id, legs in written.items() for place, leg in enumerate(legs, start=1)],
    )
    _assert_written(written)
    refuse_below_floor(tuple(written.values()))
    return tuple(known[posting.source_key].entry_id for posting in postings)


def _lock(legs: Sequence[Leg]) -> None:
    """Posts on one call, then one grant, queue behind each other, whatever rows their acts have locked.

    The floor below is a sum over legs, and a sum cannot be locked by rows. One order for all, so that two batches over
    the same grants wait and never block each other.
    """
    calls = {leg.dims.call_id for leg in legs if leg.dims.call_id}
    grants = {leg.dims.grant_id for leg in legs if leg.dims.grant_id}
    keys = [int.from_bytes(place.bytes[:8], signed=True) for place in (*sorted(calls), *sorted(grants))]
    if len(keys) > PLACES_MAX:
        db.session.execute(select(func.pg_advisory_xact_lock(_READING)))
        return
    db.session.execute(select(func.pg_advisory_xact_lock_shared(_READING)))
    if keys:
        # Row by row in the order of the array, as a function in the list of what is selected is called.
        each = func.unnest(literal(keys, ARRAY(BigInteger))).table_valued("key").render_derived()
        db.session.execute(select(func.pg_advisory_xact_lock(each.c.key)))


@dataclass(frozen=True, slots=True)
class _Told:
    """What of a posting must be the same for it to be the same fact; words may differ."""

    event: str
    effective_on: date
    legs_sha256: str


@dataclass(frozen=True, slots=True)
class _Booked:
    """An entry that stands under a source key, and the reference of what reversed it; without one where this act wrote it."""

    entry_id: UUID
    told: _Told
    ref: str | None
    reversed_by: str | None


def _booked_already(source_keys: Sequence[str]) -> dict[str, _Booked]:
    """What stands under these keys, by key. One statement."""
    undone = aliased(LedgerEntry)
    statement = (
        select(LedgerEntry, undone.number, undone.effective_on)
        .outerjoin(undone, undone.reverses_id == LedgerEntry.id)
        .where(LedgerEntry.source_key == any_(literal(list(source_keys), ARRAY(Text))))
    )
    return {
        row.source_key: _Booked(
            row.id,
            _Told(row.event, row.effective_on, row.legs_sha256),
            rules.reference(row.number, row.effective_on),
            None if number is None else rules.reference(number, day),
        )
        for row, number, day in db.session.execute(statement)
    }


def _refuse_another_body(earlier: _Booked, told: _Told) -> None:
    ref = earlier.ref or "another entry of the same act"
    if earlier.reversed_by is not None:
        raise Conflict(f"This was booked as {ref}, which {earlier.reversed_by} reversed. Book the right entry anew.")
    if earlier.told != told:
        raise Conflict(
            f"This was already booked as {ref}, with another day or other amounts. Reload the page to see what stands now."
        )


def _add(posting: Posting, told: _Told, recorded_at: datetime, reverses: UUID | None) -> LedgerEntry:
    entry = LedgerEntry(
        event=told.event,
        source_key=posting.source_key,
        effective_on=told.effective_on,
        recorded_at=recorded_at,
        description=posting.description,
        reverses_id=reverses,
        legs_sha256=told.legs_sha256,
    )
    db.session.add(entry)
    return entry


def _line(entry_id: UUID, position: int, leg: Leg) -> dict[str, Any]:
    dims = {name: getattr(leg.dims, name) for name in rules.DIMENSIONS}
    of_leg = {"account": leg.account.value, "side": leg.side.value, "cents": leg.amount}
    return {"entry_id": entry_id, "position": position, **of_leg, **dims}


def _assert_written(written: Mapping[UUID, rules.Legs]) -> None:
    meant = {
        entry_id: (sum(leg.debit_cents for leg in legs), sum(leg.credit_cents for leg in legs))
        for entry_id, legs in written.items()
    }
    assert queries.sides(list(meant)) == meant, "what was written is what was meant"


def refuse_below_floor(written: Sequence[rules.Legs]) -> None:
    """Refuse entries, already written in this order, one of which took an account below zero within its call or grant."""
    faults.point("ceiling")
    steps = rules.floor_steps(written)
    stands = queries.at_places({(step.account, step.place) for step in steps})
    for step, balance in zip(steps, rules.stands_after(steps, stands), strict=True):
        if step.taken and balance < ZERO:
            raise Refused(
                f"“{step.account.label}” of {floor_words(CHART[step.account].floor)} would fall to {balance}: "
                f"{step.taken} is taken from {balance + step.taken}. Take less, or raise what there is first."
            )
