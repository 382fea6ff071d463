"""The figures of a run in words, from stored numbers alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from grants.core.paging import Rows
from grants.evaluation.rules import RunPage, RunView, SeatGraph
from grants.evaluation.states import RunStatus

RUN = RunView(
    1, RunStatus.SOLVED, datetime(2022, 11, 20, tzinfo=UTC), "2022", 1_500, 1_500, (), 3, 4, 6, 6, 12, 1, "ab",
    ideal=1_600, solver="OR-tools 9.15, HiGHS 1.12", settings={"rules": ["at most 1 from one country"], "floor": True},
)  # fmt: skip
BY_FLOW = replace(RUN, ideal=1_500, solver="OR-tools 9.15", settings={})
PAGE = RunPage("slug", "Title", RUN, {}, "", 1_600, 400, 10, (), {}, Rows(()), SeatGraph(0, 0, (), 0, 0, 0))


def test_a_run_says_its_worth_its_proof_and_what_the_rules_cost() -> None:
    worth, proof, cost, floor, shared = PAGE.result_words

    assert "The 6 seats together are worth 1500, 250 each on average." in worth
    assert proof == (
        "Of all choices that keep the rules on who sits together and keep what the worst served application has none is "
        "worth more: found so by HiGHS 1.12, by a search to the end. What can be added up again by prices is that without "
        "this no more than 1600 is possible."
    )
    assert (
        "1600 could be reached. Keeping them took 6.25 % of it: the seats are at most so far from that ideal." in cost
    )
    assert floor == "The application served worst has 400 over its seats; every other has as much or more."
    assert shared == "The work is shared as evenly as it can be: 1 to 2 seats a person."


def test_only_what_prices_prove_is_called_proved() -> None:
    told = f"{BY_FLOW.headline} {BY_FLOW.bound_words} {BY_FLOW.proof_words}"
    assert "the best assignment, proved No assignment can be worth more than 1500, which is proved." in told
    assert (
        "No other choice of people is worth more: that is proved, by a price for every open pair (12 of them)" in told
    )

    searched = f"{RUN.headline} {RUN.bound_label} {RUN.bound_words} {RUN.proof_words}"
    assert "proved" not in searched and "No other choice of people" not in searched
    assert "the best assignment that a search found By the search: at most Of all that keep the rules" in searched

    # Where nothing more is possible even without the rules the prices say all of it.
    reached = replace(RUN, objective=1_600, bound=1_600)
    assert reached.proof_words.startswith("No other choice of people is worth more: that is proved, by a price")
    assert reached.headline == "the best assignment, proved"
    # A floor alone is no rule on who sits together.
    worst = replace(RUN, settings={"floor": True}).proof_words
    assert worst.startswith("Of all choices that keep what the worst served application has none is worth more")


def test_the_proof_is_only_of_what_could_be_chosen() -> None:
    moved = replace(BY_FLOW, settings={"standing": "movable"})
    assert moved.proof_words.startswith("No other choice of people that moves as few seats is worth more")
    kept = replace(BY_FLOW, seats_new=2)
    assert kept.proof_words.startswith("No other choice of people beside the seats that stood is worth more")


def test_a_search_that_ended_early_says_how_much_is_still_to_be_had() -> None:
    near = replace(RUN, bound=1_510)
    assert near.headline == "an assignment"
    assert "none can be worth more than 1510: found so by HiGHS 1.12. This one is 10 below" in near.proof_words


def test_a_gap_is_said_and_so_is_uneven_work_and_nothing_is_said_of_no_seats() -> None:
    page = replace(PAGE, run=replace(RUN, bound=1_510, ideal=1_510), ideal=None, floor=None, spread=14)

    _, proof, shared = page.result_words

    assert "more than 1510: that is proved, by prices. This one is 10 below" in proof
    assert "makes 14; with the same number for everybody it would be 10" in shared
    assert replace(PAGE, run=replace(RUN, objective=None, bound=None)).result_words == ()
