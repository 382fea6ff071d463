"""Recommended amounts and conditions on the official list itself, where nobody chose a scenario."""

from __future__ import annotations

from sqlalchemy import select

from grants.awards import queries, services
from grants.awards.models import Selection, SelectionItem
from grants.core.db import db
from grants.core.money import euros
from tests.awards.test_services import reserved
from tests.awards.test_views import text_of
from tests.evaluation.scene import Browser, Scene


def test_a_list_without_a_scenario_recommends_less_on_a_condition(evaluated: Scene, browser: Browser) -> None:
    path, first = f"/calls/{evaluated.slug}/decision", evaluated.references[0]
    lines = f"{first}; ; 300 000; Ethics check first; Travel is cut."

    shown = browser.post("manager", path, go="show", overrides=lines)
    assert shown.status_code == 200
    assert "<strong>Condition:</strong> Ethics check first" in text_of(shown) and lines in text_of(shown)
    assert "needs five parts" in text_of(browser.post("manager", path, go="show", overrides="half a line"))
    # Who is not on the list is told at the first look, and together with a reason that is missing.
    assert "PCP-9 is not on the list" in text_of(browser.post("manager", path, go="show", overrides="PCP-9; ; ; ; "))
    both = browser.post("manager", path, go="decide", overrides="PCP-9; ; ; ; ", reason="", line="stop").text
    assert (
        both.count("PCP-9 is not on the list. Take a reference from it, or leave this one out.</a>")
        == both.count("decided as it stands.</a>")
        == 1
    )

    def decided(overrides: str) -> tuple[int, str]:
        text = browser.post("manager", path, go="show", overrides=overrides).get_data(as_text=True)
        held = text.partition('name="list_hash"')[2].partition('value="')[2].partition('"')[0]
        answer = browser.post(
            "manager", path, go="decide", overrides=overrides, list_hash=held, reason="The panel cut.", line="stop"
        )
        return answer.status_code, answer.get_data(as_text=True)

    status, text = decided(f"{first}; ; 500 000; ; More")
    assert (status, "recommend more than nothing and at most that" in text, "500 000; ; More" in text) == (
        422,
        True,
        True,
    )
    assert decided(lines)[0] == 303

    selection = db.session.scalars(select(Selection)).one()
    assert services.confirm(evaluated.actor("chair"), selection.id) == euros(700_000) == reserved(evaluated)
    item = db.session.scalars(select(SelectionItem).where(SelectionItem.position == 1)).one()
    assert (item.amount, item.asked, item.conditions) == (euros(300_000), euros(400_000), "Ethics check first")
    view = queries.selection_of(evaluated.actor("chair"), evaluated.slug, 1)
    assert view.scenario is None and view.plan is not None and view.plan.overrides[0].reason == "Travel is cut."
