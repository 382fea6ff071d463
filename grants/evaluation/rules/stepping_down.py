"""What somebody reads before they step down from a whole call, and once they did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

ALL_SUBMITTED = (
    "Every assessment of yours in this call is submitted and counts. "
    "If you cannot answer to a consensus any more, tell it to the helpdesk of the call."
)


@dataclass(frozen=True, slots=True)
class SteppingDown:
    """One evaluator in the pool of a call: what is open, what is in, and whether they stepped down."""

    call_id: UUID
    slug: str
    title: str
    version: int
    open: int
    submitted: int
    stepped_down_at: datetime | None
    stepped_down_why: str

    @property
    def may_step_down(self) -> bool:
        """Whether there is something to step down from: until the last assessment is in."""
        return self.stepped_down_at is None and (self.open > 0 or not self.submitted)

    @property
    def open_words(self) -> str:
        """What becomes of the seats whose sheets are not in."""
        if not self.open:
            return "You have no open assessment in this call."
        many = "The 1 assessment" if self.open == 1 else f"The {self.open} assessments"
        return (
            f"{many} you have not submitted {'goes' if self.open == 1 else 'go'} to somebody else. "
            "What you wrote stays on the record and counts for nothing."
        )

    @property
    def submitted_words(self) -> str:
        """What becomes of the sheets that are in."""
        if not self.submitted:
            return "You have submitted nothing yet."
        one = self.submitted == 1
        return (
            f"The {'1 assessment' if one else f'{self.submitted} assessments'} you submitted {'stands' if one else 'stand'}. "
            f"You may still be asked about the consensus of {'it' if one else 'each'}."
        )
