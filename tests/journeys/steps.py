"""What a person does at a page: opens it, finds its form, fills it, sends it, and looks at where it leads. HTTP alone."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from flask import Flask, current_app
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grants.core import jobs
from grants.core.permissions import Actor
from grants.identity import queries as identity
from grants.identity.policy import Role
from tests import actors
from tests.applications.pages import Values, forms, post
from tests.factories.applications import PDF
from tests.html import check_page

Who = Callable[[], Actor]


def ulf() -> Actor:
    """Ulf, an evaluator whose sister works in Northbridge."""
    return actors.actor(actors.person("Ulf Expert", Role.EVALUATOR))


def sven() -> Actor:
    """Sven, the applicant of another city, whose application is not good enough."""
    actors.organisation("Municipality of Eastmere", country_code="SE")
    return actors.actor(actors.person("Sven Applicant", Role.APPLICANT, organisation_name="Municipality of Eastmere"))


def val() -> Actor:
    """Val, another finance verifier: who confirmed a bank account does not verify payments to it."""
    return actors.actor(actors.person("Val Verifier", Role.FINANCE_VERIFIER))


def browser(who: Who) -> FlaskClient:
    """A new browser in which this person has just signed in."""
    app: Flask = current_app._get_current_object()
    return actors.client_of(app, who())


def look(who: Who, path: str, client: FlaskClient | None = None) -> TestResponse:
    """The answer to this person's opening of an address."""
    with _as_a_request_of_its_own():
        return (client or browser(who)).get(path, buffered=True)


@contextmanager
def _as_a_request_of_its_own() -> Iterator[None]:
    """Nothing is left over from the request before, as it would be inside the context of the test."""
    with current_app.app_context():
        yield


def words(answer: TestResponse) -> str:
    """All words of a page we may show, with plain spaces."""
    return " ".join("".join(check_page(answer).itertext()).split())


def read(who: Who, path: str) -> str:
    """The words of a page that opens for this person."""
    answer = look(who, path)
    assert answer.status_code == 200, f"{path} answered {answer.status_code} to {who.__name__}"
    return words(answer)


def deed(who: Who, page: str, typed: Mapping[str, object], *, to: str = "", where: dict[str, str] | None = None) -> str:
    """Open ``page``, send its form to ``to`` (by default the page itself) and return where it led.

    ``where`` picks one of many forms by values it already holds. The page it leads to is looked at too.
    """
    client, target = browser(who), to or page
    found = look(who, page, client)
    assert found.status_code == 200, f"{page} answered {found.status_code} to {who.__name__}"
    values = _form(found, page, target, typed, where or {})
    with _as_a_request_of_its_own():
        answer = post(client, target, values, **typed)
    assert answer.status_code == 303, f"{target} for {who.__name__}:\n{words(answer)}"
    led_to = answer.headers["Location"]
    landed = look(who, led_to, client)
    assert landed.status_code == 200, f"{led_to} answered {landed.status_code} to {who.__name__}"
    check_page(landed)
    return str(led_to)


def _form(found: TestResponse, page: str, target: str, typed: Mapping[str, object], where: dict[str, str]) -> Values:
    candidates = [
        values
        for action, values in forms(check_page(found))
        if (action or page) == target and all(values.get(name) == [value] for name, value in where.items())
    ]
    assert candidates, (
        f"{page} has no form to {target} with {where}: {[action for action, _ in forms(check_page(found))]}"
    )
    return next((values for values in candidates if any(name in values for name in typed)), candidates[0])


def refused(who: Who, page: str, typed: Mapping[str, object], *, to: str = "") -> str:
    """The same for a form that must come back; returns the words of the page."""
    client, target = browser(who), to or page
    values = _form(look(who, page, client), page, target, typed, {})
    with _as_a_request_of_its_own():
        answer = post(client, target, values, **typed)
    assert answer.status_code in (403, 409, 422), f"{target} answered {answer.status_code}"
    return words(answer)


def download(who: Who, path: str, kind: str) -> bytes:
    """The bytes of a file that this person may take home."""
    answer = look(who, path)
    assert (answer.status_code, answer.mimetype) == (200, kind), path
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return answer.data


def worker_works() -> None:
    """The part of the worker: every job that waits is done."""
    jobs.work_off(actor_of=identity.actor_for)
    assert {state.value for state, count in jobs.counts().items() if count} <= {"done"}


def upload(name: str, data: bytes = PDF) -> tuple[io.BytesIO, str]:
    """A file as a browser sends it."""
    return io.BytesIO(data), name


def home_of(who: Who) -> UUID:
    """The organisation this person belongs to."""
    (organisation_id,) = who().organisation_ids
    return organisation_id
