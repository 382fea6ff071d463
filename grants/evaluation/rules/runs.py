"""What the page of one run shows, and what a run is refused for; every sentence comes from stored numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from grants.core.errors import Invalid, Refused
from grants.core.paging import Rows
from grants.core.text import grouped
from grants.evaluation.rules.fit import FIT_MAX
from grants.evaluation.rules.run_view import RunView
from grants.evaluation.rules.seat_graph import EvaluatorSample, SeatGraph
from grants.evaluation.rules.told import SHUT_TO_WHO_ASKED
from grants.evaluation.rules.values import RunInput

SEED_CHARACTERS_MAX = 100
# So many of each a run takes, and so many pairs of one with another: more do not fit into a worker's memory.
RUN_APPLICATIONS_MAX = 10_000
RUN_EVALUATORS_MAX = 2_000
RUN_PAIRS_MAX = 4_000_000


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
