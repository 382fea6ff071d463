"""Acts by which a consortium is put together: the lead invites, the partner answers."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from grants.applications import queries, rules
from grants.applications.models import Application, ApplicationPartner
from grants.applications.rules import InviteInput
from grants.applications.services.drafting import writable
from grants.applications.services.finding import refresh_search_text
from grants.applications.services.privacy import note_acceptance
from grants.applications.states import PARTNER, PartnerRole, PartnerState
from grants.budgets import services as budgets
from grants.calls.rules import CallView
from grants.calls.rules.saying import closes_said
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.dossiers import services as dossiers
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
    organisation_id, described = _organisation(actor, application_id, given)
    standing = _partner(application_id, organisation_id)
    _refuse_doubles(application_id, standing)
    # Nobody is let into an organisation that is not theirs to open: only one described here begins with its person.
    joins = Joins.AS_MEMBER if described else Joins.AS_GUEST
    user_id = people.find_or_invite(email, name, organisation_id, joins=joins)
    faults.point("four_eyes")
    if user_id == actor.user_id:
        raise Invalid("You are in this application already.", {"email": "Enter the mail address of somebody else."})
    people.refuse_staff(user_id)
    refuse_member(application_id, user_id)
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
    ask_sections(application, user_id, given.sections)
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
        closes_at=closes_said(call),
        tasks=tasks(call, given.sections),
    )
    return organisation_id


def ask_sections(application: Application, user_id: UUID, keys: Iterable[str]) -> None:
    """Ask sections of a person, whoever they were asked of before."""
    assert application.dossier_id is not None, "what can be written in has answers"
    for key in dict.fromkeys(keys):
        dossiers.ask_to_write(application.dossier_id, key, user_id)


def tasks(call: CallView, keys: Iterable[str]) -> list[dict[str, str]]:
    """Sections by key and title, for a mail that leads to each of them."""
    wanted = set(keys)
    return [
        {"key": section.key, "title": section.title}
        for section in call.content.definition.sections
        if section.key in wanted
    ]


def _checked_person(given: InviteInput) -> tuple[str, str]:
    email, name, problems = named_person(given.email, given.name)
    if (given.organisation_id is None) == (given.organisation is None):
        problems["organisation_id"] = "Choose an organisation, or describe a new one below."
    if problems:
        raise Invalid("The invitation was not sent.", problems)
    return email, name


def named_person(typed_email: str, typed_name: str) -> tuple[str, str, dict[str, str]]:
    """Address and name of whoever is invited, and what is wrong with either by field."""
    problems: dict[str, str] = {}
    email = name = ""
    try:
        email = normal_email(typed_email)
    except Invalid as error:
        problems["email"] = str(error)
    try:
        name = checked_name(typed_name)
    except Invalid as error:
        problems["name"] = str(error)
    return email, name, problems


def refuse_member(application_id: UUID, user_id: UUID) -> None:
    """One person has one part in an application: who is of its team is not invited once more.

    Whose part an administrator ended is of the team no more, and what is left of it makes room for a new one.
    """
    row = queries.membership(application_id, user_id)
    if row is None:
        return
    if user_id in {member.user_id for member in queries.team(queries.view_by_id(application_id))}:
        sentence = "This person is in the team already. Take them out of it first, or name somebody else."
        raise Invalid("The invitation was not sent.", {"email": sentence})
    db.session.delete(row)
    db.session.flush()


def _organisation(actor: Actor, application_id: UUID, given: InviteInput) -> tuple[UUID, bool]:
    """The organisation that is meant, and whether it is new here with this invitation."""
    if given.organisation is not None:
        try:
            return people.describe_organisation(given.organisation)
        except Invalid as error:
            # On this form “name” is that of the person.
            moved = {"new_name" if key == "name" else key: sentence for key, sentence in error.problems.items()}
            raise Invalid(str(error), moved) from error
    assert given.organisation_id is not None, "checked before"
    here = [partner.organisation_id for partner in queries.partners(application_id)]
    if not identity.may_choose_organisation(actor, given.organisation_id, here):
        sentence = "This organisation is not in the list. Choose one of the list, or describe it below."
        raise Invalid("The invitation was not sent.", {"organisation_id": sentence})
    return given.organisation_id, False


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
    says="accepted an invitation to application {subject}",
)
def accept_invitation(
    actor: Actor, application_id: UUID, organisation_id: UUID, notice: int | None = None
) -> PartnerState:
    """The invited person agrees for one organisation.

    Somebody who is not of an organisation that has people binds it only once one of them, or an administrator, says so.
    """
    application, call = writable(application_id)
    partner = _own_invitation(actor, application_id, organisation_id)
    # What was true when they were asked may have changed meanwhile.
    assert actor.user_id is not None, "an invitation is answered by a person"
    people.refuse_staff(actor.user_id)
    note_acceptance(actor, application_id, notice)
    partner.answered_at = acts.moment()
    members = {member.id for member in identity.members(organisation_id)}
    if members and actor.user_id not in members:
        PARTNER.move(partner, "agree")
        people.mail(
            sorted(members),
            "partner_waits",
            "application",
            application_id,
            reference=application.reference,
            title=application.title,
            call_title=call.title,
            person_name=actor.name,
            organisation=identity.organisation(organisation_id).name,
        )
        return PartnerState.WAITING
    PARTNER.move(partner, "accept")
    people.register_organisation(organisation_id)
    _tell_the_lead(actor, application, partner, "accepted")
    return PartnerState.ACCEPTED


@act(
    "application.decline_invitation",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="declined an invitation to application {subject}",
)
def decline_invitation(actor: Actor, application_id: UUID, organisation_id: UUID, reason: str = "") -> None:
    """The invited person declines for one organisation; who speaks for no other no longer sees the application."""
    application, _ = writable(application_id)
    partner = _own_invitation(actor, application_id, organisation_id)
    if reason.strip():
        acts.reason(reason.strip())
    PARTNER.move(partner, "decline")
    partner.answered_at = acts.moment()
    assert actor.user_id is not None, "an invitation is answered by a person"
    _end_role_unless_needed(application_id, actor.user_id)
    _tell_the_lead(actor, application, partner, "declined")


def _own_invitation(actor: Actor, application_id: UUID, organisation_id: UUID) -> ApplicationPartner:
    partner = _partner(application_id, organisation_id)
    if partner is None or partner.contact_user_id != actor.user_id or partner.role == PartnerRole.COORDINATOR.value:
        raise NotFound
    return partner


def _end_role_unless_needed(application_id: UUID, user_id: UUID) -> None:
    """A person who speaks for another organisation of the application still needs the role."""
    db.session.flush()
    needed = any(
        p.contact_id == user_id and not p.leads and p.state is not PartnerState.DECLINED
        for p in queries.partners(application_id)
    )
    if not needed:
        people.end_role(user_id, Role.APPLICATION_PARTNER, kind="application", object_id=application_id)
        dossier_id = get(Application, application_id).dossier_id
        assert dossier_id is not None, "what can be written in has answers"
        dossiers.ask_no_more(dossier_id, user_id)


def partner_scope(partner_id: UUID) -> Scope:
    """Where an answer from outside lies: in the organisation it binds, and in its application."""
    row = get(ApplicationPartner, partner_id)
    return Scope.of(("organisation", row.organisation_id), *queries.scope_of(row.application_id).keys)


@act(
    "application.confirm_partner",
    needs=Permission.ORGANISATION_VOUCH,
    scope=partner_scope,
    says="confirmed who speaks for an organisation in application {subject}",
)
def confirm_partner(actor: Actor, partner_id: UUID) -> None:
    """Somebody of the organisation, or an administrator, confirms that the person who accepted speaks for it."""
    application, partner = _waiting(partner_id)
    contact = partner.contact_user_id
    assert contact is not None, "somebody has accepted"
    people.refuse_staff(contact)
    PARTNER.move(partner, "confirm")
    partner.answered_at = acts.moment()
    people.register_organisation(partner.organisation_id)
    _tell_the_contact(actor, application, partner, contact, "confirmed")
    _tell_the_lead(actor, application, partner, "accepted")


@act(
    "application.refuse_partner",
    needs=Permission.ORGANISATION_VOUCH,
    scope=partner_scope,
    says="refused who accepted for an organisation in application {subject}",
)
def refuse_partner(actor: Actor, partner_id: UUID) -> None:
    """Somebody of the organisation, or an administrator, says that the person who accepted does not speak for it."""
    application, partner = _waiting(partner_id)
    contact = partner.contact_user_id
    assert contact is not None, "somebody has accepted"
    PARTNER.move(partner, "refuse")
    partner.answered_at = acts.moment()
    _end_role_unless_needed(application.id, contact)
    _tell_the_contact(actor, application, partner, contact, "refused")
    _tell_the_lead(actor, application, partner, "declined")


def _waiting(partner_id: UUID) -> tuple[Application, ApplicationPartner]:
    application, _ = writable(get(ApplicationPartner, partner_id).application_id)
    partner = locked(ApplicationPartner, partner_id)
    if partner.state != PartnerState.WAITING.value:
        raise Refused("This was answered meanwhile. Reload the page to see what still waits.")
    return application, partner


def _tell_the_contact(
    actor: Actor, application: Application, partner: ApplicationPartner, contact: UUID, answer: str
) -> None:
    people.mail(
        [contact],
        "partner_vouched",
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        organisation=identity.organisation(partner.organisation_id).name,
        person_name=actor.name,
        confirmed=answer == "confirmed",
    )


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
    if contact is not None:
        _end_role_unless_needed(application_id, contact)
    refresh_search_text(application)
