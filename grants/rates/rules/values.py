"""Rates as they are published: of a kind, a currency and a day; and what pages show of a table of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from grants.rates.states import RateKind, TableState

EURO = "EUR"

# What the rates of a kind are called, who publishes them, and where they are found.
KIND_WORDS: Mapping[RateKind, str] = {
    RateKind.ECB_DAILY: "ECB daily rates",
    RateKind.INFOREURO: "InforEuro monthly rates",
    RateKind.REFERENCE: "ECB main refinancing rate",
}
UNIT_WORDS: Mapping[RateKind, str] = {
    RateKind.ECB_DAILY: "units for one euro, each working day",
    RateKind.INFOREURO: "units for one euro, each month",
    RateKind.REFERENCE: "per cent a year, from the day it begins",
}


@dataclass(frozen=True, slots=True)
class Series:
    """The rates of one currency by day, in order of days; of a month the day is its first."""

    currency: str
    rates: Mapping[date, Decimal]

    @property
    def first_on(self) -> date:
        return min(self.rates)

    @property
    def last_on(self) -> date:
        return max(self.rates)


@dataclass(frozen=True, slots=True)
class Rates:
    """All that one file says."""

    kind: RateKind
    series: tuple[Series, ...]

    @property
    def count(self) -> int:
        return sum(len(each.rates) for each in self.series)

    @property
    def first_on(self) -> date:
        return min(each.first_on for each in self.series)

    @property
    def last_on(self) -> date:
        return max(each.last_on for each in self.series)

    def of(self, currency: str) -> Mapping[date, Decimal]:
        return next((each.rates for each in self.series if each.currency == currency), {})


@dataclass(frozen=True, slots=True)
class TableView:
    """One imported file: what it brought, and what was odd in it."""

    id: UUID
    kind: RateKind
    number: int
    state: TableState
    source: str
    file_id: UUID
    file_name: str
    file_sha256: str
    imported_at: datetime
    imported_by: str
    accepted_at: datetime | None
    accepted_by: str | None
    words: str | None
    first_on: date | None
    last_on: date | None
    added: int
    changed: int
    problems: tuple[str, ...]
    flags: tuple[str, ...]
    version: int

    @property
    def title(self) -> str:
        return f"{KIND_WORDS[self.kind]}, table {self.number}"


@dataclass(frozen=True, slots=True)
class RateView:
    """One rate that counts, and the table it comes from."""

    on: date
    rate: Decimal
    table: int
