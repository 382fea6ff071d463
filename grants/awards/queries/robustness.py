"""What it takes to see how robust a selection is: the list by the rules of the call, its sheets, the advice they gave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grants.awards import ranking
from grants.awards.models import RankingRun
from grants.awards.queries.ranked import facts_of, hash_of, of_ready, ranked, reckoned, scored_beside
from grants.awards.queries.sheets import SheetsRead, newest_run, sheets_read
from grants.awards.queries.solves import answers_kept
from grants.awards.ranking import Candidate, Known, Limits, sha256_of
from grants.awards.ranking.advice import simulated_orders
from grants.awards.ranking.robustness import Robustness, orders_for, robustness
from grants.awards.rules import plan_of
from grants.awards.states import SolveKind
from grants.calls.rules import CallView
from grants.core.together import Asking, reader, side_by_side


@dataclass(frozen=True, slots=True)
class RobustnessInput:
    """Everything the simulated orders are selected from, as it stands at one moment. ``run`` is the newest of the advice, if any."""

    candidates: tuple[Candidate, ...]
    limits: Limits
    sheets: SheetsRead
    run: RankingRun | None
    list_hash: str
    unsolved: bool

    @property
    def orders(self) -> int:
        """In how many simulated orders each is looked at."""
        return orders_for(self.limits, len(self.candidates))

    @property
    def question_sha256(self) -> bytes:
        """The hash of everything the answer depends on, and of the run and the list it is shown beside."""
        seeded = f"{self.run.number} {self.list_hash} ".encode() + self.run.input_sha256 if self.run else b""
        return sha256_of(SolveKind.ROBUST, self.candidates, self.limits, seeded)


@reader
def robustness_input(call: CallView) -> Asking[RobustnessInput]:
    """What :func:`robustness_of` takes, by the rules of the call."""
    plan = plan_of(call.content.selection)
    asked: list[Asking[Any]] = [
        scored_beside(call, lambda ids: (facts_of.asking(ids),)), sheets_read.asking(call), newest_run.asking(call.id),
        answers_kept.asking(call.id),
    ]  # fmt: skip
    (read, (facts,)), sheets, run, answers = yield from side_by_side(asked)
    facts = of_ready(read, facts)
    found, official = reckoned(call.content, plan, read, facts, Known(answers)), ranked(call.content, plan, read)
    candidates = tuple(ranking.candidates_of(official, plan, facts))
    limits = ranking.limits_of(official, plan)
    return RobustnessInput(candidates, limits, sheets, run, hash_of(found), found.unsolved)


def robustness_of(asked: RobustnessInput, say: Callable[[int], None]) -> Robustness:
    """Select from each simulated order. It asks the database nothing."""
    return robustness(simulated_orders(asked.sheets.sheets, asked.orders), asked.candidates, asked.limits, say)
