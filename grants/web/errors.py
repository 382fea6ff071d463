"""The one map from errors to answers: status, page and words; nothing internal is ever shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import uuid4

from flask import Flask, Response, current_app, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from grants.core import acts
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NeedsFreshSignIn, NotAllowed, NotFound, OnlyLooked, Refused
from grants.web.routing import current_actor, page, said_in_json, see_other, wants_json

log = logging.getLogger(__name__)

# status -> title and what to do, where the error itself brings no sentence
_WORDS = {
    400: ("This request was not understood", "Go back and try again."),
    403: ("You may not do this", "Ask your administrator who may."),
    404: (
        "This page is not here",
        "It may have moved, or it is not there for you. Check the address or start from your home page.",
    ),
    405: ("This address takes another kind of request", "Go back and use the button on the page."),
    409: ("Somebody changed this", "Reload the page to see what stands now."),
    413: (
        "Too much was sent at once",
        "Choose a smaller file; its limit stands beside the upload field. Without a file a page takes at most 1 MB in "
        "5,000 fields, and 64 kB in 100 fields before you sign in: go back, where your text still stands, and shorten it.",
    ),
    422: ("This cannot be done now", "Reload the page to see what is possible."),
    429: ("Too many tries", "Wait a few minutes, then try again."),
    500: (
        "Something went wrong on our side",
        "Nothing was changed. Try again; if it happens again, tell us the number below.",
    ),
}

# What becomes a security event: not allowed, or not there for this person.
_WATCHED = (403, 404)
PATH_CHARACTERS_MAX = 300

# For the day on which not even the page of errors can be made.
_LAST_RESORT = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    "<body><main><h1>{title}</h1><p>{sentence}</p><p>Number: {number}</p></main></body></html>"
)


def init_app(app: Flask) -> None:
    """Register the map."""
    for kind, status in {NotAllowed: 403, NotFound: 404, Conflict: 409, Invalid: 422, Refused: 422}.items():
        app.register_error_handler(kind, _with_sentence(status))
    app.register_error_handler(OnlyLooked, _not_by_head)
    app.register_error_handler(NeedsFreshSignIn, _confirm_first)
    app.register_error_handler(CSRFError, _form_too_old)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _with_sentence(status: int) -> Callable[[Exception], tuple[str, int] | Response]:
    def answer(error: Exception) -> tuple[str, int] | Response:
        if status in _WATCHED:
            _note(error)
        # A 404 says the same for everything, so that nobody learns what exists.
        return _answer(status, "" if status == 404 else _sentence(error))

    return answer


def _answer(status: int, sentence: str, number: str = "") -> tuple[str, int] | Response:
    """The page for one status, or its words alone where a script asked."""
    if wants_json():
        title, otherwise = _WORDS.get(status, _WORDS[400])
        return said_in_json(status, sentence or f"{title}. {otherwise}")
    return error_page(status, sentence, number), status


def _sentence(error: Exception) -> str:
    """What the error says; a missing permission is told by the roles that have it."""
    who_may = current_app.extensions.get("who_may")
    if isinstance(error, NotAllowed) and error.needs and who_may is not None:
        return str(who_may(error.needs))
    return str(error)


def _note(error: Exception) -> None:
    """Keep that somebody signed in asked for what is not theirs; a mistyped address nobody serves is not noted."""
    actor = current_actor()
    if actor.user_id is not None:
        db.session.rollback()
        path = request.path[:PATH_CHARACTERS_MAX]
        acts.note_security("request.refused", actor=actor, method=request.method, path=path, why=type(error).__name__)


def _not_by_head(error: OnlyLooked) -> Response:
    answer = current_app.make_response(_answer(405, str(error)))
    answer.headers["Allow"] = "GET"
    return answer


def _confirm_first(error: NeedsFreshSignIn) -> Response:
    return see_other("identity.confirm_password", next=request.full_path if request.method == "GET" else None)


def _form_too_old(error: CSRFError) -> tuple[str, int] | Response:
    sentence = "The form is too old or came from another site. Go back, reload the page and send it again."
    if wants_json():
        return said_in_json(400, sentence, too_old=True)
    return error_page(400, sentence), 400


def _http(error: HTTPException) -> tuple[str, int] | Response | HTTPException:
    status = error.code or 500
    return error if status < 400 else _answer(status, "")


def _unexpected(error: Exception) -> tuple[str, int] | Response:
    number = uuid4().hex[:12]
    log.exception("unexpected error %s on %s %s", number, request.method, request.path)
    try:
        # Whatever failed may have left the transaction useless, and the page's furniture may read.
        db.session.rollback()
        return _answer(500, "", number)
    except Exception:
        log.exception("the page for error %s failed too", number)
        return _LAST_RESORT.format(title=_WORDS[500][0], sentence=_WORDS[500][1], number=number), 500


def error_page(status: int, sentence: str, number: str = "") -> str:
    """The page for one status; ``sentence`` replaces the general advice."""
    title, otherwise = _WORDS.get(status, _WORDS[400])
    return page("error.html", title=title, sentence=sentence or otherwise, number=number)
