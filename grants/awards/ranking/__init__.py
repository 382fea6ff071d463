"""The order of applications: the official list, and beside it the advice of a model that changes nothing."""

from __future__ import annotations

from grants.awards.ranking.official import (
    Bar,
    Ranked,
    RankedList,
    RankingRules,
    Scored,
    below_threshold,
    rank,
    score_max,
    score_of,
    score_words,
)

__all__ = [
    "Bar",
    "Ranked",
    "RankedList",
    "RankingRules",
    "Scored",
    "below_threshold",
    "rank",
    "score_max",
    "score_of",
    "score_words",
]
