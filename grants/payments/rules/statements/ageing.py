"""How old a line of the bank is that executes no order: four ages, and what a page of them is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from grants.payments.rules.statements.values import Direction


class Age(StrEnum):
    """The ages of the list, by days since the booking."""

    WEEK = "0-7"
    MONTH = "8-30"
    QUARTER = "31-90"
    OLDER = "older"

    @property
    def words(self) -> str:
        """The age in words."""
        return "More than 90 days" if self is Age.OLDER else f"{self.value.replace('-', ' to ')} days"


def span(age: Age) -> tuple[int, int | None]:
    """The first and the last day of an age, counted back from today; no last day of the oldest.

    >>> span(Age.MONTH), span(Age.OLDER)
    ((8, 30), (91, None))
    """
    match age:
        case Age.OLDER:
            return 91, None
        case _:
            first, _, last = age.value.partition("-")
            return int(first), int(last)


@dataclass(frozen=True, slots=True)
class UnmatchedAsk:
    """The filters of the list of unmatched lines."""

    age: Age | None = None
    direction: Direction | None = None
    account: str = ""
