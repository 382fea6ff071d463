"""What may be accepted of a report, and what acceptance comes to."""

from __future__ import annotations

from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.budgets.rules import BudgetRules, Category, Cell
from grants.core.errors import Refused
from grants.core.money import Money, euros
from grants.reporting import rules
from grants.reporting.rules import Judged
from grants.reporting.states import REPORT, ReportState

CITY, AGENCY = UUID(int=1), UUID(int=2)
BUDGET = BudgetRules(
    (
        Category("A", "Personnel"),
        Category("B", "Subcontracting", in_flat_rate_base=False),
        Category("E", "Indirect", entered=False),
    ),
    flat_rate=Fraction(1, 4),
)


def judged(declared: int, accepted: int, reason: str | None = None, *, category: str = "A") -> Judged:
    return Judged(CITY, category, euros(declared), euros(accepted), reason)


def problems(*rows: Judged, left: Money = euros(10_000)) -> list[str]:
    cells = [Cell(row.organisation_id, row.category, row.declared) for row in rows]
    return [str(problem) for problem in rules.judgement_problems(cells, rows, {CITY: left}, BUDGET)]


def test_accepted_direct_costs_bring_their_flat_rate() -> None:
    assert rules.accepted_total(BUDGET, [judged(100, 100), judged(40, 40, category="B")]) == euros(165)


def test_accepting_everything_declared_needs_no_reason() -> None:
    assert problems(judged(100, 100)) == []


def test_a_cut_needs_its_reason() -> None:
    assert "say why EUR 20.00 is not accepted" in problems(judged(100, 80))[0]
    assert problems(judged(100, 80, "Receipt missing")) == []


def test_more_than_declared_is_never_accepted() -> None:
    assert "Accept at most that" in problems(judged(100, 101))[0]


def test_a_partner_is_not_accepted_above_what_is_left_of_its_maximum() -> None:
    assert "EUR 125.00 would be accepted, but only EUR 124.99" in problems(judged(100, 100), left=Money(12_499))[0]
    assert problems(judged(100, 100), left=Money(12_500)) == []


def test_every_declared_amount_is_judged() -> None:
    cells = [Cell(CITY, "A", euros(1)), Cell(AGENCY, "A", euros(1))]
    maxima = {CITY: euros(9), AGENCY: euros(9)}

    found = rules.judgement_problems(cells, [judged(1, 1)], maxima, BUDGET)

    assert [problem.place for problem in found] == [f"accepted-{AGENCY}-A"]


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=20))
def test_what_passes_is_never_above_what_was_declared(rows: list[tuple[int, int]]) -> None:
    found = [Judged(UUID(int=place), "A", Money(a), Money(b), "Why") for place, (a, b) in enumerate(rows)]
    cells = [Cell(row.organisation_id, row.category, row.declared) for row in found]
    maxima = {row.organisation_id: Money(10**12) for row in found}

    passes = rules.judgement_problems(cells, found, maxima, BUDGET) == ()

    assert passes == all(row.accepted <= row.declared for row in found)


def test_every_verb_from_every_state_is_allowed_or_refused() -> None:
    for state in ReportState:
        for verb in {step.verb for step in REPORT.transitions}:
            if verb in REPORT.allowed(state):
                assert REPORT.target(state, verb) in ReportState
            else:
                with pytest.raises(Refused):
                    REPORT.target(state, verb)


def test_nothing_leaves_an_accepted_report() -> None:
    assert REPORT.allowed(ReportState.ACCEPTED) == ()
