"""Algorithms of awards, pure and exact: the official ranked list; the modules beside this one say how it is done."""

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
