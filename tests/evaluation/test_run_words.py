"""The figures of a run in words, from stored numbers alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from grants.core.paging import Rows
from grants.evaluation.rules import RunPage, RunView, SeatGraph
from grants.evaluation.states import RunStatus

RUN = RunView(
    1, RunStatus.SOLVED, datetime(2022, 11, 20, tzinfo=UTC), "2022", 1_500, 1_500, (), 3, 4, 6, 6, 12, 1, "ab",
)  # fmt: skip
PAGE = RunPage("slug", "Title", RUN, {}, "", 1_600, 400, 10, (), {}, Rows(()), SeatGraph(0, 0, (), 0, 0, 0))


def test_a_run_says_its_worth_its_proof_and_what_the_rules_cost() -> None:
    worth, proof, cost, floor, shared = PAGE.result_words

    assert "The 6 seats together are worth 1500, 250 each on average." in worth
    assert "No other choice of people is worth more: that is proved" in proof
    assert (
        "1600 could be reached. Keeping them took 6.25 % of it: the seats are at most so far from that ideal." in cost
    )
    assert floor == "The application served worst has 400 over its seats; every other has as much or more."
    assert shared == "The work is shared as evenly as it can be: 1 to 2 seats a person."


def test_a_gap_is_said_and_so_is_uneven_work_and_nothing_is_said_of_no_seats() -> None:
    page = replace(PAGE, run=replace(RUN, bound=1_510), ideal=None, floor=None, spread=14)

    _, proof, shared = page.result_words

    assert "more than 1510: that is proved. This one is 10 below" in proof
    assert "makes 14; with the same number for everybody it would be 10" in shared
    assert replace(PAGE, run=replace(RUN, objective=None, bound=None)).result_words == ()
