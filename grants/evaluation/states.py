"""States of evaluation: what people declare about conflicts, seats, assessments and the consensus."""

from __future__ import annotations

from enum import StrEnum

from grants.core.permissions import Permission
from grants.core.states import Machine, Transition


class Declared(StrEnum):
    """What a person says about one application. Nothing declared is no state: nothing opens then."""

    NONE = "none"
    CONFLICT = "conflict"
    UNSURE = "unsure"

    @property
    def words(self) -> str:
        """As the person chose it on the page."""
        return {"none": "None", "conflict": "Conflict", "unsure": "Not sure"}[self.value]


class Gender(StrEnum):
    """What an evaluator says of themselves for the rule on women and men of a call: of their own will, or not at all."""

    WOMAN = "woman"
    MAN = "man"
    ANOTHER = "another"
    UNSAID = "unsaid"

    @property
    def words(self) -> str:
        """As the person chooses it on the page."""
        return {"woman": "Woman", "man": "Man", "another": "Another", "unsaid": "I do not wish to say"}[self.value]

    @property
    def counted(self) -> str:
        """What a rule on women and men counts; empty where it counts nothing."""
        return self.value if self in (Gender.WOMAN, Gender.MAN) else ""


class ConflictKind(StrEnum):
    """Why somebody is not impartial towards an organisation."""

    FAMILY = "family"
    FRIENDSHIP = "friendship"
    EMPLOYMENT = "employment"
    ECONOMIC = "economic"
    SHARED_WORK = "shared_work"
    POLITICAL = "political"
    RIVAL = "rival"
    ADVICE = "advice"
    OTHER = "other"

    @property
    def words(self) -> str:
        """As the person chose it on the page."""
        return {
            "family": "Family", "friendship": "Friendship or quarrel", "employment": "Employment or a post in it",
            "economic": "Money or property", "shared_work": "Work together in the last three years",
            "political": "Political or national ties", "rival": "A rival of it",
            "advice": "You advised it, or helped to write its application", "other": "Something else",
        }[self.value]  # fmt: skip


class Ruling(StrEnum):
    """What the manager decided about a declaration."""

    CLEARED = "cleared"
    CONFIRMED = "confirmed"


class Ruled(StrEnum):
    """What followed from a ruling: nothing more, an empty seat, a consensus to be led by somebody else, or a record that
    stands because it cannot be made anew."""

    NOTHING_MORE = "nothing_more"
    SEAT_EMPTIED = "seat_emptied"
    CONSENSUS_REOPENED = "consensus_reopened"
    RECORD_STANDS = "record_stands"


class DetectedKind(StrEnum):
    """What the program found that may be a conflict of a person with an application, in the order pages tell it."""

    OWN_APPLICATION = "own_application"
    SAME_PERSON = "same_person"
    # Stored under the word of its first days, which records that stand carry.
    COMPETING_APPLICATION = "competing_bid"
    OWN_ORGANISATION = "own_organisation"
    ADVISED_CITY = "advised_city"
    HELPED_TO_WRITE = "helped_to_write"
    SAME_NUMBER = "same_number"
    SAME_CITY = "same_city"
    SAME_COUNTRY = "same_country"
    MAIL_DOMAIN = "mail_domain"
    PAST_CONSORTIUM = "past_consortium"
    SIMILAR_PERSON = "similar_person"
    SIMILAR_ORGANISATION = "similar_organisation"

    @property
    def is_certain(self) -> bool:
        """Whether the fact alone is a conflict; of the others a person decides.

        An identifier somebody wrote of themselves or of an organisation proves nothing, so it only proposes.
        """
        return self not in (
            DetectedKind.SAME_PERSON,
            DetectedKind.SAME_NUMBER,
            DetectedKind.MAIL_DOMAIN,
            DetectedKind.PAST_CONSORTIUM,
            DetectedKind.SIMILAR_PERSON,
            DetectedKind.SIMILAR_ORGANISATION,
        )

    @property
    def may_be_dismissed(self) -> bool:
        """Whether a person may always say that it is none: not of an own application, nor of one that competes with it."""
        return self not in (DetectedKind.OWN_APPLICATION, DetectedKind.COMPETING_APPLICATION)


class DetectedState(StrEnum):
    """A proposal waits for a person; what is confirmed keeps the person away; what is gone is no longer so."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    GONE = "gone"

    @property
    def words(self) -> str:
        """As pages name what is in this state."""
        return {"proposed": "To decide", "confirmed": "Kept away", "dismissed": "Dismissed", "gone": "No longer so"}[
            self.value
        ]


# What pages list; what is gone is on the record alone.
DETECTED_SHOWN = (DetectedState.PROPOSED, DetectedState.CONFIRMED, DetectedState.DISMISSED)

DETECTED = Machine(
    "detected conflict",
    DetectedState,
    DetectedState.PROPOSED,
    (
        Transition(
            "confirm",
            (DetectedState.PROPOSED, DetectedState.DISMISSED),
            DetectedState.CONFIRMED,
            Permission.CONFLICT_CONFIRM,
        ),
        Transition(
            "dismiss",
            (DetectedState.PROPOSED, DetectedState.CONFIRMED),
            DetectedState.DISMISSED,
            Permission.CONFLICT_CONFIRM,
        ),
        # What is confirmed is lost where it only followed from another fact that stands no more.
        Transition(
            "lose", (DetectedState.PROPOSED, DetectedState.CONFIRMED), DetectedState.GONE, Permission.CONFLICT_DETECT
        ),
        # What nobody may dismiss while it is so was dismissed once it had ended, and is so again.
        Transition(
            "find_again",
            (DetectedState.GONE, DetectedState.DISMISSED),
            DetectedState.PROPOSED,
            Permission.CONFLICT_DETECT,
        ),
    ),
)


class InvitationState(StrEnum):
    """An invitation to a pool waits, or is answered, or taken back; that it lapsed follows from its last day.

    Whoever agreed said yes by the link of the mail and has no entry in the pool yet: that comes with their profile.
    """

    INVITED = "invited"
    AGREED = "agreed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


# For their answer, or for the profile that makes a yes an entry in the pool.
WAITING = (InvitationState.INVITED, InvitationState.AGREED)

POOL_INVITATION = Machine(
    "invitation to the pool",
    InvitationState,
    InvitationState.INVITED,
    (
        Transition("agree", (InvitationState.INVITED,), InvitationState.AGREED, Permission.CONFLICT_DECLARE),
        Transition("accept", WAITING, InvitationState.ACCEPTED, Permission.CONFLICT_DECLARE),
        Transition("decline", WAITING, InvitationState.DECLINED, Permission.CONFLICT_DECLARE),
        Transition("withdraw", WAITING, InvitationState.WITHDRAWN, Permission.ASSIGNMENT_DECIDE),
        Transition(
            "invite_again",
            (
                *(InvitationState.INVITED, InvitationState.DECLINED),
                *(InvitationState.WITHDRAWN, InvitationState.ACCEPTED),
            ),
            InvitationState.INVITED,
            Permission.ASSIGNMENT_DECIDE,
        ),
    ),
)


class DeclineKind(StrEnum):
    """Why somebody declines to evaluate, as they choose it."""

    NO_TIME = "no_time"
    CONFLICT = "conflict"
    NOT_MY_FIELD = "not_my_field"
    OTHER = "other"

    @property
    def words(self) -> str:
        """As pages call it."""
        return {
            "no_time": "No time", "conflict": "Conflict of interest", "not_my_field": "Not my field",
            "other": "Another reason",
        }[self.value]  # fmt: skip


class PoolState(StrEnum):
    """How somebody stands in the pool of a call, as lists show and filter it."""

    MEMBER = "member"
    TO_ACCEPT = "to_accept"
    STEPPED_DOWN = "stepped_down"
    INVITED = "invited"
    AGREED = "agreed"
    LAPSED = "lapsed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"

    @property
    def words(self) -> str:
        """As pages call it."""
        return {
            "member": "In the pool", "to_accept": "Has to accept", "stepped_down": "Stepped down", "invited": "Invited",
            "agreed": "Said yes, no profile yet", "lapsed": "Invitation lapsed", "declined": "Declined", "withdrawn": "Invitation withdrawn",
        }[self.value]  # fmt: skip


class CountryRule(StrEnum):
    """Whether evaluators from a country of the consortium are kept away from its application."""

    KEPT_AWAY = "yes"
    ALLOWED = "no"


class StandingRule(StrEnum):
    """Whether a run may move seats that stand and on which nothing is written yet."""

    KEPT = "kept"
    MOVABLE = "movable"


class Deed(StrEnum):
    """What a manager does with a seat by hand."""

    GIVE = "give"
    MOVE = "move"
    RELEASE = "release"
    LOCK = "lock"
    UNLOCK = "unlock"


class RunStatus(StrEnum):
    """How a run of the assignment ended."""

    SOLVED = "solved"
    INFEASIBLE = "infeasible"


class SeatState(StrEnum):
    """A seat of an evaluator on an application; a voided one stays as history and counts for nothing."""

    ACTIVE = "active"
    VOIDED = "voided"


SEAT = Machine(
    "seat",
    SeatState,
    SeatState.ACTIVE,
    (Transition("void", (SeatState.ACTIVE,), SeatState.VOIDED, Permission.ASSIGNMENT_DECIDE),),
)


class AssessmentState(StrEnum):
    """A draft is the evaluator's own; a submitted assessment is read by the other evaluators and the chair."""

    DRAFT = "draft"
    SUBMITTED = "submitted"


ASSESSMENT = Machine(
    "assessment",
    AssessmentState,
    AssessmentState.DRAFT,
    (
        Transition("submit", (AssessmentState.DRAFT,), AssessmentState.SUBMITTED, Permission.ASSESSMENT_SCORE),
        Transition("reopen", (AssessmentState.SUBMITTED,), AssessmentState.DRAFT, Permission.ASSIGNMENT_DECIDE),
    ),
)


class ConsensusState(StrEnum):
    """The chair writes, puts it to the evaluators, and it stands once all have agreed."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    AGREED = "agreed"

    @property
    def words(self) -> str:
        """As pages tell it."""
        return {"draft": "Draft", "proposed": "With the evaluators", "agreed": "Agreed"}[self.value]


class Answer(StrEnum):
    """What somebody says to a consensus: an evaluator, and the chair who closes it with a minority view or opens it again."""

    APPROVE = "approve"
    DISSENT = "dissent"
    CLOSED = "closed"
    REOPENED = "reopened"

    @property
    def words(self) -> str:
        """After a name: “Ana Horvat agreed”."""
        return _ANSWERED[self]


_ANSWERED = {
    Answer.APPROVE: "agreed",
    Answer.DISSENT: "did not agree",
    Answer.CLOSED: "closed it with the minority view",
    Answer.REOPENED: "opened it again",
}


CONSENSUS = Machine(
    "consensus",
    ConsensusState,
    ConsensusState.DRAFT,
    (
        Transition("propose", (ConsensusState.DRAFT,), ConsensusState.PROPOSED, Permission.CONSENSUS_WRITE),
        Transition("take_back", (ConsensusState.PROPOSED,), ConsensusState.DRAFT, Permission.CONSENSUS_WRITE),
        Transition("settle", (ConsensusState.PROPOSED,), ConsensusState.AGREED, Permission.CONSENSUS_AGREE),
        Transition(
            "reopen",
            (ConsensusState.PROPOSED, ConsensusState.AGREED),
            ConsensusState.DRAFT,
            Permission.ASSIGNMENT_DECIDE,
        ),
    ),
)


class ShiftState(StrEnum):
    """A move of a score by the panel counts once a second person confirmed it, until another one replaces it."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    RETURNED = "returned"
    REPLACED = "replaced"


SHIFT = Machine(
    "score shift",
    ShiftState,
    ShiftState.PROPOSED,
    (
        Transition("confirm", (ShiftState.PROPOSED,), ShiftState.CONFIRMED, Permission.SELECTION_CONFIRM),
        Transition("return", (ShiftState.PROPOSED,), ShiftState.RETURNED, Permission.SELECTION_CONFIRM),
        Transition("replace", (ShiftState.CONFIRMED,), ShiftState.REPLACED, Permission.SELECTION_CONFIRM),
    ),
)
