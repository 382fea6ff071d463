"""Rules of calls: what a call is at a moment, how a deadline moves, how a budget changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.calls import rules
from grants.calls.rules import Deadline, DeadlineInput, words
from grants.calls.states import MACHINE, CallState, Phase
from grants.core.clock import BRUSSELS, Fold
from grants.core.errors import Conflict, Invalid, Refused
from grants.core.money import Money
from grants.dossiers.rules import AskedIf, Definition, Question, QuestionKind, Section

OPENS = datetime(2022, 9, 5, 10, tzinfo=UTC)
FIRST = Deadline(1, datetime(2022, 11, 4, 22, 59, tzinfo=UTC), BRUSSELS, "4 November 2022, 23.59 CET")
AT = datetime(2022, 11, 1, 9, tzinfo=UTC)

moments = st.datetimes(datetime(2022, 1, 1), datetime(2027, 12, 31)).map(lambda when: when.replace(tzinfo=UTC))
amounts = st.integers(0, 10**13).map(Money)


def moved(local: datetime, *, fold: Fold | None = None, at: datetime = AT) -> Deadline:
    return rules.extended(FIRST, DeadlineInput(local, "High demand.", "More time for all.", fold), at=at)


def test_the_real_extension_of_2022() -> None:
    new = moved(datetime(2022, 11, 15, 12, 0))

    assert (new.number, new.closes_at, new.literal) == (
        2,
        datetime(2022, 11, 15, 11, 0, tzinfo=UTC),
        "15 November 2022, 12:00 CET",
    )


def test_the_abbreviation_is_the_one_of_that_day() -> None:
    assert rules.literal_of(datetime(2023, 6, 30, 21, 59, tzinfo=UTC), BRUSSELS) == "30 June 2023, 23:59 CEST"


def test_a_deadline_needs_reason_and_note() -> None:
    with pytest.raises(Invalid) as refused:
        rules.extended(FIRST, DeadlineInput(datetime(2022, 11, 15, 12), " ", ""), at=AT)

    assert set(refused.value.problems) == {"reason", "public_note"}


def test_a_time_that_has_passed_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        moved(datetime(2022, 11, 15, 12), at=datetime(2022, 11, 20, tzinfo=UTC))

    assert refused.value.problems["local"].startswith("This time has passed")


@given(st.datetimes(datetime(2022, 1, 1), datetime(2027, 12, 31)), moments, st.sampled_from([None, *Fold]))
def test_a_deadline_only_ever_moves_later(local: datetime, at: datetime, fold: Fold | None) -> None:
    try:
        new = moved(local, fold=fold, at=at)
    except Invalid:
        return

    assert new.closes_at > FIRST.closes_at
    assert new.closes_at > at
    assert new.closes_at.astimezone(UTC) == new.closes_at


@given(st.sampled_from(CallState), moments, st.one_of(st.none(), moments), st.one_of(st.none(), moments))
def test_a_call_is_open_only_between_opening_and_deadline(
    state: CallState, at: datetime, opens: datetime | None, closes: datetime | None
) -> None:
    found = rules.phase(state, opens, closes, at)

    is_open = state is CallState.PUBLISHED and opens is not None and closes is not None and opens <= at < closes
    assert (found is Phase.OPEN) == is_open


def test_the_instant_of_the_deadline_is_too_late() -> None:
    end = FIRST.closes_at

    assert rules.phase(CallState.PUBLISHED, OPENS, end, end - timedelta(microseconds=1)) is Phase.OPEN
    assert rules.phase(CallState.PUBLISHED, OPENS, end, end) is Phase.CLOSED


@pytest.mark.parametrize("state", CallState)
@pytest.mark.parametrize("verb", ["publish", "cancel"])
def test_every_state_and_verb(state: CallState, verb: str) -> None:
    allowed = {
        (CallState.DRAFT, "publish"): CallState.PUBLISHED,
        (CallState.DRAFT, "cancel"): CallState.CANCELLED,
        (CallState.PUBLISHED, "cancel"): CallState.CANCELLED,
    }
    if (state, verb) in allowed:
        assert MACHINE.target(state, verb) is allowed[state, verb]
    else:
        with pytest.raises(Refused):
            MACHINE.target(state, verb)


@given(authorised=amounts, bound=amounts, wanted=amounts)
def test_a_budget_never_falls_below_what_is_bound(authorised: Money, bound: Money, wanted: Money) -> None:
    if bound > authorised:
        return
    free = authorised - bound
    try:
        change = rules.budget_change(stands=authorised, free=free, shown=None, wanted=wanted)
    except Refused:
        assert wanted == authorised or wanted < bound
    else:
        assert authorised + change == wanted
        assert free + change >= Money(0)


def test_lowering_too_far_names_the_least() -> None:
    with pytest.raises(Refused, match=r"Lower it to EUR 700\.00 at the least"):
        rules.budget_change(stands=Money(100_000), free=Money(30_000), shown=None, wanted=Money(1))


def test_a_budget_changed_meanwhile_is_a_conflict_and_a_negative_one_invalid() -> None:
    with pytest.raises(Conflict):
        rules.budget_change(stands=Money(5), free=Money(5), shown=Money(4), wanted=Money(9))
    with pytest.raises(Invalid):
        rules.budget_change(stands=Money(5), free=Money(5), shown=None, wanted=Money(-1))


@pytest.mark.parametrize(("half", "words"), [(0, "0"), (1, "0.5"), (7, "3.5"), (10, "5"), (20, "10")])
def test_half_points_read_as_points(half: int, words: str) -> None:
    assert rules.points(half) == words


@pytest.mark.parametrize(
    ("written", "stands"),
    [("mid-2025", "done"), ("May to summer 2026", "next"), ("soon", "next"), ("2022 or 2027", "next")],
)
def test_a_loose_date_is_over_once_its_last_year_is(written: str, stands: str) -> None:
    assert words._loosely(written, datetime(2026, 6, 1, tzinfo=UTC)) == stands


def test_a_fault_lies_at_the_part_it_is_about_whatever_its_question_is_called() -> None:
    """A question may have the name of a part as its own short name."""
    choices = Question("choices", "Which?", QuestionKind.CHOICE)
    columns = Question("columns", "How long?", QuestionKind.SHORT, words_max=0)
    asked_if = Question("asked_if", "Why?", QuestionKind.SHORT, asked_if=AskedIf("nowhere", ("yes",)))
    found = rules.form_faults(Definition((Section("plan", "Plan", questions=(choices, columns, asked_if)),)))

    assert [(fault.question, fault.part) for fault in found] == [
        ("choices", "choices"),
        ("columns", ""),
        ("asked_if", "asked_if"),
    ]
