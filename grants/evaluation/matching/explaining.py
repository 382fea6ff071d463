"""Why a pair: its rank, who fits better and why not them, and what the total loses without it; all by numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grants.evaluation.matching.arrays import Arrays
from grants.evaluation.matching.proof import broken_groups, locked_by_application
from grants.evaluation.matching.resolving import Cost, Question, costs
from grants.evaluation.matching.values import Instance, Matched, Pair, Seatholder

# Those who fit better and are not seated, of whom the reason is worked out.
BETTER_MAX = 10


@dataclass(frozen=True, slots=True)
class Better:
    """Somebody who fits better and is not seated, and what stands against it.

    ``why`` is “forbidden”; “full” (of work); “floor” (full, and an exchange with who is seated would leave another
    application below what the worst served has); “country”, “organisation”, “role”, “gender” or “reader” (the rule that this person
    in this seat would break); “minimum” (of who is seated); “kept” (who is seated stood); “open” (nothing: the run ended
    short of the best). ``what`` are the figures of that reason. ``cost`` is what the total loses with this person in this
    seat, None where it was not worked out; its ``total`` is -1 where no other assignment has them in it.
    """

    evaluator: Any
    utility: int
    why: str
    what: tuple[Any, ...] = ()
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """The numbers behind one pair.

    ``loss`` is what the total loses without it: None where it was not worked out, -1 where no other assignment exists.
    Where seats that stood could move, ``moved`` more of them would have to; the total may then even be higher. ``load`` is
    how many applications the person has by the run, ``target`` how many they aimed at, where they said so.
    """

    utility: int
    rank: int
    allowed: int
    better: tuple[Better, ...]
    loss: int | None
    moved: int = 0
    load: int = 0
    target: int | None = None


def explain(instance: Instance, found: Matched) -> dict[Pair, Explained]:
    """Every pair that the run itself gave: of locked pairs there is nothing to explain."""
    stands = _Stands(Arrays(instance), found)
    new = [pair for pair in found.pairs if pair not in instance.locked]
    shown = {pair: stands.better(*stands.place(pair)) for pair in new}
    told = costs(stands.arrays, found, [pair for pair in new if pair not in instance.standing], _open(stands, shown))
    return {pair: _explained(stands, pair, shown[pair], told) for pair in new}


def _open(stands: _Stands, shown: Mapping[Pair, list[int]]) -> dict[Pair, list[int]]:
    """Of those who fit better the ones who may take the seat at all, best first."""
    return {pair: [k for k in ks if stands.arrays.open[stands.place(pair)[0], k]] for pair, ks in shown.items()}


def _explained(stands: _Stands, pair: Pair, better: Iterable[int], told: Mapping[Question, Cost]) -> Explained:
    arrays = stands.arrays
    i, j = stands.place(pair)
    worth = int(arrays.utility[i, j])
    rank = 1 + int(((arrays.utility[i] > worth) & arrays.allowed[i]).sum())
    others = []
    for k in better:
        why, what = stands.why_not(i, j, k)
        others.append(
            Better(arrays.evaluators[k].id, int(arrays.utility[i, k]), why, what, told.get(Question(i, j, k)))
        )
    loss = told.get(Question(i, j))
    return Explained(
        worth,
        rank,
        int(arrays.allowed[i].sum()),
        tuple(others),
        loss.total if loss else None,
        loss.moved if loss else 0,
        int(stands.loads[j]),
        arrays.evaluators[j].load_target,
    )


class _Stands:
    """An assignment as it stands: who sits where, how many each has, what every application has."""

    def __init__(self, arrays: Arrays, found: Matched) -> None:
        np = arrays.np
        self.arrays, self.found = arrays, found
        self.taken = np.zeros_like(arrays.open)
        if found.pairs:
            self.taken[arrays.places(found.pairs)] = True
        self.loads = self.taken.sum(axis=0)
        self.worth = np.where(self.taken, arrays.utility, np.int16(0)).astype(np.int64).sum(axis=1)
        self.locked = locked_by_application(arrays.instance)
        self.standing = {self.place(pair) for pair in arrays.instance.standing}

    def place(self, pair: Pair) -> tuple[int, int]:
        """Row and column of a pair."""
        return self.arrays.row[pair[0]], self.arrays.column[pair[1]]

    def better(self, i: int, j: int) -> list[int]:
        """Who fits better than who is seated and has no seat on the application, best first."""
        utility = self.arrays.utility[i]
        columns = self.arrays.np.nonzero((utility > utility[j]) & ~self.taken[i])[0].tolist()
        return sorted(columns, key=lambda k: (-int(utility[k]), k))[:BETTER_MAX]

    def why_not(self, i: int, j: int, k: int) -> tuple[str, tuple[Any, ...]]:
        """What stands against k in the seat of j, with its figures: found by putting them there."""
        arrays, person = self.arrays, self.arrays.evaluators[j]
        if not arrays.allowed[i, k]:
            return "forbidden", ()
        if self.loads[k] >= arrays.most[k]:
            floor = any(self._floor_bars(i, j, k, m) for m in arrays.np.nonzero(self.taken[:, k])[0].tolist())
            return ("floor", (self.found.floor,)) if floor else ("full", ())
        if broken := self._broken(i, j, k):
            return broken
        if self.loads[j] <= person.load_min:
            return "minimum", (person.load_min,)
        return ("kept", ()) if (i, j) in self.standing else ("open", ())

    def _broken(self, i: int, j: int, k: int) -> tuple[str, tuple[Any, ...]] | None:
        """The first rule on groups that an application would break with k instead of j, and did not break before."""
        instance = self.arrays.instance
        if not instance.groups.any:
            return None
        subject, people = self.arrays.applications[i], self.arrays.evaluators
        held = [people[self.arrays.column[one]] for one in self.locked.get(subject.id, ())]
        seated = [people[other] for other in self.arrays.np.nonzero(self.taken[i])[0].tolist()]

        def breaks(those: list[Seatholder]) -> list[tuple[str, str]]:
            return broken_groups(instance, subject, those, held)

        before = breaks(seated)
        swapped = [people[k] if one is people[j] else one for one in seated]
        for kind, what in breaks(swapped):
            if (kind, what) not in before:
                # What a single person said of themselves is in no reason.
                if kind == "gender":
                    return kind, ()
                limit = dict(instance.groups.limits).get(kind)
                # Which organisation it is need not be told: one in common is enough.
                return kind, (limit,) if kind == "organisation" else (what, limit) if limit else (what,)
        return None

    def _floor_bars(self, i: int, j: int, k: int, m: int) -> bool:
        """Whether j and k could exchange these two applications for more in all, but for what the worst served would have."""
        arrays = self.arrays
        if not arrays.instance.floor or not arrays.open[m, j] or not arrays.open[m, k] or self.taken[m, j]:
            return False
        here = int(arrays.utility[i, k]) - int(arrays.utility[i, j])
        there = int(arrays.utility[m, j]) - int(arrays.utility[m, k])
        if {(i, j), (m, k)} & self.standing or here + there <= 0:
            return False
        left = int(self.worth[m]) + there
        return left < self.found.floor and not self._broken(i, j, k) and not self._broken(m, k, j)
