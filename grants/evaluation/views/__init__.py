"""Pages of evaluation, each in the module of its step; here is what the program takes from them."""

from __future__ import annotations

from grants.evaluation.views import (
    accepting,
    answer_links,
    assignments,
    conflicts,
    consensus,
    drafting,
    importing,
    invitations,
    late,
    leaving,
    offline,
    packs,
    pool,
    run_file,
    scores_by_evaluator,
    seat_file,
    sheets,
    shifts,
    stepping_down,
    writing,
)
from grants.evaluation.views.frame import NAVIGATION, bp

__all__ = [
    "NAVIGATION",
    "accepting",
    "answer_links",
    "assignments",
    "bp",
    "conflicts",
    "consensus",
    "drafting",
    "importing",
    "invitations",
    "late",
    "leaving",
    "offline",
    "packs",
    "pool",
    "run_file",
    "scores_by_evaluator",
    "seat_file",
    "sheets",
    "shifts",
    "stepping_down",
    "writing",
]
