"""Acts on the people of an application beside those who speak for a partner: invited, joined, given another role, taken out;
the lead handed over; sections asked of somebody.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.applications import queries, rules
from grants.applications.models import Application, ApplicationMember, ApplicationPartner
from grants.applications.rules import PersonInput, TeamMember
from grants.applications.services.drafting import writable
from grants.applications.services.privacy import note_acceptance
from grants.applications.services.team import ask_sections, named_person, refuse_member, tasks
from grants.applications.states import ApplicationState, PartnerRole
from grants.calls.rules.saying import closes_said
from grants.calls.services import look_for_conflicts
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers import services as dossiers
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.identity.rules import Joins


@act(
    "application.invite_person",
    needs=Permission.APPLICATION_INVITE,
    scope=queries.scope_of,
    says="invited a person to application {subject}",
)
def invite_person(actor: Actor, application_id: UUID, given: PersonInput) -> UUID:
    """Invite a person as editor, signatory or reader; they read at once and do more after accepting."""
    application, call = writable(application_id)
    role = rules.checked_member_role(given.role)
    email, name, problems = named_person(given.email, given.name)
    if problems:
        raise Invalid("The invitation was not sent.", problems)
    team = queries.team(queries.view_by_id(application_id))
    if len(team) >= rules.MEMBERS_MAX:
        raise Refused(f"The team has {len(team)} people; the limit is {rules.MEMBERS_MAX}. Take one out first.")
    user_id = people.find_or_invite(email, name, application.coordinator_id, joins=Joins.AS_GUEST)
    people.refuse_staff(user_id)
    refuse_member(application_id, user_id)
    if user_id in {member.user_id for member in team}:
        raise Invalid("The invitation was not sent.", {"email": "This person is in the application already."})
    db.session.add(ApplicationMember(application_id=application_id, user_id=user_id, invited_name=name))
    people.give_role(user_id, role, kind="application", object_id=application_id)
    sections = given.sections if role in rules.WRITING_ROLES else ()
    ask_sections(application, user_id, sections)
    people.mail(
        [user_id],
        "application_person",
        "application",
        application_id,
        reference=application.reference,
        title=application.title,
        call_title=call.title,
        invited_by=actor.name,
        role=rules.TITLES[role].lower(),
        duty=rules.DUTIES[role],
        tasks=tasks(call, sections),
        closes_at=closes_said(call),
    )
    return user_id


@act(
    "application.join",
    needs=Permission.APPLICATION_READ,
    scope=queries.scope_of,
    says="joined the team of application {subject}",
)
def join(actor: Actor, application_id: UUID, notice: int | None = None) -> None:
    """The invited person accepts the own part."""
    writable(application_id)
    row = _own_row(actor, application_id)
    assert actor.user_id is not None, "an invitation is answered by a person"
    people.refuse_staff(actor.user_id)
    note_acceptance(actor, application_id, notice)
    row.joined_at = row.joined_at or acts.moment()


@act(
    "application.leave",
    needs=Permission.APPLICATION_READ,
    scope=queries.scope_of,
    says="left the team of application {subject}",
)
def leave(actor: Actor, application_id: UUID) -> None:
    """A person declines, or goes; they no longer see the application."""
    application, _ = writable(application_id)
    row = _own_row(actor, application_id)
    _end(application, row)
    people.mail(
        _leads(application_id),
        "application_left",
        "application",
        application_id,
        reference=application.reference,
        title=application.title,
        person_name=row.invited_name if row.joined_at is None else actor.name,
        joined=row.joined_at is not None,
    )


def _own_row(actor: Actor, application_id: UUID) -> ApplicationMember:
    assert actor.user_id is not None, "an invitation is answered by a person"
    row = queries.membership(application_id, actor.user_id)
    if row is None:
        raise NotFound
    return row


@act(
    "application.change_role",
    needs=Permission.APPLICATION_INVITE,
    scope=queries.scope_of,
    says="gave a person another role in application {subject}",
)
def change_role(actor: Actor, application_id: UUID, user_id: UUID, role: Role) -> None:
    """The lead makes an editor, signatory or reader another of the three; sections are asked of writers only."""
    application, _ = writable(application_id)
    wanted = rules.checked_member_role(role)
    member = _member(application_id, user_id)
    if member.role is wanted:
        return
    people.end_role(user_id, member.role, kind="application", object_id=application_id)
    people.give_role(user_id, wanted, kind="application", object_id=application_id)
    if wanted not in rules.WRITING_ROLES:
        _ask_no_more(application, user_id)


@act(
    "application.remove_person",
    needs=Permission.APPLICATION_INVITE,
    scope=queries.scope_of,
    says="took a person out of the team of application {subject}",
)
def remove_person(actor: Actor, application_id: UUID, user_id: UUID) -> None:
    """The lead takes a person out of the team; what they wrote stays."""
    application, _ = writable(application_id)
    _member(application_id, user_id)
    row = queries.membership(application_id, user_id)
    assert row is not None, "a member has a row"
    _end(application, row)


def _member(application_id: UUID, user_id: UUID) -> TeamMember:
    for member in queries.team(queries.view_by_id(application_id)):
        if member.user_id == user_id:
            if member.role is Role.APPLICATION_LEAD:
                raise Refused("The lead stays the lead until you hand the lead over to somebody else.")
            if not member.is_member:
                raise Refused(
                    f"{member.name} speaks for {member.organisation}. Take the organisation out, or leave them as partner."
                )
            return member
    raise NotFound


def _end(application: Application, row: ApplicationMember) -> None:
    for role in rules.MEMBER_ROLES:
        people.end_role(row.user_id, role, kind="application", object_id=application.id)
    _ask_no_more(application, row.user_id)
    db.session.delete(row)
    if application.submission_id is not None:
        # Who judges in this call and took part in what was sent competes with the others no more.
        look_for_conflicts(application.call_id)


def _ask_no_more(application: Application, user_id: UUID) -> None:
    assert application.dossier_id is not None, "what can be written in has answers"
    dossiers.ask_no_more(application.dossier_id, user_id)


def _leads(application_id: UUID) -> list[UUID]:
    return [p.contact_id for p in queries.partners(application_id) if p.leads and p.contact_id]


@act(
    "application.hand_over",
    needs=Permission.APPLICATION_INVITE,
    scope=queries.scope_of,
    says="handed over the lead of application {subject}",
)
def hand_over(actor: Actor, application_id: UUID, user_id: UUID) -> None:
    """Another person of the leading organisation becomes the lead, and the one before stays as editor.

    Both changes are one, so that an application is never without a lead. Raises :class:`Refused` where the person has
    not joined the team, or does not belong to the organisation that leads.
    """
    application, _ = writable(application_id)
    member = _member(application_id, user_id)
    city = identity.organisation(application.coordinator_id)
    if not member.joined:
        raise Refused(f"{member.name} has not accepted the invitation yet. Hand over once they have.")
    if user_id not in {person.id for person in identity.members(application.coordinator_id)}:
        raise Refused(
            f"{member.name} is not among the people of {city.name}, which leads. Somebody of {city.name} adds them first, "
            "on the page “Organisation”."
        )
    coordinator = _coordinator(application_id)
    before = coordinator.contact_user_id
    row = queries.membership(application_id, user_id)
    assert row is not None and before is not None, "a member has a row, and a draft a lead"
    faults.point("four_eyes")
    if before != actor.user_id:
        raise Refused("Only the lead hands the lead over.")
    db.session.delete(row)
    people.end_role(user_id, member.role, kind="application", object_id=application_id)
    people.give_role(user_id, Role.APPLICATION_LEAD, kind="application", object_id=application_id)
    people.end_role(before, Role.APPLICATION_LEAD, kind="application", object_id=application_id)
    people.give_role(before, Role.APPLICATION_EDITOR, kind="application", object_id=application_id)
    db.session.add(
        ApplicationMember(
            application_id=application_id, user_id=before, invited_name=actor.name, joined_at=acts.moment()
        )
    )
    coordinator.contact_user_id, coordinator.answered_at = user_id, acts.moment()
    people.mail(
        [user_id],
        "application_lead",
        "application",
        application_id,
        reference=application.reference,
        title=application.title,
        organisation=city.name,
        person_name=actor.name,
    )


def _refuse_losing_the_lead(user_id: UUID, role: Role, application_id: UUID) -> None:
    """While an application is written, an administrator does not end its lead's part either: nobody could send it."""
    if role is not Role.APPLICATION_LEAD:
        return
    faults.point("deadline")
    found = db.session.scalars(select(Application).where(Application.id == application_id)).one_or_none()
    if found is None or ApplicationState(found.state) not in rules.WRITABLE:
        return
    if queries.call_of(found).is_open(acts.moment()):
        raise Refused(
            f"This person leads {found.reference}, which is being written. "
            "They hand the lead over on its page “Team” first, or withdraw it."
        )


people.parts_kept_by(_refuse_losing_the_lead)


def _coordinator(application_id: UUID) -> ApplicationPartner:
    return db.session.scalars(
        select(ApplicationPartner)
        .where(
            ApplicationPartner.application_id == application_id,
            ApplicationPartner.role == PartnerRole.COORDINATOR.value,
        )
        .with_for_update(of=ApplicationPartner)
        .execution_options(populate_existing=True)
    ).one()


def _asked_meanwhile(name: str) -> str:
    who = f"{name} was asked to write this section" if name else "It was asked of nobody in particular"
    return (
        f"{who} after this page was made, so nothing was changed. Look at it, and press “Ask” again if it shall change."
    )


@act(
    "application.ask_to_write",
    needs=Permission.APPLICATION_INVITE,
    scope=queries.scope_of,
    says="asked somebody to write a section of application {subject}",
)
def ask_to_write(
    actor: Actor, application_id: UUID, section_key: str, user_id: UUID | None, seen: UUID | None = None
) -> None:
    """Ask a section of somebody who may write, or of nobody in particular; who is asked is told by mail.

    ``seen`` is of whom the page said it was asked, ``NOBODY`` for nobody in particular: where another was asked
    meanwhile, they were told by mail, and :class:`Refused` says so.
    """
    application, call = writable(application_id)
    team = {member.user_id: member for member in rules.askable(queries.team(queries.view_by_id(application_id)))}
    if user_id is not None and user_id not in team:
        sentence = "Choose somebody of the team who writes: the lead, an editor, or a partner."
        raise Invalid("Nobody was asked.", {"person": sentence})
    assert application.dossier_id is not None, "what can be written in has answers"
    before = dossiers.ask_to_write(application.dossier_id, section_key, user_id)
    if seen is not None and (before or rules.NOBODY) not in (seen, user_id or rules.NOBODY):
        raise Refused(_asked_meanwhile(team[before].name if before in team else ""))
    told = [user_id] if user_id is not None else []
    people.mail(
        [person for person in told if person not in {actor.user_id}],
        "application_asked",
        "application",
        application_id,
        reference=application.reference,
        title=application.title,
        asked_by=actor.name,
        tasks=tasks(call, [section_key]),
        closes_at=closes_said(call),
    )
