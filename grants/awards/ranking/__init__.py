"""The order of applications: the official list, and beside it the advice of a model that changes nothing."""

from __future__ import annotations

from grants.awards.ranking.answers import NOT_WORKED_OUT, Known, NotWorkedOut, Solved, sha256_of
from grants.awards.ranking.applying import candidates_of, limits_of, places_of, within
from grants.awards.ranking.drawing import drawn_list, line_group
from grants.awards.ranking.moving import Freed, Next, next_of
from grants.awards.ranking.official import below_threshold, rank, score_max, score_of, score_words
from grants.awards.ranking.portfolio import Portfolio, Verdict, select
from grants.awards.ranking.ranked import Bar, Ranked, RankedList, RankingRules, Scored
from grants.awards.ranking.rows import Bound, Candidate, Limits, Unit, Walk
from grants.awards.ranking.solver import bounded
from grants.awards.ranking.what_if import Aim, WhatIf, Worths, by_country, passed_over, what_if

__all__ = [
    "NOT_WORKED_OUT",
    "Aim",
    "Bar",
    "Bound",
    "Candidate",
    "Freed",
    "Known",
    "Limits",
    "Next",
    "NotWorkedOut",
    "Portfolio",
    "Ranked",
    "RankedList",
    "RankingRules",
    "Scored",
    "Solved",
    "Unit",
    "Verdict",
    "Walk",
    "WhatIf",
    "Worths",
    "below_threshold",
    "bounded",
    "by_country",
    "candidates_of",
    "drawn_list",
    "limits_of",
    "line_group",
    "next_of",
    "passed_over",
    "places_of",
    "rank",
    "score_max",
    "score_of",
    "score_words",
    "select",
    "sha256_of",
    "what_if",
    "within",
]
