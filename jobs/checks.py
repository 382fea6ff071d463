"""Nightly checks, which change nothing, and the night's signed checkpoint; what finds something wrong is parked with the
first difference."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from grants.core import checkpoints, files, jobs
from grants.core.errors import Problem, Refused
from grants.core.permissions import Permission
from grants.oversight import queries as oversight
from grants.oversight import services

log = logging.getLogger(__name__)

# Queued once a day by the schedule, each under its name and the day.
NIGHTLY = (
    "jobs.conflicts.everywhere",
    "jobs.evaluation.remind_invited",
    "jobs.evaluation.empty_imports",
    "jobs.agreements.plan_ends",
    "jobs.agreements.plan_accessions",
    "jobs.agreements.plan_terminations",
    "jobs.agreements.plan_silence",
    "jobs.payments.keep_forecast",
    "jobs.payments.remind_of_debts",
    "jobs.checks.audit_chain",
    "jobs.checks.ledger",
    "jobs.checks.stored_files",
    "jobs.payments.compare_records",
    "jobs.payments.check_records",
    "jobs.checks.checkpoint",
)


def audit_chain() -> str:
    """Seal what is pending, recompute the whole chain, and hold it against every checkpoint in reach."""
    check = checkpoints.verify()
    problem = check.chain.problem
    if problem:
        log.critical("the audit record does not hold: %s", problem)
        raise Refused(problem)
    return f"{check.chain.checked} events verified; the chain ends in {check.chain.head[:16]}."


def checkpoint() -> str:
    """Sign what is sealed; the file and the letters are jobs of their own, queued in the same act."""
    made = services.make_checkpoint(jobs.actor(Permission.CHECKPOINT_MAKE))
    return f"Signed over {made.position} positions."


def leave_checkpoint(*, position: int) -> str:
    """Write one checkpoint into the folder; what lies there already is left as it is."""
    try:
        return str(checkpoints.leave(checkpoints.at(position)))
    except checkpoints.FolderAway as error:
        raise jobs.TryLater(str(error)) from error


def ledger() -> str:
    """Recompute every invariant of the journal, of the payments, and of what lies between the stages."""
    return _verdict("the ledger", oversight.verify_ledger())


def stored_files() -> str:
    """Compare every stored file with its hash."""
    return _verdict("the files", files.verify())


def _verdict(what: str, problems: Sequence[Problem]) -> str:
    if problems:
        log.critical("%s: %s problems, first %s", what, len(problems), problems[0])
        raise Refused(f"{len(problems)} found wrong in {what}. The first: {problems[0]}")
    return f"Nothing wrong in {what}."
