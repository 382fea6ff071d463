"""What bounds a final amount: its limits by worked examples and a property, frozen with the decision, shown, and checked (I9)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.agreements.models import Grant
from grants.calls.rules import Funding
from grants.calls.states import NoProfit
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.core.money import ZERO, Money, euros, total
from grants.payments import queries, services
from grants.payments.models import FinalBasis, PaymentRequest
from grants.payments.rules import DecisionInput
from grants.payments.rules.finals import FinalLimits, Found, final_limits, refuse_above
from grants.reporting.models import PeriodicReport
from tests import actors
from tests.html import check_page
from tests.payments.world import World, forge, report
from tests.servers import Cluster

NOW = datetime(2025, 8, 1, 12, tzinfo=UTC)
A, B = UUID(int=1), UUID(int=2)
WHOLE, SHARE, NONE = NoProfit.WHOLE, NoProfit.SHARE, NoProfit.NONE


# Maximum 600 000, as in the simulated grant of the money page: (accepted, eligible, contribution, receipts, rule, final, what binds)
EXAMPLES = [
    (560_000, 560_000, 560_000, None, NONE, 560_000, {"Accepted in the decisions", "Funding rate on eligible costs"}),
    (700_000, 700_000, 700_000, None, NONE, 600_000, {"The maximum grant"}),
    (500_000, 560_000, 560_000, None, NONE, 500_000, {"Accepted in the decisions"}),
    # A funding rate of 80 %: receipts up to the city's own part make no profit, one euro more does.
    (
        400_000,
        500_000,
        400_000,
        100_000,
        WHOLE,
        400_000,
        {"Accepted in the decisions", "Funding rate on eligible costs", "Without a profit"},
    ),
    (400_000, 500_000, 400_000, 100_001, WHOLE, 399_999, {"Without a profit"}),
    # Of a profit of 50 000 the share the grant paid of the costs, 80 %, is taken off.
    (400_000, 500_000, 400_000, 150_000, SHARE, 360_000, {"Without a profit"}),
    (400_000, 500_000, 400_000, 150_000, WHOLE, 350_000, {"Without a profit"}),
    # Costs above the maximum leave room for receipts before there is a profit.
    (650_000, 650_000, 650_000, 50_000, WHOLE, 600_000, {"The maximum grant", "Without a profit"}),
    # Receipts above all costs leave nothing, never less.
    (100_000, 100_000, 100_000, 300_000, WHOLE, 0, {"Without a profit"}),
    (0, 0, 0, 0, SHARE, 0, {"Accepted in the decisions", "Funding rate on eligible costs", "Without a profit"}),
    (300_000, 300_000, 300_000, 0, NONE, 300_000, {"Accepted in the decisions", "Funding rate on eligible costs"}),
]


@pytest.mark.parametrize(("accepted", "eligible", "contribution", "receipts", "rule", "final", "binds"), EXAMPLES)
def test_the_final_amount_is_the_least_of_its_limits(
    accepted: int, eligible: int, contribution: int, receipts: int | None, rule: NoProfit, final: int, binds: set[str]
) -> None:
    limits = final_limits(
        Funding(no_profit=rule),
        Found(
            euros(600_000),
            euros(accepted),
            euros(eligible),
            {A: euros(contribution)},
            None if receipts is None else euros(receipts),
        ),
    )

    assert limits.final == euros(final)
    assert {each.words for each in limits.limits if each.binds} == binds


@pytest.mark.parametrize(
    ("uncertified", "certified"),
    [((), 900_000), ((A,), 730_000), ((B,), 900_000), ((A, B), 730_000)],
)
def test_without_a_certificate_a_partner_counts_up_to_what_needs_none(
    uncertified: tuple[UUID, ...], certified: int
) -> None:
    found = Found(
        euros(1_500_000),
        euros(900_000),
        euros(900_000),
        {A: euros(600_000), B: euros(300_000)},
        uncertified=frozenset(uncertified),
    )

    assert final_limits(Funding(certificate_from=euros(430_000)), found).final == euros(certified)
    assert final_limits(Funding(), found).final == euros(900_000)


cents = st.integers(0, 10**9).map(Money)
fundings = st.builds(
    Funding, no_profit=st.sampled_from(NoProfit), certificate_from=st.none() | st.integers(1, 10**9).map(Money)
)


@settings(max_examples=300, deadline=None)
@given(
    fundings,
    cents,
    cents,
    cents,
    st.dictionaries(st.sampled_from([A, B]), cents),
    cents,
    st.sets(st.sampled_from([A, B])),
)
def test_a_final_amount_is_never_above_one_of_its_limits_and_makes_no_profit(
    funding: Funding, maximum: Money, accepted: Money, eligible: Money, contributions: dict[UUID | None, Money],
    receipts: Money, uncertified: set[UUID],
) -> None:  # fmt: skip
    found = Found(maximum, accepted, eligible, contributions, receipts, frozenset(uncertified))
    limits = final_limits(funding, found)

    assert ZERO <= limits.final <= min(each.amount for each in limits.limits)
    assert any(each.binds for each in limits.limits)
    assert limits.final <= min(maximum, accepted, total(contributions.values()))
    if funding.no_profit is NoProfit.WHOLE and limits.final:
        assert limits.final + receipts <= max(eligible, receipts)
    with pytest.raises(Refused, match="at most"):
        refuse_above(limits, limits.final + Money(1))
    refuse_above(limits, limits.final)


# --- with the decision


def funded(found: World, **columns: object) -> None:
    """The grant's agreement says this of its funding."""
    with arranging():
        row = db.session.get_one(Grant, found.grant_id)
        for name, value in columns.items():
            setattr(row, name, value)


def earned(report_id: UUID, amount: Money) -> None:
    """The final report says what the action earned."""
    with arranging():
        row = db.session.get_one(PeriodicReport, report_id)
        row.receipts, row.receipts_words = amount, "Fees of visitors"


def balance_of(found: World) -> PaymentRequest:
    db.session.rollback()
    return db.session.query(PaymentRequest).filter_by(grant_id=found.grant_id, kind="balance").one()


def test_a_profit_is_taken_off_what_the_balance_asks_for_and_its_limits_are_frozen(app: Flask, grant: World) -> None:
    funded(grant, no_profit=NoProfit.WHOLE.value)
    first, final = report(grant, 1, euros(200_000)), report(grant, 2, euros(300_000), final=True)
    earned(final, euros(40_000))
    services.open_for_report(actors.program(), first)
    interim = db.session.query(PaymentRequest).filter_by(kind="interim").one()
    services.decide(actors.otto(), interim.id, DecisionInput(interim.requested))
    services.open_for_report(actors.program(), final)
    balance = balance_of(grant)
    assert balance.requested == euros(460_000)

    services.decide(actors.otto(), balance.id, DecisionInput(euros(460_000)))

    kept = queries.final_kept(balance.id)
    assert kept is not None
    assert (kept.receipts, kept.without_profit, kept.final) == (euros(40_000), euros(460_000), euros(460_000))
    assert get(Grant, grant.grant_id).final_amount == euros(460_000)
    assert queries.verify() == ()


def test_a_grant_from_before_has_the_plain_limits(app: Flask, grant: World) -> None:
    final = report(grant, 1, euros(500_000), final=True)
    services.open_for_report(actors.program(), final)
    balance = balance_of(grant)

    services.decide(actors.otto(), balance.id, DecisionInput(euros(450_000), "Of the test"))

    kept = queries.final_kept(balance.id)
    assert kept == FinalLimits(
        Funding(), euros(600_000), euros(500_000), euros(500_000), euros(500_000), euros(500_000)
    )
    assert queries.verify() == ()


def test_verify_finds_a_frozen_limit_that_is_not_what_stands(app: Flask, grant: World, postgres: Cluster) -> None:
    funded(grant, no_profit=NoProfit.WHOLE.value)
    final = report(grant, 1, euros(500_000), final=True)
    earned(final, euros(10_000))
    services.open_for_report(actors.program(), final)
    balance = balance_of(grant)
    services.decide(actors.otto(), balance.id, DecisionInput(euros(490_000)))
    name = str(db.engine.url.database)
    assert queries.verify() == ()

    forge(postgres, name, "UPDATE periodic_report SET receipts = 2000000")
    assert [str(each) for each in queries.verify()] == [
        f"{grant.reference}: I9: its final amount was bounded by receipts {euros(10_000)}; it is {euros(20_000)}.",
        f"{grant.reference}: I9: its final amount was bounded by without profit {euros(490_000)}; it is {euros(480_000)}.",
    ]

    forge(postgres, name, "DELETE FROM final_basis")
    assert any("nothing says what bounded it" in str(each) for each in queries.verify())


@pytest.mark.parametrize("column", ["maximum", "contribution", "accepted"])
def test_verify_finds_a_plain_limit_that_was_forged(app: Flask, grant: World, postgres: Cluster, column: str) -> None:
    final = report(grant, 1, euros(500_000), final=True)
    services.open_for_report(actors.program(), final)
    services.decide(actors.otto(), balance_of(grant).id, DecisionInput(euros(500_000)))

    forge(postgres, str(db.engine.url.database), f"UPDATE final_basis SET {column} = {column} + 1")

    assert any(f"bounded by {column}" in str(each) for each in queries.verify())


def test_the_database_takes_no_basis_whose_final_amount_is_not_the_least(app: Flask, grant: World) -> None:
    final = report(grant, 1, euros(500_000), final=True)
    services.open_for_report(actors.program(), final)
    balance = balance_of(grant)

    with pytest.raises(Exception, match="least_of_limits"), arranging():
        db.session.add(
            FinalBasis(
                grant_id=grant.grant_id, request_id=balance.id, form="actual_cost", no_profit="none",
                maximum=euros(600_000), accepted=euros(500_000), eligible=euros(500_000), contribution=euros(500_000),
                certified=euros(500_000), final=euros(500_001),
            )
        )  # fmt: skip


def test_the_page_of_the_balance_shows_every_limit_and_which_one_binds(app: Flask, grant: World) -> None:
    funded(grant, no_profit=NoProfit.SHARE.value)
    final = report(grant, 1, euros(500_000), final=True)
    earned(final, euros(40_000))
    services.open_for_report(actors.program(), final)
    balance = balance_of(grant)
    address = f"/finance/requests/{balance.reference}"
    with clock.at(NOW):
        otto = actors.client_of(app, actors.otto())
        before = otto.get(address)
        services.decide(actors.otto(), balance.id, DecisionInput(euros(460_000)))
        after = otto.get(address)

    for shown in (before, after):
        check_page(shown)
        assert "What bounds the final amount" in shown.text
        assert (
            f"exceed {euros(500_000)} of eligible costs by {euros(40_000)}, which is taken off in its share"
            in shown.text
        )
        assert shown.text.count("Binds") == 1
