"""Budget against actuals: every column adds up to the cent, each figure opens its lines, and size costs no statements."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from fractions import Fraction
from uuid import UUID, uuid4

import pytest
from flask import Flask, g
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from grants.agreements.models import Beneficiary, Grant, GrantRevision
from grants.budgets import services as budgets
from grants.budgets.models import Budget, BudgetLine
from grants.budgets.rules import BudgetContent, BudgetRules, Category, Cell, Purpose
from grants.core import encoding
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.money import ZERO, Money, euros, plain, total
from grants.dossiers.models import Dossier
from grants.oversight.queries import call_spending
from grants.oversight.rules import By, GrantMoney, Reported, lines, summed, time_gone
from grants.oversight.rules.spending import GrantSpent, Judgement, Spent, percent
from grants.reporting.models import AcceptedCost, PeriodicReport, ReportVersion
from grants.reporting.states import ReportState
from grants.web import paging, routing
from tests import actors
from tests.applications.pages import text_of
from tests.factories import identity
from tests.payments.conftest import grant, in_force_world
from tests.payments.world import World
from tests.statements import statements

__all__ = ["grant", "in_force_world"]

A, B = UUID(int=1), UUID(int=2)
NAMES = {A: "Neochóra", B: "Ærøsted"}
RULES = BudgetRules(
    (
        Category("staff", "Staff"),
        Category("sub", "Subcontracting", in_flat_rate_base=False),
        Category("indirect", "Indirect costs", entered=False),
    ),
    flat_rate=Fraction(1, 4),
    funding_rate=Fraction(7, 10),
)
START = date(2023, 6, 1)
cents = st.integers(min_value=0, max_value=10**9).map(Money)


@st.composite
def reported(draw: st.DrawFn) -> Reported:
    number = draw(st.integers(1, 3))
    state = draw(st.sampled_from(ReportState))
    amounts = draw(st.dictionaries(st.tuples(st.sampled_from([A, B]), st.sampled_from(["staff", "sub"])), cents))
    judged = {
        place: Judgement(Money(draw(st.integers(0, amount.cents))), "Cut")
        for place, amount in amounts.items()
        if state is ReportState.ACCEPTED
    }
    cells = tuple(Cell(who, code, amount) for (who, code), amount in amounts.items())
    return Reported(number, f"R-{number}", state, START, date(2024, 6, 1), RULES, cells, judged)


budgets_granted = st.dictionaries(st.tuples(st.sampled_from([A, B]), st.sampled_from(["staff", "sub"])), cents).map(
    lambda amounts: BudgetContent(RULES, (A, B), tuple(Cell(*place, amount) for place, amount in amounts.items()))
)


@given(budgets_granted, st.lists(reported(), max_size=3, unique_by=lambda each: each.number), cents)
@settings(max_examples=120)
def test_every_column_adds_up_and_all_ways_tell_of_the_same_costs(
    budget: BudgetContent, reports: list[Reported], paid: Money
) -> None:
    maxima = {row.organisation_id: row.requested for row in budget.totals.rows}
    money = GrantMoney(budget, maxima, tuple(reports), {A: paid}, NAMES)

    partner, category, period = (money.divided(by, START) for by in By)

    for found in (partner, category, period):
        assert total(row.declared for row in found.rows) == found.whole.declared
        assert total(row.accepted for row in found.rows) == found.whole.accepted
        assert found.whole.accepted <= found.whole.declared
    assert (category.whole.declared, category.whole.accepted) == (period.whole.declared, period.whole.accepted)
    assert category.whole.granted == period.whole.granted == budget.totals.total
    assert partner.whole.granted == budget.totals.requested and partner.whole.paid == paid
    # What stands behind the figures is all of it.
    behind = lines(reports)
    assert total(line.declared for line in behind) == category.whole.declared
    assert total(line.accepted or ZERO for line in behind) == category.whole.accepted
    for row in category.rows:
        assert total(line.declared for line in lines(reports, category=row.key)) == row.declared
    for row in period.rows:
        assert total(line.declared for line in lines(reports, number=int(row.key))) == row.declared


def test_the_flat_rate_is_a_column_worked_out_in_each_report() -> None:
    cells = (Cell(A, "staff", Money(10_01)), Cell(A, "sub", Money(5_00)))
    judged = {(A, "staff"): Judgement(Money(10_00), "A cent too much"), (A, "sub"): Judgement(Money(5_00), None)}
    report = Reported(1, "R-1", ReportState.ACCEPTED, START, date(2024, 6, 1), RULES, cells, judged)

    rows = {
        row.key: row for row in GrantMoney(None, {A: euros(9)}, (report,), {}, NAMES).divided(By.CATEGORY, START).rows
    }

    assert (rows["indirect"].declared, rows["indirect"].accepted) == (Money(2_50), Money(2_50))
    assert rows["staff"].granted is None and rows["staff"].left is None
    assert [(line.label, line.reason, line.is_worked_out) for line in lines((report,))] == [
        ("Staff", "A cent too much", False),
        ("Subcontracting", None, False),
        ("Indirect costs", None, True),
    ]


def test_what_went_back_to_the_city_is_not_declared_and_what_waits_is_not_decided() -> None:
    cells = (Cell(A, "sub", euros(100)),)

    def of(state: ReportState) -> tuple[Money, list[Money | None]]:
        report = Reported(1, "R-1", state, START, date(2024, 6, 1), RULES, cells)
        return report.declared.total, [line.accepted for line in lines((report,))]

    assert of(ReportState.RETURNED) == of(ReportState.DRAFT) == (ZERO, [])
    assert of(ReportState.SUBMITTED) == (euros(100), [None])
    assert of(ReportState.REJECTED) == (euros(100), [ZERO])


def test_a_period_of_the_budget_counts_to_the_report_in_whose_time_it_ends() -> None:
    rules = BudgetRules((Category("x", "X"),), period_months=6, duration_months=24)
    budget = BudgetContent(rules, (A,), tuple(Cell(A, "x", euros(period), "", period) for period in (1, 2, 3, 4)))
    reports = tuple(
        Reported(number, f"R-{number}", ReportState.DRAFT, START, ends, rules, ())
        for number, ends in ((1, date(2024, 6, 1)), (2, date(2025, 6, 1)))
    )

    found = GrantMoney(budget, {A: euros(10)}, reports, {}, NAMES).divided(By.PERIOD, START)

    assert [row.granted for row in found.rows] == [euros(3), euros(7)]
    assert found.whole.granted == euros(10)


def test_a_hundred_per_cent_is_said_of_nothing_less_and_time_stays_within_its_bounds() -> None:
    assert percent(Money(999_999), Money(1_000_000)).replace("\u00a0", " ") == "99.9 %"
    assert percent(Money(3), Money(2)).replace("\u00a0", " ") == "150 %"
    days = (date(2022, 1, 1), date(2030, 1, 1))
    assert [time_gone(START, date(2025, 6, 1), day).replace("\u00a0", " ") for day in days] == ["0 %", "100 %"]
    assert summed(()).granted is None


# --- pages --------------------------------------------------------------------------------------------------------

MANY = BudgetRules(tuple(Category(f"c{number:02}", f"Category {number}") for number in range(50)))


def reports_of_many(found: World, partners: int) -> None:
    """So many partners with fifty lines each: a granted budget, one report accepted, and its version."""
    with arranging():
        row = get(Grant, found.grant_id)
        others = [identity.organisation(f"Partner {number} of the spending").id for number in range(partners)]
        if not partners:
            # The coordinator does all of it.
            db.session.delete(db.session.scalars(select(Beneficiary).where(~Beneficiary.is_coordinator)).one())
            others = [found.city_id]
        for place, who in enumerate(others if partners else ()):
            db.session.add(
                Beneficiary(
                    grant_id=row.id, organisation_id=who, position=place + 9, is_coordinator=False, maximum=ZERO
                )
            )
        cells = tuple(Cell(who, each.code, euros(1)) for who in others for each in MANY.categories)
        row.budget_id = budgets.copy("grant", row.id, Purpose.GRANTED, BudgetContent(MANY, tuple(others), cells))
        db.session.add(GrantRevision(grant_id=row.id, state="accepted"))
        report_id, officer = uuid4(), actors.pia().user_id
        dossier = Dossier(owner_kind="report", owner_id=report_id, definition={})
        budget = Budget(owner_kind="report", owner_id=report_id, purpose="actual", rules=encoding.encode(MANY), saves=0)
        moment = datetime(2024, 7, 1, 9, tzinfo=UTC)
        db.session.add_all([dossier, budget])
        db.session.add(
            PeriodicReport(
                id=report_id, grant_id=row.id, number=1, reference="PCP-2022-R-0777", kind="interim", starts_on=START,
                ends_before=date(2024, 6, 1), due_on=date(2024, 7, 31), state="accepted", dossier_id=dossier.id,
                budget_id=budget.id, submitted_at=moment, submitted_by=officer, decided_at=moment, decided_by=officer,
                accepted_total=euros(len(cells)),
            )
        )  # fmt: skip
        for cell in cells:
            db.session.add(
                BudgetLine(
                    budget_id=budget.id, organisation_id=cell.organisation_id, category=cell.category,
                    work_package="", period=0, amount=cell.amount,
                )
            )  # fmt: skip
            db.session.add(
                AcceptedCost(
                    report_id=report_id, organisation_id=cell.organisation_id, category=cell.category,
                    declared=cell.amount, accepted=cell.amount, reason=None,
                )
            )  # fmt: skip
        db.session.add(
            ReportVersion(
                report_id=report_id, number=1, submitted_at=moment, submitted_by=officer, content={},
                sha256=bytes(32), declared_total=euros(len(cells)),
            )
        )  # fmt: skip


@pytest.mark.parametrize("partners", [0, 1, 60])
def test_sixty_partners_with_three_thousand_lines_ask_no_more_than_one_and_take_no_two_seconds(
    app: Flask, grant: World, partners: int
) -> None:
    reports_of_many(grant, partners)
    officer = actors.client_of(app, actors.pia())
    place = f"/grants/{grant.reference}"
    base = f"{place}/budget"
    pages = (
        *(base, f"{base}?by=category", f"{base}?by=period", f"{base}/lines", f"{base}/lines?category=c07&report=1"),
        *(place, f"{place}/payments", f"{place}/distribution", f"{place}/accession", f"{place}/termination"),
        *(f"{place}/reports", f"{place}/recovery", f"/finance/ledger?grant={grant.reference}"),
    )
    fin = actors.client_of(app, actors.fin())

    for page in pages:
        who = fin if page.startswith("/finance") else officer
        who.get(page)
        began = time.process_time()
        with statements() as seen:
            answer = who.get(page)
        assert answer.status_code == 200
        assert (len(seen) <= 10, time.process_time() - began < 2) == (True, True), (page, len(seen))
        if page.startswith(base):
            assert len(seen) <= 8
    shown = text_of(officer.get(f"{base}?by=category"))
    assert plain(euros(max(partners, 1) * 50)).replace("\u00a0", " ") in shown
    only = text_of(officer.get(f"{base}/lines?category=c07&report=1"))
    assert "Category 7" in only and "Category 8" not in only


def test_the_spending_of_a_call_is_one_statement_and_leaves_out_what_one_may_not_read(grant: World) -> None:
    reports_of_many(grant, 2)
    officer, elsewhere, day = actors.pia(), actors.eva(), date(2024, 6, 1)

    with statements() as seen:
        (found,) = call_spending(officer, grant.call_id, day)

    assert len(seen) == 1 and call_spending(elsewhere, grant.call_id, day) == ()
    assert (found.reference, found.spent.granted, found.spent.declared, found.spent.accepted, found.spent.paid) == (
        grant.reference,
        euros(600_000),
        euros(100),
        euros(100),
        ZERO,
    )
    assert found.time_gone.replace("\u00a0", " ") == "50 %"


def test_a_division_nobody_offers_is_told_with_those_there_are(app: Flask, grant: World) -> None:
    wrong = actors.client_of(app, actors.pia()).get(f"/grants/{grant.reference}/budget?by=colour")

    assert wrong.status_code == 200 and "colour" in text_of(wrong)


def test_the_grants_of_a_call_go_on_page_by_page_and_each_figure_leads_on(app: Flask, grant: World) -> None:
    found = tuple(
        GrantSpent(
            f"PCP-2022-G-{number:04}", Spent(f"Grant {number}", "", euros(9), euros(5), euros(4), euros(3)), "50 %"
        )
        for number in range(1, 53)
    )
    with app.test_request_context("/calls/none/spending"):
        g.actor = actors.pia()
        rows = paging.paged(found, paging.asked(), key=lambda each: each.reference)
        call = Shown(title="A call", slug="none", reference="PCP-2022-C-0001")
        shown = str(routing.page("oversight/call_spending.html", call=call, rows=rows, whole=summed(found)))

    assert "50 of 52 shown" in shown and "after=PCP-2022-G-0050" in shown
    assert "468.00" in shown, "the sum is of all of them"
    for figure in ("granted", "paid"):
        assert f'href="/grants/PCP-2022-G-0001/amounts/{figure}"' in shown
    assert "/calls/none/spending.csv" in shown


class Shown:
    """A call of which its name is all that is read."""

    def __init__(self, **values: str) -> None:
        self.__dict__.update(values)
