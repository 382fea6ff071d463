"""The file of a run, forged: whatever seats, prices, steps and solver it tells together, only the best seats are proved."""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.evaluation import matching, rules
from grants.evaluation.matching import Instance, Matched, Prices
from grants.evaluation.matching.arrays import Arrays
from grants.evaluation.matching.proof import SPREAD, TOTAL, bounds
from tests.evaluation.test_groups import instances as grouped
from tests.evaluation.test_matching import application, instances, person

Told = dict[str, Any]
FLOWS, SEARCHES = "OR-tools 9", "OR-tools 9, HiGHS 1"
# So high or low that what is left of the pairs is whatever the forger likes.
BIG = 10**6


@dataclass(frozen=True)
class Forged:
    """Seats, the steps told as their proof, and the solver named."""

    seats: tuple[matching.Pair, ...]
    steps: tuple[Prices, ...]
    solver: str


def filed(instance: Instance, forged: Forged, ideal: int | None = None) -> Told:
    """As the program writes a run, with sums that fit the seats."""
    total, worst, spread = Arrays(instance).sums(forged.seats)
    asked = matching.canonical(instance)
    return {
        "format": matching.FORMAT, "input": asked, "input_sha256": rules.digest(asked).hex(),
        "names": {"applications": {}, "evaluators": {}}, "status": "solved", "solver": forged.solver,
        "seats": [[str(one), str(other)] for one, other in forged.seats], "explanations": {},
        "objective": total, "bound": total, "ideal": total if ideal is None else ideal, "worst_served": worst,
        "spread": spread, "rounds": 1, "pairs_priced": 1,
        "prices": [
            {
                "aim": step.aim, "value": step.value, "pool": step.pool_price,
                "applications": {str(key): price for key, price in step.application_prices.items()},
                "evaluators": {str(key): price for key, price in step.evaluator_prices.items()},
            }
            for step in forged.steps
        ],
    }  # fmt: skip


def holds(told: Told) -> bool:
    return all(one.holds for one in matching.check_run(json.loads(json.dumps(told))))


def without(instance: Instance, number: int) -> Instance:
    """The same call with one evaluator who takes nothing."""
    people = list(instance.evaluators)
    people[number] = replace(people[number], load_min=0, load_max=0)
    return replace(instance, evaluators=tuple(people))


def bogus(instance: Instance, aim: str, prices: dict[Any, int]) -> Prices:
    return Prices(
        aim, 0, {one.id: 0 for one in instance.applications}, {one.id: prices.get(one.id, 0) for one in instance.evaluators}, 0
    )  # fmt: skip


def valued(instance: Instance, steps: tuple[Prices, ...]) -> tuple[Prices, ...]:
    """Each step with the value its own prices prove."""
    try:
        proved = bounds(Arrays(instance), matching.Certificate(steps))
    except (ValueError, LookupError, OverflowError):
        return steps
    return tuple(replace(step, value=bound) for step, (_, _, bound) in zip(steps, proved, strict=True))


def four_and_four() -> Instance:
    """Four applications with two seats and four people, one of whom fits each far better than anybody else."""
    applications, people = tuple(map(application, range(4))), tuple(person(number, 4) for number in range(4))
    worth = {
        (one.id, each.id): 900 if n == 0 else 100 + 50 * n for one in applications for n, each in enumerate(people)
    }
    return Instance(applications, people, 2, worth, seed="s")


def left_out(instance: Instance, number: int = 0) -> tuple[Matched, tuple[Prices, ...]]:
    """The best seats without one evaluator, and their prices, at which that person is indifferent to the pool."""
    found = matching.assign(without(instance, number))
    assert isinstance(found, Matched)
    out = instance.evaluators[number].id
    return found, tuple(
        replace(step, evaluator_prices={**step.evaluator_prices, out: step.pool_price})
        for step in found.certificate.steps
    )


@pytest.mark.parametrize("price", [BIG, -BIG])
@pytest.mark.parametrize("aim", ["kept", "total", "spread"])
@pytest.mark.parametrize("last", [True, False], ids=["with a spread", "without"])
def test_a_bogus_step_in_front_does_not_prove_seats_that_leave_somebody_out(price: int, aim: str, last: bool) -> None:
    instance = four_and_four()
    seated, mine = left_out(instance)
    best = matching.assign(instance)
    assert isinstance(best, Matched) and best.total > seated.total
    step = bogus(instance, aim, {instance.evaluators[0].id: price})

    steps = valued(instance, (step, *(one for one in mine if last or one.aim == TOTAL)))

    assert not holds(filed(instance, Forged(seated.pairs, steps, FLOWS)))


def test_the_searcher_named_where_nothing_was_to_be_searched_is_found() -> None:
    instance = four_and_four()
    seated, _ = left_out(instance)
    best = matching.assign(instance)
    assert isinstance(best, Matched)

    told = filed(instance, Forged(seated.pairs, best.certificate.steps, SEARCHES), best.total)

    (words, *_) = [one.words for one in matching.check_run(told) if not one.holds]
    assert "another solver is named than the rules of the inputs ask for" in words
    # And a search's own run may not say that it was none.
    rule = replace(instance, floor=True)
    searched = matching.assign(rule)
    assert isinstance(searched, Matched)
    kept = Forged(searched.pairs, searched.certificate.steps, SEARCHES)
    assert holds(filed(rule, kept, searched.ideal)) is (searched.total == searched.bound)
    assert not holds(filed(rule, replace(kept, solver=FLOWS), searched.ideal))


def test_each_step_is_there_once_and_in_its_place() -> None:
    instance = four_and_four()
    best = matching.assign(instance)
    assert isinstance(best, Matched)
    total, spread = best.certificate.steps
    right = Forged(best.pairs, (total, spread), FLOWS)

    assert holds(filed(instance, right))
    for steps in ((), (total,), (spread,), (spread, total), (total, spread, spread), (total, total, spread)):
        assert not holds(filed(instance, replace(right, steps=valued(instance, steps)))), [one.aim for one in steps]
    # Nor do seats pass that are worth as much, and share the work less evenly.
    worth = dict.fromkeys(instance.utilities, 500)
    even = replace(instance, utilities=worth)
    uneven = tuple(sorted((one.id, each.id) for one in even.applications for each in even.evaluators[:2]))
    fair = matching.assign(even)
    assert isinstance(fair, Matched) and fair.spread < Arrays(even).sums(uneven)[2]
    step = fair.certificate.steps[0]
    assert not holds(filed(even, Forged(uneven, (step,), FLOWS)))


def test_a_file_that_says_there_is_no_assignment_has_no_seats() -> None:
    instance = four_and_four()
    best = matching.assign(instance)
    assert isinstance(best, Matched)
    told = filed(instance, Forged(best.pairs, best.certificate.steps, FLOWS)) | {"status": "infeasible"}

    assert not holds(told) and holds(told | {"seats": [], "prices": []})


def mutated(instance: Instance, best: Matched, chance: random.Random) -> Forged:
    """Seats of another call that is much alike, with steps of both and of none, and values that fit them."""
    other: Any = best
    number = chance.randrange(len(instance.evaluators))
    out = instance.evaluators[number].id
    if chance.random() < 0.8:
        changed = without(instance, number) if chance.random() < 0.5 else replace(instance, standing=frozenset())
        if chance.random() < 0.5:
            pairs = list(instance.utilities)
            changed = replace(changed, utilities={pair: chance.choice((0, 500, 1000)) for pair in pairs})
        other = matching.assign(changed)
    if not isinstance(other, Matched):
        other = best
    aims = ("kept", "total", "spread", "floor", "total ")
    steps = list(chance.choice((best, other)).certificate.steps)
    if chance.random() < 0.5:
        steps = [replace(one, evaluator_prices={**one.evaluator_prices, out: one.pool_price}) for one in steps]
    for _ in range(chance.randrange(3)):
        what, place = chance.randrange(6), chance.randrange(len(steps) + 1)
        if what < 3:
            prices = {each.id: chance.choice((0, 1, -1, BIG, -BIG)) for each in instance.evaluators}
            steps.insert(place, bogus(instance, chance.choice(aims), prices))
        elif what == 3 and steps:
            del steps[place % len(steps)]
        elif what == 4 and steps:
            steps[place % len(steps)] = replace(steps[place % len(steps)], aim=chance.choice(aims))
        else:
            chance.shuffle(steps)
    told = tuple(steps)
    if chance.random() < 0.8:
        told = valued(instance, told)
    if chance.random() < 0.4:
        total, _, spread = Arrays(instance).sums(other.pairs)
        reached = {TOTAL: total, SPREAD: spread, "kept": len(instance.standing & set(other.pairs))}
        told = tuple(replace(one, value=reached.get(one.aim, one.value)) for one in told)
    return Forged(other.pairs, told, chance.choice((FLOWS, FLOWS, SEARCHES)))


def standing(instance: Instance, chance: random.Random) -> Instance:
    """With seats that should stay, in half of all cases."""
    pairs = [pair for pair in instance.utilities if pair not in instance.forbidden]
    some = chance.sample(pairs, min(len(pairs), 2)) if chance.random() < 0.5 else []
    return replace(instance, standing=instance.standing | frozenset(some))


# Thousands in `make soak`.
@settings(max_examples=3_000 if os.environ.get("SOAK") else 150, deadline=None)
@given(instances() | grouped(), st.randoms(use_true_random=False))
def test_no_forged_file_proves_seats_that_are_not_the_best(instance: Instance, chance: random.Random) -> None:
    instance = standing(instance, chance)
    best = matching.assign(instance)
    if not isinstance(best, Matched):
        return
    for _ in range(6):
        forged = mutated(instance, best, chance)
        total, _, spread = Arrays(instance).sums(forged.seats)
        ideal = chance.choice((total, best.ideal, None))
        try:
            passed = holds(filed(instance, forged, ideal))
        except matching.NotARun:
            continue
        if passed and not (instance.groups.any or instance.floor):
            kept = len(instance.standing & set(forged.seats))
            assert (kept, total, spread) == (best.kept, best.total, best.spread), forged
        elif passed:
            # What a search found can be found again only by searching; what the prices prove is true of any seats.
            assert forged.solver == SEARCHES and (total if ideal is None else ideal) >= best.ideal, forged
