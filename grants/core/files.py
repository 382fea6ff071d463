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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from flask import current_app
from sqlalchemy import (
    CTE,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Index,
    ScalarSelect,
    Select,
    UniqueConstraint,
    exists,
    func,
    literal,
    select,
)  # fmt: skip
from sqlalchemy.orm import Mapped, aliased, mapped_column
from werkzeug.datastructures import FileStorage

from grants.core import acts, file_store, jobs, legal_holds, paging, scanning
from grants.core.db import DIGEST, Row, db, locked, points_to
from grants.core.errors import Invalid, NotFound, Problem, Refused
from grants.core.file_checks import check
from grants.core.file_types import DOCUMENTS, MEDIA, FileType, megabytes
from grants.core.paging import Page, Rows
from grants.core.scanning import Clearance, FileScan
from grants.core.together import Asking, ask, reader

CHUNK_BYTES = 256 * 1024
NAME_CHARACTERS_MAX = 120
ORPHAN_AGE = timedelta(days=1)
SCAN_JOB = "jobs.files.scan"


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
    # Came from somebody's machine; what the program made itself is not scanned.
    uploaded: Mapped[bool]


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
    replaces_id: UUID | None = None
    clearance: Clearance = Clearance.FREE


# ---------------------------------------------------------------------------------------------- receiving


def receive(
    upload: FileStorage,
    *,
    allowed: Iterable[FileType] = DOCUMENTS,
    bytes_max: int | None = None,
    pages_max: int | None = None,
    look: Callable[[Path, str], str] | None = None,
) -> Incoming:
    """Stream an upload to the disk, hash it and look into it, before any act; raises :class:`Invalid`.

    ``look`` looks into what is no document, instead of the usual checks, and says its media type.
    """
    name = clean_name(upload.filename or "")
    limit = bytes_max or current_app.config["UPLOAD_BYTES_MAX"]
    with file_store.writing() as (temporary, file):
        digest, size = hashlib.sha256(), 0
        while chunk := upload.stream.read(CHUNK_BYTES):
            size += len(chunk)
            if size > limit:
                raise Invalid(f"“{name}” is larger than {megabytes(limit)}. Make it smaller, or split it.")
            digest.update(chunk)
            file.write(chunk)
        if not size:
            raise Invalid(f"“{name}” is empty. Choose the file again.")
        file.flush()
        media_type = (
            MEDIA[check(temporary, name, frozenset(allowed), pages_max)] if look is None else look(temporary, name)
        )
        os.fsync(file.fileno())
        sha256 = digest.hexdigest()
        os.replace(temporary, file_store.incoming_of(sha256))
    return Incoming(name, media_type, size, sha256)


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


# ---------------------------------------------------------------------------------------------- keeping, inside an act


def keep(incoming: Incoming, *, kind: str, object_id: UUID, role: str, replaces: UUID | None = None) -> FileView:
    """Store a received file with an object, inside an act; the same name in the same role becomes its next version."""
    acts.running_act()
    _guard(incoming.sha256)
    target, waiting = file_store.place_of(incoming.sha256), file_store.incoming_of(incoming.sha256)
    if target.exists():
        # Known bytes: fresh again for the sweeper, and nothing to move.
        os.utime(target)
        waiting.unlink(missing_ok=True)
    elif waiting.exists():
        file_store.move(waiting, target)
    else:
        raise Refused(f"“{incoming.name}” is no longer here: it waited too long. Choose the file again.")
    kept = _row(incoming, kind=kind, object_id=object_id, role=role, replaces=replaces, uploaded=True)
    if scanning.is_on():
        ask_for_scan(kept.id)
    return kept


def ask_for_scan(file_id: UUID) -> None:
    """Queue the scan of an upload, inside an act; until it says “clean” nobody is handed the file."""
    jobs.queue(SCAN_JOB, subject=("stored_file", file_id), asker=jobs.Asker.PROGRAM, file_id=str(file_id))


def keep_bytes(
    data: bytes, *, name: str, media_type: str, kind: str, object_id: UUID, role: str, replaces: UUID | None = None
) -> FileView:
    """Store a file the program made, inside an act."""
    acts.running_act()
    sha256 = hashlib.sha256(data).hexdigest()
    _guard(sha256)
    target = file_store.place_of(sha256)
    if target.exists() and file_store.hash_of(target) == sha256:
        os.utime(target)
    else:
        # Bytes that were damaged on the disk are those again.
        with file_store.writing() as (temporary, file):
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            file_store.move(temporary, target)
    made = Incoming(clean_name(name), media_type, len(data), sha256)
    return _row(made, kind=kind, object_id=object_id, role=role, replaces=replaces, uploaded=False)


def keep_written(
    write: Callable[[IO[bytes]], None], *, name: str, media_type: str, kind: str, object_id: UUID, role: str
) -> FileView:
    """Store a large file the program makes, inside an act: ``write`` puts it on the disk, and it is never whole in memory."""
    acts.running_act()
    with file_store.writing() as (temporary, file):
        write(file)
        file.flush()
        os.fsync(file.fileno())
        size = file.seek(0, os.SEEK_END)
        sha256 = file_store.hash_of(temporary)
        _guard(sha256)
        target = file_store.place_of(sha256)
        if target.exists():
            os.utime(target)
        else:
            file_store.move(temporary, target)
    made = Incoming(clean_name(name), media_type, size, sha256)
    return _row(made, kind=kind, object_id=object_id, role=role, replaces=None, uploaded=False)


def remove(file_id: UUID) -> None:
    """Take a file off its object, inside an act: the row and the bytes stay, nothing lists it any more."""
    locked(StoredFile, file_id).removed_at = acts.moment()


def discard(file_id: UUID) -> None:
    """Take away for good, inside an act, what the program made for a while, with every version it replaced, newest first.

    The rows go, and with the next sweep bytes no other row names.
    """
    following: UUID | None = file_id
    while following is not None:
        row = locked(StoredFile, following)
        assert not row.uploaded, "what somebody brought is only taken off"
        following = row.replaces_id
        db.session.delete(row)


def _guard(sha256: str) -> None:
    """Until the act ends no sweeper looks at these bytes."""
    db.session.execute(select(func.pg_advisory_xact_lock(_lock_number(sha256))))


def _lock_number(sha256: str) -> int:
    return int.from_bytes(bytes.fromhex(sha256[:16]), "big", signed=True)


def _row(
    incoming: Incoming, *, kind: str, object_id: UUID, role: str, replaces: UUID | None, uploaded: bool
) -> FileView:
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
        uploaded=uploaded,
    )
    db.session.add(row)
    db.session.flush()
    return view_of(row, None)


def _standing(kind: str, object_id: UUID, role: str, name: str) -> StoredFile | None:
    statement = select(StoredFile).where(
        *_current(),
        StoredFile.kind == kind,
        StoredFile.object_id == object_id,
        StoredFile.role == role,
        StoredFile.name == name,
    )
    return db.session.scalars(statement.limit(1).with_for_update(of=StoredFile)).one_or_none()


# ---------------------------------------------------------------------------------------------- reading


@reader
def listed(kind: str, object_id: UUID, role: str | None = None) -> Asking[tuple[FileView, ...]]:
    """The files that stand with an object, by role, name and age; older versions and removed files left out."""
    statement = _seen().where(*_current(), StoredFile.kind == kind, StoredFile.object_id == object_id)
    if role is not None:
        statement = statement.where(StoredFile.role == role)
    statement = statement.order_by(StoredFile.role, StoredFile.name, StoredFile.created_at)
    rows = yield from ask(statement.limit(1_000))
    return tuple(view_of(row, row.last_verdict) for row in rows)


def listed_of(kind: str, object_ids: Collection[UUID]) -> tuple[FileView, ...]:
    """The files that stand with many objects, in one statement, for a list that says how large they are."""
    if not object_ids:
        return ()
    statement = _seen().where(*_current(), StoredFile.kind == kind, StoredFile.object_id.in_(object_ids))
    return tuple(view_of(row, verdict) for row, verdict in db.session.execute(statement))


# Of each file so many older versions stand on the page of an object; a page of its own has the others.
OLDER_SHOWN_MAX = 5


@reader
def listed_in(kind: str, object_ids: Select[Any]) -> Asking[tuple[FileView, ...]]:
    """The same for objects that a select gives, so that it can be asked beside the select itself."""
    rows = yield from ask(_seen().where(*_current(), StoredFile.kind == kind, StoredFile.object_id.in_(object_ids)))
    return tuple(view_of(row, row.last_verdict) for row in rows)


def chains(standing: Sequence[FileView]) -> tuple[tuple[FileView, ...], ...]:
    """Files that stand (:func:`listed`), each with the last versions it replaced, newest first.

    One statement, which reads no more than is shown, however often a file was replaced.
    """
    back = _back_from([file.id for file in standing], OLDER_SHOWN_MAX)
    rows = db.session.execute(_seen().where(StoredFile.id.in_(select(back.c.id))))
    found = {row.id: view_of(row, verdict) for row, verdict in rows}
    return tuple((file, *_older_in(file, found)) for file in standing)


def _older_in(file: FileView, found: Mapping[UUID, FileView]) -> Iterator[FileView]:
    at = found.get(file.replaces_id) if file.replaces_id else None
    while at is not None:
        yield at
        at = found.get(at.replaces_id) if at.replaces_id else None


def _back_from(file_ids: Collection[UUID], steps_max: int | None = None) -> CTE:
    """What files replaced, step by step: the id of each and how many steps before."""
    back = (
        select(StoredFile.replaces_id.label("id"), literal(1).label("steps"))
        .where(StoredFile.id.in_(file_ids), StoredFile.replaces_id.is_not(None))
        .cte("back", recursive=True)
    )
    older = aliased(StoredFile)
    next_step = (
        select(older.replaces_id, back.c.steps + 1)
        .join(back, older.id == back.c.id)
        .where(older.replaces_id.is_not(None))
    )
    return back.union_all(next_step if steps_max is None else next_step.where(back.c.steps < steps_max))


def older(file_id: UUID, asked: Page) -> Rows[FileView]:
    """What a file replaced, newest first, page by page; the owner stage has seen that it stands with an object of its."""
    back = _back_from([file_id])
    statement = _seen().where(StoredFile.id.in_(select(back.c.id)))
    if (last := asked.number) is not None:
        statement = statement.where(StoredFile.version_no < last)
    found = db.session.execute(statement.order_by(StoredFile.version_no.desc()).limit(asked.limit))
    return paging.cut(tuple(view_of(*each) for each in found), asked, key=lambda file: str(file.version_no))


def of_object(kind: str, object_id: UUID, sha256: str) -> FileView | None:
    """A file of that content which stands with an object, or which one that stands there replaced; None where none does."""
    newer, head, next_one = aliased(StoredFile), aliased(StoredFile), aliased(StoredFile)
    up = (
        select(StoredFile.id.label("start"), StoredFile.id.label("at"))
        .where(StoredFile.kind == kind, StoredFile.object_id == object_id, StoredFile.sha256 == sha256)
        .cte("up", recursive=True)
    )
    up = up.union_all(select(up.c.start, newer.id).join(up, newer.replaces_id == up.c.at))
    stands = (
        select(up.c.start)
        .join(head, head.id == up.c.at)
        .where(head.removed_at.is_(None), ~exists().where(next_one.replaces_id == head.id))
    )
    found = db.session.execute(
        _seen().where(StoredFile.id.in_(stands)).order_by(StoredFile.created_at.desc(), StoredFile.id).limit(1)
    ).one_or_none()
    return view_of(*found) if found else None


def view(file_id: UUID) -> FileView:
    """One version of a file; raises :class:`NotFound`. The owner stage checks who may see it."""
    found = db.session.execute(_seen().where(StoredFile.id == file_id)).one_or_none()
    if found is None:
        raise NotFound
    return view_of(*found)


def path(file: FileView) -> Path:
    """Where the bytes lie; raises :class:`NotFound` when they are gone from the disk."""
    found = file_store.place_of(file.sha256)
    if not found.is_file():
        raise NotFound("This file is not on the disk any more. Tell your administrator.")
    return found


def genuine(file: FileView) -> Path:
    """Where the bytes lie, once they are looked at; raises :class:`Refused` when they are not those that were stored,
    and for a file in quarantine.
    """
    match file.clearance:
        case Clearance.INFECTED:
            raise Refused(
                f"“{file.name}” is not handed out: the virus scanner found something harmful in it. "
                "Ask whoever attached it for a clean copy."
            )
        case Clearance.WAITING:
            raise Refused(
                f"“{file.name}” is not handed out yet: the virus scanner has not looked at it. "
                "That takes seconds as a rule; try again in a moment, and tell your administrator if it lasts."
            )
        case Clearance.FREE:
            found = path(file)
    if file_store.hash_of(found) != file.sha256:
        raise Refused(
            f"The bytes of “{file.name}” on the disk are not those it was stored with, so it is not handed out. "
            "Tell your administrator: a backup holds the file as it was."
        )
    return found


def _seen() -> Select[StoredFile, str | None]:
    """Files, each with what the scanner said of it last."""
    return select(StoredFile, last_verdict().label("last_verdict"))


def last_verdict() -> ScalarSelect[str]:
    """What the scanner said last of a file of the statement around it."""
    newest_first = select(FileScan.verdict).order_by(FileScan.created_at.desc(), FileScan.id)
    return newest_first.where(FileScan.file_id == StoredFile.id).limit(1).scalar_subquery()


# Made once: an alias made anew copies every column of its table.
_NEWER = aliased(StoredFile)


def _current() -> tuple[ColumnElement[bool], ...]:
    return StoredFile.removed_at.is_(None), ~exists().where(_NEWER.replaces_id == StoredFile.id)


def view_of(row: Any, verdict: str | None) -> FileView:
    """A row, and what the scanner said of it last, as the frozen view."""
    return FileView(
        row.id, row.kind, row.object_id, row.role, row.name, row.media_type, row.size_bytes, row.sha256,
        row.version_no, row.created_at, row.created_by, row.replaces_id,
        scanning.clearance(uploaded=row.uploaded, verdict=verdict),
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------- looking after the store


def sweep_orphans(older_than: timedelta = ORPHAN_AGE) -> int:
    """Delete uploads nobody kept and bytes no row names, once they are old enough; returns how many.

    While a legal hold stands the bytes stay, whoever they were of; uploads that never became a file were nobody's record.
    """
    ended = time.time() - older_than.total_seconds()
    gone = 0
    for file in file_store.store().glob("incoming/*"):
        gone += file_store.delete_if_old(file, ended)
    if legal_holds.keeps_everything():
        return gone
    for file in file_store.store().glob("??/??/*"):
        if file.stat().st_mtime < ended:
            with acts.bookkeeping() as books:
                # The lock an act holds from looking at the bytes to its commit.
                books.scalar(select(func.pg_advisory_xact_lock(_lock_number(file.name))))
                # A hold may have been set since the sweep began.
                kept = exists().where(StoredFile.sha256 == file.name) | legal_holds.any_stands()
                if not books.scalar(select(kept)):
                    gone += file_store.delete_if_old(file, ended)
    return gone


def verify() -> tuple[Problem, ...]:
    """Every stored file is on the disk with the bytes its row names; what is not, by name."""
    found = []
    statement = select(StoredFile.sha256, func.min(StoredFile.name)).group_by(StoredFile.sha256)
    for sha256, name in db.session.execute(statement.order_by(StoredFile.sha256)).all():
        place = file_store.place_of(sha256)
        if not place.is_file():
            found.append(Problem(name, f"the file {sha256} is not on the disk"))
        elif file_store.hash_of(place) != sha256:
            found.append(Problem(name, f"the file {sha256} has other bytes than it was stored with"))
    return tuple(found)
