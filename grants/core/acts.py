"""Acts: the only way to write. One transaction, one permission check, one audit record, its jobs queued in it.

Connections open read-only, so PostgreSQL itself refuses every write outside an act. ``commit`` is
said in this file only: once for acts, once for bookkeeping (machinery without audit), once for tests.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import logging
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import JSON, Insert, Table, Text, bindparam, cast, column, event, func, insert, select
from sqlalchemy import inspect as inspect_row
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from grants.core import audit, clock, encoding, faults
from grants.core.audit import ActKey, ActRow, AuditEvent, RemovedRow, SecurityEvent
from grants.core.books import Books, WriteOutsideAct
from grants.core.connections import hold_next, write_next
from grants.core.db import Base, db
from grants.core.errors import Conflict, GrantsError, NotAllowed, NotFound, OnlyLooked, Refused
from grants.core.permissions import Actor, Permission, Scope

log = logging.getLogger(__name__)

_AUDIT_EVENT = typing.cast(Table, AuditEvent.__table__)
_REMOVED_ROW = typing.cast(Table, RemovedRow.__table__)

P = ParamSpec("P")
R = TypeVar("R")

# A deadlock or a serialisation failure is tried again this often before the person is told.
ATTEMPTS_MAX = 3
_RETRYABLE = {"40001", "40P01"}


class ActInsideAct(RuntimeError):
    """A programmer's error: acts share plain functions, they never call each other."""


@dataclass(slots=True)
class Running:
    """The act in progress."""

    id: UUID
    verb: str
    actor: Actor
    moment: datetime
    subject: tuple[str, UUID] | None = None
    reason: str | None = None
    changes: list[tuple[Any, str, dict[str, Any]]] = field(default_factory=list)
    # What was written past the session: the kind of each, its id and its values.
    written: list[tuple[str, UUID, dict[str, Any]]] = field(default_factory=list)
    removed: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RegisteredAct:
    """What the structure tests and the permission table of an auditor read about an act."""

    verb: str
    needs: Permission | None
    module: str
    name: str
    says: str


REGISTRY: dict[str, RegisteredAct] = {}

_running: ContextVar[Running | None] = ContextVar("running_act", default=None)
_arranging: ContextVar[bool] = ContextVar("arranging", default=False)
_once: ContextVar[str | None] = ContextVar("act_key", default=None)
_did: ContextVar[str | None] = ContextVar("act_key_done", default=None)
_only_looking: ContextVar[bool] = ContextVar("only_looking", default=False)
# Set by the job runner: called at the end of each act of a job, so that done is written with the effect.
fence: ContextVar[Callable[[], None] | None] = ContextVar("job_fence", default=None)
current_job: ContextVar[UUID | None] = ContextVar("current_job", default=None)


def words(verb: str, subject: str) -> str:
    """What an act did to a thing, after a name: what the act itself says, so that no second list can lag behind."""
    known = REGISTRY.get(verb)
    if known is None:
        return f"recorded “{verb.replace('.', ': ').replace('_', ' ')}”"
    return " ".join(known.says.replace("{subject}", subject).split())


def act(
    verb: str, *, needs: Permission | None, scope: Callable[..., Scope] | None = None, says: str
) -> Callable[[Callable[Concatenate[Actor, P], R]], Callable[Concatenate[Actor, P], R]]:
    """Make a function an act.

    ``verb`` is ``thing.verb`` and appears in the audit record. ``needs`` is checked before
    anything is read; ``None`` only for acts by which somebody becomes an actor (sign-in, an invitation).
    ``scope`` takes the act's first argument after the actor, reads under a lock, and says where the
    thing lies: out of scope or barred answers as if the thing were not there. ``says`` is what the
    record tells people: it follows a name (“Otto Berg authorised payment order PCP-2022-P-0003”),
    and ``{subject}`` in it stands for the thing's reference.

    Raises what the function raises, :class:`NotAllowed`, :class:`NotFound`, and :class:`Conflict`
    when an idempotency key comes back with other input.
    """

    def decorate(function: Callable[Concatenate[Actor, P], R]) -> Callable[Concatenate[Actor, P], R]:
        assert verb not in REGISTRY, f"two acts are called {verb}"
        REGISTRY[verb] = RegisteredAct(verb, needs, function.__module__, function.__name__, says)

        @functools.wraps(function)
        def perform(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if _running.get() is not None:
                raise ActInsideAct(f"{verb} was called inside {_running.get().verb}")  # type: ignore[union-attr]  # checked above
            if _only_looking.get():
                raise OnlyLooked("This is kept on the record when it is taken. Ask for it whole.")
            if needs is not None and not actor.can(needs):
                note_security("act.refused", actor=actor, verb=verb, why="permission")
                raise NotAllowed(
                    f"You need the permission \u201c{needs}\u201d for this. Ask your administrator who has it.", needs
                )
            key = _once.get()
            _once.set(None)  # One key, one act: a second act of the same request is not mistaken for the first.
            for attempt in range(1, ATTEMPTS_MAX + 1):
                try:
                    return _perform_once(function, verb, scope, key, actor, args, kwargs)
                except DBAPIError as error:
                    if getattr(error.orig, "sqlstate", None) not in _RETRYABLE or attempt == ATTEMPTS_MAX:
                        raise
                    log.info("%s is tried again after %s", verb, type(error.orig).__name__)
            raise AssertionError("the loop returns or raises")

        perform.act = REGISTRY[verb]  # type: ignore[attr-defined]  # read by structure tests
        return perform

    return decorate


def _perform_once(
    function: Callable[..., R],
    verb: str,
    scope: Callable[..., Scope] | None,
    key: str | None,
    actor: Actor,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> R:
    session = db.session
    if session.new or session.dirty or session.deleted:
        raise WriteOutsideAct(f"{verb} found changes made before it began")
    session.rollback()
    _open_for_writing(session.connection())
    running = Running(id=uuid4(), verb=verb, actor=actor, moment=clock.now())
    token = _running.set(running)
    try:
        if key is not None:
            earlier = _claim_key(running, key, function, args, kwargs)
            if earlier is not None:
                session.rollback()
                return typing.cast(R, encoding.decode(earlier.result, _return_type(function)))
        if scope is not None:
            _check_scope(actor, REGISTRY[verb].needs, scope(*args[:1] or tuple(kwargs.values())[:1]))
        result = function(actor, *args, **kwargs)
        session.flush()
        # After the function and before COMMIT, and so it must stay: where the function caught a database error and went on,
        # the transaction is aborted, and PostgreSQL answers a COMMIT of it with a silent ROLLBACK. This write fails then.
        _record(running, result if key is not None else None)
        _close_fence()
        # What is only checked at the end is checked by this.
        session.commit()
    except GrantsError as error:
        session.rollback()
        note_security("act.refused", actor=actor, verb=verb, why=type(error).__name__)
        raise
    except IntegrityError as error:
        session.rollback()
        if getattr(error.orig, "sqlstate", None) == "23505":
            raise Conflict("Somebody did this a moment ago. Reload the page to see what stands now.") from error
        raise
    except BaseException:
        session.rollback()
        raise
    finally:
        _running.reset(token)
    if key is not None:
        _did.set(key)
    for job in running.jobs:
        job.ring()
    return result


def _open_for_writing(connection: Connection) -> None:
    """The word that begins the transaction says it; the connection forgets it when it is given back to the pool."""
    write_next(_driver(connection))


def _driver(connection: Connection) -> Any:
    """The connection as psycopg knows it."""
    return connection.connection.driver_connection


def _claim_key(
    running: Running, key: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> ActRow | None:
    """Insert the key first: a rival with the same key waits here until this act ends, then finds its result."""
    owner = str(running.actor.user_id or running.actor.name)
    digest = hashlib.sha256(
        audit.canonical([running.verb, encoding.encode(list(args)), encoding.encode(dict(kwargs))])
    ).digest()
    table = typing.cast(Table, ActKey.__table__)
    claim = (
        upsert(table)
        .values(owner=owner, key=key, input_digest=digest, act_id=running.id)
        .on_conflict_do_nothing()
        .returning(table.c.key)
    )
    # RETURNING and not the row count, which the driver does not give for an upsert.
    if _write(claim).scalar_one_or_none() is not None:
        return None
    earlier = db.session.execute(
        select(ActKey.input_digest, ActRow)
        .join(ActRow, ActRow.id == ActKey.act_id)
        .where(ActKey.owner == owner, ActKey.key == key)
    ).one()
    if earlier.input_digest != digest:
        raise Conflict(
            "This form was already sent with other values. Reload the page, look at what was stored, and change it there."
        )
    return typing.cast(ActRow, earlier.ActRow)


def _return_type(function: Callable[..., Any]) -> Any:
    return typing.get_type_hints(inspect.unwrap(function)).get("return", type(None))


def _check_scope(actor: Actor, needs: Permission | None, where: Scope) -> None:
    faults.point("scope")
    if where.keys & actor.barred_from() or (needs is not None and not actor.may(needs, where)):
        raise NotFound


def _record(running: Running, result: Any) -> None:
    """One event per changed row, or one for the act itself; and the act's own row."""
    actor = running.actor
    common = {
        "act_id": running.id,
        "recorded_at": running.moment,
        "verb": running.verb,
        "user_id": actor.user_id,
        "on_behalf_of": actor.on_behalf_of,
        "session_id": actor.session_id,
        "reason": running.reason,
    }
    changed = [(kind, row.id, row.version, changes) for row, kind, changes in running.changes]
    changed += [(kind, row_id, 1, changes) for kind, row_id, changes in running.written]
    events = [
        {
            **common,
            "id": uuid4(),
            "object_kind": kind,
            "object_id": object_id,
            "object_version": version,
            "changes": changes,
        }
        for kind, object_id, version, changes in changed
    ]
    if not events:
        kind, object_id = running.subject or (running.verb.partition(".")[0], None)
        events = [
            {
                **common,
                "id": uuid4(),
                "object_kind": kind,
                "object_id": object_id,
                "object_version": None,
                "changes": {},
            }
        ]
    faults.point("audit")
    # The table and not the class: what is only written needs none of the session's bookkeeping.
    if events[1:]:
        _write_many(_AUDIT_EVENT, events[1:])
    if running.removed:
        # A row that came back with its id and goes again is known already.
        _write(upsert(_REMOVED_ROW).on_conflict_do_nothing(), running.removed)
    done = {
        "done_at": running.moment,
        "job_id": current_job.get(),
        "result": None if result is None else {"value": encoding.encode(result)},
    }
    _write(_event_and_act(), {**events[0], **done})


@functools.cache
def _event_and_act() -> Insert:
    """The first event and the act's own row in one statement, put together once: every act ends with it."""
    act_row = typing.cast(Table, ActRow.__table__)
    same = {"id": "act_id", **{name: name for name in ("verb", "user_id", "on_behalf_of", "session_id")}}
    given = {column.name: bindparam(same.get(column.name, column.name), type_=column.type) for column in act_row.c}
    done = insert(act_row).values(given).cte("done")
    event = {column.name: bindparam(column.name, type_=column.type) for column in _AUDIT_EVENT.c}
    return insert(_AUDIT_EVENT).values(event).add_cte(done)


def _close_fence() -> None:
    guard = fence.get()
    if guard is not None:
        guard()


def _write(statement: Any, values: Any = None) -> Any:
    """A Core statement of the core itself, let through by the gate."""
    return db.session.execute(statement, values, execution_options={"core_write": True})


core_write = _write


def write_lines(model: type[Base], lines: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows of an act in one go, past the session, which takes ten times as long for them.

    Only for rows without an id of their own, which the record of the row they belong to covers (legs by their digest).
    """
    running_act()
    table = typing.cast(Table, model.__table__)
    assert "id" not in table.c, f"{table.name} is audited row by row"
    if lines:
        _write_many(table, lines)


def write_new(model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many new rows of an act in one go, past the session; the record tells of each as if the session had.

    Given is what each row is, with its id, and the same columns of all; the act gives them its moment and their first version.
    """
    running = running_act()
    table = typing.cast(Table, model.__table__)
    if rows:
        _write_many(table, [{**row, "created_at": running.moment, "version": 1} for row in rows])
        running.written += [(table.name, row["id"], audit.changes_of_new(model, row["id"], row)) for row in rows]


def _write_many(table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows as one statement of one parameter: a parameter for each value takes most of the time that thousands of rows take."""
    told = json.dumps(rows, default=audit.plain_value, ensure_ascii=False)
    _write(_from_json(table, tuple(rows[0])), {"rows": told})


@functools.cache
def _from_json(table: Table, names: tuple[str, ...]) -> Insert:
    """The statement that takes rows of these columns as one text, put together once."""
    told = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
    given = told.table_valued(*(column(name, table.c[name].type) for name in names))
    rows = given.render_derived(name="given", with_types=True)
    return insert(table).from_select(list(names), select(*(rows.c[name] for name in names)), include_defaults=False)


def running_act() -> Running:
    """The act in progress; a programmer's error outside one."""
    running = _running.get()
    if running is None:
        raise WriteOutsideAct("This belongs inside an act.")
    return running


def moment() -> datetime:
    """The act's own time, the same for everything it writes."""
    return running_act().moment


def today() -> date:
    """The day of the act, as it is in Brussels."""
    return clock.in_zone(moment()).date()


def subject(kind: str, object_id: UUID) -> None:
    """Name what the act is about where no row changes (an audited read)."""
    running_act().subject = (kind, object_id)


def reason(text: str) -> None:
    """Keep the person's reason with every event of the act."""
    running_act().reason = text


@contextmanager
def once(key: str | None) -> Iterator[None]:
    """Give the next act an idempotency key: the form's for a person, a natural one for a job."""
    offered, done = _once.set(key), _did.set(None)
    try:
        yield
    finally:
        _did.reset(done)
        _once.reset(offered)


@contextmanager
def none_while(looking: bool) -> Iterator[None]:
    """No act is begun while somebody only looks, as a request for the head of an answer does: :class:`OnlyLooked`."""
    token = _only_looking.set(looking)
    try:
        yield
    finally:
        _only_looking.reset(token)


def offer_key(key: str) -> None:
    """Give the next act of this request its form's key; the caller stands inside :func:`once`, which forgets it."""
    _once.set(key)


def did(key: str) -> bool:
    """Whether the act under this key was done here, inside this :func:`once`, and not by an earlier sending of the form."""
    return _did.get() == key


@event.listens_for(Session, "before_flush")
def _gate(session: Session, context: UOWTransaction, instances: Any) -> None:
    """Refuse writes outside an act; inside one, stamp new rows and collect what changes."""
    # Each of these is put together anew whenever it is asked for.
    new, gone = session.new, session.deleted
    touched = [*new, *(row for row in session.dirty if session.is_modified(row)), *gone]
    if not touched:
        return
    running = _running.get()
    if running is None and not _arranging.get():
        raise WriteOutsideAct(f"{type(touched[0]).__name__} was about to be written outside an act.")
    when = running.moment if running else clock.now()
    for row in touched:
        created, deleted = row in new, row in gone
        if hasattr(row, "version"):
            if created:
                row.created_at = row.created_at or when
            row.version = 1 if created else row.version + (deleted or _is_work(row))
        # Wherever a list shows how long something has been as it is.
        if hasattr(row, "state_since") and (created or inspect_row(row).attrs["state"].history.has_changes()):
            row.state_since = when
        if running is not None and getattr(row, "__audited__", True) and hasattr(row, "id"):
            changes = audit.changes_of(row, created=created, deleted=deleted)
            if changes:
                running.changes.append((row, row.__tablename__, changes))
            if deleted:
                running.removed += audit.held_by(row)


def _is_work(row: Any) -> bool:
    """Whether more changed than what the program works out of rows: that alone makes no open form stale."""
    state = inspect_row(row)
    columns = ((attribute.key, attribute.columns[0].info) for attribute in state.mapper.column_attrs)
    return any("derived" not in info and state.attrs[key].history.has_changes() for key, info in columns)


@event.listens_for(Session, "do_orm_execute")
def _only_reads(state: ORMExecuteState) -> None:
    """Bulk statements pass the flush; they are refused unless the core marks them as its own."""
    if state.is_select or state.is_column_load or state.is_relationship_load:
        if state.execution_options.get("yield_per"):
            hold_next(_driver(state.session.connection()))
        return
    if not state.execution_options.get("core_write"):
        raise WriteOutsideAct("Rows are changed one by one inside acts, never by a bulk statement.")


@contextmanager
def bookkeeping() -> Iterator[Books]:
    """A transaction of its own for machinery (leases, last-seen, the seal): no audit, closed list of tables."""
    with db.engine.connect() as connection:
        _open_for_writing(connection)
        yield Books(connection)
        connection.commit()


def note_security(kind: str, *, actor: Actor | None = None, **detail: Any) -> None:
    """Write a security event, after whatever happened was rolled back. Never raises into the refusal it reports."""
    values = {
        "id": uuid4(),
        "recorded_at": clock.now(),
        "kind": kind,
        "user_id": actor.user_id if actor else None,
        "session_id": actor.session_id if actor else None,
        "detail": audit.plain_value(detail),
    }
    try:
        with bookkeeping() as books:
            books.execute(insert(SecurityEvent).values(**values))
    except DBAPIError:
        log.exception("a security event could not be written: %s", kind)


@contextmanager
def arranging() -> Iterator[None]:
    """Tests only: arrange rows directly, without permission or audit; everything is committed at the end."""
    session = db.session
    session.rollback()
    _open_for_writing(session.connection())
    token = _arranging.set(True)
    try:
        yield
        session.flush()
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        _arranging.reset(token)


__all__ = [
    "REGISTRY",
    "Refused",
    "WriteOutsideAct",
    "act",
    "arranging",
    "bookkeeping",
    "did",
    "moment",
    "note_security",
    "offer_key",
    "once",
    "reason",
    "subject",
]
