"""What takes a solver is worked out by a job: asked for, told of while it runs, found again by whoever asks the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from grants.applications.models import Application
from grants.awards import queries, services
from grants.awards.models import SelectionSolve
from grants.awards.ranking import Aim, Known, Limits, NotWorkedOut, answers, solver, what_if
from grants.awards.ranking import select as select_within
from grants.awards.rules import Plan, ScenarioInput, plan_of, read_overrides
from grants.awards.services.solving import keep_answers
from grants.awards.states import Outcome
from grants.calls import queries as calls
from grants.calls import services as call_acts
from grants.calls.rules import BudgetInput, SelectionRules
from grants.core import jobs
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import NotAllowed, NotFound, Refused
from grants.core.jobs import JobState
from grants.core.money import Money, euros
from grants.evaluation import services as evaluation
from grants.evaluation.rules import Answered
from grants.evaluation.states import Declared
from grants.identity.models import Organisation
from tests import actors
from tests.awards.solving import worked_off
from tests.awards.test_portfolio import one
from tests.awards.test_rules_of_selection import said
from tests.awards.test_services import decide
from tests.awards.test_views import text_of
from tests.evaluation.scene import Browser, Scene
from tests.statements import statements

THREE = SelectionRules(countries_min=3)


def kept() -> int:
    return db.session.scalar(select(func.count()).select_from(SelectionSolve)) or 0


def save(scene: Scene, name: str = "Three countries") -> int:
    plan = Plan(THREE, reason="More countries")
    return services.save_scenario(scene.actor("manager"), scene.call_id, ScenarioInput(name, plan))


def test_a_scenario_with_a_minimum_is_worked_out_after_it_is_saved_and_the_page_waits_for_it(
    evaluated: Scene, browser: Browser
) -> None:
    base = f"/calls/{evaluated.slug}/scenarios"
    assert browser.post("manager", base, title="Three", line="stop", countries_min="3", why="More").status_code == 303

    page = browser.get("manager", f"{base}/1")
    waits = text_of(page)
    assert "It waits for a free worker." in waits and 'http-equiv="refresh"' in page.text
    # Neither an outcome nor a form to type into, which the next look would take away.
    assert "Not funded" not in waits and "Choose this scenario" not in waits and "Change it" not in waits
    both = text_of(browser.get("manager", base))
    assert "It waits for a free worker." in both and "Add a scenario" not in both
    assert [each.name for each in queries.scenarios_page(evaluated.actor("chair"), evaluated.slug).columns] == [
        "By the rules of the call"
    ]

    worked_off()

    page = browser.get("manager", f"{base}/1")
    # Three countries are more than the money pays for: the answer says so, and is an answer all the same.
    told = text_of(page)
    assert "No choice reaches at least 3 countries" in told and "Change it" in told
    assert "It waits" not in told and 'http-equiv="refresh"' not in page.text
    with statements() as seen:
        shown = text_of(browser.get("manager", base))
    assert "Three</a>" in shown and "Not worked out" not in shown and len(seen) <= 8
    asked = {each.kind for each in db.session.scalars(select(SelectionSolve))}
    assert asked == {"list", "score"}  # Nobody knows how many people live in these cities.


def test_the_same_asked_again_is_found_and_another_list_is_asked_for_anew(evaluated: Scene, browser: Browser) -> None:
    save(evaluated)
    first = services.request_solve(evaluated.actor("manager"), evaluated.call_id)
    # The job that waits already does it for both.
    assert services.request_solve(evaluated.actor("chair"), evaluated.call_id) == first
    worked_off()
    there = kept()
    again = services.request_solve(evaluated.actor("chair"), evaluated.call_id)
    worked_off()
    assert again != first and kept() == there and jobs.view(again).state is JobState.DONE
    # What two workers found at the same moment is kept once.
    twice = queries.answers_kept(evaluated.call_id)
    assert twice and keep_answers(evaluated.actor("manager"), evaluated.call_id, twice) == 0 and kept() == there

    base = f"/calls/{evaluated.slug}/scenarios"
    said(evaluated, SelectionRules(country_max=1))
    plan = Plan(SelectionRules(country_max=1, countries_min=3, small_cities_min=1), reason="More")
    services.save_scenario(evaluated.actor("manager"), evaluated.call_id, ScenarioInput("Small", plan))
    assert "It waits for a free worker." in text_of(browser.get("chair", f"{base}/2"))
    # What was worked out before stands all the while.
    assert "It waits" not in text_of(browser.get("chair", f"{base}/1"))
    with pytest.raises(DatabaseError, match=r"append-only|permission denied"), arranging():
        db.session.execute(text("UPDATE selection_solve SET refusal = 'x'"), execution_options={"core_write": True})
    db.session.rollback()


def test_other_aims_are_worked_out_when_somebody_who_decides_asks(evaluated: Scene, browser: Browser) -> None:
    address = f"/calls/{evaluated.slug}/scenarios/what-if"
    assert "Not worked out yet" in text_of(browser.get("manager", address))
    reads = text_of(browser.get("auditor", address))
    assert "Whoever decides the list can ask for it." in reads and "Work it out" not in reads
    for name in ("eva1", "auditor", "officer"):
        assert browser.post(name, f"/calls/{evaluated.slug}/solve", back="what-if").status_code in (403, 404)

    sent = browser.post("manager", f"/calls/{evaluated.slug}/solve", back="what-if")
    assert sent.status_code == 303 and sent.headers["Location"].endswith("/what-if")
    assert browser.post("manager", f"/calls/{evaluated.slug}/solve", back="//evil").headers["Location"].endswith("/scenarios")  # fmt: skip
    assert 'http-equiv="refresh"' in browser.get("manager", address).text
    worked_off()

    assert "Highest sum of scores" in text_of(browser.get("auditor", address))


def test_whoever_has_a_conflict_neither_asks_nor_sees(evaluated: Scene, browser: Browser) -> None:
    save(evaluated)
    conflict = Answered(evaluated.application_ids[0], Declared.CONFLICT, "My brother leads it")
    evaluation.declare(evaluated.actor("chair"), evaluated.call_id, (conflict,), ())

    answer = browser.post("chair", f"/calls/{evaluated.slug}/solve", back="scenarios")
    assert answer.status_code == 422 and "You have a conflict of interest" in answer.text
    for address in ("ranking", "scenarios", "scenarios/1", "scenarios/what-if"):
        page = text_of(browser.get("chair", f"/calls/{evaluated.slug}/{address}"))
        assert "worked out" not in page and "It waits" not in page and "Three countries" not in page
    with pytest.raises((NotAllowed, NotFound)):
        services.solve(evaluated.actor("eva1"), evaluated.call_id)


def test_what_is_too_hard_says_what_to_loosen_and_may_be_tried_again(
    evaluated: Scene, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as short:
        short.setattr(solver, "SECONDS_MAX", 0.0)
        save(evaluated)
        worked_off()
    page = text_of(browser.get("manager", f"/calls/{evaluated.slug}/scenarios/1"))
    assert "too hard to reckon with" in page and "at least 3 countries" in page
    assert "Change it" in page and "Choose this scenario" not in page
    # Nothing was proved: no application is called unfunded, and the page itself leads out.
    assert "Work it out" in page and "Not funded" not in page and "No choice keeps" not in page
    assert browser.post("manager", f"/calls/{evaluated.slug}/solve", back="1").status_code == 303
    worked_off()

    assert "too hard" not in text_of(browser.get("manager", f"/calls/{evaluated.slug}/scenarios/1"))


def test_a_job_that_failed_is_asked_for_again(
    evaluated: Scene, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(evaluated)
    job = jobs.latest(("call", evaluated.call_id), services.SOLVE_JOB)
    assert job is not None
    jobs.cancel(actors.ada(), job.id, "The machine is needed")
    address = f"/calls/{evaluated.slug}/scenarios/1"

    stopped = text_of(browser.get("manager", address))
    assert "It could not be worked out" in stopped and "The machine is needed" in stopped
    assert "Work it out again" in stopped and "Change it" in stopped
    assert browser.post("manager", f"/calls/{evaluated.slug}/solve", back="1").headers["Location"].endswith("/1")
    worked_off()

    assert "No choice reaches at least 3 countries" in text_of(browser.get("manager", address))


def test_a_list_by_minima_of_the_call_is_decided_once_it_is_worked_out_and_no_page_asks_the_solver(
    evaluated: Scene, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    said(evaluated, THREE)
    base = f"/calls/{evaluated.slug}"
    waits = text_of(browser.get("manager", f"{base}/ranking"))
    assert "Not worked out yet" in waits and "Not funded" not in waits
    assert browser.get("manager", f"{base}/ranking.csv").status_code == 422
    with pytest.raises(Refused, match="not worked out yet"):
        decide(evaluated)

    services.request_solve(evaluated.actor("manager"), evaluated.call_id)
    worked_off()
    monkeypatch.setattr(answers, "select", lambda *_: pytest.fail("a page asked the solver"))

    shown = queries.ranking_page(evaluated.actor("manager"), evaluated.slug)
    assert not shown.unsolved and {row.outcome for row in shown.rows} != {Outcome.NOT_FUNDED}
    assert browser.get("manager", f"{base}/ranking.csv").status_code == 200
    with statements() as seen:
        assert "Not worked out" not in text_of(browser.get("manager", f"{base}/ranking"))
    assert len(seen) <= 8


def test_a_list_by_minima_is_confirmed_and_refused_without_asking_the_solver_again(
    evaluated: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranked = [row.reference for row in queries.ranking_page(evaluated.actor("manager"), evaluated.slug).rows]
    said(evaluated, SelectionRules(countries_min=2))
    with arranging():
        for row in db.session.scalars(select(Application)):
            # The first two lead from one country, so that only a solver can say who is selected.
            get(Organisation, row.coordinator_id).country_code = "PT" if row.reference == ranked[-1] else "FI"
    services.request_solve(evaluated.actor("manager"), evaluated.call_id)
    worked_off()
    selection_id, chair = decide(evaluated), evaluated.actor("chair")
    monkeypatch.setattr(answers, "select", lambda *_: pytest.fail("a confirmation asked the solver"))
    authorised = calls.free(evaluated.call_id)

    call_acts.authorise_budget(evaluated.actor("officer"), evaluated.call_id, BudgetInput(euros(990_000)))
    with pytest.raises(Refused, match=r"changed after this list was decided\. Return it"):
        services.confirm(chair, selection_id)
    db.session.rollback()
    call_acts.authorise_budget(evaluated.actor("officer"), evaluated.call_id, BudgetInput(authorised))
    services.confirm(chair, selection_id)
    # Nor does any other act: nobody could ask for what a draw makes of a list before it is drawn.
    waits = [path.name for path in Path(services.__file__).parent.glob("*.py") if "solved_list(" in path.read_text()]
    assert waits == ["drawing.py"]


def test_a_typed_order_is_worked_out_by_a_job_of_its_own_and_what_was_typed_stays(
    evaluated: Scene, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    said(evaluated, THREE)
    address, first = f"/calls/{evaluated.slug}/decision", evaluated.references[0]
    typed = {"line": "stop", "reason": "Half said", "overrides": f"{first}; ; 300 000; Ethics first; Travel is cut"}
    with monkeypatch.context() as asked:
        asked.setattr(answers, "select", lambda *_: pytest.fail("a page asked the solver"))
        page = browser.post("manager", address, **typed, go="show")
        again = browser.post("manager", address, **typed, go="show")
        refused = browser.post("manager", address, **typed, go="decide")
    for answer in (page, again):
        told = text_of(answer)
        assert answer.status_code == 200 and "It waits for a free worker." in told and "Look again now" in told
        assert "Half said" in told and "Ethics first" in told and 'http-equiv="refresh"' not in answer.text
        assert "Not funded" not in told and 'value="decide"' not in answer.text
    assert refused.status_code == 422 and "Half said" in refused.text and "not worked out yet" in refused.text
    (waiting,) = db.session.scalars(select(jobs.Job).where(jobs.Job.name == services.SOLVE_JOB))
    assert waiting.subject_kind == "selection_question" and "Travel" not in str(waiting.args)
    # Who only reads asks for nothing; neither does who has a conflict.
    assert browser.post("auditor", address, **typed, go="show").status_code == 403

    with monkeypatch.context() as short:
        short.setattr(solver, "SECONDS_MAX", 0.0)
        worked_off()
    hard = text_of(browser.post("manager", address, **typed, go="show"))
    assert "It was too much to work out" in hard and "Work it out" in hard and "Half said" in hard
    assert "It waits" in text_of(browser.post("manager", address, **typed, go="solve"))
    worked_off()

    there = text_of(browser.post("manager", address, **typed, go="show"))
    assert "No choice reaches at least 3 countries" in there and "Half said" in there and "It waits" not in there
    call = calls.call_by_id(evaluated.call_id)
    plan = plan_of(THREE, overrides=read_overrides(typed["overrides"]))
    assert services.request_typed(evaluated.actor("chair"), evaluated.call_id, plan) is None
    found, _, _ = queries.live_list(call, plan)
    (compared,) = queries.figures_now(call, plan, None, {None: found})
    assert not compared.unsolved and compared.used == found.used
    by_the_call = plan_of(THREE)
    assert queries.figures_now(call, by_the_call)[0].unsolved, "nobody asked for it"


def test_an_answer_is_found_by_all_it_was_made_from_and_by_nothing_else() -> None:
    listed = [one(1, 60, "FI"), one(2, 40, "FI"), one(3, 40, "PL")]
    limits = Limits(Money(100), SelectionRules(countries_min=2))
    known = Known(solves=True)
    made = known.portfolio(listed, limits)

    assert made == select_within(listed, limits)
    there = Known(known.new)
    assert there.portfolio(listed[::-1], limits) == made
    for other, bounds in ((listed[:2], limits), (listed, replace(limits, budget=Money(99)))):
        with pytest.raises(NotWorkedOut):
            there.portfolio(other, bounds)
    for aim in Aim:
        best = known.aimed(listed, limits, aim)
        assert best == what_if(listed, limits, aim) == Known(known.new).aimed(listed, limits, aim)
