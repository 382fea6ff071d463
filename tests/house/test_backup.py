"""Everything as one file and back again: what comes back is what was there, and what is no backup is refused in words."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select

from config import Config
from grants import local
from grants.agreements.models import Grant
from grants.app import create_app
from grants.cli import build_cli
from grants.cli.backup import _moment, _refuse_unless_empty
from grants.core import audit, clock, files
from grants.core.acts import act
from grants.core.db import db, get
from grants.core.errors import NotAllowed, Refused
from grants.core.money import euros
from grants.core.permissions import Actor, Permission, system_actor
from grants.identity.queries import person_by_email
from grants.local import archive, dumping
from grants.oversight import services
from grants.payments import queries as payments
from grants.payments import services as paying
from grants.payments.models import PaymentBatch
from grants.payments.rules import DecisionInput
from grants.payments.rules.pay_runs import FileInput, FileLayout
from tests import actors, servers
from tests.conftest import cloned, settings_for
from tests.payments.test_services import authorised
from tests.payments.world import IN_FORCE, world
from tests.programs import lending
from tests.worlds import World, Worlds

LETTER = b"%PDF-1.7 a letter to keep"
LETTER_SHA = hashlib.sha256(LETTER).hexdigest()
PLACE = f"files/{LETTER_SHA[:2]}/{LETTER_SHA[2:4]}/{LETTER_SHA}"
SAID = {
    "program": "1",
    "made_at": "2026-01-01T00:00:00+00:00",
    "migration": "0001",
    "server_major": 18,
    "dumped_by_major": 18,
    "demo_mark": "",
    "audit_position": 0,
    "audit_hash": "",
    "counts": {},
}
KEEPER = system_actor("keeper", (Permission.FILE_READ,))


@act("letter.keep", needs=Permission.FILE_READ, says="kept a letter of the backup tests")
def keep_letter(actor: Actor) -> None:
    files.keep_bytes(
        LETTER, name="letter.pdf", media_type="application/pdf", kind="note", object_id=uuid4(), role="letter"
    )


@dataclass(frozen=True)
class Place:
    """An installation: its settings, and the command on it."""

    settings: Config

    def grants(self, *words: str) -> Result:
        with lending() as program_of:
            cli = build_cli(lambda: self.settings, program_of)
            return CliRunner().invoke(cli, words, catch_exceptions=False)

    def ask(self, statement: str) -> object:
        with local.connect(self.settings.DATABASE_OWNER_URL) as owner:
            row = owner.execute(statement.encode()).fetchone()
        return None if row is None else row[0]


def installed() -> None:
    with clock.at(IN_FORCE):
        world()
    keep_letter(KEEPER)


@pytest.fixture(scope="session")
def installed_world(worlds: Worlds) -> World[None]:
    return worlds.of(installed)


@pytest.fixture
def here(app: Flask, settings: Config, installed_world: World[None]) -> Place:
    """An installation with people, money, a file and a record."""
    return Place(replace(settings, REDIS_URL=f"unix://{settings.home}/no-queue"))


@pytest.fixture
def there(postgres: servers.Cluster, settings: Config, tmp_path: Path) -> Iterator[Place]:
    """Another installation: a new database without tables and a new data folder."""
    name = f"t_{uuid4().hex}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    on = replace(
        settings,
        GRANTS_HOME=str(tmp_path / "there"),
        DATABASE_URL=postgres.url(name, "grants_program"),
        DATABASE_OWNER_URL=postgres.url(name, "grants_owner"),
        REDIS_URL="unix:///no-queue",
    )
    try:
        yield Place(on)
    finally:
        postgres.drop(name)


def backup_of(place: Place, folder: Path) -> Path:
    file = folder / "all.backup"
    answer = place.grants("backup", "create", str(file))
    assert answer.exit_code == 0, answer.output
    return file


@pytest.fixture(scope="session")
def made_once(
    postgres: servers.Cluster, installed_world: World[None], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A backup of such an installation, made once a run: a file is the same to whoever reads it."""
    home = tmp_path_factory.mktemp("backed-up")
    installed_world.lay_files(home)
    with cloned(postgres, installed_world.database) as name:
        settings = replace(settings_for(postgres, name, home), REDIS_URL=f"unix://{home}/no-queue")
        return backup_of(Place(settings), tmp_path_factory.mktemp("backup"))


@pytest.fixture
def made(made_once: Path, tmp_path: Path) -> Path:
    """A copy for each test, which may change it."""
    return Path(shutil.copy2(made_once, tmp_path))


def repacked(file: Path, change: Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]) -> Path:
    """The same archive with other members."""
    with tarfile.open(file) as tar:
        members = [(info, content.read() if (content := tar.extractfile(info)) else b"") for info in tar]
    change(members)
    other = file.with_name("changed.backup")
    with tarfile.open(other, "w") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return other


def with_manifest(change: Callable[[dict[str, object]], object]) -> Callable[..., None]:
    def changed(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        info, text = members[-1]
        said = json.loads(text)
        change(said)
        # As the program writes it.
        members[-1] = (info, json.dumps(said, indent=1, ensure_ascii=False).encode())

    return changed


def extra(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Callable[..., None]:
    def changed(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.mode = kind, link, 0o600
        members.insert(0, (info, b""))

    return changed


def test_everything_comes_back_and_is_checked(here: Place, there: Place, tmp_path: Path) -> None:
    made = backup_of(here, tmp_path)
    head = here.ask("SELECT encode(hash, 'hex') FROM audit_seal ORDER BY position DESC LIMIT 1")
    entries = here.ask("SELECT count(*) FROM ledger_entry")

    answer = there.grants("backup", "restore", str(made))

    assert answer.exit_code == 0, answer.output
    assert [line.split()[:2] for line in answer.output.splitlines()[1:]] == [
        ["holds", what] for what in ("ledger", "audit", "head", "files", "sent")
    ]
    assert there.ask("SELECT count(*) FROM ledger_entry") == entries != 0
    assert there.ask(f"SELECT count(*) FROM audit_seal WHERE encode(hash, 'hex') = '{head}'") == 1
    assert (there.settings.home / PLACE).read_bytes() == LETTER
    # The program's role has its rights again, no more and no fewer, and the record says what happened.
    with local.connect(there.settings.DATABASE_URL) as program, pytest.raises(psycopg.errors.InsufficientPrivilege):
        program.execute("DELETE FROM audit_event")
    assert there.ask("SELECT reason FROM audit_event WHERE verb = 'backup.make'") == "To all.backup, by command"
    assert there.ask("SELECT count(*) FROM audit_event WHERE verb = 'backup.restore'") == 1
    assert list(there.settings.home.glob(".restore-*")) == []
    assert there.grants("audit", "verify").exit_code == 0
    assert there.grants("ledger", "verify").exit_code == 0


def test_a_restored_database_knows_the_payment_files_sent_since_and_sends_none_again(
    here: Place, there: Place, app: Flask, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    app.config["CHECKPOINT_FOLDER"] = str(outside)
    grant_id = db.session.scalars(select(Grant.id)).one()
    request = paying.open_prefinancing(actors.program(), grant_id)
    assert request is not None
    paying.decide(actors.otto(), request.id, DecisionInput(euros(240_000), "As agreed."))
    order_id = authorised(request.id)
    made = backup_of(here, tmp_path)
    sent = paying.export(actors.carl(), (order_id,), control_total=euros(210_000))
    paying.leave_record(system_actor("worker", (Permission.PAYMENT_FILE_PROVE,)), sent.id)
    restored = Place(replace(there.settings, CHECKPOINT_FOLDER=str(outside)))

    answer = restored.grants("backup", "restore", str(made))

    assert answer.exit_code == 0, answer.output
    assert "Payment files were sent after this backup was made: 1, with 1 payments." in answer.output
    db.session.rollback()
    assert restored.ask("SELECT message_id FROM sent_elsewhere") == get(PaymentBatch, sent.id).message_id
    with lending() as program_of, program_of(restored.settings).app_context():
        account = payments.payable_from_any((order_id,))
        given = FileInput(account, FileLayout.XLSX, clock.in_zone(clock.now()).date())
        with pytest.raises(Refused, match="may have left already, in a file that this database does not know"):
            paying.build(actors.carl(), (order_id,), given)


def test_a_backup_is_checked_without_settings_or_database(made: Path) -> None:
    def nothing() -> Config:
        raise AssertionError("no settings are needed")

    answer = CliRunner().invoke(build_cli(nothing, create_app), ["backup", "verify", str(made)], catch_exceptions=False)

    assert answer.exit_code == 0, answer.output
    assert re.match(
        rf"{made} is whole: people \d+, applications \d+, ledger entries \d+, audit events \d+, files 1; 0 MB",
        answer.output,
    )
    assert answer.output.split()[-1] == archive.read(made, dump_into=made.parent / "dump").digest()
    assert made.stat().st_mode & 0o777 == 0o600


def test_a_backup_is_never_overwritten_and_leaves_nothing_half_done(here: Place, made: Path) -> None:
    before = made.read_bytes()

    again = here.grants("backup", "create", str(made))
    nowhere = here.grants("backup", "create", str(made.parent / "missing" / "x"))

    assert (again.exit_code, "is there already" in again.output) == (1, True)
    assert (nowhere.exit_code, "cannot be written" in nowhere.output) == (1, True)
    assert made.read_bytes() == before
    assert [path.name for path in made.parent.iterdir() if "backup" in path.name] == ["all.backup"]


def test_a_restore_goes_into_an_empty_database_only(here: Place, made: Path) -> None:
    before = here.ask("SELECT count(*) FROM audit_event")

    answer = here.grants("backup", "restore", str(made))

    assert answer.exit_code == 1
    assert "This database is not empty" in answer.output
    assert here.ask("SELECT count(*) FROM audit_event") == before


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE invoice (id int)",
        "CREATE VIEW one AS SELECT 1 AS number",
        "CREATE TABLE user_account (id int)",
        "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('ab12cd34'); "
        "CREATE TABLE user_account (id int)",
    ],
)
def test_a_restore_never_empties_the_database_of_another_program(there: Place, tmp_path: Path, made: str) -> None:
    with local.connect(there.settings.DATABASE_OWNER_URL) as owner:
        owner.execute(made.encode())
    before = local.held(there.settings.DATABASE_OWNER_URL)

    with pytest.raises(Refused, match="This database is not empty"):
        _refuse_unless_empty(there.settings.DATABASE_OWNER_URL)

    assert local.held(there.settings.DATABASE_OWNER_URL) == before != frozenset()


def test_tables_of_ours_without_people_give_way_and_strange_ones_beside_them_do_not(there: Place, made: Path) -> None:
    assert there.grants("db", "upgrade").exit_code == 0
    with local.connect(there.settings.DATABASE_OWNER_URL) as owner:
        owner.execute("CREATE TABLE invoice (id int)")
        beside = there.grants("backup", "restore", str(made))
        assert local.held(there.settings.DATABASE_OWNER_URL) > {"invoice", "user_account"}
        owner.execute("DROP TABLE invoice")

    assert (beside.exit_code, "This database is not empty" in beside.output) == (1, True)
    assert there.grants("backup", "restore", str(made)).exit_code == 0


def test_a_restore_waits_for_nobody_who_uses_the_database(there: Place, made: Path) -> None:
    with local.connect(there.settings.DATABASE_URL):
        answer = there.grants("backup", "restore", str(made))

    assert answer.exit_code == 1
    assert "1 other connection uses this database" in answer.output
    assert there.grants("backup", "restore", str(made)).exit_code == 0


def test_a_file_that_is_lost_is_named_at_once_and_after_the_restore(here: Place, there: Place, tmp_path: Path) -> None:
    (here.settings.home / PLACE).write_bytes(b"other bytes")
    file = tmp_path / "lossy.backup"

    made, checked = here.grants("backup", "create", str(file)), there.grants("backup", "restore", str(file))

    assert (made.exit_code, LETTER_SHA in made.output) == (1, True)
    assert checked.exit_code == 1
    assert [line.split()[:2] for line in checked.output.splitlines()[1:]] == [
        ["holds", "ledger"],
        ["holds", "audit"],
        ["holds", "head"],
        ["FAILS", "files"],
        ["holds", "sent"],
    ]


def test_a_cut_backup_is_refused_at_every_length(there: Place, made: Path) -> None:
    whole = made.read_bytes()
    cut = made.with_name("cut.backup")
    for length in (0, 100, 512, 10_000, len(whole) // 2, len(whole) - 11_000):
        cut.write_bytes(whole[:length])
        answer = there.grants("backup", "restore", str(cut))
        assert answer.exit_code == 1, length
        assert answer.output.startswith("Error: ")
    assert there.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert list(there.settings.home.rglob("*")) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (extra("../../evil"), "which is no part of a backup"),
        (extra("/etc/evil"), "which is no part of a backup"),
        (extra("files/aa/bb/../../x"), "which is no part of a backup"),
        (extra(PLACE.replace(LETTER_SHA, "0" * 64)), "which is no part of a backup"),
        (extra("database.dump", tarfile.SYMTYPE, "/etc/passwd"), "which is no part of a backup"),
        (extra("files/00", tarfile.DIRTYPE), "which is no part of a backup"),
        (extra(PLACE), "has other bytes than its name says"),
        (lambda members: members.pop(), "its manifest, which comes last, is missing"),
        (lambda members: members.pop(1), "is missing"),
        (lambda members: members.append(members[0]), "in a place where it cannot be"),
        (lambda members: members.__setitem__(0, (members[0][0], members[0][1][:-1] + b"x")), "has other bytes than its"),
        (with_manifest(lambda said: said.update(format="pilot-grants backup 9")), "this program reads"),
        (with_manifest(lambda said: said.update(migration="9999")), "tables of a newer version"),
        (with_manifest(lambda said: said.update(server_major=None)), "cannot be read"),
        (with_manifest(lambda said: said.pop("audit_hash")), "cannot be read"),
        (with_manifest(lambda said: said.update(members=[])), "is in it and not in its manifest"),
        (with_manifest(lambda said: said.update(dumped_by_major=99)), "of PostgreSQL 99 or newer are needed"),
    ],
)  # fmt: skip
def test_a_changed_backup_is_refused_and_nothing_is_touched(
    there: Place, made: Path, change: Callable[..., None], words: str
) -> None:
    answer = there.grants("backup", "restore", str(repacked(made, change)))

    assert answer.exit_code == 1
    assert words in answer.output
    assert there.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert list(there.settings.home.rglob("*")) == []
    assert not (made.parent.parent / "evil").exists()


def raw_manifest(text: bytes) -> Callable[..., None]:
    return lambda members: members.__setitem__(-1, (members[-1][0], text))


@pytest.mark.parametrize(
    "said",
    [
        *({"migration": value} for value in (5, "zz", "00261", None, True)),
        *({"made_at": value} for value in (7, "x", "2026-11-25T01:15:00", "2026-11-25T01:15:00+00:00 ")),
        *({name: value} for name in ("server_major", "dumped_by_major") for value in ("y", 0, -1, 2**40, 1.5, True)),
        *({"lost": value} for value in ("abc", ["abc"], [5], {}, [LETTER_SHA, LETTER_SHA])),
        *({"audit_position": value} for value in (-1, "x", 2**80, 0.0, False)),
        *({"audit_hash": value} for value in ("zz", "", "A" * 64, 7)),
        *({"counts": value} for value in ([], {"people": -1}, {"people": "1"}, {"people": True}, {"people": 2**80})),
        *({"members": value} for value in ("x", [{"name": 1}], [{"name": archive.DUMP, "bytes": "1", "sha256": "0" * 64}])),
        *({name: value} for name in ("program", "demo_mark") for value in (1, "x" * 10_000, "a\x1b[2J")),
        {"more": 1},
    ],
    ids=lambda said: str(said)[:40],
)  # fmt: skip
def test_a_manifest_of_another_shape_is_refused_by_the_check_and_before_anything_is_restored(
    whole: Path, said: dict[str, object], tmp_path: Path
) -> None:
    changed = repacked(whole, with_manifest(lambda found: found.update(said)))

    with pytest.raises(local.LocalError, match="cannot be read"):
        archive.read(changed, dump_into=tmp_path / "dump")


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"null", b'{"format":1e400}', b"\xff\xfe", b"[" * 200_000, b'{"a":' * 100_000, b"1" * 10_000],
    ids=lambda text: str(text[:12]),
)
def test_a_manifest_that_is_none_is_told_in_a_sentence(whole: Path, text: bytes, tmp_path: Path) -> None:
    with pytest.raises(local.LocalError, match=r"cannot be read|this program reads"):
        archive.read(repacked(whole, raw_manifest(text)), dump_into=tmp_path / "dump")


def spoiled(path: Path, change: Callable[[bytes], bytes]) -> Path:
    other = path.with_name("spoiled.backup")
    other.write_bytes(change(path.read_bytes()))
    return other


def owned(data: bytes) -> bytes:
    header = tarfile.TarInfo.frombuf(data[:512], "utf-8", "surrogateescape")
    header.uname = "root"
    return header.tobuf() + data[512:]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + b"JUNK" * 1_000,
        lambda data: data + bytes(10_240),
        lambda data: data[:-512],
        lambda data: data[:-1] + b"x",
        # The owner in a header, which nobody reads, and what fills the last block of a member.
        owned,
        lambda data: data.replace(LETTER + bytes(8), LETTER + b"x" + bytes(7), 1),
        lambda data: data.replace(b'"members"', b' "members"', 1),
    ],
    ids=["junk behind", "zeros behind", "short", "last byte", "header", "filling", "spelling"],
)
def test_no_byte_of_an_archive_is_outside_of_what_its_hash_stands_for(
    whole: Path, change: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    data = whole.read_bytes()
    assert change(data) != data

    with pytest.raises(local.LocalError):
        archive.read(spoiled(whole, change), dump_into=tmp_path / "dump")


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """An archive as the program writes it, of a dump that nobody restores."""
    for name, data in ((archive.DUMP, b"a dump"), ("letter", LETTER)):
        (tmp_path / name).write_bytes(data)
    writer = archive.Writer(tmp_path / "whole.backup")
    writer.add(archive.DUMP, tmp_path / archive.DUMP)
    writer.add(PLACE, tmp_path / "letter", sha256=LETTER_SHA)
    made = writer.finish(**{**SAID, "audit_position": 7, "audit_hash": "0" * 64})
    assert archive.read(tmp_path / "whole.backup", dump_into=tmp_path / "first") == made
    return tmp_path / "whole.backup"


def test_another_head_than_the_manifest_says_is_seen(there: Place, made: Path) -> None:
    forged = repacked(made, with_manifest(lambda said: said.update(audit_hash="0" * 64)))

    answer = there.grants("backup", "restore", str(forged))

    assert answer.exit_code == 1
    assert "FAILS  head" in answer.output


def test_a_dump_that_ends_early_leaves_an_empty_database(there: Place, made: Path, tmp_path: Path) -> None:
    owner = there.settings.DATABASE_OWNER_URL
    archive.read(made, dump_into=tmp_path / "raw")
    dump = tmp_path / "raw" / archive.DUMP
    dump.write_bytes(dump.read_bytes()[:-2_000])
    tools = dumping.chosen(dumping.found(), dumping.server_major(owner), "for this test")

    with pytest.raises(local.LocalError):
        dumping.restore(tools, owner, dump)

    assert there.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_database_that_hangs_up_at_once_is_told_in_its_own_words(tmp_path: Path) -> None:
    program(tmp_path, "pg_restore", "yes 'SELECT 1;' | head -c 20000000")
    program(tmp_path, "psql", "echo 'psql: no room is left' >&2; exit 2")

    with pytest.raises(local.LocalError, match=r"did not take the dump.*no room is left"):
        dumping.restore(dumping.Tools(tmp_path, 18), "postgresql+psycopg://o@h/d", tmp_path / "dump")


def test_a_dump_that_cannot_be_read_is_told_though_the_database_took_nothing_yet(tmp_path: Path) -> None:
    program(tmp_path, "pg_restore", "echo 'SELECT 1;'; echo 'pg_restore: a bad block' >&2; exit 1")
    program(tmp_path, "psql", "exec sleep 60")

    with pytest.raises(local.LocalError, match=r"cannot be read.*a bad block"):
        dumping.restore(dumping.Tools(tmp_path, 18), "postgresql+psycopg://o@h/d", tmp_path / "dump")


def test_a_backup_bears_the_moment_of_its_snapshot(app: Flask, settings: Config) -> None:
    with dumping.snapshot(settings.DATABASE_OWNER_URL) as (connection, _):
        begun = clock.now()
        made_at = datetime.fromisoformat(_moment(connection)["made_at"])

    assert made_at <= begun
    assert made_at.utcoffset() == timedelta(0)


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    writer = archive.Writer(tmp_path / "all.backup")
    (tmp_path / "all.backup").write_text("somebody else's")

    with pytest.raises(local.LocalError, match="appeared meanwhile"):
        writer.finish(**SAID)
    writer.leave()

    assert (tmp_path / "all.backup").read_text() == "somebody else's"
    assert [path.name for path in tmp_path.iterdir()] == ["all.backup"]


def test_a_disk_without_hard_links_keeps_a_backup_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    taken, free = archive.Writer(tmp_path / "taken.backup"), archive.Writer(tmp_path / "free.backup")
    (tmp_path / "taken.backup").write_text("somebody else's")

    assert free.finish(**SAID).made_at == SAID["made_at"]
    with pytest.raises(local.LocalError, match="appeared meanwhile"):
        taken.finish(**SAID)
    taken.leave()

    assert tarfile.is_tarfile(tmp_path / "free.backup")
    assert (tmp_path / "taken.backup").read_text() == "somebody else's"


def test_the_oldest_version_that_fits_is_taken_and_a_missing_one_named() -> None:
    old, new = dumping.Tools(Path("/old"), 15), dumping.Tools(Path("/new"), 18)

    assert dumping.chosen((old, new), 15, "") is old
    assert dumping.chosen((old, new), 16, "") is new
    with pytest.raises(local.LocalError, match="postgresql-client-19"):
        dumping.chosen((old, new), 19, "as new as the server")


def test_a_password_stands_on_no_command_line() -> None:
    address = "postgresql+psycopg://owner:geheim%20x@db.example:5433/grants?sslmode=require"

    assert set(dumping._address(address).split()) == {
        *("host=db.example", "port=5433", "user=owner", "dbname=grants", "sslmode=require")
    }
    assert dumping._environment(address)["PGPASSWORD"] == "geheim x"
    assert not {name for name in dumping._environment(address) if name.startswith(("DATABASE", "SECRET"))}


def test_people_and_marks_come_back(here: Place, there: Place, tmp_path: Path, app: Flask) -> None:
    here.grants("users", "add", "ana@example.eu", "--name", "Ana Horvat", "--role", "administrator")
    local.set_demo_mark(here.settings.DATABASE_OWNER_URL, local.DEMO_MARK)
    file = tmp_path / "demo.backup"

    assert here.grants("backup", "create", str(file)).exit_code == 0
    assert there.grants("backup", "restore", str(file)).exit_code == 0

    assert local.demo_mark(there.settings.DATABASE_OWNER_URL) == local.DEMO_MARK
    assert there.ask("SELECT name FROM user_account WHERE email = 'ana@example.eu'") == "Ana Horvat"
    assert person_by_email("ana@example.eu") is not None
    assert db.session.query(audit.AuditEvent).filter(audit.AuditEvent.verb == "backup.make").count() == 1
    local.set_demo_mark(here.settings.DATABASE_OWNER_URL, local.DEMO_UNFINISHED)
    half = here.grants("backup", "create", str(tmp_path / "half.backup"))
    assert (half.exit_code, "The demo is being filled" in half.output) == (1, True)
    assert os.listdir(there.settings.home)


def test_a_backup_is_on_the_record_of_whoever_holds_the_machine_only(app: Flask) -> None:
    for deed in (services.record_backup, services.record_restore):
        with pytest.raises(NotAllowed):
            deed(system_actor("somebody", (Permission.AUDIT_READ,)), "all.backup")
