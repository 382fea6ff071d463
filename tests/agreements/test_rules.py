"""Limits, schedules, reports and accounts of a grant: examples from the model agreement, and properties."""

from __future__ import annotations

import itertools
from datetime import date
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.agreements import rules
from grants.agreements.rules import Percentages, PlannedMilestone, Share, Terms
from grants.agreements.states import BANK_ACCOUNT, GRANT, MILESTONE, GrantState, PaymentKind
from grants.core.errors import Invalid, Refused
from grants.core.money import Money, euros, total

MAXIMUM = euros(600_000)
HORIZON = Percentages(Fraction(40), Fraction(90), Fraction(5))
START = date(2023, 6, 1)


def test_limits_are_the_calls_percentages_of_the_maximum() -> None:
    found = rules.limits(MAXIMUM, HORIZON)

    assert (found.prefinancing, found.interim_ceiling, found.retention) == (
        euros(240_000),
        euros(540_000),
        euros(30_000),
    )


@given(st.integers(1, 10**12), st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_limits_never_exceed_their_percentage_and_stand_in_order(
    cents: int, first: int, second: int, kept: int
) -> None:
    low, high = sorted((first, second))
    found = rules.limits(Money(cents), Percentages(Fraction(low), Fraction(high), Fraction(kept)))

    assert found.retention <= found.prefinancing <= found.interim_ceiling <= Money(cents)
    assert found.interim_ceiling.cents * 100 <= cents * high


def test_reports_follow_the_interim_months_and_the_end() -> None:
    plans = rules.report_plan(START, 24, [12], 60)

    assert [(plan.number, plan.is_final, plan.ends_before, plan.due_on) for plan in plans] == [
        (1, False, date(2024, 6, 1), date(2024, 7, 31)),
        (2, True, date(2025, 6, 1), date(2025, 7, 31)),
    ]


@given(st.integers(1, 120), st.lists(st.integers(1, 150), max_size=6))
def test_report_periods_cover_the_grant_without_gap_or_overlap(months: int, interim: list[int]) -> None:
    plans = rules.report_plan(START, months, interim, 60)

    assert plans[0].starts_on == START
    assert all(earlier.ends_before == later.starts_on for earlier, later in itertools.pairwise(plans))
    assert [plan.is_final for plan in plans] == [False] * (len(plans) - 1) + [True]


@given(st.integers(100, 10**12), st.integers(0, 60), st.integers(60, 100), st.integers(0, 20), st.integers(1, 5))
def test_a_schedule_pays_exactly_the_maximum(cents: int, pre: int, ceiling: int, kept: int, reports: int) -> None:
    maximum = Money(cents)
    allowed = rules.limits(maximum, Percentages(Fraction(pre), Fraction(ceiling), Fraction(kept)))
    dues = [date(2024, 1, 1 + number) for number in range(reports)]

    lines = rules.schedule(maximum, allowed, START, dues)

    assert total(line.planned for line in lines) == maximum
    assert lines[-1].kind is PaymentKind.BALANCE
    before = total(line.planned for line in lines[:-1])
    assert before + allowed.retention <= allowed.interim_ceiling or reports == 1 or not allowed.prefinancing


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30), st.integers(1, 10**11))
def test_shares_of_the_reserve_lose_no_cent(asked: list[int], cents: int) -> None:
    requested = [(UUID(int=number), Money(amount)) for number, amount in enumerate(asked)]

    assert total(share.maximum for share in rules.default_shares(Money(cents), requested)) == Money(cents)


def terms(amount: Money, *, months: int = 24, milestones: int = 1) -> Terms:
    planned = tuple(PlannedMilestone("Begin", "It began", START) for _ in range(milestones))
    return Terms(START, months, (Share(UUID(int=1), amount),), planned)


@pytest.mark.parametrize(
    ("found", "field", "words"),
    [
        (terms(euros(600_000) + Money(1)), "shares", "Lower them by EUR 0.01"),
        (terms(Money(0)), "shares", "above zero"),
        (terms(MAXIMUM, months=0), "months", "between 1 and 120"),
        (terms(MAXIMUM, months=121), "months", "between 1 and 120"),
        (terms(MAXIMUM, milestones=0), "milestones", "at least one milestone"),
    ],
)
def test_terms_that_cannot_stand_are_named_by_field(found: Terms, field: str, words: str) -> None:
    assert words in rules.terms_problems(found, MAXIMUM, None)[field]


def test_a_grant_may_not_outlive_its_parent() -> None:
    assert "31 May 2025" in rules.terms_problems(terms(MAXIMUM), MAXIMUM, date(2025, 5, 31))["months"]
    assert rules.terms_problems(terms(MAXIMUM), MAXIMUM, date(2025, 6, 1)) == {}


@pytest.mark.parametrize(
    "text", ["BE68 5390 0754 7034", "be68539007547034", "BE68\u00a05390\u202f0754 7034", "DE02120300000000202051"]
)
def test_an_account_number_is_taken_however_it_is_spaced(text: str) -> None:
    assert rules.account_number(text).isalnum()


@pytest.mark.parametrize(
    "text",
    ["BE68 5390 0754 7035", "BE68 5390 0754 703", "ВE68539007547034", "", "XX68539007547034", "BE68-5390-0754-7034"],
)
def test_a_wrong_account_number_is_refused_beside_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        rules.account_number(text)
    assert set(refusal.value.problems) == {"iban"}


@pytest.mark.parametrize(("text", "found"), [("gkccbebb", "GKCCBEBB"), ("GKCC BE BB XXX", "GKCCBEBBXXX"), ("", None)])
def test_a_bank_code_has_eight_or_eleven_characters(text: str, found: str | None) -> None:
    assert rules.bank_code(text) == found


def test_a_bank_code_of_another_length_is_refused() -> None:
    with pytest.raises(Invalid):
        rules.bank_code("GKCCBEB")


def test_one_person_is_not_two() -> None:
    with pytest.raises(Refused, match="another person"):
        rules.refuse_same_person(UUID(int=1), UUID(int=1), deed="confirming the account")
    with pytest.raises(Refused):
        rules.refuse_same_person(UUID(int=1), None, deed="confirming the account")


@pytest.mark.parametrize("machine", [GRANT, BANK_ACCOUNT, MILESTONE])
def test_every_verb_from_every_state_is_allowed_or_refused(machine: object) -> None:
    verbs = {step.verb for step in machine.transitions}
    for state in machine.states:
        for verb in verbs:
            if verb in machine.allowed(state):
                assert machine.target(state, verb) in machine.states
            else:
                with pytest.raises(Refused):
                    machine.target(state, verb)


def test_nothing_leaves_a_closed_or_dropped_grant() -> None:
    assert (GRANT.allowed(GrantState.CLOSED), GRANT.allowed(GrantState.DROPPED)) == ((), ())
