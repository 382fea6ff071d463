"""A list of executed payments comes in: for who has no bank channel, the same lines and the same booking as a bank's file."""

from __future__ import annotations

import hashlib
from uuid import UUID

from sqlalchemy import select

from grants.core import acts, clock, files, jobs, references
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Problem, Problems, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.identity.rules import demand_fresh
from grants.payments.models import BankImport, OwnAccount
from grants.payments.queries.executions import listed_rows
from grants.payments.rules.statements.executions import Spelling, read_executions
from grants.payments.rules.statements.values import BankFile, Statement
from grants.payments.services.bank_statements import ImportSummary, book_of, keep, take_lines
from grants.payments.states import IMPORT, ImportState, OwnAccountState


@act(
    "bank_statement.import_list",
    needs=Permission.BANK_STATEMENT_IMPORT,
    says="brought the list of executed payments {subject}",
)
def import_executions(actor: Actor, account_id: UUID, text: str, spelling: Spelling) -> ImportSummary:
    """Take a list of what the bank carried out of one account: its new rows stand as lines, which a worker books like others.

    Refused whole where a row cannot be read. The same list of the same account again is the same import; a payment a line
    of the bank told of already is not told twice.
    """
    demand_fresh(actor)
    account = locked(OwnAccount, account_id)
    mine = actor.may(Permission.BANK_STATEMENT_IMPORT, Scope.of(("programme", account.programme_id)))
    if not mine or account.state != OwnAccountState.CONFIRMED.value:
        raise Refused("Choose a confirmed account of the programme: the one the bank paid from.")
    read = read_executions(text, spelling, acts.today())
    if read.problems:
        raise Problems(
            "The list was not taken: a row cannot be read.",
            [Problem(f"Row {each.row}", each.words) for each in read.problems],
        )
    data = f"# {account.reference}, {spelling.value}\r\n{text}".encode()
    sha256 = hashlib.sha256(data).hexdigest()
    standing = db.session.scalars(
        select(BankImport).where(BankImport.sha256 == sha256, BankImport.state != ImportState.REFUSED.value)
    ).one_or_none()
    if standing is not None:
        return ImportSummary(standing.id, standing.reference, ImportState(standing.state), again=True)
    row = _import(actor, sha256, account)
    files.keep_bytes(
        data, name=f"{row.reference}.csv", media_type="text/csv", kind="bank_import", object_id=row.id, role="file"
    )
    rows = listed_rows(actor, account.id, read.rows)
    new = [each.line for each in rows if not each.is_known]
    book = book_of(account, new)
    take_lines(book, Statement(BankFile.EXECUTIONS, row.reference, account.iban, tuple(new)), row)
    keep([book])
    IMPORT.move(row, "import")
    row.lines_new, row.lines_known = book.new, book.known + len(rows) - len(new)
    jobs.queue(
        "jobs.banking.book_lines",
        subject=("bank_import", row.id),
        unique=f"bank_import:{row.id}:booked",
        import_id=str(row.id),
    )
    return ImportSummary(row.id, row.reference, ImportState.IMPORTED)


def _import(actor: Actor, sha256: str, account: OwnAccount) -> BankImport:
    series = f"BANK-{clock.in_zone(acts.moment()).year}"
    row = BankImport(
        reference=f"{series}-{references.next_number(series):04d}",
        kind=BankFile.EXECUTIONS.value,
        name=f"List of executed payments, {account.reference}",
        sha256=sha256,
        state=ImportState.READING.value,
        uploaded_by=actor.user_id,
        uploaded_at=acts.moment(),
    )
    db.session.add(row)
    db.session.flush()
    acts.subject("bank_import", row.id)
    return row
