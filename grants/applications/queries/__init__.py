"""Reads of applications for pages and later stages; the modules beside this one say how."""

from __future__ import annotations

from grants.applications.queries.batch import batch, last_batch
from grants.applications.queries.checking import desk, desk_and_content
from grants.applications.queries.clarifying import FILE_KIND as CLARIFICATION_FILES
from grants.applications.queries.clarifying import (
    clarifications,
    open_now,
    scope_of_clarification,
    shared_clarifications,
)
from grants.applications.queries.desk_list import desk_list
from grants.applications.queries.duty import duties
from grants.applications.queries.facts import cities_of as city_facts
from grants.applications.queries.facts import facts_of
from grants.applications.queries.lists import (
    ListPage,
    applications,
    calls_seen,
    closes_at_of,
    countries,
    counts,
    export_lines,
    for_call,
    list_page,
    of_call,
)
from grants.applications.queries.proof import receipt_proof, registered
from grants.applications.queries.reach import (
    DUTIES_MAX,
    FOR_CALL_MAX,
    LIST_ROWS_MAX,
    id_of,
    is_team,
    lies_in,
    not_barred,
    opens_when,
    scope_of,
    team_id_of,
    visible,
)
from grants.applications.queries.stages import stages, stages_and_questions, told_by
from grants.applications.queries.submitted import (
    content_of,
    file_of,
    receipt_files,
    submitted_content,
    submitted_version,
)
from grants.applications.queries.team import membership, team, writes_all, writes_section
from grants.applications.queries.vouching import waiting_answers
from grants.applications.queries.whole import (
    earlier,
    partners,
    partners_of,
    reason_of_end,
    submission_by_id,
    submissions,
    view,
    view_by_id,
    view_of,
)
from grants.applications.queries.writing import (
    Gate,
    Workplace,
    budget_of,
    gate,
    invitation,
    invitations,
    issues_of,
    own_rows,
    snapshot_of,
    warnings_of,
    workplace,
    workplace_of,
)

__all__ = [
    "CLARIFICATION_FILES",
    "DUTIES_MAX",
    "FOR_CALL_MAX",
    "LIST_ROWS_MAX",
    "Gate",
    "ListPage",
    "Workplace",
    "applications",
    "batch",
    "budget_of",
    "calls_seen",
    "city_facts",
    "clarifications",
    "closes_at_of",
    "content_of",
    "countries",
    "counts",
    "desk",
    "desk_and_content",
    "desk_list",
    "duties",
    "earlier",
    "export_lines",
    "facts_of",
    "file_of",
    "for_call",
    "gate",
    "id_of",
    "invitation",
    "invitations",
    "is_team",
    "issues_of",
    "last_batch",
    "lies_in",
    "list_page",
    "membership",
    "not_barred",
    "of_call",
    "open_now",
    "opens_when",
    "own_rows",
    "partners",
    "partners_of",
    "reason_of_end",
    "receipt_files",
    "receipt_proof",
    "registered",
    "scope_of",
    "scope_of_clarification",
    "shared_clarifications",
    "snapshot_of",
    "stages",
    "stages_and_questions",
    "submission_by_id",
    "submissions",
    "submitted_content",
    "submitted_version",
    "team",
    "team_id_of",
    "told_by",
    "view",
    "view_by_id",
    "view_of",
    "visible",
    "waiting_answers",
    "warnings_of",
    "workplace",
    "workplace_of",
    "writes_all",
    "writes_section",
]
