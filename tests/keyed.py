"""A browser of the tests sends the key of a form with it, as every real one does: what is wrong with that shows in every test."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse


class Browser(FlaskClient):
    """Fields that a test sends without a key get one of their own, as a page just opened carries it."""

    def post(self, *args: Any, **options: Any) -> TestResponse:
        data = options.get("data")
        if data is None or type(data) is dict:
            options["data"] = {"act_key": secrets.token_urlsafe(18), **(data or {})}
        return super().post(*args, **options)


@pytest.fixture(autouse=True)
def keys_in_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """To be imported by the conftest of a package: each of its browsers sends keys."""
    monkeypatch.setattr(Flask, "test_client_class", Browser)
