"""Questions to the solver, each under the hash of all it depends on, with the answers a job kept: pages look up, jobs work out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from grants.awards.ranking.portfolio import Portfolio, select
from grants.awards.ranking.rows import Candidate, Limits
from grants.awards.ranking.what_if import Aim, WhatIf, told, what_if
from grants.awards.states import SolveKind
from grants.core import encoding
from grants.core.errors import Refused

NOT_WORKED_OUT = "What these rules select from the list as it is now is not worked out yet. Ask for it, and look again when it is done."


# Counts up whenever the same rows and rules may select others: what was worked out before is asked for again.
METHOD = 2


class NotWorkedOut(Refused):
    """Nobody has worked out the answer, and this is no place to wait for it."""


@dataclass(frozen=True, slots=True)
class Solved:
    """One question with its answer; or with the sentence why none was proven, and no answer."""

    kind: SolveKind
    question_sha256: bytes
    answer: Mapping[str, Any]
    refusal: str = ""


class Known:
    """Answers that are there. ``solves``: what is missing, or was too hard, is worked out now; ``new`` is what that added."""

    def __init__(self, solved: Iterable[Solved] = (), *, solves: bool = False) -> None:
        # Of two answers to one question the later one counts; what was too hard may be tried again.
        self._kept = {one.question_sha256: one for one in solved if not (solves and one.refusal)}
        self._solves = solves
        self.new: list[Solved] = []
        # The last question that had no answer.
        self.question_sha256 = b""

    def portfolio(self, candidates: Sequence[Candidate], limits: Limits) -> Portfolio:
        """Who is selected; raises :class:`NotWorkedOut`, or :class:`Refused` where it was too hard."""

        def solve() -> Mapping[str, Any]:
            return dict(encoding.encode(select(candidates, limits)))

        found: Portfolio = encoding.decode(
            {"value": self._answer(SolveKind.LIST, candidates, limits, solve)}, Portfolio
        )
        return found

    def aimed(self, candidates: Sequence[Candidate], limits: Limits, aim: Aim) -> WhatIf | None:
        """What another aim selects, None where no set reaches the minima; raises as :meth:`portfolio` does."""

        def solve() -> Mapping[str, Any]:
            best = what_if(candidates, limits, aim)
            return {"selected": None if best is None else sorted(str(key) for key in best.selected)}

        chosen = self._answer(SolveKind(aim.value), candidates, limits, solve)["selected"]
        return None if chosen is None else told(candidates, frozenset(UUID(key) for key in chosen), aim)

    def _answer(
        self, kind: SolveKind, candidates: Sequence[Candidate], limits: Limits, solve: Callable[[], Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        asked = sha256_of(kind, candidates, limits)
        found = self._kept.get(asked)
        if found is None:
            if not self._solves:
                self.question_sha256 = asked
                raise NotWorkedOut(NOT_WORKED_OUT)
            try:
                found = Solved(kind, asked, solve())
            except Refused as error:
                found = Solved(kind, asked, {}, str(error))
            self._kept[asked] = found
            self.new.append(found)
        if found.refusal:
            self.question_sha256 = asked
            raise Refused(found.refusal)
        return found.answer


def sha256_of(kind: SolveKind, candidates: Sequence[Candidate], limits: Limits, seeded: bytes = b"") -> bytes:
    """The SHA-256 of a question: of everything its answer depends on, the same for any order of it.

    ``seeded`` stands for what orders are simulated from.
    """
    rows = sorted(
        [
            one.rank, one.after, one.reference, str(one.application_id), one.amount.cents, one.country, sorted(one.cities),
            sorted(one.small_cities), one.strand, one.score, one.population,
        ]
        for one in candidates
    )  # fmt: skip
    said: dict[str, Any] = {
        "kind": kind.value,
        "candidates": rows,
        "budget": limits.budget.cents,
        "rules": encoding.encode(limits.rules),
        "exclusive": sorted(sorted(str(key) for key in group) for group in limits.exclusive),
    }
    if kind in (SolveKind.LIST, SolveKind.ROBUST):
        said["method"] = METHOD
    if kind in (SolveKind.QUALITY, SolveKind.CLIMATE):
        # Only these hang on more: what was asked before they were has the hash it always had.
        aim = Aim(kind.value)
        said["worth"] = sorted([str(one.application_id), aim.of(one)] for one in candidates)
    if kind is SolveKind.POPULATION:
        said["inhabitants"] = sorted([str(one.application_id), *map(list, one.inhabitants)] for one in candidates)
    if seeded:
        said["seeded"] = seeded.hex()
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()
