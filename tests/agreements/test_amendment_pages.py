"""Pages of amendments, through HTTP: the whole way, what comes back, who sees what, and how many statements they take."""

from __future__ import annotations

import pytest
from flask import Flask

from grants.agreements import queries
from grants.agreements.rules import Scope
from grants.agreements.states import AmendmentKind, AmendmentState
from grants.core import clock
from grants.core.acts import arranging
from grants.core.money import euros
from tests import actors
from tests.agreements.amending import NOW, STAFF, Amended, maxima, mayor, view_of
from tests.agreements.test_amendments import LONGER, drafted, sent
from tests.applications.pages import send, text_of
from tests.factories import identity as people
from tests.shut import shuts
from tests.statements import statements


@pytest.fixture(autouse=True)
def _unguarded(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False


def test_a_shift_goes_from_the_form_to_both_signatures(app: Flask, found: Amended) -> None:
    place = f"/grants/{found.reference}/amendments"
    with clock.at(NOW):
        ana, otto, greta = (actors.client_of(app, each()) for each in (actors.ana, actors.otto, actors.greta))
        assert "Propose an amendment" in text_of(ana.get(place))
        typed = {
            "share_0": "350000", "share_1": "250000", "amount_1": "40000",
            "giver_1": f"{found.city_id}/{STAFF}", "taker_1": f"{found.agency_id}/{STAFF}",
        }  # fmt: skip
        assert send(ana, f"{place}/new/budget_shift", reason="").status_code == 422
        kept = send(ana, f"{place}/new/budget_shift", reason="The roofs cost more.", **typed)
        assert kept.headers["Location"] == f"{place}/1"
        with statements() as asked:
            shown = text_of(ana.get(f"{place}/1"))
        assert len(asked) <= 10
        assert (
            "Maximum of Energy Agency of Northbridge" in shown and "+50" in shown and "Budget before and after" in shown
        )
        # Nobody on the other side sees a draft.
        assert otto.get(f"{place}/1").status_code == 404 and "A1" not in text_of(otto.get(place))
        assert send(ana, f"{place}/1/edit", reason="The roofs cost far more.").status_code == 303
        assert send(ana, f"{place}/1", to=f"{place}/1/send").status_code == 303

        assert "Open the request" in text_of(otto.get(f"{place}/1"))
        assert send(otto, f"{place}/1", to=f"{place}/1/open").status_code == 303
        assert "Accept and offer it" in text_of(otto.get(f"{place}/1"))
        assert send(otto, f"{place}/1", to=f"{place}/1/accept", words="Agreed.").status_code == 303
        for client, capacity in ((actors.client_of(app, mayor()), "Mayor"), (greta, "Director")):
            assert send(client, f"{place}/1", to=f"{place}/1/sign", capacity=capacity).status_code == 303
        assert "In force" in text_of(greta.get(f"{place}/1"))
        agreement = text_of(greta.get(f"/grants/{found.reference}/agreement"))
        assert "Amendment 1, shift of budget" in agreement and "Version 2" in agreement
    assert maxima(found) == [350_000, 250_000]


@pytest.mark.parametrize("kind", list(AmendmentKind))
def test_every_kind_has_its_form_and_says_what_is_missing(app: Flask, found: Amended, kind: AmendmentKind) -> None:
    with clock.at(NOW):
        pia = actors.client_of(app, actors.pia())
        place = f"/grants/{found.reference}/amendments/new/{kind.value}"
        with statements() as asked:
            page = pia.get(place)
        assert page.status_code == 200 and len(asked) <= 8
        assert send(pia, place, reason="").status_code == 422
        assert actors.client_of(app, actors.vera()).get(place).status_code == 403
        # Who may elsewhere and not here finds nothing here.
        assert actors.client_of(app, mayor()).get(place).status_code == 403


def test_a_partner_who_leaves_and_one_who_joins_are_typed(app: Flask, found: Amended) -> None:
    place = f"/grants/{found.reference}/amendments"
    with clock.at(NOW):
        pia = actors.client_of(app, actors.pia())
        gone = {"organisation": str(found.agency_id), "leaves_on": "4 March 2024", "share_0": "600000"}
        assert send(pia, f"{place}/new/partner_out", reason="It was dissolved.", **gone).status_code == 303
        assert "would ask for" not in text_of(pia.get(f"{place}/1"))
        assert send(pia, f"{place}/1", to=f"{place}/1/withdraw", reason="No.").status_code == 303
        come = {
            "organisation": str(found.newcomer_id), "newcomer": "50000", "share_0": "350000", "amount_1": "40000",
            "declared_on": "1 March 2024", "checked_on": "2 March 2024", "giver_1": f"{found.city_id}/{STAFF}",
            "taker_1": f"new/{STAFF}",
        }  # fmt: skip
        assert send(pia, f"{place}/new/partner_in", reason="It brings homes.", **come).status_code == 303
        shown = text_of(pia.get(f"{place}/2"))
        assert "Third City joins as beneficiary" in shown and "legal name is not validated" in shown
        assert send(pia, f"{place}/2", to=f"{place}/2/send").status_code == 422


def test_a_letter_and_an_extension_are_typed_and_what_is_stale_comes_back(app: Flask, found: Amended) -> None:
    place = f"/grants/{found.reference}/amendments"
    with clock.at(NOW):
        ana, otto = (actors.client_of(app, each()) for each in (actors.ana, actors.otto))
        assert (
            send(ana, f"{place}/new/extension", reason="Late roofs.", months="30", due_2="1 October 2025").status_code
            == 303
        )
        assert "1 December 2025" in text_of(ana.get(f"{place}/1"))
        stale = send(ana, f"{place}/1/edit", version="77", reason="Other.", months="31")
        assert stale.status_code in (409, 422)
        assert send(ana, f"{place}/1", to=f"{place}/1/withdraw", reason="Words will do.").status_code == 303
        said = {"description": "Schools too.", "by_letter": "y"}
        assert send(ana, f"{place}/new/scope", reason="Two schools asked.", **said).status_code == 303
        assert send(ana, f"{place}/2", to=f"{place}/2/send").status_code == 303
        send(otto, f"{place}/2", to=f"{place}/2/open")
        assert send(otto, f"{place}/2", to=f"{place}/2/consent", words="").status_code == 422
        assert send(otto, f"{place}/2", to=f"{place}/2/consent", words="We agree.").status_code == 303
        assert "Agreed by two letters" in text_of(otto.get(f"{place}/2"))
    assert queries.amendment(found.grant_id, 2).state is AmendmentState.IN_FORCE


def test_refused_and_taken_back_stay_on_record(app: Flask, found: Amended) -> None:
    place = f"/grants/{found.reference}/amendments"
    with clock.at(NOW):
        otto = actors.client_of(app, actors.otto())
        sent(found, LONGER)
        send(otto, f"{place}/1", to=f"{place}/1/open")
        page = otto.get(f"{place}/1")
        assert "Refuse" in text_of(page)
        assert otto.post(f"{place}/1/refuse", data={"words": "", "act_key": "a" * 20}).status_code == 422
        assert otto.post(f"{place}/1/refuse", data={"words": "Too late.", "act_key": "b" * 20}).status_code == 303
        assert "Too late." in text_of(otto.get(f"{place}/1"))
        sent(found, LONGER)
        send(otto, f"{place}/2", to=f"{place}/2/open")
        send(otto, f"{place}/2", to=f"{place}/2/accept")
        assert send(otto, f"{place}/2", to=f"{place}/2/take-back", reason="A mistake.").status_code == 303
    assert view_of(found).ends_before.year == 2025 and view_of(found).maximum == euros(600_000)


def test_the_account_that_is_confirmed_and_paid_is_named_and_no_other(app: Flask, found: Amended) -> None:
    place = f"/grants/{found.reference}/amendments/new/bank_account"
    with clock.at(NOW):
        pia = actors.client_of(app, actors.pia())
        assert "page of bank accounts" in text_of(pia.get(place))
        assert send(pia, place, reason="Another bank.", account="").status_code == 422
        assert send(pia, place, reason="Another bank.", account=str(found.newcomer_id)).status_code == 422
        assert send(pia, place, reason="Another bank.").status_code == 303


@shuts("agreements.amendment", "agreements.amendments", "agreements.edit_amendment", "agreements.new_amendment")
def test_its_pages_are_shut_to_who_is_in_conflict(app: Flask, found: Amended) -> None:
    place, pia = f"/grants/{found.reference}/amendments", actors.pia()
    assert pia.user_id is not None
    with clock.at(NOW):
        client = actors.client_of(app, pia)
        assert client.get(f"{place}/new/scope").status_code == 200
        drafted(found, Scope("Schools too.", ""), by=actors.pia)
        assert {client.get(each).status_code for each in (place, f"{place}/1", f"{place}/1/edit")} == {200}
        with arranging():
            people.bar(pia.user_id, "application", found.application_id)
        barred = actors.client_of(app, actors.pia())
        pages = (place, f"{place}/1", f"{place}/1/edit", f"{place}/new/scope")
        assert {barred.get(each).status_code for each in pages} == {404}
        deeds = ("send", "withdraw")
        assert {barred.post(f"{place}/1/{each}", data={"reason": "x"}).status_code for each in deeds} == {404}
