"""The register of cities as it is published, read into inputs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grants.cities.rules.values import CityInput, ParticipationInput, call_label
from grants.cities.states import LabelStatus, Part
from grants.core.errors import Problem, Problems


@dataclass(frozen=True, slots=True)
class Register:
    """Everything the data files say."""

    cities: tuple[CityInput, ...]
    participations: tuple[ParticipationInput, ...]


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
