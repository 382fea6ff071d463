"""States of a call and the closed lists of its content. What the clock decides (open, closed) is never stored."""

from __future__ import annotations

from enum import StrEnum

from grants.core.permissions import Permission
from grants.core.states import Machine, Transition


class CallState(StrEnum):
    """What people decided about a call."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


MACHINE = Machine(
    "call",
    CallState,
    CallState.DRAFT,
    (
        Transition("publish", (CallState.DRAFT,), CallState.PUBLISHED, Permission.CALL_PUBLISH),
        Transition("cancel", (CallState.DRAFT, CallState.PUBLISHED), CallState.CANCELLED, Permission.CALL_PUBLISH),
    ),
)


class Phase(StrEnum):
    """What a call is at a moment: its state and the clock together."""

    DRAFT = "draft"
    UPCOMING = "upcoming"
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Confidence(StrEnum):
    """How sure a value is, and so what pages say about it."""

    SEEN = "seen"
    SECONDARY = "secondary"
    INFERRED = "inferred"
    NOT_FOUND = "not_found"
    STATED = "stated"
    TEMPLATE = "template"


class ConditionKind(StrEnum):
    """How an eligibility condition is decided."""

    PASS_FAIL = "pass_fail"
    EXCEPTION = "exception"


class CallKind(StrEnum):
    """What a call leads to: support to third parties is paid; the other two pay nothing."""

    SUPPORT = "support"
    INTEREST = "expression_of_interest"
    LEARNING = "learning"


class CallStage(StrEnum):
    """Which half of a two-stage call this one is; a call in one stage says nothing."""

    CONCEPT = "concept"
    FULL = "full_proposal"


class ScoreMethod(StrEnum):
    """What the official score of an application is made of."""

    CONSENSUS = "consensus"
    MEAN_PER_CRITERION = "mean_per_criterion"


class WeightsCount(StrEnum):
    """What weights of criteria serve: the order of the list alone, or the score itself."""

    RANK_ONLY = "rank_only"
    SCORE = "score"


class ThresholdBasis(StrEnum):
    """On what the threshold in all is tested; those of single criteria are always on the bare mark."""

    MARKS = "marks"
    SCORE = "score"


class CommentRule(StrEnum):
    """With which marks a comment is demanded."""

    ALWAYS = "always"
    BELOW_THRESHOLD = "below_threshold"
    EXTREMES = "extremes"
    NEVER = "never"


class ComplaintGround(StrEnum):
    """On what a complaint may rest; the merits of an application are never among them."""

    VERDICT = "verdict"
    PROCEDURE = "procedure"
    OVERLOOKED = "overlooked"
    CONFLICT = "conflict"


class HolidayCalendar(StrEnum):
    """Which days of Monday to Friday are no working days: none, or those on which the euro payment system is closed."""

    WEEKDAYS = "weekdays"
    TARGET = "target"


class FactKind(StrEnum):
    """Which fact an eligibility condition looks at; what a condition without one says, people decide."""

    ORGANISATION = "organisation_kind"
    COUNTRY = "country"
    INHABITANTS = "inhabitants"
    MISSION_CITY = "mission_city"
    CITIES = "number_of_cities"
    EARLIER = "earlier_participation"
    TERRITORY = "territory"
    PROPOSALS = "proposals"
    MONEY = "requested_money"
    AWARD_AMOUNT = "award_amount"
    PARTICIPANT_CODE = "participant_code"
    ANSWER = "answer"
    ARRIVAL = "arrival"


class Whom(StrEnum):
    """Of whom in the consortium a condition asks its fact."""

    LEAD = "lead"
    ADMINISTRATIONS = "administrations"
    OTHERS = "other_organisations"
    NOT_MISSION = "administrations_outside_the_mission"
    EVERYBODY = "everybody"


class ClockStart(StrEnum):
    """What starts the days within which an interim payment or the balance is due."""

    RECEIPT = "receipt"
    REGISTRATION = "registration"
    APPROVAL = "approval"


class RequestPath(StrEnum):
    """What a payment request passes before it is decided."""

    DECIDED = "decided"
    REGISTERED = "registered"
    VERIFIED = "verified"


class PassedOnBy(StrEnum):
    """Who confirms what a coordinator says it passed on to a partner: the partner alone, or an officer for it as well."""

    PARTNER = "partner"
    OFFICER = "officer"


class EvidenceLevel(StrEnum):
    """How far reports show their costs: totals by category, every cost as a line, or every line with its file."""

    TOTALS = "totals"
    LINES = "lines"
    FILES = "files"


class FundingForm(StrEnum):
    """In which form a grant is paid."""

    ACTUAL_COST = "actual_cost"
    FLAT_RATE = "flat_rate"
    LUMP_SUM = "lump_sum"


class NoProfit(StrEnum):
    """What of a profit of the action is taken off the final amount: nothing, all of it, or the share the grant paid of its costs."""

    NONE = "none"
    WHOLE = "whole"
    SHARE = "share"


class InstalmentKind(StrEnum):
    """Which payment of a grant an instalment is."""

    PREFINANCING = "prefinancing"
    ADDITIONAL = "additional"
    INTERIM = "interim"
    BALANCE = "balance"
