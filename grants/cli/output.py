"""`grants report` and `grants export`: what leaves the program as files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grants.cli.program import Program, operator
from grants.core import audit, audit_offline, checkpoints, clock
from grants.core.errors import Refused
from grants.core.permissions import Permission
from grants.core.text import csv_line

if TYPE_CHECKING:
    from grants.ledger.rules import AsOf


@click.group()
def report() -> None:
    """Financial reports."""


@report.command("list")
@click.pass_obj
def list_reports(program: Program) -> None:
    """A name and what it can be about (a programme, a call, a grant) per line."""
    from grants.documents import services

    for name, scope in services.statement_names():
        click.echo(f"{name} {scope}")


@report.command("run")
@click.argument("name")
@click.option(
    "--scope",
    required=True,
    metavar="REF",
    help="What it is about, for example PCP-2022-C-0001, PCP-2022-G-0003 or PCP.",
)
@click.option("--from", "from_on", metavar="DAY", help="The first day of the period, for a statement that has one.")
@click.option("--before", "before_on", metavar="DAY", help="The first day after the period.")
@click.option("--as-of", "as_of", metavar="TIME", help="Date and time with zone; without it, now.")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder for its files."
)
@click.pass_obj
def run_report(
    program: Program, name: str, scope: str, from_on: str | None, before_on: str | None, as_of: str | None, out: Path
) -> None:
    """Make the files of one report, byte-identical each time for the same scope and moment."""
    from grants.documents import rules, services

    days = [None if day is None else clock.read_date(day) for day in (from_on, before_on)]
    wanted = rules.Wanted(name, scope, None if as_of is None else rules.read_moment(as_of), *days)
    with program.running():
        files = services.export(operator(Permission.STATEMENT_READ), wanted)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{out} cannot be made ({error.strerror}).") from error
    for file in files:
        _write_whole(out / file.name, [file.data])
        click.echo(str(out / file.name))


BOOKS = ("journal", "balances", "beancount")


@click.command()
@click.argument("what", type=click.Choice([*BOOKS, "audit", "checkpoints"]))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.option(
    "--effective-to", metavar="DAY", help="Of the books: only what counts from this day or before, as 2027-03-01."
)
@click.option(
    "--recorded-before",
    metavar="TIME",
    help="Of the books: only what was recorded before this moment; date and time with zone, as 2027-03-01T12:00:00+01:00.",
)
@click.pass_obj
def export(program: Program, what: str, out: Path, effective_to: str | None, recorded_before: str | None) -> None:
    """Write the journal or the balances as CSV (everything named, amounts in euros and in cents), the journal as text that
    “bean-check” verifies without this program, the sealed audit as JSON lines, or every signed checkpoint as text: what
    “grants audit verify --from” checks anywhere.

    The books can be asked for as they stood on a past day, and as they were known at a past moment. Who took what and when
    is on the record before the first line is written.
    """
    as_of = _moments(what, effective_to, recorded_before)
    writers = {
        "journal": lambda: _journal(as_of),
        "balances": lambda: _balances(as_of),
        "beancount": lambda: _beancount(as_of),
        "audit": _audit_lines,
        "checkpoints": _checkpoints,
    }
    with program.running():
        _record(what)
        lines = _write_whole(out, writers[what]())
    click.echo(f"{out}: {lines} {'checkpoints' if what == 'checkpoints' else 'lines'}")


def _moments(what: str, effective_to: str | None, recorded_before: str | None) -> AsOf:
    if what not in BOOKS and (effective_to or recorded_before):
        raise click.UsageError(f"--effective-to and --recorded-before go with {', '.join(BOOKS[:-1])} and {BOOKS[-1]}.")
    from grants.documents import rules
    from grants.ledger.rules import AsOf

    return AsOf(
        recorded_before=None if recorded_before is None else rules.read_moment(recorded_before),
        effective_to=None if effective_to is None else clock.read_date(effective_to),
    )


def _record(what: str) -> None:
    from grants.documents import services
    from grants.oversight import services as oversight

    if what == "audit":
        services.export_audit(operator(Permission.AUDIT_READ))
    elif what == "checkpoints":
        oversight.export_checkpoints(operator(Permission.AUDIT_READ))
    else:
        services.export_books(operator(Permission.LEDGER_READ), what)


def _journal(as_of: AsOf) -> Iterator[bytes]:
    from grants.documents import queries

    yield from _csv_lines(queries.JOURNAL_COLUMNS, queries.journal_rows(as_of=as_of))


def _balances(as_of: AsOf) -> Iterator[bytes]:
    from grants.documents import queries

    yield from _csv_lines(queries.BALANCE_COLUMNS, queries.balance_rows(as_of=as_of))


def _beancount(as_of: AsOf) -> Iterator[bytes]:
    from grants.documents import queries

    for line in queries.beancount_lines(as_of=as_of):
        yield f"{line}\n".encode()


def _csv_lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """A stream for programs: without the mark that spreadsheets look for (docs/decisions/0005)."""
    yield csv_line(columns).encode()
    for row in rows:
        yield csv_line(row).encode()


def _audit_lines() -> Iterator[bytes]:
    """Every sealed event with its place in the chain, in order, each as the bytes its hash covers (docs/audit.md)."""
    audit.seal_pending()
    with closing(audit.entries()) as chain:
        for entry in chain:
            # A position whose event is lost has no line: the gap in the file is what the verifier names.
            if entry.event is not None:
                yield audit_offline.line_of(entry)


def _checkpoints() -> Iterator[bytes]:
    """Every checkpoint, oldest first, an empty line between."""
    for number, checkpoint in enumerate(checkpoints.every()):
        yield (("\n" if number else "") + checkpoint.note).encode()


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
