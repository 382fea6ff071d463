"""The matrix of a call whose applications are decided says what its assignment was, and leads to it."""

from __future__ import annotations

import re

from grants.core.paging import Page
from grants.core.permissions import Actor
from grants.evaluation import queries, services
from grants.evaluation.rules import MatrixPage
from tests.awards.test_letters import decided, text_of
from tests.evaluation.scene import Browser, Scene
from tests.html import check_page
from tests.statements import statements

__all__ = ["decided"]


def shown_to(actor: Actor, scene: Scene) -> MatrixPage:
    page: MatrixPage = queries.matrix_page(actor, scene.slug, Page())
    return page


def test_the_matrix_of_a_decided_call_tells_its_runs_who_asked_for_them_and_what_everybody_had(
    browser: Browser, decided: Scene
) -> None:
    past = shown_to(decided.actor("manager"), decided).past
    assert past is not None and past.runs
    every = [name for each in decided.application_ids for name in decided.seats(each)]
    assert past.seats == past.submitted == len(every) > 0
    assert sorted(line.load for line in past.loads) == sorted(every.count(name) for name in set(every))

    path = f"/calls/{decided.slug}/assignments/matrix"
    for who in ("manager", "auditor"):
        browser.get(who, path)
        with statements() as asked:
            answer = browser.get(who, path)
        check_page(answer)
        text = text_of(answer)
        assert len(asked) <= 8
        assert "Nothing to adjust" not in text and "giving them a seat" not in text
        assert f"/calls/{decided.slug}/assignments/runs/{past.runs[0].number}" in text
        asker = re.search(r'data-label="Asked for by">([^<]+)<', text)
        assert asker is not None and asker[1] == past.askers[past.runs[0].number] != "–"
        assert browser.get(who, f"/calls/{decided.slug}/assignments/runs/{past.runs[0].number}").status_code == 200
        for line in past.loads:
            assert f">{line.name}</a>" in text


def test_what_is_shut_to_the_reader_is_in_no_load_and_no_figure_of_a_run(browser: Browser, decided: Scene) -> None:
    services.declare_in_office(decided.actor("manager"), decided.application_ids[1], "We share a flat")

    past = shown_to(decided.actor("manager"), decided).past

    assert past is not None
    others = [name for each in (0, 2) for name in decided.seats(decided.application_ids[each])]
    assert past.seats == len(others)
    text = text_of(browser.get("manager", f"/calls/{decided.slug}/assignments/matrix"))
    assert '<td class="num" data-label="New">–</td>' in text and decided.references[1] not in text
