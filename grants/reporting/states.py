"""The states of a periodic report; expected, due and late are derived from the clock, never stored."""

from __future__ import annotations

from enum import StrEnum

from grants.core.permissions import Permission
from grants.core.states import Machine, Transition


class ReportState(StrEnum):
    """A returned report comes back as a new version; an accepted one opens its payment."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DROPPED = "dropped"
    UNSENT = "unsent"


R = ReportState

REPORT = Machine(
    "report",
    ReportState,
    R.DRAFT,
    [
        Transition("submit", (R.DRAFT, R.RETURNED), R.SUBMITTED, Permission.REPORT_SUBMIT),
        Transition("return", (R.SUBMITTED,), R.RETURNED, Permission.REPORT_ACCEPT),
        Transition("accept", (R.SUBMITTED,), R.ACCEPTED, Permission.REPORT_ACCEPT),
        Transition("reject", (R.SUBMITTED,), R.REJECTED, Permission.REPORT_ACCEPT),
        # By the program, when a termination leaves nothing of its period.
        Transition("drop", (R.DRAFT,), R.DROPPED, Permission.TERMINATION_CARRY_OUT),
        # Where the city does not report by its day: nothing of the period counts, and the balance follows.
        Transition("settle_unsent", (R.DRAFT, R.RETURNED), R.UNSENT, Permission.REPORT_ACCEPT),
    ],
)


# Nothing more is decided on these: the balance waits until every report of the grant is one of them.
SETTLED = (R.ACCEPTED, R.REJECTED, R.DROPPED, R.UNSENT)


class ReportKind(StrEnum):
    """An interim report opens an interim payment, the final one the payment of the balance."""

    INTERIM = "interim"
    FINAL = "final"
