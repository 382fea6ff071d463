"""Why a seat went to whom it went, and what the call would lose without it; every sentence comes from stored numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grants.calls.rules import LANGUAGES
from grants.evaluation.rules.showing import ApplicationHead, SeatView


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
