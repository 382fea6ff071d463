"""Whether an answer is a page we may show: well-formed, one H1, every field labelled, nothing inline. For every test of a view."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from werkzeug.test import TestResponse

from tests import plain
from tests.plain import XHTML as _XHTML

_UNLABELLED = {"hidden", "submit", "button", "reset", "image"}


def check_page(response: TestResponse) -> Element:
    """The parsed page; fails, with everything found at once, when it is not one we may show."""
    assert response.mimetype == "text/html", f"{response.request.path} answered {response.mimetype}, not a page"
    return check_html(response.get_data(as_text=True), response.request.path)


def check_html(text: str, place: str = "page") -> Element:
    """The same for the text of a page."""
    root, faults = plain.parsed(text)
    faults += _faults(root)
    assert not faults, f"{place}:\n  " + "\n  ".join(faults)
    return root


def texts(root: Element, tag: str) -> list[str]:
    """The text of every element of that name, with single spaces."""
    return [" ".join("".join(element.itertext()).split()) for element in root.iter(_XHTML + tag)]


def _faults(root: Element) -> list[str]:
    found: list[str] = []
    headings = list(root.iter(_XHTML + "h1"))
    if len(headings) != 1:
        found.append(f"{len(headings)} h1 elements; a page has one")
    titles = texts(root, "title")
    if not titles or not titles[0]:
        found.append("no title")
    found += _repeated_ids(root)
    found += _unlabelled(root)
    found += _inline(root)
    found += _dangling(root)
    return found


def _repeated_ids(root: Element) -> Iterator[str]:
    seen: set[str] = set()
    for element in root.iter():
        name = element.get("id")
        if name is not None and name in seen:
            yield f"the id {name!r} stands twice"
        seen.add(name or "")


def _unlabelled(root: Element) -> Iterator[str]:
    labels = {element.get("for") for element in root.iter(_XHTML + "label")}
    inside = {id(control) for label in root.iter(_XHTML + "label") for control in label.iter()}
    for tag in ("input", "select", "textarea"):
        for control in root.iter(_XHTML + tag):
            if tag == "input" and control.get("type", "text") in _UNLABELLED:
                continue
            named = control.get("aria-label") or control.get("aria-labelledby")
            if not named and control.get("id") not in labels and id(control) not in inside:
                yield f"{tag} {control.get('name')!r} has no label"
    for tag in ("button", "a"):
        for control in root.iter(_XHTML + tag):
            if (tag == "button" or control.get("href")) and not _name_of(control):
                yield f"a {tag} has no words"


def _name_of(control: Element) -> str:
    return (control.get("aria-label") or "".join(control.itertext())).strip()


def _inline(root: Element) -> Iterator[str]:
    for element in root.iter():
        tag = str(element.tag).removeprefix(_XHTML)
        for attribute in element.attrib:
            if attribute == "style" or re.match(r"on[a-z]+$", str(attribute)):
                yield f"{tag} has the attribute {attribute}"
        if tag == "style" or (tag == "script" and not element.get("src")):
            yield f"an inline {tag}"


def _dangling(root: Element) -> Iterator[str]:
    """References inside the page that lead nowhere."""
    ids = {element.get("id") for element in root.iter()}
    for element in root.iter():
        for attribute in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
            for name in (element.get(attribute) or "").split():
                if name not in ids:
                    yield f"{attribute} names {name!r}, which is not on the page"
    for link in root.iter(_XHTML + "a"):
        target: Any = link.get("href") or ""
        if target.startswith("#") and len(target) > 1 and target[1:] not in ids:
            yield f"a link leads to {target!r}, which is not on the page"
