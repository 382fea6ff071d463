"""Pages read the quick way, in a sixth of the time of the strict parser, and never more leniently.

Our pages are written plainly: every element that is opened is closed by its own end, every value stands in double
quotes. What the strict parser makes of such a page, and whether it finds a fault, hangs at each place on two things
alone: which elements are open there, and what comes next. So a page whose places were all met before, on pages the
strict parser found nothing wrong with and of which it made the very tree made here, need not be read by it again.
Whatever is not written so plainly is read by the strict parser, every time. The processes of a run tell each other what
they met: a page that one of them had read by the strict parser is known to all.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import html
import pickle
import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder

import html5lib

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"

_TAG = re.compile(r'(<(?:!doctype html|/?[a-zA-Z][a-zA-Z0-9-]*(?:\s+[a-zA-Z_][-\w.]*(?:="[^"<>]*")?)*\s*/?)>)', re.I)
_ATTRIBUTE = re.compile(r'\s+([a-zA-Z_][-\w.]*)(?:="([^"<>]*)")?')
_WRITTEN_OTHERWISE = re.compile(r"&(?!(?:amp|lt|gt|quot|#34|#39);)")
# Line ends of older systems, and what may stand on no page.
_NOT_PLAIN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U0001fffe-\U0010ffff]")
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# Inside these a tag is no tag.
_WORDS_ONLY = {"iframe", "noscript", "script", "style", "textarea", "title"}
# What stands on the first two levels, in this order and once each.
_FRAME = ("html", "head", "/head", "body", "/body", "/html")
_OPENS_WITH_A_LINE = {"pre", "textarea"}

# What comes next, by its kind and the names in it; and where: a number for each way of elements from the root.
_Step = tuple[int, object]


class Known:
    """Every step that was met on a page the strict parser found nothing wrong with, here or in another process of the run."""

    def __init__(self) -> None:
        self.steps: set[_Step] = set()
        self._shared: Path | None = None
        self._heard = 0

    def share(self, file: Path) -> None:
        """Write what is learnt into this file too, and learn from it what other processes wrote."""
        file.touch()
        self._shared = file

    def have(self, steps: set[_Step]) -> bool:
        """Whether all of these were met before."""
        return steps <= self.steps or (self._shared is not None and self._hear(self._shared) and steps <= self.steps)

    def _hear(self, shared: Path) -> bool:
        """Whether others wrote something since this was last asked."""
        before = self._heard
        with shared.open("rb") as told:
            fcntl.flock(told, fcntl.LOCK_SH)
            told.seek(before)
            words = told.read()
        self._heard += len(words)
        for line in words.splitlines():
            self.steps.update(pickle.loads(bytes.fromhex(line.decode())))
        return self._heard > before

    def learn(self, steps: set[_Step]) -> None:
        """Know these from now on."""
        new = steps - self.steps
        self.steps |= new
        if self._shared is not None and new:
            with self._shared.open("ab") as telling:
                fcntl.flock(telling, fcntl.LOCK_EX)
                telling.write(pickle.dumps(new).hex().encode() + b"\n")


KNOWN = Known()


@functools.cache
def _way(where: int, name: str) -> int:
    """The number of the way that goes on from another by an element of this name: in every process the same."""
    return int.from_bytes(hashlib.blake2b(f"{where} {name}".encode(), digest_size=16).digest())


class _Otherwise(Exception):
    """The page is not written so plainly."""


@dataclass(frozen=True)
class _Tag:
    name: str
    ends: bool
    closed: bool
    attributes: dict[str, str]
    kind: tuple[str, ...]


def parsed(text: str) -> tuple[Element, list[str]]:
    """The tree of a page as the strict parser makes it, and every fault it finds."""
    quick = _read(text)
    if quick is not None and KNOWN.have(quick[1]):
        return quick[0], []
    root, faults = strictly(text)
    if quick is not None and not faults and same(root, quick[0]):
        KNOWN.learn(quick[1])
    return root, faults


def strictly(text: str) -> tuple[Element, list[str]]:
    """The same by the strict parser itself."""
    parser = html5lib.HTMLParser(strict=False)
    root = parser.parse(text)
    lines = text.splitlines()
    faults = []
    for (line, _column), code, data in parser.errors:
        near = lines[line - 1].strip()[:120] if 0 < line <= len(lines) else ""
        faults.append(f"line {line}: {code} {data or ''} near {near!r}")
    return root, faults


def same(one: Element, other: Element) -> bool:
    """Whether two trees are equal in every element, value and word."""
    return (
        (one.tag, one.text or "", one.tail or "") == (other.tag, other.text or "", other.tail or "")
        and dict(one.attrib) == dict(other.attrib)
        and len(one) == len(other)
        and all(same(mine, its) for mine, its in zip(one, other, strict=True))
    )


def _read(text: str) -> tuple[Element, set[_Step]] | None:
    # To the strict parser too these are one line end; the library of forms writes the longer one in every text area.
    text = text.replace("\r\n", "\n")
    if _NOT_PLAIN.search(text):
        return None
    parts = _TAG.split(text)
    if len(parts) < 3 or parts[0].strip() or parts[1].lower() != "<!doctype html>":
        return None
    reader = _Reader()
    reader.step((parts[1],))
    try:
        reader.words(parts[2])
        for place in range(3, len(parts), 2):
            reader.tag(_tag(parts[place]))
            if parts[place + 1]:
                reader.words(parts[place + 1])
        return reader.end(), reader.steps
    except _Otherwise:
        return None


@functools.lru_cache(maxsize=50_000)
def _tag(written: str) -> _Tag | None:
    """A tag taken apart; None where it is written otherwise. Most tags of a page stand on the next one too."""
    ends, closed = written[1] == "/", written[-2] == "/"
    name = written[1 + ends :].split()[0].rstrip(">").rstrip("/")
    found = _ATTRIBUTE.findall(written)
    if _WRITTEN_OTHERWISE.search(written) or (ends and (found or closed)) or name.startswith("!"):
        return None
    names = [attribute for attribute, _ in found]
    attributes = {attribute: html.unescape(value) for attribute, value in found}
    return _Tag(name, ends, closed, attributes, (name, "/" * ends, "/" * closed, *names))


class _Reader:
    """One page being read: the elements that are open, and every step taken."""

    def __init__(self) -> None:
        self.steps: set[_Step] = set()
        self._builder = TreeBuilder()
        self._open: list[tuple[str, str, int]] = []
        self._where = 0
        self._before_first_word = False
        # The parts of the page itself, in the order they were begun and ended.
        self._frame: list[str] = []

    def step(self, what: object) -> None:
        self.steps.add((self._where, what))

    def tag(self, tag: _Tag | None) -> None:
        if tag is None:
            raise _Otherwise
        self.step(tag.kind)
        if tag.ends:
            self._end(tag.name)
        else:
            self._start(tag)

    def words(self, text: str) -> None:
        if "<" in text or _WRITTEN_OTHERWISE.search(text):
            raise _Otherwise
        blank = not text.strip(" \t\n")
        if len(self._open) < 2:
            self._between(text, blank)
            return
        if self._before_first_word and text[0] == "\n":
            self.step("a line")
            text = text[1:]
        self._before_first_word = False
        self.step("blank" if blank else "words")
        self._builder.data(html.unescape(text))

    def _between(self, text: str, blank: bool) -> None:
        """Outside of head and body nothing is written; what is blank there counts from the end of the head on."""
        if not blank:
            raise _Otherwise
        if "/head" in self._frame:
            self._builder.data(text)

    def _start(self, tag: _Tag) -> None:
        name, around = tag.name, self._open[-1] if self._open else ("", XHTML, 0)
        space = SVG if name == "svg" else around[1]
        is_void = space == XHTML and name in _VOID
        if around[0] in _WORDS_ONLY or (tag.closed and space == XHTML and not is_void):
            raise _Otherwise
        if space == XHTML and any(each != each.lower() for each in (name, *tag.attributes)):
            raise _Otherwise
        if len(self._open) < 2:
            self._next_of_the_frame(name)
        self._builder.start(space + name, dict(tag.attributes))
        if is_void or tag.closed:
            self._builder.end(space + name)
            return
        self._open.append((name, space, self._where))
        self._where = _way(self._where, name)
        self._before_first_word = name in _OPENS_WITH_A_LINE

    def _end(self, name: str) -> None:
        if not self._open or self._open[-1][0] != name:
            raise _Otherwise
        _, space, self._where = self._open.pop()
        self._before_first_word = False
        if len(self._open) < 2:
            self._next_of_the_frame(f"/{name}")
        # What is blank behind the body is the body's last.
        if name not in ("body", "html") or len(self._open) > 1:
            self._builder.end(space + name)

    def _next_of_the_frame(self, name: str) -> None:
        self._frame.append(name)
        if tuple(self._frame) != _FRAME[: len(self._frame)]:
            raise _Otherwise

    def end(self) -> Element:
        """The tree of a page that was read to its end."""
        if len(self._frame) < len(_FRAME):
            raise _Otherwise
        self._builder.end(XHTML + "body")
        self._builder.end(XHTML + "html")
        return self._builder.close()
