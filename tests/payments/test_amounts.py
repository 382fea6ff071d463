"""How a figure of a grant's money is made up: the parts are the figure, and the page shows what moved it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from grants.core import clock
from grants.core.money import ZERO, Money, euros, total
from grants.core.paging import Page
from grants.identity.policy import Role
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances, Event
from grants.payments import queries, rules, services
from grants.payments.queries.amounts import explained
from grants.payments.rules import DecisionInput, Limits
from grants.payments.rules.amounts import Figure, Footing, explain
from tests import actors
from tests.html import check_page
from tests.payments.world import IN_FORCE, World, carried, report, world
from tests.statements import statements
from tests.worlds import World as Made
from tests.worlds import Worlds

NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)
cents = st.integers(0, 10**9).map(Money)
moved = st.dictionaries(st.tuples(st.sampled_from(Account), st.sampled_from(Event)), st.integers(-(10**9), 10**9).map(Money))  # fmt: skip


@given(moved, cents, cents, st.booleans(), st.sampled_from(Figure))
def test_the_parts_of_every_figure_add_up_to_it(
    found: dict[tuple[Account, Event], Money], ceiling: Money, retention: Money, ended: bool, figure: Figure
) -> None:
    sums: dict[Account, Money] = {}
    for (account, _), amount in found.items():
        sums[account] = sums.get(account, ZERO) + amount
    limits = Limits(ceiling + retention, ceiling, ceiling, retention)
    footing = Footing(Balances(sums), limits, (("Vienna", ceiling), ("Agency", retention)), found, ended=ended)

    told = explain(figure, footing)

    assert told.problem is None
    position = rules.position(footing.found, limits, ended=ended)
    shown = {
        Figure.MAXIMUM: limits.maximum,
        Figure.PAID: position.paid,
        Figure.ON_THE_WAY: position.on_the_way,
        Figure.RETAINED: position.retained,
        Figure.OPEN: position.left,
        Figure.CEILING: limits.interim_ceiling,
        Figure.ROOM: position.room,
        Figure.ACCEPTED: position.accepted,
        Figure.PREFINANCING: position.prefinancing_open,
        Figure.COUNTED: footing.found.counted_to_ceiling,
        Figure.OWED: footing.found[Account.RECOVERY_RECEIVABLE],
    }
    assert told.amount == shown[figure], "the page explains the figure that is shown"


def test_parts_that_do_not_add_up_are_said() -> None:
    told = explain(
        Figure.MAXIMUM, Footing(Balances({}), Limits(Money(9), Money(9), ZERO, ZERO), (("V", Money(8)),), {})
    )

    assert told.problem is not None and "0.08" in str(told.problem) and "0.09" in str(told.problem)


def paid_once() -> World:
    """A grant whose pre-financing the bank booked, and a report whose costs are approved and not ordered."""
    with clock.at(IN_FORCE):
        found = world()
        request = services.open_prefinancing(actors.program(), found.grant_id)
        assert request is not None
    with clock.at(NOW):
        services.decide(actors.otto(), carried(request.id), DecisionInput(euros(240_000)))
        services.prepare(actors.fin(), request.id)
        for number, amount in ((1, euros(50_000)), (2, euros(30_000))):
            opened = services.open_for_report(actors.program(), report(found, number, amount))
            assert opened is not None
            services.decide(actors.otto(), carried(opened.id), DecisionInput(amount))
    return found


@pytest.fixture(scope="session")
def paid_world(worlds: Worlds) -> Made[World]:
    return worlds.of(paid_once)


@pytest.fixture
def grant(app: Flask, paid_world: Made[World]) -> World:
    return paid_world.told()


def test_each_figure_opens_with_its_parts_and_entries_in_few_statements(app: Flask, grant: World) -> None:
    client = actors.client_of(app, actors.nuria())
    for figure in Figure:
        with statements() as asked:
            answer = client.get(f"/grants/PCP-2022-G-0001/amounts/{figure.value}")
        assert answer.status_code == 200, answer.text
        check_page(answer)
        assert len(asked) <= 8
        assert "do not add up" not in answer.text
        assert ("Entries behind it" in answer.text or "No entry moved" in answer.text) == bool(figure.accounts)


def test_the_payments_page_leads_to_each_figure_of_its_strip(app: Flask, grant: World) -> None:
    shown = actors.client_of(app, actors.nuria()).get("/grants/PCP-2022-G-0001/payments").text

    for figure in ("granted", "paid", "on-the-way", "retained", "open"):
        assert f'href="/grants/PCP-2022-G-0001/amounts/{figure}"' in shown


def test_the_city_reads_what_moved_and_nobody_of_the_circuit(app: Flask, grant: World) -> None:
    ana = actors.give(actors.ana().user_id, Role.APPLICATION_LEAD, "application", grant.application_id)

    shown = actors.client_of(app, ana).get("/grants/PCP-2022-G-0001/amounts/on-the-way").text

    assert "Interim payment authorised" in shown and "50\u00a0000.00" in shown
    assert "/finance/" not in shown
    assert not any(name in shown for name in ("Otto", "Vera", "Fin "))


def test_entries_page_by_key_and_come_once(app: Flask, grant: World) -> None:
    actor, seen, after = actors.nuria(), [], None
    while True:
        found = explained(actor, "PCP-2022-G-0001", Figure.ON_THE_WAY, Page(size=1, after=after)).entries
        assert found is not None
        seen += [*found.items]
        after = found.next_key
        if after is None:
            break

    assert len({each.ref for each in seen}) == len(seen) == 3
    position = queries.grant_payments(actor, "PCP-2022-G-0001").position
    assert total(each.amount for each in seen) == position.on_the_way


def test_no_other_figure_and_no_other_grant_is_explained(app: Flask, grant: World) -> None:
    client = actors.client_of(app, actors.nuria())

    assert client.get("/grants/PCP-2022-G-0001/amounts/everything").status_code == 404
    assert client.get("/grants/PCP-2022-G-0009/amounts/paid").status_code == 404
    stranger = actors.give(actors.person("Olav Elsewhere"), Role.APPLICATION_LEAD, "application", uuid4())
    assert actors.client_of(app, stranger).get("/grants/PCP-2022-G-0001/amounts/paid").status_code == 404
