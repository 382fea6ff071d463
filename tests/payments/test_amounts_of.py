"""How each figure of a request, a debt and a partner's balance is made up: the parts are the figure, for staff and city."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.agreements.states import PaymentKind
from grants.core import clock
from grants.core.acts import arranging
from grants.core.money import ZERO, Money, euros, total
from grants.core.permissions import Actor
from grants.identity.policy import Role
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances
from grants.payments import queries, rules, services
from grants.payments.rules import Limits
from grants.payments.rules.amounts_asked import Asked, OrderPart, RequestFigure, explain_asked
from grants.payments.rules.amounts_owed import DebtFigure, explain_owed
from grants.payments.rules.amounts_passed import PartnerFigure, explain_passed
from grants.payments.rules.distribution import Brought, PartnerBalance
from grants.payments.rules.interest import InterestLine
from grants.payments.rules.offsets import OffsetView
from grants.payments.rules.recoveries import ReceiptView, Share, ShareView
from grants.payments.states import DistributionState, InterestState, OrderState, RecoveryState, RequestState
from tests import actors
from tests.factories import identity as people
from tests.html import check_page
from tests.payments.test_recoveries import DUE, overpaid_world
from tests.payments.world import World, carried, owed_back, report
from tests.shut import shuts
from tests.statements import statements
from tests.worlds import World as Made
from tests.worlds import Worlds

__all__ = ["overpaid_world"]

NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)
CITY, AGENCY = UUID(int=1), UUID(int=2)
GRANT = "PCP-2022-G-0001"
cents = st.integers(0, 10**9).map(Money)


class Shown:
    """A view of which only what figures are worked out of is known; anything else is asked for in vain."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


def asked(kind: PaymentKind, requested: Money, made: rules.Decision, **more: Any) -> Any:
    state = RequestState.APPROVED if made.approved == requested else RequestState.PARTLY_APPROVED
    return Shown(
        kind=kind,
        state=state,
        requested=requested,
        decision=made,
        decision_reason=None,
        decided_at=NOW,
        evidence=None,
        report_reference="PCP-2022-R-0001" if kind is PaymentKind.INTERIM else None,
        is_open=False,
        **more,
    )


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(PaymentKind))
def test_the_parts_of_every_figure_of_a_request_add_up_to_it(data: st.DataObject, kind: PaymentKind) -> None:
    draw = data.draw
    limits = Limits(Money(600_00), Money(540_00), Money(240_00), Money(30_00), Money(240_00))
    paid = draw(st.integers(0, 200_00).map(Money))
    found = Balances({Account.BANK: -paid, Account.PREFINANCING: paid})
    wanted: dict[Any, Money] = {(CITY, "A"): draw(cents_to(150_00)), (AGENCY, None): draw(cents_to(90_00))}
    requested = total(wanted.values())
    approved = Money(draw(st.integers(0, requested.cents)))
    chosen = rules.approved_of(wanted, approved, ())
    partners = rules.Partners({CITY: Money(400_00), AGENCY: Money(200_00)}, {}, {CITY: paid}, {})
    made = decided(kind, found, limits, approved, rules.cash_max(kind, chosen, partners))
    parts = rules.parts_of(kind, made, wanted, chosen, partners)
    lines = tuple(rules.PartLine(part, "Vienna", part.category or "") for part in parts)
    made = replace(made, refused=requested - approved)
    off = Money(draw(st.integers(0, made.payable.cents)))
    gone = Money(draw(st.integers(0, (made.payable - off).cents)))
    ordered = Money(draw(st.integers(0, (made.payable - off - gone).cents)))
    left = made.payable - off - gone - ordered
    request = asked(kind, requested, made, set_off=off, cancelled=gone, ordered=ordered, to_order=left)
    orders = (OrderPart("PCP-2022-P-0001", ordered, OrderState.SENT),)
    offsets = (OffsetView("A", "B", GRANT, 1, off, NOW.date(), "Otto"),)
    kept = Asked(request, made, lines if draw(st.booleans()) else (), None, orders, offsets)

    told = {figure: explain_asked(figure, kept) for figure in RequestFigure}

    assert [each.problem for each in told.values()] == [None] * len(RequestFigure)
    for figure in ("approved", "payable", "retained", "cleared", "deferred", "recoverable", "refused"):
        assert told[RequestFigure(figure)].amount == getattr(made, figure), "the page explains the figure that is shown"
    assert told[RequestFigure.REQUESTED].amount == requested
    assert told[RequestFigure.NET].amount == made.payable - off - gone


def decided(kind: PaymentKind, found: Balances, limits: Limits, approved: Money, most: Money | None) -> rules.Decision:
    """What a decision splits; interest is decided where it is reckoned, and paid whole."""
    if kind is PaymentKind.LATE_INTEREST:
        return rules.Decision(approved, approved)
    return rules.decide(kind, found, limits, approved, cash_max=most)


def cents_to(most: int) -> st.SearchStrategy[Money]:
    return st.integers(0, most).map(Money)


@given(cents, st.lists(cents, max_size=3), cents, cents, st.sampled_from(RecoveryState), st.lists(cents, max_size=3))
def test_the_parts_of_every_figure_of_a_debt_add_up_to_it(
    amount: Money, came: list[Money], off: Money, waived: Money, state: RecoveryState, interest: list[Money]
) -> None:
    with_interest = [ReceiptView(each, NOW.date(), "STMT", "Carl", interest=Money(1)) for each in came]
    shares = [ShareView("Vienna", Share(amount, amount, amount)), ShareView("Agency", Share(ZERO))]
    owed = amount - total(came) - off - waived if state.value in ("confirmed", "issued", "part_paid") else ZERO
    due = total(interest)
    debt: Any = Shown(
        amount=amount,
        received=total(came),
        set_off=off,
        waived=waived,
        owed=owed,
        state=state,
        shares=tuple(shares) if amount else (),
        receipts=tuple(with_interest),
        offsets=(OffsetView("A", "B", GRANT, 1, off, NOW.date(), "Otto"),),
        interest=tuple(map(late, interest)),
        interest_due=due,
        interest_waived=Money(2),
        interest_open=due - Money(len(came)) - Money(2),
        origin_words="More was paid than the final amount",
        reason="So",
    )

    told = [explain_owed(figure, debt) for figure in DebtFigure]

    assert [each.problem for each in told] == [None] * len(DebtFigure)
    assert {each.amount for each in told} == {
        *(amount, debt.received, off, waived, owed, debt.interest_due, debt.interest_open)
    }


def late(amount: Money) -> InterestLine:
    day, rate = NOW.date(), Decimal("4.25")
    return InterestLine(
        InterestState.CONFIRMED, euros(40_000), day, day, 31, day, rate, 7, Decimal("3.5"), 365, amount, UUID(int=9)
    )


def test_interest_is_told_with_every_number_it_is_made_of() -> None:
    debt: Any = Shown(interest=(late(euros(263)),), interest_due=euros(263), origin_words="More was paid", reason="So")

    (line,) = explain_owed(DebtFigure.INTEREST, debt).lines

    assert line.note == (
        f"{euros(40_000)} × (4.25 % + 3.5 %) × 31 ÷ 365; due 1 August 2024, paid 1 August 2024; reference rate of table 7, "
        "since 1 August 2024"
    )


@given(st.lists(st.integers(-(10**6), 10**9).map(Money), max_size=4), cents, cents)
def test_the_parts_of_every_figure_of_a_partner_add_up_to_it(
    brought: list[Money], passed: Money, waiting: Money
) -> None:
    came = tuple(Brought(each, date(2024, 5, 1)) for each in brought)
    of = PartnerBalance(AGENCY, "Agency", total(brought), passed, waiting, None, None, ZERO, came)
    lines: list[Any] = [
        Shown(
            organisation_id=who, state=state, amount=amount, reference="X-1", number=1, paid_on=NOW.date(), transfer="T"
        )
        for who, state, amount in (
            (AGENCY, DistributionState.CONFIRMED, passed),
            (AGENCY, DistributionState.REPORTED, waiting),
            (CITY, DistributionState.CONFIRMED, Money(5)),
        )
    ]

    told = {figure: explain_passed(figure, of, lines) for figure in PartnerFigure}

    assert [each.problem for each in told.values()] == [None] * len(PartnerFigure)
    assert told[PartnerFigure.HELD].amount == of.held


# --- The pages


@pytest.fixture(scope="session")
def overpaid_late_world(worlds: Worlds, overpaid_world: Made[World]) -> Made[World]:
    """Too much was paid, is owed back, and part of it came back; beside it a request that nobody decided."""

    def made() -> World:
        found = overpaid_world.told()
        debt = owed_back(found.grant_id, DUE)
        with clock.at(datetime(2024, 9, 20, 12, tzinfo=UTC)):
            given = rules.ReceiptInput(euros(20_000), date(2024, 9, 20), "STMT-77/1")
            services.book_receipt(actors.carl(), debt.id, given)
        return found

    with clock.at(NOW):
        return worlds.of(made, like=overpaid_world)


@pytest.fixture
def owing(app: Flask, overpaid_late_world: Made[World]) -> World:
    return overpaid_late_world.told()


def pages(client: Any, address: str, figures: Any) -> dict[str, str]:
    shown = {}
    for figure in figures:
        with statements() as taken:
            answer = client.get(f"{address}/amounts/{figure.value}")
        assert answer.status_code == 200, (figure, answer.status_code)
        check_page(answer)
        assert len(taken) <= 8, (figure, len(taken))
        assert "do not add up" not in answer.text
        shown[figure.value] = answer.text
    return shown


def test_every_figure_of_requests_and_debts_opens_for_staff_and_for_the_city(app: Flask, owing: World) -> None:
    actor = actors.nuria()
    city = actors.give(actors.ana().user_id, Role.APPLICATION_LEAD, "application", owing.application_id)
    found = queries.grant_payments(actor, GRANT)
    assert len(found.requests) == 2 and len(found.recoveries) == 1
    for person in (actor, city):
        client = actors.client_of(app, person)
        for request in found.requests:
            shown = pages(client, f"/grants/{GRANT}/payments/{request.reference}", RequestFigure)
            assert person is actor or not names_of_circuit(" ".join(shown.values()))
        debts = pages(client, f"/grants/{GRANT}/recovery/1", DebtFigure)
        partners = pages(client, f"/grants/{GRANT}/distribution/partners/1", PartnerFigure)
        assert person is actor or not names_of_circuit(" ".join([*debts.values(), *partners.values()]))
    assert "STMT-77/1" in debts["received"] and "20\u00a0000.00" in debts["owed"]


def names_of_circuit(text: str) -> list[str]:
    return [name for name in ("Otto", "Vera", "Fin ", "Carl", "/finance/") if name in text]


def test_pages_of_money_lead_to_the_explanation_of_each_figure(app: Flask, owing: World) -> None:
    client = actors.client_of(app, actors.nuria())
    found = queries.grant_payments(actors.nuria(), GRANT)
    advance = found.requests[0].reference

    shown = client.get(f"/finance/requests/{advance}").text
    listed = client.get(f"/grants/{GRANT}/payments").text
    debt = client.get(f"/grants/{GRANT}/recovery/1").text
    partners = client.get(f"/grants/{GRANT}/distribution").text

    for figure in ("requested", "approved", "payable", "retained"):
        assert f'href="/grants/{GRANT}/payments/{advance}/amounts/{figure}"' in shown, figure
    for figure in ("requested", "payable", "retained"):
        assert f'href="/grants/{GRANT}/payments/{advance}/amounts/{figure}"' in listed, figure
    for figure in ("debt", "received", "set-off", "owed"):
        assert f'href="/grants/{GRANT}/recovery/1/amounts/{figure}"' in debt, figure
    for figure in ("received", "passed-on", "held"):
        assert f'href="/grants/{GRANT}/distribution/partners/1/amounts/{figure}"' in partners, figure


def test_what_is_not_decided_says_what_approving_the_whole_would_do(app: Flask, grant: World) -> None:
    with clock.at(NOW):
        opened = services.open_for_report(actors.program(), report(grant, 1, euros(50_000)))
    assert opened is not None
    client = actors.client_of(app, actors.nuria())

    shown = pages(
        client, f"/grants/{GRANT}/payments/{opened.reference}", (RequestFigure.REQUESTED, RequestFigure.PAYABLE)
    )

    assert "Nothing is decided yet" in shown["payable"]
    assert client.get(f"/grants/{GRANT}/payments/{opened.reference}/amounts/ordered").status_code == 404
    assert client.get(f"/grants/{GRANT}/payments/PCP-2022-G-0009-1/amounts/requested").status_code == 404
    assert client.get(f"/grants/{GRANT}/recovery/7/amounts/owed").status_code == 404
    assert client.get(f"/grants/{GRANT}/distribution/partners/9/amounts/held").status_code == 404


def test_of_a_rejected_request_only_what_was_asked_for_is_explained(app: Flask, grant: World) -> None:
    with clock.at(NOW):
        opened = services.open_for_report(actors.program(), report(grant, 1, euros(50_000)))
        assert opened is not None
        services.reject(actors.otto(), carried(opened.id), reason="No evidence.")
    client = actors.client_of(app, actors.nuria())

    assert client.get(f"/grants/{GRANT}/payments/{opened.reference}/amounts/requested").status_code == 200
    assert client.get(f"/grants/{GRANT}/payments/{opened.reference}/amounts/payable").status_code == 404


@shuts("payments.asked_amount", "payments.debt_amount", "payments.partner_amount")
def test_no_figure_opens_to_who_does_not_reach_its_grant(app: Flask, owing: World) -> None:
    request = queries.grant_payments(actors.nuria(), GRANT).requests[0].reference
    stranger = actors.give(actors.person("Olav Elsewhere"), Role.APPLICATION_LEAD, "application", uuid4())
    places = (f"payments/{request}/amounts/payable", "recovery/1/amounts/owed", "distribution/partners/1/amounts/held")

    def answered(person: Actor) -> list[int]:
        client = actors.client_of(app, person)
        return [client.get(f"/grants/{GRANT}/{place}").status_code for place in places]

    assert answered(actors.nuria()) == answered(actors.otto()) == [200] * 3
    assert answered(stranger) == [404] * 3
    with arranging():
        people.bar(actors.otto().user_id, "application", owing.application_id)
    assert answered(actors.otto()) == [404] * 3
