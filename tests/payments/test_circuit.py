"""The payment circuit as data, stand-ins in writing, limits per person, and what is ticked: by service, raw POST and raw SQL."""

from __future__ import annotations

import ast
import itertools
import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, Refused
from grants.core.money import Money, euros
from grants.core.paging import Page
from grants.core.permissions import Actor
from grants.identity import queries as people
from grants.identity import services as identity
from grants.identity.models import RoleGrant
from grants.identity.policy import Role
from grants.identity.rules import RoleInput
from grants.identity.rules.standing_in import StandInInput
from grants.payments import queries, services
from grants.payments.models import AuthorityLimit, PaymentOrder, PaymentOrderSignature
from grants.payments.rules import DecisionInput
from grants.payments.rules.circuit import ALL_PAIRS, ALWAYS_APART, MAY_MEET, Circuit, refuse_same_person
from grants.payments.states import Step, SuspensionReason
from tests import actors
from tests.agreements.accounts import document
from tests.factories import identity as factory
from tests.factories.applications import PDF
from tests.payments.test_bank_booking import brought, paid, statement
from tests.payments.world import SEEN, World, replace_account

pytestmark = pytest.mark.usefixtures("app")

INITIATOR_MAY_VERIFY = ALL_PAIRS - {frozenset({Step.PREPARED, Step.VERIFIED})}


@pytest.fixture(autouse=True)
def _without_csrf(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False


def request_of(grant: World) -> UUID:
    found = services.open_prefinancing(actors.program(), grant.grant_id)
    assert found is not None
    services.decide(actors.otto(), found.id, DecisionInput(euros(240_000)))
    return found.id


def prepared(grant: World, by: Actor | None = None, amount: int | None = None) -> UUID:
    money = None if amount is None else euros(amount)
    return services.prepare(by or actors.fin(), request_of(grant), amount=money).id


def with_roles(name: str, *roles: Role) -> Actor:
    return actors.actor(actors.person(name, *roles))


def another_circuit(apart: frozenset[frozenset[Step]] = INITIATOR_MAY_VERIFY) -> None:
    services.propose_circuit(actors.ada(), apart, reason="We are few.")
    found = queries.circuit_page(actors.adam()).open
    assert found is not None
    services.confirm_circuit(actors.adam(), found.id)


def role_of(holder: Actor) -> UUID:
    return db.session.scalars(select(RoleGrant.id).where(RoleGrant.user_id == holder.user_id)).first() or uuid4()


def appointed(person: Actor, holder: Actor, *, days: int = 10, begins: datetime | None = None) -> UUID:
    """Somebody stands in for somebody, not confirmed yet."""
    assert person.user_id is not None
    begins = begins or clock.now() - timedelta(hours=1)
    given = StandInInput(role_of(holder), person.user_id, begins, begins + timedelta(days=days), "Parental leave.")
    return identity.appoint_stand_in(actors.ada(), given, document(name="appointment.pdf"))


def stands_in(person: Actor, holder: Actor, **times: Any) -> Actor:
    """The same, confirmed; the person with the rights they then hold."""
    identity.confirm_role(actors.adam(), appointed(person, holder, **times))
    assert person.user_id is not None
    return actors.actor(person.user_id)


def limited(per_order: int | None, per_day: int | None = None, officer: Actor | None = None) -> None:
    user_id = (officer or actors.otto()).user_id
    assert user_id is not None
    amounts = [None if each is None else euros(each) for each in (per_order, per_day)]
    services.propose_limit(actors.ada(), user_id, per_order=amounts[0], per_day=amounts[1], reason="Delegation of May.")
    (found,) = queries.limits_page(actors.adam()).open
    services.confirm_limit(actors.adam(), found.id)


def signatures(order_id: UUID) -> dict[str, PaymentOrderSignature]:
    db.session.rollback()
    rows = db.session.scalars(select(PaymentOrderSignature).where(PaymentOrderSignature.order_id == order_id))
    return {row.step: row for row in rows}


def line_of(actor: Actor) -> Any:
    """What the inbox says of the first order."""
    return next(row for row in queries.inbox(actor, Page()).rows.items if row.order)


# --- who must differ ------------------------------------------------------------------------------------------------


def test_every_circuit_keeps_its_pairs_apart_and_never_fewer_than_three() -> None:
    people_of = [UUID(int=number) for number in range(1, 5)]
    optional = [frozenset(pair) for pair in MAY_MEET]
    circuits = [
        Circuit(ALWAYS_APART | set(chosen)) for size in range(4) for chosen in itertools.combinations(optional, size)
    ]
    assert len(set(circuits)) == 8
    for circuit, hands in itertools.product(circuits, itertools.product(people_of, repeat=4)):
        signed = dict(zip(Step, hands, strict=True))
        clash = any(signed[one] == signed[other] for one, other in map(tuple, circuit.apart))
        refused = False
        for step, person in signed.items():
            earlier = {one: who for one, who in signed.items() if list(Step).index(one) < list(Step).index(step)}
            try:
                refuse_same_person(earlier, step, person, circuit)
            except Refused:
                refused = True
        assert refused == clash
        if not refused:
            assert len({signed[Step.PREPARED], signed[Step.AUTHORISED], signed[Step.SENT]}) == 3


def test_a_circuit_is_set_by_two_administrators_and_holds_for_orders_prepared_then(app: Flask, grant: World) -> None:
    both = with_roles("Bo Both", Role.FINANCE_INITIATOR, Role.FINANCE_VERIFIER)
    request_id = request_of(grant)
    before = services.prepare(both, request_id, amount=euros(1_000)).id
    services.propose_circuit(actors.ada(), INITIATOR_MAY_VERIFY, reason="We are few.")
    found = queries.circuit_page(actors.ada()).open
    assert found is not None

    with pytest.raises(Refused, match="proposed this yourself"):
        services.confirm_circuit(actors.ada(), found.id)
    with pytest.raises(Refused, match="Another circuit waits"):
        services.propose_circuit(actors.adam(), INITIATOR_MAY_VERIFY, reason="We are few.")
    for nobody in (actors.otto(), actors.fin(), actors.ingrid()):
        with pytest.raises(NotAllowed):
            services.confirm_circuit(nobody, found.id)
    assert queries.circuit_page(actors.nuria()).now == Circuit()
    services.confirm_circuit(actors.adam(), found.id)
    with pytest.raises(Refused, match="cannot confirm now"):
        services.confirm_circuit(actors.adam(), found.id)

    after = services.prepare(both, request_id, amount=euros(1_000)).id
    services.verify(both, after, evidence=SEEN)
    with pytest.raises(Refused, match="the verifier must be somebody else"):
        services.verify(both, before, evidence=SEEN)
    services.authorise(actors.otto(), after, evidence=SEEN)
    assert queries.verify() == ()
    shown = actors.client_of(app, actors.nuria()).get("/finance/circuit").text
    assert "the verifier may also be the initiator" in shown and "We are few." in shown


def test_who_verified_tells_what_the_bank_did_where_the_circuit_lets_them_send(grant: World) -> None:
    both = with_roles("Bo Both", Role.FINANCE_VERIFIER, Role.ACCOUNTING_OFFICER)
    request_id, orders = request_of(grant), []
    another_circuit(ALL_PAIRS - {frozenset({Step.VERIFIED, Step.SENT})})
    for cents in (1_000_00, 2_000_00):
        order_id = services.prepare(actors.fin(), request_id, amount=Money(cents)).id
        services.verify(both, order_id, evidence=SEEN)
        services.authorise(actors.otto(), order_id, evidence=SEEN)
        services.export(both, (order_id,), control_total=Money(cents))
        orders.append(get(PaymentOrder, order_id))
    today = clock.in_zone(clock.now()).date()
    line = paid(orders[0], booked_on=today, value_on=today)

    brought(statement(line, from_on=today, to_on=today), by=both, at=clock.now())
    services.reject_by_bank(both, orders[1].id, reason="MS03", on=today)

    db.session.rollback()
    assert [get(PaymentOrder, each.id).state for each in orders] == ["executed", "bank_rejected"]
    assert queries.verify() == ()


@pytest.mark.parametrize("pair", sorted(ALWAYS_APART, key=str))
def test_no_circuit_gives_up_initiator_authoriser_and_accounting_officer(pair: frozenset[Step], app: Flask) -> None:
    with pytest.raises(Refused, match="always three different people"):
        services.propose_circuit(actors.ada(), ALL_PAIRS - {pair}, reason="We are few.")
    services.propose_circuit(actors.ada(), INITIATOR_MAY_VERIFY, reason="We are few.")
    codes = sorted({"authorised/prepared", "authorised/sent", "prepared/sent"} - {"/".join(sorted(pair))})
    said = str(codes).replace("'", '"')
    with app.app_context(), pytest.raises(IntegrityError, match="three_always_apart"), arranging():
        db.session.connection().exec_driver_sql(
            "INSERT INTO payment_circuit (id, created_at, version, number, apart, reason, state, proposed_by, proposed_at) "
            "SELECT gen_random_uuid(), now(), 1, 99, %s::jsonb, 'x', 'proposed', proposed_by, now() FROM payment_circuit",
            (said,),
        )


def test_a_circuit_that_holds_is_not_proposed_again_and_one_is_refused_or_withdrawn_with_its_story(
    grant: World,
) -> None:
    with pytest.raises(Invalid):
        services.propose_circuit(actors.ada(), ALL_PAIRS, reason="No change.")
    with pytest.raises(Invalid):
        services.propose_circuit(actors.ada(), INITIATOR_MAY_VERIFY, reason=" ")
    for decide in ("refuse", "withdraw"):
        services.propose_circuit(actors.ada(), INITIATOR_MAY_VERIFY, reason="We are few.")
        found = queries.circuit_page(actors.ada()).open
        assert found is not None
        if decide == "refuse":
            services.refuse_circuit(actors.adam(), found.id, reason="We are enough.")
        else:
            with pytest.raises(Refused, match="Somebody else proposed"):
                services.withdraw_circuit(actors.adam(), found.id)
            services.withdraw_circuit(actors.ada(), found.id)
    told = queries.circuit_page(actors.nuria()).history
    assert [(each.number, each.state.value, each.decide_reason) for each in told] == [
        (2, "withdrawn", None),
        (1, "refused", "We are enough."),
    ]
    assert queries.circuit_page(actors.nuria()).now == Circuit()


def test_an_administrator_made_by_the_proposer_alone_does_not_confirm(app: Flask) -> None:
    puppet = actors.person("Pat Puppet")
    with arranging():
        factory.role(puppet, Role.ADMINISTRATOR, assigned_by=actors.ada().user_id)
    services.propose_circuit(actors.ada(), INITIATOR_MAY_VERIFY, reason="We are few.")
    found = queries.circuit_page(actors.ada()).open
    assert found is not None
    with pytest.raises(Refused, match="also made you administrator, alone"):
        services.confirm_circuit(actors.actor(puppet), found.id)


def test_what_holds_and_what_waits_stand_on_the_pages_however_much_was_proposed(
    app: Flask, grant: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grants.payments.queries.circuit.SHOWN_MAX", 1)
    another_circuit()
    services.propose_circuit(actors.ada(), Circuit().apart, reason="As it was.")
    waiting = queries.circuit_page(actors.adam()).open
    assert waiting is not None
    services.refuse_circuit(actors.adam(), waiting.id, reason="Not now.")
    assert queries.circuit_page(actors.adam()).now.number == 1

    officers = [actors.otto(), with_roles("Ola Officer", Role.AUTHORISING_OFFICER)]
    for officer in officers:
        assert officer.user_id is not None
        services.propose_limit(actors.ada(), officer.user_id, per_order=euros(1), per_day=None, reason="x")
    newest = db.session.scalars(select(AuthorityLimit).order_by(AuthorityLimit.number.desc())).first()
    assert newest is not None
    services.withdraw_limit(actors.ada(), newest.id)
    assert [each.user_id for each in queries.limits_page(actors.adam()).open] == [officers[0].user_id]


def test_the_database_keeps_the_pairs_of_the_circuit_apart_whoever_writes(grant: World) -> None:
    both = with_roles("Bo Both", Role.FINANCE_INITIATOR, Role.FINANCE_VERIFIER)
    order_id = services.prepare(both, request_of(grant), amount=euros(1_000)).id
    with pytest.raises(IntegrityError, match="keeps apart"), arranging():
        raw_signature(order_id, Step.VERIFIED, both.user_id)
    another_circuit()
    db.session.rollback()
    # Prepared before: the circuit of that day is its own.
    with pytest.raises(IntegrityError, match="keeps apart"), arranging():
        raw_signature(order_id, Step.VERIFIED, both.user_id)
    services.change(both, order_id, amount=euros(2_000), reason="Anew.")
    with arranging():
        raw_signature(order_id, Step.VERIFIED, both.user_id)
    with pytest.raises(IntegrityError, match=r"authoriser_is_another|keeps apart"), arranging():
        raw_signature(order_id, Step.AUTHORISED, both.user_id)


def raw_signature(order_id: UUID, step: Step, user_id: UUID | None, evidence: str | None = '["seen"]') -> None:
    """A signature and its column, as raw SQL writes them."""
    run = db.session.connection().exec_driver_sql
    run(
        "INSERT INTO payment_order_signature (id, created_at, version, order_id, step, user_id, signed_at, amount, "
        "bank_account_id, evidence) SELECT gen_random_uuid(), now(), 1, id, %s, %s, %s, amount, bank_account_id, %s::jsonb "
        "FROM payment_order WHERE id = %s",
        (step.value, user_id, clock.now(), evidence, order_id),
    )
    run(f"UPDATE payment_order SET {step.value}_by = %s, state = %s WHERE id = %s", (user_id, step.value, order_id))


# --- what is ticked -------------------------------------------------------------------------------------------------


def test_a_signature_is_refused_while_a_line_is_not_ticked_and_keeps_the_sentences(app: Flask, grant: World) -> None:
    order_id = prepared(grant)
    reference = get(PaymentOrder, order_id).reference
    for step, person in ((Step.VERIFIED, actors.vera()), (Step.AUTHORISED, actors.otto())):
        deed = services.verify if step is Step.VERIFIED else services.authorise
        with pytest.raises(Invalid, match="4 lines of what is looked at are not ticked"):
            deed(person, order_id, evidence=())
        browser = actors.client_of(app, person)
        address = f"/finance/orders/{reference}/{'verify' if step is Step.VERIFIED else 'authorise'}"
        page = browser.get(f"/finance/orders/{reference}").text
        assert page.count('name="evidence"') == 4 and " checked" not in page
        answer = browser.post(address, data={"evidence": list(SEEN[1:4])})
        assert answer.status_code == 422
        assert "Not ticked" in answer.text
        assert browser.post(address, data={"evidence": list(SEEN)}).status_code == 303
    kept = signatures(order_id)
    assert kept["verified"].evidence == [
        "The agreement is signed by both sides and in force",
        "The amount of the order agrees with the decision on the request",
        "The bank account is the payee’s, confirmed by somebody else with evidence",
        "No other order pays the same",
    ]
    assert len(kept["authorised"].evidence or []) == 4 and kept["prepared"].evidence is None
    assert "Seen: The agreement is signed" in browser.get(f"/finance/orders/{reference}").text


def test_the_inbox_says_how_much_is_to_be_ticked(app: Flask, grant: World) -> None:
    prepared(grant, amount=210_000)
    assert "4 lines to tick" in actors.client_of(app, actors.vera()).get("/finance/approvals").text
    assert "4 lines to tick" not in actors.client_of(app, actors.otto()).get("/finance/approvals").text


@pytest.mark.parametrize("evidence", [None, "[]"])
def test_the_database_takes_no_approval_without_evidence(grant: World, evidence: str | None) -> None:
    order_id = prepared(grant)
    with pytest.raises(IntegrityError, match="names the evidence"), arranging():
        raw_signature(order_id, Step.VERIFIED, actors.vera().user_id, evidence)


# --- stand-ins ------------------------------------------------------------------------------------------------------


def test_a_stand_in_is_appointed_by_one_confirmed_by_another_and_shown_until_its_last_day(
    app: Flask, grant: World
) -> None:
    pat = with_roles("Pat Standin")
    order_id = prepared(grant)
    waiting = appointed(pat, actors.vera())
    with pytest.raises(NotAllowed):
        services.verify(actors.actor(actors.person("Pat Standin")), order_id, evidence=SEEN)
    with pytest.raises(Refused, match="assigned this role yourself"):
        identity.confirm_role(actors.ada(), waiting)
    identity.confirm_role(actors.adam(), waiting)
    pat = actors.actor(actors.person("Pat Standin"))
    (row,) = people.stand_ins()
    browser = actors.client_of(app, pat)
    reference = get(PaymentOrder, order_id).reference
    assert f"for Vera Verifier until {clock.long_date(row.last_day)}" in browser.get("/finance/approvals").text
    assert (
        f"for Vera Verifier until {clock.long_date(row.last_day)}" in browser.get(f"/finance/orders/{reference}").text
    )

    services.verify(pat, order_id, evidence=SEEN)

    assert signatures(order_id)["verified"].stand_in_for == actors.vera().user_id
    assert "Pat Standin verified, for Vera Verifier" in browser.get(f"/finance/orders/{reference}").text
    shown = browser.get("/finance/stand-ins").text
    assert "Stands in now" in shown and "Parental leave." in shown
    with browser.get(f"/finance/stand-ins/{row.sha256}/file") as taken:
        assert taken.status_code == 200 and taken.data == PDF


def test_a_stand_in_holds_from_its_first_day_to_its_last_and_gives_nothing_before_or_after(grant: World) -> None:
    pat = with_roles("Pat Standin")
    order_id = prepared(grant)
    now = clock.now()
    stands_in(pat, actors.vera(), begins=now + timedelta(days=2), days=3)
    assert pat.user_id is not None
    for days, holds in ((1, False), (3, True), (6, False)):
        with clock.at(now + timedelta(days=days)):
            assert actors.actor(pat.user_id).can("payment_order:verify") == holds
    with clock.at(now + timedelta(days=3)):
        services.verify(actors.actor(pat.user_id), order_id, evidence=SEEN)


@pytest.mark.parametrize("first", ["stand-in", "principal"])
def test_a_stand_in_and_the_principal_never_both_sign_one_order(grant: World, first: str) -> None:
    """The verifier stands in for the authoriser: neither may follow the other, though both hold roles of their own."""
    holder = with_roles("Olga Office", Role.AUTHORISING_OFFICER, Role.FINANCE_INITIATOR)
    pat = stands_in(with_roles("Pat Standin", Role.FINANCE_VERIFIER), holder)
    third = with_roles("Ivo Third", Role.FINANCE_INITIATOR)
    if first == "principal":
        order_id = prepared(grant, holder)
        with pytest.raises(Refused, match="Olga Office took a step of this before, and you stand in for them"):
            services.verify(pat, order_id, evidence=SEEN)
        with pytest.raises(IntegrityError, match="who stands in for them"), arranging():
            raw_signature(order_id, Step.VERIFIED, pat.user_id)
    else:
        order_id = prepared(grant, third)
        services.verify(pat, order_id, evidence=SEEN)
        with pytest.raises(Refused, match="Pat Standin took a step of this before, and they stand in for you"):
            services.authorise(holder, order_id, evidence=SEEN)
        assert "they stand in for you" in (line_of(holder).locked or "")
        with pytest.raises(IntegrityError, match="who stands in for them"), arranging():
            raw_signature(order_id, Step.AUTHORISED, holder.user_id)


def test_a_stand_in_that_ended_still_ties_what_was_signed_meanwhile(grant: World) -> None:
    holder = with_roles("Olga Office", Role.AUTHORISING_OFFICER)
    pat = stands_in(with_roles("Pat Standin", Role.FINANCE_VERIFIER), holder)
    order_id = prepared(grant)
    services.verify(pat, order_id, evidence=SEEN)
    (row,) = people.stand_ins()
    identity.end_assigned_role(actors.ada(), row.id)
    with pytest.raises(Refused, match="count as one person"):
        services.authorise(holder, order_id, evidence=SEEN)
    services.authorise(actors.otto(), order_id, evidence=SEEN)


def test_a_stand_in_for_who_confirmed_the_account_does_not_approve_an_order_to_it(grant: World) -> None:
    vic = with_roles("Vic Confirms", Role.FINANCE_VERIFIER)
    replace_account(grant, confirmed_by=vic.user_id)
    pat = stands_in(with_roles("Pat Standin"), vic)
    with pytest.raises(Refused, match="entered or confirmed the bank account of this order, and you stand in for them"):
        services.verify(pat, prepared(grant), evidence=SEEN)


def test_who_may_be_appointed_and_by_whom(app: Flask, grant: World) -> None:
    otto, pat = actors.otto(), with_roles("Pat Standin")
    with pytest.raises(Refused, match="stands in for themselves"):
        appointed(otto, otto)
    with pytest.raises(Refused, match="cannot be both"):
        appointed(actors.carl(), otto)
    with pytest.raises(Refused, match="cannot be both"):
        appointed(actors.adam(), otto)
    with pytest.raises(Refused, match="role to yourself"):
        appointed(actors.ada(), actors.carl())
    with pytest.raises(Refused, match="Only a role of the payment circuit"):
        appointed(pat, actors.greta())
    with pytest.raises(Invalid):
        appointed(pat, otto, begins=clock.now() - timedelta(days=20))
    stands_in(pat, otto)
    with pytest.raises(Refused, match="already has the role"):
        appointed(pat, otto)
    held = people.stand_ins()[0]
    chained = StandInInput(
        held.id, with_roles("Kim Chain").user_id or uuid4(), clock.now(), clock.now() + timedelta(1), "x"
    )
    with pytest.raises(Refused, match="somebody's own"):
        identity.appoint_stand_in(actors.ada(), chained, document())
    with pytest.raises(NotAllowed):
        identity.appoint_stand_in(actors.otto(), chained, document())
    for change in ("stand_in_for = NULL, stand_in_file_id = NULL, stand_in_reason = NULL", "stand_in_reason = 'x'"):
        with pytest.raises(IntegrityError, match="appoint another one"), arranging():
            db.session.connection().exec_driver_sql(f"UPDATE role_grant SET {change} WHERE id = %s", (held.id,))
    with pytest.raises(IntegrityError, match=r"stand_in_is_dated|appoint another one"), arranging():
        db.session.connection().exec_driver_sql("UPDATE role_grant SET ends_before = NULL WHERE id = %s", (held.id,))


def test_a_stand_in_is_appointed_by_form_with_its_file(app: Flask) -> None:
    from io import BytesIO

    actors.vera(), with_roles("Pat Standin")
    pat = people.person(actors.person("Pat Standin"))
    browser = actors.client_of(app, actors.ada())
    sent = {
        "role": str(role_of(actors.vera())),
        "email": pat.email.upper(),
        "first_day": "3 June 2030",
        "last_day": "14 June 2030",
        "reason": "Parental leave.",
    }
    without = browser.post("/finance/stand-ins", data=sent, content_type="multipart/form-data")
    assert without.status_code == 422 and "Choose the file" in without.text
    nobody = {**sent, "email": "nobody@example.org", "file": (BytesIO(PDF), "letter.pdf")}
    assert (
        "Invite them first" in browser.post("/finance/stand-ins", data=nobody, content_type="multipart/form-data").text
    )
    answer = browser.post(
        "/finance/stand-ins", data={**sent, "file": (BytesIO(PDF), "letter.pdf")}, content_type="multipart/form-data"
    )
    assert answer.status_code == 303
    (row,) = people.stand_ins()
    assert (row.name, row.for_name, clock.long_date(row.last_day)) == ("Pat Standin", "Vera Verifier", "14 June 2030")
    assert "stands in for Vera Verifier until" in actors.client_of(app, actors.adam()).get("/admin/roles").text


# --- limits ---------------------------------------------------------------------------------------------------------


def test_a_limit_holds_by_a_cent_and_the_inbox_says_why_and_who_can(app: Flask, grant: World) -> None:
    with_roles("Ona Officer", Role.AUTHORISING_OFFICER)
    limited(200_000)
    request_id = request_of(grant)
    within = services.prepare(actors.fin(), request_id, amount=euros(200_000)).id
    services.verify(actors.vera(), within, evidence=SEEN)
    services.authorise(actors.otto(), within, evidence=SEEN)
    services.cancel(actors.fin(), within, reason="Anew.")
    above = services.prepare(actors.fin(), request_id, amount=euros(200_000) + Money(1)).id
    services.verify(actors.vera(), above, evidence=SEEN)

    with pytest.raises(
        Refused, match=r"above your limit of EUR.200.000\.00 for one order\. Ona Officer can authorise it"
    ):
        services.authorise(actors.otto(), above, evidence=SEEN)
    assert "Ona Officer can authorise it." in (line_of(actors.otto()).locked or "")
    assert "Ona Officer can authorise it." in actors.client_of(app, actors.otto()).get("/finance/approvals").text
    with pytest.raises(IntegrityError, match="may authorise on one order"), arranging():
        raw_signature(above, Step.AUTHORISED, actors.otto().user_id)
    services.authorise(with_roles("Ona Officer"), above, evidence=SEEN)


def test_a_limit_of_a_day_counts_what_was_authorised_that_day(grant: World) -> None:
    limited(None, 100_000)
    request_id = request_of(grant)
    orders = [services.prepare(actors.fin(), request_id, amount=euros(each)).id for each in (60_000, 40_000, 1)]
    for order_id in orders:
        services.verify(actors.vera(), order_id, evidence=SEEN)
    for order_id in orders[:2]:
        services.authorise(actors.otto(), order_id, evidence=SEEN)

    with pytest.raises(
        Refused, match=r"authorised today, EUR.1\.00 more is above your limit .* on one day. Nobody else may"
    ):
        services.authorise(actors.otto(), orders[2], evidence=SEEN)
    with pytest.raises(IntegrityError, match="may authorise on one day"), arranging():
        raw_signature(orders[2], Step.AUTHORISED, actors.otto().user_id)
    with clock.at(clock.now() + timedelta(days=1)):
        services.authorise(actors.otto(), orders[2], evidence=SEEN)


def test_a_stand_in_authorises_no_more_than_the_principal_may(grant: World) -> None:
    limited(100_000)
    pat = stands_in(with_roles("Pat Standin"), actors.otto())
    order_id = prepared(grant, amount=100_001)
    services.verify(actors.vera(), order_id, evidence=SEEN)
    with pytest.raises(Refused, match="above the limit of Otto Authoriser, for whom you stand in"):
        services.authorise(pat, order_id, evidence=SEEN)


def test_a_limit_is_set_by_two_others(grant: World) -> None:
    otto = actors.otto().user_id
    assert otto is not None
    with pytest.raises(Refused, match="no authorising officer"):
        services.propose_limit(actors.ada(), actors.fin().user_id or otto, per_order=euros(1), per_day=None, reason="x")
    with pytest.raises(Invalid):
        services.propose_limit(actors.ada(), otto, per_order=euros(2), per_day=euros(1), reason="x")
    services.propose_limit(actors.ada(), otto, per_order=euros(1), per_day=None, reason="x")
    (found,) = queries.limits_page(actors.ada()).open
    with pytest.raises(Refused, match="proposed this yourself"):
        services.confirm_limit(actors.ada(), found.id)
    with pytest.raises(NotAllowed):
        services.confirm_limit(actors.otto(), found.id)
    with pytest.raises(Refused, match="Another limit of this person waits"):
        services.propose_limit(actors.adam(), otto, per_order=None, per_day=None, reason="x")
    assert queries.hands_of(actors.otto()).used == {}
    services.refuse_limit(actors.adam(), found.id, reason="Too low.")
    services.propose_limit(actors.ada(), otto, per_order=euros(1), per_day=None, reason="x")
    services.withdraw_limit(actors.ada(), queries.limits_page(actors.ada()).open[0].id)
    assert [each.state.value for each in queries.limits_page(actors.nuria()).history] == ["withdrawn", "refused"]


# --- by form --------------------------------------------------------------------------------------------------------


def test_circuit_and_limit_are_proposed_and_decided_by_form(app: Flask, grant: World) -> None:
    otto = actors.otto()
    ada, adam = actors.client_of(app, actors.ada()), actors.client_of(app, actors.adam())
    assert ada.post("/finance/circuit", data={"meets": "prepared/verified"}).status_code == 422
    assert ada.post("/finance/circuit", data={"meets": "authorised/prepared", "reason": "x"}).status_code == 422
    assert ada.post("/finance/circuit", data={"meets": "prepared/verified", "reason": "Few."}).status_code == 303
    assert "You proposed this, so another administrator decides it." in ada.get("/finance/circuit").text
    assert "Decide on another payment circuit" in adam.get("/home").text
    assert adam.post("/finance/circuit/1/refuse", data={"version": "1"}).status_code == 422
    assert adam.post("/finance/circuit/1/confirm", data={"version": "7"}).status_code == 409
    assert adam.post("/finance/circuit/1/confirm", data={"version": "1"}).status_code == 303
    assert "the verifier may also be the initiator" in adam.get("/finance/circuit").text
    assert adam.post("/finance/circuit/9/confirm", data={"version": "1"}).status_code == 404
    asked = {"person": str(otto.user_id), "per_order": "100 000,00", "reason": "Delegation."}
    assert ada.post("/finance/limits", data={**asked, "per_day": "5"}).status_code == 422
    assert ada.post("/finance/limits", data=asked).status_code == 303
    assert "Decide on a limit" in adam.get("/home").text
    assert adam.post("/finance/limits/1/confirm", data={"version": "1"}).status_code == 303
    assert re.search(r"100.000\.00 for one order", adam.get("/finance/limits").text)
    for address in ("/finance/circuit", "/finance/limits", "/finance/stand-ins"):
        assert actors.client_of(app, actors.fin()).get(address).status_code == 200
        assert actors.client_of(app, actors.ana()).get(address).status_code in (403, 404)
        for other in (actors.fin(), otto):
            assert actors.client_of(app, other).post(address, data={"reason": "x"}).status_code == 403


# --- four eyes hold over ... ----------------------------------------------------------------------------------------


def test_four_eyes_hold_over_a_change_of_role_between_two_signatures(grant: World) -> None:
    kim = with_roles("Kim Changes", Role.FINANCE_INITIATOR)
    kim_id = kim.user_id
    assert kim_id is not None
    order_id = prepared(grant, kim)
    with arranging():
        db.session.get_one(RoleGrant, role_of(kim)).ends_before = clock.now()
        factory.role(kim_id, Role.FINANCE_VERIFIER)
    with pytest.raises(Refused, match="You are the initiator of this order"):
        services.verify(with_roles("Kim Changes"), order_id, evidence=SEEN)


def test_four_eyes_hold_over_the_case_of_an_address(app: Flask) -> None:
    """One address is one person, in whatever case it is typed or written."""
    fin = people.person(actors.fin().user_id or uuid4())
    with pytest.raises((Invalid, Refused, Conflict)):
        identity.invite_user(actors.ada(), factory_input(fin.email.upper()))
    for spelled in (fin.email.upper(), fin.email.title()):
        with pytest.raises(IntegrityError, match="email"), arranging():
            db.session.connection().exec_driver_sql(
                "UPDATE user_account SET email = %s WHERE id = %s", (spelled, actors.vera().user_id)
            )


def factory_input(email: str) -> Any:
    from grants.identity.rules import UserInput

    return UserInput(email=email, name="Fin Again", organisation_id=None, roles=(RoleInput(Role.FINANCE_VERIFIER),))


def test_nobody_signs_on_somebody_elses_behalf(grant: World) -> None:
    request_id = request_of(grant)
    behind = actors.vera().user_id
    with pytest.raises(Refused, match="behalf"):
        services.prepare(replace(actors.fin(), on_behalf_of=behind), request_id)
    order_id = services.prepare(actors.fin(), request_id).id
    for deed in (
        lambda: services.change(replace(actors.fin(), on_behalf_of=behind), order_id, amount=euros(1), reason="x"),
        lambda: services.verify(replace(actors.vera(), on_behalf_of=behind), order_id, evidence=SEEN),
        lambda: services.cancel(replace(actors.fin(), on_behalf_of=behind), order_id, reason="x"),
    ):
        with pytest.raises(Refused, match="behalf"):
            deed()
    services.verify(actors.vera(), order_id, evidence=SEEN)
    with pytest.raises(Refused, match="behalf"):
        services.authorise(replace(actors.otto(), on_behalf_of=behind), order_id, evidence=SEEN)
    services.authorise(actors.otto(), order_id, evidence=SEEN)
    amount = get(PaymentOrder, order_id).amount
    with pytest.raises(Refused, match="behalf"):
        services.export(replace(actors.carl(), on_behalf_of=behind), (order_id,), control_total=amount)


# What commands may ask of the acts of payments: nothing that moves money.
ASKED_BY_COMMANDS = {"backup.py": {"compare"}, "doctor.py": {"unknown_files"}}


def test_no_command_and_no_interface_for_programs_moves_money(app: Flask) -> None:
    """What there is beside the pages reads: a command or an API that comes later must go by the same acts, and be named here."""
    root = Path(services.__file__).parents[2]
    for file in sorted((root / "cli").glob("**/*.py")):
        tree, lent = ast.parse(file.read_text()), set()
        for node in ast.walk(tree):
            named = [getattr(node, "module", "") or "", *(each.name for each in getattr(node, "names", ()))]
            assert not any("payments.services" in str(each) for each in named), file
            if isinstance(node, ast.ImportFrom) and node.module == "grants.payments":
                assert {each.name for each in node.names} <= {"queries", "rules", "services"}, file
                lent |= {each.asname or each.name for each in node.names if each.name == "services"}
        asked = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in lent
        }
        assert asked == ASKED_BY_COMMANDS.get(file.name, set()), file
    assert not (root / "api").exists()
    assert {rule.endpoint.split(".")[0] for rule in app.url_map.iter_rules() if rule.rule.startswith("/api")} == set()


# --- small things of the readers ------------------------------------------------------------------------------------


def stopped(grant: World, by: Actor) -> UUID:
    request_id = request_of(grant)
    services.prepare(actors.fin(), request_id, amount=euros(1_000))
    services.suspend(by, request_id, reason=SuspensionReason.NOT_DUE, notice="Wait.")
    return request_id


def test_an_initiator_does_not_lift_what_the_authorising_officer_suspended(grant: World) -> None:
    request_id = stopped(grant, actors.otto())
    for initiator in (actors.fin(), with_roles("Ivo Third", Role.FINANCE_INITIATOR)):
        with pytest.raises(Refused, match="so an authorising officer lifts it"):
            services.lift(initiator, request_id, reason="Go on.")
    services.lift(with_roles("Ona Officer", Role.AUTHORISING_OFFICER), request_id, reason="Go on.")


def test_who_initiated_a_payment_lifts_only_their_own_suspension(grant: World) -> None:
    third = with_roles("Ivo Third", Role.FINANCE_INITIATOR)
    request_id = stopped(grant, third)
    with pytest.raises(Refused, match="a third person lifts it"):
        services.lift(actors.fin(), request_id, reason="Go on.")
    services.lift(with_roles("Ida Fourth", Role.FINANCE_INITIATOR), request_id, reason="Go on.")
    services.suspend(actors.fin(), request_id, reason=SuspensionReason.NOT_DUE, notice="Wait again.")
    services.lift(actors.fin(), request_id, reason="It was a mistake.")


def test_who_entered_an_account_does_not_send_money_to_it_and_who_confirmed_it_may(grant: World) -> None:
    kim = with_roles("Kim Changes", Role.FINANCE_INITIATOR)
    kim_id = kim.user_id
    assert kim_id is not None
    replace_account(grant, entered_by=kim_id, confirmed_by=actors.carl().user_id)
    with arranging():
        db.session.get_one(RoleGrant, role_of(kim)).ends_before = clock.now()
        factory.role(kim_id, Role.ACCOUNTING_OFFICER)
    order_id = prepared(grant)
    services.verify(actors.vera(), order_id, evidence=SEEN)
    services.authorise(actors.otto(), order_id, evidence=SEEN)
    kim = with_roles("Kim Changes")
    with pytest.raises(Refused, match="not yours to send or to book"):
        services.export(kim, (order_id,), control_total=euros(210_000))
    assert "not yours to send" in (line_of(kim).locked or "")
    services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    with pytest.raises(IntegrityError, match="does not send it"), arranging():
        db.session.connection().exec_driver_sql(
            "UPDATE payment_order SET sent_by = %s WHERE id = %s", (kim.user_id, order_id)
        )


# --- absences -------------------------------------------------------------------------------------------------------


def test_the_doctor_says_whose_absence_stops_a_payment_that_is_due(grant: World) -> None:
    order_id = prepared(grant)
    with arranging():
        db.session.get_one(PaymentOrder, order_id).due_on = clock.in_zone(clock.now()).date()
    reference = get(PaymentOrder, order_id).reference

    told = queries.absences(clock.now())
    assert [sentence.split(",")[0] for sentence in told] == [
        "If Carl Accountant is away",
        "If Otto Authoriser is away",
        "If Vera Verifier is away",
    ]
    assert reference in told[0] and "appoint a stand-in" in told[0]

    stands_in(with_roles("Pat Standin"), actors.vera())
    assert not any("Vera" in sentence for sentence in queries.absences(clock.now()))

    with arranging():
        db.session.get_one(RoleGrant, role_of(actors.otto())).ends_before = clock.now()
    grave = queries.absences(clock.now())[0]
    assert grave.startswith(f"Nobody can authorise {reference}, due ") and "nobody holds the role then" in grave


def test_the_doctor_knows_who_is_kept_from_a_payment(grant: World) -> None:
    replace_account(grant, confirmed_by=actors.vera().user_id)
    order_id = prepared(grant)
    with arranging():
        db.session.get_one(PaymentOrder, order_id).due_on = clock.in_zone(clock.now()).date()
    assert "all who hold the role are kept from it" in queries.absences(clock.now())[0]
    with_roles("Vic Second", Role.FINANCE_VERIFIER)
    assert "Nobody" not in "".join(queries.absences(clock.now()))
