"""Looking into a whole PDF for what acts by itself: scripts, programs, other files; bounded in objects, depth and time."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from grants.core.errors import Invalid

OBJECTS_MAX = 400_000
DEPTH_MAX = 60
SECONDS_MAX = 10
# What one packed part may grow to while the structure is read; pictures and texts of pages are not unpacked at all.
UNPACKED_BYTES_MAX = 100_000_000

_AGAIN = "Print it to a new PDF (“Print”, then “Save as PDF”) and upload that."

# What an action (its name stands under /S) would do; links to web pages and inside the document are harmless.
_DEEDS = {
    "/JavaScript": "contains a script (JavaScript)",
    "/Launch": "starts another program",
    "/ImportData": "reads data from another file",
    "/SubmitForm": "sends what is typed into it to another place",
    "/GoToR": "opens another file",
    "/GoToE": "opens a file packed inside it",
    "/Thread": "opens another file",
    "/Rendition": "plays a film or a sound",
    "/Movie": "plays a film or a sound",
    "/Sound": "plays a film or a sound",
    "/RichMediaExecute": "contains a film or a program (rich media)",
}
# Only these may happen by themselves when a document is opened.
_MAY_OPEN = {"/GoTo", "/Named"}
_MARKS = {
    "/RichMedia": "contains a film or a program (rich media)",
    "/3D": "contains a 3D scene, which can carry scripts",
    "/Movie": "contains a film",
    "/Screen": "contains a film or a sound",
    "/FileAttachment": "has another file attached",
}
# The moments at which additional actions (/AA) of documents, pages and fields happen.
# fmt: off
_MOMENTS = frozenset({
    "/E", "/X", "/D", "/U", "/Fo", "/Bl", "/PO", "/PC", "/PV", "/PI",
    "/O", "/C", "/K", "/F", "/V", "/WC", "/WS", "/DS", "/WP", "/DP",
})
# fmt: on
_PLACES_OF_FILES = frozenset({"/F", "/UF", "/DOS", "/Mac", "/Unix"})


def check_pdf(path: Path, name: str, pages_max: int | None = None) -> None:
    """Refuse a PDF that is locked, damaged, too long, or does anything but be read; raises :class:`Invalid`."""
    pikepdf = library()
    try:
        with pikepdf.open(path) as pdf:
            if pdf.is_encrypted:
                raise Invalid(f"“{name}” is protected. Save it without a password or restrictions and upload it again.")
            if not len(pdf.pages):
                raise Invalid(f"“{name}” has no pages.")
            if pages_max is not None and len(pdf.pages) > pages_max:
                raise Invalid(
                    f"“{name}” has {len(pdf.pages)} pages; the limit here is {pages_max}. Shorten it, or leave pages out."
                )
            # Without its table of objects the library guesses them, and never finds those that are packed together.
            if any("reconstruct" in str(warning) for warning in pdf.get_warnings()):
                raise Invalid(f"“{name}” is damaged: its table of objects is missing. {_AGAIN}")
            found = _Walk(name).first_deed(pdf)
            if found is not None:
                raise Invalid(f"“{name}” {found}. {_AGAIN}")
    except pikepdf.PasswordError:
        raise Invalid(f"“{name}” is locked with a password. Save it without one and upload it again.") from None
    except (pikepdf.PdfError, pikepdf.DataDecodingError, RecursionError, ValueError, TypeError, KeyError):
        raise Invalid(f"“{name}” is damaged: it cannot be read as a PDF. Save it again and upload that.") from None


@functools.cache
def library() -> ModuleType:
    """pikepdf with its limits set: nothing that is packed grows without end."""
    import pikepdf

    # An object stream of a few kilobytes can unpack to gigabytes: the library itself must stop there.
    pikepdf.settings.set_qpdf_limits(
        flate_max_memory=UNPACKED_BYTES_MAX,
        run_length_max_memory=UNPACKED_BYTES_MAX,
        png_max_memory=UNPACKED_BYTES_MAX,
        tiff_max_memory=UNPACKED_BYTES_MAX,
        max_stream_filters=4,
        parser_max_nesting=2 * DEPTH_MAX,
        parser_max_container_size=1_000_000,
        doc_max_warnings=1_000,
    )
    return pikepdf


class _Walk:
    """One look through every object of a document, whether a page leads to it or not."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pikepdf: Any = library()
        self._seen = 0
        self._ends = time.monotonic() + SECONDS_MAX

    def first_deed(self, pdf: Any) -> str | None:
        """What the document does by itself, in words; None when it only wants to be read."""
        return self._of_catalogue(pdf.Root) or next(
            (deed for thing in pdf.objects for deed in self._deeds(thing, 0)), None
        )

    def _of_catalogue(self, root: Any) -> str | None:
        names = root.get("/Names")
        if self._is_dictionary(names):
            if "/JavaScript" in names:
                return _DEEDS["/JavaScript"]
            if "/EmbeddedFiles" in names:
                return "has other files packed inside it"
        if "/Collection" in root:
            return "is a portfolio of other files"
        form = root.get("/AcroForm")
        if self._is_dictionary(form) and "/XFA" in form:
            return "is a dynamic form (XFA)"
        return self._of_opening(root.get("/OpenAction"))

    def _of_opening(self, action: Any) -> str | None:
        """The chain of actions that begins when the document is opened."""
        waiting, steps = [action], 0
        while waiting:
            each = waiting.pop()
            steps += 1
            self._count(steps)
            if isinstance(each, self._pikepdf.Array) and any(self._is_dictionary(part) for part in each):
                # A destination begins with a page; a chain is a list of actions.
                waiting += [part for part in each if self._is_dictionary(part) and "/S" in part]
            elif self._is_dictionary(each) and "/S" in each:
                kind = self._text(each.get("/S"))
                if kind not in _MAY_OPEN:
                    return _DEEDS.get(kind, "does something by itself when it is opened")
                waiting.append(each.get("/Next"))
        return None

    def _deeds(self, thing: Any, depth: int) -> Iterator[str]:
        self._count(depth)
        if isinstance(thing, self._pikepdf.Array):
            for part in thing:
                yield from self._inside(part, depth)
            return
        if not self._is_dictionary(thing) and not isinstance(thing, self._pikepdf.Stream):
            return
        yield from self._of_dictionary(thing, is_stream=isinstance(thing, self._pikepdf.Stream))
        for part in _values(thing):
            yield from self._inside(part, depth)
        # After what is in it, so that the sentence names the deed where it stands here.
        if self._is_table(thing.get("/AA"), _MOMENTS):
            yield "does something by itself while it is read"

    def _inside(self, part: Any, depth: int) -> Iterator[str]:
        # What has a number of its own is looked at on its own; so nothing is walked twice and no circle catches us.
        if isinstance(part, self._pikepdf.Object) and not part.is_indirect:
            yield from self._deeds(part, depth + 1)

    def _of_dictionary(self, thing: Any, *, is_stream: bool) -> Iterator[str]:
        action, mark = self._text(thing.get("/S")), self._text(thing.get("/Subtype"))
        if action in _DEEDS:
            yield _DEEDS[action]
        if "/JS" in thing:
            yield _DEEDS["/JavaScript"]
        if mark in _MARKS:
            yield _MARKS[mark]
        if self._is_table(thing.get("/EF"), _PLACES_OF_FILES) or self._text(thing.get("/Type")) == "/EmbeddedFile":
            yield "has other files packed inside it"
        if is_stream and "/F" in thing:
            yield "reads data from another file"

    def _is_table(self, thing: Any, keys: frozenset[str]) -> bool:
        """Whether it is a dictionary of just these keys; the same name elsewhere is that of a font or picture."""
        return self._is_dictionary(thing) and bool(found := set(thing.keys())) and found <= keys

    def _is_dictionary(self, thing: Any) -> bool:
        return isinstance(thing, self._pikepdf.Dictionary)

    def _text(self, thing: Any) -> str:
        return str(thing) if isinstance(thing, self._pikepdf.Name) else ""

    def _count(self, depth: int) -> None:
        self._seen += 1
        if self._seen > OBJECTS_MAX or depth > DEPTH_MAX or time.monotonic() > self._ends:
            raise Invalid(f"“{self._name}” is built too intricately to be checked. {_AGAIN}")


def _values(thing: Any) -> list[Any]:
    """What a dictionary, or that of a stream, holds."""
    return [thing.get(key) for key in sorted(thing.keys())]
