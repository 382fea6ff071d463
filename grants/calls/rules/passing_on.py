"""What a coordinator does with the money it receives for its partners: data of the call. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grants.calls.states import PassedOnBy

_CONFIRMED: Mapping[PassedOnBy, str] = {
    PassedOnBy.PARTNER: "the partner confirms what it received",
    PassedOnBy.OFFICER: "the partner, or an officer of the programme for it, confirms what it received",
}


@dataclass(frozen=True, slots=True)
class PassingOn:
    """Within how many calendar days a coordinator passes on what it received for a partner, and who confirms it.

    Without days the agreement asks only that it is done without delay: nothing is ever called overdue.
    """

    days: int | None = None
    confirmed_by: PassedOnBy = PassedOnBy.PARTNER

    @property
    def words(self) -> str:
        """Both as one sentence, without its full stop.

        >>> PassingOn(30).words
        'The coordinator passes on to its partners what it received for them within 30 days; the partner confirms what it received'
        """
        within = "without delay" if self.days is None else f"within {self.days} day{'' if self.days == 1 else 's'}"
        return f"The coordinator passes on to its partners what it received for them {within}; {_CONFIRMED[self.confirmed_by]}"


PLAIN_PASSING_ON = PassingOn()
