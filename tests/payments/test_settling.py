"""Reports, decisions and the balance together: nothing is paid after the final amount, nothing refused comes back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.agreements.models import Grant
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Invalid, NotAllowed, NotFound, Refused
from grants.core.money import euros
from grants.payments import queries, services
from grants.payments.models import PaymentRequest
from grants.payments.rules import DecisionInput
from grants.reporting.models import PeriodicReport
from grants.reporting.states import ReportState
from tests import actors
from tests.html import check_page
from tests.payments.test_views import send
from tests.payments.world import World, report, settle
from tests.statements import statements

pytestmark = pytest.mark.usefixtures("app")

NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)


def request_of(report_id: UUID) -> PaymentRequest | None:
    """The newest request a report opened."""
    db.session.rollback()
    return (
        db.session.query(PaymentRequest)
        .filter(PaymentRequest.report_id == report_id)
        .order_by(PaymentRequest.number.desc())
        .first()
    )


# --- The balance waits for every report (E11)


def test_an_accepted_final_report_opens_no_balance_while_another_report_is_open(grant: World) -> None:
    first = report(grant, 1, euros(200), state=ReportState.DRAFT)
    final = report(grant, 2, euros(300), final=True)

    assert services.open_for_report(actors.program(), final) is None
    assert request_of(final) is None

    settle(first, euros(200))
    services.open_for_report(actors.program(), first)
    balance = request_of(final)
    assert balance is not None and balance.requested == euros(500)


def test_a_balance_opened_too_early_is_not_decided(grant: World) -> None:
    first = report(grant, 1, euros(200))
    final = report(grant, 2, euros(300), final=True)
    services.open_for_report(actors.program(), final)
    balance = request_of(final)
    assert balance is not None
    _reopen(first)

    with pytest.raises(Refused, match="Report 1 is not settled yet"):
        services.decide(actors.otto(), balance.id, DecisionInput(balance.requested))
    assert get(Grant, grant.grant_id).final_amount is None


def _reopen(report_id: UUID) -> None:
    with arranging():
        row = db.session.get_one(PeriodicReport, report_id)
        row.state, row.accepted_total = ReportState.RETURNED.value, None


def test_nothing_interim_is_decided_after_the_final_amount(grant: World) -> None:
    asked = services.open_for_report(actors.program(), report(grant, 1, euros(200)))
    assert asked is not None
    with arranging():
        db.session.get_one(Grant, grant.grant_id).final_amount = euros(300)

    with pytest.raises(Refused, match="final amount of this grant is decided"):
        services.decide(actors.otto(), asked.id, DecisionInput(euros(200)))


# --- What is refused does not come back; what the ceiling defers does


def test_what_the_authoriser_refuses_is_not_asked_for_again_by_the_balance(grant: World) -> None:
    asked = services.open_for_report(actors.program(), report(grant, 1, euros(100)))
    assert asked is not None
    services.decide(actors.otto(), asked.id, DecisionInput(euros(60), "40 is ineligible."))
    services.open_for_report(actors.program(), final := report(grant, 2, euros(0), final=True))

    balance = request_of(final)
    assert balance is not None and balance.requested == euros(60)
    assert get(PaymentRequest, asked.id).refused == euros(40)


def test_what_the_ceiling_defers_is_asked_for_again_by_the_balance(grant: World) -> None:
    asked = services.open_for_report(actors.program(), report(grant, 1, euros(580_000)))
    assert asked is not None
    services.decide(actors.otto(), asked.id, DecisionInput(euros(560_000), "20 000 is ineligible."))
    services.open_for_report(actors.program(), final := report(grant, 2, euros(0), final=True))

    row, balance = get(PaymentRequest, asked.id), request_of(final)
    assert (row.payable, row.deferred, row.refused) == (euros(540_000), euros(20_000), euros(20_000))
    assert balance is not None and balance.requested == euros(560_000)


def test_a_rejected_request_adds_nothing_to_the_final_amount_until_it_is_asked_for_again(grant: World) -> None:
    asked = services.open_for_report(actors.program(), report(grant, 1, euros(100)))
    services.open_for_report(actors.program(), final := report(grant, 2, euros(50), final=True))
    balance = request_of(final)
    assert asked is not None and balance is not None and balance.requested == euros(150)

    services.reject(actors.otto(), asked.id, reason="The invoices are missing.")
    assert get(PaymentRequest, balance.id).requested == euros(50)

    again = services.ask_again(actors.ana(), asked.id, reply="Here they are.")
    assert get(PaymentRequest, balance.id).requested == euros(150)
    with pytest.raises(Refused, match=f"Decide {again.reference} first"):
        services.decide(actors.otto(), balance.id, DecisionInput(euros(150)))

    services.decide(actors.otto(), again.id, DecisionInput(euros(70), "30 is ineligible."))
    assert get(PaymentRequest, balance.id).requested == euros(120)


# --- No dead ends


def test_a_rejected_final_report_opens_a_balance_of_what_was_accepted_before(grant: World) -> None:
    asked = services.open_for_report(actors.program(), report(grant, 1, euros(200)))
    assert asked is not None
    services.decide(actors.otto(), asked.id, DecisionInput(euros(200)))
    final = report(grant, 2, euros(0), final=True, state=ReportState.REJECTED)

    services.open_for_report(actors.program(), final)

    balance = request_of(final)
    assert balance is not None and balance.requested == euros(200)
    services.decide(actors.otto(), balance.id, DecisionInput(euros(200)))
    assert get(Grant, grant.grant_id).final_amount == euros(200)


def test_a_grant_whose_reports_are_all_rejected_is_settled_at_nothing_and_closed(grant: World) -> None:
    report(grant, 1, euros(0), state=ReportState.REJECTED)
    final = report(grant, 2, euros(0), final=True, state=ReportState.REJECTED)
    services.open_for_report(actors.program(), final)
    balance = request_of(final)
    assert balance is not None and balance.requested == euros(0)
    services.decide(actors.otto(), balance.id, DecisionInput(euros(0)))

    assert services.close_grant(actors.otto(), grant.grant_id, note="Nothing was accepted.") == euros(600_000)


def test_a_rejected_request_is_asked_for_again_once_as_a_new_version(grant: World) -> None:
    asked = services.open_for_report(actors.program(), report(grant, 1, euros(100)))
    assert asked is not None
    with pytest.raises(Refused, match="this one is not rejected"):
        services.ask_again(actors.ana(), asked.id, reply="Please.")
    services.reject(actors.otto(), asked.id, reason="The invoices are missing.")
    with pytest.raises(Invalid, match="The answer is missing"):
        services.ask_again(actors.ana(), asked.id, reply=" ")

    with clock.at(NOW):
        again = services.ask_again(actors.ana(), asked.id, reply="Here they are.")

    old, new = get(PaymentRequest, asked.id), get(PaymentRequest, again.id)
    assert (old.state, old.decision_reason) == ("rejected", "The invoices are missing.")
    assert (new.state, new.requested, new.replaces_id, new.reply) == ("submitted", euros(100), old.id, "Here they are.")
    assert new.due_on == date(2024, 10, 30)
    with pytest.raises(Refused, match=f"asked for again already, as {new.reference}"):
        services.ask_again(actors.ana(), asked.id, reply="Here they are.")
    for person in (actors.marek(), actors.otto(), actors.pia(), actors.program()):
        with pytest.raises((NotAllowed, NotFound)):
            services.ask_again(person, again.id, reply="Mine.")
    view = queries.request(actors.otto(), new.reference)
    assert (view.replaces, view.reply) == (old.reference, "Here they are.")
    assert queries.request(actors.otto(), old.reference).replaced_by == new.reference


def test_the_coordinator_asks_again_by_a_form_beside_the_reason(app: Flask, client: FlaskClient, grant: World) -> None:
    asked = services.open_for_report(actors.program(), report(grant, 1, euros(100)))
    assert asked is not None
    services.reject(actors.otto(), asked.id, reason="The invoices are missing.")
    address = f"/grants/{grant.reference}/payments"
    again = f"{address}/{asked.reference}/again"
    shown = actors.client_of(app, actors.ana()).get(address)
    check_page(shown)
    assert again in shown.text and again not in actors.client_of(app, actors.otto()).get(address).text

    ana = actors.client_of(app, actors.ana())
    ana.get("/about")
    with statements() as seen:
        page = ana.get(again)
    check_page(page)
    assert len(seen) <= 8
    assert "The invoices are missing." in page.text
    assert "Answer the reason" in send(app, actors.ana(), again, 422, reply="")
    assert send(app, actors.ana(), again, reply="Here they are.") == address

    request = actors.client_of(app, actors.otto()).get(f"/finance/requests/{grant.reference}-2")
    check_page(request)
    assert "Here they are." in request.text and "does not come back" in request.text
    assert "asked for again already" in actors.client_of(app, actors.ana()).get(again).text
    assert "asked for again already" in send(app, actors.ana(), again, 422, reply="Once more.")


def test_nothing_is_asked_for_again_after_the_balance(grant: World) -> None:
    asked = services.open_for_report(actors.program(), report(grant, 1, euros(100)))
    assert asked is not None
    services.reject(actors.otto(), asked.id, reason="The invoices are missing.")
    services.open_for_report(actors.program(), final := report(grant, 2, euros(50), final=True))
    balance = request_of(final)
    assert balance is not None
    services.decide(actors.otto(), balance.id, DecisionInput(euros(50)))

    with pytest.raises(Refused, match="final amount of this grant is decided"):
        services.ask_again(actors.ana(), asked.id, reply="Here they are.")
