"""What was submitted, as it was frozen, with its files."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.applications import rules
from grants.applications.models import Application, Clarification, Submission
from grants.applications.queries.reach import is_team, visible
from grants.applications.rules import SubmittedContent
from grants.core import files
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.files import FileView
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader


@reader
def submitted_content(application_id: UUID) -> Asking[SubmittedContent]:
    """The frozen version that stands, for evaluators, decisions and agreements; :class:`NotFound` without one.

    The stage that shows it has checked who may read it.
    """
    rows = yield from ask(
        select(Submission)
        .join(Application, Application.submission_id == Submission.id)
        .where(Application.id == application_id)
    )
    if not rows:
        raise NotFound
    return content_of(rows[0])


def submitted_version(actor: Actor, reference: str, number: int) -> SubmittedContent:
    """One submitted version by its number."""
    row = db.session.scalars(
        select(Submission)
        .join(Application, Application.id == Submission.application_id)
        .where(Application.reference == reference, Submission.number == number, visible(actor))
    ).one_or_none()
    if row is None:
        raise NotFound
    return content_of(row)


def content_of(row: Submission) -> SubmittedContent:
    return rules.read_snapshot(
        row.content,
        application_id=row.application_id,
        number=row.number,
        submitted_at=row.submitted_at,
        sha256=row.sha256,
    )


def file_of(actor: Actor, application_id: UUID, sha256: str) -> FileView:
    """An attached file by its content: one of the draft or an older version of it, for the team, or one that was submitted."""
    if is_team(actor, application_id):
        found = files.of_object("application", application_id, sha256)
        if found is not None:
            return found
    for submitted in submitted_content(application_id).files:
        if submitted.sha256 == sha256:
            return files.view(submitted.file_id)
    for file in _of_answers(application_id, sent=not is_team(actor, application_id)):
        if file.sha256 == sha256:
            return file
    raise NotFound


def _of_answers(application_id: UUID, *, sent: bool) -> tuple[FileView, ...]:
    """Files beside answers to the desk's questions; ``sent`` leaves out those of answers still being written."""
    asked = select(Clarification.id).where(Clarification.application_id == application_id)
    if sent:
        asked = asked.where(Clarification.answered_at.is_not(None))
    return files.listed_of("clarification", db.session.scalars(asked).all())


def receipt_files(submission_id: UUID) -> tuple[FileView, ...]:
    """The receipt as PDF, once its job has made it."""
    return files.listed("submission", submission_id, "receipt")
