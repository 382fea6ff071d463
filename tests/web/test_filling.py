"""While a demo is being filled: every page says how far it is without asking the database, and no deed is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from wtforms import PasswordField

from grants.core import filling
from grants.core.filling import Filling, Phase
from grants.web.filling import KEPT_SECRET
from grants.web.forms import Form
from grants.web.routing import public
from tests.html import check_page, texts

HALF = Filling(Phase.FILLING, 37, 120, "evaluation of Neighbourhood pilots 2025", 37)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser of a program that has no database at all: whatever asked one would answer 500."""
    app.config["WTF_CSRF_ENABLED"] = False
    app.add_url_rule("/deed", "deed", public(lambda: "done"), methods=["GET", "POST"])
    return app.test_client()


def ended_process() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_a_page_says_how_far_it_is_and_when_changes_are_possible(client: FlaskClient, tmp_path: Path) -> None:
    filling.write(tmp_path, HALF)

    found = check_page(client.get("/about"))

    assert texts(found, "aside")[1] == (
        "The demo is being filled: 37 of 120, evaluation of Neighbourhood pilots 2025. You can look around; changes are "
        "possible in about 40 seconds."
    )


def test_without_the_file_no_page_says_anything(client: FlaskClient, tmp_path: Path) -> None:
    filling.write(tmp_path, HALF)
    filling.end(tmp_path)

    assert len(texts(check_page(client.get("/about")), "aside")) == 1
    assert client.post("/deed").get_data(as_text=True) == "done"
    assert list(tmp_path.glob("demo_filling*")) == []


def test_a_deed_waits_and_what_was_typed_is_kept(client: FlaskClient, tmp_path: Path) -> None:
    filling.write(tmp_path, HALF)
    sent = {
        "why_so": "First line\nsecond <line>",
        "amount": "12.50",
        "act_key": "k1",
        "version": "3",
        "password": "x!y",
        "current": "x!y",
        "postcode": "00-950",
        "country_code": "PL",
    }

    answer = client.post("/deed?tab=2", data=sent)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "37")
    page = check_page(answer)
    assert texts(page, "h1") == ["Not yet: the demo is still being filled"]
    assert (texts(page, "dt"), texts(page, "dd")) == (
        ["Why so", "Amount", "Postcode", "Country code"],
        ["First line second <line>", "12.50", "00-950", "PL"],
    )
    text = answer.get_data(as_text=True)
    assert 'action="/deed?tab=2"' in text and 'name="act_key" value="k1"' in text
    assert "x!y" not in text

    filling.end(tmp_path)
    assert client.post("/deed?tab=2", data=sent).get_data(as_text=True) == "done"


def test_every_password_of_a_form_is_kept_secret(client: FlaskClient) -> None:
    def forms(kind: type[Form]) -> Iterator[type[Form]]:
        if not kind.__module__.startswith("tests."):
            yield kind
        for each in kind.__subclasses__():
            yield from forms(each)

    named = {
        name
        for form in forms(Form)
        for name, field in vars(form).items()
        if getattr(field, "field_class", None) is PasswordField
    }

    assert named == KEPT_SECRET


def test_files_are_chosen_again(client: FlaskClient, tmp_path: Path) -> None:
    filling.write(tmp_path, HALF)

    answer = client.post("/deed", data={"file": ((tmp_path / filling.FILE).open("rb"), "plan.pdf")})

    assert answer.status_code == 503
    assert "choose plan.pdf again" in answer.get_data(as_text=True)


def test_coming_and_going_work(client: FlaskClient, tmp_path: Path) -> None:
    filling.write(tmp_path, HALF)

    assert client.post("/theme", data={"theme": "dark"}).status_code == 303
    assert client.post("/sign-in", data={"email": "", "password": ""}).status_code != 503
    assert client.post("/demo", data={"person": "nobody"}).status_code != 503


def test_while_there_are_no_tables_a_page_refreshes_itself_and_nothing_else_is_tried(
    client: FlaskClient, tmp_path: Path
) -> None:
    filling.write(tmp_path, filling.NO_TABLES)

    for address in ("/", "/sign-in", "/about", "/demo"):
        answer = client.get(address)
        assert answer.status_code == 503
        check_page(answer)
        assert '<meta http-equiv="refresh" content="3">' in answer.get_data(as_text=True)
    assert client.post("/sign-in", data={"email": "a", "password": "b"}).status_code == 503
    assert client.get("/healthz").status_code == 200


def test_who_died_in_the_middle_is_not_waited_for(client: FlaskClient, tmp_path: Path) -> None:
    said = {"phase": "filling", "done": 5, "total": 14, "note": "", "seconds_left": 9, "pid": ended_process()}
    (tmp_path / filling.FILE).write_text(json.dumps(said))

    page = check_page(client.get("/about"))

    assert texts(page, "aside")[1].startswith("Filling the demo stopped before its end, at 5 of 14. What you see")
    assert client.post("/deed").status_code == 503


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"phase": "lunch", "pid": 1}', '{"phase": "filling"}'])
def test_a_file_cut_short_counts_as_interrupted(tmp_path: Path, text: str) -> None:
    (tmp_path / filling.FILE).write_text(text)

    assert filling.read(tmp_path) == filling.INTERRUPTED


def test_what_is_written_is_read_while_the_writer_lives(tmp_path: Path) -> None:
    assert filling.read(tmp_path) is None
    assert filling.read(tmp_path / "missing") is None

    filling.write(tmp_path / "made", HALF)

    assert filling.read(tmp_path / "made") == HALF
    assert json.loads((tmp_path / "made" / filling.FILE).read_text())["pid"] == os.getpid()
