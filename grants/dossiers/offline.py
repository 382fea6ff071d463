"""A document as a Word or Excel file to be filled without the program, and read again; one box a question, found by its key.

The Word file is written and read with the standard library alone. Whoever hands a file over has looked into it first (``core.file_checks``
refuses bombs, macros and what reaches out); entities are refused here once more.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat
from xml.sax.saxutils import escape

from grants.core.clock import long_date
from grants.core.errors import Invalid, quoted
from grants.dossiers import rules
from grants.dossiers.markup import Block, BlockKind, kind_of, runs
from grants.dossiers.rules import CONFIRMED, PICKED_KINDS, Answer, Definition, Question, QuestionKind, Section

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TYPES = (
    f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONS = (
    f'{_HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Target="word/document.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>'
)
# The same bytes whenever it is made.
_MOMENT = (2000, 1, 1, 0, 0, 0)
# Two signs that are no characters, which XML knows nothing of; control signs no text here has.
_NOT_IN_XML = re.compile("[\ufffe\uffff]")
_YES = frozenset({"yes", "confirmed", "x", "\u2612", "\u2611"})
_NO = frozenset({"", "no", "\u2610"})
PART_BYTES_MAX = 20_000_000
# A word in a table in a text box stands some thirty elements deep.
DEPTH_MAX = 100
# Of text that stands outside the boxes so much is repeated that it is found again.
STRAYS_SAID_MAX = 10


@dataclass(frozen=True, slots=True)
class Filled:
    """What a filled file says: the answers that could be read, and what could not, each with its heading.

    ``cleared`` are the questions whose box is there and holds nothing; ``places`` says in words where in the file each
    answer stands.
    """

    answers: tuple[Answer, ...]
    problems: tuple[str, ...]
    cleared: frozenset[str] = frozenset()
    places: Mapping[str, str] = field(default_factory=dict)


# --- writing --------------------------------------------------------------------------------------------------


def written(title: str, notes: tuple[str, ...], definition: Definition, answers: Mapping[str, Answer]) -> bytes:
    """The whole form as DOCX, with limits, hints and guidance, and what was answered so far in its boxes."""
    body = [_paragraph(title, size=40, bold=True), *(_paragraph(note) for note in notes)]
    for section in definition.sections:
        told = rules.with_answers(section, definition, answers, is_ahead=True)
        body.append(_paragraph(section.title, size=30, bold=True))
        if section.intro:
            body.append(_paragraph(told.intro))
        for question in told.questions:
            about = (*_told(question), *_when_asked(definition, question))
            body += [_box(question, about, answers.get(question.key, Answer(question.key))), _paragraph("")]
    document = f'{_HEAD}<w:document xmlns:w="{_W}"><w:body>{"".join(body)}</w:body></w:document>'
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("[Content_Types].xml", _TYPES),
            ("_rels/.rels", _RELATIONS),
            ("word/document.xml", document),
        ):
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), text, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _box(question: Question, about: tuple[str, ...], answer: Answer) -> str:
    """What is asked, and below it the place for the answer; a file has none, for a document holds no files."""
    asked = [_paragraph(question.label, bold=True)]
    asked += [_paragraph(line, size=20) for line in about]
    edge = '<w:{0} w:val="single" w:sz="4" w:color="8A99A3"/>'
    edges = "".join(edge.format(side) for side in ("top", "left", "bottom", "right", "insideH"))
    if question.kind is QuestionKind.FILE:
        rows = f"<w:tr>{_cell(asked, shade='EEF3F5')}</w:tr>"
    else:
        asked.append(_paragraph(_mark(question.key), size=14, grey=True))
        rows = f"<w:tr>{_cell(asked, shade='EEF3F5')}</w:tr><w:tr>{_cell(_answer(question, answer))}</w:tr>"
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="5000" w:type="pct"/><w:tblBorders>{edges}</w:tblBorders></w:tblPr>{rows}</w:tbl>'
    )


def _answer(question: Question, answer: Answer) -> list[str]:
    """The paragraphs of an answer: only a long one knows lists and bold, anything else stands there sign by sign."""
    text = as_text(question, answer)
    if question.kind is QuestionKind.LONG:
        return [_block(block) for block in rules.paragraphs(text)] or [_paragraph("")]
    if question.kind is QuestionKind.TABLE or question.choices:
        return [f"<w:p>{_run(line, '')}</w:p>" for line in text.split("\n")]
    lines = "<w:r><w:br/></w:r>".join(_run(line, "") for line in text.split("\n"))
    return [f"<w:p>{lines}</w:p>"]


def _when_asked(definition: Definition, question: Question) -> Iterator[str]:
    words = rules.condition_words(definition, question)
    if words:
        yield f"{words} Leave it empty otherwise."


def _told(question: Question) -> Iterator[str]:
    if question.hint:
        yield question.hint
    if question.words_max is not None:
        yield f"Up to {question.words_max} words."
    elif question.characters_max is not None:
        yield f"Up to {question.characters_max} characters."
    labels = "; ".join(choice.label for choice in question.choices)
    match question.kind:
        case QuestionKind.CHOICE:
            yield f"Write one of these: {labels}."
        case QuestionKind.MULTICHOICE:
            yield f"Write those that are right, each on a line of its own: {labels}."
        case QuestionKind.CONFIRMATION:
            yield "Write “yes” to confirm it."
        case QuestionKind.LONG:
            yield "Paragraphs, lists and bold words are kept."
        case QuestionKind.TABLE:
            columns = "; ".join(column.label for column in question.columns)
            yield f"Write each row on a line of its own, with a tab between its cells (in Word Ctrl and Tab): {columns}."
            yield f"Up to {question.rows_max or rules.ROWS_MAX} rows."
        case QuestionKind.FILE:
            limits = f" {question.file_words}." if question.file_words else ""
            yield f"A file: attach it in the program, on the page “Files”.{limits}"
        case _:
            yield from ()
    yield from (f"What evaluators look for: {line}" for line in question.guidance)
    if not question.required:
        yield "Optional."


def _mark(key: str) -> str:
    return f"[field {key}: leave this line as it is]"


_A_MARK = re.compile(r"\[field [^\]]{1,100}: leave this line as it is\]")


def _cell(paragraphs: list[str], *, shade: str = "") -> str:
    fill = f'<w:shd w:val="clear" w:color="auto" w:fill="{shade}"/>' if shade else ""
    return f'<w:tc><w:tcPr><w:tcW w:w="5000" w:type="pct"/>{fill}</w:tcPr>{"".join(paragraphs)}</w:tc>'


def _block(block: Block) -> str:
    """A paragraph with its lines, or each item of a list with its mark as typed."""
    if block.kind is BlockKind.PARAGRAPH:
        lines = "<w:r><w:br/></w:r>".join(_runs(line) for line in block)
        return f"<w:p>{lines}</w:p>"
    return "".join(f"<w:p>{_runs(line)}</w:p>" for line in block)


def _runs(line: str) -> str:
    return "".join(_run(run.text, "<w:b/>" if run.bold else "") for run in runs(line))


def _run(text: str, properties: str) -> str:
    said = escape(_NOT_IN_XML.sub("", text)).replace("\t", '</w:t><w:tab/><w:t xml:space="preserve">')
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{said}</w:t></w:r>'


def _paragraph(text: str, *, size: int = 22, bold: bool = False, grey: bool = False) -> str:
    heavy, colour = "<w:b/>" if bold else "", '<w:color w:val="8A99A3"/>' if grey else ""
    looks = f'{heavy}{colour}<w:sz w:val="{size}"/>'
    return f"<w:p>{_run(text, looks)}</w:p>" if text else "<w:p/>"


def as_text(question: Question, answer: Answer) -> str:
    """An answer as it stands in its box: labels for picks, each on a line of its own."""
    labels = {choice.value: choice.label for choice in question.choices}
    match question.kind:
        case QuestionKind.CHOICE | QuestionKind.MULTICHOICE:
            return "\n".join(labels.get(value, value) for value in answer.picked)
        case QuestionKind.CONFIRMATION:
            return "yes" if answer.picked else ""
        case _:
            return answer.text


# --- reading --------------------------------------------------------------------------------------------------


def read(data: bytes, definition: Definition) -> Filled:
    """What stands in the boxes of a filled file; raises :class:`Invalid` where it is no such form."""
    body, ordered = _body(data), _ordered_lists(data)
    known = {question.key: (section, question) for section in definition.sections for question in section.questions}
    marks = {_mark(key): key for key in known}
    answers: dict[str, Answer] = {}
    problems: list[str] = []
    gone: list[str] = []
    cleared: set[str] = set()
    for table in body.iter(_name("tbl")):
        rows = table.findall(_name("tr"))
        lines = _lines(rows[0]) if rows else []
        key = next((marks[line] for line in lines if line in marks), None)
        if len(rows) < 2 or key in answers:
            continue
        if key is None:
            if any(_A_MARK.fullmatch(line) for line in lines):
                gone += _gone(lines[0], _typed(rows[1], ordered, marked=False))
            continue
        section, question = known[key]
        words = _typed(rows[1], ordered, marked=question.kind is QuestionKind.LONG)
        answers[key], found = _given(question, words, section)
        problems += found
        cleared |= {key} if answers[key].empty and not found else set()
    if not answers:
        raise Invalid(
            "No box of this form was found in the file. Download the form here, fill in its boxes, and upload that file."
        )
    for section, question in known.values():
        if question.key not in answers and question.kind is not QuestionKind.FILE:
            problems.append(f"{section.title}: the box “{_plain(question)}” is missing; its answer is left as it is.")
    places = {key: known[key][0].title for key in answers}
    said = (*problems, *gone[:STRAYS_SAID_MAX], *_strays(body, definition))
    return Filled(tuple(answers.values()), said, frozenset(cleared), places)


def _gone(label: str, answer: str) -> list[str]:
    """What to say of an answer to a question that the form knows no more: nothing where nothing was written."""
    if not answer.strip():
        return []
    return [
        f"{quoted(label)} is not asked in this form, so its answer was not read: {quoted(answer.strip())}. "
        "Copy it to where it belongs now, if it does."
    ]


def _body(data: bytes) -> ElementTree.Element:
    broken = Invalid("The file cannot be read as a Word document. Save it as .docx again and upload that.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.getinfo("word/document.xml").file_size > PART_BYTES_MAX:
                raise Invalid("The text of the file is too long to be an answer to this form. Take pictures out of it.")
            text = archive.read("word/document.xml")
        _refuse_odd(text)
        body = ElementTree.fromstring(text).find(_name("body"))
    except (KeyError, ValueError, LookupError, zipfile.BadZipFile, ElementTree.ParseError, expat.ExpatError) as error:
        raise broken from error
    if body is None:
        raise broken
    return body


def _ordered_lists(data: bytes) -> frozenset[tuple[str, str]]:
    """Id and level of every list that Word numbers, from the file's table of lists; without one, all are bullets.

    A list points to its form, which says for each level how it counts; a list may say it otherwise for itself.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if "word/numbering.xml" not in archive.namelist():
            return frozenset()
        if archive.getinfo("word/numbering.xml").file_size > PART_BYTES_MAX:
            raise Invalid("The lists of the file are too long to be read. Copy the text into a new file.")
        part = archive.read("word/numbering.xml")
    try:
        _refuse_odd(part)
        root = ElementTree.fromstring(part)
    except (ElementTree.ParseError, expat.ExpatError) as error:
        raise Invalid("The file cannot be read as a Word document. Save it as .docx again and upload that.") from error
    forms = {each.get(_name("abstractNumId")): _counting_levels(each) for each in root.findall(_name("abstractNum"))}
    found = set()
    for each in root.findall(_name("num")):
        form, number = each.find(_name("abstractNumId")), each.get(_name("numId"), "")
        levels = dict(forms.get(form.get(_name("val")) if form is not None else None, {}))
        for override in each.findall(_name("lvlOverride")):
            levels |= _counting_levels(override)
        found |= {(number, level) for level, counts in levels.items() if counts}
    return frozenset(found)


def _counting_levels(form: ElementTree.Element) -> dict[str, bool]:
    """Whether each level of a list counts, in figures or letters, or only has a sign before each item."""
    found = {}
    for level in form.findall(_name("lvl")):
        kind = level.find(_name("numFmt"))
        found[level.get(_name("ilvl"), "0")] = kind is not None and kind.get(_name("val")) not in ("bullet", "none")
    return found


def _refuse_odd(part: bytes) -> None:
    """No entities of its own, and nothing packed into itself so deep that reading it would take for ever."""
    depth = 0

    def starts(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH_MAX:
            raise Invalid(
                f"Something in the file stands more than {DEPTH_MAX} times inside each other. "
                "Download the form again and write into its boxes."
            )

    def ends(*_: object) -> None:
        nonlocal depth
        depth -= 1

    def refuses(*_: object) -> None:
        raise Invalid("The file has its own XML entities, which are never read. Save it again and upload that.")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuses
    parser.StartElementHandler, parser.EndElementHandler = starts, ends
    parser.Parse(part, True)


def _name(tag: str) -> str:
    return f"{{{_W}}}{tag}"


def _lines(row: ElementTree.Element) -> list[str]:
    return [_words(paragraph, marked=False).strip() for paragraph in row.iter(_name("p"))]


def _typed(row: ElementTree.Element, ordered: frozenset[tuple[str, str]], *, marked: bool) -> str:
    """The paragraphs of a box: items of a list below each other, an empty line between all else; bold where marked."""
    found = ""
    last = BlockKind.PARAGRAPH
    counted: dict[tuple[str, str], int] = {}
    for paragraph in row.iter(_name("p")):
        words = _words(paragraph, marked=marked).strip("\n")
        if not words.strip():
            continue
        place = _place_in_list(paragraph)
        if place is not None and place in ordered:
            # What stands deeper begins anew below the next item.
            counted = {each: count for each, count in counted.items() if each[0] != place[0] or each[1] <= place[1]}
            counted[place] = counted.get(place, 0) + 1
            words = f"{min(counted[place], 999)}. {words.strip()}"
        elif place is not None:
            words = f"- {words.strip()}"
        kind = kind_of(words)
        is_next_item = kind is last and kind is not BlockKind.PARAGRAPH
        found += ("" if not found else "\n" if is_next_item else "\n\n") + words
        last = kind
    return found


def _place_in_list(paragraph: ElementTree.Element) -> tuple[str, str] | None:
    """Id and level of the list a paragraph is an item of; None for what is none. Word takes one out by the id 0."""
    numbering = paragraph.find(f"{_name('pPr')}/{_name('numPr')}")
    if numbering is None:
        return None
    number, level = numbering.find(_name("numId")), numbering.find(_name("ilvl"))
    which = number.get(_name("val"), "") if number is not None else ""
    return None if which == "0" else (which, level.get(_name("val"), "0") if level is not None else "0")


def _words(paragraph: ElementTree.Element, *, marked: bool) -> str:
    pieces: list[tuple[str, bool]] = []
    for run in paragraph.iter(_name("r")):
        text = "".join(
            child.text or "" if child.tag == _name("t") else "\n" if child.tag in (_name("br"), _name("cr")) else "\t"
            for child in run
            if child.tag in (_name("t"), _name("br"), _name("cr"), _name("tab"))
        )
        bold = run.find(f"{_name('rPr')}/{_name('b')}")
        is_bold = marked and bold is not None and bold.get(_name("val"), "1") not in ("0", "false", "off")
        if pieces and pieces[-1][1] == is_bold:
            pieces[-1] = (pieces[-1][0] + text, is_bold)
        else:
            pieces.append((text, is_bold))
    return "".join(_bold(text) if is_bold else text for text, is_bold in pieces)


def _bold(text: str) -> str:
    """Bold words with their stars, spaces outside, each line for itself.

    >>> _bold(" warm ")
    ' **warm** '
    """
    return "\n".join(
        line.replace(line.strip(), f"**{line.strip()}**", 1) if line.strip() else line for line in text.split("\n")
    )


def _given(question: Question, text: str, section: Section) -> tuple[Answer, list[str]]:
    """An answer from the words of its box, and what of them could not be read."""
    if question.kind not in PICKED_KINDS:
        # Only tables know tabs.
        plain = text if question.kind is QuestionKind.TABLE else text.replace("\t", " ")
        return rules.tidy(question, Answer(question.key, plain)), []
    where = f"{section.title}, “{_plain(question)}”"
    lines = [line.strip() for line in text.split("\n")]
    if question.kind is QuestionKind.CONFIRMATION:
        said = " ".join(lines).strip(" .-\u2022\t").casefold()
        wrong = (
            [] if said in _YES | _NO else [f"{where}: {quoted(said)} was not understood. Write “yes” to confirm it."]
        )
        return Answer(question.key, picked=(CONFIRMED,) if said in _YES else ()), wrong
    found = [(line, _choice_of(question, line)) for line in lines if line]
    picked = [value for _, value in found if value is not None]
    wrong = [f"{where}: {quoted(line)} is none of the answers offered." for line, value in found if value is None]
    if question.kind is QuestionKind.CHOICE and len(set(picked)) > 1:
        wrong.append(f"{where}: more than one answer stands there; only one is taken.")
    return rules.tidy(question, Answer(question.key, picked=tuple(picked))), wrong


def _choice_of(question: Question, line: str) -> str | None:
    """The choice a line names: by its words before the word it is kept as, and without the mark of a list at last."""
    by_label = {" ".join(choice.label.split()).casefold(): choice.value for choice in question.choices}
    by_value = {choice.value.casefold(): choice.value for choice in question.choices}
    for each in (line, line.strip(" -\u2022\t"), re.sub(r"^\d{1,3}[.)]\s+", "", line)):
        named = " ".join(each.split()).casefold()
        found = by_label.get(named) or by_value.get(named)
        if found is not None:
            return found
    return None


def _plain(question: Question) -> str:
    """The words of a question for a sentence about it, whatever earlier answer they tell."""
    return rules.ANSWER_NAMED.sub("\u2026", question.label)


def _strays(body: ElementTree.Element, definition: Definition) -> list[str]:
    """Text outside the boxes, which is not read: said with the heading it stands under."""
    titles = {section.title for section in definition.sections}
    # An introduction may tell an answer that has changed since.
    intros = [re.escape(section.intro.strip()) for section in definition.sections if section.intro.strip()]
    known = re.compile("|".join(re.sub(r"\\{answer:[a-z0-9_]+\\}", ".*", each) for each in intros) or "(?!)", re.DOTALL)
    heading, found = "", []
    for child in body.findall(_name("p")):
        words = _words(child, marked=False).strip()
        if words in titles:
            heading = words
        elif words and heading and not known.fullmatch(words):
            found.append(f"{heading}: text outside the boxes was not read: {quoted(words)}. Write it into a box.")
    return found[:STRAYS_SAID_MAX]


# --- as a workbook --------------------------------------------------------------------------------------------

_COLUMNS = (("Section", 22), ("Question", 40), ("What to write", 50), ("Your answer", 90), ("Field", 24))
_QUESTION, _ANSWER, _FIELD = 1, 3, 4
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


def written_sheet(title: str, definition: Definition, answers: Mapping[str, Answer]) -> bytes:
    """The whole form as XLSX: a line a question, its answer in column D, and a sheet for each table; no text is a formula."""
    import xlsxwriter  # only where somebody asks for it

    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": title, "created": datetime(*_MOMENT[:3])})
    bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    # As text, so that nothing typed is turned into a date or loses its zeros.
    box = book.add_format({"text_wrap": True, "valign": "top", "border": 1, "num_format": "@"})
    sheet = book.add_worksheet("Answers")
    for column, (name, width) in enumerate(_COLUMNS):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, name, bold)
    sheet.freeze_panes(1, 0)
    line = tables = 0
    for section in definition.sections:
        for question in rules.with_answers(section, definition, answers, is_ahead=True).questions:
            line += 1
            answer = answers.get(question.key, Answer(question.key))
            text, told = as_text(question, answer), [*_told(question), *_when_asked(definition, question)]
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
    sheet.write_string(0, 0, _mark(question.key))
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
    width = max([_FIELD + 1, *(len(question.columns) for _, question in known.values())])
    sheets = _book(data, columns_max=width)
    (_, first), *others = sheets
    answers: dict[str, Answer] = {}
    problems: list[str] = []
    gone: list[str] = []
    places: dict[str, str] = {}
    cleared: set[str] = set()
    for number, line in enumerate(first, start=1):
        key, value = (str(line[_FIELD] or ""), line[_ANSWER]) if len(line) > _FIELD else ("", None)
        cell = f"Cell D{number}"
        if key not in known and number > 1 and key.strip():
            gone += [f"{cell}: {each}" for each in _gone(str(line[_QUESTION] or ""), _cell_text(value))]
        if key not in known or key in answers:
            continue
        section, question = known[key]
        if isinstance(value, Formula):
            problems.append(f"{cell}, \u201c{_plain(question)}\u201d: a formula is not read. Write its result.")
            continue
        answers[key], found = _given(question, _cell_text(value), section)
        places[key] = cell
        problems += [f"{cell}: {each}" for each in found]
        if question.kind is not QuestionKind.TABLE and answers[key].empty and not found:
            cleared |= {key} if _fits_cell(question, (standing or {}).get(key)) else set()
    marks = {_mark(key): question for key, (_, question) in known.items() if question.kind is QuestionKind.TABLE}
    for name, lines in others:
        asked = marks.get(str(lines[0][0])) if lines and lines[0] else None
        if asked is not None and not answers.get(asked.key, Answer(asked.key)).text:
            answers[asked.key], found = _table_given(asked, name, lines)
            places[asked.key] = f"Sheet \u201c{name}\u201d"
            problems += found
            cleared |= {asked.key} if answers[asked.key].empty and not found else set()
    if not answers:
        raise Invalid("No line of this form was found in the workbook. Download the form here, and fill in column D.")
    return Filled(tuple(answers.values()), (*problems, *gone[:STRAYS_SAID_MAX]), frozenset(cleared), places)


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


def book_rows(data: bytes, *, columns_max: int, sheet: str = "") -> list[tuple[object, ...]]:
    """The lines of the sheet of that name, or of the first one, as they stand: a formula is its text, never its result.

    Raises :class:`Invalid` for what is no workbook, or is too long; the file was looked into before (``core.file_checks``).
    """
    sheets = _book(data, columns_max=columns_max)
    return next((lines for name, lines in sheets if name == sheet), sheets[0][1])


def _book(data: bytes, *, columns_max: int) -> list[tuple[str, list[tuple[object, ...]]]]:
    """Name and lines of every sheet of a workbook, in order; there is at least one."""
    import openpyxl  # only where somebody hands a workbook over
    from openpyxl.utils.exceptions import InvalidFileException  # only where somebody hands a workbook over

    try:
        _look_into_parts(data)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
        found = [
            (
                sheet.title,
                [tuple(map(_cell_value, line)) for line in sheet.iter_rows(max_row=ROWS_READ_MAX, max_col=columns_max)],
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
            _refuse_odd(archive.read(part))


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
