"""The check page: every problem, wherever it lies, is a link that lands on its field, and nothing is left out."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import pytest
from flask import Flask

from grants.applications import queries, rules, services
from grants.applications.rules import BudgetInput, InviteInput, Issue, SectionInput
from grants.budgets.rules import Cell
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.money import euros
from grants.core.permissions import Actor
from grants.dossiers.rules import Answer, Mark, QuestionKind
from tests import actors
from tests.applications.pages import text_of
from tests.factories import applications as factory
from tests.factories.applications import WHILE_OPEN
from tests.html import check_page

_XHTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(autouse=True)
def open_now(app: Flask) -> Iterator[None]:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(WHILE_OPEN):
        yield


@pytest.fixture
def faulty(call: CallView) -> str:
    """A draft with something wrong in each of its parts, and every question of every kind unanswered or wrong."""
    ana, marek = actors.ana(), actors.marek()
    reference = factory.draft(call, ana)
    ana = factory.again(ana)
    id = queries.id_of(ana, reference)
    (southport,) = marek.organisation_ids
    services.invite(ana, id, InviteInput("marek.nowak@example.eu", "Marek Nowak", southport))
    for section in call.content.definition.sections:
        wrong = tuple(
            Answer(q.key, "word " * ((q.words_max or 0) + 3) if q.words_max else "")
            for q in section.questions
            if q.kind is not QuestionKind.FILE
        )
        services.save_section(ana, id, section.key, SectionInput(wrong, Mark.COMPLETE, None))
    first, second = call.content.budget_rules.entered[0].code, call.content.budget_rules.entered[-1].code
    (city,) = ana.organisation_ids
    cells = (Cell(city, first, euros(10)), Cell(city, second, euros(9_000_000)))
    services.save_budget(ana, id, BudgetInput(cells, None))
    return reference


def places(issues: tuple[Issue, ...]) -> set[rules.Page]:
    return {issue.page for issue in issues}


def links(root: Element, beneath: str) -> list[tuple[str, str]]:
    (box,) = (e for e in root.iter() if beneath in (e.get("class") or "").split())
    return [(a.get("href") or "", "".join(a.itertext())) for a in box.iter(_XHTML + "a")]


def landed(app: Flask, person: Actor, href: str) -> Element | None:
    root = check_page(actors.client_of(app, person).get(href))
    anchor = urlsplit(href).fragment
    return next((e for e in root.iter() if e.get("id") == anchor), None)


def test_every_problem_of_every_part_is_a_link_that_lands_on_its_field(app: Flask, faulty: str) -> None:
    place = queries.workplace(actors.ana(), faulty)
    assert places(place.issues) == {rules.Page.TEAM, rules.Page.SECTION, rules.Page.BUDGET, rules.Page.FILES}

    found = links(
        check_page(actors.client_of(app, actors.ana()).get(f"/applications/{faulty}/check")), "govuk-error-summary"
    )

    assert sorted(words for _, words in found) == sorted(issue.message for issue in place.issues)
    for href, words in found:
        target = landed(app, actors.ana(), href)
        assert target is not None, f"{words}: {href} lands nowhere"
        reached = target.tag.removeprefix(_XHTML) in {"input", "textarea", "select"} or target.get("tabindex") == "-1"
        assert reached, f"{words}: {href} lands on something no keyboard reaches"


def test_problems_stand_together_by_the_place_where_they_are_mended(app: Flask, faulty: str) -> None:
    place = queries.workplace(actors.ana(), faulty)

    groups = rules.grouped(place.issues)

    assert [group.label for group in groups[:1] + groups[-2:]] == ["Lead city and partners", "Budget", "Files"]
    assert sum(len(group.issues) for group in groups) == len(place.issues)
    assert len({group.label for group in groups}) == len(groups)
    shown = text_of(actors.client_of(app, actors.ana()).get(f"/applications/{faulty}/check"))
    assert groups and all(f"{g.label} {len(g.issues)} problem" in shown for g in groups)


def test_the_page_that_sends_shows_the_same_problems(app: Flask, faulty: str) -> None:
    client = actors.client_of(app, actors.ana())

    shown = [
        links(check_page(client.get(f"/applications/{faulty}/{page}")), "govuk-error-summary")
        for page in ("check", "submit")
    ]

    assert shown[0] == shown[1]


def test_an_empty_budget_leads_to_the_budget(app: Flask, call: CallView) -> None:
    reference = factory.draft(call, actors.ana())
    (issue,) = (i for i in queries.workplace(actors.ana(), reference).issues if i.page is rules.Page.BUDGET)

    assert landed(app, actors.ana(), f"/applications/{reference}/budget#{issue.anchor}") is not None
