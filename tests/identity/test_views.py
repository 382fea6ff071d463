"""Pages of identity through HTTP, as the people who use them see them."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.identity import queries
from grants.identity.policy import Role
from grants.identity.states import OrganisationKind
from tests import actors
from tests.statements import statements

PUBLIC = ["/sign-in", "/reset", "/demo"]
OWN = ["/profile", "/profile/password", "/profile/address", "/profile/sessions", "/confirm-password"]
# So often a page may ask the database at most.
STATEMENTS_MAX = 8
ADMIN = ["/admin/users", "/admin/users/invite", "/admin/roles", "/admin/roles.txt", "/admin/mail"]


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_open_without_signing_in(client: FlaskClient, path: str) -> None:
    with statements() as seen:
        assert client.get(path).status_code == 200

    assert len(seen) <= STATEMENTS_MAX


@pytest.mark.parametrize("path", OWN)
def test_own_pages_open_for_everybody_signed_in(client: FlaskClient, path: str) -> None:
    actors.sign_in(client, actors.nobody().user_id)
    # That somebody was here is noted once a minute.
    client.get("/about")

    with statements() as seen:
        assert client.get(path).status_code == 200
    assert len(seen) <= STATEMENTS_MAX


@pytest.mark.parametrize("path", [*OWN, *ADMIN, "/organisation"])
def test_other_pages_lead_to_the_sign_in_page_and_back(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.location) == (303, f"/sign-in?next={path}")


@pytest.mark.parametrize("path", ADMIN)
def test_administration_opens_for_administrators_only(app: Flask, client: FlaskClient, path: str) -> None:
    admin = actors.client_of(app, actors.ada())
    applicant = actors.client_of(app, actors.ana())

    assert (admin.get(path).status_code, applicant.get(path).status_code) == (200, 403)


@pytest.mark.parametrize(("field", "what"), [("name", "The name"), ("job_title", "What they do")])
def test_a_name_that_no_list_could_hold_is_refused_and_kept(
    app: Flask, client: FlaskClient, field: str, what: str
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    actors.sign_in(client, actors.ada().user_id)
    sent = {
        "name": "Mia Ito",
        "email": "mia@example.eu",
        "job_title": "Advisor",
        "organisation": "",
        field: "Ä" * 3_000,
    }

    answer = client.post("/admin/users/invite", data=sent)

    assert answer.status_code == 422
    assert f"{what} has 3000 characters; at most 120 fit. Cut 2880." in answer.text
    assert "Ä" * 3_000 in answer.text
    assert queries.person_by_email("mia@example.eu") is None


def test_an_invitation_promises_a_mail_only_where_one_leaves(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    actors.sign_in(client, actors.ada().user_id)
    sent = {"name": "Mia Ito", "email": "mia@example.eu", "job_title": "", "organisation": ""}

    first = client.post("/admin/users/invite", data=sent, follow_redirects=True).text
    again = client.post("/admin/users/mia-ito/invite-again", follow_redirects=True).text
    app.config["SMTP_URL"] = "smtp://localhost"
    leaves = client.post("/admin/users/mia-ito/invite-again", follow_redirects=True).text

    assert "The invitation to Mia Ito is written. No mail server is set, so no mail left" in first
    assert "A new invitation is written. No mail server is set, so no mail left" in again
    assert "A new invitation is on its way. The link in the earlier one no longer works." in leaves


@pytest.mark.parametrize("number", ["99999999999999999999", "9" * 5_000, "-1", "x"])
def test_a_page_beyond_every_list_is_an_empty_page(client: FlaskClient, number: str) -> None:
    actors.sign_in(client, actors.ada().user_id)

    assert client.get(f"/admin/users?page={number}").status_code == 200


def test_a_mail_of_an_impossible_number_is_not_there(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    actors.sign_in(client, actors.ada().user_id)

    assert client.post("/admin/mail/99999999999999999999").status_code == 404


def test_the_form_of_the_own_organisation_neither_asks_nor_takes_its_kind(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    ana = actors.ana()
    (northbridge,) = ana.organisation_ids
    actors.sign_in(client, ana.user_id)

    form = client.get("/organisation")
    details = {"name": "City of Northbridge", "country_code": "PL", "kind": "programme", "website": "https://["}
    refused = client.post("/organisation", data=details)
    saved = client.post("/organisation", data={**details, "website": "https://north.example"})

    assert "Municipality" in form.text and 'name="kind"' not in form.text
    assert (refused.status_code, saved.status_code) == (422, 303)
    assert "beginning with https://" in refused.text
    found = queries.organisation(northbridge)
    assert (found.name, found.kind) == ("City of Northbridge", OrganisationKind.MUNICIPALITY)


def test_the_page_of_people_is_for_the_own_organisation_and_for_administrators(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    ana, place = actors.client_of(app, actors.ana()), "/organisations/pl-municipality-of-northbridge/people"
    mila = actors.client_of(
        app, actors.actor(actors.person("Mila Novak", Role.APPLICANT, organisation_name=actors.SOUTHPORT))
    )
    new = {"name": "Sid Mayor", "email": "sid.mayor@example.eu"}

    assert f'href="{place}"' in ana.get("/organisation").text
    assert (mila.get(place).status_code, mila.post(place, data=new).status_code) == (404, 404)
    assert ana.post(place, data={"name": "Sid"}).status_code == 422
    assert ana.post(place, data=new).location == place
    admin = actors.client_of(app, actors.ada())
    assert "sid.mayor@example.eu" in admin.get(place).text
    assert f'href="{place}"' in admin.get("/admin/organisations/pl-municipality-of-northbridge").text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"name=Ana&" + b"a=1&" * 6_000, "application/x-www-form-urlencoded"),
        (b"name=Ana&a=" + b"x" * 1_100_000, "application/x-www-form-urlencoded"),
        (b"x" * 1_100_000, "multipart/form-data; boundary=abc"),
    ],
)
def test_who_is_signed_in_sends_no_more_than_a_page_of_ours_does(app: Flask, body: bytes, kind: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    ana = actors.client_of(app, actors.ana())

    answer = ana.post("/profile", data=body, content_type=kind)

    assert answer.status_code == 413
    assert "at most 1 MB in 5,000 fields" in answer.text
    assert ana.post("/profile", data={"name": "Ana Nowak", "version": ""}).status_code == 409
    assert ana.post("/profile", data={"name": "Ana Nowak", "version": "1"}).status_code == 303
