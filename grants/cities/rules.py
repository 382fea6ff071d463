"""What the city register holds and shows, and how its data files are read; text in, frozen values out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from grants.cities.states import ActionKind, EmissionDomain, LabelStatus, OrganisationLink, Part
from grants.core.errors import Invalid, Problem, Problems, quoted
from grants.core.text import fold

# English names of the countries a register can meet, by ISO 3166-1 code; EU documents write UK and EL.
COUNTRIES: Mapping[str, str] = {
    "AL": "Albania", "AT": "Austria", "BA": "Bosnia and Herzegovina", "BE": "Belgium", "BG": "Bulgaria",
    "CY": "Cyprus", "CZ": "Czechia", "DE": "Germany", "DK": "Denmark", "EE": "Estonia", "ES": "Spain",
    "FI": "Finland", "FR": "France", "GB": "United Kingdom", "GE": "Georgia", "GR": "Greece", "HR": "Croatia",
    "HU": "Hungary", "IE": "Ireland", "IL": "Israel", "IS": "Iceland", "IT": "Italy", "LT": "Lithuania",
    "LU": "Luxembourg", "LV": "Latvia", "MD": "Moldova", "ME": "Montenegro", "MK": "North Macedonia", "MT": "Malta",
    "NL": "Netherlands", "NO": "Norway", "PL": "Poland", "PT": "Portugal", "RO": "Romania", "RS": "Serbia",
    "SE": "Sweden", "SI": "Slovenia", "SK": "Slovakia", "TR": "Türkiye", "UA": "Ukraine", "XK": "Kosovo",
}  # fmt: skip
EU_SPELLINGS = {"UK": "GB", "EL": "GR"}

YEARS_OF_COHORTS = {"1": "2022", "2": "2023", "3": "2024"}


def country_code(text: str) -> str:
    """A country code as ISO writes it; raises :class:`Invalid` for one the register does not know.

    >>> country_code("uk")
    'GB'
    """
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
class Register:
    """Everything the data files say."""

    cities: tuple[CityInput, ...]
    participations: tuple[ParticipationInput, ...]


@dataclass(frozen=True, slots=True)
class ParticipationView:
    """A participation as pages show it."""

    call_label: str
    pilot_title: str | None
    role: Part
    source_url: str | None
    confidence: str | None


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


# --- the data files -----------------------------------------------------------------------------------------------


def read_register(mission: str, pilots: str, names: str) -> Register:
    """The three data files as one register; raises :class:`Problems` with every row that does not fit."""
    problems: list[Problem] = []
    named = {(row["name"], row["country_code"]): row for row in _rows(names)}
    cities = [_mission_city(row, named.get((row["city"], row["country_code"]))) for row in _rows(mission)]
    known = {(city.name, city.country_code) for city in cities}
    cities += [_other_city(row) for key, row in named.items() if key not in known]
    by_name = _by_name(cities, problems)
    found: list[ParticipationInput] = []
    for row in _rows(pilots):
        found += _of_pilot(row, by_name, problems)
    found += _of_cohorts_only(_rows(mission), cities, found)
    if problems:
        raise Problems("The register was not loaded.", problems)
    return Register(tuple(cities), tuple(found))


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def _mission_city(row: Mapping[str, str], name: Mapping[str, str] | None) -> CityInput:
    labelled = row["mission_label_status"] == "labelled"
    return CityInput(
        name=row["city"],
        country_code=row["country_code"],
        local_name=(name["local_name"] or None) if name else None,
        also_called=_also(name),
        mission_city=True,
        label_status=LabelStatus.LABELLED if labelled else LabelStatus.NOT_FOUND,
        label_awarded=row["mission_label_awarded"] or None,
        source_url=row["source_url"] or None,
        confidence=row["confidence"] or None,
        note=row["notes"] or None,
    )


def _other_city(row: Mapping[str, str]) -> CityInput:
    """A pilot city outside the Mission, or one of two cities that share a Mission entry."""
    mission = row["mission_city"] == "yes"
    return CityInput(
        name=row["name"],
        country_code=row["country_code"],
        local_name=row["local_name"] or None,
        also_called=_also(row),
        mission_city=mission,
        label_status=LabelStatus.NOT_FOUND if mission else LabelStatus.NOT_APPLICABLE,
        part_of=row["part_of"] or None,
    )


def _also(row: Mapping[str, str] | None) -> tuple[str, ...]:
    return tuple(filter(None, row["also_called"].split("; "))) if row else ()


def _by_name(cities: Sequence[CityInput], problems: list[Problem]) -> dict[str, CityInput]:
    """Cities by every name they have. In these files a name means one city; two with one name are a problem."""
    found: dict[str, CityInput] = {}
    for city in cities:
        for name in dict.fromkeys((city.name, *city.also_called)):
            if name in found and found[name].name != city.name:
                problems.append(Problem(name, f"is a name of {found[name].name} and of {city.name}."))
            found.setdefault(name, city)
    return found


def _of_pilot(
    row: Mapping[str, str], by_name: Mapping[str, CityInput], problems: list[Problem]
) -> list[ParticipationInput]:
    lead = row["lead_city"]
    others = [name for name in row["partner_cities"].split("; ") if name]
    parts = [(lead, Part.LEAD)] if lead else []
    parts += [(name, Part.PARTNER if lead else Part.MEMBER) for name in others]
    found = []
    for name, part in parts:
        city = by_name.get(name)
        if city is None:
            problems.append(Problem(row["row_id"], f"names “{name}”, which the register does not know."))
            continue
        found.append(
            ParticipationInput(
                city=city.name,
                call_label=call_label(row["cohort"]),
                pilot_key=row["row_id"],
                role=part,
                pilot_title=row["title"] or None,
                source_url=row["source_url"] or None,
                confidence=row["confidence"] or None,
            )
        )
    return found


def _of_cohorts_only(
    mission: Sequence[Mapping[str, str]], cities: Sequence[CityInput], known: Sequence[ParticipationInput]
) -> list[ParticipationInput]:
    """Cities of a cohort whose activity is not known; those already found by an activity are left out."""
    taken = {(each.city, each.call_label) for each in known}
    taken |= {
        (city.part_of, each.call_label) for city in cities for each in known if city.part_of and each.city == city.name
    }
    return [
        ParticipationInput(
            city=row["city"],
            call_label=call_label(row["pilot_cohort"]),
            pilot_key="",
            role=Part.MEMBER,
            source_url=row["pilot_cohort_source_url"] or None,
            confidence=row["confidence"] or None,
        )
        for row in mission
        if row["pilot_cohort"] and (row["city"], call_label(row["pilot_cohort"])) not in taken
    ]


# What a city does and what stands in its way: the list of its Climate City Contract

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
    """Read a list from CSV with a comma or a semicolon; every fault is named by its cell, as a spreadsheet counts.

    >>> read_actions("number;title;kind;domain;source;year\\nB-1;Warm roofs;action;energy;Plan p. 3;1900").problems
    ('F2: Enter a year from 1990 to 2100, or leave it empty.',)
    """
    first = text.lstrip("\ufeff").split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise Invalid(f"The file cannot be read as CSV: {error}. Save it as CSV again and upload that.") from error
    head = tuple(cell.strip().casefold() for cell in rows[0]) if rows else ()
    if head != ACTION_COLUMNS:
        raise Invalid(
            f"The first line must name the columns: {', '.join(ACTION_COLUMNS)}. Take the empty list from here."
        )
    filled = [(number, row) for number, row in enumerate(rows[1:], 2) if any(cell.strip() for cell in row)]
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
