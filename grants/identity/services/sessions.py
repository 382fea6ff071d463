"""Sessions of the web kept here and not in the cookie, so that they can be listed and ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from grants.core import acts, clock
from grants.core.acts import act, bookkeeping
from grants.core.db import db, locked
from grants.core.errors import NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import queries, rules
from grants.identity.models import (
    User,
    UserSession,
)
from grants.identity.rules import (
    SessionView,
)
from grants.identity.states import SessionEnd


@act("session.end", needs=Permission.PROFILE_EDIT, says="signed out")
def sign_out(actor: Actor) -> None:
    """End the session in use."""
    acts.subject("user_account", own_row(actor).id)
    for session in live(UserSession.id == actor.session_id, UserSession.user_id == actor.user_id):
        end(session, SessionEnd.SIGNED_OUT)


@act("session.end_other", needs=Permission.PROFILE_EDIT, says="ended another session")
def end_session(actor: Actor, session_id: UUID) -> None:
    """End one of the own sessions, for example of a computer left behind."""
    found = live(UserSession.id == session_id, UserSession.user_id == actor.user_id)
    if not found:
        raise Refused("This session has ended already.")
    acts.subject("user_account", own_row(actor).id)
    end(found[0], SessionEnd.ENDED_BY_PERSON)


@act("session.end_all_others", needs=Permission.PROFILE_EDIT, says="ended all other sessions")
def end_other_sessions(actor: Actor) -> None:
    """End every own session but the one in use."""
    acts.subject("user_account", own_row(actor).id)
    for session in live(UserSession.user_id == actor.user_id, UserSession.id != actor.session_id):
        end(session, SessionEnd.ENDED_BY_PERSON)


def replace_session(token: str | None) -> None:
    """End the session a browser still had when somebody signs in there anew."""
    session = queries.live_session(token, clock.now()) if token else None
    if session is not None:
        with bookkeeping() as books:
            books.execute(
                update(UserSession)
                .where(UserSession.id == session.id, UserSession.ended_at.is_(None))
                .values(ended_at=clock.now(), ended_why=SessionEnd.REPLACED.value)
            )


def note_seen(session: SessionView, at: datetime) -> None:
    """Keep a session alive; written at most once a minute."""
    if at - session.seen_at >= rules.SEEN_AFTER:
        with bookkeeping() as books:
            books.execute(update(UserSession).where(UserSession.id == session.id).values(seen_at=at))


def own_row(actor: Actor) -> User:
    if actor.user_id is None:
        raise NotFound
    return locked(User, actor.user_id)


def live(*conditions: ColumnElement[bool]) -> Sequence[UserSession]:
    return db.session.scalars(
        select(UserSession)
        .where(UserSession.ended_at.is_(None), *conditions)
        .order_by(UserSession.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def end(session: UserSession, why: SessionEnd) -> None:
    session.ended_at = acts.moment()
    session.ended_why = why.value


def end_sessions(user_id: UUID, why: SessionEnd) -> None:
    for session in live(UserSession.user_id == user_id):
        end(session, why)
