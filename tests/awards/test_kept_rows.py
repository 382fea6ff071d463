"""Rows of a ranked list that are kept as they were drawn: whoever looks next reads what is theirs, and nothing of another's."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from flask import Flask

from grants.awards import queries, services
from grants.awards.rules import DecisionInput, narrowing, showing
from grants.awards.views import rows
from tests.evaluation.scene import Browser, Scene


def table_of(browser: Browser, scene: Scene, name: str) -> str:
    """The rows of the list as this person reads them."""
    return browser.get(name, f"/calls/{scene.slug}/ranking").text.partition("<tbody")[2].partition("</tbody>")[0]


def test_a_row_that_was_kept_for_one_reader_is_another_for_the_next(
    app: Flask, browser: Browser, evaluated: Scene
) -> None:
    readers = ("manager", "officer")
    alone = {}
    for name in readers:
        rows._drawn.cache_clear()
        alone[name] = table_of(browser, evaluated, name)
    # The officer opens no consensus.
    assert [alone[name].count("/consensus/") for name in readers] == [3, 0]
    rows._drawn.cache_clear()
    assert [table_of(browser, evaluated, name) for name in readers * 2] == [alone[name] for name in readers] * 2
    assert rows._drawn.cache_info().misses == 6

    # The same row, by all that may differ from one look to the next; the second time all are kept.
    shown = queries.ranking_page(evaluated.actor("manager"), evaluated.slug)
    ways = list(product((False, True), (False, True), ("", "Fund it"), (False, True)))
    with app.test_request_context():
        for moves, opens, said, ended in ways * 2:
            told = rows.drawer(replace(shown, moves_scores=moves))(shown.rows[0], opens, said, ended)
            words = ("Move the score", "/consensus/", "Fund it", "Declined or dropped since")
            assert [each in told for each in words] == [moves, opens, bool(said), ended]


def test_of_a_part_of_a_list_or_a_frozen_one_nothing_takes_the_place_of_a_whole_list(evaluated: Scene) -> None:
    manager = evaluated.actor("manager")
    shown = queries.ranking_page(manager, evaluated.slug)
    services.decide(manager, evaluated.call_id, DecisionInput(shown.list_hash, "As ranked."))
    frozen = queries.ranking_page(evaluated.actor("manager"), evaluated.slug)
    assert shown.lasts and frozen.selection is not None and not frozen.lasts

    kept = (rows._drawn, narrowing._marked, showing._figures)
    narrowing.narrowed(shown)
    before = [each.cache_info().misses for each in kept]
    for page in (replace(shown, partial=True, rows=shown.rows[1:]), frozen):
        assert narrowing.narrowed(page).total == len(page.rows) and page.by_country and not page.has_cuts
    assert [each.cache_info().misses for each in kept] == before
