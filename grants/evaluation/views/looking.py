"""A look by an address of its own: what was sent to look at is kept for who sent it, and the page worked out anew from it."""

from __future__ import annotations

from typing import Any

from flask import request

from grants.core import looks
from grants.web.forms import Form
from grants.web.routing import current_actor

GONE = "What you looked at is kept for an hour or until you look again, and is gone. Nothing was stored or sent. Choose again."


def look_at(purpose: str, **said: Any) -> str | None:
    """Keep what was sent to look at, and return its name in the address; None where it is answered directly."""
    return looks.keep(current_actor().user_id, purpose, said)


def looked_at(purpose: str, form: Form) -> Any:
    """What this person sent to look at, by the name in the address; None without one, and where it is gone the form says so."""
    if not (name := request.args.get("look")):
        return None
    said = looks.kept(current_actor().user_id, purpose, name)
    if said is None:
        form.problems.append(GONE)
    return said
