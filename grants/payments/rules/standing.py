"""The clock of a payment: what it counts from, when it stands still, how many days are left; and what a request may pass. Pure.

Days are calendar days in Brussels and the day of an event is not counted (G-24): a clock that starts on 1 May has its
first day on 2 May, one that is stopped on 10 May and goes on from 20 May stood still for ten days, 11 to 20 May.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never
from uuid import UUID

from grants.agreements.states import PaymentKind
from grants.calls.rules import PaymentClock
from grants.calls.states import RequestPath
from grants.core import clock, faults
from grants.core.errors import Invalid, Refused
from grants.payments.states import DECIDABLE, DECIDED, UNDECIDED, RequestState, SuspensionReason

# The kind under which files of the coordinator's answers are kept.
ANSWER_FILES = "payment_answer"
# From where the clock may be stopped.
SUSPENDABLE = (*DECIDABLE, *DECIDED)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time for which the clock stands still: from the day of the notice to the day it is lifted, None while it is not."""

    from_on: date
    until_on: date | None = None


def due_on(started_on: date, first_due_on: date, stretches: Sequence[Stretch]) -> date:
    """The due day with the days added for which the clock stood still; one that stands still now adds nothing yet.

    A suspension that begins after the due day holds the payment back and adds nothing: no time was left to stop.

    >>> due_on(date(2024, 5, 1), date(2024, 7, 30), [Stretch(date(2024, 5, 10), date(2024, 5, 20))])
    datetime.date(2024, 8, 9)
    """
    due = first_due_on
    last = date.min
    for each in sorted(stretches, key=lambda each: each.from_on):
        assert each.from_on >= last, "suspensions of one request never overlap"
        if each.until_on is None:
            continue
        last = each.until_on
        begins = max(each.from_on, started_on)
        if begins <= due and each.until_on > begins:
            due = clock.add_days(due, (each.until_on - begins).days)
    return due


def days_left(started_on: date, first_due_on: date, stretches: Sequence[Stretch], today: date) -> int:
    """How many days of the clock are left; below zero, how many it is over. They never change while it stands still.

    >>> days_left(date(2024, 5, 1), date(2024, 7, 30), [Stretch(date(2024, 5, 10))], date(2024, 6, 30))
    81
    """
    due = due_on(started_on, first_due_on, stretches)
    stopped = next((each for each in stretches if each.until_on is None), None)
    if stopped is not None and max(stopped.from_on, started_on) <= due:
        return (due - max(stopped.from_on, started_on)).days
    return (due - today).days


REASON_WORDS: Mapping[SuspensionReason, str] = {
    SuspensionReason.NOT_DUE: "The amount is not due",
    SuspensionReason.MISSING_DOCUMENTS: "Documents are missing",
    SuspensionReason.ELIGIBILITY: "There are doubts on the eligibility of costs",
    SuspensionReason.IRREGULARITY: "There is a suspicion of an irregularity",
    SuspensionReason.VISIBILITY: "The funding was not made visible as agreed",
}


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A file that came with an answer."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SuspensionView:
    """One suspension with its notice, its answer and its end."""

    id: UUID
    number: int
    reason: SuspensionReason
    notice: str
    from_on: date
    notified_at: datetime
    suspended_by: str
    answer: str | None
    answered_at: datetime | None
    answered_by: str | None
    until_on: date | None
    lifted_by: str | None
    lift_reason: str | None
    files: tuple[AnswerFile, ...] = ()

    @property
    def stretch(self) -> Stretch:
        """Its days."""
        return Stretch(self.from_on, self.until_on)

    @property
    def reason_words(self) -> str:
        """Why, in words."""
        return REASON_WORDS[self.reason]

    @property
    def days(self) -> str:
        """Its days in words.

        >>> view = SuspensionView(UUID(int=1), 1, SuspensionReason.NOT_DUE, "", date(2024, 5, 10), datetime(2024, 5, 10),
        ...     "Fin", None, None, None, date(2024, 5, 20), "Fin", "Done")
        >>> view.days
        '10 May 2024 to 20 May 2024, 10 days'
        """
        if self.until_on is None:
            return f"since {clock.long_date(self.from_on)}"
        return f"{clock.long_date(self.from_on)} to {clock.long_date(self.until_on)}, {days_words((self.until_on - self.from_on).days)}"


@dataclass(frozen=True, slots=True)
class ReturnView:
    """One time a request went back to the coordinator, and how it was completed."""

    id: UUID
    number: int
    words: str
    returned_at: datetime
    returned_by: str
    answer: str | None
    answered_at: datetime | None
    answered_by: str | None
    files: tuple[AnswerFile, ...] = ()


@dataclass(frozen=True, slots=True)
class VerificationView:
    """One verification: who ticked what."""

    verified_at: datetime
    verified_by: str
    evidence: tuple[str, ...]
    note: str | None


@dataclass(frozen=True, slots=True)
class History:
    """Everything that returned, stopped and verified a request, oldest first."""

    suspensions: tuple[SuspensionView, ...] = ()
    returns: tuple[ReturnView, ...] = ()
    verifications: tuple[VerificationView, ...] = ()

    @property
    def suspended(self) -> SuspensionView | None:
        """The suspension that stands now."""
        return next((each for each in self.suspensions if each.until_on is None), None)

    @property
    def returned(self) -> ReturnView | None:
        """The return the coordinator has not answered yet."""
        return next((each for each in self.returns if each.answered_at is None), None)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the clock of a request stands.

    ``started_on`` is None while nothing has started it; ``due_on`` is then the day that would be due at the earliest.
    """

    call: PaymentClock
    started_on: date | None
    first_due_on: date
    due_on: date
    suspended_on: date | None = None
    answered: bool = False

    @property
    def words(self) -> str | None:
        """What is said in place of the days left while the clock does not run; None while it does.

        >>> Standing(PaymentClock(), date(2024, 5, 1), date(2024, 7, 30), date(2024, 7, 30), date(2024, 5, 10)).words
        'the clock stands still since 10 May 2024, 81 days left'
        """
        if self.started_on is None:
            return "at the earliest: its clock has not started"
        if self.suspended_on is None:
            return None
        since = clock.long_date(self.suspended_on)
        if self.suspended_on > self.due_on:
            return f"held back since {since}, after its due day"
        left = days_left(self.started_on, self.due_on, [Stretch(self.suspended_on)], self.suspended_on)
        return f"the clock stands still since {since}, {days_words(left)} left"

    @property
    def added(self) -> str | None:
        """The days that suspensions added so far, in words."""
        days = (self.due_on - self.first_due_on).days
        return f"{days_words(days)} of suspension are added to {clock.long_date(self.first_due_on)}" if days else None


def days_words(count: int) -> str:
    """A number of days as it is said."""
    return "1 day" if count == 1 else f"{count} days"


def check_suspension(state: RequestState, started_on: date | None, suspended_on: date | None, notice: str) -> None:
    """A clock that runs is stopped once at a time, by a notice with words."""
    faults.point("clock")
    if suspended_on is not None:
        raise Refused(f"The payment is suspended already, since {clock.long_date(suspended_on)}. Lift that first.")
    if state not in SUSPENDABLE:
        word = state.value.replace("_", " ")
        raise Refused(f"This request is {word}; a payment is suspended while it waits for its decision or its orders.")
    if started_on is None:
        raise Refused("The clock of this payment has not started. Register the request, or return it to be completed.")
    if not notice.strip():
        raise Invalid("The notice is missing.", {"notice": "Say what is asked of the coordinator, who reads it."})


def refuse_lifting(
    user_id: UUID | None,
    *,
    suspended_by: UUID,
    set_by_authoriser: bool,
    is_authoriser: bool,
    initiators: Collection[UUID | None],
) -> None:
    """Whoever stopped a clock lets it go on, or another person of the same duty or above who did not initiate the payment."""
    faults.point("four_eyes")
    if user_id is None:
        raise Refused("A person must lift a suspension, not the program.")
    if user_id == suspended_by:
        return
    if set_by_authoriser and not is_authoriser:
        raise Refused("An authorising officer suspended this payment, so an authorising officer lifts it. Ask one.")
    if user_id in initiators:
        raise Refused(
            "You initiated this payment and somebody else suspended it, so a third person lifts it. Ask who suspended it, or "
            "an authorising officer."
        )


EVIDENCE: Mapping[PaymentKind, Mapping[str, str]] = {
    PaymentKind.PREFINANCING: {
        "agreement": "The agreement is signed by both sides and in force",
        "amount": "The amount is the pre-financing of the payment schedule",
        "account": "The bank account is the coordinator’s, with evidence",
        "once": "It was not paid before under another reference",
    },
    PaymentKind.ADDITIONAL: {
        "statement": "The statement of use agrees with what the programme knows of the costs",
        "amount": "The amount is the additional pre-financing of the agreement, less what is missing to the threshold",
        "account": "The bank account is the coordinator’s, with evidence",
        "once": "It was not paid before under another reference",
    },
    PaymentKind.INTERIM: {
        "report": "The report is accepted, with its evidence",
        "amount": "The amount is the contribution accepted for the period",
        "period": "The costs lie in the period of the report",
        "account": "The bank account is the coordinator’s, with evidence",
        "once": "The same costs are not paid by another grant",
    },
    PaymentKind.BALANCE: {
        "reports": "Every report is settled, with its evidence",
        "amount": "The final amount is the least of its limits",
        "certificate": "The certificates the agreement asks for are there, or it asks for none",
        "account": "The bank account is the coordinator’s, with evidence",
        "once": "The same costs are not paid by another grant",
    },
    # Decided where it is reckoned: nothing is verified of it as a request.
    PaymentKind.LATE_INTEREST: {},
}


def check_evidence(kind: PaymentKind, ticked: Sequence[str]) -> tuple[str, ...]:
    """The evidence that was looked at, as sentences to keep; refused while one is not ticked.

    >>> check_evidence(PaymentKind.PREFINANCING, ("agreement", "amount", "account"))
    Traceback (most recent call last):
        ...
    grants.core.errors.Invalid: One line of the check list is not ticked.
    """
    faults.point("four_eyes")
    asked = EVIDENCE[kind]
    missing = [words for code, words in asked.items() if code not in ticked]
    if missing:
        counted = "One line" if len(missing) == 1 else f"{len(missing)} lines"
        raise Invalid(
            f"{counted} of the check list {'is' if len(missing) == 1 else 'are'} not ticked.",
            {
                "evidence": f"Not ticked: {'; '.join(missing)}. Look at each; where it is not so, ask for it to be returned."
            },
        )
    return tuple(asked.values())


def refuse_suspended(reference: str, since: date | None) -> None:
    """Nothing of a payment moves while its clock stands still."""
    faults.point("clock")
    if since is not None:
        raise Refused(
            f"The payment of {reference} is suspended since {clock.long_date(since)}: it is neither decided nor paid meanwhile. "
            "Lift the suspension first, on the page of the request."
        )


def refuse_before_its_path(state: RequestState, path: RequestPath) -> None:
    """What the call asks for comes before the decision: registration, and verification by another person."""
    faults.point("clock")
    match path:
        case RequestPath.DECIDED:
            ready = state in DECIDABLE
            missing = "completed by the coordinator"
        case RequestPath.REGISTERED:
            ready = state in {RequestState.REGISTERED, RequestState.VERIFIED}
            missing = "registered by the initiator"
        case RequestPath.VERIFIED:
            ready = state is RequestState.VERIFIED
            missing = "registered by the initiator and verified by another person"
        case _:
            assert_never(path)
    if state in UNDECIDED and not ready:
        raise Refused(f"This request is not yet {missing}; its call asks for that before the decision.")


def refuse_same_hand(people: Mapping[str, UUID | None], step: str, user_id: UUID | None) -> None:
    """Whoever registered does not verify, and neither of them decides."""
    faults.point("four_eyes")
    if user_id is None:
        raise Refused("A person must take this step, not the program.")
    for earlier, person in people.items():
        if person == user_id:
            raise Refused(f"You {earlier} this request; somebody else must {step} it. Ask a colleague with that role.")


def request_deed(state: RequestState, standing: Standing) -> str:
    """What a request on its way waits for, as one word: register, check, decide, prepare; complete, answer and lift.

    >>> request_deed(RequestState.SUBMITTED, Standing(PaymentClock(), None, date.min, date.min))
    'decide'
    """
    if standing.suspended_on is not None:
        return "lift" if standing.answered else "answer"
    path = standing.call.passes
    match state:
        case RequestState.RETURNED:
            return "complete"
        case RequestState.SUBMITTED if path is not RequestPath.DECIDED:
            return "register"
        case RequestState.REGISTERED if path is RequestPath.VERIFIED:
            return "check"
        case RequestState.SUBMITTED | RequestState.REGISTERED | RequestState.VERIFIED:
            return "decide"
        case _:
            return "prepare"
