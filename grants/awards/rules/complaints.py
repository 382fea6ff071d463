"""Complaints about a negative result: what may be complained about, until when, and what each step is refused for. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from grants.applications.rules import ApplicationView, Complained, SubmittedFile
from grants.applications.states import ApplicationState, Origin
from grants.awards.rules.settling import Settlement
from grants.awards.states import OPEN_COMPLAINTS, ComplaintState, Outcome, Remedy
from grants.calls.rules import NO_MERITS, ComplaintRules
from grants.calls.states import ComplaintGround
from grants.core import clock, faults
from grants.core.clock import in_time
from grants.core.errors import Invalid, NotAllowed, Refused
from grants.dossiers.rules import clean_text, count_words

DECIDED_ELSEWHERE = (
    "Nothing was decided here: the outcome of this application was published elsewhere and is only recorded. "
    "Ask the programme how to object."
)
TEXT_WORDS_MAX = 2_000
REASON_WORDS_MAX = 500
FILES_MAX = 10

S, C = ApplicationState, ComplaintState

ABOUT_WORDS: Mapping[ApplicationState, str] = {
    S.INELIGIBLE: "the verdict that the application is not eligible",
    S.BELOW_THRESHOLD: "the result that the application is below a threshold",
    S.NOT_FUNDED: "the result that the application is not funded",
    S.RESERVE: "the result that the application stands on the reserve list",
    S.DROPPED: "the decision to drop the selected application",
}

REMEDY_WORDS: Mapping[Remedy, str] = {
    Remedy.RESTORE: "The verdict falls: the application is eligible and goes to the evaluators",
    Remedy.REPEAT: "The evaluation is repeated by new evaluators; what the first ones wrote stays in the record and counts no more",
    Remedy.CORRECT: "The outcome is corrected: the application is selected, and its money is reserved",
}

# The outcome of a list that a result complained about tells; a verdict of the desk stands in no list.
ABOUT_OUTCOMES: Mapping[ApplicationState, Outcome] = {
    S.BELOW_THRESHOLD: Outcome.BELOW_THRESHOLD,
    S.NOT_FUNDED: Outcome.NOT_FUNDED,
    S.RESERVE: Outcome.RESERVE,
    S.DROPPED: Outcome.SELECTED,
}

# Which remedy a result can have.
REMEDIES: Mapping[ApplicationState, tuple[Remedy, ...]] = {
    S.INELIGIBLE: (Remedy.RESTORE,),
    S.BELOW_THRESHOLD: (Remedy.REPEAT, Remedy.CORRECT),
    S.NOT_FUNDED: (Remedy.REPEAT, Remedy.CORRECT),
    S.RESERVE: (Remedy.REPEAT, Remedy.CORRECT),
    S.DROPPED: (),
}

# What became of a complaint, as its team reads it.
_TOLD: Mapping[ComplaintState, str] = {
    C.RECEIVED: "was received on {day}",
    C.ADMISSIBLE: "was found admissible on {day}",
    C.INADMISSIBLE: "was found not admissible on {day}",
    C.UNDER_REVIEW: "was found admissible on {day} and is under review",
    C.UPHELD: "was upheld on {day}",
    C.REJECTED: "was rejected on {day}",
    C.WITHDRAWN: "was withdrawn on {day}",
}


@dataclass(frozen=True, slots=True)
class ComplaintInput:
    """What the applicant writes."""

    grounds: tuple[str, ...]
    text: str

    def refuse_incomplete(self, rules: ComplaintRules) -> None:
        """Raise :class:`Invalid` with what is missing before it can be sent."""
        wrong = {}
        if not self.grounds:
            wrong["grounds"] = f"Choose what you complain about. {NO_MERITS}"
        elif not set(self.grounds) <= {each.value for each in rules.allowed}:
            wrong["grounds"] = "Choose among the grounds this call allows."
        words = count_words(self.text)
        if not words:
            wrong["text"] = "Write what was done wrong, and what shows it."
        elif words > TEXT_WORDS_MAX:
            wrong["text"] = f"This has {words} words; the limit is {TEXT_WORDS_MAX}. Cut {words - TEXT_WORDS_MAX}."
        if wrong:
            raise Invalid("The complaint is not complete; nothing was sent. What you wrote is saved.", wrong)


@dataclass(frozen=True, slots=True)
class SecondDecision:
    """What one of the committee proposes."""

    upholds: bool | None
    remedy: Remedy | None
    text: str
    # Why an outcome is corrected although that breaks a rule of the list.
    despite: str = ""

    def checked(self, about: ApplicationState) -> SecondDecision:
        """Cleaned; raises :class:`Invalid` where the decision is not whole."""
        wrong, text, remedy = {}, reasoned(self.text), self.remedy if self.upholds else None
        if self.upholds is None:
            wrong["upholds"] = "Choose whether the complaint is upheld or rejected."
        if not text:
            wrong["text"] = "Write the reasons; the applicant reads them."
        if self.upholds and not REMEDIES[about]:
            wrong["remedy"] = (
                "A dropped application is not taken up again here. Reject the complaint, or ask for a new call."
            )
        elif self.upholds and remedy not in REMEDIES[about]:
            wrong["remedy"] = "Choose what follows from upholding it."
        if wrong:
            raise Invalid("The decision is not complete.", wrong)
        return SecondDecision(self.upholds, remedy, text, reasoned(self.despite))


def breached_words(breaches: Sequence[str]) -> str:
    """Which rules of its list an outcome breaks if it is corrected, as a sentence; empty where it breaks none.

    >>> breached_words(("FI has its 1 of one country already",))
    'Selecting it now breaks rules of its list: FI has its 1 of one country already.'
    """
    return f"Selecting it now breaks rules of its list: {'; '.join(breaches)}." if breaches else ""


def refuse_breaches(breaches: Sequence[str], despite: str) -> None:
    """Raise :class:`Invalid` where correcting an outcome breaks a rule of its list and nobody says why that is right."""
    if breaches and not despite:
        words = f"{breached_words(breaches)} Write why it is corrected all the same, or have the evaluation repeated."
        raise Invalid(words, {"despite": words})


def refuse_others_broken(now: str, answered: str) -> None:
    """Raise :class:`Refused` where an outcome breaks other rules than those that its proposal says why to break.

    Both come as :func:`breached_words`. What breaks nothing any more needs no answer.
    """
    if now and not answered:
        raise Refused(f"{now} Return the proposal, so that it says why that is right.")
    if now and now != answered:
        raise Refused(
            f"{now} When it was proposed it was this: “{answered}” Return the proposal, so that it says why it is right now."
        )


@dataclass(frozen=True, slots=True)
class Window:
    """Whether one may complain about an application now, and why not."""

    about: ApplicationState | None
    reached_at: datetime | None
    due_at: datetime | None
    until_words: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class ComplaintView:
    """One complaint as pages show it; who handles it is named to the programme alone."""

    id: UUID
    version: int
    number: int
    application_id: UUID
    reference: str
    title: str
    about: ApplicationState
    state: ComplaintState
    reached_at: datetime
    due_at: datetime
    grounds: tuple[ComplaintGround, ...]
    text: str
    sent_at: datetime | None
    sent_by: str
    sha256: str
    decide_at: datetime | None
    extension_reason: str
    check_reason: str
    checked_by: str
    checked_at: datetime | None
    committee: tuple[tuple[UUID, str], ...]
    upholds: bool | None
    remedy: Remedy | None
    decision: str
    proposed_by: UUID | None
    proposed_name: str
    return_reason: str
    confirmed_name: str
    decided_at: datetime | None
    letter: Mapping[str, Any]
    withdrawn_at: datetime | None
    withdraw_reason: str
    settled_words: str
    settled_at: datetime | None
    # What one of the committee proposes the repeated evaluation came to, or what it was settled as.
    settlement: Settlement | None
    settlement_by: UUID | None
    settlement_name: str
    files: tuple[SubmittedFile, ...] = field(default=())
    # Why its outcome is corrected although that breaks a rule of the list.
    despite: str = ""

    @property
    def about_words(self) -> str:
        """The result it is about."""
        return ABOUT_WORDS[self.about]

    @property
    def is_open(self) -> bool:
        """Whether it waits for somebody of the programme."""
        return self.state in OPEN_COMPLAINTS

    def is_late(self, at: datetime) -> bool:
        """Whether it should have been decided."""
        return self.is_open and self.decide_at is not None and not in_time(at, self.decide_at)

    @property
    def waits_for_result(self) -> bool:
        """Whether the evaluation is being repeated."""
        return self.remedy is Remedy.REPEAT and self.state is ComplaintState.UPHELD and self.settled_at is None


def told(row: Any) -> Complained:
    """What became of a complaint, for its team; ``row`` holds its moments and the state of its application."""
    state = ComplaintState(row.state)
    if state is C.DRAFT:
        last = row.due_at - timedelta(seconds=1)
        return Complained(
            "was begun and never sent; it could be sent until the end of {day}", last, stands=False, unsent=True
        )
    at = row.decided_at or row.withdrawn_at or row.checked_at or row.sent_at
    repeats = state is C.UPHELD and row.remedy == Remedy.REPEAT.value and row.settled_at is None
    said = _TOLD[state]
    if repeats:
        said += ", and the evaluation is repeated"
    elif row.settled_at is not None:
        said, at = "was upheld, and the outcome of the repeated evaluation settled on {day}", row.settled_at
    stands = state is not C.WITHDRAWN and row.about == row.application_state
    return Complained(said, at, row.decide_at if state in OPEN_COMPLAINTS else None, repeats, stands)


# Who stands behind a second decision, as its letter says it: by number and role, since what their names are is kept in the record.
DECIDED_BY = (
    "Two people of the programme decided this: one proposed the decision and the other confirmed it. This letter does not name "
    "them; the record of the programme does."
)


@dataclass(frozen=True, slots=True)
class ComplaintLetter:
    """The second decision as its letter says it, frozen."""

    heading: str
    programme: str
    call: str
    reference: str
    coordinator: str
    first: str
    paragraphs: tuple[str, ...]

    def to_mapping(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            **{
                name: getattr(self, name)
                for name in ("heading", "programme", "call", "reference", "coordinator", "first")
            },
            "paragraphs": list(self.paragraphs),
        }

    @classmethod
    def from_mapping(cls, stored: Mapping[str, Any]) -> ComplaintLetter:
        """A stored letter."""
        return cls(**{**stored, "paragraphs": tuple(stored["paragraphs"])})


def digest(value: Mapping[str, Any]) -> bytes:
    """SHA-256 of a mapping in one spelling.

    >>> digest({"a": 1}).hex()[:8]
    '015abd7f'
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def reasoned(text: str) -> str:
    """Cleaned words of the programme; raises :class:`Invalid` where they are too many for a letter."""
    words = clean_text(text)
    count = count_words(words)
    if count > REASON_WORDS_MAX:
        said = f"This has {count} words; the limit is {REASON_WORDS_MAX}. Cut {count - REASON_WORDS_MAX}."
        raise Invalid(said, {"reason": said, "text": said})
    return words


def window(application: ApplicationView, reached_at: datetime | None, at: datetime) -> Window:
    """Whether the team of an application may complain now; ``reached_at`` is when the result reached it."""
    call, state = application.call, application.state
    rules = call.content.complaints
    if rules is None:
        return Window(None, None, None, why_not=call.content.complaints_to.not_here)
    if application.origin is Origin.PUBLISHED_OUTCOME:
        return Window(None, None, None, why_not=DECIDED_ELSEWHERE)
    if state not in ABOUT_WORDS:
        return Window(None, None, None, why_not="One complains about a negative result; this application has none.")
    if reached_at is None:
        said = "The result has not reached you yet. The time to complain starts on the day after it does."
        return Window(state, None, None, why_not=said)
    due_at, until = rules.deadline(reached_at, call.zone), rules.until_words(reached_at, call.zone)
    if in_time(at, due_at):
        return Window(state, reached_at, due_at, until)
    late = late_words(until, at, call.zone)
    if not call.results_are_public(at):
        late += f" You can complain again for {rules.window_days} calendar days once the results are public."
    return Window(state, reached_at, due_at, until, late)


def late_words(until: str, at: datetime, zone: str) -> str:
    """Why a complaint is refused for its moment."""
    local = clock.in_zone(at, zone)
    return (
        f"Complaints were taken until {until}. It is {local:%H:%M:%S} on {clock.long_date(local.date())} "
        f"({clock.zone_letters(at, zone)}): yours is too late and cannot be sent. What you wrote stays saved."
    )


def refuse_late(due_at: datetime, until: str, at: datetime, zone: str) -> None:
    """Raise :class:`Refused` at the deadline and after it."""
    faults.point("deadline")
    if not in_time(at, due_at):
        raise Refused(late_words(until, at, zone))


def refuse_involved(user_id: UUID | None, involved: Mapping[UUID, str]) -> None:
    """Raise :class:`NotAllowed` for whoever had a part in the first decision."""
    faults.point("four_eyes")
    if user_id is None:
        raise NotAllowed("Somebody else handles this complaint: nobody is signed in.")
    if user_id in involved:
        raise NotAllowed(f"Somebody else handles this complaint: {involved[user_id]}.")


def checked_extension(day: date | None, decide_at: datetime | None, zone: str, reason: str) -> str:
    """The cleaned reason for a later day; raises :class:`Invalid` where either is missing or the day is no later one."""
    words, wrong = reasoned(reason), {}
    if not words:
        wrong["reason"] = "Say why more time is needed. The applicant reads it."
    if day is None:
        wrong["day"] = "Choose the new day."
    elif decide_at is not None and clock.end_of_day(day, zone) <= decide_at:
        wrong["day"] = "That is not later than before. Choose a later day."
    if wrong:
        raise Invalid("More time needs a later day and a reason.", wrong)
    return words


def refuse_committee(chosen: Collection[UUID], allowed: Collection[UUID]) -> None:
    """Raise :class:`Invalid` unless two different people who may review are named."""
    faults.point("four_eyes")
    if len(set(chosen)) != 2:
        raise Invalid("Name a committee of two.", {"member_two": "Choose two different people."})
    if not set(chosen) <= set(allowed):
        said = "Choose among the people shown: nobody who had a part in the first decision, or has a conflict."
        raise Invalid("Name a committee of two.", {"member_one": said})


def refuse_not_of_committee(user_id: UUID | None, committee: Collection[UUID | None]) -> None:
    """Raise :class:`NotAllowed` for everybody but the two who were named."""
    faults.point("four_eyes")
    if user_id is None or user_id not in committee:
        raise NotAllowed("The committee of two decide this complaint.")


def settles(user_id: UUID | None, committee: Collection[UUID | None], able: Collection[UUID]) -> bool:
    """Whether this person settles a repeated evaluation: one of its committee; in the place of one who may not any more, anybody able.

    Who decided the complaint stands as it was. ``able`` are those who may decide complaints, had no part and have no conflict.
    """
    return user_id in able and (user_id in committee or not set(committee) <= set(able))


def due_words(committee: Sequence[tuple[UUID, str]], able: Collection[UUID], by: tuple[UUID | None, str]) -> str:
    """Whom the outcome of a repeated evaluation waits for now; ``by`` is who proposed it, where somebody did.

    Somebody of the committee who may not decide any more is waited for no longer: another takes their place.

    >>> one, two = UUID(int=1), UUID(int=2)
    >>> due_words([(one, "Ana"), (two, "Bo")], {one, two}, (None, ""))
    'the committee of two, Ana and Bo'
    >>> due_words([(one, "Ana"), (two, "Bo")], {one, two}, (one, "Ana"))
    'Bo, to confirm what Ana proposed'
    >>> due_words([(one, "Ana"), (two, "Bo")], {two}, (None, ""))
    'Bo, and another person in the place of Ana'
    """
    still = [(key, name) for key, name in committee if key in able]
    gone = " and ".join(name for key, name in committee if key not in able)
    if by[0] in able:
        due = " and ".join(name for key, name in still if key != by[0])
        return f"{due or 'another person who decides complaints'}, to confirm what {by[1]} proposed"
    if not gone:
        return f"the committee of two, {' and '.join(name for _, name in still)}"
    return (
        f"{still[0][1]}, and another person in the place of {gone}" if still else f"two people in the place of {gone}"
    )


def settle_together(two: Collection[UUID | None], committee: Collection[UUID | None], able: Collection[UUID]) -> bool:
    """Whether these settle it together: two who are able to, and whoever of the committee still is among them."""
    return len(set(two)) == 2 and set(two) <= set(able) and set(committee) & set(able) <= set(two)


def refuse_not_settling(user_id: UUID | None, committee: Collection[UUID | None], able: Collection[UUID]) -> None:
    """Raise :class:`NotAllowed` for whoever neither is of the committee nor takes the place of one of it."""
    faults.point("four_eyes")
    if not settles(user_id, committee, able):
        raise NotAllowed(
            "The committee of two settle this; somebody else only in the place of one who may not any more."
        )


def refuse_other_two(two: Collection[UUID | None], committee: Collection[UUID | None], able: Collection[UUID]) -> None:
    """Raise :class:`Refused` where an outcome would not be that of those of the committee who may still decide it."""
    faults.point("four_eyes")
    if not settle_together(two, committee, able):
        raise Refused(
            "Both of the committee stand behind this outcome, and somebody else only in the place of one who may not any more. "
            "Leave it to them, or have it proposed again."
        )
