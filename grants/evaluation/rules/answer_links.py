"""The link by which an invitation is answered from its mail: what it names, and what it is good for at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from grants.evaluation.rules.invitations import InvitationView
from grants.evaluation.states import InvitationState

# The page such a link leads to; its seal holds for this page alone.
ANSWER_LINK = "evaluation.answer_link"


class LinkState(StrEnum):
    """What a link is good for: it answers once, until its day, and only the newest invitation."""

    GOOD = "good"
    USED = "used"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"

    @property
    def sentence(self) -> str:
        """Why nothing is answered by it any more, and the way on."""
        return {
            "good": "",
            "used": "This link was used: the invitation is answered.",
            "lapsed": "The time to answer is over. Ask the programme office for a new invitation if you would still join.",
            "withdrawn": "The programme took this invitation back; its reason is in the mail that told you so.",
            "replaced": "You were invited again after this mail. Open the link in the newest one.",
        }[self.value]


@dataclass(frozen=True, slots=True)
class LinkedInvitation:
    """The invitation a link names, what the link is good for, and the mark of the moment of asking it bears."""

    asked: InvitationView
    state: LinkState
    mark: str


def asked_mark(invited_at: datetime) -> str:
    """The moment of an invitation to the microsecond, so that a link of an earlier one is told apart.

    >>> asked_mark(datetime(2022, 11, 20, 9, 0, 0, 5, UTC))
    '1668934800000005'
    """
    since = invited_at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return str((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def named_by(parts: Sequence[str]) -> tuple[UUID, str] | None:
    """The invitation and the moment of asking that the parts of a link name; None for anything else."""
    try:
        invitation_id, asked = parts
        return UUID(invitation_id), asked
    except ValueError:
        return None


def link_state(
    state: InvitationState, invited_at: datetime, expires_at: datetime, asked: str, at: datetime
) -> LinkState:
    """What a link is good for at a moment, by how its invitation stands."""
    if asked != asked_mark(invited_at):
        return LinkState.REPLACED
    match state:
        case InvitationState.INVITED:
            return LinkState.GOOD if at < expires_at else LinkState.LAPSED
        case InvitationState.WITHDRAWN:
            return LinkState.WITHDRAWN
        case InvitationState.AGREED | InvitationState.ACCEPTED | InvitationState.DECLINED:
            return LinkState.USED
