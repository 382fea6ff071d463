"""Lines of the bank as pages show them: of a statement, those that wait, and one with all that was said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, cast, func, select, tuple_
from sqlalchemy.orm import aliased

from grants.agreements.models import Grant
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.money import Money
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor
from grants.identity.models import User
from grants.ledger.models import LedgerEntry
from grants.ledger.rules import reference as ledger_reference
from grants.payments.models import (
    BankClaim,
    BankLine,
    BankStatement,
    OwnAccount,
    PaymentBatch,
    PaymentOrder,
    Recovery,
)
from grants.payments.queries.bank_candidates import line_of, matches
from grants.payments.queries.bank_reach import OPEN, in_reach, is_open_line, not_shut
from grants.payments.queries.statements import statement_name
from grants.payments.rules.statements.ageing import Age, UnmatchedAsk, span
from grants.payments.rules.statements.claims import BOOKED_WORDS, EXPLAINED_WORDS, possible
from grants.payments.rules.statements.matching import Match
from grants.payments.rules.statements.values import Direction, Line
from grants.payments.states import BookedAs, ClaimState, Explained
from grants.programmes.models import FundSource

CLAIMS_MAX = 50


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
    found_as = matches(actor, [row[0] for row in found])
    views = [
        LineView(
            number=row[0].number,
            line=line_of(row[0]),
            account=row.reference,
            statement=row.position,
            statement_name=statement_name(row.bank_number or "", row.identifier or ""),
            match=found_as[row[0].line_key],
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
            *(BankClaim, PaymentOrder.reference, PaymentBatch.reference, Recovery.reference, FundSource.number),
            *(said.name.label("said_by"), decided.name.label("decided_by_name")),
        )
        .join(said, said.id == BankClaim.proposed_by)
        .outerjoin(decided, decided.id == BankClaim.decided_by)
        .outerjoin(PaymentOrder, PaymentOrder.id == BankClaim.order_id)
        .outerjoin(PaymentBatch, PaymentBatch.id == BankClaim.batch_id)
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
            order or file or recovery or fund or "",
            row.reason,
            ClaimState(row.state),
            row.proposed_by,
            said_by,
            row.proposed_at,
            decided_by,
            row.decided_at,
            row.refuse_reason,
        )
        for row, order, file, recovery, fund, said_by, decided_by in rows
    )
