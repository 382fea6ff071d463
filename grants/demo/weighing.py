"""A small call that marks otherwise: 0, 3, 7 and 10, means, weights in the score. Its panel moved one score, and its list departs from ranks."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from grants.applications import queries as application_reads
from grants.awards.rules import Override
from grants.calls.rules import CallView
from grants.core.money import euros
from grants.demo.cast import AskedInDemo
from grants.demo.stage import Stage, Story
from grants.evaluation import services as evaluation

RULES = """\
evaluation:
  scale:
    marks: [0, 3, 7, 10]
    anchors: {0: "Absent: not addressed", 3: "Weak: hardly addressed", 7: "Good: addressed", 10: "Outstanding: fully addressed"}
  weights: {excellence: 2, impact: 3, implementation: 1}
  thresholds: {each: 3, total: 30}
  scoring:
    method: mean_per_criterion
    weights_count_for: score
    total_threshold_on: score
    board_shift_max: 2
    comment: extremes
    comment_words: 10
  selection: {reserve_max: 1, amounts: true, places: true}
"""
TOTAL = 130_000
# Three read all of them, so that no chance of ids decides which marks stand; what they hold is told
# from nought to five points in halves, and their marks are the nearest of the call.
LIST = (
    AskedInDemo("Seed Library", "lumenau", "theresa", 60_000, (9, 9, 8)),
    AskedInDemo("Tool Shed", "brunnvik", "linnea", 55_000, (7, 8, 7)),
    AskedInDemo("Reading Room by the Mill", "sumberk", "jaro", 50_000, (6, 7, 7)),
)
# The panel may move a score by two points.
TOO_FAR = (4, "The neighbours of the shed have waited for it for three years.")
MOVED = (2, "The evaluators read the second annex as a plan; the council voted it in March, as the minutes in it show.")


def moved(stage: Stage, sent: Sequence[UUID], closed: int) -> Story:
    """One move of a score is returned, a smaller one confirmed."""
    _, shed, _ = sent
    yield stage.days_ago(closed - 40)
    first = stage.troupe.propose_move(shed, *TOO_FAR)
    evaluation.return_shift(stage.troupe.actor("authoriser"), first, "That is no reason about this application.")
    yield stage.days_ago(closed - 42)
    second = stage.troupe.propose_move(shed, *MOVED)
    evaluation.confirm_shift(stage.troupe.actor("authoriser"), second)


def decided(stage: Stage, call: CallView, sent: Sequence[UUID], closed: int) -> Story:
    """The third comes before the second, and the first gets less than it asked for; the list waits for a second person."""
    seeds, _, mill = (application_reads.view_by_id(each).reference for each in sent)
    yield stage.days_ago(closed - 55)
    departures = (
        Override(
            seeds, amount=euros(55_000), conditions="Names who opens the library on Saturdays.",
            reason="The fund for libraries of the state pays the shelves.",
        ),
        Override(mill, rank=2, reason="The only one of the three in a town without any library."),
    )  # fmt: skip
    reason = "As ranked but for two departures, each with its reason beside it."
    stage.troupe.decide_selection(call, reason=reason, overrides=departures)
