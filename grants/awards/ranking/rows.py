"""What a selection within rules is made of: candidates as the rules see them, units that stand or fall together, the state of a walk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from grants.calls.rules import PLAIN_SELECTION, SelectionRules
from grants.core.money import ZERO, Money, total


class Bound(StrEnum):
    """The rule that kept a row out, or brought one in ahead of a better one."""

    BUDGET = "budget"
    STRAND = "strand"
    COUNTRY_COUNT = "country_count"
    COUNTRY_AMOUNT = "country_amount"
    CITY = "city"
    EXCLUSIVE = "exclusive"
    LINE = "line"
    COUNTRIES_MIN = "countries_min"
    SMALL_CITIES_MIN = "small_cities_min"


MONEY_BOUNDS = frozenset({Bound.BUDGET, Bound.STRAND})
# What a row breaks by itself, whatever money is left.
CAPS = frozenset({Bound.COUNTRY_COUNT, Bound.COUNTRY_AMOUNT, Bound.CITY, Bound.EXCLUSIVE})


@dataclass(frozen=True, slots=True)
class Candidate:
    """One application above every threshold, with what the rules ask of it. Candidates that stay tied share ``rank``."""

    application_id: UUID
    reference: str
    rank: int
    amount: Money
    country: str = ""
    cities: frozenset[str] = frozenset()
    small_cities: frozenset[str] = frozenset()
    strand: str = ""
    # A whole number for the what-ifs: the score over one denominator.
    score: int = 0
    # The score weighted by how likely it is fundable, and what its answers say it saves, in tenths; 0 where it is not known.
    quality: int = 0
    climate: int = 0
    # The inhabitants of each of its cities that are known: a city of two applications counts once.
    inhabitants: tuple[tuple[str, int], ...] = ()
    # 1 for whoever comes after those of its rank, by a score that came later.
    after: int = 0

    @property
    def place(self) -> tuple[int, int]:
        """What orders candidates; equal ones are tied."""
        return self.rank, self.after

    @property
    def population(self) -> int:
        """How many people live in its cities."""
        return sum(people for _, people in self.inhabitants)


@dataclass(frozen=True, slots=True)
class Limits:
    """The rules of one selection: those of its call, its budget, and groups of which at most one is selected."""

    budget: Money
    rules: SelectionRules = PLAIN_SELECTION
    exclusive: tuple[frozenset[UUID], ...] = ()

    @property
    def ceilings(self) -> dict[str, Money]:
        """The ceiling of each strand by its name."""
        return {strand.name: strand.ceiling for strand in self.rules.strands}


@dataclass(frozen=True, slots=True)
class Unit:
    """The candidates of one rank: tied ones are selected together or not at all, so that no chance decides."""

    number: int
    members: tuple[Candidate, ...]
    amount: Money
    # How many of them lead from each country; one without a country counts for none.
    countries: Mapping[str, int]
    small_cities: frozenset[str]

    @property
    def rank(self) -> int:
        """The rank its candidates share."""
        return self.members[0].rank

    def asks(self, strand: str | None = None) -> str:
        """The beginning of what it asks for, of a strand or of all: of tied ones it is the sum."""
        asking = sum(strand in (None, one.strand) for one in self.members)
        return "asks for" if asking == 1 else f"the {asking} of rank {self.rank} together ask for"

    @classmethod
    def of(cls, number: int, members: tuple[Candidate, ...]) -> Unit:
        """The unit of these candidates."""
        countries = Counter(one.country for one in members if one.country)
        small = frozenset(city for one in members for city in one.small_cities)
        return cls(number, members, total(one.amount for one in members), countries, small)


def units_of(candidates: Iterable[Candidate]) -> tuple[Unit, ...]:
    """Candidates by rank, whatever order they came in."""
    ordered = sorted(candidates, key=lambda one: (one.place, one.reference, one.application_id))
    groups = [tuple(group) for _, group in groupby(ordered, key=lambda one: one.place)]
    return tuple(Unit.of(number, group) for number, group in enumerate(groups))


@dataclass(slots=True)
class Walk:
    """What has been selected so far, and what still fits beside it."""

    limits: Limits
    used: Money = ZERO
    strands: dict[str, Money] = field(default_factory=dict)
    amounts: dict[str, Money] = field(default_factory=dict)
    countries: Counter[str] = field(default_factory=Counter)
    cities: dict[str, str] = field(default_factory=dict)
    small: set[str] = field(default_factory=set)
    groups: dict[int, str] = field(default_factory=dict)

    def copy(self) -> Walk:
        """The same state, to try something on."""
        return Walk(
            self.limits, self.used, dict(self.strands), dict(self.amounts), Counter(self.countries), dict(self.cities),
            set(self.small), dict(self.groups),
        )  # fmt: skip

    def take(self, unit: Unit) -> None:
        """Select a unit."""
        for one in unit.members:
            self.used = self.used + one.amount
            self.strands[one.strand] = self.strands.get(one.strand, ZERO) + one.amount
            self.amounts[one.country] = self.amounts.get(one.country, ZERO) + one.amount
            if one.country:
                self.countries[one.country] += 1
            self.cities.update(dict.fromkeys(one.cities, one.reference))
            self.small |= one.small_cities
            for number, group in enumerate(self.limits.exclusive):
                if one.application_id in group:
                    self.groups[number] = one.reference

    def breaches(self, unit: Unit) -> dict[Bound, str]:
        """Each ceiling that a unit would break beside what is selected, with the words for it; empty where it fits."""
        found: dict[Bound, str] = {}
        rules = self.limits.rules
        if rules.one_per_city or self.limits.exclusive:
            self._shared(unit, found)
        if self.used + unit.amount > self.limits.budget:
            short = self.used + unit.amount - self.limits.budget
            found[Bound.BUDGET] = f"{unit.asks()} {short} more than is left of the budget"
        ceilings = self.limits.ceilings
        for strand in sorted({one.strand for one in unit.members} & ceilings.keys()):
            asked = total(one.amount for one in unit.members if one.strand == strand)
            short = self.strands.get(strand, ZERO) + asked - ceilings[strand]
            if short > ZERO:
                found[Bound.STRAND] = f"{unit.asks(strand)} {short} more than is left of the strand “{strand}”"
        for country in sorted(unit.countries):
            if rules.country_max is not None and self.countries[country] + unit.countries[country] > rules.country_max:
                found[Bound.COUNTRY_COUNT] = _too_many(unit, country, rules.country_max, self.countries[country])
            most = rules.country_amount_max
            if most is not None:
                asked = total(one.amount for one in unit.members if one.country == country)
                whole = self.amounts.get(country, ZERO) + asked
                if whole > most:
                    found[Bound.COUNTRY_AMOUNT] = f"{country} would get {whole} and one country gets at most {most}"
        return found

    def _shared(self, unit: Unit, found: dict[Bound, str]) -> None:
        """What a unit shares with what is selected, or its members with each other, where that is not allowed.

        What is selected is named before what is only tied.
        """
        tied_cities: dict[str, str] = {}
        tied_groups: dict[int, str] = {}
        for one in unit.members:
            if self.limits.rules.one_per_city:
                for city in sorted(one.cities):
                    if city in self.cities:
                        found[Bound.CITY] = f"{city} takes part in {self.cities[city]} already"
                    elif city in tied_cities:
                        found.setdefault(Bound.CITY, f"{city} takes part in {tied_cities[city]} too, {_of_tie(unit)}")
                tied_cities.update(dict.fromkeys(one.cities, one.reference))
            for number, group in enumerate(self.limits.exclusive):
                if one.application_id in group:
                    if number in self.groups:
                        found[Bound.EXCLUSIVE] = f"it excludes {self.groups[number]}, which is selected"
                    elif number in tied_groups:
                        found.setdefault(
                            Bound.EXCLUSIVE,
                            f"{one.reference} and {tied_groups[number]} exclude each other and share rank {unit.rank}; {TOGETHER}",
                        )
                    tied_groups[number] = one.reference

    def unmet(self) -> dict[Bound, int]:
        """Each minimum that is not reached yet, with how much is missing."""
        rules, found = self.limits.rules, {}
        countries = (rules.countries_min or 0) - len(self.countries)
        small = (rules.small_cities_min or 0) - len(self.small)
        if countries > 0:
            found[Bound.COUNTRIES_MIN] = countries
        if small > 0:
            found[Bound.SMALL_CITIES_MIN] = small
        return found

    def brings(self, unit: Unit) -> tuple[Bound, ...]:
        """The unmet minima a unit helps with."""
        unmet = self.unmet()
        found = []
        if Bound.COUNTRIES_MIN in unmet and unit.countries.keys() - self.countries.keys():
            found.append(Bound.COUNTRIES_MIN)
        if Bound.SMALL_CITIES_MIN in unmet and unit.small_cities - self.small:
            found.append(Bound.SMALL_CITIES_MIN)
        return tuple(found)

    def fits_all(self, units: Sequence[Unit]) -> bool:
        """Whether all of these fit together beside what is selected."""
        trial = self.copy()
        for unit in units:
            if trial.breaches(unit):
                return False
            trial.take(unit)
        return True


def _too_many(unit: Unit, country: str, most: int, taken: int) -> str:
    """Why a country has too many with this unit: it has its number already, or those that are tied do not all fit in it."""
    if taken >= most:
        return f"{country} has its {most} of one country already"
    more = " more" if taken else ""
    return (
        f"{unit.countries[country]} of {country} share rank {unit.rank} and only {most - taken}{more} of {country} may be selected; "
        f"{TOGETHER}"
    )


def _of_tie(unit: Unit) -> str:
    return f"which shares rank {unit.rank}; {TOGETHER}"


# What stands with each rule that only a tie breaks (decision 0024).
TOGETHER = "tied applications are selected together or not at all, unless the panel puts them in order"


def minimum_words(bound: Bound, rules: SelectionRules) -> str:
    """A minimum as a rule in words."""
    if bound is Bound.COUNTRIES_MIN:
        return f"at least {rules.countries_min} countries"
    return f"at least {rules.small_cities_min} cities with fewer than {rules.small_city_below} inhabitants"
