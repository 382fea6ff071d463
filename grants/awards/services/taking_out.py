"""Acts by which lists of awards leave the program as files: nothing leaves unless it is on the record who took it."""

from __future__ import annotations

from uuid import UUID

from grants.calls import queries as calls
from grants.core import acts
from grants.core.acts import act
from grants.core.permissions import Actor, Permission


@act(
    "complaint.export_list",
    needs=Permission.COMPLAINT_READ,
    scope=calls.lies_in,
    says="took the complaints about {subject} out as a file",
)
def export_complaints(actor: Actor, call_id: UUID, rows: int) -> None:
    """Put on the record that the list of complaints of a call leaves the program."""
    acts.reason(f"{rows} rows as CSV.")


@act(
    "advice.export_list",
    needs=Permission.SELECTION_DECIDE,
    scope=calls.lies_in,
    says="took the advice on {subject} out as a file",
)
def export_advice(actor: Actor, call_id: UUID, rows: int) -> None:
    """Put on the record that the advice on a ranked list leaves the program."""
    acts.reason(f"{rows} rows as CSV.")
