"""One application in which every kind of question goes the whole way round: builder, file, form, document, workbook.

The cases are questions as they are typed into the builder with the answers people give to them, odd ones too. One person
does each step once for all of them; what was found on the way is kept for the tests, which only look at it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import openpyxl
from flask import current_app
from flask.testing import FlaskClient
from openpyxl.cell import Cell

from grants.applications import queries
from grants.calls import queries as calls
from grants.calls import services as call_services
from grants.calls.rules import CallView
from grants.core import clock
from grants.dossiers.rules import Answer, Definition, Question, QuestionKind
from tests import actors
from tests.applications.pages import Values, post, send, text_of, values_of
from tests.calls import scene
from tests.factories import applications as factory
from tests.html import check_page

BEFORE = datetime(2027, 1, 4, 9, tzinfo=UTC)
WHILE_OPEN = datetime(2027, 2, 1, 9, tzinfo=UTC)
SECTION = "own"
# One cell of a workbook holds less than an answer may have.
HUGE = "A long story. " * 3_000

Typed = tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """A question as it is typed into the builder, and what is answered in turn: in the form, saved while typing, typed
    into the document, typed into the workbook; an empty answer leaves what stands."""

    kind: QuestionKind
    asked: Mapping[str, Any]
    form: Typed = ()
    autosave: Typed = ()
    document: Typed = ()
    workbook: Typed = ()


K = QuestionKind
TABLE = {"label": "Costs", "columns": (("What?", "short"), ("How many", "number"), ("EUR", "money"), ("By", "date"))}
CASES: Mapping[str, Case] = {
    # A choice first: others are asked by it and tell it again.
    "gate": Case(K.CHOICE, {"label": "Heat or “water”?", "choices": "heat = Heat\nwater = Water: 100 %, #1"}, ("heat",), ("water",), ("heat",), ("water",)),
    "gate_again": Case(K.CHOICE, {"label": "A year", "choices": "2030\n2040\nnull\n1.50\nŁódź\nΝαι\nΌχι"}, ("2030",), ("1_50",), ("null",), ("2040",)),
    # Words of one choice are what another is kept as; a label that begins like an item of a list.
    "gate_mixed": Case(K.CHOICE, {"label": "Mixed", "choices": "1 = 2\n2 = 1\nnone = - none -\nbold = **x**"}, ("1",), ("none",), ("2",), ("bold",)),
    "words": Case(
        K.SHORT,
        {
            "label": "Łódź: “what” isn't 'known'? {yes} #1", "words_max": "5", "hint": "null", "criterion": "impact",
            "guidance": "007\nA: b, c\n- dash", "example": "Line one: x\n\nLine “two”", "required": "false",
            "translations": (("de", "Größe „äöü“?", "Ja: nein"), ("pl", "007", "")),
        },
        ("Łódź & „Gdańsk“ <b>x</b> isn't \"so\"",), ("007",), ("=SUM(A1:A9)",), ("1.250,50",),
    ),
    "told": Case(K.SHORT, {"label": "Why {answer:gate}?", "hint": "As said: {answer:words}", "characters_max": "9"}, ("**two** 2*3",), ("- minus",), ("+49 30 12",), ("@home",)),
    "lists": Case(K.SHORT, {"label": "A line"}, ("1. first",), ("a\tb",), ("'quoted",), ("{=1}",)),
    "empty": Case(K.SHORT, {"label": "Left empty"}),
    "first_filled": Case(K.SHORT, {"label": "Filled offline", "asked_if.question": "gate"}, document=("ąčęł",), workbook=("Ελλάδα",)),
    "long": Case(K.LONG, {"label": "Story", "words_max": "50"}, ("Our **warm** homes\nsecond line\n\n- one\n- **two**\n\n1. first\n2. second",), ("=1+1\n\n\"x\" 'y'; z",), ("007\n\n- a\n- b",), ("Last\nline",)),
    "over": Case(K.LONG, {"label": "Too long", "characters_max": "10"}, ("Much more than ten characters",), ("\ta\tb\n\tc",), ("2 * 3 * 4 ** 5",), ("0",)),
    "huge": Case(K.LONG, {"label": "Very long"}, (HUGE,), (HUGE + "end",)),
    "number": Case(K.NUMBER, {"label": "How many"}, ("1 250,5",), ("007",), ("-12.5",), ("−3",)),
    "unread": Case(K.NUMBER, {"label": "Unread", "required": "false"}, ("1e5",), ("about 5",), ("12,5",), ("0",)),
    "money": Case(K.MONEY, {"label": "How much"}, ("1.234,50",), ("1 234.50",), ("1,234,567.89",), ("0,05",)),
    "money_unread": Case(K.MONEY, {"label": "Unread money"}, ("=100*2",), ("a lot",), ("100",), ("EUR 5",)),
    "many": Case(K.MULTICHOICE, {"label": "Which?", "choices": "a = Ä, ö\nb = b; c\nc = - d\nd = 1. e", "picks_max": "2"}, ("a", "b", "c"), ("d",), ("b", "c"), ("a", "d")),
    "day": Case(K.DATE, {"label": "When"}, ("1 May 2027",), ("2027-05-02",), ("03.05.2027",), ("4/5/2027",)),
    "day_unread": Case(K.DATE, {"label": "Unread day"}, ("mid-2027",), ("31 February 2027",), ("1. 1. 27",), ("1 January 2028",)),
    "yes": Case(K.CONFIRMATION, {"label": "We confirm: §5 & “all”", "asked_if.question": "gate", "asked_if.answers": "heat\nwater"}, ("yes",), ("yes",)),
    "later_yes": Case(K.CONFIRMATION, {"label": "Confirmed offline"}, document=("yes",)),
    "sheet_yes": Case(K.CONFIRMATION, {"label": "Confirmed in the workbook"}, workbook=("yes",)),
    "table": Case(
        K.TABLE, TABLE | {"rows_max": "3"},
        ("**Pump**", "2", "1.000,50", "1 May 2027", "", "007", "", "soon"),
        ("- Pipes", "−1", "", "", "=1+1", "", "5", ""),
        ("", "1", "2", "", "1. Wells", "", "", "2027-05-02"),
        ("Größe", "007", "0,5", "", "=2", "", "", ""),
    ),
    "column": Case(K.TABLE, {"label": "One column", "columns": (("Only", "short"),)}, ("a", "b"), ("- c",), ("d", "", "=e"), ("f",)),
    "pdf": Case(K.FILE, {"label": "Plan", "file_types": "pdf", "megabytes_max": "3", "pages_max": "9"}, ("a",)),
    "any_file": Case(K.FILE, {"label": "Anything", "required": "false"}),
}  # fmt: skip


@dataclass
class Trip:
    """What was found on the way round, step by step, each by the short name of its question."""

    built: Definition = field(default_factory=Definition)
    again: Definition = field(default_factory=Definition)
    shown: dict[str, str] = field(default_factory=dict)
    # The answers that stood after each step, and the questions the difference named.
    stood: dict[str, dict[str, Answer]] = field(default_factory=dict)
    differed: dict[str, set[str]] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def gone_round() -> Trip:
    """Every step once, for all questions together."""
    # Several people, one context: the token of the first would be the token of all.
    current_app.config["WTF_CSRF_ENABLED"] = False
    trip, call = Trip(), _built()
    trip.built, trip.again = call.content.definition, _taken_out_and_in(call.slug)
    with clock.at(WHILE_OPEN):
        reference = factory.draft(call, actors.ana(), at=WHILE_OPEN)
        _answered(trip, actors.client_of(current_app, actors.ana()), reference)
    return trip


# --- the builder ----------------------------------------------------------------------------------------------------


def _built() -> CallView:
    """The call with its section of every kind of question, typed into the builder, published."""
    slug = scene.filled(scene.SMALL).slug
    with clock.at(BEFORE):
        manager = actors.client_of(current_app, actors.ingrid())
        at = f"/calls/{slug}/build/application_form.own_sections/0"
        send(manager, at, **{"value.key": SECTION, "value.title": "Every kind: “all”"})
        pages: dict[QuestionKind, Values] = {}
        for place, (key, case) in enumerate(CASES.items()):
            page = f"{at}/questions/{place}"
            typed = {f"value.{name}": value for name, value in _typed_in(key, case).items()}
            if case.kind not in pages:
                pages[case.kind] = values_of(manager, f"{page}?kind={case.kind.value}", to=page)
            shown = pages[case.kind]
            lacking = typed.keys() - {*shown, *_more_rows(typed)}
            assert not lacking, f"{case.kind} has no field for {lacking}"
            # Every question of a kind is typed into the form of the first one, which was shown before the others.
            answer = post(manager, page, shown, version=None, act_key=None, place=str(place + 1), **typed)
            assert answer.status_code == 303, text_of(answer)[:900]
        call = calls.call(actors.ingrid(), slug)
        call_services.publish(actors.ingrid(), call.id)
    return calls.call_by_id(call.id)


def _taken_out_and_in(slug: str) -> Definition:
    """The form of the call that comes in from the file of this one."""
    with clock.at(BEFORE):
        manager = actors.client_of(current_app, actors.ingrid())
        text = manager.get(f"/calls/{slug}/call.yaml").text.replace("SMALL-2027", "AGAIN-2027")
        answer = send(manager, "/calls/import", text=text)
        assert answer.status_code == 303, text_of(answer)[380:1500]
        again = calls.call(actors.ingrid(), answer.location.split("/")[2])
        call_services.apply_template(actors.ingrid(), again.id)
    return calls.call_by_id(again.id).content.definition


def _typed_in(key: str, case: Case) -> dict[str, object]:
    """The fields of one question's form as somebody fills them in."""
    fields: dict[str, object] = {"key": key, "kind": case.kind.value}
    for name, value in case.asked.items():
        if name == "columns":
            for place, (label, kind) in enumerate(value):
                fields |= {f"columns.{place}.label": label, f"columns.{place}.kind": kind}
                fields |= {f"columns.{place}.key": f"c{place}", f"columns.{place}.required": "false"}
        elif name == "translations":
            for place, (language, label, hint) in enumerate(value):
                fields |= {f"translations.{place}.language": language, f"translations.{place}.label": label}
                fields |= {f"translations.{place}.hint": hint}
        else:
            fields[name] = value
    return fields


def _more_rows(typed: Iterable[str]) -> set[str]:
    """Fields of a second or later entry of a list, which the page offers once the one before is saved."""
    return {name for name in typed if name.startswith(("value.columns.", "value.translations."))}


# --- the application ------------------------------------------------------------------------------------------------


def _answered(trip: Trip, client: FlaskClient, reference: str) -> None:
    at = f"/applications/{reference}"
    definition = trip.built

    def keep(step: str) -> None:
        trip.stood[step] = dict(queries.workplace(actors.ana(), reference).dossier.section(SECTION).answers)

    typed = {f"answer_{key}": list(case.form) or None for key, case in CASES.items() if case.kind is not K.FILE}
    trip.files["empty"] = client.get(f"/calls/{_slug(reference)}/form.docx").data
    trip.said["form"] = str(send(client, f"{at}/sections/{SECTION}", **typed).status_code)
    keep("form")
    trip.shown = _shown(client, reference)
    for key, case in CASES.items():
        if case.kind is not K.FILE and case.autosave:
            trip.said[f"autosave {key}"] = _saved(client, f"{at}/sections/{SECTION}/answers/{key}", case.autosave)
    _attached(trip, client, at)
    keep("autosave")
    for name, change in (("docx", in_document), ("xlsx", in_workbook)):
        _offline(trip, client, at, name, lambda data: data)
        given = {key: case.document if name == "docx" else case.workbook for key, case in CASES.items()}
        given = {key: values for key, values in given.items() if values}
        _offline(trip, client, at, f"changed {name}", lambda data, to=given, by=change: by(data, definition, to))
        keep(name)


def _slug(reference: str) -> str:
    return queries.view(actors.ana(), reference).call.slug


def words_of(data: bytes) -> str:
    """All words of a Word file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return " ".join(ElementTree.fromstring(archive.read("word/document.xml")).itertext())


def _saved(client: FlaskClient, path: str, values: Typed) -> str:
    """Save one answer as the page does while one types, in sight of the one that stands."""
    answer = client.post(path, data={"value": list(values), "number": "1"})
    return "" if answer.status_code == 200 else answer.text


def _attached(trip: Trip, client: FlaskClient, at: str) -> None:
    role = "question_pdf"
    root_values = values_of(client, f"{at}/files")
    data = root_values | {"role": role, "file": (io.BytesIO(factory.PDF), "Plan „ä“.pdf")}
    trip.said["attach"] = str(client.post(f"{at}/files", data=data, content_type="multipart/form-data").status_code)
    trip.shown["pdf"] = text_of(client.get(f"{at}/print"))


def _shown(client: FlaskClient, reference: str) -> dict[str, str]:
    """What stands in the fields of the form afterwards, joined, and each answer on the page to print."""
    values = values_of(client, f"/applications/{reference}/sections/{SECTION}")
    found = {f"field {key}": "\n".join(values.get(f"answer_{key}", [])) for key in CASES}
    found["page"] = text_of(client.get(f"/applications/{reference}/sections/{SECTION}"))
    root = check_page(client.get(f"/applications/{reference}/print"))
    by_id = {each.get("id"): each for each in root.iter() if each.get("id")}
    for key in CASES:
        element = by_id.get(f"answer-{key}")
        found[key] = "" if element is None else " ".join(" ".join(element.itertext()).split())
    return found


def _offline(trip: Trip, client: FlaskClient, at: str, step: str, change: Callable[[bytes], bytes]) -> None:
    """Download, change, upload, look at the difference, and accept what it says."""
    kind = step.rpartition(" ")[2]
    data = change(client.get(f"{at}/form.{kind}").data)
    trip.files[step] = data
    upload = {"file": (io.BytesIO(data), f"form.{kind}")}
    shown = client.post(f"{at}/offline", data=upload, content_type="multipart/form-data")
    root = check_page(shown)
    ticks = [each.get("name", "") for each in root.iter() if each.get("type") == "checkbox"]
    trip.differed[step] = {name.removeprefix("take_") for name in ticks if name.startswith("take_")}
    words = "".join(root.itertext())
    trip.said[step] = " ".join(words.partition("What was not read")[2].partition("What “")[0].split())
    if trip.differed[step] and step.startswith("changed"):
        values = _hidden(root)
        taken = {f"take_{key}": ["y"] for key in trip.differed[step]}
        trip.said[f"accept {step}"] = str(
            client.post(f"{at}/offline/accept", data=values | taken, content_type="multipart/form-data").status_code
        )


def _hidden(root: ElementTree.Element) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in root.iter():
        if each.get("type") == "hidden" and each.get("name"):
            found.setdefault(str(each.get("name")), []).append(each.get("value") or "")
    return found


# --- somebody types into the files ----------------------------------------------------------------------------------

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def written_out(question: Question, values: Iterable[str]) -> list[list[str]]:
    """What a person writes for this answer: rows of cells for a table, else one line after the other."""
    given, labels = list(values), {choice.value: choice.label for choice in question.choices}
    if question.kind is K.TABLE:
        width = len(question.columns)
        return [given[start : start + width] for start in range(0, len(given), width)]
    if question.choices:
        return [[labels[value]] for value in given]
    return [[line] for value in given for line in value.split("\n")]


def in_document(data: bytes, definition: Definition, typed: Mapping[str, Typed]) -> bytes:
    """The Word file with other words in its boxes, a paragraph a line, as Word writes them."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "word/document.xml":
                root = ElementTree.fromstring(part)
                for table in root.iter(f"{_W}tbl"):
                    _fill(table, definition, typed)
                part = ElementTree.tostring(root)
            new.writestr(name, part)
    return made.getvalue()


def _fill(table: ElementTree.Element, definition: Definition, typed: Mapping[str, Typed]) -> None:
    asked, *boxes = table.findall(f"{_W}tr")
    key = next((key for key in typed if f"[field {key}:" in "".join(asked.itertext())), None)
    question = None if key is None else definition.question(key)
    if key is None or question is None:
        return
    cell = boxes[0].find(f"{_W}tc")
    assert cell is not None
    for paragraph in cell.findall(f"{_W}p"):
        cell.remove(paragraph)
    for row in written_out(question, typed[key]):
        paragraph = ElementTree.SubElement(cell, f"{_W}p")
        for number, words in enumerate(row):
            run = ElementTree.SubElement(paragraph, f"{_W}r")
            if number:
                ElementTree.SubElement(run, f"{_W}tab")
            ElementTree.SubElement(run, f"{_W}t").text = words


def in_workbook(data: bytes, definition: Definition, typed: Mapping[str, Typed]) -> bytes:
    """The workbook with other words in its cells, as somebody typed them."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for sheet in book.worksheets:
        for row in sheet.iter_rows(min_row=2) if sheet.title == "Answers" else ():
            key = str(row[4].value)
            question = definition.question(key)
            if question is not None and question.kind is not K.TABLE and key in typed:
                _write(row[3], "\n".join(words for (words,) in written_out(question, typed[key])))
        key = str(sheet["A1"].value).partition("[field ")[2].partition(":")[0]
        question = definition.question(key)
        if question is not None and key in typed:
            for row in sheet.iter_rows(min_row=6):
                for cell in row:
                    cell.value = None
            for number, cells in enumerate(written_out(question, typed[key]), 6):
                for place, words in enumerate(cells, 1):
                    _write(sheet.cell(number, place), words)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _write(cell: Cell, words: str) -> None:
    """Words typed into a cell that takes text: nothing in it is a formula."""
    cell.value = words
    cell.data_type = "s"
