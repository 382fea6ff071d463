"""The advice beside the official list: asked for, worked out by a job, read by those who decide and by nobody else."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from grants.awards import queries, services
from grants.awards.models import RankingRun
from grants.awards.queries import sheets
from grants.awards.states import SolveKind
from grants.calls import queries as calls
from grants.core import clock, jobs
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.jobs import JobState
from grants.evaluation import services as evaluation
from grants.evaluation.rules import Answered
from grants.evaluation.states import Declared, DetectedState
from grants.identity.policy import Role
from grants.identity.queries import actor_for
from tests.awards.solving import worked_off
from tests.awards.test_views import text_of
from tests.evaluation.scene import CLOSED, Browser, Scene, build, declares, silent_chair
from tests.factories import identity as people
from tests.shut import shuts
from tests.statements import statements
from tests.worlds import World, Worlds


def scored() -> Scene:
    """Three applications, each scored by the same three evaluators, of whom the last is severe."""
    scene = build(evaluators=3)
    with clock.at(CLOSED):
        scene.declare_all()
        scene.assign()
        for row, application_id in enumerate(scene.application_ids):
            for number, name in enumerate(scene.evaluators):
                sheet = scene.sheet(9 - row - number, 8 - row - number, 8 - (row + number) % 3 - number)
                evaluation.submit(scene.actor(name), application_id, sheet)
    return scene


@pytest.fixture(scope="session")
def small_world(worlds: Worlds) -> World[Scene]:
    """The small call with all its sheets in and no consensus yet."""
    return worlds.of(scored)


def run(scene: Scene, name: str = "chair", places: int = 1) -> RankingRun:
    job_id = services.request_advice(scene.actor(name), scene.call_id, places)
    db.session.rollback()
    assert jobs.work(job_id, actor_of=actor_for, worker="tests") is JobState.DONE, jobs.view(job_id).error
    db.session.rollback()
    return db.session.scalars(select(RankingRun).order_by(RankingRun.number.desc()).limit(1)).one()


def agreed(scene: Scene, apart: int = 0) -> None:
    for place, application_id in enumerate(scene.application_ids):
        sheet = scene.sheet(8, 8, 8 - apart * place, remark="We agree.")
        evaluation.propose(scene.actor("chair"), application_id, sheet)
        for name in scene.evaluators:
            evaluation.agree(scene.actor(name), application_id)


def test_the_advice_is_worked_out_from_the_sheets_and_shown(browser: Browser, scene: Scene) -> None:
    made = run(scene)
    assert (made.kind, made.number, made.applications, made.evaluators, made.sheets) == ("full", 1, 3, 3, 9)
    assert sum(row["rank"] for row in made.result["rows"]) == pytest.approx(6)

    agreed(scene)
    shown = queries.advice_page(scene.actor("chair"), scene.slug)
    page = text_of(browser.get("chair", f"/calls/{scene.slug}/advice"))

    assert [row.reference for row in shown.rows] == list(scene.references)
    assert [row.official for row in shown.rows] == [1, 1, 1]
    assert "Advice only" in page and "It changes nothing" in page
    assert (
        "SUCRA (surface under the cumulative ranking curve)" in page
        and "PCER (percentile of the expected rank)" in page
    )
    assert "It took " not in page
    assert "Severity of evaluators" in page and "Eva Evaluator 3" in page
    assert (
        shown.people[0].name == "Eva Evaluator 3" and shown.people[0].effect is not None and shown.people[0].effect < 0
    )
    assert "are differences between applications; the rest is who scored, and chance." in page


def test_the_page_asks_for_it_in_a_form_and_says_what_is_wrong(browser: Browser, scene: Scene) -> None:
    address = f"/calls/{scene.slug}/advice"
    assert "No advice was asked for yet" in text_of(browser.get("chair", address))
    assert "Write a whole number from 1 to 2000." in text_of(browser.post("chair", address, places="0"), 422)
    assert "Write a whole number" in text_of(browser.post("chair", address, places=""), 422)
    assert browser.get("chair", address + ".csv").status_code == 404

    assert browser.post("chair", address, places="2").status_code == 303

    assert "It waits for a worker." in text_of(browser.get("chair", address))


def test_the_same_sheets_make_no_second_run_and_a_run_is_never_changed(scene: Scene) -> None:
    first, again, other = run(scene).id, run(scene).id, run(scene, places=2)

    assert first == again and other.number == 2
    with pytest.raises(DatabaseError, match=r"append-only|permission denied"), arranging():
        db.session.execute(text("UPDATE ranking_run SET places = 9"), execution_options={"core_write": True})
    db.session.rollback()


def test_a_voided_seat_makes_the_method_say_nothing_and_why(browser: Browser, scene: Scene) -> None:
    first = min(scene.application_ids)
    scene.release(scene.seats(first)[0], first, "Fell ill.")

    made = run(scene)

    assert made.kind == "nothing" and made.result == {}
    assert "1 application has fewer than 3 submitted score sheets: PCP-2022-A-01" in made.reason
    assert "The method says nothing" in text_of(browser.get("chair", f"/calls/{scene.slug}/advice"))


def test_it_is_told_in_how_many_simulated_orders_each_stays_selected_and_which_quality_that_promises(
    browser: Browser, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/calls/{scene.slug}/advice"
    chair = scene.actor("chair")
    agreed(scene, apart=1)
    with pytest.raises(Refused, match="nobody asked for it yet"):
        services.request_robustness(chair, scene.call_id)
    run(scene)
    assert "Selected in simulations" not in text_of(browser.get("chair", address))
    for name in ("eva1", "auditor", "officer", "manager"):
        assert browser.post(name, address + "/robust").status_code in (403, 404)

    assert browser.post("chair", address + "/robust").status_code == 303
    first = jobs.latest(("call", scene.call_id), services.ROBUSTNESS_JOB)
    assert first and services.request_robustness(chair, scene.call_id) == first.id, "it waits already"
    assert "The rules are selecting from each simulated order" in text_of(browser.get("chair", address))
    services.request_solve(chair, scene.call_id)
    worked_off()

    shown = queries.advice_page(chair, scene.slug)
    assert shown.robustness and (shown.robustness.orders, shown.robustness.unproven) == (1_000, 0)
    stays = [row.stays or 0.0 for row in shown.rows]
    # Two of three fit: the shares add up to two, and the best expected rank stays most often.
    assert sum(stays) == pytest.approx(2) and stays == sorted(stays, reverse=True)
    assert [row.taken for row in shown.rows].count(True) == 2
    with statements() as seen:
        page = text_of(browser.get("chair", address))
    assert (
        "Each of 1\u00a0000 orders simulated from run 1" in page
        and "selected now" in page
        and "SUCRA" in page
        and len(seen) <= 8
    )
    table = list(csv.reader(io.StringIO(browser.get("chair", address + ".csv").text.lstrip("\ufeff"))))
    assert [float(row[14]) for row in table[1:]] == stays
    # The same question is not asked twice; what other aims promise takes the chances of the advice, for those who read it.
    assert services.work_out_robustness(chair, scene.call_id) == 1_000
    assert len(queries.answers_kept(scene.call_id, (SolveKind.ROBUST,))) == 1
    aims = queries.what_ifs(chair, scene.slug)
    assert "Highest expected quality" in [aim.words for aim in aims.aims] and "by run 1 of the advice" in aims.notes[0]
    assert "Highest expected quality: it takes the advice" in str(queries.what_ifs(scene.actor("manager"), scene.slug))

    run(scene, places=2)
    assert "changed since these orders" in text_of(browser.get("chair", address))
    # Back at the first question under a new run: asked again, it is answered for that run.
    run(scene)
    services.work_out_robustness(chair, scene.call_id)
    assert "changed since these orders" not in text_of(browser.get("chair", address))
    monkeypatch.setattr(sheets, "ROWS_MAX", 8)
    assert "at most 8 seats" in text_of(browser.post("chair", address, places="2"), 422)


@pytest.mark.parametrize("name", ["eva1", "auditor", "officer", "manager"])
def test_nobody_else_reads_it(browser: Browser, scene: Scene, name: str) -> None:
    run(scene)

    for address in ("advice", "advice.csv"):
        assert browser.get(name, f"/calls/{scene.slug}/{address}").status_code in (403, 404)
    assert browser.post(name, f"/calls/{scene.slug}/advice", places="1").status_code in (403, 404)


@shuts(leaves_out=("awards.advice_csv",))
def test_a_chair_with_a_conflict_sees_neither_the_row_nor_ranks_it_could_be_told_from(
    browser: Browser, scene: Scene
) -> None:
    run(scene)
    hidden = scene.application_ids[0]
    declares(scene.actor("chair"), scene.call_id, (Answered(hidden, Declared.CONFLICT, "My cousin leads it"),))

    page = text_of(browser.get("chair", f"/calls/{scene.slug}/advice"))
    rows = browser.get("chair", f"/calls/{scene.slug}/advice.csv").text

    assert scene.references[0] not in page + rows and "Cool Courtyards" not in page + rows
    assert "What you may not see is left out, and so is all that was counted or worked out" in page
    # Nor does anything that is counted over all of them: one place, one sheet of an evaluator, one mean would tell of it.
    for words in (
        "Score sheets",
        "Could be funded",
        "Above the mean",
        "Severity",
        "Eva Evaluator",
        "ICC",
        "Fingerprint",
    ):
        assert words not in page
    assert "Among the best," in rows
    shown = queries.advice_page(scene.actor("chair"), scene.slug)
    # Nor the number of a run: of this part there is none.
    assert (shown.number, shown.places_likely) == (None, 1)
    assert {row["Run"] for row in csv.DictReader(io.StringIO(rows.lstrip("\ufeff")))} == {""}
    assert [row.reference for row in shown.rows] == sorted(scene.references[1:])
    assert {row.effect for row in shown.rows} == {None}
    assert all(row.rank is None and row.fundable is None and row.mark(3) is None for row in shown.rows)


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (1, ("The method says nothing", "1 application has fewer than 3 submitted score sheets")),
        (6, ("No score sheet is in", "Of what is open to you nobody has submitted one yet.")),
    ],
)
def test_who_sees_a_part_without_means_is_told_why(
    browser: Browser, scene: Scene, gone: int, words: tuple[str, str]
) -> None:
    hidden, *shown = scene.application_ids
    with arranging():
        people.bar(scene.people["chair"], "application", hidden)
        scene.people["second"] = people.user("Sanna Second", Role.PROGRAMME_MANAGER).id
    for who, seat in [(who, each) for each in shown for who in scene.seats(each)][:gone]:
        scene.release(who, seat, "Fell ill.", by="second")

    page = text_of(browser.get("chair", f"/calls/{scene.slug}/advice"))

    assert all(each in page for each in words), page
    assert queries.advice_page(scene.actor("chair"), scene.slug).rows == ()


def free_chair(scene: Scene) -> str:
    """Another chair, who declared no conflict with anything; the name in the scene."""
    with arranging():
        scene.people["free"] = people.user("Frida Free", Role.PANEL_CHAIR).id
    declares(scene.actor("free"), scene.call_id, tuple(Answered(each, Declared.NONE) for each in scene.application_ids))
    return "free"


@pytest.mark.parametrize("name", ["chair", "carl"])
def test_whoever_sees_a_part_learns_of_no_sheet_of_the_rest_by_asking_or_looking_again(
    browser: Browser, scene: Scene, name: str
) -> None:
    """In one world a sheet of the application that is shut is missing, in the other it is in; they read the same."""
    address, hidden = f"/calls/{scene.slug}/advice", scene.application_ids[0]
    run(scene)
    free_chair(scene)
    # Carl declared nothing about it.
    assert silent_chair(scene, hidden) == "carl"
    with arranging():
        people.bar(scene.people["chair"], "application", hidden)
        scene.people["second"] = people.user("Sanna Second", Role.PROGRAMME_MANAGER).id

    def reads() -> list[str]:
        asked = browser.post(name, address, places="1")
        assert asked.status_code == 422 and jobs.latest(("call", scene.call_id), services.ADVICE_JOB) == before
        with pytest.raises(Refused, match="Somebody who sees the whole call asks for it"):
            services.request_advice(scene.actor(name), scene.call_id, 1)
        page = text_of(browser.get(name, address))
        assert "Ferry to Zero" in page and "Cool Courtyards" not in page
        return [page, text_of(asked, 422), browser.get(name, address + ".csv").text]

    before = jobs.latest(("call", scene.call_id), services.ADVICE_JOB)
    whole = reads()
    # One sheet of it is gone: the advice over everything says nothing, in a run of its own.
    scene.release("eva1", hidden, "She fell ill.", by="second")
    assert run(scene, "free").kind == "nothing"
    before = jobs.latest(("call", scene.call_id), services.ADVICE_JOB)

    assert reads() == whole


def test_who_came_into_conflict_while_the_advice_was_worked_out_is_shown_no_run(browser: Browser, scene: Scene) -> None:
    job_id = services.request_advice(scene.actor("chair"), scene.call_id, 1)
    with arranging():
        people.bar(scene.people["chair"], "application", scene.application_ids[0])
    db.session.rollback()

    assert jobs.work(job_id, actor_of=actor_for, worker="tests") is JobState.DONE

    page = text_of(browser.get("chair", f"/calls/{scene.slug}/advice"))
    assert "Cool Courtyards" not in page and "Expected rank" not in page and "Score sheets" not in page
    assert "Expected rank" in text_of(browser.get(free_chair(scene), f"/calls/{scene.slug}/advice"))


def test_how_many_the_list_selects_is_proposed_to_nobody_who_sees_a_part_of_it(scene: Scene) -> None:
    agreed(scene, apart=1)
    assert queries.advice_page(scene.actor("chair"), scene.slug).places_likely == 2
    last = scene.application_ids[2]
    declares(scene.actor("chair"), scene.call_id, (Answered(last, Declared.CONFLICT, "My cousin leads it"),))

    # Both that are seen are selected; half of what is seen is proposed, as before there was a list.
    assert queries.advice_page(scene.actor("chair"), scene.slug).places_likely == 1


def test_sheets_of_people_in_conflict_count_for_nothing(scene: Scene) -> None:
    with arranging():
        db.session.execute(
            text(
                "UPDATE conflict_declaration SET declared = 'conflict', reason = 'x' "
                "WHERE user_id = :person AND application_id = :about"
            ),
            {"person": scene.people["eva1"], "about": scene.application_ids[0]},
            execution_options={"core_write": True},
        )
    read = queries.sheets_read(calls.call_by_id(scene.call_id))

    # The record stands where it cannot be made anew: the application lacks nothing, and this sheet is not read.
    assert read.incomplete == ()
    gone = (str(scene.application_ids[0]), str(scene.evaluator_id("eva1")))
    assert len(read.sheets) == 8 and gone not in {(one.application, one.evaluator) for one in read.sheets}


def test_a_bad_number_and_a_stranger_are_refused(scene: Scene) -> None:
    # More than there are applications with sheets, too.
    for places in (None, 0, 2_001, 4):
        with pytest.raises(Invalid):
            services.request_advice(scene.actor("chair"), scene.call_id, places)
    with pytest.raises(NotFound):
        queries.advice_page(scene.actor("eva1"), scene.slug)


def test_the_page_costs_at_most_eight_statements(browser: Browser, scene: Scene) -> None:
    run(scene)
    browser.get("chair", f"/calls/{scene.slug}/advice")

    with statements() as seen:
        text_of(browser.get("chair", f"/calls/{scene.slug}/advice"))

    assert len(seen) <= 8, seen


def test_the_sheet_of_somebody_whose_conflict_was_found_counts_for_nothing_and_one_that_waits_counts(
    scene: Scene,
) -> None:
    scene.find("eva1", 0)
    call = calls.call_by_id(scene.call_id)
    assert len(queries.sheets_read(call).sheets) == 9

    scene.find("eva2", 0, DetectedState.CONFIRMED)

    read = queries.sheets_read(call)
    assert (len(read.sheets), read.incomplete) == (8, ())
