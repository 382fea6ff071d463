"""Passwords and the links by which they are chosen: checked, counted, changed; kept as argon2id only."""

from __future__ import annotations

import functools
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from grants.core import acts, clock
from grants.core.acts import act, bookkeeping, note_security
from grants.core.db import db, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import queries, rules
from grants.identity.models import (
    SignInAttempt,
    SignInLink,
    User,
)
from grants.identity.rules import (
    LINK_LASTS,
    Counter,
    Credentials,
    Where,
)
from grants.identity.services.mails import mail
from grants.identity.services.sessions import end_sessions, own_row
from grants.identity.states import LinkPurpose, SessionEnd

WRONG_SIGN_IN = "The e-mail address or the password is not right. Check both, or ask for a new password."

# Above the OWASP minimum for argon2id (19 MiB, 2 passes); about a twentieth of a second on a small server.
hasher = PasswordHasher(time_cost=2, memory_cost=47_104, parallelism=1)


def hash_of(password: str) -> str:
    """The form in which a password is stored."""
    return hasher.hash(as_typed(password))


def prove(known: Credentials | None, account: str, password: str, where: Where) -> Credentials:
    """Whether the password is right; counts the try before it looks, so that many at once gain nothing."""
    subjects = (
        (Counter.ACCOUNT, rules.counter_key(Counter.ACCOUNT, account)),
        (Counter.ADDRESS, rules.counter_key(Counter.ADDRESS, where.address)),
    )
    take_try(subjects)
    right = False
    if len(password) <= rules.PASSWORD_CHARACTERS_MAX:
        try:
            right = hasher.verify(known.password_hash if known else _nobodys_hash(), as_typed(password))
        except (VerificationError, InvalidHashError):
            right = False
    if not right or known is None:
        note_security("sign_in.failed", user=known.user_id if known else None, address=where.address)
        raise Refused(WRONG_SIGN_IN)
    _forgive(subjects)
    return known


@functools.cache
def _nobodys_hash() -> str:
    """What a password for an unknown address is checked against, so that both take the same time."""
    return hasher.hash(secrets.token_urlsafe(32))


def as_typed(password: str) -> str:
    """One spelling for letters that keyboards compose differently; nothing is cut off or trimmed."""
    return unicodedata.normalize("NFC", password)


def take_try(subjects: Sequence[tuple[Counter, str]]) -> None:
    """Count a try as failed for each counter, or refuse while one of them must wait."""
    now = clock.now()
    table = SignInAttempt.__table__
    with bookkeeping() as books:
        for _, key in subjects:
            books.execute(
                upsert(SignInAttempt)
                .values(subject=key, failures=0, tried_at=now, blocked_until=None)
                .on_conflict_do_nothing()
            )
        found = {
            row.subject: row
            for row in books.rows(
                select(table)
                .where(table.c.subject.in_([key for _, key in subjects]))
                .order_by(table.c.subject)
                .with_for_update()
            )
        }
        blocked = [row.blocked_until for row in found.values() if row.blocked_until and row.blocked_until > now]
        if not blocked:
            for counter, key in subjects:
                row = found[key]
                stale = row.tried_at + rules.TRIES_FORGOTTEN_AFTER <= now
                failures = 1 if stale else row.failures + 1
                books.execute(
                    update(SignInAttempt)
                    .where(SignInAttempt.subject == key)
                    .values(failures=failures, tried_at=now, blocked_until=now + rules.wait_after(failures, counter))
                )
    if blocked:
        note_security("sign_in.blocked", subjects=[key for _, key in subjects])
        until = clock.in_zone(max(blocked))
        raise Refused(f"There were too many tries. Wait until {until:%H:%M:%S} (Brussels time), then try again.")


def _forgive(subjects: Sequence[tuple[Counter, str]]) -> None:
    """After a right password: forget the account's failures, and this one try of the address."""
    with bookkeeping() as books:
        for counter, key in subjects:
            if counter is Counter.ACCOUNT:
                books.execute(delete(SignInAttempt).where(SignInAttempt.subject == key))
            else:
                books.execute(
                    update(SignInAttempt)
                    .where(SignInAttempt.subject == key, SignInAttempt.failures > 0)
                    .values(failures=SignInAttempt.failures - 1, blocked_until=None)
                )


def sweep() -> int:
    """Forget counters of tries older than a day; returns how many. For the schedule."""
    with bookkeeping() as books:
        return books.execute(
            delete(SignInAttempt).where(SignInAttempt.tried_at < clock.now() - 24 * rules.TRIES_FORGOTTEN_AFTER)
        )


def change_password(actor: Actor, current: str, new: str, where: Where) -> None:
    """Change the own password; every session ends, this one too. Raises :class:`Invalid` or :class:`Refused`."""
    own = queries.own(actor)
    if own.is_demo:
        raise Refused("Demo people have no password; they are signed in from the demo page.")
    _refuse_weak(new, own.name, own.email)
    try:
        known = prove(queries.credentials(own.email), own.email, current, where)
    except Refused as refusal:
        sentence = "This is not your present password." if str(refusal) == WRONG_SIGN_IN else str(refusal)
        raise Invalid(sentence, {"current": sentence}) from refusal
    if current == new:
        sentence = "This is the password you have. Choose another one."
        raise Invalid(sentence, {"password": sentence})
    with acts.once(None):
        _change_password(actor, hash_of(new), known.password_set_at)


@act("password.change", needs=Permission.PROFILE_EDIT, says="changed the own password")
def _change_password(actor: Actor, hashed: str, seen_password_set_at: datetime) -> None:
    user = own_row(actor)
    if user.password_set_at != seen_password_set_at:
        raise Refused("Your password was changed a moment ago. Sign in with the new one.")
    _set_password(user, hashed)


def request_reset(email: str, where: Where) -> None:
    """Send a link for a new password, if the address is somebody's. What is answered never depends on it."""
    try:
        address = rules.normal_email(email)
    except Invalid:
        return
    take_try(
        (
            (Counter.ACCOUNT, rules.counter_key(Counter.ACCOUNT, f"reset {address}")),
            (Counter.ADDRESS, rules.counter_key(Counter.ADDRESS, f"reset {where.address}")),
        )
    )
    note_security("password.reset_asked", address=where.address)
    with acts.once(None):
        _request_reset(Actor(user_id=None, name="somebody not signed in"), address)


@act("password.request_reset", needs=None, says="sent {subject} a link for a new password")
def _request_reset(actor: Actor, email: str) -> None:
    user = db.session.scalars(select(User).where(User.email == email).with_for_update()).one_or_none()
    if user is None or user.disabled_at is not None or user.is_demo:
        return
    purpose = LinkPurpose.RESET if user.password_hash else LinkPurpose.INVITATION
    link = make_link(user.id, purpose)
    template = "password_reset" if user.password_hash else "invitation"
    mail([user.id], template, "user_account", user.id, link_id=link.id, invited_by="")


def set_password_by_link(token: str, new: str) -> None:
    """Choose a password with an invitation or reset link, once. Raises :class:`Invalid` or :class:`Refused`."""
    link = queries.link(token, clock.now())
    if link is None:
        note_security("link.refused")
        raise Refused(LINK_SPENT)
    _refuse_weak(new, link.name, link.email)
    with acts.once(None):
        _set_password_by_link(queries.actor_for(link.user_id), link.id, hash_of(new))
    with bookkeeping() as books:
        # Whoever holds the link has shown who they are: failed tries of others no longer hold them up.
        key = rules.counter_key(Counter.ACCOUNT, link.email)
        books.execute(delete(SignInAttempt).where(SignInAttempt.subject == key))


LINK_SPENT = "This link was used already or is too old. Ask for a new one on the sign-in page."


@act("password.set_by_link", needs=None, says="set the password of {subject} by a link")
def _set_password_by_link(actor: Actor, link_id: UUID, hashed: str) -> None:
    user = own_row(actor)
    link = locked(SignInLink, link_id)
    now = acts.moment()
    spent = link.used_at is not None or link.withdrawn_at is not None or link.expires_at <= now
    if spent or user.disabled_at is not None or link.user_id != user.id:
        raise Refused(LINK_SPENT)
    link.used_at = now
    _set_password(user, hashed)


def _set_password(user: User, hashed: str) -> None:
    """The one place that writes a password: sessions and links end, and the owner is told."""
    first = user.password_hash is None
    user.password_hash = hashed
    user.password_set_at = acts.moment()
    end_sessions(user.id, SessionEnd.PASSWORD_CHANGED)
    withdraw_links(user.id)
    if not first:
        local = clock.in_zone(acts.moment())
        when = f"{clock.long_date(local.date())}, {local:%H:%M} (Brussels time)"
        mail([user.id], "password_changed", "user_account", user.id, when=when)


def _refuse_weak(new: str, *about: str) -> None:
    sentence = rules.password_problem(new, about=about)
    if sentence is not None:
        raise Invalid(sentence, {"password": sentence})


def make_link(user_id: UUID, purpose: LinkPurpose, *, new_email: str | None = None) -> SignInLink:
    """A new link; earlier ones of the person stop working."""
    withdraw_links(user_id)
    link_id = uuid4()
    token = rules.link_token(current_app.config["SECRET_KEY"], link_id)
    link = SignInLink(
        id=link_id,
        user_id=user_id,
        purpose=purpose.value,
        token_hash=rules.token_hash(token),
        expires_at=acts.moment() + LINK_LASTS[purpose],
        new_email=new_email,
    )
    db.session.add(link)
    return link


def withdraw_links(user_id: UUID) -> None:
    db.session.flush()
    for link in db.session.scalars(
        select(SignInLink)
        .where(SignInLink.user_id == user_id, SignInLink.used_at.is_(None), SignInLink.withdrawn_at.is_(None))
        .with_for_update()
    ):
        link.withdrawn_at = acts.moment()
