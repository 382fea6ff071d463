"""Complaints as a value of a call: read, written back, and the days of its window and of its decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.calls.rules import ComplaintRules, complaint_deadline, content_of, facts_of, read_call_file
from grants.calls.rules.complaints_to import ComplaintsTo
from grants.calls.rules.signing import PROGRAMME_SIGNS, Signing
from grants.calls.rules.writing import call_file
from grants.calls.states import ComplaintGround, HolidayCalendar
from grants.core import clock
from grants.core.bank_days import target_closing_days
from grants.core.errors import Problems
from tests.calls.test_call_files import CALL_2022

SAID = """
  complaints:
    window_days: 5
    decide_days: 15
    working_days: true
    holidays: target
    days_off: [2027-12-24]
    languages: [English]
    grounds: [procedure, conflict]
  complaints_to:
    address: redress@pilots.example
    decided_by: the appeals board.
  signing:
    signed_by: Ada Byrne
    role: Head of Pilots
    place: Brussels
    contact: pilots@programme.example
"""
SIGNS = Signing("Ada Byrne", "Head of Pilots", place="Brussels", contact="pilots@programme.example")
RULES = ComplaintRules(
    5, 15, True, HolidayCalendar.TARGET, (date(2027, 12, 24),), ("en",), (ComplaintGround.PROCEDURE, ComplaintGround.CONFLICT)
)  # fmt: skip
BRUSSELS = "Europe/Brussels"


def with_rules(text: str = SAID) -> str:
    return CALL_2022.replace("\nevaluation:\n", f"\nevaluation:\n{text.lstrip(chr(10))}", 1)


def test_a_file_gives_the_rules_and_is_written_back_as_they_are() -> None:
    read = read_call_file(with_rules())

    written = call_file(read.fields, (), (), BRUSSELS)

    assert read.value("evaluation.complaints") == RULES
    assert read_call_file(written).value("evaluation.complaints") == RULES
    where = content_of(read_call_file(written).fields)
    assert where.complaints_to == ComplaintsTo("redress@pilots.example", "the appeals board.")
    assert where.complaints_to_words == (
        "One complains on the page of the application; who cannot do that writes to redress@pilots.example.",
        "A complaint is decided by the appeals board.",
    )
    # Where the call takes none here and names no address, who decides is not all that is said.
    way, by = replace(where, complaints=None, complaints_to=ComplaintsTo("", "the appeals board")).complaints_to_words
    assert "to the helpdesk" in way and by == "A complaint is decided by the appeals board."
    # In the editor and the versions nothing is said of a way that depends on another value.
    (fact,) = [each for each in facts_of(read_call_file(written).fields) if each.key == "evaluation.complaints_to"]
    assert fact.text == "redress@pilots.example; decided by the appeals board"
    assert where.signing == SIGNS
    (fact,) = [each for each in facts_of(read_call_file(written).fields) if each.key == "evaluation.signing"]
    assert fact.text == "Ada Byrne; Head of Pilots; Brussels; pilots@programme.example"


def test_a_call_that_says_nothing_takes_none() -> None:
    assert read_call_file(CALL_2022).value("evaluation.complaints") is None
    assert content_of(read_call_file(CALL_2022).fields).complaints_to_words == ()
    assert content_of(read_call_file(CALL_2022).fields).signing == PROGRAMME_SIGNS
    assert complaint_deadline(None, datetime(2027, 3, 1, tzinfo=UTC), BRUSSELS) is None
    assert complaint_deadline(RULES, None, BRUSSELS) is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("    window_days: 0\n    decide_days: 15\n", "from 1 to 120"),
        ("    window_days: 5\n", "is missing"),
        ("    window_days: 5\n    decide_days: 15\n    grounds: [merits]\n", "it may be verdict, procedure"),
    ],
)
def test_a_rule_out_of_range_is_refused_with_its_place(line: str, words: str) -> None:
    with pytest.raises(Problems) as error:
        read_call_file(with_rules("\n  complaints:\n" + line))

    said = " ".join(f"{each.place} {each.message}" for each in error.value.found)
    assert "evaluation.complaints" in said
    assert words in said


def test_the_window_ends_at_midnight_of_the_call_also_where_the_clocks_change() -> None:
    reached = datetime(2027, 3, 26, 22, 59, tzinfo=UTC)  # 23:59 in Brussels; the clocks go forward on the 28th

    assert complaint_deadline(RULES, reached, BRUSSELS) == datetime(2027, 3, 31, 22, 0, tzinfo=UTC)
    assert RULES.until_words(reached, BRUSSELS) == "the end of 31 March 2027 (24:00 CEST)"
    assert complaint_deadline(RULES, reached + timedelta(minutes=1), BRUSSELS) == datetime(
        2027, 4, 1, 22, 0, tzinfo=UTC
    )


def test_fifteen_working_days_leave_out_weekends_holidays_and_the_days_of_the_call() -> None:
    received = datetime(2027, 12, 10, 9, tzinfo=UTC)

    assert ComplaintRules(5, 15).decide_on(received, BRUSSELS) == date(2027, 12, 25)
    assert ComplaintRules(5, 15, working_days=True).decide_on(received, BRUSSELS) == date(2027, 12, 31)
    assert RULES.decide_on(received, BRUSSELS) == date(2028, 1, 3)
    assert RULES.days_words.endswith("TARGET, less 24 December 2027)")


def test_the_closing_days_follow_easter() -> None:
    easter_mondays = {2024: date(2024, 4, 1), 2025: date(2025, 4, 21), 2038: date(2038, 4, 26), 2100: date(2100, 3, 29)}

    assert all(day in target_closing_days(year) for year, day in easter_mondays.items())


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    st.integers(1, 120),
    st.sampled_from([BRUSSELS, "Atlantic/Azores", "Europe/Helsinki", "Asia/Beirut"]),
)
def test_the_window_holds_its_days_whole(reached: datetime, days: int, zone: str) -> None:
    rules = ComplaintRules(days, 10)

    ends = rules.deadline(reached, zone)

    first, last = (clock.in_zone(each, zone).date() for each in (reached, ends - timedelta(microseconds=1)))
    assert (last - first).days == days
    assert clock.in_zone(ends, zone).date() == last + timedelta(days=1)


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(1, 60))
def test_a_period_of_working_days_holds_so_many_of_them_and_ends_on_one(day: date, days: int) -> None:
    rules = ComplaintRules(5, days, working_days=True, holidays=HolidayCalendar.TARGET)

    end = rules.add_days(day, days)

    between = [day + timedelta(days=each) for each in range(1, (end - day).days + 1)]
    assert sum(map(rules.is_working, between)) == days
    assert rules.is_working(end)
