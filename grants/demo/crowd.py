"""The many of the demo: real pilots of cohort 1 from a file beside it, and invented municipalities, evaluators and accounts."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from urllib.parse import urlsplit

from grants.awards.states import AmountBasis, EndedElsewhere
from grants.core.text import fold

# Who writes and signs for a real city in the demo: an invented person whose surname says so in the city’s own language.
INVENTED_NAMES = {
    "BE": ("Lotte Voorbeeld",),
    "CY": ("Eléna Paradeigmatí",),
    "CZ": ("Jana Příkladová",),
    "DE": ("Anna Beispiel",),
    "ES": ("Lucía Ejemplo",),
    "FI": ("Aino Esimerkki", "Eero Esimerkki"),
    "FR": ("Léa Exemple", "Hugo Exemple"),
    "GB": ("Olive Example",),
    "GR": ("Níki Parádeigma",),
    "HU": ("Dóra Példa",),
    "IE": ("Nora Sampla",),
    "IT": ("Carla Esempio",),
    "NL": ("Daan Voorbeeld",),
    "NO": ("Kari Eksempel",),
    "PL": ("Kinga Przykład",),
    "PT": ("Inês Exemplo",),
    "RO": ("Dan Exemplu",),
    "SE": ("Elsa Exempel", "Nils Exempel", "Stina Exempel"),
    "SI": ("Maja Primer",),
    "TR": ("Deniz Örnek",),
    "UA": ("Olha Pryklad",),
}
INVENTED_JOB = "Writes and signs for a real city (invented person)"

# Amounts nobody published, within what the call had: invented, and marked so wherever they stand.
SYNTHETIC_EUROS = {
    "Bologna": 1_500_000,
    "Kranj": 1_500_000,
    "Barcelona": 1_500_000,
    "Istanbul": 1_500_000,
    "Leuven": 1_500_000,
    "Malmö": 1_500_000,
    "Nantes": 1_500_000,
    "Dijon": 1_500_000,
    "Turku": 1_500_000,
    "Limassol": 1_000_000,
    "Lahti": 1_000_000,
    "Umeå": 1_000_000,
    "Uppsala": 1_000_000,
    "Kozani": 1_000_000,
    "Liberec": 1_000_000,
    "Galway": 1_000_000,
    "Drammen": 500_000,
    "Rivne": 500_000,
}


@dataclass(frozen=True, slots=True)
class RealPilot:
    """A pilot of cohort 1 as published; contact, account, and what its note names are invented."""

    title: str
    acronym: str
    cities: tuple[tuple[str, str], ...]
    euros: int
    basis: AmountBasis
    source: str
    note: str
    # Who takes part beside the cities, as published; empty where that is not known.
    organisations: tuple[str, ...] = ()

    @property
    def about(self) -> str:
        """What is known of it in words, each fact as published, with its source."""
        names = [name for name, _ in self.cities]
        beside = (
            f" Beside {'it' if len(names) == 1 else 'them'}: {', '.join(self.organisations)}."
            if self.organisations
            else ""
        )
        return (
            f"A pilot of {' and '.join(filter(None, (', '.join(names[:-1]), names[-1])))} ({self.cities[0][1]}), selected in "
            f"cohort 1 of the Pilot Cities Programme.{beside} Source: {self.source}"
        )

    @property
    def lead(self) -> str:
        """The key of whoever writes and signs for it."""
        return key_of(*self.cities[0])


@dataclass(frozen=True, slots=True)
class Municipality:
    """An invented municipality, and the invented person who writes for it."""

    name: str
    country: str
    contact: str

    @property
    def key(self) -> str:
        """The key of both."""
        return key_of(self.name, self.country)


@dataclass(frozen=True, slots=True)
class OtherOf2022:
    """An invented application beside the real pilots of 2022: its municipalities, and how it ended."""

    title: str
    cities: tuple[Municipality, ...]
    ended: EndedElsewhere
    reason: str
    euros: int


@dataclass(frozen=True, slots=True)
class Judge:
    """An invented evaluator of the large call, with the organisation they work for."""

    key: str
    name: str
    organisation: str
    country: str
    field: str


def key_of(name: str, country: str) -> str:
    """One key for a place: ``ro_targu_stefanel``."""
    return f"{country.lower()}_{re.sub(r'[^a-z0-9]+', '_', fold(name)).strip('_')}"


def _rows(file: str) -> Iterator[dict[str, str]]:
    text = resources.files("grants.demo").joinpath(f"data/{file}").read_text(encoding="utf-8")
    return iter(csv.DictReader(text.splitlines()))


def pilots() -> tuple[RealPilot, ...]:
    """The 25 real pilots with their 53 cities, in the order of the file."""
    return tuple(_pilot(row) for row in _rows("cohort_1.csv"))


def _pilot(row: dict[str, str]) -> RealPilot:
    partners = [name for name in row["partners"].split("; ") if name]
    names = [row["lead"], *partners] if row["lead"] else sorted(partners)
    lead = names[0]
    published = bool(row["euros"])
    return RealPilot(
        title=row["title"] or f"Pilot of {lead}",
        acronym=row["acronym"],
        cities=tuple((name, row["countries"]) for name in names),
        euros=int(row["euros"]) if published else SYNTHETIC_EUROS[lead],
        basis=AmountBasis.PUBLISHED if published else AmountBasis.SYNTHETIC,
        source=row["source"],
        note=" ".join(_notes(row, lead)),
        organisations=tuple(name for name in row["organisations"].split("; ") if name),
    )


def _notes(row: dict[str, str], lead: str) -> Iterator[str]:
    """What of a real pilot is not known, and what is invented instead; it follows the grant everywhere."""
    yield "Pilot and cities are real, see the source."
    if row["euros"]:
        yield f"The amount is published ({row['precision']}, {urlsplit(row['amount_source']).hostname})."
    else:
        yield "No amount was found: the amount is synthetic."
    if not row["title"]:
        yield f"No title was found: it is named after {lead}."
    if not row["lead"]:
        yield f"Lead assumed for the demo: {lead}, the first by alphabet."
    if row["confidence"] == "inferred":
        yield "That this city had this pilot is inferred."
    yield "People, account, texts, shares, reports and all dates after the selection are synthetic."


def municipalities() -> tuple[Municipality, ...]:
    """The 106 invented municipalities of 33 countries."""
    return tuple(Municipality(**row) for row in _rows("municipalities.csv"))


def judges() -> tuple[Judge, ...]:
    """The invented evaluators who join those of the cast for the large call."""
    return tuple(Judge(**row) for row in _rows("evaluators.csv"))


def contact_names() -> dict[str, str]:
    """The invented person of each real lead city, by its key."""
    left = {country: list(names) for country, names in INVENTED_NAMES.items()}
    return {pilot.lead: left[pilot.cities[0][1]].pop(0) for pilot in pilots()}


THEMES = (
    "Shared Roofs", "Night Buses", "Warm Stairwells", "Heat from the River", "Cool Squares", "Repair Street",
    "One Meter a House", "Car-free Saturday", "The Loan Office", "Timber School", "Quiet Quay", "Sun on the Market",
    "Neighbours’ Boiler", "Slow Lanes", "Second Windows", "Compost Round", "The Energy Table", "Green Depot",
    "Old Mill, New Power", "Tenants’ Tariff", "Shade for Trams", "Bath without Gas", "Cargo Bikes for All", "Open Ledger",
    "Lamps that Dim", "Harbour Current",
)  # fmt: skip

_WITHDRAWN = "The municipality withdrew it after the deadline, because its council did not vote the own staff."
_INELIGIBLE = (
    "The application named no body that may act for the municipality.",
    "The territory of the pilot overlaps with another application of the same call.",
)
_NOT_FUNDED = "The money of the call did not reach it."


def others_of_2022() -> tuple[OtherOf2022, ...]:
    """78 invented applications of all 106 invented municipalities: 64 alone, 14 by three together."""
    places = municipalities()
    alone, together = places[:64], places[64:]
    groups = [(each,) for each in alone] + [tuple(together[at : at + 3]) for at in range(0, len(together), 3)]
    return tuple(_other(number, cities) for number, cities in enumerate(groups))


def _other(number: int, cities: tuple[Municipality, ...]) -> OtherOf2022:
    if number % 13 == 5:
        ended, reason = EndedElsewhere.WITHDRAWN, _WITHDRAWN
    elif number % 9 == 4:
        ended, reason = EndedElsewhere.INELIGIBLE, _INELIGIBLE[number % 2]
    else:
        ended, reason = EndedElsewhere.NOT_FUNDED, _NOT_FUNDED
    euros = 1_500_000 if len(cities) > 1 else (500_000, 750_000, 1_000_000, 1_250_000)[number % 4]
    return OtherOf2022(f"{theme(number)} in {cities[0].name}", cities, ended, reason, euros)


def theme(number: int) -> str:
    """One of the invented titles, the same for the same number."""
    return THEMES[number * 7 % len(THEMES)]


# How an account number of each country goes on after its two check digits: letters (a), then digits to the full length.
_ACCOUNT_LENGTH = {
    "AT": 20, "BE": 16, "BG": 22, "BA": 20, "HR": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
    "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LT": 20, "LU": 20, "LV": 21,
    "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "TR": 26, "UA": 29,
}  # fmt: skip
_ACCOUNT_LETTERS = {
    "BG": "DEMO",
    "GB": "DEMO",
    "IE": "DEMO",
    "IT": "D",
    "LV": "DEMO",
    "MT": "DEMO",
    "NL": "DEMO",
    "RO": "DEMO",
}


def invented_iban(country: str, number: int) -> str:
    """An account number of the right form that no bank gave out: zeros, a number, and its check digits.

    >>> invented_iban("NL", 7)
    'NL84DEMO0000000007'
    """
    letters = _ACCOUNT_LETTERS.get(country, "")
    bban = letters + str(number).zfill(_ACCOUNT_LENGTH[country] - 4 - len(letters))
    digits = "".join(str(int(each, 36)) for each in f"{bban}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{bban}"
