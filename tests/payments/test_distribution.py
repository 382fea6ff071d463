"""What a coordinator received for its partners and passed on: reported, confirmed by another side, taken back with a return."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from grants.agreements.models import Grant
from grants.calls.rules import PassingOn
from grants.calls.states import PassedOnBy
from grants.core import acts, clock
from grants.core.acts import act, arranging
from grants.core.db import db, get
from grants.core.errors import Invalid, NotAllowed, Problems, Refused
from grants.core.jobs import Job
from grants.core.money import ZERO, Money, euros
from grants.core.permissions import Actor, Permission
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger import services as ledger
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry
from grants.oversight.queries import verify_ledger
from grants.payments import queries, services
from grants.payments.models import Distribution, OwnAccount, PaymentOrder
from grants.payments.rules.distribution import Brought, PartnerStand, PassedOnInput, balance_of, closure_words
from grants.payments.services import booking
from grants.payments.services.booking import CameBack, book_returned
from grants.payments.services.closure import closure_problems
from tests import actors
from tests.agreements.accounts import document
from tests.factories import identity as people
from tests.factories.applications import PDF
from tests.payments.test_bank_booking import sent
from tests.payments.test_services import NOW, decided
from tests.payments.world import SEEN, World, agnes, forge, nothing_held
from tests.servers import Cluster
from tests.shut import shuts
from tests.statements import statements

TODAY = NOW.date()
SHARE = euros(70_000)


def paid_order(found: World, order_id: UUID | None = None) -> UUID:
    """The pre-financing, or an order that issues it again, booked by the bank today."""
    if order_id is None:
        order_id = sent(found, request_id=decided(found)).id
    else:
        services.verify(actors.vera(), order_id, evidence=SEEN)
        services.authorise(actors.otto(), order_id, evidence=SEEN)
        services.export(actors.carl(), (order_id,), control_total=get(PaymentOrder, order_id).amount)
    services.execute(actors.carl(), order_id, value_on=clock.in_zone(clock.now()).date())
    return order_id


def held(found: World, account: Account = Account.HELD_BY_COORDINATOR) -> Money:
    return books.balance(account, grant_id=found.grant_id, organisation_id=found.agency_id)


def said(found: World, amount: Money = SHARE, **changed: Any) -> PassedOnInput:
    whole: dict[str, Any] = {
        "organisation_id": found.agency_id,
        "amount": amount,
        "paid_on": TODAY,
        "transfer": "SEPA 77",
        **changed,
    }
    return PassedOnInput(**whole)


def reported(found: World, amount: Money = SHARE, **changed: Any) -> UUID:
    services.report_passed_on(actors.ana(), found.grant_id, said(found, amount, **changed), document())
    return db.session.scalars(select(Distribution.id).order_by(Distribution.number.desc()).limit(1)).one()


def came_back(found: World, order_id: UUID) -> None:
    """The bank returns an order: what its import does, as the accounting officer."""
    _return(actors.carl(), order_id)


@act("test_distribution.return", needs=Permission.BANK_STATEMENT_IMPORT, says="did a thing of the tests")
def _return(actor: Actor, order_id: UUID) -> None:
    acts.reason("As the bank told.")
    order = db.session.get_one(PaymentOrder, order_id)
    grant = db.session.get_one(Grant, order.grant_id)
    own = db.session.scalars(select(OwnAccount.id)).one()
    book_returned(CameBack(order, grant, "MS03", clock.in_zone(clock.now()).date()), own)


def asks_officer(found: World, days: int | None = 30) -> None:
    with arranging():
        row = db.session.get_one(Grant, found.grant_id)
        row.passed_on_by, row.passing_on_days = PassedOnBy.OFFICER.value, days


def right() -> None:
    db.session.rollback()
    assert verify_ledger() == ()


# --- The rules


def test_what_is_held_is_since_the_first_day_whose_money_was_not_passed_on() -> None:
    brought = [Brought(euros(5), date(2024, 5, 1)), Brought(euros(3), date(2024, 6, 1))]
    for gone, since, late in ((0, date(2024, 5, 1), True), (4, date(2024, 5, 1), True), (5, date(2024, 6, 1), False)):
        found = balance_of(UUID(int=1), "A", brought, euros(gone), ZERO, PassingOn(30))
        assert (found.since, found.is_overdue(date(2024, 6, 1))) == (since, late)
    done = balance_of(UUID(int=1), "A", brought, euros(8), ZERO, PassingOn(30))
    assert (done.held, done.since, done.due_on, done.late_words(date(2024, 9, 1))) == (ZERO, None, None, "")
    # The day it came is not counted: after thirty days it is in time still.
    assert balance_of(UUID(int=1), "A", brought, ZERO, ZERO, PassingOn(30)).due_on == date(2024, 5, 31)
    # No number of days in the agreement: never overdue.
    assert not balance_of(UUID(int=1), "A", brought, ZERO, ZERO, PassingOn()).is_overdue(date(2030, 1, 1))


def test_what_stands_against_the_closure_is_what_is_held_above_what_was_waived() -> None:
    for waived, words in ((0, 1), (7, 1), (8, 0), (9, 0)):
        each = balance_of(UUID(int=1), "A", [Brought(euros(8), TODAY)], ZERO, ZERO, PassingOn(), euros(waived))
        assert len(closure_words([each], 0)) == words
    assert closure_words([], 2)[0].startswith("2 reports wait")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["pay", "return", "pass"]), st.integers(1, 100)), max_size=30))
def test_the_memo_accounts_follow_any_life_and_never_fall_below_zero(steps: list[tuple[str, int]]) -> None:
    stand, paid = PartnerStand(), 0
    for what, cents in steps:
        if what == "pass":
            cents = min(cents, stand.held.cents)
            stand = PartnerStand(stand.paid, stand.held - Money(cents), stand.passed_on + Money(cents))
        else:
            cents = cents if what == "pay" else -min(cents, paid)
            paid += cents
            before = stand.and_paid(Money(cents))
            # What is posted moves one way only, and not beyond what the payment moved.
            assert abs(before.off.cents) <= abs(cents) and before.off.cents * cents >= 0
            stand = before.levelled
        assert stand.held >= ZERO and stand.off == ZERO


# --- The books


def test_a_payment_is_held_for_partners_and_passed_on_when_another_side_confirms(grant: World) -> None:
    with clock.at(NOW):
        paid_order(grant)
        assert (held(grant), held(grant, Account.DISTRIBUTED)) == (SHARE, ZERO)
        right()
        distribution_id = reported(grant, euros(50_000))
        assert held(grant) == SHARE
        left = services.confirm_passed_on(agnes(grant), distribution_id)

    assert left == euros(20_000) == held(grant)
    assert held(grant, Account.DISTRIBUTED) == euros(50_000)
    row = get(Distribution, distribution_id)
    assert (row.reference, row.state, row.decided_for) == ("PCP-2022-G-0001-P1", "confirmed", "partner")
    right()
    with clock.at(NOW), pytest.raises(Refused, match="is confirmed"):
        services.confirm_passed_on(agnes(grant), distribution_id)


def test_what_came_back_is_no_longer_held_and_issued_again_is_held_once(grant: World) -> None:
    with clock.at(NOW):
        order_id = paid_order(grant)
        services.confirm_passed_on(agnes(grant), reported(grant, euros(50_000)))
        came_back(grant, order_id)
        # Of what was passed on nothing is taken back: the coordinator paid it out of its own.
        assert (held(grant), held(grant, Account.DISTRIBUTED)) == (ZERO, euros(50_000))
        right()
        again = services.reissue(actors.fin(), order_id)
        paid_order(grant, order_id=again.id)

    assert (held(grant), held(grant, Account.DISTRIBUTED)) == (euros(20_000), euros(50_000))
    right()


def test_a_report_whose_money_came_back_meanwhile_is_not_confirmed(grant: World) -> None:
    with clock.at(NOW):
        order_id = paid_order(grant)
        distribution_id = reported(grant)
        came_back(grant, order_id)
        with pytest.raises(Refused, match="a payment came back since"):
            services.confirm_passed_on(agnes(grant), distribution_id)
        services.refuse_passed_on(agnes(grant), distribution_id, reason="The payment came back.")
    right()


def test_a_transfer_before_the_coordinator_was_paid_counts_from_the_day_it_is_confirmed(grant: World) -> None:
    with clock.at(NOW):
        paid_order(grant)
        services.confirm_passed_on(agnes(grant), reported(grant, paid_on=date(2023, 5, 3)))
    entry = db.session.scalars(select(LedgerEntry).where(LedgerEntry.source_key.like("%:passed_on"))).one()
    assert entry.effective_on == TODAY and "3 May 2023" in entry.description
    right()


def test_payments_from_before_are_taken_up_by_the_first_deed(grant: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with clock.at(NOW):
        with monkeypatch.context() as before:
            before.setattr(booking, "post_paid", lambda given: ledger.post_many([each for _, each in given]))
            paid_order(grant)
        assert held(grant) == ZERO
        right()
        # The page and the closure know it from the payments themselves.
        page = queries.distribution_page(actors.ana(), grant.reference)
        assert [each.held for each in page.balances] == [SHARE]
        assert any(
            "still holds EUR 70\N{NO-BREAK SPACE}000.00" in str(each) for each in closure_problems(grant.grant_id)
        )
        reported(grant, euros(1_000))
        taken = db.session.scalars(select(LedgerEntry).where(LedgerEntry.event == "E23")).one()
        assert held(grant) == SHARE and "before it was kept" in taken.description
        reported(grant, euros(1_000))
        assert held(grant) == SHARE
    right()


def test_what_is_held_stands_against_the_closure_until_it_is_waived(grant: World) -> None:
    with clock.at(NOW):
        paid_order(grant)
        found = closure_problems(grant.grant_id)
        assert [each.message for each in found if each.place == "Distribution to partners"] == [
            "The coordinator still holds EUR 70\N{NO-BREAK SPACE}000.00 for Energy Agency of Northbridge. It passes it on and the partner "
            "confirms it, or an authorising officer waives it with a reason."
        ]
        nothing_held(grant)
        assert not [each for each in closure_problems(grant.grant_id) if each.place == "Distribution to partners"]
        reported(grant, euros(1))
        assert any("1 report waits" in str(each) for each in closure_problems(grant.grant_id))
    # The books stay as they are.
    assert held(grant) == SHARE
    right()


def test_a_waiver_ends_the_reports_nobody_answered_and_tells_why(grant: World) -> None:
    with clock.at(NOW):
        paid_order(grant)
        open_, done = reported(grant, euros(1)), reported(grant, euros(2))
        services.withdraw_passed_on(actors.ana(), done)
        services.waive_distribution(actors.otto(), grant.grant_id, grant.agency_id, reason="The agency is dissolved.")
        assert not [each for each in closure_problems(grant.grant_id) if each.place == "Distribution to partners"]
    row = get(Distribution, open_)
    assert (row.state, row.decide_reason, row.decided_for) == ("refused", "The agency is dissolved.", "programme")
    assert get(Distribution, done).state == "withdrawn"
    mails = [each for each in db.session.scalars(select(Job.args).where(Job.name == "jobs.mail.send"))]
    answers = [each["context"] for each in mails if each["template"] == "passed_on_answered"]
    assert [(each["answer"], each["reason"]) for each in answers] == [("waived", "The agency is dissolved.")]
    # The books stay as they are.
    assert held(grant) == SHARE
    right()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE ledger_leg SET cents = cents - 1 WHERE account = 'M100' AND side = 'debit'",
            "is held in the books; it should be",
        ),
        (
            "UPDATE distribution SET state = 'refused', decide_reason = 'x'",
            "is passed on in the books, EUR 0.00 was confirmed",
        ),
    ],
)
def test_the_books_find_what_was_forged(
    grant: World, postgres: Cluster, database: str, statement: str, words: str
) -> None:
    with clock.at(NOW):
        paid_order(grant)
        services.confirm_passed_on(agnes(grant), reported(grant))
    right()
    forge(postgres, database, statement)
    assert any(words in str(each) for each in verify_ledger())


# --- Who may


def test_nobody_confirms_what_they_reported_nor_for_another_side(grant: World) -> None:
    with clock.at(NOW):
        paid_order(grant)
        distribution_id = reported(grant)
        # The lead, also where she is made a partner; somebody of both; somebody of another organisation.
        ana, both = (
            actors.ana(),
            actors.person("Bo Both", Role.APPLICANT, organisation_name="Energy Agency of Northbridge"),
        )
        assert ana.user_id is not None
        with pytest.raises(NotAllowed):
            services.confirm_passed_on(ana, distribution_id)
        actors.give(ana.user_id, Role.APPLICATION_PARTNER, "application", grant.application_id)
        with pytest.raises(Refused, match="You reported this"):
            services.confirm_passed_on(actors.ana(), distribution_id)
        actors.give(both, Role.APPLICATION_LEAD, "application", grant.application_id)
        with pytest.raises(Refused, match="You act for the coordinator"):
            services.confirm_passed_on(
                actors.give(both, Role.APPLICATION_PARTNER, "application", grant.application_id), distribution_id
            )
        with pytest.raises(Refused, match="only Energy Agency of Northbridge can say"):
            services.confirm_passed_on(actors.marek(), distribution_id)
        # The programme only where the agreement says so.
        with pytest.raises(Refused, match="lets only the partner confirm"):
            services.confirm_passed_on(actors.pia(), distribution_id)
        for person in (actors.otto(), actors.carl(), actors.fin(), actors.nuria(), actors.ingrid()):
            with pytest.raises(NotAllowed):
                services.confirm_passed_on(person, distribution_id)
        asks_officer(grant)
        services.confirm_passed_on(actors.pia(), distribution_id)
    assert get(Distribution, distribution_id).decided_for == "programme"
    right()


def test_a_report_is_held_to_what_is_held_and_to_days_that_can_be(grant: World) -> None:
    with clock.at(NOW):
        with pytest.raises(Invalid):
            services.report_passed_on(actors.ana(), grant.grant_id, said(grant), document())
        paid_order(grant)
        reported(grant, euros(69_999))
        wrong = {
            "amount": said(grant, euros(2)), "paid_on": said(grant, euros(1), paid_on=date(2024, 8, 2)),
            "transfer": said(grant, euros(1), transfer=" "), "organisation_id": said(grant, euros(1), organisation_id=grant.city_id),
        }  # fmt: skip
        for field, given in wrong.items():
            with pytest.raises(Invalid) as refused:
                services.report_passed_on(actors.ana(), grant.grant_id, given, document())
            assert list(refused.value.problems) == [field]
        with pytest.raises(Invalid, match="proof"):
            services.report_passed_on(actors.ana(), grant.grant_id, said(grant, euros(1)), None)
        # What is withdrawn is free again.
        services.withdraw_passed_on(actors.ana(), db.session.scalars(select(Distribution.id)).one())
        reported(grant)
    right()


def test_a_waiver_has_a_name_and_a_reason_and_no_reason_is_none(grant: World) -> None:
    with clock.at(NOW):
        with pytest.raises(Refused, match="Nothing is held"):
            nothing_held(grant)
        paid_order(grant)
        with pytest.raises(Invalid, match="reason is missing"):
            services.waive_distribution(actors.otto(), grant.grant_id, grant.agency_id, reason=" ")
        with pytest.raises(NotAllowed):
            services.waive_distribution(actors.carl(), grant.grant_id, grant.agency_id, reason="x")
        nothing_held(grant)
        (waiver,) = queries.distribution_page(actors.nuria(), grant.reference).waivers
    assert (waiver.waived_by, waiver.amount, waiver.reason) == ("Otto Authoriser", SHARE, "Settled between them.")


def test_a_grant_with_something_held_is_not_closed(grant: World) -> None:
    with clock.at(NOW):
        paid_order(grant)
        with pytest.raises(Problems) as refused:
            services.close_grant(actors.otto(), grant.grant_id, note="Looked at.")
    assert [each for each in refused.value.found if "still holds EUR 70\N{NO-BREAK SPACE}000.00" in str(each)], (
        refused.value.problems
    )


# --- The pages and the duties


def asked(person: Actor, at: datetime, *endpoints: str) -> list[str]:
    return [each.what for each in queries.duties(person, at) if each.endpoint in endpoints]


def test_each_side_is_asked_for_what_is_theirs_to_do(grant: World) -> None:
    asks_officer(grant)
    ends = ("payments.distribution", "payments.passed_on")
    agency = "Energy Agency of Northbridge"
    with clock.at(NOW):
        paid_order(grant)
        assert asked(actors.ana(), NOW, *ends) == [f"Pass on to {agency} what you received for it"]
        assert asked(agnes(grant), NOW, *ends) == asked(actors.pia(), NOW, *ends) == []
        reported(grant)
        assert asked(actors.ana(), NOW, *ends) == []
        for person in (agnes(grant), actors.pia()):
            assert asked(person, NOW, *ends) == [f"Say whether {agency} received EUR 70\N{NO-BREAK SPACE}000.00"]
        # Neither another partner nor an officer whose conflict shuts the grant.
        assert asked(actors.marek(), NOW, *ends) == asked(actors.fin(), NOW, *ends) == []
    late = NOW + timedelta(days=31)
    assert f"Ask Municipality of Northbridge what became of the money for {agency}" in asked(actors.pia(), late, *ends)
    assert len(asked(actors.pia(), NOW + timedelta(days=30), *ends)) == 1


@shuts("payments.passed_on_file", "payments.distribution", "payments.passed_on")
def test_the_pages_report_and_confirm_with_the_proof(app: Flask, client: FlaskClient, grant: World) -> None:
    place = f"/grants/{grant.reference}/distribution"
    with clock.at(NOW):
        paid_order(grant)
    ana, partner = actors.client_of(app, actors.ana()), actors.client_of(app, agnes(grant))
    assert "Passed on to partners" in ana.get(f"/grants/{grant.reference}/payments").text
    shown = ana.get(place).text
    assert "70\N{NO-BREAK SPACE}000.00" in shown and "Report what you passed on" in shown
    assert "Report what you passed on" not in partner.get(place).text

    typed = {
        "organisation_id": str(grant.agency_id),
        "amount": "50 000",
        "paid_on": "1 August 2024",
        "transfer": "SEPA 77",
    }
    without = ana.post(f"{place}/report", data=typed)
    assert (
        without.status_code == 422
        and "SEPA 77" in without.text
        and "Add the statement or order of your bank" in without.text
    )
    made = ana.post(f"{place}/report", data={**typed, "proof": (BytesIO(PDF), "order.pdf")})
    assert made.status_code == 303, made.text

    assert "Did the money come?" not in ana.get(f"{place}/1").text
    assert "Did the money come?" in partner.get(f"{place}/1").text
    auditor = actors.client_of(app, actors.nuria())
    for reader in (ana, partner, auditor):
        with reader.get(f"{place}/1/files/{sha256(PDF).hexdigest()}") as taken:
            assert taken.data == PDF
    auditor_id = actors.nuria().user_id
    assert auditor_id is not None
    with arranging():
        people.bar(auditor_id, "application", grant.application_id)
    for shut in (place, f"{place}/1", f"{place}/1/files/{sha256(PDF).hexdigest()}"):
        assert auditor.get(shut).status_code == 404
    assert partner.post(f"{place}/1/refuse", data={"version": "1", "reason": ""}).status_code == 422
    assert partner.post(f"{place}/1/confirm", data={"version": "7"}).status_code == 409
    assert partner.post(f"{place}/1/confirm", data={"version": "1"}).status_code == 303
    assert "20\N{NO-BREAK SPACE}000.00" in partner.get(place).text
    assert "Agnes Agency" in ana.get(f"{place}/1").text
    assert held(grant, Account.DISTRIBUTED) == euros(50_000)


def test_the_pages_refuse_withdraw_and_waive(app: Flask, client: FlaskClient, grant: World) -> None:
    place = f"/grants/{grant.reference}/distribution"
    with clock.at(NOW):
        paid_order(grant)
        reported(grant, euros(1))
        reported(grant, euros(2))
    ana, partner, otto = (actors.client_of(app, each) for each in (actors.ana(), agnes(grant), actors.otto()))
    assert partner.post(f"{place}/1/refuse", data={"version": "1", "reason": "Nothing came."}).status_code == 303
    assert "Nothing came." in ana.get(f"{place}/1").text
    assert ana.post(f"{place}/2/withdraw", data={"version": "1"}).status_code == 303
    assert "Withdrawn" in ana.get(f"{place}/2").text
    assert "still holds EUR 70\N{NO-BREAK SPACE}000.00" in otto.get(f"/grants/{grant.reference}/close").text
    typed = {"partner": str(grant.agency_id), "reason": "They settled it by another grant."}
    assert otto.post(f"{place}/waive", data={**typed, "reason": ""}).status_code == 422
    assert otto.post(f"{place}/waive", data=typed).status_code == 303
    assert "They settled it by another grant." in otto.get(place).text
    assert "coordinator still holds" not in otto.get(f"/grants/{grant.reference}/close").text


def test_the_list_of_the_programme_has_what_is_overdue_first_in_few_statements(app: Flask, grant: World) -> None:
    asks_officer(grant)
    with clock.at(NOW):
        paid_order(grant)
    pia = actors.client_of(app, actors.pia())
    with clock.at(NOW + timedelta(days=30)):
        assert "to be passed on by 31 August 2024" in pia.get("/finance/held").text
        assert "Nothing is overdue." in pia.get("/finance/held?show=overdue").text
    with clock.at(NOW + timedelta(days=32)):
        assert "overdue since 31 August 2024, 2 days" in pia.get("/finance/held?show=overdue").text
    with statements() as seen:
        queries.held_for_partners(actors.nuria(), overdue=False, today=TODAY)
    assert len(seen) <= 8
    with statements() as seen:
        queries.distribution_page(actors.nuria(), grant.reference)
    assert len(seen) <= 8
