"""Steps of the walk at the bank: what it rejects, books and returns, by hand and by its files, and payments issued again."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from grants.core import clock, files
from grants.core.db import db, get
from grants.core.money import Money, total
from grants.payments import services
from grants.payments.models import BankLine, PaymentBatch, PaymentOrder
from grants.payments.rules.statements.values import BankFile, Line
from grants.payments.services import bank_files
from tests import actors
from tests.payments.bank_statements import credit, debit, file_of, paper
from tests.payments.bank_statements import report as report_of
from tests.soak.model import NOT_BY, Order, Told
from tests.soak.steps import DONE, TALLY, Steps, numbers, people, picks


class BankSteps(Steps):
    """What the bank does with an order that left."""

    def _of_the_bank(self, *states: str) -> list[Order]:
        return [each for each in self.model.orders if each.state in states]

    def _at_bank(self, order: Order) -> bool:
        return order.state in ("sent", "acknowledged")

    def _may_enter(self, order: Order, who: int) -> bool:
        """Whether this person may enter what the bank did: nobody who signed."""
        return who not in {order.by.get(each) for each in NOT_BY["execute"]}

    @precondition(lambda self: self._of_the_bank("sent", "acknowledged", "executed", "bank_rejected", "in_file"))
    @rule(number=picks, who=people)
    def bank_rejects(self, number: int, who: int) -> None:
        order: Order = self.of([each for each in self.model.orders if each.file], number)
        allowed: bool | None = self._at_bank(order) and self._may_enter(order, who)
        if allowed and order.named:
            allowed = None
        day = self.now.date()
        if self.tried(allowed, lambda: services.reject_by_bank(self.people[who], order.id, reason="MS03", on=day)):
            self.model.rejected(order)

    @precondition(lambda self: self._of_the_bank("sent", "acknowledged", "executed", "bank_rejected", "in_file"))
    @rule(number=picks, who=people)
    def bank_rejects_the_file(self, number: int, who: int) -> None:
        order: Order = self.of([each for each in self.model.orders if each.file], number)
        allowed: bool | None = self._at_bank(order) and self._may_enter(order, who)
        if allowed and order.named:
            allowed = None
        file_id, day = order.file, self.now.date()
        if self.tried(allowed, lambda: services.reject_file_by_bank(self.people[who], file_id, reason="FF01", on=day)):
            self.model.rejected(order)

    @precondition(lambda self: any(each.state in ("bank_rejected", "returned") for each in self.model.orders))
    @rule(number=picks, who=people)
    def reissue(self, number: int, who: int) -> None:
        order: Order = self.of(self._of_the_bank("bank_rejected", "returned"), number)
        back = order.state in ("bank_rejected", "returned")
        allowed = self.maybe(back and not self.model.issued_again(order) and not order.given_up)
        if allowed and order.named:
            allowed = None
        if self.model.held is not None:
            allowed = False
        if found := self.tried(allowed, lambda: services.reissue(self.people[who], order.id)):
            self.model.orders.append(
                Order(
                    found.id,
                    order.request,
                    order.amount,
                    {"prepare": who},
                    account=self.model.account,
                    instead_of=order,
                )
            )

    # ------------------------------------------------------------------ files of the bank

    @precondition(lambda self: self._of_the_bank("sent", "acknowledged", "executed"))
    @rule(
        number=picks, kind=st.sampled_from(("right", "a cent off", "another reference", "one sum", "return", "twice"))
    )
    def statement(self, number: int, kind: str) -> None:
        """The bank's statement of one order comes, and the same file again: only what agrees in everything is booked."""
        order: Order = self.of(self._of_the_bank("sent", "acknowledged", "executed"), number)
        row = get(PaymentOrder, order.id)
        assert row.end_to_end_id is not None, "what left has its identifier"
        off = {"a cent off": 1}.get(kind, 0)
        named = "PCP-2024-P-9999" if kind == "another reference" else row.end_to_end_id
        if order.state == "executed":
            off, named = 0, row.end_to_end_id
        lines = [debit(order.amount + off, end_to_end_id=named)]
        if kind == "one sum":
            assert row.batch_id is not None, "what left stands in a file"
            lines = [debit(order.amount, end_to_end_id="", payment_id=get(PaymentBatch, row.batch_id).message_id)]
        if kind == "return":
            lines.append(credit(order.amount, end_to_end_id=row.end_to_end_id, return_reason="MS03"))
        if order.state == "executed":
            # What was entered by hand is told by the statement too, and then comes back.
            kind = "return"
            lines = [lines[0], credit(order.amount, end_to_end_id=row.end_to_end_id, return_reason="MS03")]
        data = self._paper(lines)
        self._brought(data, BankFile.STATEMENT)
        if kind == "twice":
            self._brought(data, BankFile.STATEMENT)
        self._told(order, kind)
        self.now = self.after

    def _told(self, order: Order, kind: str) -> None:
        """What the model says of a statement."""
        if kind in ("a cent off", "another reference"):
            # A line that names it, or may mean it, stands unexplained: of the order nobody says now that it did not leave.
            order.named = True
            self._tells(kind, order.amount + (kind == "a cent off"), order)
            return
        if order.state != "executed":
            self.model.arrives(order)
        if kind == "return":
            self.model.comes_back(order)

    def _tells(self, kind: str, cents: int, order: Order | None) -> None:
        """A line that does not explain itself waits for people."""
        newest = select(BankLine.id).where(BankLine.own_account_id == self.account, BankLine.amount == Money(cents))
        found = db.session.scalars(newest.order_by(BankLine.number.desc()).limit(1)).one()
        self.model.told.append(Told(found, kind, cents, self.now.date(), order))

    def _paper(self, lines: list[Line]) -> bytes:
        """A statement of these lines that begins where the last one of this database ended."""
        first = self.now.date()
        told = [_on(line, first, next(numbers)) for line in lines]
        made = paper(
            *told, iban=self.iban, from_on=first, to_on=first, opening=self.closed_with,
            identifier=f"S-{next(numbers)}", number=str(next(numbers)),
        )  # fmt: skip
        self.closed_with += total(line.signed for line in told)
        # The next one is of another day.
        self.after = self.now + timedelta(weeks=1)
        return file_of(made)

    def _brought(self, data: bytes, kind: BankFile) -> None:
        TALLY["bank files"] += 1
        carl = actors.carl()
        with clock.at(self.now):
            incoming = files.receive(FileStorage(io.BytesIO(data), filename="bank.xml"), look=bank_files.look)
        made = self.follows(lambda: services.import_statement(carl, incoming, kind))
        self.follows(lambda: services.read_statement(carl, made.id))
        if kind is BankFile.REPORT:
            self.follows(lambda: services.apply_report(carl, made.id))
        else:
            self.follows(lambda: services.book_lines(carl, made.id))
        DONE[f"bank file: {kind.value}"] += 1

    @precondition(lambda self: self._of_the_bank("sent", "acknowledged"))
    @rule(number=picks, word=st.sampled_from(("ACSC", "RJCT")))
    def report_of_the_bank(self, number: int, word: str) -> None:
        order: Order = self.of(self._of_the_bank("sent", "acknowledged"), number)
        row = get(PaymentOrder, order.id)
        assert row.end_to_end_id is not None and row.batch_id is not None, "what left has its identifier and file"
        message = get(PaymentBatch, row.batch_id).message_id
        told = report_of([(row.end_to_end_id, word, "MS03" if word == "RJCT" else "")])
        told = told.replace(b"PCP-2027-B-0001", message.encode()).replace(b"R-1<", f"R-{next(numbers)}<".encode())
        told = told.replace(b">150000.00<", f">{order.amount // 100}.{order.amount % 100:02d}<".encode())
        self._brought(told, BankFile.REPORT)
        if word == "RJCT":
            self.model.rejected(order)
        else:
            order.state = "acknowledged"


def _on(line: Line, day: date, number: int) -> Line:

    return replace(line, booked_on=day, value_on=day, bank_reference=f"B-{number}")
