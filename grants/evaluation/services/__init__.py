"""Acts of evaluation, the only writers of its tables; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.evaluation.services.conflicts import declare, rule
from grants.evaluation.services.consensus import agree, propose, settle, take_back, write_consensus
from grants.evaluation.services.evaluators import pool, remove
from grants.evaluation.services.runs import input_hash, request_run, run
from grants.evaluation.services.seats import fill, void
from grants.evaluation.services.sheets import reopen, save, submit
from grants.evaluation.services.shifts import confirm_shift, propose_shift, return_shift

__all__ = [
    "agree",
    "confirm_shift",
    "declare",
    "fill",
    "input_hash",
    "pool",
    "propose",
    "propose_shift",
    "remove",
    "reopen",
    "request_run",
    "return_shift",
    "rule",
    "run",
    "save",
    "settle",
    "submit",
    "take_back",
    "void",
    "write_consensus",
]
