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
from grants.applications.services.exporting import csv_file, export_list, workbook
from grants.applications.services.extending import extend_for_one
from grants.applications.services.finding import refresh_names
from grants.applications.services.following import invite_concepts, start_invited
from grants.applications.services.helpdesk import (
    answer_ticket,
    answer_ticket_for_everybody,
    ask_ticket_back,
    close_ticket,
    give_ticket_back,
    move_ticket,
    open_ticket,
    reopen_ticket,
    take_ticket,
    write_ticket,
)
from grants.applications.services.letters import (
    download_letter,
    open_letter_draft,
    preview_letter,
    send_letter,
    send_letters,
    write_letter,
)
from grants.applications.services.list_files import (
    ask_list_file,
    download_list_file,
    make_list_file,
    remove_list_file,
    remove_old_list_files,
)
from grants.applications.services.membership import (
    ask_to_write,
    change_role,
    hand_over,
    invite_person,
    join,
    leave,
    remove_person,
)
from grants.applications.services.moving import clear_dropped, move_to_version, read_changes, spread_corrigendum
from grants.applications.services.opening import download, download_assigned, download_receipt
from grants.applications.services.planning import explain_costs, save_plan, save_sources
from grants.applications.services.privacy import accept_notice
from grants.applications.services.recording import move, move_untold, record_published, tell_outcome
from grants.applications.services.saving import (
    change_list,
    delete_list,
    put_first,
    rename_list,
    save_list,
    share_list,
)
from grants.applications.services.serving import save_serving
from grants.applications.services.signing import ask_sign_offs, sign_off
from grants.applications.services.submission import submit, withdraw
from grants.applications.services.takeover import ask_takeover, confirm_takeover, refuse_takeover
from grants.applications.services.taking import take_over
from grants.applications.services.team import (
    accept_invitation,
    confirm_partner,
    decline_invitation,
    invite,
    refuse_partner,
    remove_partner,
)
from grants.applications.services.trying import (
    begin_trial,
    send_trial,
    throw_away,
    try_budget,
    try_file,
    try_section,
    try_without,
)

__all__ = [
    "accept_invitation",
    "accept_notice",
    "answer_clarification",
    "answer_condition",
    "answer_ticket",
    "answer_ticket_for_everybody",
    "ask_batch",
    "ask_clarification",
    "ask_list_file",
    "ask_sign_offs",
    "ask_takeover",
    "ask_ticket_back",
    "ask_to_write",
    "attach_file",
    "attach_to_clarification",
    "begin_trial",
    "change_list",
    "change_role",
    "clear_dropped",
    "close_ticket",
    "comment",
    "confirm_partner",
    "confirm_refusal",
    "confirm_takeover",
    "csv_file",
    "declare",
    "decline_invitation",
    "delete_list",
    "download",
    "download_assigned",
    "download_letter",
    "download_list_file",
    "download_receipt",
    "draft_clarification",
    "edit_details",
    "explain_costs",
    "export_list",
    "extend_clarification",
    "extend_for_one",
    "give_ticket_back",
    "hand_over",
    "invite",
    "invite_concepts",
    "invite_person",
    "join",
    "leave",
    "make_list_file",
    "move",
    "move_ticket",
    "move_to_version",
    "move_untold",
    "open_letter_draft",
    "open_ticket",
    "pass_by_facts",
    "places_of",
    "preview_letter",
    "put_first",
    "read_changes",
    "record_answers",
    "record_published",
    "refresh_names",
    "refuse_partner",
    "refuse_takeover",
    "remove_file",
    "remove_from_clarification",
    "remove_list_file",
    "remove_old_list_files",
    "remove_partner",
    "remove_person",
    "rename_list",
    "reopen_comment",
    "reopen_ticket",
    "replace_file",
    "reply",
    "resolve_comment",
    "return_refusal",
    "save_answer",
    "save_budget",
    "save_list",
    "save_plan",
    "save_section",
    "save_serving",
    "save_sources",
    "send_letter",
    "send_letters",
    "send_trial",
    "share_clarification",
    "share_list",
    "sign_off",
    "spread_corrigendum",
    "start",
    "start_invited",
    "submit",
    "take_over",
    "take_ticket",
    "tell_outcome",
    "throw_away",
    "try_budget",
    "try_file",
    "try_section",
    "try_without",
    "withdraw",
    "withdraw_clarification",
    "workbook",
    "write_letter",
    "write_ticket",
]
