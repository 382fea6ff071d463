"""Decisions on payments without a database: ceilings hold, nothing is lost, four people differ."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.agreements.states import PaymentKind
from grants.calls.rules import Funding, TimeLimits
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, euros, total
from grants.core.text import csv_line
from grants.ledger import rules as legs
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances, Dimensions, Leg
from grants.payments import rules
from grants.payments.rules import Limits
from grants.payments.rules.finals import Found, final_limits
from grants.payments.states import ORDER, REQUEST, OrderState, RequestState, Step

LIMITS = Limits(euros(600_000), euros(540_000), euros(240_000), euros(30_000))
DIMS = Dimensions()
TIMES = TimeLimits(prefinancing=30, before_start=10, report=60, interim=90, balance=90)
A, B, C, D = (UUID(int=number) for number in range(1, 5))

cents = st.integers(0, 80_000_000).map(Money)


def _final(accepted: Money) -> Money:
    return final_limits(Funding(), Found(LIMITS.maximum, accepted, accepted, {None: accepted})).final


def prefinanced(gross: Money = LIMITS.prefinancing) -> list[Leg]:
    decision = rules.decide_prefinancing(Balances({}), LIMITS, gross)
    return [*legs.legs_e6(gross, DIMS, retention=decision.retained), *paid(decision.payable)]


def paid(amount: Money) -> tuple[Leg, ...]:
    if not amount:
        return ()
    return legs.legs_e7(amount, DIMS) + legs.legs_e8([(A, amount)], DIMS)


def test_pre_financing_keeps_the_retention_out_of_what_is_paid() -> None:
    decision = rules.decide_prefinancing(Balances({}), LIMITS, euros(240_000))

    assert (decision.payable, decision.retained) == (euros(210_000), euros(30_000))


@pytest.mark.parametrize(
    ("already", "asked", "words"),
    [([], 240_001, "is EUR 1.00 more"), (prefinanced(), 300_001, "of pre-financing"), (prefinanced(), 240_000, None)],
)
def test_pre_financing_stays_within_the_agreement(already: list[Leg], asked: int, words: str | None) -> None:
    if words is None:
        assert rules.decide_prefinancing(Balances.of(already), LIMITS, euros(asked)).payable == euros(210_000)
        return
    with pytest.raises(Refused, match=words):
        rules.decide_prefinancing(Balances.of(already), LIMITS, euros(asked))


def test_an_interim_payment_is_cut_to_the_ceiling() -> None:
    decision = rules.decide_interim(Balances.of(prefinanced()), LIMITS, euros(350_000))

    assert (decision.payable, decision.cleared, decision.deferred) == (euros(300_000), euros(50_000), ZERO)


@settings(max_examples=150, deadline=None)
@given(cents, st.lists(cents, max_size=6), cents)
def test_any_reports_are_paid_within_ceiling_and_maximum_and_settled_to_the_cent(
    prefinancing: Money, accepted: list[Money], last: Money
) -> None:
    books = prefinanced(min(prefinancing, LIMITS.prefinancing)) if prefinancing else []
    for amount in accepted:
        decision = rules.decide_interim(Balances.of(books), LIMITS, amount)
        assert decision.payable + decision.cleared + decision.deferred == amount
        if decision.booked:
            books += legs.legs_e10(decision.booked, DIMS, cash=decision.payable)
        books += paid(decision.payable)
        found = Balances.of(books)
        assert found.counted_to_ceiling <= LIMITS.interim_ceiling
        assert found[Account.PREFINANCING] >= ZERO

    before = Balances.of(books)
    final = _final(total([*accepted, last]))
    decision = rules.decide_balance(before, LIMITS, final)
    steps = rules.final_steps(before, final)
    if steps.increase:
        books += legs.legs_e11(steps.increase, DIMS, outstanding=steps.outstanding)
    if steps.decrease:
        books += legs.legs_e11b(steps.decrease, DIMS)
    if steps.retention:
        books += legs.legs_e12(steps.retention, DIMS, outstanding=steps.outstanding_after)
    books += paid(decision.payable)

    after = Balances.of(books)
    assert after.cash_out - decision.recoverable == final
    assert after[Account.PREFINANCING] == decision.recoverable
    assert (after[Account.GRANT_COSTS], after[Account.RETENTION], after[Account.PAYABLE]) == (final, ZERO, ZERO)
    assert final == min(LIMITS.maximum, total([*accepted, last]))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(cents, cents), max_size=6), cents)
def test_what_is_refused_never_comes_back_and_what_is_deferred_always_does(
    asked: list[tuple[Money, Money]], last: Money
) -> None:
    books: list[Leg] = prefinanced()
    adds, refused, deferred = [], ZERO, ZERO
    for accepted, cut in asked:
        approved = accepted - min(cut, accepted)
        decision = rules.decide_interim(Balances.of(books), LIMITS, approved)
        if decision.booked:
            books += legs.legs_e10(decision.booked, DIMS, cash=decision.payable)
        refused, deferred = refused + accepted - approved, deferred + decision.deferred
        adds.append(rules.counted(accepted, RequestState.APPROVED, approved))

    final = _final(total([*adds, last]))

    everything = total([accepted for accepted, _ in asked]) + last
    assert final == min(LIMITS.maximum, everything - refused)
    steps = rules.final_steps(Balances.of(books), final)
    assert steps.increase - steps.decrease == min(
        LIMITS.maximum - Balances.of(books)[Account.GRANT_COSTS], deferred + last
    )


def test_a_rejected_request_counts_nothing_and_an_open_one_the_whole() -> None:
    assert rules.counted(euros(100), RequestState.REJECTED, None) == ZERO
    assert rules.counted(euros(100), RequestState.SUBMITTED, None) == euros(100)
    assert rules.counted(euros(100), None, None) == euros(100)


def test_a_final_amount_above_the_maximum_is_refused() -> None:
    with pytest.raises(Refused, match="maximum of the grant"):
        rules.decide(PaymentKind.BALANCE, Balances({}), LIMITS, euros(600_001))


@pytest.mark.parametrize(
    ("in_force", "starts", "due"),
    [
        (date(2023, 5, 1), date(2023, 6, 1), date(2023, 5, 31)),
        (date(2023, 1, 10), date(2023, 6, 1), date(2023, 5, 22)),
    ],
)
def test_pre_financing_is_due_on_the_later_of_two_days(in_force: date, starts: date, due: date) -> None:
    assert rules.prefinancing_due_on(in_force, starts, TIMES) == due


def test_a_report_is_paid_within_the_days_of_its_grant_the_day_of_receipt_not_counted() -> None:
    received = date(2024, 7, 1)

    assert rules.report_due_on(PaymentKind.INTERIM, received, TIMES) == date(2024, 9, 29)
    assert rules.report_due_on(PaymentKind.BALANCE, received, TimeLimits(30, 10, 60, 90, 60)) == date(2024, 8, 30)


@given(st.lists(st.tuples(st.sampled_from(list(Step)), st.sampled_from([A, B, C, D])), max_size=8))
def test_no_circuit_has_one_person_twice(tries: list[tuple[Step, UUID]]) -> None:
    signed: dict[Step, UUID] = {}
    for step, person in tries:
        try:
            rules.refuse_same_person(signed, step, person)
        except Refused:
            assert any(person == other for earlier, other in signed.items() if earlier is not step)
            continue
        signed[step] = person
        assert len(set(signed.values())) == len(signed)


def test_the_program_takes_no_step_of_the_circuit() -> None:
    with pytest.raises(Refused, match="A person must"):
        rules.refuse_same_person({}, Step.VERIFIED, None)


@given(st.integers(1, 10**9).map(Money), st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
def test_a_payment_over_partners_never_takes_more_than_one_has_open(amount: Money, weights: list[int]) -> None:
    still_open = [(UUID(int=number + 1), Money(weight)) for number, weight in enumerate(weights)]
    if amount > total(each for _, each in still_open):
        with pytest.raises(Refused):
            rules.shares_of(amount, still_open)
        return

    shares = rules.shares_of(amount, still_open)

    left = dict(still_open)
    assert total(part for _, part in shares) == amount
    assert all(part <= left[partner] for partner, part in shares)


@pytest.mark.parametrize(("amount", "refusal"), [(0, Invalid), (-1, Invalid), (61, Refused)])
def test_an_order_takes_at_most_what_is_left(amount: int, refusal: type[Exception]) -> None:
    rules.refuse_over_payable(Money(100), Money(40), Money(60))

    with pytest.raises(refusal):
        rules.refuse_over_payable(Money(100), Money(40), Money(amount))


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM", "'@SUM"),
        ("＝1", "'＝1"),
        ("\t=1", "'\t=1"),
        (Money(-150), "-1.50"),
        (None, ""),
        ("Łódź", "Łódź"),
    ],
)
def test_text_in_a_csv_is_never_a_formula_and_numbers_stay_numbers(cell: object, written: str) -> None:
    assert csv_line([cell]).rstrip("\r\n").strip('"') == written


@pytest.mark.parametrize("verb", [step.verb for step in ORDER.transitions])
@pytest.mark.parametrize("state", list(OrderState))
def test_an_order_moves_only_as_its_table_says(state: OrderState, verb: str) -> None:
    sources = {source for step in ORDER.transitions if step.verb == verb for source in step.sources}
    if state in sources:
        assert ORDER.target(state, verb) in OrderState
        return
    with pytest.raises(Refused):
        ORDER.target(state, verb)


@pytest.mark.parametrize("state", [RequestState.REJECTED, RequestState.CLEARED])
def test_a_request_never_leaves_its_end(state: RequestState) -> None:
    assert REQUEST.allowed(state) == ()


@pytest.mark.parametrize("state", [OrderState.CANCELLED, OrderState.RETURNED])
def test_an_order_never_leaves_its_end(state: OrderState) -> None:
    assert ORDER.allowed(state) == ()


def test_what_is_paid_only_comes_back() -> None:
    assert REQUEST.allowed(RequestState.PAID) == ("come_back", "come_back_in_part")
    assert ORDER.allowed(OrderState.EXECUTED) == ("return",)


def test_what_the_bank_rejected_is_at_most_paid_after_all() -> None:
    assert ORDER.allowed(OrderState.BANK_REJECTED) == ("pay_after_all",)
    assert ORDER.target(OrderState.BANK_REJECTED, "pay_after_all") is OrderState.EXECUTED
