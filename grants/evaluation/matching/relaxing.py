"""The fewest rules to set aside so that an assignment exists: an elastic programme, and its answer in words."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from grants.calls.rules import LANGUAGES
from grants.evaluation.matching import programme
from grants.evaluation.matching.arrays import Arrays
from grants.evaluation.matching.reasons import count, listed
from grants.evaluation.matching.values import Infeasible, Instance, Relaxation

# Beyond this the elastic programme would not end in time; the reasons by counting stand alone.
PAIRS_MAX = 400_000
# A person to be found weighs more than a rule or a load that somebody here may change.
PRICES = {"seats": 3.0, "load_max": 1.0, "load_min": 1.0}


def relaxations(arrays: Arrays) -> tuple[tuple[Relaxation, ...], tuple[str, ...]]:
    """The rules to set aside, and the sentences that say so."""
    released = _released(arrays)
    if released:
        gone = {(arrays.applications[i].id, arrays.evaluators[j].id) for i, j in released}
        arrays = Arrays(replace(arrays.instance, locked=arrays.instance.locked - gone))
    if arrays.open.sum() > PAIRS_MAX:
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
                seats = instance.per_application if subject.seats is None else subject.seats
                applications[one.id] = replace(subject, seats=seats - one.amount)
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
        price = np.full(len(rule.whom), PRICES.get(rule.kind, 1.0))
        added = made.add_columns(price, np.full(len(rule.whom), np.inf), whole=0)
        made.enter(rule.rows, added, rule.sign)
        slack.append((rule, added))
    values = programme.run(made.gather().highs(np.arange(made.columns)))
    assert values is not None, "the elastic programme always has an answer"
    amounts = np.rint(np.asarray(values)).astype(np.int64)
    found = []
    for rule, added in slack:
        things = arrays.evaluators if rule.kind in ("load_max", "load_min") else arrays.applications
        for (index, what), amount in zip(rule.whom, amounts[added].tolist(), strict=True):
            if amount > 0:
                found.append(Relaxation(rule.kind, things[index].id, amount, what))
    return found


def _words(arrays: Arrays, found: list[Relaxation]) -> tuple[str, ...]:
    """One sentence for each kind: who is missing, or which rule to set aside and for whom."""
    said: list[str] = []
    missing: dict[tuple[str, str, tuple[str, ...]], list[Relaxation]] = defaultdict(list)
    for one in found:
        if one.kind in ("seats", "reader") or one.kind.startswith("role:"):
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
        else:
            quality = f" with the role “{kind.removeprefix('role:')}”"
        where = f" who {'is' if number == 1 else 'are'} not from {' or '.join(countries)}" if countries else ""
        needs = "needs" if len(subjects) == 1 else "need"
        aside = "" if kind == "seats" else ", or this rule set aside there"
        said.append(f"{listed(subjects, 'application')} {needs} {number} {who}{quality}{where}{aside}.")
    for one in found:
        said += _single(arrays, one)
    return tuple(said)


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
        return [f"Allow more than {count(most, 'evaluator')} from {what} on “{subject.label or subject.id}”."]
    if one.kind == "release":
        subject = arrays.applications[arrays.row[one.id]]
        return [f"Release a fixed seat of “{subject.label or subject.id}”."]
    return []
