"""Milestones and reports through acts on the demo's data: written, sent, returned, accepted, and what each refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from grants.agreements.rules import GrantView
from grants.agreements.states import MilestoneState
from grants.budgets import queries as budgets
from grants.budgets.rules import Cell
from grants.core import clock, jobs
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Problems, Refused
from grants.core.faults import Fault
from grants.core.jobs import Job
from grants.core.money import ZERO, Money, euros
from grants.dossiers.rules import Answer
from grants.identity import queries as identity
from grants.identity.policy import Role
from grants.payments import queries as payments
from grants.reporting import queries, services
from grants.reporting.rules import Decision, ExpectedInput, Judged, MilestoneInput, ReportView
from grants.reporting.states import ReportState
from tests import actors
from tests.agreements.conftest import CLOSED, IN_FORCE, Find, actor, grant, hold, hold_in
from tests.html import check_page

__all__ = ["grant"]

WORDS = ("progress", "deviations", "lessons")


@contextmanager
def after(day: date, days: int = 5) -> Iterator[None]:
    """Some days after a day, at nine in the morning."""
    with clock.at(datetime.combine(day + timedelta(days=days), time(9), UTC)):
        yield


def first_report(found: GrantView) -> ReportView:
    return queries.of_grant(actor("officer"), found.id)[0]


def cells(found: GrantView, amount: Money) -> tuple[Cell, ...]:
    return tuple(Cell(each.organisation_id, "A", amount) for each in found.beneficiaries)


def written(found: GrantView, amount: Money = euros(10_000)) -> ReportView:
    """The first report with everything answered and so much declared by each beneficiary."""
    report = first_report(found)
    for section, keys in (("work", ("progress", "deviations")), ("learning", ("lessons",))):
        services.write_section(actor("reka"), report.id, section, tuple(Answer(key, "We did it.") for key in keys))
    services.enter_costs(actor("reka"), report.id, cells(found, amount))
    return report


def sent(found: GrantView, amount: Money = euros(10_000)) -> ReportView:
    report = written(found, amount)
    with after(report.ends_before):
        services.submit(actor("reka"), report.id)
    return first_report(found)


def all_of(found: GrantView, amount: Money = euros(10_000)) -> tuple[Judged, ...]:
    return tuple(Judged(cell.organisation_id, "A", cell.amount, cell.amount) for cell in cells(found, amount))


def test_a_signed_grant_owes_its_reports_from_the_start(grant: Find) -> None:
    found = grant(IN_FORCE)
    reports = queries.of_grant(actor("officer"), found.id)

    assert [(each.number, each.state) for each in reports] == [(1, ReportState.DRAFT), (2, ReportState.DRAFT)]
    assert reports[0].due_on == clock.add_days(reports[0].ends_before, 60)
    assert services.open_reports(actor("signatory"), found.id) == 2
    assert len(queries.of_grant(actor("officer"), found.id)) == 2


def test_a_report_is_not_sent_before_its_period_is_over(grant: Find) -> None:
    report = written(grant(IN_FORCE))

    with after(report.ends_before, -1), pytest.raises(Problems, match="it runs until"):
        services.submit(actor("reka"), report.id)


def test_an_empty_report_is_not_sent_and_says_what_is_missing(grant: Find) -> None:
    report = first_report(grant(IN_FORCE))

    with after(report.ends_before), pytest.raises(Problems) as refusal:
        services.submit(actor("reka"), report.id)
    assert len(refusal.value.found) == len(WORDS) + 1
    assert first_report(grant(IN_FORCE)).state is ReportState.DRAFT


def test_a_sent_report_is_frozen_and_cannot_be_changed(grant: Find) -> None:
    report = sent(grant(IN_FORCE))

    assert (report.state, report.versions) == (ReportState.SUBMITTED, 1)
    with pytest.raises(Refused, match="sent this report on"):
        services.write_section(actor("reka"), report.id, "work", (Answer("progress", "Other words"),))
    with pytest.raises(Refused, match="sent this report on"):
        services.enter_costs(actor("reka"), report.id, cells(grant(IN_FORCE), euros(1)))


def test_a_returned_report_comes_back_as_its_next_version(grant: Find) -> None:
    report = sent(grant(IN_FORCE))
    services.give_back(actor("officer"), report.id, answer="Name the street.")
    with after(report.ends_before, 9):
        services.submit(actor("reka"), report.id)

    again = first_report(grant(IN_FORCE))
    assert (again.state, again.versions, again.answer) == (ReportState.SUBMITTED, 2, "Name the street.")


@pytest.mark.parametrize("act", [services.give_back, services.reject])
def test_an_answer_that_refuses_needs_words(grant: Find, act: object) -> None:
    report = sent(grant(IN_FORCE))

    with pytest.raises(Invalid, match="asked for"):
        act(actor("officer"), report.id, answer="  ")


def test_acceptance_works_out_the_flat_rate_and_opens_the_payment(grant: Find) -> None:
    found = grant(IN_FORCE)
    report = sent(found)
    with after(report.ends_before, 20):
        services.accept(actor("officer"), report.id, Decision(all_of(found), "Thank you."), version=report.version)
        jobs.work_off(actor_of=identity.actor_for)

    accepted = first_report(found)
    assert accepted.accepted_total == euros(12_500)
    asked = payments.grant_payments(actor("authoriser"), found.reference).requests
    assert [each.requested for each in asked][-1] == euros(12_500)


def test_a_cut_without_a_reason_is_refused_and_nothing_is_accepted(grant: Find) -> None:
    found = grant(IN_FORCE)
    report = sent(found)
    less = tuple(Judged(each.organisation_id, "A", each.declared, Money(1)) for each in all_of(found))

    with pytest.raises(Problems):
        services.accept(actor("officer"), report.id, Decision(less))
    assert first_report(found).state is ReportState.SUBMITTED


def test_costs_above_a_partners_maximum_are_not_accepted(grant: Find) -> None:
    found = grant(IN_FORCE)
    report = sent(found, euros(400_000))

    with pytest.raises(Problems, match=r"maximum is left"):
        services.accept(actor("officer"), report.id, Decision(all_of(found, euros(400_000))))


def test_tampered_declared_amounts_do_not_count(grant: Find) -> None:
    found = grant(IN_FORCE)
    report = sent(found)
    more = tuple(Judged(each.organisation_id, "A", euros(90_000), euros(90_000)) for each in all_of(found))

    with pytest.raises(Problems, match="Accept at most that"):
        services.accept(actor("officer"), report.id, Decision(more))


def test_a_stale_decision_is_a_conflict(grant: Find) -> None:
    found = grant(IN_FORCE)
    report = sent(found)

    with pytest.raises(Conflict):
        services.accept(actor("officer"), report.id, Decision(all_of(found)), version=report.version - 1)


def test_the_city_does_not_accept_its_own_report(grant: Find) -> None:
    report = sent(grant(IN_FORCE))

    with pytest.raises(NotAllowed):
        services.accept(actor("reka"), report.id, Decision(()))


def test_another_city_does_not_find_the_report(grant: Find) -> None:
    report = first_report(grant(IN_FORCE))

    with pytest.raises(NotFound):
        queries.report(actor("irina"), report.reference)
    with pytest.raises(NotFound):
        services.write_section(actor("irina"), report.id, "work", ())


def milestone(grant: Find, number: int):
    return grant(IN_FORCE).milestones[number - 1]


def test_a_milestone_is_reported_returned_reported_and_accepted(grant: Find) -> None:
    reported = milestone(grant, 2)
    assert reported.state is MilestoneState.SUBMITTED
    services.return_milestone(actor("officer"), reported.id, answer="Where can we see it?")
    services.report_milestone(
        actor("reka"), reported.id, MilestoneInput(clock.now().date(), "On the city's page."), version=None
    )
    services.accept_milestone(actor("officer"), reported.id)

    assert milestone(grant, 2).state is MilestoneState.ACCEPTED


def test_a_milestone_is_not_reached_tomorrow(grant: Find) -> None:
    given = MilestoneInput(clock.now().date() + timedelta(days=2), "Soon.")

    with pytest.raises(Invalid, match="lies ahead"):
        services.report_milestone(actor("reka"), milestone(grant, 3).id, given)


def test_milestones_of_a_closed_grant_are_closed(grant: Find) -> None:
    done = grant(CLOSED).milestones[0]

    with pytest.raises(Refused):
        services.return_milestone(actor("officer"), done.id, answer="Late thoughts")


def test_who_acts_for_the_city_does_not_accept_for_the_programme(grant: Find) -> None:
    found = grant(IN_FORCE)
    report = sent(found)
    hold("reka", Role.PROJECT_OFFICER)

    with pytest.raises(Refused, match="act for the city"):
        services.accept(actor("reka"), report.id, Decision(all_of(found)))
    with pytest.raises(Refused, match="act for the city"):
        services.accept_milestone(actor("reka"), milestone(grant, 2).id)


def test_a_fault_in_the_check_of_two_people_accepts_nothing(grant: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    found = grant(IN_FORCE)
    report = sent(found)
    monkeypatch.setenv("GRANTS_FAULT", "four_eyes")

    with pytest.raises(Fault):
        services.accept(actor("officer"), report.id, Decision(all_of(found)))
    assert first_report(found).state is ReportState.SUBMITTED


def test_a_partner_declares_its_own_costs_only(grant: Find) -> None:
    found = grant(IN_FORCE)
    report = first_report(found)
    hold_in("marek", Role.APPLICATION_PARTNER, found.application_id)

    services.enter_costs(actor("marek"), report.id, cells(found, euros(77)))

    assert budgets.written(report.budget_id).totals.total == ZERO


def test_the_city_types_its_costs_on_the_page(demo_app: Flask, grant: Find) -> None:
    found = grant(IN_FORCE)
    report = first_report(found)
    client = demo_app.test_client()
    person = actor("reka").user_id
    assert person is not None
    actors.sign_in(client, person)
    page = client.get(f"/reports/{report.reference}/costs")
    check_page(page)
    name = f"cell-{found.coordinator_id}-A"
    assert f'name="{name}"' in page.get_data(as_text=True)

    answer = client.post(f"/reports/{report.reference}/costs", data={name: "1.250,50"})

    assert answer.status_code == 303
    assert budgets.written(report.budget_id).cells[0].amount == Money(1250_50)


def test_a_milestone_is_expected_on_another_day_with_a_reason_and_the_officer_is_told(grant: Find) -> None:
    before = milestone(grant, 3)
    later = clock.add_days(max(before.due_on, clock.now().date()), 45)

    services.expect_milestone(
        actor("reka"), before.id, ExpectedInput(later, " The pump comes late. "), version=before.version
    )

    now = milestone(grant, 3)
    assert (now.expected_on, now.expected_why, now.due_on) == (later, "The pump comes late.", before.due_on)
    assert actor("officer").user_id in mailed("milestone_expected")
    with pytest.raises(Conflict):
        services.set_expected(actor("officer"), before.id, ExpectedInput(later, "Seen."), version=before.version)


def test_the_officer_says_it_too_and_the_planned_day_is_no_other_day(grant: Find) -> None:
    found = milestone(grant, 3)
    with clock.at(datetime.combine(found.due_on - timedelta(days=9), time(9), UTC)):
        services.set_expected(
            actor("officer"), found.id, ExpectedInput(clock.add_days(found.due_on, 20), "Told by telephone.")
        )
        assert milestone(grant, 3).expected_on == clock.add_days(found.due_on, 20)
        services.set_expected(actor("officer"), found.id, ExpectedInput(found.due_on, "In time after all."))

    assert (milestone(grant, 3).expected_on, milestone(grant, 3).expected_why) == (None, None)
    assert actor("reka").user_id in mailed("milestone_expected")


@pytest.mark.parametrize(
    ("days", "reason", "field"),
    [(-1, "Because.", "expected_on"), (4_000, "Because.", "expected_on"), (10, "  ", "reason")],
)
def test_a_day_that_is_over_or_far_ahead_or_without_a_reason_is_not_taken_over(
    grant: Find, days: int, reason: str, field: str
) -> None:
    day = clock.add_days(clock.in_zone(clock.now()).date(), days)

    with pytest.raises(Invalid) as refused:
        services.expect_milestone(actor("reka"), milestone(grant, 3).id, ExpectedInput(day, reason))
    assert set(refused.value.problems) == {field}


def test_a_reported_milestone_is_expected_on_no_day_any_more(grant: Find) -> None:
    found = milestone(grant, 1)
    far = ExpectedInput(clock.add_days(clock.now().date(), 10), "Late.")

    with pytest.raises(Refused):
        services.set_expected(actor("officer"), found.id, far)
    with pytest.raises(NotAllowed):
        services.set_expected(actor("reka"), found.id, far)
    with pytest.raises(NotAllowed):
        services.expect_milestone(actor("officer"), found.id, far)


def mailed(template: str) -> set[UUID]:
    """Whom letters of this kind are for."""
    found = select(Job.args).where(Job.name == "jobs.mail.send", Job.args["template"].astext == template)
    return {UUID(each["user_id"]) for each in db.session.scalars(found)}
