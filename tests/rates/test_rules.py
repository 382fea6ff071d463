"""Files of rates read and checked, amounts converted, interest worked out: by value and by property."""

from __future__ import annotations

import doctest
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.core.errors import Refused
from grants.core.money import Money, euros
from grants.rates import rules
from grants.rates.rules import ConversionAsked, InterestAsked, Rates, Read, Series, converting
from grants.rates.states import RateKind

TODAY = date(2026, 11, 27)
DAILY, MONTHLY, REFERENCE = RateKind.ECB_DAILY, RateKind.INFOREURO, RateKind.REFERENCE


def read(kind: RateKind, text: str, month: date | None = None, standing: Rates | None = None) -> Read:
    table = [line.split(";") for line in text.strip().splitlines()]
    return rules.read(kind, table, month=month, today=TODAY, standing=standing or Rates(kind, ()))


def of(kind: RateKind, currency: str, **rates: str) -> Rates:
    """``PLN, d20261126="4.25"``: the rates of one currency."""
    found = {date.fromisoformat(f"{on[1:5]}-{on[5:7]}-{on[7:]}"): Decimal(rate) for on, rate in rates.items()}
    return Rates(kind, (Series(currency, found),))


def test_the_examples_of_the_docstrings() -> None:
    assert doctest.testmod(converting).failed == 0


def test_a_file_of_daily_rates_is_read_by_currency_and_day_and_absent_ones_are_left_out() -> None:
    found = read(DAILY, "Date;USD;PLN;\n2026-11-26;1.0432;4.25;\n2026-11-25;1.0410;N/A;")

    assert (found.problems, found.flags) == ((), ())
    assert found.rates == Rates(
        DAILY,
        (
            Series("PLN", {date(2026, 11, 26): Decimal("4.25")}),
            Series("USD", {date(2026, 11, 25): Decimal("1.0410"), date(2026, 11, 26): Decimal("1.0432")}),
        ),
    )


def test_monthly_rates_name_their_month_in_a_column_or_beside_the_file_and_the_euro_is_no_currency_of_them() -> None:
    named = read(
        MONTHLY, "Country;Currency;ISO code;Value;Period\nPoland;Zloty;PLN;4.25;2026-11\nItaly;Euro;EUR;1;2026-11"
    )
    beside = read(MONTHLY, "Country;Currency;ISO code;Value\nPoland;Zloty;PLN;4.25", date(2026, 11, 1))

    assert named.rates == beside.rates == of(MONTHLY, "PLN", d20261101="4.25")


def test_reference_rates_are_per_cent_from_a_day_on_and_may_be_nought() -> None:
    found = read(REFERENCE, "DATE;TIME PERIOD;Rate\n2016-03-16;16 Mar 2016;0.00\n2022-07-27;27 Jul 2022;0.50")

    assert found.rates == of(REFERENCE, "EUR", d20160316="0.00", d20220727="0.50")
    assert found.flags == ()


@pytest.mark.parametrize(
    ("kind", "text", "month", "sentence"),
    [
        (DAILY, "Date;PLN\n2026-11-26;0", None, "The rate of PLN is 0."),
        (DAILY, "Date;PLN\n2026-11-26;-4.25", None, "“-4.25” is no rate."),
        (DAILY, "Date;PLN\n2026-11-26;4,25", None, "“4,25” is no rate. Rates are written with a point"),
        (DAILY, "Date;PLN\n2026-11-26;1e3", None, "“1e3” is no rate."),
        (DAILY, "Date;PLN\n2026-11-26;NaN", None, "“NaN” is no rate."),
        (DAILY, "Date;PLN\n2026-11-26;4.123456789", None, "has more than 8 decimals"),
        (DAILY, "Date;PLN\n2026-11-28;4.25", None, "2026-11-28 has not come yet"),
        (DAILY, "Date;PLN\n2026-11-26;4.25\n2026-11-26;4.25", None, "PLN has a rate for 2026-11-26 already"),
        (DAILY, "Date;PLN\n26.11.2026;4.25", None, "“26.11.2026” is no day"),
        (DAILY, "Date;PLN\n2026-02-30;4.25", None, "“2026-02-30” is no day"),
        (DAILY, "Date;PLN\n1998-12-31;4.25", None, "1998-12-31 is before the euro"),
        (DAILY, "Date;pln;PLN\n2026-11-26;4.25;4.25", None, "“pln” is no currency code"),
        (DAILY, "Day;Złoty\n2026-11-26;4.25", None, "The first line must name the columns: Date"),
        (DAILY, "Date;PLN\n2026-11-26;N/A", None, "The file holds no rate."),
        (DAILY, "Date;PLN\n2026-11-26;4.25", date(2026, 11, 1), "Leave the month empty."),
        (MONTHLY, "ISO code;Value\nPLN;4.25", None, "Name the month beside it."),
        (MONTHLY, "ISO code;Value;Period\nPLN;4.25;2026-12", None, "2026-12 has not come yet"),
        (MONTHLY, "ISO code;Value;Period\nPLN;4.25;2026-10", date(2026, 11, 1), "is of 2026-10, and you named 2026-11"),
        (
            MONTHLY,
            "ISO code;Value;Period\nPLN;4.25;2026-09\nPLN;4.3;2026-11",
            None,
            "PLN: the months between 2026-09 and 2026-11 are missing.",
        ),
        (MONTHLY, "ISO code;Value;Period\nEUR;1.01;2026-11", None, "One euro is one euro"),
        (MONTHLY, "Country;Zloty\nPLN;4.25", None, "the ISO code of the currency and the value"),
        (REFERENCE, "Date;Rate\n2026-06-11;250", None, "250 per cent a year is more than 50"),
        (REFERENCE, "Rate;Date\n2.15;2026-06-11", None, "the date from which a rate holds first"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_line(
    kind: RateKind, text: str, month: date | None, sentence: str
) -> None:
    found = read(kind, text, month)

    assert found.rates is None
    assert sentence in " ".join(found.problems)


def test_what_looks_odd_is_taken_with_a_word_jumps_inversions_gaps_and_corrections() -> None:
    standing = of(DAILY, "PLN", d20261124="4.25", d20261125="4.30")

    assert read(DAILY, "Date;PLN\n2026-11-26;4.31", standing=standing).flags == ()
    assert "is a jump of more than 10 %" in read(DAILY, "Date;PLN\n2026-11-26;4.80", standing=standing).flags[0]
    assert "looks upside down" in read(DAILY, "Date;PLN\n2026-11-26;0.2325", standing=standing).flags[0]
    assert "4.30 stands. Taking it corrects" in read(DAILY, "Date;PLN\n2026-11-25;4.29", standing=standing).flags[0]
    old = of(DAILY, "PLN", d20261110="4.25")
    assert "no rate from 2026-11-10 to 2026-11-26" in read(DAILY, "Date;PLN\n2026-11-26;4.25", standing=old).flags[0]
    # What stood before is not judged again.
    assert read(DAILY, "Date;USD\n2026-11-26;1.04", standing=standing).flags == ()


def test_a_hundred_mistakes_are_told_in_twenty_sentences_and_a_number() -> None:
    found = read(DAILY, "Date;PLN\n" + "\n".join(f"2026-11-26;x{number}" for number in range(100)))

    assert len(found.problems) == 21 and found.problems[-1] == "And 80 more of this kind."


RATES = st.decimals(min_value="0.0001", max_value="2000", places=4)


@given(st.integers(0, 10**11), st.lists(RATES, min_size=1, max_size=260))
def test_converted_is_the_amount_over_the_mean_within_half_a_cent(cents: int, rates: list[Decimal]) -> None:
    amount = Decimal(cents) / 100
    exact = Fraction(amount) * len(rates) / sum(Fraction(rate) for rate in rates)

    found = rules.in_euros(amount, rates)

    assert abs(Fraction(found.cents, 100) - exact) <= Fraction(1, 200)
    assert found == rules.in_euros(amount, list(reversed(rates)))


def test_a_period_with_rates_missing_at_an_end_or_within_is_refused() -> None:
    first, last = date(2026, 1, 1), date(2026, 3, 31)
    whole = {first + timedelta(days=each): Decimal(4) for each in range((last - first).days + 1)}

    def made(rates: dict[date, Decimal], kind: RateKind = DAILY) -> Money:
        return rules.convert(ConversionAsked(Decimal(100), "PLN", kind, first, last), rates).euros

    assert made(whole) == euros(25)
    for left_out in (range(0, 11), range(40, 55), range(79, 90)):
        with pytest.raises(Refused, match="no rate from"):
            made({on: rate for place, (on, rate) in enumerate(whole.items()) if place not in left_out})
    with pytest.raises(Refused, match="no rate between 2026-01-01 and 2026-03-31"):
        made({date(2025, 12, 31): Decimal(4)})
    months = {date(2026, month, 1): Decimal(4) for month in (1, 2, 3)}
    assert made(months, MONTHLY) == euros(25)
    with pytest.raises(Refused, match="2026-02 is missing"):
        made({on: rate for on, rate in months.items() if on.month != 2}, MONTHLY)


def test_a_period_of_monthly_rates_takes_whole_months() -> None:
    asked = ConversionAsked(Decimal(100), "PLN", MONTHLY, date(2026, 1, 20), date(2026, 2, 3))
    found = rules.convert(asked, {date(2026, 1, 1): Decimal(4), date(2026, 2, 1): Decimal(5)})

    assert (found.average, found.euros, found.shown_average) == (Fraction(9, 2), Money(22_22), Decimal("4.50000000"))


@pytest.mark.parametrize(
    ("due_on", "paid_on", "day_count", "days", "cents"),
    [
        (date(2026, 6, 30), date(2026, 6, 30), 365, 0, 0),
        (date(2026, 6, 30), date(2026, 6, 29), 365, 0, 0),
        (date(2026, 6, 30), date(2026, 7, 1), 365, 1, 1548),
        (date(2026, 6, 30), date(2027, 6, 30), 365, 365, 5_650_00),
        (date(2026, 6, 30), date(2027, 6, 25), 360, 360, 5_650_00),
        (date(2028, 2, 28), date(2028, 3, 1), 365, 2, 3096),
    ],
)
def test_interest_runs_from_the_day_after_to_the_day_of_payment(
    due_on: date, paid_on: date, day_count: int, days: int, cents: int
) -> None:
    asked = InterestAsked(euros(100_000), due_on, paid_on, Decimal("3.5"), day_count)
    found = rules.interest(asked, (date(2026, 6, 1), Decimal("2.15")))

    assert (found.days, found.amount.cents) == (days, cents)


def test_the_reference_rate_is_the_one_that_held_on_the_first_of_the_month_it_was_due() -> None:
    rates = {date(2026, 6, 1): Decimal("2.15"), date(2026, 6, 11): Decimal("2.40")}

    assert rules.held_on(rates, date(2026, 6, 30)) == (date(2026, 6, 1), Decimal("2.15"))
    assert rules.held_on(rates, date(2026, 7, 1)) == (date(2026, 6, 11), Decimal("2.40"))
    assert rules.held_on(rates, date(2026, 5, 31)) is None
