"""Acts by which a consortium is put together: the lead invites, the partner answers."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.applications import queries, rules
from grants.applications.models import Application, ApplicationPartner
from grants.applications.rules import InviteInput
from grants.applications.services.drafting import refresh_search_text, writable
from grants.applications.states import PARTNER, PartnerRole, PartnerState
from grants.budgets import services as budgets
from grants.core import acts
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.identity.rules import Joins, checked_name, normal_email


@act(
    "application.invite",
    needs=Permission.APPLICATION_INVITE,
    scope=queries.scope_of,
    says="invited a partner to application {subject}",
)
def invite(actor: Actor, application_id: UUID, given: InviteInput) -> UUID:
    """Invite an organisation by the mail of the person who will speak for it; returns the organisation's id.

    The person can read the application at once and write in it after accepting.
    """
    application, call = writable(application_id)
    email, name = _checked_person(given)
    organisation_id = _organisation(given)
    standing = _partner(application_id, organisation_id)
    _refuse_doubles(application_id, standing)
    # Nobody is let into an organisation that is not theirs to open: only one described here begins with its person.
    joins = Joins.AS_GUEST if given.organisation is None else Joins.AS_MEMBER
    user_id = people.find_or_invite(email, name, organisation_id, joins=joins)
    if user_id == actor.user_id:
        raise Invalid("You are in this application already.", {"email": "Enter the mail address of somebody else."})
    people.refuse_staff(user_id)
    if standing is None:
        count = len(queries.partners(application_id))
        standing = ApplicationPartner(
            application_id=application_id,
            organisation_id=organisation_id,
            position=count,
            role=PartnerRole.PARTNER.value,
            state=PartnerState.INVITED.value,
        )
        db.session.add(standing)
    else:
        PARTNER.move(standing, "invite_again")
        standing.answered_at = None
    standing.contact_user_id, standing.invited_at = user_id, acts.moment()
    standing.invited_name = name
    people.give_role(user_id, Role.APPLICATION_PARTNER, kind="application", object_id=application_id)
    assert application.budget_id is not None, "what can be written in has a budget"
    db.session.flush()
    budgets.add_organisation(application.budget_id, organisation_id)
    refresh_search_text(application)
    people.mail(
        [user_id],
        "application_invitation",
        "application",
        application_id,
        reference=application.reference,
        title=application.title,
        call_title=call.title,
        invited_by=actor.name,
        organisation=identity.organisation(organisation_id).name,
        closes_at=rules.said(call.closes_at, call.zone) if call.closes_at else "",
    )
    return organisation_id


def _checked_person(given: InviteInput) -> tuple[str, str]:
    problems: dict[str, str] = {}
    email = name = ""
    try:
        email = normal_email(given.email)
    except Invalid as error:
        problems["email"] = str(error)
    try:
        name = checked_name(given.name)
    except Invalid as error:
        problems["name"] = str(error)
    if (given.organisation_id is None) == (given.organisation is None):
        problems["organisation_id"] = "Choose an organisation, or describe a new one below."
    if problems:
        raise Invalid("The invitation was not sent.", problems)
    return email, name


def _organisation(given: InviteInput) -> UUID:
    if given.organisation is not None:
        try:
            people.refuse_known_organisation(given.organisation)
            return people.make_organisation(given.organisation)
        except Invalid as error:
            # On this form “name” is that of the person.
            moved = {"new_name" if key == "name" else key: sentence for key, sentence in error.problems.items()}
            raise Invalid(str(error), moved) from error
    assert given.organisation_id is not None, "checked before"
    return identity.organisation(given.organisation_id).id


def _partner(application_id: UUID, organisation_id: UUID) -> ApplicationPartner | None:
    return db.session.scalars(
        select(ApplicationPartner)
        .where(
            ApplicationPartner.application_id == application_id,
            ApplicationPartner.organisation_id == organisation_id,
        )
        .with_for_update(of=ApplicationPartner)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _refuse_doubles(application_id: UUID, standing: ApplicationPartner | None) -> None:
    if standing is not None and PartnerState(standing.state) is not PartnerState.DECLINED:
        raise Invalid(
            "This organisation is in the application already.",
            {"organisation_id": "This organisation is in the application already. Choose another."},
        )
    count = len(queries.partners(application_id))
    if standing is None and count >= rules.PARTNERS_MAX:
        raise Refused(
            f"The application has {count} organisations; the limit is {rules.PARTNERS_MAX}. Take one out before you invite another."
        )


@act(
    "application.accept_invitation",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="joined application {subject}",
)
def accept_invitation(actor: Actor, application_id: UUID) -> None:
    """The invited person agrees for the organisation."""
    application, _ = writable(application_id)
    partner = _own_invitation(actor, application_id)
    # What was true when they were asked may have changed meanwhile.
    assert actor.user_id is not None, "an invitation is answered by a person"
    people.refuse_staff(actor.user_id)
    PARTNER.move(partner, "accept")
    partner.answered_at = acts.moment()
    _tell_the_lead(actor, application, partner, "accepted")


@act(
    "application.decline_invitation",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="declined to join application {subject}",
)
def decline_invitation(actor: Actor, application_id: UUID, reason: str = "") -> None:
    """The invited person declines for the organisation, and no longer sees the application."""
    application, _ = writable(application_id)
    partner = _own_invitation(actor, application_id)
    if reason.strip():
        acts.reason(reason.strip())
    PARTNER.move(partner, "decline")
    partner.answered_at = acts.moment()
    assert actor.user_id is not None, "an invitation is answered by a person"
    people.end_role(actor.user_id, Role.APPLICATION_PARTNER, kind="application", object_id=application_id)
    _tell_the_lead(actor, application, partner, "declined")


def _own_invitation(actor: Actor, application_id: UUID) -> ApplicationPartner:
    for partner in queries.partners(application_id):
        if partner.contact_id == actor.user_id and not partner.leads:
            found = _partner(application_id, partner.organisation_id)
            assert found is not None
            return found
    raise NotFound


def _tell_the_lead(actor: Actor, application: Application, partner: ApplicationPartner, answer: str) -> None:
    leads = [p.contact_id for p in queries.partners(application.id) if p.leads and p.contact_id]
    people.mail(
        leads,
        "application_answer",
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        organisation=identity.organisation(partner.organisation_id).name,
        person_name=actor.name,
        answer=answer,
    )


@act(
    "application.remove_partner",
    needs=Permission.APPLICATION_INVITE,
    scope=queries.scope_of,
    says="removed a partner from application {subject}",
)
def remove_partner(actor: Actor, application_id: UUID, organisation_id: UUID) -> None:
    """Take a partner out of the draft; refused while it has amounts in the budget. Submitted versions keep it."""
    application, _ = writable(application_id)
    partner = _partner(application_id, organisation_id)
    if partner is None:
        raise NotFound
    if partner.role == PartnerRole.COORDINATOR.value:
        raise Refused("The lead cannot be taken out. Withdraw the application if you do not want to go on.")
    assert application.budget_id is not None, "what can be written in has a budget"
    budgets.remove_organisation(application.budget_id, organisation_id)
    contact = partner.contact_user_id
    db.session.delete(partner)
    db.session.flush()
    still = {p.contact_id for p in queries.partners(application_id)}
    if contact is not None and contact not in still:
        people.end_role(contact, Role.APPLICATION_PARTNER, kind="application", object_id=application_id)
    refresh_search_text(application)
