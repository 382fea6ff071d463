"""The fewest rules to set aside so that an assignment exists: an elastic programme, and its answer in words."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any
from uuid import UUID

from grants.calls.rules import LANGUAGES
from grants.evaluation.matching import programme
from grants.evaluation.matching.arrays import Arrays
from grants.evaluation.matching.reasons import count, listed
from grants.evaluation.matching.values import Infeasible, Instance, Relaxation
from grants.evaluation.rules import LOAD_WEIGHS, PERSON_WEIGHS, RELAXED_PAIRS_MAX, RELEASE_WEIGHS, RULE_WEIGHS

# What is set aside at another weight than a rule.
PRICES = {"seats": PERSON_WEIGHS, "load_max": LOAD_WEIGHS, "load_min": LOAD_WEIGHS}
GENDERS_MANY = {"woman": "women", "man": "men"}
# Where no seat is empty the rule is asked of nobody: a person may fill it, with a reason on the record.
BY_HAND = ", or the seat filled by hand against this rule"


def relaxations(arrays: Arrays) -> tuple[tuple[Relaxation, ...], tuple[str, ...]]:
    """The rules to set aside, and the sentences that say so."""
    released = _released(arrays)
    if released:
        gone = {(arrays.applications[i].id, arrays.evaluators[j].id) for i, j in released}
        arrays = Arrays(replace(arrays.instance, locked=arrays.instance.locked - gone))
    if arrays.open.sum() > RELAXED_PAIRS_MAX:
        return (), ()
    found = [
        Relaxation("release", arrays.applications[i].id, 1, str(arrays.evaluators[j].id)) for i, j in released
    ] + _elastic(arrays)
    return tuple(found), _words(arrays, found)


def relaxed(instance: Instance, answer: Infeasible) -> Instance:
    """The instance with these rules set aside."""
    applications = {subject.id: subject for subject in instance.applications}
    people = {person.id: person for person in instance.evaluators}
    exempt, gone = set(instance.exempt), set()
    for one in answer.relaxations:
        match one.kind:
            case "seats":
                subject = applications[one.id]
                applications[one.id] = replace(subject, seats=instance.seats_of(subject) - one.amount)
            case "load_max":
                people[one.id] = replace(people[one.id], load_max=people[one.id].load_max + one.amount)
            case "load_min":
                people[one.id] = replace(people[one.id], load_min=people[one.id].load_min - one.amount)
            case "release":
                gone |= {pair for pair in instance.locked if pair[0] == one.id and str(pair[1]) == one.what}
            case kind:
                exempt.add((kind, one.id))
    return replace(
        instance, applications=tuple(applications.values()), evaluators=tuple(people.values()),
        exempt=frozenset(exempt), locked=instance.locked - gone,
    )  # fmt: skip


def _released(arrays: Arrays) -> list[tuple[int, int]]:
    """Locked pairs that contradict the input itself: forbidden, or more than the application has seats."""
    released, held = [], dict.fromkeys(range(arrays.rows), 0)
    for i, j in arrays.locked:
        if not arrays.allowed[i, j] or held[i] >= arrays.seats[i]:
            released.append((i, j))
        else:
            held[i] += 1
    return released


def _elastic(arrays: Arrays) -> list[Relaxation]:
    np = arrays.np
    rows, columns = np.nonzero(arrays.open)
    made, rules = programme.build(arrays, rows, columns)
    made.cost[0] = np.zeros(len(rows))
    slack: list[tuple[Any, Any]] = []
    for rule in rules:
        price = np.full(len(rule.whom), PRICES.get(rule.kind, RULE_WEIGHS))
        added = made.add_columns(price, np.full(len(rule.whom), np.inf), whole=0)
        made.enter(rule.rows, added, rule.sign)
        slack.append((rule, added))
    releases, freed = _releases(arrays, made, rules)
    values = programme.run(made.gather().highs(np.arange(made.columns)))
    assert values is not None, "the elastic programme always has an answer"
    amounts = np.rint(np.asarray(values)).astype(np.int64)
    found = [
        Relaxation("release", arrays.applications[i].id, 1, str(arrays.evaluators[j].id))
        for (i, j), amount in zip(releases, amounts[freed].tolist(), strict=True)
        if amount > 0
    ]
    for rule, added in slack:
        things = arrays.evaluators if rule.kind in ("load_max", "load_min") else arrays.applications
        for (index, what), amount in zip(rule.whom, amounts[added].tolist(), strict=True):
            if amount > 0:
                found.append(Relaxation(rule.kind, things[index].id, amount, what))
    return found


def _releases(
    arrays: Arrays, made: programme.Programme, rules: list[programme.Rule]
) -> tuple[list[tuple[int, int]], Any]:
    """Locked pairs that may be released, at most one an application, with their columns.

    Only where an application has an empty seat and lacks a role or a reader that its locked pairs do not bring: elsewhere
    to raise a load does as much. Whoever alone brings a role or a language stays.
    """
    np = arrays.np
    lacking = {i for rule in rules if programme.is_at_least(rule.kind) for i, _ in rule.whom}
    able = [(i, j) for i, j in arrays.locked if i in lacking and not _needed(arrays, i, j)]
    freed = made.add_columns(np.full(len(able), RELEASE_WEIGHS), np.ones(len(able)), whole=1)
    one_each = made.add_rows(np.full(arrays.rows, -np.inf), np.ones(arrays.rows))
    by_kind = {rule.kind: rule for rule in rules}
    for (i, j), column in zip(able, freed.tolist(), strict=True):
        made.enter([one_each[i]], [column], 1)
        # One seat more is to be filled, and one fewer is carried by who leaves.
        for kind, place in (("seats", i), ("load_max", j), ("load_min", j)):
            made.enter([by_kind[kind].rows[place]], [column], -1)
    return able, freed


def _needed(arrays: Arrays, i: int, j: int) -> bool:
    """Whether of those locked on an application this one alone brings a role or a language that is asked for."""
    rules, language = arrays.instance.groups, arrays.applications[i].language
    asked = [(f"role:{role}", role) for role in rules.roles] + [(f"gender:{one}", one) for one in rules.genders]
    asked += [("reader", language)] if rules.needs_reader and language else []
    others = [other for row, other in arrays.locked if row == i and other != j]
    return any(
        programme.has_it(arrays, j, kind, word) and not any(programme.has_it(arrays, k, kind, word) for k in others)
        for kind, word in asked
    )


def _words(arrays: Arrays, found: list[Relaxation]) -> tuple[str, ...]:
    """One sentence for each kind: who is missing, or which rule to set aside and for whom."""
    said: list[str] = []
    missing: dict[tuple[str, str, tuple[str, ...]], list[Relaxation]] = defaultdict(list)
    for one in found:
        if one.kind == "seats" or programme.is_at_least(one.kind):
            subject = arrays.applications[arrays.row[one.id]]
            language = subject.language if one.kind == "reader" else ""
            missing[one.kind, language, tuple(sorted(subject.countries))].append(one)
    for (kind, language, countries), ones in sorted(missing.items()):
        subjects = [arrays.applications[arrays.row[one.id]] for one in ones]
        number = sum(one.amount for one in ones)
        who = "more evaluator" if number == 1 else "more evaluators"
        if kind == "seats":
            quality = " without a conflict"
        elif kind == "reader":
            quality = f" reading {LANGUAGES.get(language, language)}"
        elif kind.startswith("gender:"):
            gender = kind.removeprefix("gender:")
            quality = f" who said that they are {f'a {gender}' if number == 1 else GENDERS_MANY[gender]}"
        else:
            quality = f" with the role “{kind.removeprefix('role:')}”"
        where = f" who {'is' if number == 1 else 'are'} not from {' or '.join(countries)}" if countries else ""
        needs = "needs" if len(subjects) == 1 else "need"
        aside = "" if kind == "seats" else BY_HAND
        said.append(f"{listed(subjects, 'application')} {needs} {number} {who}{quality}{where}{aside}.")
    for one in found:
        said += _single(arrays, one)
    return tuple(dict.fromkeys(said))


def _single(arrays: Arrays, one: Relaxation) -> list[str]:
    if one.kind in ("load_max", "load_min"):
        person = arrays.evaluators[arrays.column[one.id]]
        name = person.label or str(person.id)
        if one.kind == "load_max":
            return [f"Raise the maximum of {name} from {person.load_max} to {person.load_max + one.amount}."]
        return [f"Lower the minimum of {name} from {person.load_min} to {person.load_min - one.amount}."]
    if one.kind in ("country", "organisation"):
        subject = arrays.applications[arrays.row[one.id]]
        most = getattr(arrays.instance.groups, f"{one.kind}_max")
        what = one.what if one.kind == "country" else "one organisation"
        label = subject.label or subject.id
        return [f"Allow more than {count(most, 'evaluator')} from {what} on “{label}”: fill that seat by hand."]
    if one.kind == "release":
        subject = arrays.applications[arrays.row[one.id]]
        person = arrays.evaluators[arrays.column[UUID(one.what)]]
        return [f"Release the seat of {person.label or person.id} on “{subject.label or subject.id}”."]
    return []
