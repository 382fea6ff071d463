"""Signed checkpoints of the audit record: drawn inside an act, written to files nobody overwrites, compared ever after.

A chain alone shows neither that its tail was cut nor that it was laid anew as a whole; a checkpoint that left the
system shows both. Who may ask for one and who is sent it belongs to the stages above.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID, uuid4

from flask import current_app
from sqlalchemy import BigInteger, CheckConstraint, Select, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from grants.core import acts, audit, audit_offline, clock, home, signing
from grants.core.audit import AuditSeal, ChainCheck
from grants.core.audit_offline import GENESIS, Fault, Note, Notes, Unreadable
from grants.core.db import NOT_AUDITED, Row, db, points_to
from grants.core.errors import NotFound, Refused
from grants.core.paging import Page, Rows, cut
from grants.core.signing import Signer

_LOCK = 7_261_003


class AuditKey(Row):
    """A public key that signs or once signed checkpoints; it stays known for ever."""

    __tablename__ = "audit_key"
    # One line of keys with one beginning.
    __table_args__ = (UniqueConstraint("replaces_id", postgresql_nulls_not_distinct=True),)

    # One line, as ``audit_offline.key_text`` writes it.
    public_key: Mapped[str] = mapped_column(unique=True)
    replaces_id: Mapped[UUID | None] = mapped_column(points_to("audit_key.id"))


class AuditCheckpoint(Row):
    """What was signed: how many events were sealed (positions have no gaps), the hash of the last, when, by which key."""

    __tablename__ = "audit_checkpoint"
    __table_args__ = (
        CheckConstraint("head ~ '^[0-9a-f]{64}$'", name="head_form"),
        CheckConstraint("position > 0", name="position_from_one"),
        UniqueConstraint("previous_id", postgresql_nulls_not_distinct=True),
    )

    position: Mapped[int] = mapped_column(BigInteger, points_to("audit_seal.position"), unique=True)
    head: Mapped[str]
    made_at: Mapped[datetime]
    key_id: Mapped[UUID] = mapped_column(points_to("audit_key.id"))
    previous_id: Mapped[UUID | None] = mapped_column(points_to("audit_checkpoint.id"))
    # The whole note with its signatures, as it left; its facts stand in the columns beside it.
    note: Mapped[str] = mapped_column(info=NOT_AUDITED)


class OldKey(StrEnum):
    """Whether the key that is replaced can still sign for its successor."""

    HERE = "here"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class CheckpointView:
    """A checkpoint as pages and letters show it."""

    id: UUID
    position: int
    head: str
    made_at: datetime
    key: str
    note: str

    @property
    def short_key(self) -> str:
        return self.key.split("+")[1]

    @property
    def file_name(self) -> str:
        record = self.note.partition("\n")[0].rpartition("/")[2]
        return f"checkpoint-{record}-{self.position:012d}.txt"


# --- Drawing one, inside an act -------------------------------------------------------------------------------------


def draw(signers: tuple[Signer, ...] = ()) -> CheckpointView:
    """Sign what is sealed now. The events since the last checkpoint are recomputed first: a broken chain is not signed.

    Without ``signers`` the key at hand signs. The first of them is the key from here on: where it is new, its first
    checkpoint carries the signature of the one before it too, unless that is lost.
    """
    acts.running_act()
    # Two at once: the second waits, and signs what the first one's act left to sign.
    db.session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    audit.seal_pending()
    known, last = _current_key(), _last_row()
    signers = signers or (signing.at_hand(known.public_key if known else None),)
    position, head = _head_since(last)
    key = _key_row(signers[0], known)
    if last is not None and position == last.position and key is known:
        return _view(last, key)
    before = (0, GENESIS) if last is None else (last.position, _signed_digest(last.note))
    text = audit_offline.note_text(
        _record(), position, head, made=_as_text(acts.moment()), after=before, key=signers[0].key
    )
    row = AuditCheckpoint(
        position=position,
        head=head.hex(),
        made_at=acts.moment(),
        key_id=key.id,
        previous_id=None if last is None else last.id,
        note=text + "\n" + "".join(signer.line(text) for signer in signers),
    )
    db.session.add(row)
    db.session.flush()
    return _view(row, key)


def signers_of_new_key(old: OldKey) -> tuple[Signer, ...]:
    """A key that was just made, and the one it follows, if that is still there to sign it."""
    known = _current_key()
    if known is None:
        raise Refused("No checkpoint was signed yet, so there is no key to replace. Make a checkpoint first.")
    before: tuple[Signer, ...] = ()
    # First, since it also ends a replacement whose file did not follow: the key made then is the present one by now.
    with suppress(Refused) if old is OldKey.LOST else nullcontext():
        before = (signing.at_hand(known.public_key),)
    following = signing.successor()
    if following.key in keys():
        raise Refused(
            f"{signing.place_of_next()} holds no new key but one that signed this record already. Remove that file, then "
            "replace the key."
        )
    return (following, *before) if old is OldKey.HERE else (following,)


def _head_since(last: AuditCheckpoint | None) -> tuple[int, bytes]:
    """The last position and its hash, recomputed from the last checkpoint on."""
    position, head = (0, GENESIS) if last is None else (last.position, bytes.fromhex(last.head))
    sealed = db.session.scalar(select(AuditSeal.hash).where(AuditSeal.position == position))
    fault = "" if last is None or sealed == head else f"Position {position} is not what the last checkpoint proves."
    with closing(audit.entries(position)) as chain:
        for entry in chain:
            fault = fault or audit_offline.fault_at(position + 1, head, entry)
            if fault:
                break
            position, head = entry.position, entry.hash
    if fault:
        raise Refused(f"No checkpoint is signed over a record that does not hold. {fault}")
    if not position:
        raise Refused("Nothing is on the record yet, so there is nothing to sign.")
    return position, head


def _record() -> str:
    return audit_offline.record_name(db.session.scalars(select(AuditSeal.hash).where(AuditSeal.position == 1)).one())


def _as_text(moment: datetime) -> str:
    return f"{clock.as_utc(moment):%Y-%m-%dT%H:%M:%S.%fZ}"


def _key_row(signer: Signer, known: AuditKey | None) -> AuditKey:
    if known is not None and known.public_key == signer.key:
        return known
    row = AuditKey(public_key=signer.key, replaces_id=known.id if known else None)
    db.session.add(row)
    return row


def _signed_digest(note: str) -> bytes:
    return audit_offline.notes_of(note, "the last checkpoint")[0].digest


# --- Reading --------------------------------------------------------------------------------------------------------


def last() -> CheckpointView | None:
    """The checkpoint made last."""
    return next(iter(_views(_newest_first().limit(1))), None)


def page(asked: Page) -> Rows[CheckpointView]:
    """Checkpoints, newest first; a page goes on after the position of the last one."""
    statement = _newest_first()
    if (shown := asked.number) is not None:
        statement = statement.where(AuditCheckpoint.position < shown)
    return cut(_views(statement.limit(asked.limit)), asked, key=lambda each: str(each.position))


def at(position: int) -> CheckpointView:
    """The checkpoint over exactly so many positions; raises :class:`NotFound`."""
    found = _views(_newest_first().where(AuditCheckpoint.position == position))
    if not found:
        raise NotFound
    return found[0]


def covering(position: int) -> CheckpointView | None:
    """The first checkpoint that covers a position."""
    statement = _with_keys().where(AuditCheckpoint.position >= position).order_by(AuditCheckpoint.position).limit(1)
    return next(iter(_views(statement)), None)


def every() -> Iterator[CheckpointView]:
    """All checkpoints in order, streamed."""
    statement = _with_keys().order_by(AuditCheckpoint.position).execution_options(yield_per=500)
    for row, key in db.session.execute(statement):
        yield _view(row, key)


def keys() -> tuple[str, ...]:
    """Every public key that signed, the present one first."""
    replaced = {row.replaces_id: row for row in db.session.scalars(select(AuditKey))}
    found: list[str] = []
    row = replaced.get(None)
    while row is not None:
        found.insert(0, row.public_key)
        row = replaced.get(row.id)
    return tuple(found)


def first_event() -> Select[datetime]:
    """The same, to be asked beside others."""
    return (
        select(audit.AuditEvent.recorded_at)
        .join(AuditSeal, AuditSeal.event_id == audit.AuditEvent.id)
        .where(AuditSeal.position == 1)
    )


def _with_keys() -> Select[AuditCheckpoint, AuditKey]:
    return select(AuditCheckpoint, AuditKey).join(AuditKey, AuditKey.id == AuditCheckpoint.key_id)


def _newest_first() -> Select[AuditCheckpoint, AuditKey]:
    return _with_keys().order_by(AuditCheckpoint.position.desc())


def _views(statement: Select[AuditCheckpoint, AuditKey]) -> tuple[CheckpointView, ...]:
    return tuple(_view(row, key) for row, key in db.session.execute(statement))


def _view(row: AuditCheckpoint, key: AuditKey | None) -> CheckpointView:
    assert key is not None
    return CheckpointView(row.id, row.position, row.head, row.made_at, key.public_key, row.note)


def _last_row() -> AuditCheckpoint | None:
    return db.session.scalars(select(AuditCheckpoint).order_by(AuditCheckpoint.position.desc()).limit(1)).one_or_none()


def _current_key() -> AuditKey | None:
    """The key no other replaces."""
    replaced = select(AuditKey.replaces_id).where(AuditKey.replaces_id.is_not(None))
    return db.session.scalars(select(AuditKey).where(AuditKey.id.not_in(replaced))).one_or_none()


# --- Files that leave -----------------------------------------------------------------------------------------------


class FolderAway(Refused):
    """The folder of checkpoints cannot be written to now."""


def folder() -> Path:
    """Where checkpoints are left: ``CHECKPOINT_FOLDER``, or in the data folder."""
    configured = current_app.config["CHECKPOINT_FOLDER"]
    return home.folder_of(configured) if configured else home.folder() / "checkpoints"


def leave(checkpoint: CheckpointView) -> Path:
    """Write a checkpoint into the folder, whole or not at all; one that lies there already is never overwritten."""
    return _leave(folder() / checkpoint.file_name, checkpoint.note.encode(), "checkpoint")


def leave_beside(name: str, text: str, what: str) -> Path:
    """Write another signed text below the folder, by the same rules; ``what`` is what refusals call it."""
    return _leave(folder() / name, text.encode(), what)


def _leave(path: Path, data: bytes, what: str) -> Path:
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _link_whole(path, data)
        lies_there = path.read_bytes()
    except OSError as error:
        raise FolderAway(f"The {what} cannot be written to {path} ({error.strerror}).") from error
    if lies_there != data:
        raise Refused(
            f"{path} holds another {what} than the one to be written. Nothing was overwritten; show both to the auditor."
        )
    return path


def record() -> str:
    """What the audit record of this database is called; something must be sealed."""
    return _record()


def signer() -> Signer:
    """The key that signs now, for what is left beside the checkpoints; a worker's, never a page's."""
    known = _current_key()
    return signing.at_hand(known.public_key if known else None)


def _link_whole(path: Path, data: bytes) -> None:
    """Under its name only when whole and on the disk; what has that name already stays."""
    fresh = path.with_name(f".{uuid4().hex}")
    with fresh.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):
            os.link(fresh, path)
            signing.sync(path.parent)
    finally:
        fresh.unlink()


# --- Comparing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """A check of the whole record: the chain, every checkpoint in the database, and every one in the folder."""

    chain: ChainCheck
    stored: int
    in_folder: int

    @property
    def problems(self) -> tuple[Fault, ...]:
        return self.chain.report.faults


def verify() -> RecordCheck:
    """Recompute the chain and hold it against every checkpoint of the database and of the folder.

    Those in the folder are out of reach of whoever has only the database.
    """
    # The folder first: what leaves while this runs was in the database before it lay there.
    outside, unreadable = _in_folder()
    stored = list(every())
    notes, faults = [], []
    for checkpoint in stored:
        found, fault = _stored_note(checkpoint)
        notes += found
        faults += fault
    known = keys()
    judged = audit_offline.judged([*notes, *outside], frozenset(known))
    kept = {note.text for note in notes}
    strange = [
        Fault(note.position, f"{note.sentence} lies in {folder()} and is not in the database.")
        for note in outside
        if note.text not in kept
    ]
    all_faults = (*judged.faults, *faults, *unreadable, *strange)
    chain = audit.verify(Notes(judged.sound, all_faults, judged.not_given), keys=len(known))
    return RecordCheck(chain, len(stored), len(outside))


def _stored_note(checkpoint: CheckpointView) -> tuple[list[Note], list[Fault]]:
    """The note of a row, if it says what the row says."""
    where = f"The checkpoint over {checkpoint.position} positions in the database"
    try:
        (note,) = audit_offline.notes_of(checkpoint.note, where)
    except (Unreadable, ValueError):
        return [], [Fault(None, f"{where} cannot be read.")]
    said = (note.position, note.head.hex(), note.made, note.key)
    if said != (checkpoint.position, checkpoint.head, _as_text(checkpoint.made_at), checkpoint.key):
        return [note], [Fault(None, f"{where} is not what was signed.")]
    return [note], []


def _in_folder() -> tuple[Sequence[Note], Iterable[Fault]]:
    where = folder()
    notes: list[Note] = []
    faults: list[Fault] = []
    for file in sorted(where.glob("checkpoint-*.txt")) if where.is_dir() else ():
        try:
            notes += audit_offline.notes_at(file)
        except Unreadable as error:
            faults.append(Fault(None, str(error)))
    return notes, faults
