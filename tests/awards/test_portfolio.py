"""Selection within rules: the best-ranked set by brute force, every block and jump named, the same in any order."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.awards.ranking import Aim, Bound, Candidate, Limits, select, what_if
from grants.awards.ranking.portfolio import ROWS_MAX
from grants.awards.ranking.robustness import robustness
from grants.awards.ranking.rows import Unit, Walk, units_of
from grants.calls.rules import SelectionRules, StrandRule
from grants.core.errors import Refused
from grants.core.money import Money, euros, total

SPACE = UUID("00000000-0000-0000-0000-00000000abcf")
EXAMPLES = 10_000 if os.environ.get("SOAK") else 50


def one(number: int, amount: int, country: str = "", *, rank: int | None = None, small: str = "", city: str = "", strand: str = "") -> Candidate:  # fmt: skip
    cities = frozenset(filter(None, (city, small)))
    return Candidate(
        uuid5(SPACE, str(number)), f"A-{number:04d}", rank or number, Money(amount), country, cities,
        frozenset(filter(None, (small,))), strand, score=100 - number,
    )  # fmt: skip


@given(st.data())
@settings(max_examples=EXAMPLES // 5, deadline=None)
def test_each_draw_is_selected_from_as_a_list_of_that_order(data: st.DataObject) -> None:
    candidates, limits = data.draw(cases())
    order = data.draw(st.permutations(candidates))
    for bounds in (limits, Limits(limits.budget, SelectionRules(fund_what_fits=limits.rules.fund_what_fits))):
        listed = [replace(each, rank=place) for place, each in enumerate(order, 1)]

        found = robustness([[str(each.application_id) for each in order]] * 2, candidates, bounds)

        # An order that comes again is selected from as before.
        chosen = select(listed, bounds).selected
        assert found.selected == {one.application_id: 2 * (one.application_id in chosen) for one in candidates}


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Candidate], Limits]:
    size = draw(st.integers(0, 9))
    ranks, candidates = 1, []
    for number in range(1, size + 1):
        if draw(st.integers(0, 4)):
            ranks = number
        small, city = draw(st.sampled_from(("", "", "s1", "s2", "s3"))), draw(st.sampled_from(("", "c1", "c2", "c3")))
        candidates.append(
            one(
                number, draw(st.integers(0, 9)), draw(st.sampled_from(("FI", "PL", "PT", ""))), rank=ranks, small=small,
                city=city, strand=draw(st.sampled_from(("", "Small"))),
            )
        )  # fmt: skip
    rules = SelectionRules(
        fund_what_fits=draw(st.booleans()),
        country_max=draw(st.sampled_from((None, None, 1, 2))),
        country_amount_max=draw(st.sampled_from((None, None, Money(8)))),
        countries_min=draw(st.sampled_from((None, 1, 2, 3))),
        small_cities_min=draw(st.sampled_from((None, 1, 2))),
        one_per_city=draw(st.booleans()),
        strands=draw(st.sampled_from(((), (StrandRule("Small", Money(9), Money(7)),)))),
    )
    ids = [each.application_id for each in candidates]
    groups = (frozenset(ids[:2]),) if size > 1 and draw(st.booleans()) else ()
    return candidates, Limits(Money(draw(st.integers(0, 30))), rules, groups)


def fits(units: Iterable[Unit], limits: Limits) -> Walk | None:
    walk = Walk(limits)
    for unit in units:
        if walk.breaches(unit):
            return None
        walk.take(unit)
    return walk


def subsets(units: tuple[Unit, ...]) -> Iterable[tuple[bool, ...]]:
    """Every choice, the lexicographically best first."""
    return product((True, False), repeat=len(units))


def best(units: tuple[Unit, ...], limits: Limits) -> tuple[bool, ...] | None:
    for taken in subsets(units):
        walk = fits((unit for unit, took in zip(units, taken, strict=True) if took), limits)
        if walk is not None and not walk.unmet():
            return taken
    return None


@settings(max_examples=EXAMPLES, deadline=None)
@given(cases())
def test_what_fits_below_the_line_is_the_best_ranked_set_by_brute_force(case: tuple[list[Candidate], Limits]) -> None:
    candidates, limits = case
    limits = replace(limits, rules=replace(limits.rules, fund_what_fits=True))
    units = units_of(candidates)

    found = select(candidates, limits)

    wanted = best(units, limits)
    assert (wanted is None) == bool(found.relaxed)
    if wanted is not None:
        assert found.selected == {
            each.application_id for unit, took in zip(units, wanted, strict=True) if took for each in unit.members
        }


@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_no_order_of_a_lot_takes_a_minimum_out_of_reach(
    case: tuple[list[Candidate], Limits], chance: random.Random
) -> None:
    candidates, limits = case
    ranks = list(range(1, len(candidates) + 1))
    chance.shuffle(ranks)

    # A draw takes tied ones apart and moves them about; every choice of whole ranks is one of single rows as well.
    drawn = [replace(each, rank=place) for each, place in zip(candidates, ranks, strict=True)]

    if not select(candidates, limits).relaxed:
        assert not select(drawn, limits).relaxed


@settings(max_examples=EXAMPLES, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_every_rule_holds_in_any_order_and_each_verdict_says_why(
    case: tuple[list[Candidate], Limits], chance: random.Random
) -> None:
    candidates, limits = case
    found = select(candidates, limits)

    chance.shuffle(candidates)
    assert select(candidates, limits) == found
    chosen = [unit for unit in units_of(candidates) if unit.members[0].application_id in found.selected]
    walk = fits(chosen, limits)
    assert walk is not None
    assert found.used == walk.used == total(each.amount for each in candidates if each.application_id in found.selected)
    assert bool(walk.unmet()) == bool(found.relaxed)
    assert all(verdict.selected or (verdict.bounds and verdict.words) for verdict in found.verdicts.values())
    assert sum(bool(unit.members[0].application_id in found.verdicts and found.verdicts[unit.members[0].application_id].straddles) for unit in units_of(candidates)) <= 1  # fmt: skip


@settings(max_examples=EXAMPLES, deadline=None)
@given(cases())
def test_the_smallest_relaxation_makes_it_possible_and_nothing_smaller_does(
    case: tuple[list[Candidate], Limits],
) -> None:
    candidates, limits = case
    found = select(candidates, limits)
    if not found.relaxed:
        return

    chosen = [unit for unit in units_of(candidates) if unit.members[0].application_id in found.selected]
    walk = fits(chosen, limits)
    assert walk is not None
    shortfall = sum(walk.unmet().values())
    units = units_of(candidates)
    least = min(
        sum(walk.unmet().values())
        for taken in subsets(units)
        if (walk := fits((unit for unit, took in zip(units, taken, strict=True) if took), limits)) is not None
    )
    assert shortfall == least > 0


@settings(max_examples=EXAMPLES, deadline=None)
@given(cases())
def test_below_the_line_only_as_many_come_in_as_the_minima_need(case: tuple[list[Candidate], Limits]) -> None:
    candidates, limits = case
    limits = replace(limits, rules=replace(limits.rules, fund_what_fits=False))
    found = select(candidates, limits)
    units = units_of(candidates)
    straddling = next((u for u in units if found.verdicts[u.members[0].application_id].straddles and Bound.BUDGET in found.verdicts[u.members[0].application_id].bounds), None)  # fmt: skip
    if straddling is None or found.relaxed:
        return

    def took(unit: Unit) -> bool:
        return unit.members[0].application_id in found.selected

    above, below = units[: straddling.number], units[straddling.number :]
    needed = [
        sum(taken)
        for taken in subsets(below)
        if (walk := fits((*filter(took, above), *(u for u, t in zip(below, taken, strict=True) if t)), limits))
        is not None and not walk.unmet()
    ]  # fmt: skip
    assert sum(map(took, below)) == min(needed)


def stopped(units: tuple[Unit, ...], limits: Limits) -> tuple[list[Unit], list[int], list[int]]:
    """Who is selected where the list stops at its lines, by trying every choice: with the units at which money ran out.

    Down the list: what a ceiling keeps out takes nothing from those below; what asks for more than is left, or than the
    minima leave, stops the list, or its strands. Below a line only the fewest come in that the minima need, the best-ranked
    first. The last are the units at which the budget ends, and those at which a strand does.
    """
    taken: list[Unit] = []
    closed: set[str] = set()
    ended, strands_ended, is_over = list[int](), list[int](), False

    def fewest(rest: tuple[Unit, ...], limits: Limits, counts: set[int]) -> int | None:
        """How many of these units a choice among the rest takes at least that reaches every minimum."""
        found = []
        for choice in subsets(rest):
            chosen = [unit for unit, took in zip(rest, choice, strict=True) if took]
            walk = fits((*taken, *chosen), limits)
            if walk is not None and not walk.unmet():
                found.append(len(counts & {unit.number for unit in chosen}))
        return min(found, default=None)

    def may(unit: Unit, rest: tuple[Unit, ...], limits: Limits) -> bool:
        taken.append(unit)
        able = fewest(rest, limits, set()) is not None
        taken.pop()
        return able

    free = replace(limits, rules=replace(limits.rules, strands=()))
    rich = replace(free, budget=Money(10_000))
    for place, unit in enumerate(units):
        rest, own = units[place + 1 :], {one.strand for one in unit.members}
        below = {u.number for u in units[place:] if is_over or closed & {one.strand for one in u.members}}
        if unit.number in below:
            without = fewest(rest, limits, below)
            taken.append(unit)
            with_it = fewest(rest, limits, below)
            if with_it is None or without == 0 or (without is not None and with_it + 1 > without):
                taken.pop()
            continue
        walk = fits(taken, limits)
        assert walk is not None
        breaches = walk.breaches(unit)
        if set(breaches) - {Bound.BUDGET, Bound.STRAND}:
            continue
        if not breaches and may(unit, rest, limits):
            taken.append(unit)
            continue
        is_strand = Bound.STRAND in breaches if breaches else may(unit, rest, free)
        is_budget = Bound.BUDGET in breaches if breaches else not is_strand and may(unit, rest, rich)
        if is_strand:
            closed |= own
            strands_ended.append(unit.number)
        if is_budget:
            ended.append(unit.number)
        is_over = is_budget
    return taken, ended, strands_ended


@settings(max_examples=EXAMPLES, deadline=None)
@given(cases())
def test_the_list_that_stops_is_what_trying_every_choice_down_the_list_gives(case: tuple[list[Candidate], Limits]) -> None:  # fmt: skip
    candidates, limits = case
    limits = replace(limits, rules=replace(limits.rules, fund_what_fits=False))
    found = select(candidates, limits)
    if found.relaxed:
        return
    units = units_of(candidates)

    taken, ended, strands_ended = stopped(units, limits)

    assert found.selected == {each.application_id for unit in taken for each in unit.members}
    at = [unit.number for unit in units if found.verdicts[unit.members[0].application_id].straddles]
    assert at == (ended[:1] or strands_ended[:1])


@settings(max_examples=EXAMPLES, deadline=None)
@given(cases(), st.sampled_from(Aim))
def test_the_what_if_is_the_best_sum_by_brute_force(case: tuple[list[Candidate], Limits], aim: Aim) -> None:
    candidates, limits = case
    people = {"s1": 7, "s2": 2, "s3": 4, "c1": 9, "c2": 5, "c3": 1}
    candidates = [
        replace(
            each, rank=number, quality=7 * number % 5, climate=number * number % 6,
            inhabitants=tuple((name, people[name]) for name in sorted(each.cities)),
        )
        for number, each in enumerate(candidates, 1)
    ]  # fmt: skip
    units = units_of(candidates)

    def worth(chosen: list[Candidate]) -> int:
        if aim is not Aim.POPULATION:
            return sum(getattr(each, aim.value) for each in chosen)
        cities = {name for each in chosen for name in each.cities}
        return sum(people[name] for name in cities)

    sums = [
        worth([unit.members[0] for unit, took in zip(units, taken, strict=True) if took])
        for taken in subsets(units)
        if (walk := fits((unit for unit, took in zip(units, taken, strict=True) if took), limits)) and not walk.unmet()
    ]

    found = what_if(candidates, limits, aim)

    assert (found.sum if found else None) == max(sums, default=None)


def test_a_row_kept_out_and_a_row_brought_in_name_their_rule() -> None:
    listed = [one(1, 40, "FI"), one(2, 40, "FI"), one(3, 40, "FI"), one(4, 30, "PL"), one(5, 20, "PT")]
    limits = Limits(Money(100), SelectionRules(fund_what_fits=True, country_max=2, countries_min=2))

    found = select(listed, limits)

    assert [found.verdicts[each.application_id].words for each in listed] == [
        "",
        "",
        "Not selected: asks for EUR 0.20 more than is left of the budget; FI has its 2 of one country already.",
        "Not selected: asks for EUR 0.10 more than is left of the budget.",
        # Without the minimum the same are selected.
        "Selected: it fits in what is left.",
    ]
    assert [found.verdicts[each.application_id].straddles for each in listed] == [False, False, False, True, False]


def test_a_minimum_is_named_only_where_it_changed_something() -> None:
    """A strand that is full lets the others go on by itself; a country that money below is held for comes in by its rule."""
    strands = (StrandRule("Small", Money(100), Money(60)),)
    listed = [
        one(1, 60, "FI", strand="Small"), one(2, 60, "FI", strand="Small"), one(3, 30, "PL"), one(4, 20, "PT"), one(5, 90, "FI"),
        one(6, 80, "SE"),
    ]  # fmt: skip

    def told(countries: int) -> list[str]:
        found = select(listed, Limits(Money(200), SelectionRules(strands=strands, countries_min=countries)))
        return [found.verdicts[each.application_id].words for each in listed]

    by_a_rule = "Selected: better ranks are left out by a rule, each row says which."
    assert told(3)[2:4] == [by_a_rule, by_a_rule]
    # The fourth country needs what the fifth would get: it alone is selected by that rule.
    assert told(4)[2:] == [
        *(by_a_rule, by_a_rule, "Not selected: what is left is held for at least 4 countries."),
        "Selected ahead of better ranks by the rule: at least 4 countries.",
    ]


@settings(max_examples=EXAMPLES * 4, deadline=None)
@given(cases())
def test_whoever_is_said_to_come_in_by_a_minimum_is_left_out_without_it(case: tuple[list[Candidate], Limits]) -> None:
    candidates, limits = case
    found = select(candidates, limits)
    none = replace(limits.rules, countries_min=None, small_cities_min=None)

    without = select(candidates, replace(limits, rules=none)).selected

    by_minima = {key for key, verdict in found.verdicts.items() if verdict.selected and verdict.bounds}
    assert by_minima & without == set()
    assert all("at least" in found.verdicts[key].words for key in by_minima)
    assert all("at least" not in found.verdicts[key].words for key in found.selected - by_minima)


def test_tied_ones_that_break_a_rule_only_together_say_so() -> None:
    def told(
        rules: SelectionRules, *listed: Candidate, groups: tuple[frozenset[UUID], ...] = (), budget: int = 100
    ) -> list[str]:
        found = select(listed, Limits(Money(budget), rules, groups))
        return [found.verdicts[each.application_id].words for each in listed]

    together = "tied applications are selected together or not at all, unless the panel puts them in order."
    first, pair = one(1, 10, "SE"), (one(2, 10, "SE", rank=2), one(3, 10, "SE", rank=2))
    below = one(4, 10, "SE", rank=4)
    *tied, last = told(SelectionRules(country_max=1), *pair, below)
    assert tied == [f"Not selected: 2 of SE share rank 2 and only 1 of SE may be selected; {together}"] * 2
    assert last == "Selected: better ranks are left out by a rule, each row says which."
    assert told(SelectionRules(country_max=2), first, *pair)[1] == (
        f"Not selected: 2 of SE share rank 2 and only 1 more of SE may be selected; {together}"
    )
    assert told(SelectionRules(country_max=1), first, *pair)[1] == "Not selected: SE has its 1 of one country already."
    lyon = [replace(each, cities=frozenset({"Lyon"})) for each in pair]
    city = SelectionRules(one_per_city=True)
    assert told(city, *lyon)[0] == f"Not selected: Lyon takes part in A-0002 too, which shares rank 2; {together}"
    assert (
        told(city, replace(first, cities=frozenset({"Lyon"})), *lyon)[1]
        == "Not selected: Lyon takes part in A-0001 already."
    )
    apart = (frozenset(each.application_id for each in pair),)
    assert told(SelectionRules(), *pair, groups=apart)[1] == (
        f"Not selected: A-0003 and A-0002 exclude each other and share rank 2; {together}"
    )
    short = "Not selected: the 2 of rank 2 together ask for EUR 0.05 more than is left of the budget."
    assert told(SelectionRules(fund_what_fits=True), *pair, budget=15)[0] == short


def test_a_row_that_a_ceiling_keeps_out_neither_stops_the_line_nor_stands_at_it() -> None:
    for asked in (50, 51):
        listed = [one(1, 50, "FI"), one(2, asked, "FI"), one(3, 40, "PL"), one(4, 11, "SE"), one(5, 1, "PT")]

        found = select(listed, Limits(Money(100), SelectionRules(country_max=1)))

        # One cent more that it asks for changes nothing for those below.
        assert found.selected == {listed[0].application_id, listed[2].application_id}
        told = [found.verdicts[each.application_id] for each in listed]
        assert [each.straddles for each in told] == [False, False, False, True, False]
        assert told[2].words == "Selected: better ranks are left out by a rule, each row says which."
        assert (told[3].missing, told[4].bounds) == (Money(1), (Bound.LINE,))


def test_a_strand_stops_alone_whatever_minimum_is_not_reached_and_both_lines_are_marked() -> None:
    small = (StrandRule("Small", Money(100), Money(100)),)
    listed = [
        one(1, 60, "FI", strand="Small"), one(2, 60, "FI", strand="Small"), one(3, 30, "FI", strand="Small"), one(4, 90, "FI"),
        one(5, 120, "FI"), one(6, 90, "PL"),
    ]  # fmt: skip

    def told(countries: int | None) -> tuple[list[int], list[int], list[str]]:
        rules = SelectionRules(strands=small, countries_min=countries)
        found = select(listed, Limits(Money(300), rules))
        verdicts = [found.verdicts[each.application_id] for each in listed]
        taken = [at for at, each in enumerate(verdicts, 1) if each.selected]
        return taken, [at for at, each in enumerate(verdicts, 1) if each.straddles], [each.strand_line for each in verdicts]  # fmt: skip

    line = ["", "Line of the strand “Small”: EUR 0.20 short.", "", "", "", ""]
    assert told(None) == ([1, 4, 5], [6], line)
    # The third fits and brings nothing: a minimum that somebody else reaches does not bring it in.
    assert told(2) == ([1, 4, 6], [5], line)
    listed[2] = replace(listed[2], country="SE")
    assert told(3) == ([1, 3, 4, 6], [5], line)


def test_where_the_budget_reaches_everybody_the_line_is_that_of_the_first_strand() -> None:
    small = (StrandRule("Small", Money(100), Money(70)),)
    listed = [one(1, 60, strand="Small"), one(2, 60, strand="Small"), one(3, 30)]

    found = select(listed, Limits(Money(300), SelectionRules(strands=small)))

    verdict = found.verdicts[listed[1].application_id]
    assert (verdict.straddles, verdict.missing, verdict.strand_line) == (
        True, Money(0), "Line of the strand “Small”: EUR 0.50 short.",
    )  # fmt: skip


def test_what_no_choice_can_reach_is_answered_with_the_nearest_that_can() -> None:
    listed = [one(1, 60, "FI"), one(2, 60, "PL")]

    found = select(listed, Limits(Money(100), SelectionRules(countries_min=2)))

    assert found.relaxed == (
        "No choice reaches at least 2 countries: the other rules and the money leave at most 1. "
        "Lower it to 1, or ease a ceiling.",
    )
    assert found.selected == {listed[0].application_id}


def test_a_tied_group_stands_or_falls_together() -> None:
    listed = [one(1, 60, "FI"), one(2, 30, "PL", rank=2), one(3, 30, "PT", rank=2)]

    found = select(listed, Limits(Money(100), SelectionRules(fund_what_fits=True)))

    assert found.selected == {listed[0].application_id}
    assert found.verdicts[listed[1].application_id].missing == Money(20)


def test_a_list_with_minima_that_is_too_long_for_a_page_is_refused_with_the_way_out() -> None:
    rows = [one(number, 100, "AT", rank=number) for number in range(1, ROWS_MAX + 2)]
    limits = Limits(Money(1_000), SelectionRules(countries_min=2))

    with pytest.raises(Refused, match=f"at most {ROWS_MAX} ranks; this one has {ROWS_MAX + 1}"):
        select(rows, limits)


def test_a_cent_decides() -> None:
    listed = [one(1, 2_999_999_999, "FI"), one(2, 200_000_001, "PL"), one(3, 200_000_000, "PT")]

    found = select(listed, Limits(euros(32_000_000) - Money(1), SelectionRules(fund_what_fits=True, countries_min=2)))

    assert found.selected == {listed[0].application_id, listed[2].application_id}
    assert found.verdicts[listed[1].application_id].missing == Money(1)


def big(size: int, seed: int = 7) -> list[Candidate]:
    chance = random.Random(seed)
    countries = [f"C{number:02d}" for number in range(35)]
    weights = [1 / (number + 1) for number in range(35)]
    return [
        one(
            number, chance.choice((50_000_000, 100_000_000, 150_000_000)), chance.choices(countries, weights)[0],
            small=f"s{number}" if chance.random() < 0.15 else "",
        )
        for number in range(1, size + 1)
    ]  # fmt: skip


@pytest.mark.parametrize("fund_what_fits", [True, False])
def test_a_list_of_103_takes_few_questions_of_the_solver(monkeypatch: pytest.MonkeyPatch, fund_what_fits: bool) -> None:
    from grants.awards.ranking import portfolio

    asked = []
    real = portfolio.answer
    monkeypatch.setattr(portfolio, "answer", lambda question: asked.append(question) or real(question))
    rules = SelectionRules(fund_what_fits=fund_what_fits, country_max=4, countries_min=18, small_cities_min=8)

    found = select(big(103), Limits(euros(32_000_000), rules))

    assert not found.relaxed
    # One question a row would be a hundred.
    assert len(asked) < 60
