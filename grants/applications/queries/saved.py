"""Lists kept under a name: the own ones of a person, and those shared with them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select

from grants.applications.models import FirstList, SavedList
from grants.applications.rules.saving import SavedListView
from grants.calls.models import Call
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader
from grants.identity.models import User

SAVED_MAX = 100


@reader
def saved_lists(actor: Actor) -> Asking[tuple[SavedListView, ...]]:
    """The own lists of a person, then those shared with them, by name, at most a hundred."""
    rows = yield from ask(
        _shown(actor).order_by((SavedList.owner_id != actor.user_id), SavedList.name).limit(SAVED_MAX)
    )
    return tuple(_view(actor, row) for row in rows)


def saved_list(actor: Actor, number: int) -> SavedListView:
    """One of them; :class:`NotFound` for every other."""
    row = db.session.execute(_shown(actor).where(SavedList.number == number)).one_or_none()
    if row is None:
        raise NotFound
    return _view(actor, row)


def first_list(actor: Actor) -> SavedListView | None:
    """The list this person sees first, while they still may see it."""
    row = db.session.execute(_shown(actor).where(FirstList.list_id.is_not(None))).one_or_none()
    return _view(actor, row) if row else None


def _shown(actor: Actor) -> Any:
    return (
        select(
            SavedList.id,
            SavedList.number,
            SavedList.name,
            SavedList.address,
            SavedList.owner_id,
            SavedList.shared_role,
            User.name.label("owner"),
            Call.slug,
            Call.title,
            FirstList.list_id.label("first_id"),
        )
        .join(User, User.id == SavedList.owner_id)
        .outerjoin(Call, Call.id == SavedList.shared_call_id)
        .outerjoin(FirstList, and_(FirstList.list_id == SavedList.id, FirstList.user_id == actor.user_id))
        .where(or_(SavedList.owner_id == actor.user_id, _shared_with(actor)))
    )


def _shared_with(actor: Actor) -> ColumnElement[bool]:
    """Shared with the team of a call this person belongs to, in any role or in one they hold."""
    found: ColumnElement[bool] = SavedList.shared_call_id.in_(actor.places(Permission.APPLICATION_READ, "call"))
    if actor.everywhere(Permission.APPLICATION_READ):
        found = SavedList.shared_call_id.is_not(None)
    if actor.barred("call"):
        found = and_(found, SavedList.shared_call_id.not_in(actor.barred("call")))
    return and_(
        found, or_(SavedList.shared_role.is_(None), SavedList.shared_role.in_(actor.roles) if actor.roles else false())
    )


def shareable_call(actor: Actor, slug: str) -> UUID:
    """The id of a call whose team this person belongs to; :class:`NotFound` for every other."""
    found = db.session.scalar(select(Call.id).where(Call.slug == slug, *_team_of(actor)))
    if found is None:
        raise NotFound
    return found


def shareable_calls(actor: Actor) -> tuple[tuple[str, str], ...]:
    """Slug and title of the calls whose team this person belongs to, newest first."""
    rows = db.session.execute(
        select(Call.slug, Call.title).where(*_team_of(actor)).order_by(Call.year.desc(), Call.slug)
    )
    return tuple((row.slug, row.title) for row in rows)


def _team_of(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    barred = (Call.id.not_in(actor.barred("call")),) if actor.barred("call") else ()
    if actor.everywhere(Permission.APPLICATION_READ):
        return barred
    return (Call.id.in_(actor.places(Permission.APPLICATION_READ, "call")), *barred)


def _view(actor: Actor, row: Any) -> SavedListView:
    return SavedListView(
        id=row.id,
        number=row.number,
        name=row.name,
        address=row.address,
        owner=row.owner,
        is_own=row.owner_id == actor.user_id,
        is_first=row.first_id is not None,
        shared_call_slug=row.slug,
        shared_call=row.title,
        shared_role=row.shared_role,
    )
