"""Budget moved within a grant: counted over its whole life, refused above what the call allows and below what is bound."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements import rules
from grants.agreements import services as agreeing
from grants.agreements.models import Beneficiary, BudgetTransfer, Grant, GrantRevision
from grants.agreements.rules import Flexibility, HoldInput, Reach, TransferInput
from grants.agreements.states import HoldReason, RevisionState
from grants.budgets import queries as budgets
from grants.budgets import services as budget_writes
from grants.budgets.models import BudgetLine
from grants.budgets.rules import BudgetRules, Category, Purpose
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Invalid, NotAllowed, Refused
from grants.core.jobs import Job
from grants.core.money import ZERO, Money, euros
from grants.ledger import queries as books
from grants.oversight import queries as oversight
from grants.oversight.rules.spending import By
from tests import actors
from tests.agreements.accounts import document
from tests.applications.pages import send, text_of
from tests.factories import identity as people
from tests.payments.test_terminated import prefinanced
from tests.payments.world import World
from tests.shut import shuts
from tests.statements import statements

NOW = datetime(2023, 8, 1, 9, tzinfo=UTC)
TODAY = date(2023, 8, 1)
# 25 % indirect costs on personnel, none on subcontracting.
KEPT = BudgetRules(
    (
        Category("A", "Personnel"),
        Category("B", "Subcontracting", in_flat_rate_base=False),
        Category("E", "Indirect", entered=False),
    ),
    flat_rate=Fraction(1, 4),
)


def with_budget(grant: World) -> World:
    """The city asks for 375 000 of its 400 000, the agency for 187 500 of its 200 000; 10 % move freely, 20 % with a notice."""
    with arranging():
        row = db.session.get_one(Grant, grant.grant_id)
        budget_id = budget_writes.create(
            "grant", grant.grant_id, Purpose.GRANTED, KEPT, [grant.city_id, grant.agency_id]
        )
        db.session.add_all(
            BudgetLine(
                budget_id=budget_id, organisation_id=who, category=category, amount=euros(amount), work_package="", period=0
            )
            for who, category, amount in (
                (grant.city_id, "A", 220_000), (grant.city_id, "B", 100_000), (grant.agency_id, "A", 150_000),
            )
        )  # fmt: skip
        row.budget_id = budget_id
        row.transfer_free, row.transfer_notify = euros(60_000), euros(120_000)
        db.session.add(GrantRevision(grant_id=grant.grant_id, state=RevisionState.ACCEPTED.value))
    return grant


@pytest.fixture
def flexible(grant: World) -> World:
    return with_budget(grant)


def move(
    grant: World, amount: int, giver: tuple[UUID, str], taker: tuple[UUID, str], reason: str = "As agreed."
) -> int:
    with clock.at(NOW):
        return agreeing.move_budget(actors.ana(), grant.grant_id, TransferInput(*giver, *taker, euros(amount), reason))


def cells(grant: World) -> dict[tuple[UUID, str], Money]:
    budget_id = get(Grant, grant.grant_id).budget_id
    assert budget_id is not None
    kept = budgets.stored(budget_id).content.cells
    return {(each.organisation_id, each.category): each.amount for each in kept if each.amount}


def maxima(grant: World) -> dict[UUID, Money]:
    rows = db.session.scalars(
        select(Beneficiary).where(Beneficiary.grant_id == grant.grant_id).execution_options(populate_existing=True)
    )
    return {row.organisation_id: row.maximum for row in rows}


def told() -> list[str]:
    jobs = db.session.scalars(select(Job.args).where(Job.name == "jobs.mail.send")).all()
    return [each["template"] for each in jobs if each["template"] == "budget_moved"]


def test_every_move_counts_and_the_eleventh_small_one_is_told_and_the_last_is_an_amendment(flexible: World) -> None:
    there, back = (flexible.city_id, "B"), (flexible.city_id, "A")
    # Forth and back: nothing has moved in the end, and everything counts.
    for number in range(10):
        move(flexible, 6_000, *((there, back) if number % 2 else (back, there)))
    assert told() == []
    assert cells(flexible)[back] == euros(220_000)
    move(flexible, 6_000, back, there)
    assert len(told()) == 1
    found = agreements.flexibility(flexible.grant_id)
    assert found is not None and found.words.replace("\xa0", " ") == "used 11 % of 20 %"
    with pytest.raises(Refused, match="or ask for an amendment"):
        move(flexible, 54_001, back, there)
    move(flexible, 54_000, back, there)
    with pytest.raises(Refused, match="ask for an amendment"):
        move(flexible, 1, there, back)
    levels = db.session.scalars(select(BudgetTransfer.level).order_by(BudgetTransfer.number)).all()
    assert levels == ["free"] * 10 + ["notify"] * 2
    assert oversight.verify_ledger() == ()


def test_between_partners_the_maximum_goes_with_the_costs_and_the_ledger_says_so(flexible: World) -> None:
    before = dict(books.partners_open(flexible.grant_id))
    move(flexible, 40_000, (flexible.agency_id, "A"), (flexible.city_id, "B"))
    # What the agency asks less for: the indirect costs on its personnel too.
    assert maxima(flexible) == {flexible.city_id: euros(450_000), flexible.agency_id: euros(150_000)}
    after = dict(books.partners_open(flexible.grant_id))
    assert after[flexible.city_id] - before[flexible.city_id] == euros(50_000)
    assert before[flexible.agency_id] - after[flexible.agency_id] == euros(50_000)
    assert cells(flexible) == {
        (flexible.city_id, "A"): euros(220_000),
        (flexible.city_id, "B"): euros(140_000),
        (flexible.agency_id, "A"): euros(110_000),
    }
    shown = agreements.view(get(Grant, flexible.grant_id))
    spending = oversight.grant_money(shown).divided(By.CATEGORY, shown.starts_on)
    assert {row.key: row.granted for row in spending.rows}["B"] == euros(140_000)
    partner = oversight.grant_money(shown).divided(By.PARTNER, shown.starts_on)
    assert {row.granted for row in partner.rows} == {euros(450_000), euros(150_000)}
    assert oversight.verify_ledger() == ()


def test_no_partner_falls_below_what_is_paid_for_it_or_on_its_way(flexible: World) -> None:
    with arranging():
        db.session.get_one(Grant, flexible.grant_id).transfer_notify = euros(600_000)
    with clock.at(NOW):
        prefinanced(flexible)
    held = agreements.held_of(flexible.grant_id)[flexible.agency_id]
    floor = rules_least(flexible, held)
    assert floor > ZERO
    # Of 187 500 it asks, all would go: 150 000 and the indirect costs on them.
    with pytest.raises(Invalid) as wrong:
        move(flexible, 150_000, (flexible.agency_id, "A"), (flexible.city_id, "B"))
    assert "of it is paid, on its way or accepted" in wrong.value.problems["amount"]
    assert maxima(flexible)[flexible.agency_id] == euros(200_000)
    room = (euros(200_000) - floor).cents * 4 // 5 // 100
    move(flexible, room, (flexible.agency_id, "A"), (flexible.city_id, "B"))
    assert floor <= maxima(flexible)[flexible.agency_id] < floor + euros(2)
    assert oversight.verify_ledger() == ()


def rules_least(grant: World, held: rules.Held) -> Money:
    return rules.least(maxima(grant)[grant.agency_id], held)


def test_a_partner_s_budget_never_asks_for_more_than_its_maximum_by_a_move(flexible: World) -> None:
    # From subcontracting to personnel the indirect costs come on top: 100 000 more would ask for 25 000 more.
    move(flexible, 60_000, (flexible.city_id, "B"), (flexible.city_id, "A"))
    move(flexible, 40_000, (flexible.city_id, "B"), (flexible.city_id, "A"))
    with arranging():
        db.session.get_one(Grant, flexible.grant_id).transfer_notify = euros(600_000)
    move(flexible, 100_000, (flexible.city_id, "A"), (flexible.city_id, "B"))
    with arranging():
        rows = db.session.scalars(select(Beneficiary).where(Beneficiary.grant_id == flexible.grant_id)).all()
        for row in rows:
            row.maximum += euros(-10_000) if row.organisation_id == flexible.city_id else euros(10_000)
    with pytest.raises(Invalid) as wrong:
        move(flexible, 100_000, (flexible.city_id, "B"), (flexible.city_id, "A"))
    assert "would ask for" in wrong.value.problems["amount"]


def test_who_moves_it_when_and_what_is_typed_wrong(flexible: World) -> None:
    city, agency = flexible.city_id, flexible.agency_id
    given = TransferInput(city, "A", city, "B", euros(1), "As agreed.")
    with clock.at(NOW):
        for actor in (actors.pia(), actors.fin(), actors.otto(), actors.marek()):
            with pytest.raises(NotAllowed):
                agreeing.move_budget(actor, flexible.grant_id, given)
    for amount, giver, taker, reason, field in (
        (0, (city, "A"), (city, "B"), "x", "amount"),
        (220_001, (city, "A"), (city, "B"), "x", "amount"),
        (1, (city, "A"), (city, "A"), "x", "taker"),
        (1, (city, "E"), (city, "A"), "x", "giver"),
        (1, (actors.organisation("Another"), "A"), (city, "A"), "x", "giver"),
        (1, (city, "A"), (agency, "B"), " ", "reason"),
    ):
        with pytest.raises(Invalid) as wrong:
            move(flexible, amount, giver, taker, reason)
        assert field in wrong.value.problems
    with clock.at(NOW):
        agreeing.hold(
            actors.otto(), flexible.grant_id, HoldInput(None, HoldReason.BREACH, "Looked into.", TODAY), document()
        )
    with pytest.raises(Refused, match="is suspended"):
        move(flexible, 1, (city, "A"), (city, "B"))


def test_a_grant_whose_call_lays_down_none_and_one_without_its_own_budget_move_nothing(grant: World) -> None:
    with pytest.raises(Refused, match="before grants had a budget"):
        move(grant, 1, (grant.city_id, "A"), (grant.city_id, "B"))


def test_the_levels_are_of_what_was_ever_moved() -> None:
    found = Flexibility(euros(100), euros(10), euros(20), euros(8))
    assert [found.reach(euros(each)) for each in (2, 3, 12, 13)] == [
        Reach.FREE, Reach.NOTIFY, Reach.NOTIFY, Reach.AMENDMENT,
    ]  # fmt: skip
    assert rules.flexibility_of(Money(99_99), Fraction(10), Fraction(5)) == (Money(9_99), Money(9_99))
    assert rules.flexibility_of(euros(1), None, None) is None


@shuts("agreements.transfers")
def test_its_page_shows_the_bar_and_both_sides_read_it(app: Flask, flexible: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    place = f"/grants/{flexible.reference}/transfers"
    city = flexible.city_id
    with clock.at(NOW):
        ana = actors.client_of(app, actors.ana())
        with statements() as asked:
            assert "used 0" in text_of(ana.get(place))
        assert len(asked) <= 8
        sent = send(ana, place, giver=f"{city}/A", taker=f"{city}/B", amount="60 000.00", reason="Bought instead.")
        assert sent.headers["Location"] == place
        assert send(ana, place, giver=f"{city}/A", taker=f"{city}/B", amount="70000", reason="More.").status_code == 422
        otto = actors.client_of(app, actors.otto())
        page = text_of(otto.get(place))
        assert "used 10" in page and "Bought instead." in page and "Move it" not in page
        assert "Budget moved" in text_of(otto.get(f"/grants/{flexible.reference}"))
        user_id = actors.otto().user_id
        assert user_id is not None
        with arranging():
            people.bar(user_id, "application", flexible.application_id)
        assert actors.client_of(app, actors.otto()).get(place).status_code == 404
