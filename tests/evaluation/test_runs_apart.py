"""A run holds nothing while it is worked out, and nobody steers who assesses an application they have a conflict with."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import select, text

from grants.applications.models import Application
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, NotAllowed
from grants.evaluation import matching, queries, rules, services
from grants.evaluation.models import Assignment, AssignmentRun, Evaluator
from grants.evaluation.rules import AdjustInput, Answered, RunInput
from grants.evaluation.states import Declared, Deed, RunStatus, StandingRule
from grants.identity.models import Membership, User
from grants.identity.policy import Role
from tests.evaluation.scene import Browser, Scene, declares
from tests.evaluation.test_views import text_of
from tests.factories import identity as people

AGAIN = RunInput("2022", None)


def take_back(scene: Scene, name: str) -> None:
    """This evaluator declares a conflict with the first application."""
    answer = Answered(scene.application_ids[0], Declared.CONFLICT, "We share a flat")
    declares(scene.actor(name), scene.call_id, (answer,))


@pytest.mark.usefixtures("declared_world")
def test_the_call_is_free_while_a_run_is_worked_out(scene: Scene) -> None:
    def solver(instance: matching.Instance) -> matching.Matched | matching.Infeasible:
        with db.engine.connect() as other:
            other.exec_driver_sql("begin read write")
            other.execute(text("SELECT id FROM call WHERE id = :id FOR UPDATE NOWAIT"), {"id": scene.call_id})
        return matching.assign(instance)

    assert services.run(scene.actor("manager"), scene.call_id, AGAIN, solver).seats_new == 9


@pytest.mark.usefixtures("declared_world")
def test_what_changed_meanwhile_is_worked_out_again_once_and_then_said(scene: Scene) -> None:
    changing = ["eva1", "eva2", "eva3"]

    def solver(instance: matching.Instance) -> matching.Matched | matching.Infeasible:
        found = matching.assign(instance)
        if changing:
            take_back(scene, changing.pop())
        return found

    with pytest.raises(Conflict, match="Nothing was given out"):
        services.run(scene.actor("manager"), scene.call_id, AGAIN, solver)
    db.session.rollback()
    assert changing == ["eva1"] and db.session.scalars(select(AssignmentRun)).all() == []

    told = services.run(scene.actor("manager"), scene.call_id, AGAIN, solver)

    # Of five two are kept away, and a third since: worked out anew, with what stands now.
    assert (told.status, changing) == (RunStatus.INFEASIBLE, [])


def test_whoever_may_not_assign_starts_no_run(scene: Scene) -> None:
    with pytest.raises(NotAllowed):
        services.run(scene.actor("eva1"), scene.call_id, AGAIN)


def test_a_manager_in_conflict_changes_nothing_of_that_application_and_is_told_nothing_of_it(scene: Scene) -> None:
    scene.declare_all(but={(f"eva{n}", scene.application_ids[0]): Declared.CONFLICT for n in (1, 2, 3)})
    title = get(Application, scene.application_ids[0]).title
    assert scene.assign().status is RunStatus.INFEASIBLE
    manager = scene.actor("manager")
    before = queries.assignments_page(manager, scene.slug)
    assert title in before.runs[0].reasons[0] and len(before.rows.items) == 3
    with arranging():
        city = get(Application, scene.application_ids[0]).coordinator_id
        db.session.add(Membership(user_id=scene.people["manager"], organisation_id=city, starts_at=clock.now()))

    told = scene.assign()

    assert (told.status, told.seats_new) == (RunStatus.SOLVED, 6)
    assert scene.seats(scene.application_ids[0]) == []
    shown = queries.assignments_page(scene.actor("manager"), scene.slug)
    assert len(shown.rows.items) == 2
    assert [one.reasons for one in shown.runs] == [(), (rules.LEFT_OUT,)]
    assert all(title not in word for one in shown.runs for word in (*one.reasons, *one.changes))


def test_a_sentence_of_a_run_is_left_out_by_the_application_it_is_of_whatever_the_titles_are(scene: Scene) -> None:
    first, second, _ = scene.application_ids
    with arranging():
        get(Application, first).title = "Roof"
        get(Application, second).title = "Roof by Roof"
    scene.declare_all(but={(f"eva{n}", each): Declared.CONFLICT for n in (1, 2, 3) for each in (first, second)})
    assert scene.assign().status is RunStatus.INFEASIBLE
    with arranging():
        # It was renamed since, and the manager joined its municipality.
        get(Application, first).title = "Cool Courtyards"
        city = get(Application, first).coordinator_id
        db.session.add(Membership(user_id=scene.people["manager"], organisation_id=city, starts_at=clock.now()))

    (run,) = queries.assignments_page(scene.actor("manager"), scene.slug).runs

    assert rules.LEFT_OUT in run.reasons
    assert not any("“Roof”" in one for one in (*run.reasons, *run.changes))
    assert any("“Roof by Roof”" in one for one in run.reasons)


def test_sentences_of_runs_before_are_words_alone_and_those_in_doubt_are_left_out() -> None:
    shut = rules.ShutTitles(frozenset(["1"]), frozenset(["Roof"]), frozenset(["Roof", "Roof by Roof"]))
    old = ["“Roof” needs 3.", "“Roof by Roof” needs 2.", "“A title of before” needs 1.", "1 seat too few."]

    # What names no application may be so because of the one that is shut.
    assert rules.told_of_run(old, shut) == (old[1], rules.LEFT_OUT)
    assert rules.told_of_run(old, rules.ShutTitles(frozenset(), frozenset(), shut.every)) == tuple(old)


def test_whoever_sees_a_part_of_a_run_reads_no_seat_to_release_on_an_open_application(
    browser: Browser, scene: Scene
) -> None:
    kept_apart(scene)
    title = get(Application, scene.application_ids[1]).title

    def solver(instance: matching.Instance) -> matching.Infeasible:
        # As where the elastic programme weighs loads of the whole call, also those on what is shut to the manager.
        one = instance.applications[[each.id for each in instance.applications].index(scene.application_ids[1])]
        roles = ("finance", "citizen")
        people = [
            replace(each, roles=frozenset({role} if role else ()), load_max=5)
            for each, role in zip(instance.evaluators[:4], (*roles, "", ""), strict=True)
        ]
        found = matching.assign(
            matching.Instance(
                (one,), tuple(people), 3, locked=frozenset((one.id, each.id) for each in people[2:]),
                groups=matching.GroupRules(roles=roles),
            )
        )  # fmt: skip
        assert isinstance(found, matching.Infeasible)
        return found

    assert services.run(scene.actor("second"), scene.call_id, AGAIN, solver).status is RunStatus.INFEASIBLE
    page = f"/calls/{scene.slug}/assignments/runs/1"
    whole, part = text_of(browser.get("second", page)), text_of(browser.get("manager", page))
    assert "Release the seat of Eva Evaluator" in whole and f"on “{title}”" in whole
    assert "Release the seat" not in part and "Eva Evaluator" not in part and rules.LEFT_OUT in part


def test_what_the_elastic_programme_says_of_an_open_application_hangs_on_the_whole_call_and_what_is_counted_there_does_not() -> (
    None
):
    shut = rules.ShutTitles(frozenset(["1"]), frozenset(["Shut"]), frozenset(["Shut", "Roof"]))
    named = {UUID(int=2): "Roof"}
    counted, weighed = (
        "“Roof” needs 3 evaluators, and only 2 may take it.",
        "“Roof” needs 1 more evaluator reading Polish.",
    )
    told = rules.told_of_run(rules.kept_of_run((counted, weighed), named, (counted,)), shut)
    assert told == (counted, rules.LEFT_OUT)

    # Kept before it was: one that names a person comes out by how it begins.
    released = "Release the seat of Eva Evaluator on “Roof”."
    before = [{"text": one, "applications": [str(UUID(int=2))]} for one in (counted, released)]
    assert rules.told_of_run(before, shut) == (counted, rules.LEFT_OUT)
    assert rules.told_of_run([counted, released], shut) == (counted, rules.LEFT_OUT)


def test_the_figures_of_a_change_are_of_all_seats_of_the_call(seated: Scene) -> None:
    name = seated.seats(seated.application_ids[0])[0]
    handle = db.session.scalar(select(User.handle).where(User.id == seated.people[name]))

    page = queries.adjust_page(
        seated.actor("manager"), seated.slug, seated.references[0], AdjustInput(Deed.RELEASE, handle or "", "")
    )

    assert page.what_if is not None
    assert page.what_if.before.total == sum(db.session.scalars(select(Assignment.utility)))


@pytest.mark.usefixtures("declared_world")
def test_a_seat_goes_to_nobody_whom_the_application_is_shut_to(scene: Scene) -> None:
    with arranging():
        city = get(Application, scene.application_ids[0]).coordinator_id
        db.session.add(Membership(user_id=scene.people["eva1"], organisation_id=city, starts_at=clock.now()))
        db.session.add(Membership(user_id=scene.people["eva2"], organisation_id=city, starts_at=clock.now()))

    scene.assign()

    assert scene.seats(scene.application_ids[0]) == ["eva3", "eva4", "eva5"]


@pytest.mark.usefixtures("declared_world")
def test_what_was_worked_out_of_something_else_is_not_given_out(scene: Scene) -> None:
    old = matching.Instance((), (), 3)

    with pytest.raises(Conflict, match="Nothing was given out"):
        services.give_out(scene.actor("manager"), scene.call_id, AGAIN, services.work_out(old, matching.assign))


@pytest.mark.usefixtures("declared_world")
def test_the_act_that_gives_seats_out_works_nothing_out(scene: Scene) -> None:
    worked_out = services.work_out(asked_of(scene), matching.assign)
    assert isinstance(worked_out.result, matching.Matched)
    (pair, one), *_ = sorted(worked_out.reasons.items())
    # A number that no working out would find: what is kept is what was handed in.
    handed = replace(worked_out, milliseconds=4711, reasons={**worked_out.reasons, pair: replace(one, rank=99)})

    services.give_out(scene.actor("manager"), scene.call_id, AGAIN, handed)

    (row,) = db.session.scalars(select(AssignmentRun))
    assert (row.milliseconds, row.explanations[str(pair[0])][str(pair[1])]["rank"]) == (4711, 99)
    assert len(worked_out.reasons) == 9 and row.input_sha256 == hashlib.sha256(worked_out.spelled).digest()


class Asked(Exception):
    """What the assignment would be worked out from was looked at, and nothing was given out."""


def asked_of(scene: Scene, values: RunInput = AGAIN) -> matching.Instance:
    """Everything the run of a manager depends on."""
    seen: list[matching.Instance] = []

    def solver(instance: matching.Instance) -> matching.Matched | matching.Infeasible:
        seen.append(instance)
        raise Asked

    with pytest.raises(Asked):
        services.run(scene.actor("manager"), scene.call_id, values, solver)
    db.session.rollback()
    return seen[0]


def kept_apart(scene: Scene) -> None:
    """The manager takes part in the first application; a second manager does not."""
    scene.declare_all()
    with arranging():
        scene.people["second"] = people.user("Sanna Second", Role.PROGRAMME_MANAGER).id
        city = get(Application, scene.application_ids[0]).coordinator_id
        db.session.add(Membership(user_id=scene.people["manager"], organisation_id=city, starts_at=clock.now()))


def limits(scene: Scene, least: int, most: int) -> None:
    """Nobody takes fewer or more applications than that."""
    with arranging():
        for entry in db.session.scalars(select(Evaluator)):
            entry.load_min, entry.load_max = least, most


LIMITS = ((0, 3), (1, 3), (1, 1), (2, 2))


def asked_under_each(scene: Scene) -> dict[object, matching.Instance]:
    """What a run depends on, for every choice of what may move and for several limits."""
    found: dict[object, matching.Instance] = {}
    for least, most in LIMITS:
        limits(scene, least, most)
        for rule in StandingRule:
            found[least, most, rule] = asked_of(scene, RunInput("2022", None, standing=rule))
    limits(scene, 0, 3)
    return found


def test_a_run_asks_the_same_whoever_sits_on_what_is_closed_to_who_asks_for_it(scene: Scene) -> None:
    kept_apart(scene)
    empty = asked_under_each(scene)

    for name in ("eva1", "eva2", "eva3"):
        scene.give(name, scene.application_ids[0], "She knows courtyards.", by="second")
    seated = asked_under_each(scene)
    scene.release("eva1", scene.application_ids[0], "She fell ill.", by="second")
    scene.give("eva5", scene.application_ids[0], "He takes her place.", by="second")

    assert empty == seated == asked_under_each(scene)
    for (least, most), asked in zip(LIMITS, list(empty.values())[::2], strict=True):
        assert len(asked.applications) == 2
        # One application is shut: a seat of everybody, so that nobody takes more than they may.
        assert {(one.load_min, one.load_max) for one in asked.evaluators} == {(max(0, least - 1), most - 1)}


def test_nobody_takes_more_than_they_may_with_what_is_closed_and_the_page_says_what_to_do(
    browser: Browser, scene: Scene
) -> None:
    kept_apart(scene)
    limits(scene, 0, 2)
    for name in ("eva1", "eva2", "eva3"):
        scene.give(name, scene.application_ids[0], "She knows courtyards.", by="second")
    page = text_of(browser.get("manager", f"/calls/{scene.slug}/assignments"))
    assert "Ask somebody who sees the whole call to run the assignment" in page
    assert "closed to you" not in text_of(browser.get("second", f"/calls/{scene.slug}/assignments"))

    # Five have one seat each for two applications that need six.
    assert scene.assign().status is RunStatus.INFEASIBLE
    refused = text_of(browser.get("manager", f"/calls/{scene.slug}/assignments/runs/1"))
    assert "6 seats are to be filled" in refused and "may take 5 in all" in refused
    assert "Each application of that counted as a seat of every evaluator" in refused

    # Three sit there once, so that seven of ten seats are free: who sees the whole call fills all.
    whole = services.run(scene.actor("second"), scene.call_id, AGAIN)
    assert (whole.status, whole.seats_new) == (RunStatus.SOLVED, 6)
    loads = Counter(db.session.scalars(select(Assignment.evaluator_id)))
    assert max(loads.values()) == 2


def test_of_a_run_over_everything_nothing_is_told_that_hangs_on_seats_closed_to_who_reads_it(
    browser: Browser, scene: Scene
) -> None:
    kept_apart(scene)
    limits(scene, 0, 1)
    runs = f"/calls/{scene.slug}/assignments/runs/"
    assert services.run(scene.actor("second"), scene.call_id, AGAIN).status is RunStatus.INFEASIBLE
    whole = text_of(browser.get("second", runs + "1"))
    assert "9 seats are to be filled" in whole and "Raise the maximum of Eva Evaluator" in whole
    part = text_of(browser.get("manager", runs + "1"))
    assert "seats are to be filled" not in part and "Eva Evaluator" not in part and rules.LEFT_OUT in part

    limits(scene, 0, 3)
    services.run(scene.actor("second"), scene.call_id, AGAIN)
    seat = scene.seats(scene.application_ids[1])[0]
    why = f"/calls/{scene.slug}/assignments/{scene.references[1]}/{get(User, scene.people[seat]).handle}/why"
    assert "Another assignment without this seat is worth as much" in text_of(browser.get("second", why))
    told = text_of(browser.get("manager", why))
    assert "Another assignment" not in told and "is of the whole call, and so is left out" in told
    # Whoever knows everything else could try out who sits there until the hash is the same.
    assert "SHA-256" in text_of(browser.get("second", runs + "2"))
    assert "SHA-256" not in text_of(browser.get("manager", runs + "2"))
