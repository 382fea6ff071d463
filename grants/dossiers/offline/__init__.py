"""A document as a Word or Excel file to be filled without the program, and read again.

Whoever hands a file over has looked into it first (``core.file_checks`` refuses bombs, macros and what reaches out).
"""

from __future__ import annotations

from grants.dossiers.offline.boxes import Filled
from grants.dossiers.offline.document import read, written
from grants.dossiers.offline.workbook import CELL_CHARACTERS_MAX, book_rows, read_sheet, written_sheet

__all__ = ["CELL_CHARACTERS_MAX", "Filled", "book_rows", "read", "read_sheet", "written", "written_sheet"]
