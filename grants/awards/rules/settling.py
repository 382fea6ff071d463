"""What a repeated evaluation came to: the outcome its score would have had on the list, frozen with its scores and words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from grants.awards.states import Outcome
from grants.core.errors import Refused
from grants.core.money import Money


@dataclass(frozen=True, slots=True)
class Settlement:
    """One of the committee proposes it, the other confirms this very one; then the applicant reads it."""

    outcome: Outcome
    words: str
    # As a list freezes them: the weighted score as a fraction in text, half points by criterion.
    score: str
    halves: Mapping[str, Any]
    shift_half: int
    basis: str
    threshold_words: str
    comments: Mapping[str, str]
    text: str

    def to_mapping(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "outcome": self.outcome.value, "words": self.words, "score": self.score, "halves": dict(self.halves),
            "shift_half": self.shift_half, "basis": self.basis, "threshold_words": self.threshold_words,
            "comments": dict(self.comments), "text": self.text,
        }  # fmt: skip

    @classmethod
    def from_mapping(cls, stored: Mapping[str, Any]) -> Settlement:
        """A stored one."""
        return cls(**{**stored, "outcome": Outcome(stored["outcome"])})

    @property
    def same(self) -> Settlement:
        """What must be the same when it is confirmed: all but the sentence, whose free money may have moved."""
        return replace(self, words="")


def refuse_other(proposed: Settlement, now: Settlement) -> None:
    """Raise :class:`Refused` where what was proposed is no longer what it comes to."""
    if proposed.same != now.same:
        raise Refused(
            "A score, a word or the money that is free changed after this outcome was proposed. Propose it again."
        )


def settled(
    score: Fraction | None,
    selected: Sequence[Fraction],
    *,
    has_reserve: bool,
    amount: Money,
    free: Money,
    breaches: Sequence[str] = (),
) -> tuple[Outcome, str]:
    """What a repeated evaluation comes to: the outcome its score would have had on the list, while money is there.

    ``score`` is None below a threshold, ``selected`` are the scores of those the list selected, ``breaches`` the rules
    of the list it would break beside those who hold money now.

    >>> settled(Fraction(12), [Fraction(11)], has_reserve=True, amount=Money(100), free=Money(100))[0].value
    'selected'
    """
    if score is None:
        return Outcome.BELOW_THRESHOLD, "After the repeated evaluation the application is below a threshold."
    reaches = not selected or score >= min(selected)
    if not reaches:
        why = "Its new score is below that of every selected application."
    elif breaches:
        why = f"Its new score would have been selected, but the rules of the list keep it out: {'; '.join(breaches)}."
    elif amount > free:
        why = f"Its new score would have been selected, but only {free} of the {amount} it asks for is free."
    else:
        return Outcome.SELECTED, "The repeated evaluation gives it a score by which the list would have selected it."
    return (Outcome.RESERVE if has_reserve or reaches else Outcome.NOT_FUNDED), why


def place(key: Sequence[Fraction], others: Sequence[tuple[Sequence[Fraction], int]]) -> tuple[int, int]:
    """Where a new score stands in a frozen order: a rank, and 1 for whoever comes after those who have it.

    ``others`` are the scores of those ranked with their ranks, each score first and then what decides ties.

    >>> place((Fraction(9),), [((Fraction(11),), 1), ((Fraction(8),), 2)])
    (1, 1)
    >>> place((Fraction(8),), [((Fraction(11),), 1), ((Fraction(8),), 2)])
    (2, 0)
    """
    equal = {rank for other, rank in others if tuple(other) == tuple(key)}
    if len(equal) == 1:
        return equal.pop(), 0
    # The panel put those with this very score in an order: whoever comes later comes after them.
    better = [rank for other, rank in others if tuple(other) >= tuple(key)]
    return max(better, default=0), 1


def how_far(seats: int, sheets: int, per_application: int) -> str:
    """How far a repeated evaluation is that has no score yet, and what comes next.

    >>> how_far(1, 0, 3)
    '1 of 3 seats is filled with a new evaluator: fill the others.'
    >>> how_far(3, 1, 3)
    '1 of 3 assessments is in.'
    """
    if seats < per_application:
        filled = f"{seats} of {per_application} seats {'is' if seats == 1 else 'are'} filled"
        return f"{filled} with {'a new evaluator' if seats == 1 else 'new evaluators'}: fill the others."
    if sheets < seats:
        return f"{sheets} of {seats} assessments {'is' if sheets == 1 else 'are'} in."
    return "All assessments are in: the consensus is to be written and agreed."
