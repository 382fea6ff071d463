"""The questions and answers of a call as an Atom feed (RFC 4287), so that nobody must look every day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from grants.calls.rules.questions import PublicQuestion
from grants.core import clock

ATOM = "http://www.w3.org/2005/Atom"
ENTRIES_MAX = 50


def atom(title: str, address: str, questions: Sequence[PublicQuestion], began: datetime) -> bytes:
    """The feed: an entry a question, its id for good, updated by each correction. ``address`` is the page of all."""
    feed = Element("feed", xmlns=ATOM)
    _text(feed, "id", address)
    _text(feed, "title", title)
    SubElement(feed, "link", rel="alternate", href=address)
    _text(feed, "updated", _moment(max((each.changed_at for each in questions), default=began)))
    _text(SubElement(feed, "author"), "name", "Pilot Grants")
    for each in questions:
        entry = SubElement(feed, "entry")
        place = f"{address}#q{each.number}"
        _text(entry, "id", place)
        SubElement(entry, "link", rel="alternate", href=place)
        _text(entry, "title", f"Q{each.number}{' (corrected)' if each.corrected else ''}: {each.question}"[:200])
        _text(entry, "published", _moment(each.published_at))
        _text(entry, "updated", _moment(each.changed_at))
        _text(entry, "content", f"{each.question}\n\n{each.answer}").set("type", "text")
    return tostring(feed, encoding="utf-8", xml_declaration=True)


def _text(parent: Element, name: str, text: str) -> Element:
    element = SubElement(parent, name)
    # XML has no place for most control characters, which a text may hold.
    element.text = "".join(letter for letter in text if letter >= " " or letter in "\n\t")
    return element


def _moment(moment: datetime) -> str:
    return clock.as_utc(moment).isoformat(timespec="seconds")
