"""The figures of a run in words, from stored numbers alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from grants.core.paging import Rows
from grants.evaluation.rules import RunPage, RunView, SeatGraph, SeatView, SeatWhy
from grants.evaluation.states import RunStatus, SeatState

RUN = RunView(
    1, RunStatus.SOLVED, datetime(2022, 11, 20, tzinfo=UTC), "2022", 1_500, 1_500, (), 3, 4, 6, 6, 12, 1, "ab",
    ideal=1_600, solver="OR-tools 9.15, HiGHS 1.12", settings={"rules": ["at most 1 from one country"], "floor": True},
)  # fmt: skip
BY_FLOW = replace(RUN, ideal=1_500, solver="OR-tools 9.15", settings={})
PAGE = RunPage("slug", "Title", RUN, {}, "", 1_600, 400, 10, (), {}, Rows(()), SeatGraph(0, 0, (), 0, 0, 0))


def test_a_run_says_its_worth_its_proof_and_what_the_rules_cost() -> None:
    worth, proof, cost, floor, shared = PAGE.result_words

    assert "The 6 seats together are worth 1\xa0500, 250 each on average." in worth
    assert proof == (
        "Of all choices that keep the rules on who sits together and keep what the worst served application has none is "
        "worth more: found so by HiGHS 1.12, by a search to the end. What can be added up again by prices is that without "
        "this no more than 1\xa0600 is possible."
    )
    assert (
        "1\xa0600 could be reached. Keeping them took 6.25 % of it: the seats are at most so far from that ideal."
        in cost
    )
    assert floor == "The application served worst has 400 over its seats; every other has as much or more."
    assert shared == "The work is shared as evenly as it can be: 1 to 2 seats a person."


def test_only_what_prices_prove_is_called_proved() -> None:
    told = f"{BY_FLOW.headline} {BY_FLOW.bound_words} {BY_FLOW.proof_words}"
    assert "the best assignment, proved No assignment can be worth more than 1\xa0500, which is proved." in told
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
    assert "none can be worth more than 1\xa0510: found so by HiGHS 1.12. This one is 10 below" in near.proof_words


def test_a_gap_is_said_and_so_is_uneven_work_and_nothing_is_said_of_no_seats() -> None:
    page = replace(PAGE, run=replace(RUN, bound=1_510, ideal=1_510), ideal=None, floor=None, spread=14)

    _, proof, shared = page.result_words

    assert "more than 1\xa0510: that is proved, by prices. This one is 10 below" in proof
    assert "makes 14; with the same number for everybody it would be 10" in shared
    assert replace(PAGE, run=replace(RUN, objective=None, bound=None)).result_words == ()


HEAD: Any = None
SEAT = SeatView(UUID(int=1), UUID(int=2), UUID(int=3), "Ida", "ida", SeatState.ACTIVE, 100, False, None, "")


def why(*better: dict[str, Any], loss: int | None = 5, moved: int = 0) -> SeatWhy:
    told = {"utility": 100, "rank": 2, "allowed": 3, "loss": loss, "moved": moved, "better": better}
    return SeatWhy(HEAD, SEAT, 1, "", told, {"eva": "Eva"})


def other(reason: str, *what: object, cost: list[int] | None = None) -> dict[str, Any]:
    return {"evaluator": "eva", "utility": 900, "why": reason, "what": what, "rule": "", "load_max": 4, "cost": cost}


@pytest.mark.parametrize(
    ("reason", "what", "words"),
    [
        ("country", ("FI", 1), "Eva would be one too many from FI beside the others: at most 1 may sit together."),
        ("organisation", (1,), "Eva is of one organisation with others on it: at most 1 may sit together."),
        ("role", ("finance",), "Eva has not the role “finance”, which Ida alone has on it."),
        ("reader", ("pl",), "Eva does not read Polish, which Ida alone does on it."),
        ("minimum", (2,), "Eva has room, but Ida must take at least 2 and has no more than that."),
        ("kept", (), "Eva has room, but Ida had the seat, and as few as possible moved."),
        ("full", (), "Eva has as many applications as this person may take (4)."),
        ("forbidden", (), "Eva is kept from it."),
        (
            "floor", (500,), "Eva has as many applications as this person may take (4). To exchange one with Ida would be "
            "worth more in all, and leave the other application below 500, what the worst served has.",
        ),
        (
            "open", (), "Eva could have had it, for 800 more in all: the run ended short of the best and did not find this.",
        ),
        # Of a run of before: nothing is made up that it did not keep.
        (
            "elsewhere", (), "Eva had room. This run kept no more of why not: another seat, a load or a rule of the call "
            "stood against it.",
        ),
    ],
)  # fmt: skip
def test_each_reason_why_not_is_a_sentence_of_its_figures(reason: str, what: tuple[object, ...], words: str) -> None:
    assert why(other(reason, *what)).better == (("Eva", 900, words),)


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        ([120, 0], " With Eva in this seat the total would be 120 lower."),
        ([0, 0], " With Eva in this seat the total would be the same."),
        (
            [-30, 2],
            " With Eva in this seat 2 more seats that stood would have to move, and the total would be 30 higher.",
        ),
        ([-1, 0], " With Eva in this seat no assignment keeps all that the run was asked for."),
        (None, ""),
    ],
)
def test_what_another_person_costs_is_told_where_it_was_worked_out(cost: list[int] | None, words: str) -> None:
    ((_, _, told),) = why(other("kept", cost=cost)).better

    assert told == f"Eva has room, but Ida had the seat, and as few as possible moved.{words}"


def test_what_was_not_worked_out_is_said_to_be_so() -> None:
    one, none = other("full", cost=[3, 0]), other("full")

    assert why(one).sentences[1:] == ("Without this seat the best total of all assignments would be 5 lower.",)
    assert why(one, none).sentences[-1].endswith("was worked out for the best of those who fit better alone.")
    assert why(none).sentences[-1] == "What somebody else in this seat would cost was not worked out in this run."
    assert "was not worked out in this run" in why(loss=None).sentences[1]
    assert why(loss=-4, moved=1).sentences[1] == (
        "Without this seat 1 more seat that stood would have to move, and the total would be 4 higher."
    )
    assert why(loss=-1).sentences[1] == "Without this seat no assignment keeps all that the run was asked for."
    # The word of the run decides last: how the work is shared comes before it.
    assert "how evenly the work is shared decided" in why(loss=0).sentences[1]
