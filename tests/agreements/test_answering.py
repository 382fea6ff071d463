"""Conditions answered by the city and judged by the programme, through acts and pages: who may what, and what stands."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from grants.agreements import queries, services
from grants.agreements.models import DueDiligenceItem, PreparationFact, PreparationVerdict
from grants.agreements.rules import (
    ConditionInput,
    ConditionView,
    DoubleFunding,
    ExclusionDeclaration,
    GrantView,
    PartView,
    PlannedMilestone,
    SanctionsCheck,
    Share,
    Terms,
    VerdictInput,
)
from grants.agreements.states import CheckAnswer, ConditionKey, ConditionStanding
from grants.core import clock
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Problems, Refused
from grants.core.permissions import Actor
from grants.demo.preparing import answer, evidence, meet_conditions
from grants.demo.texts import letter
from grants.identity import queries as identity
from grants.identity.policy import Role
from grants.programmes.models import FundSource
from tests import actors
from tests.agreements.accounts import called_back
from tests.agreements.conftest import IN_FORCE, IN_PREPARATION, Find, actor, sides_of
from tests.agreements.test_services import hash_of, mailed
from tests.applications.pages import post, send, text_of, values_of
from tests.factories import identity as people
from tests.shut import shuts
from tests.statements import statements

K, S = ConditionKey, ConditionStanding


def view_of(found: GrantView, key: ConditionKey) -> ConditionView:
    return next(each for each in queries.conditions(found) if each.key is key)


def part_of(found: GrantView, key: ConditionKey, place: int) -> PartView:
    return view_of(found, key).part(place)


def lead_of(found: GrantView) -> Actor:
    return sides_of(found).city()


def with_partner(found: GrantView) -> tuple[GrantView, Actor]:
    """The grant with a second beneficiary, and the person who acts for that one."""
    with arranging():
        organisation = people.organisation("Second city of the test")
        person = people.user("Petra Partner", organisation_id=organisation.id)
        people.role(person.id, Role.APPLICATION_PARTNER, kind="application", object_id=found.application_id)
        partner_id, organisation_id = person.id, organisation.id
    own = found.beneficiaries[0]
    half = own.maximum.split([1, 1])
    shares = (Share(own.organisation_id, half[0]), Share(organisation_id, half[1]))
    milestones = tuple(PlannedMilestone(each.title, each.criterion, each.due_on) for each in found.milestones)
    services.set_terms(actor("officer"), found.id, Terms(found.starts_on, 24, shares, milestones))
    return queries.grant(actor("auditor"), found.reference), identity.actor_for(partner_id, fresh=True)


def test_a_city_answers_with_evidence_and_another_person_accepts(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    assert part_of(found, K.STATE_AID, 1).standing is S.OPEN

    number = answer(found.id, K.STATE_AID, part_of(found, K.STATE_AID, 1), sides_of(found))
    waiting = part_of(found, K.STATE_AID, 1)
    given = VerdictInput(K.STATE_AID, found.coordinator_id, number, "Read.")
    services.accept_answer(actor("officer"), found.id, given)

    assert waiting.standing is S.ANSWERED
    part = part_of(found, K.STATE_AID, 1)
    assert part.standing is S.ACCEPTED
    assert part.answer is not None and part.answer.verdict is not None and part.answer.evidence is not None
    assert (part.answer.verdict.words, part.answer.verdict.by) == ("Read.", actor("officer").name)
    with pytest.raises(Conflict, match="meanwhile"):
        services.accept_answer(actor("manager"), found.id, given)


def test_who_recorded_a_check_does_not_accept_it_by_act_by_page_or_in_the_database(
    demo_app: Flask, grant: Find
) -> None:
    found = grant(IN_PREPARATION)
    number = answer(found.id, K.SANCTIONS, part_of(found, K.SANCTIONS, 1), sides_of(found))
    given = VerdictInput(K.SANCTIONS, found.coordinator_id, number)

    with pytest.raises(Refused, match="yourself"):
        services.accept_answer(actor("officer"), found.id, given)
    place = f"/grants/{found.reference}/preparation/sanctions/1"
    officer = actors.client_of(demo_app, actor("officer"))
    assert "You stated this yourself" in text_of(officer.get(place))
    raw = {"about": str(found.coordinator_id), "number": str(number), "act_key": "raw"}
    assert "yourself" in text_of(officer.post(f"{place}/accept", data=raw))
    fact = db.session.scalars(
        select(PreparationFact).where(PreparationFact.grant_id == found.id, PreparationFact.number == number)
    ).one()
    fact_id, stated_by, other = fact.id, fact.stated_by, actor("manager").user_id
    # The copy of who stated it cannot lie either: it points to the fact with its person.
    for copied, by in ((stated_by, stated_by), (other, stated_by)):
        with pytest.raises(IntegrityError), arranging():
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
        db.session.rollback()
    assert part_of(found, K.SANCTIONS, 1).standing is S.ANSWERED
    services.accept_answer(actor("manager"), found.id, given)
    assert part_of(found, K.SANCTIONS, 1).standing is S.ACCEPTED


def test_an_answer_is_returned_with_words_and_answered_again_without_another_file(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    number = answer(found.id, K.DOUBLE_FUNDING, part_of(found, K.DOUBLE_FUNDING, 1), sides_of(found))
    given = VerdictInput(K.DOUBLE_FUNDING, found.coordinator_id, number)

    with pytest.raises(Invalid, match="what is missing"):
        services.return_answer(actor("officer"), found.id, given)
    services.return_answer(actor("officer"), found.id, replace(given, words="The signature is missing."))

    part = part_of(found, K.DOUBLE_FUNDING, 1)
    assert part.standing is S.RETURNED and part.waits_for_answer
    assert lead_of(found).user_id in {
        identity.person_by_email(each).id for each in mailed("agreement_condition_returned")
    }
    again = ConditionInput(K.DOUBLE_FUNDING, found.coordinator_id, DoubleFunding(False), clock.now().date(), number)
    services.state_condition(lead_of(found), found.id, again)
    part = part_of(found, K.DOUBLE_FUNDING, 1)
    assert part.standing is S.ANSWERED and len(part.answers) == 2
    assert part.answers[0].evidence == part.answers[1].evidence is not None
    with pytest.raises(Conflict, match="after you opened"):
        services.state_condition(lead_of(found), found.id, again)


def test_evidence_is_demanded_of_a_city_and_only_the_asked_side_answers(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    today = clock.now().date()
    given = ConditionInput(K.DOUBLE_FUNDING, found.coordinator_id, DoubleFunding(False), today)
    check = ConditionInput(K.SANCTIONS, found.coordinator_id, SanctionsCheck("EU list", "The city", "None"), today)

    with pytest.raises(Invalid, match="evidence is missing"):
        services.state_condition(lead_of(found), found.id, given)
    with pytest.raises(Refused, match="programme looks after"):
        services.state_condition(lead_of(found), found.id, check)
    with pytest.raises(Refused, match="city answers"):
        services.record_condition(actor("officer"), found.id, given)
    with pytest.raises(NotAllowed):
        services.record_condition(lead_of(found), found.id, check)
    with pytest.raises(NotAllowed):
        services.state_condition(actor("officer"), found.id, given)
    with pytest.raises(NotFound):
        services.record_condition(actor("officer"), found.id, replace(check, organisation_id=UUID(int=5)))


def status_of(client: FlaskClient, path: str) -> int:
    """How a page, or a file, is answered; the file is closed again."""
    with client.get(path) as answer:
        return answer.status_code


@shuts("agreements.condition", "agreements.evidence", "agreements.due", "agreements.last_day")
def test_a_partner_reads_and_answers_its_own_and_the_common_conditions_and_strangers_nothing(
    demo_app: Flask, grant: Find
) -> None:
    found, partner = with_partner(grant(IN_PREPARATION))
    sides = sides_of(found)
    answer(found.id, K.STATE_AID, part_of(found, K.STATE_AID, 1), sides)
    client = actors.client_of(demo_app, partner)
    place = f"/grants/{found.reference}/preparation"

    seen = text_of(client.get(place))
    assert "Second city of the test" in seen and "The council or another competent body" in seen
    assert found.coordinator + ": State aid" not in seen and "power to sign" not in seen
    # Its own, a common one; what is the coordinator's alone, and what is another's, is not there.
    wanted = {
        "exclusion/2": 200,
        "council_decision/0": 200,
        "power_to_sign/0": 404,
        "exclusion/1": 404,
        "sanctions/3": 404,
    }
    assert {each: client.get(f"{place}/{each}").status_code for each in wanted} == wanted
    bytes_of = part_of(found, K.STATE_AID, 1).answer
    assert bytes_of is not None and bytes_of.evidence is not None
    file = f"{place}/evidence/{bytes_of.evidence.sha256}"
    assert client.get(file).status_code == 404
    other = actors.client_of(demo_app, lead_of(grant(IN_FORCE)))
    assert {other.get(each).status_code for each in (place, f"{place}/exclusion/1", file)} == {404}

    today = clock.now().date()
    own = ConditionInput(
        K.EXCLUSION, found.beneficiaries[1].organisation_id, ExclusionDeclaration("Petra", "Mayor"), today
    )
    services.state_condition(partner, found.id, own, evidence(K.EXCLUSION))
    with pytest.raises(NotFound):
        services.state_condition(
            partner, found.id, replace(own, organisation_id=found.coordinator_id), evidence(K.EXCLUSION)
        )
    with pytest.raises(NotFound):
        services.state_condition(
            partner,
            found.id,
            replace(own, key=K.DOUBLE_FUNDING, content=DoubleFunding(False), organisation_id=None),
            None,
        )
    # A conflict declared shuts all of it to an officer.
    officer = actors.client_of(demo_app, actor("officer"))
    of_officer = (f"{place}/exclusion/1", f"{place}/due", f"{place}/last-day", file)
    assert {status_of(officer, each) for each in of_officer} == {200}
    with arranging():
        person = actor("officer").user_id
        assert person is not None
        people.bar(person, "application", found.application_id)
    assert {status_of(officer, each) for each in of_officer} == {404}


def test_who_opens_evidence_is_on_record(demo_app: Flask, grant: Find) -> None:
    found = grant(IN_PREPARATION)
    answer(found.id, K.STATE_AID, part_of(found, K.STATE_AID, 1), sides_of(found))
    given = part_of(found, K.STATE_AID, 1).answer
    assert given is not None and given.evidence is not None
    reader = actor("auditor")

    with actors.client_of(demo_app, reader).get(
        f"/grants/{found.reference}/preparation/evidence/{given.evidence.sha256}"
    ) as answered:
        assert answered.status_code == 200
        assert answered.headers["Content-Disposition"].startswith("attachment")

    events = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "preparation.open_evidence")).all()
    assert [(each.user_id, each.object_id) for each in events] == [(reader.user_id, found.id)]


def file_named(name: str, content: bytes) -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def test_the_form_keeps_what_was_typed_and_takes_no_hostile_file(demo_app: Flask, grant: Find) -> None:
    found = grant(IN_PREPARATION)
    city = actors.client_of(demo_app, lead_of(found))
    place = f"/grants/{found.reference}/preparation/state_aid/1"
    pdf = evidence_bytes()

    typed: dict[str, Any] = {
        "kind": "de_minimis",
        "reason": "A workshop",
        "evidence_on": "tomorrow or so",
        "aid_2023": "1",
    }
    back = send(city, place, **typed, file=file_named("a.pdf", pdf))
    assert back.status_code == 422
    shown = back.get_data(as_text=True)
    assert "tomorrow or so" in shown and "A workshop" in shown and "Choose “a.pdf” again" in shown

    typed |= {"evidence_on": "1 February 2020", "kind": "none"}
    hostile = send(city, place, **typed, file=file_named("a.pdf", b"<html><script>alert(1)</script></html>"))
    assert hostile.status_code == 422
    assert part_of(found, K.STATE_AID, 1).standing is S.OPEN

    # Fields nobody asked for change nothing: neither the verdict nor who stated it.
    more = {"verdict": "accepted", "stated_by": str(actor("officer").user_id), "organisation_id": str(UUID(int=1))}
    assert send(city, place, **typed, **more, file=file_named("a.pdf", pdf)).status_code == 303
    part = part_of(found, K.STATE_AID, 1)
    assert part.standing is S.ANSWERED and part.answer is not None
    assert (part.answer.stated_by, part.organisation_id) == (lead_of(found).user_id, found.coordinator_id)


def evidence_bytes() -> bytes:
    return letter("An evidence of the test")


@pytest.mark.parametrize(
    ("key", "place", "typed"),
    [
        ("council_decision", 0, {"needed": "no", "why_not": "By statute 12."}),
        ("exclusion", 1, {"declared_by": "Ana", "capacity": "Mayor"}),
        ("double_funding", 1, {"others": "yes", "words": "LIFE 2022; other staff."}),
        ("power_to_sign", 0, {"capacity": "Mayor", "basis": "Statute 3", "valid_from": "1 January 2020"}),
    ],
)
def test_each_form_of_the_city_works_without_a_script(
    demo_app: Flask, grant: Find, key: str, place: int, typed: dict[str, str]
) -> None:
    found = grant(IN_PREPARATION)
    city = actors.client_of(demo_app, lead_of(found))
    address = f"/grants/{found.reference}/preparation/{key}/{place}"
    before = part_of(found, K(key), place).number
    chosen = {}
    if key == "power_to_sign":
        mayor = next(each for each in found.contacts if each.role.value == "signatory")
        chosen = {"signer": str(mayor.user_id)}

    sent = send(
        city,
        address,
        to=address,
        evidence_on="1 March 2020",
        file=file_named("e.pdf", evidence_bytes()),
        **typed,
        **chosen,
    )

    assert sent.status_code == 303, text_of(sent)
    assert part_of(found, K(key), place).standing is S.ANSWERED
    assert part_of(found, K(key), place).number > before
    assert "The answer that stands" in text_of(city.get(address))


def test_the_officer_accepts_and_returns_by_page_and_a_stale_page_clashes(demo_app: Flask, grant: Find) -> None:
    found = grant(IN_PREPARATION)
    sides = sides_of(found)
    answer(found.id, K.STATE_AID, part_of(found, K.STATE_AID, 1), sides)
    place = f"/grants/{found.reference}/preparation/state_aid/1"
    officer = actors.client_of(demo_app, actor("officer"))
    stale = values_of(officer, place, to=f"{place}/return")

    empty = post(officer, f"{place}/return", stale, words=" ")
    assert empty.status_code == 422 and "Say what is wrong or missing" in text_of(empty)
    answer(found.id, K.STATE_AID, part_of(found, K.STATE_AID, 1), sides)
    clash = post(officer, f"{place}/return", stale, words="Typed for the first answer")
    assert clash.status_code == 409 and "Typed for the first answer" in clash.get_data(as_text=True)
    assert send(officer, f"{place}/return", page=place, words="Sign it.").status_code == 303
    assert part_of(found, K.STATE_AID, 1).standing is S.RETURNED
    answer(found.id, K.STATE_AID, part_of(found, K.STATE_AID, 1), sides)
    assert send(officer, f"{place}/accept", page=place).status_code == 303
    assert part_of(found, K.STATE_AID, 1).standing is S.ACCEPTED


def test_one_open_condition_stands_in_the_way_of_the_offer(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    meet_conditions(found.id, sides_of(found))
    proposed = queries.proposed_account(found.coordinator_id)
    assert proposed is not None
    services.confirm_account(actor("accountant"), found.id, proposed.id, called_back())
    # A newer answer that nobody accepted stands in the way again.
    answer(found.id, K.EXCLUSION, part_of(found, K.EXCLUSION, 1), sides_of(found))

    with pytest.raises(Problems) as refused:
        services.offer(actor("officer"), found.id, document_sha256=hash_of(grant(IN_PREPARATION)))
    assert [each.message for each in refused.value.found] == [
        f"“The declaration on exclusion grounds is signed” is open for {found.coordinator}."
    ]
    number = part_of(found, K.EXCLUSION, 1).number
    services.accept_answer(actor("officer"), found.id, VerdictInput(K.EXCLUSION, found.coordinator_id, number))
    services.offer(actor("officer"), found.id, document_sha256=hash_of(grant(IN_PREPARATION)))
    with pytest.raises(Refused, match="closed"):
        answer(found.id, K.EXCLUSION, part_of(found, K.EXCLUSION, 1), sides_of(found))


def test_a_tick_of_an_officer_from_before_still_reads_and_counts(demo_app: Flask, grant: Find) -> None:
    found = grant(IN_FORCE)
    officer_id = actor("officer").user_id
    with arranging():
        row = db.session.scalars(
            select(DueDiligenceItem).where(DueDiligenceItem.grant_id == found.id, DueDiligenceItem.key == "state_aid")
        ).one()
        row.answer, row.note, row.evidence_on = CheckAnswer.DONE.value, "Seen in 2022", date(2022, 1, 5)
        row.answered_at, row.answered_by = clock.now(), officer_id
    client = actors.client_of(demo_app, actor("auditor"))
    shown = text_of(client.get(f"/grants/{found.reference}/preparation"))

    assert "Accepted" in shown
    ticked = queries.conditions(replace(found, checks=grant(IN_FORCE).checks))
    view = next(each for each in ticked if each.key is K.STATE_AID)
    assert view.tick is not None and view.tick.note == "Seen in 2022"
    # It was answered since, so the answers stand; without them the tick does.
    assert replace(view, parts=tuple(replace(each, answers=()) for each in view.parts)).is_met


def test_days_for_answers_are_set_and_none_lies_after_the_last_day(demo_app: Flask, grant: Find) -> None:
    found = grant(IN_PREPARATION)
    assert found.preparation_ends_on is not None
    officer = actors.client_of(demo_app, actor("officer"))
    place = f"/grants/{found.reference}/preparation/due"
    late = clock.long_date(clock.add_days(found.preparation_ends_on, 1))

    back = send(officer, place, due_state_aid=late)
    assert back.status_code == 422 and "Enter that day or an earlier one" in text_of(back)
    assert send(officer, place, due_state_aid=clock.long_date(found.preparation_ends_on)).status_code == 303
    now = grant(IN_PREPARATION)
    assert view_of(now, K.STATE_AID).due_on == found.preparation_ends_on
    assert view_of(now, K.STATE_AID).is_late(clock.add_days(found.preparation_ends_on, 1))


def test_both_sides_are_told_at_home_what_to_do(demo_app: Flask, grant: Find) -> None:
    found = grant(IN_PREPARATION)

    def duties(who: Actor) -> list[str]:
        return [f"{each.what}: {each.why}" for each in queries.duties(who, clock.now())]

    assert any("Answer the conditions of" in each and found.reference in each for each in duties(lead_of(found)))
    assert any("waits to be accepted" in each or "wait to be accepted" in each for each in duties(actor("officer")))
    meet_conditions(found.id, sides_of(found))
    assert not any("Answer the conditions of" in each for each in duties(lead_of(found)))


def test_the_page_of_the_preparation_asks_the_same_with_one_and_with_two_beneficiaries(
    demo_app: Flask, grant: Find
) -> None:
    found = grant(IN_PREPARATION)
    client = actors.client_of(demo_app, actor("officer"))
    place = f"/grants/{found.reference}/preparation"

    def asked() -> int:
        client.get(place)
        with statements() as seen:
            assert client.get(place).status_code == 200
        return len(seen)

    one = asked()
    with_partner(found)
    meet_conditions(found.id, sides_of(found), count=6)

    assert asked() == one <= 10


def test_the_preparation_says_that_the_grant_outlasts_its_parent_grant(demo_app: Flask, grant: Find) -> None:
    found = grant(IN_PREPARATION)
    officer = actors.client_of(demo_app, actor("officer"))
    place, limits = f"/grants/{found.reference}/preparation", found.time_limits
    last_payment = clock.add_days(found.ends_before, limits.report + limits.balance)

    def where_parent_ends(day: date) -> str:
        with arranging():
            db.session.get_one(FundSource, found.fund_source_id).ends_on = day
        return text_of(officer.get(place))

    assert "outlasts its parent grant" not in where_parent_ends(last_payment)
    shown = where_parent_ends(clock.add_days(last_payment, -1))

    assert "This grant outlasts its parent grant" in shown
    assert "Reported and paid within its time limits, its last payment" in shown
    assert "1 day after the parent grant ends" in shown
