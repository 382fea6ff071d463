"""The states of an application, from draft to grant award, and who may move it; what the clock decides is never stored."""

from __future__ import annotations

from enum import StrEnum

from grants.core.permissions import Permission
from grants.core.states import Machine, Transition


class ApplicationState(StrEnum):
    """Submitted stays submitted: a newer draft may follow until the deadline; the last submitted version stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"
    ELIGIBLE = "eligible"
    INELIGIBLE = "ineligible"
    UNDER_EVALUATION = "under_evaluation"
    SELECTED = "selected"
    RESERVE = "reserve"
    BELOW_THRESHOLD = "below_threshold"
    NOT_FUNDED = "not_funded"
    IN_PREPARATION = "in_preparation"
    AWARDED = "awarded"
    DECLINED = "declined"
    DROPPED = "dropped"


class BatchWork(StrEnum):
    """What the desk asked for in one go: applications declared eligible by the facts, or letters sent."""

    PASS = "pass"
    LETTERS = "letters"


S = ApplicationState

APPLICATION = Machine(
    "application",
    ApplicationState,
    S.DRAFT,
    [
        Transition("submit", (S.DRAFT, S.SUBMITTED), S.SUBMITTED, Permission.APPLICATION_SUBMIT),
        Transition("withdraw", (S.DRAFT, S.SUBMITTED), S.WITHDRAWN, Permission.APPLICATION_WITHDRAW),
        Transition("declare_eligible", (S.SUBMITTED,), S.ELIGIBLE, Permission.APPLICATION_CHECK),
        Transition("declare_ineligible", (S.SUBMITTED,), S.INELIGIBLE, Permission.APPLICATION_CHECK),
        Transition("evaluate", (S.ELIGIBLE,), S.UNDER_EVALUATION, Permission.ASSIGNMENT_DECIDE),
        Transition("select", (S.UNDER_EVALUATION, S.RESERVE), S.SELECTED, Permission.SELECTION_CONFIRM),
        Transition("reserve", (S.UNDER_EVALUATION,), S.RESERVE, Permission.SELECTION_CONFIRM),
        Transition("fall_below", (S.UNDER_EVALUATION,), S.BELOW_THRESHOLD, Permission.SELECTION_CONFIRM),
        Transition("leave_unfunded", (S.UNDER_EVALUATION, S.RESERVE), S.NOT_FUNDED, Permission.SELECTION_CONFIRM),
        # A complaint was upheld: the verdict falls, the evaluation is repeated, or the outcome is corrected.
        Transition("restore", (S.INELIGIBLE,), S.ELIGIBLE, Permission.COMPLAINT_DECIDE),
        Transition(
            "evaluate_again",
            (S.RESERVE, S.BELOW_THRESHOLD, S.NOT_FUNDED),
            S.UNDER_EVALUATION,
            Permission.COMPLAINT_DECIDE,
        ),
        Transition("correct", (S.RESERVE, S.BELOW_THRESHOLD, S.NOT_FUNDED), S.SELECTED, Permission.COMPLAINT_DECIDE),
        Transition("prepare", (S.SELECTED,), S.IN_PREPARATION, Permission.AGREEMENT_PREPARE),
        Transition("award", (S.IN_PREPARATION,), S.AWARDED, Permission.AGREEMENT_SIGN_PROGRAMME),
        Transition("decline", (S.IN_PREPARATION,), S.DECLINED, Permission.AGREEMENT_SIGN_CITY),
        Transition("drop", (S.SELECTED, S.IN_PREPARATION), S.DROPPED, Permission.AGREEMENT_PREPARE),
    ],
)


class PartnerState(StrEnum):
    """Where a partner's invitation stands."""

    INVITED = "invited"
    # Somebody from outside has accepted for an organisation that has people: one of them must confirm it.
    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"


PARTNER = Machine(
    "invitation",
    PartnerState,
    PartnerState.INVITED,
    [
        Transition("accept", (PartnerState.INVITED,), PartnerState.ACCEPTED, Permission.APPLICATION_EDIT),
        Transition("agree", (PartnerState.INVITED,), PartnerState.WAITING, Permission.APPLICATION_EDIT),
        Transition(
            "decline", (PartnerState.INVITED, PartnerState.WAITING), PartnerState.DECLINED, Permission.APPLICATION_EDIT
        ),
        Transition("confirm", (PartnerState.WAITING,), PartnerState.ACCEPTED, Permission.ORGANISATION_VOUCH),
        Transition("refuse", (PartnerState.WAITING,), PartnerState.DECLINED, Permission.ORGANISATION_VOUCH),
        Transition("invite_again", (PartnerState.DECLINED,), PartnerState.INVITED, Permission.APPLICATION_INVITE),
    ],
)


class PartnerRole(StrEnum):
    """The coordinator leads and receives the money; partners take part."""

    COORDINATOR = "coordinator"
    PARTNER = "partner"


class Verdict(StrEnum):
    """The answer of the eligibility desk to one condition, and to all of them."""

    PASS = "pass"
    FAIL = "fail"


class Origin(StrEnum):
    """How an application came in: written here, or recorded from a published outcome."""

    SUBMITTED_HERE = "submitted_here"
    PUBLISHED_OUTCOME = "published_outcome"
