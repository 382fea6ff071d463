"""Grants on their way from the selection to the agreement, for tests: in preparation, on offer, in force with a partner to accede."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from grants.agreements import queries, rules, services
from grants.agreements.models import Grant
from grants.agreements.rules import (
    AccessionView,
    ConditionInput,
    ContactInput,
    CoSigner,
    GrantView,
    PowerToSign,
    RevisionView,
    VerdictInput,
)
from grants.agreements.services import offering
from grants.agreements.states import GRANT, ConditionKey, ContactRole, OfferSubject
from grants.applications.models import Application, ApplicationPartner, Submission
from grants.applications.rules import BudgetInput, digest
from grants.applications.states import PartnerRole, PartnerState
from grants.budgets.rules import BudgetContent, Cell, ItemKind, Months, PlanItem, PlannedPackage, Shown, to_mapping
from grants.calls import queries as calls
from grants.core import clock
from grants.core.acts import act, arranging
from grants.core.db import db, get, locked
from grants.core.money import Money, euros
from grants.core.permissions import Actor, Permission
from grants.demo.preparing import evidence
from grants.identity.policy import Role
from grants.identity.queries import actor_for
from tests import actors
from tests.awards.publishing import tell_all
from tests.evaluation.scene import Scene
from tests.factories import identity as people
from tests.worlds import World, Worlds

PLAN = PlannedPackage("WP1", "Blocks", None, Months(1, 12), (PlanItem(ItemKind.TASK, "Ask", None, Months(1, 3)),))


@dataclass
class Prepared:
    """A grant in preparation of two beneficiaries, with who writes for either."""

    reference: str
    grant_id: UUID
    city_id: UUID
    partner_id: UUID
    lead_id: UUID
    second_id: UUID
    category: str

    @property
    def grant(self) -> GrantView:
        return queries.grant(actors.pia(), self.reference)

    @property
    def revision(self) -> RevisionView:
        found = queries.revision(self.grant)
        assert found is not None
        return found

    @property
    def lead(self) -> Actor:
        return actor_for(self.lead_id, fresh=True)

    @property
    def second(self) -> Actor:
        return actor_for(self.second_id, fresh=True)

    def write(self, actor: Actor, who: UUID, amount: Money, shown: Shown | None = None) -> Any:
        given = BudgetInput((Cell(who, self.category, amount),), None if shown is None else (shown,))
        return services.revise_budget(actor, self.grant_id, given)

    def sent(self) -> int:
        return services.send_revision(self.lead, self.grant_id, seen=self.revision.new.fingerprint)


@pytest.fixture(scope="session")
def prepared_world(worlds: Worlds, small_world: World[Scene], decided_world: World[None]) -> World[Prepared]:
    """The first selected application asked for 400,000 in two parts; an officer prepares its grant."""

    def prepared() -> Prepared:
        scene = small_world.told()
        application_id = scene.application_ids[0]
        tell_all(scene)
        with arranging():
            application = get(Application, application_id)
            city_id = application.coordinator_id
            second = people.organisation("Second city of the grant")
            person = people.user("Petra Partner", organisation_id=second.id)
            people.role(person.id, Role.APPLICATION_PARTNER, kind="application", object_id=application_id)
            db.session.add(
                ApplicationPartner(
                    application_id=application_id, organisation_id=second.id, position=1,
                    role=PartnerRole.PARTNER.value, state=PartnerState.ACCEPTED.value, contact_user_id=person.id,
                )
            )  # fmt: skip
            rules = calls.call_by_id(scene.call_id).content.budget_rules
            category = next(each.code for each in rules.entered if each.in_flat_rate_base)
            content = BudgetContent(
                rules,
                (city_id, second.id),
                (Cell(city_id, category, euros(200_000)), Cell(second.id, category, euros(120_000))),
                plan=(PLAN,),
            )
            first = get(Submission, application.submission_id)
            member = first.content["consortium"][0]
            snapshot = first.content | {
                "budget": to_mapping(content),
                "consortium": [member, member | {"organisation_id": str(second.id), "role": "partner"}],
            }
            newer = Submission(
                application_id=application_id, number=2, receipt_number=900, submitted_at=first.submitted_at,
                submitted_by=first.submitted_by, closes_at=first.closes_at, content=snapshot, sha256=digest(snapshot),
                requested=euros(400_000),
            )  # fmt: skip
            db.session.add(newer)
            application.submission_id = newer.id
            partner_id, second_id = second.id, person.id
        made = services.prepare(actors.pia(), application_id, starts_on=date(2023, 6, 1))
        return Prepared(made.reference, made.id, city_id, partner_id, scene.leads[0], second_id, category)

    return worlds.of(prepared, like=decided_world)


@pytest.fixture
def prepared(app: Flask, prepared_world: World[Prepared]) -> Prepared:
    return prepared_world.told()


@act("test_world.offer", needs=Permission.AGREEMENT_PREPARE, says="offered an agreement of the tests")
def _offer(actor: Actor, grant_id: UUID, accession_days: int) -> None:
    """As the act does once every condition is met, with a text that asks partners to accede."""
    grant = locked(Grant, grant_id)
    shown = queries.view(grant)
    power = rules.power_in(rules.power_of(queries.conditions_now(shown)))
    text = rules.agreement_text(shown, rules.NO_ANNEXES, power, accession_days=accession_days)
    GRANT.move(grant, "offer")
    offering.open_offer(actor, grant, OfferSubject.AGREEMENT, text, rules.signing_rule(shown, power))


@dataclass(frozen=True)
class Offered:
    """A grant on offer, or in force: two sign together for its city, Maya and Tom; Petra speaks for its partner."""

    reference: str
    grant_id: UUID
    partner_id: UUID
    maya_id: UUID
    tom_id: UUID
    petra_id: UUID

    @property
    def grant(self) -> GrantView:
        return queries.grant(actors.pia(), self.reference)

    @property
    def sha256(self) -> str:
        offer = self.grant.offer
        assert offer is not None
        return offer.sha256

    def person(self, name: str) -> Actor:
        """Maya, Tom or Petra as they are now, freshly signed in."""
        return actor_for(getattr(self, f"{name}_id"), fresh=True)

    @property
    def accession(self) -> AccessionView:
        """Of its partner."""
        (found,) = queries.accessions(self.grant_id)
        return found


def power(first: tuple[UUID, str], *others: tuple[UUID, str], number: int = 0, **more: Any) -> ConditionInput:
    """A power to sign from today on; where it names several, only all of them together."""
    named = tuple(CoSigner(user_id, name, "Treasurer") for user_id, name in others)
    today = clock.in_zone(clock.now()).date()
    said = PowerToSign(*first, "Mayor", "Statute (invented)", named, bool(named))
    given = {"organisation_id": None, "valid_from": today, "valid_until": clock.add_months(today, 12), **more}
    return ConditionInput(ConditionKey.POWER_TO_SIGN, content=said, evidence_on=today, number=number, **given)


@pytest.fixture(scope="session")
def offered_world(worlds: Worlds, prepared_world: World[Prepared]) -> World[Offered]:
    """The same grant on offer; its text has partners accede within 30 days."""

    def offered() -> Offered:
        made = prepared_world.told()
        with arranging():
            named = {key: people.user(name, organisation_id=made.city_id) for key, name in SIGNERS.items()}
            ids = {key: (person.id, person.name, person.email) for key, person in named.items()}
        for _, name, email in ids.values():
            services.appoint(actors.pia(), made.grant_id, ContactInput(name, email, ContactRole.SIGNATORY))
        given = power(*((user_id, name) for user_id, name, _ in ids.values()))
        number = services.state_condition(made.lead, made.grant_id, given, evidence(ConditionKey.POWER_TO_SIGN))
        services.accept_answer(actors.pia(), made.grant_id, VerdictInput(given.key, None, number))
        actors.greta(), actors.ingrid()
        _offer(actors.pia(), made.grant_id, 30)
        return Offered(made.reference, made.grant_id, made.partner_id, ids["maya"][0], ids["tom"][0], made.second_id)

    return worlds.of(offered, like=prepared_world)


SIGNERS = {"maya": "Maya Mayor", "tom": "Tom Treasurer"}


@pytest.fixture
def offered(app: Flask, offered_world: World[Offered]) -> Offered:
    return offered_world.told()


@pytest.fixture(scope="session")
def signed_world(worlds: Worlds, offered_world: World[Offered]) -> World[Offered]:
    """The same grant in force: its partner is asked to accede."""

    def signed() -> Offered:
        made = offered_world.told()
        for name in SIGNERS:
            services.sign_city(made.person(name), made.grant_id, capacity="Mayor", document_sha256=made.sha256)
        services.sign_programme(actors.greta(), made.grant_id, capacity="Director", document_sha256=made.sha256)
        return made

    return worlds.of(signed, like=offered_world)


@pytest.fixture
def signed(app: Flask, signed_world: World[Offered]) -> Offered:
    return signed_world.told()
