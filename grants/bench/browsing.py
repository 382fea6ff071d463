"""A browser without pictures: cookies, forms with their hidden fields, a new connection for each request, and the clock.

A new connection each time, as behind a proxy that keeps none: the figures hold the price of it, for every product alike.
"""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

SECONDS_MAX = 30


class Wrong(Exception):
    """An answer is not what it must be; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: what it says to what was sent, how long it took, and what its Server-Timing header says of the database."""

    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    # The fields of the form it answers; none for a page that was opened.
    sent: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", errors="replace")

    @property
    def statements(self) -> int | None:
        """How many SQL statements it took; None where the product does not say."""
        found = re.search(r'sql;dur=[\d.]+;desc="(\d+)"', self.headers.get("server-timing", ""))
        return int(found[1]) if found else None

    @property
    def sql_ms(self) -> float | None:
        """How long its statements took."""
        found = re.search(r"sql;dur=([\d.]+)", self.headers.get("server-timing", ""))
        return float(found[1]) if found else None


@dataclass
class Browser:
    """One person's browser at one address."""

    host: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Answer:
        """Open a page."""
        return self._ask("GET", path, None)

    def post(self, path: str, fields: Mapping[str, str | Sequence[str]]) -> Answer:
        """Send a form; what answers a redirect is not followed."""
        return replace(self._ask("POST", path, urlencode(dict(fields), doseq=True).encode()), sent=fields)

    def _ask(self, method: str, path: str, body: bytes | None) -> Answer:
        headers = {"Host": f"{self.host}:{self.port}", "Connection": "close"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        connection = http.client.HTTPConnection(self.host, self.port, timeout=SECONDS_MAX)
        try:
            connection.request(method, path, body, headers)
            found = connection.getresponse()
            content = found.read()
        finally:
            connection.close()
        seconds = time.perf_counter() - began
        for line in found.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return Answer(
            path, found.status, {name.lower(): value for name, value in found.headers.items()}, content, seconds
        )


@dataclass
class Form:
    """A form of a page: where it is sent, and what stands in its fields."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Collects the forms of a page with the values a browser would send if nobody touched them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        if not self.forms or "disabled" in given:
            return
        name, fields = given.get("name", ""), self.forms[-1].fields
        if tag == "input" and name and given.get("type") not in ("submit", "button", "file"):
            if given.get("type") not in ("radio", "checkbox") or "checked" in given:
                fields.setdefault(name, []).append(given.get("value", "on"))
        elif tag == "textarea" and name:
            self._area = name
            fields[name] = [""]
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in fields):
            fields[self._select] = [given.get("value", "")]

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1].fields[self._area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area:
            # A browser drops the line break right after the tag.
            written = self.forms[-1].fields[self._area]
            written[0] = written[0].removeprefix("\r").removeprefix("\n")
            self._area = None
        elif tag == "select":
            self._select = None


def forms_of(answer: Answer) -> list[Form]:
    """Every form of a page; one without an address is sent to its own page."""
    parser = _Forms()
    parser.feed(answer.text)
    for form in parser.forms:
        form.action = form.action or urlsplit(answer.path).path
    return parser.forms


def form_to(answer: Answer, ending: str) -> Form:
    """The form of a page that is sent to an address with this ending; to the page's own where it is a full stop."""
    ending = urlsplit(answer.path).path if ending == "." else ending
    for form in forms_of(answer):
        if urlsplit(form.action).path.endswith(ending):
            return form
    raise Wrong(f"{answer.path} answered {answer.status} and has no form that is sent to …{ending}.")
