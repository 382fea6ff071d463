"""An instance as arrays in the order of the ids, whatever order it came in."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from grants.evaluation.matching.values import UTILITY_MAX, Instance, Pair

TIE_BITS = 30
_WORD = (1 << 64) - 1


def check(instance: Instance) -> None:
    """Raise ``ValueError`` for a programmer's error: unknown ids, loads out of order, a utility outside 0 to 1000."""
    applications = {subject.id for subject in instance.applications}
    evaluators = {person.id for person in instance.evaluators}
    if len(applications) != len(instance.applications) or len(evaluators) != len(instance.evaluators):
        raise ValueError("an application or evaluator is named twice")
    if instance.per_application < 1:
        raise ValueError("an application needs at least one evaluator")
    for person in instance.evaluators:
        if not 0 <= person.load_min <= person.load_max:
            raise ValueError(f"the loads of {person.label or person.id} are not 0 <= minimum <= maximum")
        if person.load_target is not None and person.load_target < 0:
            raise ValueError(f"the target of {person.label or person.id} is below 0")
    # The pairs of the utilities, of which there may be millions, are looked up once: where the arrays are made.
    for application, evaluator in instance.forbidden | instance.locked | instance.standing:
        if application not in applications or evaluator not in evaluators:
            raise ValueError(f"the pair {(application, evaluator)} names nobody of this instance")
    for utility in set(instance.utilities.values()):
        if not isinstance(utility, int) or not 0 <= utility <= UTILITY_MAX:
            raise ValueError(f"a utility is a whole number from 0 to {UTILITY_MAX}, not {utility!r}")


class Arrays:
    """Rows are applications, columns evaluators; ``allowed`` pairs may meet, ``open`` ones are still to be decided."""

    def __init__(self, instance: Instance) -> None:
        import numpy as np

        self.np = np
        self.instance = instance
        self.applications = sorted(instance.applications, key=lambda subject: subject.id)
        self.evaluators = sorted(instance.evaluators, key=lambda person: person.id)
        self.row = {subject.id: index for index, subject in enumerate(self.applications)}
        self.column = {person.id: index for index, person in enumerate(self.evaluators)}
        self.rows, self.columns = len(self.applications), len(self.evaluators)
        self._read_pairs()
        self.seats = np.array([instance.seats_of(subject) for subject in self.applications], dtype=np.int64)
        self.most = np.array([person.load_max for person in self.evaluators], dtype=np.int64)
        self.least = np.array([person.load_min for person in self.evaluators], dtype=np.int64)
        self.locked = sorted((self.row[one], self.column[other]) for one, other in instance.locked)
        self.open = self.allowed.copy()
        self.fixed_at = np.zeros(self.rows, dtype=np.int64)
        self.fixed_by = np.zeros(self.columns, dtype=np.int64)
        for i, j in self.locked:
            self.open[i, j] = False
            self.fixed_at[i] += 1
            self.fixed_by[j] += 1
        self.need = self.seats - self.fixed_at
        self.room = self.most - self.fixed_by
        self.must = np.maximum(self.least - self.fixed_by, 0)
        self.twice_aim = self._twice_aims()
        self.row_keys = np.array([_key(instance.seed, "application", s.id) for s in self.applications], dtype=np.uint64)
        keys = [_key(instance.seed, "evaluator", person.id) for person in self.evaluators]
        self.column_keys = np.array([(key << 32 | key >> 32) & _WORD for key in keys], dtype=np.uint64)

    def _read_pairs(self) -> None:
        np, instance = self.np, self.instance
        if instance.grid is not None:
            grid = instance.grid
            order = np.ix_(_order(grid.applications, self.row), _order(grid.evaluators, self.column))
            self.utility = grid.utility[order].astype(np.int16, copy=False)
            self.allowed = grid.open[order]
        else:
            self.utility = np.zeros((self.rows, self.columns), dtype=np.int16)
            self.allowed = np.ones((self.rows, self.columns), dtype=bool)
            if instance.utilities:
                values = np.fromiter(instance.utilities.values(), np.int16, len(instance.utilities))
                self.utility[self._places()] = values
        for application, evaluator in instance.forbidden:
            self.allowed[self.row[application], self.column[evaluator]] = False

    def _twice_aims(self) -> Any:
        """Twice the load each evaluator is brought near to: their target, or an even share of what the targets leave.

        Even is: as high for everybody as they can go until nothing is left. Where that is no whole number it lies in the
        middle between two, which are then equally near. Where nobody has a target all are 0: the least sum of squared
        distances from one number for all is that of the squared loads, since all loads together are given.
        """
        np = self.np
        asked = [person.load_target for person in self.evaluators]
        has = np.array([target is not None for target in asked], dtype=bool)
        if not has.any():
            return np.zeros(self.columns, dtype=np.int64)
        targets = np.array([target or 0 for target in asked], dtype=np.int64)
        low = np.maximum(self.least, self.fixed_by)
        high = np.maximum(np.minimum(self.most, self.fixed_by + self.open.sum(axis=0)), low)
        left = int(self.seats.sum() - np.clip(targets, low, high)[has].sum())
        low, high, share = low[~has], high[~has], 0
        while share < high.max(initial=0) and np.clip(share + 1, low, high).sum() <= left:
            share += 1
        between = share < high.max(initial=0) and np.clip(share, low, high).sum() < left
        return np.where(has, 2 * targets, 2 * share + int(between))

    def _places(self) -> tuple[Any, Any]:
        """Row and column of each utility; by the numbers of the ids, which are hashed three times as fast."""
        row, column = ({key.int: place for key, place in places.items()} for places in (self.row, self.column))
        pairs = self.instance.utilities
        try:
            # Lists, not generators, which take twice as long.
            rows = [row[application.int] for application, _ in pairs]
            columns = [column[evaluator.int] for _, evaluator in pairs]
        except KeyError as error:
            raise ValueError(f"a pair with {UUID(int=error.args[0])} names nobody of this instance") from None
        np = self.np
        return np.fromiter(rows, np.int64, len(pairs)), np.fromiter(columns, np.int64, len(pairs))

    def ties(self, rows: Any, columns: Any) -> Any:
        """What a tie between equals is decided by: bits of SHA-256 of seed and ids, mixed by the finaliser of SplitMix64."""
        np = self.np
        word = self.row_keys[rows] ^ self.column_keys[columns]
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        word = word ^ (word >> np.uint64(31))
        return (word & np.uint64((1 << TIE_BITS) - 1)).astype(np.int64)

    def places(self, pairs: Any) -> tuple[Any, Any]:
        """Row and column of each of these pairs."""
        np = self.np
        rows = np.array([self.row[application] for application, _ in pairs], dtype=np.int64)
        return rows, np.array([self.column[evaluator] for _, evaluator in pairs], dtype=np.int64)

    def pairs(self, rows: Any, columns: Any) -> tuple[Pair, ...]:
        """These places as pairs of ids, with the locked ones, in order."""
        found = [(self.applications[i].id, self.evaluators[j].id) for i, j in zip(rows, columns, strict=True)]
        return tuple(sorted({*found, *self.instance.locked}))

    def sums(self, pairs: tuple[Pair, ...]) -> tuple[int, int, int]:
        """Total, what the worst application got, and the sum of the squared distances of the loads from their aims, each rounded down."""
        np = self.np
        rows, columns = self.places(pairs)
        worth = self.utility[rows, columns].astype(np.int64)
        apart = 2 * np.bincount(columns, minlength=self.columns) - self.twice_aim
        each = np.bincount(rows, weights=worth, minlength=self.rows)
        return int(worth.sum()), int(each.min()) if self.rows else 0, int((apart * apart // 4).sum())


def _order(ids: tuple[UUID, ...], places: dict[UUID, int]) -> list[int]:
    return sorted(range(len(ids)), key=lambda index: places[ids[index]])


def _key(seed: str, side: str, thing: UUID) -> int:
    """64 bits of SHA-256 of the seed and one id."""
    digest = hashlib.sha256(f"{seed}\n{side}\n{thing}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
