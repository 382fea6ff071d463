"""Files: stored once under their SHA-256, named and versioned by rows; uploads are checked by what they contain.

An upload is streamed and hashed before the act and renamed into the store inside it. Who may read a
file, and the audited act of reading a confidential one, belong to the stage that owns it.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

import filetype
from flask import current_app
from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, exists, func, select
from sqlalchemy.orm import Mapped, aliased, mapped_column
from werkzeug.datastructures import FileStorage

from grants.core import acts
from grants.core.db import DIGEST, Row, db, locked, points_to
from grants.core.errors import Invalid, NotFound, Problem, Refused


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


_MEDIA = {
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
_WORDS = {
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
_SAME_EXTENSION = {"jpeg": "jpg", "jpe": "jpg"}

DOCUMENTS: frozenset[FileType] = frozenset(FileType)
SHEETS: frozenset[FileType] = frozenset({FileType.XLSX, FileType.ODS, FileType.CSV})
IMAGES: frozenset[FileType] = frozenset({FileType.PNG, FileType.JPEG})

CHUNK_BYTES = 256 * 1024
NAME_CHARACTERS_MAX = 120
# An office file is a ZIP: what it may grow to when it is opened, and of how many parts it may be.
UNPACKED_BYTES_MAX = 300_000_000
UNPACKED_RATIO_MAX = 200
PARTS_MAX = 5_000
PIXELS_MAX = 60_000_000
TEXT_BYTES_MAX = 25_000_000
ORPHAN_AGE = timedelta(days=1)


class StoredFile(Row):
    """One version of a file of some object: an upload, or a file the program made."""

    __tablename__ = "stored_file"
    __table_args__ = (
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_form"),
        CheckConstraint("size_bytes >= 0", name="size_positive"),
        CheckConstraint("(version_no = 1) = (replaces_id IS NULL)", name="first_replaces_none"),
        CheckConstraint("name <> '' AND name !~ '[/\\\\[:cntrl:]]'", name="name_clean"),
        UniqueConstraint("replaces_id"),
        Index("ix_stored_file_object", "kind", "object_id", "role"),
    )

    kind: Mapped[str]
    object_id: Mapped[UUID]
    role: Mapped[str]
    name: Mapped[str] = mapped_column(info=DIGEST)
    media_type: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(index=True)
    version_no: Mapped[int]
    # The version before this one; the newest of a chain is the one that stands.
    replaces_id: Mapped[UUID | None] = mapped_column(points_to("stored_file.id"))
    removed_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None]


@dataclass(frozen=True, slots=True)
class Incoming:
    """An upload that was received and checked, waiting for its act. Equal bytes give equal values: a form sent twice is one."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FileView:
    """One version of a file as pages show it."""

    id: UUID
    kind: str
    object_id: UUID
    role: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    version_no: int
    created_at: datetime
    created_by: UUID | None


# ---------------------------------------------------------------------------------------------- receiving


def receive(upload: FileStorage, *, allowed: Iterable[FileType] = DOCUMENTS, bytes_max: int | None = None) -> Incoming:
    """Stream an upload to the disk, hash it and look into it, before any act; raises :class:`Invalid`."""
    name = clean_name(upload.filename or "")
    limit = bytes_max or current_app.config["UPLOAD_BYTES_MAX"]
    with _writing() as (temporary, file):
        digest, size = hashlib.sha256(), 0
        while chunk := upload.stream.read(CHUNK_BYTES):
            size += len(chunk)
            if size > limit:
                raise Invalid(f"“{name}” is larger than {_megabytes(limit)}. Make it smaller, or split it.")
            digest.update(chunk)
            file.write(chunk)
        if not size:
            raise Invalid(f"“{name}” is empty. Choose the file again.")
        file.flush()
        found = check(temporary, name, frozenset(allowed))
        os.fsync(file.fileno())
        sha256 = digest.hexdigest()
        os.replace(temporary, _incoming(sha256))
    return Incoming(name, _MEDIA[found], size, sha256)


@contextmanager
def _writing() -> Iterator[tuple[Path, IO[bytes]]]:
    """A temporary file that only this user can read, gone again when the block fails."""
    folder = _store() / "incoming"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = folder / f"{uuid4().hex}.part"
    try:
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w+b") as file:
            yield temporary, file
    except OSError as error:
        raise Refused(
            f"The file could not be stored: {(error.strerror or 'the disk does not answer').lower()}. Nothing was changed; try again later, and tell your administrator."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def clean_name(name: str) -> str:
    """The last part of a name, on one line, without characters that mislead; never empty, never a path.

    >>> clean_name("../../Work plan\\n2022.pdf")
    'Work plan 2022.pdf'
    """
    text = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    # Cc control, Cf format (bidi overrides turn "gpj.exe" round), Cs surrogates, Co private, Zl and Zp line ends.
    text = "".join(
        " " if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} else sign for sign in text
    )
    text = re.sub(r"\s+", " ", re.sub(r'[<>:"|?*]', "_", text)).strip(" .")
    stem, dot, extension = text.rpartition(".")
    if dot and len(extension) <= 10:
        return f"{stem[: NAME_CHARACTERS_MAX - len(extension) - 1].rstrip(' .') or 'file'}.{extension}"
    return text[:NAME_CHARACTERS_MAX] or "file"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.3g} MB"


# ---------------------------------------------------------------------------------------------- looking into files


def check(path: Path, name: str, allowed: frozenset[FileType]) -> FileType:
    """The type of a file by its content, if it is allowed, harmless and named so; raises :class:`Invalid`."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    named = _SAME_EXTENSION.get(extension, extension)
    with path.open("rb") as file:
        head = file.read(8_192)
    found = _type_of(path, name, head, named)
    if found not in allowed:
        wanted = ", ".join(f".{kind}" for kind in FileType if kind in allowed)
        raise Invalid(f"“{name}” is {_WORDS[found]}; here you can upload {wanted}.")
    if found != named:
        raise Invalid(
            f"“{name}” is {_WORDS[found]} by its content, but its name ends in “.{extension}”. Rename it so that it ends in “.{found}”."
            if extension
            else f"“{name}” has no ending. It is {_WORDS[found]}: rename it so that it ends in “.{found}”."
        )
    return found


def _type_of(path: Path, name: str, head: bytes, named: str) -> FileType:
    if head.startswith(b"%PDF-"):
        _look_into_pdf(path, name)
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


def _look_into_pdf(path: Path, name: str) -> None:
    import pikepdf

    try:
        with pikepdf.open(path) as pdf:
            if pdf.is_encrypted:
                raise Invalid(f"“{name}” is protected. Save it without a password or restrictions and upload it again.")
            if not len(pdf.pages):
                raise Invalid(f"“{name}” has no pages.")
            if _runs_something(pdf.Root):
                raise Invalid(
                    f"“{name}” contains a script or starts another program. Print it to a new PDF and upload that."
                )
    except pikepdf.PasswordError:
        raise Invalid(f"“{name}” is locked with a password. Save it without one and upload it again.") from None
    except pikepdf.PdfError:
        raise Invalid(f"“{name}” is damaged: it cannot be read as a PDF. Save it again and upload that.") from None


def _runs_something(root: Any) -> bool:
    """Whether the catalogue starts a script or a program when the file is opened."""
    names = root.get("/Names", {})
    if "/JavaScript" in names or "/AA" in root:
        return True
    action = root.get("/OpenAction")
    return hasattr(action, "keys") and str(action.get("/S", "")) in {"/JavaScript", "/Launch", "/ImportData"}


def _look_into_zip(path: Path, name: str) -> FileType:
    damaged = f"“{name}” is damaged: it cannot be opened. Save it again and upload that."
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            _refuse_bomb(parts, name, path.stat().st_size)
            if any(part.flag_bits & 1 for part in parts):
                raise Invalid(f"“{name}” is locked with a password. Save it without one and upload it again.")
            names = {part.filename for part in parts}
            if "[Content_Types].xml" in names:
                return _office_type(_small_part(archive, "[Content_Types].xml"), names, name)
            if "mimetype" in names:
                return _open_document_type(archive, names, name)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, RuntimeError, ValueError):
        raise Invalid(damaged) from None
    raise Invalid(f"“{name}” is a ZIP archive. Upload the documents in it one by one.")


def _refuse_bomb(parts: list[zipfile.ZipInfo], name: str, size: int) -> None:
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    if len(parts) > PARTS_MAX or unpacked > UNPACKED_BYTES_MAX or unpacked > UNPACKED_RATIO_MAX * size + 1_000_000:
        raise Invalid(
            f"“{name}” would grow to {_megabytes(unpacked)} in {len(parts)} parts when opened, more than a document needs. Save it again, or as a PDF."
        )
    # Parts that share their bytes: the sum says small, opening says huge.
    if packed > size:
        raise Invalid(f"“{name}” is damaged: its parts overlap. Save it again and upload that.")


def _small_part(archive: zipfile.ZipFile, part: str) -> bytes:
    with archive.open(part) as file:
        return file.read(2_000_000)


def _office_type(content_types: bytes, names: set[str], name: str) -> FileType:
    lower = content_types.lower()
    if b"macroenabled" in lower or b"vbaproject" in lower or any("vbaproject" in part.lower() for part in names):
        raise Invalid(f"“{name}” contains macros. Save it as .docx or .xlsx without macros, or as a PDF.")
    if any(part.startswith(("word/activeX/", "xl/activeX/")) for part in names):
        raise Invalid(f"“{name}” contains programs (ActiveX controls). Save it as a PDF.")
    if b"wordprocessingml.document.main+xml" in lower and "word/document.xml" in names:
        return FileType.DOCX
    if b"spreadsheetml.sheet.main+xml" in lower and "xl/workbook.xml" in names:
        return FileType.XLSX
    raise Invalid(
        f"“{name}” is an Office file of a kind that cannot be uploaded (a template or a presentation). Save it as a PDF."
    )


def _open_document_type(archive: zipfile.ZipFile, names: set[str], name: str) -> FileType:
    found = {_MEDIA[kind].encode(): kind for kind in (FileType.ODT, FileType.ODS)}
    kind = found.get(_small_part(archive, "mimetype").strip())
    if kind is None or "content.xml" not in names:
        raise Invalid(f"“{name}” is not a text or a spreadsheet. Save it as .odt, .ods or PDF.")
    if "META-INF/manifest.xml" in names and b"encryption-data" in _small_part(archive, "META-INF/manifest.xml"):
        raise Invalid(f"“{name}” is locked with a password. Save it without one and upload it again.")
    if any(part.startswith(("Basic/", "Scripts/")) for part in names):
        raise Invalid(f"“{name}” contains macros. Save it without macros, or as a PDF.")
    return kind


def _look_into_image(path: Path, name: str, head: bytes) -> FileType:
    from PIL import Image, UnidentifiedImageError

    kind, format = (FileType.PNG, "PNG") if head.startswith(b"\x89PNG") else (FileType.JPEG, "JPEG")
    try:
        with Image.open(path, formats=[format]) as image:
            width, height = image.size
            if width * height > PIXELS_MAX:
                raise Invalid(
                    f"“{name}” has {width * height // 1_000_000} million pixels; at most {PIXELS_MAX // 1_000_000} million can be shown. Make it smaller."
                )
            image.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Invalid(f"“{name}” is damaged: it cannot be shown. Save it again and upload that.") from None
    return kind


_MARKUP = re.compile(r"\s*<(?:!doctype|!--|\?xml|html|head|body|svg|script|iframe|img)\b", re.IGNORECASE)


def _look_into_text(path: Path, name: str, named: str) -> FileType:
    if path.stat().st_size > TEXT_BYTES_MAX:
        raise Invalid(f"“{name}” is larger than {_megabytes(TEXT_BYTES_MAX)}; split it.")
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


# ---------------------------------------------------------------------------------------------- keeping, inside an act


def keep(incoming: Incoming, *, kind: str, object_id: UUID, role: str, replaces: UUID | None = None) -> FileView:
    """Store a received file with an object, inside an act; the same name in the same role becomes its next version."""
    acts.running_act()
    _guard(incoming.sha256)
    target, waiting = _place(incoming.sha256), _incoming(incoming.sha256)
    if target.exists():
        # Known bytes: fresh again for the sweeper, and nothing to move.
        os.utime(target)
        waiting.unlink(missing_ok=True)
    elif waiting.exists():
        _move(waiting, target)
    else:
        raise Refused(f"“{incoming.name}” is no longer here: it waited too long. Choose the file again.")
    return _row(incoming, kind=kind, object_id=object_id, role=role, replaces=replaces)


def keep_bytes(
    data: bytes, *, name: str, media_type: str, kind: str, object_id: UUID, role: str, replaces: UUID | None = None
) -> FileView:
    """Store a file the program made, inside an act."""
    acts.running_act()
    sha256 = hashlib.sha256(data).hexdigest()
    _guard(sha256)
    target = _place(sha256)
    if target.exists():
        os.utime(target)
    else:
        with _writing() as (temporary, file):
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            _move(temporary, target)
    made = Incoming(clean_name(name), media_type, len(data), sha256)
    return _row(made, kind=kind, object_id=object_id, role=role, replaces=replaces)


def remove(file_id: UUID) -> None:
    """Take a file off its object, inside an act: the row and the bytes stay, nothing lists it any more."""
    locked(StoredFile, file_id).removed_at = acts.moment()


def _guard(sha256: str) -> None:
    """Until the act ends no sweeper looks at these bytes."""
    db.session.execute(select(func.pg_advisory_xact_lock(_lock_number(sha256))))


def _lock_number(sha256: str) -> int:
    return int.from_bytes(bytes.fromhex(sha256[:16]), "big", signed=True)


def _move(source: Path, target: Path) -> None:
    for folder in (target.parent.parent, target.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
    os.replace(source, target)
    # The rename itself must survive a power loss before the act's commit says that the file is there.
    for folder in (target.parent, target.parent.parent, _store()):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _row(incoming: Incoming, *, kind: str, object_id: UUID, role: str, replaces: UUID | None) -> FileView:
    before = _standing(kind, object_id, role, incoming.name) if replaces is None else locked(StoredFile, replaces)
    assert before is None or (before.kind, before.object_id, before.role) == (kind, object_id, role)
    row = StoredFile(
        kind=kind,
        object_id=object_id,
        role=role,
        name=incoming.name,
        media_type=incoming.media_type,
        size_bytes=incoming.size_bytes,
        sha256=incoming.sha256,
        version_no=1 if before is None else before.version_no + 1,
        replaces_id=None if before is None else before.id,
        created_by=acts.running_act().actor.user_id,
    )
    db.session.add(row)
    db.session.flush()
    return _view(row)


def _standing(kind: str, object_id: UUID, role: str, name: str) -> StoredFile | None:
    statement = _current().where(
        StoredFile.kind == kind, StoredFile.object_id == object_id, StoredFile.role == role, StoredFile.name == name
    )
    return db.session.scalars(statement.limit(1).with_for_update(of=StoredFile)).one_or_none()


# ---------------------------------------------------------------------------------------------- reading


def listed(kind: str, object_id: UUID, role: str | None = None) -> tuple[FileView, ...]:
    """The files that stand with an object, by role, name and age; older versions and removed files left out."""
    statement = _current().where(StoredFile.kind == kind, StoredFile.object_id == object_id)
    if role is not None:
        statement = statement.where(StoredFile.role == role)
    rows = db.session.scalars(statement.order_by(StoredFile.role, StoredFile.name, StoredFile.created_at).limit(1_000))
    return tuple(_view(row) for row in rows)


def versions(file_id: UUID) -> tuple[FileView, ...]:
    """A file and everything it replaced, newest first."""
    found = []
    following: UUID | None = file_id
    while following is not None:
        row = _get(following)
        found.append(_view(row))
        following = row.replaces_id
    return tuple(found)


def view(file_id: UUID) -> FileView:
    """One version of a file; raises :class:`NotFound`. The owner stage checks who may see it."""
    return _view(_get(file_id))


def path(file: FileView) -> Path:
    """Where the bytes lie; raises :class:`NotFound` when they are gone from the disk."""
    found = _place(file.sha256)
    if not found.is_file():
        raise NotFound("This file is not on the disk any more. Tell your administrator.")
    return found


def _get(file_id: UUID) -> StoredFile:
    row = db.session.scalars(select(StoredFile).where(StoredFile.id == file_id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def _current() -> Any:
    newer = aliased(StoredFile)
    return select(StoredFile).where(
        StoredFile.removed_at.is_(None), ~exists().where(newer.replaces_id == StoredFile.id)
    )


def _view(row: StoredFile) -> FileView:
    return FileView(
        row.id, row.kind, row.object_id, row.role, row.name, row.media_type, row.size_bytes, row.sha256,
        row.version_no, row.created_at, row.created_by,
    )  # fmt: skip


def _store() -> Path:
    return Path(current_app.config["GRANTS_HOME"]).absolute() / "files"


def _place(sha256: str) -> Path:
    return _store() / sha256[:2] / sha256[2:4] / sha256


def _incoming(sha256: str) -> Path:
    return _store() / "incoming" / sha256


# ---------------------------------------------------------------------------------------------- looking after the store


def sweep_orphans(older_than: timedelta = ORPHAN_AGE) -> int:
    """Delete uploads nobody kept and bytes no row names, once they are old enough; returns how many."""
    ended = time.time() - older_than.total_seconds()
    gone = 0
    for file in _store().glob("incoming/*"):
        gone += _delete_if_old(file, ended)
    for file in _store().glob("??/??/*"):
        if file.stat().st_mtime < ended:
            with acts.bookkeeping() as books:
                # The lock an act holds from looking at the bytes to its commit.
                books.scalar(select(func.pg_advisory_xact_lock(_lock_number(file.name))))
                if not books.scalar(select(exists().where(StoredFile.sha256 == file.name))):
                    gone += _delete_if_old(file, ended)
    return gone


def _delete_if_old(file: Path, ended: float) -> int:
    try:
        if file.stat().st_mtime >= ended:
            return 0
        file.unlink()
    except FileNotFoundError:
        return 0
    return 1


def verify() -> tuple[Problem, ...]:
    """Every stored file is on the disk with the bytes its row names; what is not, by name."""
    found = []
    statement = select(StoredFile.sha256, func.min(StoredFile.name)).group_by(StoredFile.sha256)
    for sha256, name in db.session.execute(statement.order_by(StoredFile.sha256)).all():
        place = _place(sha256)
        if not place.is_file():
            found.append(Problem(name, f"the file {sha256} is not on the disk"))
        elif _hash(place) != sha256:
            found.append(Problem(name, f"the file {sha256} has other bytes than it was stored with"))
    return tuple(found)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
