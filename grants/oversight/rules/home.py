"""What waits for somebody, what others are at, and the first steps of an empty house."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from grants.applications.rules import INVITABLE, not_among_them
from grants.applications.states import ApplicationState, Verdict
from grants.awards.states import ComplaintState, Outcome, Remedy
from grants.core import clock
from grants.core.duties import Duty
from grants.core.money import Money

# A deadline nearer than this comes before what has none.
SOON_DAYS = 14


def in_order(duties: Iterable[Duty], at: datetime) -> tuple[Duty, ...]:
    """The most urgent first: what is late or due within two weeks, by deadline; what has no deadline, because somebody
    waits for it now; what is due later. Duties of the same moment stay in the order of the stages.
    """
    soon = at + timedelta(days=SOON_DAYS)

    def urgency(duty: Duty) -> tuple[int, datetime]:
        if duty.due_at is None:
            return 1, at
        return (0 if duty.due_at <= soon else 2), duty.due_at

    return tuple(sorted(duties, key=urgency))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something this person handed on: who has it now, and since when."""

    what: str
    who: str
    since: datetime
    endpoint: str
    values: Mapping[str, Any]
    # How it stands, where \u201cWith (somebody).\u201d says too little.
    stands: str = ""

    @property
    def words(self) -> str:
        """Who has it, as a sentence."""
        return self.stands or f"With {self.who}."

    def days(self, at: datetime) -> int:
        """Whole days it has been waiting, by calendar days where the programme works."""
        return (clock.in_zone(at).date() - clock.in_zone(self.since).date()).days


# Whom an application of these states waits for; with any other verdict nobody has it any more.
WITH_OTHERS: Mapping[ApplicationState, str] = {
    ApplicationState.SUBMITTED: "the programme office",
    ApplicationState.ELIGIBLE: "the evaluators and the panel",
    ApplicationState.UNDER_EVALUATION: "the evaluators and the panel",
    ApplicationState.SELECTED: "the programme office",
    ApplicationState.RESERVE: "the programme office",
}


def where_it_stands(
    state: ApplicationState, since: datetime, others_invited_at: datetime | None = None, decided: bool = False
) -> str:
    """What a team reads of its application once more is known than who has it; else nothing.

    ``others_invited_at`` is when other concepts of its call were last invited to a second stage, and it was not.
    ``decided`` is one that a confirmed list told of: back with the evaluators it is assessed anew after a complaint.
    """
    if decided and state in (ApplicationState.ELIGIBLE, ApplicationState.UNDER_EVALUATION):
        return "Its evaluation is repeated after a complaint. The first result stands until that is settled."
    if others_invited_at is not None and state in INVITABLE:
        return not_among_them(clock.long_date(clock.in_zone(others_invited_at).date()))
    match state:
        case ApplicationState.SELECTED:
            return "It is selected. The programme prepares the agreement."
        case ApplicationState.RESERVE:
            return f"On the reserve list since {clock.long_date(clock.in_zone(since).date())}."
        case _:
            return ""


def declared_words(verdict: Verdict, reason: str | None) -> tuple[str, str]:
    """The words around an application whose eligibility was declared.

    >>> declared_words(Verdict.FAIL, "Sent without a signature.")
    ('declared', 'not eligible and wrote to its team: Sent without a signature.')
    """
    if verdict is Verdict.PASS:
        return "declared", "eligible and wrote to its team"
    return "declared", "not eligible and wrote to its team" + (f": {reason}" if reason else "")


def complaint_words(state: ComplaintState, remedy: Remedy | None) -> tuple[str, str]:
    """The words around an application whose team complained and was told the second decision.

    >>> complaint_words(ComplaintState.UPHELD, Remedy.REPEAT)
    ('upheld the complaint about', 'and wrote to its team: the evaluation is repeated')
    """
    repeated = ": the evaluation is repeated" if remedy is Remedy.REPEAT else ""
    return f"{state.value} the complaint about", f"and wrote to its team{repeated}"


def outcome_words(outcome: Outcome, amount: Money) -> tuple[str, str]:
    """The words around an application about which a selection was confirmed."""
    match outcome:
        case Outcome.SELECTED:
            return "selected", f"for a grant of {amount} and told its team"
        case Outcome.RESERVE:
            return "put", "on the reserve list and told its team"
        case Outcome.NOT_FUNDED:
            return "decided that", "is not funded, and told its team"
        case Outcome.BELOW_THRESHOLD:
            return (
                "found",
                "below the threshold, so that it is not funded, and told its team",
            )


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a new installation needs before it can take an application."""

    title: str
    hint: str
    endpoint: str
    done: bool


def first_steps(calls: int, managers: int, administrators: int, people: int) -> tuple[Step, ...]:
    """The way from an empty installation to an open call, with what is done already."""
    return (
        Step(
            "Invite a second administrator",
            "Roles that move money need two: one gives them, the other confirms.",
            "identity.invite",
            administrators > 1,
        ),
        Step("Invite a programme manager", "Writes and publishes calls.", "identity.invite", managers > 0),
        Step(
            "Invite the people of the money circuit",
            "Initiator, verifier, authorising officer and accounting officer are four different people.",
            "identity.users",
            people > managers + administrators + 3,
        ),
        Step(
            "Import a call",
            "The programme manager does it on the page of calls, or you with the command “grants call import FILE”.",
            "",
            calls > 0,
        ),
        Step("Publish it", "From then on everybody can read it and start an application.", "", False),
    )
