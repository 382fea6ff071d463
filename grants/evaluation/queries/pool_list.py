"""The list of a pool: members and whoever is invited, narrowed and by key, and one person of it with all that is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Label, Select, Text, and_, case, func, literal, or_, select, tuple_, union_all

from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.calls.rules.expert_terms import TermsView
from grants.core import clock
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.paging import COUNTED_MAX, Page, Rows, Tally, cut
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader, side_by_side
from grants.evaluation.models import (
    Assessment,
    Assignment,
    Evaluator,
    EvaluatorAcceptance,
    EvaluatorInvitation,
)
from grants.evaluation.queries.accepting import terms_accepted
from grants.evaluation.queries.assignments import not_barred, pool
from grants.evaluation.queries.invitations import acceptances, invitations
from grants.evaluation.rules import Accepted, InvitationView, PoolLine, PoolMember, PoolSearch, cells_of, entry_of
from grants.evaluation.states import AssessmentState, DeclineKind, InvitationState, PoolState, SeatState
from grants.identity.models import Organisation, User

# How many lines a file of the list has at most; a pool is smaller.
LINES_MAX = 5_000


@dataclass(frozen=True, slots=True)
class PoolOffers:
    """What the list can be narrowed to, as far as it occurs in this pool."""

    topics: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PoolPerson:
    """One person of a pool, or invited to it."""

    name: str
    handle: str
    email: str
    state: PoolState
    member: PoolMember | None
    invitation: InvitationView | None
    accepted: tuple[Accepted, ...]
    terms: TermsView | None


def _everybody(call_id: UUID, at: datetime) -> Select[Any]:
    """Members of the pool and whoever is or was asked and is no member, as rows of one shape."""
    accepted = (
        select(func.max(EvaluatorAcceptance.number))
        .where(
            EvaluatorAcceptance.user_id == Evaluator.user_id,
            EvaluatorAcceptance.call_id == call_id,
            EvaluatorAcceptance.withdrawn_at.is_(None),
        )
        .scalar_subquery()
    )
    clear = terms_accepted(Evaluator.user_id, Evaluator.call_id)
    member_state = case(
        (Evaluator.stepped_down_at.is_not(None), PoolState.STEPPED_DOWN.value),
        (clear, PoolState.MEMBER.value),
        else_=PoolState.TO_ACCEPT.value,
    )
    lapsed = and_(EvaluatorInvitation.state == InvitationState.INVITED.value, EvaluatorInvitation.expires_at <= at)
    entry = EvaluatorInvitation.entry
    inside = select(Evaluator.id).where(Evaluator.call_id == call_id, Evaluator.user_id == EvaluatorInvitation.user_id)
    members = select(
        *(Evaluator.user_id, Evaluator.id.label("evaluator_id"), Evaluator.organisation_id, Evaluator.country_code),
        *(Evaluator.languages, Evaluator.topics, Evaluator.roles, Evaluator.load_max),
        *(member_state.label("state"), accepted.label("accepted"), literal(None, Text()).label("declined_for")),
    ).where(Evaluator.call_id == call_id)
    asked = select(
        *(EvaluatorInvitation.user_id, literal(None, Evaluator.id.type), literal(None, Evaluator.id.type)),
        *(entry["country_code"].astext, entry["languages"], entry["topics"], entry["roles"]),
        entry["load_max"].as_integer(),
        case((lapsed, PoolState.LAPSED.value), else_=EvaluatorInvitation.state),
        literal(None, Evaluator.load_max.type),
        EvaluatorInvitation.declined_for,
    ).where(
        EvaluatorInvitation.call_id == call_id,
        EvaluatorInvitation.state != InvitationState.ACCEPTED.value,
        ~inside.exists(),
    )
    return select(union_all(members, asked).subquery("everybody"))


def _narrowed(every: Any, search: PoolSearch) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    for column, value in (
        (every.c.topics, search.topic),
        (every.c.languages, search.language),
        (every.c.roles, search.role),
    ):
        if value:
            wanted.append(column.contains([value]))
    if search.country:
        wanted.append(every.c.country_code == search.country)
    if search.state is not None:
        wanted.append(every.c.state == search.state.value)
    if search.accepted is not None:
        wanted.append(every.c.accepted.is_not(None) if search.accepted else every.c.accepted.is_(None))
    return wanted


def _count(evaluator_id: Any, *conditions: ColumnElement[bool]) -> Label[Any]:
    return (
        select(func.count(Assignment.id))
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Assignment.evaluator_id == evaluator_id, Assignment.state == SeatState.ACTIVE.value, *conditions)
        .scalar_subquery()
        .label(None)
    )


def _lines(actor: Actor, call_id: UUID, search: PoolSearch, page: Page) -> Select[Any]:
    every = _everybody(call_id, clock.now()).subquery()
    after = []
    if page.after is not None:
        before = select(User.name, User.handle).where(User.handle == page.after)
        after = [tuple_(User.name, User.handle) > before.scalar_subquery()]
    submitted = Assessment.state == AssessmentState.SUBMITTED.value
    return (
        select(
            *(every.c.user_id, every.c.country_code, every.c.languages, every.c.topics, every.c.roles),
            *(every.c.load_max, every.c.state, every.c.accepted, every.c.declined_for, User.name, User.handle),
            Organisation.name.label("organisation"),
            _count(every.c.evaluator_id, not_barred(actor)).label("load"),
            _count(every.c.evaluator_id, not_barred(actor), submitted).label("submitted"),
        )
        .join(User, User.id == every.c.user_id)
        .outerjoin(Organisation, Organisation.id == every.c.organisation_id)
        .where(*_narrowed(every, search), *after)
        .order_by(User.name, User.handle)
        .limit(page.limit)
    )


def _line(row: Any) -> PoolLine:
    return PoolLine(
        row.user_id, row.name, row.handle, row.organisation or "", row.country_code, tuple(row.languages),
        tuple(row.topics), tuple(row.roles), PoolState(row.state), row.accepted, row.load, row.load_max, row.submitted,
        None if row.declined_for is None else DeclineKind(row.declined_for),
    )  # fmt: skip


@reader
def pool_list(actor: Actor, call_id: UUID, search: PoolSearch, page: Page) -> Asking[tuple[Rows[PoolLine], PoolOffers]]:
    """A page of everybody of a pool by name, and what it can be narrowed to; at most three statements at once.

    What they have is counted without what is shut to the reader.
    """
    every = _everybody(call_id, clock.now()).subquery()
    counted = select(func.count()).select_from(
        select(every.c.user_id).where(*_narrowed(every, search)).limit(COUNTED_MAX + 1).subquery()
    )
    asked: list[Asking[Any]] = [ask(_lines(actor, call_id, search, page)), ask(counted), ask(_offers(call_id))]
    found, ((total,),), offers = yield from side_by_side(asked)
    rows = cut(tuple(_line(row) for row in found), page, key=lambda line: line.handle, total=Tally.of(total))
    kinds: dict[str, list[str]] = {"topic": [], "language": [], "country": [], "role": []}
    for row in offers:
        kinds[row.kind].append(row.value)
    return rows, PoolOffers(*(tuple(sorted(kinds[kind])) for kind in ("topic", "language", "country", "role")))


def _offers(call_id: UUID) -> Select[Any]:
    every = _everybody(call_id, clock.now()).subquery()
    parts = [
        select(literal(kind).label("kind"), func.jsonb_array_elements_text(column).label("value"))
        for kind, column in (("topic", every.c.topics), ("language", every.c.languages), ("role", every.c.roles))
    ]
    parts.append(select(literal("country"), every.c.country_code).where(every.c.country_code != ""))
    found = union_all(*parts).subquery()
    return select(found.c.kind, found.c.value).distinct().limit(LINES_MAX)


def pool_lines(actor: Actor, call_id: UUID, search: PoolSearch) -> tuple[tuple[str, ...], ...]:
    """Everybody of a narrowed list for a file, with address and profile as an import reads them; three statements."""
    return _file_lines(actor, call_id, search)


@reader
def _file_lines(actor: Actor, call_id: UUID, search: PoolSearch) -> Asking[tuple[tuple[str, ...], ...]]:
    asked: list[Asking[Any]] = [
        ask(_lines(actor, call_id, search, Page(size=LINES_MAX))), pool.asking(call_id), invitations.asking(call_id),
    ]  # fmt: skip
    found, members, offers = yield from side_by_side(asked)
    by_person = {member.user_id: member for member in members}
    addresses = yield from ask(
        select(User.id, User.email).where(User.id.in_([row.user_id for row in found])).limit(LINES_MAX)
    )
    emails = {row.id: row.email for row in addresses}
    told = []
    for row in found:
        member, offer = by_person.get(row.user_id), offers.get(row.user_id)
        entry = entry_of(member) if member is not None else offer.entry if offer is not None else None
        cells = cells_of(entry) if entry is not None else ("",) * 10
        told.append(
            (emails[row.user_id], row.name, *cells, _line(row).state_words, str(row.accepted or ""), str(row.load), str(row.submitted), member.gender.value if member is not None and member.gender else "")
        )  # fmt: skip
    return tuple(told)


@reader
def pool_person(actor: Actor, call: CallView, handle: str) -> Asking[PoolPerson]:
    """One person of a pool, or invited to it; :class:`NotFound` for everybody else. Two statements."""
    found = yield from ask(
        select(User.id, User.name, User.handle, User.email).where(
            User.handle == handle,
            or_(
                User.id.in_(select(Evaluator.user_id).where(Evaluator.call_id == call.id)),
                User.id.in_(select(EvaluatorInvitation.user_id).where(EvaluatorInvitation.call_id == call.id)),
            ),
        )
    )
    for row in found:
        asked: list[Asking[Any]] = [
            pool.asking(call.id, actor), invitations.asking(call.id, [row.id]), acceptances.asking(call.id, row.id),
            calls.expert_terms.asking(call.id),
        ]  # fmt: skip
        members, offers, accepted, versions = yield from side_by_side(asked)
        member = next((one for one in members if one.user_id == row.id), None)
        invitation, newest = offers.get(row.id), next(iter(versions), None)
        terms = newest if newest is not None and newest.text is not None else None
        return PoolPerson(
            row.name,
            row.handle,
            row.email,
            _state_of(member, invitation),
            member,
            invitation,
            accepted,
            terms,
        )
    raise NotFound


def asked_already(call_id: UUID, email: str) -> tuple[str, str] | None:
    """Handle and name of the person of an address who is in a pool or was invited to it."""
    inside = (
        select(Evaluator.user_id).where(Evaluator.call_id == call_id),
        select(EvaluatorInvitation.user_id).where(EvaluatorInvitation.call_id == call_id),
    )
    asked = select(User.handle, User.name).where(
        User.email == email.strip().lower(), or_(*(User.id.in_(each) for each in inside))
    )
    found = db.session.execute(asked).first()
    return (found.handle, found.name) if found else None


def own_entry(actor: Actor, slug: str) -> tuple[CallView, PoolMember]:
    """The own entry in the pool of a call; :class:`NotFound` for whoever is in none."""
    call = calls.call(actor, slug)
    member = next((one for one in pool(call.id) if one.user_id == actor.user_id), None)
    if member is None:
        raise NotFound
    return call, member


def _state_of(member: PoolMember | None, invitation: InvitationView | None) -> PoolState:
    if member is not None:
        if member.stepped_down_at is not None:
            return PoolState.STEPPED_DOWN
        return PoolState.TO_ACCEPT if member.must_accept else PoolState.MEMBER
    assert invitation is not None, "whoever is no member was invited"
    standing = invitation.standing(clock.now())
    # Whoever accepted and was taken out of the pool later can be asked again.
    return PoolState.WITHDRAWN if standing is PoolState.MEMBER else standing
