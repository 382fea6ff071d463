"""Acts of evaluation, the only writers of its tables; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.evaluation.services.adjusting import adjust
from grants.evaluation.services.conflicts import declare, declare_in_office, rule
from grants.evaluation.services.consensus import agree, dissent, propose, settle, take_back, write_consensus
from grants.evaluation.services.detecting import ask_to_look, decide_detected, detect
from grants.evaluation.services.evaluators import pool, remove
from grants.evaluation.services.leaving import hand_over, recuse
from grants.evaluation.services.packs import ask_pack, download_pack
from grants.evaluation.services.places import keep_place, skip
from grants.evaluation.services.records import input_hash
from grants.evaluation.services.runs import give_out, request_run, run
from grants.evaluation.services.seats import fill, start_again, void
from grants.evaluation.services.sheets import reopen, save, submit, submit_written
from grants.evaluation.services.shifts import confirm_shift, propose_shift, return_shift
from grants.evaluation.services.writing import FieldsChanged, save_field, take_over

__all__ = [
    "FieldsChanged",
    "adjust",
    "agree",
    "ask_pack",
    "ask_to_look",
    "confirm_shift",
    "decide_detected",
    "declare",
    "declare_in_office",
    "detect",
    "dissent",
    "download_pack",
    "fill",
    "give_out",
    "hand_over",
    "input_hash",
    "keep_place",
    "pool",
    "propose",
    "propose_shift",
    "recuse",
    "remove",
    "reopen",
    "request_run",
    "return_shift",
    "rule",
    "run",
    "save",
    "save_field",
    "settle",
    "skip",
    "start_again",
    "submit",
    "submit_written",
    "take_back",
    "take_over",
    "void",
    "write_consensus",
]
