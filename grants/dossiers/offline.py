"""A document as a Word or Excel file to be filled without the program, and read again; one box a question, found by its key.

The Word file is written and read with the standard library alone. Whoever hands a file over has looked into it first (``core.file_checks``
refuses bombs, macros and what reaches out); entities are refused here once more.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
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
    """What a filled file says: the answers that could be read, and what could not, each with its heading."""

    answers: tuple[Answer, ...]
    problems: tuple[str, ...]


# --- writing --------------------------------------------------------------------------------------------------


def written(title: str, notes: tuple[str, ...], definition: Definition, answers: Mapping[str, Answer]) -> bytes:
    """The whole form as DOCX, with limits, hints and guidance, and what was answered so far in its boxes."""
    body = [_paragraph(title, size=40, bold=True), *(_paragraph(note) for note in notes)]
    for section in definition.sections:
        body.append(_paragraph(section.title, size=30, bold=True))
        if section.intro:
            body.append(_paragraph(section.intro))
        for question in section.questions:
            if question.kind is not QuestionKind.FILE:
                body += [_box(question, answers.get(question.key, Answer(question.key))), _paragraph("")]
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


def _box(question: Question, answer: Answer) -> str:
    asked = [_paragraph(question.label, bold=True)]
    asked += [_paragraph(line, size=20) for line in _told(question)]
    asked.append(_paragraph(_mark(question.key), size=14, grey=True))
    given = [_block(block) for block in rules.paragraphs(as_text(question, answer))] or [_paragraph("")]
    edge = '<w:{0} w:val="single" w:sz="4" w:color="8A99A3"/>'
    edges = "".join(edge.format(side) for side in ("top", "left", "bottom", "right", "insideH"))
    rows = f"<w:tr>{_cell(asked, shade='EEF3F5')}</w:tr><w:tr>{_cell(given)}</w:tr>"
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="5000" w:type="pct"/><w:tblBorders>{edges}</w:tblBorders></w:tblPr>{rows}</w:tbl>'
    )


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
        case _:
            yield from ()
    yield from (f"What evaluators look for: {line}" for line in question.guidance)
    if not question.required:
        yield "Optional."


def _mark(key: str) -> str:
    return f"[field {key}: leave this line as it is]"


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
    for table in body.iter(_name("tbl")):
        rows = table.findall(_name("tr"))
        key = next((marks[line] for line in _lines(rows[0]) if line in marks), None) if rows else None
        if key is None or len(rows) < 2 or key in answers:
            continue
        answers[key], found = _given(known[key][1], _typed(rows[1], ordered), known[key][0])
        problems += found
    if not answers:
        raise Invalid(
            "No box of this form was found in the file. Download the form here, fill in its boxes, and upload that file."
        )
    for section, question in known.values():
        if question.key not in answers and question.kind is not QuestionKind.FILE:
            problems.append(f"{section.title}: the box “{question.label}” is missing; its answer is left as it is.")
    return Filled(tuple(answers.values()), (*problems, *_strays(body, definition)))


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


def _typed(row: ElementTree.Element, ordered: frozenset[tuple[str, str]] = frozenset()) -> str:
    """The paragraphs of a box: items of a list below each other, an empty line between all else."""
    found = ""
    last = BlockKind.PARAGRAPH
    counted: dict[tuple[str, str], int] = {}
    for paragraph in row.iter(_name("p")):
        words = _words(paragraph, marked=True).strip("\n")
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
        # Only long answers know bold and lists.
        plain = text if question.kind is QuestionKind.LONG else text.replace("**", "")
        # Only tables know tabs.
        plain = plain if question.kind is QuestionKind.TABLE else plain.replace("\t", " ")
        return rules.tidy(question, Answer(question.key, plain)), []
    where = f"{section.title}, “{question.label}”"
    lines = [line.replace("**", "").strip(" -\u2022\t") for line in text.split("\n")]
    if question.kind is QuestionKind.CONFIRMATION:
        said = " ".join(lines).strip(" .").casefold()
        wrong = (
            [] if said in _YES | _NO else [f"{where}: {quoted(said)} was not understood. Write “yes” to confirm it."]
        )
        return Answer(question.key, picked=(CONFIRMED,) if said in _YES else ()), wrong
    offered = {word.casefold(): choice.value for choice in question.choices for word in (choice.value, choice.label)}
    picked = [offered[line.casefold()] for line in lines if line.casefold() in offered]
    wrong = [
        f"{where}: {quoted(line)} is none of the answers offered."
        for line in lines
        if line and line.casefold() not in offered
    ]
    if question.kind is QuestionKind.CHOICE and len(set(picked)) > 1:
        wrong.append(f"{where}: more than one answer stands there; only one is taken.")
    return rules.tidy(question, Answer(question.key, picked=tuple(picked))), wrong


def _strays(body: ElementTree.Element, definition: Definition) -> list[str]:
    """Text outside the boxes, which is not read: said with the heading it stands under."""
    titles = {section.title for section in definition.sections}
    known = titles | {section.intro.strip() for section in definition.sections}
    heading, found = "", []
    for child in body.findall(_name("p")):
        words = _words(child, marked=False).strip()
        if words in titles:
            heading = words
        elif words and heading and words not in known:
            found.append(f"{heading}: text outside the boxes was not read: {quoted(words)}. Write it into a box.")
    return found[:STRAYS_SAID_MAX]


# --- as a workbook --------------------------------------------------------------------------------------------

_COLUMNS = (("Section", 22), ("Question", 40), ("What to write", 50), ("Your answer", 90), ("Field", 24))
_ANSWER, _FIELD = 3, 4
# A form has some dozen questions; what lies below is not looked at.
ROWS_READ_MAX = 2_000
# What one cell of a workbook can hold.
CELL_CHARACTERS_MAX = 32_767


def written_sheet(title: str, definition: Definition, answers: Mapping[str, Answer]) -> bytes:
    """The whole form as XLSX: a line a question, its answer in column D; text is never a formula."""
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
    line = 0
    for section in definition.sections:
        for question in section.questions:
            if question.kind is QuestionKind.FILE:
                continue
            line += 1
            told = "\n".join(_told(question))
            for column, text in enumerate((section.title, question.label, told)):
                sheet.write_string(line, column, text, wrapped)
            text = as_text(question, answers.get(question.key, Answer(question.key)))
            sheet.write_string(line, _ANSWER, text[:CELL_CHARACTERS_MAX], box)
            sheet.write_string(line, _FIELD, question.key, wrapped)
    book.close()
    return made.getvalue()


def read_sheet(data: bytes, definition: Definition) -> Filled:
    """What stands in column D of a filled workbook; each problem names its cell. Raises :class:`Invalid`."""
    known = {question.key: (section, question) for section in definition.sections for question in section.questions}
    answers: dict[str, Answer] = {}
    problems: list[str] = []
    for number, (key, value) in enumerate(_cells(data), start=1):
        if key not in known or key in answers:
            continue
        section, question = known[key]
        cell = f"Cell D{number}"
        if isinstance(value, str) and value.startswith("="):
            problems.append(f"{cell}, \u201c{question.label}\u201d: a formula is not read. Write its result.")
            continue
        answers[key], found = _given(question, _cell_text(value), section)
        problems += [f"{cell}: {each}" for each in found]
    if not answers:
        raise Invalid("No line of this form was found in the workbook. Download the form here, and fill in column D.")
    return Filled(tuple(answers.values()), tuple(problems))


def _cells(data: bytes) -> list[tuple[str, object]]:
    """Key and answer of each line of the first sheet."""
    lines = book_rows(data, columns_max=_FIELD + 1)
    return [(str(line[_FIELD] or ""), line[_ANSWER]) if len(line) > _FIELD else ("", None) for line in lines]


def book_rows(data: bytes, *, columns_max: int, sheet: str = "") -> list[tuple[object, ...]]:
    """The lines of the sheet of that name, or of the first one, as they stand: a formula is its text, never its result.

    Raises :class:`Invalid` for what is no workbook, or is too long; the file was looked into before (``core.file_checks``).
    """
    import openpyxl  # only where somebody hands a workbook over
    from openpyxl.utils.exceptions import InvalidFileException  # only where somebody hands a workbook over

    try:
        _look_into_parts(data)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
        found = book[sheet] if sheet in book.sheetnames else book.worksheets[0]
        return list(found.iter_rows(max_row=ROWS_READ_MAX, max_col=columns_max, values_only=True))
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
