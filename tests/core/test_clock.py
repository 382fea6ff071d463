"""Time: deadlines in a zone, the hour that does not exist and the hour that comes twice."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.core import clock
from grants.core.clock import BRUSSELS, Fold, add_days, add_months, local_to_utc, long_date, read_date
from grants.core.errors import Invalid


def test_the_extended_deadline_of_2022_is_eleven_in_utc() -> None:
    assert local_to_utc(datetime(2022, 11, 15, 12, 0), BRUSSELS) == datetime(2022, 11, 15, 11, 0, tzinfo=UTC)


def test_an_hour_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Invalid, match="does not exist"):
        local_to_utc(datetime(2027, 3, 28, 2, 30), BRUSSELS)


def test_an_hour_that_comes_twice_must_be_named() -> None:
    with pytest.raises(Invalid, match="twice"):
        local_to_utc(datetime(2026, 10, 25, 2, 30), BRUSSELS)

    earlier = local_to_utc(datetime(2026, 10, 25, 2, 30), BRUSSELS, fold=Fold.EARLIER)
    later = local_to_utc(datetime(2026, 10, 25, 2, 30), BRUSSELS, fold=Fold.LATER)
    assert (later - earlier).total_seconds() == 3600


def test_an_unknown_zone_is_refused_with_an_example() -> None:
    with pytest.raises(Invalid, match="Europe/Brussels"):
        clock.zone("CET summer")


def test_the_clock_can_be_set_inside_a_block() -> None:
    moment = datetime(2022, 9, 5, 10, 0, tzinfo=UTC)

    with clock.at(moment):
        assert clock.now() == moment
    assert clock.now() != moment


def test_months_end_where_the_shorter_month_ends() -> None:
    assert add_months(date(2023, 1, 31), 1) == date(2023, 2, 28)
    assert add_months(date(2023, 5, 1), 24) == date(2025, 5, 1)
    assert add_months(date(2024, 1, 30), 1) == date(2024, 2, 29)


def test_the_day_of_the_event_is_not_counted() -> None:
    assert add_days(date(2024, 2, 1), 30) == date(2024, 3, 2)


def test_a_date_is_written_in_words() -> None:
    assert long_date(date(2022, 11, 4)) == "4 November 2022"


@pytest.mark.parametrize(
    "text",
    [
        "15 November 2022",
        "15/11/2022",
        "15.11.2022",
        "15. 11. 2022",
        "15-11-2022",
        "2022-11-15",
        "15 nov 2022",
        " 15  November  2022 ",
    ],
)
def test_a_day_is_read_in_every_european_way(text: str) -> None:
    assert read_date(text) == date(2022, 11, 15)


@pytest.mark.parametrize("text", ["31 June 2022", "30/02/2022", "2022-13-01", "1 Ju 2022", "0/1/2022", "1/1/0000"])
def test_a_day_that_does_not_exist_is_not_guessed(text: str) -> None:
    with pytest.raises(Invalid, match="example 15 November 2022"):
        read_date(text)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "15/11/22", "11/2022", "١٥/١١/٢٠٢٢", "15 November", "15 Frimaire 2022"]
)
def test_what_is_no_day_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Invalid):
        read_date(text)


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)))
def test_every_day_shown_in_words_or_figures_is_read_as_itself(day: date) -> None:
    assert read_date(long_date(day)) == day
    assert read_date(day.isoformat()) == day
    assert read_date(f"{day.day}/{day.month}/{day.year}") == day


@pytest.mark.parametrize("text", ["31.12.9999", "31 December 1899", "2201-01-01", "1/1/0001"])
def test_a_year_far_away_is_a_sentence(text: str) -> None:
    with pytest.raises(Invalid, match="Write a year from 1900 to 2200"):
        read_date(text)


@given(st.text(max_size=40))
def test_any_text_is_a_day_or_a_sentence(text: str) -> None:
    try:
        assert isinstance(read_date(text), date)
    except Invalid as error:
        assert str(error).endswith(".")
