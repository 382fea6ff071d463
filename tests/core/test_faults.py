"""Every guard fails closed: whatever goes wrong inside it, the act is refused, nothing is posted and nothing changes.

The scenes drive the acts from a call to a closed grant, and `Attack` raises an error inside each guard they pass. Guards
are found in the source, so the last test fails when a new one is never attacked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from grants.agreements import queries as agreements
from grants.agreements import services as agreeing
from grants.agreements.models import Accession, Grant
from grants.agreements.rules import (
    ContactInput,
    Extension,
    Findings,
    HoldInput,
    Scope,
    UploadedSigner,
    UploadInput,
    VerdictInput,
    text_hash,
)
from grants.agreements.states import ContactRole, HoldReason, OfferedPages, Side, UploadKind
from grants.applications import queries as applied
from grants.applications import services as applying
from grants.applications.models import Application, Clarification
from grants.applications.rules import (
    BatchPick,
    ClarificationInput,
    ConditionAnswer,
    DetailsInput,
    FollowInput,
    InviteInput,
    PersonInput,
)
from grants.applications.states import ApplicationState, Verdict
from grants.awards import services as awarding
from grants.awards.models import Complaint, Selection
from grants.awards.queries import ranking_page
from grants.awards.rules import DecisionInput as ListDecision
from grants.awards.states import Remedy
from grants.budgets import queries as budgets
from grants.budgets.rules import Cell
from grants.calls import services as calling
from grants.calls.models import Call
from grants.calls.rules import (
    BudgetInput,
    CallView,
    CorrigendumInput,
    DeadlineInput,
    ResultsInput,
    Sourced,
    from_json,
    to_json,
)
from grants.calls.rules.questions import AskInput, Wording
from grants.calls.states import CallStage, Confidence, RequestPath
from grants.core import clock, files
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.faults import POINTS
from grants.core.legal_holds import LegalHold
from grants.core.money import euros
from grants.core.paging import Page
from grants.core.permissions import Actor, Permission, system_actor
from grants.demo.preparing import Sides, meet_conditions
from grants.dossiers.rules import Answer
from grants.evaluation import services as evaluating
from grants.evaluation.models import Assignment, ConflictDeclaration, DetectedConflict, ScoreShift
from grants.evaluation.rules import ShiftInput
from grants.evaluation.states import Declared, DetectedKind, DetectedState, Ruling, ShiftState
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.models import RoleGrant
from grants.identity.policy import Role
from grants.identity.rules import RoleInput, ValidationInput
from grants.identity.rules.standing_in import StandInInput
from grants.identity.states import FactKind
from grants.payments import queries as paid_reads
from grants.payments import services as paying
from grants.payments.models import (
    Distribution,
    FinancialCertificate,
    OwnAccount,
    PaymentGuarantee,
    PaymentOrder,
    PaymentRequest,
    SentElsewhere,
)
from grants.payments.queries.bank_reach import is_open_line
from grants.payments.rules import DecisionInput, ReceiptInput
from grants.payments.rules.additional import UseInput
from grants.payments.rules.circuit import ALL_PAIRS
from grants.payments.rules.distribution import PassedOnInput
from grants.payments.rules.interest import InterestInput
from grants.payments.rules.late_interest import LateInterestInput, PublicRule
from grants.payments.rules.offsets import OffsetInput
from grants.payments.rules.outside import Fate
from grants.payments.rules.own_accounts import OwnAccountInput
from grants.payments.rules.pay_runs import FileInput, FileLayout
from grants.payments.rules.retaining import HoldInput as HeldInput
from grants.payments.rules.securing import CERTIFICATE_FILES, GUARANTEE_FILES, CertificateInput, GuaranteeInput
from grants.payments.rules.statements.claims import Claim
from grants.payments.states import Explained, Step, SuspensionReason
from grants.programmes.models import Programme
from grants.reporting import queries as reports
from grants.reporting import services as reporting
from grants.reporting.rules import Decision, Judged, MilestoneInput
from grants.reporting.rules.lines import Verdict as CostVerdict
from grants.reporting.services import lines as cost_lines
from tests import actors
from tests.agreements.accounts import called_back, document, enter
from tests.agreements.amending import NOW as AMENDED
from tests.agreements.amending import agreed, mayor
from tests.agreements.test_amendments import LONGER
from tests.agreements.test_amendments import sent as amendment_sent
from tests.agreements.test_amendments import signed as amendment_signed
from tests.agreements.test_amendments import text_hash as amendment_hash
from tests.awards.agreeing import power
from tests.awards.meeting import planned, seat_panel
from tests.awards.publishing import publish
from tests.awards.test_complaints import GIVEN, RULES, UPHOLD, rule
from tests.awards.test_letters import prepare
from tests.awards.test_settling import assessed_again
from tests.calls.scene import SMALL
from tests.core.attack import Attack, Site, sites
from tests.evaluation.conftest import scene, small_world
from tests.evaluation.scene import CLOSED, Scene, silent_chair
from tests.evaluation.test_pool import invite
from tests.factories import applications as factory
from tests.factories import identity as identity_factory
from tests.factories.applications import AFTER_CLOSING, WHILE_OPEN, again
from tests.html import check_page
from tests.payments import test_terminated as ending
from tests.payments import test_transfers as moving
from tests.payments.bank_statements import debit
from tests.payments.conftest import in_force
from tests.payments.test_bank_booking import PAID_ON, TOLD, brought, came, lines, owed, sent, statement
from tests.payments.test_bank_booking import paid as bank_paid
from tests.payments.test_came_back import named
from tests.payments.test_came_back import reported as bank_reported
from tests.payments.test_elsewhere import FILE, LINE, PROVER, lay
from tests.payments.test_interest import LATE, rates
from tests.payments.test_parts import with_costs
from tests.payments.test_reversals import raised
from tests.payments.world import (
    IN_FORCE,
    SEEN,
    World,
    agnes,
    asks_for,
    carried,
    forge,
    nothing_held,
    owed_back,
    recorded,
    world,
)
from tests.reporting import lines_world as costs
from tests.servers import Cluster
from tests.soak.killing import tables

__all__ = ["scene", "small_world"]

ALL = Attack()
DONE: set[str] = set()
NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)
PROGRAM_AT_NIGHT = system_actor("the program", (Permission.AGREEMENT_LAPSE,))
LONGER_STILL = Extension(date(2026, 3, 1))


@pytest.fixture
def attack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Attack]:
    with ALL.on(monkeypatch):
        yield ALL


# --- payments -------------------------------------------------------------------------------------------------------


def order_of(request_id: UUID, amount: int | None = None) -> UUID:
    return paying.prepare(actors.fin(), request_id, amount=None if amount is None else euros(amount)).id


def paid(order_id: UUID, amount: int, layout: FileLayout = FileLayout.XLSX) -> UUID:
    """The order on its way through the other hands."""
    paying.verify(actors.vera(), order_id, evidence=SEEN)
    paying.authorise(actors.otto(), order_id, evidence=SEEN)
    batch = paying.export(actors.carl(), (order_id,), control_total=euros(amount), layout=layout)
    paying.execute(actors.carl(), order_id, value_on=NOW.date())
    return batch.id


def built_and_void(request_id: UUID, amount: int) -> None:
    """A bank file of a new order over this amount, made and checked, then void; its order is cancelled."""
    order_id = order_of(request_id, amount)
    paying.verify(actors.vera(), order_id, evidence=SEEN)
    paying.authorise(actors.otto(), order_id, evidence=SEEN)
    account = db.session.scalars(select(OwnAccount.id)).one()
    built = paying.build(actors.carl(), (order_id,), FileInput(account, FileLayout.V09, NOW.date()))
    paying.make_batch_file(actors.carl(), built.id)
    paying.discard(actors.carl(), built.id, reason="Not today.")
    paying.cancel(actors.fin(), order_id, reason="Not needed.")


def entered_elsewhere(request_id: UUID, amount: int) -> None:
    """An order that left in a file this database does not know; two people say so, and it is recorded as sent by it."""
    order_id = order_of(request_id, amount)
    paying.verify(actors.vera(), order_id, evidence=SEEN)
    paying.authorise(actors.otto(), order_id, evidence=SEEN)
    asked = db.session.scalars(select(PaymentRequest.reference).where(PaymentRequest.id == request_id)).one()
    lay(replace(FILE, sent_at=NOW, lines=(replace(LINE, request=asked, cents=amount * 100),)))
    paying.compare(PROVER)
    sent_id = db.session.scalars(select(SentElsewhere.id)).one()
    paying.propose(actors.carl(), sent_id, Fate.SENT, reason="Statement 12.")
    paying.refuse(actors.otto(), sent_id, reason="Of another account.")
    paying.propose(actors.carl(), sent_id, Fate.SENT, reason="Statement 13.")
    paying.confirm(actors.otto(), sent_id)
    paying.enter_as_sent(actors.carl(), sent_id)
    paying.execute(actors.carl(), order_id, value_on=NOW.date())


def opened(found: World, number: int, accepted: int, *, final: bool = False) -> UUID:
    made = with_costs(found, number, {(found.city_id, "A"): euros(accepted)}, final=final)
    request = paying.open_for_report(actors.program(), made)
    assert request is not None
    return request.id


def set_off_across(recovery_id: UUID) -> None:
    """Part of a debt is set off against what another grant of the city pays."""
    other = world(2)
    request = paying.open_prefinancing(actors.program(), other.grant_id)
    assert request is not None
    paying.decide(actors.otto(), request.id, DecisionInput(euros(240_000)))
    paying.set_off(actors.carl(), OffsetInput(recovery_id, request.id, euros(500)))
    paying.cancel_request(actors.otto(), request.id, reason="It is not paid ahead any more.")


def owed_late(found: World) -> None:
    """What we paid late: interest is reckoned, refused, reckoned anew; by the rule on public bodies none is owed."""
    paid_by = select(PaymentOrder.request_id).where(PaymentOrder.state == "executed")
    request = db.session.scalars(
        select(PaymentRequest)
        .where(PaymentRequest.grant_id == found.grant_id, PaymentRequest.id.in_(paid_by))
        .order_by(PaymentRequest.number)
    ).first()
    assert request is not None, "something was paid"
    request_id = request.id
    with arranging():
        request.first_due_on = request.due_on = NOW.date() - timedelta(days=5)
    given = LateInterestInput(PublicRule.NONE_TO_PUBLIC)
    with clock.at(LATE):
        paying.book_late_interest(actors.fin(), request_id, given)
        paying.refuse_late_interest(actors.otto(), request_id, reason="Another margin.")
        paying.book_late_interest(actors.fin(), request_id, given)
        paying.confirm_late_interest(actors.otto(), request_id)


def with_interest(recovery_id: UUID) -> None:
    """Part of a debt comes late: its interest is reckoned, refused, reckoned anew, confirmed, and waived."""
    rates()
    with clock.at(LATE):
        paying.book_receipt(actors.carl(), recovery_id, ReceiptInput(euros(700), LATE.date(), "STMT-2"))
        paying.book_interest(actors.fin(), recovery_id, InterestInput())
        paying.refuse_interest(actors.otto(), recovery_id, reason="Another margin.")
        paying.book_interest(actors.fin(), recovery_id, InterestInput())
        paying.confirm_interest(actors.otto(), recovery_id)
        paying.waive_interest(actors.olga(), recovery_id, reason="Decision 14.", document=document())


def own_account_confirmed() -> None:
    """A second account of the programme, entered by one and confirmed by another."""
    programme_id = db.session.scalars(select(Programme.id)).one()
    typed = OwnAccountInput(programme_id, "Pilot Cities Programme", "DE89370400440532013000", "BE", "Brussels")
    reference = paying.enter_own_account(actors.fin(), typed)
    made = db.session.scalars(select(OwnAccount.id).where(OwnAccount.reference == reference)).one()
    paying.confirm_own_account(actors.carl(), made, evidence="Letter of the bank")


def agreed_by_two() -> None:
    """A circuit, a limit and a stand-in: withdrawn, refused, and then confirmed by another administrator."""
    ada, adam, otto = actors.ada(), actors.adam(), actors.otto().user_id
    assert otto is not None
    apart = ALL_PAIRS - {frozenset({Step.PREPARED, Step.VERIFIED})}
    for end in ("withdraw", "refuse", "confirm"):
        paying.propose_circuit(ada, apart, reason="We are few.")
        circuit = paid_reads.circuit_page(ada).open
        paying.propose_limit(ada, otto, per_order=euros(500_000), per_day=euros(2_000_000), reason="Delegated.")
        (limit,) = paid_reads.limits_page(ada).open
        assert circuit is not None
        if end == "withdraw":
            paying.withdraw_circuit(ada, circuit.id)
            paying.withdraw_limit(ada, limit.id)
        elif end == "refuse":
            paying.refuse_circuit(adam, circuit.id, reason="We are enough.")
            paying.refuse_limit(adam, limit.id, reason="Too high.")
        else:
            paying.confirm_circuit(adam, circuit.id)
            paying.confirm_limit(adam, limit.id)
    vera, pat = actors.vera().user_id, actors.person("Pat Standin")
    role = db.session.scalars(select(RoleGrant.id).where(RoleGrant.user_id == vera)).one()
    given = StandInInput(role, pat, NOW, NOW + timedelta(days=3), "Leave.")
    people.open_appointment(ada, people.appoint_stand_in(ada, given, document()))
    people.confirm_role(adam, db.session.scalars(select(RoleGrant.id).where(RoleGrant.user_id == pat)).one())


def test_an_amendment_is_refused_whatever_fails_inside_a_guard(app: Flask, attack: Attack) -> None:
    found = agreed()
    with clock.at(AMENDED):
        number = amendment_sent(found, LONGER)
        agreeing.open_amendment(actors.otto(), found.grant_id, number)
        spelled = amendment_hash(found, number)
        agreeing.accept_amendment(actors.otto(), found.grant_id, number, document_sha256=spelled)
        amendment_signed(found, number)
        number = amendment_sent(found, LONGER_STILL)
        agreeing.refuse_amendment(actors.otto(), found.grant_id, number, words="Too long.")
        number = amendment_sent(found, LONGER_STILL)
        spelled = amendment_hash(found, number)
        agreeing.accept_amendment(actors.otto(), found.grant_id, number, document_sha256=spelled)
        agreeing.take_back_amendment(actors.otto(), found.grant_id, number, reason="A mistake.")
        number = amendment_sent(found, LONGER_STILL, by=actors.pia)
        agreeing.decline_amendment(mayor(), found.grant_id, number, reason="No time.")
        number = amendment_sent(found, Scope("Schools too.", ""), letter=True)
        spelled = amendment_hash(found, number)
        agreeing.consent_to_letter(actors.otto(), found.grant_id, number, words="Yes.", document_sha256=spelled)
        number = amendment_sent(found, Scope("Halls too.", ""), by=actors.pia, letter=True)
        spelled = amendment_hash(found, number)
        agreeing.consent_to_letter_for_city(mayor(), found.grant_id, number, words="Yes.", document_sha256=spelled)
        number = amendment_sent(found, LONGER_STILL)
    with clock.at(AMENDED + timedelta(days=60)):
        agreeing.end_silent_amendment(PROGRAM_AT_NIGHT, found.grant_id, number)
    DONE.add("amendments")

    assert {"four_eyes", "conflict", "ceiling", "deadline", "scope", "audit"} <= attack.relied["amendment.accept"]
    # The last signature asks of the money once more.
    assert {"four_eyes", "conflict", "ceiling", "scope"} <= attack.relied["amendment.sign_programme"]
    assert {"four_eyes", "scope"} <= attack.relied["amendment.sign_city"]
    assert {"four_eyes", "conflict", "scope"} <= attack.relied["amendment.refuse"]
    assert {"four_eyes", "deadline", "scope"} <= attack.relied["amendment.decline"]


def secured_by_papers(found: World) -> None:
    """The agreement asks for a guarantee, which is recorded, and for certificates of who has so much."""
    with arranging():
        row = db.session.get_one(Grant, found.grant_id)
        row.guarantee_asked, row.certificate_from = True, euros(1)
        row.additional, row.additional_threshold = euros(10_000), 70
    given = GuaranteeInput("Bank of Northbridge", euros(250_000), NOW.date() + timedelta(days=365))
    paying.record_guarantee(actors.fin(), found.grant_id, given, incoming=document())


def more_in_advance(found: World, ana: Actor) -> None:
    """What was used of the pre-financing is stated, and more of it is approved; it is cancelled before it is paid."""
    used = UseInput(euros(200_000), NOW.date(), "Staff of both.")
    more = paying.ask_additional(ana, found.grant_id, used)
    paying.decide(actors.otto(), more.id, DecisionInput(euros(10_000)))
    paying.cancel_request(actors.otto(), more.id, reason="The council withdrew it.")


def certified(found: World) -> None:
    """Each certificate that is wanted: done without, brought all the same, returned, brought again and accepted."""
    given = CertificateInput("Audit Office of Northbridge", NOW.date())
    ana = actors.give(actors.ana().user_id, Role.APPLICATION_LEAD, "application", found.application_id)
    wanted = db.session.scalars(select(FinancialCertificate.id).order_by(FinancialCertificate.number)).all()
    assert wanted
    for certificate_id in wanted:
        paying.do_without_certificate(actors.pia(), certificate_id, words="None came.")
        paying.bring_certificate(ana, certificate_id, given, incoming=document())
        paying.return_certificate(actors.pia(), certificate_id, words="A page is missing.")
        paying.bring_certificate(ana, certificate_id, given, incoming=document())
        paying.open_certificate(actors.pia(), certificate_id, paper_of(CERTIFICATE_FILES, certificate_id))
        paying.accept_certificate(actors.pia(), certificate_id)


def paper_of(kind: str, object_id: UUID) -> str:
    """The hash of the newest paper of a thing."""
    return files.listed(kind, object_id)[-1].sha256


def test_a_payment_is_refused_whatever_fails_inside_a_guard(
    app: Flask, attack: Attack, postgres: Cluster, database: str
) -> None:
    with clock.at(NOW):
        found = world()
        agreed_by_two()
        prefinancing = paying.open_prefinancing(actors.program(), found.grant_id)
        assert prefinancing is not None
        ana = actors.give(actors.ana().user_id, Role.APPLICATION_LEAD, "application", found.application_id)
        asks_for(found, RequestPath.VERIFIED)
        paying.send_back(actors.fin(), prefinancing.id, words="The annex is missing.")
        paying.complete(ana, prefinancing.id, answer="It is here.")
        secured_by_papers(found)
        carried(prefinancing.id)
        paying.suspend(actors.fin(), prefinancing.id, reason=SuspensionReason.NOT_DUE, notice="Wait for the council.")
        paying.answer_suspension(ana, prefinancing.id, answer="The council agreed.")
        paying.lift(actors.otto(), prefinancing.id, reason="It did.")
        paying.decide(actors.otto(), prefinancing.id, DecisionInput(euros(240_000)))
        asks_for(found, RequestPath.DECIDED)
        held = HoldInput(None, HoldReason.BREACH, "The procurement was not open.", NOW.date())
        number = agreeing.hold(actors.otto(), found.grant_id, held, document())
        agreeing.lift_hold(actors.otto(), found.grant_id, number, words="It was mended.")
        order_id = order_of(prefinancing.id, 60_000)
        paying.change(actors.fin(), order_id, amount=euros(70_000), reason="More at once.")
        batch_id = paid(order_id, 70_000)
        paying.make_batch_file(actors.carl(), batch_id)
        paying.open_batch_file(actors.carl(), recorded(batch_id))
        built_and_void(prefinancing.id, 2_000)
        entered_elsewhere(prefinancing.id, 1_500)
        paying.cancel(actors.fin(), order_of(prefinancing.id, 1_000), reason="A mistake.")
        paid(order_of(prefinancing.id), 138_500, FileLayout.V09)
        more_in_advance(found, ana)

        interim = opened(found, 1, 100_000)
        paying.reject(actors.otto(), interim, reason="Invoices are missing.")
        asked = paying.ask_again(ana, interim, reply="They are here now.")
        paying.decide(actors.otto(), asked.id, DecisionInput(euros(40_000), "The rest is not eligible."))
        paid(order_of(asked.id), 40_000)

        balance = opened(found, 2, 60_000, final=True)
        certified(found)
        paying.decide(actors.otto(), balance, DecisionInput(euros(100_000)))
        recovery = owed_back(found.grant_id, date(2024, 9, 15), "It was told.")
        paying.cancel_recovery(actors.olga(), recovery.id, reason="A report was overlooked.")
        recovery = owed_back(found.grant_id, date(2024, 9, 15), "It was told.")
        set_off_across(recovery.id)
        # As of a balance that was decided before its parts were kept, and of a debt before its shares were.
        forge(
            postgres,
            database,
            f"DELETE FROM payment_request_part WHERE request_id = '{balance}'; DELETE FROM recovery_share",
        )
        receipt = ReceiptInput(euros(1_000), NOW.date(), "STMT-1")
        paying.book_receipt(actors.carl(), recovery.id, receipt)
        with_interest(recovery.id)
        owed_late(found)
        paying.waive(actors.olga(), recovery.id, reason="The council forgave it.", document=document())
        given = PassedOnInput(found.agency_id, euros(1_000), NOW.date(), "SEPA 77")
        paying.report_passed_on(ana, found.grant_id, given, document())
        reported = db.session.scalars(select(Distribution.id)).one()
        paying.confirm_passed_on(agnes(found), reported)
        nothing_held(found)
        guarantee_id = db.session.scalars(select(PaymentGuarantee.id)).one()
        paying.open_guarantee(actors.fin(), guarantee_id, paper_of(GUARANTEE_FILES, guarantee_id))
        paying.end_guarantee(actors.fin(), guarantee_id, reason="It was given back.")
        paying.close_grant(actors.otto(), found.grant_id, note="Everything was looked at.")

        wrong = raised(found)
        carl, why = actors.carl(), "It was typed twice."
        paying.withdraw_reversal(carl, paying.propose_reversal(carl, wrong, reason=why))
        paying.refuse_reversal(actors.otto(), paying.propose_reversal(carl, wrong, reason=why), reason="It was not.")
        paying.confirm_reversal(actors.otto(), paying.propose_reversal(carl, wrong, reason=why))
        own_account_confirmed()
    DONE.add("payments")

    assert {"ceiling", "conflict", "scope", "audit"} <= attack.relied["payment_order.prepare"]
    assert {"clock", "four_eyes", "scope"} <= attack.relied["payment_order.authorise"]
    assert {"clock", "four_eyes", "ceiling"} <= attack.relied["payment_request.decide"]
    assert {"clock", "conflict", "scope"} <= attack.relied["payment_request.suspend"]
    for verb in ("certificate.accept", "certificate.return", "certificate.do_without"):
        assert {"conflict", "four_eyes", "scope"} <= attack.relied[verb], verb
    assert {"conflict", "scope"} <= attack.relied["guarantee.record"] & attack.relied["guarantee.end"]
    assert {"four_eyes", "clock", "scope"} <= attack.relied["payment_file.build"]
    assert {"four_eyes", "clock", "ceiling", "file_rules", "scope"} <= attack.relied["payment_file.send"]
    assert {"conflict", "scope", "audit"} <= attack.relied["agreement.hold"] & attack.relied["agreement.lift_hold"]
    assert {"four_eyes", "scope"} <= attack.relied["sent_file.enter"]
    assert "four_eyes" in attack.relied["sent_file.confirm"] & attack.relied["sent_file.refuse"]
    assert {"four_eyes", "ceiling", "conflict", "scope"} <= attack.relied["ledger.confirm_reversal"]
    assert {"four_eyes", "scope"} <= attack.relied["ledger.refuse_reversal"]
    assert {"four_eyes", "scope"} <= attack.relied["own_account.confirm"]
    assert {"four_eyes", "ceiling", "clock", "scope"} <= attack.relied["payment_order.authorise"]
    assert "four_eyes" in attack.relied["payment_request.lift"]
    assert {"four_eyes", "clock", "conflict", "scope"} <= attack.relied["recovery.confirm"]
    assert {"four_eyes", "ceiling", "conflict", "scope"} <= attack.relied["recovery.set_off"]
    for verb in ("confirm_interest", "refuse_interest"):
        assert {"four_eyes", "conflict", "scope"} <= attack.relied[f"payment_request.{verb}"], verb
    assert {"ceiling", "conflict", "scope"} <= attack.relied["payment_request.cancel"]
    for verb in ("issue", "cancel", "waive", "confirm_interest", "refuse_interest", "waive_interest"):
        assert {"four_eyes", "conflict", "scope"} <= attack.relied[f"recovery.{verb}"], verb
    for verb in ("circuit.propose", "circuit.confirm", "circuit.refuse", "circuit.withdraw", "stand_in.appoint"):
        assert "four_eyes" in attack.relied[verb], verb
    for verb in ("limit.propose", "limit.confirm", "limit.refuse", "limit.withdraw"):
        assert "four_eyes" in attack.relied[verb], verb


def test_holds_and_costs_that_stand_twice_are_refused_whatever_fails_inside_a_guard(app: Flask, attack: Attack) -> None:
    with clock.at(IN_FORCE):
        first, second = world(), world(2)
    with clock.at(NOW):
        number = paying.set_hold(actors.otto(), HeldInput(first.reference, "The auditors look at it."))
        applying.remove_old_list_files(system_actor("the program", (Permission.APPLICATION_READ,)))
        hold_id = db.session.scalars(select(LegalHold.id).where(LegalHold.number == number)).one()
        paying.lift_legal_hold(actors.ingrid(), hold_id, reason="The audit is over.")
        same = {"invoice": "7", "supplier": "Print Ltd"}
        one, two = costs.report(first, 1), costs.report(second, 2)
        kept = cost_lines.add_evidence(costs.lead(first), one, document())
        cost_lines.open_evidence(costs.lead(first), one, kept.sha256[:16])
        costs.sent(first, one, costs.row(first, **same))
        costs.accept(first, one, euros(1_000))
        costs.sent(second, two, costs.row(second, **same))
        cost_lines.judge_line(actors.pia(), two, 1, CostVerdict.OVERRIDE, reason="Half of it each.")
        costs.accept(second, two, euros(1_000))
    DONE.add("costs")

    assert {"four_eyes", "conflict", "scope", "audit"} <= attack.relied["legal_hold.lift"]
    assert "legal_hold" in attack.relied["list_file.remove_old"]
    assert {"four_eyes", "scope"} <= attack.relied["report.judge_line"]
    assert {"double_funding", "ceiling", "four_eyes"} <= attack.relied["report.accept"]


def confirmed_line(explained: Explained, named: str) -> None:
    """What Carl says of the newest line that waits, refused once and then confirmed by Vera."""
    (*_, line) = [each for each in lines() if is_open_line(each)]
    given, line_id = Claim(explained, named, "The bank said so."), line.id
    with clock.at(TOLD):
        paying.refuse_claim(actors.vera(), paying.explain(actors.carl(), line_id, given), reason="Ask the bank again.")
        paying.withdraw_claim(actors.carl(), paying.explain(actors.carl(), line_id, given))
        paying.confirm_claim(actors.vera(), paying.explain(actors.carl(), line_id, given))


def test_what_the_bank_tells_is_refused_whatever_fails_inside_a_guard(app: Flask, attack: Attack) -> None:
    found = in_force()
    first = sent(found, euros(100_000))
    second = sent(found, euros(50_000), first.request_id)
    third = sent(found, euros(60_000), first.request_id)
    back = {"end_to_end_id": first.end_to_end_id, "return_reason": "MS03", "bank_reference": "B-3"}
    other = bank_paid(second, end_to_end_id="OTHER-1", bank_reference="B-2")
    brought(statement(bank_paid(first), other, came(100_000_00, **back)))
    confirmed_line(Explained.ORDER, second.reference)
    bank_reported(third, (named(third), "RJCT", "MS03"))
    with clock.at(TOLD):
        again = paying.reissue(actors.fin(), first.id).id
        paying.verify(actors.vera(), again, evidence=SEEN)
        paying.authorise(actors.otto(), again, evidence=SEEN)
        paying.export(actors.carl(), (again,), control_total=euros(100_000))
        paying.reject_by_bank(actors.carl(), again, reason="MS03", on=TOLD.date())
    with clock.at(IN_FORCE):
        other_grant = world(2)
    debt = owed(other_grant)
    brought(statement(came(10_000_00, bank_reference="B-5"), identifier="S-2", number="42", opening=euros(950_000)))
    confirmed_line(Explained.RECOVERY, debt.reference)
    above = came(50_000_01, bank_reference="B-6", remittance=debt.reference)
    repaid = debit(1, end_to_end_id="", bank_reference="B-7", booked_on=PAID_ON, value_on=PAID_ON)
    brought(statement(above, repaid, identifier="S-3", number="43", opening=euros(960_000)))
    confirmed_line(Explained.REPAID, debt.reference)
    DONE.add("bank")

    assert {"four_eyes", "matching", "scope"} <= attack.relied["bank_line.confirm"]
    assert {"matching", "conflict", "scope"} <= attack.relied["bank_line.book"]
    assert {"matching", "conflict"} <= attack.relied["bank_report.apply"]
    assert {"ceiling", "conflict", "scope"} <= attack.relied["payment_order.reissue"]


# --- terminations ----------------------------------------------------------------------------------------------------


def test_a_termination_is_refused_whatever_fails_inside_a_guard(app: Flask, attack: Attack) -> None:
    found = in_force()
    ending.owed(found)
    sid = ending.signatory(found)
    moving.with_budget(found)
    moving.move(found, 1_000, (found.agency_id, "A"), (found.city_id, "B"))
    with clock.at(ending.NOW):
        first = ending.proposed(found)
        agreeing.object_to_termination(sid, found.grant_id, first, words="Two people begin in May.")
        agreeing.withdraw_termination(actors.pia(), found.grant_id, first, words="They do.")
        second = ending.proposed(found)
    ending.confirmed(found, second)
    assert ending.ended(found)
    (final, _) = ending.report_rows(found)
    with clock.at(ending.AFTER):
        ending.written(final)
        reporting.submit(actors.ana(), final.id)
        reporting.give_back(actors.pia(), final.id, answer="Say more.")
    with clock.at(ending.LATE):
        reporting.settle_unsent(actors.pia(), final.id, answer="It did not come back.")
    DONE.add("terminations")

    assert {"ceiling", "clock", "scope"} <= attack.relied["budget.transfer"]
    assert {"conflict", "deadline", "four_eyes", "scope"} <= attack.relied["termination.confirm"]
    assert {"four_eyes", "deadline"} <= attack.relied["termination.object"]
    assert {"conflict", "scope", "audit"} <= attack.relied["termination.propose"]
    assert {"four_eyes", "deadline", "scope"} <= attack.relied["report.settle_unsent"]


# --- applications ---------------------------------------------------------------------------------------------------


def all_pass(call: CallView) -> tuple[ConditionAnswer, ...]:
    return tuple(ConditionAnswer(each.key, Verdict.PASS, "") for each in call.content.conditions)


def test_an_application_is_refused_whatever_fails_inside_a_guard(app: Flask, attack: Attack) -> None:
    call = factory.published_call()
    with clock.at(WHILE_OPEN):
        calling.authorise_budget(actors.otto(), call.id, BudgetInput(euros(1_000_000)))
        reference = factory.draft(call, actors.ana())
        application_id = factory.fill(reference, actors.ana())
        marek = actors.marek()
        applying.invite(
            again(actors.ana()), application_id,
            InviteInput("marek.nowak@example.eu", "Marek Nowak", next(iter(marek.organisation_ids))),
        )  # fmt: skip
        applying.accept_invitation(again(marek), application_id, *marek.organisation_ids)
        applying.submit(again(actors.ana()), application_id)
        asked_by_ana = calling.ask_question(again(actors.ana()), call.id, AskInput("May a region lead?"))
        concept = factory.fill(factory.draft(call, actors.sid(), "Cool Roofs"), actors.sid())
        applying.submit(again(actors.sid()), concept)
        carla = actors.person("Carla Colleague", organisation_name=actors.NORTHBRIDGE)
        asked = PersonInput("carla.colleague@example.eu", "Carla Colleague", Role.APPLICATION_EDITOR)
        applying.invite_person(again(actors.ana()), application_id, asked)
        applying.join(actors.actor(carla), application_id)
        applying.hand_over(again(actors.ana()), application_id, carla)
        moved = DeadlineInput(datetime(2022, 11, 15, 13), "The portal was down.", "One hour more for everybody.")
        calling.extend_deadline(actors.ingrid(), call.id, moved)
        calling.edit_copy(actors.ingrid(), call.id, "budget.expected_awards", "value: 31")
        calling.publish_corrigendum(
            actors.ingrid(), call.id, CorrigendumInput("A slip.", None, "Nothing new is asked.")
        )
        applying.move_to_version(actors.ingrid(), application_id)
        own = DeadlineInput(datetime(2022, 11, 15, 14), "An outage that is proven.", "One hour more for you.")
        applying.extend_for_one(actors.ingrid(), application_id, own)
    with clock.at(AFTER_CLOSING):
        applying.record_answers(actors.eli(), application_id, all_pass(call)[:2], 0)
        first, *rest = all_pass(call)
        asked = ClarificationInput("Which streets?", (first.condition,), (), None)
        applying.ask_clarification(actors.eli(), application_id, asked)
        question = db.session.scalars(select(Clarification.id)).one()
        applying.answer_clarification(actors.actor(carla), question, "The harbour.")
        applying.answer_condition(actors.eli(), application_id, first, 1)
        applying.declare(actors.eli(), application_id, (ConditionAnswer(first.condition, Verdict.FAIL, "No."), *rest))
        applying.return_refusal(actors.ella(), application_id, "Look again.")
        applying.declare(actors.eli(), application_id, (ConditionAnswer(first.condition, Verdict.FAIL, "No."), *rest))
        applying.confirm_refusal(actors.ella(), application_id)
        applying.send_letter(actors.ella(), application_id)
        drafted = calling.draft_answer(actors.ingrid(), call.id, (asked_by_ana,))
        calling.save_draft(actors.ingrid(), drafted.id, Wording("May a region lead?", "No."))
        led = select(RoleGrant.id).where(RoleGrant.user_id == carla, RoleGrant.role == Role.APPLICATION_LEAD.value)
        people.end_assigned_role(actors.ada(), db.session.scalars(led).one())
        sent = applied.view_by_id(concept).submission
        assert sent is not None
        applying.ask_batch(actors.eli(), call.id, (BatchPick(concept, sent.id),))
        applying.declare(actors.eli(), concept, all_pass(call))
        waiting = applied.letter(actors.eli(), applied.view_by_id(concept))
        applying.send_letters(actors.eli(), call.id, ((concept, waiting.text.sha256.hex()),))
        applying.send_letter(actors.eli(), concept)
        second = second_stage(call)
        applying.invite_concepts(actors.ingrid(), second, (concept,))
        applying.start_invited(again(actors.sid()), second, concept, FollowInput(DetailsInput("Cool Roofs, in full")))
    DONE.add("applications")

    for verb in (
        *("application.start", "application.submit", "call.extend_deadline", "application.declare"),
        *("call.edit_copy", "call.publish_corrigendum", "application.extend_deadline"),
    ):
        assert "deadline" in attack.relied[verb], verb
    assert "deadline" in attack.relied["application.answer_clarification"]
    assert "four_eyes" in attack.relied["application.declare"]
    assert "four_eyes" in attack.relied["application.confirm_refusal"]
    assert "four_eyes" in attack.relied["application.send_letter"]
    assert "ceiling" in attack.relied["call.authorise_budget"]


def second_stage(call: CallView) -> UUID:
    """An open call for full proposals that follows this one, which is made a call for concepts."""
    with arranging():
        row = db.session.get_one(Call, call.id)
        fields = from_json(row.content) | {"call.stage": Sourced(CallStage.CONCEPT, Confidence.STATED)}
        row.content = to_json(fields)
    said = {
        "invented: true": f"invented: true\n  stage: full_proposal\n  follows: {call.reference}",
        "2027-01-11": "2022-11-15",
        "2027-03-15": "2023-02-15",
    }
    text = SMALL
    for old, new in said.items():
        text = text.replace(old, new)
    made = calling.import_call(actors.ingrid(), text)
    calling.apply_template(actors.ingrid(), made.id)
    calling.publish(actors.ingrid(), made.id)
    return made.id


# --- evaluation, awards, agreements, reports ------------------------------------------------------------------------


def evaluated(scene: Scene) -> None:
    """Declared, ruled, assigned, scored, agreed, with a seat emptied and filled, a sheet and a consensus given back."""
    first = scene.application_ids[0]
    scene.declare_all(but={("eva1", first): Declared.UNSURE})
    declaration = db.session.scalars(
        select(ConflictDeclaration.id).where(ConflictDeclaration.declared == Declared.UNSURE.value)
    ).one()
    evaluating.rule(scene.actor("manager"), declaration, Ruling.CLEARED, "They only met once.")
    with arranging():
        db.session.add(
            DetectedConflict(
                user_id=scene.people["eva2"], application_id=first, organisation_id=None,
                kind=DetectedKind.SIMILAR_PERSON.value, evidence="Both are called Eva.",
                state=DetectedState.PROPOSED.value, found_at=clock.now(), decided_by=None, decided_at=None,
                decision_reason=None,
            )
        )  # fmt: skip
    evaluating.decide_detected(
        scene.actor("manager"), first, scene.people["eva2"], Ruling.CLEARED, "Another person of that name."
    )
    scene.assign()
    scene.release(scene.seats(first)[0], first, "Ill.")
    free = next(name for name in scene.evaluators if scene.evaluator_id(name) not in seats_ever(first))
    scene.give(free, first, "Knows heating.")
    sitting = scene.seats(first)[0]
    evaluating.save(scene.actor(sitting), first, scene.sheet(9, 8, 8))
    for application_id in scene.application_ids:
        scene.assess(application_id, 9, 8, 8)
    evaluating.write_consensus(scene.actor("chair"), first, scene.sheet(9, 8, 8, remark="We agree."))
    evaluating.propose(scene.actor("chair"), first, scene.sheet(9, 8, 8, remark="We agree."))
    evaluating.take_back(scene.actor("chair"), first)
    evaluating.propose(scene.actor("chair"), first, scene.sheet(9, 8, 8, remark="We agree."))
    for name in scene.seats(first)[:2]:
        evaluating.agree(scene.actor(name), first)
    evaluating.settle(scene.actor("chair"), first, "", unheard="On leave.")
    for application_id in scene.application_ids[1:]:
        scene.agree(application_id, 8, 8, 8)


def moved(scene: Scene) -> None:
    """The panel may move scores of the call; one move is returned, the next one confirmed."""
    first = scene.application_ids[0]
    with arranging():
        row = get(Call, scene.call_id)
        scoring = {"value": {"board_shift_half": 60}, "confidence": "stated", "source": None, "note": None}
        row.content = {**row.content, "fields": {**row.content["fields"], "evaluation.scoring": scoring}}
    evaluating.propose_shift(scene.actor("chair"), first, ShiftInput(2, "It serves two islands."))
    evaluating.return_shift(scene.actor("officer"), waiting_shift(), "One of them is no island.")
    evaluating.propose_shift(scene.actor("chair"), first, ShiftInput(1, "It serves an island."))
    evaluating.confirm_shift(scene.actor("officer"), waiting_shift())


def waiting_shift() -> UUID:
    db.session.rollback()
    return db.session.scalars(select(ScoreShift.id).where(ScoreShift.state == ShiftState.PROPOSED.value)).one()


def seats_ever(application_id: UUID) -> set[UUID]:
    return set(db.session.scalars(select(Assignment.evaluator_id).where(Assignment.application_id == application_id)))


def listed(scene: Scene) -> UUID:
    shown = ranking_page(scene.actor("manager"), scene.slug)
    awarding.decide(
        scene.actor("manager"), scene.call_id, ListDecision(shown.list_hash, "The panel followed the list.")
    )
    found = db.session.scalars(select(Selection.id).order_by(Selection.number.desc())).first()
    assert found is not None
    return found


def complained(scene: Scene) -> None:
    """Two complaints, each upheld by two: the evaluation is repeated and settled, then its outcome corrected with its money."""
    application_id = db.session.scalars(select(Application.id).where(Application.state == "reserve")).first()
    assert application_id is not None
    number = scene.application_ids.index(application_id)
    with arranging():
        officers = [identity_factory.user(f"Officer {name}", Role.PROJECT_OFFICER).id for name in "ABCD"]
    calling.authorise_budget(scene.actor("officer"), scene.call_id, BudgetInput(euros(1_200_000)))
    one, other, made = upheld(scene, number, (officers[0], officers[1]), Remedy.REPEAT)
    assessed_again(scene, 4, number)
    awarding.settling.propose_outcome(one, made)
    awarding.settling.settle(other, made)
    upheld(scene, number, (officers[2], officers[3]), Remedy.CORRECT)


def upheld(scene: Scene, number: int, two: tuple[UUID, UUID], remedy: Remedy) -> tuple[Actor, Actor, UUID]:
    lead = identity.actor_for(scene.leads[number], fresh=True)
    awarding.complaints.save(lead, scene.application_ids[number], GIVEN)
    made = db.session.scalars(select(Complaint.id).where(Complaint.state == "draft")).one()
    awarding.complaints.send(lead, made)
    one, other = (identity.actor_for(user_id, fresh=True) for user_id in two)
    awarding.reviewing.admit(one, made)
    awarding.reviewing.name_committee(one, made, two)
    awarding.reviewing.propose(one, made, replace(UPHOLD, remedy=remedy))
    awarding.reviewing.decide(other, made)
    return one, other, made


def signed(scene: Scene) -> tuple[UUID, Actor]:
    """The grant of the first application, from its preparation to both signatures; and who leads it for the city."""
    application_id, lead_id = scene.application_ids[0], scene.leads[0]
    officer, carl = actors.pia(), actors.carl()
    made = agreeing.prepare(officer, application_id, starts_on=date(2023, 6, 1))
    organisation = agreements.grant(officer, made.reference).coordinator_id
    with arranging():
        mayor_id = identity_factory.user("Maya Mayor", organisation_id=organisation).id
    agreeing.appoint(officer, made.id, ContactInput("Maya Mayor", "maya.mayor@example.eu", ContactRole.SIGNATORY))
    lead = identity.actor_for(lead_id, fresh=True)
    enter(lead, made.id, "GR1601101250000000012300695")
    proposed = agreements.proposed_account(organisation)
    assert proposed is not None
    agreeing.confirm_account(carl, made.id, proposed.id, called_back())
    meet_conditions(made.id, Sides(lambda: identity.actor_for(lead_id, fresh=True), actors.pia, actors.ingrid))
    words = text_hash(agreements.text_of(agreements.grant(officer, made.reference)))
    agreeing.offer(officer, made.id, document_sha256=words)
    mayor = identity.actor_for(mayor_id, fresh=True)
    signed_on_paper(made.id, mayor)
    agreeing.take_back(officer, made.id, offer_no=1, reason="It is signed here instead.")
    agreeing.offer(officer, made.id, document_sha256=words)
    agreeing.sign_city(mayor, made.id, capacity="Mayor", document_sha256=words)
    agreeing.sign_programme(actors.greta(), made.id, capacity="Director", document_sha256=words)
    return made.id, identity.actor_for(lead_id, fresh=True)


def signed_on_paper(grant_id: UUID, mayor: Actor) -> None:
    """A scan of either side: that of the city is accepted, the other refused."""
    signatory = actors.greta()
    today = clock.in_zone(clock.now()).date()

    def scan(actor: Actor) -> UploadInput:
        assert actor.user_id is not None
        return UploadInput(UploadKind.SCAN, (UploadedSigner(actor.user_id, "", "Mayor", today),), "Archive, room 12")

    reader = system_actor("the program", (Permission.AGREEMENT_READ,))
    agreeing.upload_signed_city(mayor, grant_id, scan(mayor), document())
    agreeing.upload_signed(actors.ingrid(), grant_id, Side.PROGRAMME, scan(signatory), document())
    for each in agreements.signed_uploads(grant_id):
        agreeing.note_signatures(reader, each.id, Findings((), OfferedPages.OTHER))
    agreeing.accept_signed(actors.pia(), grant_id, 1, words="Compared by eye.")
    agreeing.refuse_signed_upload(actors.pia(), grant_id, 2, words="A page is missing.")


def signed_form(grant_id: UUID, partner_id: UUID, petra: Actor) -> None:
    """A scan of the form of a partner is uploaded, withdrawn, uploaded anew and refused."""
    assert petra.user_id is not None
    today = clock.in_zone(clock.now()).date()
    scan = UploadInput(UploadKind.SCAN, (UploadedSigner(petra.user_id, "", "Mayor", today),), "Archive, room 12")
    agreeing.upload_accession(petra, grant_id, partner_id, scan, document())
    number = agreements.signed_uploads(grant_id)[-1].number
    agreeing.withdraw_signed(petra, grant_id, number, words="The wrong day.")
    agreeing.record_accession(actors.ingrid(), grant_id, partner_id, scan, document())
    agreeing.refuse_signed_upload(actors.pia(), grant_id, number + 1, words="A page is missing.")


def acceded(grant_id: UUID) -> None:
    """A partner that was asked to accede does so."""
    with arranging():
        partner = identity_factory.organisation("A partner that accedes")
        person = identity_factory.user("Petra Partner", organisation_id=partner.id)
        grant = get(Grant, grant_id)
        identity_factory.role(person.id, Role.APPLICATION_PARTNER, kind="application", object_id=grant.application_id)
        today = clock.in_zone(clock.now()).date()
        db.session.add(Accession(grant_id=grant_id, organisation_id=partner.id, opened_version=1, due_on=today))
        partner_id, person_id, reference = partner.id, person.id, grant.reference
    petra = identity.actor_for(person_id, fresh=True)
    given = power((person_id, "Petra Partner"), organisation_id=partner_id)
    number = agreeing.state_power(petra, grant_id, given, document())
    agreeing.accept_power(actors.pia(), grant_id, VerdictInput(given.key, partner_id, number))
    signed_form(grant_id, partner_id, petra)
    words = agreements.grant(actors.pia(), reference).versions[-1].sha256
    agreeing.accede(petra, grant_id, partner_id, capacity="Mayor", document_sha256=words)


def lapsed(scene: Scene) -> None:
    """The preparation of another award, whose last day passes."""
    selected = select(Application.id).where(
        Application.state == ApplicationState.SELECTED.value, Application.id != scene.application_ids[0]
    )
    application_id = db.session.scalars(selected.order_by(Application.reference)).first()
    assert application_id is not None
    made = agreeing.prepare(actors.pia(), application_id, starts_on=date(2023, 6, 1))
    today = clock.in_zone(clock.now()).date()
    agreeing.set_end(actors.pia(), made.id, today, reason="The council meets tonight.")
    with clock.at(clock.end_of_day(today) + timedelta(hours=1)):
        assert agreeing.lapse(system_actor("the program", (Permission.AGREEMENT_LAPSE,)), made.id)


def reported(grant_id: UUID, lead: Actor) -> None:
    """A milestone and a report, sent by the city and accepted by the officer."""
    officer = actors.pia()
    reporting.open_reports(actors.greta(), grant_id)
    found = next(each for each in agreements.grants(officer, Page()).items if each.id == grant_id)
    shown = agreements.grant(officer, found.reference)
    reporting.report_milestone(lead, shown.milestones[0].id, MilestoneInput(date(2023, 6, 2), "Seen by everybody."))
    reporting.return_milestone(officer, shown.milestones[0].id, answer="Say where.")
    reporting.report_milestone(lead, shown.milestones[0].id, MilestoneInput(date(2023, 6, 2), "Seen at the harbour."))
    reporting.accept_milestone(officer, shown.milestones[0].id, answer="Thanks.")
    (first, *_) = reports.of_grant(officer, grant_id)
    for section, keys in (("work", ("progress", "deviations")), ("learning", ("lessons",))):
        reporting.write_section(lead, first.id, section, tuple(Answer(key, "We did it.") for key in keys))
    cells = tuple(Cell(each.organisation_id, "A", euros(10_000)) for each in shown.beneficiaries)
    reporting.enter_costs(lead, first.id, cells)
    with clock.at(datetime.combine(first.ends_before, time(9), UTC) + timedelta(days=5)):
        reporting.submit(lead, first.id)
        declared = budgets.written(first.budget_id).cells
        judged = tuple(Judged(each.organisation_id, each.category, each.amount, each.amount) for each in declared)
        reporting.accept(officer, first.id, Decision(judged, "Accepted."))


def test_an_award_and_its_grant_are_refused_whatever_fails_inside_a_guard(scene: Scene, attack: Attack) -> None:
    invite(scene)
    evaluated(scene)
    seat_panel(scene)
    meeting = planned(scene)
    meeting.open_first()
    meeting.does("chair", "propose", "Recommend it for funding")
    moved(scene)
    awarding.return_list(scene.actor("chair"), listed(scene), "Look at the third again.")
    awarding.confirm(scene.actor("chair"), listed(scene))
    rule(scene, RULES)
    awarding.letters.confirm_mailing(scene.actor("officer"), prepare(scene))
    publish(scene, ResultsInput())
    complained(scene)
    with clock.at(datetime(2023, 6, 5, 9, tzinfo=UTC)):
        grant_id, lead = signed(scene)
        reported(grant_id, lead)
        acceded(grant_id)
        lapsed(scene)
    DONE.add("awards")

    assert "conflict" in attack.relied["assessment.submit"]
    assert "four_eyes" in attack.relied["evaluator.invite"]
    assert "four_eyes" in attack.relied["letter_mailing.confirm"]
    assert "deadline" in attack.relied["complaint.send"]
    assert "deadline" in attack.relied["agreement.lapse"]
    assert {"ceiling", "four_eyes"} <= attack.relied["complaint.decide"]
    assert "four_eyes" in attack.relied["complaint.settle"]
    for verb in ("selection.decide", "selection.confirm"):
        assert {"ceiling", "conflict", "scope"} <= attack.relied[verb], verb
    for verb in (
        "score_shift.confirm",
        "selection.confirm",
        "agreement.sign_city",
        "agreement.accept_signed",
        "agreement.accede",
        "bank_account.confirm",
        "report.accept",
    ):
        assert "four_eyes" in attack.relied[verb], verb


# --- roles ----------------------------------------------------------------------------------------------------------


def test_a_role_is_refused_whatever_fails_inside_a_guard(app: Flask, attack: Attack) -> None:
    noa = actors.nobody()
    given = people.assign_role(actors.ada(), noa.user_id, RoleInput(Role.AUTHORISING_OFFICER))
    people.confirm_role(actors.adam(), given)
    people.disable_user(actors.ada(), noa.user_id, reason="Left.")
    people.enable_user(actors.ada(), noa.user_id)
    DONE.add("roles")

    assert "four_eyes" in attack.relied["role.confirm"]


# --- the register of organisations, and a lead who is gone ----------------------------------------------------------


def test_a_validation_and_a_takeover_are_refused_whatever_fails_inside_a_guard(app: Flask, attack: Attack) -> None:
    call = factory.published_call()
    with clock.at(WHILE_OPEN):
        ana, marek = actors.ana(), actors.marek()
        (north,) = ana.organisation_ids
        seen = ValidationInput("The register", WHILE_OPEN.date())
        people.validate_fact(actors.pia(), north, FactKind.LEGAL_NAME, actors.NORTHBRIDGE, seen)
        reference = factory.draft(call, ana)
        application_id = applied.id_of(again(ana), reference)
        applying.invite(
            again(ana), application_id, InviteInput("marek.nowak@example.eu", "Marek Nowak", *marek.organisation_ids)
        )
        applying.accept_invitation(again(marek), application_id, *marek.organisation_ids)
        follows = actors.person("Carla Colleague", Role.APPLICANT, organisation_name=actors.NORTHBRIDGE)
        assert ana.user_id is not None
        people.disable_user(actors.ada(), ana.user_id, reason="Left.")
        asked = applying.ask_takeover(again(marek), application_id, follows, "Ana left.")
        applying.confirm_takeover(actors.ingrid(), asked)
    DONE.add("registers")

    assert "four_eyes" in attack.relied["organisation.validate"]
    assert "four_eyes" in attack.relied["application.confirm_takeover"]


# --- over the web ---------------------------------------------------------------------------------------------------

SORRY = "Something went wrong on our side"
LINK = re.compile(r'href="(/[^"#?]*)')


def is_refused(answer: TestResponse) -> bool:
    """A page in words that says that nothing happened."""
    return answer.status_code == 500 and SORRY in answer.text


def test_a_form_meets_a_page_in_words_and_its_key_is_not_used_up(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(NOW):
        found = world()
        asked = paying.open_prefinancing(actors.program(), found.grant_id)
        assert asked is not None
        paying.decide(actors.otto(), asked.id, DecisionInput(euros(240_000)))
        order = paying.prepare(actors.fin(), asked.id)
        paying.verify(actors.vera(), order.id, evidence=SEEN)
        paying.authorise(actors.otto(), order.id, evidence=SEEN)
        carl = actors.client_of(app, actors.carl())
        day = {"execution_on": "2030-05-02", "layout": "pain.001.001.09"}
        form = {"orders": order.reference, **day, "act_key": "k" * 32}
        before = tables()

        for name in ("audit", "clock", "conflict", "four_eyes", "scope"):
            with monkeypatch.context() as patch:
                patch.setenv("GRANTS_FAULT", name)
                answer = carl.post("/finance/batches/new", data=form)
            assert is_refused(answer), (name, answer.status_code)
            check_page(answer)
            assert tables() == before, name

        assert carl.post("/finance/batches/new", data=form).status_code == 303
    assert tables() != before


@dataclass
class Reader:
    """Somebody who follows every link from the home page, twice to each kind of page."""

    app: Flask
    client: FlaskClient
    _followed: Counter[str] = field(default_factory=Counter)

    def showing(self, words: tuple[str, ...]) -> Iterator[tuple[str, set[Site]]]:
        """Addresses of pages that show one of these words, and the guards passed on the way to each."""
        waiting = ["/home"]
        for path in waiting:
            with ALL.passed() as guards:
                answer = self.client.get(path)
            if answer.status_code != 200 or "html" not in answer.content_type:
                continue
            if any(word in answer.text for word in words):
                yield path, guards
            waiting += [link for link in sorted(set(LINK.findall(answer.text))) if self._wants(link)]

    def _wants(self, link: str) -> bool:
        try:
            endpoint, _ = self.app.url_map.bind("localhost").match(link, method="GET")
        except HTTPException:
            return False
        self._followed[link] += 1
        self._followed[endpoint] += self._followed[link] == 1
        return endpoint != "static" and self._followed[link] == 1 and self._followed[endpoint] <= 2


def test_no_page_shows_an_application_when_its_guard_fails(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.evaluate(((9, 8, 8), (8, 8, 8), (8, 8, 9)))
    listed(scene)
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy of the application
    words = ("Cool Courtyards", "Ferry to Zero", "Roof by Roof", *scene.references)
    # Who manages and judges at once, and did not declare about one of them.
    both = silent_chair(scene, scene.application_ids[0])
    with arranging():
        identity_factory.role(scene.people[both], Role.PROGRAMME_MANAGER)
    opened = set()
    with clock.at(CLOSED + timedelta(minutes=5)), ALL.on(monkeypatch):
        for name in ("manager", "chair", "eva1", both):
            reader = Reader(app, actors.sign_in(app.test_client(), scene.people[name]))
            for path, guards in list(reader.showing(words)):
                opened.add(path)
                assert not_refused(reader, path, guards) == [], f"{path} as {name}"
    assert len(opened) >= 12, sorted(opened)
    DONE.add("pages")


def not_refused(reader: Reader, path: str, guards: set[Site]) -> list[str]:
    """Faults with which a page opens all the same."""
    let_through = []
    for fault in ("conflict", "scope"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GRANTS_FAULT", fault)
            let_through += [fault] if not is_refused(reader.client.get(path)) else []
    for site in sorted(guards - ALL.attacked):
        with ALL.error_at(site, "transaction"):
            let_through += [str(site)] if not is_refused(reader.client.get(path)) else []
    return let_through


def test_every_guard_of_the_program_was_attacked() -> None:
    every = {
        "amendments",
        "payments",
        "bank",
        "costs",
        "terminations",
        "applications",
        "awards",
        "roles",
        "registers",
        "pages",
    }
    if every - DONE:
        pytest.skip("the scenes before this one did not all run")

    known = sites()
    assert sorted({known[site] for site in ALL.attacked}) == sorted(POINTS)
    missed = sorted(f"{file}:{line} {known[file, line]}" for file, line in set(known) - ALL.attacked)
    assert missed == [], missed
