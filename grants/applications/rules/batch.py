"""Applications the facts alone show to be eligible: what an officer passes in one go, each by an act of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from grants.applications.rules.eligibility import ConditionView, groups
from grants.applications.rules.inputs import ConditionAnswer
from grants.applications.states import BatchWork, Verdict
from grants.core.money import Money


@dataclass(frozen=True, slots=True)
class BatchPick:
    """One application in the version the officer saw."""

    application_id: UUID
    submission_id: UUID


@dataclass(frozen=True, slots=True)
class BatchRow:
    """An application of which every condition looks met, with the facts behind each."""

    pick: BatchPick
    reference: str
    name: str
    lead: str
    country_code: str
    requested: Money | None
    conditions: tuple[ConditionView, ...]


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What became of one application of a batch; ``done``: passed, or its letter sent. ``words`` say why one was left out."""

    reference: str
    name: str
    done: bool
    waiting: bool
    words: str = ""

    @property
    def is_left_out(self) -> bool:
        """Whether its turn came and nothing was done."""
        return not (self.waiting or self.done)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How far a batch is: of how many, how many are over, and how many of these were done and not left out."""

    work: BatchWork
    asked: int
    over: int
    done: int

    @property
    def words(self) -> str:
        """Beside the line of the history that says what was asked.

        >>> BatchResult(BatchWork.LETTERS, 3, 3, 2).words, BatchResult(BatchWork.LETTERS, 1, 1, 0).words
        ('3 letters: 2 sent, 1 left out', '1 letter: none sent, 1 left out')
        >>> BatchResult(BatchWork.PASS, 4, 1, 1).words
        '4 applications: 1 passed, 3 not done yet'
        """
        thing, done = ("letter", "sent") if self.work is BatchWork.LETTERS else ("application", "passed")
        left, waiting = self.over - self.done, self.asked - self.over
        parts = [f"{self.done or 'none'} {done}"] if self.over else []
        parts += [f"{left} left out"] if left else []
        parts += [f"{waiting} not done yet"] if waiting else []
        return f"{self.asked} {thing if self.asked == 1 else thing + 's'}: {', '.join(parts)}"


def passed_by_facts(conditions: Sequence[ConditionView]) -> tuple[ConditionAnswer, ...] | None:
    """The answers the facts give, if they show every condition met; None where one is not met or not known.

    A condition holds too where an exception to it is met; an answer \u201cnot met\u201d of a person keeps the application out.
    """
    views = {view.condition.key: view for view in conditions}
    if any(view.answer.verdict is Verdict.FAIL for view in conditions):
        return None
    answers = []
    for group in groups([view.condition for view in conditions]):
        met = [views[each.key] for each in group if views[each.key].clean]
        if not met:
            return None
        answers += [ConditionAnswer(view.condition.key, Verdict.PASS) for view in met]
    return tuple(answers)


def first_open(conditions: Sequence[ConditionView]) -> str:
    """The first condition the facts do not show to be met, as a sentence; empty where there is none."""
    for view in conditions:
        if not view.clean:
            return view.title
    return ""
