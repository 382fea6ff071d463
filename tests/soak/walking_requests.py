"""Steps of the walk on requests beside their decision: registered, returned, verified, interest for paying late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from grants.agreements.states import PaymentKind
from grants.core.db import db
from grants.payments import services
from grants.payments.models import PaymentRequest
from grants.payments.rules import EVIDENCE
from grants.payments.rules.late_interest import LateInterestInput, PublicRule
from tests.soak.model import Asked
from tests.soak.steps import people, picks
from tests.soak.walking_debts import DebtSteps

OWED = LateInterestInput(PublicRule.OWED_TO_ALL)


class RequestSteps(DebtSteps):
    """What a request passes on its way, and what becomes of it where it is paid late or never."""

    # ------------------------------------------------------------------ what its call asks for before the decision

    @rule(number=picks, step=st.sampled_from(("register", "return", "complete", "verify")), who=people)
    def before_its_decision(self, number: int, step: str, who: int) -> None:
        """Registered by one, verified by another, sent back and completed by the city; where its call asks for that."""
        self._before(self.of(self.model.requests, number), step, who)

    def _before(self, request: Asked, step: str, who: int) -> None:
        person = self.people[who]
        waits = request.state == "submitted" and not request.returned
        free = request.suspended_by is None and self.model.held is None
        asked = self.model.path == "verified"
        fresh = waits and request.registered_by is None
        registered = waits and request.registered_by is not None and request.verified_by is None
        evidence = () if request.is_interest else tuple(EVIDENCE[PaymentKind(request.kind)])
        deeds: dict[str, tuple[bool, Callable[[], Any]]] = {
            "register": (asked and fresh and free, lambda: services.register(person, request.id)),
            "return": (
                (fresh or registered) and free,
                lambda: services.send_back(person, request.id, words="A page is missing."),
            ),
            "complete": (
                request.state == "submitted" and request.returned,
                lambda: services.complete(self.lead, request.id, answer="Here it is."),
            ),
            "verify": (
                asked and registered and free and who != request.registered_by,
                lambda: services.verify_request(person, request.id, evidence=evidence),
            ),
        }  # fmt: skip
        allowed, deed = deeds[step]
        # What was verified of a balance falls away where its sum by partner is another one.
        unknown = self.model.moved and request.kind == "balance"
        if self.tried(None if unknown else allowed, deed, f"{step}_request") is None:
            return
        match step:
            case "register":
                request.registered_by, request.verified_by = who, None
            case "return":
                request.returned, request.registered_by, request.verified_by = True, None, None
            case "complete":
                request.returned, request.restarted = False, True
            case _:
                request.verified_by = who

    # ------------------------------------------------------------------ interest for what is paid late

    @precondition(lambda self: any(each.state == "executed" for each in self.model.orders))
    @rule(number=picks, who=people)
    def reckon_late_interest(self, number: int, who: int) -> None:
        """The pre-financing was due in June 2023; of other payments the program knows whether they are late."""
        self._rate()
        request: Asked = self.of(self.model.requests, number)
        paid = [each for each in self.model.of_request(request, "executed") if not each.reckoned]
        first = request is self.model.requests[0]
        again = any(each.instead_of is not None for each in paid)
        allowed: bool | None = bool(paid) and not self.model.closed and not request.is_interest
        if allowed and (not first or again or request.restarted):
            allowed = None
        found = self.tried(allowed, lambda: services.book_late_interest(self.people[who], request.id, OWED))
        if found is not None:
            request.reckoned_by = who
            for each in paid:
                each.reckoned = True

    @precondition(lambda self: any(each.reckoned_by is not None for each in self.model.requests))
    @rule(number=picks, confirm=st.booleans(), who=people)
    def decide_late_interest(self, number: int, confirm: bool, who: int) -> None:
        """Another person confirms what is owed, which opens a request that pays it; or refuses, and it is reckoned anew."""
        request: Asked = self.of([each for each in self.model.requests if each.reckoned_by is not None], number)
        allowed = who != request.reckoned_by and not self.model.closed
        # What is small is decided two months after the payment.
        may: bool | None = None if allowed and confirm else allowed
        found = self.tried(
            may,
            (lambda: services.confirm_late_interest(self.people[who], request.id))
            if confirm
            else (
                lambda: (
                    services.refuse_late_interest(self.people[who], request.id, reason="Reckon it anew.") or "refused"
                )
            ),
        )
        if found is None:
            return
        request.reckoned_by = None
        if not confirm:
            for each in self.model.of_request(request, "executed", "returned"):
                each.reckoned = False
            return
        posted = self.posted()
        assert {each.event for each in posted} <= {"E17"}, posted
        self.model.entries += len(posted)
        self.model.add(INTEREST_COSTS=found.cents, INTEREST_PAYABLE=found.cents)
        self._pays(found.cents)

    def _pays(self, cents: int) -> None:
        """The requests that pay it, one for each payment that was late."""
        known = [each.id for each in self.model.requests]
        opened = select(PaymentRequest).where(
            PaymentRequest.grant_id == self.grant.grant_id, PaymentRequest.id.not_in(known)
        )
        rows = db.session.scalars(opened.order_by(PaymentRequest.number)).all()
        made = [Asked(row.id, "interest", row.requested.cents, state="decided") for row in rows]
        for each in made:
            each.approved = each.payable = each.requested
        assert sum(each.payable for each in made) == cents, "what is owed is what its requests pay"
        self.model.requests += made
