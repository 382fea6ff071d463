"""A world without one application: taken out of a test's own database with all that hangs on it, as if it had never been.

What somebody in conflict with it reads must be what they would read there. Whoever counts it for them tells of it.
"""

from __future__ import annotations

import csv
import html
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

import psycopg
from openpyxl import load_workbook
from pypdf import PdfReader
from werkzeug.test import TestResponse

# Marks within a line: what stands before and after them is one text.
_INLINE = re.compile(r"</?(?:a|b|code|em|small|span|strong|time)\b[^>]*>")
# What is no text, or not the same twice. And the newest deeds: the list has ten, so that one of them is withheld brings an
# older one up, of another application and with its numbers. Nothing is counted there; that what is withheld is not among
# them is proved by names and addresses (tests/no_route.py).
_UNSEEN = re.compile(
    r"<section aria-labelledby=\"lately\">.*?</section>|<(script|style|svg)\b.*?</\1>|<input type=\"hidden\"[^>]*>|<[^>]*>",
    re.DOTALL,
)
_NUMBER = re.compile(r"\d(?:[\d\u202f\u00a0 .,:]*\d)?")
# Sentences that say that something is kept from the reader, and why; what the machine says of itself; their own deeds.
_SAYS_SO = re.compile(
    r"conflict of interest|What you declared|With an application\.|closed to you|Disk: |oldest letter|^Server time| You took "
)

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_COLUMNS = """
SELECT c.table_name, c.column_name,
       EXISTS (SELECT FROM information_schema.columns AS key
               WHERE key.table_schema = 'public' AND key.table_name = c.table_name
                 AND key.column_name = 'id' AND key.data_type = 'uuid')
FROM information_schema.columns AS c JOIN information_schema.tables USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND table_type = 'BASE TABLE' AND c.data_type = 'uuid' AND c.is_generated = 'NEVER'
"""
# Rows that outlive what they point to: a meeting goes on without the item that is open.
_OUTLIVES = {"panel_meeting"}


def words_of(data: bytes) -> str:
    """All words of a file."""
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            return "\n".join(words_of(book.read(name)) for name in book.namelist())
    if data[:4] == b"%PDF":
        # A title may go on in the next line.
        return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages).split())
    return data.decode("utf-8", "replace")


def numbers_of(answer: TestResponse) -> Counter[str]:
    """Every number that a page or a PDF tells, and every cell of a list in a file."""
    if answer.mimetype == "application/pdf":
        return Counter(_NUMBER.findall(words_of(answer.get_data())))
    if answer.mimetype == WORKBOOK:
        book = load_workbook(io.BytesIO(answer.get_data()), read_only=True)
        rows = (row for sheet in book for row in sheet.iter_rows(values_only=True))
        return _cells(rows)
    if answer.mimetype not in ("text/html", "text/csv"):
        return Counter()
    text = answer.get_data(as_text=True)
    if answer.mimetype == "text/csv":
        return _cells(csv.reader(io.StringIO(text)))
    lines = html.unescape(_UNSEEN.sub("\n", _INLINE.sub("", text))).splitlines()
    return Counter(number for line in lines if not _SAYS_SO.search(line) for number in _NUMBER.findall(line))


def _cells(rows: Iterable[Sequence[object]]) -> Counter[str]:
    """Every cell of a list; of its first row, which names the columns, those with a number."""
    told = [[str(cell) for cell in row if cell not in (None, "")] for row in rows]
    heads = [cell for cell in (told[0] if told else ()) if _NUMBER.search(cell)]
    return Counter([*heads, *(cell for row in told[1:] for cell in row)])


def take_out(dsn: str, application_id: UUID) -> None:
    """Remove the application, whatever points to it, and whatever points to that; and count its call anew."""
    with psycopg.connect(dsn) as owner:
        owner.execute("SET session_replication_role = replica")
        counted = "UPDATE application_total AS t SET number = number - 1 FROM application AS a"
        owner.execute(f"{counted} WHERE a.id = %s AND t.call_id = a.call_id AND t.state = a.state", (application_id,))
        columns = owner.execute(_COLUMNS).fetchall()
        gone = new = {application_id}
        while new:
            found: set[UUID] = set()
            for table, column, has_id in columns:
                where = f"WHERE {column} = ANY(%s)"
                if table in _OUTLIVES:
                    if column != "id":
                        owner.execute(f"UPDATE {table} SET {column} = NULL {where}", (list(new),))
                    continue
                rows = owner.execute(
                    f"DELETE FROM {table} {where} RETURNING {'id' if has_id else 'NULL'}", (list(new),)
                )
                found |= {key for (key,) in rows if key is not None}
            new = found - gone
            gone = gone | new
