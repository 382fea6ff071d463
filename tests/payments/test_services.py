"""Payments on a real PostgreSQL: from the signed schedule to the bank's value date, every guard closed, every cent posted."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError

from grants.agreements import services as agreeing
from grants.agreements.models import BankAccount, Grant
from grants.agreements.states import BankAccountState, GrantState, PaymentKind
from grants.applications.models import Application
from grants.calls.models import Call
from grants.core import clock, files
from grants.core.acts import arranging, once
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NeedsFreshSignIn, NotAllowed, NotFound, Refused
from grants.core.faults import Fault
from grants.core.money import ZERO, Money, euros
from grants.core.paging import Page
from grants.evaluation import services as evaluation
from grants.identity import queries as identity
from grants.identity.models import AccessBar
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.payments import queries, services
from grants.payments.models import OwnAccount, PaymentBatch, PaymentOrder, PaymentOrderSignature, PaymentRequest
from grants.payments.rules import DecisionInput, RecoveryInput
from grants.payments.rules.pay_runs import FileInput, FileLayout
from grants.payments.states import OrderState, RequestState, Step
from grants.programmes.models import Programme
from tests import actors
from tests.agreements.accounts import called_back
from tests.payments.world import (
    IBAN,
    SEEN,
    World,
    carried,
    end_account,
    forge,
    nothing_held,
    recorded,
    replace_account,
    report,
)
from tests.servers import Cluster

pytestmark = pytest.mark.usefixtures("app")

NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)


def opened(grant: World) -> UUID:
    found = services.open_prefinancing(actors.program(), grant.grant_id)
    assert found is not None
    return found.id


def decided(grant: World, approved: Money | None = None) -> UUID:
    request_id = carried(opened(grant))
    services.decide(actors.otto(), request_id, DecisionInput(approved or euros(240_000), "As agreed."))
    return request_id


def authorised(request_id: UUID, amount: Money | None = None) -> UUID:
    order_id = services.prepare(actors.fin(), request_id, amount=amount).id
    services.verify(actors.vera(), order_id, evidence=SEEN)
    services.authorise(actors.otto(), order_id, evidence=SEEN)
    return order_id


def pay(request_id: UUID) -> UUID:
    order_id = authorised(request_id)
    services.export(actors.carl(), (order_id,), control_total=get(PaymentOrder, order_id).amount)
    services.execute(actors.carl(), order_id, value_on=clock.in_zone(clock.now()).date())
    return order_id


def request(request_id: UUID) -> PaymentRequest:
    db.session.rollback()
    return get(PaymentRequest, request_id)


def order(order_id: UUID) -> PaymentOrder:
    db.session.rollback()
    return get(PaymentOrder, order_id)


def balance(grant: World, account: Account) -> Money:
    return books.balance(account, grant_id=grant.grant_id)


# --- Requests


def test_the_signed_schedule_opens_the_request_once(grant: World) -> None:
    found = request(opened(grant))

    assert (found.reference, found.kind, found.requested, found.due_on) == (
        "PCP-2022-G-0001-1",
        PaymentKind.PREFINANCING.value,
        euros(240_000),
        date(2023, 6, 1),
    )
    assert services.open_prefinancing(actors.program(), grant.grant_id) is None


def test_nothing_is_requested_before_signature(grant: World) -> None:
    with arranging():
        get(Grant, grant.grant_id).state = GrantState.READY_TO_SIGN.value

    with pytest.raises(Refused, match="agreement in force"):
        services.open_prefinancing(actors.program(), grant.grant_id)


def test_the_decision_posts_pre_financing_and_its_retention(grant: World) -> None:
    found = request(decided(grant))

    assert (found.state, found.payable, found.retained) == ("approved", euros(210_000), euros(30_000))
    assert balance(grant, Account.PREFINANCING) == euros(240_000)
    assert balance(grant, Account.PAYABLE) == euros(210_000)
    assert balance(grant, Account.RETENTION) == euros(30_000)
    assert books.verify() == ()


def test_a_decided_request_is_not_decided_again(grant: World) -> None:
    request_id = decided(grant)

    with pytest.raises(Refused, match="is approved; it cannot approve now"):
        services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    with pytest.raises(Refused):
        services.reject(actors.otto(), request_id, reason="Too late")


def test_a_double_click_decides_once(grant: World) -> None:
    request_id = opened(grant)
    with once("key"):
        first = services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    with once("key"):
        again = services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))

    assert first == again
    with once("key"), pytest.raises(Conflict):
        services.decide(actors.otto(), request_id, DecisionInput(euros(1), "less"))


@pytest.mark.parametrize(
    ("approved", "reason", "words"),
    [
        (euros(240_001), "", "More was approved than requested"),
        (ZERO, "x", "Nothing was approved"),
        (euros(-1), "x", "Nothing was approved"),
        (euros(100_000), " ", "The reason is missing"),
    ],
)
def test_a_decision_that_cannot_stand_is_refused(grant: World, approved: Money, reason: str, words: str) -> None:
    request_id = opened(grant)

    with pytest.raises(Invalid, match=words):
        services.decide(actors.otto(), request_id, DecisionInput(approved, reason))
    assert request(request_id).state == RequestState.SUBMITTED.value


def test_a_stale_page_does_not_decide(grant: World) -> None:
    request_id = opened(grant)

    with pytest.raises(Conflict):
        services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)), version=7)


def test_a_rejected_request_posts_nothing_and_can_be_asked_for_again(grant: World) -> None:
    request_id = opened(grant)
    with pytest.raises(Invalid):
        services.reject(actors.otto(), request_id, reason="")
    services.reject(actors.otto(), request_id, reason="The guarantee is missing.")

    assert balance(grant, Account.PREFINANCING) == ZERO
    assert services.open_prefinancing(actors.program(), grant.grant_id) is None
    again = services.ask_again(actors.ana(), request_id, reply="Here is the guarantee.")
    assert request(again.id).requested == euros(240_000)


def interim(grant: World, number: int, accepted: Money) -> PaymentRequest:
    opened_request = services.open_for_report(actors.program(), report(grant, number, accepted))
    assert opened_request is not None
    services.decide(actors.otto(), opened_request.id, DecisionInput(accepted))
    return request(opened_request.id)


def test_an_interim_payment_is_cut_to_the_ceiling_and_the_rest_shown(grant: World) -> None:
    pay(decided(grant))

    found = interim(grant, 1, euros(350_000))

    assert (found.approved, found.payable, found.cleared, found.deferred) == (
        euros(350_000),
        euros(300_000),
        euros(50_000),
        ZERO,
    )
    assert found.due_on == date(2024, 9, 29)
    assert balance(grant, Account.GRANT_COSTS) == euros(350_000)
    assert books.of(grant_id=grant.grant_id).counted_to_ceiling == euros(540_000)


def test_what_neither_ceiling_nor_pre_financing_takes_waits_for_the_balance(grant: World) -> None:
    pay(decided(grant))
    interim(grant, 1, euros(350_000))

    found = interim(grant, 2, euros(240_000))

    assert (found.state, found.payable, found.cleared, found.deferred) == (
        "cleared",
        ZERO,
        euros(190_000),
        euros(50_000),
    )
    assert books.verify() == ()


def test_a_report_opens_one_request_and_only_when_accepted(grant: World) -> None:
    report_id = report(grant, 1, euros(10))
    services.open_for_report(actors.program(), report_id)

    assert services.open_for_report(actors.program(), report_id) is None


@pytest.mark.parametrize(
    ("accepted", "payable", "recoverable"),
    [(210_000, 50_000, 0), (150_000, 0, 10_000), (250_000, 90_000, 0), (0, 0, 160_000)],
)
def test_the_balance_settles_the_grant(grant: World, accepted: int, payable: int, recoverable: int) -> None:
    pay(decided(grant))
    pay(interim(grant, 1, euros(350_000)).id)
    final = services.open_for_report(actors.program(), report(grant, 2, euros(accepted), final=True))
    assert final is not None

    services.decide(actors.otto(), final.id, DecisionInput(euros(350_000 + accepted)))

    found = request(final.id)
    assert (found.payable, found.recoverable) == (euros(payable), euros(recoverable))
    assert get(Grant, grant.grant_id).final_amount == euros(350_000 + accepted)
    if payable:
        pay(final.id)
        assert books.balance(Account.CONSUMED, grant_id=grant.grant_id) == euros(350_000 + accepted)
        assert balance(grant, Account.PREFINANCING) == ZERO
    assert balance(grant, Account.PREFINANCING) == euros(recoverable)
    assert (books.verify(), queries.verify()) == ((), ())


def test_the_balance_waits_for_earlier_requests(grant: World) -> None:
    opened(grant)
    final = services.open_for_report(actors.program(), report(grant, 2, euros(100), final=True))
    assert final is not None

    with pytest.raises(Refused, match="Decide PCP-2022-G-0001-1 first"):
        services.decide(actors.otto(), final.id, DecisionInput(euros(100)))


# --- The circuit


def test_four_people_take_an_order_to_the_bank(grant: World) -> None:
    with clock.at(NOW):
        request_id = decided(grant)
        order_id = authorised(request_id)
        sent = services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    in_transit = balance(grant, Account.IN_TRANSIT)
    with clock.at(NOW + timedelta(days=2)):
        services.execute(actors.carl(), order_id, value_on=date(2024, 8, 2))

    found = order(order_id)
    assert (sent.orders, in_transit) == (1, euros(210_000))
    assert (found.state, found.value_on) == (OrderState.EXECUTED.value, date(2024, 8, 2))
    assert request(request_id).state == RequestState.PAID.value
    assert balance(grant, Account.BANK) == euros(-210_000)
    assert books.partners_consumed(grant.grant_id) == tuple(
        sorted([(grant.city_id, euros(140_000)), (grant.agency_id, euros(70_000))])
    )
    view = queries.order(actors.nuria(), found.reference)
    assert [(each.step, each.name) for each in view.standing] == [
        (Step.PREPARED, "Fin Initiator"),
        (Step.VERIFIED, "Vera Verifier"),
        (Step.AUTHORISED, "Otto Authoriser"),
        (Step.SENT, "Carl Accountant"),
    ]
    assert (books.verify(), queries.verify()) == ((), ())


def everything(name: str) -> actors.Actor:
    """A person who holds every role of the circuit, as a small team may have it."""
    return actors.actor(
        actors.person(
            name,
            Role.FINANCE_INITIATOR,
            Role.FINANCE_VERIFIER,
            Role.AUTHORISING_OFFICER,
            Role.ACCOUNTING_OFFICER,
        )
    )


def test_one_person_takes_one_step_only(grant: World) -> None:
    both = everything("Bo Both")
    order_id = services.prepare(both, decided(grant)).id

    with pytest.raises(Refused, match="You are the initiator of this order; the verifier must be somebody else"):
        services.verify(both, order_id, evidence=SEEN)
    services.verify(actors.vera(), order_id, evidence=SEEN)
    with pytest.raises(Refused, match="the authorising officer must be somebody else"):
        services.authorise(both, order_id, evidence=SEEN)
    services.authorise(actors.otto(), order_id, evidence=SEEN)
    with pytest.raises(Refused, match="the accounting officer must be somebody else"):
        services.export(both, (order_id,), control_total=euros(210_000))
    services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    with pytest.raises(Refused, match="must be somebody else"):
        services.execute(both, order_id, value_on=clock.in_zone(clock.now()).date())


def test_who_declares_a_conflict_takes_no_step_of_the_payment_and_a_colleague_does(app: Flask, grant: World) -> None:
    order_id = services.prepare(actors.fin(), decided(grant)).id
    reference = get(PaymentOrder, order_id).reference
    about = queries.order(actors.vera(), reference)
    page = actors.client_of(app, actors.vera())
    address = f"/applications/{get(Application, grant.application_id).reference}/conflict"
    assert address in page.get(f"/grants/{about.grant_reference}/payments").text

    for who in (actors.fin(), actors.vera(), actors.otto(), actors.carl()):
        evaluation.declare_in_office(who, grant.application_id, "My sister leads it.")

    # Until the results are public it is not there for them; afterwards they see it and sign nothing.
    assert page.get(f"/finance/orders/{reference}").status_code == 404
    with pytest.raises(NotFound):
        services.verify(actors.vera(), order_id, evidence=SEEN)
    with arranging():
        call = get(Call, grant.call_id)
        call.results_public_at = clock.now()
        for bar in db.session.scalars(select(AccessBar)):
            bar.ends_before = call.results_public_at
    shown = page.get(f"/finance/orders/{reference}").text
    assert "You have a conflict of interest with this pilot" in shown and "/verify" not in shown
    with pytest.raises(Refused, match="Ask a colleague with your role"):
        services.verify(actors.vera(), order_id, evidence=SEEN)
    services.verify(everything("Vic Verifier"), order_id, evidence=SEEN)
    with pytest.raises(Refused, match="conflict of interest"):
        services.authorise(actors.otto(), order_id, evidence=SEEN)
    services.authorise(everything("Ona Officer"), order_id, evidence=SEEN)
    with pytest.raises(Refused, match="conflict of interest"):
        services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    batch = services.export(everything("Abe Accountant"), (order_id,), control_total=euros(210_000))
    assert batch.orders == 1
    account = uuid4()
    for deed in (
        lambda: services.make_batch_file(actors.carl(), batch.id),
        lambda: services.open_batch_file(actors.carl(), batch.id),
        lambda: services.propose_recovery(actors.fin(), grant.grant_id, RecoveryInput("It was told.")),
        lambda: services.close_grant(actors.otto(), grant.grant_id, note="Done."),
        lambda: agreeing.confirm_account(actors.vera(), grant.grant_id, account, called_back()),
        lambda: agreeing.refuse_account(actors.vera(), grant.grant_id, account, reason="Another holder."),
    ):
        with pytest.raises(Refused, match="conflict of interest"):
            deed()


@pytest.mark.parametrize("column", ["verified_by", "authorised_by", "sent_by", "executed_by"])
def test_the_database_itself_keeps_four_people_apart(grant: World, column: str) -> None:
    order_id = pay(decided(grant))

    # The verifier by trigger, as the circuit says; the other three by CHECK, whatever it says.
    with pytest.raises(IntegrityError, match=r"_is_another|keeps apart"), arranging():
        found = get(PaymentOrder, order_id)
        setattr(found, column, found.authorised_by if column == "verified_by" else found.prepared_by)


@pytest.mark.parametrize(("role", "step"), [("verify", Step.VERIFIED), ("authorise", Step.AUTHORISED)])
def test_nobody_approves_a_payment_to_an_account_of_their_own_making(grant: World, role: str, step: Step) -> None:
    owner = everything("Oda Owner")
    replace_account(grant, entered_by=owner.user_id)
    order_id = services.prepare(actors.fin(), decided(grant)).id
    if step is Step.AUTHORISED:
        services.verify(actors.vera(), order_id, evidence=SEEN)

    with pytest.raises(Refused, match="entered or confirmed the bank account"):
        getattr(services, role)(owner, order_id, evidence=SEEN)


def test_whoever_confirmed_the_account_does_not_verify(grant: World) -> None:
    replace_account(grant, confirmed_by=actors.vera().user_id)
    order_id = services.prepare(actors.fin(), decided(grant)).id

    with pytest.raises(Refused, match="entered or confirmed the bank account"):
        services.verify(actors.vera(), order_id, evidence=SEEN)


def test_a_changed_amount_voids_every_signature(grant: World) -> None:
    order_id = authorised(decided(grant))
    services.change(actors.fin(), order_id, amount=euros(200_000), reason="Offset agreed by phone")

    found = order(order_id)
    view = queries.order(actors.nuria(), found.reference)
    assert (found.state, found.verified_by, found.authorised_by) == (OrderState.PREPARED.value, None, None)
    assert [each.step for each in view.standing] == [Step.PREPARED]
    assert [each.voided_why for each in view.signatures if each.voided_at] == ["Offset agreed by phone"] * 3


def test_a_replaced_account_stops_the_order_until_it_is_changed(grant: World) -> None:
    order_id = authorised(decided(grant))
    replace_account(grant)

    with pytest.raises(Refused, match="was replaced after"):
        services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    assert "replaced" in (queries.inbox(actors.carl(), Page()).rows.items[0].locked or "")
    services.change(actors.fin(), order_id, amount=euros(210_000), reason="New account")
    assert order(order_id).bank_account_id != grant.account_id
    assert balance(grant, Account.IN_TRANSIT) == ZERO


def test_orders_of_a_request_never_exceed_what_is_payable(grant: World) -> None:
    request_id = decided(grant)
    first = services.prepare(actors.fin(), request_id, amount=euros(200_000))

    with pytest.raises(Refused, match="is left to order"):
        services.prepare(actors.fin(), request_id, amount=euros(10_001))
    services.prepare(actors.fin(), request_id)
    with pytest.raises(Invalid):
        services.prepare(actors.fin(), request_id)
    services.cancel(actors.fin(), first.id, reason="Typed wrongly")
    services.prepare(actors.fin(), request_id, amount=euros(200_000))


def test_the_database_refuses_orders_above_the_request(grant: World) -> None:
    order_id = services.prepare(actors.fin(), decided(grant)).id

    with pytest.raises(Exception, match="are payable"), arranging():
        get(PaymentOrder, order_id).amount = euros(210_001)
        # Signed anew, so that the amount is not refused for its signature.
        signed = db.session.scalars(select(PaymentOrderSignature)).one()
        signed.voided_at, signed.voided_why = NOW, "Another amount."
        db.session.flush()
        db.session.add(prepared(get(PaymentOrder, order_id)))


def test_an_order_that_left_is_neither_changed_nor_cancelled_nor_sent_again(grant: World) -> None:
    order_id = authorised(decided(grant))
    services.export(actors.carl(), (order_id,), control_total=euros(210_000))

    for deed in (
        lambda: services.change(actors.fin(), order_id, amount=euros(1), reason="x"),
        lambda: services.cancel(actors.fin(), order_id, reason="x"),
        lambda: services.export(actors.carl(), (order_id,), control_total=euros(210_000)),
    ):
        with pytest.raises(Refused):
            deed()
    assert balance(grant, Account.IN_TRANSIT) == euros(210_000)


def test_a_wrong_control_total_exports_nothing(grant: World) -> None:
    order_id = authorised(decided(grant))

    with pytest.raises(Invalid, match="nothing was sent"):
        services.export(actors.carl(), (order_id,), control_total=euros(210_000) + Money(1))
    assert order(order_id).state == OrderState.IN_FILE.value


@pytest.mark.parametrize("value_on", [date(2024, 7, 31), date(2024, 8, 2)])
def test_the_value_date_lies_between_export_and_today(grant: World, value_on: date) -> None:
    with clock.at(NOW):
        order_id = authorised(decided(grant))
        services.export(actors.carl(), (order_id,), control_total=euros(210_000))

        with pytest.raises(Invalid, match="value date"):
            services.execute(actors.carl(), order_id, value_on=value_on)


def test_nothing_is_ordered_without_a_confirmed_account(grant: World) -> None:
    request_id = decided(grant)
    end_account(grant, BankAccountState.REFUSED)

    with pytest.raises(Refused, match="no confirmed bank account"):
        services.prepare(actors.fin(), request_id)


# Every deed on the way of the money, and every guard it passes: each of them raises, and nothing may have happened.
GUARDS = {
    "open": ("audit", "scope"),
    "decide": ("audit", "ceiling", "conflict", "scope"),
    "reject": ("audit", "conflict", "scope"),
    "prepare": ("audit", "ceiling", "conflict", "scope"),
    "change": ("audit", "ceiling", "conflict", "scope"),
    "verify": ("audit", "conflict", "four_eyes", "scope"),
    "authorise": ("audit", "conflict", "four_eyes", "scope"),
    "cancel": ("audit", "conflict", "scope"),
    "build": ("audit", "conflict", "four_eyes", "scope"),
    "send": ("audit", "ceiling", "conflict", "file_rules", "four_eyes", "scope"),
    "execute": ("audit", "ceiling", "conflict", "four_eyes", "scope"),
    "close": ("audit", "ceiling", "scope"),
}
MONEY_TABLES = (PaymentRequest, PaymentOrder, PaymentOrderSignature, PaymentBatch, LedgerEntry, LedgerLeg, Grant)


def stands() -> list[tuple[object, ...]]:
    """Every row of every table that money touches, whole."""
    db.session.rollback()
    return [
        tuple(getattr(row, column.key) for column in row.__table__.columns)
        for model in MONEY_TABLES
        for row in db.session.scalars(select(model).order_by(model.__table__.c[model.__mapper__.primary_key[0].name]))
    ]


@pytest.mark.parametrize("deed", GUARDS)
def test_a_fault_in_any_guard_lets_nothing_through(grant: World, monkeypatch: pytest.MonkeyPatch, deed: str) -> None:
    today = clock.in_zone(clock.now()).date()
    order_id = request_id = grant.grant_id
    if deed == "close":
        pay(decided(grant))
        final = services.open_for_report(actors.program(), report(grant, 1, euros(210_000), final=True))
        assert final is not None
        services.decide(actors.otto(), final.id, DecisionInput(euros(210_000)))
        nothing_held(grant)
    elif deed != "open":
        request_id = opened(grant)
    if deed not in {"open", "decide", "reject", "close"}:
        services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    if deed in {"change", "verify", "authorise", "cancel", "build", "send", "execute"}:
        order_id = services.prepare(actors.fin(), request_id).id
    if deed in {"authorise", "build", "send", "execute"}:
        services.verify(actors.vera(), order_id, evidence=SEEN)
    if deed in {"build", "send", "execute"}:
        services.authorise(actors.otto(), order_id, evidence=SEEN)
    if deed == "execute":
        services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    otto, fin, vera, carl = actors.otto(), actors.fin(), actors.vera(), actors.carl()
    chosen = FileInput(db.session.scalars(select(OwnAccount.id)).one(), FileLayout.XLSX, today)
    file_id = services.build(carl, (order_id,), chosen).id if deed == "send" else order_id
    if deed == "send":
        services.make_batch_file(carl, file_id)
    deeds = {
        "open": lambda: services.open_prefinancing(actors.program(), grant.grant_id),
        "decide": lambda: services.decide(otto, request_id, DecisionInput(euros(240_000))),
        "reject": lambda: services.reject(otto, request_id, reason="No."),
        "prepare": lambda: services.prepare(fin, request_id),
        "change": lambda: services.change(fin, order_id, amount=euros(1), reason="Less."),
        "verify": lambda: services.verify(vera, order_id, evidence=SEEN),
        "authorise": lambda: services.authorise(otto, order_id, evidence=SEEN),
        "cancel": lambda: services.cancel(otto, order_id, reason="No."),
        "build": lambda: services.build(carl, (order_id,), chosen),
        "send": lambda: services.send(carl, file_id, count=1, control_total=euros(210_000)),
        "execute": lambda: services.execute(carl, order_id, value_on=today),
        "close": lambda: services.close_grant(otto, grant.grant_id, note="Looked at."),
    }
    before = stands()

    for fault in GUARDS[deed]:
        monkeypatch.setenv("GRANTS_FAULT", fault)
        with pytest.raises(Fault):
            deeds[deed]()
        assert stands() == before, fault
    monkeypatch.delenv("GRANTS_FAULT")
    deeds[deed]()
    assert stands() != before


def test_roles_do_what_the_circuit_says_and_nothing_else(grant: World) -> None:
    request_id = decided(grant)
    for actor in (actors.vera(), actors.otto(), actors.carl(), actors.nuria(), actors.ada(), actors.ana()):
        with pytest.raises(NotAllowed):
            services.prepare(actor, request_id)
    order_id = services.prepare(actors.fin(), request_id).id
    for actor in (actors.fin(), actors.otto(), actors.carl(), actors.nuria()):
        with pytest.raises(NotAllowed):
            services.verify(actor, order_id, evidence=SEEN)


def test_out_of_scope_is_as_if_not_there(grant: World) -> None:
    elsewhere = actors.actor(actors.person("Fia Elsewhere"))
    assert elsewhere.user_id is not None
    elsewhere = actors.give(elsewhere.user_id, Role.FINANCE_INITIATOR, "call", grant.grant_id)
    request_id = decided(grant)
    reference = request(request_id).reference

    with pytest.raises(NotFound):
        services.prepare(elsewhere, request_id)
    with pytest.raises(NotFound):
        queries.request(elsewhere, reference)
    assert queries.inbox(elsewhere, Page()).rows.total == 0


# --- The list


def test_the_list_of_a_batch_is_made_once_and_holds_what_the_bank_needs(grant: World) -> None:
    order_id = authorised(decided(grant))
    sent = services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    made = services.make_batch_file(actors.carl(), sent.id)
    again = services.make_batch_file(actors.carl(), sent.id)

    file = services.open_batch_file(actors.carl(), recorded(sent.id))
    assert made == again
    assert file.sha256 == made.file_sha256
    sheet = openpyxl.load_workbook(io.BytesIO(files.path(file).read_bytes())).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    reference = order(order_id).reference
    assert rows[1] == [
        reference,
        actors.NORTHBRIDGE,
        "Northbridge Łódź & Co",
        IBAN,
        None,
        210000,
        f"{reference} Pre-financing",
        order(order_id).end_to_end_id,
    ]
    assert rows[3][5] == 210000
    found = queries.batch(actors.carl(), made.reference)
    assert services.sheet(found.reference, found.built_at, found.lines) == files.path(file).read_bytes()
    for actor in (actors.nuria(), actors.otto()):
        with pytest.raises(NotAllowed):
            services.open_batch_file(actor, sent.id)


# --- What people see


def test_the_inbox_names_the_next_person_and_locks_own_items(grant: World) -> None:
    request_id = opened(grant)
    shown = queries.inbox(actors.otto(), Page())
    assert [(row.deed, row.yours, row.amount) for row in shown.rows.items] == [("decide", True, euros(240_000))]
    services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    assert [(row.deed, row.yours) for row in queries.inbox(actors.fin(), Page()).rows.items] == [("prepare", True)]
    both = everything("Bo Both")
    services.prepare(both, request_id, amount=euros(100_000))

    rows = queries.inbox(both, Page()).rows.items
    assert [(row.deed, row.yours, row.amount) for row in rows] == [
        ("prepare", True, euros(110_000)),
        ("verify", False, euros(100_000)),
    ]
    assert "You are the initiator" in (rows[1].locked or "")
    assert queries.inbox(actors.vera(), Page()).total == euros(210_000)


def test_duties_follow_the_circuit(grant: World) -> None:
    request_id = opened(grant)
    people = {name: getattr(actors, name)() for name in ("otto", "fin", "vera", "carl", "ana", "nuria")}

    def waits() -> dict[str, list[str]]:
        found = {name: [duty.what for duty in queries.duties(person, NOW)] for name, person in people.items()}
        return {name: what for name, what in found.items() if what}

    assert waits() == {"otto": ["Decide the request of WARM"]}
    services.decide(people["otto"], request_id, DecisionInput(euros(240_000)))
    assert waits() == {"fin": ["Prepare the order for WARM"]}
    order_id = services.prepare(people["fin"], request_id).id
    assert waits() == {"vera": ["Verify the order for WARM"]}
    services.verify(people["vera"], order_id, evidence=SEEN)
    assert waits() == {"otto": ["Authorise the order for WARM"]}
    services.authorise(people["otto"], order_id, evidence=SEEN)
    assert waits() == {"carl": ["Put into a payment file the order for WARM"]}
    services.export(people["carl"], (order_id,), control_total=euros(210_000))
    assert waits() == {"carl": ["Mark as executed the order for WARM"]}


def test_a_coordinator_without_account_is_asked_for_one(grant: World) -> None:
    opened(grant)
    end_account(grant, BankAccountState.REFUSED)

    assert [duty.what for duty in queries.duties(actors.ana(), NOW)] == ["Give a bank account for WARM"]


def test_pages_of_the_inbox_follow_each_other(grant: World) -> None:
    request_id = decided(grant)
    for amount in (100, 200, 300):
        services.prepare(actors.fin(), request_id, amount=euros(amount))

    whole = queries.inbox(actors.nuria(), Page())
    first = queries.inbox(actors.nuria(), Page(size=3))
    second = queries.inbox(actors.nuria(), Page(size=3, after=first.rows.next_key))
    assert first.rows.items + second.rows.items == whole.rows.items
    assert (len(whole.rows.items), second.rows.next_key) == (4, None)


def test_the_inbox_counts_and_sums_in_as_many_statements_however_much_waits(grant: World) -> None:
    request_id = decided(grant)
    services.prepare(actors.fin(), request_id, amount=euros(100))
    nuria = actors.nuria()
    few = asked(lambda: queries.inbox(nuria, Page()))
    many_orders(request_id, 60)

    assert asked(lambda: queries.inbox(nuria, Page())) <= few
    assert asked(lambda: queries.duties(nuria, NOW)) <= few
    found = queries.inbox(nuria, Page(size=1))
    assert (found.rows.total, found.total, len(found.rows.items)) == (62, euros(210_000), 1)


def test_an_order_can_be_put_into_a_file_wherever_it_stands_in_the_inbox(grant: World) -> None:
    request_id = decided(grant)
    order_id = authorised(request_id, euros(100))
    many_orders(request_id, queries.ROWS_MAX + 1)
    reference = order(order_id).reference

    assert reference not in [
        row.reference for row in queries.inbox(actors.carl(), Page(size=queries.ROWS_MAX)).rows.items
    ]
    programme_id = db.session.scalars(select(Programme.id)).one()
    carl, vera = (queries.payable_orders(who, programme_id) for who in (actors.carl(), actors.vera()))
    assert reference in [row.reference for row in carl if row.yours]
    assert [row for row in vera if row.yours] == []


def asked(deed: Callable[[], object]) -> int:
    """How many statements a read takes, on rows that nobody remembers."""
    db.session.rollback()
    db.session.expunge_all()
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        deed()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(statements)


def many_orders(request_id: UUID, count: int) -> None:
    """So many prepared orders of one cent, due before every other."""
    row = get(PaymentRequest, request_id)
    fin = actors.fin().user_id
    assert fin is not None
    with arranging():
        grant_row = db.session.get_one(Grant, row.grant_id)
        account = db.session.scalars(select(BankAccount.id)).first()
        assert account is not None
        for number in range(count):
            made = PaymentOrder(
                reference=f"PCP-2020-P-{number:04d}",
                request_id=request_id,
                grant_id=row.grant_id,
                payee_id=grant_row.coordinator_id,
                bank_account_id=account,
                amount=Money(1),
                due_on=date(2020, 1, 1),
                state=OrderState.PREPARED.value,
                prepared_by=fin,
            )
            db.session.add_all([made, prepared(made)])


def prepared(made: PaymentOrder) -> PaymentOrderSignature:
    """The initiator's signature to an order as it stands."""
    return PaymentOrderSignature(
        order_id=made.id,
        step=Step.PREPARED.value,
        user_id=made.prepared_by,
        signed_at=NOW,
        amount=made.amount,
        bank_account_id=made.bank_account_id,
    )


def test_a_grant_shows_where_its_money_stands(grant: World) -> None:
    pay(decided(grant))

    shown = queries.grant_payments(actors.ana(), grant.reference)
    assert (shown.position.paid, shown.position.retained, shown.position.room, shown.position.left) == (
        euros(210_000),
        euros(30_000),
        euros(300_000),
        euros(360_000),
    )
    assert [each.state for each in shown.requests] == [RequestState.PAID]
    with pytest.raises(NotFound):
        queries.grant_payments(actors.eva(), grant.reference)


@pytest.mark.parametrize("column", ["prepared_by", "verified_by"])
def test_a_forged_circuit_is_found(grant: World, postgres: Cluster, database: str, column: str) -> None:
    pay(decided(grant))
    forge(postgres, database, f"UPDATE payment_order SET {column} = '{actors.ada().user_id}'")

    assert any("I15" in str(problem) for problem in queries.verify())


def test_a_value_date_that_is_not_the_day_of_its_entry_is_found(grant: World) -> None:
    order_id = pay(decided(grant))
    assert queries.verify() == ()
    with arranging():
        found = get(PaymentOrder, order_id)
        found.value_on = found.value_on - timedelta(days=30)

    assert [str(problem) for problem in queries.verify()] == [
        f"{order(order_id).reference}: I12: its value date is {clock.long_date(found.value_on)}; the ledger booked it as of "
        f"{clock.long_date(found.value_on + timedelta(days=30))}."
    ]


def test_an_order_paid_twice_in_the_ledger_is_found(grant: World, postgres: Cluster, database: str) -> None:
    order_id = pay(decided(grant))
    forge(postgres, database, "UPDATE payment_order SET state = 'sent', executed_by = NULL, value_on = NULL")

    paid = order(order_id).reference
    assert [str(problem) for problem in queries.verify()] == [
        f"{paid}: I12: what the ledger booked is not what the order says.",
        f"{paid}: I16: the record of acts says that its state is executed, or says it more than once.",
        f"{paid}: I16: its state sent stands without an act that is on the record.",
    ]


@pytest.mark.parametrize("deed", ["reject", "verify", "execute"])
def test_every_step_that_binds_asks_for_the_password_again(grant: World, deed: str) -> None:
    request_id = opened(grant)
    order_id = request_id
    if deed != "reject":
        services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
        order_id = services.prepare(actors.fin(), request_id).id
    if deed == "execute":
        services.verify(actors.vera(), order_id, evidence=SEEN)
        services.authorise(actors.otto(), order_id, evidence=SEEN)
        services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    person = {"reject": actors.otto, "verify": actors.vera, "execute": actors.carl}[deed]().user_id
    assert person is not None
    stale = identity.actor_for(person)

    with pytest.raises(NeedsFreshSignIn):
        match deed:
            case "reject":
                services.reject(stale, request_id, reason="No.")
            case "verify":
                services.verify(stale, order_id, evidence=SEEN)
            case _:
                services.execute(stale, order_id, value_on=clock.in_zone(clock.now()).date())
