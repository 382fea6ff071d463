"""Lists and pages ask the database the same number of questions whatever their length."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event

from grants.calls.rules import CallView
from grants.core import clock
from grants.core.db import db
from tests import actors
from tests.factories import applications as factory
from tests.factories.applications import AFTER_CLOSING, BEFORE_OPENING
from tests.html import check_page


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements the block sends to the database."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture
def eli_pages(app: Flask, call: CallView) -> dict[str, tuple[int, int]]:
    """Statements of each staff page with one application and with three."""
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(BEFORE_OPENING):
        actors.eli()
    factory.submitted(call, actors.ana(), "One")
    pages = ("/applications", f"/calls/{call.slug}/eligibility", "/applications/PCP-2022-A-0001")
    numbers: dict[str, list[int]] = {page: [] for page in pages}
    with clock.at(AFTER_CLOSING):
        desk = actors.client_of(app, actors.eli())
    for more in ((), ("Two", "Three")):
        for title in more:
            factory.submitted(call, actors.ana(), title)
        with clock.at(AFTER_CLOSING):
            for page in pages:
                with counted() as seen:
                    answer = desk.get(page)
                assert answer.status_code == 200
                check_page(answer)
                numbers[page].append(len(seen))
    return {page: (found[0], found[1]) for page, found in numbers.items()}


def test_staff_pages_ask_the_same_for_one_and_for_three(eli_pages: dict[str, tuple[int, int]]) -> None:
    assert {page: one - three for page, (one, three) in eli_pages.items()} == dict.fromkeys(eli_pages, 0)


def test_the_list_stays_within_ten_statements(eli_pages: dict[str, tuple[int, int]]) -> None:
    print(eli_pages)
    assert eli_pages["/applications"][0] <= 10
