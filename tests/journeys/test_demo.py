"""The demo, seen whole: its books agree, every page every person can reach is one we may show, and nobody is met by an error."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from urllib.parse import urldefrag, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from grants.applications.models import Application
from grants.applications.states import Origin
from grants.core import audit, jobs
from grants.core.db import db
from grants.demo import PEOPLE
from grants.evaluation.models import Assignment
from grants.identity import queries as identity
from grants.ledger import queries as ledger
from grants.payments import queries as payments
from grants.web.routing import Access
from tests import actors
from tests.html import check_page

# So many pages are looked at for each person; more of the same kind teach nothing new.
PAGES_MAX = 120
LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]+)"')
# One of each kind is enough: addresses that differ in a reference or a number only.
REFERENCE = re.compile(r"[A-Z]{1,4}-\d{4}-[A-Z]-\d{4}|E-\d{4}-\d+|/\d+(?=/|$)")


def test_the_books_of_the_demo_agree(demo_app: Flask) -> None:
    assert ledger.verify() == ()
    assert payments.verify() == ()
    assert audit.verify().problem is None


def test_every_job_of_the_demo_was_done(demo_app: Flask) -> None:
    assert {state.value for state, count in jobs.counts().items() if count} == {"done"}


def test_what_was_published_elsewhere_has_no_score(demo_app: Flask) -> None:
    real = db.session.scalars(select(Application.id).where(Application.origin == Origin.PUBLISHED_OUTCOME.value)).all()

    assert len(real) == 103
    assert db.session.scalars(select(Assignment.id).where(Assignment.application_id.in_(real))).all() == []


def people() -> list[str]:
    return ["administrator", *(person.key for person in PEOPLE)]


def address(key: str) -> str:
    return "signe.holm@demo.example" if key == "administrator" else f"{key.replace('_', '.')}@demo.example"


@pytest.mark.parametrize("key", people())
def test_every_page_a_person_reaches_is_one_we_may_show(demo_app: Flask, key: str) -> None:
    found = identity.person_by_email(address(key))
    assert found is not None
    client = demo_app.test_client()
    actors.sign_in(client, found.id)

    # Public pages say nearly the same to everybody: one person of all reads them, and the stranger below.
    walked, wrong = _walk(
        client, "/home", leave_out=(lambda path: is_public(demo_app, path)) if key != "manager" else None
    )

    assert wrong == []
    assert len(walked) > 5


def test_every_page_a_stranger_reaches_is_one_we_may_show(demo_app: Flask) -> None:
    walked, wrong = _walk(demo_app.test_client(), "/", leave_out=None)

    assert wrong == []
    assert len(walked) > 5


def is_public(app: Flask, path: str) -> bool:
    """Whether anybody may open the page at that address; one nobody serves is not public."""
    try:
        endpoint, _ = app.url_map.bind("").match(urlsplit(path).path)
    except (NotFound, MethodNotAllowed, RequestRedirect):
        return False
    return bool(getattr(app.view_functions[endpoint], "access", Access()).anyone)


def _walk(client: FlaskClient, start: str, *, leave_out: Callable[[str], bool] | None) -> tuple[list[str], list[str]]:
    """Follow links from a page, one address of each kind; what is not a good answer is named."""
    waiting, kinds, walked, wrong = deque([start]), set(), [], []
    while waiting and len(walked) < PAGES_MAX:
        path = waiting.popleft()
        kind = REFERENCE.sub("#", urlsplit(path).path)
        if kind in kinds or (leave_out and leave_out(path)):
            continue
        kinds.add(kind)
        walked.append(path)
        response = client.get(path, buffered=True)
        if response.status_code in (302, 303):
            continue
        if response.status_code != 200:
            wrong.append(f"{path}: {response.status_code}")
            continue
        if response.mimetype != "text/html":
            continue
        check_page(response)
        for link in LINK.findall(response.get_data(as_text=True)):
            link = urldefrag(link.replace("&amp;", "&")).url
            if link.startswith("/") and not link.startswith(("/static", "//")):
                waiting.append(link)
    return walked, wrong
