"""While a demo is being filled: a band on every page, and no deed of a person in the middle of its stories."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, request
from flask.typing import ResponseReturnValue

from grants.core import filling, home
from grants.core.filling import Filling, Phase
from grants.web.routing import page, said_in_json, wants_json

# Coming and going changes nothing of the demo.
ALLOWED = frozenset(
    {"identity.enter", "identity.demo_sign_in", "identity.sign_out", "identity.proved", "oversight.theme"}
)
# What answers without a table; machines that look after this one need it.
WITHOUT_TABLES = frozenset({"static", "oversight.alive", "oversight.ready", "oversight.which_version"})
# Belongs to the form and not to what was typed, or is nobody's business.
NOT_TYPED = frozenset({"csrf_token", "act_key", "version", "next"})
# What forms call a password; it is typed again.
KEPT_SECRET = frozenset({"password", "current"})
RETRY_SECONDS = 30


def init_app(app: Flask) -> None:
    """Look first, before anything of a request reads the database."""
    app.before_request(_look)
    app.context_processor(lambda: {"filling": g.get("filling")})


def _look() -> ResponseReturnValue | None:
    """Set ``g.filling``; while there are no tables, nothing else is answered than that."""
    g.filling = None if request.endpoint == "static" else filling.read(home.folder())
    if g.filling is None or g.filling.phase is not Phase.PREPARING or request.endpoint in WITHOUT_TABLES:
        return None
    # Nobody is signed in where there are no people, and the demo's switch would ask for them.
    g.pop("actor", None)
    return _not_now(g.filling, demo=False)


def refuse_deeds() -> ResponseReturnValue | None:
    """Before a view: a deed of a person waits until the demo is whole; nothing of it is noted anywhere."""
    found: Filling | None = g.get("filling")
    if found is None or request.method in ("GET", "HEAD", "OPTIONS") or request.endpoint in ALLOWED:
        return None
    return _not_now(found)


def _not_now(found: Filling, **context: Any) -> ResponseReturnValue:
    if wants_json():
        return said_in_json(503, "The demo is being filled and takes nothing yet. Your text is kept and sent later.")
    typed = [(name, text) for name, text in request.form.items(multi=True) if name not in NOT_TYPED and text.strip()]
    shown = page(
        "waiting.html",
        found=found,
        sent=request.method == "POST",
        again=request.full_path.rstrip("?"),
        carried=[(name, text) for name, text in request.form.items(multi=True) if _may_be_shown(name)],
        typed=[(_in_words(name), text) for name, text in typed if _may_be_shown(name)],
        files=[file.filename for file in request.files.values() if file.filename],
        **context,
    )
    seconds = RETRY_SECONDS if found.seconds_left is None else max(found.seconds_left, 1)
    return shown, 503, {"Retry-After": str(seconds)}


def _may_be_shown(name: str) -> bool:
    return name != "csrf_token" and name not in KEPT_SECRET


def _in_words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").strip().capitalize()
