"""Reads of applications for pages and later stages; the modules beside this one say how."""

from __future__ import annotations

from grants.applications.queries.checking import city_facts, desk
from grants.applications.queries.counting import counts
from grants.applications.queries.duty import duties
from grants.applications.queries.exporting import export_rows
from grants.applications.queries.lists import (
    ListPage,
    applications,
    calls_seen,
    closes_at_of,
    countries,
    for_call,
    list_page,
    of_call,
    programmes_seen,
)
from grants.applications.queries.ordering import Stretch
from grants.applications.queries.pipeline import standing
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
from grants.applications.queries.saved import first_list, saved_list, saved_lists, shareable_call, shareable_calls
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
    "DUTIES_MAX",
    "FOR_CALL_MAX",
    "LIST_ROWS_MAX",
    "Gate",
    "ListPage",
    "Stretch",
    "Workplace",
    "applications",
    "budget_of",
    "calls_seen",
    "city_facts",
    "closes_at_of",
    "content_of",
    "countries",
    "counts",
    "desk",
    "duties",
    "earlier",
    "export_rows",
    "file_of",
    "first_list",
    "for_call",
    "gate",
    "id_of",
    "invitation",
    "invitations",
    "is_team",
    "issues_of",
    "lies_in",
    "list_page",
    "membership",
    "not_barred",
    "of_call",
    "opens_when",
    "own_rows",
    "partners",
    "partners_of",
    "programmes_seen",
    "reason_of_end",
    "receipt_files",
    "receipt_proof",
    "registered",
    "saved_list",
    "saved_lists",
    "scope_of",
    "shareable_call",
    "shareable_calls",
    "snapshot_of",
    "standing",
    "submission_by_id",
    "submissions",
    "submitted_content",
    "submitted_version",
    "team",
    "team_id_of",
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
