"""Double entry without a database: each event balances, any life of a grant keeps the invariants."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.core.money import ZERO, Money, euros
from grants.ledger import rules
from grants.ledger.accounts import CHART, Account, Floor, Ledger, Side
from grants.ledger.rules import COUNTED_TO_CEILING, Balances, Dimensions, Leg, Unbalanced

CALL, GRANT = uuid4(), uuid4()
CITY, AGENCY = UUID(int=1), UUID(int=2)
DIMS = Dimensions(call_id=CALL, grant_id=GRANT)

amounts = st.integers(1, 10**11).map(Money)


def _accounts_of(ledger: Ledger) -> list[Account]:
    return sorted(account for account in Account if account.ledger is ledger)


def test_the_chart_has_the_three_ledgers() -> None:
    assert [account.value for account in _accounts_of(Ledger.BUDGET)] == [
        "B000",
        "B100",
        "B200",
        "B300",
        "B310",
        "B400",
    ]
    assert [account.value for account in _accounts_of(Ledger.MEMO)] == ["M000", "M100", "M200"]
    assert len(_accounts_of(Ledger.GENERAL)) == 18


def debit(account: Account, amount: Money) -> Leg:
    return Leg(account, Side.DEBIT, amount)


def credit(account: Account, amount: Money) -> Leg:
    return Leg(account, Side.CREDIT, amount)


def test_a_leg_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        debit(Account.BANK, ZERO)


@pytest.mark.parametrize(
    "legs",
    [
        (),
        (debit(Account.BANK, Money(1)),),
        (debit(Account.BANK, Money(2)), credit(Account.PAYABLE, Money(1))),
        # Balanced in all, but neither ledger by itself.
        (debit(Account.AVAILABLE, Money(1)), credit(Account.BANK, Money(1))),
        (debit(Account.HELD_BY_COORDINATOR, Money(1)), credit(Account.BUDGET_AUTHORISED, Money(1))),
    ],
)
def test_unbalanced_legs_are_refused(legs: rules.Legs) -> None:
    with pytest.raises(Unbalanced):
        rules.refuse_unbalanced(legs)


def test_a_negative_amount_cannot_be_posted() -> None:
    with pytest.raises(ValueError, match="above zero"):
        rules.legs_e6(euros(100), DIMS, retention=euros(101))


@given(amounts, amounts, amounts)
def test_every_event_balances(one: Money, two: Money, three: Money) -> None:
    shares = [(CITY, one), (AGENCY, two)]
    entries = [
        rules.legs_e1(one, DIMS),
        rules.legs_e1_lowered(one, DIMS),
        rules.legs_e2(one, DIMS),
        rules.legs_e3(one, DIMS),
        rules.legs_e4(one, DIMS),
        rules.legs_e5(shares, DIMS),
        rules.legs_e6(one + two, DIMS, retention=two),
        rules.legs_e7(one, DIMS),
        rules.legs_e8(shares, DIMS),
        rules.legs_e8_outside_budget(one, DIMS),
        rules.legs_e9a(one, DIMS),
        rules.legs_e9b(shares, DIMS),
        rules.legs_e9c(one, DIMS),
        rules.legs_e10(one + two, DIMS, cash=two),
        rules.legs_e11(one, DIMS, outstanding=two),
        rules.legs_e11b(one, DIMS),
        rules.legs_e12(one, DIMS, outstanding=two),
        rules.legs_e13(one, DIMS),
        rules.legs_e13_rejected_costs(one, DIMS),
        rules.legs_e14(one, DIMS, owed=two, reopened=[(CITY, three)]),
        rules.legs_e15(one, DIMS),
        rules.legs_e15_across(one, DIMS, debtor=Dimensions(grant_id=uuid4())),
        rules.legs_e16(one, DIMS),
        rules.legs_e17_owed(one, DIMS),
        rules.legs_e17_sent(one, DIMS),
        rules.legs_e17_rejected(one, DIMS),
        rules.legs_e17_returned(one, DIMS),
        rules.legs_e18_due(one, DIMS),
        rules.legs_e18_received(one, DIMS),
        rules.legs_e19(shares, DIMS),
        rules.legs_e19_lowered(shares, DIMS),
        rules.legs_e20(one, DIMS, giver=CITY, taker=AGENCY),
        rules.legs_e21(shares, DIMS),
        rules.legs_e22_received(one, DIMS),
        rules.legs_e22_identified(one, DIMS),
        rules.legs_e23_received(shares, DIMS),
        rules.legs_e23_taken_back(shares, DIMS),
        rules.legs_e23_distributed(shares, DIMS),
        rules.legs_e27(one, DIMS, retained=two, ahead=one + two),
    ]

    for legs in entries:
        rules.refuse_unbalanced(legs)
        both = legs + rules.legs_e24(legs)
        assert set(Balances.of(both).amounts.values()) == {ZERO}


def test_pre_financing_and_its_retention() -> None:
    legs = rules.legs_e6(euros(240_000), DIMS, retention=euros(30_000))

    assert [(leg.account.value, leg.side, leg.amount) for leg in legs] == [
        ("1100", Side.DEBIT, euros(240_000)),
        ("2000", Side.CREDIT, euros(210_000)),
        ("2200", Side.CREDIT, euros(30_000)),
    ]


def life(final: Money) -> tuple[Leg, ...]:
    """The worked example of the posting rules: maximum 600 000, paid until the grant amounts to ``final``."""
    maximum, ceiling = euros(600_000), euros(540_000)
    legs = [
        *rules.legs_e1(euros(1_000_000), DIMS),
        *rules.legs_e2(maximum, DIMS),
        *rules.legs_e4(maximum, DIMS),
        *rules.legs_e5([(CITY, euros(400_000)), (AGENCY, euros(200_000))], DIMS),
        *rules.legs_e6(euros(240_000), DIMS, retention=euros(30_000)),
        *paid(euros(210_000)),
    ]
    accepted = euros(350_000)
    cash = min(accepted, ceiling - Balances.of(legs).counted_to_ceiling)
    assert cash == euros(300_000)
    legs += [*rules.legs_e10(accepted, DIMS, cash=cash), *paid(cash)]
    if final > accepted:
        legs += rules.legs_e11(final - accepted, DIMS, outstanding=Balances.of(legs)[Account.PREFINANCING])
    if final < accepted:
        legs += rules.legs_e11b(accepted - final, DIMS)
    legs += rules.legs_e12(euros(30_000), DIMS, outstanding=Balances.of(legs)[Account.PREFINANCING])
    if balance := Balances.of(legs)[Account.PAYABLE]:
        legs += paid(balance)
    if owed := Balances.of(legs)[Account.PREFINANCING]:
        legs += [*rules.legs_e13(owed, DIMS), *rules.legs_e14(owed, DIMS, owed=owed, reopened=[(CITY, owed)])]
    if left := Balances.of(legs)[Account.LEGALLY_COMMITTED]:
        legs += rules.legs_e21([(CITY, left)], DIMS)
    return tuple(legs)


def paid(amount: Money) -> rules.Legs:
    return rules.legs_e7(amount, DIMS) + rules.legs_e8([(CITY, amount)], DIMS)


@pytest.mark.parametrize("whole", [560_000, 500_000, 600_000, 350_000, 300_000])
def test_at_the_end_only_bank_costs_and_budget_are_left(whole: int) -> None:
    final = euros(whole)

    found = Balances.of(life(final))

    left = {account: amount for account, amount in found.amounts.items() if amount}
    assert left == {
        Account.BANK: -final,
        Account.GRANT_COSTS: final,
        Account.CONSUMED: final,
        Account.AVAILABLE: euros(1_000_000) - final,
        Account.BUDGET_AUTHORISED: euros(1_000_000),
    }


@settings(max_examples=50)
@given(st.integers(0, 60_000_000).map(Money))
def test_any_final_amount_clears_the_grant(final: Money) -> None:
    found = Balances.of(life(final))

    assert (found.cash_out, found[Account.GRANT_COSTS], found[Account.CONSUMED]) == (final, final, final)
    assert problems(found) == ()


def problems(found: Balances) -> tuple[object, ...]:
    return (
        *rules.budget_problems("call", found),
        *rules.grant_problems("grant", found),
        *rules.floor_problems("call", found, Floor.CALL),
        *rules.floor_problems("grant", found, Floor.GRANT),
    )


# A random life: each step tries one event with a random amount, and is taken when every floor still holds.
STEPS = {
    "E1": lambda amount, _: rules.legs_e1(amount, DIMS),
    "E1 lowered": lambda amount, _: rules.legs_e1_lowered(amount, DIMS),
    "E2": lambda amount, _: rules.legs_e2(amount, DIMS),
    "E3": lambda amount, _: rules.legs_e3(amount, DIMS),
    "E4": lambda amount, _: rules.legs_e4(amount, DIMS),
    "E5": lambda amount, _: rules.legs_e5([(CITY, amount), (AGENCY, amount)], DIMS),
    "E6": lambda amount, _: rules.legs_e6(amount, DIMS, retention=amount.split([9, 1])[1]),
    "E7": lambda amount, _: rules.legs_e7(amount, DIMS),
    "E8": lambda amount, _: rules.legs_e8([(CITY, amount)], DIMS),
    "E9a": lambda amount, _: rules.legs_e9a(amount, DIMS),
    "E9b": lambda amount, _: rules.legs_e9b([(CITY, amount)], DIMS),
    "E9c": lambda amount, _: rules.legs_e9c(amount, DIMS),
    "E10": lambda amount, found: rules.legs_e10(amount, DIMS, cash=amount - min(amount, found[Account.PREFINANCING])),
    "E11": lambda amount, found: rules.legs_e11(amount, DIMS, outstanding=found[Account.PREFINANCING]),
    "E11b": lambda amount, _: rules.legs_e11b(amount, DIMS),
    "E12": lambda amount, found: rules.legs_e12(amount, DIMS, outstanding=found[Account.PREFINANCING]),
    "E13": lambda amount, _: rules.legs_e13(amount, DIMS),
    "E14": lambda amount, found: rules.legs_e14(amount, DIMS, owed=found[Account.RECOVERY_RECEIVABLE]),
    "E15": lambda amount, _: rules.legs_e15(amount, DIMS),
    "E16": lambda amount, _: rules.legs_e16(amount, DIMS),
    "E17": lambda amount, _: rules.legs_e17_owed(amount, DIMS) + rules.legs_e17_sent(amount, DIMS),
    "E18": lambda amount, _: rules.legs_e18_due(amount, DIMS),
    "E19": lambda amount, _: rules.legs_e19([(AGENCY, amount)], DIMS),
    "E20": lambda amount, _: rules.legs_e20(amount, DIMS, giver=CITY, taker=AGENCY),
    "E21": lambda amount, _: rules.legs_e21([(CITY, amount)], DIMS),
    "E22": lambda amount, _: rules.legs_e22_received(amount, DIMS),
    "E23": lambda amount, _: rules.legs_e23_received([(AGENCY, amount)], DIMS),
}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(1, 10_000).map(Money)), max_size=60))
def test_the_invariants_hold_after_every_step_of_any_life(steps: list[tuple[str, Money]]) -> None:
    taken = list(rules.legs_e1(Money(50_000), DIMS))
    refused = 0
    for event, amount in steps:
        found = Balances.of(taken)
        legs = STEPS[event](amount, found)
        after = Balances.of([*taken, *legs])
        if any(after[account] < ZERO for account in Account if CHART[account].floor is not Floor.NONE):
            refused += 1
            continue
        taken += legs
        assert problems(Balances.of(taken)) == ()

    assert set(rules.differences(taken).values()) == {0}
    assert refused <= len(steps)


def test_a_changed_leg_changes_the_digest() -> None:
    legs = rules.legs_e7(Money(100), DIMS)

    assert rules.digest(legs) == rules.digest(legs)
    assert rules.digest(rules.legs_e7(Money(101), DIMS)) != rules.digest(legs)
    assert rules.digest(rules.legs_e7(Money(100), DIMS.of(CITY))) != rules.digest(legs)


@pytest.mark.parametrize(
    ("ref", "number"),
    [("E-2024-0412", 412), ("E-2024-12345", 12345), ("E-2024-", None), ("X-2024-1", None), ("E-2024-1-1", None)],
)
def test_references_are_read_back(ref: str, number: int | None) -> None:
    assert rules.number_of(ref) == number


def test_the_ceiling_counts_what_is_retained_payable_in_transit_and_paid() -> None:
    legs = [*rules.legs_e6(euros(240), DIMS, retention=euros(30))]
    counted = [Balances.of(legs).counted_to_ceiling]
    for step in (
        rules.legs_e7(euros(210), DIMS),
        rules.legs_e8([(CITY, euros(210))], DIMS),
        rules.legs_e17_owed(euros(5), DIMS),
        rules.legs_e17_sent(euros(5), DIMS),
        rules.legs_e8_outside_budget(euros(5), DIMS),
        rules.legs_e9b([(CITY, euros(210))], DIMS),
    ):
        legs += step
        counted.append(Balances.of(legs).counted_to_ceiling)

    assert counted == [euros(240)] * 7


def test_each_invariant_names_what_is_wrong() -> None:
    spent = Balances({Account.LEGALLY_COMMITTED: euros(10), Account.CONSUMED: euros(5), Account.BANK: euros(-20)})

    assert rules.commitment_problems("grant G", spent, maximum=euros(20), decommitted=euros(5)) == ()
    assert len(rules.commitment_problems("grant G", spent, maximum=euros(20), decommitted=ZERO)) == 1
    assert len(rules.ceiling_problems("grant G", spent, ceiling=euros(19))) == 1
    assert rules.ceiling_problems("grant G", spent, ceiling=euros(20)) == ()
    found = rules.order_problems("grant G", paid=euros(4), committed=euros(3), awarded=euros(3), budget=euros(2))
    assert [str(problem) for problem in found] == [
        "grant G: I5: paid EUR 4.00 is above committed EUR 3.00.",
        "grant G: I5: awarded EUR 3.00 is above the call's budget EUR 2.00.",
    ]


@given(st.dictionaries(st.sampled_from(Account), st.integers(-(10**12), 10**12)))
def test_what_counts_to_a_ceiling_is_what_its_accounts_were_credited(cents: dict[Account, int]) -> None:
    """The sum in cents by which the verify passes over a grant is the figure of the rule."""
    found = Balances({account: Money(each) for account, each in cents.items()})
    debited = {account: each if account.normal_side is Side.DEBIT else -each for account, each in cents.items()}

    assert -sum(debited.get(account, 0) for account in COUNTED_TO_CEILING) == found.counted_to_ceiling.cents
