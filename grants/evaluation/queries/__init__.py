"""Reads of evaluation for views, acts and later stages; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.evaluation.queries.access import (
    IN_EVALUATION,
    application_scope,
    call_scope,
    conflicted,
    declaration_of,
    declaration_scope,
    declarations,
    own_seat,
    refuse_closed,
    refuse_conflict,
    refuse_own_seat,
    seat_scope,
    shift_scope,
    undeclared,
)
from grants.evaluation.queries.applicants import cities_of, consortia, consortia_of
from grants.evaluation.queries.assignments import (
    assignments_page,
    call_to_assign,
    candidates,
    free_seat,
    pool,
    runs,
    seat_of,
)
from grants.evaluation.queries.conflicts import conflict_pages, doubt, may_declare, waiting_doubts
from grants.evaluation.queries.consensus import (
    agreed_words,
    consensus_application,
    consensus_list,
    consensus_page,
    seat_people,
)
from grants.evaluation.queries.official import official_scores
from grants.evaluation.queries.score_sheets import application_id_of, assessment_page, assessments
from grants.evaluation.queries.shifts import shift_page
from grants.evaluation.queries.work import duties, unanswered

__all__ = [
    "IN_EVALUATION",
    "agreed_words",
    "application_id_of",
    "application_scope",
    "assessment_page",
    "assessments",
    "assignments_page",
    "call_scope",
    "call_to_assign",
    "candidates",
    "cities_of",
    "conflict_pages",
    "conflicted",
    "consensus_application",
    "consensus_list",
    "consensus_page",
    "consortia",
    "consortia_of",
    "declaration_of",
    "declaration_scope",
    "declarations",
    "doubt",
    "duties",
    "free_seat",
    "may_declare",
    "official_scores",
    "own_seat",
    "pool",
    "refuse_closed",
    "refuse_conflict",
    "refuse_own_seat",
    "runs",
    "seat_of",
    "seat_people",
    "seat_scope",
    "shift_page",
    "shift_scope",
    "unanswered",
    "undeclared",
    "waiting_doubts",
]
