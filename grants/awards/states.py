"""States of a selection decision, and the outcomes it gives each application."""

from __future__ import annotations

from enum import StrEnum

from grants.core.permissions import Permission
from grants.core.states import Machine, Transition


class SelectionState(StrEnum):
    """One person decides, another confirms; only a confirmed selection reserves money. A returned one stays as history."""

    DECIDED = "decided"
    CONFIRMED = "confirmed"
    RETURNED = "returned"


SELECTION = Machine(
    "selection",
    SelectionState,
    SelectionState.DECIDED,
    (
        Transition("confirm", (SelectionState.DECIDED,), SelectionState.CONFIRMED, Permission.SELECTION_CONFIRM),
        Transition("return", (SelectionState.DECIDED,), SelectionState.RETURNED, Permission.SELECTION_CONFIRM),
    ),
)


RESERVE_MOVE = Machine(
    "move from the reserve list",
    SelectionState,
    SelectionState.DECIDED,
    (
        Transition("confirm", (SelectionState.DECIDED,), SelectionState.CONFIRMED, Permission.SELECTION_CONFIRM),
        Transition("return", (SelectionState.DECIDED,), SelectionState.RETURNED, Permission.SELECTION_CONFIRM),
    ),
)


class SelectionKind(StrEnum):
    """A list ranked here, or an outcome that was published elsewhere: recorded with its source, without scores."""

    RANKED = "ranked"
    PUBLISHED_OUTCOME = "published_outcome"


class Outcome(StrEnum):
    """What the selection means for one application."""

    SELECTED = "selected"
    RESERVE = "reserve"
    NOT_FUNDED = "not_funded"
    BELOW_THRESHOLD = "below_threshold"

    @property
    def words(self) -> str:
        """For pages: “Not funded”."""
        return self.value.replace("_", " ").capitalize()


class EndedElsewhere(StrEnum):
    """How an application ended that got no grant in an outcome published elsewhere."""

    NOT_FUNDED = "not_funded"
    INELIGIBLE = "ineligible"
    WITHDRAWN = "withdrawn"

    @property
    def words(self) -> str:
        """For pages and records: “Not eligible”."""
        return {"not_funded": "Not funded", "ineligible": "Not eligible", "withdrawn": "Withdrawn"}[self.value]


class LineRule(StrEnum):
    """What happens below the first application that asks for more than is left."""

    STOP = "stop"
    SKIP = "skip"


class AmountBasis(StrEnum):
    """Whether an amount is what was asked for, was published, or is invented for the demonstration."""

    REQUESTED = "requested"
    PUBLISHED = "published"
    SYNTHETIC = "synthetic"


class AdviceKind(StrEnum):
    """What a run of the advice beside the official list could say."""

    FULL = "full"
    SHRUNKEN = "shrunken"
    NOTHING = "nothing"


class SolveKind(StrEnum):
    """What a job was asked: the list by rules of selection, the best set for another aim, or how often each stays selected."""

    LIST = "list"
    SCORE = "score"
    POPULATION = "population"
    QUALITY = "quality"
    CLIMATE = "climate"
    ROBUST = "robust"


class MeetingState(StrEnum):
    """A meeting of the panel; what happened in it is its log of events, never this word."""

    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"

    @property
    def words(self) -> str:
        """For pages: “In progress”."""
        return {"planned": "Planned", "running": "In progress", "paused": "Paused", "ended": "Ended"}[self.value]


MEETING = Machine(
    "panel meeting",
    MeetingState,
    MeetingState.PLANNED,
    (
        Transition("begin", (MeetingState.PLANNED,), MeetingState.RUNNING, Permission.PANEL_LEAD),
        Transition("pause", (MeetingState.RUNNING,), MeetingState.PAUSED, Permission.PANEL_LEAD),
        Transition("resume", (MeetingState.PAUSED,), MeetingState.RUNNING, Permission.PANEL_LEAD),
        Transition("end", (MeetingState.RUNNING, MeetingState.PAUSED), MeetingState.ENDED, Permission.PANEL_LEAD),
    ),
)


class PanelRole(StrEnum):
    """What somebody is in one meeting. The deputy leads where a conflict keeps the chair out; the minute-taker has no vote."""

    CHAIR = "chair"
    DEPUTY = "deputy"
    MEMBER = "member"
    MINUTES = "minutes"

    @property
    def words(self) -> str:
        """For pages and minutes: “Minute-taker”."""
        return {"chair": "Chair", "deputy": "Deputy chair", "member": "Member", "minutes": "Minute-taker"}[self.value]


VOTING = frozenset({PanelRole.CHAIR, PanelRole.DEPUTY, PanelRole.MEMBER})


class Happened(StrEnum):
    """One thing that happened in a meeting, as its log keeps it."""

    BEGUN = "begun"
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"
    ARRIVED = "arrived"
    LEFT = "left"
    OPENED = "opened"
    CLOSED = "closed"
    # A conflict: out of the room while the item is open, and back after it.
    STEPPED_OUT = "stepped_out"
    CALLED_BACK = "called_back"
    PROPOSED = "proposed"
    VOTED = "voted"
    COUNTED = "counted"
    REORDERED = "reordered"
    RECOMMENDED = "recommended"
    REMARKED = "remarked"
    # A score that somebody moved, or whose consensus was opened again, while the meeting ran.
    SCORED = "scored"


class Vote(StrEnum):
    """How somebody votes on what the chair proposes."""

    APPROVE = "approve"
    REJECT = "reject"
    ABSTAIN = "abstain"

    @property
    def words(self) -> str:
        """For pages and minutes: “Approve”."""
        return self.value.capitalize()


class Turn(StrEnum):
    """Which item the chair opens from the one that is open."""

    NEXT = "next"
    BACK = "back"


class MailingState(StrEnum):
    """Letters of a call that leave together: one person prepares them, another sends them or gives them back."""

    PREPARED = "prepared"
    CONFIRMED = "confirmed"
    RETURNED = "returned"


MAILING = Machine(
    "mailing of decision letters",
    MailingState,
    MailingState.PREPARED,
    (
        Transition("confirm", (MailingState.PREPARED,), MailingState.CONFIRMED, Permission.SELECTION_CONFIRM),
        Transition("return", (MailingState.PREPARED,), MailingState.RETURNED, Permission.SELECTION_CONFIRM),
    ),
)


class WithheldGround(StrEnum):
    """Why the award of a recipient is not published, though results are: what a publication of recipients may give way to."""

    RIGHTS = "rights"
    COMMERCIAL = "commercial"
    LAW = "law"

    @property
    def words(self) -> str:
        """As people read it."""
        match self:
            case WithheldGround.RIGHTS:
                return "It would threaten the rights or the safety of people"
            case WithheldGround.COMMERCIAL:
                return "It would harm the commercial interests of the recipient"
            case WithheldGround.LAW:
                return "A law or a court forbids it"


class LetterState(StrEnum):
    """One letter of decision on its way; one that was given back stays as history."""

    PREPARED = "prepared"
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


LETTER = Machine(
    "decision letter",
    LetterState,
    LetterState.PREPARED,
    (
        Transition("confirm", (LetterState.PREPARED,), LetterState.QUEUED, Permission.SELECTION_CONFIRM),
        Transition("drop", (LetterState.PREPARED,), LetterState.DROPPED, Permission.SELECTION_CONFIRM),
        # One that cannot be sent, once somebody else tells its team; taken in again, it is prepared anew.
        Transition("leave_out", (LetterState.FAILED,), LetterState.DROPPED, Permission.SELECTION_PUBLISH_RESULTS),
        Transition("send", (LetterState.QUEUED,), LetterState.SENT, Permission.SELECTION_CONFIRM),
        Transition("fail", (LetterState.QUEUED,), LetterState.FAILED, Permission.SELECTION_CONFIRM),
        Transition("retry", (LetterState.FAILED,), LetterState.QUEUED, Permission.SELECTION_CONFIRM),
    ),
)


class NamesShown(StrEnum):
    """Where the names of evaluators stand: beside their call, with all of that year, or nowhere yet. Never beside an application."""

    CALL = "call"
    YEAR = "year"
    NOWHERE = "nowhere"


class ComplaintState(StrEnum):
    """A complaint against a negative result, from the applicant's draft to the second decision."""

    DRAFT = "draft"
    RECEIVED = "received"
    ADMISSIBLE = "admissible"
    INADMISSIBLE = "inadmissible"
    UNDER_REVIEW = "under_review"
    UPHELD = "upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"

    @property
    def words(self) -> str:
        """For pages: “Under review”."""
        return self.value.replace("_", " ").capitalize()

    @property
    def colour(self) -> str:
        """The colour of its mark."""
        return {"upheld": "green", "draft": "grey", "withdrawn": "grey", "inadmissible": "red", "rejected": "red"}.get(
            self.value, "blue"
        )


C = ComplaintState

# Sent, and not decided yet.
OPEN_COMPLAINTS = (C.RECEIVED, C.ADMISSIBLE, C.UNDER_REVIEW)

COMPLAINT = Machine(
    "complaint",
    ComplaintState,
    C.DRAFT,
    (
        Transition("send", (C.DRAFT,), C.RECEIVED, Permission.APPLICATION_SUBMIT),
        Transition("admit", (C.RECEIVED,), C.ADMISSIBLE, Permission.COMPLAINT_DECIDE),
        Transition("turn_away", (C.RECEIVED,), C.INADMISSIBLE, Permission.COMPLAINT_DECIDE),
        Transition("name_committee", (C.ADMISSIBLE, C.UNDER_REVIEW), C.UNDER_REVIEW, Permission.COMPLAINT_DECIDE),
        Transition("uphold", (C.UNDER_REVIEW,), C.UPHELD, Permission.COMPLAINT_DECIDE),
        Transition("reject", (C.UNDER_REVIEW,), C.REJECTED, Permission.COMPLAINT_DECIDE),
        Transition("withdraw", OPEN_COMPLAINTS, C.WITHDRAWN, Permission.APPLICATION_SUBMIT),
    ),
)


class Remedy(StrEnum):
    """What follows where a complaint is upheld."""

    RESTORE = "restore"
    REPEAT = "repeat"
    CORRECT = "correct"
