"""Reads of the city register: search by any spelling, one city whole, and lookups for other stages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from grants.cities import rules
from grants.cities.models import City, CityAction, Participation
from grants.cities.rules import ActionView, AdvisorView, CityView, OrganisationChoice, ParticipationView
from grants.cities.states import ActionKind, EmissionDomain, LabelStatus, OrganisationLink, Part
from grants.core import clock
from grants.core.db import db, get
from grants.core.errors import NotFound
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission, Scope
from grants.core.text import fold
from grants.core.together import Asking, ask, both, reader
from grants.identity.models import Organisation, RoleGrant, User
from grants.identity.policy import Role
from grants.identity.queries import role_holds

# An organisation is found by any spelling of its name among those of one country; so many are shown.
ORGANISATIONS_READ_MAX = 5_000
ORGANISATIONS_MAX = 20


# Parts of the register by what their cities are or did.
KINDS = ("mission", "pilot", "new")


@dataclass(frozen=True, slots=True)
class Search:
    """What a person looks for in the register."""

    words: str = ""
    country: str = ""
    label: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """The size of the register in the figures people ask for."""

    cities: int
    mission_cities: int
    labelled: int
    pilots_before: int


@reader
def register(search: Search, page: Page) -> Asking[Rows[CityView]]:
    """The cities that fit, by country and name, and how many they are; two statements.

    A page goes on after country and name of the last one, which no two cities share.
    """
    wanted = [City.folded.contains(word, autoescape=True) for word in fold(search.words).split()]
    if search.country:
        wanted.append(City.country_code == search.country)
    if search.label:
        wanted.append(City.label_status == search.label)
    wanted += _of_kind(search.kind)
    country, _, name = (page.after or "").partition(".")
    further = [tuple_(City.country_code, City.name) > tuple_(country, name)] if name else []
    found, ((total,),) = yield [
        select(City).where(*wanted, *further).order_by(City.country_code, City.name).limit(page.limit),
        select(func.count()).select_from(City).where(*wanted),
    ]
    views = yield from _views.asking(found)
    return cut(views, page, key=lambda each: f"{each.country_code}.{each.name}", total=total)


def _of_kind(kind: str) -> list[ColumnElement[bool]]:
    match kind:
        case "mission":
            return [City.mission_city.is_(True), City.part_of_id.is_(None)]
        case "pilot":
            return [City.id.in_(_with_a_pilot())]
        case "new":
            return [City.id.not_in(_with_a_pilot())]
        case _:
            return []


def _with_a_pilot() -> CompoundSelect[UUID]:
    """The ids of cities that took part in a pilot, and of entries one of whose cities did."""
    entries = (
        select(City.part_of_id)
        .join(Participation, Participation.city_id == City.id)
        .where(City.part_of_id.is_not(None))
    )
    return select(Participation.city_id).union(entries)


@reader
def around() -> Asking[tuple[Counts, tuple[str, ...]]]:
    """The figures above the register, and the countries in it; one statement."""
    return (yield from both(counts.asking(), countries.asking()))


@reader
def counts() -> Asking[Counts]:
    """The figures above the register; a Mission entry of two cities counts once."""
    entries = select(func.count()).select_from(City).where(City.mission_city, City.part_of_id.is_(None))
    all_cities = select(func.count()).select_from(City)
    labelled = all_cities.where(City.label_status == LabelStatus.LABELLED.value)
    before = select(func.count(func.distinct(Participation.city_id)))
    ((cities, entered, won, again),) = yield from ask(
        select(
            all_cities.scalar_subquery().label("cities"),
            entries.scalar_subquery().label("entries"),
            labelled.scalar_subquery().label("labelled"),
            before.scalar_subquery().label("before"),
        )
    )
    return Counts(cities, entered, won, again)


@reader
def countries() -> Asking[tuple[str, ...]]:
    """The codes of all countries in the register, in order."""
    rows = yield from ask(select(City.country_code).distinct().order_by(City.country_code))
    return tuple(code for (code,) in rows)


def city(actor: Actor, slug: str) -> CityView:
    """One city by its address; raises NotFound."""
    row = db.session.scalars(select(City).where(City.slug == slug)).one_or_none()
    if row is None:
        raise NotFound
    return _views([row])[0]


def city_by_id(city_id: UUID) -> CityView:
    """One city for another stage; raises NotFound."""
    return _views([get(City, city_id)])[0]


def find(name: str, code: str) -> City | None:
    """The row of that name in that country, for an act; None where there is none."""
    return db.session.scalars(select(City).where(City.name == name, City.country_code == code)).one_or_none()


@reader
def of_organisation(organisation_id: UUID) -> Asking[tuple[CityView, ...]]:
    """The cities an organisation acts for; two statements."""
    rows = yield from ask(select(City).where(City.organisation_id == organisation_id).order_by(City.name))
    return (yield from _views.asking(rows))


def organisations_for(
    actor: Actor, shown: CityView, words: str = "", country: str = ""
) -> tuple[OrganisationChoice, ...]:
    """Organisations that may act for a city: those found by the words, else those of the same name; one statement."""
    if not actor.can(Permission.CITY_MANAGE):
        return ()
    rows = db.session.scalars(
        select(Organisation)
        .where(Organisation.country_code == (country or shown.country_code))
        .order_by(Organisation.name, Organisation.id)
        .limit(ORGANISATIONS_READ_MAX)
    )
    wanted, names = fold(words).split(), rules.places_named(shown.name, shown.local_name)
    found = []
    for row in rows:
        text = fold(" ".join(filter(None, (row.name, row.local_name, row.town))))
        same = (
            bool(names & rules.places_named(row.name, row.local_name, row.town))
            and row.country_code == shown.country_code
        )
        if all(word in text for word in wanted) if wanted else same:
            found.append(
                OrganisationChoice(
                    row.id, row.name, row.town or "", row.kind, row.country_code, row.synthetic, suggested=same
                )
            )
    return tuple(sorted(found, key=lambda one: not one.suggested)[:ORGANISATIONS_MAX])


def organisation_name(shown: CityView) -> str:
    """The name of the organisation that acts for a city; empty where none does."""
    if shown.organisation_id is None:
        return ""
    return db.session.scalar(select(Organisation.name).where(Organisation.id == shown.organisation_id)) or ""


@reader
def advisors(city_id: UUID) -> Asking[tuple[AdvisorView, ...]]:
    """Who advises a city now, by name; one statement."""
    return (yield from advisors_of.asking([city_id]))


@reader
def advisors_of(city_ids: Collection[UUID]) -> Asking[tuple[AdvisorView, ...]]:
    """Who advises any of these cities now, by name, once for each; one statement."""
    rows = yield from ask(
        select(User.id, User.handle, User.name, RoleGrant.starts_at)
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .where(
            RoleGrant.kind == "city",
            RoleGrant.object_id.in_(city_ids),
            RoleGrant.role == Role.CITY_ADVISOR.value,
            role_holds(clock.now()),
        )
        .order_by(User.name, User.id)
    )
    return tuple(AdvisorView(*row) for row in rows)


def edits_actions(actor: Actor, shown: CityView) -> bool:
    """Whether the person may write the list of a city: staff, and the people of the organisation that acts for it."""
    return actor.may(Permission.CITY_EDIT_ACTIONS, scope_of_view(shown))


def scope_of_view(shown: CityView) -> Scope:
    """Where a city lies: in itself, and in the organisation that acts for it."""
    own = (("organisation", shown.organisation_id),) if shown.organisation_id is not None else ()
    return Scope.of(("city", shown.id), *own)


def city_with_actions(actor: Actor, slug: str) -> CityView:
    """One city for readers of the register and for who may write its list; raises NotFound for others."""
    found = city(actor, slug)
    if not (actor.can(Permission.CITY_READ) or edits_actions(actor, found)):
        raise NotFound
    return found


def actions(city_id: UUID) -> tuple[ActionView, ...]:
    """The list of one city by number, what was withdrawn included; it has at most 500 lines."""
    of_city = _ACTION_ROWS.where(CityAction.city_id == city_id).order_by(CityAction.number, CityAction.id)
    return tuple(_action(row) for row in db.session.execute(of_city.limit(rules.ACTIONS_MAX)))


@reader
def actions_page(city_id: UUID, page: Page) -> Asking[Rows[ActionView]]:
    """One page of the list of one city by number, what was withdrawn included, and how many lines it has; one statement."""
    of_city = CityAction.city_id == city_id
    statement = _ACTION_ROWS.where(of_city).order_by(CityAction.number)
    if page.after:
        statement = statement.where(CityAction.number > page.after)
    found, ((total,),) = yield from both(
        ask(statement.limit(page.limit)), ask(select(func.count()).select_from(CityAction).where(of_city))
    )
    return cut([_action(row) for row in found], page, key=lambda each: each.number, total=total)


@reader
def actions_of_organisations(organisation_ids: Iterable[UUID]) -> Asking[tuple[ActionView, ...]]:
    """The lists of the cities that organisations act for, what was withdrawn included; by city and number."""
    wanted = set(organisation_ids)
    rows = yield from ask(
        _ACTION_ROWS.where(City.organisation_id.in_(wanted))
        .order_by(City.name, City.id, CityAction.number, CityAction.id)
        .limit(len(wanted) * rules.ACTIONS_MAX)
    )
    return tuple(_action(row) for row in rows)


_ACTION_COLUMNS = (
    *("id", "version", "city_id", "number", "title", "kind", "domain", "source", "year", "synthetic", "withdrawn_on"),
    "withdrawn_why",
)
_ACTION_ROWS = select(*(getattr(CityAction, name) for name in _ACTION_COLUMNS), City.name.label("city")).join(
    City, City.id == CityAction.city_id
)


def _action(row: Any) -> ActionView:
    values = {name: getattr(row, name) for name in _ACTION_COLUMNS}
    values["kind"] = ActionKind(row.kind)
    values["domain"] = EmissionDomain(row.domain) if row.domain else None
    return ActionView(city=row.city, **values)


@reader
def _views(rows: Sequence[City]) -> Asking[tuple[CityView, ...]]:
    """Cities as frozen values, in one statement however many there are."""
    ids = [row.id for row in rows]
    parts: dict[UUID, list[ParticipationView]] = {row_id: [] for row_id in ids}
    entry = aliased(City)
    found, named = yield [
        # An entry of the Mission that stands for two cities shows what either took part in.
        select(
            *(Participation.call_label, Participation.pilot_title, Participation.role, Participation.source_url),
            *(Participation.confidence, City.id.label("city_id"), City.part_of_id.label("entry_id")),
        )
        .join(City, City.id == Participation.city_id)
        .where(or_(City.id.in_(ids), City.part_of_id.in_(ids)))
        .order_by(Participation.call_label, Participation.pilot_title.nulls_last(), City.name, Participation.id),
        select(entry.id, entry.name)
        .where(entry.id.in_({row.part_of_id for row in rows if row.part_of_id}))
        .order_by(entry.name),
    ]
    for each in found:
        view = ParticipationView(each.call_label, each.pilot_title, Part(each.role), each.source_url, each.confidence)
        for place in (each.city_id, each.entry_id):
            if place in parts and view not in parts[place]:
                parts[place].append(view)
    entries = {each.id: each.name for each in named}
    return tuple(
        CityView(
            id=row.id,
            version=row.version,
            slug=row.slug,
            name=row.name,
            local_name=row.local_name,
            country_code=row.country_code,
            mission_city=row.mission_city,
            label_status=LabelStatus(row.label_status),
            label_awarded=row.label_awarded,
            population=row.population,
            part_of=entries.get(row.part_of_id) if row.part_of_id else None,
            organisation_id=row.organisation_id,
            organisation_link=OrganisationLink(row.organisation_link) if row.organisation_link else None,
            source_url=row.source_url,
            confidence=row.confidence,
            note=row.note,
            synthetic=row.synthetic,
            participations=tuple(parts[row.id]),
        )
        for row in rows
    )
