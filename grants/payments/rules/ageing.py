"""How long payments and recoveries are due, in the steps people speak of. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from grants.core import charts, clock
from grants.core.charts import Bars
from grants.core.money import Money, total


class Owing(StrEnum):
    """Who owes: the programme what it approved, or a city what it was paid too much."""

    DUE = "due"
    RECOVERIES = "recoveries"

    @property
    def words(self) -> str:
        """For pages."""
        return {Owing.DUE: "Payments due", Owing.RECOVERIES: "Recoveries"}[self]


class Bucket(StrEnum):
    """How many days something is past its due day."""

    NOT_DUE = "not_due"
    TO_30 = "to_30"
    TO_60 = "to_60"
    TO_90 = "to_90"
    OVER_90 = "over_90"

    @property
    def words(self) -> str:
        """For pages."""
        return {
            Bucket.NOT_DUE: "Not late",
            Bucket.TO_30: "1 to 30 days late",
            Bucket.TO_60: "31 to 60 days late",
            Bucket.TO_90: "61 to 90 days late",
            Bucket.OVER_90: "Over 90 days late",
        }[self]


def bucket(due_on: date, today: date) -> Bucket:
    """The step something stands in; on its due day it is not late.

    >>> [bucket(date(2024, 1, 31), day).value for day in (date(2024, 1, 31), date(2024, 2, 1), date(2024, 5, 1))]
    ['not_due', 'to_30', 'over_90']
    """
    late = (today - due_on).days
    steps = ((0, Bucket.NOT_DUE), (30, Bucket.TO_30), (60, Bucket.TO_60), (90, Bucket.TO_90))
    return next((step for days, step in steps if late <= days), Bucket.OVER_90)


@dataclass(frozen=True, slots=True)
class AgeingAsk:
    """What is looked at, of which call, and in which step of age; in every one where none is named."""

    what: Owing = Owing.DUE
    call: str = ""
    step: Bucket | None = None


@dataclass(frozen=True, slots=True)
class AgeLine:
    """One thing that is due: a payment that was approved and is not booked, or what a city still owes."""

    reference: str
    grant_reference: str
    name: str
    what: str
    due_on: date
    amount: Money
    bucket: Bucket
    # Why its days do not run, where they do not, and that its grant is suspended.
    note: str = ""
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Ageing:
    """Everything due, oldest first, and what the ledger holds of it."""

    lines: tuple[AgeLine, ...]
    in_ledger: Money

    @property
    def sum(self) -> Money:
        """All of it."""
        return total(each.amount for each in self.lines)

    @property
    def agrees(self) -> bool:
        """Whether the ledger says the same."""
        return self.sum == self.in_ledger

    def of(self, step: Bucket) -> tuple[int, Money]:
        """How many stand in a step, and what they come to."""
        found = [each.amount for each in self.lines if each.bucket is step]
        return len(found), total(found)

    def in_step(self, step: Bucket | None) -> tuple[AgeLine, ...]:
        """The lines of a step; of all where none is named."""
        return tuple(each for each in self.lines if step in (None, each.bucket))

    @property
    def held_words(self) -> str:
        """What of it is not paid because its grant is suspended, as a sentence; empty where nothing is."""
        held = [each.amount for each in self.lines if each.is_held]
        if not held:
            return ""
        return f"{total(held)} of it is of suspended grants ({counted(len(held))}): nothing of it leaves meanwhile."

    @property
    def late(self) -> Money:
        """What is past its day."""
        return total(each.amount for each in self.lines if each.bucket is not Bucket.NOT_DUE)

    @property
    def chart(self) -> Bars:
        """A bar for each step."""
        return charts.bars(
            [
                ("due" if step is Bucket.NOT_DUE else "late", step.words, amount, counted(count))
                for step in Bucket
                for count, amount in (self.of(step),)
            ]
        )

    @property
    def finding(self) -> str:
        """What the chart shows, as one sentence."""
        if not self.lines:
            return "Nothing is due"
        late = [each for each in self.lines if each.bucket is not Bucket.NOT_DUE]
        if not late:
            return f"Nothing is late; {self.sum} is due in all"
        oldest = min(late, key=lambda each: each.due_on)
        return f"{self.late} of {self.sum} is late; the oldest, {oldest.name}, since {clock.long_date(oldest.due_on)}"


def counted(count: int) -> str:
    """How many, in a word.

    >>> counted(0), counted(1), counted(3)
    ('none', '1 item', '3 items')
    """
    return "none" if not count else "1 item" if count == 1 else f"{count} items"


def by_age(lines: Iterable[AgeLine]) -> tuple[AgeLine, ...]:
    """Oldest first, then the larger."""
    return tuple(sorted(lines, key=lambda each: (each.due_on, -each.amount.cents, each.reference)))
