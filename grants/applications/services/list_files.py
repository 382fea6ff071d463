"""Acts on files of lists too long for a page: asking for one, making it in a job, taking it, removing it. Its owner's alone."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from grants.applications import queries
from grants.applications.models import ListFile
from grants.applications.queries.list_files import FILE_KIND, reach_of
from grants.applications.rules.exporting import FILES_MAX, KEPT_FOR, Cover, ListForm
from grants.applications.rules.listing import Listing
from grants.applications.rules.saving import listing_at, spelled
from grants.applications.services.exporting import csv_file, workbook
from grants.core import acts, clock, files, jobs, legal_holds
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import NotFound, Refused
from grants.core.file_types import MEDIA, FileType
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission
from grants.core.references import next_number
from grants.identity.services import one_after_the_other

JOB = "jobs.lists.make"
SERIES = "list file"
_MEDIA = {ListForm.CSV: "text/csv", ListForm.XLSX: MEDIA[FileType.XLSX]}


@act("list_file.ask", needs=Permission.APPLICATION_READ, says="asked for a list of applications as a file")
def ask_list_file(actor: Actor, address: str, form: ListForm, *, bare: bool = False) -> int:
    """Ask for a list as a file, ``bare`` without its cover where it is CSV; a job makes it. Returns its number.

    Raises :class:`Refused` for a list that names what is not there, has more rows than fit, or is one too many.
    """
    listing = queries.understood(actor, listing_at(address))
    assert actor.user_id is not None, "a person asks for a file"
    one_after_the_other(actor.user_id)
    own = db.session.scalar(select(func.count()).select_from(ListFile).where(ListFile.owner_id == actor.user_id)) or 0
    if own >= FILES_MAX:
        raise Refused(
            f"You have {own} files of lists, and {FILES_MAX} is the most. Remove one that you no longer need; "
            f"each goes by itself {KEPT_FOR.days} days after it was made."
        )
    if queries.rows_of_list(actor, listing, most=form.rows_max) > form.rows_max:
        raise Refused(form.too_long)
    row = ListFile(
        owner_id=actor.user_id, address=spelled(listing), form=form.value, bare=bare and form is ListForm.CSV
    )
    row.job_id = jobs.queue(JOB, subject=(FILE_KIND, row.id), file_id=row.id)
    row.number = next_number(SERIES)
    db.session.add(row)
    return row.number


@act("list_file.make", needs=Permission.APPLICATION_READ, says="made a list of applications as a file")
def make_list_file(actor: Actor, file_id: UUID) -> int:
    """Write the file of what its owner may read now, once; the job's fence keeps a second worker from keeping another."""
    row = db.session.scalars(select(ListFile).where(ListFile.id == file_id).with_for_update()).one_or_none()
    if row is None or row.made_at is not None:
        # Removed while it waited, or made by an earlier attempt.
        return 0
    assert row.owner_id == actor.user_id, "a job runs as the person who asked"
    # Before the rows are read: whatever changes while they are, the file does not match it.
    reach = reach_of(actor)
    listing, form = queries.understood(actor, listing_at(row.address)), ListForm(row.form)
    expected = queries.rows_of_list(actor, listing, most=form.rows_max)
    jobs.progress(0, expected + 1, "The rows are read")
    data, cover = _written(actor, listing, form, expected, bare=row.bare)
    jobs.progress(expected, expected + 1, "Keeping the file")
    name = f"applications-{clock.in_zone(acts.moment()):%Y-%m-%d}-{row.number}.{form.value}"
    files.keep_bytes(data, name=name, media_type=_MEDIA[form], kind=FILE_KIND, object_id=row.id, role=form.value)
    row.made_at, row.rows_count, row.reach_sha256 = acts.moment(), cover.rows, reach
    acts.reason(f"{cover.rows} rows as {form.label}. Filter: {cover.filter}. Order: {cover.order}.")
    return cover.rows


def _written(actor: Actor, listing: Listing, form: ListForm, expected: int, *, bare: bool) -> tuple[bytes, Cover]:
    match form:
        case ListForm.CSV:
            made, cover = csv_file(actor, listing, bare=bare, expected=expected)
        case ListForm.XLSX:
            made, cover = workbook(actor, listing, expected=expected)
    return made.getvalue(), cover


@act("list_file.download", needs=Permission.APPLICATION_READ, says="took a list of applications that a job had made")
def download_list_file(actor: Actor, number: int) -> FileView:
    """Hand the file to its owner, while it is kept and they may still read what is in it; that it was taken is kept."""
    view = queries.list_file(actor, number)
    acts.subject(FILE_KIND, view.id)
    if not view.same_reach:
        raise Refused(
            "What you may read has changed since this file was made, so it is not handed out any more. Ask for the list again."
        )
    if not view.is_there(acts.moment()):
        raise NotFound
    (kept,) = files.listed(FILE_KIND, view.id)
    acts.reason(f"{view.rows} rows as {view.form.label}.")
    return kept


@act("list_file.remove", needs=Permission.APPLICATION_READ, says="removed a list of applications that was a file")
def remove_list_file(actor: Actor, number: int) -> None:
    """The owner removes a file they no longer need, or a wish that came to nothing or still waits: its job then makes none."""
    file_id = _removable(actor, number)
    locked(ListFile, file_id)
    # Its job may have begun, or ended, while the lock was waited for.
    _removable(actor, number)
    _remove([file_id])


def _removable(actor: Actor, number: int) -> UUID:
    view = queries.list_file(actor, number)
    if view.running and not view.is_over:
        raise Refused("The file is being made; that takes some seconds. Remove it when it is there.")
    return view.id


@act("list_file.remove_old", needs=Permission.APPLICATION_READ, says="removed old files of lists")
def remove_old_list_files(actor: Actor) -> int:
    """The program removes what was kept long enough; the bytes go with the next sweep of the store.

    While a legal hold stands nothing goes: a list may be the last copy of what a held call looked like on a day.
    """
    assert actor.user_id is None, "only the program removes what is not its own"
    if legal_holds.keeps_everything():
        return 0
    old = select(ListFile.id).where(ListFile.id.in_(queries.old_list_files(acts.moment())))
    # What its owner removes at this moment, or a job has begun to make, is left to them.
    held = db.session.scalars(old.order_by(ListFile.number).with_for_update(skip_locked=True)).all()
    still = queries.old_list_files(acts.moment())
    return _remove([file_id for file_id in held if file_id in still])


def _remove(ids: Sequence[UUID]) -> int:
    for file_id in ids:
        # Locked before its files are read: a job that keeps one holds the same lock.
        row = locked(ListFile, file_id)
        for kept in files.listed(FILE_KIND, file_id):
            files.discard(kept.id)
        db.session.delete(row)
    return len(ids)
