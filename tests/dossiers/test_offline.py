"""The form as a Word file: written, filled and read again; what is no such file is refused in words."""

from __future__ import annotations

import io
import time
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.core.errors import Invalid
from grants.core.file_checks import check
from grants.core.file_types import FileType
from grants.dossiers import markup, offline, rules
from grants.dossiers.markup import Run
from grants.dossiers.merging import Taking, proposed
from grants.dossiers.offline import packed
from grants.dossiers.rules import Answer, Choice, Column, Definition, Question, QuestionKind, Section

PICKS = (Choice("heat", "Thermal energy"), Choice("waste", "Waste & water"))
QUESTIONS = tuple(
    Question(
        kind.value,
        f"A {kind.value} question",
        kind,
        hint="Say it <plainly>.",
        words_max=150 if kind is QuestionKind.LONG else None,
        choices=PICKS if kind in (QuestionKind.CHOICE, QuestionKind.MULTICHOICE) else (),
        guidance=("Numbers count.",),
        columns=(Column("what", "What"), Column("where", "Where")) if kind is QuestionKind.TABLE else (),
    )
    for kind in QuestionKind
)
FORM = Definition((Section("first", "The first part", intro="Read this.", questions=QUESTIONS),))
ANSWERS = {
    "short": Answer("short", "Łódź & co <b>"),
    "long": Answer("long", "Our **warm** homes:\n\n- one\n- **two**\n\n1. first\n2. second\n\nLast\nline"),
    "number": Answer("number", "1 250"),
    "money": Answer("money", "1.250,50"),
    "date": Answer("date", "1 May 2027"),
    "choice": Answer("choice", picked=("waste",)),
    "multichoice": Answer("multichoice", picked=("heat", "waste")),
    "confirmation": Answer("confirmation", picked=("yes",)),
    "table": Answer("table", "Heat pump\tOld town\n- Pipes\t\n1. Wells\tHill"),
}


def changed(data: bytes, before: str, after: str) -> bytes:
    """The file with other words in it, as somebody typed them."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            assert name != "word/document.xml" or before in text
            new.writestr(name, text.replace(before, after, 1) if name == "word/document.xml" else text)
    return made.getvalue()


def test_every_kind_of_question_comes_back_as_it_was_written() -> None:
    filled = offline.read(offline.written("Form", ("A note",), FORM, ANSWERS), FORM)

    assert filled.problems == ()
    assert {each.question: each for each in filled.answers} == ANSWERS


def test_an_empty_form_holds_limits_and_guidance_and_no_answer(tmp_path: Path) -> None:
    data = offline.written("Form", (), FORM, {})

    read = offline.read(data, FORM).answers
    assert read and all(answer.empty for answer in read)
    text = zipfile.ZipFile(io.BytesIO(data)).read("word/document.xml").decode()
    for said in ("Up to 150 words.", "What evaluators look for: Numbers count.", "Say it &lt;plainly&gt;."):
        assert said in text
    file = tmp_path / "form.docx"
    file.write_bytes(data)
    assert check(file, "form.docx", frozenset({FileType.DOCX})) is FileType.DOCX
    assert data == offline.written("Form", (), FORM, {}), "the same bytes whenever it is made"


@settings(max_examples=60)
@given(st.text(alphabet="ab Łß&<>\"'*-1.\n", max_size=120))
def test_a_long_answer_loses_no_letter_on_its_way(text: str) -> None:
    question = next(each for each in QUESTIONS if each.kind is QuestionKind.LONG)
    answer = rules.tidy(question, Answer("long", text))

    back = {
        each.question: each for each in offline.read(offline.written("F", (), FORM, {"long": answer}), FORM).answers
    }

    letters = [letter for letter in answer.text if letter not in " \n*"]
    assert [letter for letter in back["long"].text if letter not in " \n*"] == letters


def test_lists_and_bold_of_word_itself_are_kept_and_other_looks_are_not() -> None:
    data = offline.written("Form", (), FORM, {"long": Answer("long", "MARK")})
    typed = (
        '</w:t></w:r></w:p><w:p><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>one</w:t></w:r></w:p>'
        '<w:p><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:rPr><w:b/><w:i/></w:rPr><w:t>two</w:t></w:r></w:p>'
        '<w:p><w:r><w:rPr><w:b w:val="0"/><w:color w:val="FF0000"/></w:rPr><w:t>end'
    )
    filled = offline.read(changed(data, "MARK", typed), FORM)

    assert next(each.text for each in filled.answers if each.question == "long") == "- one\n- **two**\n\nend"


NUMBERING = """<?xml version="1.0"?><w:numbering xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">
<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/></w:lvl><w:lvl w:ilvl="1"><w:numFmt w:val="lowerLetter"/></w:lvl></w:abstractNum>
<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num></w:numbering>"""


def with_part(data: bytes, name: str, text: str) -> bytes:
    made = io.BytesIO(data)
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr(name, text)
    return made.getvalue()


def item(words: str, number: int, level: int = 0) -> str:
    place = f'<w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr></w:pPr>'
    return f"<w:p>{place}<w:r><w:t>{words}</w:t></w:r></w:p>"


def test_a_list_that_word_numbers_stays_a_numbered_one() -> None:
    items = [item("one", 1), item("deep", 1, 1), item("two", 1), item("deep", 1, 1), item("dot", 2), item("plain", 0)]
    typed = f"</w:t></w:r></w:p>{''.join(items)}<w:p><w:r><w:t>"
    data = changed(offline.written("Form", (), FORM, {"long": Answer("long", "MARK")}), "MARK", typed)

    filled = offline.read(with_part(data, "word/numbering.xml", NUMBERING), FORM)

    text = next(each.text for each in filled.answers if each.question == "long")
    assert text == "1. one\n1. deep\n2. two\n1. deep\n\n- dot\n\nplain"


def test_a_table_of_lists_that_cannot_be_read_is_refused_in_words() -> None:
    data = offline.written("Form", (), FORM, {})
    for broken in ("<no", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'):
        with pytest.raises(Invalid):
            offline.read(with_part(data, "word/numbering.xml", broken), FORM)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("Waste &amp; water</w:t></w:r></w:p></w:tc>", "Sun</w:t></w:r></w:p></w:tc>", "The first part, “A choice question”: “Sun” is none"),
        (">yes<", ">perhaps<", "“perhaps” was not understood"),
        ("[field short", "[field other", "The first part: the box “A short question” is missing"),
        ("</w:tbl>", "</w:tbl><w:p><w:r><w:t>Forgotten words</w:t></w:r></w:p>", "The first part: text outside the boxes was not read: “Forgotten words”"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_by_its_heading(before: str, after: str, said: str) -> None:
    filled = offline.read(changed(offline.written("Form", (), FORM, ANSWERS), before, after), FORM)

    assert [problem for problem in filled.problems if said in problem], filled.problems


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"no archive", "cannot be read as a Word document"),
        (offline.written("Form", (), Definition(()), {}), "No box of this form"),
        (changed(offline.written("F", (), FORM, {}), "<w:document", "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><w:document"), "its own XML entities"),
        (changed(offline.written("F", (), FORM, {}), "</w:body>", "<w:body>"), "cannot be read as a Word document"),
    ],
)  # fmt: skip
def test_what_is_no_such_form_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        offline.read(data, FORM)


# --- the workbook ---------------------------------------------------------------------------------------------------


def in_sheet(data: bytes, **typed: object) -> bytes:
    """The workbook with answers typed into it by somebody."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for row in book.worksheets[0].iter_rows(min_row=2):
        if row[4].value in typed:
            row[3].value = typed[row[4].value]
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def test_every_kind_of_question_comes_back_from_a_workbook() -> None:
    filled = offline.read_sheet(offline.written_sheet("Form", FORM, ANSWERS), FORM)

    assert filled.problems == ()
    assert {each.question: each for each in filled.answers} == ANSWERS


def test_a_box_that_holds_nothing_is_told_from_one_that_is_missing_or_was_not_understood() -> None:
    without = {key: answer for key, answer in ANSWERS.items() if key not in ("long", "table", "confirmation")}
    document = offline.written("Form", (), FORM, without | {"choice": Answer("choice")})
    sheet = offline.written_sheet("Form", FORM, without)
    long = {"long": Answer("long", "x" * (offline.CELL_CHARACTERS_MAX + 1))}

    in_word = offline.read(changed(document, "[field short:", "[feld short:"), FORM)

    assert in_word.cleared == {"long", "table", "confirmation", "choice"}
    assert in_word.places["date"] == "The first part"
    assert offline.read_sheet(sheet, FORM).cleared == {"long", "table", "confirmation"}
    assert offline.read_sheet(sheet, FORM).places["date"] == "Cell D8"
    # What no cell could hold was left out by the program, not by a person.
    assert offline.read_sheet(sheet, FORM, long).cleared == {"table", "confirmation"}
    half = in_sheet(sheet, multichoice="Thermal energy\nSun")
    as_word = offline.written("Form", (), FORM, {"multichoice": Answer("multichoice", picked=("heat",))})
    assert offline.read_sheet(half, FORM).in_part == {"multichoice"} and not offline.read(as_word, FORM).in_part
    (asked,) = (each for each in QUESTIONS if each.kind is QuestionKind.MULTICHOICE)
    (given,) = (each for each in offline.read_sheet(half, FORM).answers if each.question == "multichoice")
    for in_part, taking in ((True, Taking.DOUBTFUL), (False, Taking.READ)):
        found = proposed(asked, number=0, standing=Answer("multichoice"), other=given, in_part=in_part)
        assert found is not None and (found.taking, bool(found.doubt)) == (taking, in_part)
    assert offline.read(changed(as_word, "Thermal energy</w:t>", "Sun</w:t>"), FORM).in_part == {"multichoice"}
    assert offline.read_sheet(in_sheet(sheet, choice="Sun", money="=1+1"), FORM).cleared == {
        "long",
        "table",
        "confirmation",
    }


def test_an_answer_to_what_is_not_asked_any_more_is_told_with_its_words_and_an_empty_one_is_not() -> None:
    shorter = Definition(
        (replace(FORM.sections[0], questions=tuple(each for each in QUESTIONS if each.key not in ("short", "date"))),)
    )
    answers = {key: answer for key, answer in ANSWERS.items() if key != "date"}
    said = (
        "“A short question” is not asked in this form, so its answer was not read: “Łódź & co <b>”. "
        "Copy it to where it belongs now, if it does."
    )

    document = offline.read(offline.written("A call", (), FORM, answers), shorter)
    workbook = offline.read_sheet(offline.written_sheet("A call", FORM, answers), shorter)

    assert document.problems == (said,) and workbook.problems == (f"Cell D2: {said}",)
    assert {each.question for each in document.answers} == {each.question for each in workbook.answers}


def test_what_a_spreadsheet_makes_of_numbers_dates_and_formulas_is_read_or_named_by_its_cell() -> None:
    empty = offline.written_sheet("Form", FORM, {})
    data = in_sheet(empty, number=1250, money="=1+1", date=datetime(2027, 5, 1), choice="Sun", confirmation=True)

    filled = offline.read_sheet(data, FORM)

    said = {each.question: each.text or each.picked for each in filled.answers}
    assert (said["number"], said["date"], said["confirmation"]) == ("1250", "1 May 2027", ("yes",))
    assert [problem.split(":")[0] for problem in filled.problems] == [
        "Cell D5, “A money question”",
        "Cell D6",
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"no archive", "cannot be read as a workbook"),
        (in_sheet(offline.written_sheet("F", Definition(()), {})), "No line"),
    ],
)
def test_what_is_no_such_workbook_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        offline.read_sheet(data, FORM)


def test_a_line_full_of_stars_is_read_in_no_time() -> None:
    started = time.monotonic()

    found = markup.runs("**a " * 25_000)

    assert found == (Run("**a " * 25_000),)
    assert time.monotonic() - started < 1
    assert markup.runs("**a** ****b** **c") == (Run("a", True), Run(" "), Run("**b", True), Run(" **c"))


def _repacked(made: bytes, part: str, content: bytes) -> bytes:
    """The archive with one part replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, content if name == part else source.read(name))
    return out.getvalue()


def test_tables_packed_into_each_other_a_thousand_times_are_refused_at_once() -> None:
    made = offline.written("F", (), FORM, {})
    deep = 20_000
    nested = f"{'<w:tbl><w:tr><w:tc>' * deep}<w:p/>{'</w:tc></w:tr></w:tbl>' * deep}"
    document = f'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{nested}</w:body></w:document>'
    started = time.monotonic()

    with pytest.raises(Invalid, match="inside each other"):
        offline.read(_repacked(made, "word/document.xml", document.encode()), FORM)

    assert time.monotonic() - started < 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_workbook_with_its_own_entities_is_refused(encoding: str) -> None:
    made = offline.written_sheet("F", FORM, {})
    entities = '<!DOCTYPE sst [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]>'
    strings = f'<?xml version="1.0" encoding="{encoding}"?>{entities}<sst><si><t>&b;</t></si></sst>'

    with pytest.raises(Invalid, match="XML entities"):
        offline.read_sheet(_repacked(made, "xl/sharedStrings.xml", strings.encode(encoding)), FORM)


def test_a_workbook_with_a_part_beyond_all_measure_is_refused_before_it_is_read() -> None:
    made = offline.written_sheet("F", FORM, {})

    with pytest.raises(Invalid, match="too long"):
        offline.read_sheet(_repacked(made, "xl/sharedStrings.xml", b" " * (packed.PART_BYTES_MAX + 1)), FORM)


@pytest.mark.filterwarnings("ignore:Workbook contains no")
@pytest.mark.parametrize(
    "workbook",
    [
        "<workbook/>",
        "<workbook",
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>',
        "<a/>",
    ],
)
@pytest.mark.parametrize(
    "part",
    ["xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "docProps/core.xml"],
)
def test_a_damaged_workbook_is_refused_in_words_or_read_and_never_an_error(part: str, workbook: str) -> None:
    made = offline.written_sheet("F", FORM, {"long": Answer("long", "x")})

    try:
        offline.read_sheet(_repacked(made, part, workbook.encode()), FORM)
    except Invalid as error:
        assert "workbook" in str(error)


def test_signs_no_xml_may_hold_are_left_out_of_the_form() -> None:
    made = offline.written("F\ufffe", (), FORM, {"long": Answer("long", "a\uffffb")})

    assert Answer("long", "ab") in offline.read(made, FORM).answers
