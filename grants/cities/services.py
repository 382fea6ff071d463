"""Acts on the city register, and the plain helpers by which later stages add cities and participations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from grants.cities import queries, rules
from grants.cities.models import City, CityAction, Participation
from grants.cities.rules import ActionInput, CityInput, CityView, LoadSummary, ParticipationInput
from grants.cities.states import OrganisationLink, Part
from grants.core import acts
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.core.text import fold
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.models import Organisation
from grants.identity.policy import Role
from grants.identity.rules import normal_email
from grants.identity.states import OrganisationKind

DATA = Path(__file__).parent / "data"


@act("city.load_register", needs=Permission.CITY_MANAGE, says="loaded the register of cities")
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
    db.session.flush()
    return LoadSummary(added, changed, _add_missing(wanted.participations, by_name), _link_standing())


@act("city.add", needs=Permission.CITY_MANAGE, says="added {subject} to the register of cities")
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
    _link_standing(Organisation.country_code == tidy.country_code)
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
    """Write that a city takes part in a pilot, inside the act that signs its agreement; a second time changes nothing.

    Nor where the public lists, from which the register was filled, name the pilot already.
    """
    row = get(City, city_id)
    known = db.session.scalars(select(Participation).where(Participation.city_id == row.id)).all()
    if not any(
        (one.call_label, one.pilot_key) == (call_label, pilot_key)
        or (pilot_title and one.source_url and fold(one.pilot_title or "") == fold(pilot_title))
        for one in known
    ):
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


def city_scope(city_id: UUID) -> Scope:
    """Where a city lies: in itself, and in the organisation that acts for it."""
    row = locked(City, city_id)
    own = (("organisation", row.organisation_id),) if row.organisation_id is not None else ()
    return Scope.of(("city", row.id), *own)


def _action_scope(action_id: UUID) -> Scope:
    return city_scope(get(CityAction, action_id).city_id)


@act(
    "city.add_action",
    needs=Permission.CITY_EDIT_ACTIONS,
    scope=city_scope,
    says="added a line to the contract list of {subject}",
)
def add_action(actor: Actor, city_id: UUID, given: ActionInput) -> UUID:
    """Add one action or barrier; refused where the number stands already."""
    tidy = given.checked()
    row = get(City, city_id)
    _refuse_number(city_id, tidy.number)
    standing = db.session.scalar(select(func.count()).select_from(CityAction).where(CityAction.city_id == city_id)) or 0
    if standing >= rules.ACTIONS_MAX:
        raise Refused(f"The list of {row.name} has {standing} lines; the limit is {rules.ACTIONS_MAX}.")
    made = CityAction(city_id=city_id)
    _fill(made, replace(tidy, synthetic=tidy.synthetic or row.synthetic))
    db.session.add(made)
    return made.id


@act(
    "city.change_action",
    needs=Permission.CITY_EDIT_ACTIONS,
    scope=_action_scope,
    says="changed a line of the contract list of {subject}",
)
def change_action(actor: Actor, action_id: UUID, given: ActionInput, version: int | None = None) -> None:
    """Change one line; applications already sent keep it as it was."""
    tidy, row = given.checked(), locked(CityAction, action_id)
    acts.subject("city", row.city_id)
    check_version(row, version)
    _refuse_number(row.city_id, tidy.number, but=row.id)
    _fill(row, replace(tidy, synthetic=row.synthetic))


@act(
    "city.withdraw_action",
    needs=Permission.CITY_EDIT_ACTIONS,
    scope=_action_scope,
    says="withdrew a line of the contract list of {subject}",
)
def withdraw_action(actor: Actor, action_id: UUID, reason: str) -> None:
    """Say from when on a line is not in the list any more, and why; who named it keeps it, nobody new is offered it."""
    row = locked(CityAction, action_id)
    acts.subject("city", row.city_id)
    words = " ".join(reason.split())[: rules.TITLE_CHARACTERS_MAX]
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why it is not in the list any more."})
    if row.withdrawn_on is not None:
        raise Refused("This line was withdrawn already. Reload the page to see what stands.")
    acts.reason(words)
    row.withdrawn_on, row.withdrawn_why = acts.today(), words


@act(
    "city.import_actions",
    needs=Permission.CITY_EDIT_ACTIONS,
    scope=city_scope,
    says="took the contract list of {subject} over from a file",
)
def import_actions(actor: Actor, city_id: UUID, text: str) -> rules.ActionsDifference:
    """Take a list over from CSV, all of it or nothing; lines it does not name stay. Raises Invalid by cell."""
    city = get(City, city_id)
    found = rules.read_actions(text, synthetic=city.synthetic)
    if found.problems:
        raise Invalid("Nothing was taken over.", {"file": " ".join(found.problems[:10])})
    standing = queries.actions(city_id)
    difference = rules.actions_differ(standing, found.lines)
    if len(standing) + len(difference.new) > rules.ACTIONS_MAX:
        raise Refused(f"The list would have more than {rules.ACTIONS_MAX} lines. Leave out what is done.")
    for line in difference.new:
        made = CityAction(city_id=city_id)
        _fill(made, line)
        db.session.add(made)
    for before, line in difference.changed:
        _fill(locked(CityAction, before.id), replace(line, synthetic=before.synthetic))
    return difference


def _refuse_number(city_id: UUID, number: str, *, but: UUID | None = None) -> None:
    found = db.session.scalars(
        select(CityAction.id).where(CityAction.city_id == city_id, CityAction.number == number)
    ).first()
    if found is not None and found != but:
        sentence = f"The number {number} stands in the list already. Change that line, or choose another number."
        raise Invalid("This number is taken.", {"number": sentence})


def _fill(row: CityAction, given: ActionInput) -> None:
    row.number, row.title, row.kind, row.source = given.number, given.title, given.kind.value, given.source
    row.domain = given.domain.value if given.domain is not None else None
    row.year, row.synthetic = given.year, given.synthetic


@act(
    "city.link_organisation",
    needs=Permission.CITY_MANAGE,
    says="said which organisation acts for {subject}",
)
def link_organisation(actor: Actor, city_id: UUID, organisation_id: UUID, version: int | None = None) -> None:
    """Say which organisation acts for a city: what the register knows of the city is then known of the organisation."""
    row = locked(City, city_id)
    check_version(row, version)
    organisation = get(Organisation, organisation_id)
    if organisation.synthetic is not row.synthetic:
        raise Refused(
            f"{row.name} is {_kept_as(row.synthetic)} and {organisation.name} is {_kept_as(organisation.synthetic)}. "
            "An invented organisation never acts for a real city, nor a real one for an invented city."
        )
    if row.organisation_id is not None and not _same(row.organisation_id, organisation):
        _refuse_advised(row)
    row.organisation_id, row.organisation_link = organisation.id, OrganisationLink.BY_HAND.value
    # By it the conflicts of its advisors are found, and of who stood in a pilot with it.
    people.look_for_conflicts_of(organisation.id)


def _same(organisation_id: UUID, other: Organisation) -> bool:
    """Whether two entries stand for one organisation."""
    one = get(Organisation, organisation_id)
    return (one.same_as_id or one.id) == (other.same_as_id or other.id)


def _refuse_advised(row: City) -> None:
    """Refuse to part a city from its organisation while somebody advises it, or the entry it shares: by that organisation
    alone its applications are shut to them.
    """
    standing = queries.advisors_of([row.id, *([row.part_of_id] if row.part_of_id else [])])
    if standing:
        names = ", ".join(sorted({each.name for each in standing}))
        raise Refused(
            f"{names} {'advises' if len(standing) == 1 else 'advise'} {row.name}, and by its organisation its applications are "
            "shut to them. End their part as advisors first: what was found by it stands until somebody decides about it. Then "
            "change the organisation, and name them anew."
        )


def _kept_as(synthetic: bool) -> str:
    return "invented" if synthetic else "real"


@act(
    "city.unlink_organisation",
    needs=Permission.CITY_MANAGE,
    says="parted {subject} from the organisation that acted for it",
)
def unlink_organisation(actor: Actor, city_id: UUID, version: int | None = None) -> None:
    """Undo the link of a city; the program does not link it by itself again. Participations written stay."""
    row = locked(City, city_id)
    check_version(row, version)
    if row.organisation_id is None:
        raise Refused(f"No organisation acts for {row.name}. Nothing was changed.")
    _refuse_advised(row)
    row.organisation_id, row.organisation_link = None, OrganisationLink.UNDONE.value


@act("city.name_advisor", needs=Permission.CITY_MANAGE, says="named {subject} as an advisor of a city")
def name_advisor(actor: Actor, city_id: UUID, email: str) -> UUID:
    """Name somebody with an account as an advisor of a city; returns who. From now on its applications are shut to them
    wherever they judge or decide: who advises a city does not take part in scoring it.
    """
    row = locked(City, city_id)
    if row.organisation_id is None:
        raise Refused(
            f"No organisation acts for {row.name}, so nobody could tell which applications are its own. "
            "Choose the organisation first, then name the advisor."
        )
    found = identity.person_by_email(normal_email(email))
    if found is None:
        raise Invalid(
            "Nobody is here under this address.",
            {"email": "Nobody is here under this address. Ask an administrator to invite the person first."},
        )
    people.give_role(found.id, Role.CITY_ADVISOR, kind="city", object_id=city_id)
    people.look_for_conflicts_everywhere()
    return found.id


@act("city.end_advice", needs=Permission.CITY_MANAGE, says="ended the part of {subject} as an advisor of a city")
def end_advice(actor: Actor, city_id: UUID, handle: str) -> None:
    """End somebody’s part as an advisor of a city. What was found by it stands until a person decides about it."""
    row = locked(City, city_id)
    found = next((each for each in queries.advisors(city_id) if each.handle == handle), None)
    if found is None:
        raise Refused(f"This person does not advise {row.name} any more. Nothing was changed.")
    people.end_role(found.id, Role.CITY_ADVISOR, kind="city", object_id=city_id)


def _link_plain(organisations: Iterable[Organisation]) -> int:
    """Link each municipality with the one city of its country that bears its name; returns how many links are new.

    Only where exactly one city fits, nobody linked or parted it, and both are real or both invented. Inside an act.
    """
    wanted = [one for one in organisations if one.kind == OrganisationKind.MUNICIPALITY.value]
    if not wanted:
        return 0
    by_country: dict[str, list[City]] = {}
    countries = {one.country_code for one in wanted}
    for row in db.session.scalars(select(City).where(City.country_code.in_(countries)).order_by(City.id)):
        by_country.setdefault(row.country_code, []).append(row)
    linked = 0
    for one in wanted:
        names = rules.places_named(one.name, one.local_name)
        fitting = [row for row in by_country.get(one.country_code, ()) if names & rules.own_names(row.folded)]
        if len(fitting) == 1 and fitting[0].synthetic is one.synthetic:
            row = locked(City, fitting[0].id)
            if row.organisation_link is None:
                row.organisation_id, row.organisation_link = one.id, OrganisationLink.AUTOMATIC.value
                linked += 1
    return linked


def _link_standing(*of: ColumnElement[bool]) -> int:
    """Link the municipalities that stand already with cities that came after them; ``of`` says which could be meant."""
    free = select(City.organisation_id).where(City.organisation_id.is_not(None))
    return _link_plain(
        db.session.scalars(
            select(Organisation)
            .where(Organisation.kind == OrganisationKind.MUNICIPALITY.value, Organisation.id.not_in(free), *of)
            .order_by(Organisation.created_at, Organisation.id)
        ).all()
    )


# A municipality that is made later finds its city by itself.
people.organisations_followed_by(lambda made: _link_plain([made]))


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
        organisation_link=OrganisationLink.BY_HAND.value if given.organisation_id else None,
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
