"""What may be uploaded: the types, their names for people and for browsers."""

from __future__ import annotations

from enum import StrEnum


class FileType(StrEnum):
    """What may be uploaded, by the extension a name must have."""

    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    ODT = "odt"
    ODS = "ods"
    PNG = "png"
    JPEG = "jpg"
    CSV = "csv"
    TXT = "txt"


MEDIA = {
    FileType.PDF: "application/pdf",
    FileType.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    FileType.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileType.ODT: "application/vnd.oasis.opendocument.text",
    FileType.ODS: "application/vnd.oasis.opendocument.spreadsheet",
    FileType.PNG: "image/png",
    FileType.JPEG: "image/jpeg",
    FileType.CSV: "text/csv",
    FileType.TXT: "text/plain",
}
WORDS = {
    FileType.PDF: "a PDF",
    FileType.DOCX: "a Word document",
    FileType.XLSX: "an Excel workbook",
    FileType.ODT: "an OpenDocument text",
    FileType.ODS: "an OpenDocument spreadsheet",
    FileType.PNG: "a PNG image",
    FileType.JPEG: "a JPEG image",
    FileType.CSV: "a CSV table",
    FileType.TXT: "plain text",
}
SAME_EXTENSION = {"jpeg": "jpg", "jpe": "jpg"}

DOCUMENTS: frozenset[FileType] = frozenset(FileType)
SHEETS: frozenset[FileType] = frozenset({FileType.XLSX, FileType.ODS, FileType.CSV})
IMAGES: frozenset[FileType] = frozenset({FileType.PNG, FileType.JPEG})


def megabytes(size: int) -> str:
    """A size for people.

    >>> megabytes(25_000_000)
    '25 MB'
    """
    return f"{size / 1_000_000:.3g} MB"
