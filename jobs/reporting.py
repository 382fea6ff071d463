"""Reporting after a signature: the reports a grant owes, and what of them a termination leaves."""

from __future__ import annotations

from uuid import UUID

from grants.core import jobs
from grants.core.permissions import Permission
from grants.reporting import services


def open_reports(*, grant_id: str) -> None:
    """A grant agreement entered into force: make its reports with their due dates; a second run finds them made."""
    services.open_reports(jobs.actor(Permission.REPORT_OPEN), UUID(grant_id))


def end_grant(*, grant_id: str) -> bool:
    """The day of a termination has come: end the grant and shorten its reports; a second run finds it done."""
    return services.end_grant(jobs.actor(Permission.TERMINATION_CARRY_OUT), UUID(grant_id))


def follow_agreement(*, grant_id: str, version_no: int) -> int:
    """An amendment is in force: reports that are not sent yet follow it; a second run changes nothing."""
    return services.follow_agreement(jobs.actor(Permission.REPORT_OPEN), UUID(grant_id))
