"""Acts of evaluation, the only writers of its tables; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.evaluation.services.adjusting import adjust
from grants.evaluation.services.conflicts import declare, declare_in_office, rule
from grants.evaluation.services.consensus import agree, propose, settle, take_back, write_consensus
from grants.evaluation.services.detecting import ask_to_look, decide_detected, detect
from grants.evaluation.services.evaluators import pool, remove
from grants.evaluation.services.records import input_hash
from grants.evaluation.services.runs import request_run, run
from grants.evaluation.services.seats import fill, void
from grants.evaluation.services.sheets import reopen, save, submit

__all__ = [
    "adjust",
    "agree",
    "ask_to_look",
    "decide_detected",
    "declare",
    "declare_in_office",
    "detect",
    "fill",
    "input_hash",
    "pool",
    "propose",
    "remove",
    "reopen",
    "request_run",
    "rule",
    "run",
    "save",
    "settle",
    "submit",
    "take_back",
    "void",
    "write_consensus",
]
