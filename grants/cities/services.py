"""Acts on the city register, and the plain helpers by which later stages add cities and participations."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from grants.cities import queries, rules
from grants.cities.models import City, Participation
from grants.cities.rules import CityInput, CityView, LoadSummary, ParticipationInput
from grants.cities.states import Part
from grants.core.acts import act
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.core.permissions import Actor, Permission

DATA = Path(__file__).parent / "data"


@act("city.load_register", needs=Permission.CITY_MANAGE)
def load_register(actor: Actor) -> LoadSummary:
    """Bring the register up to date with the data files; running it again changes only what differs."""
    wanted = rules.read_register(
        *((DATA / name).read_text(encoding="utf-8") for name in ("mission_cities.csv", "pilots.csv", "city_names.csv"))
    )
    rows = {(row.country_code, row.name): row for row in db.session.scalars(select(City).order_by(City.id))}
    slugs = {row.slug for row in rows.values()}
    added = changed = 0
    for given in wanted.cities:
        row = rows.get((given.country_code, given.name))
        if row is None:
            row = rows[given.country_code, given.name] = _new(given, slugs)
            slugs.add(row.slug)
            added += 1
        else:
            changed += _update(row, given)
    db.session.flush()
    by_name = {row.name: row for row in rows.values() if not row.synthetic}
    for given in wanted.cities:
        if given.part_of:
            entry = by_name[given.part_of].id
            if by_name[given.name].part_of_id != entry:
                by_name[given.name].part_of_id = entry
    return LoadSummary(added, changed, _add_missing(wanted.participations, by_name))


@act("city.add", needs=Permission.CITY_MANAGE)
def add_city(actor: Actor, given: CityInput) -> CityView:
    """Add one city; refused where the register knows it."""
    return queries.city_by_id(make_city(given))


def make_city(given: CityInput) -> UUID:
    """Add one city inside an act and return its id; refused where the register knows it."""
    tidy = rules.checked(given)
    if queries.find(tidy.name, tidy.country_code) is not None:
        raise Refused(f"{tidy.name}, {tidy.country_code} is in the register already. Use that entry.")
    taken = frozenset(db.session.scalars(select(City.slug)))
    row = _new(tidy, taken)
    if tidy.part_of:
        entry = queries.find(tidy.part_of, tidy.country_code)
        if entry is None:
            raise Refused(f"{tidy.part_of} is not in the register. Add it first.")
        row.part_of_id = entry.id
    db.session.flush()
    return row.id


def record_participation(
    city_id: UUID,
    *,
    call_label: str,
    pilot_key: str,
    pilot_title: str | None,
    role: Part,
    source_url: str | None = None,
) -> None:
    """Write that a city takes part in a pilot, inside the act that signs its agreement; a second time changes nothing."""
    row = get(City, city_id)
    exists = db.session.scalars(
        select(Participation).where(
            Participation.city_id == row.id,
            Participation.call_label == call_label,
            Participation.pilot_key == pilot_key,
        )
    ).one_or_none()
    if exists is None:
        db.session.add(
            Participation(
                city_id=row.id,
                call_label=call_label,
                pilot_key=pilot_key,
                pilot_title=pilot_title,
                role=role.value,
                source_url=source_url,
                confidence=None,
            )
        )


def link_organisation(city_id: UUID, organisation_id: UUID) -> None:
    """Say which organisation acts for a city. Inside an act."""
    get(City, city_id).organisation_id = organisation_id


_COPIED = (
    "local_name", "mission_city", "label_awarded", "population", "source_url", "confidence", "note", "synthetic", "folded",
)  # fmt: skip


def _new(given: CityInput, taken: frozenset[str] | set[str]) -> City:
    row = City(
        slug=rules.slug_of(given.name, given.country_code, taken),
        name=given.name,
        country_code=given.country_code,
        label_status=given.label_status.value,
        organisation_id=given.organisation_id,
        **{name: getattr(given, name) for name in _COPIED},
    )
    db.session.add(row)
    return row


def _update(row: City, given: CityInput) -> int:
    """Take over what the files know better; what only people know (inhabitants, organisation) stays."""
    values = {name: getattr(given, name) for name in _COPIED if name != "population"}
    values["label_status"] = given.label_status.value
    differing = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in differing.items():
        setattr(row, name, value)
    return int(bool(differing))


def _add_missing(wanted: tuple[ParticipationInput, ...], by_name: dict[str, City]) -> int:
    known = {
        (row.city_id, row.call_label, row.pilot_key)
        for row in db.session.scalars(select(Participation).order_by(Participation.id))
    }
    added = 0
    for given in wanted:
        city = by_name[given.city]
        if (city.id, given.call_label, given.pilot_key) in known:
            continue
        db.session.add(
            Participation(
                city_id=city.id,
                call_label=given.call_label,
                pilot_key=given.pilot_key,
                pilot_title=given.pilot_title,
                role=given.role.value,
                source_url=given.source_url,
                confidence=given.confidence,
            )
        )
        added += 1
    return added
