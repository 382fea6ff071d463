"""Time: deadlines in a zone, the hour that does not exist and the hour that comes twice."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from grants.core import clock
from grants.core.clock import BRUSSELS, Fold, Period, add_days, add_months, local_to_utc, long_date
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


def test_a_period_leaves_its_end_out() -> None:
    period = Period(date(2024, 1, 1), date(2025, 1, 1))

    assert date(2024, 12, 31) in period
    assert date(2025, 1, 1) not in period


def test_a_date_is_written_in_words() -> None:
    assert long_date(date(2022, 11, 4)) == "4 November 2022"
