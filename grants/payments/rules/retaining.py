"""How long records of a grant are kept, and since when they might go: the rules of its parent grant (F17). Pure.

Nothing here deletes anything: it says on which day somebody may decide to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from grants.core import clock, faults
from grants.core.errors import Invalid, Refused
from grants.core.money import Money
from grants.core.states import HeldKind
from grants.programmes.rules import Keeping


@dataclass(frozen=True, slots=True)
class HoldView:
    """A legal hold with everything its pages show; ``name`` is the reference of what it lies on."""

    id: UUID
    version: int
    number: int
    kind: HeldKind
    object_id: UUID
    name: str
    title: str
    reason: str
    set_by_id: UUID
    set_by: str
    set_on: date
    lifted_by: str = ""
    lifted_on: date | None = None
    lift_reason: str = ""

    @property
    def stands(self) -> bool:
        """Whether it was not lifted yet."""
        return self.lifted_on is None


@dataclass(frozen=True, slots=True)
class HoldInput:
    """A legal hold as typed: the reference of a call or a grant, and why its records are kept."""

    reference: str
    reason: str


@dataclass(frozen=True, slots=True)
class Retained:
    """How long the records of one grant are kept: until a day, or for as long as ``waits_for`` says."""

    until: date | None
    waits_for: str
    years: int

    @property
    def words(self) -> str:
        """As a sentence."""
        if self.until is None:
            return f"Nothing may be deleted: {self.waits_for}."
        return f"Records are kept until {clock.long_date(self.until)}. What is no record of the books may be deleted after it."


def retained(
    keeping: Keeping,
    maximum: Money,
    *,
    closed: bool,
    owes: bool,
    held: Iterable[tuple[date, date | None]] = (),
) -> Retained:
    """The retention clock of a grant: it starts at the final payment of the parent grant, and rests while a hold stands or money
    is to be recovered; the days of a hold after that start are added.

    ``held`` are the first days of holds and the days on which they were lifted.

    >>> paid = Keeping(date(2026, 3, 31))
    >>> retained(paid, Money(600_000_00), closed=True, owes=False).until
    datetime.date(2031, 3, 31)
    >>> retained(paid, Money(50_000_00), closed=True, owes=False, held=[(date(2026, 4, 1), date(2026, 4, 11))]).until
    datetime.date(2029, 4, 10)
    >>> retained(Keeping(), Money(1), closed=True, owes=False).waits_for
    'the day of the final payment of the parent grant is not known'
    """
    years = keeping.years_of(maximum)
    holds = list(held)
    waits_for = _waits_for(keeping, holds, closed=closed, owes=owes)
    if waits_for or keeping.final_paid_on is None:
        return Retained(None, waits_for, years)
    begun = keeping.final_paid_on
    return Retained(clock.add_days(_years_later(begun, years), _rested(begun, holds)), "", years)


def _waits_for(keeping: Keeping, holds: Sequence[tuple[date, date | None]], *, closed: bool, owes: bool) -> str:
    if any(lifted is None for _, lifted in holds):
        return "a legal hold stands"
    if not closed:
        return "the grant is not closed"
    if owes:
        return "money is still to be recovered"
    if keeping.final_paid_on is None:
        return "the day of the final payment of the parent grant is not known"
    return ""


def _rested(begun: date, holds: Sequence[tuple[date, date | None]]) -> int:
    """On how many days since the clock began a hold stood; days of two holds count once."""
    days = 0
    last = begun
    for first, lifted in sorted((one, two) for one, two in holds if two is not None):
        assert lifted is not None, "open holds leave no day to reckon"
        starts = max(first, last)
        if lifted > starts:
            days += (lifted - starts).days
            last = lifted
    return days


def _years_later(day: date, years: int) -> date:
    """The same day so many years later; the last of February where that year has no 29th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


# What else the program keeps, for how long, and by which rule: what the page of retention says beside the grants.
KEPT_LINES: tuple[tuple[str, str], ...] = (
    (
        "Journal, record of acts, signatures, what was submitted",
        "For good: they are never changed or deleted, and prove everything else.",
    ),
    (
        "Agreements, reports, evidence, payments and their files",
        "Until the day beside each grant below. A city keeps its own originals as long.",
    ),
    ("Lists taken out as files", "Some days, as each says; longer while any legal hold stands."),
    (
        "Uploads nobody kept, and bytes no record names",
        "One day, where nobody kept them. Bytes of files stay while any legal hold stands.",
    ),
)


def check_hold(given: HoldInput) -> None:
    """Refuse a hold without a reason or object; raises :class:`Invalid` with a sentence for each field."""
    problems = {}
    if not given.reference.strip():
        problems["reference"] = "Enter the reference of a call or a grant."
    if not given.reason.strip():
        problems["reason"] = "Say why its records are kept: the audit, the investigation or the dispute."
    if problems:
        raise Invalid("The hold is not complete.", problems)


def refuse_own_hold(set_by: UUID, lifter: UUID | None) -> None:
    """Another person lifts a hold than who set it."""
    faults.point("four_eyes")
    if lifter is None or lifter == set_by:
        raise Refused("You set this hold, so somebody else lifts it. Ask a colleague who may.")
