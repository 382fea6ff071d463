"""A form sent twice (a double click, a reload) is answered twice alike, whatever its page would say to it by now."""

from __future__ import annotations

import hashlib
import json

from flask import Flask, g, redirect, request
from werkzeug.wrappers import Response

from grants.core import acts, answers
from grants.core.permissions import Actor


def recall() -> Response | None:
    """Before a view: where the same form led the same person before; asked after the person's access was checked."""
    sent = _sent()
    location = answers.found(*sent) if sent else None
    return redirect(location, code=303) if location else None


def init_app(app: Flask) -> None:
    """Keep where each form leads, and lead the second of two clicks to where the first one went."""
    app.after_request(_remember)


def _remember(response: Response) -> Response:
    sent = _sent()
    if sent is None:
        return response
    if response.status_code in (302, 303) and response.location:
        answers.keep(*sent, response.location)
    elif response.status_code in (403, 404, 409, 422):  # 403: the deed may have ended the right to do it
        if acts.did(request.form["act_key"]):
            # A part of what was sent is stored, and the page says what is wrong with the rest: no other answer is on its way.
            answers.keep(*sent, answers.NOWHERE)
            return response
        location = answers.awaited(*sent)
        if location is not None:
            return redirect(location, code=303)
    return response


def _sent() -> tuple[str, str, bytes] | None:
    """Whose form it is, its key, and what was in it; None where nothing can be said to be the same."""
    key, actor = request.form.get("act_key") if request.method == "POST" else None, g.get("actor")
    # Files may differ under one name; their act compares what is in them.
    if (
        not key
        or not isinstance(actor, Actor)
        or actor.user_id is None
        or any(f.filename for f in request.files.values())
    ):
        return None
    fields = sorted((name, text) for name, text in request.form.items(multi=True) if name != "csrf_token")
    digest = hashlib.sha256(json.dumps([request.full_path, fields]).encode()).digest()
    return str(actor.user_id), key, digest
