"""Acts on tables of rates: a published file comes in, a job reads it, and a person takes what was read."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select

from grants.core import acts, files, jobs
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, Refused
from grants.core.files import Incoming
from grants.core.permissions import Actor, Permission
from grants.core.scanning import Clearance
from grants.core.text import csv_table, decoded
from grants.rates import queries, rules
from grants.rates.models import RateSeries, RateTable
from grants.rates.rules import Rates
from grants.rates.states import TABLE, RateKind, TableState

TEXT_MAX = 500


@act("rate_table.import", needs=Permission.RATE_TABLE_IMPORT, says="brought in rate table {subject}")
def bring_in(actor: Actor, kind: RateKind, incoming: Incoming, *, source: str, month: date | None = None) -> UUID:
    """Keep a published file; a job reads it. Nothing of it counts before it is accepted.

    The same bytes are refused while a table of them waits or counts.
    """
    if not source.strip():
        raise Invalid(
            "The source is missing.", {"source": "Say where the file was published, so that anybody finds it."}
        )
    if month is not None and month.day != 1:
        raise Invalid("A month begins on its first day.", {"month": "Name the month by its first day."})
    _refuse_again(kind, incoming)
    last = db.session.scalar(select(func.max(RateTable.number)).where(RateTable.kind == kind.value))
    row = RateTable(
        kind=kind.value,
        number=(last or 0) + 1,
        state=TableState.RECEIVED.value,
        source=source.strip()[:TEXT_MAX],
        month=month,
        imported_at=acts.moment(),
        imported_by=actor.user_id,
    )
    row.file_id = files.keep(incoming, kind="rate_table", object_id=row.id, role="published").id
    db.session.add(row)
    jobs.queue(
        "jobs.rates.read_table", subject=("rate_table", row.id), unique=f"rate_table:{row.id}", table_id=str(row.id)
    )
    return row.id


def _refuse_again(kind: RateKind, incoming: Incoming) -> None:
    _one_at_a_time(kind)
    known = db.session.execute(
        select(RateTable.number)
        .join(files.StoredFile, files.StoredFile.id == RateTable.file_id)
        .where(
            RateTable.kind == kind.value,
            RateTable.state.in_([TableState.RECEIVED.value, TableState.READ.value, TableState.STANDING.value]),
            files.StoredFile.sha256 == incoming.sha256,
        )
    ).first()
    if known:
        raise Refused(f"This very file is here already, as table {known.number}. Nothing is brought in twice.")


def _one_at_a_time(kind: RateKind) -> None:
    """Numbers of a kind are given, and tables taken over, one after the other."""
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"rate_table {kind.value}"))))


@act("rate_table.read", needs=Permission.RATE_TABLE_IMPORT, says="read rate table {subject}")
def read(actor: Actor, table_id: UUID) -> TableState:
    """Read a file that came in: what is wrong refuses it, what is odd waits for a word; a second time changes nothing."""
    row = locked(RateTable, table_id)
    if TableState(row.state) is not TableState.RECEIVED:
        return TableState(row.state)
    kind, kept = RateKind(row.kind), files.view(row.file_id)
    if kept.clearance is Clearance.WAITING:
        raise jobs.TryLater("The virus scanner has not looked at the file yet.")
    known = queries.standing(kind)
    try:
        table = csv_table(decoded(Path(files.genuine(kept)).read_bytes()))
        found = rules.read(kind, table, month=row.month, today=acts.today(), standing=known)
    except (Invalid, Refused) as error:
        found = rules.Read(None, (str(error),), ())
    row.problems, row.flags = list(found.problems), list(found.flags)
    if found.rates is not None and not _keep(row, found.rates, known):
        row.problems = ["Every rate of the file is known already, with the same value. There is nothing to bring in."]
    TABLE.move(row, "refuse" if row.problems else "read")
    return TableState(row.state)


def _keep(row: RateTable, rates: Rates, known: Rates) -> bool:
    """Keep of what was read all that is new or another than what counts; whether there is anything."""
    added = changed = 0
    for series in rates.series:
        before = known.of(series.currency)
        new = {on: rate for on, rate in series.rates.items() if before.get(on) != rate}
        if not new:
            continue
        changed += sum(on in before for on in new)
        added += sum(on not in before for on in new)
        db.session.add(
            RateSeries(
                table_id=row.id,
                currency=series.currency,
                first_on=min(new),
                last_on=max(new),
                rates={on.isoformat(): str(rate) for on, rate in new.items()},
            )
        )
    row.added, row.changed = added, changed
    if added or changed:
        row.first_on, row.last_on = rates.first_on, rates.last_on
    return bool(added or changed)


@act("rate_table.accept", needs=Permission.RATE_TABLE_IMPORT, says="took over rate table {subject}")
def accept(actor: Actor, table_id: UUID, *, words: str = "", version: int | None = None) -> None:
    """Let what was read count; what is odd in it, or corrects what counted, needs a word.

    Refused where another table of the kind was taken over since this one was read: what it was compared with
    is no longer what counts.
    """
    row = locked(RateTable, table_id)
    check_version(row, version)
    TABLE.target(TableState(row.state), "accept")
    _one_at_a_time(RateKind(row.kind))
    if row.flags and not words.strip():
        raise Invalid("A word is missing.", {"words": "Say why each rate named above is right, or how you checked it."})
    later = db.session.scalar(
        select(RateTable.number)
        .where(
            RateTable.kind == row.kind,
            RateTable.state == TableState.STANDING.value,
            RateTable.accepted_at > row.imported_at,
        )
        .limit(1)
    )
    if later is not None:
        raise Refused(
            f"Table {later} was taken over since this file came in, so what is new in it is no longer known. "
            "Discard this table and bring the file in again."
        )
    _settle(actor, row, "accept", words)


@act("rate_table.discard", needs=Permission.RATE_TABLE_IMPORT, says="discarded rate table {subject}")
def discard(actor: Actor, table_id: UUID, *, words: str, version: int | None = None) -> None:
    """Leave what was read aside, with a word why; it stays as history and never counts."""
    row = locked(RateTable, table_id)
    check_version(row, version)
    TABLE.target(TableState(row.state), "discard")
    if not words.strip():
        raise Invalid("A word is missing.", {"words": "Say why the table is not taken over."})
    _settle(actor, row, "discard", words)


def _settle(actor: Actor, row: RateTable, verb: str, words: str) -> None:
    TABLE.move(row, verb)
    row.accepted_at, row.accepted_by = acts.moment(), actor.user_id
    row.words = words.strip()[:TEXT_MAX] or None
    if row.words:
        acts.reason(row.words)
