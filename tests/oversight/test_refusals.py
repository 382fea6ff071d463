"""Asking for what is not yours leaves a security event; asking for what nobody serves does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from grants.core.audit import SecurityEvent
from grants.core.db import db
from grants.core.permissions import Actor
from tests import actors


def refused() -> list[tuple[str, str]]:
    rows = db.session.scalars(select(SecurityEvent).where(SecurityEvent.kind == "request.refused")).all()
    return [(row.detail["path"], row.detail["why"]) for row in rows]


@pytest.mark.parametrize(
    ("who", "path", "status", "why"),
    [
        (actors.ana, "/finance/ledger", 403, "NotAllowed"),
        (actors.fin, "/finance/orders/PCP-2022-P-9999", 404, "NotFound"),
    ],
)
def test_a_page_that_is_not_theirs_is_noted(
    app: Flask, client: FlaskClient, who: Callable[[], Actor], path: str, status: int, why: str
) -> None:
    assert actors.client_of(app, who()).get(path).status_code == status
    assert refused() == [(path, why)]


def test_a_mistyped_address_and_a_stranger_are_not_noted(app: Flask, client: FlaskClient) -> None:
    assert actors.client_of(app, actors.ana()).get("/no-such-page").status_code == 404
    assert app.test_client().get("/finance/ledger").status_code == 303

    assert refused() == []
