"""Money: exact, never a cent lost, and every European way of writing an amount read right or refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.core.errors import Invalid
from grants.core.money import CENTS_MAX, Money, NegativeAmounts, Rounding, euros, parse_money, plain, total

cents = st.integers(-(10**14), 10**14)


@given(cents, st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(any))
def test_the_parts_of_a_split_sum_to_the_whole(amount: int, weights: list[int]) -> None:
    assert total(Money(amount).split(weights)) == Money(amount)


def test_a_third_of_a_hundred_thousand_gives_the_spare_cent_to_the_first() -> None:
    assert [part.cents for part in euros(100_000).split([1, 1, 1])] == [33_333_34, 33_333_33, 33_333_33]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1]])
def test_a_split_without_usable_weights_is_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Money(100).split(weights)


@given(cents, st.fractions(0, 1))
def test_a_share_is_within_a_cent_of_the_exact_one(amount: int, rate: Fraction) -> None:
    down = Money(amount).share(rate, rounding=Rounding.DOWN).cents
    near = Money(amount).share(rate, rounding=Rounding.HALF_UP).cents

    assert abs(amount * rate) - 1 < abs(down) <= abs(amount * rate)
    assert abs(near - amount * rate) <= Fraction(1, 2)


def test_half_a_cent_goes_away_from_zero() -> None:
    assert Money(2).share(Fraction(1, 4), rounding=Rounding.HALF_UP) == Money(1)
    assert Money(-2).share(Fraction(1, 4), rounding=Rounding.HALF_UP) == Money(-1)


@given(st.integers(0, CENTS_MAX))
def test_what_is_shown_is_read_back(amount: int) -> None:
    assert parse_money(plain(Money(amount))) == Money(amount)


@pytest.mark.parametrize(
    "text", ["1.000,50", "1,000.50", "1 000,50", "1\u00a0000.50", "1'000.5", "1000,5", "EUR 1000.50", "\u20ac1.000,50"]
)
def test_every_european_way_of_writing_is_read(text: str) -> None:
    assert parse_money(text) == Money(1_000_50)


def test_one_mark_and_three_digits_is_a_thousand() -> None:
    assert parse_money("1.000") == euros(1000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1.0000",
        "1,2345",
        "1e6",
        "NaN",
        "Infinity",
        "\uff11\uff12",
        "0.125",
        "0,125",
        "0.001",
        "00.500",
        "000 500",
        "1.000.50",
        "1,00,000",
        "12.34.56",
        "-5",
        "--5",
        "abc",
        "1 00",
    ],
)
def test_what_is_not_an_amount_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_money(text)

    assert str(refused.value).endswith(".")


def test_a_correction_may_be_negative_where_it_is_allowed() -> None:
    assert parse_money("-5,00", negative=NegativeAmounts.ALLOWED) == Money(-500)


def test_minus_zero_is_zero() -> None:
    assert parse_money("-0") == Money(0)


def test_an_amount_beyond_floating_point_is_stored_exactly() -> None:
    assert parse_money("9 007 199 254 740.93") == Money(900719925474093)


def test_an_amount_beyond_the_limit_is_refused() -> None:
    with pytest.raises(Invalid, match="limit"):
        parse_money("90 071 992 547 409.93")


def test_ten_times_ten_cents_is_one_euro() -> None:
    assert total([parse_money("0.10")] * 10) == euros(1)


def test_two_currencies_never_mix() -> None:
    with pytest.raises(ValueError, match="different kinds"):
        Money(1) + Money(1, "SEK")


@pytest.mark.parametrize("value", [1.5, True, "1"])
def test_only_whole_cents_make_money(value: object) -> None:
    with pytest.raises(TypeError):
        Money(value)
