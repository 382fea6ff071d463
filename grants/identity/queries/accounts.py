"""Reads of identity: the actor of a request, people and organisations for every stage, lists for the administrator's pages."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    CompoundSelect,
    DateTime,
    LargeBinary,
    Select,
    Uuid,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal,
    null,
    or_,
    select,
    table,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on

from grants.core import acts, clock
from grants.core.audit import AuditEvent
from grants.core.db import db, folded
from grants.core.duties import Duty
from grants.core.errors import NotFound
from grants.core.jobs import Job, JobState
from grants.core.paging import ROWS_ON_A_PAGE_MAX, Page, Rows
from grants.core.paging import rows as cut
from grants.core.permissions import EVERYWHERE, Actor, Permission, Scope, ScopeKey
from grants.core.text import fold
from grants.core.together import Asking, ask, reader
from grants.identity import policy, rules
from grants.identity.models import AccessBar, Membership, Organisation, RoleGrant, SignInLink, User, UserSession
from grants.identity.policy import Role
from grants.identity.rules import (
    SESSION_AGE_MAX,
    SESSION_IDLE_MAX,
    Credentials,
    DemoChoice,
    LinkView,
    MailAsked,
    MailRow,
    OrganisationView,
    Person,
    RenderedMail,
    RolePlace,
    RoleView,
    SessionView,
    UserRow,
    handle_of,
    link_token,
    one_line,
    standing,
    token_hash,
)
from grants.identity.states import LinkPurpose, OrganisationKind, RoleStanding

USERS_PER_PAGE = 50

# A time, or the place in a statement where one will be put.
Moment = datetime | BindParameter[datetime]


# Who acts


# What lies in an application by way of its grant: conflicts bar from applications, lists and jobs know these by kinds of
# their own. Named by their tables, because both are stages after this one.
_GRANT = table("grant_agreement", column("id", Uuid), column("application_id", Uuid))
_REPORT = table("periodic_report", column("id", Uuid), column("grant_id", Uuid))


def actor_for(
    user_id: UUID, *, session_id: UUID | None = None, fresh: bool = False, at: datetime | None = None
) -> Actor:
    """The person with every permission resolved to its places, in one statement, with a bar in two; raises
    :class:`NotFound` if disabled.
    """
    rows = db.session.execute(_rights(), {"user_id": user_id, "at": at or clock.now()}).all()
    names = [row[1] for row in rows if row[0] == "person"]
    if not names:
        raise NotFound
    roles = [(Role(row[1]), EVERYWHERE if row[3] is None else (row[2], row[3])) for row in rows if row[0] == "role"]
    organisations = frozenset(row[3] for row in rows if row[0] == "member")
    granted = {(str(permission), EVERYWHERE) for permission in policy.EVERYBODY}
    held = frozenset(role for role, _ in roles)
    for role, place in roles:
        granted |= {(str(permission), place) for permission in policy.permissions_held(role, beside=held)}
        granted |= {
            (str(permission), ("organisation", organisation))
            for permission in policy.IN_OWN_ORGANISATION.get(role, ())
            for organisation in organisations
        }
    return Actor(
        user_id=user_id,
        name=names[0],
        granted=frozenset(granted),
        bars=_with_what_lies_in({(row[2], row[3]) for row in rows if row[0] == "bar"}),
        roles=tuple(sorted({str(role) for role, _ in roles})),
        organisation_ids=organisations,
        session_id=session_id,
        fresh=fresh,
    )


@functools.cache
def _rights() -> CompoundSelect[Any]:
    """What :func:`actor_for` asks, put together once: every request asks it, and to write it took longer than the answer."""
    person, at = bindparam("user_id", type_=Uuid), bindparam("at", type_=DateTime(timezone=True))
    nothing, nowhere = literal(""), cast(null(), Uuid)
    return union_all(
        select(literal("person"), User.name, nothing, nowhere).where(User.id == person, User.disabled_at.is_(None)),
        select(literal("role"), RoleGrant.role, RoleGrant.kind, RoleGrant.object_id).where(
            RoleGrant.user_id == person, role_holds(at)
        ),
        select(literal("member"), nothing, literal("organisation"), Membership.organisation_id).where(
            Membership.user_id == person, _spans(Membership, at)
        ),
        select(literal("bar"), nothing, AccessBar.kind, AccessBar.object_id).where(
            AccessBar.user_id == person, _spans(AccessBar, at)
        ),
    )


def _with_what_lies_in(bars: Set[ScopeKey]) -> frozenset[ScopeKey]:
    """Bars from applications are bars from their grants and the reports on these too."""
    if not bars:
        return frozenset()
    barred = {kind: {thing for found, thing in bars if found == kind} for kind in ("application", "grant")}
    grants = select(_GRANT.c.id).where(
        or_(_GRANT.c.application_id.in_(barred["application"]), _GRANT.c.id.in_(barred["grant"]))
    )
    reports = select(_REPORT.c.id).where(_REPORT.c.grant_id.in_(grants))
    below = union_all(
        select(literal("grant"), grants.subquery().c.id), select(literal("report"), reports.subquery().c.id)
    )
    return frozenset({*bars, *((row[0], row[1]) for row in db.session.execute(below))})


def role_holds(at: Moment) -> ColumnElement[bool]:
    """The condition that a role holds at a moment: in its dates, and confirmed where it must be."""
    return and_(
        _spans(RoleGrant, at), or_(RoleGrant.needs_confirmation.is_(False), RoleGrant.confirmed_at.is_not(None))
    )


def _spans(model: Any, at: Moment) -> ColumnElement[bool]:
    return and_(model.starts_at <= at, or_(model.ends_before.is_(None), model.ends_before > at))


def live_session(token: str, at: datetime) -> SessionView | None:
    """The session of a cookie's token, if it is neither ended, idle nor old and its person may be signed in.

    Who is disabled may not, nor a person of the demo where this is none any more.
    """
    given = {
        "token_hash": token_hash(token),
        "idle_since": at - SESSION_IDLE_MAX,
        "old_since": at - SESSION_AGE_MAX,
        "demo": bool(current_app.config["GRANTS_DEMO"]),
    }
    found = db.session.execute(_session_of_token(), given).scalar_one_or_none()
    return _session_view(found) if found else None


@functools.cache
def _session_of_token() -> Select[UserSession]:
    """What :func:`live_session` asks, put together once, since every request asks it."""
    return (
        select(UserSession)
        .join(User, User.id == UserSession.user_id)
        .where(
            UserSession.token_hash == bindparam("token_hash", type_=LargeBinary),
            User.disabled_at.is_(None),
            or_(User.is_demo.is_(False), bindparam("demo", type_=Boolean)),
            _session_lives(
                bindparam("idle_since", type_=DateTime(timezone=True)),
                bindparam("old_since", type_=DateTime(timezone=True)),
            ),
        )
        .execution_options(populate_existing=True)
    )


def sessions(actor: Actor, at: datetime) -> tuple[SessionView, ...]:
    """The person's own live sessions, latest use first, at most 50."""
    found = db.session.scalars(
        select(UserSession)
        .where(UserSession.user_id == actor.user_id, _session_lives(at - SESSION_IDLE_MAX, at - SESSION_AGE_MAX))
        .order_by(UserSession.seen_at.desc(), UserSession.id)
        .limit(50)
    )
    return tuple(_session_view(session) for session in found)


def _session_lives(idle_since: Moment, old_since: Moment) -> ColumnElement[bool]:
    return and_(UserSession.ended_at.is_(None), UserSession.seen_at > idle_since, UserSession.started_at > old_since)


def _session_view(session: UserSession) -> SessionView:
    return SessionView(
        session.id,
        session.user_id,
        session.started_at,
        session.seen_at,
        session.proved_at,
        session.address,
        session.browser,
    )


def credentials(email: str) -> Credentials | None:
    """What a password is checked against, of an enabled person with a password."""
    row = db.session.execute(
        select(User.id, User.email, User.password_hash, User.password_set_at).where(
            User.email == email, User.disabled_at.is_(None)
        )
    ).one_or_none()
    if row is None or row.password_hash is None or row.password_set_at is None:
        return None
    return Credentials(row.id, row.email, row.password_hash, row.password_set_at)


# People and organisations, for every stage


def person(user_id: UUID) -> Person:
    """One person; raises :class:`NotFound`."""
    found = people([user_id])
    if user_id not in found:
        raise NotFound
    return found[user_id]


@reader
def people(user_ids: Iterable[UUID]) -> Asking[dict[UUID, Person]]:
    """People by id, disabled ones too (they did what they did), in one statement."""
    wanted = set(user_ids)
    found = (yield from _people.asking(User.id.in_(wanted))) if wanted else ()
    return {person.id: person for person in found}


@dataclass(frozen=True, slots=True)
class Deed:
    """The last thing that was done to an object: by which act, by whom (the program, where nobody is named), and when."""

    verb: str
    user_id: UUID | None
    name: str
    at: datetime


def last_deed(object_kind: str, object_id: UUID) -> Deed | None:
    """Who changed an object last, for people who were a moment too late."""
    return last_deeds(object_kind, [object_id]).get(object_id)


def overtaker(actor: Actor, object_kind: str, object_id: UUID, subject: str) -> tuple[str, str, datetime] | None:
    """Who was faster, what they did to ``subject`` and when, in words for the page of whoever came second."""
    last = last_deed(object_kind, object_id)
    if last is None:
        return None
    return (
        "You" if last.user_id and last.user_id == actor.user_id else last.name,
        acts.words(last.verb, subject),
        last.at,
    )


def last_deeds(object_kind: str, object_ids: Collection[UUID]) -> dict[UUID, Deed]:
    """Who changed each of these objects last; two statements."""
    rows = db.session.scalars(
        select(AuditEvent)
        .where(AuditEvent.object_kind == object_kind, AuditEvent.object_id.in_(object_ids))
        .order_by(AuditEvent.object_id, AuditEvent.recorded_at.desc(), AuditEvent.object_version.desc().nulls_last())
        .ext(distinct_on(AuditEvent.object_id))
    ).all()
    names = people(row.user_id for row in rows if row.user_id)
    return {
        row.object_id: Deed(
            row.verb, row.user_id, names[row.user_id].name if row.user_id else "The program", row.recorded_at
        )
        for row in rows
        if row.object_id
    }


def person_by_email(email: str) -> Person | None:
    """The person of a normalised address."""
    return next(iter(_people(User.email == email)), None)


def holds_staff_role(user_id: UUID) -> bool:
    """Whether a person works for the programme or evaluates for it: any role but those of applicants, waiting ones too."""
    found = db.session.scalar(
        select(RoleGrant.id)
        .where(
            RoleGrant.user_id == user_id,
            RoleGrant.kind != "application",
            RoleGrant.role != Role.APPLICANT.value,
            or_(RoleGrant.ends_before.is_(None), RoleGrant.ends_before > clock.now()),
        )
        .limit(1)
    )
    return found is not None


def is_of_a_team(user_id: UUID) -> bool:
    """Whether a person takes part in an application or grant for a city."""
    found = db.session.scalar(
        select(RoleGrant.id)
        .where(
            RoleGrant.user_id == user_id,
            RoleGrant.role.in_(policy.TEAM_ROLES),
            or_(RoleGrant.ends_before.is_(None), RoleGrant.ends_before > clock.now()),
        )
        .limit(1)
    )
    return found is not None


def users_with(permission: Permission, scope: Scope | None = None) -> tuple[Person, ...]:
    """Who holds a permission for a thing now: enabled, not barred from it; by name."""
    now = clock.now()
    keys = scope.keys if scope else frozenset()
    holds = (
        select(RoleGrant.user_id)
        .where(RoleGrant.role.in_(policy.roles_with(permission)), role_holds(now), _in_places(RoleGrant, keys))
        .scalar_subquery()
    )
    barred = select(AccessBar.user_id).where(_spans(AccessBar, now), _at_places(AccessBar, keys)).scalar_subquery()
    return _people(User.id.in_(holds), User.disabled_at.is_(None), User.id.not_in(barred))


@reader
def holders(kind: str, object_id: UUID, roles: Iterable[Role]) -> Asking[dict[UUID, Role]]:
    """Who holds one of these roles in one place now, and which; where somebody holds several, the one named first."""
    wanted = [role.value for role in roles]
    rows = yield from ask(
        select(RoleGrant.user_id, RoleGrant.role).where(
            RoleGrant.kind == kind,
            RoleGrant.object_id == object_id,
            RoleGrant.role.in_(wanted),
            role_holds(clock.now()),
        )
    )
    ordered = sorted(rows, key=lambda row: wanted.index(row.role), reverse=True)
    return {row.user_id: Role(row.role) for row in ordered}


def _in_places(model: Any, keys: Collection[tuple[str, UUID]]) -> ColumnElement[bool]:
    return or_(model.object_id.is_(None), _at_places(model, keys))


def _at_places(model: Any, keys: Collection[tuple[str, UUID]]) -> ColumnElement[bool]:
    return or_(literal(False), *(and_(model.kind == kind, model.object_id == thing) for kind, thing in sorted(keys)))


@reader
def _people(*conditions: ColumnElement[bool]) -> Asking[tuple[Person, ...]]:
    now = clock.now()
    rows = yield from ask(
        select(User.id, User.name, User.email, Organisation.name, Organisation.id)
        .outerjoin(Membership, and_(Membership.user_id == User.id, _spans(Membership, now)))
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(*conditions)
        # Several memberships: the oldest speaks for the person.
        .ext(distinct_on(User.name, User.id))
        .order_by(User.name, User.id, Membership.starts_at, Membership.id)
    )
    return tuple(Person(*row) for row in rows)


def members(organisation_id: UUID) -> tuple[Person, ...]:
    """Enabled people of one organisation, by name."""
    inside = select(Membership.user_id).where(
        Membership.organisation_id == organisation_id, _spans(Membership, clock.now())
    )
    return _people(User.id.in_(inside.scalar_subquery()), User.disabled_at.is_(None))


def organisation(organisation_id: UUID) -> OrganisationView:
    """One organisation; raises :class:`NotFound`."""
    found = organisations([organisation_id])
    if organisation_id not in found:
        raise NotFound
    return found[organisation_id]


@reader
def organisations(organisation_ids: Iterable[UUID]) -> Asking[dict[UUID, OrganisationView]]:
    """Organisations by id, in one statement."""
    wanted = set(organisation_ids)
    if not wanted:
        return {}
    rows = yield from ask(select(Organisation).where(Organisation.id.in_(wanted)).order_by(Organisation.name))
    return {row.id: organisation_view(row) for row in rows}


def choosable_organisations(actor: Actor, also: Iterable[UUID] = ()) -> tuple[OrganisationView, ...]:
    """Organisations a lead may choose, by name, at most 2,000: not those that only the drafts of others describe."""
    statement = select(Organisation).where(
        or_(
            and_(Organisation.draft_only.is_(False), Organisation.same_as_id.is_(None)),
            Organisation.id.in_({*actor.organisation_ids, *also}),
        )
    )
    rows = db.session.scalars(statement.order_by(Organisation.name, Organisation.id).limit(2_000))
    return tuple(organisation_view(row) for row in rows)


def may_choose_organisation(actor: Actor, organisation_id: UUID, also: Iterable[UUID] = ()) -> bool:
    """Whether :func:`choosable_organisations` would hold this one."""
    if organisation_id in {*actor.organisation_ids, *also}:
        return True
    offered = select(Organisation.id).where(
        Organisation.id == organisation_id, Organisation.draft_only.is_(False), Organisation.same_as_id.is_(None)
    )
    return db.session.scalar(offered) is not None


def all_organisations() -> tuple[OrganisationView, ...]:
    """Every organisation by name, at most 2,000, for a choice."""
    rows = db.session.scalars(select(Organisation).order_by(Organisation.name, Organisation.id).limit(2_000))
    return tuple(organisation_view(row) for row in rows)


def organisation_view(row: Organisation) -> OrganisationView:
    """A row as a frozen value."""
    return OrganisationView(
        id=row.id,
        version=row.version,
        name=row.name,
        kind=OrganisationKind(row.kind),
        country_code=row.country_code,
        local_name=row.local_name,
        town=row.town,
        postcode=row.postcode,
        street=row.street,
        pic=row.pic,
        website=row.website,
        synthetic=row.synthetic,
        same_as_id=row.same_as_id,
    )


def organisation_by_slug(actor: Actor, slug: str) -> OrganisationView:
    """One organisation by the address of its page (“pl-northbridge”), for who may edit all of them."""
    if not actor.everywhere(Permission.ORGANISATION_EDIT):
        raise NotFound
    found = next((each for each, its in slugs({slug[:2].upper()}).items() if its == slug), None)
    if found is None:
        raise NotFound
    return organisation(found)


def organisation_vouched_for(actor: Actor, slug: str) -> OrganisationView:
    """One organisation by the address of its page, for who may say who belongs to it."""
    found = next((each for each, its in slugs({slug[:2].upper()}).items() if its == slug), None)
    if found is None or not actor.may(Permission.ORGANISATION_VOUCH, Scope.of(("organisation", found))):
        raise NotFound
    return organisation(found)


def slug_of(view: OrganisationView) -> str:
    """The address of an organisation's page."""
    return slugs({view.country_code})[view.id]


def slugs(countries: Collection[str]) -> dict[UUID, str]:
    """Addresses of pages of all organisations of some countries: country and name, numbered where two are alike."""
    given: dict[UUID, str] = {}
    for row in db.session.execute(
        select(Organisation.id, Organisation.country_code, Organisation.name)
        .where(Organisation.country_code.in_(countries))
        .order_by(Organisation.created_at, Organisation.id)
    ):
        given[row.id] = handle_of(f"{row.country_code} {row.name}", set(given.values()))
    return given


# Things of later stages that a role can be given for; each stage says once how they are found.
_role_places: dict[str, Callable[[], tuple[RolePlace, ...]]] = {}


def offer_role_places(kind: str, lookup: Callable[[], tuple[RolePlace, ...]]) -> None:
    """Take how a stage lists the things a role can be given for."""
    _role_places[kind] = lookup


def role_places(kind: str) -> tuple[RolePlace, ...]:
    """What a role of this kind of place can be given for, newest first."""
    lookup = _role_places.get(kind)
    return lookup() if lookup else ()


# The administrator's pages


def users(actor: Actor, *, search: str = "", page_no: int = 1) -> tuple[tuple[UserRow, ...], int]:
    """One page of people by name with their roles, and how many there are; needs ``user:read``."""
    if not actor.can(Permission.USER_READ):
        return (), 0
    conditions: list[ColumnElement[bool]] = []
    if words := fold(search):
        conditions.append(or_(*(folded(each).contains(words, autoescape=True) for each in (User.name, User.email))))
    total = db.session.scalar(select(func.count()).select_from(User).where(*conditions)) or 0
    rows = db.session.scalars(
        select(User)
        .where(*conditions)
        .order_by(func.lower(User.name), User.id)
        .limit(USERS_PER_PAGE)
        .offset((max(page_no, 1) - 1) * USERS_PER_PAGE)
    ).all()
    return _user_rows(rows), total


def user(actor: Actor, handle: str) -> UserRow:
    """One person with all roles; raises :class:`NotFound` without ``user:read``."""
    found = db.session.scalars(select(User).where(User.handle == handle)).one_or_none()
    if found is None or not actor.can(Permission.USER_READ):
        raise NotFound
    return _user_rows([found])[0]


def own(actor: Actor) -> UserRow:
    """The person's own row, for the profile."""
    found = db.session.scalars(select(User).where(User.id == actor.user_id)).one_or_none()
    if found is None:
        raise NotFound
    return _user_rows([found])[0]


def own_phone(actor: Actor) -> str | None:
    """The person's own telephone number, shown to nobody else."""
    return db.session.scalar(select(User.phone).where(User.id == actor.user_id))


def demo_choices() -> tuple[DemoChoice, ...]:
    """Demo people for the switch on every page: one statement, by the part they play, at most 100."""
    now = clock.now()
    rows = db.session.execute(
        select(User.handle, User.name, User.job_title, func.array_agg(RoleGrant.role))
        .outerjoin(RoleGrant, and_(RoleGrant.user_id == User.id, RoleGrant.object_id.is_(None), role_holds(now)))
        .where(User.is_demo, User.disabled_at.is_(None))
        .group_by(User.id)
        .order_by(User.created_at, User.name)
        .limit(100)
    )
    found = [_demo_choice(handle, name, job_title, roles) for handle, name, job_title, roles in rows]
    order = [*rules.PARTS, rules.OTHERS]
    return tuple(sorted(found, key=lambda choice: order.index(choice.part)))


def _demo_choice(handle: str, name: str, job_title: str | None, slugs: Sequence[str | None]) -> DemoChoice:
    roles = sorted(Role(slug) for slug in slugs if slug)
    words = job_title or ", ".join(policy.WORDS[role][0] for role in roles) or "No role yet"
    return DemoChoice(handle, name, words, rules.part_of(set(roles)))


def demo_users() -> tuple[UserRow, ...]:
    """Demo people with their roles, by name, at most 100."""
    rows = db.session.scalars(
        select(User).where(User.is_demo, User.disabled_at.is_(None)).order_by(User.created_at, User.name).limit(100)
    ).all()
    return _user_rows(rows)


def _user_rows(rows: Sequence[User]) -> tuple[UserRow, ...]:
    ids = [row.id for row in rows]
    names = people(ids)
    roles: dict[UUID, list[RoleView]] = {user_id: [] for user_id in ids}
    now = clock.now()
    for grant in db.session.scalars(
        select(RoleGrant).where(RoleGrant.user_id.in_(ids)).order_by(RoleGrant.starts_at, RoleGrant.role, RoleGrant.id)
    ):
        view = role_view(grant, now)
        if view.standing is not RoleStanding.ENDED:
            roles[grant.user_id].append(view)
    return tuple(
        UserRow(
            id=row.id,
            version=row.version,
            handle=row.handle,
            name=row.name,
            email=row.email,
            organisation=names[row.id].organisation,
            job_title=row.job_title,
            disabled_at=row.disabled_at,
            invited_only=row.password_hash is None and not row.is_demo,
            is_demo=row.is_demo,
            roles=tuple(roles[row.id]),
        )
        for row in rows
    )


def role_view(grant: RoleGrant, at: datetime) -> RoleView:
    """A role as a frozen value with its standing at a moment."""
    role = Role(grant.role)
    return RoleView(
        id=grant.id,
        role=role,
        title=policy.WORDS[role][0],
        kind=grant.kind,
        object_id=grant.object_id,
        standing=standing(
            starts_at=grant.starts_at,
            ends_before=grant.ends_before,
            unconfirmed=grant.needs_confirmation and grant.confirmed_at is None,
            at=at,
        ),
        starts_at=grant.starts_at,
        ends_before=grant.ends_before,
        assigned_by=grant.assigned_by,
        confirmed_by=grant.confirmed_by,
    )


@reader
def roles_waiting(actor: Actor) -> Asking[tuple[tuple[Person, RoleView], ...]]:
    """Roles that wait for a second administrator, oldest first, at most 100; needs ``role:confirm``."""
    if not actor.can(Permission.ROLE_CONFIRM):
        return ()
    now = clock.now()
    grants = yield from ask(
        select(RoleGrant)
        .where(
            RoleGrant.needs_confirmation,
            RoleGrant.confirmed_at.is_(None),
            or_(RoleGrant.ends_before.is_(None), RoleGrant.ends_before > now),
        )
        .order_by(RoleGrant.starts_at, RoleGrant.id)
        .limit(100)
    )
    names = yield from people.asking(grant.user_id for grant in grants)
    return tuple((names[grant.user_id], role_view(grant, now)) for grant in grants)


@reader
def duties(actor: Actor, at: datetime) -> Asking[tuple[Duty, ...]]:
    """For administrators: roles that wait for them as the second person."""
    del at
    asked = yield from roles_waiting.asking(actor)
    waiting = [view for found, view in asked if actor.user_id not in (found.id, view.assigned_by)]
    if not waiting:
        return ()
    count = len(waiting)
    what = f"Confirm the role \u201c{waiting[0].title}\u201d" if count == 1 else f"Confirm {count} roles"
    return (
        Duty(
            what,
            "It holds only once a second administrator agrees.",
            "Look at what waits",
            "identity.roles",
            count=count,
        ),
    )


# Links and mails

# Mails whose text opens an account: shown to who invites people only.
RESET_TEMPLATE = "password_reset"
TEMPLATES_WITH_LINK = frozenset({"invitation", RESET_TEMPLATE, "address_confirm"})
# Mails about a change of address go where that change says, not to where the account stands.
_SENT_ELSEWHERE = {"address_confirm": SignInLink.new_email, "address_changed": SignInLink.old_email}


_OF_PASSWORDS = (LinkPurpose.INVITATION, LinkPurpose.RESET)


def link(token: str, at: datetime, purposes: Collection[LinkPurpose] = _OF_PASSWORDS) -> LinkView | None:
    """The link of a token, if it was not used, withdrawn or left too long, and its person is not disabled."""
    row = db.session.execute(
        select(SignInLink.id, User.id, User.name, User.email, SignInLink.purpose)
        .join(User, User.id == SignInLink.user_id)
        .where(
            SignInLink.token_hash == token_hash(token),
            SignInLink.purpose.in_([purpose.value for purpose in purposes]),
            SignInLink.used_at.is_(None),
            SignInLink.withdrawn_at.is_(None),
            SignInLink.expires_at > at,
            User.disabled_at.is_(None),
        )
    ).one_or_none()
    return LinkView(row[0], row[1], row[2], row[3], LinkPurpose(row[4])) if row else None


def address_of(endpoint: str, **values: Any) -> str:
    """A page's public address from the settings alone: what a request calls this host never gets into a mail."""
    config = current_app.config
    base = config["BASE_URL"].rstrip("/") or f"http://{config['HOST']}:{config['PORT']}"
    return base + current_app.url_map.bind("localhost").build(endpoint, values)


def sign_in_address(link_id: UUID | str, purpose: LinkPurpose | str = LinkPurpose.INVITATION) -> str:
    """The address that opens a sign-in link, derived again from the program's key each time it is needed."""
    token = link_token(current_app.config["SECRET_KEY"], UUID(str(link_id)))
    return address_of("identity.open_link", purpose=LinkPurpose(purpose).value, token=token)


def rendered_mail(user_id: UUID, template: str, context: Mapping[str, Any]) -> RenderedMail:
    """One mail from ``templates/mail/<template>.txt``, whose first line is \u201cSubject: \u2026\u201d.

    The template gets ``person``, ``address(endpoint, ...)``, ``sign_in_address(link_id)`` and the context.
    """
    to = person(user_id)
    return _rendered(_address(to, template, context), to.name, template, {**context, "person": to})


# To people, and to addresses outside.
_LETTERS = ("jobs.mail.send", "jobs.mail.send_outside")


def mail_to_outside(email: str, template: str, context: Mapping[str, Any]) -> RenderedMail:
    """One mail to an address that belongs to no account here; its template names no person."""
    return _rendered(email, email, template, context)


def _rendered(email: str, name: str, template: str, context: Mapping[str, Any]) -> RenderedMail:
    words = current_app.jinja_env.get_template(f"mail/{template}.txt").render(
        address=address_of,
        sign_in_address=sign_in_address,
        **{key: _broken_later(each) for key, each in context.items()},
    )
    first, _, text = words.lstrip().partition("\n")
    assert first.startswith("Subject: "), f"the mail {template} does not begin with its subject"
    subject = first.removeprefix("Subject: ").replace(_BREAK, " ")
    return RenderedMail(email, one_line(name), one_line(subject), text.replace(_BREAK, "\n").strip() + "\n")


# Stands for a line break of what somebody typed, so that a title of two lines never cuts a subject off.
_BREAK = "\x1e"


def _broken_later(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\r\n", _BREAK).replace("\r", _BREAK).replace("\n", _BREAK)
        case list():
            return [_broken_later(each) for each in value]
        case dict():
            return {key: _broken_later(each) for key, each in value.items()}
        case _:
            return value


def _address(to: Person, template: str, context: Mapping[str, Any]) -> str:
    if template not in _SENT_ELSEWHERE:
        return to.email
    found = db.session.scalar(select(_SENT_ELSEWHERE[template]).where(SignInLink.id == UUID(str(context["link_id"]))))
    return str(found or to.email)


def new_address(link_id: UUID) -> str | None:
    """The address a link asks to confirm."""
    return db.session.scalar(select(SignInLink.new_email).where(SignInLink.id == link_id))


def mails(actor: Actor, page: Page | None = None) -> Rows[MailRow]:
    """Mails, newest first, without those about a thing the person is barred from; needs ``mail:read``."""
    page = page or Page(size=ROWS_ON_A_PAGE_MAX)
    if not actor.can(Permission.MAIL_READ):
        return Rows(())
    statement = select(Job.number, Job.created_at, Job.finished_at, Job.state, Job.error, Job.args, Job.result).where(
        Job.name.in_(_LETTERS), *_not_about_barred(actor)
    )
    if (last := page.number) is not None:
        statement = statement.where(Job.number < last)
    found = db.session.execute(statement.order_by(Job.number.desc()).limit(page.limit)).all()
    names = people(UUID(row.args["user_id"]) for row in found if "user_id" in row.args)
    guarded = _needing_two({UUID(row.args["user_id"]) for row in found if row.args["template"] == RESET_TEMPLATE})
    shown = tuple(
        MailRow(
            number=row.number,
            asked_at=row.created_at,
            finished_at=row.finished_at,
            state=JobState(row.state),
            error=row.error,
            to=names.get(UUID(row.args["user_id"])) if "user_id" in row.args else None,
            address=row.args.get("address"),
            template=row.args["template"],
            subject=(row.result or {}).get("subject"),
            opens_account=row.args["template"] in TEMPLATES_WITH_LINK,
            guarded=row.args["template"] == RESET_TEMPLATE and UUID(row.args["user_id"]) in guarded,
            kept="message_id" not in (row.result or {}),
        )
        for row in found
    )
    return cut(shown, page, key=lambda mail: str(mail.number))


def needs_two_administrators(user_id: UUID) -> bool:
    """Whether a person holds, or waits for, a role that one administrator alone cannot give."""
    return user_id in _needing_two({user_id})


def _needing_two(user_ids: Collection[UUID]) -> frozenset[UUID]:
    guarded = [role.value for role in Role if policy.needs_confirmation(role)]
    return frozenset(
        db.session.scalars(
            select(RoleGrant.user_id).where(
                RoleGrant.user_id.in_(user_ids),
                RoleGrant.role.in_(guarded),
                or_(RoleGrant.ends_before.is_(None), RoleGrant.ends_before > clock.now()),
            )
        )
    )


def _not_about_barred(actor: Actor) -> list[ColumnElement[bool]]:
    """No job about a thing the person is barred from; mails name an application, a grant or a report."""
    barred = actor.barred_from()
    if not barred:
        return []
    about = tuple_(Job.subject_kind, Job.subject_id).in_(sorted(barred))
    return [or_(Job.subject_id.is_(None), ~about)]


def mail_asked_for(actor: Actor, number: int) -> MailAsked:
    """What one mail is made of; raises :class:`NotFound`."""
    args = db.session.scalar(
        select(Job.args).where(Job.name.in_(_LETTERS), Job.number == number, *_not_about_barred(actor))
    )
    if args is None:
        raise NotFound
    user_id = UUID(args["user_id"]) if "user_id" in args else None
    return MailAsked(user_id, args.get("address", ""), args["template"], args["context"])
