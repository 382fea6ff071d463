"""Rules of the selection: the list, the decision, its results and their publication; the modules beside this one are pure."""

from __future__ import annotations

from grants.awards.rules.advice import AdvicePage, AdviceRow, SeverityRow, refuse_places
from grants.awards.rules.decision import (
    DecisionInput,
    SelectionView,
    forgotten_words,
    late_words,
    list_hash,
    refuse_doubts,
    refuse_forgotten,
    refuse_over_budget,
    refuse_same_person,
    refuse_second_list,
)
from grants.awards.rules.publication import (
    Decided,
    PublishedOther,
    PublishedOutcome,
    PublishedPilot,
    refuse_unpublishable,
)
from grants.awards.rules.results import NEXT_WORDS, OUTCOME_WORDS, ResultPage, ResultScore, SelectedItem
from grants.awards.rules.showing import (
    ROWS_ON_A_PAGE,
    UNDECLARED,
    WAITING_NAMED_MAX,
    Part,
    RankingPage,
    RankingRow,
    WaitingRow,
    bar,
    part,
    points,
    strip,
)

__all__ = [
    "NEXT_WORDS",
    "OUTCOME_WORDS",
    "ROWS_ON_A_PAGE",
    "UNDECLARED",
    "WAITING_NAMED_MAX",
    "AdvicePage",
    "AdviceRow",
    "Decided",
    "DecisionInput",
    "Part",
    "PublishedOther",
    "PublishedOutcome",
    "PublishedPilot",
    "RankingPage",
    "RankingRow",
    "ResultPage",
    "ResultScore",
    "SelectedItem",
    "SelectionView",
    "SeverityRow",
    "WaitingRow",
    "bar",
    "forgotten_words",
    "late_words",
    "list_hash",
    "part",
    "points",
    "refuse_doubts",
    "refuse_forgotten",
    "refuse_over_budget",
    "refuse_places",
    "refuse_same_person",
    "refuse_second_list",
    "refuse_unpublishable",
    "strip",
]
