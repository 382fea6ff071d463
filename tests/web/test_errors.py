"""The one map from errors to answers, and pages that say what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import RequestEntityTooLarge

from config import Config
from grants.app import UPLOADS, create_app
from grants.core.db import check_version
from grants.core.errors import Conflict, Invalid, NeedsFreshSignIn, NotAllowed, NotFound, Refused
from grants.web.routing import public
from tests.html import check_page, texts


def raising(error: Exception) -> Callable[[], str]:
    def view() -> str:
        raise error

    return public(view)


def answer_to(app: Flask, error: Exception) -> FlaskClient:
    app.add_url_rule("/raises", "raises", raising(error))
    return app.test_client()


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (NotAllowed("Only the lead may send it."), 403, "Only the lead may send it."),
        (NotFound("PCP-2022-A-0001 is not yours."), 404, "It may have moved, or it is not there for you."),
        (Conflict("Marek changed the budget at 14:05."), 409, "Marek changed the budget at 14:05."),
        (Invalid("This is not a call file."), 422, "This is not a call file."),
        (Refused("The call has closed."), 422, "The call has closed."),
        (RequestEntityTooLarge(), 413, "Choose a smaller file"),
    ],
)
def test_an_error_is_a_page_with_its_status_and_its_sentence(
    app: Flask, error: Exception, status: int, sentence: str
) -> None:
    answer = answer_to(app, error).get("/raises")

    assert answer.status_code == status
    check_page(answer)
    assert sentence in answer.get_data(as_text=True)


def test_what_is_not_there_for_somebody_looks_like_what_is_not_there(app: Flask) -> None:
    hidden = answer_to(app, NotFound("a secret")).get("/raises")
    absent = app.test_client().get("/no/such/page")

    assert texts(check_page(hidden), "main") == texts(check_page(absent), "main")
    assert "secret" not in hidden.get_data(as_text=True)


def test_a_dangerous_deed_asks_for_the_password_first(app: Flask) -> None:
    answer = answer_to(app, NeedsFreshSignIn()).get("/raises?x=1")

    assert answer.status_code == 303
    assert answer.location == "/confirm-password?next=/raises?x%3D1"


def test_the_wrong_kind_of_request_is_said_so(client: FlaskClient) -> None:
    answer = client.get("/theme")

    assert answer.status_code == 405
    check_page(answer)


def test_an_unexpected_error_shows_a_number_and_nothing_of_the_inside(app: Flask) -> None:
    answer = answer_to(app, RuntimeError("password=hunter2")).get("/raises")

    assert answer.status_code == 500
    check_page(answer)
    text = answer.get_data(as_text=True)
    assert "Nothing was changed" in text and "Number:" in text
    assert "hunter2" not in text


def test_even_the_page_of_errors_may_fail(tmp_path: Path) -> None:
    # The demo's switch of people reads the database, which is not there.
    nowhere = Config(
        GRANTS_HOME=str(tmp_path), DATABASE_URL=f"postgresql+psycopg://x@/x?host={tmp_path}", GRANTS_DEMO=True
    )
    app = create_app(nowhere)

    answer = answer_to(app, RuntimeError("boom")).get("/raises")

    assert answer.status_code == 500
    assert texts(check_page(answer), "h1") == ["Something went wrong on our side"]


def test_a_form_without_its_token_is_refused_in_words(app: Flask) -> None:
    answer = app.test_client().post("/theme", data={"theme": "dark"})

    assert answer.status_code == 400
    check_page(answer)
    assert "The form is too old or came from another site" in answer.get_data(as_text=True)


@pytest.mark.parametrize("address", ["/no%00page", "/about?x=a%00b", "/about?%00=b"])
def test_a_character_no_text_holds_is_not_understood(client: FlaskClient, address: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 400
    check_page(answer)


@pytest.mark.parametrize("fields", [{"theme": "da\0rk"}, {"x\0": "y"}, {"act_key": "k" * 101}])
def test_a_form_no_page_of_ours_sends_is_not_understood(app: Flask, fields: dict[str, str]) -> None:
    app.config["WTF_CSRF_ENABLED"] = False

    answer = app.test_client().post("/theme", data={"theme": "dark", **fields})

    assert answer.status_code == 400
    assert "This request was not understood" in answer.get_data(as_text=True)


def test_a_conflict_promises_nothing_about_the_page_it_is_said_on() -> None:
    class Shown:
        version = 2

    with pytest.raises(Conflict) as raised:
        check_version(Shown(), 1)

    assert str(raised.value) == (
        "Somebody changed this while you were working. Go back to find your text, then reload to see what stands now."
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"a=1&" * 200, "application/x-www-form-urlencoded"),
        (b"email=" + b"x" * 70_000, "application/x-www-form-urlencoded"),
        (b"x" * 70_000, "multipart/form-data; boundary=abc"),
    ],
)
def test_who_is_not_signed_in_sends_no_more_than_a_sign_in_page_does(app: Flask, body: bytes, kind: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = False

    answer = app.test_client().post("/sign-in", data=body, content_type=kind)

    assert answer.status_code == 413
    check_page(answer)
    assert "Too much was sent at once" in answer.get_data(as_text=True)


def test_only_forms_with_a_file_field_take_more() -> None:
    templates = Path(__file__).parents[2] / "templates"
    pages = [each for each in templates.rglob("*.html") if each.parent.name != "components"]
    with_files = sum(
        len(re.findall(r'multipart=True|enctype="multipart/form-data"', each.read_text(encoding="utf-8")))
        for each in pages
    )

    # The form of a signed document is one template for the agreement and for the accession of a partner.
    assert with_files == len(UPLOADS.keys() - {"agreements.upload_accession"})
