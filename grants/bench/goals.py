"""The exact parts of evaluation and award by themselves, on invented calls: each against its limit, in CPU time of one thread.

Assignment with a floor and with rules on groups, its explanations solved again, selection within rules, looking for conflicts.
An answer that breaks a rule, is not proved, differs in another order, or is not what solving again says ends the run.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TypeVar
from uuid import UUID

from grants.awards.ranking import Aim, Candidate, Limits, select, what_if
from grants.bench.browsing import Wrong
from grants.bench.report import Target
from grants.calls.rules import ConflictRules, SelectionRules
from grants.core.money import euros
from grants.evaluation import matching
from grants.evaluation.rules import detecting

T = TypeVar("T")

EACH, TIMES = 3, 3
SMALL, LARGE = (103, 60), (1_000, 300)
# How many are on a ranked list, with its limit in seconds, and among how many an aim is looked for.
LISTS, AIMED_AT = ((103, 0.3), (1_000, 3.0)), 5_000
TOPICS, LANGUAGES, COUNTRIES = 20, 24, 30
# How many of a hundred evaluators have a role, pairs have a conflict, and seats there are for a hundred needed.
ROLE_PERCENT, CONFLICT_PERCENT, SEATS_PERCENT = 40, 2, 134
GROUPS = matching.GroupRules(1, 1, ("finance", "senior"))
FLOOR_KEEPS, GAP_MAX = 0.999, 0.001
# What each goal is called, here and in docs/benchmark.md.
FLOOR = "floor for the worst application"
ON_GROUPS = "rules on groups"
ORDER = "runs that another order of the input changes"
LOSSES = "losses told, solved again"
LISTED = "ranked list within rules"
# By aim, with its limit in seconds: of people every city is a column of its own. The other two aims are the first with other numbers.
AIMED = {
    Aim.SCORE: ("highest sum of scores within rules", 1.0),
    Aim.POPULATION: ("most people within rules, each city once", 5.0),
}
CONFLICTS = "conflicts by five kinds of ids"


def measured(say: Callable[[str], None]) -> Iterator[Target]:
    """Each goal with its figure, as it is measured."""
    # The library is loaded once in a worker's life; the first run pays for that.
    matching.assign(replace(called(12, 9), groups=GROUPS, floor=True))
    for name, goal in GOALS:
        say(f"{name} ...")
        yield from goal()


def called(applications: int, evaluators: int) -> matching.Instance:
    """A call: topics, languages and countries, some of which are common and most rare; the same at every run."""
    chance = random.Random(1)
    common = [1 / (number + 1) for number in range(COUNTRIES)]
    most = -(-SEATS_PERCENT * EACH * applications // (100 * evaluators))

    def country() -> int:
        return chance.choices(range(COUNTRIES), common)[0]

    people, knows = [], []
    for number in range(evaluators):
        home = country()
        roles = frozenset(role for role in GROUPS.roles if chance.randrange(100) < ROLE_PERCENT)
        languages = frozenset({"L0", f"L{home % LANGUAGES}", f"L{chance.randrange(LANGUAGES)}"})
        knows.append({topic: chance.randint(1, 3) for topic in chance.sample(range(TOPICS), chance.randint(2, 5))})
        people.append(
            matching.Seatholder(
                UUID(int=1 + number), most, country=str(home), organisations=frozenset({str(number // 2)}), roles=roles,
                languages=languages,
            )
        )  # fmt: skip
    subjects, worth, forbidden = [], {}, set()
    for number in range(applications):
        home, wanted = country(), chance.sample(range(TOPICS), chance.randint(1, 4))
        language = "L0" if chance.randrange(10) < 6 else f"L{home % LANGUAGES}"
        one = matching.Subject(UUID(int=1_000_000 + number), "", language, frozenset({str(home)}))
        subjects.append(one)
        for person, levels in zip(people, knows, strict=True):
            known = sum(levels.get(topic, 0) for topic in wanted)
            worth[one.id, person.id] = 750 * known // (3 * len(wanted)) + 250 * (language in person.languages)
            if person.country == str(home) or chance.randrange(100) < CONFLICT_PERCENT:
                forbidden.add((one.id, person.id))
    return matching.Instance(tuple(subjects), tuple(people), EACH, worth, frozenset(forbidden), seed="bench")


def _timed(work: Callable[[], T], times: int = TIMES) -> tuple[T, float]:
    """What it answers, and the CPU seconds of the quickest time."""
    spent = []
    for _ in range(times):
        began = time.process_time()
        found = work()
        spent.append(time.process_time() - began)
    return found, min(spent)


def _within(name: str, seconds: float, limit: float, more: str = "", *, holds: bool = True) -> Target:
    figure = f"{seconds:.2f} s" + (f", {more}" if more else "")
    return Target(name, f"at most {limit:g} s", figure, holds and seconds <= limit)


def _solved(instance: matching.Instance) -> matching.Matched:
    return _proved(instance, matching.assign(instance))


def _proved(instance: matching.Instance, found: matching.Matched | matching.Infeasible) -> matching.Matched:
    """What was found, looked through without the solver; raises :class:`Wrong` where it breaks a rule or its proof does."""
    if not isinstance(found, matching.Matched):
        raise Wrong(f"There are enough evaluators, and yet: {found.reasons[0]}")
    if wrong := matching.verify(instance, found):
        raise Wrong(f"What was assigned does not hold: {wrong[0]}.")
    return found


def _exact(found: matching.Matched, what: str) -> None:
    if not found.exact:
        raise Wrong(f"{what}: not proved, for {found.total} was found and {found.bound} may be possible.")


def _floor() -> Iterator[Target]:
    for size, limit, times in ((SMALL, 0.5, TIMES), (LARGE, 4.0, 2)):
        asked = replace(called(*size), floor=True)
        free = _solved(replace(asked, floor=False))
        answer, seconds = _timed(partial(matching.assign, asked), times)
        found, name = _proved(asked, answer), _sized(FLOOR, size)
        _exact(found, name)
        kept = found.total / found.ideal
        more = f"the worst has {found.floor} instead of {free.floor}, {kept:.2%} of the best total kept"
        yield _within(name, seconds, limit, more, holds=kept >= FLOOR_KEEPS)


def _groups() -> Iterator[Target]:
    for size, limit, times in ((SMALL, 0.5, TIMES), (LARGE, 15.0, 1)):
        asked = replace(called(*size), groups=GROUPS)
        answer, seconds = _timed(partial(matching.assign, asked), times)
        found, name = _proved(asked, answer), _sized(ON_GROUPS, size)
        if size == SMALL:
            _exact(found, name)
        # Of the large one it is proved how far it may be from the best.
        gap = (found.bound - found.total) / found.bound
        more = f"{gap:.3%} below the bound, {found.total / found.ideal:.2%} of the best total without them"
        yield _within(name, seconds, limit, more, holds=gap <= GAP_MAX)


def _order() -> Iterator[Target]:
    chance = random.Random(2)
    orders = called(*SMALL), replace(called(*SMALL), groups=GROUPS, floor=True)
    for asked in orders:
        other = replace(
            asked,
            applications=tuple(chance.sample(asked.applications, len(asked.applications))),
            evaluators=tuple(chance.sample(asked.evaluators, len(asked.evaluators))),
            utilities=dict(chance.sample(list(asked.utilities.items()), len(asked.utilities))),
        )
        _same(_solved(asked), _solved(other))
    yield Target(ORDER, "none", f"0 of {len(orders)}", met=True)


def _same(found: matching.Matched, other: matching.Matched) -> None:
    if found != other:
        raise Wrong(f"{ORDER}: the same input in another order got another answer.")


def _explained() -> Iterator[Target]:
    asked = called(*SMALL)
    found = _solved(asked)

    def again() -> int:
        told = matching.explain(asked, found)
        for pair in found.pairs:
            without = matching.assign(replace(asked, forbidden=asked.forbidden | {pair}))
            loss = found.total - without.total if isinstance(without, matching.Matched) else -1
            if told[pair].loss != loss:
                raise Wrong(f"Without {pair} the total loses {loss}, and {told[pair].loss} was told.")
        return len(found.pairs)

    number, seconds = _timed(again, 1)
    yield _within(f"{LOSSES}, {number} seats", seconds, 5.0)


def candidates(size: int) -> list[Candidate]:
    """A ranked list: three sizes of amounts, few countries with many and many with few, some small cities, shared cities."""
    chance = random.Random(7)
    common = [1 / (number + 1) for number in range(35)]
    # So few cities that about two applications of three are of one that another application has too.
    people = [chance.randrange(10_000, 900_000) for _ in range(2 * size)]
    found = []
    for number in range(1, size + 1):
        small = frozenset({f"small {number}"} if chance.randrange(100) < 15 else ())
        cities = sorted({chance.randrange(len(people)) for _ in range(chance.randrange(1, 3))})
        found.append(
            Candidate(
                UUID(int=number), f"A-{number:05}", number, euros(chance.choice((500_000, 1_000_000, 1_500_000))),
                str(chance.choices(range(35), common)[0]), small, small, score=2 * size - number,
                inhabitants=tuple((f"city {city}", people[city]) for city in cities),
            )
        )  # fmt: skip
    return found


def limits(size: int) -> Limits:
    """A third of what is asked for, and minima that the list alone does not reach."""
    rules = SelectionRules(
        country_max=max(4, size // 25), countries_min=18 if size < 1_000 else 30, small_cities_min=size * 8 // 100
    )
    return Limits(euros(310_000) * size, rules)


def _listed() -> Iterator[Target]:
    for size, limit in LISTS:
        for fits in (True, False):
            asked = replace(limits(size), rules=replace(limits(size).rules, fund_what_fits=fits))
            found, seconds = _timed(partial(select, candidates(size), asked), 2)
            name = f"{LISTED}, {size:,}, {'funds what fits' if fits else 'stops at the line'}"
            if found.relaxed:
                raise Wrong(f"{name}: rules were set aside that can be kept.")
            yield _within(name, seconds, limit, f"{len(found.selected)} selected")


def _aimed() -> Iterator[Target]:
    for aim, (called_so, limit) in AIMED.items():
        found, seconds = _timed(partial(what_if, candidates(AIMED_AT), limits(AIMED_AT), aim), 1)
        name = f"{called_so}, {AIMED_AT:,}"
        if found is None:
            raise Wrong(f"{name}: no set was found, and there are some that reach the minima.")
        yield _within(name, seconds, limit, f"{len(found.selected)} selected")


def _conflicts() -> Iterator[Target]:
    applications, evaluators = LARGE
    chance = random.Random(3)

    def entity(number: int) -> detecting.Entity:
        ids = frozenset(
            {("PIC", f"9{number:08}"), ("VAT number", f"XX{number:09}"), ("registration number", f"R{number}")}
        )
        return detecting.Entity(
            UUID(int=number), f"Municipality of Town{number}", f"C{number % 27:02}", f"Town{number}", ids,
            f"town{number}.example", ids,
        )  # fmt: skip

    towns = [entity(number) for number in range(1, 3 * applications)]

    def somebody(number: int) -> detecting.Somebody:
        home = towns[number % len(towns)]
        return detecting.Somebody(
            UUID(int=10_000_000 + number), f"Given{number} Family{number}", f"p{number}@{home.domain}",
            f"0000-0001-{number:08}", home.id,
        )  # fmt: skip

    applying = [
        detecting.ComparedApplication(
            UUID(int=20_000_000 + n), tuple(chance.sample(towns, 3)), (somebody(n), somebody(n + applications))
        )
        for n in range(applications)
    ]
    people = [
        detecting.Candidate(somebody(50_000 + n), (replace(towns[n], id=UUID(int=30_000_000 + n)), towns[2 * n]))
        for n in range(evaluators)
    ]
    past = [
        detecting.Together(f"Pilot {n}", frozenset(each.id for each in chance.sample(towns, 4))) for n in range(300)
    ]
    found, seconds = _timed(lambda: detecting.detect(people, applying, past, ConflictRules()), 2)
    yield _within(_sized(CONFLICTS, LARGE), seconds, 2.0, f"{len(found):,} found")


def _sized(name: str, size: tuple[int, int]) -> str:
    return f"{name}, {size[0]:,} x {size[1]}"


GOALS: tuple[tuple[str, Callable[[], Iterator[Target]]], ...] = (
    (FLOOR, _floor),
    (ON_GROUPS, _groups),
    (ORDER, _order),
    (LOSSES, _explained),
    (LISTED, _listed),
    (" and ".join(name for name, _ in AIMED.values()), _aimed),
    (CONFLICTS, _conflicts),
)
