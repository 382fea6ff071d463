"""Conflicts that were found are kept: certain ones gate at once, the others wait for a person; looking costs the same for many."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from sqlalchemy import select

from grants.applications.models import Application, ApplicationPartner
from grants.applications.states import PartnerRole, PartnerState
from grants.cities.models import City, Participation
from grants.core import clock, jobs
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.jobs.models import job
from grants.core.paging import Page
from grants.core.permissions import Permission, system_actor
from grants.evaluation import queries, services
from grants.evaluation.models import (
    Assignment,
    ConflictDeclaration,
    Consensus,
    DetectedConflict,
    EntityDeclaration,
)
from grants.evaluation.rules import Answered, DetectedSearch
from grants.evaluation.states import (
    ConsensusState,
    Declared,
    DetectedState,
    Ruled,
    Ruling,
    SeatState,
)
from grants.identity import services as identity
from grants.identity.models import AccessBar, Membership, OrganisationFact, RoleGrant, User
from grants.identity.policy import Role
from grants.identity.queries import actor_for
from grants.identity.rules import ColleagueInput
from tests import actors
from tests.evaluation.scene import Browser, Scene, declares
from tests.factories import identity as people
from tests.html import check_page
from tests.statements import statements

PROGRAM = system_actor("the program", (Permission.CONFLICT_DETECT,))
ORCID = "0000-0002-1825-0097"


# --- Kept, gating, decided ------------------------------------------------------------------------------------------------


def member_of(scene: Scene, name: str, number: int) -> None:
    """This person joins the municipality of an application."""
    with arranging():
        row = get(Application, scene.application_ids[number])
        db.session.add(
            Membership(user_id=scene.people[name], organisation_id=row.coordinator_id, starts_at=clock.now())
        )


def share_a_pilot(scene: Scene, name: str, number: int) -> None:
    """The organisation of this person stood in one pilot with the municipality of an application."""
    with arranging():
        own = people.organisation("Institute of Tampere", country_code="FI")
        db.session.flush()
        db.session.add(Membership(user_id=scene.people[name], organisation_id=own.id, starts_at=clock.now()))
        lead = get(Application, scene.application_ids[number]).coordinator_id
        for organisation_id, word in ((own.id, "tampere"), (lead, "other")):
            city = City(
                slug=f"{word}-test", name=word.title(), country_code="FI", mission_city=False, label_status="not_applicable",
                organisation_id=organisation_id, organisation_link="by_hand", synthetic=True, folded=word,
            )  # fmt: skip
            db.session.add(city)
            db.session.flush()
            db.session.add(
                Participation(
                    city_id=city.id, call_label="Pilots 2021", pilot_key="1", pilot_title="Warm homes", role="lead"
                )
            )


def rows_of(scene: Scene, name: str) -> dict[tuple[UUID, str], DetectedConflict]:
    db.session.rollback()
    found = db.session.scalars(select(DetectedConflict).where(DetectedConflict.user_id == scene.people[name]))
    return {(row.application_id, row.kind): row for row in found}


def test_membership_of_a_consortium_gates_at_once_though_none_was_declared(seated: Scene) -> None:
    name = seated.seats(seated.application_ids[0])[0]

    member_of(seated, name, 0)

    with pytest.raises(NotFound):
        queries.refuse_conflict(seated.people[name], seated.application_ids[0])
    with pytest.raises(NotFound):
        services.save(seated.actor(name), seated.application_ids[0], seated.sheet(8, 8, 8))


def test_a_late_certain_conflict_bars_empties_the_seat_and_keeps_sheet_and_history(seated: Scene) -> None:
    first = seated.application_ids[0]
    seated.assess(first, 8, 8, 8)
    services.propose(seated.actor("chair"), first, seated.sheet(8, 8, 8, remark="We agree."))
    name = seated.seats(first)[0]
    member_of(seated, name, 0)

    with statements() as seen:
        told = services.detect(PROGRAM, seated.call_id)

    assert told.confirmed == 1
    # The application is locked before its seat, as by whoever changes a seat: two such acts wait, and do not block each other.
    locks = [each.rpartition("FOR UPDATE OF ")[2] for each in seen if "FOR UPDATE OF " in each]
    assert locks.index("application") < locks.index("assignment")
    assert name not in seated.seats(first)
    assert ("application", first) in seated.actor(name).bars
    seat = db.session.scalars(
        select(Assignment).where(Assignment.application_id == first, Assignment.state == SeatState.VOIDED.value)
    ).one()
    assert (seat.void_reason or "").startswith("Conflict of interest: Belongs to Municipality of")
    assert db.session.scalars(select(Consensus.state)).one() == ConsensusState.DRAFT.value
    assert rows_of(seated, name)[first, "own_organisation"].state == DetectedState.CONFIRMED.value
    assert services.detect(PROGRAM, seated.call_id).confirmed == 0


def test_who_takes_part_reads_the_own_application_and_judges_none_of_the_call(seated: Scene) -> None:
    name = seated.seats(seated.application_ids[0])[0]
    with arranging():
        people.role(
            seated.people[name], Role.APPLICATION_READER, kind="application", object_id=seated.application_ids[0]
        )

    services.detect(PROGRAM, seated.call_id)

    states = {row.kind for row in rows_of(seated, name).values()}
    assert states == {"own_application", "competing_bid"}
    barred = seated.actor(name).barred("application")
    assert barred == set(seated.application_ids[1:])
    assert all(name not in seated.seats(each) for each in seated.application_ids)
    assert queries.conflict_pages(seated.actor(name)) == ()
    with pytest.raises(Refused, match="Who takes part"):
        services.decide_detected(
            seated.actor("manager"), seated.application_ids[1], seated.people[name], Ruling.CLEARED, "It is fine."
        )


def states_of(scene: Scene, name: str) -> dict[tuple[UUID, str], str]:
    told = {"own_application", "same_person", "competing_bid"}
    return {fact: row.state for fact, row in rows_of(scene, name).items() if fact[1] in told}


def with_orcid(scene: Scene, name: str) -> None:
    """This evaluator, and the lead of the first application, give the same ORCID iD of themselves."""
    with arranging():
        get(User, scene.people[name]).orcid = get(User, scene.leads[0]).orcid = ORCID


def test_nobody_disqualifies_an_evaluator_by_typing_their_orcid(seated: Scene) -> None:
    first, second, third = seated.application_ids
    name = seated.seats(first)[0]
    before = [seated.seats(each) for each in seated.application_ids]
    with_orcid(seated, name)

    services.detect(PROGRAM, seated.call_id)

    assert states_of(seated, name) == {(first, "same_person"): "proposed"}
    assert [seated.seats(each) for each in seated.application_ids] == before
    assert seated.actor(name).bars == frozenset()
    manager, user_id = seated.actor("manager"), seated.people[name]
    services.decide_detected(manager, first, user_id, Ruling.CONFIRMED, "The same passport.")
    services.detect(PROGRAM, seated.call_id)
    assert states_of(seated, name) == {
        (first, "same_person"): "confirmed", (second, "competing_bid"): "confirmed", (third, "competing_bid"): "confirmed"
    }  # fmt: skip
    assert seated.actor(name).barred("application") == {first, second, third}

    services.decide_detected(manager, first, user_id, Ruling.CLEARED, "Somebody typed it in error.")

    assert states_of(seated, name) == {
        (first, "same_person"): "dismissed", (second, "competing_bid"): "gone", (third, "competing_bid"): "gone"
    }  # fmt: skip
    assert seated.actor(name).barred("application") == set()
    services.detect(PROGRAM, seated.call_id)
    assert set(states_of(seated, name).values()) == {"dismissed", "gone"}


def test_what_the_program_confirmed_by_an_identifier_alone_waits_for_a_person_again(seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]
    with_orcid(seated, name)
    services.detect(PROGRAM, seated.call_id)
    fact_id = rows_of(seated, name)[first, "same_person"].id
    with arranging():
        get(DetectedConflict, fact_id).state = DetectedState.CONFIRMED.value
        db.session.add(
            AccessBar(user_id=seated.people[name], kind="application", object_id=first, starts_at=clock.now())
        )

    services.detect(PROGRAM, seated.call_id)

    assert states_of(seated, name)[first, "same_person"] == "proposed"
    assert seated.actor(name).bars == frozenset()


def test_what_competed_with_a_part_that_ended_goes_at_the_next_look_but_not_what_a_person_confirmed(
    seated: Scene,
) -> None:
    first, second, third = seated.application_ids
    name = seated.seats(first)[0]
    user_id = seated.people[name]
    with arranging():
        people.role(user_id, Role.APPLICATION_READER, kind="application", object_id=first)
    services.detect(PROGRAM, seated.call_id)
    with pytest.raises(Refused, match="Who takes part"):
        services.decide_detected(seated.actor("manager"), first, user_id, Ruling.CLEARED, "It is fine.")
    services.decide_detected(seated.actor("manager"), third, user_id, Ruling.CONFIRMED, "They wrote both.")
    with pytest.raises(Refused, match="Who takes part"):
        services.decide_detected(seated.actor("manager"), third, user_id, Ruling.CLEARED, "It is fine.")
    with arranging():
        wanted = (RoleGrant.user_id == user_id, RoleGrant.role == Role.APPLICATION_READER.value)
        db.session.scalars(select(RoleGrant).where(*wanted)).one().ends_before = clock.now()
    services.detect(PROGRAM, seated.call_id)
    # What was found of the part that ended stands until a person looks: it is theirs to read no longer.
    assert states_of(seated, name)[second, "competing_bid"] == "gone"
    assert seated.actor(name).barred("application") == {first, third}

    services.decide_detected(seated.actor("manager"), first, user_id, Ruling.CLEARED, "Named in error.")
    services.decide_detected(seated.actor("manager"), third, user_id, Ruling.CLEARED, "They wrote the other alone.")

    assert states_of(seated, name)[second, "competing_bid"] == "gone"
    assert seated.actor(name).barred("application") == set()
    # With the part it comes back, what was dismissed too: nobody opens a rival for one person.
    with arranging():
        people.role(user_id, Role.APPLICATION_READER, kind="application", object_id=first)
    with pytest.raises(Refused, match="Who takes part"):
        services.decide_detected(seated.actor("manager"), third, user_id, Ruling.CLEARED, "It is fine.")
    services.detect(PROGRAM, seated.call_id)
    assert set(states_of(seated, name).values()) == {"confirmed"}
    assert seated.actor(name).barred("application") == {second, third}
    again = rows_of(seated, name)[third, "competing_bid"]
    assert (again.decided_by, again.decided_at, again.decision_reason) == (None, None, None)


def test_a_rival_dismissed_with_the_part_is_shut_again_once_it_is_the_same_person_after_all(seated: Scene) -> None:
    first, second, third = seated.application_ids
    name, manager = seated.seats(first)[0], seated.actor("manager")
    user_id = seated.people[name]
    with_orcid(seated, name)
    services.detect(PROGRAM, seated.call_id)
    for application_id, ruling in (
        *((first, Ruling.CONFIRMED), (second, None), (second, Ruling.CONFIRMED)),
        *((first, Ruling.CLEARED), (second, Ruling.CLEARED), (first, Ruling.CONFIRMED)),
    ):
        if ruling is None:
            services.detect(PROGRAM, seated.call_id)
        else:
            services.decide_detected(manager, application_id, user_id, ruling, "Looked at again.")

    services.detect(PROGRAM, seated.call_id)

    assert set(states_of(seated, name).values()) == {"confirmed"}
    assert seated.actor(name).barred("application") == {first, second, third}


def test_a_dismissal_covers_only_the_organisation_it_was_about(seated: Scene) -> None:
    first, name = seated.application_ids[0], seated.seats(seated.application_ids[0])[0]
    user_id = seated.people[name]
    member_of(seated, name, 0)
    services.detect(PROGRAM, seated.call_id)
    services.decide_detected(seated.actor("manager"), first, user_id, Ruling.CLEARED, "An office of another town.")
    queries.refuse_conflict(user_id, first)
    with arranging():
        partner = people.organisation("Institute of Tampere", country_code="FI")
        db.session.flush()
        db.session.add(
            ApplicationPartner(
                application_id=first, organisation_id=partner.id, position=1,
                role=PartnerRole.PARTNER.value, state=PartnerState.ACCEPTED.value,
            )
        )  # fmt: skip
        db.session.add(Membership(user_id=user_id, organisation_id=partner.id, starts_at=clock.now()))

    with pytest.raises(NotFound):
        queries.refuse_conflict(user_id, first)


def test_a_proposal_waits_for_a_person_who_confirms_or_dismisses_with_a_reason(seated: Scene) -> None:
    first, manager = seated.application_ids[0], seated.actor("manager")
    name = seated.seats(first)[0]
    share_a_pilot(seated, name, 0)

    services.detect(PROGRAM, seated.call_id)

    told = rows_of(seated, name)[first, "past_consortium"]
    assert told.state == DetectedState.PROPOSED.value
    # A sentence in words of an earlier time is told anew by the next look, as long as nobody decided on it.
    key, words = told.id, told.evidence
    with arranging():
        db.session.get_one(DetectedConflict, key).evidence = "Words of an earlier time"
    services.detect(PROGRAM, seated.call_id)
    assert db.session.get_one(DetectedConflict, key).evidence == words
    assert str(queries.detected_count(manager, seated.call_id)) != "0"
    assert seated.actor(name).bars == frozenset()
    user_id = seated.people[name]
    with pytest.raises(Invalid):
        services.decide_detected(manager, first, user_id, Ruling.CLEARED, " ")
    with pytest.raises(Conflict):
        services.decide_detected(manager, first, user_id, Ruling.CLEARED, "No more ties.", 99)
    assert services.decide_detected(manager, first, user_id, Ruling.CLEARED, "No more ties.") is Ruled.NOTHING_MORE
    with arranging():
        db.session.get_one(DetectedConflict, key).evidence = "Words that were decided on"
    services.detect(PROGRAM, seated.call_id)
    kept = rows_of(seated, name)[first, "past_consortium"]
    assert (kept.state, kept.evidence) == (DetectedState.DISMISSED.value, "Words that were decided on")
    assert services.decide_detected(manager, first, user_id, Ruling.CONFIRMED, "A new paper.") is Ruled.SEAT_EMPTIED
    assert ("application", first) in seated.actor(name).bars


def test_two_entries_of_one_ror_id_are_proposed(seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]
    with arranging():
        own = people.organisation("Institute of Tampere", country_code="FI")
        db.session.add(Membership(user_id=seated.people[name], organisation_id=own.id, starts_at=clock.now()))
        lead = get(Application, first).coordinator_id
        for each in (own.id, lead):
            db.session.add(OrganisationFact(organisation_id=each, number=1, kind="ror", value="052gg0110"))

    services.detect(PROGRAM, seated.call_id)

    found = rows_of(seated, name)[first, "same_number"]
    assert (found.state, "has the same ROR iD as" in found.evidence) == ("proposed", True)


def test_what_a_dismissed_fact_hid_is_proposed_by_the_next_look(seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]
    with arranging():
        lead = get(Application, first).coordinator_id
        now = clock.now()
        db.session.add(
            Membership(
                user_id=seated.people[name], organisation_id=lead,
                starts_at=now - timedelta(days=900), ends_before=now - timedelta(days=365),
            )
        )  # fmt: skip
        get(User, seated.people[name]).name = "Lead of Neochóra"
    services.detect(PROGRAM, seated.call_id)
    assert {kind for _, kind in rows_of(seated, name)} == {"own_organisation"}
    manager, user_id = seated.actor("manager"), seated.people[name]
    services.decide_detected(manager, first, user_id, Ruling.CLEARED, "She was an intern for a week")

    services.detect(PROGRAM, seated.call_id)

    found = {kind: row.state for (_, kind), row in rows_of(seated, name).items()}
    assert found == {"own_organisation": "dismissed", "similar_person": "proposed"}


def test_what_waits_is_a_duty_of_the_manager_and_a_step_of_the_call(browser: Browser, seated: Scene) -> None:
    seated.find("eva1", 0)
    seated.find("eva2", 0)

    duties = [one for one in queries.duties(seated.actor("manager"), clock.now()) if one.endpoint.endswith("detected")]

    assert [one.what for one in duties] == [
        "Decide about 2 possible conflicts of interest, Small neighbourhood pilots 2022"
    ]
    assert f'href="/calls/{seated.slug}/conflicts"' in browser.get("manager", f"/calls/{seated.slug}").text
    assert f"/calls/{seated.slug}/conflicts" not in browser.get("eva1", f"/calls/{seated.slug}").text


@pytest.mark.usefixtures("declared_world")
def test_while_a_proposal_waits_nobody_new_is_seated(scene: Scene) -> None:
    share_a_pilot(scene, "eva1", 0)
    services.detect(PROGRAM, scene.call_id)

    scene.assign()

    assert "eva1" not in scene.seats(scene.application_ids[0])
    with pytest.raises(Refused):
        scene.give("eva1", scene.application_ids[0], "By hand.")


def test_a_proposal_whose_fact_is_no_more_goes_and_comes_again(seated: Scene) -> None:
    share_a_pilot(seated, "eva1", 0)
    services.detect(PROGRAM, seated.call_id)
    first = (seated.application_ids[0], "past_consortium")
    with arranging():
        for row in db.session.scalars(select(Participation).where(Participation.pilot_title == "Warm homes")):
            row.pilot_key = str(row.city_id)

    services.detect(PROGRAM, seated.call_id)

    assert rows_of(seated, "eva1")[first].state == DetectedState.GONE.value
    with arranging():
        for row in db.session.scalars(select(Participation).where(Participation.pilot_title == "Warm homes")):
            row.pilot_key = "1"
    services.detect(PROGRAM, seated.call_id)
    assert rows_of(seated, "eva1")[first].state == DetectedState.PROPOSED.value


def test_officers_and_the_panel_are_looked_at_too(seated: Scene) -> None:
    for name in ("chair", "officer", "manager"):
        member_of(seated, name, 1)

    services.detect(PROGRAM, seated.call_id)

    for name in ("chair", "officer", "manager"):
        assert seated.application_ids[1] in seated.actor(name).barred("application")


def test_what_changes_asks_for_the_look_in_the_act_and_the_job_looks(browser: Browser, seated: Scene) -> None:
    third = seated.application_ids[2]
    city = get(Application, third).coordinator_id
    member_of(seated, "eva3", 2)
    assert services.ask_to_look(PROGRAM, city) == services.ask_to_look(PROGRAM) == 1

    # Whoever decides sees that it is asked for, and when it was done.
    page = f"/calls/{seated.slug}/conflicts"
    told = browser.get("manager", page).text
    assert (
        "Conflicts are being looked for" in told and "It waits for a free worker." in told and "Look again now" in told
    )

    identity.add_colleague(actors.ada(), city, ColleagueInput("Nora Nowa", "nora@elsewhere.example"))
    jobs.work_off(actor_of=actor_for)

    assert rows_of(seated, "eva3")[third, "own_organisation"].state == DetectedState.CONFIRMED.value
    assert "Last looked for on" in browser.get("manager", page).text


@pytest.mark.usefixtures("short_pages")
def test_the_page_tells_how_many_wait_and_goes_on_by_key(browser: Browser, seated: Scene) -> None:
    for name in ("eva1", "eva2", "eva3"):
        with arranging():
            get(User, seated.people[name]).name = "Lead of Neochora"
    services.detect(PROGRAM, seated.call_id)
    address = f"/calls/{seated.slug}/conflicts"

    page = browser.get("manager", address)

    check_page(page)
    assert "wait for a decision" in page.text and "Similar name" in page.text
    first = browser.get("manager", f"{address}?size=1")
    assert 'rel="next"' in first.text
    # Narrowed by person, application and kind; what fits nothing leads back to all.
    for fits, query in (
        (True, "person=neoch&kind=similar_person"),
        (False, "person=nobody"),
        (False, "kind=same_number"),
    ):
        assert ("Similar name" in browser.get("manager", f"{address}?{query}").text.partition("<table")[2]) is fits
    assert "There is no kind of fact" in browser.get("manager", f"{address}?kind=nope").text
    assert "There are: To decide, Kept away, Dismissed." in browser.get("manager", f"{address}?show=nope").text
    _, rows, *_ = queries.detected_rows(seated.actor("manager"), seated.slug, DetectedSearch(), Page())
    pair = rows.items[0]
    decide = f"{address}/{pair.reference}/{pair.handle}/found"
    check_page(browser.get("manager", decide))
    assert browser.post("manager", decide, ruling="confirmed", reason="", version=str(pair.version)).status_code == 422
    assert browser.post("manager", decide, ruling="confirmed", reason="A cousin.", version="1").status_code == 409
    sent = browser.post("manager", decide, ruling="confirmed", reason="A cousin.", version=str(pair.version))
    assert sent.status_code == 303
    assert "A cousin" in browser.get("manager", decide).text
    assert browser.get("eva1", address).status_code == 403

    # Several at once: nothing is decided without a reason, what was typed stays, and each keeps its own.
    _, rows, *_ = queries.detected_rows(seated.actor("manager"), seated.slug, DetectedSearch(person="Neochora"), Page())
    one, *rest = rows.items
    assert rest, "the reason for all is nobody's where there is one pair"
    sent = {f"was {each.key}": str(each.version) for each in rows.items} | {"ruling": "cleared"}
    refused = browser.post("manager", address, pick=[one.key], **sent)
    assert refused.status_code == 422 and f"or one in the row of: {one.named}." in unescape(refused.text)
    assert "Tick at least one row" in browser.post("manager", address, **sent, reason="Namesakes.").text
    many = browser.post("manager", address, pick=[f"A-{number}" for number in range(201)], **sent, reason="Namesakes.")
    assert many.status_code == 422 and "201 rows were ticked; at most 200 are" in many.text
    late = sent | {f"was {one.key}": "1", f"why {one.key}": "Another Lead.", "reason": "Namesakes."}
    again = browser.post("manager", address, pick=[one.key, "PCP-0000-A-0000 nobody"], **late)
    assert again.status_code == 422 and again.text.count("not decided.") >= 2 and "Another Lead." in again.text
    done = browser.post(
        "manager", f"{address}?person=neo&slug=other&_external=1", pick=[each.key for each in rows.items],
        **sent, **{f"why {one.key}": "Another Lead."}, reason="Namesakes.",
    )  # fmt: skip
    assert done.status_code == 303 and done.location.endswith("person=neo")
    reasons = {
        row.decision_reason for each in rows.items for row in rows_of(seated, _name(seated, each.user_id)).values()
    }
    assert reasons >= {"Another Lead.", "Namesakes."}
    assert browser.post("eva1", address, pick=[one.key], **sent, reason="Fine.").status_code == 403


def test_a_conflict_that_stands_is_not_lifted_together_with_others(browser: Browser, seated: Scene) -> None:
    first, user_id = seated.application_ids[0], seated.people["eva1"]
    share_a_pilot(seated, "eva1", 0)
    services.detect(PROGRAM, seated.call_id)
    services.decide_detected(seated.actor("manager"), first, user_id, Ruling.CONFIRMED, "Her husband leads it.")
    with arranging():
        get(User, user_id).name = "Lead of Neochora"
    services.detect(PROGRAM, seated.call_id)
    _, rows, *_ = queries.detected_rows(seated.actor("manager"), seated.slug, DetectedSearch(), Page())
    pair = next(each for each in rows.items if (each.application_id, each.user_id) == (first, user_id))
    address = f"/calls/{seated.slug}/conflicts"

    shown = browser.get("manager", address).text
    sent = {f"was {pair.key}": str(pair.version), "ruling": "cleared", "reason": "Namesakes."}
    refused = browser.post("manager", address, pick=[pair.key], **sent)

    assert f'value="{pair.key}"' not in shown and "Something of it stands as a conflict already" in shown
    assert refused.status_code == 422
    # By person and title, and by no handle.
    assert f"({pair.reference}): Something of it stands" in refused.text
    assert f"{pair.person} and" in refused.text and f"{pair.key}: Something" not in refused.text
    assert first in seated.actor("eva1").barred("application")
    # Opened and confirmed once more, what was decided keeps who decided it and why.
    services.decide_detected(seated.actor("manager"), first, user_id, Ruling.CONFIRMED, "Her own team too.")
    told = {row.decision_reason for key, row in rows_of(seated, "eva1").items() if key[0] == first}
    assert told == {"Her husband leads it.", "Her own team too."}


def _name(seated: Scene, user_id: UUID) -> str:
    return next(name for name, key in seated.people.items() if key == user_id)


def test_nobody_decides_about_themselves_nor_sees_it_on_the_list(seated: Scene) -> None:
    share_a_pilot(seated, "manager", 0)
    services.detect(PROGRAM, seated.call_id)
    manager = seated.actor("manager")

    with pytest.raises(Refused, match="about yourself"):
        services.decide_detected(
            manager, seated.application_ids[0], manager.user_id or UUID(int=0), Ruling.CLEARED, "Fine."
        )
    _, rows, *_ = queries.detected_rows(manager, seated.slug, DetectedSearch(), Page())
    assert all(pair.user_id != manager.user_id for pair in rows.items)


# --- Officers, and what waits for somebody who is kept away ---------------------------------------------------------------


def test_an_officer_declares_and_the_application_is_there_for_them_no_more(browser: Browser, seated: Scene) -> None:
    reference = seated.references[0]
    address = f"/applications/{reference}/conflict"
    # Linked where an application is read and where it is checked.
    assert f'href="{address}"' in browser.get("manager", f"/applications/{reference}").text
    assert f'href="{address}"' in browser.get("auditor", f"/applications/{reference}").text
    # Who judges declares on the page of conflicts.
    assert f'href="{address}"' not in browser.get("chair", f"/applications/{reference}").text
    check_page(browser.get("officer", address))
    assert browser.post("officer", address, reason="").status_code == 422

    # What waits about an organisation of it goes along, so that a ruling is one on both.
    with arranging():
        lead = get(Application, seated.application_ids[0]).coordinator_id
        db.session.add(
            EntityDeclaration(
                user_id=seated.people["officer"], call_id=seated.call_id, organisation_id=lead, declared="unsure",
                kind="family", reason="An aunt works there", declared_at=clock.now(),
            )
        )  # fmt: skip
    assert browser.post("officer", address, reason="My sister leads it.").status_code == 303
    told = select(ConflictDeclaration.declared, ConflictDeclaration.reason).where(
        ConflictDeclaration.user_id == seated.people["officer"]
    )
    declared, words = db.session.execute(told).one()
    assert declared == "conflict" and words.startswith("My sister leads it.; Municipality of Neochóra, ")
    assert words.endswith("An aunt works there")

    assert seated.application_ids[0] in seated.actor("officer").barred("application")
    assert browser.get("officer", address).status_code == 404
    assert browser.get("eva1", address).status_code == 403


def test_a_mail_that_waits_for_somebody_kept_away_meanwhile_is_not_sent(seated: Scene) -> None:
    first = seated.application_ids[0]
    seated.assess(first, 8, 8, 8)
    services.propose(seated.actor("chair"), first, seated.sheet(8, 8, 8, remark="We agree."))
    name = seated.seats(first)[0]
    conflict = Answered(first, Declared.CONFLICT, "A cousin")
    declares(seated.actor(name), seated.call_id, (conflict,))

    jobs.work_off(actor_of=actor_for)

    db.session.rollback()
    rows = db.session.execute(select(job.c.args, job.c.result).where(job.c.subject_id == first)).all()
    notes = {
        row.args["user_id"]: row.result["note"] for row in rows if row.args.get("template") == "assignment_consensus"
    }
    assert "not sent" in notes.pop(str(seated.people[name]))
    assert notes and all("not sent" not in note for note in notes.values())


def test_who_joins_anew_after_a_past_membership_was_dismissed_is_shut_out_anew(seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]
    lead, now, user_id = get(Application, first).coordinator_id, clock.now(), seated.people[name]
    with arranging():
        db.session.add(
            Membership(
                user_id=user_id, organisation_id=lead,
                starts_at=now - timedelta(days=900), ends_before=now - timedelta(days=365),
            )
        )  # fmt: skip
    services.detect(PROGRAM, seated.call_id)
    services.decide_detected(seated.actor("manager"), first, user_id, Ruling.CLEARED, "She was an intern for a week")
    assert seated.actor(name).bars == frozenset()

    with clock.at(now + timedelta(hours=2)):
        with arranging():
            db.session.add(
                Membership(user_id=user_id, organisation_id=lead, starts_at=now + timedelta(hours=1), ends_before=None)
            )

        assert ("application", first) in seated.actor(name).bars
        # The next look finds it anew, and a dismissal stands for this one.
        services.detect(PROGRAM, seated.call_id)
        assert rows_of(seated, name)[first, "own_organisation"].state == "confirmed"
        services.decide_detected(seated.actor("manager"), first, user_id, Ruling.CLEARED, "Another town of that name")
        assert seated.actor(name).bars == frozenset()
