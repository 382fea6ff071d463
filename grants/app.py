"""create_app: extensions, stages, error pages. Nothing else; the only module that sees every stage's views."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from flask import Flask, abort, current_app, g, request, session
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from grants.core import acts, answers, audit, clock, connections, files, jobs, references
from grants.core.db import db, remember_old_values
from grants.web import compiled, errors, filling, filters, headers, replay, routing, timing

# The rows of the house in the order of a grant's life (import order, last is latest).
STAGES = (
    "ledger", "identity", "rates", "conversations", "dossiers", "cities", "programmes", "budgets", "calls",
    "applications", "evaluation", "awards", "agreements", "monitoring", "reporting", "payments", "learning", "documents",
    "oversight",
)  # fmt: skip

# The core's own tables, so that whoever sees the stages' models sees these too.
CORE_TABLES = (answers, audit, files, jobs, references)

# A form's key has 24 characters, and a little more where a page has several forms.
KEY_CHARACTERS_MAX = 100

# The only addresses that take files, in a body as large as so many of the largest may be (UPLOAD_BYTES_MAX). A script
# sends several one by one; without it a browser sends all of them at once.
UPLOADS = {
    "agreements.accession": 1,
    "agreements.condition": 1,
    "agreements.enter_account": 1,
    "agreements.lay_down_hold": 1,
    "agreements.propose_termination": 1,
    "agreements.upload_accession": 1,
    "agreements.upload_signed": 1,
    "applications.answer_clarification": 4,
    "applications.attach": 4,
    "applications.read_filled": 1,
    "applications.read_sheet": 1,
    "applications.replace": 1,
    "applications.try_file": 1,
    "awards.write_complaint": 10,
    "calls.add_slides": 1,
    "calls.import_file": 1,
    "calls.take_file": 1,
    "cities.look_at_actions": 1,
    "evaluation.look_at_pool": 1,
    "evaluation.look_at_seats": 1,
    "evaluation.read_filled_sheet": 1,
    "payments.answer": 1,
    "payments.appoint_stand_in": 1,
    "payments.bring_certificate": 1,
    "payments.import_statement": 2,
    "payments.look_at_executions": 1,
    "payments.record_guarantee": 1,
    "payments.report_passed_on": 1,
    "payments.waive": 1,
    "payments.waive_interest": 1,
    "rates.bring_in": 1,
    "reporting.add_evidence": 1,
    "reporting.import_lines": 1,
    "reporting.package": 1,
}

# What any other page may be sent at once: by somebody signed in, and by somebody nobody knows yet.
BYTES_MAX, FIELDS_MAX = 1_000_000, 5_000
STRANGERS_BYTES_MAX, STRANGERS_FIELDS_MAX = 64_000, 100

# Where Flask-Login keeps, in the signed cookie, that a browser was signed in.
SESSION_KEY = "_user_id"

ROOT = Path(__file__).resolve().parent.parent


class Settings(Protocol):
    """What create_app needs of a configuration: upper-case attributes, and the cookie key."""

    @property
    def DATABASE_URL(self) -> str: ...

    def secret_key(self) -> str: ...


@contextmanager
def _without_collection() -> Iterator[None]:
    """Half a million objects are made here and all of them stay: a collection of garbage meanwhile walks them in vain."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def keep_out_of_collection() -> None:
    """What is made by now stays to the end of the process: no collection of garbage looks at it again.

    Called once the program is made, before any process is forked: a collection writes into every object it looks at, and
    what nobody writes into the processes share.
    """
    gc.freeze()


@_without_collection()
def create_app(settings: Settings) -> Flask:
    """The program for one configuration; opens no connection."""
    app = Flask(
        "grants", root_path=str(ROOT / "grants"), template_folder=str(ROOT / "templates"), static_folder="web/static"
    )
    app.config.from_object(settings)
    app.config.update(
        SECRET_KEY=settings.secret_key(),
        MAX_CONTENT_LENGTH=app.config["UPLOAD_BYTES_MAX"] + BYTES_MAX,
        MAX_FORM_MEMORY_SIZE=4_000_000,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
        SQLALCHEMY_DATABASE_URI=settings.DATABASE_URL,
        SQLALCHEMY_ENGINE_OPTIONS={
            "connect_args": {
                "options": f"-c default_transaction_read_only=on -c timezone=UTC {connections.PLANNED_ONCE}"
            },
            # The connection used last is lent first: it was heard of a moment ago.
            "pool_use_lifo": True,
            "pool_events": connections.EVENTS,
        },
    )
    if app.config["BASE_URL"].startswith("https://"):
        app.config.update(SESSION_COOKIE_SECURE=True, SESSION_COOKIE_NAME="__Host-grants")
    else:
        app.config.update(SESSION_COOKIE_NAME="grants")
    app.url_rule_class = routing.Address
    compiled.init_app(app)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    db.init_app(app)
    # Before anything reads the form, the check of its origin included.
    app.before_request(_limit_what_is_sent)
    CSRFProtect(app)
    _one_moment_a_request(app)
    if app.config["TRUSTED_PROXIES"]:
        hops = app.config["TRUSTED_PROXIES"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # how WSGI middleware is put around an app
    filling.init_app(app)
    app.before_request(_offer_key)
    filters.init_app(app)
    errors.init_app(app)
    headers.init_app(app)
    replay.init_app(app)
    if app.config["SERVER_TIMING"]:
        timing.init_app(app)
    for module in stage_modules("models"):
        logging.getLogger(__name__).debug("tables of %s", module.__name__)
    remember_old_values()
    _register_stages(app)
    app.before_request(_refuse_unreadable)
    # After the stages: identity's own hook has set who asks before this one looks.
    app.before_request(_check_access)
    app.before_request(filling.refuse_deeds)
    app.before_request(replay.recall)
    return app


def stage_modules(column: str) -> Iterable[Any]:
    """The module of that column of every stage that has one, in order."""
    for stage in STAGES:
        name = f"grants.{stage}.{column}"
        if importlib.util.find_spec(name):
            yield importlib.import_module(name)


def _register_stages(app: Flask) -> None:
    navigation: list[routing.NavItem] = []
    for views in stage_modules("views"):
        for blueprint in getattr(views, "blueprints", None) or (views.bp,):
            app.register_blueprint(blueprint)
        if hasattr(views, "init_app"):
            views.init_app(app)
        navigation += getattr(views, "NAVIGATION", ())
    app.extensions["navigation"] = tuple(sorted(navigation, key=lambda item: item.order))


def _one_moment_a_request(app: Flask) -> None:
    """Everything a request does happens at the moment it came in, and no key outlives it. A HEAD takes nothing: it does no act."""
    inner = app.wsgi_app

    def outer(environ: Any, start_response: Callable[..., Any]) -> Any:
        head = environ["REQUEST_METHOD"] == "HEAD"
        with clock.at(clock.now()), acts.once(None), acts.none_while(head):
            return inner(environ, start_response)

    app.wsgi_app = outer  # type: ignore[method-assign]  # how WSGI middleware is put around an app


def _limit_what_is_sent() -> None:
    """Answer 413 before a body is taken apart that no page of ours sends; the parser itself counts no fields of a form."""
    known = SESSION_KEY in session
    files_at_once = UPLOADS.get(request.endpoint or "", 0)
    if known and files_at_once and request.mimetype == "multipart/form-data":
        request.max_content_length = files_at_once * current_app.config["UPLOAD_BYTES_MAX"] + BYTES_MAX
    else:
        request.max_content_length = BYTES_MAX if known else STRANGERS_BYTES_MAX
    request.max_form_parts = FIELDS_MAX if known else STRANGERS_FIELDS_MAX
    try:
        if request.mimetype == "application/x-www-form-urlencoded":
            fields = request.get_data().count(b"&") + 1
            if fields > request.max_form_parts:
                abort(413)
        _ = request.form
    except RequestEntityTooLarge:
        # What comes after the answer looks at the form again: there is none.
        request.__dict__.update(form=ImmutableMultiDict(), files=ImmutableMultiDict())
        raise


def _offer_key() -> None:
    g.received_at = clock.now()
    if request.method == "POST" and (key := request.form.get("act_key")):
        if len(key) > KEY_CHARACTERS_MAX:
            abort(400)
        acts.offer_key(key)


def _refuse_unreadable() -> None:
    """Answer 400 to the character no text of the database can hold, wherever it stands in the request."""
    fields = (request.args, request.form)
    texts = [request.path, *(text for each in fields for pair in each.items(multi=True) for text in pair)]
    texts += [name for upload in request.files.values() for name in (upload.filename or "",)]
    if any("\0" in text for text in texts):
        abort(400)


def _check_access() -> Any:
    if request.endpoint is None or request.endpoint == "static":
        return None
    return routing.check_access(current_app.view_functions[request.endpoint])
