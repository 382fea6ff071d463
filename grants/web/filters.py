"""What every template may use: money, dates in words, who is signed in, the navigation. No arithmetic in templates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Flask, current_app, request
from markupsafe import Markup, escape

from grants.core import clock
from grants.core.money import Money, plain
from grants.web.routing import NavItem, current_actor


def init_app(app: Flask) -> None:
    """Register filters and the context every page gets."""
    app.jinja_env.filters.update(money=money, day=day, moment=moment, days_left=days_left)
    app.context_processor(_context)


def money(amount: Money | None) -> str:
    """``1 234.50`` with no-break spaces and a real minus; what an absent amount means is for the page to say."""
    return "" if amount is None else plain(amount)


def day(value: date | None) -> str:
    """``4 November 2022``."""
    return "" if value is None else clock.long_date(value)


def moment(value: datetime | None, zone: str = clock.BRUSSELS) -> Markup:
    """``4 November 2022, 17:00`` on a wall clock of ``zone``, machine-readable beside it."""
    if value is None:
        return Markup("")
    local = clock.in_zone(value, zone)
    words = f"{clock.long_date(local.date())}, {local:%H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), escape(words))


def days_left(value: datetime | None) -> str:
    """\u201cin 9 days\u201d, \u201ctoday\u201d, \u201c2 days late\u201d: by calendar days in Brussels."""
    if value is None:
        return ""
    days = (clock.in_zone(value).date() - clock.in_zone(clock.now()).date()).days
    match days:
        case 0:
            return "today" if value >= clock.now() else "late since today"
        case 1:
            return "tomorrow"
        case -1:
            return "1 day late"
    return f"in {days} days" if days > 0 else f"{-days} days late"


def _context() -> dict[str, Any]:
    return {
        "actor": current_actor(),
        "navigation": navigation,
        "demo": bool(current_app.config["GRANTS_DEMO"]),
        "path": request.path if request else "",
        "now": clock.now(),
    }


def navigation() -> list[NavItem]:
    """The entries this person may open."""
    actor = current_actor()
    entries: tuple[NavItem, ...] = current_app.extensions["navigation"]
    return [item for item in entries if not item.any_of or any(actor.can(name) for name in item.any_of)]
