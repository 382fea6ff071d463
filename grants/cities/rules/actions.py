"""Actions and barriers of a Climate City Contract: what each line must say, and what a new file changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from grants.cities.states import ActionKind, EmissionDomain
from grants.core.errors import Invalid, quoted
from grants.core.text import csv_table

KIND_WORDS: Mapping[ActionKind, str] = {ActionKind.ACTION: "Action", ActionKind.BARRIER: "Barrier"}

DOMAIN_WORDS: Mapping[EmissionDomain, str] = {
    EmissionDomain.ENERGY: "(Thermal) energy",
    EmissionDomain.BUILDINGS: "Electricity and buildings",
    EmissionDomain.MOBILITY: "Mobility and transport",
    EmissionDomain.WASTE: "Waste management",
    EmissionDomain.LAND_USE: "Land use",
    EmissionDomain.INDUSTRY: "Industrial processes",
}

NUMBER_CHARACTERS_MAX = 20

TITLE_CHARACTERS_MAX = 200

SOURCE_CHARACTERS_MAX = 500

YEARS = range(1990, 2101)

# A large city plan has some ninety projects; a list of this length is another thing.
ACTIONS_MAX = 500

ACTION_COLUMNS = ("number", "title", "kind", "domain", "source", "year")


@dataclass(frozen=True, slots=True)
class ActionInput:
    """One line of a city's list as typed or imported."""

    number: str
    title: str
    kind: ActionKind
    domain: EmissionDomain | None
    source: str
    year: int | None = None
    synthetic: bool = False

    def checked(self) -> ActionInput:
        """This line tidy; raises :class:`Invalid` with a sentence for each field."""
        problems: dict[str, str] = {}
        tidy = {name: " ".join(getattr(self, name).split()) for name in ("number", "title", "source")}
        for name, limit, missing in (
            ("number", NUMBER_CHARACTERS_MAX, "Enter the number the contract gives it, for example B-2.1."),
            ("title", TITLE_CHARACTERS_MAX, "Enter what the action or barrier is called."),
            ("source", SOURCE_CHARACTERS_MAX, "Say where this stands: the document and its page, or an address."),
        ):
            if not tidy[name]:
                problems[name] = missing
            elif len(tidy[name]) > limit:
                problems[name] = f"This has {len(tidy[name])} characters; the limit is {limit}. Shorten it."
        if self.year is not None and self.year not in YEARS:
            problems["year"] = f"Enter a year from {YEARS[0]} to {YEARS[-1]}, or leave it empty."
        if problems:
            raise Invalid("This line of the list needs another look.", problems)
        return replace(self, number=tidy["number"], title=tidy["title"], source=tidy["source"])


@dataclass(frozen=True, slots=True)
class ActionView:
    """One line of a city's list as pages and applications see it."""

    id: UUID
    version: int
    city_id: UUID
    city: str
    number: str
    title: str
    kind: ActionKind
    domain: EmissionDomain | None
    source: str
    year: int | None
    synthetic: bool
    withdrawn_on: date | None
    withdrawn_why: str | None

    @property
    def said(self) -> ActionInput:
        """The line as it would be typed again."""
        return ActionInput(self.number, self.title, self.kind, self.domain, self.source, self.year, self.synthetic)


@dataclass(frozen=True, slots=True)
class ActionsRead:
    """What a file of a list says: lines that can be taken over, and what is wrong by cell."""

    lines: tuple[ActionInput, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ActionsDifference:
    """What taking a file over would do to a list; what the file does not name stays as it is."""

    new: tuple[ActionInput, ...]
    changed: tuple[tuple[ActionView, ActionInput], ...]
    same: int


def read_actions(text: str, *, synthetic: bool = False) -> ActionsRead:
    """Read a list from CSV with a comma, a semicolon or a tab; every fault is named by its cell, as a spreadsheet counts.

    >>> read_actions("number;title;kind;domain;source;year\\nB-1;Warm roofs;action;energy;Plan p. 3;1900").problems
    ('F2: Enter a year from 1990 to 2100, or leave it empty.',)
    """
    rows = csv_table(text)
    head = tuple(cell.casefold() for cell in rows[0]) if rows else ()
    if head != ACTION_COLUMNS:
        raise Invalid(
            f"The first line must name the columns: {', '.join(ACTION_COLUMNS)}. Take the empty list from here."
        )
    filled = [(number, row) for number, row in enumerate(rows[1:], 2) if any(row)]
    if len(filled) > ACTIONS_MAX:
        raise Invalid(f"The list has {len(filled)} lines; the limit is {ACTIONS_MAX}. Leave out what is done.")
    lines: list[ActionInput] = []
    problems: list[str] = []
    places: dict[str, int] = {}
    for number, row in filled:
        line, wrong = _action_of(row, number, synthetic=synthetic)
        if line is not None and line.number in places:
            wrong.append(f"A{number}: the number {quoted(line.number)} stands in line {places[line.number]} already.")
        problems += wrong
        if line is not None and not wrong:
            places[line.number] = number
            lines.append(line)
    return ActionsRead(tuple(lines), tuple(problems))


_LETTERS = dict(zip(ACTION_COLUMNS, "ABCDEF", strict=True))

_KINDS = {word.casefold(): kind for kind in ActionKind for word in (kind.value, KIND_WORDS[kind])}

_DOMAINS = {word.casefold(): domain for domain in EmissionDomain for word in (domain.value, DOMAIN_WORDS[domain])}


def _action_of(row: Sequence[str], number: int, *, synthetic: bool) -> tuple[ActionInput | None, list[str]]:
    """One line of a file, or None, and what is wrong in it by cell."""
    if len(row) > len(ACTION_COLUMNS):
        return None, [f"Line {number} has {len(row)} cells; the list has {len(ACTION_COLUMNS)} columns."]
    cells = dict(zip(ACTION_COLUMNS, (*(cell.strip() for cell in row), *[""] * len(ACTION_COLUMNS)), strict=False))
    problems: list[str] = []
    kind = _KINDS.get(cells["kind"].casefold())
    if kind is None:
        problems.append(f"C{number}: {quoted(cells['kind'])} is neither “action” nor “barrier”.")
    domain = _DOMAINS.get(cells["domain"].casefold())
    if cells["domain"] and domain is None:
        offered = ", ".join(domain.value for domain in EmissionDomain)
        problems.append(f"D{number}: {quoted(cells['domain'])} is none of {offered}. It may be empty.")
    year = int(cells["year"]) if re.fullmatch(r"[0-9]{1,4}", cells["year"]) else None
    if cells["year"] and year is None:
        problems.append(f"F{number}: {quoted(cells['year'])} is no year.")
    line = ActionInput(
        cells["number"], cells["title"], kind or ActionKind.ACTION, domain, cells["source"], year, synthetic
    )
    try:
        line = line.checked()
    except Invalid as error:
        problems += [f"{_LETTERS[name]}{number}: {sentence}" for name, sentence in error.problems.items()]
        return None, problems
    return line, problems


def actions_differ(standing: Iterable[ActionView], lines: Iterable[ActionInput]) -> ActionsDifference:
    """What the lines of a file change of a list, found by their numbers."""
    known = {each.number: each for each in standing}
    given = tuple(lines)
    changed = tuple(
        (known[line.number], line)
        for line in given
        if line.number in known and replace(line, synthetic=known[line.number].synthetic) != known[line.number].said
    )
    new = tuple(line for line in given if line.number not in known)
    return ActionsDifference(new, changed, len(given) - len(changed) - len(new))
