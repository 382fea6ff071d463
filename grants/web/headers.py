"""Headers of every answer: what a browser may load, keep and tell others. Nothing inline, nothing foreign."""

from __future__ import annotations

from flask import Flask, Response, current_app, request

from grants.core.permissions import Permission
from grants.web.routing import asked_of, current_actor

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# What a page that answers a form has: looked at, contested, refused.
FORM_ANSWERS = (200, 409, 422)

# Pages of accounts, and those that show applications to whom a conflict, a role that ends or a moment may shut them.
SHUT_AT_ANY_TIME = ("identity", "awards", "evaluation")
# The forms among them that show nobody's application but the writer's own.
SHOWS_NO_OTHERS = {
    "awards.write_complaint",
    "evaluation.invitation",
    "evaluation.invite",
    "evaluation.own_profile",
    "evaluation.step_down",
    "evaluation.terms",
}

YEAR_SECONDS = 365 * 24 * 60 * 60
# Refused, these show the chosen file’s faults or the typed words alone. A look at a file has an address of its own
# (core/looks); one at words shows the letters of others.
REFUSED_SHOWS_NO_OTHERS = {"awards.write_letter_text", "evaluation.look_at_pool", "evaluation.look_at_seats"}


def init_app(app: Flask) -> None:
    """Put the headers on every answer, error pages and files included."""
    app.after_request(_protect)


def _protect(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if current_app.config["BASE_URL"].startswith("https://"):
        response.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR_SECONDS}; includeSubDomains")
    response.headers["Cache-Control"] = _keep(response)
    return response


def _keep(response: Response) -> str:
    """How long anyone may keep this answer: a versioned static file for ever, anything of a person never."""
    if request.endpoint == "static" and response.status_code in (200, 206, 304):
        return f"public, max-age={YEAR_SECONDS}, immutable" if request.args.get("v") else "public, max-age=300"
    if current_actor().user_id is not None and _comes_back(response):
        # So “back” leads to it with what was typed, instead of to the browser's question whether to send it again.
        return "private, no-cache"
    if current_actor().user_id is not None or request.method not in ("GET", "HEAD") or response.status_code >= 400:
        return "no-store"
    # Public pages carry a CSRF token of this browser's session: the browser may keep them, nobody between.
    return "private, no-cache"


def _comes_back(response: Response) -> bool:
    """Whether this page is the answer to a form, refused, contested or a look, and shows nothing that may be shut by then."""
    return (
        request.method == "POST"
        and response.mimetype == "text/html"
        and response.status_code in FORM_ANSWERS
        and (request.blueprint not in SHUT_AT_ANY_TIME or _shows_no_others(response))
        and Permission.APPLICATION_CHECK not in asked_of(request.endpoint).any_of
    )


def _shows_no_others(response: Response) -> bool:
    is_refused = response.status_code in (409, 422)
    return request.endpoint in SHOWS_NO_OTHERS or (is_refused and request.endpoint in REFUSED_SHOWS_NO_OTHERS)
