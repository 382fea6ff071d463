"""Looking for conflicts of interest: what joins a person to a consortium, by look-ups on what both have, never pair by pair."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import SequenceMatcher
from typing import Generic, TypeVar
from uuid import UUID

from grants.calls.rules import ConflictRules
from grants.evaluation.rules.mail_hosts import with_parents
from grants.evaluation.states import DetectedKind
from grants.identity.rules import name_key

K = TypeVar("K")
T = TypeVar("T")

# A domain that people of more organisations than this use belongs to who hosts mail, not to one of them.
HOSTED_MIN = 4
# How alike two names are from which on a person should look, of 1 for the same letters.
NAMES_ALIKE_MIN = 0.9
# A word that more names than this have tells none of them apart; whole names are compared all the same.
COMMON_WORD_MIN = 60
BEGINNING_LETTERS = 5


@dataclass(frozen=True, slots=True)
class Entity:
    """An organisation as it is compared: ``id`` is that of the entry that stands for it, ``numbers`` are of registers.

    Of its numbers ``proven`` are those somebody of the programme validated; the others anybody may have typed.
    """

    id: UUID
    name: str
    country_code: str
    town: str = ""
    numbers: frozenset[tuple[str, str]] = frozenset()
    domain: str = ""
    proven: frozenset[tuple[str, str]] = frozenset()
    # Names of the cities it acts for, in every spelling the register has.
    cities: tuple[str, ...] = ()

    @property
    def towns(self) -> dict[tuple[str, str], str]:
        """Where it is and which cities it acts for, as they are compared, each with how it is written."""
        return {
            (self.country_code, name_key(town)): town for town in reversed((self.town, *self.cities)) if name_key(town)
        }


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person as they are compared."""

    user_id: UUID
    name: str
    email: str = ""
    orcid: str | None = None
    organisation_id: UUID | None = None

    @property
    def domain(self) -> str:
        """What stands behind the @."""
        return self.email.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who must have no conflict: the person, for whom they work or worked, and whether they judge.

    ``advised`` are the organisations of cities they advise or advised, each with when the newest advice began and the name of its city,
    the newest last. ``joined`` are the organisations they belong to by the register, each with when the newest membership began.
    """

    person: Somebody
    entities: tuple[Entity, ...] = ()
    countries: frozenset[str] = frozenset()
    judges: bool = True
    advised: tuple[tuple[UUID, datetime, str], ...] = ()
    joined: Mapping[UUID, datetime] = field(default_factory=dict)
    # The country and the town they say they work in; an empty town where they said none.
    works_in: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class ComparedApplication:
    """An application as it is compared: its consortium in order, who acts for it, and who wrote it and acts for it no more."""

    application_id: UUID
    entities: tuple[Entity, ...]
    team: tuple[Somebody, ...] = ()
    wrote: frozenset[UUID] = frozenset()

    @property
    def lead_id(self) -> UUID | None:
        """The organisation that leads it."""
        return self.entities[0].id if self.entities else None


@dataclass(frozen=True, slots=True)
class Together:
    """Organisations that stood in one consortium before, and which it was."""

    words: str
    organisation_ids: frozenset[UUID]


# What tells one fact from another: person, application, kind, entity.
FactKey = tuple[UUID, UUID, str, UUID | None]


@dataclass(frozen=True, slots=True)
class Found:
    """One fact that joins a person to an application, with the entity of the consortium it concerns."""

    user_id: UUID
    application_id: UUID
    kind: DetectedKind
    organisation_id: UUID | None
    evidence: str
    # A fact of its kind that only proposes otherwise, and is certain because what it says was validated.
    proven: bool = False
    # When it began, where it can end and begin anew: what was dismissed before that was something else.
    since: datetime | None = None

    @property
    def is_certain(self) -> bool:
        """Whether it keeps the person away before anybody looked."""
        return self.proven or self.kind.is_certain

    @property
    def key(self) -> FactKey:
        """What tells one fact from another."""
        return (self.user_id, self.application_id, self.kind.value, self.organisation_id)


def detect(
    candidates: Sequence[Candidate], applications: Sequence[ComparedApplication], past: Sequence[Together],
    rules: ConflictRules, takes_part: Collection[tuple[UUID, UUID]] = (), dismissed: Collection[FactKey] = (),
) -> tuple[Found, ...]:  # fmt: skip
    """Everything that joins these people to these applications, each fact once, in an order that depends on nothing else.

    What only proposes a conflict is left out where a certain one keeps the person away anyway; but not that two accounts
    may be one person, which says more than this application. ``takes_part`` are (person, application) of whom that
    stands already; ``dismissed`` are facts of which a person said that they are no conflict: such a one keeps nobody
    away, and so hides nothing.
    """
    index = _indexed(applications, past)
    part_of = _by(takes_part)
    found = {each.key: each for candidate in candidates for each in _about(candidate, index, rules, part_of)}
    settled = frozenset(dismissed)
    certain = {
        (each.user_id, each.application_id) for each in found.values() if each.is_certain and each.key not in settled
    }
    kept = (
        each
        for each in found.values()
        if each.is_certain
        or each.kind is DetectedKind.SAME_PERSON
        or (each.user_id, each.application_id) not in certain
    )
    return tuple(sorted(kept, key=lambda each: tuple(map(str, each.key))))


Place = tuple[ComparedApplication, Entity]
# A number as it is compared: which register, whose country where the register is one of a country, letters and digits alone.
NumberKey = tuple[str, str, str]
# What a register of one country gives out: another country may give the same to somebody else.
OF_A_COUNTRY = "registration number"


def number_keys(entity: Entity, numbers: Iterable[tuple[str, str]]) -> dict[NumberKey, str]:
    """Numbers of an entity as they are compared, each with how it is written there; what has no letter or digit is none.

    >>> number_keys(Entity(UUID(int=1), "Office", "FI"), [("registration number", "0201256-6")])
    {('registration number', 'FI', '02012566'): '0201256-6'}
    """
    found: dict[NumberKey, str] = {}
    for kind, value in sorted(numbers):
        plain = "".join(each for each in value.upper() if each.isalnum())
        if plain:
            found[kind, entity.country_code if kind == OF_A_COUNTRY else "", plain] = value
    return found


class _Names(Generic[T]):
    """Names by the beginnings of their words, so that only such as share one are compared letter by letter."""

    def __init__(self, pairs: Iterable[tuple[str, T]]) -> None:
        self._named = _by((key, value) for key, value in pairs if key)
        self._begun = _by((word, key) for key in self._named for word in _beginnings(key))

    def near(self, key: str) -> Iterator[T]:
        """Everything of this name or of nearly this one."""
        if not key:
            return
        shared = (self._begun.get(word, []) for word in _beginnings(key))
        wanted = {key} | {each for found in shared if len(found) <= COMMON_WORD_MIN for each in found}
        for each in sorted(wanted):
            if each in self._named and _near(key, each):
                yield from self._named[each]


def _beginnings(key: str) -> set[str]:
    """The first letters of each word, enough of them to tell names apart."""
    return {word[:BEGINNING_LETTERS] for word in key.split() if len(word) > 2}


def _near(one: str, other: str) -> bool:
    if one == other:
        return True
    # Nothing is added to what two names have in common at best by asking the cheap questions first.
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return (
        matcher.real_quick_ratio() >= NAMES_ALIKE_MIN
        and matcher.quick_ratio() >= NAMES_ALIKE_MIN
        and matcher.ratio() >= NAMES_ALIKE_MIN
    )


@dataclass(slots=True)
class _Index:
    """The applications by everything a person may share with one."""

    applications: tuple[ComparedApplication, ...]
    by_person: Mapping[UUID, list[tuple[ComparedApplication, Somebody]]]
    by_writer: Mapping[UUID, list[ComparedApplication]]
    by_orcid: Mapping[str, list[tuple[ComparedApplication, Somebody]]]
    by_entity: Mapping[UUID, list[Place]]
    by_number: Mapping[NumberKey, list[Place]]
    by_country: Mapping[str, list[Place]]
    by_town: Mapping[tuple[str, str], list[Place]]
    by_domain: Mapping[str, list[tuple[ComparedApplication, UUID | None]]]
    past_of: Mapping[UUID, list[Together]]
    people: _Names[tuple[ComparedApplication, Somebody]]
    names: _Names[Place]


def _indexed(applications: Sequence[ComparedApplication], past: Sequence[Together]) -> _Index:
    places = [(application, entity) for application in applications for entity in application.entities]
    team = [(application, person) for application in applications for person in application.team]
    return _Index(
        tuple(applications),
        _by((person.user_id, (application, person)) for application, person in team),
        _by((user_id, application) for application in applications for user_id in application.wrote),
        _by((person.orcid, (application, person)) for application, person in team if person.orcid),
        _by((entity.id, (application, entity)) for application, entity in places),
        _by(
            (number, (application, entity))
            for application, entity in places
            for number in number_keys(entity, entity.numbers)
        ),
        _by((entity.country_code, (application, entity)) for application, entity in places),
        _by((town, (application, entity)) for application, entity in places for town in entity.towns),
        _domains(places, team),
        _by((organisation_id, each) for each in past for organisation_id in each.organisation_ids),
        _Names([(_person_key(person.name), (application, person)) for application, person in team]),
        _Names(
            [
                (f"{entity.country_code} {name_key(entity.name)}", (application, entity))
                for application, entity in places
            ]
        ),
    )


def _by(pairs: Iterable[tuple[K, T]]) -> dict[K, list[T]]:
    found: dict[K, list[T]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return dict(found)


def _domains(
    places: Sequence[Place], team: Sequence[tuple[ComparedApplication, Somebody]]
) -> dict[str, list[tuple[ComparedApplication, UUID | None]]]:
    """The domains of websites and of the addresses of teams, but for those that belong to nobody in particular."""
    pairs: list[tuple[str, tuple[ComparedApplication, UUID | None]]] = [
        (entity.domain, (application, entity.id)) for application, entity in places
    ]
    pairs += [(person.domain, (application, person.organisation_id)) for application, person in team]
    # Everything above a name within a domain counts too: both may be parts of what stands above them.
    pairs = [(above, whose) for domain, whose in pairs for above in with_parents(domain)]
    users: dict[str, set[UUID | None]] = defaultdict(set)
    for domain, (_, organisation_id) in pairs:
        users[domain].add(organisation_id)
    return _by(pair for pair in pairs if len(users[pair[0]]) < HOSTED_MIN)


def _about(
    candidate: Candidate, index: _Index, rules: ConflictRules, part_of: Mapping[UUID, Sequence[UUID]]
) -> Iterator[Found]:
    yield from _part_in_it(candidate, index, rules, frozenset(part_of.get(candidate.person.user_id, ())))
    yield from _by_organisation(candidate, index)
    yield from _by_help(candidate, index)
    if candidate.judges:
        yield from _by_place(candidate, index, rules)
    yield from _to_look_at(candidate, index, rules)


def _part_in_it(candidate: Candidate, index: _Index, rules: ConflictRules, part_of: frozenset[UUID]) -> Iterator[Found]:
    """Own applications, those of who may be the same person, and those that compete with what is certainly their own.

    An ORCID iD is what somebody wrote of themselves: it makes nobody compete before a person confirmed who it is.
    """
    person = candidate.person
    own = set(part_of)
    for application, _ in index.by_person.get(person.user_id, ()):
        own.add(application.application_id)
        yield _found(
            candidate, application, DetectedKind.OWN_APPLICATION, application.lead_id, "Takes part in this application"
        )
    for application, other in index.by_orcid.get(person.orcid or "", ()):
        if other.user_id != person.user_id:
            words = f"The same ORCID iD as {other.name} of its team: {person.orcid}"
            yield _found(candidate, application, DetectedKind.SAME_PERSON, other.organisation_id, words)
    if own and rules.competing_bid:
        words = "Takes part in another application of this call"
        for application in index.applications:
            if application.application_id not in own:
                yield _found(candidate, application, DetectedKind.COMPETING_APPLICATION, None, words)


def _by_organisation(candidate: Candidate, index: _Index) -> Iterator[Found]:
    for own in candidate.entities:
        for application, entity in index.by_entity.get(own.id, ()):
            words = f"Belongs to {entity.name}, or did within the years the call looks back"
            since = candidate.joined.get(own.id)
            yield replace(_found(candidate, application, DetectedKind.OWN_ORGANISATION, entity.id, words), since=since)
        proven = number_keys(own, own.proven)
        for number, value in number_keys(own, own.numbers).items():
            for application, entity in index.by_number.get(number, ()):
                if entity.id != own.id:
                    words = f"{own.name} has the same {number[0]} as {entity.name}: {value}"
                    found = _found(candidate, application, DetectedKind.SAME_NUMBER, entity.id, words)
                    yield replace(found, proven=number in proven.keys() & number_keys(entity, entity.proven).keys())


def _by_help(candidate: Candidate, index: _Index) -> Iterator[Found]:
    """Who advises a city of a consortium, and who wrote the application and left its team before it was judged."""
    for organisation_id, since, city in candidate.advised:
        for application, entity in index.by_entity.get(organisation_id, ()):
            words = f"Advises {city} for the programme, or did within the years the call looks back"
            yield replace(_found(candidate, application, DetectedKind.ADVISED_CITY, entity.id, words), since=since)
    acts_for = {application.application_id for application, _ in index.by_person.get(candidate.person.user_id, ())}
    for application in index.by_writer.get(candidate.person.user_id, ()):
        if application.application_id not in acts_for:
            words = "Was of the team that wrote this application"
            yield _found(candidate, application, DetectedKind.HELPED_TO_WRITE, application.lead_id, words)


def _by_place(candidate: Candidate, index: _Index, rules: ConflictRules) -> Iterator[Found]:
    """The same country or city, where the call says that it is a conflict."""
    if rules.same_country:
        for country in sorted(candidate.countries):
            for application, entity in index.by_country.get(country, ()):
                words = f"Comes from a country of the consortium: {country}"
                yield _found(candidate, application, DetectedKind.SAME_COUNTRY, entity.id, words)
    if rules.same_city:
        country, town = candidate.works_in
        here = {(country, name_key(town)): "Works in a city"} if name_key(town) else {}
        said = {key: f"{own.name} is in a city" for own in candidate.entities for key in own.towns} | here
        for key, words in said.items():
            for application, entity in index.by_town.get(key, ()):
                told = f"{words} of the consortium: {entity.towns[key]}"
                yield _found(candidate, application, DetectedKind.SAME_CITY, entity.id, told)


def _to_look_at(candidate: Candidate, index: _Index, rules: ConflictRules) -> Iterator[Found]:
    """What may be a conflict and may be none: a person decides."""
    person = candidate.person
    for domain in with_parents(person.domain):
        for application, organisation_id in index.by_domain.get(domain, ()):
            words = f"An e-mail address of the same domain: {domain}"
            yield _found(candidate, application, DetectedKind.MAIL_DOMAIN, organisation_id, words)
    if rules.past_consortium_years:
        yield from _past(candidate, index)
    for application, other in index.people.near(_person_key(person.name)):
        if other.user_id != person.user_id:
            near = "The same name" if person.name.casefold() == other.name.casefold() else "Nearly the same name"
            words = f"{near} as {other.name} of its team"
            yield _found(candidate, application, DetectedKind.SIMILAR_PERSON, other.organisation_id, words)
    for own in candidate.entities:
        for application, entity in index.names.near(f"{own.country_code} {name_key(own.name)}"):
            if entity.id != own.id:
                near = (
                    "have the same name"
                    if own.name.casefold() == entity.name.casefold()
                    else "have nearly the same name"
                )
                words = f"{own.name} and {entity.name} {near}"
                yield _found(candidate, application, DetectedKind.SIMILAR_ORGANISATION, entity.id, words)


def _past(candidate: Candidate, index: _Index) -> Iterator[Found]:
    for own in candidate.entities:
        for before in index.past_of.get(own.id, ()):
            for organisation_id in sorted(before.organisation_ids - {own.id}):
                for application, entity in index.by_entity.get(organisation_id, ()):
                    words = f"{own.name} and {entity.name} stood in one consortium: {before.words}"
                    yield _found(candidate, application, DetectedKind.PAST_CONSORTIUM, entity.id, words)


def _person_key(name: str) -> str:
    """The words of a name in one order; nothing for a single word, which many have."""
    key = name_key(name)
    return key if " " in key else ""


def _found(
    candidate: Candidate,
    application: ComparedApplication,
    kind: DetectedKind,
    organisation_id: UUID | None,
    evidence: str,
) -> Found:
    return Found(candidate.person.user_id, application.application_id, kind, organisation_id, evidence)
