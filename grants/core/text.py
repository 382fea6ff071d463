"""Text made fit for a purpose: folded to plain letters for a search, lines of CSV that no spreadsheet runs, and the other way. Pure."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from enum import Enum

from grants.core.errors import Invalid
from grants.core.money import Money

# Letters that carry no separable accent.
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})


# What turns the direction of reading of everything behind it, or is seen nowhere: embeddings, overrides and isolates,
# word joiners and invisible operators, annotations, tags. The marks that languages are written with (U+200C to U+200F) stay.
_TURNING = re.compile("[\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")


def without_turns(text: str) -> str:
    """Text without invisible signs that would show words in another order than they are stored.

    >>> without_turns("paid \u202e001\u202c")
    'paid 001'
    """
    return _TURNING.sub("", text)


def grouped(number: float, places: int = 0) -> str:
    """A number in groups of three with no-break spaces, as amounts are written, with so many decimals.

    >>> grouped(50_000), grouped(999), grouped(1234.5, 1)
    ('50\\xa0000', '999', '1\\xa0234.5')
    """
    return f"{number:,.{places}f}".replace(",", "\u00a0")


def ended(text: str) -> str:
    """A sentence with its stop; nothing stays nothing.

    >>> ended(" Write to us "), ended("Until when?"), ended(" ")
    ('Write to us.', 'Until when?', '')
    """
    said = text.strip()
    return said if said[-1:] in ".?!" else f"{said}."


def fold(text: str) -> str:
    """Lower case, without accents, spaces single.

    >>> fold("  Łódź  Kővárhely ")
    'lodz kovarhely'
    """
    parted = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return " ".join("".join(letter for letter in parted if not unicodedata.combining(letter)).split())


def _folding() -> tuple[str, str]:
    letters = [chr(code) for code in range(0xC0, 0x250)]
    pairs = [(letter, fold(letter)) for letter in letters if len(fold(letter)) == 1 and fold(letter) != letter]
    return "".join(letter for letter, _ in pairs), "".join(plain for _, plain in pairs)


# Letter for letter what fold() does to the Latin alphabets of Europe, for a database to do the same with a column.
FOLDED_FROM, FOLDED_TO = _folding()
FOLDED_TO_TWO = (("\u00df", "ss"), ("\u00e6", "ae"), ("\u0153", "oe"), ("\u00fe", "th"))


# What a spreadsheet would run as a formula when it opens a text file (OWASP ASVS 1.2.10), full-width signs too.
_RISKY = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
# The same behind a sign where a cell begins for a spreadsheet that was told another dialect than the file is written in.
_RISKY_WITHIN = {other: re.compile(f'(?<={other})(?="*[=+\\-@\uff1d\uff0b\uff0d\uff20])') for other in (";", ",")}


def inert(text: str, within: str = ";") -> str:
    """Text that no spreadsheet takes for a formula, not even where it begins a cell behind ``within``.

    >>> inert("=HYPERLINK(1)")
    "'=HYPERLINK(1)"
    >>> inert("a;=1+1"), inert("a,=1+1", ",")
    ("a;'=1+1", "a,'=1+1")
    """
    whole = _RISKY_WITHIN[within].sub("'", text) if within in text else text
    return f"'{whole}" if whole[:1] in _RISKY else whole


# Spreadsheets read a file as UTF-8 only when it begins with this; files for people have it, streams for programs do not.
CSV_MARK = "\ufeff"


class Dialect(Enum):
    """How a CSV is written: for programs (docs/decisions/0005), or for spreadsheets of Europe (docs/decisions/0033)."""

    PROGRAM = (",", ".", ";")
    SPREADSHEET = (";", ",", ",")

    def __init__(self, separator: str, point: str, other: str) -> None:
        self.separator, self.point, self.other = separator, point, other


# Text that a spreadsheet would read as a number, a day or a time, and show as another: 0017, 12.5, 1/2, 3E5, 01-02-03.
_LIKE_A_NUMBER = re.compile(r"\s*\d[\d\s.,:/\\-]*(?:[eE][+-]?\d+)?\s*%?\s*")


def csv_line(cells: Sequence[object]) -> str:
    """One line of CSV in the dialect for programs (docs/decisions/0005): comma, decimal point, ISO dates, CRLF.

    Text that a spreadsheet would run as a formula gets an apostrophe; amounts and numbers, negative ones too, stay numbers.

    >>> csv_line(["=1+1", Money(-150), date(2024, 5, 2), None, "Łódź"])
    "'=1+1,-1.50,2024-05-02,,Łódź\\r\\n"
    """
    return csv_lines([cells])


def csv_lines(rows: Iterable[Sequence[object]], dialect: Dialect = Dialect.PROGRAM) -> str:
    """Many lines of the same, which costs much less than one after the other.

    For spreadsheets a semicolon separates, amounts have a decimal comma, and text that looks like a number stays text.

    >>> csv_lines([["=1+1", Money(-150), date(2024, 5, 2), "0017", "Łódź"]], Dialect.SPREADSHEET)
    "'=1+1;-1,50;2024-05-02;'0017;Łódź\\r\\n"
    """
    written = io.StringIO()
    cell_of = _csv_cell if dialect is Dialect.PROGRAM else _spreadsheet_cell
    writer = csv.writer(written, lineterminator="\r\n", delimiter=dialect.separator)
    writer.writerows([cell_of(cell) for cell in cells] for cells in rows)
    return written.getvalue()


def _csv_cell(cell: object) -> str:
    # Most cells are text: they do not wait for the other questions.
    if type(cell) is str:
        return inert(cell) if cell[:1] in _RISKY or ";" in cell else cell
    return _typed_cell(cell, Dialect.PROGRAM)


def _spreadsheet_cell(cell: object) -> str:
    if not isinstance(cell, str):
        return _typed_cell(cell, Dialect.SPREADSHEET)
    return f"'{cell}" if _LIKE_A_NUMBER.fullmatch(cell) else inert(cell, Dialect.SPREADSHEET.other)


def _typed_cell(cell: object, dialect: Dialect) -> str:
    match cell:
        case None:
            return ""
        case Money():
            whole, cents = divmod(abs(cell.cents), 100)
            return f"{'-' if cell.cents < 0 else ''}{whole}{dialect.point}{cents:02d}"
        case datetime():
            return cell.astimezone(UTC).isoformat()
        case date():
            return cell.isoformat()
        case int():
            return str(cell)
        case _:
            return inert(str(cell), dialect.other)


# What is often chosen in the place of a list, by its first bytes: its encoding is not what is wrong with it.
_NO_LISTS = (
    (b"%PDF-", "a PDF"),
    (b"\x89PNG\r\n\x1a\n", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "locked with a password or in an old Office format"),
)


def decoded(data: bytes) -> str:
    """A CSV file as text; raises :class:`Invalid` for any other encoding than UTF-8, or UTF-16 with its mark.

    >>> decoded(b"%PDF-1.7 and so on")
    Traceback (most recent call last):
    grants.core.errors.Invalid: The file is a PDF. Save the list as CSV UTF-8 and upload that.
    """
    for mark, what in _NO_LISTS:
        if data.startswith(mark):
            raise Invalid(f"The file is {what}. Save the list as CSV UTF-8 and upload that.")
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if data.startswith(mark):
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError as error:
                line = data[: error.start].count(b"\n") + 1
                raise Invalid(
                    f"The file is not in UTF-8 (line {line}). Save it as “CSV UTF-8” and upload that."
                ) from error
            if "\0" in text:
                raise Invalid("The file is no text. Save the list as CSV UTF-8 and upload that.")
            return text
    raise AssertionError("the last mark is empty")


def csv_table(text: str) -> list[list[str]]:
    """The lines of a CSV with a comma, a semicolon or a tab; raises :class:`Invalid`."""
    body = text.lstrip("\ufeff")
    first = body.split("\n", 1)[0]
    delimiter = max(",;\t", key=lambda each: (first.count(each), each == ","))
    try:
        return [
            [cell.strip() for cell in row] for row in csv.reader(io.StringIO(body), delimiter=delimiter, strict=True)
        ]
    except csv.Error as error:
        raise Invalid(f"The file cannot be read as CSV: {error}. Save it as CSV again and upload that.") from error
