"""Pages of agreements through HTTP: what is offered and answered is what was shown, and who may sign sees the form."""

from __future__ import annotations

import pytest
from flask import Flask

from grants.agreements import queries, rules, services
from grants.agreements.rules import ContactInput, PlannedMilestone, Share, Terms
from grants.agreements.states import ContactRole, GrantState
from grants.core.acts import arranging
from grants.core.paging import Page
from grants.identity.policy import Role
from tests import actors
from tests.agreements.conftest import IN_FORCE, IN_PREPARATION, Find, actor, by_mail, colleague
from tests.agreements.test_services import finished, offered
from tests.applications.pages import post, send, text_of, values_of
from tests.factories import identity as identity_rows
from tests.shut import shuts


@pytest.fixture
def app(demo_app: Flask) -> Flask:
    demo_app.config["WTF_CSRF_ENABLED"] = False
    return demo_app


def test_a_text_changed_meanwhile_gives_the_clash_page_and_is_then_offered(app: Flask, grant: Find) -> None:
    found = finished(grant)
    officer = actors.client_of(app, actor("officer"))
    place = f"/grants/{found.reference}"
    stale = values_of(officer, f"{place}/preparation", to=f"{place}/offer")
    shares = tuple(Share(each.organisation_id, each.maximum) for each in found.beneficiaries)
    milestones = tuple(PlannedMilestone(m.title, "Another criterion", m.due_on) for m in found.milestones)
    services.set_terms(actor("officer"), found.id, Terms(found.starts_on, 24, shares, milestones))

    clash = post(officer, f"{place}/offer", stale)

    assert clash.status_code == 409
    assert "was changed after you opened this page" in text_of(clash)
    assert grant(IN_PREPARATION).state is GrantState.PREPARATION
    assert send(officer, f"{place}/offer", page=f"{place}/preparation").status_code == 303
    assert grant(IN_PREPARATION).state is GrantState.READY_TO_SIGN


@shuts("agreements.agreement_pdf", "agreements.dismiss")
def test_a_conflict_shuts_the_agreement_on_paper_and_who_signs_it(app: Flask, grant: Find) -> None:
    found = grant(IN_FORCE)
    person = next(each for each in found.contacts if each.role is ContactRole.SIGNATORY)
    places = ("agreement.pdf", f"people/{person.handle}/signatory/dismiss")
    officer = actor("officer")
    assert officer.user_id is not None

    def read() -> list[int]:
        client, told = actors.client_of(app, actor("officer")), []
        for place in places:
            with client.get(f"/grants/{found.reference}/{place}") as answer:
                told.append(answer.status_code)
        return told

    assert read() == [200, 200]
    with arranging():
        identity_rows.bar(officer.user_id, "application", found.application_id)
    assert read() == [404, 404]


def test_who_signs_for_another_grant_finds_no_form_to_sign_this_one(app: Flask, grant: Find) -> None:
    found, other = offered(grant), grant(IN_FORCE)
    colleague(found.coordinator_id, "Nikos Vlachos", "nikos@neochora.example")
    services.appoint(
        actor("officer"), found.id, ContactInput("Nikos Vlachos", "nikos@neochora.example", ContactRole.LEAD)
    )
    nikos = by_mail("nikos@neochora.example")
    actors.give(nikos.user_id, Role.SIGNATORY, "application", other.application_id)
    place = f"/grants/{found.reference}/agreement"

    assert "Sign the agreement" not in text_of(actors.client_of(app, nikos).get(place))
    for key in ("eleni_mayor", "signatory"):
        client = actors.client_of(app, actor(key))
        assert "Sign the agreement" in text_of(client.get(place))
    assert rules.text_hash(queries.text_of(grant(IN_PREPARATION))) in text_of(client.get(place))


def test_a_person_is_dismissed_by_a_page_that_asks_why(app: Flask, grant: Find) -> None:
    found = grant(IN_PREPARATION)
    colleague(found.coordinator_id, "Nikos Vlachos", "nikos@neochora.example")
    services.appoint(
        actor("officer"), found.id, ContactInput("Nikos Vlachos", "nikos@neochora.example", ContactRole.SIGNATORY)
    )
    person = next(each for each in grant(IN_PREPARATION).contacts if each.email == "nikos@neochora.example")
    people = f"/grants/{found.reference}/people"
    place = f"{people}/{person.handle}/signatory/dismiss"
    officer = actors.client_of(app, actor("officer"))
    assert f'href="{place}"' in officer.get(people).get_data(as_text=True)

    assert send(officer, place, reason="").status_code == 422
    assert send(officer, place, reason="Mistyped", leaves="y").headers["Location"] == people

    assert "nikos@neochora.example" not in text_of(officer.get(people))
    assert officer.get(place).status_code == 404


def test_terms_saved_by_a_colleague_meanwhile_come_back_with_what_was_typed(app: Flask, grant: Find) -> None:
    found = grant(IN_PREPARATION)
    place = f"/grants/{found.reference}/terms"
    officer = actors.client_of(app, actor("officer"))
    stale = values_of(officer, place)
    shares = tuple(Share(each.organisation_id, each.maximum) for each in found.beneficiaries)
    milestones = tuple(PlannedMilestone(m.title, "Another criterion", m.due_on) for m in found.milestones)
    services.set_terms(actor("officer"), found.id, Terms(found.starts_on, 24, shares, milestones))

    clash = post(officer, place, stale, title_1="Typed by the second")

    assert clash.status_code == 409
    page = clash.get_data(as_text=True)
    assert "Somebody changed this while you were working" in page
    assert 'value="Typed by the second"' in page
    again = send(officer, place, title_1="Typed by the second")
    assert again.headers["Location"] == f"/grants/{found.reference}/preparation"
    assert "The dates, amounts and milestones are saved." in text_of(officer.get(again.headers["Location"]))
    assert grant(IN_PREPARATION).milestones[0].title == "Typed by the second"


def test_a_deed_of_the_preparation_says_that_it_was_done(app: Flask, grant: Find) -> None:
    found = grant(IN_PREPARATION)
    colleague(found.coordinator_id, "Nikos Vlachos", "nikos@neochora.example")
    place = f"/grants/{found.reference}"
    officer = actors.client_of(app, actor("officer"))

    send(officer, f"{place}/people", name="Nikos Vlachos", email="nikos@neochora.example", role="lead")
    assert "Nikos Vlachos is named." in text_of(officer.get(f"{place}/people"))
    send(officer, f"{place}/drop", reason="The city has no money of its own.")
    assert "The preparation is dropped." in text_of(officer.get(place))


def test_the_list_of_grants_goes_on_until_each_was_shown_once(app: Flask) -> None:
    auditor = actor("auditor")
    whole = queries.grants(auditor, Page(size=200))
    shown, after = list(whole.items[:1]), whole.items[0].reference
    while part := queries.grants(auditor, Page(size=7, after=after)).items:
        shown, after = [*shown, *part], part[-1].reference

    assert str(whole.total) == str(len(whole.items)) and len(shown) > 20
    assert tuple(shown) == whole.items
