"""The work plan beside a budget: work packages with tasks, milestones and deliverables, who does them, in which months."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from grants.core import encoding
from grants.core.errors import Invalid, quoted

TITLE_CHARACTERS_MAX = 160
PACKAGES_MAX = 30
ITEMS_MAX = 40
MONTHS_MAX = 120


class ItemKind(StrEnum):
    """What a line of a work package is."""

    TASK = "task"
    MILESTONE = "milestone"
    DELIVERABLE = "deliverable"


@dataclass(frozen=True, slots=True)
class Months:
    """A stretch of months from the start of the pilot, both ends included; month 1 is the first."""

    first: int
    last: int

    @property
    def words(self) -> str:
        """``month 3`` or ``months 3 to 9``."""
        return f"month {self.first}" if self.first == self.last else f"months {self.first} to {self.last}"


@dataclass(frozen=True, slots=True)
class PlanItem:
    """A task, milestone or deliverable of a work package."""

    kind: ItemKind
    title: str
    owner_id: UUID | None
    months: Months


@dataclass(frozen=True, slots=True)
class PlannedPackage:
    """A work package with its lines; a new one has no code yet. Without months nobody has planned it."""

    code: str
    title: str
    lead_id: UUID | None = None
    months: Months | None = None
    items: tuple[PlanItem, ...] = ()

    def item_codes(self) -> tuple[str, ...]:
        """``T1.1``, ``M1.1``, ``D1.2`` for each line, by its kind and place.

        >>> PlannedPackage("WP2", "", items=(PlanItem(ItemKind.TASK, "Ask", None, Months(1, 1)),)).item_codes()
        ('T2.1',)
        """
        number, counts, codes = self.code.removeprefix("WP"), dict.fromkeys(ItemKind, 0), []
        for item in self.items:
            counts[item.kind] += 1
            codes.append(f"{item.kind.value[0].upper()}{number}.{counts[item.kind]}")
        return tuple(codes)


_MONTHS = re.compile(r"^\s*([0-9]{1,3})\s*(?:(?:-|\u2013|to)\s*([0-9]{1,3})\s*)?$")


def read_months(text: str, months_max: int) -> Months:
    """``3`` or ``3-9`` or ``3 to 9``; raises :class:`Invalid` for what is none, or lies after the end of the pilot.

    >>> read_months("3 to 9", 24).words
    'months 3 to 9'
    """
    found = _MONTHS.match(text)
    if found is None:
        raise Invalid(f"{quoted(text)} is no stretch of months. Write 3 for one month, or 3-9 for several.")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1 <= first <= last:
        raise Invalid(f"{quoted(text)} ends before it begins, or before month 1. Write the earlier month first.")
    if last > months_max:
        raise Invalid(f"Month {last} lies after the end of the pilot, which has {months_max} months.")
    return Months(first, last)


def read_title(text: str) -> str:
    """A title on one line; raises :class:`Invalid` where it is too long."""
    tidy = " ".join(text.split())
    if len(tidy) > TITLE_CHARACTERS_MAX:
        raise Invalid(f"The title has {len(tidy)} characters; the limit is {TITLE_CHARACTERS_MAX}. Shorten it.")
    return tidy


def plan_mark(plan: Sequence[PlannedPackage]) -> str:
    """A short mark of a plan, by which a form that was overtaken is known."""
    text = json.dumps([encoding.encode(each) for each in plan], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the timeline: what it is, in words and as a stretch of months."""

    code: str
    title: str
    kind: str
    owner: str
    months: Months | None


def timeline(plan: Sequence[PlannedPackage], names: Mapping[UUID, str]) -> tuple[tuple[Bar, ...], int]:
    """Every line of a plan from top to bottom, and how many months the timeline has."""
    bars = []
    for package in plan:
        bars.append(Bar(package.code, package.title, "package", _name(package.lead_id, names), package.months))
        for code, item in zip(package.item_codes(), package.items, strict=True):
            bars.append(Bar(code, item.title, item.kind.value, _name(item.owner_id, names), item.months))
    return tuple(bars), max((bar.months.last for bar in bars if bar.months), default=0)


def _name(who: UUID | None, names: Mapping[UUID, str]) -> str:
    return names.get(who, "") if who else ""
