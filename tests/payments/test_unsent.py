"""A report that never comes holds no grant open: it is settled after its day, and the balance counts nothing of it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask

from grants.agreements.states import GrantState
from grants.calls.states import NoProfit
from grants.core import clock
from grants.core.db import db
from grants.core.errors import Refused
from grants.core.money import ZERO, euros
from grants.oversight import queries as oversight
from grants.payments import queries, services
from grants.payments.models import PaymentRequest
from grants.payments.rules import DecisionInput
from grants.reporting import queries as reports
from grants.reporting import services as reporting
from grants.reporting.rules import Decision, Judged, refuse_settling_unsent
from grants.reporting.states import ReportState
from tests import actors
from tests.applications.pages import send, text_of
from tests.payments.test_finals import balance_of, earned, funded
from tests.payments.test_securing import certificate
from tests.payments.test_terminated import NOW, confirmed, ended, owed, proposed, report_rows, terminated, written
from tests.payments.world import World, report

YEARS_LATER = datetime(2026, 1, 15, 9, tzinfo=UTC)


def test_reports_of_a_grant_in_force_that_never_came_are_settled_and_it_gets_its_balance(
    app: Flask, grant: World
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    owed(grant)
    first, final = report_rows(grant)
    with clock.at(datetime(2024, 7, 31, 9, tzinfo=UTC)):
        assert "Settle the grant without" not in text_of(
            actors.client_of(app, actors.pia()).get(f"/reports/{first.reference}")
        )
        with pytest.raises(Refused, match="due on 31 July 2024"):
            reporting.settle_unsent(actors.pia(), first.id, answer="Asked twice.")
    with clock.at(YEARS_LATER):
        pia = actors.client_of(app, actors.pia())
        assert [each.what for each in reports.duties(actors.pia(), clock.now())] == [
            "Report 1 of WARM did not come",
            "Report 2 of WARM did not come",
        ]
        for each in (first, final):
            page = f"/reports/{each.reference}"
            assert "did not come by" in text_of(pia.get(page))
            assert send(pia, f"{page}/unsent", page=page, answer="Asked twice.").status_code == 303
            services.open_for_report(actors.program(), each.id)
        balance = balance_of(grant)
        assert balance.requested == ZERO
        services.decide(actors.otto(), balance.id, DecisionInput(ZERO))
        services.close_grant(actors.otto(), grant.grant_id, note="Nothing ever came.")
    assert oversight.verify_ledger() == ()


def test_nothing_is_settled_between_the_day_of_a_termination_and_the_night_that_carries_it_out(grant: World) -> None:
    owed(grant)
    with clock.at(NOW):
        number = proposed(grant)
    confirmed(grant, number)
    with clock.at(YEARS_LATER), pytest.raises(Refused, match="Settle what is still owed then"):
        reporting.settle_unsent(actors.pia(), report_rows(grant)[0].id, answer="Asked twice.")
    assert ended(grant)


def test_a_period_that_was_made_longer_is_over_before_its_report_is_settled() -> None:
    days = {"ends_before": date(2025, 1, 1), "due_on": date(2024, 7, 31)}
    with pytest.raises(Refused, match="due on 31 December 2024"):
        refuse_settling_unsent(ReportState.DRAFT, GrantState.IN_FORCE, **days, today=date(2024, 12, 31))
    refuse_settling_unsent(ReportState.DRAFT, GrantState.IN_FORCE, **days, today=date(2025, 1, 1))
    with pytest.raises(Refused, match="not in force any more"):
        refuse_settling_unsent(ReportState.DRAFT, GrantState.CLOSED, **days, today=date(2025, 1, 1))


def test_a_final_report_that_never_comes_counts_no_receipts_and_opens_the_balance(app: Flask, grant: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    owed(grant)
    funded(grant, no_profit=NoProfit.WHOLE.value)
    terminated(grant)
    final = report_rows(grant)[0]
    earned(final.id, euros(40_000))
    with clock.at(datetime(2023, 12, 1, 9, tzinfo=UTC)):
        pia, page = actors.client_of(app, actors.pia()), f"/reports/{final.reference}"
        assert "What the action earned counts as nought then" in text_of(pia.get(page))
        assert send(pia, f"{page}/unsent", page=page, answer="Asked twice.").status_code == 303
        assert "they count as nought" in text_of(pia.get(page))
        assert services.open_for_report(actors.program(), final.id) is not None
        balance = balance_of(grant)
        services.decide(actors.otto(), balance.id, DecisionInput(ZERO))
    kept = queries.final_kept(balance.id)
    assert kept is not None and kept.receipts == ZERO
    assert oversight.verify_ledger() == ()


def test_a_report_that_was_settled_before_it_became_the_final_one_asks_for_no_receipts_and_opens_the_balance(
    grant: World,
) -> None:
    funded(grant, no_profit=NoProfit.WHOLE.value)
    settled = report(grant, 1, euros(200_000), final=True)
    services.open_for_report(actors.program(), settled)
    assert balance_of(grant).requested == euros(200_000)


def test_while_the_final_report_may_still_come_nothing_is_said_of_receipts(grant: World) -> None:
    owed(grant)
    funded(grant, no_profit=NoProfit.WHOLE.value)
    with pytest.raises(Refused, match="receipts of the action are not declared"):
        queries.final_limits(grant.grant_id)


def test_a_terminated_grant_brings_its_certificate_asks_again_and_is_closed_from_its_pages(
    app: Flask, grant: World
) -> None:
    owed(grant)
    funded(grant, certificate_from=euros(10_000))
    terminated(grant)
    final = report_rows(grant)[0]
    with clock.at(datetime(2023, 10, 20, 9, tzinfo=UTC)):
        written(final, A=50_000)
        reporting.submit(actors.ana(), final.id)
        reporting.accept(actors.pia(), final.id, Decision((Judged(grant.city_id, "A", euros(50_000), euros(50_000)),)))
        services.open_for_report(actors.program(), final.id)
        ana, pia, otto = (actors.client_of(app, each()) for each in (actors.ana, actors.pia, actors.otto))
        place = f"/grants/{grant.reference}"
        assert "Bring the certificate" in ana.get(f"{place}/certificates/1").text
        assert "Do without the certificate" in pia.get(f"{place}/certificates/1").text
        waits = text_of(otto.get(f"{place}/closing"))
        assert "lines wait" in waits and "Every report is settled" in waits
        services.do_without_certificate(actors.pia(), certificate().id, words="The auditor never came.")
        services.reject(actors.otto(), balance_of(grant).id, reason="Say why.")
        assert "Answer and ask again" in ana.get(f"{place}/payments").text
        services.ask_again(actors.ana(), balance_of(grant).id, reply="So it was.")
        again = db.session.query(PaymentRequest).filter_by(kind="balance", state="submitted").one()
        services.decide(actors.otto(), again.id, DecisionInput(ZERO, "Nothing was shown."))
        assert "Close the grant" in otto.get(f"{place}/closing").text
        assert "Goes back to the call" in otto.get(f"{place}/close").text
