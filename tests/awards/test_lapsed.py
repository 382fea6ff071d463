"""From the answers of a city to a preparation that lapses: its money goes to the next of the reserve list."""

from __future__ import annotations

import io
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from grants.agreements import queries as agreements
from grants.agreements import services
from grants.agreements.models import PreparationVerdict
from grants.agreements.rules import ContactInput, GrantView, VerdictInput
from grants.agreements.states import ConditionKey, ConditionStanding, ContactRole, GrantState
from grants.applications import queries as applications
from grants.applications.models import Application, ApplicationPartner
from grants.awards import queries as awards
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.core.permissions import Permission, system_actor
from grants.demo.preparing import Sides, answer, meet_conditions
from grants.demo.texts import letter
from grants.identity.policy import Role
from grants.identity.queries import actor_for
from tests import actors
from tests.applications.pages import send, text_of
from tests.awards.publishing import tell_all
from tests.awards.test_reserve import selection
from tests.evaluation.scene import Browser, Scene
from tests.factories import identity as people
from tests.worlds import World

PROGRAM = system_actor("the program", (Permission.AGREEMENT_LAPSE,))


@pytest.fixture
def confirmed(scene: Scene, decided_world: World[None]) -> Scene:
    """Applications 0 and 2 are selected, application 1 is on the reserve list."""
    return scene


def begun(scene: Scene) -> tuple[GrantView, Sides]:
    """The preparation of the first application with who answers for its city, whose signatory is named."""
    tell_all(scene)
    made = services.prepare(actors.pia(), scene.application_ids[0], starts_on=date(2023, 6, 1))
    found = agreements.grant(actors.pia(), made.reference)
    with arranging():
        people.user("Maya Mayor", organisation_id=found.coordinator_id)
    services.appoint(actors.pia(), made.id, ContactInput("Maya", "maya.mayor@example.eu", ContactRole.SIGNATORY))
    sides = Sides(lambda: actor_for(scene.leads[0], fresh=True), actors.pia, actors.ingrid)
    return agreements.grant(actors.pia(), made.reference), sides


def test_what_is_not_signed_in_time_lapses_and_the_next_of_the_reserve_list_is_proposed(confirmed: Scene) -> None:
    found, _ = begun(confirmed)
    today = clock.in_zone(clock.now()).date()
    services.set_end(actors.pia(), found.id, today, reason="The council meets tonight")
    assert awards.reserve_page(selection(confirmed)).next is None

    assert services.lapse(PROGRAM, found.id) is False
    with clock.at(clock.end_of_day(today) + timedelta(hours=1)):
        with pytest.raises(Refused, match="ended on"):
            services.set_due(actors.pia(), found.id, {})
        assert services.plan_ends(PROGRAM) == 1
        assert services.lapse(PROGRAM, found.id) is True
        assert services.lapse(PROGRAM, found.id) is False

    proposed = awards.reserve_page(selection(confirmed)).next
    assert proposed is not None
    assert agreements.grant(actors.pia(), found.reference).state is GrantState.DROPPED
    assert get(Application, confirmed.application_ids[0]).state == "dropped"


def test_every_condition_is_answered_by_the_city_and_accepted_by_another(confirmed: Scene) -> None:
    found, sides = begun(confirmed)

    meet_conditions(found.id, sides)

    views = agreements.conditions(agreements.grant(actors.pia(), found.reference))
    assert [each.key.value for each in views if not each.is_met] == []
    part = next(each for each in views if each.key is ConditionKey.EXCLUSION).parts[0]
    assert part.answer is not None and part.answer.verdict is not None and part.answer.evidence is not None
    assert part.answer.stated_by == confirmed.leads[0]


def test_the_database_itself_refuses_that_one_person_states_and_judges(confirmed: Scene) -> None:
    found, sides = begun(confirmed)
    view = next(each for each in agreements.conditions(found) if each.key is ConditionKey.SANCTIONS)
    number = answer(found.id, view.key, view.parts[0], sides)
    with pytest.raises(Refused, match="yourself"):
        services.accept_answer(actors.pia(), found.id, VerdictInput(view.key, found.coordinator_id, number))
    part = next(each for each in agreements.conditions(found) if each.key is ConditionKey.SANCTIONS).parts[0]
    assert part.answer is not None and part.standing is ConditionStanding.ANSWERED
    fact_id, stated_by, other = part.answer.id, part.answer.stated_by, actors.ingrid().user_id

    def judged(copied: UUID | None, by: UUID | None) -> None:
        with arranging():
            db.session.add(
                PreparationVerdict(
                    fact_id=fact_id,
                    stated_by=copied,
                    verdict="accepted",
                    words="",
                    decided_by=by,
                    decided_at=clock.now(),
                )
            )

    # Neither by its own name, nor by a copy that names another as who stated it.
    for copied in (stated_by, other):
        with pytest.raises(IntegrityError):
            judged(copied, stated_by)
        db.session.rollback()


def test_a_grant_takes_what_was_submitted_and_nothing_of_a_later_draft(confirmed: Scene) -> None:
    tell_all(confirmed)
    application_id = confirmed.application_ids[0]
    stands = applications.submitted_content(application_id)
    with arranging():
        other = people.organisation("Only in a draft")
        row = get(Application, application_id)
        row.title, row.acronym = "Only a draft", "DRAFT"
        db.session.add(
            ApplicationPartner(
                application_id=application_id, organisation_id=other.id, role="partner", state="accepted", position=9
            )
        )

    made = services.prepare(actors.pia(), application_id, starts_on=date(2023, 6, 1))

    found = agreements.grant(actors.pia(), made.reference)
    assert (found.title, found.acronym) == (stands.title, stands.acronym)
    assert [each.organisation_id for each in found.beneficiaries] == [
        each.organisation_id for each in stands.consortium
    ]


def test_pages_of_a_preparation_open_to_both_sides_and_to_nobody_else(confirmed: Scene, browser: Browser) -> None:
    found, sides = begun(confirmed)
    with arranging():
        stranger = people.user("Stella Stranger", Role.APPLICANT)
        stranger_id = stranger.id
    del stranger
    app = browser.app
    place = f"/grants/{found.reference}/preparation"
    pages = (place, f"{place}/exclusion/1", f"{place}/council_decision/0", f"{place}/power_to_sign/0")

    def told(who: object) -> list[int]:
        client = actors.client_of(app, who)  # type: ignore[arg-type]
        return [client.get(each).status_code for each in pages]

    assert told(sides.city()) == [200] * 4
    assert told(actors.pia()) == [200] * 4
    assert set(told(actor_for(stranger_id))) <= {403, 404}


def test_the_forms_keep_what_was_typed_and_the_officer_accepts_by_page(confirmed: Scene, browser: Browser) -> None:
    found, sides = begun(confirmed)
    city, officer = (actors.client_of(browser.app, who) for who in (sides.city(), actors.pia()))
    place = f"/grants/{found.reference}/preparation/state_aid/1"
    year = clock.in_zone(clock.now()).year
    typed = {"kind": "de_minimis", "reason": "A workshop", f"aid_{year}": "1000"}

    back = send(city, place, **typed, evidence_on="some day", file=(io.BytesIO(letter("E")), "e.pdf"))
    shown = back.get_data(as_text=True)
    assert back.status_code == 422
    assert "some day" in shown and "A workshop" in shown and "Choose “e.pdf” again" in shown
    typed |= {"kind": "none", "evidence_on": "1 February 2020"}
    hostile = send(city, place, **typed, file=(io.BytesIO(b"<html><script>alert(1)</script>"), "e.pdf"))
    assert hostile.status_code == 422
    missing = send(city, place, **typed)
    assert missing.status_code == 422 and "Choose the file that shows it" in text_of(missing)
    assert send(city, place, **typed, file=(io.BytesIO(letter("E")), "e.pdf")).status_code == 303
    assert send(officer, f"{place}/return", page=place, words=" ").status_code == 422
    assert send(officer, f"{place}/accept", page=place).status_code == 303
    assert "Accepted by Pia" in text_of(city.get(place))
    for page in ("due", "last-day"):
        assert officer.get(f"/grants/{found.reference}/preparation/{page}").status_code == 200
        assert city.get(f"/grants/{found.reference}/preparation/{page}").status_code in (403, 404)
