"""Steps of the walk beside the payments: what the coordinator passes on, guarantees, certificates, clocks that are stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from grants.core.db import db
from grants.core.money import Money
from grants.payments import services
from grants.payments.models import Distribution
from grants.payments.rules.distribution import PassedOnInput
from grants.payments.states import SuspensionReason
from tests.agreements.accounts import document
from tests.soak.model import Asked, Passed
from tests.soak.steps import Steps, people, percents, picks


class PartnerSteps(Steps):
    """The partner's money, and the stopped clock."""

    @property
    def _held(self) -> int:
        return self.journal.held_for(self.grant.grant_id, self.grant.agency_id)

    @rule(percent=percents)
    def report_passed_on(self, percent: int) -> None:
        waiting = sum(each.amount for each in self.model.passed if each.state == "reported")
        free = max(self._held - waiting, 0)
        cents = max(free, 100) * percent // 100
        allowed = not self.model.closed and 0 < cents <= free
        given = PassedOnInput(self.grant.agency_id, Money(cents), self.now.date(), "SEPA 77")
        paper = document()
        if self.tried(allowed, lambda: services.report_passed_on(self.lead, self.grant.grant_id, given, paper)):
            newest = select(Distribution.id).where(Distribution.grant_id == self.grant.grant_id)
            found = db.session.scalars(newest.order_by(Distribution.number.desc()).limit(1)).one()
            self.model.passed.append(Passed(found, cents))

    @precondition(lambda self: self.model.passed)
    @rule(number=picks, verb=st.sampled_from(("confirm", "confirm", "refuse", "withdraw", "own")))
    def answer_passed_on(self, number: int, verb: str) -> None:
        """The partner says whether the money came; the coordinator says it of its own report in vain."""
        passed: Passed = self.of(self.model.passed, number)
        waits = passed.state == "reported" and not self.model.closed
        deeds: dict[str, Callable[[], Any]] = {
            "confirm": lambda: services.confirm_passed_on(self.partner, passed.id),
            "refuse": lambda: services.refuse_passed_on(self.partner, passed.id, reason="Nothing came.") or "refused",
            "withdraw": lambda: services.withdraw_passed_on(self.lead, passed.id) or "withdrawn",
            "own": lambda: services.confirm_passed_on(self.lead, passed.id),
        }
        allowed = {"confirm": waits and passed.amount <= self._held, "own": False}.get(verb, waits)
        if self.tried(allowed, deeds[verb], f"{verb}_passed_on") is not None:
            passed.state = verb

    @rule(who=people)
    def waive_distribution(self, who: int) -> None:
        allowed = not self.model.closed and self._held > 0
        answer = self.tried(
            allowed,
            lambda: services.waive_distribution(
                self.people[who], self.grant.grant_id, self.grant.agency_id, reason="Settled between them."
            ),
        )
        if answer is not None:
            self.waived = self._held
            for each in self.model.passed:
                each.state = "waived" if each.state == "reported" else each.state

    # ------------------------------------------------------------------ the clock of a payment

    @rule(number=picks, who=people)
    def suspend(self, number: int, who: int) -> None:
        request: Asked = self.of(self.model.requests, number)
        waits = request.state == "submitted" and not request.returned
        decided = request.state.startswith("decided") and self._left_to_leave(request) > 0
        allowed = request.suspended_by is None and (waits or decided) and self.model.counts_days(request)
        if self.tried(
            None if allowed and request.is_interest else allowed,
            lambda: services.suspend(
                self.people[who], request.id, reason=SuspensionReason.MISSING_DOCUMENTS, notice="Send the invoices."
            ),
        ):
            request.suspended_by = who

    def _left_to_leave(self, request: Asked) -> int:
        gone = sum(
            each.amount
            for each in self.model.orders
            if each.request is request
            and each.state not in ("cancelled", "prepared", "verified", "authorised", "in_file")
        )
        return request.payable - gone - request.set_off

    @precondition(lambda self: any(each.suspended_by is not None for each in self.model.requests))
    @rule(number=picks, who=people)
    def lift(self, number: int, who: int) -> None:
        request: Asked = self.of(self.model.requests, number)
        initiators = {
            each.by["prepare"] for each in self.model.orders if each.request is request and each.state != "cancelled"
        }
        allowed = request.suspended_by is not None and (who == request.suspended_by or who not in initiators)
        if self.tried(allowed, lambda: services.lift(self.people[who], request.id, reason="They came.")):
            request.suspended_by = None

    @precondition(lambda self: any(each.suspended_by is not None for each in self.model.requests))
    @rule(number=picks)
    def answer_suspension(self, number: int) -> None:
        request: Asked = self.of(self.model.requests, number)
        allowed = None if request.suspended_by is not None else False
        self.tried(allowed, lambda: services.answer_suspension(self.lead, request.id, answer="Here they are."))
