"""Reads of what the bank told: accounts with their last balance, statements, lines, what executes no order and how old it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, or_, select, true, tuple_
from sqlalchemy.orm import aliased

from grants.agreements.models import Grant
from grants.agreements.rules.accounts import masked
from grants.calls.models import Call
from grants.core import jobs
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.jobs import JobView
from grants.core.money import Money, total
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.identity.models import User
from grants.ledger.models import LedgerEntry
from grants.ledger.rules import reference as ledger_reference
from grants.payments.models import (
    BankClaim,
    BankImport,
    BankLine,
    BankStatement,
    BankStatus,
    OwnAccount,
    PaymentBatch,
    PaymentOrder,
    Recovery,
)
from grants.payments.queries.bank_proofs import proof_of
from grants.payments.queries.orders import visible_orders
from grants.payments.rules.statements.ageing import Age, UnmatchedAsk, span
from grants.payments.rules.statements.booking import Proof
from grants.payments.rules.statements.claims import BOOKED_WORDS, EXPLAINED_WORDS, possible
from grants.payments.rules.statements.matching import OPEN_STATES, Candidate, FileCandidate, Match, match_lines
from grants.payments.rules.statements.values import BankFile, Direction, Line
from grants.payments.states import BatchState, BookedAs, ClaimState, Explained, ImportState, OwnAccountState
from grants.programmes.models import FundSource

# Orders that one page of lines is held against.
CANDIDATES_MAX = 2_000
ACCOUNTS_MAX = 200
CLAIMS_MAX = 50


# Lines that wait for somebody: nothing was booked from them, or nobody knows yet what they are for.
UNIDENTIFIED = (BankLine.booked_as == BookedAs.UNIDENTIFIED.value) & BankLine.identified_at.is_(None)
OPEN = BankLine.matched_at.is_(None) | UNIDENTIFIED


def is_open_line(row: BankLine) -> bool:
    """The same of a row."""
    unidentified = row.booked_as == BookedAs.UNIDENTIFIED.value and row.identified_at is None
    return row.matched_at is None or unidentified


def candidates_for(rows: Iterable[PaymentOrder], account_id: UUID) -> list[Candidate]:
    """Orders as matching sees them, from the account each left from; two statements.

    What left before files named their account could have left from any, and before payments had an identifier, by its
    reference.
    """
    orders = list(rows)
    batches = {order.batch_id for order in orders if order.batch_id}
    left_from: dict[UUID, UUID | None] = {
        batch_id: own
        for batch_id, own in db.session.execute(
            select(PaymentBatch.id, PaymentBatch.own_account_id).where(PaymentBatch.id.in_(batches))
        )
    }
    told = told_orders([order.id for order in orders])
    return [_candidate(order, left_from.get(order.batch_id) if order.batch_id else None, account_id, told) for order in orders]  # fmt: skip


def _candidate(order: PaymentOrder, left_from: UUID | None, account_id: UUID, told: Collection[UUID]) -> Candidate:
    return Candidate(
        order.id,
        order.reference,
        order.end_to_end_id or order.reference,
        order.amount,
        left_from or account_id,
        order.state,
        has_line=order.id in told,
    )


def told_orders(order_ids: Collection[UUID]) -> set[UUID]:
    """Which of these orders a line tells of already, alone or with its whole file."""
    alone = select(BankLine.order_id).where(
        BankLine.order_id.in_(order_ids), BankLine.booked_as == BookedAs.ORDER.value
    )
    whole = (
        select(PaymentOrder.id)
        .join(BankLine, BankLine.batch_id == PaymentOrder.batch_id)
        .where(PaymentOrder.id.in_(order_ids))
    )
    return {order_id for order_id in db.session.scalars(alone.union(whole)) if order_id}


def files_for(lines: Iterable[BankLine]) -> dict[UUID, PaymentBatch]:
    """The files that lines without a payment of their own name, sent and not yet told of. One statement."""
    named = {line.payment_id for line in lines if line.payment_id and not line.end_to_end_id}
    if not named:
        return {}
    ids = named | {each.removesuffix("-1") for each in named}
    told = select(BankLine.batch_id).where(BankLine.batch_id.is_not(None))
    rows = db.session.scalars(
        select(PaymentBatch).where(
            PaymentBatch.message_id.in_(ids),
            PaymentBatch.state == BatchState.SENT.value,
            PaymentBatch.id.not_in(told),
        )
    )
    return {row.id: row for row in rows}


def file_candidates(batches: Mapping[UUID, PaymentBatch], orders: Iterable[PaymentOrder]) -> list[FileCandidate]:
    """These files as matching sees them, each with its orders that the bank has and has not booked."""
    waiting: dict[UUID, list[Money]] = {}
    for order in orders:
        if order.batch_id is not None and order.batch_id in batches and order.state in OPEN_STATES:
            waiting.setdefault(order.batch_id, []).append(order.amount)
    return [
        FileCandidate(
            batch.id,
            batch.reference,
            batch.message_id,
            batch.own_account_id,
            len(waiting.get(batch.id, ())),
            total(waiting.get(batch.id, ())),
        )
        for batch in batches.values()
    ]


def entry_of(source_key: str) -> UUID:
    """The entry that was booked under a key."""
    return db.session.scalars(select(LedgerEntry.id).where(LedgerEntry.source_key == source_key)).one()


def receiving_accounts(call_id: UUID) -> dict[UUID, str]:
    """The confirmed accounts of the programme of a call, by id, with their references."""
    found = db.session.execute(
        select(OwnAccount.id, OwnAccount.reference)
        .join(Call, Call.programme_id == OwnAccount.programme_id)
        .where(Call.id == call_id, OwnAccount.state == OwnAccountState.CONFIRMED.value)
        .order_by(OwnAccount.reference)
    )
    return {account_id: reference for account_id, reference in found}


def accounts_of_grant(actor: Actor, call_id: UUID) -> tuple[tuple[str, str], ...]:
    """The accounts that money for a grant of this call comes to, as choices; for whoever books receipts."""
    if not actor.can(Permission.RECOVERY_BOOK):
        return ()
    return tuple((str(each), name) for each, name in receiving_accounts(call_id).items())


def statement_name(number: str, identifier: str) -> str:
    """What a statement is called: the number the bank counts with, else its identifier."""
    return number or identifier


def line_of(row: BankLine) -> Line:
    """A line that stands, as the plain value."""
    return Line(
        amount=row.amount,
        direction=Direction(row.direction),
        booked_on=row.booked_on,
        value_on=row.value_on,
        is_reversal=row.is_reversal,
        bank_reference=row.bank_reference,
        end_to_end_id=row.end_to_end_id,
        instruction_id=row.instruction_id,
        payment_id=row.payment_id,
        transaction_code=row.transaction_code,
        return_reason=row.return_reason,
        counterparty=row.counterparty,
        counterparty_iban=row.counterparty_iban,
        remittance=row.remittance,
        parts=row.parts,
    )


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account of the programme with where its statements end and what is open of it."""

    reference: str
    holder: str
    iban: str
    position: int | None
    name: str
    to_on: date | None
    closing: Money | None
    unmatched: int
    noticed: int

    @property
    def masked(self) -> str:
        """The number but for its middle."""
        return masked(self.iban)


@dataclass(frozen=True, slots=True)
class ImportView:
    """A file of the bank as pages show it."""

    id: UUID
    number: int
    reference: str
    kind: BankFile
    name: str
    state: ImportState
    uploaded_at: datetime
    uploaded_by: str
    problem: str | None
    lines_new: int | None
    lines_known: int | None


@dataclass(frozen=True, slots=True)
class StatementView:
    """A statement as pages show it."""

    position: int
    name: str
    from_on: date
    to_on: date
    opening: Money
    closing: Money
    lines: int
    account: str
    holder: str
    iban: str
    import_reference: str


@dataclass(frozen=True, slots=True)
class LineView:
    """One line with what it is: executes an order, or why none."""

    number: int
    line: Line
    account: str
    statement: int | None
    statement_name: str
    match: Match
    booked_as: BookedAs | None
    # What it was booked as, by its reference: an order, a file or a recovery with its grant.
    booked_to: str
    grant: str
    is_open: bool
    # What an unidentified receipt was told to be later.
    told_as: str
    # What somebody says it is, until another person confirms it.
    claimed: str

    @property
    def is_booked(self) -> bool:
        """Whether it is done with, or at least in the books."""
        return self.booked_as is not None

    @property
    def words(self) -> str:
        """What it was booked as, else what it is or came nearest to, in a sentence."""
        if self.booked_as is None:
            if self.statement is None and self.line.direction is Direction.CREDIT:
                return f"{self.match.words} Only a notice told of it so far: the statement books it, or two people say what it is."
            held = " It was not booked by itself: the bank dates it before the file left, or who brought it may not book it."
            return self.match.words + (held if self.match.order or self.match.file else "")
        said = " ".join((BOOKED_WORDS[self.booked_as], self.booked_to)).strip()
        later = EXPLAINED_WORDS[Explained(self.told_as)] if self.told_as else ""
        return f"{said}; told later: {later.lower()}." if later else f"{said}."

    @property
    def key(self) -> str:
        """Its place among lines: by day, then as they came."""
        return f"{self.line.booked_on.isoformat()}.{self.number}"


def in_reach(actor: Actor) -> ColumnElement[bool]:
    """The accounts whose statements a person reads: those of a whole programme, so a role of one call reaches none."""
    if actor.everywhere(Permission.PAYMENT_ORDER_READ):
        return true()
    return OwnAccount.programme_id.in_(actor.places(Permission.PAYMENT_ORDER_READ, "programme"))


def not_shut(actor: Actor) -> ColumnElement[bool]:
    """Lines that name no order this person may not see: of what a conflict shuts, no name and no amount is told."""
    if not actor.barred_from():
        return true()
    seen = visible_orders(actor, select(PaymentOrder.id))
    # The statement around may join orders, claims and debts of its own: of it, only the line is meant here.
    said = select(BankClaim.order_id).where(BankClaim.line_id == BankLine.id, BankClaim.order_id.is_not(None))
    shut = select(PaymentOrder.id).where(
        or_(
            PaymentOrder.end_to_end_id == BankLine.end_to_end_id,
            PaymentOrder.reference == BankLine.end_to_end_id,
            PaymentOrder.id == BankLine.order_id,
            PaymentOrder.id.in_(said.correlate(BankLine)),
        ),
        PaymentOrder.id.not_in(seen),
    )
    owed = select(BankClaim.recovery_id).where(BankClaim.line_id == BankLine.id, BankClaim.recovery_id.is_not(None))
    told_text = func.upper(func.concat(BankLine.end_to_end_id, " ", BankLine.remittance))
    debts = (
        select(Recovery.id)
        .join(Grant, Grant.id == Recovery.grant_id)
        .where(
            or_(
                Recovery.id == BankLine.recovery_id,
                Recovery.id.in_(owed.correlate(BankLine)),
                # Of an open line, whatever it names; with a letter or digit behind, the name is another recovery's.
                OPEN & told_text.op("~")(func.concat(r"(^|[^A-Z0-9-])", Recovery.reference, r"($|[^A-Z0-9-])")),
            ),
            Grant.application_id.in_(actor.barred("application")),
        )
    )
    return ~shut.correlate(BankLine).exists() & ~debts.correlate(BankLine).exists()


def accounts(actor: Actor) -> tuple[AccountLine, ...]:
    """Every account of the programmes with its last statement, in one statement."""
    last = (
        select(BankStatement)
        .where(BankStatement.own_account_id == OwnAccount.id)
        .order_by(BankStatement.position.desc())
        .limit(1)
        .lateral("last")
    )
    open_lines = select(func.count()).where(BankLine.own_account_id == OwnAccount.id, OPEN)
    found = db.session.execute(
        select(
            OwnAccount.reference,
            OwnAccount.holder,
            OwnAccount.iban,
            last.c.position,
            last.c.bank_number,
            last.c.identifier,
            last.c.to_on,
            last.c.closing,
            open_lines.scalar_subquery().label("unmatched"),
            open_lines.where(BankLine.statement_id.is_(None)).scalar_subquery().label("noticed"),
        )
        .outerjoin(last, last.c.position > 0)
        .where(in_reach(actor))
        .order_by(OwnAccount.reference)
        .limit(ACCOUNTS_MAX)
    )
    return tuple(
        AccountLine(
            row.reference, row.holder, row.iban, row.position,
            statement_name(row.bank_number or "", row.identifier or ""), row.to_on, row.closing,
            row.unmatched, row.noticed,
        )
        for row in found
    )  # fmt: skip


def imports(actor: Actor, page: Page) -> Rows[ImportView]:
    """The files that were brought, newest first; two statements."""
    statement = select(BankImport).where(_imports_in_reach(actor)).order_by(BankImport.number.desc()).limit(page.limit)
    if (last := page.number) is not None:
        statement = statement.where(BankImport.number < last)
    return cut(_imports(db.session.scalars(statement).all()), page, key=lambda each: str(each.number))


def bank_import(actor: Actor, reference: str) -> tuple[ImportView, JobView | None]:
    """One file that was brought, with the work on it; raises :class:`NotFound`."""
    wanted = select(BankImport).where(BankImport.reference == reference, _imports_in_reach(actor))
    row = db.session.scalars(wanted).one_or_none()
    if row is None:
        raise NotFound
    (found,) = _imports([row])
    return found, jobs.by_key(f"bank_import:{row.id}")


def statements_of_import(actor: Actor, import_id: UUID, page: Page) -> Rows[StatementView]:
    """The statements one file brought, in its order."""
    statement = _statements().where(BankStatement.import_id == import_id, in_reach(actor))
    statement = statement.order_by(OwnAccount.reference, BankStatement.position).limit(page.limit)
    found = [_statement(row) for row in db.session.execute(statement)]
    return cut(found, page, key=lambda each: str(each.position))


def _imports_in_reach(actor: Actor) -> ColumnElement[bool]:
    """The files a person reads of: all, or those that told of an account of theirs."""
    if actor.everywhere(Permission.PAYMENT_ORDER_READ):
        return true()
    told = select(BankStatement.id).join(OwnAccount, OwnAccount.id == BankStatement.own_account_id)
    reported = (
        select(BankStatus.id)
        .join(PaymentOrder, PaymentOrder.id == BankStatus.order_id)
        .join(PaymentBatch, PaymentBatch.id == PaymentOrder.batch_id)
        .join(OwnAccount, OwnAccount.id == PaymentBatch.own_account_id)
    )
    return or_(
        told.where(BankStatement.import_id == BankImport.id, in_reach(actor)).exists(),
        reported.where(BankStatus.import_id == BankImport.id, in_reach(actor)).exists(),
    )


def _imports(rows: Sequence[BankImport]) -> list[ImportView]:
    people = identity.people([row.uploaded_by for row in rows]) if rows else {}
    return [
        ImportView(
            row.id, row.number, row.reference, BankFile(row.kind), row.name, ImportState(row.state), row.uploaded_at,
            people[row.uploaded_by].name, row.problem, row.lines_new, row.lines_known,
        )
        for row in rows
    ]  # fmt: skip


def statements(actor: Actor, account: str, page: Page) -> Rows[StatementView]:
    """The statements of an account, newest first; raises :class:`NotFound`."""
    account_id = _account_id(actor, account)
    statement = _statements().where(BankStatement.own_account_id == account_id)
    statement = statement.order_by(BankStatement.position.desc()).limit(page.limit)
    if (last := page.number) is not None:
        statement = statement.where(BankStatement.position < last)
    found = [_statement(row) for row in db.session.execute(statement)]
    return cut(found, page, key=lambda each: str(each.position))


def account_of(actor: Actor, reference: str) -> AccountLine:
    """One account with its last statement; raises :class:`NotFound`."""
    found = next((each for each in accounts(actor) if each.reference == reference), None)
    if found is None:
        raise NotFound
    return found


def statement(actor: Actor, account: str, position: int) -> StatementView:
    """One statement by its place among those of its account; raises :class:`NotFound`."""
    row = db.session.execute(
        _statements().where(OwnAccount.reference == account, BankStatement.position == position, in_reach(actor))
    ).one_or_none()
    if row is None:
        raise NotFound
    return _statement(row)


def statement_lines(actor: Actor, account: str, position: int, page: Page) -> Rows[LineView]:
    """The lines of a statement its reader may see, by day, each with what it is."""
    return _lines(actor, [OwnAccount.reference == account, BankStatement.position == position], page)


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many lines of an age nothing was booked from yet, and what they sum to."""

    age: Age
    lines: int
    debits: Money
    credits: Money


def ages(actor: Actor, asked: UnmatchedAsk, today: date) -> tuple[Bucket, ...]:
    """How old what is unmatched is, by the same filters but that of age; one statement."""
    columns: list[Any] = []
    for age in Age:
        of_age = _of_age(age, today)
        columns.append(func.count().filter(of_age))
        for direction in (Direction.DEBIT, Direction.CREDIT):
            summed = func.coalesce(func.sum(BankLine.amount).filter(of_age, BankLine.direction == direction.value), 0)
            columns.append(cast(summed, BigInteger))
    row = db.session.execute(
        select(*columns)
        .join(OwnAccount, OwnAccount.id == BankLine.own_account_id)
        .where(*_asked(asked), in_reach(actor), not_shut(actor))
    ).one()
    return tuple(
        Bucket(age, row[3 * step], Money(row[3 * step + 1]), Money(row[3 * step + 2])) for step, age in enumerate(Age)
    )


def unmatched(actor: Actor, asked: UnmatchedAsk, today: date, page: Page) -> Rows[LineView]:
    """Lines nothing was booked from yet, the oldest first, each with what came nearest; two statements."""
    where = _asked(asked)
    if asked.age is not None:
        where.append(_of_age(asked.age, today))
    return _lines(actor, where, page)


def _asked(asked: UnmatchedAsk) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [OPEN]
    if asked.direction is not None:
        where.append(BankLine.direction == asked.direction.value)
    if asked.account:
        where.append(OwnAccount.reference == asked.account)
    return where


def _of_age(age: Age, today: date) -> ColumnElement[bool]:
    newest, oldest = span(age)
    until: ColumnElement[bool] = BankLine.booked_on <= today - timedelta(newest)
    if age is Age.WEEK:
        # A booking the bank dates ahead is the newest there is.
        return BankLine.booked_on >= today - timedelta(oldest or 0)
    return until if oldest is None else until & (BankLine.booked_on >= today - timedelta(oldest))


def _lines(actor: Actor, where: Sequence[ColumnElement[bool]], page: Page) -> Rows[LineView]:
    asked = (
        select(
            BankLine,
            OwnAccount.reference,
            BankStatement.position,
            BankStatement.bank_number,
            BankStatement.identifier,
            PaymentOrder.reference.label("order_reference"),
            PaymentBatch.reference.label("batch_reference"),
            Recovery.reference.label("recovery_reference"),
            Grant.reference.label("grant_reference"),
            BankClaim.explained,
        )
        .join(OwnAccount, OwnAccount.id == BankLine.own_account_id)
        .outerjoin(BankStatement, BankStatement.id == BankLine.statement_id)
        .outerjoin(PaymentOrder, PaymentOrder.id == BankLine.order_id)
        .outerjoin(PaymentBatch, PaymentBatch.id == BankLine.batch_id)
        .outerjoin(Recovery, Recovery.id == BankLine.recovery_id)
        .outerjoin(Grant, Grant.id == Recovery.grant_id)
        .outerjoin(BankClaim, (BankClaim.line_id == BankLine.id) & (BankClaim.state == ClaimState.PROPOSED.value))
        .where(*where, in_reach(actor), not_shut(actor))
        .order_by(BankLine.booked_on, BankLine.number)
        .limit(page.limit)
    )
    if (after := _key(page.after)) is not None:
        asked = asked.where(tuple_(BankLine.booked_on, BankLine.number) > tuple_(*after))
    found = db.session.execute(asked).all()
    matches = _matches(actor, [row[0] for row in found])
    views = [
        LineView(
            number=row[0].number,
            line=line_of(row[0]),
            account=row.reference,
            statement=row.position,
            statement_name=statement_name(row.bank_number or "", row.identifier or ""),
            match=matches[row[0].line_key],
            booked_as=BookedAs(row[0].booked_as) if row[0].booked_as else None,
            booked_to=row.order_reference or row.batch_reference or row.recovery_reference or "",
            grant=row.grant_reference or "",
            is_open=is_open_line(row[0]),
            told_as=row[0].identified_as or "",
            claimed=EXPLAINED_WORDS[Explained(row.explained)] if row.explained else "",
        )
        for row in found
    ]
    return cut(views, page, key=lambda each: each.key)


def _key(after: str | None) -> tuple[date, int] | None:
    """The key in an address; a broken one is as if there were none."""
    day, _, number = (after or "").rpartition(".")
    try:
        found = date.fromisoformat(day), int(number)
    except ValueError:
        return None
    return found if 0 < found[1] < 2**62 else None


def _matches(actor: Actor, rows: Sequence[BankLine]) -> dict[str, Match]:
    """What each line is, held against the orders it could mean: one statement."""
    orders = _candidates(actor, {row.end_to_end_id for row in rows if row.end_to_end_id}) if rows else {}
    found: dict[str, Match] = {}
    told = told_orders(list(orders)) if orders else set()
    batches = files_for(rows)
    files = file_candidates(batches, [order for order, _ in orders.values()])
    for account_id in {row.own_account_id for row in rows}:
        lines = {row.line_key: line_of(row) for row in rows if row.own_account_id == account_id}
        mine = [_candidate(order, left_from, account_id, told) for order, left_from in orders.values()]
        found |= match_lines(lines, account_id, mine, files)
    return found


def _candidates(actor: Actor, named: Collection[str]) -> dict[UUID, tuple[PaymentOrder, UUID | None]]:
    """Orders the bank has, and those that lines name whatever their state, with the account of their file, as far as the
    person may see them."""
    # What a line names comes first: however many are on their way, it is not cut off.
    is_named = func.coalesce(PaymentOrder.end_to_end_id.in_(named), False) | PaymentOrder.reference.in_(named)
    meant = or_(PaymentOrder.state.in_(OPEN_STATES), is_named)
    asked: Any = select(PaymentOrder, PaymentBatch.own_account_id)
    wanted = (
        visible_orders(actor, asked)
        .outerjoin(PaymentBatch, PaymentBatch.id == PaymentOrder.batch_id)
        .where(meant)
        .order_by(is_named.desc(), PaymentOrder.reference)
        .limit(CANDIDATES_MAX)
    )
    return {row.id: (row, left_from) for row, left_from in db.session.execute(wanted)}


def _statements() -> Select[BankStatement, str, str, str, str]:
    return (
        select(BankStatement, OwnAccount.reference, OwnAccount.holder, OwnAccount.iban, BankImport.reference)
        .join(OwnAccount, OwnAccount.id == BankStatement.own_account_id)
        .join(BankImport, BankImport.id == BankStatement.import_id)
    )


def _statement(row: Any) -> StatementView:
    told, account, holder, iban, brought = row
    return StatementView(
        told.position, statement_name(told.bank_number, told.identifier), told.from_on, told.to_on, told.opening,
        told.closing, told.lines, account, holder, masked(iban), brought,
    )  # fmt: skip


def _account_id(actor: Actor, reference: str) -> UUID:
    found = db.session.scalar(select(OwnAccount.id).where(OwnAccount.reference == reference, in_reach(actor)))
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class ClaimView:
    """What somebody said of a line, and what became of it."""

    id: UUID
    version: int
    explained: Explained
    named: str
    reason: str
    state: ClaimState
    proposed_by_id: UUID
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    refuse_reason: str | None

    @property
    def words(self) -> str:
        """What was said, with what it names."""
        return " ".join((EXPLAINED_WORDS[self.explained], self.named)).strip()


@dataclass(frozen=True, slots=True)
class LinePage:
    """One line with all that was said of it, and what it can be said to be."""

    id: UUID
    view: LineView
    entry: str | None
    claims: tuple[ClaimView, ...]
    possible: tuple[Explained, ...]
    funds: tuple[tuple[str, str], ...]

    @property
    def open(self) -> ClaimView | None:
        """What waits for another person."""
        return next((each for each in self.claims if each.state is ClaimState.PROPOSED), None)


def line_page(actor: Actor, number: int) -> LinePage:
    """A line by its number; raises :class:`NotFound` where the person reads none of its account, or is barred."""
    found = _lines(actor, [BankLine.number == number], Page(size=1)).items
    if not found:
        raise NotFound
    (view,) = found
    row, entry = db.session.execute(
        select(BankLine, LedgerEntry)
        .outerjoin(LedgerEntry, LedgerEntry.id == BankLine.entry_id)
        .where(BankLine.number == number)
    ).one()
    can = possible(view.line, view.booked_as, is_told=row.identified_at is not None)
    funds: list[tuple[str, str]] = []
    if Explained.FUNDING in can:
        rows = db.session.execute(select(FundSource.number, FundSource.acronym).order_by(FundSource.number))
        funds = [(fund, f"{fund} {acronym}") for fund, acronym in rows]
    return LinePage(
        id=row.id,
        view=view,
        entry=ledger_reference(entry.number, entry.effective_on) if entry else None,
        claims=_claims(row.id),
        possible=can,
        funds=tuple(funds),
    )


def _claims(line_id: UUID) -> tuple[ClaimView, ...]:
    said, decided = aliased(User), aliased(User)
    rows = db.session.execute(
        select(
            *(BankClaim, PaymentOrder.reference, Recovery.reference, FundSource.number),
            *(said.name.label("said_by"), decided.name.label("decided_by_name")),
        )
        .join(said, said.id == BankClaim.proposed_by)
        .outerjoin(decided, decided.id == BankClaim.decided_by)
        .outerjoin(PaymentOrder, PaymentOrder.id == BankClaim.order_id)
        .outerjoin(Recovery, Recovery.id == BankClaim.recovery_id)
        .outerjoin(FundSource, FundSource.id == BankClaim.fund_source_id)
        .where(BankClaim.line_id == line_id)
        .order_by(BankClaim.proposed_at.desc(), BankClaim.id)
        .limit(CLAIMS_MAX)
    ).all()
    return tuple(
        ClaimView(
            row.id,
            row.version,
            Explained(row.explained),
            order or recovery or fund or "",
            row.reason,
            ClaimState(row.state),
            row.proposed_by,
            said_by,
            row.proposed_at,
            decided_by,
            row.decided_at,
            row.refuse_reason,
        )
        for row, order, recovery, fund, said_by, decided_by in rows
    )


def statement_proof(actor: Actor, account: str, position: int) -> Proof:
    """The balance beside the ledger's of a statement its reader may see; one statement."""
    own = select(OwnAccount.id).where(OwnAccount.reference == account, in_reach(actor))
    return proof_of(own.scalar_subquery(), position)
