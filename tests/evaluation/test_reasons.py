"""Why somebody who fits better has no seat, one instance a reason; and what another person there costs, solved again."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.evaluation.matching import (
    GroupRules,
    Infeasible,
    Instance,
    Matched,
    Pair,
    Seatholder,
    Subject,
    assign,
    explain,
    resolving,
)
from grants.evaluation.matching.proof import broken_rules
from tests.evaluation.test_groups import everything, real_size
from tests.evaluation.test_matching import random_instance

SPACE = UUID("00000000-0000-0000-0000-00000000fedc")
A, B, C = (Subject(uuid5(SPACE, name), name, "pl") for name in "ABC")


NONE = GroupRules()


def person(name: str, most: int = 5, least: int = 0, **what: object) -> Seatholder:
    return Seatholder(uuid5(SPACE, name), most, least, name, **what)  # type: ignore[arg-type]


def asked(people: Sequence[Seatholder], *worth: tuple[int, ...], each: int = 1, rules: GroupRules = NONE) -> Instance:
    """Applications A, B, ... with a line each of what these people are worth on it; 0 keeps nobody away."""
    subjects = (A, B, C)[: len(worth)]
    utilities = {
        (one.id, who.id): value
        for one, line in zip(subjects, worth, strict=True)
        for who, value in zip(people, line, strict=True)
    }
    return Instance(subjects, tuple(people), each, utilities, seed="s", groups=rules)


def reasons(instance: Instance) -> dict[str, list[tuple[str, str, tuple[object, ...]]]]:
    """By application, of everybody who fits better than who is seated: name, reason and its figures."""
    found = assign(instance)
    assert isinstance(found, Matched)
    names = {one.id: one.label for one in (*instance.applications, *instance.evaluators)}
    told: dict[str, list[tuple[str, str, tuple[object, ...]]]] = {}
    for (application, _), one in explain(instance, found).items():
        told.setdefault(names[application], []).extend(
            (names[other.evaluator], other.why, other.what) for other in one.better
        )
    return {name: others for name, others in told.items() if others}


def test_who_is_kept_out_by_the_rule_on_countries_is_told_so() -> None:
    people = [person("Eva", country="FR"), person("Ulf", country="FR"), person("Ida", country="DE")]

    told = reasons(asked(people, (900, 800, 100), each=2, rules=GroupRules(country_max=1)))

    # She has no seat anywhere: nothing else keeps her out.
    assert told == {"A": [("Ulf", "country", ("FR", 1))]}


def test_who_is_kept_out_by_the_rule_on_organisations_is_told_so() -> None:
    people = [
        person("Eva", organisations=frozenset({"x", "y"})), person("Ulf", organisations=frozenset({"y", "z"})),
        person("Ida", organisations=frozenset({"w"})),
    ]  # fmt: skip

    told = reasons(asked(people, (900, 800, 100), each=2, rules=GroupRules(organisation_max=1)))

    assert told == {"A": [("Ulf", "organisation", (1,))]}


@pytest.mark.parametrize(
    ("rules", "what", "reason"),
    [
        (GroupRules(roles=("finance",)), {"roles": frozenset({"finance"})}, ("role", ("finance",))),
        (GroupRules(needs_reader=True), {"languages": frozenset({"pl"})}, ("reader", ("pl",))),
    ],
)
def test_who_is_kept_out_since_a_role_or_a_language_is_needed_is_told_so(
    rules: GroupRules, what: dict[str, object], reason: tuple[str, tuple[str, ...]]
) -> None:
    told = reasons(asked([person("Eva"), person("Ida", **what)], (900, 100), rules=rules))

    assert told == {"A": [("Eva", *reason)]}


def test_who_is_kept_out_by_the_minimum_of_another_is_told_so() -> None:
    told = reasons(asked([person("Eva"), person("Ida", least=1)], (900, 100)))

    assert told == {"A": [("Eva", "minimum", (1,))]}


def test_who_is_full_is_told_so_and_the_floor_where_an_exchange_would_be_worth_more() -> None:
    instance = asked([person("Eva", 1), person("Ida", 1)], (1_000, 500), (600, 200))

    assert reasons(instance) == {"B": [("Eva", "full", ())]}
    # 1,200 in all would leave B with 200, and 500 is what the worst served can have.
    assert reasons(replace(instance, floor=True)) == {"A": [("Eva", "floor", (500,))]}


def test_who_is_kept_out_by_a_seat_that_stood_or_by_a_conflict_is_told_so() -> None:
    instance = asked([person("Eva"), person("Ida")], (900, 100))

    stood = replace(instance, standing=frozenset({(A.id, instance.evaluators[1].id)}))
    barred = replace(instance, forbidden=frozenset({(A.id, instance.evaluators[0].id)}))

    assert reasons(stood) == {"A": [("Eva", "kept", ())]}
    assert reasons(barred) == {"A": [("Eva", "forbidden", ())]}


def test_who_could_have_had_the_seat_is_told_that_nothing_stood_against_it() -> None:
    # Not the best: as a search that stopped near its bound may leave it.
    instance = asked([person("Eva"), person("Ida")], (900, 100))
    best = assign(instance)
    assert isinstance(best, Matched)
    short = replace(best, pairs=((A.id, instance.evaluators[1].id),), total=100, floor=100, solver="programme")

    (told,) = explain(instance, short).values()

    assert [(one.why, one.what) for one in told.better] == [("open", ())]


@st.composite
def instances(draw: st.DrawFn) -> Instance:
    """Small calls of every kind: minima, roles, languages, organisations in common, a floor, seats that stand or are locked."""
    words = st.frozensets(st.sampled_from("xyz"), max_size=2)
    people = [
        person(
            f"E{n}", draw(st.integers(1, 3)), draw(st.integers(0, 1)), country=draw(st.sampled_from(("", "FR", "DE"))),
            organisations=draw(words), roles=frozenset({"finance"} if draw(st.booleans()) else ()),
            languages=frozenset({"pl"} if draw(st.booleans()) else ()),
        )
        for n in range(draw(st.integers(2, 5)))
    ]  # fmt: skip
    lines = [tuple(draw(st.sampled_from((0, 300, 500, 1000))) for _ in people) for _ in range(draw(st.integers(1, 3)))]
    rules = GroupRules(
        draw(st.sampled_from((None, 1))), draw(st.sampled_from((None, 1))),
        draw(st.sampled_from(((), ("finance",)))), draw(st.booleans()),
    )  # fmt: skip
    instance = asked(people, *lines, each=draw(st.integers(1, 2)), rules=rules)
    pairs = st.frozensets(st.sampled_from(sorted(instance.utilities)), max_size=2)
    locked = draw(pairs) if draw(st.booleans()) else frozenset()
    return replace(
        instance, forbidden=draw(pairs) - locked, locked=locked, floor=draw(st.booleans()),
        standing=draw(pairs) - locked if draw(st.booleans()) else frozenset(),
    )  # fmt: skip


@settings(max_examples=1_000 if os.environ.get("SOAK") else 60, deadline=None)
@given(instances())
def test_every_reason_told_is_true_and_every_cost_is_what_solving_again_loses(instance: Instance) -> None:
    found = assign(instance)
    if isinstance(found, Infeasible):
        return
    every, people = everything(instance), {one.id: one for one in instance.evaluators}
    loads = Counter(evaluator for _, evaluator in found.pairs)
    for pair, one in explain(instance, found).items():
        assert (one.loss, one.moved) in [(None, 0), lost(instance, every, found, pair)]
        assert one.loss is not None or pair in instance.standing
        for other in one.better:
            k = other.evaluator
            swapped = tuple((pair[0], k) if each == pair else each for each in found.pairs)
            broken = broken_rules(instance, swapped)
            # Told of whom: barred, full, or somebody whose seat breaks something; never “elsewhere” of who has room.
            match other.why:
                case "forbidden":
                    assert (pair[0], k) in instance.forbidden
                case "full" | "floor":
                    assert loads[k] >= people[k].load_max
                case "country" | "organisation" | "role" | "reader":
                    assert any(f"{pair[0]}: {other.why}" in each for each in broken)
                    assert loads[k] < people[k].load_max
                case "minimum":
                    assert any(each.startswith(f"{pair[1]} has") for each in broken)
                case why:
                    assert (why, broken) == ("kept", []) and pair in instance.standing
            if other.cost is not None:
                assert (other.cost.total, other.cost.moved) == lost(instance, every, found, pair, k)


def lost(
    instance: Instance, every: Sequence[tuple[Pair, ...]], found: Matched, pair: Pair, instead: UUID | None = None
) -> tuple[int, int]:
    """What the total loses, and how many more seats that stood move, without a pair and with another, of every assignment."""
    able = [pairs for pairs in every if pair not in pairs and (instead is None or (pair[0], instead) in pairs)]
    if instance.floor:
        able = [pairs for pairs in able if worst(instance, pairs) >= found.floor]
    if not able:
        return -1, 0
    kept, total = max(
        (len(instance.standing & set(pairs)), sum(instance.utilities[each] for each in pairs)) for pairs in able
    )
    return found.total - total, found.kept - kept


def worst(instance: Instance, pairs: tuple[Pair, ...]) -> int:
    worth = dict.fromkeys((one.id for one in instance.applications), 0)
    for each in pairs:
        worth[each[0]] += instance.utilities[each]
    return min(worth.values())


def solved_again(instance: Instance, found: Matched, pair: Pair, instead: UUID | None) -> tuple[int, int]:
    forced = frozenset() if instead is None else frozenset({(pair[0], instead)})
    other = assign(replace(instance, forbidden=instance.forbidden | {pair}, locked=instance.locked | forced))
    return (found.total - other.total, found.kept - other.kept) if isinstance(other, Matched) else (-1, 0)


def test_what_another_person_in_a_seat_costs_is_what_solving_again_loses() -> None:
    instance = random_instance(103, 60, 7)
    found = assign(instance)
    assert isinstance(found, Matched)

    told = explain(instance, found)

    asked_of = [(pair, other) for pair in found.pairs for other in told[pair].better if other.why != "forbidden"]
    assert len(asked_of) > 20
    for pair, other in asked_of[:: 1 if os.environ.get("SOAK") else 3]:
        assert other.cost is not None and not other.cost.moved
        assert (other.cost.total, 0) == solved_again(instance, found, pair, other.evaluator)


@pytest.mark.parametrize("rules", [GroupRules(), GroupRules(1, 1, ("finance",))])
def test_after_a_late_conflict_the_loss_of_each_changed_seat_is_told(rules: GroupRules) -> None:
    instance = replace(real_size(applications=24, people=20), groups=rules, floor=False)
    before = assign(instance)
    assert isinstance(before, Matched)
    gone = frozenset(random.Random(3).sample(before.pairs, 8))
    late = replace(instance, forbidden=instance.forbidden | gone, standing=frozenset(before.pairs) - gone)
    found = assign(late)
    assert isinstance(found, Matched)

    told = explain(late, found)

    changed = set(found.pairs) - late.standing
    assert changed
    for pair in changed:
        assert (told[pair].loss, told[pair].moved) == solved_again(late, found, pair, None)
        for other in told[pair].better:
            if other.cost is not None and not rules.any:
                assert (other.cost.total, other.cost.moved) == solved_again(late, found, pair, other.evaluator)
    assert any(other.cost is not None for pair in changed for other in told[pair].better)
    # Of seats that stood and stay nothing is worked out, and of too many changed ones neither.
    assert all(told[pair].loss is None for pair in set(found.pairs) & late.standing)


def test_what_would_take_too_long_is_not_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = random_instance(12, 9, 6)
    before = assign(instance)
    assert isinstance(before, Matched)
    late = replace(instance, forbidden=instance.forbidden | {before.pairs[0]}, standing=frozenset(before.pairs[1:]))
    found = assign(late)
    assert isinstance(found, Matched)
    monkeypatch.setattr(resolving, "PAIRS_MAX", 0)

    told = explain(late, found)

    assert {one.loss for one in told.values()} == {None}
    assert {other.cost for one in told.values() for other in one.better} == {None}
