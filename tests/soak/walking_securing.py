"""Steps of the walk on what secures the money: guarantees that pre-financing waits for, certificates that the balance waits for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

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
from grants.payments.models import FinancialCertificate, PaymentGuarantee
from grants.payments.rules.securing import CertificateInput, GuaranteeInput
from tests.agreements.accounts import document
from tests.payments.world import asks_for
from tests.soak.model import Certificate, Guarantee
from tests.soak.steps import Steps, people, picks


class SecuringSteps(Steps):
    """Guarantees: asked for, recorded, expired, given back. Certificates: wanted, brought, judged, done without."""

    def _asks_for_guarantee(self) -> None:
        """The agreement asks for a guarantee before pre-financing, and its call that requests are verified."""
        with arranging():
            db.session.get_one(Grant, self.grant.grant_id).guarantee_asked = True
        asks_for(self.grant, RequestPath.VERIFIED, ClockStart.REGISTRATION)
        self.model.guarantee_asked, self.model.path = True, "verified"

    # ------------------------------------------------------------------ guarantees

    @precondition(lambda self: self.model.guarantee_asked)
    @rule(percent=st.sampled_from((90, 100, 100, 110)), days=st.integers(-1, 60), who=people)
    def record_guarantee(self, percent: int, days: int, who: int) -> None:
        self._record_guarantee(percent, days, who)

    def _record_guarantee(self, percent: int, days: int, who: int) -> None:
        model, today = self.model, self.now.date()
        # It covers what may be paid in advance, at once and in addition.
        needed = model.prefinancing + model.additional
        amount, until, paper = needed * percent // 100, today + timedelta(days=days), document()
        given = GuaranteeInput("Bank of Northbridge", Money(amount), until)
        running = model.guarantee_asked and not model.over and not model.closed
        allowed = running and model.guarantee is None and amount >= needed and until >= today
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

    # ------------------------------------------------------------------ certificates

    def _asks_for_certificates(self) -> None:
        """The agreement asks for a certificate of whose contribution is 180 000 or more."""
        self.model.certificate_from = 180_000_00
        with arranging():
            db.session.get_one(Grant, self.grant.grant_id).certificate_from = Money(self.model.certificate_from)

    def _wanted(self) -> None:
        """With the balance the certificates are asked for."""
        names = {self.grant.city_id: "city", self.grant.agency_id: "agency"}
        rows = select(FinancialCertificate).where(FinancialCertificate.grant_id == self.grant.grant_id)
        self.model.certificates = {
            names[each.organisation_id]: Certificate(each.id) for each in db.session.scalars(rows)
        }
        assert self.model.moved or {*self.model.certificates} == self.model.wanted_certificates(), "who certifies"

    @precondition(lambda self: self.model.certificates)
    @rule(number=picks, step=st.sampled_from(("bring", "bring", "accept", "return", "do without")))
    def certificate(self, number: int, step: str) -> None:
        """The city brings it, the officer judges it or does without, and the balance waits for that."""
        found: Certificate = self.of([*self.model.certificates.values()], number)
        given, paper, officer = CertificateInput("Audit Office", self.now.date()), document(), self.officer
        comes_after = {
            "bring": ("wanted", "without"), "accept": ("brought",), "return": ("brought",), "do without": ("wanted",),
        }  # fmt: skip
        deeds: dict[str, Callable[[], Any]] = {
            "bring": lambda: services.bring_certificate(self.lead, found.id, given, incoming=paper) or "brought",
            "accept": lambda: services.accept_certificate(officer, found.id) or "accepted",
            "return": lambda: services.return_certificate(officer, found.id, words="A page is missing.") or "wanted",
            "do without": lambda: services.do_without_certificate(officer, found.id, words="None came.") or "without",
        }
        allowed = found.state in comes_after[step] and self.model.final is None and not self.model.closed
        state = self.tried(allowed, deeds[step], f"{step} certificate")
        if state is not None:
            found.state = state
            self.model.renew()
