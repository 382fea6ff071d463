"""The order of duties and what counts as healthy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.core.duties import Duty
from grants.oversight import rules
from grants.oversight.queries.sentences import Line, told_once
from grants.oversight.rules import Check

NOON = datetime(2022, 11, 15, 12, tzinfo=UTC)


def duty(what: str, due_at: datetime | None) -> Duty:
    return Duty(what, "", "Open", "oversight.home", {}, due_at)


duties = st.lists(
    st.builds(
        duty,
        st.text(max_size=5),
        st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    )
)


def test_what_is_due_soon_comes_first_then_what_somebody_waits_for_then_what_is_far_away() -> None:
    found = rules.in_order(
        [
            duty("in March", NOON + timedelta(days=120)),
            duty("somebody waits", None),
            duty("tomorrow", NOON + timedelta(days=1)),
            duty("late", NOON - timedelta(days=3)),
            duty("in two weeks", NOON + timedelta(days=14)),
        ],
        NOON,
    )

    assert [one.what for one in found] == ["late", "tomorrow", "in two weeks", "somebody waits", "in March"]


@given(duties)
def test_ordering_loses_nothing_and_is_by_deadline(found: list[Duty]) -> None:
    ordered = rules.in_order(found, NOON)

    assert sorted(map(id, ordered)) == sorted(map(id, found))
    dated = [one.due_at for one in ordered if one.due_at is not None]
    assert dated == sorted(dated)
    undated = [number for number, one in enumerate(ordered) if one.due_at is None]
    assert undated == list(range(undated[0], undated[0] + len(undated))) if undated else True


@given(duties)
def test_ordering_twice_changes_nothing(found: list[Duty]) -> None:
    assert rules.in_order(rules.in_order(found, NOON), NOON) == rules.in_order(found, NOON)


def test_a_full_disk_is_not_well() -> None:
    assert rules.disk_check(199_999_999).well is False
    assert rules.disk_check(200_000_000) == Check("disk", True, "200 MB free")


def test_a_database_behind_its_program_is_not_well() -> None:
    assert rules.migrations_check("0001", "0002") == Check("migrations", False, "not current")
    assert rules.migrations_check(None, "0002").well is False
    assert rules.migrations_check("0002", "0002").well is True


def test_a_checkout_without_migrations_expects_none() -> None:
    assert rules.migrations_check(None, None).well is True


def test_a_job_nobody_was_told_of_for_five_minutes_is_not_well() -> None:
    assert rules.bell_check(0) == Check("jobs", True, "none waits unrung")
    assert rules.bell_check(300).well is True
    assert rules.bell_check(301) == Check("jobs", False, "the oldest waits for 5 minutes")


def test_how_long_something_waits_is_said_in_words() -> None:
    words = [
        check.words
        for check in rules.machinery_checks(
            oldest_due_seconds=7_300, oldest_mail_seconds=75_489_330, scheduler_seen_seconds=1
        )
    ]

    assert words == [
        "the oldest due job waits for 2 hours",
        "the oldest letter waits for 873 days",
        "seen 1 second ago",
    ]


def test_a_name_of_a_table_or_a_column_is_said_in_words() -> None:
    assert [rules.words_of(name) for name in ("payment_order", "user_account", "call_id", "total_cents")] == [
        *("payment order", "person", "call", "total")
    ]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("sha256:a", "sha256:b", ("a text", "text changed")),
        (None, "sha256:b", ("nothing", "a text")),
        ("sha256:a", None, ("a text", "removed")),
    ],
)
def test_a_digest_is_told_as_what_happened_to_the_text(
    before: str | None, after: str | None, told: tuple[str, str]
) -> None:
    change = rules.digest_words(before, after)

    assert change is not None
    assert (change.before, change.after) == told


def test_a_plain_value_is_no_digest() -> None:
    assert rules.digest_words("draft", "submitted") is None


def test_a_value_is_shown_in_words_and_long_text_is_cut() -> None:
    assert [rules.shown(value) for value in (None, True, False, {"a": 1}, 12)] == [
        "nothing",
        "yes",
        "no",
        "details",
        "12",
    ]
    assert len(rules.shown("a" * 500)) == rules.TEXT_SHOWN_MAX + 1


def test_waiting_counts_calendar_days_where_the_programme_works() -> None:
    handed_on = datetime(2022, 11, 14, 22, 30, tzinfo=UTC)

    assert rules.Waiting("", "", handed_on, "", {}).days(datetime(2022, 11, 14, 23, 30, tzinfo=UTC)) == 1


@dataclass(frozen=True)
class Said:
    who: str
    verb: str
    at: datetime


def test_what_one_person_saves_while_typing_is_told_as_one_until_a_pause_of_ten_minutes() -> None:
    def said(minute: int, who: str = "Ana", verb: str = "application.save_answer") -> Said:
        return Said(who, verb, datetime(2022, 10, 3, 8, minute, tzinfo=UTC))

    lines = [said(50), said(45), said(35), said(24), said(23, "Marek"), said(22), said(21, verb="application.comment")]
    lines += [said(20, verb="application.comment")]

    found = rules.in_sittings(lines)

    assert [(each.line.at.minute, each.more, each.since.minute) for each in found] == [
        *((50, 2, 35), (24, 0, 24), (23, 0, 23), (22, 0, 22), (21, 0, 21), (20, 0, 20)),
    ]
    assert sum(1 + each.more for each in found) == len(lines)
    assert rules.in_sittings([]) == ()


def test_what_one_person_did_again_within_a_minute_is_told_once() -> None:
    at = datetime(2026, 11, 27, 18, 5, 50, tzinfo=UTC)
    one = Line(uuid4(), at, "Ingrid", None, "", "evaluator.pool", "put an evaluator into the pool of", None, "C-1", "")
    rows = (
        one,
        replace(one, at=at - timedelta(seconds=40)),
        replace(one, at=at - timedelta(seconds=80)),
        replace(one, who="Ola"),
    )

    assert [(row.who, row.times) for row in told_once(rows)] == [("Ingrid", 2), ("Ingrid", 1), ("Ola", 1)]
