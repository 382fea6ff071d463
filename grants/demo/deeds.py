"""What people of the demo do with a grant, each deed at the moment the clock is set to; ``stories`` says when."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from uuid import UUID

from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from grants.agreements import queries as agreement_reads
from grants.agreements import services as agreements
from grants.agreements.models import Beneficiary, Grant
from grants.agreements.rules import (
    AccountCheck,
    AccountInput,
    ContactInput,
    HoldInput,
    MilestoneView,
    PayeeAddress,
    text_hash,
)
from grants.agreements.states import (
    BankAccountState,
    CheckChannel,
    ConditionKey,
    ContactRole,
    HoldReason,
    MilestoneState,
    PayeeMatch,
)
from grants.applications import queries as application_reads
from grants.budgets import queries as budgets
from grants.budgets.rules import Cell
from grants.calls import services as calls
from grants.calls.rules.decisions import BudgetInput
from grants.core import clock, files
from grants.core.db import db, get
from grants.core.money import Money, total
from grants.demo.judging import Judges
from grants.demo.preparing import Sides, answered_without_verdict, meet_conditions, revise
from grants.demo.texts import bank_letter, letter, sentences, suspension_notice
from grants.dossiers.rules import Answer
from grants.identity import queries as identity
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.rules import Event
from grants.payments import queries as payment_reads
from grants.payments import services as payments
from grants.payments.models import PaymentOrder, PaymentRequest, Recovery
from grants.payments.rules import DecisionInput as PaymentDecision
from grants.payments.rules import ReceiptInput, RecoveryInput
from grants.payments.rules.evidence import every_tick
from grants.payments.rules.own_accounts import OwnAccountInput
from grants.payments.rules.pay_runs import FileLayout
from grants.payments.states import RequestState, Step, SuspensionReason
from grants.programmes import services as programmes
from grants.programmes.rules import PILOT_CITIES
from grants.reporting import queries as report_reads
from grants.reporting import services as reporting
from grants.reporting.rules import Decision, Judged, MilestoneInput

# The account the programme of the demo pays from.
OWN_IBAN = "BE43068999999501"
DECIDED = (RequestState.APPROVED.value, RequestState.PARTLY_APPROVED.value)


class Preparation(Enum):
    """How far the officer takes a grant in preparation."""

    OFFERED = "offered"
    BEGUN = "begun"


@dataclass(frozen=True, slots=True)
class InHand:
    """A grant that somebody works on."""

    id: UUID
    coordinator_id: UUID


@dataclass(frozen=True, slots=True)
class ReportInHand:
    """A report that somebody works on."""

    id: UUID
    budget_id: UUID


class Troupe(Judges):
    """Everybody of the demo: agreements, payments and reports. A grant is known by its reference."""

    # --- preparation and signature ----------------------------------------------------------------------------------

    def prepare(
        self,
        title: str,
        starts_on: date,
        lead: str,
        mayor: str,
        iban: str,
        *,
        until: Preparation = Preparation.OFFERED,
    ) -> str:
        """A grant in preparation: people named, account entered, checks answered; its reference."""
        officer = self.actor("officer")
        found = next(ref for ref, name in agreement_reads.selected_without_grant(officer) if name == title)
        return self.prepare_application(
            application_reads.view(officer, found).id, starts_on, lead, mayor, iban, until=until
        )

    def begin_preparation_of(self, title: str, starts_on: date, lead: str, mayor: str | None = None) -> str:
        """The beginning alone, of a selected application known by its title."""
        officer = self.actor("officer")
        found = next(ref for ref, name in agreement_reads.selected_without_grant(officer) if name == title)
        return self.begin_preparation(application_reads.view(officer, found).id, starts_on, lead, mayor)

    def decline(self, reference: str, signatory: str, reason: str) -> None:
        """Who would sign for the city declines the grant."""
        agreements.decline(self.actor(signatory), self._grant(reference).id, reason=reason)

    def prepare_application(
        self,
        application_id: UUID,
        starts_on: date,
        lead: str,
        mayor: str,
        iban: str,
        *,
        until: Preparation = Preparation.OFFERED,
    ) -> str:
        """The same, of a selected application known by its id."""
        reference = self.begin_preparation(application_id, starts_on, lead, mayor)
        return self.finish_preparation(reference, lead, iban, until=until)

    def finish_preparation(
        self, reference: str, lead: str, iban: str, *, until: Preparation = Preparation.OFFERED
    ) -> str:
        """What follows the beginning: the account, the conditions, the budget, the offer; its reference."""
        self.enter_account(reference, lead, iban)
        self.meet_conditions(reference, lead, count=None if until is Preparation.OFFERED else 3)
        if until is Preparation.BEGUN:
            self.leave_waiting(reference, lead)
            self.revise(reference, lead)
        if until is Preparation.OFFERED:
            self.confirm_account(reference)
            self.offer(reference)
        return reference

    def begin_preparation(self, application_id: UUID, starts_on: date, lead: str, mayor: str | None = None) -> str:
        """The officer begins a preparation and names who signs for the city, and who answers where nobody does; its reference."""
        officer = self.actor("officer")
        made = agreements.prepare(officer, application_id, starts_on=starts_on)
        known = {(each.user_id, each.role) for each in agreement_reads.contacts(application_id)}
        for key, role in ((lead, ContactRole.LEAD), (mayor or lead, ContactRole.SIGNATORY)):
            if (self.ids[key], role) in known:
                continue
            person = identity.person(self.ids[key])
            agreements.appoint(officer, made.id, ContactInput(person.name, person.email, role))
            self.changed(key)
        return made.reference

    def meet_conditions(self, reference: str, lead: str, *, count: int | None = None) -> None:
        """The city answers and the officer accepts the first so many conditions, or all; the manager looks at the officer's own."""
        meet_conditions(self._grant(reference).id, self._sides(lead), count=count)

    def leave_waiting(self, reference: str, lead: str) -> None:
        """The city answers one more condition, which nobody has looked at yet."""
        answered_without_verdict(self._grant(reference).id, ConditionKey.EXCLUSION, self._sides(lead))

    def revise(self, reference: str, lead: str) -> int:
        """The city changes its budget and its description and sends both; the number of the revision."""
        return revise(self._grant(reference).id, self._sides(lead))

    def return_revision(self, reference: str, number: int, words: str) -> None:
        """The officer returns a revision."""
        agreements.return_revision(self.actor("officer"), self._grant(reference).id, number, words=words)

    def accept_revision(self, reference: str, number: int) -> None:
        """The officer accepts a revision: the maxima are what its budget asks for."""
        agreements.accept_revision(self.actor("officer"), self._grant(reference).id, number)

    def _sides(self, lead: str) -> Sides:
        return Sides(lambda: self.actor(lead), lambda: self.actor("officer"), lambda: self.actor("manager"))

    def offer(self, reference: str) -> None:
        """The officer offers the text as it stands for signature."""
        officer = self.actor("officer")
        text = agreement_reads.text_of(agreement_reads.grant(officer, reference))
        agreements.offer(officer, self._grant(reference).id, document_sha256=text_hash(text))

    def take_back(self, reference: str, reason: str) -> None:
        """The officer takes the offer back."""
        officer = self.actor("officer")
        offer = agreement_reads.grant(officer, reference).offer
        assert offer is not None, "only what is offered is taken back"
        agreements.take_back(officer, self._grant(reference).id, offer_no=offer.number, reason=reason)

    def drop(self, reference: str, reason: str) -> None:
        """The officer drops the preparation."""
        agreements.drop(self.actor("officer"), self._grant(reference).id, reason=reason)

    def enter_account(self, reference: str, lead: str, iban: str) -> None:
        """The city enters its account, unless the same one is confirmed already."""
        grant = self._grant(reference)
        known = agreement_reads.accounts(grant.coordinator_id)
        if not any(each.iban == iban and each.state is BankAccountState.CONFIRMED for each in known):
            city, today = identity.organisation(grant.coordinator_id), clock.today()
            given = AccountInput(
                f"{city.name} (synthetic)", iban, None, today, PayeeAddress(city.town or city.name, city.country_code)
            )
            document = FileStorage(io.BytesIO(bank_letter(given.holder)), filename="Letter of the bank.pdf")
            agreements.enter_account(self.actor(lead), grant.id, given, files.receive(document))

    def confirm_account(self, reference: str) -> None:
        """The accounting officer confirms the account that waits, where one does."""
        grant = self._grant(reference)
        proposed = agreement_reads.proposed_account(grant.coordinator_id)
        if proposed is not None:
            today = clock.today()
            check = AccountCheck(
                CheckChannel.CALL_BACK,
                today,
                "Bank letter and a call back (invented)",
                PayeeMatch.MATCH,
                matched_on=today,
            )
            agreements.confirm_account(self.actor("accountant"), grant.id, proposed.id, check)

    def refuse_account(self, reference: str, reason: str) -> None:
        """The accounting officer refuses the account that waits."""
        grant = self._grant(reference)
        proposed = agreement_reads.proposed_account(grant.coordinator_id)
        assert proposed is not None, "an account waits"
        agreements.refuse_account(self.actor("accountant"), grant.id, proposed.id, reason=reason)

    def sign_for_city(self, reference: str, mayor: str) -> None:
        """The city's signatory signs the text on offer."""
        grant_id, sha256 = self._offered(reference)
        agreements.sign_city(
            self.actor(mayor), grant_id, capacity="Signatory (invented person)", document_sha256=sha256
        )

    def sign_for_programme(self, reference: str) -> None:
        """The programme signs: money is committed, the pre-financing is asked for."""
        grant_id, sha256 = self._offered(reference)
        agreements.sign_programme(
            self.actor("signatory"),
            grant_id,
            capacity="Director of the programme (invented person)",
            document_sha256=sha256,
        )

    def _offered(self, reference: str) -> tuple[UUID, str]:
        grant_id = self._grant(reference).id
        return grant_id, text_hash(agreement_reads.text_of(agreement_reads.view(get(Grant, grant_id))))

    def _grant(self, reference: str) -> InHand:
        """Which grant a reference means; rows are not kept, since every act reads anew."""
        row = db.session.execute(select(Grant.id, Grant.coordinator_id).where(Grant.reference == reference)).one()
        return InHand(*row)

    # --- payments ---------------------------------------------------------------------------------------------------

    def decide_requests(self, reference: str, *, percent: int = 100) -> None:
        """The authoriser allows what a grant asks for, in full or so many percent of it."""
        for request_id, asked in self.requests(reference, RequestState.SUBMITTED.value, RequestState.VERIFIED.value):
            given = PaymentDecision(asked) if percent == 100 else _part(asked, percent)
            payments.decide(self.actor("authoriser"), request_id, given)

    def reject_request(self, reference: str, reason: str) -> None:
        """The authoriser rejects what a grant asks for."""
        for request_id, _ in self.requests(reference, RequestState.SUBMITTED.value):
            payments.reject(self.actor("authoriser"), request_id, reason=reason)

    def requests(self, reference: str, *states: str) -> list[tuple[UUID, Money]]:
        """The requests of a grant in some states, with what each asks for."""
        rows = db.session.execute(
            select(PaymentRequest.id, PaymentRequest.requested)
            .join(Grant, Grant.id == PaymentRequest.grant_id)
            .where(Grant.reference == reference, PaymentRequest.state.in_(states))
            .order_by(PaymentRequest.number)
        )
        return [(request_id, asked) for request_id, asked in rows]

    def prepare_order(self, reference: str, amount: Money | None = None) -> UUID | None:
        """The initiator prepares the order for what was allowed, or a part of it; None when nothing is."""
        for request_id, _ in self.requests(reference, *DECIDED):
            return payments.prepare(self.actor("initiator"), request_id, amount=amount).id
        return None

    def verify_order(self, order_id: UUID) -> None:
        """The verifier looks at it."""
        payments.verify(self.actor("verifier"), order_id, evidence=every_tick(Step.VERIFIED))

    def authorise_order(self, order_id: UUID) -> None:
        """The authoriser authorises it."""
        payments.authorise(self.actor("authoriser"), order_id, evidence=every_tick(Step.AUTHORISED))

    def cancel_order(self, order_id: UUID, reason: str) -> None:
        """The initiator cancels it before it leaves."""
        payments.cancel(self.actor("initiator"), order_id, reason=reason)

    def export_order(self, reference: str, order_id: UUID) -> None:
        """The accounting officer puts it into a list for the bank."""
        self.export_orders([order_id])

    def export_orders(self, order_ids: Sequence[UUID], layout: FileLayout = FileLayout.XLSX) -> None:
        """The accounting officer puts these into one list, or one file of payments, for the bank."""
        amounts = db.session.scalars(select(PaymentOrder.amount).where(PaymentOrder.id.in_(order_ids)))
        payments.export(self.actor("accountant"), tuple(order_ids), control_total=total(amounts), layout=layout)

    def suspend(self, reference: str, reason: SuspensionReason, notice: str) -> None:
        """The authoriser stops the clock of the newest request of a grant by a notice."""
        payments.suspend(self.actor("authoriser"), self._newest_request(reference), reason=reason, notice=notice)

    def hold(self, reference: str, reason: HoldReason, words: str) -> None:
        """The authoriser suspends a whole grant from this day on."""
        today = clock.today()
        document = FileStorage(io.BytesIO(suspension_notice(words)), filename="Notice.pdf")
        given = HoldInput(None, reason, words, today)
        agreements.hold(self.actor("authoriser"), self._grant(reference).id, given, files.receive(document))

    def answer_suspension(self, reference: str, lead: str, answer: str) -> None:
        """The city answers the notice."""
        payments.answer_suspension(self.actor(lead), self._newest_request(reference), answer=answer)

    def lift(self, reference: str, reason: str) -> None:
        """The authoriser lets the clock go on."""
        payments.lift(self.actor("authoriser"), self._newest_request(reference), reason=reason)

    def _newest_request(self, reference: str) -> UUID:
        return self.requests(reference, *RequestState)[-1][0]

    def set_budget(self, call_id: UUID, amount: Money) -> UUID:
        """The authoriser sets the budget of a call; the entry of the ledger that says so."""
        calls.authorise_budget(self.actor("authoriser"), call_id, BudgetInput(amount))
        return self.budget_entry(call_id)

    def budget_entry(self, call_id: UUID) -> UUID:
        """The newest entry that set the budget of a call and stands."""
        statement = select(LedgerEntry.id).join(LedgerLeg, LedgerLeg.entry_id == LedgerEntry.id)
        reversed_ = select(LedgerEntry.reverses_id).where(LedgerEntry.reverses_id.is_not(None))
        of_call = statement.where(
            LedgerLeg.call_id == call_id,
            LedgerEntry.event == Event.BUDGET_SET.value,
            LedgerEntry.id.not_in(reversed_),
        )
        found = db.session.scalars(of_call.order_by(LedgerEntry.number.desc())).first()
        assert found is not None, "the budget of the call was set"
        return found

    def propose_reversal(self, entry_id: UUID, reason: str) -> UUID:
        """The accounting officer proposes to reverse an entry of the ledger."""
        return payments.propose_reversal(self.actor("accountant"), entry_id, reason=reason)

    def confirm_reversal(self, proposal_id: UUID) -> None:
        """The authoriser confirms it."""
        payments.confirm_reversal(self.actor("authoriser"), proposal_id)

    def enter_own_account(self) -> None:
        """The programme is set up, and two people give the account it pays from."""
        programme = programmes.set_up(self.actor("manager"), PILOT_CITIES)
        reference = payments.enter_own_account(
            self.actor("initiator"),
            OwnAccountInput(
                programme.id,
                "Pilot Cities Programme (invented)",
                OWN_IBAN,
                "BE",
                "Brussels",
                postcode="1000",
                street="Rue de l’Exemple",
                building="1",
            ),
        )
        account = payment_reads.own_account(self.actor("verifier"), reference)
        payments.confirm_own_account(self.actor("verifier"), account.id, evidence="Letter of the bank (invented)")

    def book_order(self, order_id: UUID, value_on: date) -> None:
        """The bank paid it on that day."""
        payments.execute(self.actor("accountant"), order_id, value_on=value_on)

    def close(self, reference: str) -> None:
        """The authoriser closes the grant; what its coordinator did not show as passed on is waived by name first."""
        grant_id = self._grant(reference).id
        for each in payment_reads.distribution_page(self.actor("authoriser"), reference).balances:
            if each.blocks:
                reason = "The audited accounts of the coordinator show that the partner has it. (Synthetic.)"
                payments.waive_distribution(self.actor("authoriser"), grant_id, each.organisation_id, reason=reason)
        payments.close_grant(self.actor("authoriser"), grant_id, note="All reports accepted, the balance is paid.")

    def propose_recovery(self, reference: str) -> UUID:
        """The initiator proposes what was paid too much, and tells the city beforehand."""
        reason = "The accepted costs stay below what was paid in advance. (Synthetic.)"
        made = payments.propose_recovery(self.actor("initiator"), self._grant(reference).id, RecoveryInput(reason))
        payments.inform(self.actor("initiator"), made.id, days=30)
        return made.id

    def answer_recovery(self, recovery_id: UUID, lead: str) -> None:
        """The city answers before its debt is confirmed."""
        payments.observe(self.actor(lead), recovery_id, words="The council took note and agrees. (Synthetic.)")

    def confirm_recovery(self, recovery_id: UUID, due_on: date) -> None:
        """The authoriser confirms a debt, and the accounting officer issues its debit note."""
        words = "The city agreed in writing. (Synthetic.)"
        payments.confirm_recovery(self.actor("authoriser"), recovery_id, words=words)
        payments.issue(self.actor("accountant"), recovery_id, due_on=due_on)

    def book_receipt(self, recovery_id: UUID) -> None:
        """The accounting officer books what came back, all of it."""
        owed = get(Recovery, recovery_id).amount
        given = ReceiptInput(owed, clock.now().date(), "DEMO-BACK-1")
        payments.book_receipt(self.actor("accountant"), recovery_id, given)

    def waive_recovery(self, recovery_id: UUID) -> None:
        """Another authoriser waives what is owed, with the decision that says so."""
        reason = "The municipality was merged away; the decision of the board is on file. (Synthetic.)"
        document = files.receive(
            FileStorage(io.BytesIO(letter("Decision to waive a debt (invented)")), filename="decision.pdf")
        )
        payments.waive(self.actor("authoriser_second"), recovery_id, reason=reason, document=document)

    # --- milestones and reports -------------------------------------------------------------------------------------

    def milestones(self, reference: str) -> tuple[MilestoneView, ...]:
        """The milestones of a grant as they stand."""
        return agreement_reads.milestones(self._grant(reference).id)

    def reach(self, reference: str, number: int, lead: str) -> None:
        """The city reports a milestone as reached today."""
        milestone = self.milestones(reference)[number - 1]
        assert milestone.state is not MilestoneState.ACCEPTED
        text = f"{milestone.title}: reached as agreed. (Synthetic text of the demo.)"
        reporting.report_milestone(self.actor(lead), milestone.id, MilestoneInput(clock.now().date(), text))

    def accept_milestone(self, reference: str, number: int) -> None:
        """The project officer accepts it."""
        milestone = self.milestones(reference)[number - 1]
        reporting.accept_milestone(self.actor("officer"), milestone.id, answer="Seen, with thanks.")

    def return_milestone(self, reference: str, number: int, answer: str) -> None:
        """The project officer returns it."""
        reporting.return_milestone(self.actor("officer"), self.milestones(reference)[number - 1].id, answer=answer)

    def report(self, reference: str, number: int, lead: str, percent: int) -> None:
        """Write and send a report that declares so many percent of each partner's maximum."""
        actor, grant = self.actor(lead), self._grant(reference)
        report = self._report(grant, number)
        self._write_report(reference, report.id, lead)
        shares = db.session.execute(
            select(Beneficiary.organisation_id, Beneficiary.maximum)
            .where(Beneficiary.grant_id == grant.id)
            .order_by(Beneficiary.position)
        ).all()
        cells = tuple(Cell(place, "A", Money(maximum.cents * percent // 125)) for place, maximum in shares)
        reporting.enter_costs(actor, report.id, cells)
        reporting.submit(actor, report.id)

    def _write_report(self, reference: str, report_id: UUID, lead: str) -> None:
        for section, questions in (("work", ("progress", "deviations")), ("learning", ("lessons", "replication"))):
            answers = tuple(Answer(key, sentences(f"{key} {reference}", 3)) for key in questions)
            reporting.write_section(self.actor(lead), report_id, section, answers)

    def accept_report(self, reference: str, number: int) -> None:
        """The project officer accepts everything it declares."""
        report = self._report(self._grant(reference), number)
        declared = budgets.written(report.budget_id).cells
        judged = tuple(Judged(each.organisation_id, each.category, each.amount, each.amount) for each in declared)
        reporting.accept(self.actor("officer"), report.id, Decision(judged, "Accepted in full."))

    def return_report(self, reference: str, number: int, answer: str) -> None:
        """The project officer gives it back with what is missing."""
        reporting.give_back(self.actor("officer"), self._report(self._grant(reference), number).id, answer=answer)

    def reject_report(self, reference: str, number: int, answer: str) -> None:
        """The project officer rejects it: nothing is accepted."""
        reporting.reject(self.actor("officer"), self._report(self._grant(reference), number).id, answer=answer)

    def _report(self, grant: InHand, number: int) -> ReportInHand:
        found = report_reads.numbered(grant.id, number)
        assert found is not None, "the agreement opened its reports"
        return ReportInHand(found.id, found.budget_id)


def _part(asked: Money, percent: int) -> PaymentDecision:
    return PaymentDecision(
        Money(asked.cents * percent // 100), "A part of the costs is not documented yet. (Synthetic.)"
    )
