"""Acts on a real PostgreSQL: nothing is written outside them, and what they write is audited, sealed and done once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from grants.core import acts, audit
from grants.core.acts import ActInsideAct, WriteOutsideAct, act, arranging, bookkeeping, once
from grants.core.audit import ActRow, AuditEvent, AuditSeal, SecurityEvent
from grants.core.db import db, get, locked
from grants.core.errors import Conflict, NotAllowed, NotFound, Refused
from grants.core.faults import Fault
from grants.core.permissions import EVERYWHERE, Actor, Permission, Scope
from tests.conftest import Note
from tests.servers import Cluster
from tests.statements import statements

pytestmark = pytest.mark.usefixtures("app")


@dataclass(frozen=True)
class NoteView:
    id: UUID
    text: str


def scope_of(note_id: UUID) -> Scope:
    return Scope.of(("note", locked(Note, note_id).id))


@act("note.write", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def write(actor: Actor, words: str, *, secret: str | None = None) -> NoteView:
    note = Note(text=words, secret=secret)
    db.session.add(note)
    return NoteView(note.id, note.text)


@act("note.change", needs=Permission.CALL_MANAGE, scope=scope_of, says="did a thing of the tests")
def change(actor: Actor, note_id: UUID, words: str) -> None:
    locked(Note, note_id).text = words


@act("note.refuse", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def refuse(actor: Actor) -> None:
    db.session.add(Note(text="half written"))
    db.session.flush()
    raise Refused("The limit is one note. Delete the other first.")


@act("note.nest", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def nest(actor: Actor) -> None:
    write(actor, "inside")


MANAGER = Actor(uuid4(), "Ingrid", frozenset({(Permission.CALL_MANAGE.value, EVERYWHERE)}))
NOBODY = Actor(uuid4(), "Nobody")


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_an_act_cannot_be_written_without_its_sentence() -> None:
    with pytest.raises(TypeError, match="says"):
        act("note.silent", needs=Permission.CALL_MANAGE)

    assert "note.silent" not in acts.REGISTRY
    assert acts.REGISTRY["note.write"].says == "did a thing of the tests"


def test_an_act_writes_its_row_its_event_and_itself() -> None:
    made = write(MANAGER, "first", secret="Jane")

    event = db.session.scalars(select(AuditEvent)).one()
    assert get(Note, made.id).text == "first"
    assert (event.verb, event.object_kind, event.object_id, event.user_id) == (
        "note.write",
        "note",
        made.id,
        MANAGER.user_id,
    )
    assert event.changes["text"] == [None, "first"]
    assert event.changes["secret"][1].startswith("sha256:")
    assert count(ActRow) == 1


def test_a_change_keeps_the_value_before_and_raises_the_version() -> None:
    made = write(MANAGER, "first")
    change(MANAGER, made.id, "second")

    last = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "note.change")).one()
    assert last.changes == {"text": ["first", "second"]}
    assert get(Note, made.id).version == 2


def test_the_permission_is_checked_and_its_lack_noted() -> None:
    with pytest.raises(NotAllowed, match="call:manage"):
        write(NOBODY, "no")

    assert count(Note) == 0
    assert count(SecurityEvent) == 1


def test_out_of_scope_and_barred_look_as_if_not_there() -> None:
    made = write(MANAGER, "first")
    elsewhere = Actor(uuid4(), "Else", frozenset({(Permission.CALL_MANAGE.value, ("note", uuid4()))}))
    barred = Actor(MANAGER.user_id, "Ingrid", MANAGER.granted, bars=frozenset({("note", made.id)}))

    for actor in (elsewhere, barred):
        with pytest.raises(NotFound):
            change(actor, made.id, "tampered")
    assert get(Note, made.id).text == "first"


def test_a_refused_act_leaves_nothing_and_no_key() -> None:
    with once("k"), pytest.raises(Refused):
        refuse(MANAGER)

    assert (count(Note), count(AuditEvent), count(ActRow), count(audit.ActKey)) == (0, 0, 0, 0)


def test_the_same_key_gives_the_same_result_once() -> None:
    with once("k"):
        first = write(MANAGER, "first")
    with once("k"):
        again = write(MANAGER, "first")

    assert again == first
    assert count(Note) == 1


def test_the_same_key_with_other_input_is_a_conflict() -> None:
    with once("k"):
        write(MANAGER, "first")

    with once("k"), pytest.raises(Conflict, match="other values"):
        write(MANAGER, "second")
    assert count(Note) == 1


def test_an_act_inside_an_act_is_refused() -> None:
    with pytest.raises(ActInsideAct):
        nest(MANAGER)

    assert count(Note) == 0


def test_a_row_added_outside_an_act_is_refused() -> None:
    db.session.add(Note(text="sneaky"))

    with pytest.raises(WriteOutsideAct):
        db.session.flush()
    db.session.rollback()


@pytest.mark.parametrize("statement", [insert(Note).values(id=uuid4(), text="x"), update(Note).values(text="x")])
def test_bulk_statements_are_refused_by_the_session(statement: object) -> None:
    with pytest.raises(WriteOutsideAct):
        db.session.execute(statement)
    db.session.rollback()


def test_raw_sql_outside_an_act_is_refused_by_the_database() -> None:
    with db.engine.connect() as connection, pytest.raises(DBAPIError, match="read-only transaction"):
        connection.execute(text("UPDATE note SET text = 'x'"))


def test_a_connection_is_read_only_again_after_an_act() -> None:
    write(MANAGER, "first")

    with pytest.raises(DBAPIError, match="read-only transaction"):
        db.session.connection().exec_driver_sql("DELETE FROM note")
    db.session.rollback()


def test_bookkeeping_takes_machinery_only() -> None:
    with pytest.raises(WriteOutsideAct, match="not machinery"), bookkeeping() as books:
        books.execute(insert(Note.__table__).values(id=uuid4(), text="x"))


@pytest.mark.parametrize("table", ["act", "audit_event", "audit_seal"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET {} = {}", "TRUNCATE {} CASCADE"])
@pytest.mark.parametrize("role", ["grants_owner", "grants_program"])
def test_history_is_not_changed_by_either_role(
    app: Flask, postgres: Cluster, database: str, table: str, statement: str, role: str
) -> None:
    write(MANAGER, "first")
    audit.seal_pending()
    column = "position" if table == "audit_seal" else "id"
    sql = statement.format(table, column, column)

    with (
        psycopg.connect(postgres.dsn(database, role)) as connection,
        pytest.raises(psycopg.Error, match=r"append-only|permission denied"),
    ):
        connection.execute(sql.encode())


@pytest.mark.parametrize("fault", ["audit", "scope"])
def test_a_fault_in_a_guard_writes_nothing(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    made = write(MANAGER, "first")
    monkeypatch.setenv("GRANTS_FAULT", fault)

    with pytest.raises(Fault):
        change(MANAGER, made.id, "second")
    assert get(Note, made.id).text == "first"


@pytest.fixture
def sealed() -> Iterator[int]:
    for number in range(5):
        write(MANAGER, f"note {number}")
    yield audit.seal_pending()


def test_the_chain_is_gapless_and_verifies(sealed: int) -> None:
    check = audit.verify()

    assert (sealed, check.checked, check.problem) == (5, 5, None)
    assert db.session.scalars(select(AuditSeal.position).order_by(AuditSeal.position)).all() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("tampering", "words"),
    [
        (
            "UPDATE audit_event SET verb = 'x' WHERE id = (SELECT event_id FROM audit_seal WHERE position = 3)",
            "Position 3",
        ),
        ("DELETE FROM audit_seal WHERE position = 3", "Position 3 is missing"),
        ("DELETE FROM audit_seal WHERE position = 5", "1 event is recorded but neither sealed nor waiting for it"),
    ],
)
def test_tampering_by_the_owner_is_found(
    sealed: int, postgres: Cluster, database: str, tampering: str, words: str
) -> None:
    with psycopg.connect(postgres.dsn(database)) as connection:
        connection.execute(b"SET session_replication_role = replica")
        connection.execute(tampering.encode())

    problem = audit.verify().problem
    assert problem is not None
    assert words in problem


def test_tests_may_arrange_rows_without_an_audit() -> None:
    with arranging():
        db.session.add(Note(text="arranged"))

    assert (count(Note), count(AuditEvent)) == (1, 0)


def test_every_act_is_registered_with_its_permission() -> None:
    assert acts.REGISTRY["note.change"].needs is Permission.CALL_MANAGE


def test_a_row_that_was_locked_is_asked_for_once_and_after_the_act_again() -> None:
    note = write(MANAGER, "first")
    seen: list[list[str]] = []

    @act("note.look", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
    def look(actor: Actor) -> None:
        with statements() as before:
            get(Note, note.id)
            get(Note, note.id)
        locked(Note, note.id).text = "second"
        db.session.flush()
        with statements() as after:
            assert get(Note, note.id).text == "second"
        seen.extend((before, after))

    look(MANAGER)
    with statements() as outside:
        assert get(Note, note.id).text == "second"

    assert [len(each) for each in (*seen, outside)] == [2, 0, 1]
