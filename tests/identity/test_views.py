"""Pages of identity through HTTP, as the people who use them see them."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import actors

PUBLIC = ["/sign-in", "/reset", "/demo"]
OWN = ["/profile", "/profile/password", "/profile/sessions", "/confirm-password"]
ADMIN = ["/admin/users", "/admin/users/invite", "/admin/roles", "/admin/roles.txt", "/admin/mail"]


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_open_without_signing_in(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", OWN)
def test_own_pages_open_for_everybody_signed_in(client: FlaskClient, path: str) -> None:
    actors.sign_in(client, actors.nobody().user_id)

    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", [*OWN, *ADMIN, "/organisation"])
def test_other_pages_lead_to_the_sign_in_page_and_back(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.location) == (303, f"/sign-in?next={path}")


@pytest.mark.parametrize("path", ADMIN)
def test_administration_opens_for_administrators_only(app: Flask, client: FlaskClient, path: str) -> None:
    admin = actors.client_of(app, actors.ada())
    applicant = actors.client_of(app, actors.ana())

    assert (admin.get(path).status_code, applicant.get(path).status_code) == (200, 403)
