"""What people decide about a call: deadlines that only move later, the day of results, documents, the budget."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from grants.calls.rules.values import Deadline
from grants.calls.states import CallState
from grants.core import clock, faults
from grants.core.clock import Fold
from grants.core.errors import Conflict, Invalid, Refused
from grants.core.money import ZERO, Money

# --- deadlines --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeadlineInput:
    """A new deadline as a person enters it: a wall-clock time of the call's zone, and why.

    ``fold`` says which of two instants is meant when the clocks go back.
    """

    local: datetime
    reason: str
    public_note: str
    fold: Fold | None = None


def literal_of(closes_at: datetime, zone: str) -> str:
    """The deadline as it is printed, with the abbreviation the zone really has on that day.

    >>> from datetime import UTC
    >>> literal_of(datetime(2022, 11, 15, 11, tzinfo=UTC), "Europe/Brussels")
    '15 November 2022, 12:00 CET'
    """
    local = clock.in_zone(closes_at, zone)
    return f"{clock.long_date(local.date())}, {local:%H:%M} {clock.zone_letters(closes_at, zone)}"


# A deadline only moves later, so a slip in the year would keep a call open for ever.
EXTENSION_MAX = timedelta(days=366)


def extended(current: Deadline, given: DeadlineInput, *, at: datetime) -> Deadline:
    """The next deadline of a call: later than the one that counts, later than now, with a reason.

    Raises :class:`Invalid` for a local time that does not exist or exists twice, :class:`Refused` otherwise.
    """
    faults.point("deadline")
    problems = {}
    if not given.reason.strip():
        problems["reason"] = "Say why the deadline moves. The reason is kept with the deadline and shown to everybody."
    if not given.public_note.strip():
        problems["public_note"] = "Write the note that applicants will read."
    try:
        closes_at = clock.local_to_utc(given.local, current.zone, fold=given.fold)
    except Invalid as error:
        raise Invalid(str(error), problems | {"local": str(error)}) from error
    if closes_at <= current.closes_at:
        problems["local"] = (
            f"A deadline only moves to a later time. It now stands at {literal_of(current.closes_at, current.zone)}."
        )
    elif closes_at - at > EXTENSION_MAX:
        problems["local"] = (
            f"That is more than {EXTENSION_MAX.days} days from now; a deadline cannot be taken back. Check the year."
        )
    elif closes_at <= at:
        problems["local"] = f"This time has passed: it is {literal_of(at, current.zone)} now. Choose a later one."
    if problems:
        raise Invalid("The deadline was not moved.", problems)
    moved = Deadline(
        number=current.number + 1,
        closes_at=closes_at,
        zone=current.zone,
        literal=literal_of(closes_at, current.zone),
        reason=given.reason.strip(),
        public_note=given.public_note.strip(),
        announced_at=at,
    )
    assert moved.closes_at > current.closes_at, "a deadline only moves later"
    return moved


@dataclass(frozen=True, slots=True)
class DeadlineNotice:
    """What the notice to everybody with a draft says. ``stands`` is false once a later deadline was announced."""

    reference: str
    slug: str
    title: str
    old_literal: str
    new: Deadline
    stands: bool


# --- a published call that changes -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CorrigendumInput:
    """Why a published call changes, for everybody to read, and what was decided about its deadline.

    ``deadline`` is the later one, or None where it is kept; then ``kept_reason`` says why that is fair.
    """

    reason: str
    deadline: DeadlineInput | None = None
    kept_reason: str = ""

    def checked(self) -> CorrigendumInput:
        """The same without blanks around its words; raises :class:`Invalid` where words are missing."""
        problems = {}
        if not self.reason.strip():
            problems["reason"] = "Say why the call changes. Everybody reads it beside the table of changes."
        if self.deadline is None and not self.kept_reason.strip():
            problems["kept_reason"] = "Say why the time that is left is enough for these changes, or move the deadline."
        if problems:
            raise Invalid("The corrigendum was not published.", problems)
        return CorrigendumInput(self.reason.strip(), self.deadline, self.kept_reason.strip())


def refuse_changed_after_closing(state: CallState, closes_at: datetime | None, zone: str, at: datetime) -> None:
    """A published call changes only until its deadline: what was asked then is what is assessed."""
    faults.point("deadline")
    if state is not CallState.PUBLISHED:
        raise Refused(f"This call is {state.value}; only a published call has a corrigendum.")
    if closes_at is None or not clock.in_time(at, closes_at):
        when = "" if closes_at is None else f" on {literal_of(closes_at, zone)}"
        raise Refused(f"This call closed{when}. What it asked stands; nothing of it changes any more.")


# --- results, documents, budget -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResultsInput:
    """From when results are public: a wall-clock time of the call's zone, or at once."""

    local: datetime | None = None
    fold: Fold | None = None


@dataclass(frozen=True, slots=True)
class PublicResult:
    """A selected application as everybody may see it: no rank, no score. An invented amount says so."""

    title: str
    cities: str
    amount: Money
    invented: bool = False


@dataclass(frozen=True, slots=True)
class PublicResults:
    """What everybody reads of the results of a call: the selected applications, and in words how many are not named.

    ``gone`` says what became of those that were selected, where none of them is left.
    """

    rows: tuple[PublicResult, ...] = ()
    unnamed: str = ""
    gone: str = ""


def results_moment(given: ResultsInput, zone: str, *, closes_at: datetime | None, at: datetime) -> datetime:
    """The instant from which results are public: not before the deadline, and never in the past.

    >>> from datetime import UTC
    >>> start = datetime(2027, 6, 1, 7, tzinfo=UTC)
    >>> results_moment(ResultsInput(), "Europe/Brussels", closes_at=None, at=start) == start
    True
    """
    faults.point("deadline")
    if given.local is None:
        moment = at
    else:
        try:
            moment = clock.local_to_utc(given.local, zone, fold=given.fold)
        except Invalid as error:
            raise Invalid(str(error), {"local": str(error)}) from error
        if moment < at:
            sentence = "That moment has passed. Choose a later one, or “At once”."
            raise Invalid("The results were not published.", {"local": sentence})
    if closes_at is not None and moment <= closes_at:
        sentence = f"Results cannot be public before the deadline: {literal_of(closes_at, zone)}."
        raise Invalid("The results were not published.", {"local": sentence})
    return moment


@dataclass(frozen=True, slots=True)
class DocumentInput:
    """A new version of the call's documents."""

    label: str
    published_on: date
    what: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BudgetPosition:
    """Where the budget of a call stands in the ledger; the parts sum to what is authorised."""

    authorised: Money
    free: Money
    reserved: Money
    committed: Money
    consumed: Money


@dataclass(frozen=True, slots=True)
class BudgetInput:
    """What the budget of a call shall be, and what it was when the officer decided."""

    amount: Money
    note: str = ""
    shown: Money | None = None


def budget_change(*, stands: Money, free: Money, shown: Money | None, wanted: Money) -> Money:
    """By how much the budget of a call changes; below zero when it is lowered, at most by what is free.

    Raises :class:`Conflict` where somebody else changed it since it was shown, :class:`Refused` otherwise.
    """
    faults.point("ceiling")
    if shown is not None and shown != stands:
        raise Conflict(f"The budget was changed while you were deciding: it is {stands} now, and was {shown}.")
    if wanted < ZERO:
        raise Invalid("A budget is not below zero.", {"amount": "Enter an amount of zero or more."})
    change = wanted - stands
    if not change:
        raise Refused(f"The budget is {stands} already. Nothing was changed.")
    if -change > free:
        least = stands - free
        raise Refused(
            f"The budget cannot be lowered to {wanted}: {least} is reserved, committed or paid already."
            f" Lower it to {least} at the least."
        )
    return change
