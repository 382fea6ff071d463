"""What a page offers to do: every form of it must lead where the person who sees it may send it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, template_rendered
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.test import TestResponse

from grants.core.permissions import Actor
from grants.web.routing import Access

_FORM = re.compile(r"<form\b[^>]*>")
_ACTION = re.compile(r'\saction="([^"]*)"')


def opened(client: FlaskClient, path: str) -> tuple[TestResponse, list[str]]:
    """The answer to a person's browser, and where its page has forms that nobody answers or that are shut to this person.

    Who that is, is heard from the page as it is drawn: to ask again would count among what the page asks the database.
    """
    readers: list[Any] = []

    def note(app: Flask, context: dict[str, Any], **rest: Any) -> None:
        readers.append(context.get("actor"))

    with template_rendered.connected_to(note, client.application):
        answer = client.get(path, buffered=True)
    actor = readers[-1] if readers else None
    if answer.status_code != 200 or answer.mimetype != "text/html" or actor is None or actor.user_id is None:
        return answer, []
    return answer, _shut_forms(client.application, actor, answer.get_data(as_text=True), path)


def _shut_forms(app: Flask, actor: Actor, text: str, path: str) -> list[str]:
    forms = [form for form in _FORM.findall(text) if 'method="post"' in form]
    actions = [unescape(found[1]) if (found := _ACTION.search(form)) else path for form in forms]
    return [action for action in actions if _is_shut(app, actor, action)]


def _is_shut(app: Flask, actor: Actor, action: str) -> bool:
    try:
        endpoint, _ = app.url_map.bind("").match(urlsplit(action).path, method="POST")
    except (HTTPException, RequestRedirect):
        return True
    access: Access = app.view_functions[endpoint].access  # type: ignore[attr-defined]  # every view says who may open it
    return bool(access.any_of) and not any(actor.can(permission) for permission in access.any_of)
