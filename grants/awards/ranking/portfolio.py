"""Selection from a ranked list within rules: the best-ranked set that keeps every ceiling and reaches every minimum.

Rank decides before everything else: a row is selected whenever some choice below it still reaches the minima, so
the answer is one and the same whatever order the rows come in. Each row kept out says which rule did it, each row
that comes ahead of a better one which rule forced it. Exact, in whole cents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from grants.awards.ranking.rows import CAPS, MONEY_BOUNDS, Bound, Candidate, Limits, Unit, Walk, minimum_words, units_of
from grants.awards.ranking.solver import Asked, answer, bounded
from grants.calls.rules import SelectionRules
from grants.core.errors import Refused
from grants.core.money import ZERO, Money, total

# So many ranks a list with minima is worked out for: each may ask the solver.
ROWS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules make of one row: selected or not, by which rules, in words.

    ``straddles`` is the first row the money does not reach, ``missing`` how much it asks for more than is left there;
    nothing where a minimum holds what is left.
    """

    selected: bool
    bounds: tuple[Bound, ...] = ()
    words: str = ""
    straddles: bool = False
    missing: Money = ZERO


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The selected set with a verdict for each candidate; ``relaxed`` says which minima no choice can reach."""

    verdicts: Mapping[UUID, Verdict]
    used: Money
    relaxed: tuple[str, ...] = ()

    @property
    def selected(self) -> frozenset[UUID]:
        """The applications that get money."""
        return frozenset(key for key, verdict in self.verdicts.items() if verdict.selected)


def select(candidates: Iterable[Candidate], limits: Limits) -> Portfolio:
    """The best-ranked set within the rules. Where the minima cannot be reached, the nearest ones that can are used and named."""
    units = units_of(candidates)
    with bounded():
        return _by_rank(units, limits) or _select(units, limits)


def without_solver(candidates: Iterable[Candidate], limits: Limits) -> Portfolio | None:
    """The same where rank and ceilings reach every minimum, which takes no solver; else None."""
    return _by_rank(units_of(candidates), limits)


def _by_rank(units: Sequence[Unit], limits: Limits) -> Portfolio | None:
    plain = _Making(limits)
    plain.by_rank(units)
    return None if plain.walk.unmet() else plain.portfolio(units)


def _select(units: Sequence[Unit], limits: Limits) -> Portfolio:
    if len(units) > ROWS_MAX:
        raise Refused(
            f"A list with minima is worked out for at most {ROWS_MAX} ranks; this one has {len(units)}. "
            "Take the minima out of the rules, or raise a threshold."
        )
    reachable, relaxed = _relaxed(units, limits)
    held = _Making(reachable)
    held.reaching(units)
    assert not held.walk.unmet(), "what can be reached is reached"
    return replace(held.portfolio(units), relaxed=relaxed)


def _relaxed(units: Sequence[Unit], limits: Limits) -> tuple[Limits, tuple[str, ...]]:
    """The limits with minima that some choice reaches, and what had to be lowered: as little as possible in sum."""
    walk = Walk(limits)
    unmet = walk.unmet()
    # The least in sum first; between equals the number of countries stays and that of small cities goes.
    weight = sum(unmet.values()) + 1
    costs = tuple(weight + (bound is Bound.COUNTRIES_MIN) for bound in sorted(unmet))
    found = answer(Asked(walk, units, lambda unit: 0, slack=(costs[0], costs[-1])))
    assert found is not None, "with nothing demanded the empty set is an answer"
    rules, sentences = limits.rules, []
    for bound, missing in sorted(found.missing.items()):
        if missing:
            reached = unmet[bound] - missing
            sentences.append(
                f"No choice reaches {minimum_words(bound, rules)}: the other rules and the money leave at most {reached}. "
                f"Lower it to {reached}, or ease a ceiling."
            )
            rules = _with_minimum(rules, bound, reached)
    return replace(limits, rules=rules), tuple(sentences)


def _with_minimum(rules: SelectionRules, bound: Bound, reached: int) -> SelectionRules:
    if bound is Bound.COUNTRIES_MIN:
        return replace(rules, countries_min=reached)
    return replace(rules, small_cities_min=reached)


class _Making:
    """One pass down the list; ``walk`` is what it selected, ``verdicts`` what became of each unit."""

    def __init__(self, limits: Limits) -> None:
        self.walk = Walk(limits)
        self.verdicts: dict[int, Verdict] = {}
        self.straddled = False
        # Units below that reach the minima which are unmet now, and whether no choice is cheaper.
        self.held: tuple[Unit, ...] = ()
        self.cheapest = True

    def portfolio(self, units: Sequence[Unit]) -> Portfolio:
        """The verdicts by application."""
        found = {one.application_id: self.verdicts[unit.number] for unit in units for one in unit.members}
        assert self.walk.used == total(unit.amount for unit in units if self.verdicts[unit.number].selected)
        assert self.walk.used <= self.walk.limits.budget, "the selected never exceed the budget"
        return Portfolio(found, self.walk.used)

    # --- ceilings alone ---------------------------------------------------------------------------------------------

    def by_rank(self, units: Sequence[Unit]) -> None:
        """Select what fits, in the order of the list: with ceilings alone that is the best-ranked set there is."""
        closed: set[str] = set()
        stopped = False
        for unit in units:
            strands = {one.strand for one in unit.members}
            if stopped or strands & closed:
                self._below_line(unit)
                continue
            breaches = self.walk.breaches(unit)
            if not breaches:
                self._take(unit)
                continue
            self._block(unit, breaches)
            if not self.walk.limits.rules.fund_what_fits:
                stopped = stopped or Bound.BUDGET in breaches
                closed |= strands if Bound.STRAND in breaches else set()

    # --- minima too -------------------------------------------------------------------------------------------------

    def reaching(self, units: Sequence[Unit]) -> None:
        """The same order, but a row is selected only where the minima can still be reached below it.

        Where the list stops at the line, only as few rows as the minima need are selected below it. A strand whose
        money is out does not stop for its later rows here, since the minima may need them.
        """
        self._reserve(units)
        for place, unit in enumerate(units):
            below = units[place + 1 :]
            breaches = self.walk.breaches(unit)
            if breaches:
                self._block(unit, breaches)
                line = Bound.BUDGET in breaches
            elif self._keeps(unit, below):
                line = False
            else:
                line = self._by_money(unit, below)
                self._hold(unit)
            if line and not self.walk.limits.rules.fund_what_fits:
                self._only_needed(below)
                return

    def _reserve(self, units: Sequence[Unit]) -> None:
        """Hold a cheapest choice of these for the minima that are unmet now."""
        found = self._cheapest(units)
        assert found is not None, "the minima are in reach all the way down"
        self.held, self.cheapest = found, True

    def _cheapest(self, units: Sequence[Unit], must: frozenset[int] = frozenset()) -> tuple[Unit, ...] | None:
        """The cheapest units that reach what is unmet; with ``must`` among them. None where there are none."""
        if not self.walk.unmet() and not must:
            return ()
        useful = [unit for unit in units if unit.number in must or self.walk.brings(unit)]
        found = answer(Asked(self.walk, useful, lambda unit: unit.amount.cents, must))
        return None if found is None else found.units

    def _keeps(self, unit: Unit, below: Sequence[Unit]) -> bool:
        """Select a unit if the minima stay in reach; whether they do."""
        brings = self.walk.brings(unit)
        rest = tuple(other for other in self.held if other is not unit)
        was_held = len(rest) < len(self.held)
        if was_held or self.walk.fits_all((unit, *self.held)):
            self._take(unit)
            self.held = rest
            # What one unit brings others need not bring any more. A part of a cheapest choice stays cheapest.
            if brings and not was_held:
                self._trim()
            return True
        if not self.cheapest:
            self._reserve((unit, *below))
            return self._keeps(unit, below)
        spare = self.walk.limits.budget - self.walk.used - total(other.amount for other in self.held)
        # A cheapest choice already leaves too little, by more than any tolerance of the solver.
        if not brings and unit.amount - spare > Money(max(100, self.walk.limits.budget.cents // 1_000_000)):
            return False
        found = self._cheapest((unit, *below), frozenset({unit.number}))
        if found is None:
            return False
        self._take(unit)
        self.held = tuple(other for other in found if other is not unit)
        return True

    def _trim(self) -> None:
        """Let go of what is held and no longer needed, the dearest first; what stays need not be cheapest."""
        unmet, walk = self.walk.unmet(), self.walk
        countries = Counter(name for unit in self.held for name in unit.countries.keys() - walk.countries.keys())
        small = Counter(name for unit in self.held for name in unit.small_cities - walk.small)
        for unit in sorted(self.held, key=lambda other: (-other.amount.cents, other.number)):
            fewer = countries - Counter(dict.fromkeys(unit.countries, 1))
            lower = small - Counter(dict.fromkeys(unit.small_cities, 1))
            enough = len(fewer) >= unmet.get(Bound.COUNTRIES_MIN, 0)
            if enough and len(lower) >= unmet.get(Bound.SMALL_CITIES_MIN, 0):
                countries, small = fewer, lower
                self.held = tuple(other for other in self.held if other is not unit)
        self.cheapest = False

    def _by_money(self, unit: Unit, below: Sequence[Unit]) -> bool:
        """Whether a unit could be selected if money were no matter, so that it is the money that is held."""
        limits = self.walk.limits
        rich = self.walk.copy()
        whole = total(other.amount for other in (unit, *below)) + limits.budget
        rich.limits = replace(limits, budget=whole, rules=replace(limits.rules, strands=()))
        useful = [other for other in below if rich.brings(other)]
        return answer(Asked(rich, [unit, *useful], lambda other: 0, frozenset({unit.number}))) is not None

    def _only_needed(self, units: Sequence[Unit]) -> None:
        """Below the line: the fewest rows that reach the minima, the best-ranked among such choices."""
        fewest = self._fewest(units)
        assert fewest is not None, "the minima are in reach all the way down"
        for place, unit in enumerate(units):
            breaches = self.walk.breaches(unit)
            if unit not in fewest and (breaches or not self.walk.brings(unit)):
                self._block(unit, breaches) if breaches else self._below_line(unit)
                continue
            if unit not in fewest:
                other = self._fewest(units[place:], frozenset({unit.number}))
                if other is None or len(other) > len(fewest):
                    self._below_line(unit)
                    continue
                fewest = other
            self._take(unit)
            fewest = tuple(other for other in fewest if other is not unit)

    def _fewest(self, units: Sequence[Unit], must: frozenset[int] = frozenset()) -> tuple[Unit, ...] | None:
        if not self.walk.unmet() and not must:
            return ()
        useful = [unit for unit in units if unit.number in must or self.walk.brings(unit)]
        found = answer(Asked(self.walk, useful, lambda unit: 1, must))
        return None if found is None else found.units

    # --- verdicts ---------------------------------------------------------------------------------------------------

    def _take(self, unit: Unit) -> None:
        """Select a unit; where better-ranked ones were left out, say what lets it come ahead."""
        ahead = [verdict for verdict in self.verdicts.values() if not verdict.selected]
        if not ahead:
            self.verdicts[unit.number] = Verdict(True)
        elif all(verdict.bounds and CAPS.issuperset(verdict.bounds) for verdict in ahead):
            # Each of them breaks a rule by itself: no minimum brought this one ahead of them.
            self.verdicts[unit.number] = Verdict(
                True, (), "Selected: better ranks are left out by a rule, each row says which."
            )
        else:
            brings = self.walk.brings(unit)
            rules = self.walk.limits.rules
            words = (
                f"Selected ahead of better ranks by the rule: {' and '.join(minimum_words(each, rules) for each in brings)}."
                if brings
                else "Selected: it fits in what is left."
            )
            self.verdicts[unit.number] = Verdict(True, brings, words)
        self.walk.take(unit)

    def _block(self, unit: Unit, breaches: Mapping[Bound, str]) -> None:
        by_money = bool(MONEY_BOUNDS & breaches.keys())
        straddles = by_money and not self.straddled
        self.straddled = self.straddled or by_money
        missing = ZERO
        if straddles:
            missing = self._missing(unit)
        self.verdicts[unit.number] = Verdict(
            False, tuple(breaches), f"Not selected: {'; '.join(breaches.values())}.", straddles, missing
        )

    def _missing(self, unit: Unit) -> Money:
        """How much more it asks for than is left of the ceiling that is exceeded the most."""
        limits, walk = self.walk.limits, self.walk
        short = [walk.used + unit.amount - limits.budget]
        for strand, ceiling in limits.ceilings.items():
            asked = total(one.amount for one in unit.members if one.strand == strand)
            short.append(walk.strands.get(strand, ZERO) + asked - ceiling)
        return max(short, key=lambda amount: amount.cents)

    def _hold(self, unit: Unit) -> None:
        """The money or the places below are needed for the minima that are not reached yet."""
        unmet = self.walk.unmet()
        rules = self.walk.limits.rules
        named = " and ".join(minimum_words(bound, rules) for bound in sorted(unmet))
        straddles = not self.straddled
        self.straddled = True
        # It is a rule that keeps it out, by whichever rows reach it in the end: no amount is short.
        self.verdicts[unit.number] = Verdict(
            False, tuple(sorted(unmet)), f"Not selected: what is left is held for {named}.", straddles
        )

    def _below_line(self, unit: Unit) -> None:
        self.verdicts[unit.number] = Verdict(False, (Bound.LINE,), "Not selected: it stands below the line.")
