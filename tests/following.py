"""Follow every link that a person is offered, as a person would: what is met, and what of it is wrong."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable
from urllib.parse import urldefrag, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from grants.core import clock
from tests.deeds import opened
from tests.html import check_page
from tests.statements import statements

# So many pages are looked at for each person; more of the same kind teach nothing new.
PAGES_MAX = 500
# And so many of them are served by one endpoint: a hundred cities would leave no room for what is behind other links.
OF_ONE_ENDPOINT_MAX = 3
LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]+)"')
# So often a page may ask the database at most, the words of a transaction not counted.
STATEMENTS_MAX = 8
# One of each kind is enough: addresses that differ in a reference or a number only.
REFERENCE = re.compile(r"[A-Z]{1,4}-\d{4}-[A-Z]-\d{4}|E-\d{4}-\d+|/\d+(?=/|$)")
# But what a grant leads to depends on how far it is: each of them is opened.
EACH_OPENED = {"agreements.show"}


def endpoint_of(app: Flask, path: str) -> str | None:
    """What serves the page at that address; None where nobody does."""
    try:
        return app.url_map.bind("").match(urlsplit(path).path)[0]
    except (NotFound, MethodNotAllowed, RequestRedirect):
        return None


def walked_from(
    client: FlaskClient, start: str, *, leave_out: Callable[[str], bool] | None = None
) -> tuple[list[str], list[str]]:
    """Follow every link from a page on: one address of each kind, of one endpoint at most ``OF_ONE_ENDPOINT_MAX`` kinds.

    What is not a good answer is named, and so are a page that asks the database too often, a form that leads where this
    person may not send it, and a link that was never followed for want of room.
    """
    # That somebody is still here is noted once a minute: on a slow machine that would be asked of the database meanwhile.
    began = clock.now()
    waiting, met, kinds, walked, wrong = deque([start]), {start}, set(), [], []
    served: Counter[str | None] = Counter()
    while waiting:
        path = waiting.popleft()
        endpoint = endpoint_of(client.application, path)
        each = endpoint in EACH_OPENED
        kind = urlsplit(path).path if each else REFERENCE.sub("#", urlsplit(path).path)
        if kind in kinds or (leave_out and leave_out(path)):
            continue
        if endpoint is not None and not each and served[endpoint] == OF_ONE_ENDPOINT_MAX:
            continue
        if len(walked) == PAGES_MAX:
            wrong.append(f"{path}: more than {PAGES_MAX} pages to walk")
            break
        kinds.add(kind)
        served[endpoint] += 1
        walked.append(path)
        with clock.at(began), statements() as asked:
            response, shut = opened(client, path)
        if response.status_code in (302, 303):
            continue
        if response.status_code != 200:
            wrong.append(f"{path}: {response.status_code}")
            continue
        if response.mimetype != "text/html":
            continue
        check_page(response)
        wrong += [f"{path}: a form to {action}" for action in shut]
        if len(asked) > STATEMENTS_MAX:
            wrong.append(f"{path}: {len(asked)} statements")
        for link in LINK.findall(response.get_data(as_text=True)):
            link = urldefrag(link.replace("&amp;", "&")).url
            if link.startswith("/") and not link.startswith(("/static", "//")) and link not in met:
                met.add(link)
                waiting.append(link)
    return walked, wrong
