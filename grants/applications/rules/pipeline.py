"""The pipeline of a call: how many applications stand in each state, for how long, for whom they wait, and what is over its time. Pure."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from grants.applications.rules.arrival import words
from grants.applications.states import ApplicationState
from grants.calls.rules import LooseDate
from grants.core import clock
from grants.core.money import Money

S = ApplicationState
# Who moves an application on; what has ended waits for nobody.
WAITS_FOR: Mapping[ApplicationState, str] = {
    S.DRAFT: "its city",
    S.SUBMITTED: "the eligibility desk",
    S.ELIGIBLE: "the programme manager, who assigns evaluators",
    S.UNDER_EVALUATION: "evaluators, the panel and the selection decision",
    S.RESERVE: "budget that becomes free",
    S.SELECTED: "the project officer, who prepares the grant agreement",
    S.IN_PREPARATION: "both sides, who sign the grant agreement",
}
# Until when a state should be left: the results of the call, or the start of its pilots.
UNTIL_RESULTS = frozenset({S.SUBMITTED, S.ELIGIBLE, S.UNDER_EVALUATION})
UNTIL_START = frozenset({S.SELECTED, S.IN_PREPARATION})
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}


@dataclass(frozen=True, slots=True)
class Standing:
    """The applications of one state of a call, as they are counted."""

    call_id: UUID
    call_slug: str
    call_title: str
    state: ApplicationState
    number: int
    requested: Money
    oldest: datetime
    middle: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """What the call says of its own course."""

    results: LooseDate | None = None
    start: LooseDate | None = None

    def end_of(self, state: ApplicationState) -> LooseDate | None:
        """Until when a state should be left, as it was printed."""
        if state in UNTIL_RESULTS:
            return self.results
        return self.start if state in UNTIL_START else None


@dataclass(frozen=True, slots=True)
class Stage:
    """One column of the pipeline; days are whole ones in the present state."""

    state: ApplicationState
    number: int
    requested: Money
    oldest_days: int
    median_days: int
    waits_for: str
    planned: str
    late_days: int

    @property
    def title(self) -> str:
        """The state as a heading."""
        return words(self.state).capitalize()


def last_day(printed: LooseDate | None) -> date | None:
    """The last day a printed date can mean: itself, or the end of its month; None for what is vaguer.

    >>> last_day(LooseDate("February 2024"))
    datetime.date(2024, 2, 29)
    >>> last_day(LooseDate("mid-2025")) is None
    True
    """
    if printed is None:
        return None
    if printed.day is not None:
        return printed.day
    found = re.fullmatch(r"\s*([A-Za-z]+)\s+(20[0-9]{2})\s*", printed.literal)
    month = _MONTHS.get(found[1].lower()) if found else None
    if found is None or month is None:
        return None
    year = int(found[2])
    return date(year, month, calendar.monthrange(year, month)[1])


def stages(standing: tuple[Standing, ...], planned: Planned, now: datetime) -> tuple[Stage, ...]:
    """Every state in which something stands, in the order of the table of states."""
    by_state = {each.state: each for each in standing}
    return tuple(_stage(by_state[state], planned, now) for state in ApplicationState if state in by_state)


@dataclass(frozen=True, slots=True)
class CallStages:
    """One call among others: what waits for somebody, by state, and how what has ended ended."""

    slug: str
    title: str
    waiting: Mapping[ApplicationState, Stage]
    ended: tuple[Stage, ...]

    @property
    def number(self) -> int:
        """How many applications were sent to it."""
        return sum(each.number for each in (*self.waiting.values(), *self.ended))

    @property
    def requested(self) -> Money:
        """What they ask for together."""
        return sum((each.requested for each in (*self.waiting.values(), *self.ended)), Money(0))


def by_call(standing: Iterable[Standing], now: datetime) -> tuple[CallStages, ...]:
    """The calls in the order they come in, each with its states in the order of the table of states."""
    found: dict[tuple[str, str], list[Standing]] = {}
    for each in standing:
        found.setdefault((each.call_slug, each.call_title), []).append(each)
    return tuple(_call(*call, tuple(rows), now) for call, rows in found.items())


def _call(slug: str, title: str, rows: tuple[Standing, ...], now: datetime) -> CallStages:
    every = stages(rows, Planned(), now)
    waiting = {each.state: each for each in every if each.waits_for}
    return CallStages(slug, title, waiting, tuple(each for each in every if not each.waits_for))


def _stage(found: Standing, planned: Planned, now: datetime) -> Stage:
    printed = planned.end_of(found.state)
    until = last_day(printed)
    return Stage(
        state=found.state,
        number=found.number,
        requested=found.requested,
        oldest_days=(now - found.oldest).days,
        median_days=(now - found.middle).days,
        waits_for=WAITS_FOR.get(found.state, ""),
        planned=printed.literal if printed else "",
        late_days=max((clock.in_zone(now).date() - until).days, 0) if until else 0,
    )
