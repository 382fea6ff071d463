"""Acts on what is taken along to read, packed or one alone: asked for, and taken. The jobs that make them are of documents."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import select

from grants.core import acts, files, jobs
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import NotFound, Refused
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission
from grants.evaluation import queries
from grants.evaluation.models import Assignment, ReadingPack
from grants.evaluation.rules import COPY_KIND, PACK_KIND

JOB = "jobs.documents.reading_pack"


@act("reading_pack.ask", needs=Permission.ASSESSMENT_SCORE, says="asked for the applications to assess as one file")
def ask_pack(actor: Actor) -> None:
    """Ask for all applications open to this person in one file; a job makes it, and the one before is thrown away."""
    assert actor.user_id is not None, "a person asks for a file"
    if not queries.to_read(actor):
        raise Refused(
            "No application is open to you. Declare your conflicts first; what is assigned then can be packed."
        )
    row = db.session.scalars(
        select(ReadingPack).where(ReadingPack.owner_id == actor.user_id).with_for_update()
    ).one_or_none()
    if row is not None and row.made_at is None and not jobs.view(row.job_id).is_over:
        raise Refused(
            "Your file is asked for already and being made. Wait until it is there, then ask again if you must."
        )
    if row is None:
        row = ReadingPack(id=uuid4(), owner_id=actor.user_id)
    for kept in files.listed(PACK_KIND, row.id):
        files.discard(kept.id)
    row.asked_at, row.made_at, row.held = acts.moment(), None, []
    row.job_id = jobs.queue(JOB, subject=(PACK_KIND, row.id), pack_id=row.id)
    db.session.add(row)


@act("reading_pack.download", needs=Permission.ASSESSMENT_SCORE, says="took the applications to assess as one file")
def download_pack(actor: Actor) -> FileView:
    """Hand the file to its owner as long as everything in it is open to them; that it was taken is kept."""
    view = queries.pack(actor)
    if view is None or view.made_at is None:
        raise NotFound
    acts.subject(PACK_KIND, view.id)
    if not view.still_open:
        raise Refused(
            "An application in this file is no longer open to you, so the file is not handed out any more. Ask for it again."
        )
    (kept,) = files.listed(PACK_KIND, view.id)
    acts.reason(", ".join(view.held))
    return kept


@act(
    "reading_pack.ask_one",
    needs=Permission.ASSESSMENT_SCORE,
    says="asked for {subject} as a PDF, to assess it",
)
def ask_one(actor: Actor, reference: str) -> None:
    """Ask for one application as a PDF; a job makes it. Nothing more is queued while one is made, or once it is there."""
    one = queries.copy(actor, reference).one
    # Two clicks at once: the second waits here, and finds the job of the first.
    locked(Assignment, one.seat_id)
    # Of the application and not of a pack: who may not know of it reads nothing of this on the record.
    acts.subject("application", one.application_id)
    standing = queries.copy(actor, reference)
    if standing.file is None and not standing.waits:
        jobs.queue(
            queries.COPY_JOB, subject=(COPY_KIND, one.seat_id), seat_id=one.seat_id, submission_id=one.submission_id
        )


@act(
    "reading_pack.download_one",
    needs=Permission.ASSESSMENT_SCORE,
    says="took {subject} as a PDF, to assess it",
)
def download_one(actor: Actor, reference: str) -> FileView:
    """Hand one application as a PDF to whom it is open now, once it is made; that it was taken is kept."""
    standing = queries.copy(actor, reference)
    if standing.file is None:
        raise NotFound
    acts.subject("application", standing.one.application_id)
    return standing.file
