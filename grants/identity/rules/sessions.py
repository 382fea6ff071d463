"""Sessions and links: how long each holds, when a sign-in is fresh, and what a browser is called."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from grants.core import faults
from grants.core.errors import NeedsFreshSignIn, Refused
from grants.core.permissions import Actor
from grants.identity.states import LinkPurpose

SESSION_IDLE_MAX = timedelta(hours=2)

SESSION_AGE_MAX = timedelta(hours=12)

# Last-seen is written at most this often, so that reading pages does not write on each click.
SEEN_AFTER = timedelta(minutes=1)

FRESH_FOR = timedelta(minutes=10)

LINK_LASTS = {
    LinkPurpose.INVITATION: timedelta(days=14),
    LinkPurpose.RESET: timedelta(hours=1),
    LinkPurpose.ADDRESS: timedelta(hours=24),
}


@dataclass(frozen=True, slots=True)
class SessionView:
    """One browser signed in, as its owner sees it."""

    id: UUID
    user_id: UUID
    started_at: datetime
    seen_at: datetime
    proved_at: datetime
    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a typed password is checked against."""

    user_id: UUID
    email: str
    password_hash: str
    password_set_at: datetime


@dataclass(frozen=True, slots=True)
class LinkView:
    """A sign-in link whose token was shown and is good now."""

    id: UUID
    user_id: UUID
    name: str
    email: str
    purpose: LinkPurpose


_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))

_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def browser_words(user_agent: str) -> str:
    """What a person recognises of a browser's self-description.

    >>> browser_words("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox on Linux'
    """
    browser = next((name for mark, name in _BROWSERS if mark + "/" in user_agent), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


def safe_path(target: str | None) -> str | None:
    """``target`` if it is a path on this site, else None: nobody is sent elsewhere after signing in.

    >>> safe_path("/grants?state=open"), safe_path("//evil.example"), safe_path("https://evil.example/")
    ('/grants?state=open', None, None)
    """
    if not target or len(target) > 2_000 or not target.startswith("/"):
        return None
    # Browsers read a backslash as a slash and drop tabs and line breaks inside addresses.
    if any(letter == "\\" or ord(letter) <= 32 or ord(letter) == 127 for letter in target) or target.startswith("//"):
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else target


def is_fresh(proved_at: datetime, at: datetime) -> bool:
    """Whether the person proved who they are a short time ago."""
    return proved_at <= at < proved_at + FRESH_FOR


def demand_fresh(actor: Actor) -> None:
    """For dangerous acts (authorise, sign, change an account): raises :class:`NeedsFreshSignIn`.

    The place where a second factor will be demanded too. The program itself (a command at the
    server, a nightly check) has no password. Nobody does such a thing on somebody else's behalf: they do it themselves.
    """
    faults.point("four_eyes")
    if actor.on_behalf_of is not None:
        raise Refused("Nobody does this on somebody else’s behalf. They do it themselves, signed in as themselves.")
    if actor.user_id is not None and not actor.fresh:
        raise NeedsFreshSignIn("Confirm your password to go on.")


def token_hash(token: str) -> bytes:
    """What is stored of a session's or link's token. A random token of 256 bits needs no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def signed_token(secret_key: str, about: str, *parts: str) -> str:
    """A token of a later stage's own link: what it names, and a seal over it that nobody without the key can make."""
    words = ".".join(parts)
    seal = hmac.new(secret_key.encode(), f"{about} {words}".encode(), hashlib.sha256).hexdigest()
    return f"{words}.{seal}"


def read_signed(secret_key: str, about: str, token: str) -> tuple[str, ...]:
    """What a token of :func:`signed_token` names; nothing where a letter of it was changed.

    >>> read_signed("key", "a link", signed_token("key", "a link", "7", "1")), read_signed("key", "a link", "7.1.abc")
    (('7', '1'), ())
    """
    parts = tuple(token.split(".")[:-1])
    sound = hmac.compare_digest(signed_token(secret_key, about, *parts).encode(), token.encode())
    return parts if sound else ()


def link_token(secret_key: str, link_id: UUID) -> str:
    """The token of a link, derived and never stored: neither the database nor a mail waiting in it can open an account."""
    return hmac.new(secret_key.encode(), b"sign-in link " + link_id.bytes, hashlib.sha256).hexdigest()
