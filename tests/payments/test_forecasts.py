"""The pages of the forecast and of the ageing on a grant in force: they follow a milestone, are kept, and agree with the ledger."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from grants.agreements.models import Grant, Milestone, PaymentScheduleLine
from grants.agreements.states import MilestoneState, PaymentKind
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import NotAllowed
from grants.core.money import euros, total
from grants.core.paging import Page, paged
from grants.core.permissions import Actor, Permission, system_actor
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.ledger.queries.checks import Places
from grants.payments import queries, services
from grants.payments.models import ForecastLine, ForecastSnapshot
from grants.payments.rules.ageing import AgeingAsk, Bucket, Owing
from grants.payments.rules.forecasting import Cause, Forecast, ForecastAsk
from grants.reporting import services as reporting
from grants.reporting.models import PeriodicReport
from grants.reporting.rules import ExpectedInput
from grants.reporting.states import ReportState
from tests import actors
from tests.html import check_page
from tests.payments.test_held import held
from tests.payments.test_recoveries import established, overpaid, overpaid_world
from tests.payments.test_services import decided, pay
from tests.payments.world import World, report, world
from tests.statements import statements
from tests.worlds import World as Made
from tests.worlds import Worlds

__all__ = ["overpaid", "overpaid_world"]

pytestmark = pytest.mark.usefixtures("app")

NOW = datetime(2024, 3, 1, 9, tzinfo=UTC)


def planned(found: World) -> None:
    """Two reports to come, the payments they open, and a milestone of the first."""
    line, number = PaymentScheduleLine, 2
    for each, final in ((1, False), (2, True)):
        report_id = report(found, each, euros(1), final=final, state=ReportState.ACCEPTED)
        with arranging():
            row = db.session.get_one(PeriodicReport, report_id)
            row.state, row.accepted_total, row.decided_at, row.decided_by = ReportState.DRAFT.value, None, None, None
            row.submitted_at = row.submitted_by = None
            row.ends_before, row.due_on = (
                (date(2025, 6, 1), date(2025, 7, 31)) if final else (date(2024, 6, 1), date(2024, 7, 31))
            )
            db.session.add(
                line(
                    grant_id=found.grant_id,
                    number=number,
                    kind=(PaymentKind.BALANCE if final else PaymentKind.INTERIM).value,
                    report_number=each,
                    planned=euros(90_000 if final else 300_000),
                    due_on=row.due_on,
                )
            )
        number += 1
    with arranging():
        db.session.add(
            Milestone(
                grant_id=found.grant_id,
                number=1,
                title="Heat plan",
                criterion="It is adopted.",
                due_on=date(2024, 4, 30),
                state=MilestoneState.PLANNED.value,
            )
        )


@pytest.fixture(scope="session")
def planned_world(worlds: Worlds, in_force_world: Made[World]) -> Made[World]:
    def made() -> World:
        found = in_force_world.told()
        pay(decided(found))
        planned(found)
        return found

    with clock.at(NOW):
        return worlds.of(made, like=in_force_world)


@pytest.fixture
def grant(app: Flask, planned_world: Made[World]) -> World:
    """210 000 is paid, 30 000 retained, two reports are to come."""
    return planned_world.told()


@pytest.fixture
def fin(client: FlaskClient) -> FlaskClient:
    return by(client, actors.fin())


def by(client: FlaskClient, person: Actor) -> FlaskClient:
    assert person.user_id is not None
    actors.sign_in(client, person.user_id)
    return client


def shown(client: FlaskClient, address: str) -> str:
    with clock.at(NOW):
        answer = client.get(address)
        check_page(answer)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text.split("<main", 1)[1])).replace("\u00a0", " ").split())


def slip(found: World, to: date = date(2024, 10, 15)) -> None:
    milestone = db.session.scalars(select(Milestone.id).where(Milestone.grant_id == found.grant_id)).one()
    reporting.expect_milestone(actors.ana(), milestone, ExpectedInput(to, "The council meets in October."))


def seen(asked: ForecastAsk | None = None, person: Actor | None = None) -> queries.ForecastPage:
    return queries.forecast_page(person or actors.fin(), asked or ForecastAsk(), NOW)


def test_the_page_says_where_the_whole_ceiling_is(fin: FlaskClient, grant: World) -> None:
    text = shown(fin, "/finance/forecast")

    for words in (
        *("Ceiling, EUR 1 000 000.00", "Paid 210 000.00", "Due 0.00", "Forecast 390 000.00", "Free 400 000.00"),
        *("together the ceiling: 1 000 000.00", "29 October 2024, when report 1 is accepted", "Oct 2024"),
    ):
        assert words in text, words
    assert seen().forecast.sums.holds


def test_a_slip_of_a_milestone_moves_exactly_its_month(grant: World) -> None:
    before = seen(ForecastAsk(months=24)).forecast
    with clock.at(NOW):
        slip(grant)
    after = seen(ForecastAsk(months=24)).forecast

    def moved(found: Forecast) -> dict[str, int]:
        cells = zip(found.columns, found.totals(found.signed), strict=True)
        return {name: amount.cents // 100 for name, amount in cells if amount}

    assert moved(before) == {"Oct 2024": 300_000, "Oct 2025": 90_000}
    assert moved(after) == {"Jan 2025": 300_000, "Oct 2025": 90_000}
    assert before.sums == after.sums


def test_filters_narrow_it_and_what_they_do_not_name_is_said(fin: FlaskClient, grant: World) -> None:
    world(2)
    assert [each.reference for each in seen(ForecastAsk(call="invented-call-2")).forecast.grants] == ["PCP-2022-G-0002"]
    one = seen(ForecastAsk(grant=grant.reference)).forecast
    assert (one.sums.ceiling, one.sums.holds, one.calls) == (euros(600_000), True, ())
    assert seen(ForecastAsk(fund="101036519")).forecast.sums.ceiling == euros(2_000_000)

    assert "There is no call “nothing” here." in shown(fin, "/finance/forecast?call=nothing")
    assert "“soon” is not a month. Write it like 2027-03." in shown(fin, "/finance/forecast?from=soon")
    assert "Write a whole number from 1 to 60." in shown(fin, "/finance/forecast?months=61")
    assert "Before Jan 2025" in shown(fin, "/finance/forecast?from=2025-01&months=2")


def test_the_pages_cost_as_many_statements_with_one_grant_as_with_four(fin: FlaskClient, grant: World) -> None:
    with clock.at(NOW):
        kept = services.keep_forecast(actors.fin())
    pages = ("forecast", f"forecast/{kept}", "ageing", "ageing?what=recoveries")
    addresses = [*(f"/finance/{each}" for each in pages), f"/grants/{grant.reference}"]

    def counted() -> list[int]:
        found = []
        for address in addresses:
            with statements() as asked:
                shown(fin, address)
            found.append(len(asked))
        return found

    counted()
    one = counted()
    for number in (2, 3, 4):
        world(number)
    assert counted() == one
    assert max(one) <= 8


def test_a_kept_forecast_is_held_against_what_became_of_it(client: FlaskClient, grant: World) -> None:
    with clock.at(NOW):
        kept = services.keep_forecast(actors.fin(), note="Before the council")
        assert (kept, services.keep_forecast(actors.fin())) == ("F-20240301-1", "F-20240301-2")
        assert "Nothing moved" in shown(by(client, actors.fin()), f"/finance/forecast/{kept}")
        slip(grant)
    text = shown(by(client, actors.fin()), f"/finance/forecast/{kept}")

    for words in (
        *("Before the council", "A milestone is expected on another day 300 000.00 EUR in all."),
        *("when milestone 1 is reached and report 1 is accepted Oct 2024 Jan 2025 300 000.00",),
        *("Oct 2024 300 000.00 0.00 −300 000.00", "Oct 2025 90 000.00 90 000.00 0.00"),
    ):
        assert words in text, words
    (cause,) = queries.kept_forecast(actors.fin(), kept, NOW).causes
    assert cause.cause is Cause.MILESTONE
    lines = db.session.scalars(select(ForecastLine).where(ForecastLine.kind != "ceiling")).all()
    assert total(each.amount for each in lines) == euros(2_000_000), "each keeps the whole ceiling, part by part"
    assert "F-20240301-2" in shown(by(client, actors.fin()), "/finance/forecast")
    assert client.get("/finance/forecast/F-1").status_code == 404


def test_who_reads_the_books_without_keeping_them_keeps_no_forecast(grant: World) -> None:
    with pytest.raises(NotAllowed):
        services.keep_forecast(actors.nuria())
    assert seen(person=actors.nuria()).forecast.grants


def test_the_form_keeps_it_and_comes_to_its_page(fin: FlaskClient, grant: World) -> None:
    answer = fin.post("/finance/forecast/keep", data={"note": "By hand"})

    assert (answer.status_code, answer.headers["Location"].startswith("/finance/forecast/F-")) == (303, True)
    assert db.session.scalars(select(ForecastSnapshot.note)).one() == "By hand"


def test_the_program_keeps_one_in_a_month(grant: World) -> None:
    def night(moment: datetime) -> str | None:
        with clock.at(moment):
            return services.keep_monthly(system_actor("the program", (Permission.FORECAST_KEEP_MONTHLY,)))

    assert night(datetime(2024, 3, 1, 1, tzinfo=UTC)) == "F-20240301-1"
    assert night(datetime(2024, 3, 2, 1, tzinfo=UTC)) is None
    # 23:30 UTC is the first day of April in Brussels.
    assert night(datetime(2024, 3, 31, 22, 30, tzinfo=UTC)) == "F-20240401-1"


def test_whoever_is_in_conflict_with_a_grant_sees_nothing_of_it_in_any_sum(grant: World) -> None:
    with clock.at(NOW):
        kept = services.keep_forecast(actors.fin())
    barred = replace(actors.fin(), bars=frozenset({("application", grant.application_id)}))
    found, page = seen(person=barred), queries.kept_forecast(barred, kept, NOW)

    assert (found.forecast.grants, found.partial) == ((), True)
    assert (found.forecast.sums.paid, found.forecast.sums.forecast) == (euros(0), euros(0))
    assert (page.then, page.now) == ((), ())


def test_the_city_reads_on_its_grant_what_is_paid_next_and_held_and_no_name_of_the_circuit(
    client: FlaskClient, grant: World
) -> None:
    text = shown(by(client, actors.ana()), f"/grants/{grant.reference}")

    for words in (
        *("Granted, EUR 600 000.00 at most", "Paid 210 000.00 booked by the bank"),
        *("Next 300 000.00 29 October 2024, when report 1 is accepted", "Later 60 000.00 after that, in one payment"),
        *("Held 30 000.00 kept back until the balance", "Payments to come"),
    ):
        assert words in text, words
    assert not any(each().name in text for each in (actors.fin, actors.vera, actors.otto, actors.carl))
    assert "Next 300 000.00" in shown(by(client, actors.pia()), f"/grants/{grant.reference}")


# --- what is due ----------------------------------------------------------------------------------------------


def ages(what: Owing, at: datetime) -> queries.AgeingPage:
    return queries.ageing(actors.fin(), AgeingAsk(what), at)


def test_what_is_approved_is_due_until_the_bank_books_it_and_ages_by_its_due_day(
    app: Flask, in_force_world: Made[World]
) -> None:
    found = in_force_world.told()
    decided(found)
    (line,) = (page := ages(Owing.DUE, datetime(2023, 9, 15, 9, tzinfo=UTC)).ageing).lines

    assert (line.amount, line.grant_reference, line.bucket) == (euros(210_000), found.reference, Bucket.OVER_90)
    assert page.agrees and page.of(Bucket.OVER_90) == (1, euros(210_000))
    assert ages(Owing.DUE, datetime(2023, 5, 31, 9, tzinfo=UTC)).ageing.lines[0].bucket is Bucket.NOT_DUE


def test_an_age_opens_its_lines_and_what_is_suspended_is_said(
    app: Flask, fin: FlaskClient, in_force_world: Made[World]
) -> None:
    found = in_force_world.told()
    decided(found)
    assert "suspended" not in shown(fin, "/finance/ageing")
    with clock.at(datetime(2023, 5, 4, 9, tzinfo=UTC)):
        held(found)

    text = shown(fin, "/finance/ageing")
    assert "210 000.00 of it is of suspended grants (1 item): nothing of it leaves meanwhile." in text
    assert "the grant is suspended since 4 May 2023" in text
    assert 'href="/finance/ageing?step=over_90#lines"' in fin.get("/finance/ageing").text
    (request,) = queries.grant_payments(actors.fin(), found.reference).requests
    assert request.reference in shown(fin, "/finance/ageing?step=over_90")
    other = shown(fin, "/finance/ageing?step=to_30")
    assert "Nothing is of this age." in other and request.reference not in other
    assert "“x”" in shown(fin, "/finance/ageing?step=x")


def test_a_list_that_is_read_whole_goes_on_page_by_page() -> None:
    rows = [f"PCP-2022-G-{number:04}" for number in range(1, 24)]

    pages, after = [], None
    while True:
        told = paged(rows, Page(size=10, after=after), key=str)
        pages.append(told.items)
        if (after := told.next_key) is None:
            break

    assert [len(each) for each in pages] == [10, 10, 3]
    assert [each for items in pages for each in items] == rows
    assert paged(rows, Page(size=10, after="gone"), key=str).items == tuple(rows[:10])
    assert paged(rows, Page(size=10, after="gone"), key=str).first


def test_what_is_paid_is_not_due_and_the_page_says_so(fin: FlaskClient, grant: World) -> None:
    assert "Nothing is due" in shown(fin, "/finance/ageing")
    assert "Nothing is owed by a city" in shown(fin, "/finance/ageing?what=recoveries")
    assert "“x”" in shown(fin, "/finance/ageing?what=x")


def test_a_recovery_ages_from_its_day_and_is_the_receivable_of_the_ledger(fin: FlaskClient, overpaid: World) -> None:
    established(overpaid)
    page = ages(Owing.RECOVERIES, datetime(2024, 10, 20, 9, tzinfo=UTC)).ageing

    assert [(each.amount, each.bucket) for each in page.lines] == [(euros(60_000), Bucket.TO_60)]
    assert page.agrees and page.in_ledger == euros(60_000)
    assert "account 1200" in shown(fin, "/finance/ageing?what=recoveries")


def test_the_check_of_the_books_finds_what_is_due_on_one_side_only_and_more_paid_than_granted(grant: World) -> None:
    stands = books.standing()
    assert (queries.due_checked(stands).problems, queries.add_up(NOW.date(), stands).problems) == ((), ())

    owed = replace(stands, grants=Places({grant.grant_id: {Account.PAYABLE.value: -500}}))
    with arranging():
        row = db.session.get_one(Grant, grant.grant_id)
        row.maximum = row.interim_ceiling = row.prefinancing = euros(200_000)

    (problem,) = queries.due_checked(owed).problems
    assert "Payments due: the ledger holds EUR 5.00, they say EUR 0.00." in problem.message
    (problem,) = queries.add_up(NOW.date(), stands).problems
    assert "I19: EUR 10" in problem.message and problem.place == grant.reference
