"""What views, jobs, the demo and later stages call; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.applications.services.attaching import attach_file, places_of, remove_file, replace_file
from grants.applications.services.checking import declare, record_answers
from grants.applications.services.commenting import comment, reopen_comment, reply, resolve_comment
from grants.applications.services.drafting import (
    edit_details,
    save_answer,
    save_budget,
    save_section,
    start,
)
from grants.applications.services.exporting import csv_file, export_list, workbook
from grants.applications.services.membership import (
    ask_to_write,
    change_role,
    hand_over,
    invite_person,
    join,
    leave,
    remove_person,
)
from grants.applications.services.notices import tell_deadline_moved
from grants.applications.services.opening import download, download_assigned, download_receipt
from grants.applications.services.planning import explain_costs, save_plan, save_sources
from grants.applications.services.recording import move, record_published
from grants.applications.services.saving import (
    change_list,
    delete_list,
    put_first,
    rename_list,
    save_list,
    share_list,
)
from grants.applications.services.signing import ask_sign_offs, sign_off
from grants.applications.services.submission import submit, withdraw
from grants.applications.services.taking import take_over
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
    "ask_sign_offs",
    "ask_to_write",
    "attach_file",
    "change_list",
    "change_role",
    "comment",
    "confirm_partner",
    "csv_file",
    "declare",
    "decline_invitation",
    "delete_list",
    "download",
    "download_assigned",
    "download_receipt",
    "edit_details",
    "explain_costs",
    "export_list",
    "hand_over",
    "invite",
    "invite_person",
    "join",
    "leave",
    "move",
    "places_of",
    "put_first",
    "record_answers",
    "record_published",
    "refuse_partner",
    "remove_file",
    "remove_partner",
    "remove_person",
    "rename_list",
    "reopen_comment",
    "replace_file",
    "reply",
    "resolve_comment",
    "save_answer",
    "save_budget",
    "save_list",
    "save_plan",
    "save_section",
    "save_sources",
    "share_list",
    "sign_off",
    "start",
    "submit",
    "take_over",
    "tell_deadline_moved",
    "withdraw",
    "workbook",
]
