"""A random walk of the acts of payments, measured after every step against a model a page long.

People hold every role of the circuit here, so that four eyes are refused by the order and not by the role.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import func, select

from grants.core import acts, clock
from grants.core.db import db
from grants.core.errors import Conflict, GrantsError
from grants.core.money import Money
from grants.core.permissions import Actor
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments import queries, services
from grants.payments.models import OwnAccount, PaymentOrder
from grants.payments.rules import DecisionInput, ReceiptInput, RecoveryInput
from grants.payments.rules.pay_runs import FileInput, FileLayout
from tests import actors
from tests.agreements.accounts import document
from tests.payments.world import SEEN, nothing_held, report, world
from tests.soak.model import KEPT, STEPS, Asked, Model, Order
from tests.soak.telling import Tally

NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)
PEOPLE = 5
CIRCUIT = (
    Role.FINANCE_INITIATOR, Role.FINANCE_VERIFIER, Role.AUTHORISING_OFFICER, Role.ACCOUNTING_OFFICER,
)  # fmt: skip
# Grants and reports of all walks on one database have numbers of their own.
numbers = count(1)
percents = st.integers(1, 130)
people = st.integers(0, PEOPLE - 1)
picks = st.integers(0, 10_000)
TALLY = Tally()


def circuit() -> list[Actor]:
    """Five people of whom each could take every step."""
    return [actors.actor(actors.person(f"Omni {number}", *CIRCUIT)) for number in range(PEOPLE)]


class Walk(RuleBasedStateMachine):
    """One grant; each rule tries one act, right or wrong, and the model says which it is."""

    def __init__(self) -> None:
        super().__init__()
        with clock.at(NOW):
            self.grant = world(next(numbers))
            self.people = circuit()
            opened = services.open_prefinancing(actors.program(), self.grant.grant_id)
            self.lead = actors.give(
                actors.ana().user_id, Role.APPLICATION_LEAD, "application", self.grant.application_id
            )
        assert opened is not None
        self.account = db.session.scalars(select(OwnAccount.id)).one()
        self.model = Model(requests=[Asked(opened.id, "prefinancing", 240_000_00)])
        self.entries = books.count_entries()
        TALLY["walks"] += 1

    def tried(self, allowed: bool, deed: Callable[[], Any]) -> Any:
        """Do it under a key; the model says whether it is allowed. A second time the same key gives the same answer."""
        key = uuid4().hex
        TALLY["steps"] += 1
        with clock.at(NOW):
            try:
                with acts.once(key):
                    found = deed()
            except GrantsError as refusal:
                assert not allowed, f"refused, and the model allows it: {refusal}"
                TALLY["refusals"] += 1
                return None
            assert allowed, "done, and the model refuses it"
            with acts.once(key):
                assert deed() == found, "the same key again is the same answer"
        return found

    def of(self, kept: list[Any], pick: int) -> Any:
        return kept[pick % len(kept)]

    @rule(number=picks, percent=percents, who=people)
    def decide(self, number: int, percent: int, who: int) -> None:
        request: Asked = self.of(self.model.requests, number)
        approved = self.model.wanted(request) * percent // 100
        reason = DecisionInput(Money(approved), "Less is eligible.")
        allowed = self.model.may_decide(request, approved)
        if self.tried(allowed, lambda: services.decide(self.people[who], request.id, reason)):
            self.model.decide(request, approved)

    @rule(number=picks, who=people)
    def reject(self, number: int, who: int) -> None:
        request: Asked = self.of(self.model.requests, number)
        allowed = request.state == "submitted"
        if self.tried(allowed, lambda: services.reject(self.people[who], request.id, reason="Invoices are missing.")):
            request.state = "rejected"

    @rule(number=picks)
    def ask_again(self, number: int) -> None:
        request: Asked = self.of(self.model.requests, number)
        allowed = request.state == "rejected" and not request.replaced and self.model.final is None
        found = self.tried(
            allowed and not self.model.closed, lambda: services.ask_again(self.lead, request.id, reply="Here.")
        )
        if found:
            request.replaced = True
            self.model.requests.append(Asked(found.id, request.kind, request.requested, request.report))

    @precondition(lambda self: self.model.last_report is None)
    @rule(euros=st.integers(1, 400_000))
    def accept_a_report(self, euros: int) -> None:
        self._report(euros * 100 + 1, final=False)

    @precondition(lambda self: self.model.last_report is None and len(self.model.requests) > 1)
    @rule(euros=st.integers(0, 300_000))
    def accept_the_last_report(self, euros: int) -> None:
        self._report(euros * 100, final=True)

    def _report(self, cents: int, *, final: bool) -> None:
        number = next(numbers)
        with clock.at(NOW):
            report_id = report(self.grant, number, Money(cents), final=final)
        found = self.tried(True, lambda: services.open_for_report(actors.program(), report_id))
        self.model.reports[number] = cents
        if final:
            self.model.last_report = number
        self.model.requests.append(Asked(found.id, "balance" if final else "interim", cents, number))

    @rule(number=picks, percent=percents, who=people)
    def prepare(self, number: int, percent: int, who: int) -> None:
        request: Asked = self.of(self.model.requests, number)
        left = self.model.left(request)
        cents = max(left, 100) * percent // 100
        allowed = request.state.startswith("decided") and 0 < cents <= left
        found = self.tried(allowed, lambda: services.prepare(self.people[who], request.id, amount=Money(cents)))
        if found:
            self.model.orders.append(Order(found.id, request, cents, {"prepare": who}))

    @precondition(lambda self: self.model.orders)
    @rule(number=picks, percent=percents, who=people)
    def change(self, number: int, percent: int, who: int) -> None:
        order: Order = self.of(self.model.orders, number)
        cents = max(1, order.amount * percent // 100)
        movable = order.state in {"prepared", "verified", "authorised"}
        allowed = movable and cents <= self.model.left(order.request) + order.amount
        deed = lambda: services.change(self.people[who], order.id, amount=Money(cents), reason="Another amount.")  # noqa: E731 -- told twice
        if self.tried(allowed, deed):
            order.amount, order.state, order.by = cents, "prepared", {"prepare": who}

    @precondition(lambda self: self.model.orders)
    @rule(number=picks, who=people)
    def cancel(self, number: int, who: int) -> None:
        order: Order = self.of(self.model.orders, number)
        allowed = order.state in {"prepared", "verified", "authorised"}
        if self.tried(allowed, lambda: services.cancel(self.people[who], order.id, reason="A mistake.")):
            order.state = "cancelled"

    @precondition(lambda self: self.model.orders)
    @rule(number=picks, step=st.sampled_from(tuple(STEPS)), who=people)
    def any_step(self, number: int, step: str, who: int) -> None:
        self._step(self.of(self.model.orders, number), step, who)

    @precondition(lambda self: self.model.orders)
    @rule(number=picks, who=people)
    def next_step(self, number: int, who: int) -> None:
        order: Order = self.of(self.model.orders, number)
        if step := {state: step for step, state in STEPS.items()}.get(order.state):
            self._step(order, step, who)

    def _step(self, order: Order, step: str, who: int) -> None:
        person, amount = self.people[who], Money(order.amount)
        deeds: dict[str, Callable[[], Any]] = {
            "verify": lambda: services.verify(person, order.id, evidence=SEEN),
            "authorise": lambda: services.authorise(person, order.id, evidence=SEEN),
            "build": lambda: self._built(person, order),
            "send": lambda: services.send(person, order.file or uuid4(), count=1, control_total=amount),
            "execute": lambda: services.execute(person, order.id, value_on=NOW.date()),
        }
        found = self.tried(self.model.may_step(order, step, who), deeds[step])
        if found:
            self.model.step(order, step, who)
            if step == "build":
                order.file = found

    def _built(self, person: Actor, order: Order) -> UUID:
        """The order is put into a file of its own, which is then made."""
        built = services.build(person, (order.id,), FileInput(self.account, FileLayout.V09, NOW.date()))
        services.make_batch_file(person, built.id)
        return built.id

    @precondition(lambda self: any(each.file for each in self.model.orders))
    @rule(number=picks, who=people)
    def discard(self, number: int, who: int) -> None:
        order: Order = self.of([each for each in self.model.orders if each.file], number)
        allowed = order.state == "in_file"
        if self.tried(allowed, lambda: services.discard(self.people[who], order.file, reason="Another day.")):
            order.state = "authorised"

    @rule(who=people)
    def propose_recovery(self, who: int) -> None:
        owed = self.model.sums[Account.PREFINANCING]
        allowed = self.model.final is not None and owed > 0 and self.model.recovery_state in ("", "cancelled")
        given = RecoveryInput("The city was told.")
        found = self.tried(allowed, lambda: services.propose_recovery(self.people[who], self.grant.grant_id, given))
        if found:
            self.model.recovery, self.model.recovery_state, self.model.proposed_by = found.id, "proposed", who
            with clock.at(NOW):
                services.inform(self.people[who], found.id, days=30)
                services.observe(self.lead, found.id, words="We agree.")

    @precondition(lambda self: self.model.recovery is not None)
    @rule(who=people)
    def confirm_recovery(self, who: int) -> None:
        owed = self.model.sums[Account.PREFINANCING]
        allowed = self.model.recovery_state == "proposed" and who != self.model.proposed_by
        deed = lambda: services.confirm_recovery(self.people[who], self.model.recovery, words="Agreed.")  # noqa: E731 -- told twice
        if self.tried(allowed, deed):
            self.model.recovery_state, self.model.recovered_by = "confirmed", who
            self.model.move(PREFINANCING=-owed, RECOVERY_RECEIVABLE=owed)

    @precondition(lambda self: self.model.recovery is not None)
    @rule(who=people)
    def issue(self, who: int) -> None:
        allowed = self.model.recovery_state == "confirmed" and who != self.model.recovered_by
        deed = lambda: services.issue(self.people[who], self.model.recovery, due_on=date(2024, 9, 15))  # noqa: E731 -- told twice
        if self.tried(allowed, deed):
            self.model.recovery_state = "issued"

    @precondition(lambda self: self.model.recovery is not None)
    @rule(who=people)
    def cancel_recovery(self, who: int) -> None:
        owed = self.model.sums[Account.RECOVERY_RECEIVABLE]
        is_owed = self.model.recovery_state in ("confirmed", "issued")
        allowed = self.model.recovery_state == "proposed" or (is_owed and who != self.model.recovered_by)
        deed = lambda: services.cancel_recovery(self.people[who], self.model.recovery, reason="Not owed.")  # noqa: E731 -- told twice
        if self.tried(allowed, deed):
            self.model.recovery_state = "cancelled"
            if is_owed:
                self.model.move(PREFINANCING=owed, RECOVERY_RECEIVABLE=-owed)

    @precondition(lambda self: self.model.recovery is not None)
    @rule(percent=percents, who=people)
    def book(self, percent: int, who: int) -> None:
        owed = self.model.sums[Account.RECOVERY_RECEIVABLE]
        cents = max(1, owed * percent // 100)
        state = self.model.recovery_state
        allowed = state in ("issued", "part_paid") and who != self.model.recovered_by
        # Booked as paid back to partners who were paid: never more than that.
        given = ReceiptInput(Money(cents), NOW.date(), f"STMT-{next(numbers)}")
        if self.tried(allowed, lambda: services.book_receipt(self.people[who], self.model.recovery, given)):
            self.model.move(BANK=cents, RECOVERY_RECEIVABLE=-cents, CONSUMED=-cents, LEGALLY_COMMITTED=cents)
            self.model.recovery_state = "paid" if cents == owed else "part_paid"

    @precondition(lambda self: self.model.recovery is not None)
    @rule(who=people)
    def waive(self, who: int) -> None:
        owed = self.model.sums[Account.RECOVERY_RECEIVABLE]
        hands = (self.model.proposed_by, self.model.recovered_by)
        allowed = self.model.recovery_state in ("issued", "part_paid") and who not in hands
        paper = document()
        deed = lambda: services.waive(self.people[who], self.model.recovery, reason="Forgiven.", document=paper)  # noqa: E731 -- told twice
        if self.tried(allowed, deed):
            self.model.recovery_state = "waived"
            self.model.move(RECOVERY_RECEIVABLE=-owed)

    @precondition(lambda self: self.model.final is not None)
    @rule(who=people)
    def close(self, who: int) -> None:
        allowed = self.model.may_close()
        if allowed and queries.distribution_page(self.people[who], self.grant.reference).balances[0].blocks:
            nothing_held(self.grant)
        deed = lambda: services.close_grant(self.people[who], self.grant.grant_id, note="Looked at.")  # noqa: E731 -- told twice
        if self.tried(allowed, deed) is not None:
            self.model.closed = True
            if still_open := self.model.sums[Account.LEGALLY_COMMITTED]:
                self.model.move(LEGALLY_COMMITTED=-still_open)

    @rule(number=picks, percent=st.integers(1, 90), who=people)
    def same_key_with_another_amount(self, number: int, percent: int, who: int) -> None:
        """A form sent again with another amount is a conflict, and nothing happens a second time."""
        request: Asked = self.of(self.model.requests, number)
        left = self.model.left(request)
        cents = left * percent // 100
        if not request.state.startswith("decided") or not cents:
            return
        key = uuid4().hex
        with clock.at(NOW):
            with acts.once(key):
                found = services.prepare(self.people[who], request.id, amount=Money(cents))
            self.model.orders.append(Order(found.id, request, cents, {"prepare": who}))
            try:
                with acts.once(key):
                    services.prepare(self.people[who], request.id, amount=Money(cents + 1))
            except Conflict:
                return
        raise AssertionError("the same key with another amount was taken")

    @invariant()
    def the_books_are_the_model(self) -> None:
        db.session.rollback()
        found = books.of(grant_id=self.grant.grant_id)
        assert {each: found[each].cents for each in KEPT} == self.model.sums
        assert books.count_entries() == self.entries + self.model.entries
        assert (db.session.scalar(select(func.count(PaymentOrder.id))) or 0) >= len(self.model.orders)

    def teardown(self) -> None:
        db.session.rollback()
        assert (books.verify(), queries.verify()) == ((), ())
