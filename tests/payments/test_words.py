"""Words about payments that are true: a rejected request is a duty of the city, and whoever waits is told for whom."""

from __future__ import annotations

from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.agreements.models import BankAccount
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import get
from grants.core.errors import Refused
from grants.core.money import euros
from grants.core.paging import Page
from grants.payments import queries, rules, services
from grants.payments.rules import DecisionInput, RequestSummary
from tests import actors
from tests.payments.world import IN_FORCE, SEEN, World, world


@pytest.fixture
def grant(app: Flask, client: FlaskClient) -> World:
    with clock.at(IN_FORCE):
        for person in (actors.vera, actors.nuria):
            person()
        return world()


def opened(grant: World) -> RequestSummary:
    found = services.open_prefinancing(actors.program(), grant.grant_id)
    assert found is not None
    return found


def test_a_rejected_request_is_a_duty_of_the_city_until_it_is_answered(grant: World) -> None:
    request = opened(grant)
    assert queries.duties(actors.ana(), IN_FORCE) == ()
    services.reject(actors.otto(), request.id, reason="The guarantee is missing.")

    (duty,) = queries.duties(actors.ana(), IN_FORCE)

    assert (duty.what, duty.why, duty.button) == (
        "Answer and ask again: pre-financing of WARM",
        "EUR 240\u00a0000.00 was rejected: The guarantee is missing.",
        "Answer and ask again",
    )
    assert duty.values == {"ref": "PCP-2022-G-0001", "asked": "PCP-2022-G-0001-1"}
    services.ask_again(actors.ana(), request.id, reply="Here it is.")
    assert queries.duties(actors.ana(), IN_FORCE) == ()


def test_who_confirmed_the_account_reads_which_step_comes_first_and_may_build_later(grant: World) -> None:
    carl = actors.carl()
    with arranging():
        get(BankAccount, grant.account_id).confirmed_by = carl.user_id
    request = opened(grant)
    services.decide(actors.otto(), request.id, DecisionInput(euros(240_000)))
    order = services.prepare(actors.fin(), request.id)

    (waiting,) = queries.inbox(carl, Page()).rows.items
    assert (waiting.deed, waiting.yours, waiting.locked) == ("verify", False, None)

    services.verify(actors.vera(), order.id, evidence=SEEN)
    services.authorise(actors.otto(), order.id, evidence=SEEN)
    (ready,) = queries.inbox(carl, Page()).rows.items
    assert (ready.deed, ready.yours, ready.locked) == ("build", True, None)


def test_the_sentence_about_an_own_account_names_the_steps_it_bars() -> None:
    person = uuid4()
    with pytest.raises(Refused, match="so you cannot verify or authorise it"):
        rules.refuse_own_account((person,), person)
