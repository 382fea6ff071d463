"""What somebody types, made tidy and measured: words, lines, numbers, tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from grants.core.errors import Invalid
from grants.core.text import without_turns
from grants.dossiers.rules.values import (
    CHARACTERS_A_WORD,
    CHARACTERS_SLACK,
    COMMENT_CHARACTERS_MAX,
    CONFIRMED,
    LINES_MAX,
    PICKED_KINDS,
    Answer,
    Question,
    QuestionKind,
)

# Word's soft line break, form feed, and the two Unicode separators all mean a new line here.
_NEW_LINES = re.compile("\r\n|[\r\u000b\u000c\u0085\u2028\u2029]")

# Invisible at paste borders: zero-width space, soft hyphen. Joiners and marks of direction are letters of some languages.
_INVISIBLE = re.compile("[\u200b\u00ad]")

_CONTROL = re.compile("[\u0000-\u0008\u000e-\u001f\u007f-\u009f]")
# From the first letter or figure of what stands between spaces to its end.
_WORD = re.compile(r"[^\W_]\S*")


def clean_text(text: str) -> str:
    """Pasted text with one kind of line end and nothing invisible; the words stay as they are.

    >>> clean_text("a\\r\\nb\\x00\\u200bc")
    'a\\nbc'
    """
    plain_lines = _NEW_LINES.sub("\n", text)
    return unicodedata.normalize("NFC", _CONTROL.sub("", _INVISIBLE.sub("", without_turns(plain_lines)))).strip()


def count_words(text: str) -> int:
    """The number of words, as a person counts them: bullets and lone dashes are none, \u201cnet-zero\u201d is one.

    >>> count_words("\u2022 Net-zero by 2030 \u2013 together")
    4
    """
    return len(_WORD.findall(clean_text(text)))


def count_characters(text: str) -> int:
    """Characters as shown; a line end counts as one."""
    return len(clean_text(text))


def length_problem(what: str, text: str, words_max: int) -> str | None:
    """What is too long in a text with a limit in words: words, then characters, then lines; None if nothing is.

    >>> length_problem("The summary", "one two three", 2)
    'The summary has 3 words; the limit is 2. Cut 1 word.'
    """
    signs, signs_max = len(text), words_max * CHARACTERS_A_WORD + CHARACTERS_SLACK
    # Looked at first, but said last: a text of a million words is counted by its characters alone.
    words = count_words(text) if signs <= 10 * signs_max else 0
    if words > words_max:
        over = words - words_max
        return f"{what} has {words} words; the limit is {words_max}. Cut {over} {'word' if over == 1 else 'words'}."
    if signs > signs_max:
        return (
            f"{what} has {signs} characters; the limit is {words_max} words of together at most {signs_max} characters. "
            f"Cut {signs - signs_max}."
        )
    return lines_problem(what, text)


def lines_problem(what: str, text: str) -> str | None:
    """Whether a text has more lines than a page can show."""
    lines = text.count("\n") + 1
    if lines <= LINES_MAX:
        return None
    return f"{what} has {lines} lines; the limit is {LINES_MAX}. Take out empty lines."


def checked_comment(text: str) -> str:
    """A comment as it is kept; raises :class:`Invalid`."""
    made = clean_text(text)
    if not made:
        raise Invalid("Nothing was written.", {"comment": "Write what you want to say, then send it."})
    if len(made) > COMMENT_CHARACTERS_MAX:
        over = len(made) - COMMENT_CHARACTERS_MAX
        raise Invalid(
            "The comment was not sent.",
            {"comment": f"The comment has {len(made)} characters; the limit is {COMMENT_CHARACTERS_MAX}. Cut {over}."},
        )
    if sentence := lines_problem("The comment", made):
        raise Invalid("The comment was not sent.", {"comment": sentence})
    return made


_NUMBER = re.compile(
    r"^[-\u2212]?[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+(?:[.,][0-9]+)?$|^[-\u2212]?[0-9]+(?:[.,][0-9]+)?$"
)


def read_number(text: str) -> str:
    """A number in one spelling (``1234.5``); raises :class:`Invalid`. Numbers stay exact text, never floats.

    >>> read_number("1 234,5")
    '1234.5'
    """
    cleaned = text.strip()
    if not _NUMBER.match(cleaned):
        raise Invalid(
            f"\u201c{cleaned}\u201d is not a number. Write digits and at most one decimal mark, for example 1 250 or 12.5."
        )
    return re.sub("[ \u00a0\u202f]", "", cleaned).replace("\u2212", "-").replace(",", ".")


def read_typed(question: Question, values: Sequence[str]) -> Answer:
    """The values a browser sends for one question, as an answer: all of them for ticks, the first for anything else."""
    match question.kind:
        case QuestionKind.MULTICHOICE | QuestionKind.FILE:
            return Answer(question.key, picked=tuple(values))
        case QuestionKind.CHOICE:
            return Answer(question.key, picked=tuple(value for value in values[:1] if value))
        case QuestionKind.CONFIRMATION:
            return Answer(question.key, picked=(CONFIRMED,) if any(values) else ())
        case QuestionKind.TABLE:
            return Answer(question.key, _table_typed(question, values))
        case _:
            return Answer(question.key, values[0] if values else "")


def as_typed(question: Question, answer: Answer) -> tuple[str, ...]:
    """The other way round: what a browser would send to give this answer."""
    if question.kind is QuestionKind.TABLE:
        return tuple(cell for row in table_rows(question, answer.text) for cell in row)
    return answer.picked if question.kind in PICKED_KINDS else (answer.text,)


def tidy(question: Question, answer: Answer) -> Answer:
    """The answer as it is stored: text cleaned, picks limited to what the question offers."""
    if question.kind is QuestionKind.TABLE:
        return Answer(question.key, table_text(table_rows(question, answer.text)))
    if question.kind not in PICKED_KINDS:
        return Answer(question.key, clean_text(answer.text))
    match question.kind:
        case QuestionKind.CHOICE | QuestionKind.MULTICHOICE:
            offered = [choice.value for choice in question.choices if choice.value in answer.picked]
            kept = offered[:1] if question.kind is QuestionKind.CHOICE else offered
        case QuestionKind.CONFIRMATION:
            kept = [CONFIRMED] if CONFIRMED in answer.picked else []
        case _:
            kept = list(answer.picked)
    return Answer(question.key, picked=tuple(kept))


ROWS_MAX = 50


def table_rows(question: Question, text: str) -> tuple[tuple[str, ...], ...]:
    """The rows of a table as it is kept: a line for each row, a tab between cells, as a spreadsheet copies them.

    Rows without a word are left out; a row has a cell for each column, and what lies beyond joins the last one.

    >>> from grants.dossiers.rules.values import Column
    >>> table_rows(Question("a", "A", QuestionKind.TABLE, columns=(Column("x", "X"), Column("y", "Y"))), "1\\t2\\n\\n3")
    (('1', '2'), ('3', ''))
    """
    width, found = max(len(question.columns), 1), []
    for line in _NEW_LINES.sub("\n", text).split("\n"):
        cells = [clean_text(cell) for cell in line.split("\t")]
        row = (*cells[: width - 1], " ".join(filter(None, cells[width - 1 :])), *[""] * (width - len(cells)))
        if any(row):
            found.append(row[:width])
    return tuple(found)


def table_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows as they are kept: the other way round."""
    return "\n".join("\t".join(row) for row in rows)


def _table_typed(question: Question, values: Sequence[str]) -> str:
    """Cells as a form sends them, row by row; one value alone is a whole table as it was pasted."""
    width = max(len(question.columns), 1)
    if len(values) == 1:
        return values[0]
    cells = [re.sub(r"\s+", " ", value) for value in values]
    return table_text(cells[start : start + width] for start in range(0, len(cells), width))
