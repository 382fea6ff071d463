"""One line of the eligibility desk's list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from grants.applications.states import ApplicationState, Verdict
from grants.core import clock
from grants.core.money import Money


class DeskShow(StrEnum):
    """The parts of the list."""

    TO_CHECK = "to_check"
    CLARIFYING = "clarifying"
    SECOND = "second"
    LETTER = "letter"
    DONE = "done"


SHOW_WORDS = {
    DeskShow.TO_CHECK: "To check",
    DeskShow.CLARIFYING: "Waiting for the applicant",
    DeskShow.SECOND: "Waiting for a second person",
    DeskShow.LETTER: "Letter to send",
    DeskShow.DONE: "Told",
}


@dataclass(frozen=True, slots=True)
class DeskRow:
    """An application in the list: how far its check is, and since when it waits."""

    reference: str
    name: str
    state: ApplicationState
    lead: str
    country_code: str
    requested: Money | None
    submitted_at: datetime | None
    answered: int
    failed: int
    verdict: Verdict | None = None
    decided_at: datetime | None = None
    decider: str = ""
    proposed_at: datetime | None = None
    proposer: str = ""
    returned: bool = False
    # Until when the applicant answers a question of the desk.
    answer_due_at: datetime | None = None

    def waits_days(self, closes_at: datetime | None, at: datetime) -> int:
        """Whole calendar days since the deadline, or since the second person was asked; 0 once decided."""
        since = self.proposed_at or closes_at
        if self.verdict is not None or since is None:
            return 0
        return max(0, (clock.in_zone(at).date() - clock.in_zone(since).date()).days)
