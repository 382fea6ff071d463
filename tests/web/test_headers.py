"""What every answer tells the browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from grants.app import create_app
from grants.web.filters import asset
from grants.web.headers import HEADERS


@pytest.mark.parametrize("address", ["/", "/no/such/page", "/healthz", "/static/app.css", "/home"])
def test_every_answer_carries_the_headers(client: FlaskClient, address: str) -> None:
    with client.get(address) as answer:
        found = {name: answer.headers.get(name) for name in HEADERS}

    assert found == HEADERS


def test_the_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    policy = HEADERS["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "*" not in policy


def test_public_pages_are_asked_for_again_each_time(client: FlaskClient) -> None:
    assert client.get("/about").headers["Cache-Control"] == "private, no-cache"


def test_errors_and_answers_to_forms_are_never_kept(client: FlaskClient) -> None:
    assert client.get("/no/such/page").headers["Cache-Control"] == "no-store"
    assert client.post("/theme", data={"theme": "dark"}).headers["Cache-Control"] == "no-store"


def test_a_static_file_named_with_its_digest_is_kept_for_ever(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        address = asset("app.css")

    found = []
    for wanted in (address, "/static/app.css", "/static/missing.css?v=1"):
        with client.get(wanted) as answer:
            found.append(answer.headers["Cache-Control"])

    assert found == ["public, max-age=31536000, immutable", "public, max-age=300", "no-store"]


def test_only_an_https_address_asks_for_https_for_ever(tmp_path: Path) -> None:
    def answer(base_url: str) -> str | None:
        nowhere = f"postgresql+psycopg://x@/x?host={tmp_path}"
        app = create_app(Config(GRANTS_HOME=str(tmp_path), DATABASE_URL=nowhere, BASE_URL=base_url))
        return app.test_client().get("/about", base_url=base_url).headers.get("Strict-Transport-Security")

    assert answer("http://localhost") is None
    assert answer("https://grants.example") == "max-age=31536000; includeSubDomains"
