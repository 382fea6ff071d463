"""Nightly checks: they change nothing; a check that finds something wrong is parked with the first difference."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from grants.core import audit, files
from grants.core.errors import Problem, Refused
from grants.oversight import queries as oversight

log = logging.getLogger(__name__)

# Queued once a day by the schedule, each under its name and the day.
NIGHTLY = ("jobs.checks.audit_chain", "jobs.checks.ledger", "jobs.checks.stored_files")


def audit_chain() -> str:
    """Seal what is pending and recompute the whole chain."""
    check = audit.verify()
    if check.problem:
        log.critical("the audit chain is broken: %s", check.problem)
        raise Refused(check.problem)
    return f"{check.checked} events verified; the chain ends in {check.head[:16]}."


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
