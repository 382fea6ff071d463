"""Checkpoints of a real record: signed, sent out once, and whatever its owner does to the database afterwards is found."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event, func, select, update

from grants.core import acts, audit, audit_offline, checkpoints, clock, jobs, signing
from grants.core.acts import bookkeeping
from grants.core.audit import AuditEvent
from grants.core.audit_offline import Fault
from grants.core.checkpoints import AuditCheckpoint, AuditKey, OldKey
from grants.core.db import db
from grants.core.errors import NotAllowed, NotFound, Refused
from grants.core.faults import Fault as RaisedFault
from grants.core.jobs import Job, JobState
from grants.core.permissions import Actor, Permission, system_actor
from grants.identity.queries import actor_for, users_with
from grants.identity.states import Role
from grants.oversight import queries, services
from jobs import checks, schedule
from tests import actors
from tests.html import check_page
from tests.jobs.mail_server import MailServer
from tests.servers import Cluster

MAKER = system_actor("the program", (Permission.CHECKPOINT_MAKE,))
OPERATOR = system_actor("command line (ada)", (Permission.CHECKPOINT_KEY_REPLACE, Permission.AUDIT_READ))
KEPT_APART = "a-private-key-that-no-page-may-show"

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def events() -> int:
    """A record of six sealed events, not yet signed."""
    nuria = actors.nuria()
    for _ in range(6):
        services.request_checkpoint(nuria)
    return audit.seal_pending()


@pytest.fixture
def as_owner(postgres: Cluster, database: str) -> Iterator[psycopg.Connection]:
    """The database in the hands of somebody whom no trigger and no foreign key binds."""
    with psycopg.connect(postgres.dsn(database), autocommit=True) as connection:
        connection.execute(b"SET session_replication_role = replica")
        yield connection


def made() -> checkpoints.CheckpointView:
    """A checkpoint, left in its folder."""
    found = services.make_checkpoint(MAKER)
    checkpoints.leave(found)
    return found


def work_off() -> None:
    jobs.work_off(actor_of=actor_for)
    db.session.rollback()


def online() -> tuple[Fault, ...]:
    db.session.rollback()
    return checkpoints.verify().problems


def offline(folder: Path) -> audit_offline.Report:
    """The same as an auditor does it: the record as a file, and the checkpoints that left."""
    db.session.rollback()
    record = folder / "record.jsonl"
    record.write_bytes(b"".join(audit_offline.line_of(entry) for entry in audit.entries() if entry.event is not None))
    key = folder / "key.txt"
    key.write_text("\n".join(checkpoints.keys()))
    return audit_offline.verify_files(record, checkpoints.folder(), key)


# --- What a checkpoint is -------------------------------------------------------------------------------------------


def test_a_checkpoint_signs_the_end_of_the_record_and_is_an_act_itself(events: int, tmp_path: Path) -> None:
    view = made()

    assert (view.position, view.head) == (6, db.session.scalars(select(audit.AuditSeal.hash)).all()[-1].hex())
    assert checkpoints.verify().chain.report.checkpoints == 1
    verbs = db.session.scalars(select(AuditEvent.verb).order_by(AuditEvent.recorded_at)).all()
    assert verbs[-2:] == ["checkpoint.make", "checkpoint.make"]
    assert (online(), offline(tmp_path).faults) == ((), ())
    assert offline(tmp_path).proved == 6


def test_the_key_is_made_once_and_is_for_this_user_alone(events: int) -> None:
    first = made()
    services.request_checkpoint(actors.nuria())
    second = made()

    assert first.key == second.key
    assert checkpoints.keys() == (first.key,)
    assert stat.S_IMODE(signing.place().stat().st_mode) == 0o600


def test_the_file_that_leaves_says_what_the_row_says_and_is_never_overwritten(events: int) -> None:
    view = made()
    path = checkpoints.folder() / view.file_name

    checkpoints.leave(view)
    assert path.read_text() == view.note
    assert sorted(checkpoints.folder().iterdir()) == [path]
    path.write_text("something else")
    with pytest.raises(Refused, match="holds another checkpoint"):
        checkpoints.leave(view)
    assert path.read_text() == "something else"


def test_nothing_new_is_nothing_to_sign(events: int) -> None:
    with clock.at(clock.now()):
        first = made()
    # The checkpoint's own events wait for the sealer; while another seals, there is nothing new.
    with bookkeeping() as books:
        books.scalar(select(func.pg_try_advisory_xact_lock(7_261_001)))
        again = services.make_checkpoint(MAKER)

    assert again == first
    assert db.session.scalar(select(func.count()).select_from(AuditCheckpoint)) == 1


def test_a_record_without_events_has_nothing_to_sign() -> None:
    with pytest.raises(Refused, match="nothing to sign"):
        services.make_checkpoint(MAKER)


def test_a_broken_chain_is_not_signed(events: int, as_owner: psycopg.Connection) -> None:
    as_owner.execute(f"UPDATE audit_event SET verb = 'x' WHERE id = {SEALED.format(3)}".encode())

    with pytest.raises(Refused, match="Position 3: its event is not what was sealed"):
        services.make_checkpoint(MAKER)


def test_an_old_end_that_was_rewritten_is_not_signed_over(events: int, as_owner: psycopg.Connection) -> None:
    made()
    as_owner.execute(b"UPDATE audit_seal SET hash = '\\x00' WHERE position = 6")

    with pytest.raises(Refused, match="Position 6 is not what the last checkpoint proves"):
        services.make_checkpoint(MAKER)


@pytest.mark.parametrize("table", ["audit_checkpoint", "audit_key"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET version = 9", "TRUNCATE {} CASCADE"])
@pytest.mark.parametrize("role", ["grants_owner", "grants_program"])
def test_checkpoints_and_keys_only_ever_come(
    events: int, postgres: Cluster, database: str, table: str, statement: str, role: str
) -> None:
    made()

    with (
        psycopg.connect(postgres.dsn(database, role)) as connection,
        pytest.raises(psycopg.Error, match=r"append-only|permission denied"),
    ):
        connection.execute(statement.format(table).encode())


# --- Tampering, by whoever owns the database --------------------------------------------------------------------------

SEALED = "(SELECT event_id FROM audit_seal WHERE position = {})"


ADDED = (
    "INSERT INTO audit_event SELECT gen_random_uuid(), act_id, recorded_at, 'user.forged', user_id, on_behalf_of, "
    f"session_id, object_kind, object_id, object_version, reason, changes FROM audit_event WHERE id = {SEALED.format(3)}",
    "UPDATE audit_seal SET position = -position WHERE position >= 3",
    "UPDATE audit_seal SET position = 1 - position WHERE position < 0",
    "INSERT INTO audit_seal SELECT 3, event.id, seal.hash, seal.hash FROM audit_event event, audit_seal seal "
    "WHERE event.verb = 'user.forged' AND seal.position = 2",
)
SWAPPED = (
    "UPDATE audit_seal SET position = -3 WHERE position = 3",
    "UPDATE audit_seal SET position = 3 WHERE position = 4",
    "UPDATE audit_seal SET position = 4 WHERE position = -3",
)
CUT = (
    "DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_seal WHERE position > 4)",
    "DELETE FROM audit_seal WHERE position > 4",
    "DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_unsealed)",
    "DELETE FROM audit_unsealed",
)
TAMPERING = {
    "edit": (("UPDATE audit_event SET reason = 'x' WHERE id = " + SEALED.format(3),), 3),
    "edit of a hash": (("UPDATE audit_seal SET hash = previous_hash WHERE position = 3",), 3),
    "delete of an event": (("DELETE FROM audit_event WHERE id = " + SEALED.format(3),), 3),
    "delete of a seal": (("DELETE FROM audit_seal WHERE position = 3",), 3),
    "insert": (ADDED, 3),
    "reorder": (SWAPPED, 3),
    "cut": (CUT, 5),
}


@pytest.mark.parametrize("kind", TAMPERING)
def test_tampering_is_found_at_the_first_bad_position_online_and_offline(
    events: int, as_owner: psycopg.Connection, tmp_path: Path, kind: str
) -> None:
    made()
    audit.seal_pending()
    statements, position = TAMPERING[kind]

    for statement in statements:
        as_owner.execute(statement.encode())

    assert online()[0].position == position
    assert offline(tmp_path).faults[0].position == position
    assert offline(tmp_path).checked == position - 1


def test_a_tail_cut_and_sealed_anew_is_betrayed_by_the_file_that_left(
    events: int, as_owner: psycopg.Connection, tmp_path: Path
) -> None:
    made()
    audit.seal_pending()
    for statement in (*CUT, "DELETE FROM audit_checkpoint"):
        as_owner.execute(statement.encode())
    # The program goes on, none the wiser, and reaches the positions that were cut.
    for _ in range(4):
        services.request_checkpoint(actors.nuria())

    found = online()

    assert audit.verify().problem is None, "the chain alone shows nothing"
    assert found[0].position == 1
    assert "Between position 1 and 6 the record was rewritten" in found[0].words
    assert any("is not in the database" in fault.words for fault in found)
    assert offline(tmp_path).faults[0].position == 1


def test_a_checkpoint_forged_in_the_database_is_named(events: int, as_owner: psycopg.Connection) -> None:
    made()
    as_owner.execute(b"UPDATE audit_checkpoint SET position = 5")

    assert any("is not what was signed" in fault.words for fault in online())


def test_a_damaged_file_in_the_folder_is_named(events: int) -> None:
    view = made()
    (checkpoints.folder() / view.file_name).write_text(view.note.replace("made", "mode"))

    assert [fault.words for fault in online()] == [
        f"{checkpoints.folder() / view.file_name}: of 1 checkpoints 1 cannot be read."
    ]


def test_a_checkpoint_that_leaves_while_the_record_is_checked_is_no_alarm(events: int, app: Flask) -> None:
    """The moment the checkpoints of the database are read, another one is made and left by somebody else."""
    made()

    def leave_another() -> None:
        with app.app_context():
            services.request_checkpoint(actors.nuria())
            made()
            db.session.remove()

    def once_read(connection: object, cursor: object, statement: str, *more: object) -> None:
        if "FROM audit_checkpoint JOIN audit_key" in statement.replace("\n", "").replace("  ", " ") and not left:
            left.append(statement)
            other = threading.Thread(target=leave_another)
            other.start()
            other.join()

    left: list[str] = []
    event.listen(db.engine, "after_cursor_execute", once_read)
    try:
        found = online()
    finally:
        event.remove(db.engine, "after_cursor_execute", once_read)

    assert (len(left), found) == (1, ())
    assert len(list(checkpoints.folder().glob("checkpoint-*.txt"))) == 2


def test_an_event_kept_from_the_sealer_is_found_whatever_the_numbers_say(
    events: int, postgres: Cluster, database: str
) -> None:
    """The program's own role empties the sealer's inbox; a made-up entry in it would make the counts agree again."""
    services.request_checkpoint(actors.nuria())
    with psycopg.connect(postgres.dsn(database, "grants_program")) as connection:
        connection.execute(b"DELETE FROM audit_unsealed")
        connection.execute(b"INSERT INTO audit_unsealed VALUES (gen_random_uuid())")

    words = [fault.words for fault in online()]

    assert words[0].startswith("1 event is recorded but neither sealed nor waiting for it")
    assert "checkpoint.request" in words[0]
    assert words[1].startswith("1 waited to be sealed and are no longer there")


# --- Keys -------------------------------------------------------------------------------------------------------------


def replaced(old: OldKey = OldKey.HERE) -> checkpoints.CheckpointView:
    view = services.replace_checkpoint_key(OPERATOR, old)
    signing.put_in_place()
    checkpoints.leave(view)
    return view


def test_checkpoints_outlive_the_key_that_signed_them(events: int, tmp_path: Path) -> None:
    first = made()
    second = replaced()
    services.request_checkpoint(actors.nuria())
    third = made()

    report = offline(tmp_path)
    (tmp_path / "first.txt").write_text(first.key)
    with_first_only = audit_offline.verify_files(
        tmp_path / "record.jsonl", checkpoints.folder(), tmp_path / "first.txt"
    )

    assert (second.key, checkpoints.keys()) == (third.key, (third.key, first.key))
    assert (online(), report.faults, report.checkpoints) == ((), (), 3)
    assert (with_first_only.faults, with_first_only.checkpoints) == ((), 3)


def test_a_lost_key_is_followed_by_one_that_must_be_given_by_hand(events: int, tmp_path: Path) -> None:
    first = made()
    signing.place().unlink()
    with pytest.raises(Refused, match="replace-key --lost"):
        services.make_checkpoint(MAKER)

    second = replaced(OldKey.LOST)
    offline(tmp_path)
    (tmp_path / "first.txt").write_text(first.key)

    found = audit_offline.verify_files(tmp_path / "record.jsonl", checkpoints.folder(), tmp_path / "first.txt")
    assert online() == ()
    assert [fault.words for fault in found.faults] == [
        f"The checkpoint of {second.made_at:%Y-%m-%d %H:%M:%S} UTC over {second.position} positions is signed by key "
        f"{second.short_key}, which is none of those given."
    ]


def test_a_program_that_ended_between_the_act_and_the_file_finds_its_new_key(events: int) -> None:
    made()
    services.replace_checkpoint_key(OPERATOR, OldKey.HERE)

    services.request_checkpoint(actors.nuria())
    view = made()

    assert view.key == checkpoints.keys()[0]
    assert not signing.place().with_name("checkpoint_key.next").exists()


@pytest.mark.parametrize("old", OldKey)
def test_a_key_is_replaced_again_after_a_program_that_ended_before_the_file_was_put(events: int, old: OldKey) -> None:
    made()
    services.replace_checkpoint_key(OPERATOR, OldKey.HERE)

    view = replaced(old)

    assert (len(checkpoints.keys()), view.key) == (3, checkpoints.keys()[0])
    assert signing.at_hand(view.key).key == view.key
    assert not signing.place_of_next().exists()
    (note,) = audit_offline.notes_of(view.note, "the checkpoint")
    assert audit_offline.signed_by(note, checkpoints.keys()[1]) is (old is OldKey.HERE)
    assert online() == ()


def test_a_key_that_signed_already_is_no_new_key(events: int) -> None:
    made()
    signing.place_of_next().write_bytes(signing.place().read_bytes())

    with pytest.raises(Refused, match="holds no new key"):
        services.replace_checkpoint_key(OPERATOR, OldKey.HERE)
    assert len(checkpoints.keys()) == 1


def test_a_program_that_ended_between_the_key_and_the_act_uses_that_key(
    events: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRANTS_FAULT", "audit")
    with pytest.raises(RaisedFault):
        services.make_checkpoint(MAKER)
    key = signing.at_hand(None).key
    monkeypatch.delenv("GRANTS_FAULT")

    assert checkpoints.keys() == ()
    assert made().key == key


def test_a_second_machine_signs_nothing_with_a_key_of_its_own(events: int, app: Flask, tmp_path: Path) -> None:
    made()
    app.config["CHECKPOINT_KEY_FILE"] = str(tmp_path / "elsewhere" / "key")

    with pytest.raises(Refused, match="Copy the file from the machine that has it"):
        services.make_checkpoint(MAKER)
    signing._make(tmp_path / "elsewhere" / "key")
    with pytest.raises(Refused, match="holds another key than the one that signs"):
        services.make_checkpoint(MAKER)


@pytest.mark.parametrize("text", ["", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"])
def test_a_file_that_is_no_key_is_one_sentence(events: int, text: str) -> None:
    signing.place().write_text(text)

    with pytest.raises(Refused, match="is no private key in PEM form"):
        services.make_checkpoint(MAKER)


# --- They leave ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def server(app: Flask) -> Iterator[MailServer]:
    app.config.update(MAIL_FROM="Pilot Grants <grants@example.eu>", CHECKPOINT_MAIL_TO="court@example.eu, ")
    server = MailServer()
    app.config["SMTP_URL"] = server.url
    yield server
    server.stop()


def test_each_auditor_and_each_address_outside_gets_one_letter_from_which_the_checkpoint_can_be_read(
    events: int, server: MailServer
) -> None:
    actors.eva()
    work_off()  # What the events asked for.
    server.received.clear()
    services.request_checkpoint(actors.nuria())

    work_off()
    work_off()

    view = checkpoints.last()
    assert view is not None
    assert sorted(message["To"].rpartition("<")[2].rstrip(">") for message in server.messages) == sorted(
        ["court@example.eu", *(person.email for person in users_with(Permission.AUDIT_READ))]
    )
    for message in server.messages:
        (note,) = audit_offline.notes_of(message.get_content(), "the mail")
        assert audit_offline.signed_by(note, view.key)
    assert [way.to for way in queries.deliveries([view.id])[view.id]] == [
        "The folder of checkpoints",
        "Nuria Auditor",
        "court@example.eu",
    ]
    ways = queries.deliveries([view.id])[view.id]
    assert ways and all(way.arrived for way in ways)


def test_a_worker_killed_after_the_file_was_written_leaves_one_file(events: int) -> None:
    view = services.make_checkpoint(MAKER)
    job_id = db.session.scalars(select(Job.id).where(Job.name == "jobs.checks.leave_checkpoint")).one()
    attempt = jobs.claim(job_id, actor_of=actor_for, worker="killed")
    assert attempt is not None
    checks.leave_checkpoint(position=view.position)
    with bookkeeping() as books:
        books.execute(
            update(Job.__table__)
            .where(Job.__table__.c.id == job_id)
            .values(lease_until=func.clock_timestamp() - timedelta(seconds=1))
        )
    jobs.sweep()
    with bookkeeping() as books:
        books.execute(update(Job.__table__).values(run_after=func.clock_timestamp()))

    work_off()

    assert jobs.view(job_id).state is JobState.DONE
    assert len(list(checkpoints.folder().glob("checkpoint-*.txt"))) == db.session.scalar(
        select(func.count()).select_from(AuditCheckpoint)
    )


def test_a_folder_that_cannot_be_written_to_is_tried_again_and_then_seen(
    events: int, app: Flask, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    app.config["CHECKPOINT_FOLDER"] = str(tmp_path / "file")
    services.make_checkpoint(MAKER)
    assert queries.proofs().well

    for _ in range(6):
        work_off()
        with bookkeeping() as books:
            table = Job.__table__
            books.execute(update(table).where(table.c.state == "queued").values(run_after=func.clock_timestamp()))

    parked = db.session.scalars(select(Job).where(Job.state == "failed")).first()
    assert parked is not None and "cannot be written to" in str(parked.error)
    assert not queries.proofs().well
    assert "did not leave the system" in queries.proofs().words


def test_a_letter_that_never_left_is_seen_until_a_later_one_did_or_nobody_is_sent_one(events: int, app: Flask) -> None:
    def made_and_sent(states: dict[str, str]) -> None:
        """A checkpoint whose letters ended as told."""
        services.request_checkpoint(actors.nuria())
        app.config["CHECKPOINT_MAIL_TO"] = ", ".join(states)
        view = services.make_checkpoint(MAKER)
        table = Job.__table__
        ended = {"finished_at": func.clock_timestamp(), "lease_until": None}
        with bookkeeping() as books:
            for address, state in states.items():
                mine = (table.c.subject_id == view.id) & (table.c.args["address"].astext == address)
                error = "The mail server refuses this mail." if state == "failed" else None
                assert books.execute(update(table).where(mine).values(state=state, error=error, **ended)) == 1
        db.session.rollback()

    made_and_sent({"a@example.eu": "failed", "b@example.eu": "failed"})
    assert "2" in queries.proofs().words and not queries.proofs().well
    made_and_sent({"a@example.eu": "done", "b@example.eu": "failed"})
    assert not queries.proofs().well
    made_and_sent({"a@example.eu": "done"})
    assert queries.proofs().well


def test_a_night_without_a_checkpoint_is_seen(events: int) -> None:
    made()
    assert queries.proofs().well
    with clock.at(clock.now() + timedelta(hours=31)):
        assert (queries.proofs().well, queries.proofs().words) == (False, "the last one is 31 hours old")


def test_two_schedules_and_two_workers_make_one_checkpoint_a_day(app: Flask) -> None:
    actors.nuria()

    def both(step: Callable[[], object]) -> None:
        def inside() -> None:
            with app.app_context():
                step()
                db.session.remove()

        threads = [threading.Thread(target=inside) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    both(schedule.ask_for_nightly_checks)
    both(lambda: jobs.work_off(actor_of=actor_for))
    schedule.ask_for_nightly_checks()
    work_off()

    assert db.session.scalar(select(func.count()).select_from(AuditCheckpoint)) == 1
    assert len(list(checkpoints.folder().glob("checkpoint-*.txt"))) == 1
    assert db.session.scalar(select(func.count()).select_from(AuditKey)) == 1


# --- Pages --------------------------------------------------------------------------------------------------------------


def page(app: Flask, who: Actor, address: str) -> str:
    answer = actors.client_of(app, who).get(address)
    assert answer.status_code == 200, address
    check_page(answer)
    return answer.get_data(as_text=True)


def test_an_auditor_asks_by_a_button_and_a_worker_signs(app: Flask) -> None:
    nuria = actors.nuria()
    assert "No checkpoint yet" in page(app, nuria, "/audit/checkpoints")
    app.config["WTF_CSRF_ENABLED"] = False

    answer = actors.client_of(app, nuria).post("/audit/checkpoints")

    assert (answer.status_code, answer.location) == (303, "/audit/checkpoints")
    assert "A checkpoint is being made" in page(app, nuria, "/audit/checkpoints")
    work_off()
    view = checkpoints.last()
    assert view is not None
    found = page(app, nuria, "/audit/checkpoints")
    assert f"positions 1 to {view.position}" in found
    assert view.key.replace("+", "&#43;") in found or view.key in found
    assert "kept here, since no mail server is set" in found
    assert f"up to position {view.position}" in page(app, nuria, "/audit")


def test_the_text_and_the_key_are_open_to_everybody(app: Flask, events: int) -> None:
    client = app.test_client()
    assert client.get("/audit/key").status_code == 404
    view = made()

    assert client.get("/audit/key").get_data(as_text=True) == f"{view.key}\n"
    assert client.get(f"/audit/checkpoints/{view.position}.txt").get_data(as_text=True) == view.note
    assert client.get(f"/audit/checkpoints/{view.position + 1}.txt").status_code == 404


def test_who_may_ask_make_and_take_out(events: int) -> None:
    services.request_checkpoint(actors.ada())
    services.export_checkpoints(actors.nuria())
    for refused, who in (
        (services.request_checkpoint, actors.fin()),
        (services.make_checkpoint, actors.nuria()),
        (services.export_checkpoints, actors.ada()),
    ):
        with pytest.raises(NotAllowed):
            refused(who)
    with pytest.raises(NotAllowed):
        services.replace_checkpoint_key(actors.ada(), OldKey.HERE)
    here = actors.person("Ola Auditor")
    local = actors.give(here, Role.AUDITOR, "call", uuid4())
    for refused in (services.request_checkpoint, services.export_checkpoints):
        with pytest.raises(NotFound):
            refused(local)


def test_no_page_reads_the_private_key(app: Flask, events: int) -> None:
    """With a file in its place that is no key the record is shown as before, and no page at all shows it."""
    made()
    signing.place().write_text(KEPT_APART)
    shown: list[str] = []

    for who in (actors.nuria(), actors.ada()):
        client = actors.client_of(app, who)
        for rule in app.url_map.iter_rules():
            if "GET" in (rule.methods or ()) and not rule.arguments:
                answer = client.get(rule.rule)
                text = answer.get_data()
                assert answer.status_code == 200 or not rule.rule.startswith("/audit"), rule.rule
                shown += [rule.rule] if KEPT_APART.encode() in text or b"PRIVATE KEY" in text else []
    assert shown == []


def test_the_list_costs_the_same_whatever_its_length(app: Flask, events: int) -> None:
    from tests.oversight.conftest import statements

    nuria = actors.nuria()
    counts = []
    for _ in range(2):
        made()
        with statements() as seen:
            page(app, nuria, "/audit/checkpoints")
        counts.append(len(seen))
        for _ in range(3):
            services.request_checkpoint(nuria)
            made()

    assert counts[0] == counts[1]


def test_an_id_of_nobody_is_no_checkpoint() -> None:
    assert queries.deliveries([UUID(int=1)]) == {UUID(int=1): []}
    assert acts.words("checkpoint.make", "x") == "signed a checkpoint of the record"
