"""Who did what: append-only events written by acts, sealed afterwards into one hash chain, and checked again.

Acts only insert rows. A sealer lays the chain in batches, so that writers in a deadline storm
never wait for the head of a chain, as transparency logs do it. What holds is judged by ``audit_offline``,
which knows neither database nor program.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, Uuid, delete, exists, func, insert, inspect, select
from sqlalchemy.orm import Mapped, mapped_column

from grants.core import audit_offline
from grants.core.audit_offline import GENESIS, Entry, Fault, Notes, Report, chained
from grants.core.db import Base, db, points_to
from grants.core.money import Money

SEAL_BATCH = 5_000
_SEALER_LOCK = 7_261_001


class ActRow(Base):
    """One act that was done: verb, person, moment, and its result for a repeated idempotency key."""

    __tablename__ = "act"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    verb: Mapped[str]
    done_at: Mapped[datetime] = mapped_column(index=True)
    user_id: Mapped[UUID | None] = mapped_column(index=True)
    on_behalf_of: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    result: Mapped[dict[str, Any] | None]


class ActKey(Base):
    """The idempotency key of an act: the same person sending the same form twice finds it here."""

    __tablename__ = "act_key"

    owner: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    input_digest: Mapped[bytes] = mapped_column(LargeBinary)
    act_id: Mapped[UUID] = mapped_column(points_to("act.id"))


class AuditEvent(Base):
    """One changed row of one act, or the act's own mark where it changed none (an audited read)."""

    __tablename__ = "audit_event"
    __table_args__ = (Index("ix_audit_event_object", "object_kind", "object_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    act_id: Mapped[UUID] = mapped_column(points_to("act.id"), index=True)
    recorded_at: Mapped[datetime] = mapped_column(index=True)
    verb: Mapped[str]
    user_id: Mapped[UUID | None]
    on_behalf_of: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    object_kind: Mapped[str]
    object_id: Mapped[UUID | None]
    object_version: Mapped[int | None]
    reason: Mapped[str | None]
    changes: Mapped[dict[str, Any]]


class AuditSeal(Base):
    """The chain: gapless positions, each hash covering its event and the hash before it."""

    __tablename__ = "audit_seal"

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[UUID] = mapped_column(points_to("audit_event.id"), unique=True)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditUnsealed(Base):
    """Events that wait for the sealer; a trigger of the database fills it."""

    __tablename__ = "audit_unsealed"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)


class SupersededRow(Base):
    """A declaration or an answer as it stood before it was replaced; the database itself writes it, nobody changes it."""

    __tablename__ = "superseded_row"
    __audited__ = False
    __table_args__ = (Index("ix_superseded_row_of", "table_name", "row_id", "row_version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    table_name: Mapped[str]
    row_id: Mapped[UUID]
    row_version: Mapped[int]
    content: Mapped[dict[str, Any]]


class RemovedRow(Base):
    """To what a removed row belonged: one line for each id it held, so that its acts are found and named for good."""

    __tablename__ = "removed_row"
    __audited__ = False

    row_id: Mapped[UUID] = mapped_column(primary_key=True)
    way: Mapped[str] = mapped_column(primary_key=True)
    table_name: Mapped[str]
    above_id: Mapped[UUID] = mapped_column(index=True)


class SecurityEvent(Base):
    """What was refused or tried: failed sign-ins, acts refused, reads out of scope. Never rolled back with the act."""

    __tablename__ = "security_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[str]
    user_id: Mapped[UUID | None] = mapped_column(index=True)
    session_id: Mapped[UUID | None]
    detail: Mapped[dict[str, Any]]


_AS_IT_IS = frozenset({bool, int, str, type(None)})
# What else thousands of rows are full of, by its exact type.
_SPELLED: Mapping[type, Callable[[Any], Any]] = {UUID: str, date: date.isoformat, Money: lambda money: money.cents}


def plain_value(value: Any) -> Any:
    """A column's value as JSON with one spelling each: cents for money, ISO in UTC for moments."""
    # Nearly all of what is audited: asked once, by its exact type, it costs a fifth of the cases below.
    if type(value) in _AS_IT_IS:
        return value
    if (spelled := _SPELLED.get(type(value))) is not None:
        return spelled(value)
    match value:
        case None | bool() | int() | str() if not isinstance(value, Enum):
            return value
        case Enum():
            return str(value.value)
        case Money():
            return value.cents
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case date():
            return value.isoformat()
        case UUID() | Fraction():
            return str(value)
        case bytes():
            return hashlib.sha256(value).hexdigest()
        case dict():
            return {str(key): plain_value(item) for key, item in value.items()}
        case list() | tuple():
            return [plain_value(item) for item in value]
        case frozenset() | set():
            return sorted(plain_value(item) for item in value)
    raise TypeError(f"{type(value).__name__} has no audited form")


def canonical(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8. The bytes that hashes cover."""
    return _CANONICAL.encode(plain_value(value)).encode()


# Made once: it takes longer to make than most of what it writes.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def changes_of(row: Any, *, created: bool, deleted: bool) -> dict[str, Any]:
    """``{column: [before, after]}`` of one row about to be flushed, in the way each column declares."""
    if created:
        # What was never given is not there and has no history to ask for.
        model: type[Base] = type(row)
        return changes_of_new(model, row.id, inspect(row).dict)
    found: dict[str, Any] = {}
    state = inspect(row)
    model = type(row)
    for key, manner in _audited(model):
        if deleted:
            pair = [getattr(row, key), None]
        else:
            history = state.attrs[key].history
            before = history.deleted[0] if history.deleted else None
            if not history.added or history.added[0] == before:
                continue
            pair = [before, history.added[0]]
        found[key] = [_as_audited(item, manner, row.id) for item in pair]
    return found


def changes_of_new(model: type[Base], row_id: UUID, values: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a row that is new, by its values."""
    return {
        key: [None, _as_audited(value, manner, row_id)]
        for key, manner in _audited(model)
        if (value := values.get(key)) is not None
    }


@functools.cache
def _audited(model: type[Base]) -> tuple[tuple[str, str], ...]:
    """The columns of a table that are on the record, each with its manner."""
    manners = ((each.key, each.columns[0].info.get("audit", "plain")) for each in inspect(model).column_attrs)
    return tuple((key, manner) for key, manner in manners if manner != "none")


def held_by(row: Any) -> Iterator[dict[str, Any]]:
    """The lines of :class:`RemovedRow` for one row about to be removed."""
    for attribute in inspect(row).mapper.column_attrs:
        column = attribute.columns[0]
        above = getattr(row, attribute.key)
        if isinstance(column.type, Uuid) and column.name != "id" and above is not None:
            yield {"row_id": row.id, "way": column.name, "table_name": row.__tablename__, "above_id": above}


def _as_audited(value: Any, manner: str, row_id: UUID) -> Any:
    if value is None or manner == "plain":
        return plain_value(value)
    # The row's id is the salt: equal names of two people do not show as equal.
    return "sha256:" + hashlib.sha256(str(row_id).encode() + b"\0" + canonical(value)).hexdigest()


def seal_pending() -> int:
    """Give every committed, unsealed event its position; returns how many. One sealer at a time, others return 0."""
    from grants.core.acts import bookkeeping

    sealed = 0
    while True:
        with bookkeeping() as books:
            if not books.scalar(select(func.pg_try_advisory_xact_lock(_SEALER_LOCK))):
                return sealed
            waiting = (
                select(AuditEvent.id)
                .join(AuditUnsealed, AuditUnsealed.event_id == AuditEvent.id)
                .order_by(AuditEvent.recorded_at, AuditEvent.id)
                .limit(SEAL_BATCH)
            )
            batch = books.scalars(
                delete(AuditUnsealed).where(AuditUnsealed.event_id.in_(waiting)).returning(AuditUnsealed.event_id)
            )
            if not batch:
                return sealed
            columns = AuditEvent.__table__.c
            statement = (
                select(AuditEvent.__table__).where(columns.id.in_(batch)).order_by(columns.recorded_at, columns.id)
            )
            last = books.rows(select(AuditSeal.position, AuditSeal.hash).order_by(AuditSeal.position.desc()).limit(1))
            position, previous = (last[0].position, last[0].hash) if last else (0, GENESIS)
            seals = []
            for event in books.rows(statement):
                position += 1
                digest = chained(previous, canonical(dict(event._mapping)))
                seals.append({"position": position, "event_id": event.id, "previous_hash": previous, "hash": digest})
                previous = digest
            books.execute(insert(AuditSeal), seals)
            sealed += len(seals)


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What a check of the record found: how many events were sealed first, and the report on all of them."""

    sealed_now: int
    report: Report

    @property
    def checked(self) -> int:
        return self.report.checked

    @property
    def head(self) -> str:
        return self.report.head.hex()

    @property
    def problem(self) -> str | None:
        """The first fault."""
        return next((fault.words for fault in self.report.faults), None)


def verify(notes: Notes | None = None, *, keys: int = 0) -> ChainCheck:
    """Seal what is pending, then recompute the whole chain and hold it against checkpoints; the first bad position is named."""
    sealed = seal_pending()
    with closing(entries()) as chain:
        report = audit_offline.walked(chain, notes or Notes(), keys)
    return ChainCheck(sealed, replace(report, faults=(*report.faults, *_beside_the_chain())))


def _beside_the_chain() -> Iterator[Fault]:
    """Events that are neither sealed nor wait for it, and waiting ones that are not there; one statement each sees one moment."""
    sealed = exists().where(AuditSeal.event_id == AuditEvent.id)
    waiting = exists().where(AuditUnsealed.event_id == AuditEvent.id)
    apart = select(AuditEvent.id, AuditEvent.verb, AuditEvent.recorded_at, func.count().over().label("many")).where(
        ~sealed, ~waiting
    )
    found = db.session.execute(apart.order_by(AuditEvent.recorded_at, AuditEvent.id).limit(1)).one_or_none()
    if found is not None:
        events = "1 event is" if found.many == 1 else f"{found.many} events are"
        yield Fault(
            None,
            f"{events} recorded but neither sealed nor waiting for it: taken out of the chain, or put in, outside the program. "
            f"The first is {found.id}, {found.verb}, {plain_value(found.recorded_at)}.",
        )
    gone = exists().where(AuditEvent.id == AuditUnsealed.event_id)
    missing = db.session.execute(
        select(AuditUnsealed.event_id, func.count().over().label("many")).where(~gone).limit(1)
    ).one_or_none()
    if missing is not None:
        yield Fault(
            None, f"{missing.many} waited to be sealed and are no longer there, for example {missing.event_id}."
        )


def entries(after: int = 0) -> Generator[Entry]:
    """Every position after ``after`` in order, with the canonical bytes of its event, streamed."""
    events = AuditEvent.__table__
    seals = AuditSeal.__table__
    statement = (
        select(seals.c.position, seals.c.previous_hash, seals.c.hash, events)
        .select_from(seals.outerjoin(events, events.c.id == seals.c.event_id))
        .where(seals.c.position > after)
        .order_by(seals.c.position)
        .execution_options(yield_per=2_000)
    )
    names = [column.name for column in events.c]
    with db.session.execute(statement) as rows:
        for position, previous, digest, *values in rows:
            # The event's own columns by their place: both tables may come to have columns of one name.
            event = None if values[0] is None else canonical(dict(zip(names, values, strict=True)))
            yield Entry(position, previous, digest, event)
