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
from grants.awards.rules import EACH_ROW_SAYS
from grants.calls.rules import SelectionRules
from grants.core.errors import Refused
from grants.core.money import ZERO, Money, total

# So many ranks a list with minima is worked out for: each may ask the solver.
ROWS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules make of one row: selected or not, by which rules, in words.

    ``straddles`` is the row at the line that is drawn: the first the budget does not reach, or where it reaches all the
    first a strand does not. ``missing`` is how much it asks for more than is left of the budget; nothing where a minimum
    holds what is left. ``strand_line`` says which strand ends at the row.
    """

    selected: bool
    bounds: tuple[Bound, ...] = ()
    words: str = ""
    straddles: bool = False
    missing: Money = ZERO
    strand_line: str = ""


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
    if held.otherwise:
        without = _Making(replace(reachable, rules=replace(reachable.rules, countries_min=None, small_cities_min=None)))
        without.by_rank(units)
        held.unname(without)
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
        # Of each unit that a minimum may have brought in, what is said of it where the minimum changed nothing.
        self.otherwise: dict[int, Verdict] = {}
        # Whether the line of the budget is marked, and of which strands it is; where the list stops, whose rows stand below.
        self.straddled = False
        self.ended: set[str] = set()
        self.closed: set[str] = set()
        # Units below that reach the minima which are unmet now, and whether no choice is cheaper.
        self.held: tuple[Unit, ...] = ()
        self.cheapest = True

    def portfolio(self, units: Sequence[Unit]) -> Portfolio:
        """The verdicts by application."""
        if not self.straddled:
            # The budget reaches everybody: the line is drawn where the first strand ends.
            first = next((number for number, each in self.verdicts.items() if each.strand_line), None)
            if first is not None:
                self.verdicts[first] = replace(self.verdicts[first], straddles=True)
        found = {one.application_id: self.verdicts[unit.number] for unit in units for one in unit.members}
        assert self.walk.used == total(unit.amount for unit in units if self.verdicts[unit.number].selected)
        assert self.walk.used <= self.walk.limits.budget, "the selected never exceed the budget"
        return Portfolio(found, self.walk.used)

    # --- ceilings alone ---------------------------------------------------------------------------------------------

    def by_rank(self, units: Sequence[Unit]) -> None:
        """Select what fits, in the order of the list: with ceilings alone that is the best-ranked set there is.

        Where the list stops at the line, only money stops it: a row that a ceiling keeps out whatever money is left
        takes nothing from those below.
        """
        stopped = False
        for unit in units:
            if stopped or self._is_closed(unit):
                self._below_line(unit)
                continue
            breaches = self.walk.breaches(unit)
            if not breaches:
                self._take(unit, by_minima=False)
                continue
            self._block(unit, breaches)
            stopped = self._stops(unit, _short(breaches))

    def _is_closed(self, unit: Unit) -> bool:
        """Whether a unit stands below the line of a strand."""
        return not self.closed.isdisjoint(one.strand for one in unit.members)

    def _stops(self, unit: Unit, short: frozenset[Bound]) -> bool:
        """Close the strands of a unit whose money is short; whether the whole list stops there."""
        if self.walk.limits.rules.fund_what_fits:
            return False
        if Bound.STRAND in short:
            self.closed |= {one.strand for one in unit.members}
        return Bound.BUDGET in short

    # --- minima too -------------------------------------------------------------------------------------------------

    def reaching(self, units: Sequence[Unit]) -> None:
        """The same order, but a row is selected only where the minima can still be reached below it.

        Where the list stops at a line, only as few rows as the minima need are selected below it, the best-ranked first.
        """
        self._reserve(units)
        for place, unit in enumerate(units):
            below = units[place + 1 :]
            if self._is_closed(unit) and not self._is_needed(unit, below):
                self._below_line(unit)
                if unit in self.held:
                    self._reserve(below)
                continue
            breaches = self.walk.breaches(unit)
            short = _short(breaches)
            if breaches:
                self._block(unit, breaches)
            elif not self._keeps(unit, below):
                short = self._held_back(unit, below)
                self._hold(unit, short)
            if self._stops(unit, short):
                self._only_needed(below)
                return

    def _is_needed(self, unit: Unit, below: Sequence[Unit]) -> bool:
        """Whether the minima need a unit below the line of its strand: the fewest such are taken, the best-ranked first."""
        if self.walk.breaches(unit) or not self.walk.brings(unit):
            return False
        if unit not in self.held and not any(map(self._is_closed, self.held)):
            # What is held reaches the minima without any of them.
            return False
        without = self._closed_in(below)
        if without == 0:
            return False
        with_it = self._closed_in((unit, *below), frozenset({unit.number}))
        return with_it is not None and (without is None or with_it <= without)

    def _closed_in(self, units: Sequence[Unit], must: frozenset[int] = frozenset()) -> int | None:
        """How many units below the line of a strand reaching the minima takes at least; None where nothing reaches them."""
        useful = [unit for unit in units if unit.number in must or self.walk.brings(unit)]
        found = answer(Asked(self.walk, useful, lambda unit: int(self._is_closed(unit)), must))
        return None if found is None else sum(map(self._is_closed, found.units))

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

    def _held_back(self, unit: Unit, below: Sequence[Unit]) -> frozenset[Bound]:
        """Of which money what is left is held for the minima; of none where a unit could not be selected however rich."""
        limits = self.walk.limits
        if limits.rules.strands and self._could(unit, below, limits.budget):
            return frozenset({Bound.STRAND})
        rich = total(other.amount for other in (unit, *below)) + limits.budget
        return frozenset({Bound.BUDGET}) if self._could(unit, below, rich) else frozenset()

    def _could(self, unit: Unit, below: Sequence[Unit], budget: Money) -> bool:
        """Whether a unit could be selected with that budget if no strand had a ceiling."""
        limits = self.walk.limits
        rich = self.walk.copy()
        rich.limits = replace(limits, budget=budget, rules=replace(limits.rules, strands=()))
        useful = [other for other in below if rich.brings(other)]
        return answer(Asked(rich, [unit, *useful], lambda other: 0, frozenset({unit.number}))) is not None

    def _only_needed(self, units: Sequence[Unit]) -> None:
        """Below the line: the fewest rows that reach the minima, the best-ranked among such choices."""
        self.ended |= self.walk.limits.ceilings.keys()
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

    def _take(self, unit: Unit, *, by_minima: bool = True) -> None:
        """Select a unit; where better-ranked ones were left out, say what lets it come ahead.

        With ceilings alone no minimum brings anything in, whatever a unit adds to one.
        """
        ahead = [verdict for verdict in self.verdicts.values() if not verdict.selected]
        self.verdicts[unit.number] = Verdict(True, (), _ahead_words(ahead))
        brings = self.walk.brings(unit) if by_minima else ()
        # Where each of them breaks a rule by itself no minimum brought this one ahead of them.
        if brings and not all(CAPS.intersection(verdict.bounds) for verdict in ahead):
            named = " and ".join(minimum_words(each, self.walk.limits.rules) for each in brings)
            words = f"Selected ahead of better ranks by the rule: {named}."
            self.otherwise[unit.number] = self.verdicts[unit.number]
            self.verdicts[unit.number] = Verdict(True, brings, words)
        self.walk.take(unit)

    def unname(self, without: _Making) -> None:
        """Name no minimum at a unit that is selected ``without`` any: there it changed nothing.

        Where there are two it is not asked which of them changed it, since that asks the solver for the whole list again.
        """
        for number, otherwise in self.otherwise.items():
            if without.verdicts[number].selected:
                self.verdicts[number] = otherwise

    def _block(self, unit: Unit, breaches: Mapping[Bound, str]) -> None:
        verdict = Verdict(False, tuple(breaches), f"Not selected: {'; '.join(breaches.values())}.")
        self.verdicts[unit.number] = self._at_line(unit, verdict, _short(breaches))

    def _at_line(self, unit: Unit, verdict: Verdict, short: frozenset[Bound], *, held: bool = False) -> Verdict:
        """The verdict with the lines that end at its unit: that of the budget, and that of each strand, each once."""
        limits, walk = self.walk.limits, self.walk
        straddles = Bound.BUDGET in short and not self.straddled
        self.straddled = self.straddled or straddles
        missing = walk.used + unit.amount - limits.budget if straddles and not held else ZERO
        said = []
        for strand in sorted({one.strand for one in unit.members} & limits.ceilings.keys() - self.ended):
            asked = total(one.amount for one in unit.members if one.strand == strand)
            over = walk.strands.get(strand, ZERO) + asked - limits.ceilings[strand]
            if Bound.STRAND in short and (held or over > ZERO):
                self.ended.add(strand)
                said.append(f"Line of the strand “{strand}”: {'what is left is held' if held else f'{over} short'}.")
        return replace(verdict, straddles=straddles, missing=missing, strand_line=" ".join(said))

    def _hold(self, unit: Unit, short: frozenset[Bound]) -> None:
        """The money or the places below are needed for the minima that are not reached yet."""
        unmet = self.walk.unmet()
        rules = self.walk.limits.rules
        named = " and ".join(minimum_words(bound, rules) for bound in sorted(unmet))
        # It is a rule that keeps it out, by whichever rows reach it in the end: no amount is short.
        verdict = Verdict(False, tuple(sorted(unmet)), f"Not selected: what is left is held for {named}.")
        self.verdicts[unit.number] = self._at_line(unit, verdict, short, held=True)

    def _below_line(self, unit: Unit) -> None:
        self.verdicts[unit.number] = Verdict(False, (Bound.LINE,), "Not selected: it stands below the line.")


def _short(breaches: Mapping[Bound, str]) -> frozenset[Bound]:
    """Which money a unit asks for too much of; none where a ceiling keeps it out whatever money is left."""
    return frozenset() if CAPS & breaches.keys() else MONEY_BOUNDS & breaches.keys()


def _ahead_words(ahead: Iterable[Verdict]) -> str:
    """What lets a unit come ahead of those that were left out, where it is no minimum."""
    left_out = list(ahead)
    if not left_out:
        return ""
    if any(Bound.BUDGET in verdict.bounds and not CAPS.intersection(verdict.bounds) for verdict in left_out):
        return "Selected: it fits in what is left."
    # A ceiling, what a strand has, or a minimum: none of them was short of the budget that this one gets.
    return f"Selected: better ranks are left out by a rule{EACH_ROW_SAYS}."
