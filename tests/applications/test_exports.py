"""A list taken out as a file is the list: the same rows in the same order for the same reader, with what it is and who took it."""

from __future__ import annotations

import csv
import io
from itertools import cycle

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import select

from grants.applications import queries, services
from grants.applications.queries import Stretch
from grants.applications.rules import ListFilter
from grants.applications.rules.exporting import ListForm
from grants.applications.rules.listing import SORTINGS, Listing, Order, Sorting
from grants.applications.states import ApplicationState
from grants.core.audit import ActRow, AuditEvent
from grants.core.db import db
from grants.core.errors import Refused
from grants.core.permissions import Actor
from grants.core.text import inert
from tests import actors
from tests.applications.listed import Listed
from tests.applications.test_listing import barred_from, walked
from tests.factories.applications import AFTER_CLOSING


def rows_of(reader: Actor, listing: Listing) -> list[dict[str, str]]:
    made, cover = services.csv_file(reader, listing, bare=True)
    rows = list(csv.DictReader(io.StringIO(made.read().decode("utf-8-sig"))))
    assert cover.rows == len(rows)
    return rows


def test_a_file_holds_the_rows_of_all_pages_in_their_order_for_every_reader(found: Listed) -> None:
    eli = actors.eli()
    readers = (eli, barred_from(eli, found.ids["Warm Blocks"]), actors.ana(), actors.marek(), actors.mia())
    filters = (
        ListFilter(),
        ListFilter(search="heat for all"),
        ListFilter(states=(ApplicationState.SELECTED, ApplicationState.ELIGIBLE), days=3),
        ListFilter(call_slug=found.call.slug, country_code="PL", programme="PCP"),
    )
    told = set()
    orders = cycle(SORTINGS)
    for reader in readers:
        for wanted in filters:
            # Every order with some reader and some filter.
            listing = Listing(wanted, next(orders))
            shown = [row.reference for row in walked(reader, listing, size=3)]
            assert [row["reference"] for row in rows_of(reader, listing)] == shown
            told.add(tuple(shown))
    assert len(told) > 10


def test_a_file_says_how_it_is_filtered_when_for_whom_and_how_many(app: Flask, found: Listed) -> None:
    client = actors.client_of(app, actors.eli())

    answer = client.get("/applications.csv?state=eligible&sort=asked&show=partners&show=asked&show=since")

    lines = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert lines[:9] == [
        ["List", "Applications"],
        ["Filter", "State: eligible"],
        ["Order", "amount asked for, smallest first"],
        ["As of (UTC)", AFTER_CLOSING.isoformat()],
        ["Taken out by", "Eli Desk"],
        ["Rows", "2"],
        ["Asked for in all, EUR", "1750000.00"],
        [],
        ["reference", "title", "requested_eur", "in_state_since_utc", "organisations", "synthetic"],
    ]
    assert [line[1] for line in lines[9:]] == ["Heat for All", "Warm Blocks"]
    act = db.session.scalars(select(ActRow).where(ActRow.verb == "application.export_list")).one()
    reason = db.session.scalars(select(AuditEvent.reason).where(AuditEvent.act_id == act.id)).one()
    assert reason == "2 rows as CSV. Filter: State: eligible. Order: amount asked for, smallest first."


def test_a_workbook_holds_the_same_with_numbers_as_numbers_and_no_formula(app: Flask, found: Listed) -> None:
    client = actors.client_of(app, actors.eli())

    answer = client.get("/applications.xlsx?sort=title")

    book = openpyxl.load_workbook(io.BytesIO(answer.get_data()))
    front, sheet = book.worksheets
    about = {row[0].value: row[1].value for row in front.iter_rows()}
    rows = list(sheet.iter_rows(min_row=2))
    expected = [
        row.reference for row in walked(actors.eli(), Listing(sorting=Sorting(Order.TITLE, descending=False)), size=4)
    ]
    assert [row[0].value for row in rows] == expected and about["Rows"] == len(expected) == 8
    assert about["Filter"] == "none: every application you may see"
    risky = next(row for row in rows if row[1].value == "=HYPERLINK(1)")
    assert [cell.value for cell in next(sheet.iter_rows())] == [
        *("reference", "title", "lead", "country", "state", "requested_eur", "sent_at_utc", "due_at_utc", "synthetic")
    ]
    assert (risky[1].data_type, risky[5].value, risky[5].data_type) == ("s", 500_000, "n")


def test_a_title_that_is_a_formula_is_text_in_a_file(found: Listed) -> None:
    (row,) = rows_of(actors.eli(), Listing(ListFilter(search="hyperlink")))

    assert row["title"] == inert("=HYPERLINK(1)") == "'=HYPERLINK(1)"


def test_what_is_not_understood_or_too_long_is_no_file(
    app: Flask, found: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = actors.client_of(app, actors.eli())
    for form in ("csv", "xlsx"):
        answer = client.get(f"/applications.{form}?state=nonsense")
        assert answer.status_code == 422 and "There is no state “nonsense”." in answer.get_data(as_text=True)
    monkeypatch.setattr(ListForm, "rows_max", 7)

    with pytest.raises(Refused, match=r"more than 7 rows\. Take it out as CSV"):
        services.workbook(actors.eli(), Listing())
    assert db.session.scalars(select(ActRow).where(ActRow.verb == "application.export_list")).all() == []
    assert queries.list_page(actors.eli(), Listing(), Stretch(9)).total.number == 8
