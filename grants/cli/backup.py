"""`grants backup`: everything of an installation as one archive, its check, and its way back into an empty database."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import click
import psycopg
from sqlalchemy import select

from grants import local
from grants.cli.database import owner_of, upgrade_database
from grants.cli.program import ROOT, Program, operator
from grants.core import audit, checkpoints, files
from grants.core.audit import AuditSeal
from grants.core.db import db
from grants.core.errors import Refused
from grants.core.permissions import Permission, system_actor
from grants.local import archive, dumping
from grants.local.archive import Manifest
from grants.web.filters import version

# What a person compares before and after: one statement each, in the snapshot of the dump.
COUNTS = {
    "people": "SELECT count(*) FROM user_account",
    "applications": "SELECT count(*) FROM application",
    "ledger entries": "SELECT count(*) FROM ledger_entry",
    "audit events": "SELECT count(*) FROM audit_event",
}
FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def backup() -> None:
    """Everything in one file, and back again."""


@backup.command()
@click.argument("file", type=FILE)
@click.pass_obj
def create(program: Program, file: Path) -> None:
    """Write the database and the stored files of one moment to FILE, while the program goes on.

    Not in it: SECRET_KEY and the key that signs checkpoints, which belong elsewhere than the data, and the queue, which
    holds nothing that is not in the database too.
    """
    from grants.oversight import services

    with program.running() as addresses:
        maker, owner = operator(Permission.BACKUP_MAKE), owner_of(addresses)
        tools = dumping.chosen(dumping.found(), dumping.server_major(owner), "as new as the server")
        writer = archive.Writer(file)
        try:
            services.record_backup(maker, file.name)
            audit.seal_pending()
            manifest = _written(writer, owner, tools, program.settings().home)
        finally:
            writer.leave()
    click.echo(f"{file} holds {_content(manifest)}.")
    click.echo(f"Keep this elsewhere, it stands for the whole file: {manifest.digest()}")
    if manifest.lost:
        click.echo(
            f"{len(manifest.lost)} files that the database names are not on the disk with their bytes, and so not in it: "
            f"{', '.join(manifest.lost[:3])}. “grants doctor” and the nightly check name them too."
        )
        raise SystemExit(1)


def _written(writer: archive.Writer, owner: str, tools: dumping.Tools, home: Path) -> Manifest:
    lost = []
    with (
        tempfile.TemporaryDirectory(prefix=".backup-", dir=writer.path.parent) as folder,
        dumping.snapshot(owner) as (connection, name),
    ):
        said = _moment(connection)
        dumping.dump(tools, owner, name, Path(folder) / archive.DUMP)
        if not writer.add(archive.DUMP, Path(folder) / archive.DUMP):
            raise Refused("The dump went away while it was packed. Nothing was kept.")
        # Bytes are never changed and at least a day older than any deletion: what the snapshot names is there.
        for (sha256,) in connection.execute("SELECT DISTINCT sha256 FROM stored_file ORDER BY sha256").fetchall():
            place = f"files/{sha256[:2]}/{sha256[2:4]}/{sha256}"
            if not writer.add(place, home / place, sha256=sha256):
                lost.append(sha256)
    return writer.finish(program=version(), dumped_by_major=tools.major, lost=tuple(lost), **said)


def _moment(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """What the manifest says of the snapshot."""

    def ask(statement: str) -> Any:
        row = connection.execute(statement.encode()).fetchone()
        return None if row is None else row[0]

    head = connection.execute("SELECT position, hash FROM audit_seal ORDER BY position DESC LIMIT 1").fetchone()
    return {
        "made_at": ask("SELECT transaction_timestamp()").astimezone(UTC).isoformat(),
        "migration": ask("SELECT version_num FROM alembic_version"),
        "server_major": connection.info.server_version // 10_000,
        "demo_mark": ask(
            "SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = current_database()"
        ),
        "audit_position": head[0] if head else 0,
        "audit_hash": head[1].hex() if head else "",
        "counts": {name: ask(statement) for name, statement in COUNTS.items()},
    }


def _content(manifest: Manifest) -> str:
    counts = ", ".join(f"{name} {number}" for name, number in {**manifest.counts, "files": manifest.files}.items())
    return (
        f"{counts}; {manifest.bytes // 1_000_000} MB as of {manifest.made_at[:19]} UTC, "
        f"tables {manifest.migration}, audit up to position {manifest.audit_position}"
    )


@backup.command()
@click.argument("file", type=FILE)
def verify(file: Path) -> None:
    """Read every byte of FILE and compare it with its manifest; needs no settings and no database."""
    with tempfile.TemporaryDirectory(prefix="grants-backup-") as folder:
        manifest = archive.read(file, dump_into=Path(folder))
        tools = dumping.chosen(dumping.found(), manifest.dumped_by_major, "as new as what made this backup")
        dumping.check(tools, Path(folder) / archive.DUMP)
    click.echo(f"{file} is whole: {_content(manifest)}.")
    click.echo(f"Compare with what was kept elsewhere: {manifest.digest()}")


@backup.command()
@click.argument("file", type=FILE)
@click.pass_obj
def restore(program: Program, file: Path) -> None:
    """Bring FILE back into an empty database and an empty data folder, then check ledger, audit and files.

    The program must not run meanwhile. A backup of an older version is brought up to date.
    """
    settings = program.settings()
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _staging(settings.home) as folder:
        manifest = archive.read(file, dump_into=folder, files_into=folder)
        if manifest.migration > _known_migration():
            raise Refused(
                f"This backup has the tables of a newer version ({manifest.migration}; this program knows "
                f"{_known_migration()}). Install that version, then restore."
            )
        with local.servers(settings) as addresses:
            owner = owner_of(addresses)
            _refuse_unless_empty(owner)
            least = max(manifest.dumped_by_major, dumping.server_major(owner))
            tools = dumping.chosen(dumping.found(), least, "as new as the server and as what made this backup")
            dumping.check(tools, folder / archive.DUMP)
            _place_files(folder, settings.home)
            local.empty_schema(owner)
            dumping.restore(tools, owner, folder / archive.DUMP)
            if manifest.demo_mark:
                local.set_demo_mark(owner, manifest.demo_mark)
            upgrade_database(addresses)
    click.echo(f"Restored from {file}: {_content(manifest)}.")
    _check_all(program, manifest, file)


@contextmanager
def _staging(home: Path) -> Iterator[Path]:
    """A folder on the disk of the store, so that files are moved into it and not copied."""
    folder = home / f".restore-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _known_migration() -> str:
    return (ROOT / "migrations" / "HEAD").read_text(encoding="utf-8").strip()


def _is_free(owner: str) -> bool:
    """Whether nobody misses what is dropped: nothing is there, or our tables alone, of a version we know, without people."""
    held = local.held(owner)
    if not held:
        return True
    ours = {"alembic_version", *db.metadata.tables}
    known = {path.name[:4] for path in (ROOT / "migrations" / "versions").glob("[0-9]*.py")}
    return (
        {"alembic_version", "user_account"} <= held <= ours
        and local.migration(owner) in known
        and local.is_empty(owner)
    )


def _refuse_unless_empty(owner: str) -> None:
    if not _is_free(owner):
        raise Refused(
            "This database is not empty, and a restore goes into an empty one only. Make a new one and name it in "
            "DATABASE_URL and DATABASE_OWNER_URL, or choose a new GRANTS_HOME. Nothing was changed."
        )
    with local.connect(owner) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            # The server's own processes have no name; what else others do is hidden from the owner, but not that they are there.
            "AND usename IS NOT NULL"
        ).fetchone()
    if row and row[0]:
        using = "1 other connection uses" if row[0] == 1 else f"{row[0]} other connections use"
        raise Refused(
            f"{using} this database. End the program (`make run`, or its web, worker and schedule "
            "services) first. Nothing was changed."
        )


def _place_files(folder: Path, home: Path) -> None:
    """Each file lies under its own hash, so one that is there already is the same, or is replaced by the sound one."""
    for source in archive.stored_files(folder):
        target = home / source.relative_to(folder)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.replace(source, target)


def _check_all(program: Program, manifest: Manifest, file: Path) -> None:
    from grants.oversight import queries, services
    from grants.payments import queries as payments
    from grants.payments import services as paying

    with program.running():
        # First of all, so that whatever else is found wrong, what was sent since the backup already stands in the way.
        new, broken = paying.compare(system_actor("the program", (Permission.PAYMENT_FILE_PROVE,)))
        record = checkpoints.verify()
        waiting, where = payments.open_payments(), checkpoints.folder() / "sent"
        findings = {
            "ledger": [str(problem) for problem in queries.verify_ledger()],
            "audit": [fault.words for fault in record.chain.report.faults],
            "head": _same_head(manifest),
            "files": [str(problem) for problem in files.verify()],
            "sent": list(broken),
        }
        services.record_restore(operator(Permission.BACKUP_MAKE), f"{file.name}, made {manifest.made_at[:19]} UTC")
    well = {
        "ledger": "every invariant of the journal holds",
        "audit": f"the chain holds over {record.chain.checked} events",
        "head": f"the audit stands where the backup says, at position {manifest.audit_position}",
        "files": "every stored file has its bytes",
        "sent": f"every payment file whose record lies in {where} is known",
    }
    for name, problems in findings.items():
        click.echo(f"{'FAILS' if problems else 'holds':6} {name:7} {_first(problems) if problems else well[name]}")
    if waiting:
        click.echo(
            f"Payment files were sent after this backup was made: {new}, with {waiting} payments. None of these is put into a "
            "file or sent again before two people say what became of them (Payments, Payment files, Files sent elsewhere)."
        )
    if any(findings.values()):
        raise SystemExit(1)


def _same_head(manifest: Manifest) -> list[str]:
    if not manifest.audit_position:
        return []
    found = db.session.scalar(select(AuditSeal.hash).where(AuditSeal.position == manifest.audit_position))
    if found is not None and found.hex() == manifest.audit_hash:
        return []
    return [f"position {manifest.audit_position} of the audit has another hash than when the backup was made"]


def _first(problems: Iterable[str]) -> str:
    first, *more = problems
    return f"{first} (and {len(more)} more)" if more else first
