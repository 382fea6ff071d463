"""Cities, their parts in earlier pilots and their organisations as frozen values, and what may be entered of one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from grants.cities.states import LabelStatus, OrganisationLink, Part
from grants.core.errors import Invalid, quoted
from grants.core.text import fold
from grants.identity.rules import EU_SPELLINGS

# English names of the countries a register can meet, by ISO 3166-1 code; EU documents write UK and EL.
COUNTRIES: Mapping[str, str] = {
    "AL": "Albania", "AT": "Austria", "BA": "Bosnia and Herzegovina", "BE": "Belgium", "BG": "Bulgaria",
    "CH": "Switzerland", "CY": "Cyprus", "CZ": "Czechia", "DE": "Germany", "DK": "Denmark", "EE": "Estonia", "ES": "Spain",
    "FI": "Finland", "FR": "France", "GB": "United Kingdom", "GE": "Georgia", "GR": "Greece", "HR": "Croatia",
    "HU": "Hungary", "IE": "Ireland", "IL": "Israel", "IS": "Iceland", "IT": "Italy", "LT": "Lithuania",
    "LU": "Luxembourg", "LV": "Latvia", "MD": "Moldova", "ME": "Montenegro", "MK": "North Macedonia", "MT": "Malta",
    "NL": "Netherlands", "NO": "Norway", "PL": "Poland", "PT": "Portugal", "RO": "Romania", "RS": "Serbia",
    "SE": "Sweden", "SI": "Slovenia", "SK": "Slovakia", "TR": "Türkiye", "UA": "Ukraine", "XK": "Kosovo",
}  # fmt: skip

YEARS_OF_COHORTS = {"1": "2022", "2": "2023", "3": "2024"}


def country_code(text: str) -> str:
    """A country code as ISO writes it; raises :class:`Invalid` for one the register does not know.

    >>> country_code("uk")
    'GB'
    """
    if not text.strip():
        raise Invalid("The country is missing. Write its two letters, for example PL.")
    code = EU_SPELLINGS.get(text.strip().upper(), text.strip().upper())
    if code not in COUNTRIES:
        raise Invalid(f"{quoted(text)} is no country code. Write two letters, for example PL.")
    return code


def call_label(cohort: str) -> str:
    """What an earlier call is called in the register.

    >>> call_label("1")
    'NetZeroCities pilots, cohort 1 (2022)'
    """
    return f"NetZeroCities pilots, cohort {cohort} ({YEARS_OF_COHORTS[cohort]})"


@dataclass(frozen=True, slots=True)
class CityInput:
    """What makes an entry of the register. ``part_of`` is the name of the Mission entry a city belongs to."""

    name: str
    country_code: str
    local_name: str | None = None
    also_called: tuple[str, ...] = ()
    mission_city: bool = False
    label_status: LabelStatus = LabelStatus.NOT_APPLICABLE
    label_awarded: str | None = None
    population: int | None = None
    part_of: str | None = None
    organisation_id: UUID | None = None
    source_url: str | None = None
    confidence: str | None = None
    note: str | None = None
    synthetic: bool = False

    @property
    def folded(self) -> str:
        """All names without case and diacritics, for search."""
        return fold(" | ".join(filter(None, (self.name, self.local_name, *self.also_called))))


@dataclass(frozen=True, slots=True)
class ParticipationInput:
    """One city in one pilot of an earlier call."""

    city: str
    call_label: str
    pilot_key: str
    role: Part
    pilot_title: str | None = None
    source_url: str | None = None
    confidence: str | None = None


@dataclass(frozen=True, slots=True)
class ParticipationView:
    """A participation as pages show it."""

    call_label: str
    pilot_title: str | None
    role: Part
    source_url: str | None
    confidence: str | None


@dataclass(frozen=True, slots=True)
class AdvisorView:
    """Somebody who advises a city for the programme, and since when."""

    id: UUID
    handle: str
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class CityView:
    """A city as pages and other stages see it."""

    id: UUID
    version: int
    slug: str
    name: str
    local_name: str | None
    country_code: str
    mission_city: bool
    label_status: LabelStatus
    label_awarded: str | None
    population: int | None
    part_of: str | None
    organisation_id: UUID | None
    organisation_link: OrganisationLink | None
    source_url: str | None
    confidence: str | None
    note: str | None
    synthetic: bool
    participations: tuple[ParticipationView, ...]

    @property
    def country(self) -> str:
        """The country in English."""
        return COUNTRIES.get(self.country_code, self.country_code)

    @property
    def title(self) -> str:
        """The name, with the local one where it differs: “Padua (Padova)”."""
        return f"{self.name} ({self.local_name})" if self.local_name and self.local_name != self.name else self.name


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """What loading the register changed."""

    added: int
    changed: int
    participations_added: int
    linked: int = 0


@dataclass(frozen=True, slots=True)
class OrganisationChoice:
    """An organisation that may act for a city, for a choice; ``suggested`` where a name of it and of the city are the same."""

    id: UUID
    name: str
    town: str
    kind: str
    country_code: str
    synthetic: bool
    suggested: bool

    @property
    def words(self) -> str:
        """As a choice: the name, what it is, where it lies, and what is special about it."""
        place = f", {self.town}" if self.town and self.town != self.name else ""
        marks = [
            word for word, holds in (("invented", self.synthetic), ("same name as the city", self.suggested)) if holds
        ]
        return f"{self.name} ({self.kind}{place}, {self.country_code})" + (f": {', '.join(marks)}" if marks else "")


# What stands before the name of a place in the official name of its municipality.
_MUNICIPAL = (
    "municipality of ", "city of ", "town of ", "comune di ", "ville de ", "commune de ", "gemeente ", "stadt ",
    "landeshauptstadt ", "ayuntamiento de ", "ajuntament de ", "concello de ", "municipio de ", "camara municipal de ",
    "miasto ", "gmina miasto ", "mesto ", "statutarni mesto ", "obcina ", "mestna obcina ", "grad ", "primaria ",
    "municipiul ", "stad ", "kommune ", "dimos ", "linna ",
)  # fmt: skip


def places_named(*names: str | None) -> frozenset[str]:
    """The places these official names may mean, folded: with and without what a municipality puts before its name.

    >>> sorted(places_named("Comune di Padova", None))
    ['comune di padova', 'padova']
    """
    found = {fold(name) for name in names if name}
    return frozenset(
        found | {name.removeprefix(before) for name in found for before in _MUNICIPAL if name.startswith(before)}
    )


def own_names(folded: str) -> frozenset[str]:
    """All names of a city, from the text its search reads."""
    return frozenset(filter(None, folded.split(" | ")))


def checked(given: CityInput) -> CityInput:
    """The same input with tidy names; raises :class:`Invalid` with a sentence for each field."""
    problems = {}
    name = " ".join(given.name.split())
    if not name:
        problems["name"] = "Enter the name of the city."
    try:
        code = country_code(given.country_code)
    except Invalid as error:
        code = given.country_code
        problems["country_code"] = str(error)
    if given.population is not None and given.population <= 0:
        problems["population"] = "Inhabitants are counted from one. Leave the field empty if the number is not known."
    if given.label_awarded and not re.fullmatch(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?", given.label_awarded):
        problems["label_awarded"] = "Write the day or the month of the label, for example 2023-10-12 or 2025-05."
    if problems:
        raise Invalid("The city is not complete.", problems)
    return replace(given, name=name, country_code=code)


def slug_of(name: str, code: str, taken: Iterable[str] = ()) -> str:
    """The address of a city: its folded name; the country follows where another city has that name.

    >>> slug_of("Łódź", "PL")
    'lodz'
    """
    used = set(taken)
    stem = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-") or "city"
    if stem not in used:
        return stem
    stem = f"{stem}-{code.lower()}"
    if stem not in used:
        return stem
    return next(slug for number in range(2, len(used) + 3) if (slug := f"{stem}-{number}") not in used)
