"""The money of a parent grant side by side, and the grants whose last payment may fall after its end."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.core import clock
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Invalid, NotFound
from grants.core.money import euros
from grants.core.paging import Page
from grants.core.permissions import Actor, Permission
from grants.identity.policy import Role
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions
from grants.payments import queries
from grants.programmes import queries as programme_queries
from grants.programmes import services as programmes
from grants.programmes.models import FundSource
from grants.programmes.rules import FundSourceWords, passes_parent_end
from tests import actors
from tests.applications.pages import send, text_of
from tests.html import check_page
from tests.payments.test_services import decided, pay
from tests.payments.world import World
from tests.statements import statements

NUMBER = "101036519"
AT = f"/parent-grants/{NUMBER}"


@act("test_funds.receive", needs=Permission.BUDGET_AUTHORISE, says="did a thing of the tests")
def _receive(actor: Actor) -> None:
    fund = db.session.scalars(select(FundSource)).one()
    lines = legs.legs_e25(euros(3_000_000), Dimensions(fund.id))
    ledger.post("E25", source_key="test:E25", effective_on=date(2023, 6, 1), description="Received", legs=lines)


def _describe(**changes: Any) -> None:
    fund = db.session.scalars(select(FundSource)).one()
    words = {"starts_on": date(2021, 10, 1), "ends_on": date(2025, 10, 1), **changes}
    programmes.describe(actors.ingrid(), fund.id, FundSourceWords("NetZeroCities", "Horizon 2020", **words))


def test_received_paid_cleared_and_open_stand_side_by_side(grant: World) -> None:
    _receive(actors.otto())
    pay(decided(grant))

    found = queries.fund_money(actors.carl(), NUMBER, Page())

    assert (found.received, found.whole, found.partial) == (euros(3_000_000), True, False)
    (call,), (line,) = found.calls, found.grants.items
    for each in (found.total, call, line):
        assert (each.paid, each.cleared, each.advanced, each.open) == (
            euros(210_000),
            euros(0),
            euros(240_000),
            euros(390_000),
        )
    assert (line.reference, line.maximum, line.call) == (grant.reference, euros(600_000), "PCP-2022-C-0001")


def test_a_reader_of_one_call_sees_its_sums_and_nothing_of_what_came_in(app: Flask, grant: World) -> None:
    _receive(actors.otto())
    person = actors.person("Rita Reader")
    reads = actors.give(person, Role.FINANCE_VERIFIER, "call", grant.call_id)

    found = queries.fund_money(reads, NUMBER, Page())

    assert (found.received, found.whole) == (euros(0), False)
    assert found.total.open == euros(600_000)
    assert "Not shown to you" in text_of(actors.client_of(app, reads).get(f"{AT}/money"))


def test_the_page_says_which_grant_outlasts_its_parent_grant(app: Flask, grant: World) -> None:
    client = actors.client_of(app, actors.nuria())
    assert "The end of this parent grant is not known" in text_of(client.get(f"{AT}/money"))
    assert queries.outlasting_words() == ""
    # The grant ends on 31 May 2025; 60 days for its report and 90 for the balance are 29 October.
    _describe(ends_on=date(2025, 10, 28), report_days=60)

    with statements() as asked:
        answer = client.get(f"{AT}/money")
    shown = text_of(answer)

    check_page(answer)
    assert len(asked) <= 8, asked
    assert "1 grant outlasts this parent grant" in shown
    assert "may fall on 29 October 2025, 1 day after the parent grant ends on 28 October 2025. Choose" in shown
    assert queries.outlasting_words().startswith(f"{grant.reference}: its last payment may fall on 29 October 2025")
    beyond = agreements.grant(actors.pia(), grant.reference).beyond_parent
    assert beyond is not None and not beyond.past_report

    _describe(ends_on=date(2025, 10, 28), report_days=0)
    assert "and after the day by which the programme reports on it" in text_of(client.get(f"{AT}/money"))
    _describe(ends_on=date(2025, 10, 29))
    assert "outlasts" not in text_of(client.get(f"{AT}/money"))
    assert queries.outlasting_words() == ""


def test_amount_and_days_are_entered_on_the_page_of_the_parent_grant(app: Flask, grant: World) -> None:
    manager = actors.client_of(app, actors.ingrid())
    send(
        manager,
        f"{AT}/edit",
        acronym="NetZeroCities",
        framework="Horizon 2020",
        ends_on="30 September 2025",
        amount="53 000 000",
        report_days="60",
        payment_days="90",
    )
    source = programme_queries.fund_source_of(NUMBER)
    assert (source.amount, source.report_days, source.payment_days) == (euros(53_000_000), 60, 90)
    assert source.reports_by == date(2025, 11, 29)

    refused = text_of(send(manager, f"{AT}/edit", report_days="soon"))
    assert "“soon” is no number of days. Write a whole number from 0 to 365." in refused
    with pytest.raises(Invalid) as refusal:
        _describe(amount=euros(0), payment_days=366)
    assert set(refusal.value.problems) == {"amount", "payment_days"}


def test_a_parent_grant_nobody_knows_has_no_page(grant: World) -> None:
    with pytest.raises(NotFound):
        queries.fund_money(actors.carl(), "1", Page())


@given(
    ends=st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    parent=st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    report=st.integers(1, 365),
    paid=st.integers(1, 365),
)
def test_a_grant_outlasts_its_parent_exactly_when_its_last_payment_may_fall_after_its_end(
    ends: date, parent: date, report: int, paid: int
) -> None:
    found = passes_parent_end(ends, report_days=report, payment_days=paid, parent_ends_on=parent)
    last = clock.add_days(ends, report + paid)

    assert (found is not None) == (last > parent)
    assert found is None or found.settled_by == last
    assert passes_parent_end(ends, report_days=report, payment_days=paid, parent_ends_on=None) is None
