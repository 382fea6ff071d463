"""Headers of every answer: what a browser may load, keep and tell others. Nothing inline, nothing foreign."""

from __future__ import annotations

from flask import Flask, Response, current_app, request

from grants.web.routing import current_actor

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
SIGN_OUT = "identity.sign_out"

YEAR_SECONDS = 365 * 24 * 60 * 60


def init_app(app: Flask) -> None:
    """Put the headers on every answer, error pages and files included."""
    app.after_request(_protect)


def _protect(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if current_app.config["BASE_URL"].startswith("https://"):
        response.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR_SECONDS}; includeSubDomains")
    response.headers["Cache-Control"] = _keep(response)
    if request.endpoint == SIGN_OUT and request.method == "POST":
        # What a form came back with may lie in the browser; who sits down next finds none of it.
        response.headers["Clear-Site-Data"] = '"cache"'
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
    """Whether this page is the answer to a form: refused, contested, or a look at what it would do; of accounts, none."""
    return (
        request.method == "POST"
        and response.mimetype == "text/html"
        and response.status_code in FORM_ANSWERS
        and request.blueprint != "identity"
    )
