"""Reads of applications for pages and later stages; the modules beside this one say how."""

from __future__ import annotations

# Imported for what it hands to the stage of calls.
from grants.applications.queries.applying import asked_about, people_at_work
from grants.applications.queries.batch import batch, batch_page, batch_results, last_batch, over_or_in_hand
from grants.applications.queries.checking import desk, desk_and_content
from grants.applications.queries.clarifying import FILE_KIND as CLARIFICATION_FILES
from grants.applications.queries.clarifying import (
    clarifications,
    open_now,
    scope_of_clarification,
    shared_clarifications,
)
from grants.applications.queries.counting import counts
from grants.applications.queries.desk_list import desk_list
from grants.applications.queries.duty import duties
from grants.applications.queries.exporting import export_head, export_rows, rows_of_list
from grants.applications.queries.facts import cities_of as city_facts
from grants.applications.queries.following import (
    awaits_full_proposal,
    choices_of,
    concept_of,
    concepts,
    invited_to,
    last_invited,
    second_stage,
    stage_invitation,
)
from grants.applications.queries.last_changes import last_changes
from grants.applications.queries.letters import (
    DRAFT_JOB,
    LETTER_FILES,
    draft_pdf,
    draft_role,
    draft_text,
    letter,
    letter_draft_for_print,
    letter_file,
    letter_for_print,
    letter_held,
    letter_scope,
    letters_page,
    letters_to_send,
)
from grants.applications.queries.list_files import list_file, list_files, list_files_lately, old_list_files
from grants.applications.queries.lists import (
    calls_seen,
    countries,
    list_page,
    of_call,
    of_organisation,
    programmes_seen,
    understood,
)
from grants.applications.queries.ordering import Stretch
from grants.applications.queries.pipeline import standing
from grants.applications.queries.proof import receipt_proof, registered
from grants.applications.queries.reach import id_of, is_team, lies_in, opens_when, scope_of, team_id_of, visible
from grants.applications.queries.register import register_now, register_sent
from grants.applications.queries.saved import first_list, saved_list, saved_lists, shareable_call, shareable_calls
from grants.applications.queries.serving import offered_actions, served, serving_city
from grants.applications.queries.stages import stages, stages_and_questions, told_by
from grants.applications.queries.submitted import (
    content_of,
    file_of,
    receipt_files,
    submitted_content,
    submitted_version,
    with_proof,
)
from grants.applications.queries.takeover import could_lead, lead_is_gone, takeover_waits, takeovers
from grants.applications.queries.team import membership, team, writes_all, writes_section
from grants.applications.queries.trying import TrialView, content_of_trial, trial, trial_row, trial_view
from grants.applications.queries.vouching import waiting_answers
from grants.applications.queries.whole import (
    as_answered,
    call_of,
    earlier,
    in_call,
    partners,
    reason_of_end,
    states_in_call,
    submission_by_id,
    submissions,
    view,
    view_by_id,
    view_of,
    with_own_deadline,
    with_versions,
)
from grants.applications.queries.writing import (
    Gate,
    Workplace,
    budget_of,
    gate,
    invitation,
    invitations,
    own_rows,
    workplace,
    workplace_of,
)

__all__ = [
    "CLARIFICATION_FILES",
    "DRAFT_JOB",
    "LETTER_FILES",
    "Gate",
    "Stretch",
    "TrialView",
    "Workplace",
    "as_answered",
    "asked_about",
    "awaits_full_proposal",
    "batch",
    "batch_page",
    "batch_results",
    "budget_of",
    "call_of",
    "calls_seen",
    "choices_of",
    "city_facts",
    "clarifications",
    "concept_of",
    "concepts",
    "content_of",
    "content_of_trial",
    "could_lead",
    "countries",
    "counts",
    "desk",
    "desk_and_content",
    "desk_list",
    "draft_pdf",
    "draft_role",
    "draft_text",
    "duties",
    "earlier",
    "export_head",
    "export_rows",
    "file_of",
    "first_list",
    "gate",
    "id_of",
    "in_call",
    "invitation",
    "invitations",
    "invited_to",
    "is_team",
    "last_batch",
    "last_changes",
    "last_invited",
    "lead_is_gone",
    "letter",
    "letter_draft_for_print",
    "letter_file",
    "letter_for_print",
    "letter_held",
    "letter_scope",
    "letters_page",
    "letters_to_send",
    "lies_in",
    "list_file",
    "list_files",
    "list_files_lately",
    "list_page",
    "membership",
    "of_call",
    "of_organisation",
    "offered_actions",
    "old_list_files",
    "open_now",
    "opens_when",
    "over_or_in_hand",
    "own_rows",
    "partners",
    "people_at_work",
    "programmes_seen",
    "reason_of_end",
    "receipt_files",
    "receipt_proof",
    "register_now",
    "register_sent",
    "registered",
    "rows_of_list",
    "saved_list",
    "saved_lists",
    "scope_of",
    "scope_of_clarification",
    "second_stage",
    "served",
    "serving_city",
    "shareable_call",
    "shareable_calls",
    "shared_clarifications",
    "stage_invitation",
    "stages",
    "stages_and_questions",
    "standing",
    "states_in_call",
    "submission_by_id",
    "submissions",
    "submitted_content",
    "submitted_version",
    "takeover_waits",
    "takeovers",
    "team",
    "team_id_of",
    "told_by",
    "trial",
    "trial_row",
    "trial_view",
    "understood",
    "view",
    "view_by_id",
    "view_of",
    "visible",
    "waiting_answers",
    "with_own_deadline",
    "with_proof",
    "with_versions",
    "workplace",
    "workplace_of",
    "writes_all",
    "writes_section",
]
