"""The first page, /home, the statements, the theme, and what machines ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from grants.app import create_app
from grants.core import clock
from grants.core.duties import Duty
from grants.oversight import queries
from tests import actors
from tests.html import check_page, texts

NOON = datetime(2022, 11, 6, 13, 32, tzinfo=UTC)


def with_duties(monkeypatch: pytest.MonkeyPatch, *duties: Duty) -> None:
    monkeypatch.setattr(queries, "STAGES_WITH_DUTIES", (lambda actor, at: duties,))


@pytest.mark.parametrize("address", ["/", "/about", "/accessibility", "/privacy"])
def test_a_public_page_opens_for_everybody(client: FlaskClient, address: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 200
    check_page(answer)


def test_home_asks_for_a_sign_in(client: FlaskClient) -> None:
    answer = client.get("/home")

    assert answer.status_code == 303
    assert answer.location == "/sign-in?next=/home"


def test_home_shows_duties_by_deadline_with_one_filled_button(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with_duties(
        monkeypatch,
        Duty("Write “Risks”", "Nobody has touched it.", "Open the section", "oversight.about"),
        Duty("Check 3 applications", "They wait.", "Open the list", "oversight.about", {}, NOON + timedelta(days=9), 3),
        Duty("Send report 1", "The payment waits.", "Send it", "oversight.about", {}, NOON - timedelta(days=2)),
        Duty("Confirm a conflict", "Elena asks.", "Confirm", "oversight.about", {}, NOON + timedelta(hours=2)),
    )

    with clock.at(NOON):
        answer = actors.client_of(app, actors.ana()).get("/home")

    root = check_page(answer)
    assert texts(root, "h1") == ["What you must do next"]
    page = answer.get_data(as_text=True)
    rows = [
        page.index(what) for what in ("Send report 1", "Confirm a conflict", "Check 3 applications", "Write “Risks”")
    ]
    assert rows == sorted(rows)
    assert page.count('class="govuk-button" href') == 1
    assert "2 days late <small>due 4 November 2022</small>" in page
    assert "today <small>by 16:32 Brussels time</small>" in page
    assert "by 15 November 2022 <small>in 9 days</small>" in page
    assert '<span class="pg-count">6</span>' in page


def test_home_says_in_words_that_nothing_waits(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with_duties(monkeypatch)

    answer = actors.client_of(app, actors.ana()).get("/home")

    check_page(answer)
    assert "Nothing to do now." in answer.get_data(as_text=True)


def test_a_duty_whose_page_is_not_there_does_not_take_home_away(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with_duties(monkeypatch, Duty("Do what has no page", "", "Open", "nowhere.page"))

    answer = actors.client_of(app, actors.ana()).get("/home")

    assert answer.status_code == 200
    assert "Do what has no page" in answer.get_data(as_text=True)


def test_other_pages_ask_how_much_waits(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with_duties(monkeypatch, Duty("Check", "", "Open", "oversight.about", {}, None, 12))

    answer = actors.client_of(app, actors.ana()).get("/home/tasks")

    assert answer.json == {"waiting": 12}


def test_pages_of_a_person_are_never_kept(app: Flask) -> None:
    client = actors.client_of(app, actors.ana())

    assert client.get("/home").headers["Cache-Control"] == "no-store"
    assert client.get("/about").headers["Cache-Control"] == "no-store"


def test_everybody_has_a_home(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    for person in actors.BY_ROLE.values():
        answer = actors.client_of(app, person()).get("/home")

        assert answer.status_code == 200, person.__doc__
        check_page(answer)


def test_every_stage_answers_what_a_person_without_a_role_must_do(app: Flask) -> None:
    assert queries.duties(actors.nobody(), NOON) == ()


def test_a_theme_is_remembered_and_shown(client: FlaskClient) -> None:
    answer = client.post("/theme", data={"theme": "dark", "next": "/about"})

    assert (answer.status_code, answer.location) == (303, "/about")
    assert '<html lang="en" class="govuk-template" data-theme="dark">' in client.get("/about").get_data(as_text=True)

    client.post("/theme", data={"theme": "", "next": "/about"})
    assert "data-theme=" not in client.get("/about").get_data(as_text=True).split(">", 2)[1]


@pytest.mark.parametrize(
    "elsewhere",
    ["https://example.org/", "//example.org/", "/\\example.org", "javascript:alert(1)", "", "/no/such/page", "/theme"],
)
def test_a_theme_never_leads_away_from_our_own_pages(client: FlaskClient, elsewhere: str) -> None:
    answer = client.post("/theme", data={"theme": "dark", "next": elsewhere})

    assert (answer.status_code, answer.location) == (303, "/")


def test_a_theme_nobody_offered_is_as_the_device(client: FlaskClient) -> None:
    client.post("/theme", data={"theme": '"><script>', "next": "/"})

    assert client.get_cookie("theme") is None


def test_alive_asks_nothing_of_anybody(client: FlaskClient) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_not_ready_without_a_queue_and_says_so(client: FlaskClient) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json is not None
    assert sorted(answer.json["checks"]) == ["database", "disk", "jobs", "migrations", "queue"]
    assert answer.json["checks"]["database"] == {"ok": True, "seen": "answers"}
    assert answer.json["checks"]["jobs"] == {"ok": True, "seen": "none waits unrung"}
    assert answer.json["checks"]["queue"]["ok"] is False


def test_not_ready_without_a_database_and_says_so(tmp_path: Path) -> None:
    nowhere = Config(GRANTS_HOME=str(tmp_path), DATABASE_URL=f"postgresql+psycopg://x@/x?host={tmp_path}")

    answer = create_app(nowhere).test_client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["checks"]["database"] == {"ok": False, "seen": "does not answer"}


def test_the_version_is_that_of_the_package(client: FlaskClient) -> None:
    answer = client.get("/version")

    assert answer.json is not None
    assert list(answer.json) == ["version"]
    assert answer.json["version"].count(".") == 2
