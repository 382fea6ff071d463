"""The money alone: lists of payments and of the ledger at N/100 and at N entries, then a pay run, a bank statement and the check of the books.

Grants with all their payments are multiplied as the other sittings do it; ten entries each and more. What was paid grows with N;
what waits to be authorised does not, until it is wanted for the pay run. Where a page is measured its rows
are held against SQL; what acts do is held against the state they leave.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from html import unescape
from uuid import UUID

from sqlalchemy import event, func, select
from werkzeug.datastructures import FileStorage

from grants.bench.browsing import Answer, Wrong
from grants.bench.operations import Operation, at
from grants.bench.ours import ACCOUNTANT, AUTHORISER, HOMES, Ours
from grants.bench.report import Target
from grants.bench.stencils import Connection
from grants.core import clock, files
from grants.core.db import db
from grants.core.money import Money
from grants.core.permissions import Actor
from grants.identity import queries as identity
from grants.identity.models import User
from grants.ledger.models import LedgerLeg
from grants.oversight import queries as across
from grants.payments import queries, services
from grants.payments.models import PaymentOrder
from grants.payments.rules.evidence import every_tick
from grants.payments.rules.pay_runs import FileInput, FileLayout
from grants.payments.rules.sepa.checks import next_paying_day
from grants.payments.rules.statements.values import BankFile
from grants.payments.services import bank_files
from grants.payments.states import OrderState, Step

ENTRIES_A_GRANT = 10
# Grants of which a payment waits while lists are measured.
WAITING = 40
# How many times as long as with a hundredth of the entries, and how many statements a page may take.
GROWTH_MAX, SQL_MAX = 1.2, 8
RUN_MAX = 2_000
# In milliseconds of one act, seconds of a run of 2,000, of a statement of 10,000 lines, of a million legs.
AUTHORISE_MS, RUN_SECONDS, LINES_SECONDS, LEGS_SECONDS = 30, 5.0, 10.0, 20.0
LINES, LEGS = 10_000, 1_000_000


def pages(ours: Ours, connection: Connection) -> Sequence[Operation]:
    """The lists that are measured, with what they must show."""
    grant = _column(connection, "SELECT reference FROM grant_agreement ORDER BY md5(reference) LIMIT 1")
    batch = _column(connection, "SELECT reference FROM payment_batch ORDER BY built_at DESC, reference DESC LIMIT 1")
    order = _column(
        connection, "SELECT reference FROM payment_order WHERE state = 'verified' ORDER BY due_on, reference LIMIT 1"
    )
    auditor = HOMES["auditor"]
    return (
        Operation("money.ledger", auditor, at("/finance/ledger"), ours.ledger_says),
        Operation("money.ledger.grant", auditor, at(f"/finance/ledger?grant={grant}"), _shows(grant)),
        Operation("money.ledger.account", auditor, at("/finance/ledger?account=1000"), _shows("1000")),
        Operation("money.approvals", AUTHORISER, at("/finance/approvals"), _shows(order)),
        Operation("money.files", ACCOUNTANT, at("/finance/batches"), _shows(batch)),
        Operation("money.unmatched", ACCOUNTANT, at("/finance/unmatched"), _shows("<h1")),
        Operation("money.grant", auditor, at(f"/grants/{grant}/payments"), _shows(grant)),
    )


def _shows(text: str) -> Callable[[Answer], str | None]:
    return lambda answer: None if answer.status == 200 and text in unescape(answer.text) else f"{text} is not there."


def _column(connection: Connection, statement: str) -> str:
    row = connection.execute(statement.encode()).fetchone()
    if row is None:
        raise Wrong(f"Nothing was seeded for: {statement}")
    return str(row[0])


@dataclass
class Spent:
    """What a piece of work took: seconds of the clock, CPU seconds of this process, statements, seconds of the database."""

    seconds: float = 0.0
    cpu: float = 0.0
    statements: int = 0
    sql_seconds: float = 0.0
    _began: float = field(default=0.0, repr=False)


@contextmanager
def spent() -> Iterator[Spent]:
    """Count what is done inside."""
    found = Spent()

    def begin(*told: object) -> None:
        found._began = time.perf_counter()

    def end(*told: object) -> None:
        found.statements += 1
        found.sql_seconds += time.perf_counter() - found._began

    event.listen(db.engine, "before_cursor_execute", begin)
    event.listen(db.engine, "after_cursor_execute", end)
    began, cpu = time.perf_counter(), time.process_time()
    try:
        yield found
    finally:
        found.seconds, found.cpu = time.perf_counter() - began, time.process_time() - cpu
        event.remove(db.engine, "before_cursor_execute", begin)
        event.remove(db.engine, "after_cursor_execute", end)


def measured(say: Callable[[str], None], *, orders: int = RUN_MAX, lines: int = LINES) -> Iterator[Target]:
    """The check of the books, authorising one, a pay run, and the bank's statement of it; raises :class:`Wrong`.

    The statement has so many lines, whatever was paid: the rest are receipts that nothing explains, and each is looked at.
    """
    yield from _verified()
    ids = _waiting(orders)
    say(f"{len(ids)} orders are authorised one by one ...")
    yield _authorised(ids)
    say(f"{len(ids)} orders leave in one file ...")
    yield _left(ids)
    say(f"The bank tells of {len(ids)} payments among {max(lines, len(ids)):,} lines ...")
    yield _told(ids, max(lines - len(ids), 0))


def _verified() -> Iterator[Target]:
    with spent() as found:
        problems = across.verify_ledger()
    if problems:
        raise Wrong(f"The books are not right: {problems[0]}")
    legs = db.session.execute(select(func.count()).select_from(LedgerLeg)).scalar_one()
    db.session.rollback()
    yield _target("books verified, of 1,000,000 legs", found, legs, LEGS, LEGS_SECONDS)


def _waiting(orders: int) -> list[UUID]:
    verified = select(PaymentOrder.id).where(PaymentOrder.state == OrderState.VERIFIED.value)
    found = list(db.session.scalars(verified.order_by(PaymentOrder.reference).limit(orders)))
    db.session.rollback()
    if not found:
        raise Wrong("No order waits to be authorised.")
    return found


def _authorised(ids: Sequence[UUID]) -> Target:
    who = _person(AUTHORISER)
    each = []
    for order_id in ids:
        with spent() as found:
            services.authorise(who, order_id, evidence=every_tick(Step.AUTHORISED))
        each.append(found)
    quick = sorted(each, key=lambda one: one.seconds)[len(each) // 2]
    ms = quick.seconds * 1_000
    figure = f"{ms:.0f} ms, CPU of the process {quick.cpu * 1_000:.0f}, {quick.statements} statements"
    return Target("authorising one order", f"at most {AUTHORISE_MS} ms", figure, ms <= AUTHORISE_MS)


def _left(ids: Sequence[UUID]) -> Target:
    """Built, checked and written; then sent, which is told beside."""
    who, account = _person(ACCOUNTANT), queries.payable_from_any(tuple(ids))
    db.session.rollback()
    on = next_paying_day(clock.in_zone(clock.now()).date())
    with spent() as found:
        built = services.build(who, tuple(ids), FileInput(account, FileLayout.V09, on))
        services.make_batch_file(who, built.id)
    with spent() as sent:
        services.send(who, built.id, count=len(ids), control_total=built.total)
    made = _target(f"pay run of {RUN_MAX:,} built, checked and written", found, len(ids), RUN_MAX, RUN_SECONDS)
    return replace(made, figure=f"{made.figure}; sent in {sent.seconds:.1f} s, {sent.statements} statements")


def _told(ids: Sequence[UUID], others: int) -> Target:
    who, day = _person(ACCOUNTANT), clock.in_zone(clock.now()).date()
    rows = db.session.execute(
        select(PaymentOrder.end_to_end_id, PaymentOrder.amount).where(PaymentOrder.id.in_(ids))
    ).all()
    account = queries.own_account_by_id(queries.payable_from_any(tuple(ids)))
    db.session.rollback()
    data = statement(account.iban, day, [(str(name), amount) for name, amount in rows], others)
    with spent() as found:
        incoming = files.receive(FileStorage(io.BytesIO(data), filename="statement.xml"), look=bank_files.look)
        brought = services.import_statement(who, incoming, BankFile.STATEMENT)
        services.read_statement(who, brought.id)
        booked = services.book_lines(who, brought.id)
    executed = select(PaymentOrder.id).where(PaymentOrder.id.in_(ids), PaymentOrder.state == OrderState.EXECUTED.value)
    paid = len(db.session.scalars(executed).all())
    db.session.rollback()
    if (booked.booked, paid) != (len(ids), len(ids)):
        raise Wrong(f"Of {len(ids)} payments the bank told of, {booked.booked} lines and {paid} orders were booked.")
    number = len(ids) + others
    matched = _target(f"statement of {LINES:,} lines read and matched", found, number, LINES, LINES_SECONDS)
    return replace(matched, figure=f"{matched.figure}; {len(ids):,} of them booked")


def statement(iban: str, day: date, payments: Sequence[tuple[str, Money]], others: int = 0) -> bytes:
    """A statement of one day on which the bank paid each of these, and so many receipts of a cent came in (camt.053.001.08)."""
    opening = sum(amount.cents for _, amount in payments)
    told = [(name, amount.cents, "DBIT") for name, amount in payments]
    told += [(f"BENCH-OTHER-{number}", 1, "CRDT") for number in range(1, others + 1)]
    entries = "".join(
        f"<Ntry>{_amount(cents)}<CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>BENCH-{number}</AcctSvcrRef><NtryDtls><TxDtls><Refs>"
        f"<EndToEndId>{name}</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>"
        for number, (name, cents, side) in enumerate(told, start=1)
    )
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(cents)}<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
        for code, cents in (("OPBD", opening), ("CLBD", others))
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">'
        f"<BkToCstmrStmt><GrpHdr><MsgId>BENCH</MsgId><CreDtTm>{day}T21:00:00Z</CreDtTm></GrpHdr><Stmt><Id>BENCH-1</Id>"
        f"<ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>{day}T21:00:00Z</CreDtTm><FrToDt><FrDtTm>{day}T00:00:00</FrDtTm>"
        f"<ToDtTm>{day}T23:59:59</ToDtTm></FrToDt><Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        f"{balances}{entries}</Stmt></BkToCstmrStmt></Document>\n"
    ).encode()


def _amount(cents: int) -> str:
    return f'<Amt Ccy="EUR">{cents // 100}.{cents % 100:02d}</Amt>'


def _person(handle: str) -> Actor:
    """Who does it, the password entered just now."""
    user_id = db.session.scalar(select(User.id).where(User.handle == handle))
    assert user_id is not None, "the cast stands in the database"
    found = replace(identity.actor_for(user_id), fresh=True)
    db.session.rollback()
    return found


def _target(name: str, found: Spent, number: int, wanted: int, limit: float) -> Target:
    """Held against its share of the limit where less was done than the goal is for."""
    figure = (
        f"{found.seconds:.1f} s of {number:,}, CPU of the process {found.cpu:.1f} s, {found.statements} statements, "
        f"of the database {found.sql_seconds:.1f} s"
    )
    return Target(name, f"at most {limit:g} s", figure, found.seconds <= limit * min(1.0, number / wanted))
