"""A random walk of all acts on one grant's money, measured after every step against a model a page long.

People hold every role of the circuit here, so that four eyes are refused by the order and not by the role. A walk that fails
prints its steps; ``make soak`` names the seed that takes them again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from grants.core import acts, clock
from grants.core.errors import Conflict
from grants.core.money import Money
from grants.core.permissions import Actor
from grants.ledger.accounts import Account
from grants.payments import services
from grants.payments.rules import DecisionInput
from grants.payments.rules.additional import UseInput
from grants.payments.rules.pay_runs import FileInput, FileLayout
from tests import actors
from tests.payments.world import SEEN, report
from tests.soak.model import STEPS, Asked, Order
from tests.soak.steps import DONE, REFUSED, TALLY, numbers, people, percents, picks
from tests.soak.walking_beside import BesideSteps
from tests.soak.walking_lines import LineSteps
from tests.soak.walking_partners import PartnerSteps
from tests.soak.walking_parts import PartSteps
from tests.soak.walking_requests import RequestSteps
from tests.soak.walking_securing import SecuringSteps
from tests.soak.walking_signed import SignedSteps

__all__ = ["DONE", "REFUSED", "TALLY", "Walk"]

# Where a walk begins: so far it goes the straight way first, so that what comes late is tried as often as what comes early.
STAGES = ("new", "decided", "ready", "sent", "paid", "accepted", "balanced", "overpaid", "owed")

# What pre-financing waits for is there: a guarantee, and a verification by somebody else.
SECURED = "secured"
# The balance waits for certificates.
CERTIFIED = "certified"


class PaymentSteps(SecuringSteps):
    """Requests and orders, from what is asked for to the file at the bank."""

    @rule(number=picks, percent=percents, who=people)
    def decide(self, number: int, percent: int, who: int) -> None:
        self._decide(self.of(self.model.requests, number), percent, who)

    def _decide(self, request: Asked, percent: int, who: int) -> None:
        approved = self.model.wanted(request) * percent // 100
        reason = DecisionInput(Money(approved), "Less is eligible.")
        may = self.model.may_decide(request, approved, who, self.now.date())
        allowed = self.maybe(may and request.suspended_by is None)
        if self.model.moved and request.kind == "balance" and self.model.path == "verified":
            # Whether what was verified stood is asked of the sum by partner.
            allowed = None
        if self.model.held is not None:
            allowed = False
        if self.tried(allowed, lambda: services.decide(self.people[who], request.id, reason)):
            self._decided(request, approved)

    def _decided(self, request: Asked, approved: int) -> None:
        """Book it in the model; where partners' maxima moved, what is cut for each is read off the books."""
        if not self.model.moved:
            self.model.decide(request, approved)
            return
        wanted, before = self.model.wanted(request), dict(self.model.sums)
        posted, found = self.posted(), self.journal.of(self.grant.grant_id)
        kinds = {"prefinancing": {"E6"}, "additional": {"E6"}, "interim": {"E10"}, "balance": {"E11", "E11b", "E12"}}
        assert {each.event for each in posted} <= kinds[request.kind], posted
        for account in before:
            self.model.sums[account] = found[account.value]
        self.model.entries += len(posted)
        if request.kind == "balance":
            assert found["5000"] == approved
            self.model.final = approved
        request.approved, request.payable = approved, found["2000"] - before[Account.PAYABLE]
        request.retained = max(found["2200"] - before[Account.RETENTION], 0)
        assert 0 <= request.payable <= self.model.maximum
        request.state = "decided" if approved == wanted else "decided in part"
        self.model.renew()

    @rule(number=picks, who=people)
    def reject(self, number: int, who: int) -> None:
        request: Asked = self.of(self.model.requests, number)
        own = who in (request.registered_by, request.verified_by)
        allowed = self.maybe(request.state == "submitted" and request.suspended_by is None and not own)
        if self.tried(allowed, lambda: services.reject(self.people[who], request.id, reason="Invoices are missing.")):
            request.state = "rejected"
            self.model.renew()

    @rule(number=picks)
    def ask_again(self, number: int) -> None:
        request: Asked = self.of(self.model.requests, number)
        allowed = request.state == "rejected" and not request.replaced and self.model.final is None
        allowed = allowed and not self.model.closed and request.kind != "additional"
        found = self.tried(self.maybe(allowed), lambda: services.ask_again(self.lead, request.id, reply="Here."))
        if found:
            request.replaced = True
            requested = self.model.prefinancing if request.kind == "prefinancing" else request.requested
            self.model.requests.append(Asked(found.id, request.kind, requested, request.report))
            self.model.renew()

    @rule(percent=st.integers(0, 110))
    def ask_additional(self, percent: int) -> None:
        """The city states how much it used of what it was paid in advance, and asks for more; anew where that was rejected."""
        paid = self.model.first.payable - self.model.first.cancelled
        used = paid * percent // 100
        given = UseInput(Money(used), self.now.date(), "Staff of both.")
        allowed = self.maybe(self.model.may_ask_in_addition(used))
        found = self.tried(allowed, lambda: services.ask_additional(self.lead, self.grant.grant_id, given))
        if not found:
            return
        for each in self.model.requests:
            each.replaced = each.replaced or (each.kind == "additional" and each.state == "rejected")
        asked = self.model.asked_in_addition(paid, used)
        self.model.requests.append(Asked(found.id, "additional", asked, advanced=paid, used=used))

    @rule(number=picks, who=people)
    def cancel_unpaid(self, number: int, who: int) -> None:
        """What was approved in advance and never paid is cancelled; nobody had it."""
        request: Asked = self.of(self.model.requests, number)
        amount, kept = self.model.cancellable(request)
        allowed = None if amount and any(each.named for each in self.model.back(request)) else amount > 0
        person = self.people[who]
        if self.tried(allowed, lambda: services.cancel_request(person, request.id, reason="It has not begun.")):
            self.model.cancel(request, amount, kept)

    @precondition(lambda self: self.model.last_report is None and not self.model.over)
    @rule(euros=st.integers(1, 400_000))
    def accept_a_report(self, euros: int) -> None:
        self._report(euros * 100 + 1, final=False)

    @precondition(lambda self: self.model.last_report is None and len(self.model.requests) > 1 and not self.model.over)
    @rule(euros=st.integers(0, 300_000))
    def accept_the_last_report(self, euros: int) -> None:
        self._report(euros * 100, final=True)

    def _report(self, cents: int, *, final: bool) -> Asked:
        number = next(numbers)
        with clock.at(self.now):
            report_id = report(self.grant, number, Money(cents), final=final)
        found = self.tried(True, lambda: services.open_for_report(actors.program(), report_id))
        self.model.reports[number] = cents
        if final:
            self.model.last_report = number
        asked = self.model.final_requested() if final else cents
        self.model.requests.append(Asked(found.id, "balance" if final else "interim", asked, number))
        if final and self.model.certificate_from is not None:
            self._wanted()
        return self.model.requests[-1]

    @rule(number=picks, percent=percents, who=people)
    def prepare(self, number: int, percent: int, who: int) -> None:
        self._prepare(self.of(self.model.requests, number), percent, who)

    def _prepare(self, request: Asked, percent: int, who: int) -> Order | None:
        left = self.model.left(request)
        cents = max(left, 100) * percent // 100
        allowed = self.maybe(request.state.startswith("decided") and 0 < cents <= left)
        if allowed and request.is_interest:
            allowed = None
        if self.model.held is not None:
            allowed = False
        found = self.tried(allowed, lambda: services.prepare(self.people[who], request.id, amount=Money(cents)))
        if not found:
            return None
        self.model.orders.append(Order(found.id, request, cents, {"prepare": who}, account=self.model.account))
        return self.model.orders[-1]

    @precondition(lambda self: self.model.orders)
    @rule(number=picks, percent=percents, who=people)
    def change(self, number: int, percent: int, who: int) -> None:
        order: Order = self.of(self.model.orders, number)
        cents = max(1, order.amount * percent // 100)
        movable = order.state in {"prepared", "verified", "authorised"}
        allowed = movable and cents <= self.model.left(order.request) + order.amount
        if order.instead_of is not None:
            allowed = movable and cents == order.amount
        if self.tried(
            None if allowed and order.request.is_interest else self.maybe(allowed),
            lambda: services.change(self.people[who], order.id, amount=Money(cents), reason="Another amount."),
        ):
            order.amount, order.state, order.by = cents, "prepared", {"prepare": who}
            order.account = self.model.account

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
        # What a form says is of now, also where it comes again later.
        person, amount, day, file_id = self.people[who], Money(order.amount), self.now.date(), order.file or uuid4()
        given = FileInput(self.account, FileLayout.V09, day)
        deeds: dict[str, Callable[[], Any]] = {
            "verify": lambda: services.verify(person, order.id, evidence=SEEN),
            "authorise": lambda: services.authorise(person, order.id, evidence=SEEN),
            "build": lambda: services.build(person, (order.id,), given),
            "send": lambda: services.send(person, file_id, count=1, control_total=amount),
            "execute": lambda: services.execute(person, order.id, value_on=day),
        }
        allowed = self.maybe(self.model.may_step(order, step, who))
        if allowed and (order.named or (order.instead_of is not None and order.instead_of.named)):
            allowed = None
        if allowed and step in ("authorise", "build", "send") and self.now.date() < self.account_waits_until:
            allowed = None
        if allowed and step == "send" and self.now.date() != order.file_on:
            allowed = None
        stops = self.model.held is not None or order.request.suspended_by is not None
        if stops and step in ("authorise", "build", "send"):
            allowed = False
        found = self.tried(allowed, deeds[step], step)
        if found:
            self.model.step(order, step, who)
            if step == "build":
                self._made(person, order, found.id)

    def _made(self, person: Actor, order: Order, batch_id: UUID) -> None:
        """The file is made, as a worker would."""
        order.file, order.file_on = batch_id, self.now.date()
        self.follows(lambda: services.make_batch_file(person, batch_id))

    @precondition(lambda self: any(each.file for each in self.model.orders))
    @rule(number=picks, who=people)
    def discard(self, number: int, who: int) -> None:
        order: Order = self.of([each for each in self.model.orders if each.file], number)
        allowed, file_id = order.state == "in_file", order.file
        if self.tried(allowed, lambda: services.discard(self.people[who], file_id, reason="Another day.")):
            order.state = "authorised"

    @rule(number=picks, percent=st.integers(1, 90), who=people)
    def same_key_with_another_amount(self, number: int, percent: int, who: int) -> None:
        """A form sent again with another amount is a conflict, and nothing happens a second time."""
        request: Asked = self.of(self.model.requests, number)
        cents = self.model.left(request) * percent // 100
        if not request.state.startswith("decided") or request.is_interest or cents < 1 or self.maybe(True) is None:
            return
        key = uuid4().hex
        with clock.at(self.now):
            with acts.once(key):
                found = services.prepare(self.people[who], request.id, amount=Money(cents))
            self.model.orders.append(Order(found.id, request, cents, {"prepare": who}, account=self.model.account))
            try:
                with acts.once(key):
                    services.prepare(self.people[who], request.id, amount=Money(cents + 1))
            except Conflict:
                return
        raise AssertionError("the same key with another amount was taken")

    @precondition(lambda self: self.model.final is not None)
    @rule(who=people)
    def close(self, who: int) -> None:
        held = self.journal.held_for(self.grant.grant_id, self.grant.agency_id) > self.waived
        allowed = self.maybe(self.model.may_close() and not held)
        if allowed and (self.model.waiting or any(each.reckoned_by is not None for each in self.model.requests)):
            allowed = None
        if (
            self.tried(allowed, lambda: services.close_grant(self.people[who], self.grant.grant_id, note="Looked at."))
            is not None
        ):
            self.model.closed = True
            if still_open := self.model.sums[Account.LEGALLY_COMMITTED]:
                self.model.move(LEGALLY_COMMITTED=-still_open)


class Walk(PaymentSteps, LineSteps, RequestSteps, PartnerSteps, PartSteps, SignedSteps, BesideSteps):
    """Everything that can happen to one grant."""

    @initialize(stage=st.sampled_from((*STAGES, SECURED, CERTIFIED)))
    def begin(self, stage: str) -> None:
        """Go the straight way to where this walk begins."""
        reached, self.straight = STAGES.index(stage) if stage in STAGES else 0, True
        if stage == SECURED:
            self._asks_for_guarantee()
            self._record_guarantee(100, 20, 0)
            self._before(self.model.requests[0], "register", 0)
            self._before(self.model.requests[0], "verify", 1)
        if stage == CERTIFIED:
            self._asks_for_certificates()
            reached = STAGES.index("accepted")
        for number, go in enumerate((self._all_decided, self._ready, self._sent, self._executed, self._accepted), 1):
            if reached >= number:
                go()
        if reached > STAGES.index("accepted"):
            # 90 000 more than was paid, or 60 000 less.
            self._balance(300_000_00 if stage == "balanced" else 150_000_00)
        if stage == CERTIFIED:
            self._report(280_000_00, final=True)
        if stage == "owed":
            self._owed()
        self.straight = False
        self.posted()

    def _all_decided(self) -> None:
        self._decide(self.model.requests[0], 100, 0)

    def _ready(self) -> None:
        order = self._prepare(self.model.requests[0], 100, 1)
        assert order is not None
        for step, who in (("verify", 2), ("authorise", 3), ("build", 4)):
            self._step(order, step, who)

    def _sent(self) -> None:
        self._step(self.model.orders[0], "send", 0)

    def _executed(self) -> None:
        self._step(self.model.orders[0], "execute", 4)

    def _accepted(self) -> None:
        self._decide(self._report(20_000_00, final=False), 100, 0)

    def _balance(self, final: int) -> None:
        request = self._report(final - 20_000_00, final=True)
        self._decide(request, 100, 0)
        assert self.model.final == final
