"""Who arrives in the demo: organisations, people of the cast by invitation, and the many around them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from uuid import UUID

from grants.core.acts import act
from grants.core.permissions import Actor, Permission, system_actor
from grants.demo import crowd
from grants.demo.cast import EVALUATORS, ORGANISATIONS, PEOPLE, WRITES_FOR, PersonOfTheDemo
from grants.demo.crowd import key_of
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.identity.rules import OrganisationInput, UserInput
from grants.identity.states import OrganisationKind

# The program itself, before there is anybody: it makes the first people and organisations and nothing else.
_FOUNDER = system_actor("The demo", [Permission.USER_INVITE, Permission.ROLE_ASSIGN])


@act("demo.set_up_organisations", needs=Permission.USER_INVITE, says="set up the organisations of the demo")
def set_up_organisations(actor: Actor) -> tuple[tuple[str, UUID], ...]:
    """The organisations of the demo; real cities are real, everything else is marked as invented."""
    made = {key: _make(*about) for key, about in ORGANISATIONS.items()}
    by_place = {key_of(about[0], about[2]): made[key] for key, about in ORGANISATIONS.items()}
    for pilot in crowd.pilots():
        for name, country in pilot.cities:
            made[key_of(name, country)] = _make(name, OrganisationKind.MUNICIPALITY, country, synthetic=False)
    for place in crowd.municipalities():
        made[place.key] = by_place.get(place.key) or _make(place.name, OrganisationKind.MUNICIPALITY, place.country)
    for judge in crowd.judges():
        where = f"of {judge.organisation}"
        known = key_of(judge.organisation, judge.country)
        if where not in made:
            made[where] = by_place.get(known) or _make(judge.organisation, OrganisationKind.RESEARCH, judge.country)
    return tuple(made.items())


def _make(name: str, kind: OrganisationKind, country: str, synthetic: bool = True) -> UUID:
    given = OrganisationInput(name, kind, country, synthetic=synthetic)
    if kind is OrganisationKind.MUNICIPALITY:
        given = replace(given, town=name, public_body=True)
    return people.make_organisation(given)


@dataclass
class Arrivals:
    """Everybody of the demo and where they work, by the keys of ``cast`` and ``crowd``."""

    ids: dict[str, UUID] = field(default_factory=dict)
    places: dict[str, UUID] = field(default_factory=dict)

    def actor(self, key: str) -> Actor:
        """The person as they are now, freshly signed in."""
        return self.actor_of(self.ids[key])

    def actor_of(self, user_id: UUID) -> Actor:
        """The same, of somebody known by their account."""
        return identity.actor_for(user_id, fresh=True)

    def arrive(self) -> None:
        """Organisations, the first administrator, and everybody of the cast by invitation."""
        self.places = dict(set_up_organisations(_FOUNDER))
        first = UserInput(
            "Signe Holm", "signe.holm@demo.example", (Role.ADMINISTRATOR,), job_title="Administrator", is_demo=True
        )
        self.ids["administrator"] = people.add_user(_FOUNDER, first).user_id
        for person in PEOPLE:
            self.ids[person.key] = self._add(person)
        for _, role in identity.roles_waiting(self.actor("second_administrator")):
            people.confirm_role(self.actor("second_administrator"), role.id)

    def _add(self, person: PersonOfTheDemo, *, signs_in: bool = True) -> UUID:
        values = UserInput(
            person.name,
            f"{person.key.replace('_', '.')}@demo.example",
            person.roles,
            organisation_id=self.places[person.organisation],
            job_title=person.job,
            is_demo=signs_in,
        )
        # Both administrators come from the program: one alone cannot make another.
        giver = _FOUNDER if Role.ADMINISTRATOR in person.roles else self.actor("administrator")
        return people.add_user(giver, values).user_id

    def writer(self, name: str, country: str, person_name: str, job: str) -> str:
        """Whoever writes for a place; they come when they are first needed, and nobody signs in as them."""
        known = WRITES_FOR.get(f"{country} {name}")
        if known is not None:
            return known
        key = key_of(name, country)
        if key not in self.ids:
            person = PersonOfTheDemo(key, person_name, key, job, (Role.APPLICANT,))
            self.ids[key] = self._add(person, signs_in=False)
        return key

    def colleague(self, place: str, name: str, job: str) -> UUID:
        """Somebody else who works for a place, and signs in nowhere."""
        return self._add(PersonOfTheDemo(f"{place}_colleague", name, place, job, (Role.APPLICANT,)), signs_in=False)

    def late_judge(self) -> UUID:
        """An evaluator who comes last and signs in nowhere."""
        person = PersonOfTheDemo("ragna", "Ragna Thorsdóttir", "institute", "Evaluator, finance", (Role.EVALUATOR,))
        return self._add(person, signs_in=False)

    def judges_arrive(self) -> None:
        """The evaluators of the large call beside those of the cast; nobody signs in as them."""
        for judge in crowd.judges():
            person = PersonOfTheDemo(
                judge.key, judge.name, f"of {judge.organisation}", f"Evaluator, {judge.field}", (Role.EVALUATOR,)
            )
            self.ids[judge.key] = self._add(person, signs_in=False)


ALL_EVALUATORS = (*EVALUATORS, *(judge.key for judge in crowd.judges()))
