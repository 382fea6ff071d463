"""People and organisations: added, invited, disabled, edited; and the plain helpers stages share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from flask import current_app
from sqlalchemy import or_, select

from grants.core import acts, faults, jobs
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, NotAllowed, Refused
from grants.core.permissions import Actor, Permission
from grants.core.text import fold
from grants.identity import policy, queries, rules
from grants.identity.models import (
    Membership,
    Organisation,
    User,
)
from grants.identity.policy import Role
from grants.identity.rules import (
    AddedUser,
    ColleagueInput,
    Joins,
    OrganisationInput,
    OrganisationView,
    ProfileInput,
    RoleInput,
    UserInput,
)
from grants.identity.services.facts import (
    look_for_conflicts_everywhere,
    look_for_conflicts_of,
    note_changes,
    organisation_scope,
)
from grants.identity.services.mails import mail
from grants.identity.services.passwords import make_link, withdraw_links
from grants.identity.services.roles import (
    assign_now,
    give_role,
    refuse_losing_the_last_administrator,
    refuse_staff,
    roles_of,
)
from grants.identity.services.sessions import end_sessions, own_row
from grants.identity.states import LinkPurpose, OrganisationKind, SessionEnd


def one_after_the_other(user_id: UUID | None) -> None:
    """Let what a person asks for at once, in two tabs, be counted one after the other: their row is held to the end."""
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


def make_organisation(values: OrganisationInput, *, draft_only: bool = False) -> UUID:
    """Add an organisation, one that only a draft describes where that is said; raises :class:`Invalid`."""
    values.checked()
    made = Organisation(
        name=rules.one_line(values.name),
        local_name=rules.one_line(values.local_name or "") or None,
        kind=values.kind.value,
        country_code=values.country_code,
        town=rules.one_line(values.town or "") or None,
        postcode=rules.one_line(values.postcode or "") or None,
        street=rules.one_line(values.street or "") or None,
        pic=values.pic or None,
        website=values.website or None,
        synthetic=values.synthetic,
        draft_only=draft_only,
    )
    db.session.add(made)
    note_changes(made, values, before=None)
    if not draft_only:
        _tell_followers(made)
    return made.id


_followers: list[Callable[[Organisation], object]] = []


def organisations_followed_by(follow: Callable[[Organisation], object]) -> None:
    """Register what a later stage does with every organisation that comes into the list, inside the act that brings it."""
    _followers.append(follow)


def _tell_followers(row: Organisation) -> None:
    for follow in _followers:
        follow(row)


def describe_organisation(values: OrganisationInput) -> tuple[UUID, bool]:
    """The organisation a draft describes, and whether it is new: one that another draft described is taken over.

    Refuses the name of one that people find in the list.
    """
    values.checked()
    refuse_known_organisation(values, listed_only=True)
    for row in db.session.scalars(
        select(Organisation)
        .where(Organisation.country_code == values.country_code, Organisation.draft_only)
        .order_by(Organisation.created_at, Organisation.id)
    ):
        if fold(row.name) == fold(values.name):
            return row.id, False
    return make_organisation(values, draft_only=True), True


def register_organisation(organisation_id: UUID) -> None:
    """From now on everybody finds the organisation in lists: somebody answers for it."""
    _bring_into_list(locked(Organisation, organisation_id))


def _bring_into_list(row: Organisation) -> None:
    if row.draft_only:
        row.draft_only = False
        _tell_followers(row)


def refuse_known_organisation(values: OrganisationInput, *, but: UUID | None = None, listed_only: bool = False) -> None:
    """Refuse a name that an organisation of the same country bears already, however it is spelt; names that one.

    ``listed_only`` passes over those that only somebody's draft describes: whoever asks must not learn of them.
    """
    wanted = {fold(name) for name in (values.name, values.local_name or "") if name.strip()}
    for row in db.session.scalars(
        select(Organisation).where(Organisation.country_code == values.country_code).order_by(Organisation.name)
    ):
        if (
            row.id != but
            and not (listed_only and row.draft_only)
            and wanted & {fold(row.name), fold(row.local_name or row.name)}
        ):
            place = f" ({row.town})" if row.town else ""
            sentence = (
                f"“{row.name}”{place} in {row.country_code} is in the list already. Choose it there and leave the new name empty; "
                "if it is another one, write the name so that people can tell them apart."
            )
            raise Invalid("This organisation is here already.", {"name": sentence})


def join(user_id: UUID, organisation_id: UUID) -> None:
    """Make a person a member of an organisation, once."""
    now = acts.moment()
    there = db.session.scalars(
        select(Membership.id).where(
            Membership.user_id == user_id,
            Membership.organisation_id == organisation_id,
            or_(Membership.ends_before.is_(None), Membership.ends_before > now),
        )
    ).first()
    if there is None:
        db.session.add(Membership(user_id=user_id, organisation_id=organisation_id, starts_at=now))


def leave(user_id: UUID, organisation_id: UUID) -> None:
    """End a membership now; an invitation nobody has used yet stops working with it."""
    now = acts.moment()
    for row in db.session.scalars(
        select(Membership)
        .where(
            Membership.user_id == user_id,
            Membership.organisation_id == organisation_id,
            or_(Membership.ends_before.is_(None), Membership.ends_before > now),
        )
        .with_for_update()
    ):
        row.ends_before = now
    if locked(User, user_id).password_hash is None:
        withdraw_links(user_id)


def find_or_invite(email: str, name: str, organisation_id: UUID | None, *, joins: Joins = Joins.AS_MEMBER) -> UUID:
    """The person of that address; a new one is added and invited by mail, as ``joins`` says.

    A person who is there already is left as they are: nobody joins an organisation by being named by somebody else.
    """
    address = rules.normal_email(email)
    found = queries.person_by_email(address)
    if found is not None:
        return found.id
    match joins:
        case Joins.AS_MEMBER:
            assert organisation_id is not None, "a member belongs to an organisation"
            user = _make_user(UserInput(name, address, organisation_id=organisation_id))
            give_role(user.id, Role.APPLICANT)
        case Joins.AS_GUEST:
            user = _make_user(UserInput(name, address))
    link = make_link(user.id, LinkPurpose.INVITATION)
    mail([user.id], "invitation", "user_account", user.id, link_id=link.id, invited_by=acts.running_act().actor.name)
    return user.id


def open_account(user_id: UUID, mailed_at: datetime) -> UUID | None:
    """A new link to choose a first password, inside a running act, for whoever holds a mail that asked for something else;
    None where there is a password already, or none is used.

    Such mails are handed on to colleagues and last long. So where the person holds a role, or an invitation of the same day
    would open nothing any more, the link goes to the mailbox and to nobody else: None then too.
    """
    user = locked(User, user_id)
    if user.password_hash is not None or user.is_demo:
        return None
    if roles_of(user_id) or mailed_at + rules.LINK_LASTS[LinkPurpose.INVITATION] <= acts.moment():
        _mail_invitation(user, invited_by="")
        return None
    return make_link(user.id, LinkPurpose.INVITATION).id


@act("user.add", needs=Permission.USER_INVITE, says="added {subject}")
def add_user(actor: Actor, values: UserInput) -> AddedUser:
    """Add a person without a mail; whoever adds hands over the link (see :func:`queries.sign_in_address`)."""
    user = _add_with_roles(actor, values)
    return AddedUser(user.id, None if user.is_demo else make_link(user.id, LinkPurpose.INVITATION).id)


@act("user.invite", needs=Permission.USER_INVITE, says="invited {subject}")
def invite_user(actor: Actor, values: UserInput) -> UUID:
    """Add a person and send the link by which they choose a password."""
    user = _add_with_roles(actor, values)
    _mail_invitation(user, invited_by=actor.name)
    return user.id


@act("user.invite_again", needs=Permission.USER_INVITE, says="invited {subject} again")
def invite_again(actor: Actor, user_id: UUID) -> None:
    """Send a new invitation; the link of the earlier one stops working."""
    user = locked(User, user_id)
    if user.password_hash is not None or user.is_demo or user.disabled_at is not None:
        raise Refused(
            "This person does not wait for an invitation. To choose a new password, they use the sign-in page."
        )
    _mail_invitation(user, invited_by=actor.name)


def _mail_invitation(user: User, *, invited_by: str) -> None:
    link = make_link(user.id, LinkPurpose.INVITATION)
    mail([user.id], "invitation", "user_account", user.id, link_id=link.id, invited_by=invited_by)


def _add_with_roles(actor: Actor, values: UserInput) -> User:
    if values.roles and not actor.can(Permission.ROLE_ASSIGN):
        raise NotAllowed(f"You need the permission \u201c{Permission.ROLE_ASSIGN}\u201d to give somebody a role.")
    if values.roles:
        rules.demand_fresh(actor)
    user = _make_user(values)
    given: list[Role] = []
    for role in values.roles:
        policy.refuse_role_by_hand(actor.user_id, user.id, role, given)
        assign_now(actor, user.id, RoleInput(role))
        given.append(role)
    return user


def _make_user(values: UserInput) -> User:
    email = rules.normal_email(values.email)
    if values.is_demo and not current_app.config["GRANTS_DEMO"]:
        raise Refused("Demo people exist only where GRANTS_DEMO is set.")
    if queries.person_by_email(email) is not None:
        raise Invalid(
            "This person is here already.", {"email": "Somebody with this address is here already. Look in the list."}
        )
    name = rules.checked_name(values.name)
    base = rules.handle_of(name)
    taken = db.session.scalars(select(User.handle).where(User.handle.startswith(base, autoescape=True))).all()
    user = User(
        handle=rules.handle_of(name, taken),
        name=name,
        email=email,
        job_title=rules.checked_job_title(values.job_title),
        phone=rules.one_line(values.phone or "") or None,
        is_demo=values.is_demo,
    )
    db.session.add(user)
    if values.organisation_id is not None:
        locked(Organisation, values.organisation_id)
        join(user.id, values.organisation_id)
    return user


@act("user.disable", needs=Permission.USER_DISABLE, says="disabled the account of {subject}")
def disable_user(actor: Actor, user_id: UUID, *, reason: str) -> None:
    """Keep a person out at once: their sessions end, their links stop working; what they did stays theirs."""
    user = locked(User, user_id)
    faults.point("four_eyes")
    if actor.user_id == user_id:
        raise Refused("You cannot disable yourself. Ask another administrator.")
    if user.disabled_at is not None:
        raise Refused("This person is disabled already.")
    if not reason.strip():
        raise Invalid("A reason is missing.", {"reason": "Say why this person must not sign in any more."})
    acts.reason(reason.strip())
    refuse_losing_the_last_administrator(user_id)
    user.disabled_at = acts.moment()
    end_sessions(user_id, SessionEnd.USER_DISABLED)
    withdraw_links(user_id)


@act("user.enable", needs=Permission.USER_DISABLE, says="enabled the account of {subject}")
def enable_user(actor: Actor, user_id: UUID) -> None:
    """Let a disabled person sign in again with the password they had."""
    user = locked(User, user_id)
    faults.point("four_eyes")
    if actor.user_id == user_id:
        raise Refused("You cannot enable yourself. Ask another administrator.")
    user.disabled_at = None


@act("profile.edit", needs=Permission.PROFILE_EDIT, says="changed the own profile")
def edit_profile(actor: Actor, values: ProfileInput, *, version: int | None = None) -> None:
    """Change the own name, job title and telephone number; the address is changed by an administrator."""
    user = own_row(actor)
    check_version(user, version)
    user.name = rules.checked_name(values.name)
    user.job_title = rules.checked_job_title(values.job_title)
    user.phone = rules.one_line(values.phone or "", characters_max=40) or None
    orcid = rules.checked_orcid(values.orcid)
    if orcid != user.orcid:
        user.orcid = orcid
        look_for_conflicts_everywhere()


@act("organisation.add", needs=Permission.ORGANISATION_EDIT, says="added organisation {subject}")
def add_organisation(actor: Actor, values: OrganisationInput) -> OrganisationView:
    """Add an organisation that nobody of its own has described yet; for the programme’s people."""
    if not actor.everywhere(Permission.ORGANISATION_EDIT):
        raise NotAllowed("Only the programme’s people add organisations here. Invite one to your application instead.")
    refuse_known_organisation(values)
    made = make_organisation(values)
    db.session.flush()
    return queries.organisation(made)


# Beyond any city's people here; whoever adds more sends mails for another reason.
PEOPLE_MAX = 300


@act(
    "organisation.add_person",
    needs=Permission.ORGANISATION_VOUCH,
    scope=organisation_scope,
    says="added a person to {subject}",
)
def add_colleague(actor: Actor, organisation_id: UUID, values: ColleagueInput) -> UUID:
    """Somebody of an organisation, or an administrator, says that a person belongs to it; a new one is invited by mail.

    Who has an account already is added by an administrator: nobody is drawn into an organisation by people of it.
    Everybody of the organisation is told.
    """
    organisation = locked(Organisation, organisation_id)
    if organisation.kind == OrganisationKind.PROGRAMME.value:
        raise Refused("This is the programme itself. An administrator invites its people on the page of people.")
    before = {member.id for member in queries.members(organisation_id)}
    if len(before) >= PEOPLE_MAX:
        raise Refused(
            f"This organisation has {len(before)} people; the limit is {PEOPLE_MAX}. Ask the programme office."
        )
    user_id = _named_colleague(actor, organisation_id, values)
    look_for_conflicts_of(organisation_id)
    if user_id in before:
        raise Invalid("This person is here already.", {"email": "Somebody with this address belongs to it already."})
    name, address = rules.checked_name(values.name), rules.normal_email(values.email)
    mail(
        sorted(before | {user_id}),
        "organisation_joined",
        "organisation",
        organisation_id,
        organisation=organisation.name,
        person_name=name,
        email=address,
        added_by=actor.name,
    )
    return user_id


def _named_colleague(actor: Actor, organisation_id: UUID, values: ColleagueInput) -> UUID:
    found = queries.person_by_email(rules.normal_email(values.email))
    if found is None:
        return find_or_invite(values.email, values.name, organisation_id)
    if not actor.everywhere(Permission.ORGANISATION_VOUCH):
        sentence = (
            "This address cannot be added from here. Ask an administrator to add the person to your organisation."
        )
        raise Invalid("Nobody was added.", {"email": sentence})
    refuse_staff(found.id)
    join(found.id, organisation_id)
    give_role(found.id, Role.APPLICANT)
    return found.id


@act(
    "organisation.edit",
    needs=Permission.ORGANISATION_EDIT,
    scope=organisation_scope,
    says="changed the details of {subject}",
)
def edit_organisation(
    actor: Actor, organisation_id: UUID, values: OrganisationInput, *, version: int | None = None
) -> OrganisationView:
    """Change an organisation's details; what was frozen in a submission or an agreement stays as it was."""
    row = locked(Organisation, organisation_id)
    check_version(row, version)
    values.checked()
    # What an organisation is decides which calls it may answer: not for its own people to say.
    if values.kind.value != row.kind and not actor.everywhere(Permission.ORGANISATION_EDIT):
        raise Refused("You cannot change what kind of organisation this is. Ask the programme office.")
    office = actor.everywhere(Permission.ORGANISATION_EDIT)
    refuse_known_organisation(values, but=organisation_id, listed_only=not office)
    before = queries.organisation_view(row)
    row.name = rules.one_line(values.name)
    row.local_name = rules.one_line(values.local_name or "") or None
    row.kind = values.kind.value
    row.country_code = values.country_code
    row.town = rules.one_line(values.town or "") or None
    row.postcode = rules.one_line(values.postcode or "") or None
    row.street = rules.one_line(values.street or "") or None
    row.pic = values.pic or None
    row.website = values.website or None
    note_changes(row, values, before=before)
    if (before.name, before.local_name, before.town) != (row.name, row.local_name, row.town):
        # A later stage finds what it takes part in by its new name.
        jobs.queue(
            "jobs.lists.organisation_renamed",
            subject=("organisation", row.id),
            asker=jobs.Asker.PROGRAM,
            organisation_id=row.id,
        )
    after = queries.organisation_view(row)
    if after != before:
        look_for_conflicts_of(row.id)
    if office:
        _bring_into_list(row)
    return queries.organisation_view(row)
