"""Acts of grants: preparing, who speaks and is paid, offering and signing, and the ends; the modules beside this one hold them."""

from __future__ import annotations

from grants.agreements.services.accounts import (
    confirm_account,
    enter_account,
    lay_down_waiting,
    open_account_evidence,
    refuse_account,
)
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.services.ending import decline, drop
from grants.agreements.services.parties import appoint, dismiss
from grants.agreements.services.preparing import answer_check, prepare, report_plan, set_terms, time_limits
from grants.agreements.services.signing import offer, open_document, sign_city, sign_programme, take_back

__all__ = [
    "answer_check",
    "appoint",
    "confirm_account",
    "decline",
    "dismiss",
    "drop",
    "enter_account",
    "lay_down_waiting",
    "offer",
    "open_account_evidence",
    "open_document",
    "prepare",
    "refuse_account",
    "refuse_conflict",
    "report_plan",
    "set_terms",
    "sign_city",
    "sign_programme",
    "take_back",
    "time_limits",
]
