"""What may be uploaded: the types, their names for people and for browsers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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


def megabytes(size: int) -> str:
    """A size for people.

    >>> megabytes(25_000_000)
    '25 MB'
    """
    return f"{size / 1_000_000:.3g} MB"


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What a file may be, said before it is chosen and checked when it comes."""

    types: frozenset[FileType]
    bytes_max: int
    # Pages can be counted in a PDF only, so where they are limited nothing else is taken.
    pages_max: int | None = None

    @property
    def words(self) -> str:
        """The limits in one phrase.

        >>> FileLimits(frozenset({FileType.PDF}), 5_000_000, 4).words
        'PDF, at most 5 MB, at most 4 pages'
        """
        said = [_alternatives(self.types), f"at most {megabytes(self.bytes_max)}"]
        return ", ".join([*said, _pages(self.pages_max)] if self.pages_max else said)

    @property
    def accept(self) -> str:
        """The same for the window in which a browser lets choose: ``.pdf,.docx``."""
        endings = [f".{kind}" for kind in FileType if kind in self.types]
        return ",".join([*endings, *(f".{other}" for other, kind in SAME_EXTENSION.items() if kind in self.types)])


NAMES = {
    FileType.PDF: "PDF",
    FileType.DOCX: "Word",
    FileType.XLSX: "Excel",
    FileType.ODT: "OpenDocument text",
    FileType.ODS: "OpenDocument spreadsheet",
    FileType.PNG: "PNG",
    FileType.JPEG: "JPEG",
    FileType.CSV: "CSV",
    FileType.TXT: "plain text",
}


def _alternatives(types: Iterable[FileType]) -> str:
    names = [NAMES[kind] for kind in FileType if kind in types]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _pages(number: int) -> str:
    return "at most 1 page" if number == 1 else f"at most {number} pages"


def words_of_limits(types: Iterable[FileType], *, megabytes_max: int | None, pages_max: int | None) -> str:
    """The limits somebody set in one phrase, whatever an installation takes besides; empty where there is none.

    >>> words_of_limits((), megabytes_max=5, pages_max=4)
    'PDF, at most 5 MB, at most 4 pages'
    """
    allowed = (FileType.PDF,) if pages_max else tuple(types)
    said = [_alternatives(allowed)] if allowed else []
    said += [f"at most {megabytes_max} MB"] if megabytes_max else []
    return ", ".join([*said, _pages(pages_max)] if pages_max else said)


def limits_of(
    types: Iterable[FileType], *, bytes_max: int, bytes_wanted: int | None, pages_max: int | None
) -> FileLimits:
    """The limits of one place for files: what is asked for there, never above what the installation takes."""
    allowed = frozenset({FileType.PDF}) if pages_max else frozenset(types) or DOCUMENTS
    return FileLimits(allowed, min(bytes_max, bytes_wanted or bytes_max), pages_max)
