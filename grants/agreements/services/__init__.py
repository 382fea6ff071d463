"""Acts of grants: preparing, who speaks and is paid, offering and signing, and the ends; the modules beside this one hold them."""

from __future__ import annotations

from grants.agreements.services.accounts import (
    confirm_account,
    enter_account,
    lay_down_waiting,
    open_account_evidence,
    refuse_account,
)
from grants.agreements.services.amended import (
    accept_amendment,
    consent_to_letter,
    consent_to_letter_for_city,
    refuse_amendment,
    sign_amendment_for_city,
    sign_amendment_for_programme,
    take_back_amendment,
)
from grants.agreements.services.amending import (
    draft_amendment,
    edit_amendment,
    end_silent_amendment,
    open_amendment,
    plan_silence,
    send_amendment,
    withdraw_amendment,
)
from grants.agreements.services.answering import (
    accept_answer,
    open_evidence,
    record_condition,
    return_answer,
    set_due,
    state_condition,
)
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.services.ending import decline, drop
from grants.agreements.services.holding import hold, lift_hold, open_hold_notice, refuse_held
from grants.agreements.services.lapsing import lapse, plan_ends, remind_of_end, set_end
from grants.agreements.services.parties import appoint, dismiss
from grants.agreements.services.preparing import prepare, report_plan, set_terms, time_limits
from grants.agreements.services.revising import (
    accept_revision,
    need_no_revision,
    return_revision,
    revise_budget,
    revise_plan,
    revise_sources,
    revise_text,
    send_revision,
)
from grants.agreements.services.signing import offer, open_document, sign_city, sign_programme, take_back

__all__ = [
    "accept_amendment",
    "accept_answer",
    "accept_revision",
    "appoint",
    "confirm_account",
    "consent_to_letter",
    "consent_to_letter_for_city",
    "decline",
    "dismiss",
    "draft_amendment",
    "drop",
    "edit_amendment",
    "end_silent_amendment",
    "enter_account",
    "hold",
    "lapse",
    "lay_down_waiting",
    "lift_hold",
    "need_no_revision",
    "offer",
    "open_account_evidence",
    "open_amendment",
    "open_document",
    "open_evidence",
    "open_hold_notice",
    "plan_ends",
    "plan_silence",
    "prepare",
    "record_condition",
    "refuse_account",
    "refuse_amendment",
    "refuse_conflict",
    "refuse_held",
    "remind_of_end",
    "report_plan",
    "return_answer",
    "return_revision",
    "revise_budget",
    "revise_plan",
    "revise_sources",
    "revise_text",
    "send_amendment",
    "send_revision",
    "set_due",
    "set_end",
    "set_terms",
    "sign_amendment_for_city",
    "sign_amendment_for_programme",
    "sign_city",
    "sign_programme",
    "state_condition",
    "take_back",
    "take_back_amendment",
    "time_limits",
    "withdraw_amendment",
]
