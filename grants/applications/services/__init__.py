"""What views, jobs, the demo and later stages call; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.applications.services.checking import declare, record_answers
from grants.applications.services.drafting import (
    attach_file,
    edit_details,
    remove_file,
    save_answer,
    save_budget,
    save_section,
    start,
)
from grants.applications.services.notices import tell_deadline_moved
from grants.applications.services.opening import download, download_assigned, download_receipt
from grants.applications.services.planning import explain_costs, save_plan, save_sources
from grants.applications.services.recording import move, record_published
from grants.applications.services.submission import submit, withdraw
from grants.applications.services.team import (
    accept_invitation,
    confirm_partner,
    decline_invitation,
    invite,
    refuse_partner,
    remove_partner,
)

__all__ = [
    "accept_invitation",
    "attach_file",
    "confirm_partner",
    "declare",
    "decline_invitation",
    "download",
    "download_assigned",
    "download_receipt",
    "edit_details",
    "explain_costs",
    "invite",
    "move",
    "record_answers",
    "record_published",
    "refuse_partner",
    "remove_file",
    "remove_partner",
    "save_answer",
    "save_budget",
    "save_plan",
    "save_section",
    "save_sources",
    "start",
    "submit",
    "tell_deadline_moved",
    "withdraw",
]
