"""Additional pre-financing of a call: how much of a grant, and how much of the pre-financing before it has to be used first. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from grants.budgets.rules import percent

# Where a call says nothing else; the Horizon model agreement has it so.
USUAL_THRESHOLD = 70


@dataclass(frozen=True, slots=True)
class AdditionalPrefinancing:
    """So many per cent of the maximum grant (exact) are paid in advance once more, when the city states what it used.

    Where less than ``threshold`` per cent of the pre-financing before it was used, it is less by what is missing to that.
    """

    percent: Fraction
    threshold: int = USUAL_THRESHOLD

    @property
    def words(self) -> str:
        """As a sentence, without its full stop.

        >>> AdditionalPrefinancing(Fraction(20)).words[:66]
        'Additional pre-financing of 20\\xa0% of the maximum grant is paid when'
        """
        return (
            f"Additional pre-financing of {percent(self.percent / 100)} of the maximum grant is paid when the city states what it "
            f"used of the pre-financing it was paid; where that is less than {self.threshold}\N{NO-BREAK SPACE}%, it is less by what is missing"
        )
