"""Acts by which a bank's file comes in: brought by the accounting officer, read by a worker, imported whole or refused whole.

Nothing is posted here: what a line means for an order is another act, which a worker begins next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select

from grants.core import acts, clock, files, jobs, references
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Refused
from grants.core.files import Incoming
from grants.core.money import total
from grants.core.permissions import Actor, Permission, Scope
from grants.core.scanning import Clearance
from grants.identity.rules import demand_fresh
from grants.payments.models import BankImport, BankLine, BankStatement, OwnAccount, PaymentBatch
from grants.payments.queries.bank_candidates import line_of
from grants.payments.queries.executions import listed_before
from grants.payments.queries.own_accounts import own_account_row
from grants.payments.queries.statements import statement_name
from grants.payments.queries.whole_files import parts_told, told_whole
from grants.payments.rules.statements.checks import Last, check_statement, follows, sort_out
from grants.payments.rules.statements.reports import refuse_unknown_file
from grants.payments.rules.statements.values import BankFile, Direction, Line, Statement
from grants.payments.rules.statements.whole_files import is_whole
from grants.payments.services import bank_files
from grants.payments.services.bank_reports import read_kept
from grants.payments.states import IMPORT, BatchState, ImportState, OwnAccountState


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """A bank's file that came in; ``again`` where the same bytes had come before."""

    id: UUID
    reference: str
    state: ImportState
    again: bool = False


@act("bank_statement.import", needs=Permission.BANK_STATEMENT_IMPORT, says="brought the bank file {subject}")
def import_statement(actor: Actor, incoming: Incoming, kind: BankFile) -> ImportSummary:
    """Keep a bank's file and ask a worker to read it. The same bytes again are the same import, not a second one."""
    demand_fresh(actor)
    # Two people who bring the same file at once: the second finds what the first brought.
    lock = int.from_bytes(bytes.fromhex(incoming.sha256[:16]), signed=True)
    db.session.execute(select(func.pg_advisory_xact_lock(lock)))
    standing = db.session.scalars(
        select(BankImport).where(BankImport.sha256 == incoming.sha256, BankImport.state != ImportState.REFUSED.value)
    ).one_or_none()
    if standing is not None:
        return ImportSummary(standing.id, standing.reference, ImportState(standing.state), again=True)
    series = f"BANK-{clock.in_zone(acts.moment()).year}"
    row = BankImport(
        reference=f"{series}-{references.next_number(series):04d}",
        kind=kind.value,
        name=incoming.name,
        sha256=incoming.sha256,
        state=ImportState.READING.value,
        uploaded_by=actor.user_id,
        uploaded_at=acts.moment(),
    )
    db.session.add(row)
    db.session.flush()
    files.keep(incoming, kind="bank_import", object_id=row.id, role="file")
    jobs.queue(
        "jobs.banking.read_statement",
        subject=("bank_import", row.id),
        unique=f"bank_import:{row.id}",
        import_id=str(row.id),
    )
    return ImportSummary(row.id, row.reference, ImportState.READING)


@act("bank_statement.read", needs=Permission.BANK_STATEMENT_IMPORT, says="read the bank file {subject}")
def read_statement(actor: Actor, import_id: UUID) -> ImportSummary:
    """Read a file that was brought: its statements and new lines stand then, or it is refused with the reason.

    A second time changes nothing.
    """
    row = locked(BankImport, import_id)
    if row.state == ImportState.READING.value:
        _wait_for_scan(row)
        if row.kind == BankFile.REPORT.value:
            return _read_report(row)
        try:
            taken = _taken(actor, row, _parsed(row))
        except Refused as error:
            IMPORT.move(row, "refuse")
            row.problem = str(error)
        else:
            jobs.progress(2, 3, "The lines are written")
            keep(taken)
            IMPORT.move(row, "import")
            row.lines_new = sum(book.new for book in taken)
            row.lines_known = sum(book.known for book in taken)
            # Another act, since money is locked before its accounts are.
            jobs.queue(
                "jobs.banking.book_lines",
                subject=("bank_import", row.id),
                unique=f"bank_import:{row.id}:booked",
                import_id=str(row.id),
            )
    return ImportSummary(row.id, row.reference, ImportState(row.state))


def _read_report(row: BankImport) -> ImportSummary:
    """A status report is read whole, then applied by another act; what answers no file of ours is refused."""
    try:
        report = read_kept(row)
        refuse_unknown_file(report, is_known=_is_ours(report.original_message_id))
    except Refused as error:
        IMPORT.move(row, "refuse")
        row.problem = str(error)
    else:
        IMPORT.move(row, "import")
        row.lines_new, row.lines_known = sum(len(block.transfers) for block in report.blocks), 0
        jobs.queue(
            "jobs.banking.apply_report",
            subject=("bank_import", row.id),
            unique=f"bank_import:{row.id}:applied",
            import_id=str(row.id),
        )
    return ImportSummary(row.id, row.reference, ImportState(row.state))


def _is_ours(message_id: str) -> bool:
    sent = select(PaymentBatch.id).where(
        PaymentBatch.message_id == message_id, PaymentBatch.state == BatchState.SENT.value
    )
    return db.session.scalar(sent) is not None


def _wait_for_scan(row: BankImport) -> None:
    """A file the scanner has not looked at yet is read later: that it waits says nothing about it."""
    if any(each.clearance is Clearance.WAITING for each in files.listed("bank_import", row.id, "file")):
        raise jobs.TryLater("The virus scanner has not looked at the file yet.")


def _parsed(row: BankImport) -> tuple[Statement, ...]:
    jobs.progress(0, 3, "The file is read")
    (kept,) = files.listed("bank_import", row.id, "file")
    with files.genuine(kept).open("rb") as file:
        return bank_files.read_statements(file, lambda lines: jobs.progress(1, 3, f"{lines} lines are read"))


@dataclass(slots=True)
class _Stands:
    """A line that stands, or one that this file adds: its row is none yet."""

    line: Line
    id: UUID
    made_in: UUID | None = None
    row: BankLine | None = None

    @property
    def statement_id(self) -> UUID | None:
        """The statement that tells of it."""
        return self.made_in if self.row is None else self.row.statement_id

    @classmethod
    def of(cls, row: BankLine) -> _Stands:
        return cls(line_of(row), row.id, row=row)


@dataclass
class _Book:
    """What stands of one account while a file is held against it, and what the file adds."""

    account: OwnAccount
    last: BankStatement | None
    lines: dict[str, _Stands]
    listed: dict[tuple[str, int], BankLine]
    parts: dict[str, list[BankLine]]
    whole: set[tuple[str, int]]
    made: list[BankStatement] = field(default_factory=list)
    added: list[dict[str, Any]] = field(default_factory=list)
    new: int = 0
    known: int = 0


def keep(books: Iterable[_Book]) -> None:
    """Write what a file adds."""
    several = tuple(books)
    db.session.add_all(each for book in several for each in book.made)
    db.session.flush()
    acts.write_new(BankLine, [line for book in several for line in book.added])


def _taken(actor: Actor, row: BankImport, statements: Sequence[Statement]) -> tuple[_Book, ...]:
    """Everything a file adds, account by account, nothing of it written yet; raises :class:`Refused`."""
    by_iban: dict[str, list[Statement]] = {}
    for statement in statements:
        by_iban.setdefault(statement.iban, []).append(statement)
    books = []
    # In one order for everybody, since each account is locked.
    for iban in sorted(by_iban):
        book = book_of(_account(actor, iban), [line for each in by_iban[iban] for line in each.lines])
        for statement in by_iban[iban]:
            take_lines(book, statement, row)
        books.append(book)
    return tuple(books)


def _account(actor: Actor, iban: str) -> OwnAccount:
    """The confirmed account of that number, locked: two files of one account are taken one after the other."""
    found = own_account_row(iban)
    if found is not None:
        found = locked(OwnAccount, found.id)
    mine = found is not None and actor.may(
        Permission.BANK_STATEMENT_IMPORT, Scope.of(("programme", found.programme_id))
    )
    if found is None or not mine or found.state != OwnAccountState.CONFIRMED.value:
        raise Refused(
            f"It is of the account that ends in {iban[-4:]}, which is none of the programme’s confirmed accounts. "
            "Have the account entered and confirmed first, then bring the file again."
        )
    return found


def book_of(account: OwnAccount, lines: Sequence[Line]) -> _Book:
    """What stands of an account on the days of these lines, and of lists, notices and sums of whole files that tell of
    the same payments otherwise."""
    last = db.session.scalars(
        select(BankStatement)
        .where(BankStatement.own_account_id == account.id)
        .order_by(BankStatement.position.desc())
        .limit(1)
    ).one_or_none()
    days = [line.booked_on for line in lines]
    standing = _standing(account.id, min(days), max(days)) if days else {}
    listed, parts = listed_before(account.id, lines), parts_told(account.id, lines)
    return _Book(account, last, standing, listed, parts, told_whole(account.id, lines))


def _standing(account_id: UUID, first: date, end: date) -> dict[str, _Stands]:
    rows = db.session.scalars(
        select(BankLine)
        .where(BankLine.own_account_id == account_id, BankLine.booked_on.between(first, end))
        .order_by(BankLine.booked_on, BankLine.number)
    )
    return {row.line_key: _Stands.of(row) for row in rows}


def take_lines(book: _Book, statement: Statement, row: BankImport) -> None:
    """Hold one statement (or notice, or list) against what stands, and note what it adds."""
    listed, others = _listed(book, statement)
    parted, others = _parted(book, statement.kind, others)
    found = sort_out(others, {key: each.line for key, each in book.lines.items()})
    # What a statement tells in one sum and a notice in parts may have one reference of the bank's too.
    rows = [*map(_Stands.of, (*listed, *parted)), *(book.lines[key] for key in found.known)]
    told = list({each.id: each for each in rows}.values())
    placed = None
    if statement.kind is BankFile.STATEMENT:
        check_statement(statement)
        covered = [each.line.signed for each in told if each.statement_id is not None]
        fresh = len(found.new) + len(told) - len(covered)
        if not follows(statement, _last(book), covered=total(covered), new=fresh):
            book.known += len(statement.lines)
            return
        placed = _statement(book, statement, row)
        for each in told:
            if each.row is not None and each.row.statement_id is None:
                each.row.statement_id = placed.id
    for key, line in found.new:
        made = _line(book.account, row, placed, key, line)
        book.lines[key] = _Stands(line, made["id"], made["statement_id"])
        book.added.append(made)
    book.new += len(found.new)
    book.known += len(told)


def _listed(book: _Book, statement: Statement) -> tuple[list[BankLine], list[Line]]:
    """The lines of lists that a bank's file tells of, each once; and the other lines of the file.

    A list knows the value date and no booking day, so the key of its line is another: end-to-end id and amount tell that it
    is the same payment.
    """
    listed: dict[UUID, BankLine] = {}
    others = []
    for line in statement.lines:
        is_payment = line.direction is Direction.DEBIT and not line.is_reversal
        row = book.listed.get((line.end_to_end_id, line.amount.cents)) if is_payment else None
        if row is None or row.id in listed or row.statement_id is not None:
            others.append(line)
        else:
            listed[row.id] = row
    return list(listed.values()), others


def _parted(book: _Book, kind: BankFile, lines: Sequence[Line]) -> tuple[list[BankLine], list[Line]]:
    """The lines in which notices or lists told the payments of a file that a statement tells in one sum, and the other lines.

    Of a notice or a list after such a sum, the payments of the file are left out: they are told already. A statement tells
    of every booking, so none of its lines is left out.
    """
    if kind is not BankFile.STATEMENT:
        return [], [line for line in lines if not _is_told_whole(book, line)]
    parted: list[BankLine] = []
    others = []
    for line in lines:
        rows = [row for row in book.parts.get(line.payment_id, ()) if row not in parted] if is_whole(line) else []
        found = _sum_of(line, [row for row in rows if row.statement_id is None])
        # Told again by statements that overlap.
        found = found or _sum_of(line, [row for row in rows if row.statement_id and row.booked_on == line.booked_on])
        parted += found
        others += [] if found else [line]
    return parted, others


def _sum_of(line: Line, rows: list[BankLine]) -> list[BankLine]:
    """These rows where they are what a line tells in one sum."""
    fits = rows and line.parts in (1, len(rows)) and total(row.amount for row in rows) == line.amount
    return rows if fits else []


def _is_told_whole(book: _Book, line: Line) -> bool:
    is_payment = line.direction is Direction.DEBIT and not line.is_reversal
    return is_payment and (line.end_to_end_id, line.amount.cents) in book.whole


def _last(book: _Book) -> Last | None:
    last = book.last
    return None if last is None else Last(statement_name(last.bank_number, last.identifier), last.to_on, last.closing)


def _statement(book: _Book, statement: Statement, row: BankImport) -> BankStatement:
    assert statement.opening and statement.closing and statement.from_on and statement.to_on, "checked before"
    made = BankStatement(
        id=uuid4(),
        own_account_id=book.account.id,
        import_id=row.id,
        previous_id=book.last.id if book.last else None,
        position=book.last.position + 1 if book.last else 1,
        identifier=statement.identifier,
        bank_number=statement.number,
        from_on=statement.from_on,
        to_on=statement.to_on,
        opening=statement.opening.amount,
        closing=statement.closing.amount,
        lines=len(statement.lines),
    )
    book.made.append(made)
    book.last = made
    return made


def _line(
    account: OwnAccount, row: BankImport, statement: BankStatement | None, key: str, line: Line
) -> dict[str, Any]:
    return dict(
        id=uuid4(),
        own_account_id=account.id,
        import_id=row.id,
        statement_id=statement.id if statement else None,
        line_key=key,
        amount=line.amount,
        direction=line.direction.value,
        is_reversal=line.is_reversal,
        booked_on=line.booked_on,
        value_on=line.value_on,
        bank_reference=line.bank_reference,
        end_to_end_id=line.end_to_end_id,
        instruction_id=line.instruction_id,
        payment_id=line.payment_id,
        transaction_code=line.transaction_code,
        return_reason=line.return_reason,
        counterparty=line.counterparty,
        counterparty_iban=line.counterparty_iban,
        remittance=line.remittance,
        parts=line.parts,
    )
