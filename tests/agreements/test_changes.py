"""What an amendment makes of the terms of a grant, and what stands in its way: examples and properties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.agreements.rules import Percentages, Share, asked_for, changes, limits, report_plan, schedule
from grants.agreements.rules.changes import (
    AccountChange,
    BudgetShift,
    Extension,
    Footing,
    GrantTerms,
    MilestoneTerm,
    Move,
    PartnerIn,
    PartnerOut,
    Scope,
)
from grants.agreements.rules.maxima import Held, lowering_problem
from grants.agreements.states import PaymentKind
from grants.budgets.rules import BudgetContent, BudgetRules, Category, Cell
from grants.core.money import ZERO, Money, euros, total

HORIZON = Percentages(Fraction(40), Fraction(90), Fraction(5))
START, END, TODAY = date(2023, 6, 1), date(2025, 6, 1), date(2024, 3, 1)
LEAD, PARTNER, THIRD, NEW = (UUID(int=number) for number in range(1, 5))
NAMES = {LEAD: "Arden", PARTNER: "Brem", THIRD: "Corvo", NEW: "Delf"}
RULES = BudgetRules(
    (
        Category("A", "Staff"),
        Category("C", "Purchases"),
        Category("E", "Indirect", in_flat_rate_base=False, entered=False),
    ),
    flat_rate=Fraction(1, 4),
)


def terms_of(maxima: Sequence[Money], cells: Sequence[Cell] = ()) -> GrantTerms:
    """A grant of two years with one interim report, one partner for each amount."""
    shares = tuple(Share(UUID(int=number), each) for number, each in enumerate(maxima, 1))
    allowed = limits(total(maxima), HORIZON)
    dues = [plan.due_on for plan in report_plan(START, 24, [12], 60)]
    return GrantTerms(
        START,
        END,
        shares,
        (
            MilestoneTerm(1, "Plan", "The plan is published.", date(2024, 1, 1)),
            MilestoneTerm(2, "Roofs", "Ten roofs.", END),
        ),
        schedule(total(maxima), allowed, START, dues),
        allowed,
        budget=BudgetContent(RULES, tuple(each.organisation_id for each in shares), tuple(cells)),
    )


def on(**more: Any) -> Footing:
    """What stands beside it: nothing is paid yet and the call has plenty."""
    held = {LEAD: Held(open=euros(300_000)), PARTNER: Held(open=euros(200_000)), THIRD: Held(open=euros(100_000))}
    stands = Footing(HORIZON, (12, 24), 60, 90, TODAY, LEAD, held=held, names=NAMES, available=euros(1_000_000))
    return replace(stands, **more)


THREE = terms_of(
    [euros(300_000), euros(200_000), euros(100_000)],
    [Cell(LEAD, "A", euros(240_000)), Cell(PARTNER, "A", euros(160_000)), Cell(THIRD, "C", euros(80_000))],
)


def words(terms: GrantTerms, change: changes.Change, footing: Footing) -> str:
    found = " ".join(f"{each.place}: {each.message}" for each in changes.change_problems(terms, change, footing))
    return found.replace("\N{NO-BREAK SPACE}", " ")


def shifted(*maxima: Money, moves: Sequence[Move] = ()) -> BudgetShift:
    return BudgetShift(tuple(Share(UUID(int=number), each) for number, each in enumerate(maxima, 1)), tuple(moves))


def test_a_shift_moves_maxima_and_the_budget_behind_them_and_leaves_the_rest() -> None:
    change = shifted(
        euros(250_000), euros(250_000), euros(100_000), moves=[Move(euros(40_000), LEAD, "A", PARTNER, "C")]
    )

    after = changes.apply(THREE, change, on())

    assert changes.change_problems(THREE, change, on()) == ()
    assert (after.maximum, after.limits, after.schedule) == (THREE.maximum, THREE.limits, THREE.schedule)
    assert after.budget is not None
    assert asked_for(after.budget) == {LEAD: euros(250_000), PARTNER: euros(250_000), THIRD: euros(100_000)}
    found = changes.effect(THREE, after, NAMES)
    assert [(each.label, each.difference) for each in found.amounts] == [
        ("Maximum of Arden", -euros(50_000)),
        ("Maximum of Brem", euros(50_000)),
    ]
    assert found.moves_budget and not found.is_light and found.days == ()


@pytest.mark.parametrize(
    ("change", "footing", "said"),
    [
        (shifted(euros(250_000), euros(250_000), euros(100_000)), on(), "Arden would ask for EUR 300 000.00"),
        (shifted(euros(400_000), euros(200_000), euros(100_000)), on(available=euros(5)), "call has EUR 5.00 available"),
        (
            shifted(euros(500_000), euros(50_000), euros(50_000)),
            on(held={PARTNER: Held(euros(140_000), euros(60_000), euros(20_000))}),
            "maximum of Brem would fall to EUR 50 000.00, but EUR 80 000.00",
        ),
        (shifted(euros(300_000), euros(300_000)), on(), "A shift changes nobody’s part"),
        (shifted(ZERO, ZERO, ZERO), on(), "Nothing would be left"),
        (
            shifted(euros(300_000), euros(200_000), euros(100_000), moves=[Move(euros(90_000), THIRD, "C", LEAD, "A")]),
            on(),
            "Corvo has EUR 80 000.00 under “Purchases”",
        ),
        (shifted(euros(300_000), euros(200_000), euros(100_000)), on(), "Nothing would change"),
        (shifted(euros(1), euros(1), euros(1)), on(final_amount=euros(7)), "The final amount of this grant is decided"),
        (
            shifted(euros(280_000), euros(200_000), euros(100_000)),
            on(prefinanced=True, counted_to_ceiling=euros(530_000)),
            "ceiling before the balance would fall",
        ),
        (Extension(date(2025, 5, 1)), on(), "Enter a later day"),
        (Extension(date(2025, 12, 1)), on(today=END), "period of this grant is over"),
        (Extension(date(2025, 12, 1)), on(parent_ends_on=date(2025, 9, 1)), "would end after its parent grant"),
        (Extension(date(2025, 12, 15)), on(), "whole months"),
        (Extension(date(2025, 12, 1), ((1, date(2025, 1, 1)),)), on(fixed=frozenset({1})), "was reported already"),
        (Extension(date(2025, 12, 1), ((2, date(2026, 1, 1)),)), on(), "within the period"),
        (PartnerOut(LEAD, TODAY, THREE.shares[1:]), on(), "coordinator receives every payment"),
        (PartnerOut(NEW, TODAY, THREE.shares), on(), "no beneficiary"),
        (PartnerOut(THIRD, date(2022, 1, 1), THREE.shares[:2]), on(), "within the period"),
        (PartnerIn(PARTNER, TODAY, TODAY, THREE.shares), on(), "is a beneficiary of this grant already"),
        (
            PartnerIn(NEW, TODAY, TODAY, (*THREE.shares, Share(NEW, euros(1)))),
            on(entity_missing="Its legal name is not validated."),
            "Delf: Its legal name is not validated.",
        ),
        (PartnerIn(NEW, END, TODAY, (*THREE.shares, Share(NEW, euros(1)))), on(), "cannot lie ahead"),
        (Scope("", ""), on(), "Nothing would change"),
    ],
)  # fmt: skip
def test_what_may_not_be_is_said_with_the_limit(change: changes.Change, footing: Footing, said: str) -> None:
    assert said in words(THREE, change, footing)


def test_who_leaves_keeps_what_is_consumed_and_its_budget_follows() -> None:
    held = {THIRD: Held(open=euros(70_000), consumed=euros(30_000), on_the_way=euros(5_000))}
    change = PartnerOut(THIRD, TODAY, (Share(LEAD, euros(365_000)), Share(PARTNER, euros(200_000))))

    after = changes.apply(THREE, change, on(held=held))

    assert changes.change_problems(THREE, change, on(held=held)) == ()
    assert (after.share(THIRD), after.maximum) == (euros(35_000), euros(600_000))
    assert after.budget is not None and asked_for(after.budget)[THIRD] == euros(35_000)


def test_who_joins_gets_a_row_in_the_budget_and_is_named() -> None:
    shares = (*(Share(each, euros(250_000)) for each in (LEAD,)), *THREE.shares[1:], Share(NEW, euros(50_000)))
    change = PartnerIn(NEW, TODAY, TODAY, shares, (Move(euros(40_000), LEAD, "A", NEW, "A"),))

    after = changes.apply(THREE, change, on())

    assert changes.change_problems(THREE, change, on()) == ()
    assert after.budget is not None and asked_for(after.budget)[NEW] == euros(50_000)
    assert changes.effect(THREE, after, NAMES).partners == ("Delf",)


def test_an_extension_moves_the_last_report_and_adds_none() -> None:
    after = changes.apply(THREE, Extension(date(2025, 12, 1), ((2, date(2025, 11, 1)),)), on())

    assert [(line.kind, line.report_number, str(line.due_on)) for line in after.schedule] == [
        (PaymentKind.PREFINANCING, None, "2023-06-01"),
        (PaymentKind.INTERIM, 1, "2024-07-31"),
        (PaymentKind.BALANCE, 2, "2026-01-30"),
    ]
    found = changes.effect(THREE, after, NAMES)
    assert [each.label for each in found.days] == ["The period ends before", "Milestone 2, Roofs"]
    assert [each.label for each in found.payments] == ["Balance"] and found.amounts == ()
    assert changes.clock_warning(after, on(parent_ends_on=date(2026, 1, 1))).startswith("With 60 days to report")
    assert changes.clock_warning(THREE, on(parent_ends_on=date(2026, 1, 1))) == ""


def test_only_what_touches_no_amount_date_or_partner_goes_by_letters() -> None:
    light = Scope("Roofs of schools as well.", "", (MilestoneTerm(2, "Roofs", "Twelve roofs.", END),))

    after = changes.apply(THREE, light, on())
    found = changes.effect(THREE, after, NAMES)

    assert found.is_light and [each.label for each in found.texts] == [
        "Description of the action",
        "Milestone 2 is accepted when",
    ]
    assert replace(after, description="", milestones=THREE.milestones) == THREE
    for heavy in (Extension(date(2025, 12, 1)), AccountChange(NEW, "Arden, BE68 •••• 7034")):
        assert not changes.effect(THREE, changes.apply(THREE, heavy, on()), NAMES).is_light


def test_pre_financing_that_was_paid_is_not_worked_out_anew() -> None:
    change = shifted(euros(250_000), euros(150_000), euros(100_000))

    after = changes.apply(THREE, change, on(prefinanced=True))

    assert (after.limits.prefinancing, after.limits.retention) == (euros(240_000), euros(30_000))
    assert after.limits.interim_ceiling == euros(450_000)
    assert after.schedule[0] == THREE.schedule[0], "its day has passed"
    assert changes.apply(THREE, change, on()).limits == limits(euros(500_000), HORIZON)


amounts = st.integers(0, 10**9).map(Money)


@given(
    st.lists(amounts.filter(bool), min_size=1, max_size=5),
    st.lists(amounts, min_size=5, max_size=5),
    st.booleans(),
    st.dates(START, date(2026, 6, 1)),
)
def test_limits_stand_in_order_and_the_schedule_pays_the_maximum_whatever_is_shifted(
    maxima: list[Money], new: list[Money], prefinanced: bool, today: date
) -> None:
    before = terms_of(maxima)
    change = shifted(*new[: len(maxima)])
    held = {each.organisation_id: Held(open=each.maximum) for each in before.shares}
    footing = on(prefinanced=prefinanced, today=today, held=held)
    if changes.change_problems(before, change, footing):
        return

    after = changes.apply(before, change, footing)

    assert total(line.planned for line in after.schedule) == after.maximum
    assert ZERO <= after.limits.retention <= after.limits.prefinancing <= after.limits.interim_ceiling <= after.maximum
    # Of a maximum of a few cents nothing is paid ahead; raised, it is.
    kinds = {line.kind for line in after.schedule}
    assert (PaymentKind.PREFINANCING in kinds) == bool(after.limits.prefinancing) and PaymentKind.BALANCE in kinds


@given(amounts, amounts, amounts, amounts, amounts)
def test_nobody_falls_below_what_is_bound(
    maximum: Money, consumed: Money, on_the_way: Money, accepted: Money, new: Money
) -> None:
    held = Held(max(maximum - consumed, ZERO), consumed, on_the_way, accepted)

    if lowering_problem("Arden", maximum, new, held):
        assert new < maximum and new < max(consumed + on_the_way, accepted)
    elif new < maximum:
        assert new >= consumed + on_the_way and new >= accepted


@given(
    st.lists(st.integers(0, 10**7), min_size=4, max_size=4), st.integers(0, 10**7), st.integers(0, 3), st.integers(0, 3)
)
def test_moves_keep_the_sum_of_the_budget(cents: list[int], moved: int, giver: int, taker: int) -> None:
    places = [(LEAD, "A"), (LEAD, "C"), (PARTNER, "A"), (PARTNER, "C")]
    cells = [Cell(who, category, Money(each)) for (who, category), each in zip(places, cents, strict=True)]
    content = BudgetContent(RULES, (LEAD, PARTNER), tuple(cells))

    after = changes.moved(content, [Move(Money(moved), *places[giver], *places[taker])])

    assert total(each.amount for each in after.cells) == Money(sum(cents))
    assert all(each.amount >= ZERO for each in after.cells)


@given(st.lists(st.integers(0, 10**7), min_size=2, max_size=2), st.integers(0, 10**7))
def test_a_shrunk_budget_asks_for_no_more_than_its_maximum(cents: list[int], maximum: int) -> None:
    cells = (Cell(LEAD, "A", Money(cents[0])), Cell(LEAD, "C", Money(cents[1])), Cell(PARTNER, "A", Money(7)))

    after = changes.shrunk(BudgetContent(RULES, (LEAD, PARTNER), cells), LEAD, Money(maximum))

    assert asked_for(after).get(LEAD, ZERO) <= Money(maximum)
    assert [each for each in after.cells if each.organisation_id == PARTNER] == [cells[2]]
