"""The matrix of applications and evaluators: fit, conflict and seat of each pair, and the way to change it."""

from __future__ import annotations

import re

import pytest

from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.paging import Page
from grants.evaluation import queries, rules, services
from grants.evaluation.models import Evaluator
from grants.evaluation.rules import AdjustInput
from grants.evaluation.states import Declared, Deed
from grants.identity.models import User
from tests.evaluation.scene import Browser, Scene
from tests.evaluation.test_seating import more
from tests.evaluation.test_views import handle, text_of
from tests.statements import statements


def test_each_cell_is_a_seat_a_fit_or_no_and_leads_to_its_change(browser: Browser, scene: Scene) -> None:
    first = scene.application_ids[0]
    scene.declare_all(but={("eva1", first): Declared.CONFLICT})
    scene.assign()
    leaver = scene.seats(first)[0]
    away = AdjustInput(Deed.RELEASE, handle(scene, leaver), "", "Ill for months", None)
    services.adjust(scene.actor("manager"), first, away)
    shown = queries.matrix_page(scene.actor("manager"), scene.slug, Page())

    names = {handle(scene, name): name for name in scene.evaluators}
    cells = {names[one.handle]: cell for one, cell in zip(shown.columns, shown.rows.items[0].cells, strict=True)}
    assert sorted(name for name, cell in cells.items() if cell.is_seat) == scene.seats(first)
    assert cells["eva1"].is_conflict and cells["eva1"].reason.endswith("has a conflict of interest with it.")
    assert cells[leaver].reason.endswith("has or had a seat on it.") and shown.rows.items[0].missing == 1

    text = text_of(browser.get("manager", f"/calls/{scene.slug}/assignments/matrix"))
    free = next(name for name, cell in cells.items() if not cell.is_seat and not cell.reason)
    link = re.search(rf'href="([^"]*{scene.references[0]}/adjust[^"]*taking={handle(scene, free)}[^"]*)"', text)
    assert link is not None and "deed=give" in link[1] and ">Conflict<" in text
    asked = text_of(browser.get("manager", link[1]))
    assert re.search(rf'value="{handle(scene, free)}"[^>]* checked', asked), "who was clicked is chosen already"


def test_what_is_shut_is_no_row_and_no_load(browser: Browser, seated: Scene) -> None:
    services.declare_in_office(seated.actor("manager"), seated.application_ids[0], "We share a flat")

    text = text_of(browser.get("manager", f"/calls/{seated.slug}/assignments/matrix"))

    assert seated.references[0] not in text and seated.references[1] in text
    shown = queries.matrix_page(seated.actor("manager"), seated.slug, Page())
    names = {handle(seated, name): name for name in seated.evaluators}
    others = [name for each in seated.application_ids[1:] for name in seated.seats(each)]
    assert {names[one.handle]: one.load for one in shown.columns} == {
        name: others.count(name) for name in seated.evaluators
    }
    assert browser.get("eva1", f"/calls/{seated.slug}/assignments/matrix").status_code == 403


def test_the_matrix_costs_the_same_few_statements_and_turns_by_key(browser: Browser, seated: Scene) -> None:
    path, costs = f"/calls/{seated.slug}/assignments/matrix", []
    for count in (2, 45):
        more(seated, count)
        browser.get("manager", path)
        with statements() as seen:
            assert browser.get("manager", path).text.count('scope="row"') == (5 if count == 2 else 15)
        costs.append(len(seen))
    assert costs[0] == costs[1] <= 8

    db.session.rollback()
    listed: list[str] = []
    after = None
    while True:
        shown = queries.matrix_page(seated.actor("manager"), seated.slug, Page(after=after, size=15))
        listed += [row.reference for row in shown.rows.items]
        after = shown.rows.next_key
        if after is None:
            break
    assert len(listed) == len(set(listed)) == 50


def test_of_a_large_pool_those_with_a_seat_stand_across_first(seated: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "COLUMNS_MAX", 3)

    shown = queries.matrix_page(seated.actor("manager"), seated.slug, Page(size=1))

    assert shown.found - len(shown.columns) == 2
    assert {one.handle for one in shown.columns} == {
        handle(seated, name) for name in seated.seats(seated.application_ids[0])
    }


def names_across(text: str) -> list[str]:
    """Whose names head a column, as the page shows them."""
    return re.findall(r'<th[^>]*scope="col"[^>]*>\s*([^<,]+), \d+ of \d+', text)


def test_everybody_of_the_pool_can_be_brought_across(
    browser: Browser, seated: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "COLUMNS_MAX", 2)
    monkeypatch.setattr("grants.evaluation.rules.matrix.COLUMNS_MAX", 2)
    path = f"/calls/{seated.slug}/assignments/matrix"
    everybody = [get(User, seated.people[name]).name for name in seated.evaluators]

    seen: list[str] = []
    address: str | None = path
    while address:
        text = text_of(browser.get("manager", address))
        seen += names_across(text)
        found = re.search(r'href="([^"]+)">Next people<', text)
        address = found[1].replace("&amp;", "&") if found else None
    assert sorted(seen) == sorted(everybody) and "People 5 to 5 of 5 of the pool." in text
    assert ">Previous people<" in text
    # Past the last one the first ones stand there.
    assert "People 1 to 2 of 5" in text_of(browser.get("manager", f"{path}?people=999"))
    assert "People 1 to 2 of 5" in text_of(browser.get("manager", f"{path}?people=-3"))

    one = everybody[3]
    text = text_of(browser.get("manager", f"{path}?q={one.upper().replace(' ', '+')}"))
    assert names_across(text) == [one] and "People 1 to 1 of 1 of the pool with" in text
    nobody = text_of(browser.get("manager", f"{path}?q=Nobodyofthisname"))
    assert "Nobody of the pool has that in their name." in nobody and 'value="Nobodyofthisname"' in nobody
    assert "Most room" in text_of(browser.get("manager", f"{path}?first=nonsense"))


def test_who_has_room_comes_first_where_that_is_asked(seated: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    name = seated.evaluators[-1]
    with arranging():
        get(Evaluator, seated.evaluator_id(name)).load_max = 90
    monkeypatch.setattr(rules, "COLUMNS_MAX", 1)
    room = rules.MatrixSearch(order=rules.MatrixOrder.ROOM)

    shown = queries.matrix_page(seated.actor("manager"), seated.slug, Page(), room)

    (column,) = shown.columns
    assert (column.handle, column.load_max, shown.found) == (handle(seated, name), 90, 5)


@pytest.mark.usefixtures("declared_world")
def test_who_stepped_down_is_no_column_and_is_told_apart(browser: Browser, scene: Scene) -> None:
    services.step_down(scene.actor("eva1"), scene.call_id, "Ill for months")

    shown = queries.matrix_page(scene.actor("manager"), scene.slug, Page())

    assert len(shown.columns) == shown.found == 4 and shown.stepped_down == 1
    assert "1 more stepped down and has no seat here" in shown.people_words
    text = text_of(browser.get("manager", f"/calls/{scene.slug}/assignments"))
    assert "4, and 1 stepped down" in text
    scene.assign()
    text = text_of(browser.get("manager", f"/calls/{scene.slug}/assignments/runs/1"))
    assert "5 evaluators, with those who stepped down by then" in text
