"""Steps of the walk on what secures the money: guarantees that pre-financing waits for, and what never moves money by itself."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from grants.agreements.models import Grant
from grants.calls.states import ClockStart, RequestPath
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.money import Money
from grants.ledger.accounts import Account
from grants.payments import services
from grants.payments.models import PaymentGuarantee
from grants.payments.rules.securing import GuaranteeInput
from tests.agreements.accounts import document
from tests.payments.world import asks_for
from tests.soak.model import Guarantee
from tests.soak.steps import Steps, people


class SecuringSteps(Steps):
    """Guarantees: asked for, recorded, expired, given back."""

    def _asks_for_guarantee(self) -> None:
        """The agreement asks for a guarantee before pre-financing, and its call that requests are verified."""
        with arranging():
            db.session.get_one(Grant, self.grant.grant_id).guarantee_asked = True
        asks_for(self.grant, RequestPath.VERIFIED, ClockStart.REGISTRATION)
        self.model.guarantee_asked, self.model.path = True, "verified"

    @precondition(lambda self: self.model.guarantee_asked)
    @rule(percent=st.sampled_from((90, 100, 100, 110)), days=st.integers(-1, 60), who=people)
    def record_guarantee(self, percent: int, days: int, who: int) -> None:
        self._record_guarantee(percent, days, who)

    def _record_guarantee(self, percent: int, days: int, who: int) -> None:
        model, today = self.model, self.now.date()
        amount, until, paper = model.prefinancing * percent // 100, today + timedelta(days=days), document()
        given = GuaranteeInput("Bank of Northbridge", Money(amount), until)
        running = model.guarantee_asked and not model.over and not model.closed
        allowed = running and model.guarantee is None and amount >= model.prefinancing and until >= today
        person, grant_id = self.people[who], self.grant.grant_id
        if self.tried(allowed, lambda: services.record_guarantee(person, grant_id, given, incoming=paper) or "done"):
            newest = select(PaymentGuarantee.id).where(PaymentGuarantee.grant_id == grant_id)
            found = db.session.scalars(newest.order_by(PaymentGuarantee.number.desc()).limit(1)).one()
            model.guarantee = Guarantee(found, amount, until, who)

    @precondition(lambda self: self.model.guarantee)
    @rule(who=people)
    def end_guarantee(self, who: int) -> None:
        """It is given back once nothing of the pre-financing is open, or replaced when its last day is over."""
        found, sums = self.model.guarantee, self.model.sums
        assert found is not None
        is_open = sums[Account.PREFINANCING] + sums[Account.RECOVERY_RECEIVABLE] > 0
        allowed = not is_open or found.valid_until < self.now.date()
        person = self.people[who]
        if self.tried(allowed, lambda: services.end_guarantee(person, found.id, reason="Given back.") or "done"):
            self.model.guarantee = None
