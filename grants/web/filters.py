"""What every template may use: money, dates in words, who is signed in, addresses, the menu. No arithmetic in templates."""

from __future__ import annotations

import functools
import hashlib
import os
import tomllib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from importlib import metadata
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, get_template_attribute, has_request_context, request, url_for
from markupsafe import Markup, escape
from werkzeug.routing import BuildError

from grants.core import clock
from grants.core.money import Money, plain
from grants.core.permissions import Actor
from grants.core.text import ended, grouped
from grants.web.routing import NavItem, current_actor

PRODUCT = "Pilot Grants"
THEMES = ("light", "dark")


def init_app(app: Flask) -> None:
    """Register filters, the functions macros may call, and the context every page gets."""
    app.jinja_env.filters.update(
        money=money,
        day=day,
        moment=moment,
        clock_time=clock_time,
        lately=lately,
        days_left=days_left,
        ended=ended,
        grouped=grouped,
        zone_then=zone_then,
        initials=initials,
        role_words=role_words,
        text_rows=text_rows,
    )
    # Globals, not context: an imported macro sees only these.
    app.jinja_env.globals.update(
        address=address,
        asset=asset,
        demo_menu=demo_menu,
        further=further,
        here=here,
        is_here=is_here,
        list_address=list_address,
        previous=previous,
        product=PRODUCT,
        share_percent=share_percent,
        strip_bars=strip_bars,
        url_for=link,
    )
    app.extensions["links"] = functools.lru_cache(maxsize=LINKS_KEPT)(_written_link)
    app.context_processor(_context)


# So many characters stand on a line of a text box beside other things.
_LINE_CHARACTERS, _ROWS_MAX = 70, 24


def text_rows(text: str | None, least: int) -> int:
    """How many rows a text box needs for what stands in it, at least ``least``, at most what one screen has.

    >>> text_rows("", 4), text_rows("word " * 186, 4), text_rows("a\\n" * 500, 4)
    (4, 14, 24)
    """
    lines = sum(1 + len(line) // _LINE_CHARACTERS for line in (text or "").splitlines())
    return max(least, min(lines, _ROWS_MAX))


def money(amount: Money | None) -> str:
    """``1 234.50`` with no-break spaces and a real minus; what an absent amount means is for the page to say."""
    return "" if amount is None else plain(amount)


def day(value: date | None) -> str:
    """``4 November 2022``; an instant counts as its day in Brussels."""
    if value is None:
        return ""
    return clock.long_date(clock.in_zone(value).date() if isinstance(value, datetime) else value)


def moment(value: datetime | None, zone: str = clock.BRUSSELS) -> Markup:
    """``4 November 2022, 17:00`` on a wall clock of ``zone``, machine-readable beside it."""
    if value is None:
        return Markup("")
    local = clock.in_zone(value, zone)
    words = f"{clock.long_date(local.date())}, {local:%H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), escape(words))


def zone_then(value: datetime, zone: str) -> str:
    """``Europe/Brussels``, and in the hour its clocks show twice which of the two: ``Europe/Brussels, UTC+01:00``."""
    return ", ".join(filter(None, (zone, clock.offset_where_unclear(value, zone))))


def clock_time(value: datetime | None, zone: str = clock.BRUSSELS) -> str:
    """``17:00`` on a wall clock of ``zone``."""
    return "" if value is None else f"{clock.in_zone(value, zone):%H:%M}"


def lately(value: datetime | None, zone: str = clock.BRUSSELS) -> Markup:
    """``14:32`` of today, ``4 November 2022`` of any other day, on a wall clock of ``zone``; machine-readable beside it."""
    if value is None:
        return Markup("")
    local, today = clock.in_zone(value, zone), clock.in_zone(clock.now(), zone).date()
    words = f"{local:%H:%M}" if local.date() == today else clock.long_date(local.date())
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), escape(words))


def days_left(value: datetime | None, zone: str = clock.BRUSSELS) -> str:
    """“in 9 days”, “today”, “2 days late”: by calendar days of ``zone``."""
    if value is None:
        return ""
    days = (clock.in_zone(value, zone).date() - clock.in_zone(clock.now(), zone).date()).days
    match days:
        case 0:
            return "today" if clock.in_time(clock.now(), value) else "late since today"
        case 1:
            return "tomorrow"
        case -1:
            return "1 day late"
    return f"in {days} days" if days > 0 else f"{-days} days late"


def initials(name: str) -> str:
    """Ornament for a round mark: ``IC`` for Irina Călinescu."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


def role_words(slugs: Sequence[str]) -> str:
    """Role slugs as words: ``Panel chair, evaluator``."""
    return ", ".join(dict.fromkeys(slug.replace("_", " ") for slug in slugs)).capitalize()


# So many links a process keeps: those of the furniture, and of what is looked at most.
LINKS_KEPT = 1_000
# Of a kind of their own: what equals a word is written as it is, which is not so of 1 and True.
_WORDS = frozenset({str})


def link(endpoint: str, **values: Any) -> str:
    """What ``url_for`` writes, kept where it hangs on nothing but words: a page writes thirty to a hundred, most of them as ever."""
    if endpoint[0] == "." or not has_request_context() or not _WORDS.issuperset(map(type, values.values())):
        return url_for(endpoint, **values)
    kept: str = current_app.extensions["links"](request.root_path, endpoint, tuple(values.items()))
    return kept


def _written_link(root_path: str, endpoint: str, values: Sequence[tuple[str, Any]]) -> str:
    """``root_path``, the path this program is mounted at, is a part of it."""
    del root_path
    return url_for(endpoint, **dict(values))


def address(endpoint: str, **values: Any) -> str:
    """The path of a page, or "" where this program has no such page: shared furniture hides what is not there."""
    try:
        return link(endpoint, **values)
    except BuildError:
        return ""


def here(**changes: Any) -> str:
    """This page's own address with some query parameters changed; None takes one away."""
    if request.endpoint is None:
        # A refused address may hold what no page can.
        return request.path.replace("\0", "")
    arguments: dict[str, Any] = {name: request.args.getlist(name) for name in request.args}
    query = {name: value for name, value in (arguments | changes).items() if value is not None and value != []}
    # Never as arguments of url_for: what somebody wrote in the address would become its own.
    path = url_for(request.endpoint, **(request.view_args or {}))
    return f"{path}?{urlencode(query, doseq=True)}" if query else path


# What of a list's address says which page of it is shown, and not what is in it.
_OF_PAGING = ("after", "back", "size", "for")


def list_address(endpoint: str, kind: str, purpose: str = "", **values: Any) -> str:
    """Where the list of this page is a file of a kind, narrowed as it is here; ``purpose`` names a dialect of CSV."""
    query: dict[str, Any] = {name: request.args.getlist(name) for name in request.args if name not in _OF_PAGING}
    if purpose:
        query["for"] = [purpose]
    path = url_for(endpoint, kind=kind, **values)
    # Never as arguments of url_for: what somebody wrote in the address would become its own.
    return f"{path}?{urlencode(query, doseq=True)}" if query else path


# So much of an address leads back page by page, as it is sent; beyond that only to the first. Web servers refuse long ones.
BACK_BYTES_MAX = 1_500


def further(key: str) -> str:
    """The next page of this list, after this key; its address knows where the pages before it began."""
    after, before = request.args.get("after"), request.args.getlist("back")
    passed = [*before, after] if after else []
    # An empty key stands for pages that are not known any more.
    return here(after=key, back=passed if _bytes_of(passed) <= BACK_BYTES_MAX else ["", *_last_of(passed)])


def _bytes_of(keys: Iterable[str]) -> int:
    return sum(len("&") + len(urlencode({"back": key})) for key in keys)


def _last_of(keys: Sequence[str]) -> list[str]:
    """The last of the keys that an address has room for, beside the sign that others came before."""
    room = BACK_BYTES_MAX - _bytes_of([""])
    sizes = accumulate(_bytes_of([key]) for key in reversed(keys))
    kept = sum(1 for size in sizes if size <= room)
    return list(keys[len(keys) - kept :])


def previous() -> str:
    """The page of this list before this one; "" on the first and where it is not known."""
    before = request.args.getlist("back")
    if not request.args.get("after") or (before and not before[-1]):
        return ""
    return here(after=before[-1] if before else None, back=before[:-1])


def is_here(href: str) -> bool:
    """Whether that address is this page, whatever its query."""
    return href.partition("?")[0] == request.path


def share_percent(part: int, whole: int) -> str:
    """How long a bar is, in per cent of its track, to a tenth: ``63.6`` for 7 of 11."""
    tenths = min(max(part, 0) * 1000 // whole, 1000) if whole > 0 else 0
    return f"{tenths // 10}.{tenths % 10}"


def strip_bars(items: Sequence[tuple[str, str, Money | None, str, str | None]]) -> list[dict[str, str]]:
    """The bars of a money strip: kind, left edge and width in per cent; amounts of nothing have no bar."""
    parts = [(kind, amount.cents) for kind, _, amount, _, _ in items if amount is not None and amount.cents > 0]
    whole = sum(cents for _, cents in parts)
    bars, before = [], 0
    for kind, cents in parts:
        bars.append({"kind": kind, "x": share_percent(before, whole), "width": share_percent(cents, whole)})
        before += cents
    return bars


def asset(name: str) -> str:
    """The address of a static file with the digest of its content, so that browsers may keep it for ever."""
    return link("static", filename=name, v=_digest(f"{current_app.static_folder}/{name}"))


@functools.cache
def version() -> str:
    """The version of this program, as installed."""
    try:
        return metadata.version("pilot-grants")
    except metadata.PackageNotFoundError:
        # A checkout that was not installed: the same number, from where it is written down.
        text = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8")
        return str(tomllib.loads(text)["project"]["version"])


def navigation() -> list[NavItem]:
    """The entries this person may open."""
    actor = current_actor()
    entries: tuple[NavItem, ...] = current_app.extensions["navigation"]
    return [item for item in entries if _is_for(item, actor)]


def _is_for(item: NavItem, actor: Actor) -> bool:
    if item.any_of and not any(actor.can(name) for name in item.any_of):
        return False
    looks_after_all = any(actor.everywhere(name) for name in item.any_of)
    return not item.of_own_organisation or bool(actor.organisation_ids) or not looks_after_all


def menu() -> list[tuple[str, str, bool]]:
    """Label, address and \u201cyou are here\u201d of each entry of the service navigation."""
    found = [(item.label, address(item.endpoint)) for item in navigation()]
    home = address("oversight.home")
    if current_actor().user_id is not None and home:
        found.insert(0, ("Home", home))
    # The longest address this page lies under is where the person is.
    under = [href for _, href in found if href and (request.path == href or request.path.startswith(href + "/"))]
    return [(label, href, href == max(under, key=len, default="")) for label, href in found if href]


def theme() -> str:
    """What the person chose: light, dark, or "" for as the device."""
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in THEMES else ""


@functools.lru_cache(maxsize=64)
def demo_menu(people: tuple[Any, ...], name: str) -> Markup:
    """The list of the switch of a demo, as whoever bears that name sees it; made once, since every page has it."""
    made: Markup = get_template_attribute("components/demo_menu.html", "menu")(people, name)
    return made


def _context() -> dict[str, Any]:
    nobody: tuple[Any, ...] = ()
    return {
        "actor": current_actor(),
        # Forms that ask for a password confirmed lately: one that was sent stays on its page with what was typed, also where
        # the minutes passed meanwhile.
        "forms_stand": current_actor().fresh or (bool(request) and request.method == "POST"),
        "navigation": navigation,
        "menu": menu,
        "demo": bool(current_app.config["GRANTS_DEMO"]),
        "path": request.path if request else "",
        "theme": theme() if request else "",
        "now": clock.now(),
        "version": version(),
        "home_zone": clock.BRUSSELS,
        # oversight, which sees identity, says who the people of the demo are.
        "demo_people": current_app.extensions.get("demo_people", lambda: nobody),
    }


def _digest(path: str) -> str:
    try:
        changed = os.stat(path).st_mtime_ns
    except FileNotFoundError:
        # A front-end package not yet set up: the page still works, unstyled.
        return "0"
    return _digest_of(path, changed)


@functools.lru_cache(maxsize=64)
def _digest_of(path: str, changed: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:10]
