"""What people of the demo do about money beyond the plain way of a payment: the bank's files, debts, interest, rules, rates."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from grants.agreements.models import Grant
from grants.agreements.states import PaymentKind
from grants.core import clock, files
from grants.core.db import db, get
from grants.core.file_types import FileType
from grants.core.files import Incoming
from grants.core.money import Money, euros, total
from grants.core.permissions import Permission, system_actor
from grants.core.text import Dialect, csv_lines
from grants.demo.changing_grants import Changers
from grants.demo.deeds import OWN_IBAN
from grants.demo.texts import Booking, paper, statement, status_report
from grants.identity import services as people
from grants.identity.models import RoleGrant
from grants.identity.policy import Role
from grants.identity.rules.standing_in import StandInInput
from grants.payments import queries as reads
from grants.payments import services as payments
from grants.payments.models import (
    BankClaim,
    BankLine,
    Distribution,
    FinancialCertificate,
    OwnAccount,
    PaymentBatch,
    PaymentOrder,
    PaymentRequest,
    Recovery,
)
from grants.payments.queries.additional import additional_page
from grants.payments.rules import EVIDENCE, ReceiptInput, RecoveryInput
from grants.payments.rules.additional import UseInput
from grants.payments.rules.circuit import ALL_PAIRS, Pair
from grants.payments.rules.distribution import PassedOnInput
from grants.payments.rules.interest import InterestInput
from grants.payments.rules.late_interest import LateInterestInput, PublicRule
from grants.payments.rules.offsets import OffsetInput
from grants.payments.rules.own_accounts import OwnAccountInput
from grants.payments.rules.pay_runs import FileInput, FileLayout
from grants.payments.rules.retaining import HoldInput
from grants.payments.rules.securing import CertificateInput, GuaranteeInput
from grants.payments.rules.statements.claims import Claim
from grants.payments.rules.statements.executions import HEADS, Spelling
from grants.payments.rules.statements.values import BankFile
from grants.payments.services import bank_files
from grants.payments.states import ClaimState, Explained, RecoveryOrigin, RequestState, RuleState, Step
from grants.programmes import queries as programme_reads
from grants.programmes import services as programmes
from grants.programmes.rules import FundSourceWords
from grants.rates import services as rates
from grants.rates.states import RateKind

# What the first statement of the programme's account begins with.
OPENING = euros(2_000_000)
# The first two steps may be one person's.
THREE_PEOPLE: frozenset[Pair] = ALL_PAIRS - {frozenset({Step.PREPARED, Step.VERIFIED})}


Found = TypeVar("Found")


class Keepers(Changers):
    """The bank's files, debts and interest, the rules of the circuit, and what is kept beside them."""

    def __init__(self) -> None:
        super().__init__()
        # What the last statement of the programme's account closed with; the next one opens with it.
        self._at_bank = OPENING

    # --- the bank ---------------------------------------------------------------------------------------------------

    def bank_tells(self, day: date, *bookings: Booking) -> None:
        """The accounting officer brings the statement of a day of the programme's account."""
        data = statement(OWN_IBAN, day, self._at_bank, bookings)
        self._bring("Statement (invented).xml", data, BankFile.STATEMENT)
        self._at_bank += total(each.signed for each in bookings)

    def bank_tells_nonsense(self, day: date) -> None:
        """The same, of a file whose balances do not add up: it is refused whole."""
        data = statement(OWN_IBAN, day, self._at_bank, (), closing=self._at_bank + Money(1))
        self._bring("Statement with a wrong balance (invented).xml", data, BankFile.STATEMENT)

    def bank_reports(self, told: Sequence[tuple[UUID, str, str]]) -> None:
        """The accounting officer brings the bank's report on orders of one file: what became of each, and why."""
        orders = [(get(PaymentOrder, order_id), code, reason) for order_id, code, reason in told]
        batch = get(PaymentBatch, _known(orders[0][0].batch_id))
        data = status_report(
            batch.message_id,
            [(_known(order.end_to_end_id), order.amount, code, reason) for order, code, reason in orders],
        )
        self._bring("Report on a payment file (invented).xml", data, BankFile.REPORT)

    def _bring(self, name: str, data: bytes, kind: BankFile) -> None:
        incoming = files.receive(FileStorage(io.BytesIO(data), filename=name), look=bank_files.look)
        payments.import_statement(self.actor("accountant"), incoming, kind)

    def paid(self, order_id: UUID, number: str) -> Booking:
        """The bank's line of an order as it should be."""
        order = get(PaymentOrder, order_id)
        numbers = reads.account_numbers([order_id])[order_id]
        return Booking(
            -order.amount,
            number,
            "Payment of a grant",
            payment=_known(order.end_to_end_id),
            name=numbers.holder,
            iban=numbers.iban,
        )

    def came_back(self, order_id: UUID, number: str, reason: str) -> Booking:
        """The bank's line of the same money coming back."""
        order = get(PaymentOrder, order_id)
        return Booking(
            order.amount,
            number,
            "Payment returned",
            payment=_known(order.end_to_end_id),
            name="Invented Bank",
            returned=reason,
        )

    def reissue(self, order_id: UUID) -> UUID:
        """The initiator issues a payment again that came back."""
        return payments.reissue(self.actor("initiator"), order_id).id

    def build_file(self, order_ids: Sequence[UUID]) -> UUID:
        """The accounting officer puts these into a file, which a job makes; it does not leave."""
        account = reads.payable_from_any(tuple(order_ids))
        given = FileInput(account, FileLayout.V09, clock.in_zone(clock.now()).date())
        return payments.build(self.actor("accountant"), tuple(order_ids), given).id

    def discard_file(self, batch_id: UUID, reason: str) -> None:
        """The accounting officer takes the orders out of it again."""
        payments.discard(self.actor("accountant"), batch_id, reason=reason)

    def explain(self, bank_reference: str, explained: Explained, reason: str) -> None:
        """The accounting officer says what an open line of the bank is."""
        payments.explain(self.actor("accountant"), _line(bank_reference), Claim(explained, "", reason))

    def confirm_explanation(self, bank_reference: str) -> None:
        """The verifier confirms it."""
        payments.confirm_claim(self.actor("verifier"), _claim(bank_reference))

    def refuse_explanation(self, bank_reference: str, reason: str) -> None:
        """The verifier refuses it."""
        payments.refuse_claim(self.actor("verifier"), _claim(bank_reference), reason=reason)

    def withdraw_explanation(self, bank_reference: str) -> None:
        """The accounting officer takes it back."""
        payments.withdraw_claim(self.actor("accountant"), _claim(bank_reference))

    def enter_another_account(self, iban: str, words: str) -> str:
        """The initiator enters another account of the programme; its reference."""
        given = OwnAccountInput(
            db.session.scalars(select(OwnAccount.programme_id).limit(1)).one(),
            words,
            iban,
            "BE",
            "Brussels",
            postcode="1000",
            street="Rue de l’Exemple",
            building="1",
        )
        return payments.enter_own_account(self.actor("initiator"), given)

    def close_account(self, reference: str, reason: str) -> None:
        """The verifier closes it."""
        account = reads.own_account(self.actor("verifier"), reference)
        payments.close_own_account(self.actor("verifier"), account.id, reason=reason)

    def book_orders(self, order_ids: Sequence[UUID], value_on: date) -> None:
        """The bank paid these on that day: the accounting officer enters one by hand, and brings several as a list."""
        accountant = self.actor("accountant")
        if len(order_ids) == 1:
            self.book_order(order_ids[0], value_on)
            return
        wanted = select(PaymentOrder.reference, PaymentOrder.amount).where(PaymentOrder.id.in_(order_ids))
        rows = [
            (reference, f"{amount.cents // 100}.{amount.cents % 100:02d}", value_on.isoformat(), f"DEMO-{reference}")
            for reference, amount in db.session.execute(wanted.order_by(PaymentOrder.reference))
        ]
        text = csv_lines([HEADS, *rows], Dialect.PROGRAM)
        payments.import_executions(accountant, reads.payable_from_any(tuple(order_ids)), text, Spelling.POINT)

    # --- debts ------------------------------------------------------------------------------------------------------

    def find_costs(self, reference: str, amount: Money, reason: str) -> UUID:
        """The initiator proposes a debt for costs of the coordinator that are rejected after they were accepted."""
        grant = self._grant(reference)
        given = RecoveryInput(reason, RecoveryOrigin.REJECTED_COSTS, grant.coordinator_id, amount)
        return payments.propose_recovery(self.actor("initiator"), grant.id, given).id

    def inform(self, recovery_id: UUID) -> None:
        """The initiator tells the city beforehand; it has thirty days."""
        payments.inform(self.actor("initiator"), recovery_id, days=30)

    def confirm_debt(self, recovery_id: UUID) -> None:
        """The authoriser confirms it; no debit note is out yet."""
        payments.confirm_recovery(self.actor("authoriser"), recovery_id, words="The invoices were seen. (Synthetic.)")

    def cancel_debt(self, recovery_id: UUID, reason: str) -> None:
        """The initiator cancels it."""
        payments.cancel_recovery(self.actor("initiator"), recovery_id, reason=reason)

    def book_part(self, recovery_id: UUID, amount: Money, bank_reference: str) -> None:
        """The accounting officer books a part that came back today."""
        given = ReceiptInput(amount, clock.in_zone(clock.now()).date(), bank_reference)
        payments.book_receipt(self.actor("accountant"), recovery_id, given)

    def set_off(self, recovery_id: UUID, reference: str, amount: Money) -> None:
        """The accounting officer sets a part of a debt off against what another grant of the city is to be paid."""
        request_id = self._newest_request(reference)
        payments.set_off(self.actor("accountant"), OffsetInput(recovery_id, request_id, amount))

    def remind_of_debts(self) -> None:
        """What the program does each morning: cities are reminded of debts whose last day is over."""
        payments.remind(system_actor("The program", [Permission.RECOVERY_REMIND]))

    def reckon_interest(self, recovery_id: UUID) -> None:
        """The initiator reckons interest on what came late."""
        payments.book_interest(self.actor("initiator"), recovery_id, InterestInput())

    def confirm_interest(self, recovery_id: UUID) -> None:
        """The authoriser confirms it: it is owed."""
        payments.confirm_interest(self.actor("authoriser"), recovery_id)

    def refuse_interest(self, recovery_id: UUID, reason: str) -> None:
        """The authoriser refuses it."""
        payments.refuse_interest(self.actor("authoriser"), recovery_id, reason=reason)

    def owe_interest(self, reference: str) -> None:
        """The initiator reckons what is owed for a payment that came late, and the authoriser confirms it: it is paid apart."""
        (request_id, _), *_ = self.requests(reference, *RequestState)
        payments.book_late_interest(self.actor("initiator"), request_id, LateInterestInput(PublicRule.OWED_TO_ALL))
        payments.confirm_late_interest(self.actor("authoriser"), request_id)

    def cancel_unpaid(self, reference: str, reason: str) -> None:
        """The authoriser cancels pre-financing that was approved and never paid."""
        (request_id, _), *_ = self.requests(reference, *RequestState)
        payments.cancel_request(self.actor("authoriser"), request_id, reason=reason)

    def debt_of(self, reference: str) -> UUID:
        """The first debt of a grant."""
        found = select(Recovery.id).where(Recovery.grant_id == self._grant(reference).id).order_by(Recovery.number)
        return _known(db.session.scalars(found).first())

    # --- requests that are looked at before they are decided --------------------------------------------------------

    def examine(self, reference: str) -> None:
        """The initiator registers what a grant asks for, and the verifier goes through its list."""
        for request_id, _ in self.requests(reference, RequestState.SUBMITTED.value):
            payments.register(self.actor("initiator"), request_id)
            kind = PaymentKind(get(PaymentRequest, request_id).kind)
            payments.verify_request(self.actor("verifier"), request_id, evidence=tuple(EVIDENCE[kind]))

    def send_back(self, reference: str, words: str) -> None:
        """The initiator returns what is not complete."""
        payments.send_back(self.actor("initiator"), self._newest_request(reference), words=words)

    # --- what bounds and follows a payment ----------------------------------------------------------------------------

    def record_guarantee(self, reference: str) -> None:
        """The initiator records the guarantee of a bank over the whole grant."""
        grant_id, today = self._grant(reference).id, clock.in_zone(clock.now()).date()
        given = GuaranteeInput("Invented Savings Bank", get(Grant, grant_id).maximum, clock.add_months(today, 48))
        paper_of_bank = _scan("Financial guarantee", "We stand in for what is paid in advance.")
        payments.record_guarantee(self.actor("initiator"), grant_id, given, incoming=paper_of_bank)

    def state_use(self, reference: str, lead: str, percent: int, words: str) -> None:
        """The city states that it used so many per cent of its pre-financing by today, and asks for the additional one."""
        paid = additional_page(self.actor(lead), reference).ground.asking.paid
        given = UseInput(Money(paid.cents * percent // 100), clock.in_zone(clock.now()).date(), words)
        payments.ask_additional(self.actor(lead), self._grant(reference).id, given)

    def held_for(self, reference: str) -> dict[UUID, Money]:
        """What the coordinator of a grant holds for each partner."""
        page = reads.distribution_page(self.actor("authoriser"), reference)
        return {each.organisation_id: each.held for each in page.balances}

    def pass_on(self, reference: str, lead: str, organisation_id: UUID, amount: Money, transfer: str) -> UUID:
        """The coordinator says that it passed so much on today."""
        grant_id, today = self._grant(reference).id, clock.in_zone(clock.now()).date()
        given = PassedOnInput(organisation_id, amount, today, transfer)
        made = payments.report_passed_on(
            self.actor(lead), grant_id, given, _scan("Order of transfer", "It left today.")
        )
        return db.session.scalars(select(Distribution.id).where(Distribution.reference == made)).one()

    def confirm_passed_on(self, distribution_id: UUID, key: str) -> None:
        """The partner has it."""
        payments.confirm_passed_on(self.actor(key), distribution_id)

    def refuse_passed_on(self, distribution_id: UUID, key: str, reason: str) -> None:
        """The partner has it not."""
        payments.refuse_passed_on(self.actor(key), distribution_id, reason=reason)

    def withdraw_passed_on(self, distribution_id: UUID, lead: str) -> None:
        """The coordinator takes it back."""
        payments.withdraw_passed_on(self.actor(lead), distribution_id)

    def certificates(self, reference: str) -> list[UUID]:
        """The certificates of a grant, the coordinator's first."""
        grant = self._grant(reference)
        rows = select(FinancialCertificate).where(FinancialCertificate.grant_id == grant.id)
        found = list(db.session.scalars(rows.order_by(FinancialCertificate.number)))
        return [each.id for each in sorted(found, key=lambda each: each.organisation_id != grant.coordinator_id)]

    def bring_certificate(self, certificate_id: UUID, lead: str) -> None:
        """The city brings it."""
        given = CertificateInput("Audit Office (invented)", clock.in_zone(clock.now()).date() - timedelta(days=3))
        scan = _scan("Certificate on the financial statements", "What was declared agrees with the books.")
        payments.bring_certificate(self.actor(lead), certificate_id, given, incoming=scan)

    def accept_certificate(self, certificate_id: UUID) -> None:
        """The project officer accepts it."""
        payments.accept_certificate(self.actor("officer"), certificate_id)

    def do_without_certificate(self, certificate_id: UUID, words: str) -> None:
        """The project officer waits no longer for it."""
        payments.do_without_certificate(self.actor("officer"), certificate_id, words=words)

    # --- the ledger and what is kept beside it ----------------------------------------------------------------------

    def withdraw_reversal(self, proposal_id: UUID) -> None:
        """The accounting officer takes a proposal back."""
        payments.withdraw_reversal(self.actor("accountant"), proposal_id)

    def refuse_reversal(self, proposal_id: UUID, reason: str) -> None:
        """The authoriser refuses it."""
        payments.refuse_reversal(self.actor("authoriser"), proposal_id, reason=reason)

    def keep_forecast(self, note: str) -> None:
        """The initiator keeps the forecast as it stands."""
        payments.keep_forecast(self.actor("initiator"), note=note)

    def end_parent_grant(self, number: str, ends_on: date) -> None:
        """The programme manager enters when a parent grant ends; some of its grants outlast it."""
        source = programme_reads.fund_source_of(number)
        words = FundSourceWords(source.acronym, source.framework, ends_on=ends_on)
        programmes.describe(self.actor("manager"), source.id, words)

    def keep_records(self, reference: str, reason: str) -> None:
        """The programme manager keeps the records of a grant whatever their time."""
        payments.set_hold(self.actor("manager"), HoldInput(reference, reason))

    # --- rules of the circuit ---------------------------------------------------------------------------------------

    def propose_circuit(self, apart: frozenset[Pair], reason: str) -> None:
        """An administrator proposes who of the circuit may be one person."""
        payments.propose_circuit(self.actor("administrator"), apart, reason=reason)

    def decide_circuit(self, verb: RuleState, reason: str = "") -> None:
        """The circuit that waits is confirmed or refused by the other administrator, or withdrawn by the first."""
        waiting = reads.circuit_page(self.actor("second_administrator")).open
        assert waiting is not None, "a circuit waits"
        match verb:
            case RuleState.CONFIRMED:
                payments.confirm_circuit(self.actor("second_administrator"), waiting.id)
            case RuleState.REFUSED:
                payments.refuse_circuit(self.actor("second_administrator"), waiting.id, reason=reason)
            case _:
                payments.withdraw_circuit(self.actor("administrator"), waiting.id)

    def limit(self, key: str, per_order: Money, per_day: Money, reason: str) -> None:
        """Two administrators say how much somebody may authorise."""
        payments.propose_limit(
            self.actor("administrator"), self.ids[key], per_order=per_order, per_day=per_day, reason=reason
        )
        waiting = reads.limits_page(self.actor("second_administrator")).open[0]
        payments.confirm_limit(self.actor("second_administrator"), waiting.id)

    def stand_in(self, key: str, holder: str, role: Role, *, days: int, reason: str) -> None:
        """Two administrators let somebody stand in for somebody, in writing, from now on for so many days."""
        held = select(RoleGrant.id).where(RoleGrant.user_id == self.ids[holder], RoleGrant.role == role.value)
        role_id = _known(db.session.scalars(held).first())
        given = StandInInput(role_id, self.ids[key], clock.now(), clock.now() + timedelta(days=days), reason)
        made = people.appoint_stand_in(self.actor("administrator"), given, _scan("Appointment of a stand-in", reason))
        people.confirm_role(self.actor("second_administrator"), made)
        self.changed(key)

    # --- published rates --------------------------------------------------------------------------------------------

    def bring_rates(self, kind: RateKind, text: str) -> UUID:
        """The accounting officer brings a file of rates, which a job reads."""
        incoming = files.receive(
            FileStorage(io.BytesIO(text.encode()), filename="rates (invented).csv"), allowed={FileType.CSV}
        )
        return rates.bring_in(
            self.actor("accountant"), kind, incoming, source="Invented for the demo: no bank published these numbers"
        )

    def accept_rates(self, table_id: UUID) -> None:
        """The accounting officer lets it count."""
        rates.accept(self.actor("accountant"), table_id)

    def discard_rates(self, table_id: UUID, words: str) -> None:
        """The accounting officer leaves it aside."""
        rates.discard(self.actor("accountant"), table_id, words=words)


def _line(bank_reference: str) -> UUID:
    return db.session.scalars(select(BankLine.id).where(BankLine.bank_reference == bank_reference)).one()


def _claim(bank_reference: str) -> UUID:
    found = select(BankClaim.id).where(
        BankClaim.line_id == _line(bank_reference), BankClaim.state == ClaimState.PROPOSED.value
    )
    return db.session.scalars(found).one()


def _scan(title: str, words: str) -> Incoming:
    return files.receive(FileStorage(io.BytesIO(paper(title, words)), filename=f"{title}.pdf"))


def _known(found: Found | None) -> Found:
    assert found is not None, "what the story speaks of is there"
    return found
