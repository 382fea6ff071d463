"""Reads of signing in: sessions, what proves a person, and links that open an account."""

from __future__ import annotations

import functools
from collections.abc import Collection
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import (
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
    literal,
    null,
    or_,
    select,
    union_all,
)

from grants.core.db import db
from grants.core.permissions import Actor
from grants.identity import rules
from grants.identity.models import SignInLink, User, UserSession
from grants.identity.queries.actors import Moment, actor_of, rights_of
from grants.identity.rules import SESSION_AGE_MAX, SESSION_IDLE_MAX, Credentials, LinkView, SessionView, token_hash
from grants.identity.states import LinkPurpose


def live_session(token: str, at: datetime) -> SessionView | None:
    """The session of a cookie's token, if it is neither ended, idle nor old and its person may be signed in.

    Who is disabled may not, nor a person of the demo where this is none any more.
    """
    found = db.session.execute(_session_of_token(), _of_token(token, at)).one_or_none()
    return SessionView(*found) if found else None


def who_asks(token: str, at: datetime) -> tuple[SessionView, Actor] | None:
    """The session of a cookie's token as :func:`live_session` finds it, with its person as :func:`actor_for` does.

    One statement, with a bar or a conflict two: every request of somebody signed in begins with it.
    """
    rows = db.session.execute(_session_and_rights(), _of_token(token, at) | {"at": at}).all()
    found = next((row[4:] for row in rows if row[0] == "session"), None)
    if found is None:
        return None
    session = SessionView(*found)
    return session, actor_of(rows, session.user_id, session.id, rules.is_fresh(session.proved_at, at))


def _of_token(token: str, at: datetime) -> dict[str, Any]:
    return {
        "token_hash": token_hash(token),
        "idle_since": at - SESSION_IDLE_MAX,
        "old_since": at - SESSION_AGE_MAX,
        "demo": bool(current_app.config["GRANTS_DEMO"]),
    }


_OF_A_SESSION: tuple[Any, ...] = (
    UserSession.id, UserSession.user_id, UserSession.started_at, UserSession.seen_at, UserSession.proved_at,
    UserSession.address, UserSession.browser,
)  # fmt: skip


@functools.cache
def _session_of_token() -> Select[Any]:
    """What :func:`live_session` asks, put together once."""
    return (
        select(*_OF_A_SESSION)
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
    )


@functools.cache
def _session_and_rights() -> CompoundSelect[Any]:
    """What :func:`who_asks` asks: the rows of :func:`rights_of`, and before them one with the session beside it."""
    session = _session_of_token().cte("live_session")
    nothing, nowhere = literal(""), cast(null(), Uuid)
    apart = [cast(null(), column.type) for column in _OF_A_SESSION]
    rights = rights_of(select(session.c.user_id).scalar_subquery())
    return union_all(
        select(literal("session"), nothing, nothing, nowhere, *session.c),
        *(each.add_columns(*apart) for each in rights),
    )


def sessions(actor: Actor, at: datetime) -> tuple[SessionView, ...]:
    """The person's own live sessions, latest use first, at most 50."""
    found = db.session.execute(
        select(*_OF_A_SESSION)
        .where(UserSession.user_id == actor.user_id, _session_lives(at - SESSION_IDLE_MAX, at - SESSION_AGE_MAX))
        .order_by(UserSession.seen_at.desc(), UserSession.id)
        .limit(50)
    )
    return tuple(SessionView(*row) for row in found)


def _session_lives(idle_since: Moment, old_since: Moment) -> ColumnElement[bool]:
    return and_(UserSession.ended_at.is_(None), UserSession.seen_at > idle_since, UserSession.started_at > old_since)


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
