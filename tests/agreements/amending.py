"""A grant in force with its text, budget, milestones and schedule: what every test of amendments starts from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries, rules
from grants.agreements.models import (
    AgreementOffer,
    AgreementVersion,
    Beneficiary,
    Grant,
    GrantRevision,
    Milestone,
    PaymentScheduleLine,
)
from grants.agreements.rules import NO_ANNEXES, GrantView, Share
from grants.agreements.states import MilestoneState, OfferEnd, OfferSubject, PaymentKind, RevisionState
from grants.budgets import services as budgets
from grants.budgets.rules import BudgetContent, Cell, Purpose
from grants.calls.models import Call
from grants.calls.rules import CallView
from grants.core import clock, encoding
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.jobs import Job
from grants.core.money import euros
from grants.core.permissions import Actor
from grants.identity.policy import Role
from tests import actors
from tests.factories.applications import published_call
from tests.payments.world import IN_FORCE, World, world

NOW = datetime(2024, 3, 4, 10, tzinfo=UTC)
TODAY = date(2024, 3, 4)
STAFF, GOODS = "A", "C1"


@dataclass(frozen=True)
class Amended:
    """The grant, and a third organisation that takes no part yet."""

    grant_id: UUID
    reference: str
    city_id: UUID
    agency_id: UUID
    newcomer_id: UUID
    application_id: UUID


def agreed() -> Amended:
    """600 000 for two years from June 2023: the city 400 000, the agency 200 000; in force since May 2023."""
    call = published_call()
    with clock.at(IN_FORCE):
        found = world(2)
        newcomer = actors.organisation("Third City")
        for person in (actors.vera, actors.nuria, actors.pia, actors.eva, actors.ada, actors.greta):
            person()
        mayor = actors.person("Maya Mayor", organisation_name=actors.NORTHBRIDGE)
        actors.give(mayor, Role.SIGNATORY, "application", found.application_id)
        whole(found, call)
    return Amended(found.grant_id, found.reference, found.city_id, found.agency_id, newcomer, found.application_id)


def mayor() -> Actor:
    """Who signs for the city."""
    return actors.actor(actors.person("Maya Mayor", organisation_name=actors.NORTHBRIDGE))


def whole(found: World, call: CallView) -> None:
    content = call.content
    with arranging():
        grant = db.session.get_one(Grant, found.grant_id)
        db.session.get_one(Call, found.call_id).content = db.session.get_one(Call, call.id).content
        _schedule(found.grant_id)
        cells = (
            Cell(found.city_id, STAFF, euros(240_000)),
            Cell(found.city_id, GOODS, euros(80_000)),
            Cell(found.agency_id, STAFF, euros(160_000)),
        )
        own = BudgetContent(content.budget_rules, (found.city_id, found.agency_id), cells)
        grant.budget_id = budgets.copy("grant", grant.id, Purpose.GRANTED, own)
        db.session.add(GrantRevision(grant_id=grant.id, state=RevisionState.NONE_NEEDED.value))
        db.session.flush()
        text = rules.agreement_text(queries.view(grant), NO_ANNEXES)
        db.session.add(
            AgreementOffer(
                grant_id=grant.id,
                offer_no=1,
                subject=OfferSubject.AGREEMENT.value,
                text=encoding.encode(text),
                sha256=bytes.fromhex(rules.text_hash(text)),
                needs_city=1,
                needs_programme=1,
                offered_at=IN_FORCE,
                ended_at=IN_FORCE,
                ended_why=OfferEnd.SIGNED.value,
            )
        )
        db.session.add(
            AgreementVersion(
                grant_id=grant.id, number=1, offer_no=1, in_force_on=date(2023, 5, 2), in_force_at=IN_FORCE
            )
        )


def _schedule(grant_id: UUID) -> None:
    for number, kind, report, planned, day in (
        (2, PaymentKind.INTERIM, 1, euros(300_000), date(2024, 7, 31)),
        (3, PaymentKind.BALANCE, 2, euros(90_000), date(2025, 7, 31)),
    ):
        db.session.add(
            PaymentScheduleLine(
                grant_id=grant_id, number=number, kind=kind.value, report_number=report, planned=planned, due_on=day
            )
        )
    for number, title, day in ((1, "Plan", date(2024, 1, 15)), (2, "Roofs", date(2025, 5, 1))):
        db.session.add(
            Milestone(
                grant_id=grant_id,
                number=number,
                title=title,
                criterion=f"{title} are there.",
                due_on=day,
                state=MilestoneState.PLANNED.value,
            )
        )


def view_of(found: Amended) -> GrantView:
    """The grant as it stands."""
    return queries.view(db.session.get_one(Grant, found.grant_id, populate_existing=True))


def shares(found: Amended, city: int, agency: int) -> tuple[Share, ...]:
    """Maxima in euros."""
    return Share(found.city_id, euros(city)), Share(found.agency_id, euros(agency))


def queued(name: str) -> list[dict[str, Any]]:
    """The arguments of jobs of that name."""
    return list(db.session.scalars(select(Job.args).where(Job.name == name).order_by(Job.id)))


def maxima(found: Amended) -> list[int]:
    """Of the beneficiaries in their order, in euros."""
    rows = db.session.scalars(
        select(Beneficiary).where(Beneficiary.grant_id == found.grant_id).order_by(Beneficiary.position)
    )
    return [row.maximum.cents // 100 for row in rows]
