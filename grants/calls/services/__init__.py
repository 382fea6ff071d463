"""What views, jobs, the demo and later stages call; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.calls.services.building import DATA, apply_template, set_dates, set_value, template
from grants.calls.services.conflicts import LOOK_JOB, look_for_conflicts
from grants.calls.services.corrections import (
    CORRIGENDUM_JOB,
    correct_wording,
    discard_copy,
    edit_copy,
    note_one_extension,
    publish_corrigendum,
    replace_copy,
)
from grants.calls.services.expert_terms import add_expert_terms
from grants.calls.services.importing import copy_call, import_call
from grants.calls.services.privacy import add_privacy_notice
from grants.calls.services.publishing import (
    DEADLINE_JOB,
    add_document_version,
    cancel,
    deadline_notice,
    extend_deadline,
    publish,
    tell_deadline_moved,
)
from grants.calls.services.questions import (
    ask_question,
    correct_answer,
    discard_answer,
    draft_answer,
    publish_answer,
    save_draft,
    set_question_aside,
    take_as_source,
    tell_answers,
)
from grants.calls.services.results import authorise_budget, make_results_public, refuse_public, results_public_by_source
from grants.calls.services.sessions import add_session, add_slides, cancel_session, edit_session

__all__ = [
    "CORRIGENDUM_JOB",
    "DATA",
    "DEADLINE_JOB",
    "LOOK_JOB",
    "add_document_version",
    "add_expert_terms",
    "add_privacy_notice",
    "add_session",
    "add_slides",
    "apply_template",
    "ask_question",
    "authorise_budget",
    "cancel",
    "cancel_session",
    "copy_call",
    "correct_answer",
    "correct_wording",
    "deadline_notice",
    "discard_answer",
    "discard_copy",
    "draft_answer",
    "edit_copy",
    "edit_session",
    "extend_deadline",
    "import_call",
    "look_for_conflicts",
    "make_results_public",
    "note_one_extension",
    "publish",
    "publish_answer",
    "publish_corrigendum",
    "refuse_public",
    "replace_copy",
    "results_public_by_source",
    "save_draft",
    "set_dates",
    "set_question_aside",
    "set_value",
    "take_as_source",
    "tell_answers",
    "tell_deadline_moved",
    "template",
]
