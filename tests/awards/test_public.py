"""What everybody reads of a decided call: the awards, and names of evaluators that tell nothing of who assessed what."""

from __future__ import annotations

import csv
import io
from uuid import UUID

import pytest
from flask import Flask

from grants.awards import queries, services
from grants.awards.rules.experts import EVALUATORS_LEAST, NamesPage, checked_names
from grants.awards.states import NamesShown
from grants.calls.rules import ResultsInput
from grants.core import clock
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.core.permissions import Actor
from tests.awards.publishing import publish
from tests.awards.test_letters import decided
from tests.evaluation.scene import Browser, Scene
from tests.html import check_page

__all__ = ["decided"]


def test_awards_are_read_by_everybody_from_their_moment_on(app: Flask, decided: Scene) -> None:
    stranger, place = app.test_client(), f"/calls/{decided.slug}/awards"
    assert [stranger.get(path).status_code for path in (place, f"{place}.csv")] == [404, 404]
    publish(decided, ResultsInput())

    answer = stranger.get(place)
    check_page(answer)
    for told in ("Cool Courtyards", "Municipality of Neochóra, GR", "20 November 2022"):
        assert told in answer.text
    # Nothing of those not selected, and no score.
    assert "Roof by Roof" in answer.text and "Ferry to Zero" not in answer.text and "12.5" not in answer.text
    rows = list(csv.reader(io.StringIO(stranger.get(f"{place}.csv").text.lstrip("\ufeff"))))
    assert rows[1] == [
        "Cool Courtyards",
        "Municipality of Neochóra",
        "GR",
        "Neochóra",
        "400000.00",
        "2022-11-20",
        "24",
        "",
        "Invented",
    ]


def page_of(people: int, applications: int) -> NamesPage:
    named = tuple((UUID(int=number), f"Name {number}") for number in range(people))
    return NamesPage(UUID(int=0), "call", "Call", True, named, applications)


def test_so_few_that_a_link_could_be_guessed_stand_with_their_year_only() -> None:
    with pytest.raises(Refused, match="guess who assessed what"):
        checked_names(page_of(EVALUATORS_LEAST - 1, 60), NamesShown.CALL, {})
    with pytest.raises(Refused, match="guess who assessed what"):
        checked_names(page_of(40, 4), NamesShown.CALL, {})
    assert checked_names(page_of(40, 60), NamesShown.CALL, {UUID(int=1): " For safety. "}) == {
        UUID(int=1): "For safety."
    }
    assert checked_names(page_of(3, 1), NamesShown.YEAR, {UUID(int=999): "Not of this call."}) == {}
    with pytest.raises(Invalid):
        checked_names(page_of(40, 60), NamesShown.CALL, {UUID(int=1): "  "})


def test_names_are_decided_by_the_programme_and_read_without_a_link_to_applications(
    app: Flask, browser: Browser, decided: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"/calls/{decided.slug}/decision/names"
    shown = browser.get("manager", place)
    check_page(shown)
    assert "So few that a link could be guessed" in shown.text
    assert 'value="year"' in shown.text and 'value="call"' not in shown.text, "what is always refused is not offered"
    refused = browser.post("manager", place, shown="call", version="0")
    assert refused.status_code == 422 and "Choose one of the answers shown." in refused.text
    out = decided.people[decided.seats(decided.application_ids[0])[0]]
    assert (
        browser.post("manager", place, **{"shown": "year", "version": "0", f"out-{out}": "For safety."}).status_code
        == 303
    )
    again = browser.post("manager", place, **{"shown": "nowhere", "version": "0", f"out-{out}": "Typed."})
    assert again.status_code == 409 and "Typed." in again.text
    with pytest.raises(Conflict):
        services.decide_names(decided.actor("manager"), decided.call_id, NamesShown.YEAR, {}, 0)
    with pytest.raises(NotAllowed):
        services.decide_names(decided.actor("officer"), decided.call_id, NamesShown.YEAR, {})

    publish(decided, ResultsInput())
    with pytest.raises(NotFound):
        queries.public.published_names(Actor(None, "anybody"), decided.slug, clock.now())
    # One small call is the whole year: its few names stay unsaid.
    assert queries.public.names_of_year(2022, clock.now()) == ()
    monkeypatch.setattr("grants.awards.queries.public.EVALUATORS_LEAST", 1)
    named = queries.public.names_of_year(2022, clock.now())
    assert named and decided.actor(decided.seats(decided.application_ids[0])[0]).name not in named
    assert list(named) == sorted(named, key=str.casefold)
    answer = app.test_client().get("/experts/2022")
    check_page(answer)
    assert named[0] in answer.text and "Cool Courtyards" not in answer.text
    assert app.test_client().get(f"/calls/{decided.slug}/experts").status_code == 404
