"""The table of states and the rules of each queue, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.core.jobs import MACHINE, QUEUE_OF_MODULE, QUEUES, JobState
from jobs import queues, schedule

# The whole matrix: from each state, the verbs that lead somewhere.
ALLOWED = {
    JobState.QUEUED: {"claim", "cancel"},
    JobState.RUNNING: {"finish", "give_back", "park", "cancel"},
    JobState.DONE: set(),
    JobState.FAILED: {"retry"},
    JobState.CANCELLED: {"retry"},
}


@pytest.mark.parametrize("state", JobState)
def test_the_machine_allows_exactly_these_verbs(state: JobState) -> None:
    assert set(MACHINE.allowed(state)) == ALLOWED[state]


@given(st.integers(1, 200), st.sampled_from(sorted(QUEUES)))
def test_pauses_grow_and_stay_below_their_limit(attempt: int, name: str) -> None:
    rules = QUEUES[name]

    assert rules.pause_first <= rules.pause(attempt) <= rules.pause(attempt + 1) <= rules.pause_longest


def test_a_mail_is_tried_for_days() -> None:
    rules = QUEUES["mail"]
    waited = sum((rules.pause(attempt) for attempt in range(1, rules.attempts_max)), timedelta())

    assert timedelta(days=3) < waited < timedelta(days=5)


def test_every_queue_is_worked_and_nothing_else() -> None:
    assert sorted(queues.ORDER) == sorted(QUEUES)
    assert queues.ORDER[-1] == "mail", "whoever watches a report waits behind hundreds of letters"
    assert set(QUEUE_OF_MODULE.values()) <= set(QUEUES)


def test_the_night_begins_at_two_in_brussels() -> None:
    nights = [schedule.night_of(datetime(2022, 7, 15, hour, tzinfo=UTC)).day for hour in (23, 0)]

    # 01:00 and 02:00 on a summer day in Brussels are 23:00 and 00:00 in UTC.
    assert nights == [15, 15]
    assert schedule.night_of(datetime(2022, 7, 14, 23, 59, tzinfo=UTC)).day == 14
