"""Scenarios: ways to select from one ranked list, saved under a name and compared side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from grants.awards.rules.plan import Plan
from grants.awards.states import Outcome
from grants.calls.rules import PLAIN_SELECTION, SelectionRules
from grants.core.errors import Invalid
from grants.core.money import ZERO, Money
from grants.dossiers.rules import clean_text

NAME_MAX = 80
SCENARIOS_MAX = 12


@dataclass(frozen=True, slots=True)
class ScenarioInput:
    """A scenario as it is typed; ``number`` names the one that is changed, None makes a new one."""

    name: str
    plan: Plan
    number: int | None = None
    version: int | None = None

    def checked(self) -> ScenarioInput:
        """The input with a clean name; raises :class:`Invalid` where there is none."""
        name = clean_text(self.name)
        if not name or len(name) > NAME_MAX or "\n" in name:
            raise Invalid("The scenario was not saved.", {"title": f"Give it a name of at most {NAME_MAX} characters."})
        return replace(self, name=name)


@dataclass(frozen=True, slots=True)
class ScenarioView:
    """A saved scenario; ``chosen_in`` is the number of the list that was decided from it, while that stands."""

    id: UUID
    number: int
    name: str
    plan: Plan
    version: int
    made_by: str
    made_at: datetime
    chosen_in: int | None


@dataclass(frozen=True, slots=True)
class KeptRow:
    """One application in what a scenario came to."""

    reference: str
    rank: int | None
    outcome: Outcome
    amount: Money
    rule_words: str = ""
    conditions: str = ""
    straddles: bool = False
    missing: Money = ZERO


@dataclass(frozen=True, slots=True)
class Kept:
    """What one scenario comes to, as a decision keeps it; ``number`` is None for the list by the rules of the call."""

    number: int | None
    name: str
    plan: Plan
    budget: Money
    used: Money
    line_words: str
    list_hash: str
    cities: int
    countries: int
    rows: tuple[KeptRow, ...]
    relaxed: tuple[str, ...] = ()
    # How many of the selected, and how much money, each country of a lead and each theme has.
    by_country: tuple[tuple[str, int, Money], ...] = ()
    by_theme: tuple[tuple[str, int, Money], ...] = ()
    # Nobody had worked out what it selects.
    unsolved: bool = False

    @property
    def column(self) -> Column:
        """Its figures beside those of the others."""
        chosen = sum(row.outcome is Outcome.SELECTED for row in self.rows)
        left = self.budget - self.used
        return Column(
            self.number,
            self.name,
            chosen,
            self.cities,
            self.countries,
            self.used,
            left,
            self.relaxed,
            self.by_country,
            self.by_theme,
        )


def compared(kept: Sequence[Kept], titles: Mapping[str, str]) -> tuple[Compared, ...]:
    """Each application above a threshold in each scenario, in the order of the first."""
    by_reference = [{row.reference: row for row in one.rows} for one in kept]
    rows = []
    for row in kept[0].rows if kept else ():
        each = [found[row.reference] for found in by_reference if row.reference in found]
        outcomes = tuple((one.outcome, one.amount) for one in each)
        if any(outcome is not Outcome.BELOW_THRESHOLD for outcome, _ in outcomes):
            rows.append(Compared(row.reference, titles.get(row.reference, ""), row.rank, outcomes))
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class Column:
    """What one scenario selects; ``number`` is None for the list by the rules of the call."""

    number: int | None
    name: str
    applications: int
    cities: int
    countries: int
    used: Money
    left: Money
    problems: tuple[str, ...] = ()
    by_country: tuple[tuple[str, int, Money], ...] = ()
    by_theme: tuple[tuple[str, int, Money], ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """One application in each scenario, in the order of the columns: its outcome and what it would get."""

    reference: str
    title: str
    rank: int | None
    outcomes: tuple[tuple[Outcome, Money], ...]

    @property
    def differs(self) -> bool:
        """Whether the scenarios disagree about it."""
        return len({(outcome, money) for outcome, money in self.outcomes}) > 1


@dataclass(frozen=True, slots=True)
class Share:
    """How many applications and how much money a country or a theme has in each scenario, in the order of the columns."""

    name: str
    of: tuple[tuple[int, Money], ...]

    @property
    def differs(self) -> bool:
        """Whether the scenarios disagree about it."""
        return len(set(self.of)) > 1


def _shares(columns: Sequence[Sequence[tuple[str, int, Money]]]) -> tuple[Share, ...]:
    held = [{name: (many, money) for name, many, money in column} for column in columns]
    names = sorted({name for column in held for name in column})
    return tuple(Share(name, tuple(column.get(name, (0, ZERO)) for column in held)) for name in names)


def shares_of(named: Iterable[tuple[Iterable[str], Money]]) -> tuple[tuple[str, int, Money], ...]:
    """How often each name stands there, and with how much money, by name.

    >>> shares_of([(("Heat", "Roads"), Money(5)), (("Heat",), Money(2))])[0]
    ('Heat', 2, Money(cents=7, currency='EUR'))
    """
    found: dict[str, tuple[int, Money]] = {}
    for names, money in named:
        for name in names:
            many, before = found.get(name, (0, ZERO))
            found[name] = (many + 1, before + money)
    return tuple((name, *found[name]) for name in sorted(found))


@dataclass(frozen=True, slots=True)
class ScenariosPage:
    """All scenarios of a call side by side; empty for whoever has a conflict with a row of the list."""

    call_id: UUID
    call_slug: str
    call_title: str
    partial: bool
    ready: bool
    columns: tuple[Column, ...] = ()
    rows: tuple[Compared, ...] = ()
    scenarios: tuple[ScenarioView, ...] = ()
    # The list that was decided: the figures are those it was decided beside.
    decided: int | None = None
    # The names of those that nobody worked out yet, which stand beside nothing.
    unsolved: tuple[str, ...] = ()
    # What the call publishes of its selection, and whether it draws by lot: what may depart from the list hangs on both.
    rules: SelectionRules = PLAIN_SELECTION
    draws: bool = False
    # How many have no score yet; which applications the list would forget, in words; whether rules may be tried at all.
    waiting: int = 0
    forgotten_words: str = ""
    whole: bool = True
    # Each theme of the call with its name.
    theme_names: tuple[tuple[str, str], ...] = ()

    @property
    def countries(self) -> tuple[Share, ...]:
        """What each country of a lead has in each scenario."""
        return _shares([column.by_country for column in self.columns])

    @property
    def themes(self) -> tuple[Share, ...]:
        """What each theme has in each scenario; an application counts for each of its themes."""
        names = dict(self.theme_names)
        return tuple(
            replace(each, name=names.get(each.name, each.name))
            for each in _shares([column.by_theme for column in self.columns])
        )

    @property
    def differing(self) -> tuple[Compared, ...]:
        """The applications about which the scenarios disagree."""
        return tuple(row for row in self.rows if row.differs)

    @property
    def not_beside(self) -> tuple[ScenarioView, ...]:
        """The older scenarios that the table has no column for."""
        shown = {column.number for column in self.columns}
        return tuple(each for each in self.scenarios if each.number not in shown and each.name not in self.unsolved)

    def differ_in(self, name: str) -> bool:
        """Whether a figure is not the same in every column."""
        return len({getattr(column, name) for column in self.columns}) > 1


@dataclass(frozen=True, slots=True)
class Aimed:
    """A set that makes another aim as large as it can be. ``inversions``: pairs in which the better-ranked one is left out."""

    words: str
    applications: int
    used: Money
    inversions: int
    countries: tuple[tuple[str, int, Money], ...]
    # What it comes to by each measure of the page, in words.
    measures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AimedRow:
    """One application in each set, in the order of the aims: None where it is selected, else its part of the inversions."""

    reference: str
    title: str
    rank: int | None
    of: tuple[int | None, ...]

    @property
    def tells(self) -> bool:
        """Whether the aims disagree about it, or one of them leaves it out for a worse rank."""
        return any(self.of) or len({each is None for each in self.of}) > 1


# So many applications are named beside other aims; the list has them all.
AIMED_NAMED_MAX = 100


@dataclass(frozen=True, slots=True)
class WhatIfPage:
    """The list as ranked beside what other aims would select: never a decision."""

    call_slug: str
    call_title: str
    partial: bool
    aims: tuple[Aimed, ...] = ()
    # The applications the aims disagree about, the best-ranked first, and how many more there are.
    rows: tuple[AimedRow, ...] = ()
    more: int = 0
    # Aims that are not offered, each with the reason.
    unknown: tuple[str, ...] = ()
    # The list that was decided: other aims are only reckoned before.
    decided: int | None = None
    call_id: UUID | None = None
    # Nobody worked out yet what they select from the list as it is; or why no answer was proven.
    unsolved: bool = False
    problems: tuple[str, ...] = ()
    # Nobody of the list is above the thresholds.
    nobody: bool = False
    # What each set is measured by, and what is said of that.
    heads: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> list[tuple[str, str]]:
        """The columns of the table of aims, each with what it holds."""
        plain = [("Aim", "text"), ("Applications", "num"), ("Used, EUR", "num"), ("Inversions", "num")]
        return [*plain, *((head, "num") for head in self.heads)]


def wrong_name(name: str, number: int | None, saved: Mapping[int, str]) -> dict[str, str]:
    """What is wrong with the name of a scenario beside those a call has, by number; ``number`` is None for one more.

    >>> wrong_name("Islands", None, {1: "Islands"})
    {'title': 'Another scenario of this call has this name. Give it its own.'}
    """
    if any(taken == name and other != number for other, taken in saved.items()):
        return {"title": "Another scenario of this call has this name. Give it its own."}
    if number is None and len(saved) >= SCENARIOS_MAX:
        return {"title": f"A call has at most {SCENARIOS_MAX} scenarios. Change one."}
    return {}
