"""Whether the lead of an application is gone, who could lead it, and the requests that wait for staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from grants.applications.models import Application, ApplicationTakeover
from grants.applications.queries.reach import DUTIES_MAX, not_barred
from grants.applications.rules import ApplicationView
from grants.core.db import db
from grants.core.duties import Duty
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask
from grants.identity import queries as identity
from grants.identity.models import Organisation, User
from grants.identity.rules import Person


@dataclass(frozen=True, slots=True)
class TakeoverView:
    """One request that waits; of the draft itself staff read nothing."""

    id: UUID
    reference: str
    organisation: str
    lead: str
    asked_by: str
    reason: str
    asked_at: datetime


def could_lead(application: ApplicationView) -> tuple[Person, ...]:
    """The people of the leading organisation with an account that works: only they lead."""
    return identity.members(application.coordinator_id)


def lead_is_gone(application: ApplicationView, people: tuple[Person, ...]) -> bool:
    """Whether the lead's account is disabled, or they are not among the people of the leading organisation any more."""
    return application.coordinator.contact_id not in {person.id for person in people}


def takeover_waits(application_id: UUID) -> bool:
    """Whether a request for this application waits for staff."""
    waiting = select(ApplicationTakeover.id).where(
        ApplicationTakeover.application_id == application_id, ApplicationTakeover.answered_at.is_(None)
    )
    return db.session.scalars(waiting).first() is not None


def _waiting(actor: Actor, *columns: Any) -> Select[Any]:
    statement = (
        select(*columns)
        .select_from(ApplicationTakeover)
        .join(Application, Application.id == ApplicationTakeover.application_id)
        .where(ApplicationTakeover.answered_at.is_(None), *not_barred(actor))
    )
    if not actor.everywhere(Permission.APPLICATION_CONFIRM_TAKEOVER):
        statement = statement.where(
            Application.call_id.in_(actor.places(Permission.APPLICATION_CONFIRM_TAKEOVER, "call"))
        )
    return statement


def takeovers(actor: Actor) -> tuple[TakeoverView, ...]:
    """The requests this person answers, oldest first, at most 50; one statement."""
    lead, asker = aliased(User), aliased(User)
    rows = db.session.execute(
        _waiting(
            actor,
            ApplicationTakeover.id,
            ApplicationTakeover.reason,
            ApplicationTakeover.created_at,
            Application.reference,
            Organisation.name.label("organisation"),
            lead.name.label("lead"),
            asker.name.label("asker"),
        )
        .join(Organisation, Organisation.id == Application.coordinator_id)
        .join(lead, lead.id == ApplicationTakeover.lead_id)
        .join(asker, asker.id == ApplicationTakeover.asked_by)
        .order_by(ApplicationTakeover.created_at, ApplicationTakeover.id)
        .limit(DUTIES_MAX)
    )
    return tuple(
        TakeoverView(row.id, row.reference, row.organisation, row.lead, row.asker, row.reason, row.created_at)
        for row in rows
    )


def takeover_duties(actor: Actor, at: datetime) -> Asking[list[Duty]]:
    """How many requests wait for this person."""
    (row,) = yield from ask(_waiting(actor, func.count().label("waiting")))
    if not row.waiting:
        return []
    return [
        Duty(
            what=f"Say who leads {row.waiting} {'application' if row.waiting == 1 else 'applications'} whose lead is gone",
            why="Nobody can send the application or invite anybody before this is answered.",
            button="See the requests",
            endpoint="applications.takeovers",
        )
    ]
