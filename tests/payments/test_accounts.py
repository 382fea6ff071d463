"""A payee's account from its document to the payment: who may enter and confirm, what is refused, who is told, how long it waits."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from grants.agreements import queries as agreements
from grants.agreements import services as agreeing
from grants.agreements.models import BankAccount, Grant
from grants.agreements.rules import PayeeAddress, WaitingRule
from grants.agreements.states import BankAccountState, CheckChannel, PayeeMatch
from grants.core import clock
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.errors import Invalid, NeedsFreshSignIn, NotAllowed, NotFound, Refused
from grants.core.jobs import Job
from grants.core.money import euros
from grants.core.permissions import Actor
from grants.evaluation import services as evaluation
from grants.identity import queries as identity
from grants.identity.models import User
from grants.identity.policy import Role
from grants.payments import queries, services
from grants.payments.models import PaymentOrder
from grants.payments.rules import DecisionInput
from grants.programmes.models import Programme
from tests import actors
from tests.agreements.accounts import ADDRESS, called_back, confirm, document, enter, given
from tests.awards.at_once import at_once
from tests.factories.applications import PDF
from tests.payments.world import IBAN, SEEN, World, forge
from tests.payments.world import world as another_grant
from tests.servers import Cluster
from tests.shut import shuts
from tests.statements import statements

pytestmark = pytest.mark.usefixtures("app")

# The world’s account has a Belgian number, the new one a Greek one.
OTHER_IBAN, THIRD_IBAN = "GR1601101250000000012300695", "FR7630006000011234567890189"
NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)
TODAY = date(2024, 8, 1)


@pytest.fixture(autouse=True)
def _now(app: Flask) -> Any:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(NOW):
        yield


def history(grant: World) -> tuple[Any, ...]:
    db.session.rollback()
    return agreements.accounts(grant.city_id)


def changed(grant: World, *, by: Actor | None = None, confirmed_by: Actor | None = None) -> UUID:
    """The city's account is changed to another one, and confirmed; its id."""
    enter(by or actors.ana(), grant.grant_id, OTHER_IBAN)
    return confirm(confirmed_by or actors.carl(), grant.grant_id, grant.city_id).id


def prepared(grant: World) -> UUID:
    request = services.open_prefinancing(actors.program(), grant.grant_id)
    assert request is not None
    services.decide(actors.otto(), request.id, DecisionInput(euros(240_000), "As agreed."))
    return services.prepare(actors.fin(), request.id).id


def wait(grant: World, days: int, marked_days: int = 14) -> None:
    """The programme lays down that accounts confirmed from today on wait so many days."""
    programme_id = db.session.scalars(select(Programme.id)).one()
    rule = WaitingRule(TODAY, days, marked_days, "A smuggled change is noticed.")
    agreeing.lay_down_waiting(actors.ingrid(), programme_id, rule)


# --- Entering


@pytest.mark.parametrize(
    ("iban", "kept"),
    [
        ("GR1601101250000000012300696", None),
        ("GR160110125000000001230069", None),
        ("gr1601101250000000012300695", OTHER_IBAN),
        ("GR16 0110 1250 0000 0001 2300 695", OTHER_IBAN),
        ("GR16O110125000000001230069Ο", None),
    ],
    ids=["check digits", "too short", "small letters", "spaces", "Cyrillic"],
)
def test_an_iban_is_taken_in_one_form_or_refused_beside_its_field(grant: World, iban: str, kept: str | None) -> None:
    if kept:
        enter(actors.ana(), grant.grant_id, iban)
        assert history(grant)[0].iban == kept
    else:
        with pytest.raises(Invalid) as refusal:
            enter(actors.ana(), grant.grant_id, iban)
        assert set(refusal.value.problems) == {"iban"}
        assert len(history(grant)) == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"holder": " "}, "holder"),
        ({"holder": "x" * 141}, "holder"),
        ({"bic": "GKCC"}, "bic"),
        ({"evidence_on": None}, "evidence_on"),
        ({"evidence_on": TODAY + timedelta(days=1)}, "evidence_on"),
        ({"evidence_on": TODAY - timedelta(days=367)}, "evidence_on"),
        ({"address": PayeeAddress("", "GR")}, "town"),
        ({"address": PayeeAddress("123", "GR")}, "town"),
        ({"address": PayeeAddress("x" * 36, "GR")}, "town"),
        ({"address": PayeeAddress("Neochóra", "")}, "country_code"),
        ({"address": PayeeAddress("Neochóra", "ZZ")}, "country_code"),
        ({"address": PayeeAddress("Neochóra", "GR", building="x" * 17)}, "building"),
    ],
)
def test_what_is_wrong_with_an_account_is_said_beside_its_field(
    grant: World, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        enter(actors.ana(), grant.grant_id, OTHER_IBAN, **wrong)

    assert set(refusal.value.problems) == {field}
    assert len(history(grant)) == 1


def test_an_account_without_its_document_is_refused_with_all_else_that_is_wrong(grant: World) -> None:
    with pytest.raises(Invalid) as refusal:
        agreeing.enter_account(actors.ana(), grant.grant_id, given("nothing"))

    assert set(refusal.value.problems) == {"iban", "file"}


def test_the_eu_spelling_of_a_country_is_kept_as_iso_writes_it(grant: World) -> None:
    enter(actors.ana(), grant.grant_id, OTHER_IBAN, address=PayeeAddress("Athina", "el"))

    assert history(grant)[0].address == PayeeAddress("Athina", "GR")


def test_the_city_enters_its_own_account_and_the_initiator_that_of_a_partner(grant: World) -> None:
    with pytest.raises(Refused, match="your own organisation"):
        enter(actors.ana(), grant.grant_id, OTHER_IBAN, organisation_id=grant.agency_id)
    with pytest.raises(Refused, match="no beneficiary"):
        enter(actors.fin(), grant.grant_id, OTHER_IBAN, organisation_id=actors.organisation("Elsewhere"))

    enter(actors.fin(), grant.grant_id, OTHER_IBAN, organisation_id=grant.agency_id)
    confirm(actors.carl(), grant.grant_id, grant.agency_id)

    (account,) = agreements.accounts(grant.agency_id)
    assert (account.state, account.iban) == (BankAccountState.CONFIRMED, OTHER_IBAN)
    assert [each.state for each in history(grant)] == [BankAccountState.CONFIRMED]


def test_nobody_else_enters_and_nobody_without_a_fresh_sign_in(grant: World) -> None:
    for person in (actors.vera, actors.carl, actors.otto, actors.pia, actors.nuria):
        with pytest.raises(NotAllowed):
            enter(person(), grant.grant_id, OTHER_IBAN)
    for deed in (
        lambda stale: agreeing.enter_account(stale, grant.grant_id, given(OTHER_IBAN), document()),
        lambda stale: agreeing.confirm_account(stale, grant.grant_id, grant.account_id, called_back()),
        lambda stale: agreeing.refuse_account(stale, grant.grant_id, grant.account_id, reason="No."),
    ):
        with pytest.raises((NeedsFreshSignIn, NotAllowed)):
            deed(actors.actor(actors.ana().user_id, fresh=False))
    with pytest.raises(NeedsFreshSignIn):
        agreeing.confirm_account(
            actors.actor(actors.person("Carl Accountant"), fresh=False), grant.grant_id, grant.account_id, called_back()
        )


# --- Confirming


def test_who_entered_never_confirms_over_a_change_of_role_and_by_the_database_too(grant: World) -> None:
    fin = actors.fin()
    enter(fin, grant.grant_id, OTHER_IBAN)
    assert fin.user_id is not None
    both = actors.give(fin.user_id, Role.FINANCE_VERIFIER, "everywhere", None)

    with pytest.raises(Refused, match="another person"):
        confirm(both, grant.grant_id, grant.city_id)
    waits = history(grant)[0]
    with pytest.raises(IntegrityError, match="two_people"), arranging():
        row = get(BankAccount, waits.id)
        row.confirmed_by, row.confirmed_at, row.channel, row.checked_on = fin.user_id, NOW, "letter", TODAY
        row.evidence, row.payee_match = "Letter", "not_possible"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"channel": None}, "channel"),
        ({"checked_on": None}, "checked_on"),
        ({"checked_on": TODAY + timedelta(days=1)}, "checked_on"),
        ({"checked_on": TODAY - timedelta(days=1)}, "checked_on"),
        ({"note": " "}, "note"),
        ({"match": None, "matched_on": None}, "match"),
        ({"match": PayeeMatch.CLOSE_MATCH}, "match_name"),
        ({"matched_on": None}, "matched_on"),
        ({"matched_on": TODAY + timedelta(days=1)}, "matched_on"),
    ],
)
def test_a_check_that_says_too_little_confirms_nothing(grant: World, wrong: dict[str, Any], field: str) -> None:
    enter(actors.ana(), grant.grant_id, OTHER_IBAN)

    with pytest.raises(Invalid) as refusal:
        confirm(actors.carl(), grant.grant_id, grant.city_id, **wrong)

    assert set(refusal.value.problems) == {field}
    assert history(grant)[0].state is BankAccountState.PROPOSED


def test_an_account_that_is_not_the_holders_cannot_be_confirmed_and_says_so_once_refused(grant: World) -> None:
    enter(actors.ana(), grant.grant_id, OTHER_IBAN)

    with pytest.raises(Refused, match="not the holder"):
        confirm(actors.carl(), grant.grant_id, grant.city_id, match=PayeeMatch.NO_MATCH)
    agreeing.refuse_account(
        actors.carl(), grant.grant_id, history(grant)[0].id, reason="The bank names a person.", no_match=True
    )

    row = history(grant)[0]
    assert (row.state, row.match, row.end_reason) == (
        BankAccountState.REFUSED,
        PayeeMatch.NO_MATCH,
        "The bank names a person.",
    )
    with pytest.raises(Invalid, match="reason"):
        agreeing.refuse_account(actors.carl(), grant.grant_id, row.id, reason=" ")
    with pytest.raises(IntegrityError, match="no_match_not_confirmed"), arranging():
        db.session.add(_whole(grant, payee_match="no_match"))


def _whole(grant: World, **changed: Any) -> BankAccount:
    values: dict[str, Any] = {
        "organisation_id": grant.agency_id, "holder": "Agency", "iban": OTHER_IBAN, "town": "Northbridge",
        "country_code": "PL", "state": "confirmed", "entered_by": actors.fin().user_id, "entered_at": NOW,
        "evidence_on": TODAY, "confirmed_by": actors.carl().user_id, "confirmed_at": NOW, "evidence": "Letter",
        "channel": "letter", "checked_on": TODAY, "payee_match": "not_possible",
    }  # fmt: skip
    return BankAccount(**values | changed)


@pytest.mark.parametrize(
    ("missing", "constraint"),
    [
        ({"evidence_on": None}, "entered_whole"),
        ({"town": None}, "entered_whole"),
        ({"channel": None}, "checked_whole"),
        ({"checked_on": None}, "checked_whole"),
        ({"payee_match": None}, "checked_whole"),
        ({"payee_match": "close_match"}, "close_match_has_name"),
        ({"payee_match": "match"}, "match_has_day"),
        ({"state": "replaced"}, "ended_has_time"),
    ],
)
def test_the_database_takes_no_account_that_lacks_a_part(
    grant: World, missing: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint), arranging():
        db.session.add(_whole(grant, **missing))


def test_an_account_of_before_evidence_was_asked_for_stands_and_can_be_replaced(grant: World) -> None:
    with arranging():
        row, fin = get(BankAccount, grant.account_id), actors.fin()
        row.state, row.ended_by, row.ended_at = "replaced", fin.user_id, NOW
        db.session.flush()
        db.session.add(
            _whole(
                grant,
                organisation_id=grant.city_id,
                asks_evidence=False,
                evidence_on=None,
                town=None,
                country_code=None,
                channel=None,
                checked_on=None,
                payee_match=None,
            )
        )

    enter(actors.ana(), grant.grant_id, IBAN)
    confirm(actors.carl(), grant.grant_id, grant.city_id)
    assert [each.state.value for each in history(grant)].count("confirmed") == 1


def test_replaced_accounts_stay_with_who_when_and_how_each_was_checked(grant: World) -> None:
    enter(actors.ana(), grant.grant_id, THIRD_IBAN)
    changed(grant)

    # All three were entered at one moment, so what tells them apart is who ended each.
    found = {each.ended_by_name: each for each in history(grant)}
    now, waited, before = (found.pop(who) for who in (None, "Ana Kowalska", "Carl Accountant"))
    assert found == {}
    assert (now.state, now.channel, now.match, now.address) == (
        BankAccountState.CONFIRMED,
        CheckChannel.CALL_BACK,
        PayeeMatch.MATCH,
        ADDRESS,
    )
    assert (waited.state, waited.ended_by_name, waited.ended_at) == (BankAccountState.REPLACED, "Ana Kowalska", NOW)
    assert "before this one was confirmed" in (waited.end_reason or "")
    assert (before.state, before.ended_by_name, before.ended_at) == (BankAccountState.REPLACED, "Carl Accountant", NOW)


# --- Who is told


def told() -> list[tuple[str, dict[str, Any]]]:
    rows = db.session.scalars(
        select(Job.args)
        .where(Job.name == "jobs.mail.send", Job.args["template"].astext == "bank_account_changed")
        .order_by(Job.number)
    )
    return [(identity.person(UUID(each["user_id"])).name, each["context"]) for each in rows]


def test_the_payee_and_the_finance_people_are_told_of_each_change_and_never_the_whole_number(grant: World) -> None:
    enter(actors.ana(), grant.grant_id, OTHER_IBAN)
    entered = told()
    agreeing.refuse_account(actors.carl(), grant.grant_id, history(grant)[0].id, reason="The holder is a person.")
    refused = told()[len(entered) :]
    before = len(told())
    changed(grant)

    finance = {"Fin Initiator", "Vera Verifier", "Otto Authoriser", "Carl Accountant"}
    assert {name for name, _ in entered} >= finance | {"Ana Kowalska"}
    assert "Carl Accountant" not in {name for name, _ in refused} and "Vera Verifier" in {name for name, _ in refused}
    assert {context["what"] for _, context in told()[before:]} == {"entered", "confirmed"}
    assert OTHER_IBAN not in str(told())
    for name, context in told():
        person = db.session.scalars(select(User.id).where(User.name == name)).one()
        mail = identity.rendered_mail(person, "bank_account_changed", context)
        assert "GR16 •••• 0695" in mail.text and OTHER_IBAN not in mail.text.replace(" ", "")


def test_the_same_number_at_two_organisations_is_said_to_finance_and_not_to_the_payee(grant: World) -> None:
    enter(actors.fin(), grant.grant_id, IBAN, organisation_id=grant.agency_id)

    said = {name: context["shared"] for name, context in told()}
    assert "Municipality of Northbridge" in said["Vera Verifier"]
    assert said.get("Ana Kowalska", "") == ""
    order = queries.order(actors.otto(), get(PaymentOrder, prepared(grant)).reference)
    assert order.account.shared == "The same IBAN is the account of Energy Agency of Northbridge too."


# --- Waiting, age and marks


def test_an_account_confirmed_just_now_is_authorised_to_only_after_its_days(grant: World) -> None:
    wait(grant, 5)
    changed(grant)
    order_id = prepared(grant)
    services.verify(actors.vera(), order_id, evidence=SEEN)

    shown = queries.order(actors.otto(), get(PaymentOrder, order_id).reference)
    assert shown.account.waits_until == date(2024, 8, 6)
    assert "from 6 August 2024" in (queries.lock_of(actors.otto(), shown, queries.hands_of(actors.otto())) or "")
    with clock.at(NOW + timedelta(days=4)), pytest.raises(Refused, match="from 6 August 2024"):
        services.authorise(actors.otto(), order_id, evidence=SEEN)
    with clock.at(NOW + timedelta(days=5)):
        assert services.authorise(actors.otto(), order_id, evidence=SEEN).state.value == "authorised"


def test_an_authorised_order_does_not_leave_while_its_account_waits(
    grant: World, postgres: Cluster, database: str
) -> None:
    """Whatever way it was authorised, the file is held too."""
    wait(grant, 5)
    account_id = changed(grant)
    order_id = prepared(grant)
    vera, otto = actors.vera().user_id, actors.otto().user_id
    forge(
        postgres,
        database,
        f"UPDATE payment_order SET state = 'authorised', verified_by = '{vera}', authorised_by = '{otto}' "
        f"WHERE id = '{order_id}'",
    )
    assert get(PaymentOrder, order_id).bank_account_id == account_id

    with pytest.raises(Refused, match="from 6 August 2024"):
        services.export(actors.carl(), (order_id,), control_total=get(PaymentOrder, order_id).amount)


def test_a_fault_in_the_check_of_the_days_authorises_nothing(grant: World, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = prepared(grant)
    services.verify(actors.vera(), order_id, evidence=SEEN)
    monkeypatch.setattr("grants.agreements.rules.refuse_waiting", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        services.authorise(actors.otto(), order_id, evidence=SEEN)
    db.session.rollback()
    assert get(PaymentOrder, order_id).state == "verified"


def test_a_rule_holds_for_accounts_confirmed_from_its_day_on(grant: World) -> None:
    changed(grant)
    with clock.at(NOW + timedelta(days=1)):
        programme_id = db.session.scalars(select(Programme.id)).one()
        rule = WaitingRule(TODAY + timedelta(days=1), 30, 0, "Longer from now on.")
        agreeing.lay_down_waiting(actors.ingrid(), programme_id, rule)
        order_id = prepared(grant)
        services.verify(actors.vera(), order_id, evidence=SEEN)
        services.authorise(actors.otto(), order_id, evidence=SEEN)


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (WaitingRule(TODAY, -1, 0, "Why"), "days"),
        (WaitingRule(TODAY, 91, 0, "Why"), "days"),
        (WaitingRule(TODAY, 0, 91, "Why"), "marked_days"),
        (WaitingRule(TODAY - timedelta(days=1), 1, 1, "Why"), "starts_on"),
        (WaitingRule(TODAY, 1, 1, " "), "reason"),
    ],
)
def test_a_rule_that_cannot_stand_is_refused(grant: World, rule: WaitingRule, field: str) -> None:
    programme_id = db.session.scalars(select(Programme.id)).one()
    with pytest.raises(Invalid) as refusal:
        agreeing.lay_down_waiting(actors.ingrid(), programme_id, rule)

    assert set(refusal.value.problems) == {field}
    with pytest.raises(NotAllowed):
        agreeing.lay_down_waiting(actors.fin(), programme_id, WaitingRule(TODAY, 1, 1, "Why"))


def test_a_manager_of_one_call_lays_down_nothing_and_a_shorter_wait_frees_no_account_of_today(grant: World) -> None:
    programme_id = db.session.scalars(select(Programme.id)).one()
    somebody = actors.person("Cara Call")
    of_a_call = actors.give(somebody, Role.PROGRAMME_MANAGER, "call", get(Grant, grant.grant_id).call_id)
    with pytest.raises(NotFound):
        agreeing.lay_down_waiting(of_a_call, programme_id, WaitingRule(TODAY, 30, 1, "Why"))
    with pytest.raises(NeedsFreshSignIn):
        stale = replace(actors.ingrid(), fresh=False)
        agreeing.lay_down_waiting(stale, programme_id, WaitingRule(TODAY, 30, 1, "Why"))

    wait(grant, 7)
    with pytest.raises(Invalid) as refusal:
        wait(grant, 0)
    assert "begin tomorrow or later" in refusal.value.problems["starts_on"]
    wait(grant, 9)
    agreeing.lay_down_waiting(actors.ingrid(), programme_id, WaitingRule(TODAY + timedelta(days=1), 0, 1, "Fewer."))


def test_the_age_of_an_account_is_said_in_words_and_a_change_before_an_order_is_marked(grant: World) -> None:
    wait(grant, 0)
    first = queries.order(actors.otto(), get(PaymentOrder, prepared(grant)).reference)
    changed(grant)
    with clock.at(NOW + timedelta(days=3)):
        services.change(actors.fin(), first.id, amount=first.amount, reason="The account was changed.")
        marked = queries.order(actors.otto(), first.reference)

    assert (first.account.age, first.account.paid, first.account.changed) == (
        "confirmed on 2 May 2023",
        "never paid to",
        "",
    )
    assert (marked.account.age, marked.account.paid) == ("confirmed 3 days ago", "never paid to")
    assert "changed" in marked.account.changed


def test_how_often_an_account_was_paid_is_said(grant: World) -> None:
    order_id = prepared(grant)
    services.verify(actors.vera(), order_id, evidence=SEEN)
    services.authorise(actors.otto(), order_id, evidence=SEEN)
    services.export(actors.carl(), (order_id,), control_total=get(PaymentOrder, order_id).amount)
    services.execute(actors.carl(), order_id, value_on=TODAY)

    account = queries.order(actors.otto(), get(PaymentOrder, order_id).reference).account
    assert account.paid == "paid once, on 1 August 2024"
    assert queries.payments_to(agreements.accounts(grant.city_id)) == {grant.account_id: "paid once, on 1 August 2024"}


# --- Approving


def test_the_database_lets_nobody_approve_a_payment_to_an_account_of_their_own_making(grant: World) -> None:
    order_id = prepared(grant)
    for column, maker in (("verified_by", actors.carl()), ("authorised_by", actors.carl())):
        with pytest.raises(IntegrityError, match="neither verifies nor authorises"), arranging():
            setattr(get(PaymentOrder, order_id), column, maker.user_id)
        db.session.rollback()


def test_confirming_another_account_and_authorising_at_one_moment_never_pay_the_old_one(grant: World) -> None:
    order_id = prepared(grant)
    services.verify(actors.vera(), order_id, evidence=SEEN)
    enter(actors.ana(), grant.grant_id, OTHER_IBAN)
    waits = agreements.proposed_account(grant.city_id)
    assert waits is not None
    carl, otto = actors.carl(), actors.otto()

    found = at_once(
        lambda: agreeing.confirm_account(carl, grant.grant_id, waits.id, called_back()),
        lambda: services.authorise(otto, order_id, evidence=SEEN),
    )

    assert found in (["Refused", "done"], ["done", "done"])
    assert [each.iban for each in history(grant) if each.state is BankAccountState.CONFIRMED] == [OTHER_IBAN]
    amount = get(PaymentOrder, order_id).amount
    with pytest.raises(Refused):
        services.export(actors.carl(), (order_id,), control_total=amount)


def test_two_accounts_entered_through_two_grants_at_one_moment_leave_one_that_waits(grant: World) -> None:
    with clock.at(NOW):
        other = another_grant(2)
    ana, papers = actors.ana(), [document(PDF + bytes([each])) for each in b"12"]

    found = at_once(
        lambda: agreeing.enter_account(ana, grant.grant_id, given(OTHER_IBAN), papers[0]),
        lambda: agreeing.enter_account(ana, other.grant_id, given(OTHER_IBAN), papers[1]),
    )

    assert found == ["done", "done"]
    assert [each.state for each in history(grant)].count(BankAccountState.PROPOSED) == 1


# --- The document


@shuts("agreements.account_evidence")
def test_the_document_is_opened_on_the_record_and_by_nobody_else(app: Flask, grant: World) -> None:
    enter(actors.ana(), grant.grant_id, OTHER_IBAN)
    enter(actors.fin(), grant.grant_id, THIRD_IBAN, organisation_id=grant.agency_id)
    (kept,) = agreements.payee_accounts(grant.city_id, grant.call_id).files.values()
    address = f"/grants/{grant.reference}/account/evidence/{kept[0].sha256}"

    for person in (actors.ana(), actors.fin(), actors.vera(), actors.otto(), actors.carl(), actors.nuria()):
        answer = actors.client_of(app, person).get(address)
        assert (answer.status_code, answer.data) == (200, PDF)
        assert answer.headers["Content-Disposition"].startswith("attachment")
        answer.close()
    assert db.session.scalars(select(AuditEvent.verb).where(AuditEvent.verb == "bank_account.open_evidence")).all()
    for stranger in (actors.eva(), actors.pia(), actors.ada(), actors.marek()):
        assert actors.client_of(app, stranger).get(address).status_code in (403, 404)
    with pytest.raises(NotFound):
        agreeing.open_account_evidence(actors.fin(), grant.grant_id, "0" * 64)
    evaluation.declare_in_office(actors.vera(), grant.application_id, "My sister leads it.")
    assert actors.client_of(app, actors.vera()).get(address).status_code == 404


HOSTILE = [
    (b"<html><script>alert(1)</script></html>", "letter.pdf"),
    (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "letter.svg"),
    (b"MZ\x90\x00", "letter.pdf"),
    (b"IBAN,BE68", "letter.csv"),
    (b"", "letter.pdf"),
]


@pytest.mark.parametrize(("data", "name"), HOSTILE, ids=["html", "svg", "program", "csv", "empty"])
def test_a_hostile_document_is_refused_beside_its_field_and_what_was_typed_stays(
    app: Flask, grant: World, data: bytes, name: str
) -> None:
    page = _sent(app, grant, 422, file=_upload(data, name))

    assert "Cool Holder" in page and OTHER_IBAN in page and 'id="file-error"' in page
    assert len(history(grant)) == 1


def test_words_in_the_place_of_the_document_are_none(app: Flask, grant: World) -> None:
    assert 'id="file-error"' in _sent(app, grant, 422, file="letter.pdf")


def test_a_name_that_climbs_out_is_only_a_name(app: Flask, grant: World) -> None:
    _sent(app, grant, 303, file=_upload(PDF, "../../etc/letter of the bank.pdf"))

    (kept,) = agreements.payee_accounts(grant.city_id, grant.call_id).files.values()
    assert "/" not in kept[0].name


def _upload(data: bytes, name: str) -> Any:
    return io.BytesIO(data), name


def _sent(app: Flask, grant: World, status: int, **changed: Any) -> str:
    typed = {
        "payee": str(grant.city_id), "holder": "Cool Holder", "iban": OTHER_IBAN, "town": "Northbridge",
        "country_code": "PL", "evidence_on": "1 August 2024",
    }  # fmt: skip
    answer = actors.client_of(app, actors.ana()).post(f"/grants/{grant.reference}/account", data=typed | changed)
    assert answer.status_code == status, answer.text
    return answer.text


# --- Pages


def test_each_person_sees_on_the_page_what_is_theirs(app: Flask, grant: World) -> None:
    wait(grant, 7)
    enter(actors.ana(), grant.grant_id, OTHER_IBAN)
    enter(actors.fin(), grant.grant_id, IBAN, organisation_id=grant.agency_id)
    page = f"/grants/{grant.reference}/account"

    def seen(person: Actor, address: str = page, status: int = 200) -> str:
        answer = actors.client_of(app, person).get(address)
        assert answer.status_code == status
        return answer.text

    verifier = seen(actors.vera())
    assert "GR16 0110 1250 0000 0001 2300 695" in verifier and "Confirm this account" in verifier
    assert "The same IBAN is the account of Energy Agency of Northbridge too." in verifier
    assert "confirmed on 2 May 2023" in verifier and "never paid to" in verifier and "waits 7 days" in verifier
    auditor = seen(actors.nuria())
    assert "GR16 0110" not in auditor and "GR16 •••• 0695" in auditor and "Enter the account" not in auditor
    city = seen(actors.ana())
    assert "Energy Agency of Northbridge too" not in city and "GR16 0110 1250 0000 0001 2300 695" in city
    assert "account of a partner" in seen(actors.vera(), f"{page}/2")
    seen(actors.vera(), f"{page}/3", 404)
    seen(actors.ana(), f"{page}/2", 404)
    seen(actors.eva(), page, 403)


def test_confirming_by_the_page_keeps_what_was_typed_until_it_is_right(app: Flask, grant: World) -> None:
    enter(actors.ana(), grant.grant_id, OTHER_IBAN)
    browser, page = actors.client_of(app, actors.carl()), f"/grants/{grant.reference}/account"
    typed = {
        "account_id": str(history(grant)[0].id), "channel": "register", "checked_on": "1 August 2024",
        "note": "Compared in the register.", "match": "close_match",
    }  # fmt: skip

    wrong = browser.post(f"{page}/confirm", data=typed)
    assert wrong.status_code == 422 and "Compared in the register." in wrong.text
    assert "letter by letter" in wrong.text and "Enter the day of the bank’s answer" in wrong.text
    more = {"match_name": "Neochora", "matched_on": "1 August 2024"}
    assert browser.post(f"{page}/confirm", data=typed | more).status_code == 303
    assert history(grant)[0].match_name == "Neochora"


def test_the_waiting_time_is_laid_down_by_the_manager_on_its_page(app: Flask, grant: World) -> None:
    slug = db.session.scalars(select(Programme.slug)).one()
    typed = {"programme": slug, "days": "6", "marked_days": "10", "starts_on": "1 August 2024", "reason": "To notice."}
    manager = actors.client_of(app, actors.ingrid())

    wrong = manager.post("/payee-accounts", data=typed | {"days": "95"})
    assert wrong.status_code == 422 and "between 0 and 90" in wrong.text and "To notice." in wrong.text
    assert manager.post("/payee-accounts", data=typed).status_code == 303
    read = actors.client_of(app, actors.carl()).get("/payee-accounts").text
    assert "wait 6 days" in read and "Lay it down" not in read and "Ingrid Manager" in read
    assert actors.client_of(app, actors.fin()).post("/payee-accounts", data=typed).status_code == 403


def test_who_signs_reads_on_the_order_how_old_the_account_is(app: Flask, grant: World) -> None:
    wait(grant, 5)
    changed(grant)
    order = get(PaymentOrder, prepared(grant)).reference
    services.verify(actors.vera(), get(PaymentOrder, queries.order_id_of(actors.vera(), order)).id, evidence=SEEN)

    page = actors.client_of(app, actors.otto()).get(f"/finance/orders/{order}").text
    assert "confirmed today, never paid to" in page and "can be paid to from 6 August 2024" in page
    assert "Verification of payee: Match" in page and "Neochóra" in page
    assert "changed shortly before this order" in actors.client_of(app, actors.otto()).get("/finance/approvals").text


def test_the_page_of_accounts_asks_no_more_with_many_accounts(app: Flask, grant: World) -> None:
    def asked() -> int:
        browser = actors.client_of(app, actors.vera())
        with statements() as found:
            assert browser.get(f"/grants/{grant.reference}/account").status_code == 200
        return len(found)

    enter(actors.ana(), grant.grant_id, OTHER_IBAN)
    few = asked()
    for iban in (THIRD_IBAN, OTHER_IBAN, THIRD_IBAN):
        enter(actors.ana(), grant.grant_id, iban)
        confirm(actors.carl(), grant.grant_id, grant.city_id)
    enter(actors.ana(), grant.grant_id, OTHER_IBAN)

    assert asked() == few <= 10
