"""The form as a workbook: a line a question, its answer in column D, a sheet for each table."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from xml.parsers import expat

from grants.core.clock import long_date
from grants.core.errors import Invalid
from grants.dossiers import rules
from grants.dossiers.offline.boxes import (
    STRAYS_SAID_MAX,
    Filled,
    as_text,
    instructions,
    mark_of,
    marked_owner,
    owner_mark,
    plain_words,
    understood,
    when_asked,
    words_on_gone,
)
from grants.dossiers.offline.packed import MOMENT, PART_BYTES_MAX, refuse_odd
from grants.dossiers.rules import Answer, Definition, Question, QuestionKind

_COLUMNS = (("Section", 22), ("Question", 40), ("What to write", 50), ("Your answer", 90), ("Field", 24))
_QUESTION, _ANSWER, _FIELD, _OWNER = 1, 3, 4, 5
# A form has some dozen questions; what lies below is not looked at.
ROWS_READ_MAX = 2_000
# What one cell of a workbook can hold.
CELL_CHARACTERS_MAX = 32_767
# A question answered by a table has a sheet of its own: mark, question, what to write, an empty line, heads, rows.
_TABLE_ROWS_FROM = 5
# No form has more tables than this.
SHEETS_READ_MAX = 60


class Formula(str):
    """What stands in a cell as a formula; a text that only looks like one is text."""

    __slots__ = ()


def written_sheet(title: str, definition: Definition, answers: Mapping[str, Answer], *, whose: str = "") -> bytes:
    """The whole form as XLSX: a line a question, its answer in column D, and a sheet for each table; no text is a formula.

    ``whose`` is the reference of the one thing it may be uploaded for.
    """
    import xlsxwriter  # only where somebody asks for it

    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": title, "created": datetime(*MOMENT[:3])})
    bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    # As text, so that nothing typed is turned into a date or loses its zeros.
    box = book.add_format({"text_wrap": True, "valign": "top", "border": 1, "num_format": "@"})
    sheet = book.add_worksheet("Answers")
    for column, (name, width) in enumerate(_COLUMNS):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, name, bold)
    if whose:
        sheet.write_string(0, _OWNER, owner_mark(whose))
    sheet.freeze_panes(1, 0)
    line = tables = 0
    for section in definition.sections:
        for question in rules.with_answers(section, definition, answers, is_ahead=True).questions:
            line += 1
            answer = answers.get(question.key, Answer(question.key))
            text, told = as_text(question, answer), [*instructions(question), *when_asked(definition, question)]
            if question.kind is QuestionKind.TABLE:
                tables, text = tables + 1, ""
                name = f"Table {tables}"
                told = [each for each in told if not each.startswith("Write each row")]
                _write_table(book.add_worksheet(name), question, told, answer, (bold, wrapped, box))
                told.insert(0, f"Fill in the sheet “{name}”.")
            elif len(text) > CELL_CHARACTERS_MAX:
                text = ""
                told.append(
                    "What stands here is longer than a cell can hold: change it in the program or in the Word file."
                )
            for column, words in enumerate((section.title, question.label, "\n".join(told))):
                sheet.write_string(line, column, words, wrapped)
            if question.kind is not QuestionKind.FILE:
                sheet.write_string(line, _ANSWER, text, box)
                sheet.write_string(line, _FIELD, question.key, wrapped)
    book.close()
    return made.getvalue()


def _write_table(sheet: Any, question: Question, told: list[str], answer: Answer, looks: tuple[Any, Any, Any]) -> None:
    """The sheet of one table, with every row it may have."""
    bold, wrapped, box = looks
    rows = rules.table_rows(question, answer.text)
    sheet.set_column(0, len(question.columns) - 1, 30)
    sheet.write_string(0, 0, mark_of(question.key))
    sheet.write_string(1, 0, question.label, bold)
    sheet.write_string(2, 0, "\n".join(told), wrapped)
    for column, asked in enumerate(question.columns):
        sheet.write_string(_TABLE_ROWS_FROM - 1, column, asked.label, bold)
        for number in range(max(question.rows_max or rules.ROWS_MAX, len(rows))):
            words = rows[number][column] if number < len(rows) else ""
            sheet.write_string(_TABLE_ROWS_FROM + number, column, words[:CELL_CHARACTERS_MAX], box)


def read_sheet(data: bytes, definition: Definition, standing: Mapping[str, Answer] | None = None) -> Filled:
    """What stands in column D and in the sheets of tables of a filled workbook; each problem names its cell.

    ``standing`` are the answers that stand: what is too long for a cell was never in the file, so it was not cleared there.
    Raises :class:`Invalid`.
    """
    known = {question.key: (section, question) for section in definition.sections for question in section.questions}
    width = max([_OWNER + 1, *(len(question.columns) for _, question in known.values())])
    sheets = _book(data, columns_max=width)
    (_, first), *others = sheets
    answers: dict[str, Answer] = {}
    problems: list[str] = []
    gone: list[str] = []
    places: dict[str, str] = {}
    cleared: set[str] = set()
    in_part: set[str] = set()
    for number, line in enumerate(first, start=1):
        key, value = (str(line[_FIELD] or ""), line[_ANSWER]) if len(line) > _FIELD else ("", None)
        cell = f"Cell D{number}"
        if key not in known and number > 1 and key.strip():
            gone += [f"{cell}: {each}" for each in words_on_gone(str(line[_QUESTION] or ""), _cell_text(value))]
        if key not in known or key in answers:
            continue
        section, question = known[key]
        if isinstance(value, Formula):
            problems.append(f"{cell}, \u201c{plain_words(question)}\u201d: a formula is not read. Write its result.")
            continue
        answers[key], found = understood(question, _cell_text(value), section)
        places[key] = cell
        problems += [f"{cell}: {each}" for each in found]
        in_part |= {key} if found else set()
        if question.kind is not QuestionKind.TABLE and answers[key].empty and not found:
            cleared |= {key} if _fits_cell(question, (standing or {}).get(key)) else set()
    marks = {mark_of(key): question for key, (_, question) in known.items() if question.kind is QuestionKind.TABLE}
    for name, lines in others:
        asked = marks.get(str(lines[0][0])) if lines and lines[0] else None
        if asked is not None and not answers.get(asked.key, Answer(asked.key)).text:
            answers[asked.key], found = _table_given(asked, name, lines)
            places[asked.key] = f"Sheet \u201c{name}\u201d"
            problems += found
            in_part |= {asked.key} if found else set()
            cleared |= {asked.key} if answers[asked.key].empty and not found else set()
    if not answers:
        raise Invalid("No line of this form was found in the workbook. Download the form here, and fill in column D.")
    said = (*problems, *gone[:STRAYS_SAID_MAX])
    whose = (
        next((owner for cell in first[0][_OWNER:] if (owner := marked_owner(_cell_text(cell)))), "") if first else ""
    )
    return Filled(tuple(answers.values()), said, frozenset(cleared), places, frozenset(in_part), whose)


def _fits_cell(question: Question, answer: Answer | None) -> bool:
    return answer is None or len(as_text(question, answer)) <= CELL_CHARACTERS_MAX


def _table_given(question: Question, name: str, lines: list[tuple[object, ...]]) -> tuple[Answer, list[str]]:
    """The rows of a sheet as the answer they are kept as; a cell is one line of text."""
    rows, problems = [], []
    for number, line in enumerate(lines[_TABLE_ROWS_FROM:], start=_TABLE_ROWS_FROM + 1):
        row = []
        for place in range(len(question.columns)):
            value = line[place] if place < len(line) else None
            if isinstance(value, Formula):
                cell = f"{chr(ord('A') + place)}{number}" if place < 26 else f"column {place + 1}, row {number}"
                problems.append(f"{name}, {cell}: a formula is not read. Write its result.")
                value = None
            row.append(re.sub(r"\s+", " ", _cell_text(value)))
        rows.append(row)
    return rules.tidy(question, Answer(question.key, rules.table_text(rows))), problems


def book_rows(
    data: bytes, *, columns_max: int, sheet: str = "", rows_max: int = ROWS_READ_MAX
) -> list[tuple[object, ...]]:
    """The lines of the sheet of that name, or of the first one, as they stand: a formula is its text, never its result.

    Raises :class:`Invalid` for what is no workbook, or is too long; the file was looked into before (``core.file_checks``).
    """
    sheets = _book(data, columns_max=columns_max, rows_max=rows_max)
    return next((lines for name, lines in sheets if name == sheet), sheets[0][1])


def _book(
    data: bytes, *, columns_max: int, rows_max: int = ROWS_READ_MAX
) -> list[tuple[str, list[tuple[object, ...]]]]:
    """Name and lines of every sheet of a workbook, in order; there is at least one."""
    import openpyxl  # only where somebody hands a workbook over
    from openpyxl.utils.exceptions import InvalidFileException  # only where somebody hands a workbook over

    try:
        _look_into_parts(data)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
        found = [
            (
                sheet.title,
                [tuple(map(_cell_value, line)) for line in sheet.iter_rows(max_row=rows_max, max_col=columns_max)],
            )
            for sheet in book.worksheets[:SHEETS_READ_MAX]
        ]
        return [found[0], *found[1:]]
    except (
        InvalidFileException,
        KeyError,
        ValueError,
        IndexError,
        TypeError,
        # What it says of styles and sheets that are not there.
        AttributeError,
        OverflowError,
        zipfile.BadZipFile,
        SyntaxError,
        expat.ExpatError,
    ) as error:
        raise Invalid("The file cannot be read as a workbook. Save it as .xlsx again and upload that.") from error


def _cell_value(cell: Any) -> object:
    return Formula(cell.value) if cell.data_type == "f" else cell.value


def _look_into_parts(data: bytes) -> None:
    """The library reads whole parts at once, and entities too: both are looked at before."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [part for part in archive.infolist() if part.filename.lower().endswith((".xml", ".rels"))]
        if sum(part.file_size for part in parts) > PART_BYTES_MAX:
            raise Invalid(
                "The workbook is too long to be an answer to this form. Download the form here and fill it in."
            )
        for part in parts:
            refuse_odd(archive.read(part))


def _cell_text(value: object) -> str:
    """A cell as text, also where the spreadsheet took it for a number or a date."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return long_date(value.date())
        case _:
            return str(value)
