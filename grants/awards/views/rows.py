"""The rows of a ranked list as HTML: drawn once, and kept while the list is the one of the last look (decision 0020)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from flask import get_template_attribute, request
from markupsafe import Markup

from grants.awards.rules import RankingPage, RankingRow, bar, points, strip
from grants.calls.rules import Criterion
from grants.core.kept import ByIdentity
from grants.core.money import Money

# Of so many rows: some parts of the lists that are kept, drawn for two kinds of people.
ROWS_KEPT = 500


@dataclass(frozen=True, slots=True)
class DrawnBy:
    """What every row of a list is drawn by, and all of it: two looks that are equal draw a row in the same way."""

    partial: bool
    tells: bool
    tells_basis: bool
    moves_scores: bool
    has_cuts: bool
    so_far_words: str
    running_words: str
    score_most: str
    criteria: tuple[Criterion, ...]
    most_half: int
    threshold_half: int | None
    budget: Money


# A row, whether the consensus is opened from it, what is said of it, and whether its grant has ended.
Drawer = Callable[[RankingRow, bool, str, bool], Markup]


def drawer(shown: RankingPage) -> Drawer:
    """What draws the rows of a list. Those of a list that was frozen, or of a part of it, are made anew for each look."""
    by = ByIdentity(_drawn_by(shown))
    draw = _drawn if shown.lasts else _drawn.__wrapped__

    def drawn(row: RankingRow, opens_consensus: bool, said: str, has_ended: bool) -> Markup:
        return draw(ByIdentity(row), by, request.root_path, opens_consensus, said, has_ended)

    return drawn


def _drawn_by(shown: RankingPage) -> DrawnBy:
    return _same(
        DrawnBy(
            shown.partial, shown.tells_outcomes, len(shown.bases) > 1, shown.moves_scores, shown.has_cuts, shown.so_far_words,
            shown.running_words, shown.score_most, shown.criteria, shown.marking.total_max_half, shown.bare_threshold_half,
            shown.budget,
        )
    )  # fmt: skip


@lru_cache(maxsize=8)
def _same(by: DrawnBy) -> DrawnBy:
    """What is equal and was met before, so that fifty rows need not compare all of it."""
    return by


@lru_cache(maxsize=ROWS_KEPT)
def _drawn(
    row: ByIdentity[RankingRow], by: ByIdentity[DrawnBy], root: str, opens_consensus: bool, said: str, has_ended: bool
) -> Markup:
    """The marks of a row are evaluators' totals with the consensus, and the running total against the budget."""
    one, how = row.value, by.value
    marks = strip(one.totals_half, one.consensus_half or 0, how.most_half, how.threshold_half)
    draw = get_template_attribute("awards/row.html", "ranked_row")
    running = bar(one.running_total, how.budget)
    made: Markup = draw(one, how, marks, running, points, opens_consensus, said, has_ended)
    return made
