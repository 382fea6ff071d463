"""Acts of grants: preparing, who speaks and is paid, offering and signing, and the ends; the modules beside this one hold them."""

from __future__ import annotations

from grants.agreements.services.acceding import (
    accede,
    accept_power,
    ask_accessions,
    end_accession,
    plan_accessions,
    record_power,
    return_power,
    state_power,
    tell_late_accession,
)
from grants.agreements.services.accounts import (
    confirm_account,
    enter_account,
    lay_down_waiting,
    open_account_evidence,
    refuse_account,
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
from grants.agreements.services.terminating import (
    carry_out,
    confirm_termination,
    object_to_termination,
    open_termination_notice,
    plan_terminations,
    propose_termination,
    refuse_over,
    refuse_prefinancing,
    tell_of_termination,
    withdraw_termination,
)
from grants.agreements.services.transferring import move_budget
from grants.agreements.services.uploading import (
    accept_signed,
    note_signatures,
    open_signed,
    refuse_signed_upload,
    upload_signed,
    upload_signed_city,
)

__all__ = [
    "accede",
    "accept_answer",
    "accept_power",
    "accept_revision",
    "accept_signed",
    "appoint",
    "ask_accessions",
    "carry_out",
    "confirm_account",
    "confirm_termination",
    "decline",
    "dismiss",
    "drop",
    "end_accession",
    "enter_account",
    "hold",
    "lapse",
    "lay_down_waiting",
    "lift_hold",
    "move_budget",
    "need_no_revision",
    "note_signatures",
    "object_to_termination",
    "offer",
    "open_account_evidence",
    "open_document",
    "open_evidence",
    "open_hold_notice",
    "open_signed",
    "open_termination_notice",
    "plan_accessions",
    "plan_ends",
    "plan_terminations",
    "prepare",
    "propose_termination",
    "record_condition",
    "record_power",
    "refuse_account",
    "refuse_conflict",
    "refuse_held",
    "refuse_over",
    "refuse_prefinancing",
    "refuse_signed_upload",
    "remind_of_end",
    "report_plan",
    "return_answer",
    "return_power",
    "return_revision",
    "revise_budget",
    "revise_plan",
    "revise_sources",
    "revise_text",
    "send_revision",
    "set_due",
    "set_end",
    "set_terms",
    "sign_city",
    "sign_programme",
    "state_condition",
    "state_power",
    "take_back",
    "tell_late_accession",
    "tell_of_termination",
    "time_limits",
    "upload_signed",
    "upload_signed_city",
    "withdraw_termination",
]
