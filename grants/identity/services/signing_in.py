"""Signing in, and proving again who sits here."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID, uuid4

from flask import current_app

from grants.core import acts
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import queries, rules
from grants.identity.models import (
    UserSession,
)
from grants.identity.rules import (
    Where,
)
from grants.identity.services.passwords import WRONG_SIGN_IN, hash_of, hasher, prove
from grants.identity.services.sessions import live, own_row


def sign_in(email: str, password: str, where: Where) -> str:
    """Check a password and start a session; returns the token for the cookie. Not an act itself: it starts one.

    Says the same and does the same work for an unknown address, a disabled person and a wrong password.
    Raises :class:`Refused`.
    """
    try:
        address = rules.normal_email(email)
    except Invalid:
        address = ""
    known = prove(queries.credentials(address), address, password, where)
    rehashed = hash_of(password) if hasher.check_needs_rehash(known.password_hash) else None
    return _start(known.user_id, where, seen_password_set_at=known.password_set_at, rehashed=rehashed)


def demo_sign_in(handle: str, where: Where) -> str:
    """Start a session as a demo person, without a password; only where the demo is switched on."""
    found = next((user.id for user in queries.demo_users() if user.handle == handle), None)
    if not current_app.config["GRANTS_DEMO"] or found is None:
        raise NotFound
    return _start(found, where, seen_password_set_at=None, rehashed=None)


def _start(user_id: UUID, where: Where, *, seen_password_set_at: datetime | None, rehashed: str | None) -> str:
    token = secrets.token_urlsafe(32)
    # No idempotency key: nothing of a session may be kept with the act.
    with acts.once(None):
        _start_session(
            queries.actor_for(user_id),
            rules.token_hash(token),
            where,
            seen_password_set_at=seen_password_set_at,
            rehashed=rehashed,
        )
    return token


@act("session.start", needs=None, says="signed in")
def _start_session(
    actor: Actor, hashed: bytes, where: Where, *, seen_password_set_at: datetime | None, rehashed: str | None
) -> None:
    user = own_row(actor)
    # What was checked before the act may have changed meanwhile.
    if user.disabled_at is not None or user.password_set_at != seen_password_set_at:
        raise Refused(WRONG_SIGN_IN)
    if rehashed is not None:
        user.password_hash = rehashed
    now = acts.moment()
    acts.subject("user_account", user.id)
    db.session.add(
        UserSession(
            id=uuid4(),
            user_id=user.id,
            token_hash=hashed,
            started_at=now,
            seen_at=now,
            proved_at=now,
            address=where.address[:60],
            browser=rules.one_line(where.browser, characters_max=120),
        )
    )


def confirm_password(actor: Actor, password: str, where: Where) -> None:
    """Prove again who sits here; dangerous acts are then open for ten minutes. Raises :class:`Refused`."""
    own = queries.own(actor)
    if not (own.is_demo and current_app.config["GRANTS_DEMO"]):
        prove(queries.credentials(own.email), own.email, password, where)
    # The place where a second factor will be asked for.
    with acts.once(None):
        _note_proof(actor)


@act("session.prove", needs=Permission.PROFILE_EDIT, says="confirmed the password again")
def _note_proof(actor: Actor) -> None:
    acts.subject("user_account", own_row(actor).id)
    for session in live(UserSession.id == actor.session_id, UserSession.user_id == actor.user_id):
        session.proved_at = acts.moment()
