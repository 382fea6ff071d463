"""Reads of evaluation for views, acts and later stages; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.evaluation.queries.access import (
    EVALUATED,
    IN_EVALUATION,
    application_of_call_scope,
    application_scope,
    call_scope,
    clear_for,
    conflicted,
    declaration_of,
    declaration_scope,
    declarations,
    found_conflict,
    own_seat,
    refuse_closed,
    refuse_conflict,
    refuse_own_seat,
    seat_scope,
    shift_scope,
    told_of,
    undeclared,
)
from grants.evaluation.queries.applicants import cities_of, consortia, consortia_of
from grants.evaluation.queries.assignments import (
    assignments_page,
    call_to_assign,
    candidates,
    country_rule,
    free_seat,
    pool,
    runs,
    seat_of,
    seat_to_hand_over,
)
from grants.evaluation.queries.conflicts import conflict_pages, doubt, may_declare, to_declare_in_office, waiting_doubts
from grants.evaluation.queries.consensus import (
    agreed_words,
    consensus_application,
    consensus_page,
    seat_people,
    spreads,
)
from grants.evaluation.queries.consensus_list import consensus_list
from grants.evaluation.queries.consensus_versions import consensus_versions
from grants.evaluation.queries.detected import detected_count, detected_pair, detected_rows
from grants.evaluation.queries.detecting import calls_looked_at, look, standing_detections
from grants.evaluation.queries.official import official_scores
from grants.evaluation.queries.own_sheets import (
    assessments_and_undeclared,
    drafts,
    field_history,
    field_of,
    field_version,
    form_of,
    own_seat_id,
)
from grants.evaluation.queries.packs import pack, to_read
from grants.evaluation.queries.runs import adjust_page, run_page, seat_why
from grants.evaluation.queries.score_sheets import application_id_of, assessment_page, assessments
from grants.evaluation.queries.shifts import shift_page
from grants.evaluation.queries.work import duties, unanswered

__all__ = [
    "EVALUATED",
    "IN_EVALUATION",
    "adjust_page",
    "agreed_words",
    "application_id_of",
    "application_of_call_scope",
    "application_scope",
    "assessment_page",
    "assessments",
    "assessments_and_undeclared",
    "assignments_page",
    "call_scope",
    "call_to_assign",
    "calls_looked_at",
    "candidates",
    "cities_of",
    "clear_for",
    "conflict_pages",
    "conflicted",
    "consensus_application",
    "consensus_list",
    "consensus_page",
    "consensus_versions",
    "consortia",
    "consortia_of",
    "country_rule",
    "declaration_of",
    "declaration_scope",
    "declarations",
    "detected_count",
    "detected_pair",
    "detected_rows",
    "doubt",
    "drafts",
    "duties",
    "field_history",
    "field_of",
    "field_version",
    "form_of",
    "found_conflict",
    "free_seat",
    "look",
    "may_declare",
    "official_scores",
    "own_seat",
    "own_seat_id",
    "pack",
    "pool",
    "refuse_closed",
    "refuse_conflict",
    "refuse_own_seat",
    "run_page",
    "runs",
    "seat_of",
    "seat_people",
    "seat_scope",
    "seat_to_hand_over",
    "seat_why",
    "shift_page",
    "shift_scope",
    "spreads",
    "standing_detections",
    "to_declare_in_office",
    "to_read",
    "told_of",
    "unanswered",
    "undeclared",
    "waiting_doubts",
]
