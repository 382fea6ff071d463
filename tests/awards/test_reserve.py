"""The reserve list moves up: the next that fits in freed money, with four eyes, once, in the frozen order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from grants.agreements import services as agreements
from grants.awards import queries, services
from grants.awards.models import SelectionItem
from grants.awards.ranking import Candidate, Freed, Limits, next_of
from grants.calls import services as call_acts
from grants.calls.rules import BudgetInput, SelectionRules
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotAllowed, Refused
from grants.core.faults import Fault
from grants.core.jobs import Job
from grants.core.money import ZERO, Money, euros
from grants.identity.policy import Role
from grants.identity.queries import actor_for
from tests.awards.test_portfolio import one
from tests.awards.test_services import decide, reserved, states
from tests.awards.test_views import text_of
from tests.evaluation.scene import Browser, Scene
from tests.factories import identity as people


def dropped(scene: Scene, number: int) -> None:
    """The preparation of a selected application fails: it is dropped and its money released."""
    with arranging():
        office = people.user("Greta Office", Role.PROGRAMME_MANAGER)
        office_id = office.id
    actor = actor_for(office_id)
    grant = agreements.prepare(actor, scene.application_ids[number], starts_on=date(2023, 3, 1))
    agreements.drop(actor, grant.id, reason="Due diligence failed.")
    db.session.rollback()


@pytest.fixture
def confirmed(evaluated: Scene) -> Scene:
    """Applications 0 and 2 are selected with 400,000 each of 1,000,000; application 1 is on the reserve list."""
    services.confirm(evaluated.actor("chair"), decide(evaluated))
    return evaluated


def selection(scene: Scene) -> Any:
    return queries.selection_of(scene.actor("manager"), scene.slug, 1)


def move_up(scene: Scene, name: str = "manager", *, number: int = 1) -> Any:
    view = selection(scene)
    services.decide_move(scene.actor(name), view.id, scene.references[number], "The city declined.")
    return queries.reserve_page(view).moves[-1]


def test_nobody_is_proposed_while_nothing_came_free(confirmed: Scene) -> None:
    shown = queries.reserve_page(selection(confirmed))

    assert (shown.next, shown.available, shown.ended) == (None, ZERO, ())
    with pytest.raises(Refused, match="Nobody of the reserve list fits"):
        move_up(confirmed)


def test_the_next_that_fits_gets_the_freed_money_with_two_people(confirmed: Scene) -> None:
    dropped(confirmed, 0)
    shown = queries.reserve_page(selection(confirmed))
    assert shown.next is not None
    assert (shown.next.application_id, shown.available) == (confirmed.application_ids[1], euros(600_000))

    move = move_up(confirmed)
    assert reserved(confirmed) == euros(400_000)
    with pytest.raises(Refused, match="another person must confirm"):
        services.confirm_move(_as_decider(confirmed), move.id)
    answer = services.confirm_move(confirmed.actor("chair"), move.id)

    assert (answer, reserved(confirmed)) == (euros(400_000), euros(800_000))
    assert states(confirmed) == ["dropped", "selected", "selected"]
    letters = db.session.scalars(
        select(Job.args["user_id"].astext).where(
            Job.name == "jobs.mail.send", Job.args["template"].astext == "selection_selected"
        )
    ).all()
    assert str(confirmed.leads[1]) in letters


def _as_decider(scene: Scene) -> Any:
    """Whoever decided the move, were they allowed to confirm too."""
    chair = scene.actor("chair")
    return replace(chair, user_id=scene.actor("manager").user_id)


def test_freed_money_is_given_on_once(confirmed: Scene) -> None:
    dropped(confirmed, 0)
    move = move_up(confirmed)
    with pytest.raises(Refused, match="waits for a second person"):
        move_up(confirmed)
    services.confirm_move(confirmed.actor("chair"), move.id)

    with pytest.raises(Refused, match="cannot confirm now"):
        services.confirm_move(confirmed.actor("officer"), move.id)
    assert queries.reserve_page(selection(confirmed)).next is None
    items = db.session.scalars(select(SelectionItem).where(SelectionItem.entry_id.is_not(None))).all()
    assert len(items) == 3
    assert reserved(confirmed) == euros(800_000)


def test_a_returned_move_stays_on_the_record_and_may_be_decided_again(confirmed: Scene) -> None:
    dropped(confirmed, 2)
    first = move_up(confirmed)
    with pytest.raises(Invalid):
        services.return_move(confirmed.actor("chair"), first.id, " ")
    services.return_move(confirmed.actor("chair"), first.id, "Ask the city first.")

    second = move_up(confirmed)

    assert [(each.number, each.state.value) for each in queries.reserve_page(selection(confirmed)).moves] == [
        (1, "returned"),
        (2, "decided"),
    ]
    services.confirm_move(confirmed.actor("officer"), second.id)


def test_who_is_next_is_the_programs_word_and_conflicts_keep_out(confirmed: Scene) -> None:
    dropped(confirmed, 0)
    view = selection(confirmed)

    with pytest.raises(Conflict):
        services.decide_move(confirmed.actor("manager"), view.id, confirmed.references[2], "Rather this one.")
    with pytest.raises(NotAllowed):
        services.decide_move(confirmed.actor("officer"), view.id, confirmed.references[1], "I may not.")
    move = move_up(confirmed)
    chair_id = confirmed.actor("chair").user_id
    with arranging():
        people.bar(chair_id, "application", confirmed.application_ids[2])
    with pytest.raises(Refused, match="You declared a conflict of interest"):
        services.confirm_move(confirmed.actor("chair"), move.id)


@pytest.mark.parametrize("fault", ["four_eyes", "ceiling", "audit", "scope"])
def test_no_guard_of_the_move_can_fail_open(confirmed: Scene, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    dropped(confirmed, 0)
    move = move_up(confirmed)
    monkeypatch.setenv("GRANTS_FAULT", fault)

    with pytest.raises(Fault):
        services.confirm_move(confirmed.actor("chair"), move.id)

    monkeypatch.delenv("GRANTS_FAULT")
    assert (reserved(confirmed), states(confirmed)) == (euros(400_000), ["dropped", "reserve", "selected"])


def test_a_move_whose_money_is_gone_is_refused(confirmed: Scene) -> None:
    dropped(confirmed, 0)
    move = move_up(confirmed)
    call_acts.authorise_budget(confirmed.actor("officer"), confirmed.call_id, BudgetInput(euros(700_000)))

    with pytest.raises(Refused, match="changed after this was decided"):
        services.confirm_move(confirmed.actor("chair"), move.id)
    assert reserved(confirmed) == euros(400_000)


def test_the_page_walks_the_whole_move(confirmed: Scene, browser: Browser) -> None:
    dropped(confirmed, 0)
    address = f"/calls/{confirmed.slug}/selections/1"
    assert "Next is rank 3" in text_of(browser.get("manager", address))

    wrong = browser.post("manager", f"{address}/moves", reference="PCP-1", reason="Why")
    assert (wrong.status_code, "Who is next changed" in wrong.text) == (409, True)
    reference = confirmed.references[1]
    assert (
        browser.post("manager", f"{address}/moves", reference=reference, reason="The city declined.").status_code == 303
    )
    assert "Waits for a second person" in text_of(browser.get("chair", address))
    assert browser.post("chair", f"{address}/moves/1/return").status_code == 422
    assert browser.post("chair", f"{address}/moves/1/confirm").status_code == 303
    assert "Moved up" in text_of(browser.get("manager", address))
    assert browser.post("chair", f"{address}/moves/7/confirm").status_code == 404


def candidates() -> list[Candidate]:
    return [one(1, 50, "FI"), one(2, 30, "PL"), one(3, 20, "PT")]


def test_a_missing_country_is_filled_before_a_better_rank() -> None:
    first, second, third = candidates()
    holding = (one(7, 40, "PL"),)
    freed = Freed(holding, Money(40), ZERO, ZERO, Money(100))

    by_rule = next_of([second, third], freed, Limits(Money(0), SelectionRules(countries_min=2)))
    by_rank = next_of([first, second, third], freed, Limits(Money(0)))

    assert by_rule is not None and by_rank is not None
    assert by_rule.candidate == third
    assert "at least 2 countries must be reached again" in by_rule.words
    assert by_rank.candidate == second
    assert "passed over: rank 1 asks for EUR 0.10 more than is left of the budget" in by_rank.words


def test_a_rule_that_is_full_keeps_the_next_out() -> None:
    _, second, third = candidates()
    freed = Freed((one(7, 40, "PL"),), Money(40), ZERO, ZERO, Money(100))

    found = next_of([second, third], freed, Limits(Money(0), SelectionRules(country_max=1)))

    assert found is not None and found.candidate == third
