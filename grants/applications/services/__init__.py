"""What views, jobs, the demo and later stages call; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.applications.services.attaching import attach_file, places_of, remove_file, replace_file
from grants.applications.services.batch import ask_batch, pass_by_facts
from grants.applications.services.checking import (
    answer_condition,
    confirm_refusal,
    declare,
    record_answers,
    return_refusal,
)
from grants.applications.services.clarifying import (
    answer_clarification,
    ask_clarification,
    attach_to_clarification,
    draft_clarification,
    extend_clarification,
    remove_from_clarification,
    share_clarification,
    withdraw_clarification,
)
from grants.applications.services.commenting import comment, reopen_comment, reply, resolve_comment
from grants.applications.services.drafting import (
    edit_details,
    save_answer,
    save_budget,
    save_section,
    start,
)
from grants.applications.services.letters import download_letter, send_letter, send_letters, write_letter
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
    "answer_clarification",
    "answer_condition",
    "ask_batch",
    "ask_clarification",
    "ask_sign_offs",
    "ask_to_write",
    "attach_file",
    "attach_to_clarification",
    "change_role",
    "comment",
    "confirm_partner",
    "confirm_refusal",
    "declare",
    "decline_invitation",
    "download",
    "download_assigned",
    "download_letter",
    "download_receipt",
    "draft_clarification",
    "edit_details",
    "explain_costs",
    "extend_clarification",
    "hand_over",
    "invite",
    "invite_person",
    "join",
    "leave",
    "move",
    "pass_by_facts",
    "places_of",
    "record_answers",
    "record_published",
    "refuse_partner",
    "remove_file",
    "remove_from_clarification",
    "remove_partner",
    "remove_person",
    "reopen_comment",
    "replace_file",
    "reply",
    "resolve_comment",
    "return_refusal",
    "save_answer",
    "save_budget",
    "save_plan",
    "save_section",
    "save_sources",
    "send_letter",
    "send_letters",
    "share_clarification",
    "sign_off",
    "start",
    "submit",
    "take_over",
    "tell_deadline_moved",
    "withdraw",
    "withdraw_clarification",
    "write_letter",
]
