"""Acts by which lists of awards leave the program as files: nothing leaves unless it is on the record who took it."""

from __future__ import annotations

from uuid import UUID

from grants.awards import queries
from grants.calls import queries as calls
from grants.core import acts
from grants.core.acts import act
from grants.core.file_types import FileType
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission


@act(
    "complaint.export_list",
    needs=Permission.COMPLAINT_READ,
    scope=calls.lies_in,
    says="took the complaints about {subject} out as a file",
)
def export_complaints(actor: Actor, call_id: UUID, rows: int) -> None:
    """Put on the record that the list of complaints of a call leaves the program."""
    acts.subject("call", call_id)
    acts.reason(f"{rows} rows as CSV.")


@act(
    "advice.export_list",
    needs=Permission.SELECTION_DECIDE,
    scope=calls.lies_in,
    says="took the advice on {subject} out as a file",
)
def export_advice(actor: Actor, call_id: UUID, rows: int) -> None:
    """Put on the record that the advice on a ranked list leaves the program."""
    acts.subject("call", call_id)
    acts.reason(f"{rows} rows as CSV.")


# Each role that may open a ranked list may have files of its call; which of them sees what, the list itself says.
@act(
    "selection.export_list",
    needs=Permission.FILE_READ,
    scope=calls.lies_in,
    says="took the ranked list of {subject} out as a file",
)
def export_ranking(actor: Actor, call_id: UUID, rows: int, kind: FileType) -> None:
    """Put on the record that ranks, scores and amounts of a call leave the program."""
    queries.refuse_unopened(actor, call_id)
    acts.subject("call", call_id)
    acts.reason(f"{rows} rows as {kind.name}.")


@act(
    "selection.download_minute",
    needs=Permission.FILE_READ,
    scope=calls.lies_in,
    says="opened the minute of the decision on {subject} as PDF",
)
def download_minute(actor: Actor, call_id: UUID, slug: str, number: int) -> FileView:
    """Hand out the minute of a confirmed list to whoever sees that list whole; who took it is kept."""
    acts.subject("call", call_id)
    acts.reason(f"List {number}.")
    return queries.minute_file(actor, slug, number)
