"""Stepping down from a whole call: open seats are free with their history, what is in stands, and one can come back."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import NotFound, Refused
from grants.core.jobs import Job
from grants.evaluation import queries, rules, services
from grants.evaluation.models import Assessment, Assignment, Evaluator
from grants.evaluation.states import AssessmentState, CountryRule, Declared, PoolState, SeatState
from grants.identity.policy import Role
from tests.evaluation.scene import Browser, Scene
from tests.factories import identity as people

NO_TIME = "A new job takes all my time."


def held(scene: Scene, name: str) -> list[UUID]:
    return [each for each in scene.application_ids if name in scene.seats(each)]


def busiest(scene: Scene) -> str:
    return max(scene.evaluators, key=lambda name: (len(held(scene, name)), name))


def test_who_steps_down_gives_back_what_is_open_and_what_is_in_stands(seated: Scene, browser: Browser) -> None:
    name = busiest(seated)
    sent, *open_ones = held(seated, name)
    assert open_ones, "somebody has several seats"
    services.submit(seated.actor(name), sent, seated.sheet(8, 8, 8))
    services.save(seated.actor(name), open_ones[0], seated.sheet(6, None, None))
    with arranging():
        other = people.user("Mona Manager", Role.PROGRAMME_MANAGER).id
        people.bar(other, "application", sent)
    address = f"/calls/{seated.slug}/step-down"
    declaring = browser.get(name, "/assessments/conflicts").text
    assert f'href="{address}"' in declaring
    # What a late conflict ends stands there before anybody says that there is one, beside its organisation too.
    assert declaring.count("You sent your assessment of it. If you have a conflict, it no longer counts") == 1
    assert declaring.count("You have a seat here. If you have a conflict, it is emptied") == len(open_ones)
    assert declaring.count("A conflict with it empties your seat on") == len(held(seated, name))
    page = browser.get(name, address).text
    assert "The 1 assessment you submitted stands" in page
    version = queries.stepping_down(seated.actor(name), seated.slug).version

    empty = browser.post(name, address, reason=" ", version=version)
    assert empty.status_code == 422 and "reason" in empty.text.lower()
    assert browser.post(name, address, reason=NO_TIME, version=version).status_code == 303

    assert held(seated, name) == [sent]
    # The manager counts on those who are there.
    totals = queries.assignments_page(seated.actor("manager"), seated.slug).totals
    assert totals.pool == len(seated.evaluators) - 1
    kept = db.session.scalars(
        select(Assignment).where(
            Assignment.evaluator_id == seated.evaluator_id(name), Assignment.state == SeatState.VOIDED.value
        )
    ).all()
    assert {row.void_reason for row in kept} == {f"{rules.GIVEN_BACK}{NO_TIME}"} and len(kept) == len(open_ones)
    states = db.session.scalars(
        select(Assessment.state)
        .join(Assignment, Assignment.id == Assessment.assignment_id)
        .where(Assignment.evaluator_id == seated.evaluator_id(name))
    )
    assert sorted(states) == sorted([AssessmentState.DRAFT.value, AssessmentState.SUBMITTED.value])
    for each in open_ones:
        with pytest.raises(NotFound):
            services.submit(seated.actor(name), each, seated.sheet(8, 8, 8))
    # The manager reads of it by mail, on /home and in the pool; nobody seats this person again.
    mails = [job.args for job in db.session.scalars(select(Job).where(Job.name == "jobs.mail.send"))]
    letters = {mail["user_id"]: mail["context"] for mail in mails if mail["template"] == "evaluator_stepped_down"}
    # No number stands in it: what is closed to a manager, or will be before it leaves, would be the difference.
    assert set(letters) == {str(seated.people["manager"]), str(other)}
    assert {frozenset(words) for words in letters.values()} == {frozenset(("call_title", "slug", "name", "words"))}
    person = db.session.scalar(select(Evaluator.user_id).where(Evaluator.id == seated.evaluator_id(name)))
    member = next(one for one in queries.pool(seated.call_id) if one.user_id == person)
    (about,) = queries.consortia_of([open_ones[0]])
    assert "stepped down" in rules.why_not(member, about, rules.Said(Declared.NONE), countries=CountryRule.ALLOWED)
    duties = [each.why for each in queries.duties(seated.actor("manager"), clock.now()) if each.what.startswith("Fill")]
    assert duties[0].startswith(f"Stepped down: {member.name}. ")
    profile = browser.get("manager", f"/calls/{seated.slug}/evaluators/{member.handle}/profile").text
    assert NO_TIME in profile and PoolState.STEPPED_DOWN.words in profile

    # A second tab that still shows the form is answered in words, and changes nothing.
    late = browser.post(name, address, reason="Once more.", version=version)
    assert late.status_code == 422 and "already" in late.text and NO_TIME in late.text

    here = queries.stepping_down(seated.actor(name), seated.slug).version
    assert browser.post(name, f"{address}/back", version=version).status_code == 409
    assert browser.post(name, f"{address}/back", version=here).status_code == 303
    assert queries.stepping_down(seated.actor(name), seated.slug).stepped_down_at is None
    assert held(seated, name) == [sent]
    # All that is left is in: there is nothing to step down from.
    assert "nothing to step down from" in browser.get(name, address).text
    assert address not in browser.get(name, "/assessments/conflicts").text
    with pytest.raises(Refused, match="submitted and counts"):
        services.step_down(seated.actor(name), seated.call_id, NO_TIME)


def test_what_stands_is_told_of_one_and_of_several() -> None:
    one, three = (rules.SteppingDown(UUID(int=1), "s", "T", 0, 0, count, None, "") for count in (1, 3))

    assert one.submitted_words.endswith("stands. You may still be asked about the consensus of it.")
    assert three.submitted_words.endswith("stand. You may still be asked about the consensus of each.")


def test_nobody_steps_down_from_a_pool_they_are_not_in(seated: Scene, browser: Browser) -> None:
    with pytest.raises(NotFound):
        services.step_down(seated.actor("chair"), seated.call_id, NO_TIME)
    assert browser.get("chair", f"/calls/{seated.slug}/step-down").status_code == 404
    with pytest.raises(IntegrityError, match="stepped_down_why"), arranging():
        db.session.get_one(Evaluator, seated.evaluator_id("eva1")).stepped_down_at = clock.now()
        db.session.flush()


def test_who_judged_keeps_the_contract_they_judged_under_whatever_became_of_the_applications(seated: Scene) -> None:
    name = busiest(seated)
    for each in held(seated, name):
        services.submit(seated.actor(name), each, seated.sheet(8, 8, 8))
    with arranging():
        for application_id in seated.application_ids:
            get(Application, application_id).state = ApplicationState.NOT_FUNDED.value
    shown = queries.stepping_down(seated.actor(name), seated.slug)
    assert shown.submitted == len(held(seated, name)) > 0 and not shown.may_step_down
    with pytest.raises(Refused, match="submitted and counts"):
        services.step_down(seated.actor(name), seated.call_id, NO_TIME, shown.version)
