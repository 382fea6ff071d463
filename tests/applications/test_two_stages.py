"""Two-stage calls: a concept, an invitation, and the full proposal that takes along what was chosen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from grants.applications import queries, rules, services
from grants.applications.models import Application, ApplicationPartner, StageInvitation
from grants.applications.rules import AnswerInput, DetailsInput, FollowInput, SectionInput, StartInput
from grants.applications.states import ApplicationState, PartnerState, Verdict
from grants.budgets.rules import Cell
from grants.calls import queries as calls
from grants.calls import services as call_services
from grants.calls.rules import CallView
from grants.calls.states import CallStage
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import NotFound, Problems, Refused
from grants.core.jobs.models import Job
from grants.core.money import euros
from grants.core.permissions import Actor
from grants.dossiers.rules import Answer, Definition, Question, QuestionKind, Section
from grants.identity import services as people
from grants.identity.policy import Role
from tests import actors
from tests.applications.pages import send, text_of
from tests.applications.test_six_calls import city, judged, lead_of, sent
from tests.factories.applications import again
from tests.statements import statements
from tests.worlds import World, Worlds

pytestmark = pytest.mark.usefixtures("app")

BEFORE = datetime(2026, 1, 5, 9, tzinfo=UTC)

CONCEPT = """
schema_version: 1
call:
  id: TWO-1
  title: Green quarters, concepts
  invented: true
  kind: expression_of_interest
  stage: concept
  parent_grant: {number: "999000999", acronym: Invented, framework: Horizon Europe}
dates:
  opens: {local: "2026-02-02", time: "09:00"}
  deadline_original: {local: "2026-05-04 17:00"}
duration_months: 24
eligibility:
  applicants: {rule: Any city}
  criteria:
    - {key: lead, rule: the lead is a city administration, test: {fact: organisation_kind, of: lead, allowed: [municipality]}}
submission: {language: en, required_attachments: []}
application_form:
  sections:
    - key: idea
      title: The idea
      questions:
        - {key: barrier, label: "Which barrier do you meet?", kind: long, words_max: 100}
        - {key: districts, label: "How many districts?", kind: number}
        - {key: kept_here, label: Only asked of a concept, kind: short}
"""
FULL = """
schema_version: 1
call:
  id: TWO-2
  title: Green quarters, full proposals
  invented: true
  stage: full_proposal
  follows: TWO-1
  parent_grant: {number: "999000999", acronym: Invented, framework: Horizon Europe}
dates:
  opens: {local: "2026-07-01", time: "09:00"}
  deadline_original: {local: "2026-10-01 17:00"}
duration_months: 24
budget: {total: 900000}
grant_bands_eur:
  - {code: S, amount: 300000}
submission: {language: en, required_attachments: []}
application_form:
  sections:
    - key: plan
      title: The plan
      questions:
        - {key: barrier, label: "Which barrier does the pilot lower?", kind: long, words_max: 200, criterion: excellence}
        - {key: districts, label: "In how many districts?", kind: short}
        - {key: steps, label: "Which steps do you take?", kind: long, criterion: excellence}
"""


def published(text: str) -> CallView:
    with clock.at(BEFORE):
        made = call_services.import_call(actors.ingrid(), text)
        call_services.apply_template(actors.ingrid(), made.id)
        call_services.publish(actors.ingrid(), made.id)
    return calls.call_by_id(made.id)


def during(call: CallView) -> datetime:
    assert call.opens_at is not None
    return call.opens_at + timedelta(days=3)


@pytest.fixture(scope="session")
def concept_world(worlds: Worlds) -> World[tuple[tuple[CallView, CallView], UUID]]:
    """Two stages, and a concept of Northbridge with Southport, found eligible and told so."""
    return worlds.of(concept_found_eligible)


def concept_found_eligible() -> tuple[tuple[CallView, CallView], UUID]:
    with clock.at(BEFORE):
        for person in (actors.ana("Municipality of Northbridge"), actors.marek(), actors.ingrid(), actors.eli()):
            assert person.user_id  # Their roles are given then, so that they may act at that time too.
    first, second = published(CONCEPT), published(FULL)
    southport = actors.organisation(actors.SOUTHPORT)
    application_id = sent(first, lead_of("Northbridge"), southport, title="Warm Blocks")
    with arranging():
        partner = db.session.scalars(
            select(ApplicationPartner).where(ApplicationPartner.organisation_id == southport)
        ).one()
        partner.contact_user_id = actors.marek().user_id
    assert judged(first, application_id)[0] is Verdict.PASS
    return (first, second), application_id


@pytest.fixture
def stages(app: Flask, concept_world: World[tuple[tuple[CallView, CallView], UUID]]) -> tuple[CallView, CallView]:
    return concept_world.told()[0]


@pytest.fixture
def concept(app: Flask, concept_world: World[tuple[tuple[CallView, CallView], UUID]]) -> UUID:
    return concept_world.told()[1]


def invite(call: CallView, *concepts: UUID, note: str = "") -> int:
    with clock.at(during(call) - timedelta(days=10)):
        return services.invite_concepts(actors.ingrid(), call.id, concepts, note)


def start(call: CallView, concept_id: UUID, **chosen: tuple[object, ...]) -> str:
    with clock.at(during(call)):
        given = FollowInput(DetailsInput("Warm Blocks, in full"), **chosen)  # type: ignore[arg-type] -- passed through
        lead = again(actors.ana("Municipality of Northbridge"))
        return services.start_invited(lead, call.id, concept_id, given).reference


def test_from_two_files_to_the_submission_of_the_second_stage(
    app: Flask, stages: tuple[CallView, CallView], concept: UUID
) -> None:
    _, second = stages
    southport = actors.organisation(actors.SOUTHPORT)
    ana = actors.client_of(app, actors.ana("Municipality of Northbridge"))
    reference = queries.view_by_id(concept).reference
    address = f"/calls/{second.slug}/full-proposal/{reference}"
    invite(second, concept)

    with clock.at(during(second)):
        assert f"Start the full proposal of Warm Blocks ({reference})" in text_of(
            ana.get(f"/applications/new?call={second.slug}")
        )
        shown = text_of(ana.get(address))
        assert "Partners to ask again" in shown and "Which barrier does the pilot lower?" in shown
        assert "In how many districts?" not in shown  # Another kind of question under the same short name.
        started = send(ana, address, title="Warm Blocks, in full")
    assert started.status_code == 303, text_of(started)
    proposal = db.session.scalars(select(Application).where(Application.call_id == second.id)).one()
    view = queries.view_by_id(proposal.id)
    assert [(p.organisation_id, p.state) for p in view.partners][1:] == [(southport, PartnerState.INVITED)]
    mails = [job.args for job in db.session.scalars(select(Job).where(Job.name == "jobs.mail.send"))]
    assert [m["template"] for m in mails if m["template"] == "stage_invited"] == ["stage_invited"]
    assert view.coordinator.name == "Municipality of Northbridge"

    marek = again(actors.marek())
    with clock.at(during(second)):
        services.accept_invitation(marek, proposal.id, southport)
        lead = again(actors.ana("Municipality of Northbridge"))
        dossier = queries.workplace_of(queries.view_by_id(proposal.id)).dossier
        plan = dossier.section("plan")
        assert plan.question("barrier").answer.text == "An answer to barrier."
        assert plan.question("steps").answer.empty and plan.question("districts").answer.empty
        answers = (Answer("steps", "Three."), Answer("districts", "Two"))
        services.save_section(lead, proposal.id, "plan", SectionInput(answers, None, None))
        assert "Full proposal of the concept" in text_of(ana.get(f"/applications/{proposal.reference}"))
        code = second.content.budget_rules.entered[0].code
        services.save_budget(
            lead, proposal.id, rules.BudgetInput((Cell(view.coordinator_id, code, euros(50_000)),), None)
        )
        receipt = services.submit(again(lead), proposal.id)

    assert receipt.number == 1
    assert queries.view_by_id(concept).state is ApplicationState.ELIGIBLE
    assert queries.concept_of(proposal.id) == (reference, "Warm Blocks")
    assert queries.view_by_id(proposal.id).call.id == second.id


def starts(person: Actor, at: datetime) -> list[str]:
    return [duty.what for duty in queries.duties(person, at) if duty.endpoint == "applications.full_proposal"]


def test_the_lead_of_an_invited_concept_has_the_task_to_start_and_the_concept_leads_to_what_was_begun(
    app: Flask, stages: tuple[CallView, CallView], concept: UUID
) -> None:
    _, second = stages
    page = f"/applications/{queries.view_by_id(concept).reference}"
    address = f"/calls/{second.slug}/full-proposal/{queries.view_by_id(concept).reference}"
    lead = again(actors.ana("Municipality of Northbridge"))
    ana = actors.client_of(app, lead)
    with clock.at(during(second) - timedelta(days=20)):
        marek = actors.give(actors.marek().user_id, Role.APPLICATION_PARTNER, "application", concept)
    assert second.opens_at is not None and second.closes_at is not None

    with clock.at(during(second)), statements() as before:
        assert "You need not do anything now." in text_of(ana.get(page))
    invite(second, concept)
    with clock.at(second.opens_at - timedelta(microseconds=1)):
        assert "can start the full proposal from 1 July 2026" in text_of(ana.get(page))
        assert starts(lead, clock.now()) == []
    with clock.at(during(second)):
        with statements() as after:
            shown = ana.get(page)
        assert "What you must do now: Start the full proposal. Until 1 October 2026" in text_of(shown)
        assert f'href="{address}"' in shown.text and len(after) == len(before)
        home = ana.get("/home")
        assert "Start the full proposal of “Warm Blocks”" in text_of(home) and f'href="{address}"' in home.text
        assert "evaluators and the panel" not in text_of(home)
        # A concept asks for no money, and no page of it says that it asks for none.
        assert all("EUR" not in text_of(ana.get(f"{page}{each}")) for each in ("", "/receipt", "/print"))
        theirs = text_of(actors.client_of(app, marek).get(page))
        assert "Ana Kowalska, who leads it, can send a full proposal until 1 October 2026" in theirs
        assert "What you must do now" not in theirs and starts(marek, clock.now()) == []
    assert starts(lead, second.closes_at) == []

    reference = start(second, concept)
    with clock.at(during(second)):
        lead = again(lead)
        assert starts(lead, clock.now()) == []
        assert any(duty.values.get("ref") == reference for duty in queries.duties(lead, clock.now()))
        shown = actors.client_of(app, lead).get(page)
        assert f'href="/applications/{reference}"' in shown.text and "need not do anything" not in text_of(shown)
        theirs = text_of(actors.client_of(app, marek).get(page))
        assert "The full proposal is begun" in theirs and reference not in theirs
        # Nobody outside the team learns of a draft.
        staff = text_of(actors.client_of(app, actors.eli()).get(page))
        assert "who leads it, can send a full proposal until" in staff and "begun" not in staff


def test_the_programme_invites_concepts_on_a_page(app: Flask, stages: tuple[CallView, CallView], concept: UUID) -> None:
    _, second = stages
    manager = actors.client_of(app, actors.ingrid())
    page = f"/calls/{second.slug}/invitations"

    with clock.at(during(second)):
        assert "Not yet" in text_of(manager.get(page))
        nobody = send(manager, page)
        assert nobody.status_code == 422 and "Choose at least one concept." in text_of(nobody)
        assert send(manager, page, concepts=str(concept), note="More on costs, please.").status_code == 303
        assert "Invited on" in text_of(manager.get(page))
    (row,) = db.session.scalars(select(StageInvitation))
    assert (row.concept_id, row.note, row.started_id) == (concept, "More on costs, please.", None)


def untold(concept: UUID, state: ApplicationState) -> None:
    """A list decided on the concept, and no letter told its team."""
    with arranging():
        row = get(Application, concept)
        row.state, row.told_state, row.told_since = state.value, "under_evaluation", BEFORE
    db.session.rollback()


def test_an_outcome_its_team_does_not_know_is_told_by_no_invitation_and_by_nothing_it_does(
    app: Flask, stages: tuple[CallView, CallView], concept: UUID
) -> None:
    _, second = stages
    lead = again(actors.ana("Municipality of Northbridge"))
    untold(concept, ApplicationState.SELECTED)
    with pytest.raises(Refused, match="its letter of decision has not left"):
        invite(second, concept)
    page = actors.client_of(app, actors.ingrid()).get(f"/calls/{second.slug}/invitations")
    assert "before its team knows its outcome" in text_of(
        page
    ) and "record beside it that its team was told" in text_of(page)
    assert f"/calls/{stages[0].slug}/decision/letters" in page.text
    for act in (
        lambda: services.withdraw(lead, concept, "We cannot."),
        lambda: services.save_section(lead, concept, "idea", SectionInput((), None, None)),
        lambda: services.save_answer(lead, concept, "idea", AnswerInput("barrier", ("One.",), 0)),
    ):
        with pytest.raises(Refused, match="This application is under evaluation; it cannot"):
            act()
    # The version of its row rises with every decision: the page on which it was written carries none any more.
    details = actors.client_of(app, lead).get(f"/applications/{queries.view_by_id(concept).reference}/details")
    assert 'name="version" value=""' in details.text

    with arranging():
        services.tell_outcome(concept)
    invite(second, concept)
    # A later list turned it away, which its team does not know either.
    untold(concept, ApplicationState.NOT_FUNDED)
    lead = again(lead)
    assert len(starts(lead, during(second))) == 1
    assert start(second, concept)


def test_who_was_not_invited_starts_nothing(app: Flask, stages: tuple[CallView, CallView], concept: UUID) -> None:
    _, second = stages
    ana = again(actors.ana("Municipality of Northbridge"))
    (organisation_id,) = ana.organisation_ids

    with clock.at(during(second)):
        with pytest.raises(Refused, match="only applicants whose concept was invited"):
            services.start(ana, second.id, StartInput(organisation_id, DetailsInput("Alone")))
        assert "No concept of yours was invited" in text_of(
            actors.client_of(app, ana).get(f"/applications/new?call={second.slug}")
        )
    with pytest.raises(Refused, match="was not invited to this call"):
        start(second, concept)


def test_a_concept_that_was_not_invited_while_others_were_says_so(
    app: Flask, stages: tuple[CallView, CallView], concept: UUID
) -> None:
    first, second = stages
    with clock.at(BEFORE):
        city("Eastbridge")
        lead = actors.sid("Municipality of Eastbridge")
    other = sent(first, lead, actors.organisation(actors.SOUTHPORT), title="Cool Roofs")
    assert judged(first, other)[0] is Verdict.PASS
    client = actors.client_of(app, again(actors.ana("Municipality of Northbridge")))
    page, told = f"/applications/{queries.view_by_id(concept).reference}", "invited to the second stage on 24 June 2026"

    with clock.at(during(second)):
        assert "With the evaluators and the panel." in text_of(client.get("/home"))
        invite(second, other)
        for shown in (text_of(client.get(page)), text_of(client.get("/home"))):
            assert told in shown and "This concept was not among them so far." in shown
            assert "evaluators and the panel" not in shown and "Panel and selection decision" not in shown


def test_only_the_lead_of_the_concept_starts_its_full_proposal(
    stages: tuple[CallView, CallView], concept: UUID
) -> None:
    _, second = stages
    invite(second, concept)
    member = actors.give(
        actors.person("Petra Planner", Role.APPLICANT), Role.APPLICATION_EDITOR, "application", concept
    )

    with clock.at(during(second)):
        given = FollowInput(DetailsInput("Taken"))
        with pytest.raises(Refused, match="Municipality of Northbridge led the concept"):
            services.start_invited(member, second.id, concept, given)
        with pytest.raises(NotFound):
            services.start_invited(actors.sid("Municipality of Elsewhere"), second.id, concept, given)


def test_a_reader_from_the_leading_city_does_not_take_the_full_proposal_from_the_lead(
    app: Flask, stages: tuple[CallView, CallView], concept: UUID
) -> None:
    _, second = stages
    invite(second, concept)
    with clock.at(BEFORE):
        rita = actors.person("Rita Reader", Role.APPLICANT, organisation_name="Municipality of Northbridge")
        reader = actors.give(rita, Role.APPLICATION_READER, "application", concept)
    page = f"/calls/{second.slug}/full-proposal/{queries.view_by_id(concept).reference}"

    with clock.at(during(second)):
        with pytest.raises(Refused, match="Ana Kowalska leads the concept for Municipality of Northbridge"):
            services.start_invited(reader, second.id, concept, FollowInput(DetailsInput("Taken")))
        assert queries.invited_to(reader, second.id) == ()
        shown = text_of(actors.client_of(app, reader).get(page))
    assert "starts the full proposal: Ana Kowalska for Municipality of Northbridge" in shown
    assert start(second, concept)


def test_a_full_proposal_is_started_once_and_a_concept_invited_once(
    app: Flask, stages: tuple[CallView, CallView], concept: UUID
) -> None:
    first, second = stages
    invite(second, concept)
    with pytest.raises(Refused, match="is invited already"):
        invite(second, concept)
    reference = start(second, concept)

    with pytest.raises(Refused, match=f"was started already: {reference}"):
        start(second, concept)
    page = actors.client_of(app, again(actors.ana("Municipality of Northbridge"))).get(
        f"/calls/{second.slug}/full-proposal/{queries.view_by_id(concept).reference}"
    )
    assert f"Go on with {reference}" in text_of(page)
    view = queries.view_by_id(queries.id_of(again(actors.ana("Municipality of Northbridge")), reference))
    assert len(view.partners) == 1  # Nobody was chosen, so nobody is asked.
    assert first.id != view.call.id


def test_a_concept_that_was_turned_away_is_not_invited_and_another_calls_never(
    stages: tuple[CallView, CallView], concept: UUID
) -> None:
    first, second = stages
    with arranging():
        db.session.get_one(Application, concept).state = ApplicationState.INELIGIBLE.value

    with pytest.raises(Refused, match="is ineligible"):
        invite(second, concept)
    with pytest.raises(NotFound):
        invite(second, UUID(int=7))
    with pytest.raises(Refused, match="second of two stages"):
        invite(first, concept)
    assert db.session.scalars(select(StageInvitation)).all() == []


def test_a_concept_turned_away_after_its_invitation_is_followed_by_nothing(
    app: Flask, stages: tuple[CallView, CallView], concept: UUID
) -> None:
    _, second = stages
    invite(second, concept)
    with arranging():
        db.session.get_one(Application, concept).state = ApplicationState.INELIGIBLE.value

    with pytest.raises(Refused, match="was turned away since it was invited"):
        start(second, concept)
    with clock.at(during(second)):
        ana = actors.client_of(app, again(actors.ana("Municipality of Northbridge")))
        page = ana.get(f"/calls/{second.slug}/full-proposal/{queries.view_by_id(concept).reference}")
        assert "No full proposal can follow this concept" in text_of(page) and 'name="title"' not in page.text
        assert "Start the full proposal of" not in text_of(ana.get(f"/applications/new?call={second.slug}"))


def test_a_full_proposal_opens_only_after_a_call_for_concepts_it_names_is_here() -> None:
    with clock.at(BEFORE):
        made = call_services.import_call(actors.ingrid(), FULL)
        call_services.apply_template(actors.ingrid(), made.id)
        with pytest.raises(Problems, match="not published") as refused:
            call_services.publish(actors.ingrid(), made.id)
        assert "names “TWO-1”, which is no call for concepts here" in str(refused.value.found[0])
        call_services.import_call(actors.ingrid(), CONCEPT.replace("stage: concept", "stage: concept"))
        call_services.publish(actors.ingrid(), made.id)
        copied = call_services.copy_call(actors.ingrid(), made.id, "Another round", 2027)
        assert calls.call_by_id(copied.id).follows_id is None
        assert "Say which call for concepts it follows" in copied.notes[1]
        for value, words in (("", "is empty"), ("value: TWO-9", "no call for concepts here")):
            draft = call_services.copy_call(actors.ingrid(), made.id, f"Copy {words}", 2027)
            call_services.set_value(actors.ingrid(), draft.id, "call.follows", value or "{}")
            missing = calls.call_by_id(draft.id).missing
            assert any(words in problem.message for problem in missing), missing


def test_stage_and_the_call_it_follows_stand_in_file_builder_and_public_page(
    app: Flask, stages: tuple[CallView, CallView]
) -> None:
    first, second = stages

    assert (first.content.stage, second.content.stage) == (CallStage.CONCEPT, CallStage.FULL)
    assert second.follows_id == first.id
    text = calls.file_text(actors.ingrid(), second.slug)
    assert "value: full_proposal" in text and "value: TWO-1" in text
    public = text_of(app.test_client().get(f"/calls/{second.slug}"))
    assert "Only applicants whose concept was invited can apply here" in public and first.title in public
    assert second.title in text_of(app.test_client().get(f"/calls/{first.slug}"))
    manager = actors.client_of(app, actors.ingrid())
    assert "Second of two stages" in text_of(manager.get(f"/calls/{second.slug}/build"))
    assert manager.get(f"/calls/{first.slug}/invitations").status_code == 404


def test_an_answer_is_carried_only_to_the_same_kind_of_question_with_its_choice() -> None:
    def form(*asked: Question) -> Definition:
        return Definition((Section("s", "S", "", "", asked),))

    long, short = Question("a", "A", QuestionKind.LONG), Question("a", "A", QuestionKind.SHORT)

    assert [key for key, *_ in rules.carried(form(long), form(long), {"a": Answer("a", "x")})] == ["s"]
    assert rules.carried(form(long), form(short), {"a": Answer("a", "x")}) == ()
    assert rules.carried(form(long), form(long), {"a": Answer("a")}) == ()


def test_a_lead_who_is_gone_between_the_stages_is_followed_by_another_who_starts_the_full_proposal(
    app: Flask, stages: tuple[CallView, CallView], concept: UUID
) -> None:
    _, second = stages
    ana, reference = actors.ana("Municipality of Northbridge"), queries.view_by_id(concept).reference
    with clock.at(BEFORE):
        following = actors.person("Sven Successor", Role.APPLICANT, organisation_name="Municipality of Northbridge")
    with clock.at(during(second) - timedelta(days=20)):
        marek = actors.give(actors.marek().user_id, Role.APPLICATION_PARTNER, "application", concept)
        # While the lead is there, nobody takes over; the page of the team leads to the page that says so.
        team = text_of(actors.client_of(app, marek).get(f"/applications/{reference}/team"))
        assert "The lead is gone? Ask for another one" in team
        with pytest.raises(Refused, match="has a working account"):
            services.ask_takeover(marek, concept, following, "Ana left; Sven follows.")
        assert ana.user_id is not None
        people.disable_user(actors.ada(), ana.user_id, reason="Left the city.")

    assert invite(second, concept) == 1
    told = [job.args for job in db.session.scalars(select(Job).where(Job.name == "jobs.mail.send"))]
    assert str(marek.user_id) in {mail["user_id"] for mail in told if mail["template"] == "stage_invited"}
    with clock.at(during(second)):
        page = f"/calls/{second.slug}/full-proposal/{reference}"
        assert "The lead of this concept is gone" in text_of(actors.client_of(app, again(marek)).get(page))
        takeover = services.ask_takeover(again(marek), concept, following, "Ana left; Sven follows.")
        services.confirm_takeover(again(actors.ingrid()), takeover)
        given = FollowInput(DetailsInput("Warm Blocks, in full"))
        started = services.start_invited(actors.actor(following), second.id, concept, given)
        assert queries.view_by_id(started.id).coordinator.contact_id == following
        # What was followed needs no lead any more: its full proposal has its own.
        with pytest.raises(Refused, match="cannot be changed any more"):
            services.ask_takeover(again(marek), concept, following, "Once more.")
    with clock.at(during(second) + timedelta(days=400)):
        assert not queries.awaits_full_proposal(queries.view_by_id(concept), clock.now())


def test_a_second_stage_that_is_over_needs_no_other_lead(stages: tuple[CallView, CallView], concept: UUID) -> None:
    _, second = stages
    view = queries.view_by_id(concept)
    assert second.closes_at is not None

    assert queries.awaits_full_proposal(view, second.closes_at - timedelta(microseconds=1))
    assert not queries.awaits_full_proposal(view, second.closes_at)


def test_a_second_stage_that_was_cancelled_is_not_awaited(stages: tuple[CallView, CallView], concept: UUID) -> None:
    _, second = stages
    view = queries.view_by_id(concept)
    invite(second, concept)
    lead = again(actors.ana("Municipality of Northbridge"))
    assert queries.awaits_full_proposal(view, during(second))
    assert starts(lead, during(second)) == ["Start the full proposal of “Warm Blocks”"]
    with clock.at(during(second)):
        call_services.cancel(actors.ingrid(), second.id, "The money is gone.")

    assert not queries.awaits_full_proposal(view, during(second))
    assert starts(lead, during(second)) == []
    assert "cancelled since" in queries.stages(view, during(second), lead).now
