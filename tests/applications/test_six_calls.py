"""The six calls of the programme, each from its own file: application, submission, and the verdict of its own rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask

from grants.applications import queries, rules, services
from grants.applications.models import Application, ApplicationPartner
from grants.applications.rules import BudgetInput, ConditionAnswer, DetailsInput, SectionInput, StartInput
from grants.applications.states import PartnerRole, PartnerState, Verdict
from grants.budgets.models import BudgetOrganisation
from grants.budgets.rules import Cell
from grants.calls import queries as calls
from grants.calls import services as call_services
from grants.calls.rules import CallView
from grants.cities.models import City, Participation
from grants.cities.rules import call_label
from grants.cities.states import LabelStatus, OrganisationLink, Part
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.money import euros
from grants.core.permissions import Actor
from grants.dossiers.rules import Answer, Mark, QuestionKind
from grants.identity.models import Organisation
from grants.identity.policy import Role
from grants.identity.states import OrganisationKind
from tests import actors
from tests.applications.pages import send
from tests.factories import applications as factory
from tests.factories.applications import again, answer_to

pytestmark = pytest.mark.usefixtures("app")

DATA = call_services.DATA


def published(name: str) -> CallView:
    """The call of a file of ours, with what nobody found filled from the template, published before it opens."""
    text = (DATA / f"{name}.yaml").read_text(encoding="utf-8")
    with clock.at(datetime(2022, 1, 3, 9, tzinfo=clock.zone("UTC"))):
        made = call_services.import_call(actors.ingrid(), text)
        call_services.apply_template(actors.ingrid(), made.id)
        call_services.publish(actors.ingrid(), made.id)
    return calls.call_by_id(made.id)


def city(
    name: str,
    *,
    country: str = "PL",
    population: int | None = 200_000,
    mission: bool = False,
    cohort: str = "",
) -> UUID:
    """A municipality with its entry in the register; returns the organisation."""
    organisation_id = actors.organisation(f"Municipality of {name}", country_code=country)
    with arranging():
        row = City(
            slug=name.lower(),
            name=name,
            folded=name.lower(),
            country_code=country,
            mission_city=mission,
            label_status=(LabelStatus.NOT_FOUND if mission else LabelStatus.NOT_APPLICABLE).value,
            population=population,
            organisation_id=organisation_id,
            organisation_link=OrganisationLink.BY_HAND.value,
            synthetic=True,
        )
        db.session.add(row)
        db.session.get_one(Organisation, organisation_id).pic = f"9{organisation_id.int % 10**8:08d}"
        db.session.flush()
        if cohort:
            db.session.add(
                Participation(city_id=row.id, call_label=call_label(cohort), pilot_key=name, role=Part.LEAD.value)
            )
    return organisation_id


def lead_of(name: str, **about: object) -> Actor:
    """Ana, who speaks for that city."""
    city(name, **about)  # type: ignore[arg-type] -- keywords of the city pass through
    return actors.ana(f"Municipality of {name}")


def joined(application_id: UUID, organisation_id: UUID) -> None:
    """An organisation that takes part, as if its people had accepted."""
    with arranging():
        db.session.add(
            ApplicationPartner(
                application_id=application_id,
                organisation_id=organisation_id,
                position=9,
                role=PartnerRole.PARTNER.value,
                state=PartnerState.ACCEPTED.value,
            )
        )
        application = db.session.get_one(Application, application_id)
        assert application.budget_id is not None
        db.session.add(BudgetOrganisation(budget_id=application.budget_id, organisation_id=organisation_id, position=9))


def sent(
    call: CallView,
    lead: Actor,
    *partners: UUID,
    title: str = "Warm Blocks",
    answers: dict[str, Answer] | None = None,
    money: int = 100_000,
    partner_money: int = 0,
) -> UUID:
    """An application filled in and submitted while the call was open."""
    assert call.opens_at is not None
    with clock.at(call.opens_at + timedelta(days=20)):
        (organisation_id,) = lead.organisation_ids
        reference = services.start(lead, call.id, StartInput(organisation_id, DetailsInput(title))).reference
        person = again(lead)
        view = queries.view(person, reference)
        for partner in partners:
            joined(view.id, partner)
        for section in call.content.definition.sections:
            given = tuple(
                (answers or {}).get(q.key, answer_to(q)) for q in section.questions if q.kind is not QuestionKind.FILE
            )
            services.save_section(person, view.id, section.key, SectionInput(given, Mark.COMPLETE, None))
        if call.content.pays:
            first = call.content.budget_rules.entered[0].code
            amounts = [(organisation_id, money), *((partner, partner_money) for partner in partners)]
            cells = tuple(Cell(who, first, euros(amount)) for who, amount in amounts if amount)
            services.save_budget(person, view.id, BudgetInput(cells, None))
        for wanted in call.content.attachments:
            if wanted.required:
                factory.attach(view.id, person, f"attachment_{wanted.key}", f"{wanted.key}.pdf")
        services.submit(again(lead), view.id)
    return view.id


def judged(call: CallView, application_id: UUID) -> tuple[Verdict, str]:
    """The desk takes what the facts suggest, answers the rest with met, declares, and sends the letter: what it said."""
    eli = actors.eli()
    assert call.closes_at is not None
    with clock.at(call.closes_at + timedelta(days=1)):
        desk = queries.desk(eli, queries.view_by_id(application_id))
        answers = [rules.proposed(view) for view in desk.conditions]
        confirmed = tuple(ConditionAnswer(a.condition, Verdict.PASS, "") if a.verdict is None else a for a in answers)
        verdict = services.declare(eli, application_id, confirmed)
        if verdict is Verdict.FAIL:
            services.confirm_refusal(actors.ella(), application_id)
        services.send_letter(eli, application_id)
        reason = queries.desk(eli, queries.view_by_id(application_id)).reason
    return verdict, reason or ""


# --- pilot 2022 -----------------------------------------------------------------------------------------------


def test_in_2022_a_city_of_49_999_inhabitants_is_refused_with_the_reason() -> None:
    call = published("call_2022")

    verdict, reason = judged(call, sent(call, lead_of("Smallton", population=49_999)))

    assert verdict is Verdict.FAIL
    assert "at least 50000 inhabitants: Smallton has 49\u00a0999 inhabitants" in reason
    assert "the call asks for at least 50\u00a0000." in reason


def test_in_2022_a_city_of_50_000_inhabitants_is_eligible() -> None:
    call = published("call_2022")

    assert judged(call, sent(call, lead_of("Justenough", population=50_000)))[0] is Verdict.PASS


def test_in_2022_small_cities_of_a_country_of_small_cities_reach_the_number_together() -> None:
    call = published("call_2022")
    other = city("Otherton", country="SI", population=25_000)

    met = sent(call, lead_of("Firstton", country="SI", population=25_000), other)

    assert judged(call, met)[0] is Verdict.PASS


@pytest.mark.parametrize(("country", "population"), [("SI", 24_999), ("PL", 45_000)])
def test_in_2022_the_exception_needs_the_number_and_the_country(country: str, population: int) -> None:
    call = published("call_2022")
    other = city("Otherton", country=country, population=population)

    verdict, reason = judged(call, sent(call, lead_of("Firstton", country=country, population=25_000), other))

    assert (verdict, "at least 50000 inhabitants" in reason) == (Verdict.FAIL, True)


def test_in_2022_a_city_outside_the_countries_of_the_parent_grant_is_refused() -> None:
    call = published("call_2022")

    verdict, reason = judged(call, sent(call, lead_of("Farton", country="XK")))

    assert (verdict, "established in XK, which is not on the list" in reason) == (Verdict.FAIL, True)


# --- pilots 2023 and 2024 -------------------------------------------------------------------------------------

ALONE = {"several_cities": Answer("several_cities", picked=("one",)), "why_jointly": Answer("why_jointly")}
TOGETHER = {
    "several_cities": Answer("several_cities", picked=("several",)),
    "why_jointly": Answer("why_jointly", "Two ends of one valley."),
}


@pytest.mark.parametrize("name", ["call_2023", "call_2024"])
def test_from_2023_a_mission_city_that_is_no_pilot_is_eligible(name: str) -> None:
    call = published(name)

    assert judged(call, sent(call, lead_of("Missionton", mission=True), answers=ALONE))[0] is Verdict.PASS


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"mission": False}, "is not a city of the Mission; the call is for cities of the Mission only"),
        ({"mission": True, "cohort": "1"}, "took part before: NetZeroCities pilots, cohort 1 (2022)"),
    ],
)
@pytest.mark.parametrize("name", ["call_2023", "call_2024"])
def test_from_2023_other_cities_and_earlier_pilots_are_refused(name: str, about: dict[str, object], why: str) -> None:
    call = published(name)

    verdict, reason = judged(call, sent(call, lead_of("Anyton", **about), answers=ALONE))

    assert (verdict, why in reason) == (Verdict.FAIL, True)


def test_in_2023_a_municipality_outside_the_mission_among_the_partners_is_found() -> None:
    call = published("call_2023")
    hidden = city("Hiddenton")

    verdict, reason = judged(call, sent(call, lead_of("Missionton", mission=True), hidden, answers=TOGETHER))

    assert (verdict, "Hiddenton is not a city of the Mission" in reason) == (Verdict.FAIL, True)


def test_in_2023_the_question_why_jointly_is_asked_of_several_cities_only() -> None:
    call = published("call_2023")
    partner = city("Secondton", mission=True)

    alone = sent(call, lead_of("Missionton", mission=True), answers=ALONE)
    together = sent(call, actors.ana("Municipality of Missionton"), partner, answers=TOGETHER, title="Two valleys")

    assert queries.workplace_of(queries.view_by_id(alone)).issues == ()
    assert judged(call, together)[0] is Verdict.PASS


# --- twins ----------------------------------------------------------------------------------------------------


def test_a_twin_call_takes_an_application_without_any_budget_and_promises_no_money() -> None:
    call = published("twin_2023")

    application_id = sent(call, lead_of("Twinton"))
    view = queries.view_by_id(application_id)

    assert (call.total, call.content.budget_rules.categories, call.support) == (None, (), ())
    assert view.submission is not None and not view.submission.requested
    assert judged(call, application_id)[0] is Verdict.PASS


@pytest.mark.parametrize(
    ("about", "answers", "why"),
    [
        ({"mission": True}, {}, "the call is for other cities"),
        ({"cohort": "2"}, {}, "took part before"),
        ({}, {"commitment": Answer("commitment", picked=("later",))}, "The answer is: later."),
        ({}, {"english": Answer("english", picked=("below",))}, "The answer is: below."),
    ],
)
def test_in_2024_twins_are_new_cities_outside_the_mission_with_a_commitment_and_english(
    about: dict[str, object], answers: dict[str, Answer], why: str
) -> None:
    call = published("twin_2024")
    good = {
        "commitment": Answer("commitment", picked=("by_2030",)),
        "english": Answer("english", picked=("b2",)),
    }

    assert judged(call, sent(call, lead_of("Goodton"), answers=good))[0] is Verdict.PASS
    verdict, reason = judged(call, sent(call, _other_lead("Otherton", about), answers=good | answers))

    assert (verdict, why in reason) == (Verdict.FAIL, True)


def _other_lead(name: str, about: dict[str, object]) -> Actor:
    """Marek, who speaks for a second city."""
    city(name, **about)  # type: ignore[arg-type] -- keywords of the city pass through
    return actors.actor(actors.person("Otto Other", Role.APPLICANT, organisation_name=f"Municipality of {name}"))


# --- enabling city transformation -------------------------------------------------------------------------------


def test_an_administration_stands_in_one_proposal_only_and_an_agency_of_it_in_several() -> None:
    call = published("ect_2024")
    lead, agency = lead_of("Leadton", mission=True), actors.organisation("Energy Agency", kind=OrganisationKind.AGENCY)
    other = _other_lead("Secondton", {"mission": True})

    first = sent(call, lead, agency, title="First")
    second = sent(call, other, agency, title="Second")
    assert judged(call, first)[0] is Verdict.PASS
    assert judged(call, second)[0] is Verdict.PASS

    third = sent(call, actors.actor(other.user_id), title="Third")
    verdict, reason = judged(call, third)

    assert (verdict, "Municipality of Secondton also stands in" in reason) == (Verdict.FAIL, True)


@pytest.mark.parametrize(("amount", "expected"), [(0, Verdict.PASS), (1, Verdict.FAIL)])
def test_an_administration_outside_the_mission_helps_in_kind_and_gets_no_money(amount: int, expected: Verdict) -> None:
    call = published("ect_2024")
    helper = city("Helperton")

    verdict, reason = judged(call, sent(call, lead_of("Leadton", mission=True), helper, partner_money=amount))

    assert verdict is expected
    assert ("may help in kind, but may ask for no money" in reason) is (expected is Verdict.FAIL)


# --- the pages ---------------------------------------------------------------------------------------------------


def test_the_pages_of_a_twin_call_speak_of_no_budget(app: Flask) -> None:
    call = published("twin_2024")
    lead = lead_of("Twinton")
    assert call.opens_at is not None
    with clock.at(call.opens_at + timedelta(days=1)):
        (organisation_id,) = lead.organisation_ids
        reference = services.start(lead, call.id, StartInput(organisation_id, DetailsInput("Learn"))).reference
        client = actors.client_of(app, again(lead))

        public = client.get(f"/calls/{call.slug}").text
        tasks = client.get(f"/applications/{reference}").text

        assert client.get(f"/applications/{reference}/budget").status_code == 200
        assert client.get(f"/applications/{reference}/check").status_code == 200
    assert "Learning together; nothing is paid" in public and "Looked up:" in public
    assert "2. Partners and files" not in tasks and ">Budget<" not in tasks


def test_a_condition_shows_when_it_is_asked_and_a_table_keeps_its_cells(app: Flask) -> None:
    call = published("twin_2024")
    lead = lead_of("Twinton")
    assert call.opens_at is not None
    with clock.at(call.opens_at + timedelta(days=1)):
        (organisation_id,) = lead.organisation_ids
        reference = services.start(lead, call.id, StartInput(organisation_id, DetailsInput("Learn"))).reference
        client = actors.client_of(app, again(lead))
        address = f"/applications/{reference}/sections/people"
        team = ["Ana", "Planner", "12", "", "", "", "Bo", "", "20"]
        before = client.get(address).text
        send(client, address, answer_team=team[:6], answer_commitment="by_2030", go="stay")
        send(client, address, answer_team=team, go="stay")

        shown = client.get(address).text

    unasked = "By the answers saved so far it is not asked: leave it empty."
    assert unasked in before and unasked not in shown
    assert "Asked only if your answer to “By when is the city committed to climate neutrality?”" in shown
    assert "Where is the commitment “By 2030” written down?" in shown
    dossier = queries.workplace_of(queries.view_by_id(queries.id_of(again(lead), reference))).dossier
    kept = dossier.section("people").question("team")
    assert kept.answer.text == "Ana\tPlanner\t12\nBo\t\t20"
    assert (
        kept.shown == "Name: Ana; Role in the administration: Planner; Hours a month: 12\nName: Bo; Hours a month: 20"
    )
    assert kept.problem == ("“Who takes part?”, row 2: “Role in the administration” has no answer yet. Write one.")
    assert 'aria-label="Name, row 2"' in shown and 'value="Bo"' in shown
