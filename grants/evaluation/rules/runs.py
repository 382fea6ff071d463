"""What pages of one run, of one seat and of a change by hand show; every sentence comes from stored numbers."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from grants.calls.rules import LANGUAGES
from grants.core.errors import Invalid, Refused
from grants.core.paging import Rows
from grants.core.text import grouped
from grants.evaluation.rules.fit import FIT_MAX
from grants.evaluation.rules.pool import PoolMember, digest
from grants.evaluation.rules.run_view import RunView
from grants.evaluation.rules.showing import ApplicationHead, SeatView
from grants.evaluation.rules.told import SHUT_TO_WHO_ASKED
from grants.evaluation.rules.values import RunInput

SEED_CHARACTERS_MAX = 100
# So many of each a run takes, and so many pairs of one with another: more do not fit into a worker's memory.
RUN_APPLICATIONS_MAX = 10_000
RUN_EVALUATORS_MAX = 2_000
RUN_PAIRS_MAX = 4_000_000

# How many parts of the graph of seats are told by their size.
PARTS_NAMED = 5
# From so many applications of one evaluator on their severity can be told apart from what they judged.
TO_COMPARE = 4


@dataclass(frozen=True, slots=True)
class RunSeat:
    """A seat that a run gave."""

    reference: str
    title: str
    name: str
    handle: str
    utility: int
    stands: bool


@dataclass(frozen=True, slots=True)
class RunTaken:
    """A run as a file."""

    call_id: UUID
    name: str
    made: bytes

    @property
    def sha256(self) -> str:
        """Of the file itself, as the record keeps it."""
        return hashlib.sha256(self.made).hexdigest()


@dataclass(frozen=True, slots=True)
class SeatGraph:
    """The seats of a call as a graph of evaluators and applications, in figures.

    ``parts`` are the applications of each part without a link to another, the largest first; ``fewest`` and ``most`` the
    applications of the evaluator with the fewest and the most of them; ``few`` counts evaluators with fewer than
    :data:`TO_COMPARE`.
    """

    seats: int
    evaluators: int
    parts: tuple[int, ...]
    fewest: int
    most: int
    few: int

    @property
    def effective(self) -> int:
        """How many assessments are left as information once the severity of each evaluator is learned.

        Of k assessments of one evaluator each keeps (k - 1) / k: all together one less for every evaluator.
        """
        return self.seats - self.evaluators

    @property
    def words(self) -> tuple[str, ...]:
        """What that means, in sentences."""
        if not self.seats:
            return ()
        if len(self.parts) == 1:
            told = [
                "All applications are linked by evaluators they share: how strict each evaluator is can be compared."
            ]
        else:
            sizes = ", ".join(str(size) for size in self.parts[:PARTS_NAMED])
            more = " and smaller ones" if len(self.parts) > PARTS_NAMED else ""
            told = [
                f"The applications fall into {len(self.parts)} parts that share no evaluator, of {sizes}{more}. Marks of one "
                "part say nothing about how strict the evaluators of another are."
            ]
        span = str(self.fewest) if self.fewest == self.most else f"{self.fewest} to {self.most}"
        few = f"{self.few} of {self.evaluators} have" if self.few != 1 else f"1 of {self.evaluators} has"
        told.append(
            f"Evaluators with a seat have {span} applications each; {few} fewer than {TO_COMPARE}, too few to tell how "
            "strict they are."
        )
        told.append(
            f"Once that is learned of each, {self.effective} of {self.seats} assessments are left as information: of k "
            "assessments by one evaluator, k - 1."
        )
        return tuple(told)


@dataclass(frozen=True, slots=True)
class EvaluatorSample:
    """How many applications one evaluator has, and how many of these assessments say something of the applications."""

    name: str
    handle: str
    applications: int

    @property
    def effective(self) -> int:
        """One of them goes into learning how strict the person is."""
        return self.applications - 1

    @property
    def words(self) -> str:
        """Whether that is enough.

        >>> EvaluatorSample("Eva", "eva", 3).words, EvaluatorSample("Eva", "eva", 4).words
        ('1 application fewer than it takes', 'Enough to tell')
        """
        short = TO_COMPARE - self.applications
        if short <= 0:
            return "Enough to tell"
        return f"{short} {'application' if short == 1 else 'applications'} fewer than it takes"


@dataclass(frozen=True, slots=True)
class RunPage:
    """One run as it was kept, and the seats it gave."""

    call_slug: str
    call_title: str
    run: RunView
    settings: Mapping[str, Any]
    solver: str
    ideal: int | None
    floor: int | None
    spread: int | None
    changes: tuple[str, ...]
    difference: Mapping[str, Any]
    seats: Rows[RunSeat]
    graph: SeatGraph
    samples: tuple[EvaluatorSample, ...] = ()
    # Names of whom the run left out because they were not there.
    absent: tuple[str, ...] = ()
    milliseconds: int | None = None
    # The number of the first solved run after it.
    superseded_by: int | None = None
    has_file: bool = False

    @property
    def took_words(self) -> str:
        """How long it was worked out; empty where that was not kept."""
        if self.milliseconds is None:
            return ""
        return f"Worked out in {self.milliseconds / 1_000:.1f} seconds."

    @property
    def from_ideal(self) -> str:
        """How far the total is from what no rule on groups and no floor would allow, rounded up: “0.02 %”."""
        if not self.ideal or self.run.objective is None:
            return "0 %"
        hundredths = -(-(self.ideal - self.run.objective) * 10_000 // self.ideal)
        return f"{hundredths // 100}.{hundredths % 100:02d} %" if hundredths else "0 %"

    @property
    def result_words(self) -> tuple[str, ...]:
        """What came of the run, in sentences for somebody who never saw one."""
        run = self.run
        if run.objective is None or not run.seats:
            return ()
        found = [
            f"Every pair of an evaluator and an application has a fit of 0 to {FIT_MAX}: how much of its topics the person "
            f"knows, and whatever else the call counts. The {grouped(run.seats)} seats together are worth {grouped(run.objective)}, "
            f"{run.mean} each on average.",
            run.proof_words,
        ]
        if self.ideal is not None and self.ideal > run.objective:
            found.append(
                f"What that costs: without rules on who sits together and without the care for the worst served application "
                f"{grouped(self.ideal)} could be reached. Keeping them took {self.from_ideal} of it: the seats are at most so far from that "
                "ideal."
            )
        if self.floor is not None:
            found.append(
                f"The application served worst has {grouped(self.floor)} over its seats; every other has as much or more."
            )
        if self.spread is not None:
            found.append(self._spread_words(self.spread))
        return tuple(found)

    def _spread_words(self, spread: int) -> str:
        """The sum of the squared loads, against what it would be if everybody had the same number, or one more."""
        people, seats = self.run.evaluators, self.run.seats
        if not people:
            return ""
        if aiming := self.settings.get("targets"):
            return _target_words(spread, aiming)
        each, more = divmod(seats, people)
        even = (people - more) * each * each + more * (each + 1) * (each + 1)
        if spread <= even:
            return f"The work is shared as evenly as it can be: {each} to {each + 1 if more else each} seats a person."
        return (
            f"The work is not shared evenly. Squared and added up, what each person carries makes {grouped(spread)}; with the same "
            f"number for everybody it would be {grouped(even)}. The nearer the two, the more even."
        )

    @property
    def settings_words(self) -> tuple[str, ...]:
        """What the run was asked, in sentences."""
        found = [f"{self.settings.get('per_application')} evaluators for each application."]
        weights = self.settings.get("weights")
        if weights:
            found.append("What counts: " + ", ".join(f"{name} {points}" for name, points in weights.items()) + ".")
        if self.settings.get("rules"):
            found.append("Of the evaluators of one application " + ", ".join(self.settings["rules"]) + ".")
        if self.settings.get("floor"):
            found.append(
                "The worst served application was served as well as possible before all others, to within one hundredth of what "
                "an application can get."
            )
        kept = self.settings.get("keep_countries_apart") == "yes"
        found.append(f"Evaluators from a country of the consortium were {'kept away' if kept else 'allowed'}.")
        if self.absent:
            found.append(f"Not there to assess, and so without a new seat: {', '.join(self.absent)}.")
        if self.settings.get("standing") == "movable":
            found.append("Seats on which nothing was written could move; as few as possible did.")
        if self.settings.get(SHUT_TO_WHO_ASKED):
            found.append(
                "What was closed to whoever asked stayed as it was. Each application of that counted as a seat of every evaluator, "
                "so evaluators may have fewer than their least: a run by somebody who sees the whole call gives out the rest."
            )
        return tuple(found)

    @property
    def seed_words(self) -> str:
        """What the word of the run decided: between equals, and with rules on groups or a floor not between all of them."""
        word = f"Between choices that are equally good, in how evenly the work is shared too, the word “{self.run.seed}” decided"
        if not self.settings.get("rules") and not self.settings.get("floor"):
            return f"{word}, always the same way."
        return (
            f"{word} as far as it tells them apart: with rules on groups or a floor that is coarsely, and the rest is the fixed "
            "order in which the solver looks. The same inputs and the same solver give the same seats."
        )

    @property
    def difference_words(self) -> tuple[str, ...]:
        """What changed against the seats that stood and the run before."""
        told = self.difference
        if not told:
            return ()
        found = [f"{told['kept']} seats were kept, {told['given']} given, {told['taken']} taken back."]
        for key, words in (
            ("total", "What all seats are worth together"),
            ("floor", "What the worst served application has"),
            ("spread", "The unevenness of the work"),
        ):
            change = told.get(key)
            if change is not None:
                how = (
                    "is the same as"
                    if not change
                    else f"is {grouped(abs(change))} {'higher' if change > 0 else 'lower'} than"
                )
                found.append(f"{words} {how} in run {told['run']}.")
        return tuple(found)


def _target_words(spread: int, aiming: int) -> str:
    """How near everybody is to what they aim at.

    >>> _target_words(0, 1)
    '1 evaluator said how many applications to aim at. All have their number, and the others share the rest evenly.'
    """
    who = "1 evaluator" if aiming == 1 else f"{aiming} evaluators"
    said = f"{who} said how many applications to aim at."
    if not spread:
        return f"{said} All have their number, and the others share the rest evenly."
    return (
        f"{said} Squared and added up, the distances from that number, and of the others from an even share of the rest, make "
        f"{grouped(spread)}; 0 would be everybody at their number. No choice as good for the applications was found nearer."
    )


@dataclass(frozen=True, slots=True)
class SeatLoss:
    """What the total of a run loses without a seat, worked out after it: at least and at most; none of both where nothing is left."""

    least: int | None
    most: int | None
    moved: int
    milliseconds: int

    @property
    def words(self) -> str:
        """The same as a sentence.

        >>> SeatLoss(3, 9, 0, 2_000).words
        'Solved again without this seat, the best total of all assignments is at least 3 and at most 9 lower.'
        >>> SeatLoss(-4, 9, 0, 2_000).words
        'Solved again without this seat, the best total of all assignments is at most 9 lower, if it is lower at all.'
        """
        said = "Solved again without this seat, the best total of all assignments is"
        if self.least is None or self.most is None:
            return "Solved again without this seat, no assignment keeps all that the run was asked for."
        if self.moved > 0:
            moving = f"Solved again without this seat, {_moved(self.moved)}, and the total is"
            if self.least == self.most:
                return f"{moving} {_less(self.most)}."
            return f"{moving} between {_less(self.least)} and {_less(self.most)}."
        if self.least == self.most:
            return f"{said} {_less(self.most)}."
        if self.least > 0:
            return f"{said} at least {self.least} and at most {self.most} lower."
        if self.most > 0:
            return f"{said} at most {self.most} lower, if it is lower at all."
        return f"{said} between {_less(self.most)} and {_less(self.least)}: the run itself ended short of the best."

    @property
    def is_between(self) -> bool:
        """Whether the search ended before it had the one number."""
        return self.least != self.most


@dataclass(frozen=True, slots=True)
class SeatWhy:
    """Why a seat went to whom it went."""

    head: ApplicationHead
    seat: SeatView
    run_number: int | None
    hand_reason: str
    told: Mapping[str, Any]
    names: Mapping[str, str]
    # An application of the call is shut to the reader: who was full with it and who sits elsewhere is told as one.
    partial: bool = False
    # What was worked out of this seat after the run, and whether the run kept what that takes.
    later: SeatLoss | None = None
    has_input: bool = False

    @property
    def can_be_worked_out(self) -> bool:
        """Whether the loss is told by nothing yet, and can be."""
        return (
            bool(self.told) and self.told["loss"] is None and self.later is None and self.has_input and not self.partial
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """Rank and loss in words."""
        if not self.told:
            return ()
        name, loss, moved = self.seat.name, self.told["loss"], self.told.get("moved", 0)
        found = [
            f"{name} fits {self.told['utility']} of 1000 and is number {self.told['rank']} of the "
            f"{self.told['allowed']} evaluators who may take it."
        ]
        if self.told.get("target") is not None and not self.partial:
            found.append(
                f"By this run {name} has {self.told['load']} of the {self.told['target']} applications aimed at. How near "
                "everybody comes to such a number counts only between choices that are equally good for the applications."
            )
        if self.partial:
            # Who could serve elsewhere hangs on every seat of the call.
            found.append("What the total would lose without this seat is of the whole call, and so is left out.")
        elif loss is None and self.later is not None:
            found.append(self.later.words)
            if self.later.is_between:
                found.append(
                    "For a call this large the search for the best total ends that close to it; both numbers are what it proved."
                )
        elif loss is None:
            found.append("What the total would lose without this seat was not worked out in this run.")
        elif moved > 0:
            found.append(f"Without this seat {_moved(moved)}, and the total would be {_less(loss)}.")
        elif loss < 0:
            found.append("Without this seat no assignment keeps all that the run was asked for.")
        elif loss == 0:
            found.append(
                "Another assignment without this seat is worth as much: how evenly the work is shared decided, and between "
                "those that are equal in that too the word of the run, as far as it tells them apart."
            )
        else:
            found.append(f"Without this seat the best total of all assignments would be {loss} lower.")
        return (*found, *self._not_worked_out())

    def _not_worked_out(self) -> list[str]:
        """Of whom the cost of having them here was not worked out, where it could have been told."""
        costs = [each.get("cost") for each in self.told.get("better", ()) if each["why"] != "forbidden"]
        if self.partial or None not in costs:
            return []
        if any(costs):
            return [
                "What somebody else in this seat would cost was worked out for the best of those who fit better alone."
            ]
        return ["What somebody else in this seat would cost was not worked out in this run."]

    @property
    def better(self) -> tuple[tuple[str, int, str], ...]:
        """Who fits better and was not seated: name, fit and why not."""
        found = []
        for other in self.told.get("better", ()):
            name = self.names.get(other["evaluator"], "Somebody no longer in the pool")
            told = f"{name} {self._why_not(other)}"
            if not self.partial:
                told += _cost_words(name, other.get("cost"))
            found.append((name, other["utility"], told))
        return tuple(found)

    def _why_not(self, other: Mapping[str, Any]) -> str:
        """What stood against somebody who fits better, without their name."""
        if self.partial and other["why"] in ("full", "elsewhere", "minimum", "floor", "open"):
            # Any of these may be of seats on what is shut to the reader.
            return "could have the seat only if another seat of the call, or a load that was agreed, gave way."
        what = other.get("what", ())
        match other["why"]:
            case "forbidden":
                return str(other["rule"]) or "is kept from it."
            case "full":
                return f"has as many applications as this person may take ({other['load_max']})."
            case "floor":
                return (
                    f"has as many applications as this person may take ({other['load_max']}). To exchange one with "
                    f"{self.seat.name} would be worth more in all, and leave the other application below {what[0]}, what "
                    "the worst served has."
                )
            case "country":
                return f"would be one too many from {what[0]} beside the others: at most {what[1]} may sit together."
            case "organisation":
                return f"is of one organisation with others on it: at most {what[0]} may sit together."
            case "role":
                return f"has not the role “{what[0]}”, which {self.seat.name} alone has on it."
            case "reader":
                return f"does not read {LANGUAGES.get(what[0], what[0])}, which {self.seat.name} alone does on it."
            case "gender":
                return "would leave the application without both a woman and a man, counting those who said so."
            case "minimum":
                return f"has room, but {self.seat.name} must take at least {what[0]} and has no more than that."
            case "kept":
                return f"has room, but {self.seat.name} had the seat, and as few as possible moved."
            case "open":
                return (
                    f"could have had it, for {other['utility'] - self.told['utility']} more in all: the run ended short of the "
                    "best and did not find this."
                )
        # Runs of before the reason was worked out rule by rule kept no more than this.
        return (
            "had room. This run kept no more of why not: another seat, a load or a rule of the call stood against it."
        )


def _cost_words(name: str, cost: Sequence[int] | None) -> str:
    """What it would cost the call to have this person in this seat; nothing where it was not worked out."""
    if cost is None:
        return ""
    total, moved = cost
    if moved > 0:
        return f" With {name} in this seat {_moved(moved)}, and the total would be {_less(total)}."
    if total < 0 and not moved:
        return f" With {name} in this seat no assignment keeps all that the run was asked for."
    return f" With {name} in this seat the total would be {_less(total)}."


def _moved(moved: int) -> str:
    return f"{moved} more {'seat' if moved == 1 else 'seats'} that stood would have to move"


def _less(loss: int) -> str:
    """By how much a total is lower or higher.

    >>> _less(5), _less(-5), _less(0)
    ('5 lower', '5 higher', 'the same')
    """
    return "the same" if not loss else f"{abs(loss)} {'lower' if loss > 0 else 'higher'}"


EMPTY_SEAT = "an empty seat"


@dataclass(frozen=True, slots=True)
class Tally:
    """What an assignment is worth: its total, its worst application, its loads, the rules it breaks."""

    total: int
    floor: int
    heaviest: int
    lightest: int
    broken: tuple[str, ...]

    @property
    def broken_words(self) -> str:
        """What is broken, each once with how many times.

        >>> Tally(0, 0, 0, 0, ("an empty seat", "role expert", "an empty seat", "role expert")).broken_words
        '2 empty seats; role expert, 2 times'
        """
        counted = Counter(self.broken)
        many = {EMPTY_SEAT: "{1} empty seats"}
        return "; ".join(
            what if times == 1 else many.get(what, "{0}, {1} times").format(what, times)
            for what, times in counted.items()
        )


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The assignment before and after a change that is not stored yet."""

    words: str
    before: Tally
    after: Tally

    @property
    def lines(self) -> tuple[tuple[str, str, str, str], ...]:
        """Each figure before, after, and what lies between, with its sign."""
        named = (
            ("Total fit", self.before.total, self.after.total),
            ("Worst served application", self.before.floor, self.after.floor),
            ("Heaviest load", self.before.heaviest, self.after.heaviest),
            ("Lightest load", self.before.lightest, self.after.lightest),
            ("Rules broken", len(self.before.broken), len(self.after.broken)),
        )
        return tuple((name, grouped(old), grouped(new), _signed(new - old)) for name, old, new in named)


def _signed(difference: int) -> str:
    """A difference as it is written: grouped, and with the sign of a sum.

    >>> _signed(-1171), _signed(5), _signed(0)
    ('\u22121\xa0171', '+5', '0')
    """
    sign = "\u2212" if difference < 0 else "+" if difference else ""
    return f"{sign}{grouped(abs(difference))}"


# So many people stand in sight, who could take a seat with the best first; more of a pool of hundreds are a line that opens.
BEST_SHOWN = 15


@dataclass(frozen=True, slots=True)
class AdjustPage:
    """One application, its seats, and who could take one."""

    head: ApplicationHead
    seats: tuple[SeatView, ...]
    locked: frozenset[str]
    missing: int
    people: tuple[tuple[PoolMember, str, int], ...]
    # Of the seats as they stand: a form that shows others is overtaken.
    version: int = 0
    # None for who sees a part of the call: its figures are of all of it.
    what_if: WhatIf | None = None
    partial: bool = False

    @property
    def unable(self) -> tuple[str, ...]:
        """Why each of the others cannot take a seat."""
        return tuple(reason for _, reason, _ in self.people if reason)

    @property
    def unable_opens(self) -> bool:
        """Whether they are so many that they stand behind a line."""
        return len(self.unable) > BEST_SHOWN


def seats_version(seats: Iterable[tuple[UUID, str, bool]]) -> int:
    """One number for the seats of an application, of the id, state and lock of each: whatever changes is another one."""
    told = sorted([str(key), state, locked] for key, state, locked in seats)
    return int.from_bytes(digest(told)[:7])


def refuse_too_large(applications: int, evaluators: int) -> None:
    """Raise :class:`Refused` where a run would have to leave somebody out: of a part no assignment is the best one."""
    by_file = "Nothing was assigned. Seats can be given by a file (“Seats as a file”)"
    for count, most, what in (
        (applications, RUN_APPLICATIONS_MAX, "applications in evaluation"),
        (evaluators, RUN_EVALUATORS_MAX, "evaluators in its pool"),
    ):
        if count > most:
            raise Refused(f"This call has more than {most:,} {what}, and a run takes at most so many. {by_file}.")
    if applications * evaluators > RUN_PAIRS_MAX:
        raise Refused(
            f"{applications:,} applications and {evaluators:,} evaluators make {applications * evaluators:,} pairs, and a run "
            f"takes at most {RUN_PAIRS_MAX:,}. {by_file}, or with at most {RUN_PAIRS_MAX // applications:,} evaluators in the pool."
        )


def refuse_bad_run(values: RunInput, at: datetime) -> None:
    """Raise :class:`Invalid` with each thing that is wrong with what was chosen for a run."""
    wrong = {}
    if not values.seed.strip() or len(values.seed) > SEED_CHARACTERS_MAX:
        wrong["seed"] = f"Write any word or number, at most {SEED_CHARACTERS_MAX} characters."
    if values.due_at is not None and values.due_at <= at:
        wrong["due_on"] = "Choose a day after today, or leave it empty."
    if wrong:
        raise Invalid("The run was not asked for.", wrong)
