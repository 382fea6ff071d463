"""Rules on groups, the floor and standing pairs: equal to trying everything, and every refusal opens with what it names."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product
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
    broken_by_locked,
    canonical,
    explain,
    instance_of,
    relaxed,
    verify,
)
from grants.evaluation.matching.proof import broken_rules

SPACE = UUID("00000000-0000-0000-0000-00000000dcba")
EXAMPLES = 1_000 if os.environ.get("SOAK") else 40


def subject(number: int, language: str = "", *countries: str) -> Subject:
    return Subject(uuid5(SPACE, f"application {number}"), f"Application {number}", language, frozenset(countries))


def holder(
    number: int,
    most: int = 4,
    country: str = "",
    roles: str = "",
    languages: str = "",
    least: int = 0,
    target: int | None = None,
    gender: str = "",
) -> Seatholder:
    return Seatholder(
        uuid5(SPACE, f"evaluator {number}"), most, least, f"Evaluator {number}", country, frozenset({f"organisation of {country}"}),
        frozenset(roles.split()), frozenset(languages.split()), target, gender,
    )  # fmt: skip


@st.composite
def instances(draw: st.DrawFn) -> Instance:
    # Nobody has a target in half of them.
    targets = st.sampled_from((None, 0, 1, 3)) if draw(st.booleans()) else st.none()
    applications = tuple(
        subject(n, draw(st.sampled_from(("", "en", "pl"))), "PL") for n in range(draw(st.integers(1, 3)))
    )
    people = tuple(
        holder(
            n, draw(st.integers(0, 3)), draw(st.sampled_from(("PL", "FR"))), draw(st.sampled_from(("", "finance"))),
            draw(st.sampled_from(("en", "pl en"))), 0, draw(targets), draw(st.sampled_from(("", "woman", "man"))),
        )
        for n in range(draw(st.integers(2, 4)))
    )  # fmt: skip
    pairs = [(one.id, other.id) for one in applications for other in people]
    worth = {pair: draw(st.sampled_from((0, 300, 500, 1000))) for pair in pairs}
    some = st.lists(st.sampled_from(pairs), max_size=2)
    # Seats that stand, by hand or from before: they may break any rule on groups.
    locked = frozenset(draw(some)) if draw(st.booleans()) else frozenset()
    rules = GroupRules(
        draw(st.sampled_from((None, 1))), draw(st.sampled_from((None, 1, 2))),
        draw(st.sampled_from(((), ("finance",)))), draw(st.booleans()), draw(st.booleans()),
    )  # fmt: skip
    return Instance(
        applications, people, draw(st.integers(1, 2)), worth, frozenset(draw(some)), locked, "s", rules,
        draw(st.booleans()), frozenset(draw(some)) if draw(st.booleans()) else frozenset(),
    )  # fmt: skip


def everything(instance: Instance) -> list[tuple[Pair, ...]]:
    """Every assignment that keeps the rules."""
    each = [
        [
            [(one.id, person.id) for person in chosen]
            for chosen in combinations(instance.evaluators, instance.per_application)
        ]
        for one in instance.applications
    ]
    chosen = (tuple(pair for pairs in choice for pair in pairs) for choice in product(*each))
    return [pairs for pairs in chosen if not broken_rules(instance, pairs)]


def even_share(instance: Instance) -> tuple[int, int]:
    """The two numbers, mostly one, between which those without a target share evenly what the targets leave."""
    seats = len(instance.applications) * instance.per_application
    bounds = {}
    for person in instance.evaluators:
        fixed = sum(pair[1] == person.id for pair in instance.locked)
        mine = {(one.id, person.id) for one in instance.applications}
        able = fixed + len(mine - instance.forbidden - instance.locked)
        low = max(person.load_min, fixed)
        bounds[person.id] = (low, max(low, min(person.load_max, able)))

    def filled(share: int) -> int:
        wanted = ((one, share if one.load_target is None else one.load_target) for one in instance.evaluators)
        return sum(min(max(aim, bounds[one.id][0]), bounds[one.id][1]) for one, aim in wanted)

    if all(one.load_target is None for one in instance.evaluators):
        return 0, 0
    top = max((bounds[one.id][1] for one in instance.evaluators if one.load_target is None), default=0)
    share = max((each for each in range(top + 1) if filled(each) <= seats), default=0)
    return share, share + (share < top and filled(share) < seats)


def unevenness(instance: Instance, pairs: Sequence[Pair]) -> int:
    """The squared distances of all loads from the targets; who has none is to get an even share of what these leave."""
    low, high = even_share(instance)
    loads = Counter(pair[1] for pair in pairs)
    return sum(
        (loads[one.id] - low) * (loads[one.id] - high)
        if one.load_target is None
        else (loads[one.id] - one.load_target) ** 2
        for one in instance.evaluators
    )


def aims(instance: Instance, pairs: tuple[Pair, ...]) -> tuple[int, int, int, int]:
    """The worst application, how many standing pairs are kept, the total, and how even the loads are."""
    worth = {
        one.id: sum(instance.utilities[pair] for pair in pairs if pair[0] == one.id) for one in instance.applications
    }
    return (
        min(worth.values()),
        len(instance.standing & set(pairs)),
        sum(worth.values()),
        -unevenness(instance, pairs),
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(instances())
def test_with_rules_on_groups_nothing_better_exists(instance: Instance) -> None:
    found = assign(instance)

    able = everything(instance)
    if isinstance(found, Infeasible):
        assert able == []
        assert found.reasons and found.relaxations
        assert all(words.endswith(".") for words in (*found.reasons, *found.changes))
        without = relaxed(instance, found)
        answer = assign(without)
        assert isinstance(answer, Matched) and verify(without, answer) == ()
        return
    assert verify(instance, found) == ()
    # The bisection of the floor ends one hundredth below the highest at most.
    best = max(aims(instance, pairs)[0] for pairs in able) if instance.floor else 0
    assert not instance.floor or found.floor >= best - 10 * instance.per_application
    held = [pairs for pairs in able if not instance.floor or aims(instance, pairs)[0] >= found.floor]
    expected = max(aims(instance, pairs)[1:] for pairs in held)
    assert (found.kept, found.total, -found.spread) == expected
    assert found.bound >= found.total


def real_size(*, applications: int = 103, people: int = 60, seed: int = 1) -> Instance:
    """103 applications and 60 evaluators of many countries, with every kind of rule."""
    chance = random.Random(seed)
    countries = ["PL", "FR", "DE", "IT", "ES", "SE", "FI", "GR", "RO", "NL", "PT", "CZ"]
    pool = tuple(
        holder(
            n, 7, countries[n % 12], "finance" if n % 3 == 0 else "technical", f"en {countries[n % 7].lower()}",
        )
        for n in range(people)
    )  # fmt: skip
    subjects = tuple(
        subject(n, chance.choice(("en", "en", "pl", "fr")), countries[n % 12]) for n in range(applications)
    )
    worth, forbidden = {}, set()
    for one in subjects:
        for person in pool:
            worth[one.id, person.id] = chance.randrange(1001)
            if person.country in one.countries:
                forbidden.add((one.id, person.id))
    rules = GroupRules(1, 1, ("finance", "technical"), needs_reader=True)
    return Instance(subjects, pool, 3, worth, frozenset(forbidden), seed="2022", groups=rules, floor=True)


def test_a_call_of_the_real_size_keeps_every_rule_and_its_floor() -> None:
    instance = real_size()
    free = assign(replace(instance, floor=False))

    found = assign(instance)

    assert isinstance(found, Matched) and isinstance(free, Matched)
    assert verify(instance, found) == ()
    assert found.exact and free.exact
    assert found.floor >= free.floor
    assert 0.999 * free.total <= found.total <= free.total <= found.ideal


def test_a_large_call_is_solved_from_a_part_of_its_pairs_and_is_proved_near_its_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Treated as large, with so few pairs at first that prices ask for more and one floor has no answer among them.
    monkeypatch.setattr("grants.evaluation.matching.mixed.ALL_PAIRS_MAX", 0)
    monkeypatch.setattr("grants.evaluation.matching.mixed.BEST_PER_APPLICATION", 4)
    monkeypatch.setattr("grants.evaluation.matching.mixed.BEST_OF_A_RULE", 2)
    instance = real_size(applications=24, people=20)

    found = assign(instance)

    monkeypatch.undo()
    exact = assign(instance)
    assert isinstance(found, Matched) and isinstance(exact, Matched)
    assert verify(instance, found) == ()
    assert exact.exact and found.total <= exact.total <= found.bound
    assert found.total >= 0.999 * exact.total


def test_with_rules_on_groups_the_order_of_the_input_changes_nothing() -> None:
    instance = real_size()
    chance = random.Random(4)
    other = replace(
        instance,
        applications=tuple(chance.sample(instance.applications, 103)),
        evaluators=tuple(chance.sample(instance.evaluators, 60)),
        utilities=dict(chance.sample(list(instance.utilities.items()), len(instance.utilities))),
    )

    assert assign(instance) == assign(other)


def test_a_run_again_gives_up_as_few_standing_pairs_as_it_can() -> None:
    instance = replace(real_size(), groups=GroupRules(), floor=False)
    before = assign(instance)
    assert isinstance(before, Matched)
    lost = before.pairs[0]

    found = assign(replace(instance, forbidden=instance.forbidden | {lost}, standing=frozenset(before.pairs)))

    assert isinstance(found, Matched)
    assert found.kept == 308
    assert len(set(before.pairs) - set(found.pairs)) == 1


def test_the_loss_of_a_pair_is_told_with_rules_on_groups_too() -> None:
    instance = replace(real_size(applications=30, people=24), floor=False)
    found = assign(instance)
    assert isinstance(found, Matched)

    told = explain(instance, found)

    for pair in found.pairs[::12]:
        without = assign(replace(instance, forbidden=instance.forbidden | {pair}))
        assert isinstance(without, Matched)
        assert told[pair].loss == found.total - without.total


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (GroupRules(needs_reader=True), "“Application 1” needs 1 more evaluator reading Polish who is not from PL, or the seat filled by hand against this rule."),
        (GroupRules(roles=("citizen",)), "“Application 1” needs 1 more evaluator with the role “citizen” who is not from PL, or the seat filled by hand against this rule."),
        (GroupRules(country_max=1), "Allow more than 1 evaluator from FR on “Application 1”: fill that seat by hand."),
        (GroupRules(organisation_max=1), "Allow more than 1 evaluator from one organisation on “Application 1”: fill that seat by hand."),
    ],
)  # fmt: skip
def test_the_rule_to_set_aside_is_said_in_words(rules: GroupRules, words: str) -> None:
    one = subject(1, "pl", "PL")
    people = (holder(1, 1, "FR", "finance", "en"), holder(2, 1, "FR", "finance", "en"))

    found = assign(Instance((one,), people, 2, groups=rules))

    assert isinstance(found, Infeasible)
    assert found.changes == (words,)
    assert isinstance(assign(relaxed(Instance((one,), people, 2, groups=rules), found)), Matched)


def test_seats_that_break_a_rule_already_stand_and_nobody_is_added_to_what_they_break() -> None:
    one, two = subject(1), subject(2)
    people = (holder(1, 5, "FR"), holder(2, 5, "FR"), holder(3, 5, "FR"), holder(4, 5, "DE"), holder(5, 5, "IT"))
    worth = {(each.id, who.id): 1000 if who.country == "FR" else 0 for each in (one, two) for who in people}
    locked = frozenset({(one.id, people[0].id), (one.id, people[1].id)})
    instance = Instance((one, two), people, 3, worth, locked=locked, groups=GroupRules(country_max=1))

    found = assign(instance)

    assert isinstance(found, Matched)
    assert verify(instance, found) == ()
    french = [sum(who.country == "FR" and (each.id, who.id) in found.pairs for who in people) for each in (one, two)]
    assert french == [2, 1]
    assert broken_by_locked(instance) == {one.id: [("country", "FR")]}
    # One more of them is against the rule, whatever stands.
    spare = next(pair for pair in found.pairs if pair[0] == one.id and pair not in locked)
    third = tuple((one.id, people[2].id) if pair == spare else pair for pair in found.pairs)
    assert broken_rules(instance, third) == [f"{one.id}: country FR"]


def test_a_full_application_is_asked_for_no_role_and_what_it_lacks_is_told() -> None:
    one, two = subject(1, "pl"), subject(2, "pl")
    people = (holder(1, 5, roles="finance", languages="pl"), holder(2, 5), holder(3, 5))
    locked = frozenset({(one.id, people[1].id)})
    rules = GroupRules(roles=("finance",), needs_reader=True)
    instance = Instance((one, two), people, 1, locked=locked, groups=rules)

    found = assign(instance)

    assert isinstance(found, Matched)
    assert set(found.pairs) == {(one.id, people[1].id), (two.id, people[0].id)}
    assert verify(instance, found) == ()
    assert broken_by_locked(instance) == {one.id: [("role", "finance"), ("reader", "pl")]}


def test_a_seat_to_release_is_named_where_those_who_stand_leave_no_place_for_what_is_asked() -> None:
    one = subject(1)
    people = (holder(1, 5, roles="finance"), holder(2, 5, roles="citizen"), holder(3, 5), holder(4, 5))
    locked = frozenset({(one.id, people[2].id), (one.id, people[3].id)})
    instance = Instance((one,), people, 3, locked=locked, groups=GroupRules(roles=("finance", "citizen")))

    found = assign(instance)

    assert isinstance(found, Infeasible)
    (words,) = found.changes
    assert words in {f"Release the seat of Evaluator {n} on “Application 1”." for n in (3, 4)}
    assert isinstance(assign(relaxed(instance, found)), Matched)


def test_two_who_have_one_organisation_in_common_are_of_the_same() -> None:
    one = subject(1)
    people = tuple(
        replace(holder(n), organisations=frozenset(names.split()))
        for n, names in enumerate(("ghent turku", "turku", "ghent", "acme"), 1)
    )
    worth = {(one.id, who.id): value for who, value in zip(people, (1000, 900, 800, 100), strict=True)}
    instance = Instance((one,), people, 2, worth, groups=GroupRules(organisation_max=1))

    found = assign(instance)

    assert isinstance(found, Matched)
    # 2 and 3 have none in common: together they are worth more than 1 with 4.
    assert {pair[1] for pair in found.pairs} == {people[1].id, people[2].id}
    assert verify(instance, found) == ()
    assert broken_rules(instance, ((one.id, people[0].id), (one.id, people[2].id))) == [f"{one.id}: organisation ghent"]


def test_a_pool_that_may_take_nothing_is_answered_and_nobody_left_to_seat_is_no_problem() -> None:
    one, person = subject(1), holder(1, 0)
    instance = Instance((one,), (person,), 1, forbidden=frozenset({(one.id, person.id)}), floor=True)

    found = assign(instance)

    assert isinstance(found, Infeasible)
    assert isinstance(assign(relaxed(instance, found)), Matched)


def test_an_application_gets_a_woman_and_a_man_of_those_who_said_so_and_its_file_reads_back() -> None:
    one, two = subject(1), subject(2)
    people = tuple(
        holder(n, gender=gender) for n, gender in enumerate(("woman", "woman", "woman", "man", "", ""))
    )  # fmt: skip
    worth = {(each.id, person.id): 900 - 100 * n for each in (one, two) for n, person in enumerate(people)}
    instance = Instance((one, two), people, 3, worth, groups=GroupRules(balance=True))

    found = assign(instance)

    assert isinstance(found, Matched) and verify(instance, found) == ()
    for each in (one, two):
        assert {pair[1] for pair in found.pairs if pair[0] == each.id} == {people[n].id for n in (0, 1, 3)}
    assert assign(instance_of(canonical(instance))) == found
    # Without the rule nothing of it is written down.
    plain = canonical(replace(instance, groups=GroupRules(), evaluators=tuple(replace(p, gender="") for p in people)))
    assert "gender" not in repr(plain) and "balance" not in repr(plain) and "target" not in repr(plain)
    # The place of the man has one reason, which tells nothing of anybody by themselves.
    told = explain(instance, found)[one.id, people[3].id]
    assert [(each.evaluator, each.why, each.what) for each in told.better] == [(people[2].id, "gender", ())]
    # Without the one man there is no assignment at all.
    assert told.loss == -1


def test_where_too_few_said_it_the_fewest_seats_to_fill_against_the_rule_are_named() -> None:
    one, two = subject(1), subject(2)
    people = (holder(0, gender="woman"), holder(1, gender="woman"), holder(2), holder(3, gender="man"))
    kept_away = frozenset({(two.id, people[3].id)})
    instance = Instance((one, two), people, 2, forbidden=kept_away, groups=GroupRules(balance=True))

    answer = assign(instance)

    assert isinstance(answer, Infeasible)
    assert [(each.kind, each.amount) for each in answer.relaxations] == [("gender:man", 1)]
    (words,) = answer.changes
    assert "needs 1 more evaluator who said that they are a man, or the seat filled by hand" in words
    assert isinstance(assign(relaxed(instance, answer)), Matched)
