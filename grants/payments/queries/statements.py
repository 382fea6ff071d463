"""Reads of what the bank told: accounts with their last balance, the files that were brought and the statements in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, true

from grants.agreements.rules.accounts import masked
from grants.calls.models import Call
from grants.core import jobs
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.jobs import JobView
from grants.core.money import Money
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.payments.models import (
    BankImport,
    BankLine,
    BankStatement,
    BankStatus,
    OwnAccount,
    PaymentBatch,
    PaymentOrder,
)
from grants.payments.queries.bank_proofs import proof_of
from grants.payments.queries.bank_reach import OPEN, in_reach
from grants.payments.rules.statements.booking import Proof
from grants.payments.rules.statements.values import BankFile
from grants.payments.states import ImportState, OwnAccountState

ACCOUNTS_MAX = 200


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


def statement_proof(actor: Actor, account: str, position: int) -> Proof:
    """The balance beside the ledger's of a statement its reader may see; one statement."""
    own = select(OwnAccount.id).where(OwnAccount.reference == account, in_reach(actor))
    return proof_of(own.scalar_subquery(), position)
