"""Two budgets held against each other: sums agree to the cent, nothing is lost, and what did not change says so."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from grants.budgets import queries, rules, services
from grants.budgets.models import BudgetLine
from grants.budgets.rules import (
    BudgetContent,
    BudgetRules,
    Category,
    Cell,
    Change,
    ItemKind,
    LumpSum,
    Months,
    Note,
    NoteKind,
    Package,
    PlanItem,
    PlannedPackage,
    Purpose,
    Source,
    SourceKind,
)
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.money import ZERO, Money, euros, total
from tests.factories import identity

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)
RULES = BudgetRules(
    (
        Category("personnel", "Personnel"),
        Category("sub", "Subcontracting", in_flat_rate_base=False),
        Category("indirect", "Indirect costs", entered=False),
    ),
    flat_rate=Fraction(1, 4),
    funding_rate=Fraction(7, 10),
    by_work_package=True,
)
TASK = PlanItem(ItemKind.TASK, "Ask the neighbours", None, Months(1, 3))

places = st.tuples(
    st.sampled_from([A, B, C]), st.sampled_from(["personnel", "sub"]), st.sampled_from(["WP1", "WP2", ""])
)
contents = st.builds(
    lambda amounts, order, plan: BudgetContent(
        RULES,
        tuple(order),
        tuple(
            Cell(who, code, Money(cents), package) for (who, code, package), cents in amounts.items() if who in order
        ),
        (Package("WP1", "One"), Package("WP2", "Two")),
        plan=tuple(plan),
    ),
    st.dictionaries(places, st.integers(min_value=0, max_value=10**9), max_size=12),
    st.permutations([A, B, C]).flatmap(lambda order: st.integers(1, 3).map(lambda size: order[:size])),
    st.lists(
        st.builds(
            lambda code, items: PlannedPackage(code, f"Title {code}", None, None, tuple(items)),
            st.sampled_from(["WP1", "WP2", "WP3"]),
            st.lists(
                st.builds(
                    PlanItem,
                    st.sampled_from(ItemKind),
                    st.sampled_from(["Ask", "Build", "Tell"]),
                    st.none(),
                    st.integers(1, 4).map(lambda month: Months(1, month)),
                ),
                max_size=5,
            ),
        ),
        max_size=3,
        unique_by=lambda package: package.code,
    ),
)


@given(contents, contents)
@settings(max_examples=150)
def test_rows_columns_and_differences_agree_to_the_cent(old: BudgetContent, new: BudgetContent) -> None:
    found = rules.compare(old, new)

    assert (found.total.old, found.total.new) == (old.totals.total, new.totals.total)
    assert (found.requested.old, found.requested.new) == (old.totals.requested, new.totals.requested)
    assert total(row.total.difference for row in found.rows) == found.total.difference
    assert total(each.difference for each in found.by_category) == found.total.difference
    for row in found.rows:
        assert total(cell.difference for cell in row.cells) == row.total.difference
    # What was entered and is another now is all that changed before the flat rate.
    direct = total(line.amount.difference for line in found.lines)
    assert direct == new.totals.direct - old.totals.direct


@given(contents, contents)
@settings(max_examples=150)
def test_every_partner_package_and_line_of_both_plans_stands_in_it_once(old: BudgetContent, new: BudgetContent) -> None:
    found = rules.compare(old, new)

    assert {row.organisation_id for row in found.rows} == {*old.organisations, *new.organisations}
    assert [each.new for each in found.packages if each.new] == list(new.plan)
    assert Counter(each.old for each in found.packages if each.old) == Counter(old.plan)
    for package in found.packages:
        assert [each.new for each in package.items if each.new] == list(package.new.items if package.new else ())
        was = Counter(each.old for each in package.items if each.old)
        assert was == Counter(package.old.items if package.old else ())
        for item in package.items:
            assert (item.change is Change.KEPT) == (item.old == item.new)


@given(contents)
@settings(max_examples=50)
def test_a_budget_held_against_itself_changed_nothing(content: BudgetContent) -> None:
    found = rules.compare(content, content)

    assert found.is_empty
    assert {row.change for row in found.rows} == {Change.KEPT}


@given(contents, contents)
@settings(max_examples=100)
def test_nothing_changed_says_that_amounts_and_plan_are_the_same(old: BudgetContent, new: BudgetContent) -> None:
    same = {cell for cell in old.cells if cell.amount} == {cell for cell in new.cells if cell.amount}

    assert rules.compare(old, new).is_empty == (
        same and {each.code: each for each in old.plan} == {each.code: each for each in new.plan}
    )


def test_money_moved_between_work_packages_is_seen_though_no_sum_changed() -> None:
    old = BudgetContent(RULES, (A,), (Cell(A, "personnel", euros(100), "WP1"),))
    new = replace(old, cells=(Cell(A, "personnel", euros(60), "WP1"), Cell(A, "personnel", euros(40), "WP2")))

    found = rules.compare(old, new)

    assert [row.change for row in found.rows] == [Change.KEPT]
    assert [(line.work_package, line.amount.difference) for line in found.lines] == [
        ("WP1", euros(-40)),
        ("WP2", euros(40)),
    ]
    assert not found.is_empty


def test_a_line_with_other_months_changed_and_one_with_another_title_came_while_the_old_one_went() -> None:
    later, other = replace(TASK, months=Months(2, 4)), replace(TASK, title="Ask the shops")
    old = BudgetContent(RULES, (A,), (), plan=(PlannedPackage("WP1", "One", items=(TASK,)),))

    changed = rules.compare(old, replace(old, plan=(PlannedPackage("WP1", "One", items=(later,)),)))
    came = rules.compare(old, replace(old, plan=(PlannedPackage("WP1", "One", items=(other,)),)))

    assert [(each.change, each.old, each.new) for each in changed.packages[0].items] == [(Change.CHANGED, TASK, later)]
    assert [each.change for each in came.packages[0].items] == [Change.ADDED, Change.REMOVED]


def test_a_source_that_is_confirmed_now_is_another_source() -> None:
    bank = Source("City bank", SourceKind.LOAN, euros(5), confirmed=False)
    old = BudgetContent(RULES, (A,), (), sources=(bank, bank))

    found = rules.compare(old, replace(old, sources=(bank, replace(bank, confirmed=True))))

    assert [each.change for each in found.sources] == [Change.KEPT, Change.ADDED, Change.REMOVED]
    assert [each.change for each in found.changed_sources] == [Change.ADDED, Change.REMOVED]


@pytest.mark.usefixtures("app")
def test_a_copy_says_the_same_to_the_cent_and_names_no_writer(app: Flask) -> None:
    with arranging():
        first, second = identity.organisation("First of the copy").id, identity.organisation("Second of the copy").id
        lumps = replace(RULES, lump_sums=(LumpSum("WP1", "One", euros(125)),))
        content = BudgetContent(
            lumps,
            (second, first),
            (Cell(first, "personnel", Money(10_001), "WP1"), Cell(second, "sub", Money(7), "WP2")),
            (Package("WP1", "One"), Package("WP2", "Two")),
            (Note(first, NoteKind.STAFF, "New people"),),
            (Source("City bank", SourceKind.LOAN, euros(5), confirmed=True),),
            (PlannedPackage("WP1", "One", first, Months(1, 6), (TASK,)), PlannedPackage("WP2", "Two")),
        )
        copied = services.copy("grant", uuid4(), Purpose.GRANTED, content)

    assert queries.content(copied) == rules.to_mapping(content)
    assert queries.stored(copied).row.saved_by is None
    assert set(db.session.scalars(select(BudgetLine.saved_by).where(BudgetLine.budget_id == copied))) == {None}
    assert rules.compare(content, queries.written(copied)).is_empty
    assert queries.written(copied).totals.total > ZERO
