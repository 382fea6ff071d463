"""Reads of what the bank told: accounts with their last balance, statements, lines, what executes no order and how old it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, or_, select, true, tuple_

from grants.core import jobs
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.jobs import JobView
from grants.core.money import Money
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.payments.models import BankImport, BankLine, BankStatement, OwnAccount, PaymentBatch, PaymentOrder
from grants.payments.queries.orders import visible_orders
from grants.payments.rules.statements.ageing import Age, UnmatchedAsk, span
from grants.payments.rules.statements.matching import Candidate, Match, match_lines
from grants.payments.rules.statements.values import BankFile, Direction, Line
from grants.payments.states import ImportState, OrderState

# Orders that one page of lines is held against.
CANDIDATES_MAX = 2_000
ACCOUNTS_MAX = 200


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
        return f"{self.iban[:4]} •••• {self.iban[-4:]}"


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
    is_booked: bool

    @property
    def key(self) -> str:
        """Its place among lines: by day, then as they came."""
        return f"{self.line.booked_on.isoformat()}.{self.number}"


def _in_reach(actor: Actor) -> ColumnElement[bool]:
    """The accounts whose statements a person reads: those of a whole programme, so a role of one call reaches none."""
    if actor.everywhere(Permission.PAYMENT_ORDER_READ):
        return true()
    return OwnAccount.programme_id.in_(actor.places(Permission.PAYMENT_ORDER_READ, "programme"))


def _not_shut(actor: Actor) -> ColumnElement[bool]:
    """Lines that name no order this person may not see: of what a conflict shuts, no name and no amount is told."""
    if not actor.barred_from():
        return true()
    seen = visible_orders(actor, select(PaymentOrder.id))
    shut = select(PaymentOrder.id).where(
        or_(PaymentOrder.end_to_end_id == BankLine.end_to_end_id, PaymentOrder.reference == BankLine.end_to_end_id),
        PaymentOrder.id.not_in(seen),
    )
    return ~shut.exists()


def accounts(actor: Actor) -> tuple[AccountLine, ...]:
    """Every account of the programmes with its last statement, in one statement."""
    last = (
        select(BankStatement)
        .where(BankStatement.own_account_id == OwnAccount.id)
        .order_by(BankStatement.position.desc())
        .limit(1)
        .lateral("last")
    )
    open_lines = select(func.count()).where(BankLine.own_account_id == OwnAccount.id, BankLine.matched_at.is_(None))
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
        .where(_in_reach(actor))
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
    statement = _statements().where(BankStatement.import_id == import_id, _in_reach(actor))
    statement = statement.order_by(OwnAccount.reference, BankStatement.position).limit(page.limit)
    found = [_statement(row) for row in db.session.execute(statement)]
    return cut(found, page, key=lambda each: str(each.position))


def _imports_in_reach(actor: Actor) -> ColumnElement[bool]:
    """The files a person reads of: all, or those that told of an account of theirs."""
    if actor.everywhere(Permission.PAYMENT_ORDER_READ):
        return true()
    told = select(BankStatement.id).join(OwnAccount, OwnAccount.id == BankStatement.own_account_id)
    return told.where(BankStatement.import_id == BankImport.id, _in_reach(actor)).exists()


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
    account_id = _account_id(actor, account)
    row = db.session.execute(
        _statements().where(BankStatement.own_account_id == account_id, BankStatement.position == position)
    ).one_or_none()
    if row is None:
        raise NotFound
    return _statement(row)


def statement_lines(actor: Actor, account: str, position: int, page: Page) -> Rows[LineView]:
    """The lines of a statement by day, each with what it is; three statements."""
    account_id = _account_id(actor, account)
    return _lines(
        actor,
        [BankStatement.own_account_id == account_id, BankStatement.position == position],
        page,
    )


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
        .where(*_asked(asked), _in_reach(actor), _not_shut(actor))
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
    where: list[ColumnElement[bool]] = [BankLine.matched_at.is_(None)]
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
        )
        .join(OwnAccount, OwnAccount.id == BankLine.own_account_id)
        .outerjoin(BankStatement, BankStatement.id == BankLine.statement_id)
        .where(*where, _in_reach(actor), _not_shut(actor))
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
            is_booked=row[0].matched_at is not None,
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
    for account_id in {row.own_account_id for row in rows}:
        lines = {row.line_key: line_of(row) for row in rows if row.own_account_id == account_id}
        # What left before files named their account and payments their identifier could have left from any, by its reference.
        mine = [
            Candidate(
                order.id,
                order.reference,
                order.end_to_end_id or order.reference,
                order.amount,
                left_from or account_id,
                order.state,
            )
            for order, left_from in orders.values()
        ]
        found |= match_lines(lines, account_id, mine)
    return found


def _candidates(actor: Actor, named: Collection[str]) -> dict[UUID, tuple[PaymentOrder, UUID | None]]:
    """Orders the bank has, and those that lines name whatever their state, with the account of their file, as far as the
    person may see them."""
    # What a line names comes first: however many are on their way, it is not cut off.
    is_named = func.coalesce(PaymentOrder.end_to_end_id.in_(named), False) | PaymentOrder.reference.in_(named)
    meant = or_(PaymentOrder.state == OrderState.SENT.value, is_named)
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
        told.closing, told.lines, account, holder, f"{iban[:4]} •••• {iban[-4:]}", brought,
    )  # fmt: skip


def _account_id(actor: Actor, reference: str) -> UUID:
    found = db.session.scalar(select(OwnAccount.id).where(OwnAccount.reference == reference, _in_reach(actor)))
    if found is None:
        raise NotFound
    return found
