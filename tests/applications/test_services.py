"""Acts of applications on a real database: started, written, sent on time, sent again, withdrawn, checked."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from grants.applications import queries, rules, services
from grants.applications.models import Application, Submission
from grants.applications.rules import (
    BudgetInput,
    ConditionAnswer,
    ContentChanged,
    DetailsInput,
    InviteInput,
    ListFilter,
    SectionInput,
    StartInput,
)
from grants.applications.states import ApplicationState, PartnerState, Verdict
from grants.budgets.rules import Cell, Outcome
from grants.budgets.rules import Shown as CellShown
from grants.calls import queries as calls
from grants.calls import services as call_services
from grants.calls.rules import CallView, DeadlineInput
from grants.core import audit, clock
from grants.core.acts import act, arranging
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.core.faults import Fault
from grants.core.jobs import Job
from grants.core.money import Money, euros
from grants.core.paging import Tally
from grants.core.permissions import Actor, Permission, system_actor
from grants.dossiers.merging import Shown
from grants.dossiers.rules import Answer, Mark
from grants.identity import queries as people
from grants.identity.rules import OrganisationInput
from grants.identity.states import OrganisationKind
from grants.oversight.services import make_checkpoint
from tests import actors
from tests.applications.listed import found as found_in_list
from tests.factories import applications as factory
from tests.factories import identity as identity_factory
from tests.factories.applications import AFTER_CLOSING, CLOSES_AT, WHILE_OPEN, again
from tests.no_route import keep_from, with_seat
from tests.shut import shuts
from tests.worlds import World

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def open_now() -> Iterator[None]:
    with clock.at(WHILE_OPEN):
        yield


def of_ana(call: CallView, title: str = "Warm Blocks") -> tuple[Actor, UUID, str]:
    """Ana's draft: her rights on it, its id and its reference."""
    reference = factory.draft(call, actors.ana(), title)
    ana = actors.ana()
    return ana, queries.id_of(ana, reference), reference


def invited(ana: Actor, application_id: UUID) -> Actor:
    """Marek of Southport, invited by Ana."""
    marek = actors.marek()
    (southport,) = marek.organisation_ids
    given = InviteInput("marek.nowak@example.eu", "Marek Nowak", southport, sections=("summary",))
    services.invite(ana, application_id, given)
    return again(marek)


# --- starting -------------------------------------------------------------------------------------------------


def test_a_city_officer_starts_an_application_and_leads_it(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)

    view = queries.view(ana, reference)
    assert reference == "PCP-2022-A-0001"
    assert (view.state, view.coordinator.name) == (ApplicationState.DRAFT, actors.NORTHBRIDGE)
    assert view.coordinator.state is PartnerState.ACCEPTED
    assert application_id in ana.places(Permission.APPLICATION_SUBMIT, "application")


def test_only_a_city_administration_one_belongs_to_can_lead(call: CallView, open_now: None) -> None:
    ana = actors.ana()
    university = actors.organisation("University of Northbridge", kind=OrganisationKind.UNIVERSITY)
    foreign = actors.organisation(actors.SOUTHPORT)
    with arranging():
        uma = actors.person("Uma Scholar", *(), organisation_name="University of Northbridge")
    scholar = actors.give(uma, actors.Role.APPLICANT, "call", call.id)

    with pytest.raises(Invalid):
        services.start(ana, call.id, StartInput(foreign, DetailsInput("Not mine")))
    with pytest.raises(Refused, match="local authority"):
        services.start(scholar, call.id, StartInput(university, DetailsInput("Not a city")))


@pytest.mark.parametrize("moment", [factory.BEFORE_OPENING, CLOSES_AT, AFTER_CLOSING])
def test_nothing_is_started_outside_the_time_of_the_call(call: CallView, moment: object) -> None:
    ana = actors.ana()
    (city,) = ana.organisation_ids
    with clock.at(moment), pytest.raises(Refused):
        services.start(ana, call.id, StartInput(city, DetailsInput("Late")))


def test_a_title_is_needed_and_bounded(call: CallView, open_now: None) -> None:
    ana = actors.ana()
    (city,) = ana.organisation_ids
    for title in ("", " \u200b ", "x" * 201):
        with pytest.raises(Invalid) as refused:
            services.start(ana, call.id, StartInput(city, DetailsInput(title)))
        assert list(refused.value.problems) == ["title"]


# --- team -----------------------------------------------------------------------------------------------------


def test_an_invited_partner_reads_at_once_and_writes_after_accepting(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    marek = invited(ana, application_id)
    section = SectionInput((Answer("summary", "Marek writes"),), Mark.OPEN, None)

    assert queries.view(marek, reference).title == "Warm Blocks"
    with pytest.raises(Refused, match="Accept the invitation"):
        services.save_section(marek, application_id, "summary", section)
    services.accept_invitation(marek, application_id, *marek.organisation_ids)
    services.save_section(marek, application_id, "summary", section)

    view = queries.view(ana, reference)
    assert [partner.state for partner in view.partners] == [PartnerState.ACCEPTED, PartnerState.ACCEPTED]
    mails = db.session.scalars(select(Job.args).where(Job.name == "jobs.mail.send")).all()
    assert {mail["template"] for mail in mails} == {"application_invitation", "application_answer"}


def test_who_declines_no_longer_sees_the_application_and_can_be_invited_again(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    marek = invited(ana, application_id)

    services.decline_invitation(marek, application_id, *marek.organisation_ids, "No time")
    with clock.at(WHILE_OPEN + timedelta(minutes=1)):
        with pytest.raises(NotFound):
            queries.view(again(marek), reference)
        assert invited(ana, application_id).places(Permission.APPLICATION_EDIT, "application") == {application_id}


def test_an_organisation_stands_in_an_application_once(call: CallView, open_now: None) -> None:
    ana, application_id, _ = of_ana(call)
    invited(ana, application_id)

    with pytest.raises(Invalid) as refused:
        invited(ana, application_id)
    assert list(refused.value.problems) == ["organisation_id"]


def test_an_invitation_needs_a_person_and_one_organisation(call: CallView, open_now: None) -> None:
    ana, application_id, _ = of_ana(call)

    with pytest.raises(Invalid) as refused:
        services.invite(ana, application_id, InviteInput("not a mail", "", None))
    assert sorted(refused.value.problems) == ["email", "name", "organisation_id"]


def test_a_partner_writes_only_the_own_row_of_the_budget(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    marek = invited(ana, application_id)
    services.accept_invitation(marek, application_id, *marek.organisation_ids)
    (northbridge,), (southport,) = ana.organisation_ids, marek.organisation_ids

    cells = (Cell(northbridge, "A", euros(9)), Cell(southport, "A", euros(5)))
    services.save_budget(marek, application_id, BudgetInput(cells, None))

    budget = queries.workplace(ana, reference).budget
    assert (budget.amount(northbridge, "A"), budget.amount(southport, "A")) == (Money(0), euros(5))
    with pytest.raises(Refused, match=r"EUR 5\.00"):
        services.remove_partner(ana, application_id, southport)
    with pytest.raises(NotAllowed):
        services.remove_partner(marek, application_id, northbridge)


def test_a_partner_without_money_can_be_taken_out(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    marek = invited(ana, application_id)
    (northbridge,), (southport,) = ana.organisation_ids, marek.organisation_ids

    with pytest.raises(Refused, match="lead cannot"):
        services.remove_partner(ana, application_id, northbridge)
    services.remove_partner(ana, application_id, southport)

    assert [partner.leads for partner in queries.view(ana, reference).partners] == [True]
    with clock.at(WHILE_OPEN + timedelta(minutes=1)), pytest.raises(NotFound):
        queries.view(again(marek), reference)


def test_a_stranger_invited_for_an_organisation_that_is_here_is_a_partner_and_no_more(
    call: CallView, open_now: None
) -> None:
    ana, application_id, _ = of_ana(call)
    mannheim = actors.organisation("City of Mannheim")

    services.invite(ana, application_id, InviteInput("sock@evil.example", "Sock", mannheim))

    found = people.person_by_email("sock@evil.example")
    assert found is not None
    sock = people.actor_for(found.id)
    assert (sock.roles, sock.organisation_ids) == (("application_partner",), frozenset())
    assert not sock.can(Permission.ORGANISATION_EDIT) and not sock.can(Permission.APPLICATION_START)
    services.accept_invitation(sock, application_id, mannheim)


def test_who_is_invited_with_a_new_organisation_belongs_to_it(call: CallView, open_now: None) -> None:
    ana, application_id, _ = of_ana(call)
    described = OrganisationInput("Heat Cooperative", OrganisationKind.ASSOCIATION, "PL")

    made = services.invite(ana, application_id, InviteInput("hana@coop.example", "Hana Coop", organisation=described))

    found = people.person_by_email("hana@coop.example")
    assert found is not None
    hana = people.actor_for(found.id)
    assert (hana.roles, hana.organisation_ids) == (("applicant", "application_partner"), frozenset({made}))


def test_neither_oneself_nor_staff_nor_an_evaluator_is_invited(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    southport = actors.organisation(actors.SOUTHPORT)
    for who in (ana, actors.eli(), actors.otto(), actors.eva(), actors.ada()):
        assert who.user_id is not None
        person = people.person(who.user_id)
        with pytest.raises(Invalid) as refused:
            services.invite(ana, application_id, InviteInput(person.email, person.name, southport))
        assert list(refused.value.problems) == ["email"]

    assert len(queries.view(ana, reference).partners) == 1


def test_who_was_made_staff_after_the_invitation_neither_accepts_nor_writes(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    marek = invited(ana, application_id)
    assert marek.user_id is not None
    with arranging():
        identity_factory.role(marek.user_id, actors.Role.EVALUATOR)

    with pytest.raises(Refused, match="work for the programme or evaluate"):
        # As it was resolved a moment before.
        services.accept_invitation(marek, application_id, *marek.organisation_ids)
    now = again(marek)
    with pytest.raises(NotAllowed):
        services.accept_invitation(now, application_id, *marek.organisation_ids)
    assert queries.view(now, reference).title == "Warm Blocks"
    assert queries.is_team(now, application_id)


def test_a_known_address_shows_the_name_that_was_typed_until_it_accepts(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    marek = actors.marek()
    assert marek.user_id is not None
    known = people.person(marek.user_id)
    southport = actors.organisation(actors.SOUTHPORT)

    services.invite(ana, application_id, InviteInput(known.email, "Somebody", southport))

    assert [each.contact_name for each in queries.view(ana, reference).partners][1] == "Somebody"
    services.accept_invitation(again(marek), application_id, southport)
    assert [each.contact_name for each in queries.view(ana, reference).partners][1] == known.name


@pytest.mark.parametrize("name", [" City of  MÁNNHEIM", "Ville de Mannheim"])
def test_a_new_organisation_does_not_bear_the_name_of_one_that_is_here(
    call: CallView, open_now: None, name: str
) -> None:
    ana, application_id, _ = of_ana(call)
    with arranging():
        identity_factory.organisation("City of Mannheim", country_code="DE").local_name = "Ville de Mannheim"
    described = OrganisationInput(name, OrganisationKind.MUNICIPALITY, "DE")

    with pytest.raises(Invalid) as refused:
        services.invite(ana, application_id, InviteInput("x@mannheim.example", "X", organisation=described))

    assert list(refused.value.problems) == ["new_name"]
    assert "“City of Mannheim”" in refused.value.problems["new_name"]
    elsewhere = OrganisationInput(name, OrganisationKind.MUNICIPALITY, "AT")
    services.invite(ana, application_id, InviteInput("x@mannheim.example", "X", organisation=elsewhere))


# --- writing --------------------------------------------------------------------------------------------------


def test_the_second_saver_of_a_section_or_a_budget_is_told(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    (city,) = ana.organisation_ids
    shown = (Shown("summary", 0),)
    services.save_section(ana, application_id, "summary", SectionInput((Answer("summary", "One"),), None, shown))
    empty = (CellShown(0, Money(0)),)
    services.save_budget(ana, application_id, BudgetInput((Cell(city, "A", euros(7)),), empty))

    second = SectionInput((Answer("summary", "Two"),), Mark.COMPLETE, shown)
    saved = services.save_section(ana, application_id, "summary", second)
    assert [each.stored.text for each in saved.contested] == ["One"]
    # What was not contested is done: the mark.
    assert queries.workplace(ana, reference).dossier.section("summary").mark is Mark.COMPLETE
    kept = services.save_budget(ana, application_id, BudgetInput((Cell(city, "A", euros(1)),), empty))
    assert [(cell.outcome, cell.amount) for cell in kept.contested] == [(Outcome.CONTESTED, euros(7))]


def test_details_are_changed_and_found_by_plain_letters(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    version = queries.view(ana, reference).version

    services.edit_details(ana, application_id, DetailsInput("Łódź heats together", "ŁÓDŹ!", "Short"), version)

    found = found_in_list(ana, ListFilter(search="lodz heat"), size=10)
    assert [row.reference for row in found] == [reference]
    with pytest.raises(Invalid):
        services.edit_details(ana, application_id, DetailsInput("x", "y" * 31, "word " * 101))


def test_files_are_attached_versioned_and_taken_out(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    factory.attach(application_id, ana, "attachment_mandate", "mandate.pdf")
    factory.attach(application_id, ana, "attachment_mandate", "mandate.pdf", factory.PDF + b"\n")

    (file,) = queries.workplace(ana, reference).files
    assert file.version_no == 2
    assert queries.file_of(ana, application_id, file.sha256).name == "mandate.pdf"
    with pytest.raises(NotAllowed):
        services.download(actors.marek(), application_id, file.sha256)
    with pytest.raises(Invalid):
        factory.attach(application_id, ana, "attachment_invented", "x.pdf")
    services.remove_file(ana, application_id, file.id)
    assert queries.workplace(ana, reference).files == ()


# --- sending --------------------------------------------------------------------------------------------------


def test_an_incomplete_application_is_not_sent_and_every_problem_is_named(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)

    with pytest.raises(Refused, match="problems and cannot be sent yet"):
        services.submit(ana, application_id)

    place = queries.workplace(ana, reference)
    assert {issue.page for issue in place.issues} == {rules.Page.SECTION, rules.Page.BUDGET, rules.Page.FILES}
    assert db.session.scalar(select(func.count()).select_from(Submission)) == 0


def test_what_is_sent_is_frozen_hashed_numbered_and_received(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    factory.fill(reference, ana)

    receipt = services.submit(ana, application_id, queries.workplace(ana, reference).fingerprint)

    view, content = queries.view(ana, reference), queries.submitted_content(application_id)
    assert (receipt.number, receipt.receipt_number, receipt.submitted_at) == (1, 1, WHILE_OPEN)
    assert view.state is ApplicationState.SUBMITTED
    assert view.requested == euros(125_000)
    assert content.sha256 == receipt.sha256 == queries.workplace(ana, reference).fingerprint
    assert content.dossier.answer("summary").text == "An answer to summary."
    assert content.budget.totals.requested == euros(125_000)
    assert [file.name for file in content.files] == ["mandate.pdf"]
    stored = db.session.scalars(select(Submission)).one()
    assert rules.digest(stored.content) == stored.sha256
    queued = db.session.scalars(select(Job).where(Job.name == "jobs.documents.application_receipt")).one()
    assert queued.args == {"submission_id": str(receipt.submission_id)}


def test_sending_again_makes_the_next_version_and_the_last_one_stands(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    factory.fill(reference, ana)
    first = services.submit(ana, application_id)
    services.save_section(
        ana, application_id, "summary", SectionInput((Answer("summary", "Better words."),), Mark.COMPLETE, None)
    )

    assert queries.workplace(ana, reference).changed_since_submission
    assert queries.submitted_content(application_id).dossier.answer("summary").text == "An answer to summary."
    second = services.submit(ana, application_id)

    assert (second.number, second.receipt_number) == (2, 2)
    assert first.sha256 != second.sha256
    assert queries.submitted_content(application_id).dossier.answer("summary").text == "Better words."
    assert queries.submitted_version(ana, reference, 1).sha256 == first.sha256
    assert not queries.workplace(ana, reference).changed_since_submission


@pytest.mark.parametrize(
    ("before", "arrives"),
    [(timedelta(microseconds=1), True), (timedelta(0), False), (timedelta(milliseconds=-1), False)],
)
def test_the_very_moment_of_the_deadline_is_late(call: CallView, before: timedelta, arrives: bool) -> None:
    ana, application_id, reference = of_ana(call)
    factory.fill(reference, ana)

    with clock.at(CLOSES_AT - before):
        if arrives:
            assert services.submit(ana, application_id).submitted_at == CLOSES_AT - before
        else:
            with pytest.raises(Refused, match=r"The deadline was 15 November 2022, 12:00 \(Europe/Brussels\)"):
                services.submit(ana, application_id)


def test_after_the_deadline_nothing_is_written_any_more(call: CallView) -> None:
    ana, application_id, reference = of_ana(call)
    with clock.at(AFTER_CLOSING):
        for deed in (
            lambda: services.edit_details(ana, application_id, DetailsInput("x")),
            lambda: services.save_section(ana, application_id, "summary", SectionInput((), Mark.OPEN, None)),
            lambda: services.save_budget(ana, application_id, BudgetInput((), None)),
            lambda: factory.attach(application_id, ana, "other", "x.pdf"),
            lambda: invited(ana, application_id),
        ):
            with pytest.raises(Refused):
                deed()
        assert not queries.view(ana, reference).editable(AFTER_CLOSING)


def test_a_deadline_moved_meanwhile_counts(call: CallView) -> None:
    ana, application_id, reference = of_ana(call)
    factory.fill(reference, ana)
    later = clock.in_zone(CLOSES_AT + timedelta(days=3), call.zone).replace(tzinfo=None)
    with clock.at(CLOSES_AT - timedelta(hours=1)):
        call_services.extend_deadline(
            actors.ingrid(), call.id, DeadlineInput(later, "An outage", "Three more days for everybody")
        )

    with clock.at(CLOSES_AT + timedelta(days=2)):
        receipt = services.submit(ana, application_id)

    stored = db.session.scalars(select(Submission).where(Submission.id == receipt.submission_id)).one()
    assert stored.closes_at == CLOSES_AT + timedelta(days=3) == calls.call_by_id(call.id).closes_at


def test_a_fault_in_the_check_of_the_deadline_refuses(call: CallView, open_now: None, monkeypatch: object) -> None:
    ana, application_id, reference = of_ana(call)
    factory.fill(reference, ana)
    os.environ["GRANTS_FAULT"] = "deadline"
    try:
        with pytest.raises(Fault):
            services.submit(ana, application_id)
    finally:
        del os.environ["GRANTS_FAULT"]
    assert db.session.scalar(select(func.count()).select_from(Submission)) == 0


def test_what_a_partner_changed_after_the_last_look_is_not_sent_unseen(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    factory.fill(reference, ana)
    seen = queries.workplace(ana, reference).fingerprint
    services.edit_details(ana, application_id, DetailsInput("Another title"))

    with pytest.raises(ContentChanged):
        services.submit(ana, application_id, seen)


def test_a_partner_who_has_not_answered_stops_the_sending(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    factory.fill(reference, ana)
    marek = invited(ana, application_id)

    with pytest.raises(Refused, match="Southport has not answered"):
        services.submit(ana, application_id)
    services.accept_invitation(marek, application_id, *marek.organisation_ids)
    assert services.submit(ana, application_id).number == 1


def test_a_partner_cannot_send(call: CallView, open_now: None) -> None:
    ana, application_id, _ = of_ana(call)
    marek = invited(ana, application_id)

    with pytest.raises(NotAllowed):
        services.submit(marek, application_id)


def test_withdrawn_means_read_only_with_its_reason_in_the_record(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    factory.fill(reference, ana)
    services.submit(ana, application_id)

    with pytest.raises(Invalid):
        services.withdraw(ana, application_id, " ")
    services.withdraw(ana, application_id, "The council voted no")

    assert queries.view(ana, reference).state is ApplicationState.WITHDRAWN
    with pytest.raises(Refused):
        services.submit(ana, application_id)
    reasons = db.session.scalars(
        select(AuditEvent.reason).where(
            AuditEvent.verb == "application.withdraw", AuditEvent.object_kind == "application"
        )
    ).all()
    assert reasons == ["The council voted no"]


# --- eligibility ----------------------------------------------------------------------------------------------


def all_pass(call: CallView, **other: tuple[Verdict, str]) -> tuple[ConditionAnswer, ...]:
    """Every condition met but for the ones named."""
    return tuple(
        ConditionAnswer(condition.key, *other.get(condition.key, (Verdict.PASS, "")))
        for condition in call.content.conditions
    )


def test_an_application_is_declared_eligible_after_the_deadline(call: CallView, sent_world: World[UUID]) -> None:
    application_id = sent_world.told()
    eli = actors.eli()

    with clock.at(WHILE_OPEN), pytest.raises(Refused, match="open until"):
        services.record_answers(eli, application_id, all_pass(call))
    with clock.at(AFTER_CLOSING):
        services.record_answers(eli, application_id, all_pass(call)[:2], 0)
        assert services.declare(eli, application_id, all_pass(call)) is Verdict.PASS

        desk = queries.desk(actors.eli(), queries.view_by_id(application_id))
        assert (desk.verdict, desk.decided_by, desk.answered) == (
            Verdict.PASS,
            eli.user_id,
            len(rules.conditions_of(call.content)),
        )
        with pytest.raises(Refused, match="its verdict already"):
            services.declare(eli, application_id, all_pass(call))
        services.send_letter(eli, application_id)
        with pytest.raises(Refused, match="only a submitted one"):
            services.declare(eli, application_id, all_pass(call))
    assert queries.view_by_id(application_id).state is ApplicationState.ELIGIBLE


def test_a_condition_that_is_not_met_needs_a_reason_and_makes_it_not_eligible(
    call: CallView, sent_world: World[UUID]
) -> None:
    application_id = sent_world.told()
    eli, key = actors.eli(), call.content.conditions[0].key

    with clock.at(AFTER_CLOSING):
        with pytest.raises(Invalid) as refused:
            services.declare(eli, application_id, all_pass(call, **{key: (Verdict.FAIL, " ")}))
        assert list(refused.value.problems) == [f"reason_{key}"]
        answers = all_pass(call, **{key: (Verdict.FAIL, "It overlaps")})
        assert services.declare(eli, application_id, answers) is Verdict.FAIL
        services.confirm_refusal(actors.ella(), application_id)
        services.send_letter(actors.ella(), application_id)

    view = queries.view_by_id(application_id)
    assert view.state is ApplicationState.INELIGIBLE
    assert "It overlaps" in (queries.desk(actors.eli(), view).reason or "")


def test_a_verdict_needs_every_answer(app: Flask, sent_world: World[UUID]) -> None:
    application_id = sent_world.told()

    with clock.at(AFTER_CLOSING), pytest.raises(Refused, match="no answer yet"):
        services.declare(actors.eli(), application_id, ())


def test_the_second_officer_of_one_check_is_told(call: CallView, sent_world: World[UUID]) -> None:
    application_id = sent_world.told()
    with clock.at(AFTER_CLOSING):
        services.record_answers(actors.eli(), application_id, all_pass(call)[:1], 0)
        with pytest.raises(Conflict):
            services.record_answers(actors.eli(), application_id, all_pass(call)[:1], 0)


# --- sight ----------------------------------------------------------------------------------------------------


def test_staff_see_what_was_sent_and_never_a_draft(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)

    for staff in (actors.eli(), actors.ingrid(), actors.nuria()):
        with pytest.raises(NotFound):
            queries.view(staff, reference)
        assert found_in_list(staff, ListFilter(), size=10) == ()
        assert queries.counts(staff, ListFilter()) == {}
    factory.fill(reference, ana)
    services.submit(ana, application_id)

    assert queries.view(actors.eli(), reference).reference == reference
    assert queries.counts(actors.eli(), ListFilter()) == {ApplicationState.SUBMITTED: Tally(1)}
    with pytest.raises(NotFound):
        queries.workplace(actors.eli(), reference)


def test_another_city_sees_nothing(call: CallView, open_now: None) -> None:
    _, application_id, reference = of_ana(call)
    marek = actors.marek()

    with pytest.raises(NotFound):
        queries.view(marek, reference)
    assert found_in_list(marek, ListFilter(search="warm"), size=10) == ()
    with pytest.raises((NotFound, NotAllowed)):
        services.save_section(marek, application_id, "summary", SectionInput((), Mark.OPEN, None))


def test_a_barred_person_finds_nothing_anywhere(app: Flask, sent_world: World[UUID]) -> None:
    application_id = sent_world.told()
    reference = queries.view_by_id(application_id).reference
    eli = actors.eli()
    assert queries.view(eli, reference).reference == reference

    barred = Actor(eli.user_id, eli.name, eli.granted, frozenset({("application", application_id)}), eli.roles)

    with pytest.raises(NotFound):
        queries.view(barred, reference)
    assert found_in_list(barred, ListFilter(search="warm"), size=10) == ()
    assert queries.counts(barred, ListFilter()) == {}
    assert queries.countries(barred) == ()
    assert queries.calls_seen(barred) == ()


def test_lists_go_on_by_key_and_are_narrowed(call: CallView) -> None:
    for title in ("Warm Blocks", "Green Trams", "Shared Heat"):
        factory.submitted(call, actors.ana(), title)
    eli = actors.eli()

    first = found_in_list(eli, ListFilter(), size=2)
    assert [row.title for row in first] == ["Shared Heat", "Green Trams", "Warm Blocks"]
    assert [row.title for row in found_in_list(eli, ListFilter(), size=2, after=first[1].reference)] == ["Warm Blocks"]
    assert [row.title for row in found_in_list(eli, ListFilter(search="tram northbridge"), size=9)] == ["Green Trams"]
    assert found_in_list(eli, ListFilter(states=(ApplicationState.ELIGIBLE,)), size=9) == ()
    assert len(found_in_list(eli, ListFilter(call_slug=call.slug, country_code="PL"), size=9)) == 3
    assert found_in_list(eli, ListFilter(search="%"), size=9) == ()


def test_what_a_list_says_of_each_state_is_what_each_reader_would_count(call: CallView) -> None:
    """The totals the database keeps, less and more what differs for one person, against the rows the person sees."""
    sent = [factory.submitted(call, actors.ana(), title) for title in ("Warm Blocks", "Green Trams", "Shared Heat")]
    draft = of_ana(call, "Quiet Streets")[1]
    with clock.at(WHILE_OPEN):
        services.withdraw(again(actors.ana()), sent[2], "not this year")
    eli, read = actors.eli(), str(Permission.APPLICATION_READ)
    here = frozenset({(read, ("call", call.id))})
    readers = {
        "everywhere": eli.granted,
        "this call": here,
        "this call and a draft": here | {(read, ("application", draft)), (read, ("application", sent[0]))},
        "another call": frozenset({(read, ("call", UUID(int=7)))}),
        "a draft alone": frozenset({(read, ("application", draft))}),
        "an evaluator": here | {(str(Permission.CONFLICT_DECLARE), ("call", call.id))},
    }
    bars = {
        "from nothing": frozenset(),
        "from one": frozenset({("application", sent[0])}),
        "from a draft": frozenset({("application", draft)}),
        "from the call": frozenset({("call", call.id)}),
        "from both": frozenset({("call", call.id), ("application", sent[0])}),
    }
    told = set()
    for who, granted in readers.items():
        for what, barred in bars.items():
            reader = Actor(eli.user_id, eli.name, granted, barred, eli.roles)
            for wanted in (
                ListFilter(),
                ListFilter(call_slug=call.slug),
                ListFilter(call_slug="none"),
                ListFilter(search="warm"),
            ):
                rows = found_in_list(reader, wanted, size=20)
                counted = {state.value: number for state, number in Counter(row.state for row in rows).items()}
                said = {state.value: tally.number for state, tally in queries.counts(reader, wanted).items()}
                assert said == counted, (who, what, wanted)
                told.add(tuple(sorted(said.items())))
    assert len(told) > 5


def test_counting_without_a_total_stops_at_a_thousand(call: CallView, monkeypatch: pytest.MonkeyPatch) -> None:
    for title in ("Warm Blocks", "Warm Trams", "Warm Heat"):
        factory.submitted(call, actors.ana(), title)
    monkeypatch.setattr("grants.core.paging.COUNTED_MAX", 2)

    (searched,) = queries.counts(actors.eli(), ListFilter(search="warm")).values()
    (kept,) = queries.counts(actors.eli(), ListFilter()).values()

    assert (str(searched), str(kept)) == ("2+", "3")


# --- duties ---------------------------------------------------------------------------------------------------


def test_everybody_sees_the_own_next_deed(call: CallView) -> None:
    ana, application_id, reference = of_ana(call)
    with clock.at(WHILE_OPEN):
        marek = invited(ana, application_id)

        assert [duty.button for duty in queries.duties(again(ana), WHILE_OPEN)] == ["Open the application"]
        assert [duty.button for duty in queries.duties(marek, WHILE_OPEN)] == ["Open the invitation"]
        services.accept_invitation(marek, application_id, *marek.organisation_ids)
        factory.fill(reference, ana)
        assert [duty.button for duty in queries.duties(again(ana), WHILE_OPEN)] == ["Check the application"]
        services.submit(ana, application_id)
        assert queries.duties(again(ana), WHILE_OPEN) == ()
    later = WHILE_OPEN + timedelta(hours=1)
    with clock.at(later):
        services.save_section(ana, application_id, "summary", SectionInput((), Mark.COMPLETE, None))
        assert [duty.what[:17] for duty in queries.duties(again(ana), later)] == ["Send your changes"]
    (duty,) = queries.duties(actors.eli(), AFTER_CLOSING)
    assert duty.what == "Check 1 application for eligibility"
    assert queries.duties(actors.eli(), WHILE_OPEN) == ()


# --- later stages ---------------------------------------------------------------------------------------------


@act("test_application.record", needs=Permission.SELECTION_RECORD_PUBLISHED_OUTCOME, says="did a thing of the tests")
def record(actor: Actor, call_id: UUID, cities: tuple[UUID, ...], source: str) -> UUID:
    return services.record_published(
        call_id, "LC³: low-carbon city", "LC³", cities, source, synthetic_note="Amounts invented"
    )


@act("test_application.move", needs=Permission.SELECTION_RECORD_PUBLISHED_OUTCOME, says="did a thing of the tests")
def move(actor: Actor, application_id: UUID, verb: str) -> str:
    return services.move(application_id, verb).value


def test_a_published_outcome_enters_as_selected_without_submission(call: CallView) -> None:
    ingrid = actors.ingrid()
    cities = (
        actors.organisation("City of Lahti", country_code="FI"),
        actors.organisation("City of Espoo", country_code="FI"),
    )

    with pytest.raises(Invalid):
        record(ingrid, call.id, cities, " ")
    made = record(ingrid, call.id, cities, "https://example.eu/pilots")

    view = queries.view_by_id(made)
    assert (view.state, view.submission, view.coordinator.name) == (ApplicationState.SELECTED, None, "City of Lahti")
    (row,) = found_in_list(ingrid, ListFilter(states=(ApplicationState.SELECTED,)), size=10)
    assert row.id == made
    assert queries.of_call(call.id, [ApplicationState.SELECTED]) == (made,)
    assert len(queries.partners(made)) == 2
    assert move(ingrid, made, "prepare") == "in_preparation"
    with pytest.raises(Refused):
        move(ingrid, made, "submit")
    with pytest.raises(NotFound):
        queries.submitted_content(made)


def test_receipt_numbers_have_no_gaps(call: CallView) -> None:
    ana = actors.ana()
    for title in ("One", "Two"):
        factory.submitted(call, ana, title)
    refused = factory.draft(call, ana, "Never complete")
    with clock.at(WHILE_OPEN), pytest.raises(Refused):
        services.submit(again(ana), queries.id_of(again(ana), refused))
    factory.submitted(call, ana, "Three")

    numbers = db.session.scalars(select(Submission.receipt_number).order_by(Submission.receipt_number)).all()
    assert numbers == [1, 2, 3]
    assert db.session.scalar(select(func.count()).select_from(Application)) == 4


# --- who speaks for an organisation -----------------------------------------------------------------------------


def test_one_person_answers_for_each_of_two_partners_by_itself(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    marek = invited(ana, application_id)
    (southport,) = marek.organisation_ids
    described = OrganisationInput("Heat Cooperative", OrganisationKind.ASSOCIATION, "PL")
    coop = services.invite(
        ana, application_id, InviteInput("marek.nowak@example.eu", "Marek Nowak", organisation=described)
    )

    services.accept_invitation(again(marek), application_id, coop)
    services.decline_invitation(again(marek), application_id, southport, "The council said no")

    states = {p.organisation_id: p.state for p in queries.view(ana, reference).partners if not p.leads}
    assert states == {southport: PartnerState.DECLINED, coop: PartnerState.ACCEPTED}
    # The cooperative still needs him.
    with clock.at(WHILE_OPEN + timedelta(minutes=1)):
        services.save_section(
            again(marek), application_id, "summary", SectionInput((Answer("summary", "Words"),), Mark.OPEN, None)
        )
        assert queries.own_rows(again(marek), queries.view(ana, reference)) == {coop}
    with pytest.raises(NotFound):
        services.accept_invitation(again(marek), application_id, *ana.organisation_ids)


def test_somebody_from_outside_binds_an_organisation_only_once_its_people_confirm(
    call: CallView, open_now: None
) -> None:
    ana, application_id, reference = of_ana(call)
    marek = actors.marek()
    (southport,) = marek.organisation_ids
    services.invite(ana, application_id, InviteInput("sock@evil.example", "Sock", southport, sections=("summary",)))
    sock = _by_mail("sock@evil.example")
    at = clock.now()

    assert services.accept_invitation(sock, application_id, southport) is PartnerState.WAITING

    words = [issue.message for issue in queries.workplace(ana, reference).issues]
    assert any("waits for the organisation" in each for each in words)
    with pytest.raises(Refused, match="must confirm"):
        services.save_section(sock, application_id, "summary", SectionInput((), Mark.OPEN, None))
    (answer,) = queries.waiting_answers(marek, at)
    assert (answer.title, answer.person, answer.email) == ("Warm Blocks", "Sock", "sock@evil.example")
    assert [each.title for each in queries.waiting_answers(actors.ada(), at)] == [None]
    assert queries.waiting_answers(ana, at) == queries.waiting_answers(sock, at) == ()
    (duty,) = queries.duties(marek, at)
    assert (duty.endpoint, duty.what) == (
        "applications.partners_waiting",
        "Say whether 1 person may speak for an organisation",
    )
    assert duty.what == "Say whether 1 person may speak for an organisation"
    for stranger in (ana, actors.sid()):
        with pytest.raises(NotFound):
            services.confirm_partner(stranger, answer.id)
    with pytest.raises(NotAllowed):
        services.confirm_partner(sock, answer.id)

    services.confirm_partner(marek, answer.id)

    assert queries.view(ana, reference).partners[1].state is PartnerState.ACCEPTED
    services.save_section(sock, application_id, "summary", SectionInput((), Mark.OPEN, None))
    with pytest.raises(Refused, match="answered meanwhile"):
        services.refuse_partner(marek, answer.id)


def test_an_administrator_refuses_who_does_not_speak_for_an_organisation(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    (southport,) = actors.marek().organisation_ids
    services.invite(ana, application_id, InviteInput("sock@evil.example", "Sock", southport))
    services.accept_invitation(_by_mail("sock@evil.example"), application_id, southport)
    (answer,) = queries.waiting_answers(actors.ada(), clock.now())

    services.refuse_partner(actors.ada(), answer.id)

    assert queries.view(ana, reference).partners[1].state is PartnerState.DECLINED
    with clock.at(WHILE_OPEN + timedelta(minutes=1)):
        assert not _by_mail("sock@evil.example").can(Permission.APPLICATION_READ)


def test_an_organisation_that_only_a_draft_describes_is_in_nobody_else_s_list(call: CallView, open_now: None) -> None:
    ana, application_id, _ = of_ana(call)
    described = OrganisationInput("Heat Cooperative", OrganisationKind.ASSOCIATION, "PL")
    coop = services.invite(ana, application_id, InviteInput("hana@coop.example", "Hana Coop", organisation=described))
    marek = actors.marek()
    drafted = factory.draft(call, marek, "Cool Roofs")
    other_id = queries.id_of(again(marek), drafted)
    marek = again(marek)

    assert coop not in {each.id for each in people.choosable_organisations(marek)}
    assert coop in {each.id for each in people.choosable_organisations(ana, [coop])}
    with pytest.raises(Invalid) as refused:
        services.invite(marek, other_id, InviteInput("x@coop.example", "X", coop))
    assert list(refused.value.problems) == ["organisation_id"]
    # Described a second time it is the same organisation, and nobody joins it by that.
    again_described = services.invite(
        marek, other_id, InviteInput("rival@coop.example", "Rival", organisation=described)
    )
    assert again_described == coop and _by_mail("rival@coop.example").organisation_ids == frozenset()

    services.accept_invitation(_by_mail("hana@coop.example"), application_id, coop)

    assert coop in {each.id for each in people.choosable_organisations(actors.sid())}


def _by_mail(email: str) -> Actor:
    found = people.person_by_email(email)
    assert found is not None
    return people.actor_for(found.id, fresh=True)


# --- on the record ----------------------------------------------------------------------------------------------


def _opened(verb: str) -> list[tuple[UUID | None, str | None]]:
    rows = db.session.execute(select(AuditEvent.user_id, AuditEvent.reason).where(AuditEvent.verb == verb))
    return [(row.user_id, row.reason) for row in rows]


@shuts("evaluation.file")
def test_who_opens_a_confidential_file_is_on_record(app: Flask, sent_world: World[UUID]) -> None:
    application_id = sent_world.told()
    sha256 = queries.submitted_content(application_id).files[0].sha256
    eva = with_seat(keep_from(actors.eva(), []), application_id)

    assert services.download(actors.eli(), application_id, sha256).sha256 == sha256
    assert services.download_assigned(eva, application_id, sha256).sha256 == sha256
    page = f"/assessments/{queries.view_by_id(application_id).reference}/files/{sha256}"
    with actors.client_of(app, eva).get(page) as answer:
        assert answer.status_code == 200
    with pytest.raises(NotFound):
        services.download_assigned(eva, application_id, "0" * 64)
    with pytest.raises(NotFound):
        # The receipt is not printed yet.
        services.download_receipt(again(actors.ana()), application_id, 1)
    with pytest.raises(NotAllowed):
        services.download_assigned(actors.emil(), application_id, sha256)
    with arranging():
        identity_factory.bar(eva.user_id, "application", application_id)
    with pytest.raises(NotFound):
        services.download_assigned(actors.actor(eva.user_id), application_id, sha256)
    assert actors.client_of(app, actors.actor(eva.user_id)).get(page).status_code == 404

    assert _opened("application.download") == [(actors.eli().user_id, f"file {sha256[:12]}")]
    assert _opened("application.download_assigned") == [(eva.user_id, f"file {sha256[:12]}")] * 2


def test_a_receipt_is_proved_by_reference_and_hash_together(call: CallView, sent_world: World[UUID]) -> None:
    application_id = sent_world.told()
    content = queries.submitted_content(application_id)
    other = factory.submitted(call, actors.marek(), "Cool Roofs")

    proof = queries.receipt_proof(f" {content.reference.lower()} ", content.sha256)

    assert proof is not None
    assert (proof.title, proof.number, proof.stands, proof.submitted_at) == ("Warm Blocks", 1, True, WHILE_OPEN)
    assert db.session.get(AuditEvent, proof.registered.event_id) is not None and proof.registered.position is None
    assert queries.receipt_proof(queries.view_by_id(other).reference, content.sha256) is None
    assert queries.receipt_proof(content.reference, "no hash") is None
    assert audit.seal_pending() > 0
    sealed = queries.receipt_proof(content.reference, content.sha256)
    assert sealed is not None and sealed.registered.position
    assert sealed.registered.covered_at is None
    signed = make_checkpoint(system_actor("the program", (Permission.CHECKPOINT_MAKE,)))
    covered = queries.receipt_proof(content.reference, content.sha256)
    assert covered is not None
    assert (covered.registered.covered_up_to, covered.registered.covered_at) == (signed.position, signed.made_at)
