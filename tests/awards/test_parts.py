"""A long ranked list is worked out whole and shown a part at a time, and a part says where the line is."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.awards import rules
from grants.awards.rules import Part, RankingRow, part, showing
from grants.awards.states import AmountBasis, Outcome
from grants.core.money import ZERO
from tests.awards.test_views import text_of
from tests.evaluation.scene import SCORES, Browser, Scene


def rows(count: int, line: int = 0) -> list[RankingRow]:
    return [
        RankingRow(
            UUID(int=place), f"PCP-{place}", f"Row {place}", "", "", place, None, None, (), None, ZERO,
            AmountBasis.REQUESTED, ZERO, Outcome.SELECTED, False, ZERO, (), "", place == line,
        )
        for place in range(1, count + 1)
    ]  # fmt: skip


@given(st.integers(0, 450), st.integers(-5, 500))
def test_every_row_stands_in_exactly_one_part_and_the_ways_lead_there(count: int, place: int) -> None:
    listed = rows(count)
    seen: list[str] = []
    at: int | None = 1
    while at is not None:
        found = part(listed, at)
        seen += [row.reference for row in found.rows]
        at = found.after

    shown = part(listed, place)

    assert seen == [row.reference for row in listed]
    assert shown.total == count and len(shown.rows) <= rules.ROWS_ON_A_PAGE
    nearest = min(max(place, 1), max(count, 1))
    assert shown.first <= nearest <= max(shown.last, 1)
    assert (shown.before is None) == (shown.first == 1)


@given(st.integers(1, 450), st.data())
def test_the_way_to_the_line_leads_to_the_part_that_draws_it(count: int, data: st.DataObject) -> None:
    line, place = data.draw(st.integers(1, count)), data.draw(st.integers(1, count))
    listed = rows(count, line)

    shown = part(listed, place)
    lined = part(listed, shown.line or place)

    assert any(row.line_after for row in lined.rows)
    assert lined.line is None


def test_an_empty_list_has_one_empty_part() -> None:
    assert part([], 9) == Part((), 1, 0, None, None, None)


def places(text: str) -> dict[str, str]:
    return dict((words, place) for place, words in re.findall(r'place=(\d+)[^"]*#list">([^<]+)<', text))


def test_a_long_list_is_walked_by_links(browser: Browser, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.evaluate(SCORES)
    monkeypatch.setattr(showing, "ROWS_ON_A_PAGE", 1)
    address = f"/calls/{scene.slug}/ranking"

    first = text_of(browser.get("manager", address))
    last = text_of(browser.get("manager", f"{address}?place=5&country="))

    assert "Rows 1 to 1 of 3" in first and places(first) == {"To the line": "2", "Next": "2"}
    assert "Rows 3 to 3 of 3" in last
    assert places(last) == {"First": "1", "Previous": "2", "To the line": "2"}
    assert "place=2&country=#list" in last
    assert text_of(browser.get("manager", f"{address}?place=nonsense")).count("Rows 1 to 1 of 3") == 1
    assert text_of(browser.get("manager", f"{address}?place=999999999999999999999")).count("Rows 3 to 3") == 1


def test_another_part_of_the_list_keeps_what_was_typed_in_the_decision(
    browser: Browser, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.evaluate(SCORES)
    monkeypatch.setattr(showing, "ROWS_ON_A_PAGE", 1)
    base = f"/calls/{scene.slug}/decision"
    opened = text_of(browser.get("chair", base))
    assert '<button type="submit" class="pg-linklike" form="decide-form" name="place" value="2">Next</button>' in opened

    moved = text_of(browser.post("chair", base, place="2", reason="The panel met twice.", overrides="A; B"))

    assert "Rows 2 to 2 of 3" in moved
    assert "The panel met twice." in moved
    assert ">A; B</textarea>" in moved.replace("\r\n", "").replace("\n", "")
