"""The form as a Word file, written and read with the standard library alone; one box a question, found by its mark."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from xml.etree import ElementTree
from xml.parsers import expat
from xml.sax.saxutils import escape

from grants.core.errors import Invalid, quoted
from grants.dossiers import rules
from grants.dossiers.markup import Block, BlockKind, kind_of, runs
from grants.dossiers.offline.boxes import (
    A_MARK,
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
# Two signs that are no characters, which XML knows nothing of; control signs no text here has.
_NOT_IN_XML = re.compile("[\ufffe\uffff]")


def written(
    title: str, notes: tuple[str, ...], definition: Definition, answers: Mapping[str, Answer], *, whose: str = ""
) -> bytes:
    """The whole form as DOCX, with limits, hints and guidance, and what was answered so far in its boxes.

    ``whose`` is the reference of the one thing it may be uploaded for.
    """
    body = [_paragraph(title, size=40, bold=True), *(_paragraph(note) for note in notes)]
    if whose:
        body.append(_paragraph(owner_mark(whose), size=14, grey=True))
    for section in definition.sections:
        told = rules.with_answers(section, definition, answers, is_ahead=True)
        body.append(_paragraph(section.title, size=30, bold=True))
        if section.intro:
            body.append(_paragraph(told.intro))
        for question in told.questions:
            about = (*instructions(question), *when_asked(definition, question))
            body += [_box(question, about, answers.get(question.key, Answer(question.key))), _paragraph("")]
    document = f'{_HEAD}<w:document xmlns:w="{_W}"><w:body>{"".join(body)}</w:body></w:document>'
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("[Content_Types].xml", _TYPES),
            ("_rels/.rels", _RELATIONS),
            ("word/document.xml", document),
        ):
            archive.writestr(zipfile.ZipInfo(name, MOMENT), text, zipfile.ZIP_DEFLATED)
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
        asked.append(_paragraph(mark_of(question.key), size=14, grey=True))
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


def read(data: bytes, definition: Definition) -> Filled:
    """What stands in the boxes of a filled file; raises :class:`Invalid` where it is no such form."""
    body, ordered = _body(data), _ordered_lists(data)
    known = {question.key: (section, question) for section in definition.sections for question in section.questions}
    marks = {mark_of(key): key for key in known}
    answers: dict[str, Answer] = {}
    problems: list[str] = []
    gone: list[str] = []
    cleared: set[str] = set()
    in_part: set[str] = set()
    for table in body.iter(_name("tbl")):
        rows = table.findall(_name("tr"))
        lines = _lines(rows[0]) if rows else []
        key = next((marks[line] for line in lines if line in marks), None)
        if len(rows) < 2 or key in answers:
            continue
        if key is None:
            if any(A_MARK.fullmatch(line) for line in lines):
                gone += words_on_gone(lines[0], _typed(rows[1], ordered, marked=False))
            continue
        section, question = known[key]
        words = _typed(rows[1], ordered, marked=question.kind is QuestionKind.LONG)
        answers[key], found = understood(question, words, section)
        problems += found
        in_part |= {key} if found else set()
        cleared |= {key} if answers[key].empty and not found else set()
    if not answers:
        raise Invalid(
            "No box of this form was found in the file. Download the form here, fill in its boxes, and upload that file."
        )
    for section, question in known.values():
        if question.key not in answers and question.kind is not QuestionKind.FILE:
            problems.append(
                f"{section.title}: the box “{plain_words(question)}” is missing; its answer is left as it is."
            )
    places = {key: known[key][0].title for key in answers}
    said = (*problems, *gone[:STRAYS_SAID_MAX], *_strays(body, definition))
    return Filled(tuple(answers.values()), said, frozenset(cleared), places, frozenset(in_part), _whose(body))


def _whose(body: ElementTree.Element) -> str:
    """What the form was downloaded for, from the first line that says it."""
    lines = (_words(child, marked=False) for child in body.findall(_name("p")))
    return next((owner for owner in map(marked_owner, lines) if owner), "")


def _body(data: bytes) -> ElementTree.Element:
    broken = Invalid("The file cannot be read as a Word document. Save it as .docx again and upload that.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.getinfo("word/document.xml").file_size > PART_BYTES_MAX:
                raise Invalid("The text of the file is too long to be an answer to this form. Take pictures out of it.")
            text = archive.read("word/document.xml")
        refuse_odd(text)
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
        refuse_odd(part)
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
