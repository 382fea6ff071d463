"""The list of applications as a person asks for it: filters, order, columns, each with its words and its place in the address. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeVar

from grants.applications.rules.arrival import words
from grants.applications.rules.searching import SEARCH_CHARACTERS_MAX
from grants.applications.rules.values import ListFilter
from grants.applications.states import ApplicationState
from grants.core.errors import no_such, quoted, there_are

DAYS_MAX = 9_999


class Order(StrEnum):
    """What the list is ordered by; the value stands in the address, with a minus before it for the other way round."""

    REFERENCE = "reference"
    TITLE = "title"
    LEAD = "city"
    STATE = "state"
    ASKED = "asked"
    SENT = "sent"
    AGE = "since"

    @property
    def label(self) -> str:
        """What a person chooses."""
        return _ORDER_WORDS[self][0]


_ORDER_WORDS: Mapping[Order, tuple[str, str, str]] = {
    Order.REFERENCE: ("Reference", "lowest first", "highest first"),
    Order.TITLE: ("Title", "A to Z", "Z to A"),
    Order.LEAD: ("City", "A to Z", "Z to A"),
    Order.STATE: ("State", "A to Z", "Z to A"),
    Order.ASKED: ("Amount asked for", "smallest first", "largest first"),
    Order.SENT: ("Sent", "earliest first", "latest first"),
    Order.AGE: ("In this state since", "longest first", "shortest first"),
}


@dataclass(frozen=True, slots=True)
class Sorting:
    """An order and its direction; without a wish the newest reference stands first."""

    by: Order = Order.REFERENCE
    descending: bool = True

    @property
    def code(self) -> str:
        """As it stands in the address.

        >>> Sorting(Order.TITLE, descending=False).code, Sorting().code
        ('title', '-reference')
        """
        return f"{'-' if self.descending else ''}{self.by.value}"

    @property
    def words(self) -> str:
        """As a sentence tells it.

        >>> Sorting(Order.ASKED, descending=True).words
        'amount asked for, largest first'
        """
        return f"{self.title[0].lower()}{self.title[1:]}"

    @property
    def title(self) -> str:
        """As a choice tells it.

        >>> Sorting(Order.TITLE, descending=False).title
        'Title, A to Z'
        """
        label, up, down = _ORDER_WORDS[self.by]
        return f"{label}, {down if self.descending else up}"

    def turned(self, by: Order) -> Sorting:
        """What the head of a column asks for: this order, or the other way round where it is the present one."""
        return Sorting(by, descending=not self.descending if by is self.by else False)


STATES = tuple(ApplicationState)
SORTINGS = tuple(Sorting(by, descending=descending) for by in Order for descending in (False, True))


class Column(StrEnum):
    """What the list can show beside the title; the value stands in the address."""

    LEAD = "lead"
    CALL = "call"
    STATE = "state"
    ASKED = "asked"
    SENT = "sent"
    AGE = "since"
    PARTNERS = "partners"

    @property
    def label(self) -> str:
        """The head of the column."""
        return _COLUMN_WORDS[self]


_COLUMN_WORDS: Mapping[Column, str] = {
    Column.LEAD: "Lead",
    Column.CALL: "Call",
    Column.STATE: "State",
    Column.ASKED: "Asked for",
    Column.SENT: "Sent or due",
    Column.AGE: "In this state",
    Column.PARTNERS: "Organisations",
}
COLUMNS_SHOWN = (Column.LEAD, Column.STATE, Column.ASKED, Column.SENT)


@dataclass(frozen=True, slots=True)
class Listing:
    """One list: what it is narrowed to, in which order, with which columns; ``problems`` are what could not be understood."""

    wanted: ListFilter = field(default_factory=ListFilter)
    sorting: Sorting = field(default_factory=Sorting)
    columns: tuple[Column, ...] = COLUMNS_SHOWN
    problems: tuple[tuple[str, str], ...] = ()

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The list as name and value of each part of its address, always in one order; what goes without saying is left out."""
        wanted = self.wanted
        found = [("q", wanted.search), ("programme", wanted.programme), ("call", wanted.call_slug)]
        found += [("state", state.value) for state in wanted.states]
        found += [("country", wanted.country_code), ("days", str(wanted.days) if wanted.days else "")]
        found += [("sort", self.sorting.code)] if self.sorting != Sorting() else []
        found += [("show", column.value) for column in self.columns] if self.columns != COLUMNS_SHOWN else []
        return tuple((name, value) for name, value in found if value)

    @property
    def unfiltered(self) -> Listing:
        """The whole list in the same order."""
        return replace(self, wanted=ListFilter(), problems=())

    def ordered(self, sorting: Sorting) -> Listing:
        """The same list in another order."""
        return replace(self, sorting=sorting)

    def without(self, problems: Iterable[tuple[str, str]]) -> Listing:
        """The list without the filters of which these sentences tell; what was not understood is no part of it anyhow."""
        named = {name for name, _ in problems}
        wanted = replace(
            self.wanted,
            call_slug="" if "call" in named else self.wanted.call_slug,
            programme="" if "programme" in named else self.wanted.programme,
            country_code="" if "country" in named else self.wanted.country_code,
        )
        return replace(self, wanted=wanted, problems=())


Known = TypeVar("Known", bound=StrEnum)


def read_listing(pairs: Iterable[tuple[str, str]]) -> Listing:
    """What the parts of an address ask for. What is not understood is told in a sentence each, never passed over.

    >>> read_listing([("state", "nonsense"), ("sort", "-title")]).problems
    (('state', 'There is no state “nonsense”. There are: draft, submitted, withdrawn, eligible, ineligible, under evaluation, selected, reserve, below threshold, not funded, in preparation, awarded, declined, dropped.'),)
    """
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if value.strip():
            given.setdefault(name, []).append(value.strip())
    problems: list[tuple[str, str]] = []

    def one(name: str) -> str:
        return given.get(name, [""])[-1]

    states = tuple(
        state for value in given.get("state", ()) if (state := _known(ApplicationState, "state", value, problems))
    )
    country = one("country").upper()
    if country and not re.fullmatch("[A-Z]{2}", country):
        problems.append(("country", f"There is no country {quoted(country)}: it is two letters, such as PL."))
        country = ""
    days = one("days")
    if days and not re.fullmatch("[0-9]{1,4}", days):
        problems.append(("days", f"{quoted(days)} is no number of days. Write 1 to {DAYS_MAX}."))
        days = ""
    wanted = ListFilter(
        call_slug=one("call"),
        states=tuple(dict.fromkeys(states)),
        country_code=country,
        search=one("q")[:SEARCH_CHARACTERS_MAX],
        programme=one("programme"),
        days=int(days or 0),
    )
    shown = tuple(
        column for value in given.get("show", ()) if (column := _known(Column, "column", value, problems, name="show"))
    )
    return Listing(
        wanted,
        _sorting(one("sort"), problems),
        tuple(column for column in Column if column in shown) or COLUMNS_SHOWN,
        tuple(problems),
    )


def _known(
    kind: type[Known], noun: str, value: str, problems: list[tuple[str, str]], *, name: str = ""
) -> Known | None:
    for each in kind:
        if each.value == value:
            return each
    # As the page calls them: an order and a column have a label of their own.
    offered = (str(getattr(each, "label", each.value.replace("_", " "))) for each in kind)
    problems.append((name or noun, no_such(noun, value, offered)))
    return None


def _sorting(value: str, problems: list[tuple[str, str]]) -> Sorting:
    order = _known(Order, "order", value.removeprefix("-"), problems, name="sort") if value else None
    return Sorting(order, descending=value.startswith("-")) if order else Sorting()


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in words, and the list without it."""

    words: str
    without: Listing


def chips(listing: Listing, calls: Mapping[str, str]) -> tuple[Chip, ...]:
    """Each filter by itself, to be taken away; ``calls`` are the titles by slug of the calls a person may see."""
    wanted = listing.wanted

    def chip(said: str, **changes: Any) -> Chip:
        return Chip(said, replace(listing, wanted=replace(wanted, **changes)))

    found = [chip(f"Search: {wanted.search}", search="")] if wanted.search else []
    found += [chip(f"Programme: {wanted.programme}", programme="")] if wanted.programme else []
    if wanted.call_slug:
        found.append(chip(f"Call: {calls.get(wanted.call_slug, wanted.call_slug)}", call_slug=""))
    for state in wanted.states:
        left = tuple(each for each in wanted.states if each is not state)
        found.append(chip(f"State: {words(state)}", states=left))
    found += [chip(f"Country: {wanted.country_code}", country_code="")] if wanted.country_code else []
    if wanted.days:
        found.append(chip(f"In its state for {days_words(wanted.days)} or more", days=0))
    return tuple(found)


def days_words(days: int) -> str:
    """A number of days with its noun.

    >>> days_words(1), days_words(12)
    ('1 day', '12 days')
    """
    return "1 day" if days == 1 else f"{days} days"


def filter_words(listing: Listing, calls: Mapping[str, str]) -> str:
    """The whole filter as one line, for a file that leaves the program."""
    return "; ".join(chip.words for chip in chips(listing, calls)) or "none: every application you may see"


def stale(
    wanted: ListFilter, calls: Mapping[str, str], programmes: Collection[str], countries: Collection[str]
) -> tuple[tuple[str, str], ...]:
    """What a filter names that is not there for this person (any more), in a sentence each, with what there is."""
    found = []
    for name, value, offered in (
        ("call", wanted.call_slug, calls.keys()),
        ("programme", wanted.programme, programmes),
        ("country", wanted.country_code, countries),
    ):
        if value and value not in offered:
            there = f" {there_are(offered)}" if offered else ""
            found.append((name, f"There is no {name} {quoted(value)} with applications you may see.{there}"))
    return tuple(found)
