"""What an upload really is and whether it is harmless, by its content; each refusal says what was found and the way out."""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

import filetype

from grants.core.errors import Invalid
from grants.core.file_types import DOCUMENTS, MEDIA, SAME_EXTENSION, WORDS, FileType, megabytes
from grants.core.pdf_checks import check_pdf

# An office file is a ZIP: what it may grow to when it is opened, and of how many parts it may be.
UNPACKED_BYTES_MAX = 300_000_000
UNPACKED_RATIO_MAX = 200
PARTS_MAX = 5_000
PART_READ_BYTES_MAX = 40_000_000
PIXELS_MAX = 60_000_000
TEXT_BYTES_MAX = 25_000_000
CHUNK_BYTES = 1_000_000


def check(path: Path, name: str, allowed: frozenset[FileType], pages_max: int | None = None) -> FileType:
    """The type of a file by its content, if it is allowed, harmless, short enough and named so; raises :class:`Invalid`."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    named = SAME_EXTENSION.get(extension, extension)
    with path.open("rb") as file:
        head = file.read(8_192)
    wanted = ", ".join(f".{kind}" for kind in FileType if kind in allowed)
    # Damaged or not: what is of another type anyway is named as that.
    glance = _at_a_glance(head, named)
    if glance is not None and glance not in allowed:
        raise Invalid(f"“{name}” is {WORDS[glance]}; here you can upload {wanted}.")
    try:
        found = _type_of(path, name, head, named, pages_max)
    except Invalid as error:
        raise _with_wanted(error, allowed, wanted) from error
    if found not in allowed:
        raise Invalid(f"“{name}” is {WORDS[found]}; here you can upload {wanted}.")
    if found != named:
        raise Invalid(
            f"“{name}” is {WORDS[found]} by its content, but its name ends in “.{extension}”. Rename it so that it ends in “.{found}”."
            if extension
            else f"“{name}” has no ending. It is {WORDS[found]}: rename it so that it ends in “.{found}”."
        )
    return found


_OFFICE = frozenset({FileType.DOCX, FileType.XLSX, FileType.ODT, FileType.ODS})


def _at_a_glance(head: bytes, named: str) -> FileType | None:
    """The type its first bytes tell; of a ZIP, which of the office files its name says, where it says one."""
    for mark, kind in (
        (b"%PDF-", FileType.PDF),
        (b"\x89PNG\r\n\x1a\n", FileType.PNG),
        (b"\xff\xd8\xff", FileType.JPEG),
    ):
        if head.startswith(mark):
            return kind
    return FileType(named) if head.startswith(b"PK\x03\x04") and named in _OFFICE else None


def _with_wanted(error: Invalid, allowed: frozenset[FileType], wanted: str) -> Invalid:
    """What is wrong with a file, with what is wanted where not everything is."""
    said = str(error)
    if allowed >= DOCUMENTS:
        return error
    if FileType.PDF not in allowed:
        said = said.removesuffix(" Save it as a PDF.").removesuffix(", or as a PDF.")
        said = said if said.endswith(".") else f"{said}."
    return Invalid(f"{said} Here you can upload {wanted}.")


def _type_of(path: Path, name: str, head: bytes, named: str, pages_max: int | None) -> FileType:
    if head.startswith(b"%PDF-"):
        check_pdf(path, name, pages_max)
        return FileType.PDF
    if head.startswith(b"PK\x03\x04"):
        return _look_into_zip(path, name)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise Invalid(
            f"“{name}” is locked with a password or in an old Office format. Save it without a password as .docx, .xlsx or PDF."
        )
    if head.startswith(b"\x89PNG\r\n\x1a\n") or head.startswith(b"\xff\xd8\xff"):
        return _look_into_image(path, name, head)
    other = filetype.guess(head)
    if other is not None:
        raise Invalid(f"“{name}” is of the type {other.mime}, which cannot be uploaded. Save it as a PDF.")
    return _look_into_text(path, name, named)


# ---------------------------------------------------------------------------------------------- office files


def _look_into_zip(path: Path, name: str) -> FileType:
    damaged = f"“{name}” is damaged: it cannot be opened. Save it again and upload that."
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            _refuse_bomb(parts, name, path.stat().st_size)
            _refuse_odd_names(parts, name)
            if any(part.flag_bits & 1 for part in parts):
                raise Invalid(f"“{name}” is locked with a password. Save it without one and upload it again.")
            names = {part.filename for part in parts}
            if "[Content_Types].xml" in names:
                found = _office_type(_small_part(archive, "[Content_Types].xml"), names, name)
                _refuse_what_reaches_out(archive, name)
            elif "mimetype" in names:
                found = _open_document_type(archive, names, name)
                _refuse_open_document_reaching_out(archive, names, name)
            else:
                raise Invalid(f"“{name}” is a ZIP archive. Upload the documents in it one by one.")
            _unpack_once(archive)
            return found
    except _DAMAGED:
        raise Invalid(damaged) from None


# How a damaged archive shows: the reader of ZIP files says NotImplementedError for a compression it does not know and
# RuntimeError for a wrong lock, zlib OSError; the disk itself was read before without complaint.
_DAMAGED = (
    zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, RuntimeError, ValueError,
    OSError, expat.ExpatError, MemoryError,
)  # fmt: skip


def _refuse_bomb(parts: list[zipfile.ZipInfo], name: str, size: int) -> None:
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    if len(parts) > PARTS_MAX or unpacked > UNPACKED_BYTES_MAX or unpacked > UNPACKED_RATIO_MAX * size + 1_000_000:
        raise Invalid(
            f"“{name}” would grow to {megabytes(unpacked)} in {len(parts)} parts when opened, more than a document needs. Save it again, or as a PDF."
        )
    # Parts that share their bytes: the sum says small, opening says huge.
    if packed > size:
        raise Invalid(f"“{name}” is damaged: its parts overlap. Save it again and upload that.")


# Endings of what a document must not bring along, whatever its own type.
_PROGRAMS = re.compile(
    r"\.(exe|dll|scr|com|msi|bat|cmd|ps1|vbs?|vbe|jse?|wsf|hta|lnk|jar|sh|docm|dotm|xlsm|xltm|xlsb|xlam|pptm)$",
    re.IGNORECASE,
)


def _refuse_odd_names(parts: list[zipfile.ZipInfo], name: str) -> None:
    """Parts that would be written outside their folder, hide one another, or are programs."""
    seen: set[str] = set()
    for part in parts:
        # ``orig_filename`` is what the archive says; zipfile itself cuts names at a NUL.
        said = part.orig_filename
        steps = said.split("/")
        outside = said.startswith("/") or ".." in steps or "\\" in said or "\0" in said or re.match(r"[A-Za-z]:", said)
        if outside or stat.S_ISLNK(part.external_attr >> 16):
            raise Invalid(
                f"“{name}” holds a part that would be written outside its own folder. No document needs that: save it again, or as a PDF."
            )
        if said.lower() in seen:
            raise Invalid(f"“{name}” is damaged: it holds the same part twice. Save it again and upload that.")
        seen.add(said.lower())
        if _PROGRAMS.search(said):
            raise Invalid(f"“{name}” has a program packed inside it. Take it out, or save the document as a PDF.")


def _unpack_once(archive: zipfile.ZipFile) -> None:
    """Read every part to its end in small pieces: what says it is small and is not, or is damaged, shows here."""
    for part in archive.infolist():
        with archive.open(part) as file:
            while file.read(CHUNK_BYTES):
                continue


def _small_part(archive: zipfile.ZipFile, part: str) -> bytes:
    with archive.open(part) as file:
        return file.read(2_000_000)


def _office_type(content_types: bytes, names: set[str], name: str) -> FileType:
    lower, small_names = content_types.lower(), {part.lower() for part in names}
    if b"macroenabled" in lower or b"vbaproject" in lower or any("vbaproject" in part for part in small_names):
        raise Invalid(f"“{name}” contains macros. Save it as .docx or .xlsx without macros, or as a PDF.")
    if any(part.startswith(("xl/macrosheets/", "xl/intlmacrosheets/", "xl/dialogsheets/")) for part in small_names):
        raise Invalid(f"“{name}” contains old macro sheets. Delete them, or save it as a PDF.")
    if any("/activex/" in part for part in small_names):
        raise Invalid(f"“{name}” contains programs (ActiveX controls). Save it as a PDF.")
    if b"wordprocessingml.document.main+xml" in lower and "word/document.xml" in names:
        return FileType.DOCX
    if b"spreadsheetml.sheet.main+xml" in lower and "xl/workbook.xml" in names:
        return FileType.XLSX
    raise Invalid(
        f"“{name}” is an Office file of a kind that cannot be uploaded (a template or a presentation). Save it as a PDF."
    )


# What a part of an office file may point to outside the file: only what a person clicks on.
_MAY_POINT_OUT = {"hyperlink"}
_REACHING_OUT = {
    "attachedtemplate": "loads its template from another place. In Word open “Document template” and attach “Normal”",
    "oleobject": "shows an object from another file. In Office choose “Edit links to files” and break the links",
    "externallink": "takes values from another workbook. In Excel choose “Edit links” and break them",
    "externallinkpath": "takes values from another workbook. In Excel choose “Edit links” and break them",
    "image": "loads a picture from another place. Insert the picture itself",
    "connections": "fetches data from another place. In Excel delete the connections under “Queries and connections”",
    "mailmergesource": "reads addresses from another file. Finish the mail merge first",
    "afchunk": "has another document packed inside it. Open it in Word and save it anew",
}


def _refuse_what_reaches_out(archive: zipfile.ZipFile, name: str) -> None:
    """Relationships that fetch something when the file is opened, packed objects, and fields that start programs."""
    for part in archive.namelist():
        small = part.lower()
        if small.endswith(".rels"):
            for kind, is_outside in _relationships(archive, part, name):
                never = kind in {"connections", "afchunk", "externallink"}
                if (is_outside and kind not in _MAY_POINT_OUT) or never:
                    said = _REACHING_OUT.get(kind, "loads something from another place when it is opened")
                    raise Invalid(f"“{name}” {said}, or save it as a PDF.")
        elif "/embeddings/" in small and small.endswith(".bin"):
            raise Invalid(f"“{name}” has an object of another program packed inside it. Save it as a PDF.")
        elif small.startswith("word/") and small.endswith(".xml") and (field := _reaching_field(archive, part, name)):
            raise Invalid(
                f"“{name}” contains a field that starts another program or fetches a file ({field}). "
                "Delete it, or save it as a PDF."
            )


def _relationships(archive: zipfile.ZipFile, part: str, name: str) -> list[tuple[str, bool]]:
    """Kind (the last word of its type, in small letters) and whether it points outside, of each relationship."""
    found: list[tuple[str, bool]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition("}")[2].rpartition(":")[2].lower() == "relationship":
            kind = attributes.get("Type", "").rpartition("/")[2].lower()
            found.append((kind, attributes.get("TargetMode", "").strip().lower() == "external"))

    _parse(archive, part, name, start)
    return found


# Fields of a text that reach out of it when it is opened or updated; a link to click may well say “link”.
_REACHING = re.compile(
    r"(?:^|\s)(DDE|DDEAUTO)(?:\s|$)|^\s*(INCLUDEPICTURE|INCLUDETEXT|IMPORT|LINK|DATABASE)(?:\s|$)",
    re.IGNORECASE | re.MULTILINE,
)


def _reaching_field(archive: zipfile.ZipFile, part: str, name: str) -> str | None:
    """The first field of a part of a text that reaches out of it, in one piece or cut into several."""
    said: list[str] = []
    inside = False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        inside = tag.endswith("instrText")
        if tag.endswith("fldSimple"):
            said.extend((next((text for key, text in attributes.items() if key.endswith("instr")), ""), "\n"))
        elif tag.endswith("fldChar") and not any(text == "separate" for text in attributes.values()):
            said.append("\n")

    def text(piece: str) -> None:
        if inside:
            said.append(piece)

    _parse(archive, part, name, start, text)
    found = _REACHING.search("".join(said))
    return (found[1] or found[2]).upper() if found else None


# What is called for each element that begins, and for each piece of text.
Starts = Callable[[str, dict[str, str]], None]
Says = Callable[[str], None]


def _parse(archive: zipfile.ZipFile, part: str, name: str, start: Starts, text: Says | None = None) -> None:
    """Run an XML part through the parser in pieces; a part that defines a document type or entities is refused."""

    def refuse(*_: object) -> None:
        raise Invalid(
            f"“{name}” defines its own XML entities, which no office program writes. Save it again, or as a PDF."
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    if text is not None:
        parser.CharacterDataHandler = text
    read = 0
    with archive.open(part) as file:
        while chunk := file.read(CHUNK_BYTES):
            read += len(chunk)
            if read > PART_READ_BYTES_MAX:
                raise Invalid(f"“{name}” has a part too large to be checked. Split the document, or save it as a PDF.")
            parser.Parse(chunk, False)
        parser.Parse(b"", True)


def _open_document_type(archive: zipfile.ZipFile, names: set[str], name: str) -> FileType:
    found = {MEDIA[kind].encode(): kind for kind in (FileType.ODT, FileType.ODS)}
    kind = found.get(_small_part(archive, "mimetype").strip())
    if kind is None or "content.xml" not in names:
        raise Invalid(f"“{name}” is not a text or a spreadsheet. Save it as .odt, .ods or PDF.")
    if "META-INF/manifest.xml" in names and b"encryption-data" in _small_part(archive, "META-INF/manifest.xml"):
        raise Invalid(f"“{name}” is locked with a password. Save it without one and upload it again.")
    if any(part.startswith(("Basic/", "Scripts/")) for part in names):
        raise Invalid(f"“{name}” contains macros. Save it without macros, or as a PDF.")
    return kind


def _refuse_open_document_reaching_out(archive: zipfile.ZipFile, names: set[str], name: str) -> None:
    """Scripts, and pictures, tables or objects fetched from elsewhere when the file is opened."""

    def start(tag: str, attributes: dict[str, str]) -> None:
        element = tag.rpartition(":")[2]
        if element in {"event-listener", "script"} and tag.startswith(("script:", "office:")):
            raise Invalid(f"“{name}” contains macros. Save it without macros, or as a PDF.")
        if element in {"dde-source", "dde-connection-decl", "dde-link", "database-source-sql", "table-source"}:
            raise Invalid(
                f"“{name}” takes data from another file. Break the links under “Edit”, “Links”, or save it as a PDF."
            )
        target = attributes.get("xlink:href", "")
        fetched = attributes.get("xlink:actuate") == "onLoad" or element in {"image", "object", "object-ole"}
        if fetched and re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|/|\\|\.\./", target):
            raise Invalid(f"“{name}” loads something from another place when it is opened. Break the links under “Edit”, “Links”, or save it as a PDF.")  # fmt: skip

    for part in sorted({"content.xml", "styles.xml"} & names):
        _parse(archive, part, name, start)


# ---------------------------------------------------------------------------------------------- pictures


def _look_into_image(path: Path, name: str, head: bytes) -> FileType:
    from PIL import Image, UnidentifiedImageError

    kind, format = (FileType.PNG, "PNG") if head.startswith(b"\x89PNG") else (FileType.JPEG, "JPEG")
    if kind is FileType.PNG:
        # Before the library sees it: a PNG says its size in its first bytes.
        _refuse_flood(int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big"), 1, name)
    try:
        with Image.open(path, formats=[format]) as image:
            width, height = image.size
            _refuse_flood(width, height, int(getattr(image, "n_frames", 1)), name)
            image.verify()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Invalid(_flood(name, "more")) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise Invalid(f"“{name}” is damaged: it cannot be shown. Save it again and upload that.") from None
    return kind


def _refuse_flood(width: int, height: int, frames: int, name: str) -> None:
    if width * height * frames > PIXELS_MAX:
        raise Invalid(_flood(name, f"{width * height * frames // 1_000_000} million"))


def _flood(name: str, many: str) -> str:
    return (
        f"“{name}” has {many} pixels; at most {PIXELS_MAX // 1_000_000} million pixels can be shown. "
        "Make the picture smaller."
    )


# ---------------------------------------------------------------------------------------------- plain text

_MARKUP = re.compile(r"\s*<(?:!doctype|!--|\?xml|html|head|body|svg|script|iframe|img)\b", re.IGNORECASE)


def _look_into_text(path: Path, name: str, named: str) -> FileType:
    if path.stat().st_size > TEXT_BYTES_MAX:
        raise Invalid(f"“{name}” is larger than {megabytes(TEXT_BYTES_MAX)}; split it.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        if named in ("csv", "txt"):
            raise Invalid(
                f"“{name}” is not in UTF-8. In Excel choose “CSV UTF-8”; elsewhere save it with the encoding UTF-8."
            ) from None
        raise Invalid(
            f"“{name}” is none of the types that can be uploaded, whatever its name says. Save it as a PDF."
        ) from None
    if _MARKUP.match(text):
        what = "a drawing (SVG)" if "<svg" in text[:2_000].lower() else "a web page or XML"
        raise Invalid(f"“{name}” is {what} by its content, whatever its name says. Save it as a PDF.")
    if any(ord(sign) < 32 and sign not in "\t\n\r\f" for sign in text):
        raise Invalid(f"“{name}” contains signs that no text has. Save it again as plain text, or as a PDF.")
    return FileType.CSV if named == "csv" else FileType.TXT
