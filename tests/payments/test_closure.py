"""A grant is closed once everything is settled; what was never used goes back to its call."""

from __future__ import annotations

import pytest
from flask import Flask

from grants.agreements.states import GrantState
from grants.core.errors import Invalid, NeedsFreshSignIn, NotAllowed, Problems, Refused
from grants.core.money import ZERO
from grants.core.permissions import Actor
from grants.identity import queries as identity
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account
from grants.payments import services
from tests import actors
from tests.agreements.conftest import CLOSED, IN_FORCE, Find, actor, grant
from tests.html import check_page

__all__ = ["grant"]


def test_a_closed_grant_has_nothing_open_and_its_parts_sum_to_its_maximum(grant: Find) -> None:
    found = grant(CLOSED)
    stands = ledger.of(grant_id=found.id)

    assert found.state is GrantState.CLOSED
    assert stands[Account.LEGALLY_COMMITTED] == ZERO
    assert found.final_amount == stands[Account.CONSUMED]
    assert found.final_amount is not None
    assert found.final_amount < found.maximum


def test_a_grant_with_open_reports_is_not_closed_and_says_why(grant: Find) -> None:
    found = grant(IN_FORCE)

    with pytest.raises(Problems) as refusal:
        services.close_grant(actor("authoriser"), found.id, note="Done")
    assert {problem.place for problem in refusal.value.found} == {"Reports", "Balance", "Ledger"}
    assert grant(IN_FORCE).state is GrantState.IN_FORCE


def test_a_closed_grant_is_not_closed_again(grant: Find) -> None:
    found = grant(CLOSED)
    entries = ledger.count_entries()

    with pytest.raises(Refused):
        services.close_grant(actor("authoriser"), found.id, note="Again")
    assert ledger.count_entries() == entries


def test_a_closure_says_on_what_it_rests(grant: Find) -> None:
    with pytest.raises(Invalid, match="rests"):
        services.close_grant(actor("authoriser"), grant(IN_FORCE).id, note=" ")


def test_a_closure_asks_for_the_password_again(grant: Find) -> None:
    person = actor("authoriser")
    assert person.user_id is not None
    stale: Actor = identity.actor_for(person.user_id)

    with pytest.raises(NeedsFreshSignIn):
        services.close_grant(stale, grant(IN_FORCE).id, note="Done")


@pytest.mark.parametrize("key", ["officer", "initiator", "reka", "auditor"])
def test_nobody_else_closes_a_grant(grant: Find, key: str) -> None:
    with pytest.raises(NotAllowed):
        services.close_grant(actor(key), grant(IN_FORCE).id, note="Done")


def test_the_page_lists_what_stands_in_the_way(demo_app: Flask, grant: Find) -> None:
    found = grant(IN_FORCE)
    client = demo_app.test_client()
    person = actor("authoriser").user_id
    assert person is not None
    actors.sign_in(client, person)
    check_page(client.get(f"/grants/{found.reference}/close"))

    answer = client.post(f"/grants/{found.reference}/close", data={"note": "All seen", "version": found.version})

    assert answer.status_code == 422
    check_page(answer)
    assert "not settled yet" in answer.get_data(as_text=True)
    assert "All seen" in answer.get_data(as_text=True)
