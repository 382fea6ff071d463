"""Files and statements of many payments ask the database as often as those of one, and every payment of them is booked."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import inspect, select
from werkzeug.datastructures import FileStorage

from grants.core import clock, files
from grants.core.audit import AuditEvent, changes_of_new, verify
from grants.core.db import db, get
from grants.core.money import Money, total
from grants.core.paging import Page
from grants.payments import services
from grants.payments.models import BankLine, OwnAccount, PaymentOrder, PaymentRequest
from grants.payments.queries import bank_lines
from grants.payments.rules.pay_runs import FileInput, FileLayout
from grants.payments.rules.statements.ageing import UnmatchedAsk
from grants.payments.rules.statements.matching import Candidate, Known, Why, match
from grants.payments.rules.statements.values import BankFile
from grants.payments.services import bank_files
from tests import actors
from tests.payments.bank_statements import credit, debit, file_of, paper
from tests.payments.test_services import NOW, authorised, decided
from tests.payments.world import PAYING_IBAN, World, world
from tests.statements import statements

pytestmark = pytest.mark.usefixtures("app")

TOLD = datetime(2024, 8, 5, 9, tzinfo=UTC)
PAID_ON = date(2024, 8, 2)


def asked(worlds: list[World]) -> dict[str, int]:
    """How many statements each step takes for one order of each of these grants, from the file to the bank's word."""
    counts: dict[str, int] = {}
    with clock.at(NOW):
        ids = tuple(authorised(decided(each)) for each in worlds)
        account = db.session.scalars(select(OwnAccount.id).order_by(OwnAccount.id)).first()
        assert account is not None
        on = clock.in_zone(NOW).date()
        with statements() as seen:
            built = services.build(actors.carl(), ids, FileInput(account, FileLayout.XLSX, on))
        counts["build"] = len(seen)
        with statements() as seen:
            services.make_batch_file(actors.carl(), built.id)
        counts["make"] = len(seen)
        with statements() as seen:
            services.send(actors.carl(), built.id, count=len(ids), control_total=built.total)
        counts["send"] = len(seen)
    counts["book"] = told(ids)
    return counts


def told(ids: tuple[UUID, ...]) -> int:
    """The bank tells of each of these orders in one notice; how many statements of SQL that takes."""
    orders = [get(PaymentOrder, each) for each in ids]
    lines = [
        debit(
            each.amount.cents,
            end_to_end_id=each.end_to_end_id,
            booked_on=PAID_ON,
            value_on=PAID_ON,
            bank_reference=f"B-{each.reference}",
        )
        for each in orders
    ]
    file = file_of(paper(*lines, kind="camt.054", iban=PAYING_IBAN, from_on=PAID_ON, to_on=PAID_ON))
    with clock.at(TOLD):
        incoming = files.receive(FileStorage(io.BytesIO(file), filename="statement.xml"), look=bank_files.look)
        made = services.import_statement(actors.carl(), incoming, BankFile.NOTICE)
        services.read_statement(actors.carl(), made.id)
        with statements() as seen:
            booked = services.book_lines(actors.carl(), made.id)
    db.session.rollback()
    assert [(each.match.words, each.line.end_to_end_id) for each in unmatched()] == []
    assert booked.booked == len(ids)
    assert total(each.amount for each in orders) == total(line.amount for line in lines)
    db.session.rollback()
    assert {get(PaymentOrder, each).state for each in ids} == {"executed"}
    assert {get(PaymentRequest, get(PaymentOrder, each).request_id).state for each in ids} == {"paid"}
    # The cities of the other grants have nobody to write to.
    return len([each for each in seen if not each.startswith("INSERT INTO job")])


def test_a_statement_of_many_receipts_asks_as_often_as_one_of_two(grant: World) -> None:
    """Reading and booking: receipts that nothing explains, and others under an identifier nobody knows."""
    counts = []
    for number, size in ((1, 2), (2, 60)):
        on = PAID_ON + timedelta(number)
        lines = [
            credit(7, bank_reference=f"R-{number}-{each}", end_to_end_id=name, booked_on=on, value_on=on)
            for each in range(size)
            for name in ("", f"X-{number}-{each}")
        ]
        opening = Money(0) if number == 1 else Money(28)
        given = {"iban": PAYING_IBAN, "from_on": on, "to_on": on, "opening": opening, "identifier": f"S-{number}"}
        file = file_of(paper(*lines, **given, number=str(number)))
        with clock.at(TOLD + timedelta(number)), statements() as seen:
            incoming = files.receive(FileStorage(io.BytesIO(file), filename="statement.xml"), look=bank_files.look)
            made = services.import_statement(actors.carl(), incoming, BankFile.STATEMENT)
            services.read_statement(actors.carl(), made.id)
            booked = services.book_lines(actors.carl(), made.id)
        assert booked.unidentified == size
        counts.append(len(seen))

    few, many = counts
    # The first statement of an account asks for one thing less: there is none before it.
    assert few <= many <= few + 1


def test_the_record_tells_of_each_line_as_it_came(grant: World) -> None:
    """Lines are written past the session; what the record says of them is what it would have said."""
    on = {"booked_on": PAID_ON, "value_on": PAID_ON}
    file = file_of(paper(credit(7, **on), debit(5, **on), iban=PAYING_IBAN, from_on=PAID_ON, to_on=PAID_ON))
    with clock.at(TOLD):
        incoming = files.receive(FileStorage(io.BytesIO(file), filename="statement.xml"), look=bank_files.look)
        made = services.import_statement(actors.carl(), incoming, BankFile.STATEMENT)
        services.read_statement(actors.carl(), made.id)

    told = {
        row.object_id: row
        for row in db.session.scalars(select(AuditEvent).where(AuditEvent.object_kind == "bank_line"))
    }
    lines = db.session.scalars(select(BankLine).order_by(BankLine.number)).all()
    assert [(line.version, line.amount.cents, line.booked_on) for line in lines] == [(1, 7, PAID_ON), (1, 5, PAID_ON)]
    for line in lines:
        event = told[line.id]
        assert (event.object_version, event.verb) == (1, "bank_statement.read")
        assert event.changes == changes_of_new(BankLine, line.id, inspect(line).dict)
        assert event.changes["counterparty"][1].startswith("sha256:") and "number" not in event.changes
    assert verify().problem is None


def unmatched() -> tuple[bank_lines.LineView, ...]:
    return tuple(bank_lines.unmatched(actors.nuria(), UnmatchedAsk(), PAID_ON, Page()).items)


def test_a_file_and_a_statement_of_three_ask_as_often_as_those_of_one(grant: World) -> None:
    one = asked([grant])

    assert asked([world(number) for number in (2, 3, 4)]) == one


# ---------------------------------------------------------------------------------------------- the rule


ACCOUNT = UUID(int=1)


def order(number: int, cents: int) -> Candidate:
    return Candidate(UUID(int=number), f"P-{number}", f"E-{number}", debit(cents).amount, ACCOUNT, "sent")


def test_of_equally_near_orders_the_first_by_reference_is_named_and_none_further_than_a_euro() -> None:
    known = Known([order(2, 1_050), order(1, 950), order(3, 5_001)])

    near = match(debit(1_000, end_to_end_id=""), ACCOUNT, known)
    far = match(debit(3_000, end_to_end_id=""), ACCOUNT, known)

    assert (near.why, [each.reference for each in near.nearest]) == (Why.UNKNOWN, ["P-1"])
    assert (far.why, far.nearest) == (Why.UNKNOWN, ())


def test_an_order_is_no_pair_with_itself() -> None:
    known = Known([order(1, 500), order(2, 900), order(3, 7)])

    found = match(debit(1_000, end_to_end_id=""), ACCOUNT, known)

    # The nearest is exactly a euro away.
    assert (found.why, [each.reference for each in found.nearest]) == (Why.UNKNOWN, ["P-2"])


def test_two_orders_of_one_amount_make_a_pair() -> None:
    found = match(debit(1_000, end_to_end_id=""), ACCOUNT, Known([order(1, 500), order(2, 500), order(3, 7)]))

    assert found.why is Why.SEVERAL and [each.reference for each in found.nearest] == ["P-1", "P-2"]
