"""What another aim would select within the same rules: the highest sum of scores, or the most people. Never a decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from grants.awards.ranking.rows import Candidate, Limits, Unit, Walk
from grants.awards.ranking.solver import Asked, answer
from grants.core.money import ZERO, Money, total


class Aim(StrEnum):
    """What a what-if makes as large as it can be."""

    SCORE = "score"
    POPULATION = "population"

    @property
    def words(self) -> str:
        """For pages."""
        return {"score": "Highest sum of scores", "population": "Most people in the cities"}[self.value]

    def of(self, one: Candidate) -> int:
        """What one application adds to it; 0 where nothing is known."""
        return one.score if self is Aim.SCORE else one.population


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A proven best set for an aim. ``inversions`` counts pairs in which the better-ranked of two is left out."""

    aim: Aim
    selected: frozenset[UUID]
    sum: int
    used: Money
    inversions: int
    countries: Mapping[str, tuple[int, Money]]


def what_if(candidates: Iterable[Candidate], limits: Limits, aim: Aim) -> WhatIf | None:
    """The set with the highest sum, proven by the solver; None where no set reaches the minima."""
    ordered = sorted(candidates, key=lambda one: (one.rank, one.reference, one.application_id))
    units = [Unit.of(number, (one,)) for number, one in enumerate(ordered)]

    found = answer(Asked(Walk(limits), units, lambda unit: -aim.of(unit.members[0])))
    if found is None:
        return None
    return told(ordered, frozenset(unit.members[0].application_id for unit in found.units), aim)


def told(candidates: Iterable[Candidate], selected: frozenset[UUID], aim: Aim) -> WhatIf:
    """The figures of a set that was selected for an aim."""
    ordered = sorted(candidates, key=lambda one: (one.rank, one.reference, one.application_id))
    chosen = [one for one in ordered if one.application_id in selected]
    return WhatIf(
        aim, selected, sum(aim.of(one) for one in chosen), total(one.amount for one in chosen),
        inversions(ordered, selected), by_country(chosen),
    )  # fmt: skip


def passed_over(candidates: Iterable[Candidate], selected: frozenset[UUID]) -> dict[UUID, int]:
    """For each that is left out, how many of a worse rank are selected; equals of a rank count for none."""
    found: dict[UUID, int] = {}
    worse = taken = 0
    rank = -1
    for one in sorted(candidates, key=lambda one: -one.rank):
        if one.rank != rank:
            worse, rank = taken, one.rank
        if one.application_id in selected:
            taken += 1
        else:
            found[one.application_id] = worse
    return found


def inversions(candidates: Iterable[Candidate], selected: frozenset[UUID]) -> int:
    """In how many pairs the better-ranked of two is left out and the other selected."""
    return sum(passed_over(candidates, selected).values())


def by_country(chosen: Iterable[Candidate]) -> dict[str, tuple[int, Money]]:
    """How many applications and how much money each country has, by its code."""
    found: dict[str, tuple[int, Money]] = {}
    for one in sorted(chosen, key=lambda one: one.country):
        many, money = found.get(one.country, (0, ZERO))
        found[one.country] = (many + 1, money + one.amount)
    return found
