"""What was submitted, as it was frozen, with its files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.applications import rules
from grants.applications.models import Application, Clarification, Submission
from grants.applications.queries.reach import is_team, visible
from grants.applications.rules import SubmissionView, SubmittedContent
from grants.core import files
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.files import FileView
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity import queries as identity
from grants.identity.rules import Person


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


@reader
def submission_content(submission_id: UUID) -> Asking[SubmittedContent]:
    """One frozen version by its id; the stage that shows it has checked who may read it."""
    (row,) = yield from ask(select(Submission).where(Submission.id == submission_id))
    return content_of(row)


@reader
def submitted_version(actor: Actor, reference: str, number: int) -> Asking[SubmittedContent]:
    """One submitted version by its number."""
    rows = yield from ask(
        select(Submission)
        .join(Application, Application.id == Submission.application_id)
        .where(Application.reference == reference, Submission.number == number, visible(actor))
    )
    if not rows:
        raise NotFound
    return content_of(rows[0])


@reader
def with_proof(
    actor: Actor, reference: str, version: SubmissionView
) -> Asking[tuple[SubmittedContent, tuple[FileView, ...], Person]]:
    """One submitted version, its receipt as PDF once its job has made it, and who sent it; one statement."""
    parts: list[Asking[Any]] = [
        submitted_version.asking(actor, reference, version.number),
        receipt_files.asking(version.id),
        identity.people.asking([version.submitted_by]),
    ]
    sent, printed, people = yield from side_by_side(parts)
    return sent, printed, people[version.submitted_by]


def content_of(row: Any) -> SubmittedContent:
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


@reader
def receipt_files(submission_id: UUID) -> Asking[tuple[FileView, ...]]:
    """The receipt as PDF, once its job has made it."""
    return (yield from files.listed.asking("submission", submission_id, "receipt"))
