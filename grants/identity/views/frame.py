"""What the pages of identity share: the blueprint, who asks, and going on after a deed."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import unquote, urlsplit
from uuid import UUID

from flask import Blueprint, Flask, Response, current_app, flash, g, request
from flask import session as cookie
from flask_login import LoginManager, UserMixin, current_user, login_user
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from grants.core import clock
from grants.core.errors import NotFound
from grants.core.permissions import Actor
from grants.identity import policy, queries, rules, services
from grants.identity.rules import SessionView, Where
from grants.web.routing import ANONYMOUS, empty_cache, see_other

bp = Blueprint("identity", __name__)

# Where Flask-Login keeps what identifies the session in the browser's signed cookie: our random token.
SESSION_KEY = "_user_id"

LINK_KEY = "link_token"
# Where somebody wanted to go who chooses a password first.
NEXT_KEY = "after_link"


class SignedIn(UserMixin):
    """What Flask-Login holds: a live session, not a row of the table of people."""

    def __init__(self, token: str, session: SessionView, actor: Actor | None = None) -> None:
        self.token = token
        self.session = session
        self.actor = actor

    def get_id(self) -> str:
        return self.token


def init_app(app: Flask) -> None:
    """Attach sign-in to the program: who asks is known before anything else is looked at."""
    manager = LoginManager(app)
    # Our sessions live in the database; the browser's description is shown there, not trusted.
    manager.session_protection = None
    manager.user_loader(_load)
    app.before_request(_who_asks)
    app.extensions["demo_people"] = queries.demo_choices
    app.extensions["who_may"] = policy.who_may


def _load(token: str) -> SignedIn | None:
    found = queries.who_asks(token, clock.now())
    return SignedIn(token, *found) if found else None


def _who_asks() -> None:
    """Set ``g.actor``: one statement for somebody signed in, none for anybody else."""
    g.actor = ANONYMOUS
    # Flask-Login remembers in g, which outlives a request where an application context was opened around it.
    g.pop("_login_user", None)
    if request.endpoint == "static" or SESSION_KEY not in cookie or not current_user.is_authenticated:
        return
    who = cast(SignedIn, current_user)
    assert who.actor is not None, "whoever is loaded from a cookie has been read with what they may"
    g.actor = who.actor
    services.note_seen(who.session, clock.now())


def where() -> Where:
    return Where(request.remote_addr or "unknown", request.user_agent.string)


def enter_as(token: str) -> None:
    """A new session in this browser; nothing of an earlier one is carried over."""
    services.replace_session(cookie.get(SESSION_KEY))
    cookie.clear()
    session = queries.live_session(token, clock.now())
    assert session is not None, "a session just started is alive"
    login_user(SignedIn(token, session))
    empty_cache()


def readable(target: str | None) -> str | None:
    """The page of ours at ``target``, or the nearest one above it where only a form's button leads there; else None."""
    path = rules.safe_path(target)
    while path and not _answers_get(path):
        above = urlsplit(path).path.rstrip("/").rpartition("/")[0]
        path = rules.safe_path(above)
    return path


def _answers_get(path: str) -> bool:
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None, "inside a request there is one"
    try:
        adapter.match(unquote(urlsplit(path).path), method="GET")
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return True


def home() -> str:
    return "oversight.home" if "oversight.home" in current_app.view_functions else "identity.profile"


def go_on(target: str | None) -> Response:
    """To where the person wanted to go, if that is a page of ours; else home."""
    path = readable(target)
    return cast(Response, current_app.redirect(path, 303)) if path else see_other(home())


def id_in(text: str | None) -> UUID:
    """The id in a hidden field; anything else is not there."""
    try:
        return UUID(text or "")
    except ValueError:
        raise NotFound from None


def refused_button(form: Any, endpoint: str, **values: Any) -> Response:
    """A button's refusal, said on the page it stands on."""
    for sentence, _ in form.what_is_wrong():
        flash(sentence, "error")
    return see_other(endpoint, **values)
