"""Acts of evaluation, the only writers of its tables; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.evaluation.services.accepting import accept_terms, tell_of_terms
from grants.evaluation.services.adjusting import adjust, change_by_file
from grants.evaluation.services.answer_links import agree_by_link, decline_by_link, whose_link
from grants.evaluation.services.conflicts import declare, declare_in_office, rule
from grants.evaluation.services.consensus import (
    agree,
    dissent,
    propose,
    reopen_agreed,
    settle,
    take_back,
    write_consensus,
)
from grants.evaluation.services.detecting import ask_to_look, decide_detected, detect
from grants.evaluation.services.drafting import save_consensus_field
from grants.evaluation.services.evaluators import edit_profile, export_pool, pool, remove
from grants.evaluation.services.fields import FieldsChanged
from grants.evaluation.services.importing import empty_imports, import_evaluators, import_piece
from grants.evaluation.services.invitations import (
    accept_invitation,
    decline_invitation,
    invite,
    remind,
    remind_late,
    withdraw_invitation,
)
from grants.evaluation.services.leaving import recuse
from grants.evaluation.services.losses import LOSS_JOB, keep_loss, request_loss, work_out_loss
from grants.evaluation.services.packs import ask_one, ask_pack, download_one, download_pack
from grants.evaluation.services.places import keep_place, skip
from grants.evaluation.services.records import input_of
from grants.evaluation.services.reminding import remind_of_assessments
from grants.evaluation.services.runs import give_out, request_run, run, work_out
from grants.evaluation.services.seats import export_run, export_seats, start_again
from grants.evaluation.services.sheets import reopen, save, submit, submit_written
from grants.evaluation.services.shifts import confirm_shift, propose_shift, return_shift
from grants.evaluation.services.stepping_down import come_back, step_down
from grants.evaluation.services.writing import save_field, take_over

__all__ = [
    "LOSS_JOB",
    "FieldsChanged",
    "accept_invitation",
    "accept_terms",
    "adjust",
    "agree",
    "agree_by_link",
    "ask_one",
    "ask_pack",
    "ask_to_look",
    "change_by_file",
    "come_back",
    "confirm_shift",
    "decide_detected",
    "declare",
    "declare_in_office",
    "decline_by_link",
    "decline_invitation",
    "detect",
    "dissent",
    "download_one",
    "download_pack",
    "edit_profile",
    "empty_imports",
    "export_pool",
    "export_run",
    "export_seats",
    "give_out",
    "import_evaluators",
    "import_piece",
    "input_of",
    "invite",
    "keep_loss",
    "keep_place",
    "pool",
    "propose",
    "propose_shift",
    "recuse",
    "remind",
    "remind_late",
    "remind_of_assessments",
    "remove",
    "reopen",
    "reopen_agreed",
    "request_loss",
    "request_run",
    "return_shift",
    "rule",
    "run",
    "save",
    "save_consensus_field",
    "save_field",
    "settle",
    "skip",
    "start_again",
    "step_down",
    "submit",
    "submit_written",
    "take_back",
    "take_over",
    "tell_of_terms",
    "whose_link",
    "withdraw_invitation",
    "work_out",
    "work_out_loss",
    "write_consensus",
]
