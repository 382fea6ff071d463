"""The order of duties and what counts as healthy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from grants.core.duties import Duty
from grants.oversight import rules
from grants.oversight.rules import Check

NOON = datetime(2022, 11, 15, 12, tzinfo=UTC)


def duty(what: str, due_at: datetime | None, count: int = 1) -> Duty:
    return Duty(what, "", "Open", "oversight.home", {}, due_at, count)


duties = st.lists(
    st.builds(
        duty,
        st.text(max_size=5),
        st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
        st.integers(1, 50),
    )
)


def test_the_most_urgent_duty_comes_first_and_those_without_a_deadline_last() -> None:
    found = rules.in_order([duty("later", NOON + timedelta(days=1)), duty("any time", None), duty("now", NOON)])

    assert [one.what for one in found] == ["now", "later", "any time"]


@given(duties)
def test_ordering_loses_nothing_and_is_by_deadline(found: list[Duty]) -> None:
    ordered = rules.in_order(found)

    assert sorted(map(id, ordered)) == sorted(map(id, found))
    dated = [one.due_at for one in ordered if one.due_at is not None]
    assert dated == sorted(dated)
    assert all(one.due_at is None for one in ordered[len(dated) :])


@given(duties)
def test_ordering_twice_changes_nothing(found: list[Duty]) -> None:
    assert rules.in_order(rules.in_order(found)) == rules.in_order(found)


def test_a_group_counts_as_the_things_in_it() -> None:
    assert rules.how_many([duty("check 12 applications", None, 12), duty("sign", None)]) == 13


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
    assert rules.bell_check(301) == Check("jobs", False, "the oldest waits for 301 seconds")
