"""The people of an application: in which role each is here, who has joined, and what each may write."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.applications.models import ApplicationMember
from grants.applications.rules import TEAM_ROLES, ApplicationView, TeamMember
from grants.applications.states import PartnerState
from grants.core.db import db
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, both, reader
from grants.identity import queries as identity
from grants.identity.models import User


@reader
def team(application: ApplicationView) -> Asking[tuple[TeamMember, ...]]:
    """Everybody of the team, the lead first, then by role; whose role an administrator ended is left out.

    One statement. Of who has not joined, only what the lead typed is told.
    """
    members = (
        select(
            ApplicationMember.user_id,
            ApplicationMember.invited_name,
            ApplicationMember.joined_at,
            User.name.label("name"),
            User.email.label("email"),
        )
        .join(User, User.id == ApplicationMember.user_id)
        .where(ApplicationMember.application_id == application.id)
        .order_by(ApplicationMember.created_at, ApplicationMember.id)
    )
    roles, rows = yield from both(identity.holders.asking("application", application.id, TEAM_ROLES), ask(members))
    found = [
        TeamMember(
            partner.contact_id,
            partner.contact_name or partner.contact_email or "",
            partner.contact_email or "",
            roles[partner.contact_id],
            partner.state is PartnerState.ACCEPTED,
            partner.name,
        )
        for partner in application.partners
        if partner.contact_id in roles and partner.contact_id and partner.state is not PartnerState.DECLINED
    ]
    speaking = {member.user_id for member in found}
    found += [
        TeamMember(
            row.user_id,
            row.name if row.joined_at else row.invited_name,
            row.email,
            roles[row.user_id],
            row.joined_at is not None,
        )
        for row in rows
        if row.user_id in roles and row.user_id not in speaking
    ]
    return tuple(sorted(found, key=lambda member: TEAM_ROLES.index(member.role)))


def membership(application_id: UUID, user_id: UUID) -> ApplicationMember | None:
    """The row of a person who speaks for no organisation, locked; None where there is none."""
    return db.session.scalars(
        select(ApplicationMember)
        .where(ApplicationMember.application_id == application_id, ApplicationMember.user_id == user_id)
        .with_for_update(of=ApplicationMember)
        .execution_options(populate_existing=True)
    ).one_or_none()


def writes_all(actor: Actor, application_id: UUID) -> bool:
    """Whether this person writes every part: the lead and the editors."""
    return application_id in actor.places(Permission.APPLICATION_EDIT_ALL, "application")


def writes_section(actor: Actor, application_id: UUID, asked_id: UUID | None) -> bool:
    """Whether a section is this person's to write: everybody's who writes all, else of whom it is asked."""
    return writes_all(actor, application_id) or (asked_id is not None and asked_id == actor.user_id)
