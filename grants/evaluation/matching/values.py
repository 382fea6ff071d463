"""What an assignment depends on and what it answers: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

UTILITY_MAX = 1000

Pair = tuple[UUID, UUID]
"""(application, evaluator)."""


@dataclass(frozen=True, slots=True)
class Seatholder:
    """One evaluator: how many applications this person must and may take, and what rules on groups ask about.

    ``organisations`` are all for whom this person works, or worked so short a time ago that it counts: two people of one
    in common are of the same organisation.
    """

    id: UUID
    load_max: int
    load_min: int = 0
    label: str = ""
    country: str = ""
    organisations: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    # How many applications this person would like to have, where that was said: between equal totals it counts.
    load_target: int | None = None
    # “woman” or “man” where the person said so and a rule counts it; empty for everybody else.
    gender: str = ""


def groups_of(person: Seatholder, kind: str) -> frozenset[str]:
    """The groups of one kind, “country” or “organisation”, that a person belongs to."""
    if kind == "organisation":
        return person.organisations
    return frozenset({person.country} - {""})


@dataclass(frozen=True, slots=True)
class Subject:
    """One application to be assessed. ``seats`` differs from the instance's number only where a rule was relaxed."""

    id: UUID
    label: str = ""
    language: str = ""
    countries: frozenset[str] = frozenset()
    seats: int | None = None


@dataclass(frozen=True, slots=True)
class GroupRules:
    """What the evaluators of one application must be together; without any, a flow is enough."""

    country_max: int | None = None
    organisation_max: int | None = None
    roles: tuple[str, ...] = ()
    needs_reader: bool = False
    # At least one woman and one man of each application, of those who said that they are.
    balance: bool = False

    @property
    def any(self) -> bool:
        """Whether there is any rule."""
        return bool(self.country_max or self.organisation_max or self.roles or self.needs_reader or self.balance)

    @property
    def genders(self) -> tuple[str, ...]:
        """Of whom each application needs at least one, by what they said."""
        return ("woman", "man") if self.balance else ()

    @property
    def limits(self) -> tuple[tuple[str, int], ...]:
        """Of what kind of group at most how many may sit together, for each kind that has a limit."""
        kinds = (("country", self.country_max), ("organisation", self.organisation_max))
        return tuple((kind, most) for kind, most in kinds if most)


@dataclass(frozen=True, slots=True)
class Grid:
    """The pairs as arrays, for calls so large that a mapping of them would not fit: int16 worth, bool open."""

    applications: tuple[UUID, ...]
    evaluators: tuple[UUID, ...]
    utility: Any
    open: Any


@dataclass(frozen=True, slots=True)
class Instance:
    """Everything an assignment depends on. Pairs without a utility count as 0; forbidden pairs never meet.

    ``locked`` pairs stand already and stay, also where they break a rule on groups: what they break by themselves is held
    against no assignment. ``standing`` pairs stand and should: as few of them as possible are
    lost, whatever that costs. ``exempt`` names rules on groups set aside for one application: (rule, application).
    ``seed`` decides between equally good assignments, always the same way.
    """

    applications: tuple[Subject, ...]
    evaluators: tuple[Seatholder, ...]
    per_application: int
    utilities: Mapping[Pair, int] = field(default_factory=dict)
    forbidden: frozenset[Pair] = frozenset()
    locked: frozenset[Pair] = frozenset()
    seed: str = ""
    groups: GroupRules = GroupRules()
    floor: bool = False
    standing: frozenset[Pair] = frozenset()
    exempt: frozenset[tuple[str, UUID]] = frozenset()
    grid: Grid | None = None

    def seats_of(self, subject: Subject) -> int:
        """How many evaluators an application needs."""
        return self.per_application if subject.seats is None else subject.seats


@dataclass(frozen=True, slots=True)
class Prices:
    """One step of the proof: prices from which anybody can recompute that its value cannot be bettered.

    One price a seat of each application, one a seat of each evaluator, one for the pool of seats. Whatever these
    prices close or fix stays closed or fixed in the next step: exactly the assignments equal in this one are left.
    """

    aim: str
    value: int
    application_prices: Mapping[UUID, int]
    evaluator_prices: Mapping[UUID, int]
    pool_price: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """The steps of the proof in the order of the aims: pairs kept, total, spread of the loads."""

    steps: tuple[Prices, ...] = ()


@dataclass(frozen=True, slots=True)
class Matched:
    """The best assignment, in order of application and evaluator id, with its proof.

    ``bound``: no assignment under these rules is worth more. ``ideal``: none even without rules on groups and floor;
    the certificate proves it. ``floor`` is what the worst application got, ``spread`` the sum of the squared loads: where
    anybody has a target, of the squared distances from it or, of who has none, from an even share.
    """

    pairs: tuple[Pair, ...]
    total: int
    bound: int
    rounds: int
    priced_pairs: int
    certificate: Certificate
    ideal: int = 0
    floor: int = 0
    spread: int = 0
    kept: int = 0
    solver: str = "flow"

    @property
    def exact(self) -> bool:
        """Whether nothing better exists under these rules."""
        return self.bound == self.total


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One rule set aside: which kind, for whom, by how much."""

    kind: str
    id: UUID
    amount: int = 1
    what: str = ""


@dataclass(frozen=True, slots=True)
class Infeasible:
    """No assignment exists: each sentence names who or what is missing and the way out.

    ``relaxations`` are the fewest rules to set aside so that one exists; ``changes`` say them in words. ``alone`` are those of
    the sentences that are of one application by itself: they name nobody and would be the same without any other.
    """

    reasons: tuple[str, ...]
    relaxations: tuple[Relaxation, ...] = ()
    changes: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
