"""What to set aside where no assignment exists is the smallest set there is, by the weights that are told."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain, combinations

from hypothesis import assume, given

from grants.evaluation.matching import Infeasible, Instance, Pair, assign, relaxing
from grants.evaluation.rules import RunView
from grants.evaluation.rules.run_view import PERSON_WEIGHS, RELAXED_PAIRS_MAX, RULE_WEIGHS
from tests.evaluation.test_groups import instances
from tests.evaluation.test_run_words import RUN


def weight(instance: Instance, pairs: tuple[Pair, ...]) -> int | None:
    """What these pairs would have set aside, by the weights; None where an application has more than its seats."""
    people, rules = {one.id: one for one in instance.evaluators}, instance.groups
    loads, asked = Counter(evaluator for _, evaluator in pairs), 0
    for one in instance.applications:
        seated = [people[evaluator] for application, evaluator in pairs if application == one.id]
        short = instance.per_application - len(seated)
        if short < 0:
            return None
        asked += PERSON_WEIGHS * short
        for kind, most in (("country", rules.country_max), ("organisation", rules.organisation_max)):
            named = Counter(getattr(person, kind) for person in seated if getattr(person, kind))
            asked += RULE_WEIGHS * sum(max(0, count - most) for count in named.values()) if most else 0
        asked += RULE_WEIGHS * sum(not any(role in each.roles for each in seated) for role in rules.roles)
        reads = not rules.needs_reader or not one.language or any(one.language in each.languages for each in seated)
        asked += 0 if reads else RULE_WEIGHS
    for person in instance.evaluators:
        load = loads[person.id]
        asked += RULE_WEIGHS * (max(0, load - person.load_max) + max(0, person.load_min - load))
    return asked


def smallest(instance: Instance) -> int:
    """By trying every set of open pairs."""
    every = [(one.id, other.id) for one in instance.applications for other in instance.evaluators]
    able = [pair for pair in every if pair not in instance.forbidden]
    subsets = chain.from_iterable(combinations(able, size) for size in range(len(able) + 1))
    found = (weight(instance, pairs) for pairs in subsets)
    return min(asked for asked in found if asked is not None)


@given(instances())
def test_the_rules_to_set_aside_are_the_fewest_by_the_weights_that_are_told(drawn: Instance) -> None:
    instance = replace(drawn, applications=drawn.applications[:2], locked=frozenset(), standing=frozenset())
    instance = replace(instance, forbidden=frozenset(pair for pair in drawn.forbidden if pair[0] in ids(instance)))
    instance = replace(
        instance, utilities={pair: fit for pair, fit in drawn.utilities.items() if pair[0] in ids(instance)}
    )
    answer = assign(instance)
    assume(isinstance(answer, Infeasible))
    assert isinstance(answer, Infeasible)

    told = sum((PERSON_WEIGHS if one.kind == "seats" else RULE_WEIGHS) * one.amount for one in answer.relaxations)

    assert told == smallest(instance)


def ids(instance: Instance) -> set[object]:
    return {one.id for one in instance.applications}


def test_the_weights_and_the_limit_are_told_as_they_are() -> None:
    assert relaxing.PRICES["seats"] == PERSON_WEIGHS and relaxing.PAIRS_MAX == RELAXED_PAIRS_MAX
    assert {price for kind, price in relaxing.PRICES.items() if kind != "seats"} == {RULE_WEIGHS}
    without: RunView = replace(RUN, objective=None, bound=None, reasons=("Nobody is free.",))
    assert without.changes_words.startswith(
        "Which rules to set aside was not worked out: that is done where at most 400,000"
    )
    told = replace(without, changes=("Raise the maximum.",)).changes_words
    assert "a person to be found weighs 3, and a rule set aside or a load changed by one weighs 1:" in told
