"""What to set aside where no assignment exists is the smallest set there is, by the weights that are told."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain, combinations

import pytest
from hypothesis import assume, given

from grants.evaluation.matching import GroupRules, Infeasible, Instance, Pair, assign, relaxing
from grants.evaluation.matching.values import groups_of
from grants.evaluation.rules import LOAD_WEIGHS, PERSON_WEIGHS, RELEASE_WEIGHS, RULE_WEIGHS, RunView
from tests.evaluation.test_groups import holder, instances, subject
from tests.evaluation.test_run_words import RUN


def weight(instance: Instance, pairs: tuple[Pair, ...]) -> float | None:
    """What these pairs would have set aside, by the weights; None where an application has more than its seats."""
    people, rules = {one.id: one for one in instance.evaluators}, instance.groups
    loads, asked = Counter(evaluator for _, evaluator in pairs), 0.0
    for one in instance.applications:
        seated = [people[evaluator] for application, evaluator in pairs if application == one.id]
        short = instance.per_application - len(seated)
        if short < 0:
            return None
        asked += PERSON_WEIGHS * short
        for kind, most in rules.limits:
            named = Counter(name for person in seated for name in groups_of(person, kind))
            asked += RULE_WEIGHS * sum(max(0, count - most) for count in named.values())
        asked += RULE_WEIGHS * sum(not any(role in each.roles for each in seated) for role in rules.roles)
        asked += RULE_WEIGHS * sum(not any(each.gender == gender for each in seated) for gender in rules.genders)
        reads = not rules.needs_reader or not one.language or any(one.language in each.languages for each in seated)
        asked += 0 if reads else RULE_WEIGHS
    for person in instance.evaluators:
        load = loads[person.id]
        asked += LOAD_WEIGHS * (max(0, load - person.load_max) + max(0, person.load_min - load))
    return asked


def smallest(instance: Instance) -> float:
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

    weights = {"seats": PERSON_WEIGHS, "load_max": LOAD_WEIGHS, "load_min": LOAD_WEIGHS}
    told = sum(weights.get(one.kind, RULE_WEIGHS) * one.amount for one in answer.relaxations)

    assert told == smallest(instance)


def ids(instance: Instance) -> set[object]:
    return {one.id for one in instance.applications}


def test_the_weights_and_the_limit_are_told_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (PERSON_WEIGHS, RULE_WEIGHS, RELEASE_WEIGHS, LOAD_WEIGHS) == (3, 2, 1.5, 1)
    without: RunView = replace(RUN, objective=None, bound=None, reasons=("Nobody is free.",))
    assert without.changes_words.startswith(
        "Which rules to set aside was not worked out: that is done where at most 400\u00a0000"
    )
    told = replace(without, changes=("Raise the maximum.",)).changes_words
    assert (
        "a person to be found weighs 3, a rule set aside 2, a seat released 1.5, and a load changed by one 1:" in told
    )
    # Nobody may take it, so that somebody is to be found; but not worked out beyond the limit.
    lone = Instance((subject(1),), (holder(1, 0),), 1)
    assert isinstance(assign(lone), Infeasible) and assign(lone).relaxations
    monkeypatch.setattr(relaxing, "RELAXED_PAIRS_MAX", 0)
    found = assign(lone)
    assert isinstance(found, Infeasible) and (found.relaxations, found.changes) == ((), ())


def test_a_seat_is_released_before_a_rule_is_set_aside_but_not_where_loads_would_have_to_change_too() -> None:
    one = subject(1)
    people = (holder(1, 5, roles="finance"), holder(2, 5, roles="citizen"), holder(3, 5), holder(4, 5))
    locked = frozenset({(one.id, people[2].id), (one.id, people[3].id)})
    instance = Instance((one,), people, 3, locked=locked, groups=GroupRules(roles=("finance", "citizen")))

    found = assign(instance)

    # To set one role aside would weigh 2.
    assert isinstance(found, Infeasible) and [each.kind for each in found.relaxations] == ["release"]
    # Where both who bring a role are full of work it comes to 3.5 with their loads, and a rule and one load to 3.
    full = replace(instance, evaluators=tuple(replace(each, load_max=0) if each.roles else each for each in people))
    dearer = assign(full)
    assert isinstance(dearer, Infeasible)
    assert "release" not in {each.kind for each in dearer.relaxations}
    total = sum(
        {"release": RELEASE_WEIGHS, "load_max": LOAD_WEIGHS}.get(each.kind, RULE_WEIGHS) * each.amount
        for each in dearer.relaxations
    )
    assert total == RULE_WEIGHS + LOAD_WEIGHS
