"""The pipeline of a call: counted for each reader, aged, over its time by the dates of the call, each number a list."""

from __future__ import annotations

import re
from datetime import date
from uuid import uuid4

from flask import Flask
from sqlalchemy import insert, select

from grants.applications import queries
from grants.applications.models import Application
from grants.applications.rules import ListFilter
from grants.applications.rules.pipeline import Planned, last_day, stages
from grants.calls.rules import LooseDate
from grants.core.acts import arranging, core_write
from grants.core.db import db
from grants.core.money import euros
from grants.core.permissions import Actor
from tests import actors
from tests.applications.listed import Listed
from tests.applications.pages import text_of
from tests.applications.test_listing import barred_from, links
from tests.factories.applications import AFTER_CLOSING
from tests.html import check_page
from tests.statements import statements

STATEMENTS_MAX = 8


def test_each_state_says_how_many_how_much_and_how_long(found: Listed) -> None:
    planned = Planned(results=LooseDate("31 October 2022", date(2022, 10, 31)), start=LooseDate("February 2023"))

    shown = stages(queries.standing(actors.eli(), ListFilter(found.call.slug)), planned, AFTER_CLOSING)

    assert [
        (each.state.value, each.number, each.requested, each.oldest_days, each.median_days, each.late_days) for each in shown
    ] == [
        ("submitted", 1, euros(125_000), 44, 44, 16),
        ("eligible", 2, euros(1_750_000), 40, 40, 16),
        ("ineligible", 1, euros(15_000_000), 1, 1, 0),
        ("under_evaluation", 2, euros(1_499_999), 12, 12, 16),
        ("selected", 2, euros(250_000), 90, 90, 0),
    ]  # fmt: skip
    assert shown[0].waits_for == "the eligibility desk" and shown[2].waits_for == ""


def test_a_printed_date_is_over_after_the_last_day_it_can_mean() -> None:
    printed = {
        "February 2024": date(2024, 2, 29),
        "december 2023": date(2023, 12, 31),
        "mid-2025": None,
        "Smarch 2024": None,
    }

    assert {text: last_day(LooseDate(text)) for text in printed} == printed
    assert last_day(None) is None


def test_a_pipeline_counts_for_each_reader_what_that_reader_may_see(app: Flask, found: Listed) -> None:
    eli = actors.eli()
    barred = barred_from(eli, found.ids["Warm Blocks"])

    def numbers(reader: Actor) -> dict[str, int]:
        return {each.state.value: each.number for each in queries.standing(reader, ListFilter())}

    assert numbers(eli)["eligible"] == 2 and numbers(barred)["eligible"] == 1
    assert "draft" not in numbers(eli) and numbers(actors.marek()) == {}
    for address in (f"/calls/{found.call.slug}/pipeline", "/applications/pipeline"):
        assert actors.client_of(app, actors.ana()).get(address).status_code == 404
        assert actors.client_of(app, actors.eva()).get(address).status_code in (403, 404)


def test_every_number_leads_to_exactly_its_list(app: Flask, found: Listed) -> None:
    client = actors.client_of(app, actors.eli())
    for address in (f"/calls/{found.call.slug}/pipeline", "/applications/pipeline?programme=PCP"):
        root = check_page(client.get(address))
        counted = 0
        for state in ("submitted", "eligible", "ineligible", "under evaluation", "selected"):
            (href,) = {each for each in links(root, f" {state}") if "days=" not in each and "state=" in each}
            (said,) = {
                int(number) for number in re.findall(rf"(\d+) {state}(?![a-z])", text_of(client.get(address)))
            } or {0}
            assert f"{said} application" in text_of(client.get(href))
            counted += said
        assert counted == 8
    across = text_of(client.get("/applications/pipeline"))
    assert "2 eligible longest 40 days half 40 days" in across and "1 ineligible" in across
    root = check_page(client.get(f"/calls/{found.call.slug}/pipeline"))
    (aged,) = links(root, "the longest eligible")
    words = text_of(client.get(aged))
    assert "days=40" in aged and "Warm Blocks" in words and "1 application" in words


def test_a_pipeline_of_nothing_and_one_of_a_thousand_ask_the_same_few_statements(app: Flask, found: Listed) -> None:
    client = actors.client_of(app, actors.eli())
    pages = (f"/calls/{found.call.slug}/pipeline", "/applications/pipeline", "/applications?sort=title")
    with statements() as few:
        for page in pages:
            client.get(page)
    with arranging():
        _many(1_200)

    with statements() as many:
        words = [text_of(client.get(page)) for page in pages]

    assert "1208 applications sent" in words[0] and "1208" in words[1] and "1208 applications" in words[2]
    assert len(many) == len(few) <= STATEMENTS_MAX * len(pages)


def _many(number: int) -> None:
    """Rows like the one that is eligible, each with a reference of its own."""
    columns = [column for column in Application.__table__.columns if column.computed is None]
    (model,) = db.session.execute(select(*columns).where(Application.title == "Warm Blocks")).mappings()
    rows = [{**model, "id": uuid4(), "reference": f"PCP-2022-A-{200_000 + place}"} for place in range(number)]
    core_write(insert(Application.__table__), rows)  # type: ignore[arg-type]  # a table
