"""What another aim would select within the same rules: the best scores, the surest, the most people or savings. Never a decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from grants.awards.ranking.rows import Candidate, Limits, Unit, Walk
from grants.awards.ranking.solver import Asked, answer
from grants.core.money import ZERO, Money, total
from grants.core.text import grouped


class Aim(StrEnum):
    """What a what-if makes as large as it can be."""

    SCORE = "score"
    QUALITY = "quality"
    POPULATION = "population"
    CLIMATE = "climate"

    @property
    def words(self) -> str:
        """For pages."""
        return {
            "score": "Highest sum of scores",
            "quality": "Highest expected quality",
            "population": "Most people in the cities",
            "climate": "Most tCO₂e saved for the money",
        }[self.value]

    @property
    def measured(self) -> str:
        """What a set is measured by, as the head of a column."""
        return {
            "score": "Sum of scores",
            "quality": "Expected quality",
            "population": "People, each city once",
            "climate": "tCO₂e saved",
        }[self.value]

    def of(self, one: Candidate) -> int:
        """What one application adds to it; 0 where nothing is known."""
        match self:
            case Aim.SCORE:
                return one.score
            case Aim.QUALITY:
                return one.quality
            case Aim.POPULATION:
                return one.population
            case Aim.CLIMATE:
                return one.climate

    def whole(self, chosen: Iterable[Candidate]) -> int:
        """What a set comes to: a city that takes part in several applications counts once."""
        if self is not Aim.POPULATION:
            return sum(self.of(one) for one in chosen)
        cities: dict[str, int] = {}
        for one in chosen:
            for name, people in one.inhabitants:
                cities[name] = max(people, cities.get(name, 0))
        return sum(cities.values())

    def sum_words(self, whole: int, used: Money) -> str:
        """What a set comes to, in words; savings also for each million of its money.

        >>> Aim.SCORE.sum_words(46_000, ZERO), Aim.POPULATION.sum_words(1_250_000, ZERO)
        ('23.00', '1\\xa0250\\xa0000')
        >>> Aim.CLIMATE.sum_words(12_000, Money(80_000_000))
        '1\\xa0200.0, which is 1\\xa0500.0 for each million euro'
        """
        if self is Aim.POPULATION:
            return grouped(whole)
        if self is not Aim.CLIMATE:
            return grouped(whole / 2_000, 2)
        said = grouped(whole / 10, 1)
        if not used.cents:
            return said
        return said + f", which is {grouped(whole * 10_000_000 / used.cents, 1)} for each million euro"


@dataclass(frozen=True, slots=True)
class Worths:
    """What other aims take of applications beside score and cities; where an aim has nothing, the sentence that says why.

    ``fundable`` is how likely each is among those that could be funded, ``saved`` what its answers say it saves, in tenths.
    """

    fundable: Mapping[UUID, float] = field(default_factory=dict)
    no_quality: str = ""
    saved: Mapping[UUID, int] = field(default_factory=dict)
    no_climate: str = ""
    # What is said of an aim where it is offered.
    notes: Mapping[Aim, str] = field(default_factory=dict)

    def of(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """The same candidates with what is known of them."""
        return [
            replace(
                one,
                quality=one.score * round(1_000 * self.fundable.get(one.application_id, 0.0)) // 1_000,
                climate=self.saved.get(one.application_id, 0),
            )
            for one in candidates
        ]

    def why_not(self, aim: Aim, candidates: Sequence[Candidate]) -> str:
        """Why an aim is not offered, in words; empty where it is."""
        missing = sum(one.application_id not in self.fundable for one in candidates)
        if aim is Aim.QUALITY and missing and not self.no_quality:
            return f"the advice does not know {missing} of the applications above the thresholds; ask for it again"
        said = {Aim.QUALITY: self.no_quality, Aim.CLIMATE: self.no_climate}.get(aim, "")
        if said or any(aim.of(one) for one in candidates):
            return said
        return {
            Aim.SCORE: "no application has a score above zero",
            Aim.QUALITY: "the advice calls none of the applications likely to be funded",
            Aim.POPULATION: "the register of cities knows the inhabitants of none of the applications",
            Aim.CLIMATE: "no application answered that question of the form with a number above zero",
        }[aim]


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

    def cost(unit: Unit) -> int:
        # Cities count by themselves, once each.
        return 0 if aim is Aim.POPULATION else -aim.of(unit.members[0])

    once = (lambda unit: unit.members[0].inhabitants) if aim is Aim.POPULATION else None
    found = answer(Asked(Walk(limits), units, cost, brings_once=once))
    if found is None:
        return None
    return told(ordered, frozenset(unit.members[0].application_id for unit in found.units), aim)


def told(candidates: Iterable[Candidate], selected: frozenset[UUID], aim: Aim) -> WhatIf:
    """The figures of a set that was selected for an aim."""
    ordered = sorted(candidates, key=lambda one: (one.rank, one.reference, one.application_id))
    chosen = [one for one in ordered if one.application_id in selected]
    return WhatIf(
        aim, selected, aim.whole(chosen), total(one.amount for one in chosen),
        inversions(ordered, selected), by_country((one.country, one.amount) for one in chosen),
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


def by_country(shares: Iterable[tuple[str, Money]]) -> dict[str, tuple[int, Money]]:
    """How many applications and how much money each country has, by its code, of each application’s country and money."""
    found: dict[str, tuple[int, Money]] = {}
    for country, amount in sorted(shares, key=lambda share: share[0]):
        many, money = found.get(country, (0, ZERO))
        found[country] = (many + 1, money + amount)
    return found
