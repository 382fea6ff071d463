"""The file of a run checked again: its hash, every hard rule, its sums and its prices, one sentence for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from grants.evaluation.matching.arrays import Arrays, check
from grants.evaluation.matching.filed import instance_of
from grants.evaluation.matching.proof import (
    FLOW,
    KEPT,
    PROGRAMME,
    SPREAD,
    TOTAL,
    aims_of,
    bounds,
    broken_rules,
    strange_steps,
    verify,
)
from grants.evaluation.matching.values import (
    Certificate,
    GroupRules,
    Instance,
    Matched,
    Pair,
    Prices,
    Seatholder,
    Subject,
)
from grants.evaluation.rules import SEARCHER, digest

FORMAT = "pilot-grants assignment run, 1"
# So many faults of one kind are named, the rest counted.
NAMED = 3
# Prices beyond it would not add up in 64 bits, and none that proves anything is near it.
PRICE_MAX = 1 << 36


class NotARun(ValueError):
    """A file that is no run of the assignment; the sentence says what is wrong."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One check, whether it held, and the sentence that says so."""

    holds: bool
    words: str


def check_run(told: Mapping[str, Any]) -> tuple[Checked, ...]:
    """Every check of a run as its file tells it, without the program that made it and without its database.

    Raises :class:`NotARun` for anything else.
    """
    try:
        if told["format"] != FORMAT:
            raise NotARun(f"Its format is {told['format']!r}; this program reads {FORMAT!r}.")
        return tuple(_checks(told))
    except NotARun:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise NotARun(f"It is no whole run of the assignment ({type(error).__name__}: {error}).") from error


def _checks(told: Mapping[str, Any]) -> Iterator[Checked]:
    found, said = digest(told["input"]).hex(), told["input_sha256"]
    if found == said:
        yield Checked(True, f"The inputs have the SHA-256 {said}. Compare it with the page of the run.")
    else:
        yield Checked(False, f"The inputs were changed: their SHA-256 is {found}, and the file says {said}.")
    names = told["names"]
    instance = instance_of(told["input"], {**names["applications"], **names["evaluators"]})
    check(instance)
    if told["status"] != "solved":
        left = [f"the file has {what}" for what in ("seats", "prices") if told[what]]
        yield _verdict("No assignment exists, says the file: there are no seats and no prices to check.", left)
        return
    result, named = _result(told), _Named(instance)
    yield from _rules(instance, result.pairs, named)
    if any(application not in named.words or evaluator not in named.words for application, evaluator in result.pairs):
        return
    arrays = Arrays(instance)
    yield _sums(arrays, result)
    yield from _prices(arrays, result)
    yield _rest(instance, result)
    yield _explained(arrays, result.pairs, told["explanations"])


class _Named:
    """Ids by the names the file gives them."""

    def __init__(self, instance: Instance) -> None:
        things: tuple[Subject | Seatholder, ...] = (*instance.applications, *instance.evaluators)
        self.words = {one.id: one.label or str(one.id) for one in things}

    def pair(self, pair: Pair) -> str:
        """A pair for people."""
        application, evaluator = (self.words.get(one, str(one)) for one in pair)
        return f"{evaluator} on {application}"


def _verdict(well: str, faults: list[str]) -> Checked:
    if not faults:
        return Checked(True, well)
    more = f" and {len(faults) - NAMED} more" if len(faults) > NAMED else ""
    return Checked(False, f"Not so: “{well}” Against it: {'; '.join(faults[:NAMED])}{more}.")


def _rules(instance: Instance, pairs: tuple[Pair, ...], named: _Named) -> Iterator[Checked]:
    """Every hard rule of an assignment."""
    applications = {one.id: one for one in instance.applications}
    people = {one.id: one for one in instance.evaluators}
    strange = [named.pair(pair) for pair in pairs if pair[0] not in applications or pair[1] not in people]
    yield _verdict("Every seat is of an application and an evaluator of the inputs.", strange)
    if strange:
        return
    twice = [named.pair(pair) for pair, times in Counter(pairs).items() if times > 1]
    yield _verdict("Nobody has two seats on one application.", twice)
    assert instance.grid is not None, "a run is read as a grid"
    row, column = ({one: n for n, one in enumerate(ids)} for ids in (applications, people))
    closed = [named.pair(pair) for pair in pairs if not instance.grid.open[row[pair[0]], column[pair[1]]]]
    yield _verdict("No seat is of a pair that may not meet.", closed)
    gone = [named.pair(pair) for pair in sorted(instance.locked - set(pairs))]
    yield _verdict("Every seat that was fixed stands.", gone)
    seats, loads = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    wanted = instance.per_application
    other = [f"{named.words[one]} has {seats[one]}" for one in applications if seats[one] != wanted]
    yield _verdict(f"Each of {len(applications)} applications has {wanted} evaluators.", other)
    beyond = [
        f"{named.words[key]} has {loads[key]}, and takes {one.load_min} to {one.load_max}"
        for key, one in people.items()
        if not one.load_min <= loads[key] <= one.load_max
    ]
    yield _verdict(f"Each of {len(people)} evaluators has as many applications as they take.", beyond)
    if instance.groups.any:
        apart = set(broken_rules(replace(instance, groups=GroupRules()), pairs))
        together = [one for one in broken_rules(instance, pairs) if one not in apart]
        yield _verdict("The rules on who sits together are kept.", together)


def _result(told: Mapping[str, Any]) -> Matched:
    pairs = tuple((UUID(application), UUID(evaluator)) for application, evaluator in told["seats"])
    standing = {(UUID(application), UUID(evaluator)) for application, evaluator in told["input"]["standing"]}
    searched = SEARCHER in told["solver"]
    return Matched(
        pairs, told["objective"], told["bound"], told["rounds"], told["pairs_priced"],
        Certificate(tuple(_step(one) for one in told["prices"])), told["ideal"], told["worst_served"], told["spread"],
        len(standing & set(pairs)), PROGRAMME if searched else FLOW,
    )  # fmt: skip


def _step(told: Mapping[str, Any]) -> Prices:
    applications, evaluators = (
        {UUID(key): _price(value) for key, value in told[side].items()} for side in ("applications", "evaluators")
    )
    return Prices(told["aim"], _price(told["value"]), applications, evaluators, _price(told["pool"]))


def _price(value: Any) -> int:
    if type(value) is not int or abs(value) > PRICE_MAX:
        raise ValueError(f"{value!r} is no price")
    return value


def _sums(arrays: Arrays, found: Matched) -> Checked:
    total, worst, spread = arrays.sums(found.pairs)
    told = (
        ("all seats are worth", total, found.total),
        ("the worst served application has", worst, found.floor),
        ("the squared distances of the loads make", spread, found.spread),
    )
    faults = [f"{words} {summed}, not {said}" for words, summed, said in told if summed != said]
    return _verdict(f"All seats are worth {found.total}, and the worst served application has {found.floor}.", faults)


def _prices(arrays: Arrays, found: Matched) -> Iterator[Checked]:
    """What the prices of each step prove: of seats that a flow found, just what they reach."""
    strange = strange_steps(arrays.instance, found)
    steps = ", then ".join(aims_of(arrays.instance)) or "none"
    yield _verdict(f"The steps of the proof are those that these inputs ask for: {steps}.", strange)
    if strange:
        return
    reached = {KEPT: found.kept, SPREAD: found.spread}
    for aim, value, bound in bounds(arrays, found.certificate):
        if aim == TOTAL:
            yield _total(found, value, bound)
        elif found.solver == FLOW:
            what = {KEPT: f"no choice keeps more than {value} seats that stood", SPREAD: "the work is shared evenest"}
            faults = [] if bound == value else [f"they prove {bound}, not {value}"]
            faults += [] if value == reached[aim] else [f"the seats reach {reached[aim]}, not {value}"]
            yield _verdict(f"The prices prove that {what[aim]}, each aim after the one before.", faults)
    if found.solver != FLOW:
        faults = [] if found.total <= found.bound <= found.ideal else [f"{found.total}, {found.bound}, {found.ideal}"]
        words = (
            f"That no choice that keeps the rules is worth more than {found.bound} is what the search found; it lies between "
            f"the worth and what the prices prove, and can be found again only by searching again."
        )
        yield _verdict(words, faults)


def _total(found: Matched, value: int, bound: int) -> Checked:
    faults = [] if bound == found.ideal else [f"they prove {bound}"]
    faults += [] if value == found.ideal else [f"the step tells of {value}"]
    if found.solver != FLOW:
        return _verdict(f"The prices prove that without the rules no choice is worth more than {found.ideal}.", faults)
    if not found.ideal == found.bound == found.total:
        faults.append(f"the seats are worth {found.total}, the bound is {found.bound}")
    return _verdict(f"The prices prove that no other choice is worth more than these seats, {found.ideal}.", faults)


def _rest(instance: Instance, found: Matched) -> Checked:
    """The whole check that a run goes through before it is given out."""
    return _verdict(
        "The run passes the check it passed before its seats were given out.", list(verify(instance, found))
    )


def _explained(arrays: Arrays, pairs: tuple[Pair, ...], told: Mapping[str, Any]) -> Checked:
    """Fit, rank and number of those allowed, load and target, of every seat the run explains."""
    faults, seated, count = [], set(pairs), 0
    loads = Counter(evaluator for _, evaluator in pairs)
    for application, people in told.items():
        for evaluator, one in people.items():
            count += 1
            pair = (UUID(application), UUID(evaluator))
            i, j = arrays.row[pair[0]], arrays.column[pair[1]]
            fit, may = int(arrays.utility[i, j]), arrays.allowed[i]
            rank = 1 + int(((arrays.utility[i] > fit) & may).sum())
            if (one["utility"], one["rank"], one["allowed"]) != (fit, rank, int(may.sum())) or pair not in seated:
                faults.append(f"fit {fit}, rank {rank} of {int(may.sum())} for {pair[1]} on {pair[0]}")
            # Runs of before targets were asked tell of none.
            told_load = (one.get("load", loads[pair[1]]), one.get("target", arrays.evaluators[j].load_target))
            if told_load != (loads[pair[1]], arrays.evaluators[j].load_target):
                faults.append(f"{loads[pair[1]]} applications for {pair[1]}, and the target of the inputs")
    return _verdict(f"Fit and rank of {count} explained seats follow from the inputs.", faults)
