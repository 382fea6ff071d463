"""`grants report` and `grants export`: what leaves the program as files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click
from sqlalchemy import select

from grants.cli.program import Program, operator
from grants.core import audit
from grants.core.db import db
from grants.core.errors import Refused
from grants.core.permissions import Permission
from grants.core.text import csv_line


@click.group()
def report() -> None:
    """Financial reports."""


@report.command("list")
@click.pass_obj
def list_reports(program: Program) -> None:
    """A name and its kind of scope per line."""
    from grants.documents import services

    for name, scope in services.statement_names():
        click.echo(f"{name} {scope}")


@report.command("run")
@click.argument("name")
@click.option("--scope", required=True, metavar="REF", help="What it is about, for example PCP-2022-C-0001.")
@click.option("--as-of", "as_of", metavar="TIME", help="Date and time with zone; without it, now.")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder for its files."
)
@click.pass_obj
def run_report(program: Program, name: str, scope: str, as_of: str | None, out: Path) -> None:
    """Make the files of one report, byte-identical each time for the same scope and moment."""
    from grants.documents import rules, services

    wanted = rules.Wanted(name, scope, None if as_of is None else rules.read_moment(as_of))
    with program.running():
        files = services.export(operator(Permission.STATEMENT_READ), wanted)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{out} cannot be made ({error.strerror}).") from error
    for file in files:
        _write_whole(out / file.name, [file.data])
        click.echo(str(out / file.name))


@click.command()
@click.argument("what", type=click.Choice(["journal", "balances", "audit"]))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.pass_obj
def export(program: Program, what: str, out: Path) -> None:
    """Write the journal or the balances as CSV (everything named, amounts in euros and in cents), or the sealed audit as JSON lines.

    Who took what and when is on the record before the first line is written.
    """
    writers = {"journal": _journal, "balances": _balances, "audit": _audit_lines}
    with program.running():
        _record(what)
        lines = _write_whole(out, writers[what]())
    click.echo(f"{out}: {lines} lines")


def _record(what: str) -> None:
    from grants.documents import services

    if what == "audit":
        services.export_audit(operator(Permission.AUDIT_READ))
    else:
        services.export_books(operator(Permission.LEDGER_READ), what)


def _journal() -> Iterator[bytes]:
    from grants.documents import queries

    yield from _csv_lines(queries.JOURNAL_COLUMNS, queries.journal_rows())


def _balances() -> Iterator[bytes]:
    from grants.documents import queries

    yield from _csv_lines(queries.BALANCE_COLUMNS, queries.balance_rows())


def _csv_lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """A stream for programs: without the mark that spreadsheets look for (docs/decisions/0005)."""
    yield csv_line(columns).encode()
    for row in rows:
        yield csv_line(row).encode()


def _audit_lines() -> Iterator[bytes]:
    """Every sealed event with its position and hash, in the order of the chain, each as the bytes its hash covers."""
    audit.seal_pending()
    events, seals = audit.AuditEvent.__table__, audit.AuditSeal.__table__
    statement = (
        select(seals.c.position, seals.c.hash, events)
        .join(events, events.c.id == seals.c.event_id)
        .order_by(seals.c.position)
        .execution_options(yield_per=2_000)
    )
    for row in db.session.execute(statement):
        event = audit.canonical({column.name: row._mapping[column] for column in events.columns})
        head = f'{{"position":{row.position},"hash":"{row.hash.hex()}","event":'.encode()
        yield head + event + b"}\n"


def _write_whole(path: Path, parts: Iterable[bytes]) -> int:
    """A file that is complete or not there: written beside its place, then renamed. Returns how many parts it has."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    written = 0
    try:
        with fresh.open("wb") as file:
            for part in parts:
                file.write(part)
                written += 1
        fresh.replace(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror}).") from error
    finally:
        fresh.unlink(missing_ok=True)
    return written
