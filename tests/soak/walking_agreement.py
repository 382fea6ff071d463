"""Steps of the walk on the agreement: amendments of every kind, moved budget, suspension, termination, another bank account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements import rules
from grants.agreements import services as agreeing
from grants.agreements.models import BankAccount, Grant
from grants.agreements.rules import (
    AccountChange,
    AmendmentInput,
    BudgetShift,
    Change,
    Extension,
    HoldInput,
    Move,
    PartnerIn,
    PartnerOut,
    Scope,
    Share,
    TerminationInput,
    TransferInput,
)
from grants.agreements.states import AmendmentState, BankAccountState, HoldReason, Side, TerminationReason
from grants.core import clock
from grants.core.db import db
from grants.core.money import Money, euros
from grants.core.permissions import Permission, system_actor
from grants.payments import services as payments
from grants.reporting import services as reporting
from tests import actors
from tests.agreements import accounts
from tests.agreements.accounts import document
from tests.soak.steps import Steps, people

KINDS = ("shift", "raise", "lower", "partner in", "partner out", "partner back", "extension", "scope", "account")
PROGRAM = system_actor("the program", [Permission.REPORT_OPEN, Permission.PAYMENT_REQUEST_OPEN])
ENDING = system_actor("the program", [Permission.TERMINATION_CARRY_OUT])
IBANS = ("FR7630006000011234567890189", "BE43068999999501")


class AgreementSteps(Steps):
    """What happens to the agreement while it is paid."""

    # ------------------------------------------------------------------ amendments

    @rule(kind=st.sampled_from(KINDS), thousands=st.integers(-40, 60), whole=st.booleans())
    def amend(self, kind: str, thousands: int, whole: bool) -> None:
        """The city asks for a change; as a rule the whole way to its signatures is gone, each step by who may take it."""
        if self.model.closed:
            return
        with clock.at(self.now):
            change = self._change(kind, thousands)
            if change is None:
                return
        # A draft of the other side is not known here and blocks nothing.
        open_ = "amendment" in self.model.waiting and self.amendment_by_city
        running = self.model.final is None and not self.model.over
        number = self.tried(
            None if running and not open_ else False,
            lambda: agreeing.draft_amendment(
                self.lead, self.grant.grant_id, AmendmentInput(change, "The site was closed.", by_letter=False)
            ),
            "draft_amendment",
        )
        if number is None:
            return
        self.amendment, self.amendment_by_city = number, True
        self.model.waiting.add("amendment")
        if whole:
            for step in ("send", "accept", "sign_city", "sign_programme"):
                self._amendment(step)
            if "amendment" in self.model.waiting:
                self._amendment("withdraw")

    def _change(self, kind: str, thousands: int) -> Change | None:
        shown = self._shown()
        now = {each.organisation_id: each.maximum.cents for each in shown.beneficiaries}
        city, agency = self.grant.city_id, self.grant.agency_id
        moved = thousands * 1_000_00
        newcomer = actors.organisation("Third City")
        # A quarter of flat rate comes on top of what is moved.
        costs = Money(abs(moved) * 4 // 5)

        def shares(**changes: int) -> tuple[Share, ...]:
            given = {
                city: changes.get("city", 0),
                agency: changes.get("agency", 0),
                newcomer: changes.get("newcomer", 0),
            }
            after = {who: now.get(who, 0) + change for who, change in given.items()}
            return tuple(Share(who, Money(cents)) for who, cents in after.items() if who in now or cents)

        match kind:
            case "shift":
                giver, taker = (agency, city) if moved > 0 else (city, agency)
                steps = (Move(costs, giver, "A", taker, "A"),) if moved else ()
                return BudgetShift(shares(city=moved, agency=-moved), steps)
            case "raise":
                return BudgetShift(shares(city=abs(moved)))
            case "lower":
                return BudgetShift(shares(agency=-abs(moved)), (Move(costs, agency, "A"),) if moved else ())
            case "partner in" if newcomer not in now:
                today = self.now.date()
                steps = (Move(euros(40_000), city, "A", newcomer, "A"),)
                return PartnerIn(newcomer, today, today, shares(city=-50_000_00, newcomer=50_000_00), steps)
            case "partner out" if agency in now:
                left = tuple(each for each in shares(city=now[agency] // 2) if each.organisation_id != agency)
                return PartnerOut(agency, self.now.date(), left)
            case "partner back" if agency in now:
                today = self.now.date()
                steps = (Move(euros(40_000), city, "A", agency, "A"),)
                return PartnerIn(agency, today, today, shares(city=-50_000_00, agency=50_000_00), steps)
            case "extension":
                return Extension(shown.ends_before + timedelta(days=30))
            case "scope":
                return Scope(f"Schools too, {thousands}.", "")
            case "account":
                paid = select(BankAccount.id).where(
                    BankAccount.organisation_id == city, BankAccount.state == BankAccountState.CONFIRMED.value
                )
                return AccountChange(db.session.scalars(paid).one(), "As confirmed.")
            case _:
                return None

    def _shown(self) -> rules.GrantView:
        return agreements.view(db.session.get_one(Grant, self.grant.grant_id, populate_existing=True))

    @precondition(lambda self: self.amendment)
    @rule(
        step=st.sampled_from(
            ("send", "open", "accept", "refuse", "sign_city", "sign_programme", "withdraw", "decline", "take_back")
        )
    )
    def step_of_amendment(self, step: str) -> None:
        self._amendment(step)

    def _amendment(self, step: str) -> None:
        """One step of the amendment that was drafted last; the state machine says what cannot be."""
        grant_id, number = self.grant.grant_id, self.amendment
        db.session.rollback()
        found = agreements.amendment(grant_id, number)
        seen, spelled = "", "0" * 64
        with clock.at(self.now):
            shown = self._shown()
            if step in ("send", "accept"):
                made, text = agreements.proposed(shown, found, self.now.date())
                seen = made.fingerprint
                spelled = rules.text_hash(agreements.amended(shown, found, made, text))
            elif step.startswith("sign") and found.offer_no is not None:
                spelled = rules.text_hash(agreements.offered_text(grant_id, found.offer_no))
        capacity = {"capacity": "Mayor", "document_sha256": spelled}
        deeds: dict[str, Callable[[], Any]] = {
            "send": lambda: agreeing.send_amendment(self.lead, grant_id, number, seen=seen),
            "open": lambda: agreeing.open_amendment(self.authoriser, grant_id, number),
            "accept": lambda: agreeing.accept_amendment(self.authoriser, grant_id, number, document_sha256=spelled),
            "refuse": lambda: agreeing.refuse_amendment(self.authoriser, grant_id, number, words="Too late.") or "done",
            "sign_city": lambda: (
                agreeing.sign_amendment_for_city(self.signatory, grant_id, number, **capacity) or "done"
            ),
            "sign_programme": lambda: (
                agreeing.sign_amendment_for_programme(self.signing, grant_id, number, **capacity) or "done"
            ),
            "withdraw": lambda: agreeing.withdraw_amendment(self.lead, grant_id, number, reason="Not now.") or "done",
            "decline": lambda: agreeing.decline_amendment(self.signatory, grant_id, number, reason="Not us.") or "done",
            "take_back": lambda: (
                agreeing.take_back_amendment(self.authoriser, grant_id, number, reason="Wrong.") or "done"
            ),
        }
        comes_after = {
            "send": {AmendmentState.DRAFTED}, "open": {AmendmentState.SENT}, "accept": {AmendmentState.SENT},
            "refuse": {AmendmentState.SENT}, "sign_city": {AmendmentState.OFFERED},
            "sign_programme": {AmendmentState.OFFERED},
            "withdraw": {AmendmentState.DRAFTED, AmendmentState.SENT, AmendmentState.OFFERED},
            "decline": {AmendmentState.OFFERED}, "take_back": {AmendmentState.OFFERED},
        }  # fmt: skip
        if found.side is Side.PROGRAMME:
            # What the programme proposes is declined before it is offered, too; a letter never is offered.
            comes_after["decline"].add(AmendmentState.SENT)
        allowed = None if found.state in comes_after[step] else False
        if self.tried(allowed, deeds[step], f"{step} amendment") is None:
            return
        self._follow(agreements.amendment(grant_id, number).state)

    def _follow(self, state: AmendmentState) -> None:
        """What an amendment in force changes: the limits are the grant's, and the books moved by as much as its maximum."""
        if state in (AmendmentState.DRAFTED, AmendmentState.SENT, AmendmentState.OFFERED):
            return
        self.model.waiting.discard("amendment")
        if state is not AmendmentState.IN_FORCE:
            return
        shown, before = self._shown(), self.model.maximum
        posted = self.posted()
        assert {each.event for each in posted} <= {"E19", "E20"}, posted
        self.model.entries += len(posted)
        self.model.moved = self.model.moved or bool(posted)
        self.model.maximum = shown.maximum.cents
        self.model.ceiling, self.model.prefinancing = (
            shown.limits.interim_ceiling.cents,
            shown.limits.prefinancing.cents,
        )
        self.model.retention, self.model.additional = shown.limits.retention.cents, shown.limits.additional.cents
        assert self.model.ceiling <= self.model.maximum
        self.model.add(LEGALLY_COMMITTED=self.model.maximum - before)
        self._follow_payments()

    def _follow_payments(self) -> None:
        """The jobs that an amendment queues run; what waits for its decision asks for what the agreement allows now."""
        self.follows(lambda: reporting.follow_agreement(PROGRAM, self.grant.grant_id))
        self.follows(lambda: payments.follow_agreement(PROGRAM, self.grant.grant_id))
        for request in self.model.requests:
            asked = {
                "prefinancing": self.model.prefinancing,
                "additional": self.model.asked_in_addition(request.advanced, request.used),
            }.get(request.kind)
            if request.state == "submitted" and asked is not None and request.requested != asked:
                request.requested, request.verified_by = asked, None
        self.model.renew()

    # ------------------------------------------------------------------ budget that is moved without one

    @rule(thousands=st.integers(1, 70), way=st.sampled_from(("within", "to the agency", "to the city")))
    def move_budget(self, thousands: int, way: str) -> None:
        city, agency = self.grant.city_id, self.grant.agency_id
        giver, taker = {"within": (city, city), "to the agency": (city, agency), "to the city": (agency, city)}[way]
        given = TransferInput(giver, "A", taker, "C1", euros(thousands * 1_000), "As agreed.")
        running = self.model.final is None and not self.model.over and not self.model.closed
        spent = self.transferred + thousands > 120
        allowed = None if running and self.model.held is None and not spent else False
        if self.tried(allowed, lambda: agreeing.move_budget(self.lead, self.grant.grant_id, given)) is None:
            return
        self.transferred += thousands
        posted = self.posted()
        assert [each.event for each in posted] == ([] if giver == taker else ["E20"]), posted
        self.model.entries += len(posted)
        self.model.moved = self.model.moved or bool(posted)
        self.follows(lambda: payments.follow_agreement(PROGRAM, self.grant.grant_id))

    # ------------------------------------------------------------------ suspension and termination

    @rule(who=people, whole=st.booleans())
    def hold(self, who: int, whole: bool) -> None:
        """The whole grant is suspended, or the part of the agency; an earlier one of the same part stands in the way."""
        given = HoldInput(
            None if whole else self.grant.agency_id, HoldReason.BREACH, "The procurement was not open.", self.now.date()
        )
        paper = document()
        earlier = self.model.held if whole else self.part_held
        may: bool | None = not self.model.closed and earlier is None
        # Who takes part no more has no part that is suspended.
        if may and self.part_gone and not whole:
            may = None
        found = self.tried(
            may,
            lambda: agreeing.hold(self.people[who], self.grant.grant_id, given, paper),
        )
        if found and whole:
            self.model.held = found
        elif found:
            self.part_held, self.model.moved = found, True

    @precondition(lambda self: self.model.held is not None or self.part_held is not None)
    @rule(who=people)
    def lift_hold(self, who: int) -> None:
        number = self.model.held if self.model.held is not None else self.part_held
        assert number is not None
        answer = self.tried(
            None,
            lambda: agreeing.lift_hold(self.people[who], self.grant.grant_id, number, words="Mended.") or "lifted",
        )
        if answer is None:
            return
        if self.model.held is not None:
            self.model.held = None
        else:
            self.part_held = None

    @rule(by_city=st.booleans())
    def propose_termination(self, by_city: bool) -> None:
        today = self.now.date()
        given = TerminationInput(
            TerminationReason.NOT_CARRIED_OUT,
            "Nobody was hired.",
            today + timedelta(days=40),
            today + timedelta(days=31),
        )
        person, paper = (self.signatory if by_city else self.officer), document()
        running = not (self.model.closed or self.model.over or self.model.ending or "termination" in self.model.waiting)
        # The period of the grant ends on 1 June 2025.
        allowed = running and given.wanted_on < date(2025, 6, 1)
        found = self.tried(allowed, lambda: agreeing.propose_termination(person, self.grant.grant_id, given, paper))
        if found:
            self.termination, self.terminated_by_city = found, by_city
            self.model.waiting.add("termination")
            self.wanted_on, self.objected = given.wanted_on, False

    @precondition(lambda self: self.termination)
    @rule(step=st.sampled_from(("object", "withdraw", "confirm", "confirm", "carry out")))
    def step_of_termination(self, step: str) -> None:
        grant_id, number, words = self.grant.grant_id, self.termination, "Two people were hired."
        day = max(self.wanted_on, self.now.date())
        own, other = (self.signatory, self.authoriser) if self.terminated_by_city else (self.officer, self.signatory)
        deeds: dict[str, Callable[[], Any]] = {
            "object": lambda: agreeing.object_to_termination(other, grant_id, number, words=words) or "objected",
            "withdraw": lambda: agreeing.withdraw_termination(own, grant_id, number, words=words) or "withdrawn",
            "confirm": lambda: (
                agreeing.confirm_termination(self.authoriser, grant_id, number, effective_on=day, answer=words)
                or "confirmed"
            ),
            "carry out": lambda: reporting.end_grant(ENDING, grant_id) or None,
        }
        waits = "termination" in self.model.waiting
        allowed: bool | None = None
        if not waits and step != "carry out":
            allowed = False
        if step == "carry out":
            with clock.at(self.now):
                ended = reporting.end_grant(ENDING, grant_id)
            assert ended == (
                self.model.ending and not self.model.over and self.now.date() >= self.ends_on and not self.model.closed
            )
            if ended:
                self.model.over = True
            return
        if self.tried(allowed, deeds[step], f"{step} termination") is None:
            return
        if step == "object":
            self.objected = True
            return
        self.model.waiting.discard("termination")
        if step == "confirm":
            self.model.ending, self.ends_on = True, day

    # ------------------------------------------------------------------ another bank account

    @rule(answer=st.sampled_from(("confirm", "confirm", "confirm", "own", "refuse")))
    def another_account(self, answer: str) -> None:
        """The city's account is replaced by two people: what was prepared to the old one stops."""
        iban, grant_id, city_id = IBANS[self.model.account % 2], self.grant.grant_id, self.grant.city_id
        fin, carl, paper = actors.fin(), actors.carl(), document()
        with clock.at(self.now):
            typed, check = accounts.given(iban), accounts.called_back()
        entered = self.tried(
            None,
            lambda: agreeing.enter_account(fin, grant_id, typed, paper, organisation_id=city_id) or "entered",
        )
        waits = agreements.proposed_account(city_id)
        if entered is None or waits is None:
            return
        if answer == "own":
            self.tried(False, lambda: agreeing.confirm_account(fin, grant_id, waits.id, check))
        if answer != "confirm":
            self.tried(
                None, lambda: agreeing.refuse_account(carl, grant_id, waits.id, reason="Another name.") or "refused"
            )
            return
        if self.tried(None, lambda: agreeing.confirm_account(carl, grant_id, waits.id, check) or "confirmed") is None:
            return
        self.model.account += 1
        # An account of yesterday is not paid to; so many days at most it waits.
        self.account_waits_until = self.now.date() + timedelta(days=20)
