"""Who accepted for an organisation they are not of, and waits until somebody of it confirms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import aliased

from grants.applications import rules
from grants.applications.models import Application, ApplicationPartner
from grants.applications.queries.lists import closes_at_of
from grants.applications.queries.reach import LIST_ROWS_MAX, not_barred
from grants.applications.rules import WaitingAnswer
from grants.applications.states import PartnerState
from grants.calls.models import Call
from grants.core.db import db
from grants.core.permissions import Actor, Permission
from grants.identity.models import Organisation, User


def waiting_answers(actor: Actor, at: datetime) -> tuple[WaitingAnswer, ...]:
    """The answers this person may confirm or refuse now, the oldest first, at most 200.

    What an application is called, only the people of its organisations read.
    """
    lead = aliased(Organisation)
    rows = db.session.execute(
        waiting(
            actor,
            at,
            ApplicationPartner.id,
            ApplicationPartner.organisation_id,
            ApplicationPartner.answered_at,
            Application.reference,
            Application.title,
            Call.title.label("call_title"),
            closes_at_of().label("closes_at"),
            Organisation.name.label("organisation"),
            lead.name.label("lead"),
            User.name.label("person"),
            User.email,
        )
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .join(lead, lead.id == Application.coordinator_id)
        .join(User, User.id == ApplicationPartner.contact_user_id)
        .order_by(ApplicationPartner.answered_at, ApplicationPartner.id)
        .limit(LIST_ROWS_MAX)
    )
    return tuple(
        WaitingAnswer(
            id=row.id,
            organisation=row.organisation,
            person=row.person,
            email=row.email,
            reference=row.reference,
            title=row.title if row.organisation_id in actor.organisation_ids else None,
            call_title=row.call_title,
            lead=row.lead,
            answered_at=row.answered_at,
            closes_at=row.closes_at,
        )
        for row in rows
    )


def waiting(actor: Actor, at: datetime, *columns: Any) -> Select[Any]:
    """Columns of the answers that wait for this person, as long as the application may be written in."""
    return (
        select(*columns)
        .select_from(ApplicationPartner)
        .join(Application, Application.id == ApplicationPartner.application_id)
        .join(Call, Call.id == Application.call_id)
        .where(
            ApplicationPartner.state == PartnerState.WAITING.value,
            Application.state.in_([state.value for state in rules.WRITABLE]),
            closes_at_of() > at,
            _vouched_for(actor),
            *not_barred(actor),
        )
    )


def _vouched_for(actor: Actor) -> ColumnElement[bool]:
    if actor.everywhere(Permission.ORGANISATION_VOUCH):
        return ApplicationPartner.organisation_id.is_not(None)
    return ApplicationPartner.organisation_id.in_(actor.places(Permission.ORGANISATION_VOUCH, "organisation"))
