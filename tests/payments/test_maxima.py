"""A partner's maximum and its accepted costs: it never falls below them, and what is above it is nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from config import Config
from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.queries.amending import footing
from grants.agreements.rules import BudgetShift, Share
from grants.agreements.rules.changes import change_problems
from grants.calls.rules import Funding
from grants.calls.states import RequestPath
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Invalid, Refused
from grants.core.jobs import Job
from grants.core.money import euros
from grants.ledger.accounts import Account
from grants.oversight import queries as oversight
from grants.payments import queries, services
from grants.payments.models import FinalBasis, PaymentRequest
from grants.payments.rules import DecisionInput
from grants.payments.rules.finals import Found, final_limits
from grants.payments.states import RequestState
from tests import actors
from tests.agreements.amending import TODAY as AMENDED_ON
from tests.agreements.amending import Amended, agreed, view_of
from tests.oversight.test_invariants import force
from tests.oversight.test_invariants import found as wrong_by
from tests.payments.test_parts import asked, held, with_costs
from tests.payments.test_transfers import maxima, move, with_budget
from tests.payments.world import World, asks_for, carried

NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)


@pytest.fixture
def frozen(app: Flask) -> Iterator[None]:
    with clock.at(NOW):
        yield


@pytest.mark.parametrize("opened", [False, True], ids=["its request is not opened yet", "its request is not decided"])
def test_no_maximum_is_moved_away_below_costs_that_are_accepted_and_not_booked(
    grant: World, frozen: None, opened: bool
) -> None:
    with_budget(grant)
    with arranging():
        db.session.get_one(Grant, grant.grant_id).transfer_notify = euros(600_000)
    (asked if opened else with_costs)(grant, 1, {(grant.agency_id, "A"): euros(150_000)})

    # All of 187 500 would go: 12 500 would be left of the maximum.
    with pytest.raises(Invalid) as wrong:
        move(grant, 150_000, (grant.agency_id, "A"), (grant.city_id, "B"))
    assert "but EUR 150\u00a0000.00 of it is paid, on its way or accepted" in wrong.value.problems["amount"]
    move(grant, 40_000, (grant.agency_id, "A"), (grant.city_id, "B"))
    assert maxima(grant)[grant.agency_id] == euros(150_000)
    assert oversight.verify_ledger() == ()


def test_what_was_refused_of_its_costs_holds_no_maximum(grant: World, frozen: None) -> None:
    request_id = asked(grant, 1, {(grant.agency_id, "A"): euros(150_000), (grant.city_id, "A"): euros(150_000)})
    services.decide(actors.otto(), request_id, DecisionInput(euros(100_000), "One third is shown."))
    assert agreements.held_of(grant.grant_id)[grant.agency_id].accepted == euros(50_000)

    again = asked(grant, 2, {(grant.agency_id, "A"): euros(30_000)})
    assert agreements.held_of(grant.grant_id)[grant.agency_id].accepted == euros(80_000)
    services.reject(actors.otto(), again, reason="Nothing of it is shown.")
    assert agreements.held_of(grant.grant_id)[grant.agency_id].accepted == euros(50_000)


def test_no_amendment_lowers_a_maximum_below_accepted_costs(app: Flask) -> None:
    found = agreed()
    shown, change = (
        view_of(found),
        BudgetShift((Share(found.city_id, euros(480_000)), Share(found.agency_id, euros(120_000)))),
    )
    now, _ = agreements.terms_now(shown)

    def problems() -> list[str]:
        on = footing(shown, change, AMENDED_ON)
        return [each.message for each in change_problems(now, change, on)]

    assert not [words for words in problems() if "Leave it at least" in words]
    with_costs(_world(found), 1, {(found.agency_id, "A"): euros(150_000)})
    assert [words for words in problems() if "Leave it at least EUR 150\u00a0000.00" in words]


def _world(found: Amended) -> World:
    row = get(Grant, found.grant_id)
    return World(row.call_id, row.id, row.reference, found.application_id, found.city_id, found.agency_id, row.id)


def test_costs_above_a_maximum_lower_the_final_amount_and_go_to_nobody_else(grant: World, frozen: None) -> None:
    balance = asked(
        grant, 1, {(grant.city_id, "B"): euros(100_000), (grant.agency_id, "A"): euros(250_000)}, final=True
    )

    # The agency may have 200 000 at most; the city has costs of 100 000, though its maximum is 400 000.
    assert get(PaymentRequest, balance).requested == euros(300_000)
    limits = queries.final_limits(grant.grant_id)
    assert {each.words for each in limits.limits if each.binds} == {"Accepted in the decisions"}
    services.decide(actors.otto(), balance, DecisionInput(euros(300_000)))

    assert held(grant, Account.GRANT_COSTS) == {
        (grant.city_id, "B"): euros(100_000),
        (grant.agency_id, "A"): euros(200_000),
    }
    assert db.session.scalars(select(FinalBasis)).one().accepted == euros(300_000)
    assert queries.verify() == () == oversight.verify_ledger()


def test_an_open_balance_follows_a_maximum_that_moved(grant: World, frozen: None) -> None:
    with_budget(grant)
    balance = asked(
        grant, 1, {(grant.city_id, "B"): euros(410_000), (grant.agency_id, "A"): euros(100_000)}, final=True
    )
    assert get(PaymentRequest, balance).requested == euros(500_000)

    move(grant, 40_000, (grant.agency_id, "A"), (grant.city_id, "B"))
    job = db.session.scalars(select(Job).where(Job.name == "jobs.payments.follow_agreement")).one()
    assert job.args["grant_id"] == str(grant.grant_id)
    assert services.follow_agreement(actors.program(), grant.grant_id) == 1
    assert get(PaymentRequest, balance).requested == euros(510_000)


def test_what_was_verified_falls_back_by_the_program_alone_and_the_record_is_in_order(
    grant: World, frozen: None, settings: Config
) -> None:
    with_budget(grant)
    asks_for(grant, RequestPath.VERIFIED)
    balance = carried(asked(grant, 1, {(grant.city_id, "B"): euros(410_000)}, final=True))
    move(grant, 40_000, (grant.agency_id, "A"), (grant.city_id, "B"))

    assert services.follow_agreement(actors.program(), grant.grant_id) == 1
    assert get(PaymentRequest, balance).state == RequestState.REGISTERED.value
    assert oversight.verify_ledger() == ()

    # The program says why, and nothing but this falls back by it.
    followed = "WHERE verb = 'payment_request.follow_agreement'"
    force(settings, f"UPDATE audit_event SET reason = NULL {followed}")
    assert wrong_by("I16") == ["PCP-2022-G-0001-1: I16: it became registered by an act that gives no reason."]
    force(settings, f"UPDATE audit_event SET reason = 'Another amount.', verb = 'payment_request.verify' {followed}")
    assert wrong_by("I16") == ["PCP-2022-G-0001-1: I16: it became registered by nobody."]


def test_what_was_asked_for_before_is_not_paid_above_what_counts_now(grant: World, frozen: None) -> None:
    balance = asked(
        grant, 1, {(grant.city_id, "B"): euros(100_000), (grant.agency_id, "A"): euros(150_000)}, final=True
    )
    with arranging():
        get(PaymentRequest, balance).requested = euros(400_000)

    with pytest.raises(Refused, match="at most"):
        services.decide(actors.otto(), balance, DecisionInput(euros(400_000)))
    services.decide(actors.otto(), balance, DecisionInput(euros(250_000), "What counts."))
    assert held(grant, Account.GRANT_COSTS) == {
        (grant.city_id, "B"): euros(100_000),
        (grant.agency_id, "A"): euros(150_000),
    }


def test_every_limit_knows_the_partners_own_maxima() -> None:
    city, agency = UUID(int=1), UUID(int=2)
    found = Found(
        euros(600_000),
        euros(500_000),
        euros(500_000),
        {city: euros(150_000), agency: euros(350_000)},
        uncertified=frozenset({city}),
        counted={city: euros(150_000), agency: euros(350_000)},
        maxima={city: euros(400_000), agency: euros(200_000)},
    )

    assert final_limits(Funding(), found).final == euros(350_000)
    # Of the city 100 000 need no certificate, of the agency 200 000 fit.
    assert final_limits(Funding(certificate_from=euros(100_000)), found).final == euros(300_000)
