"""Requests for clarification as the desk, the team and evaluators read them."""

from __future__ import annotations

import functools
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, and_, bindparam, exists, select
from sqlalchemy.orm import aliased

from grants.applications.models import Application, Clarification
from grants.applications.queries.reach import is_team, scope_of
from grants.applications.rules import ApplicationView, ClarificationView, SubmittedFile
from grants.core import files
from grants.core.db import db, get
from grants.core.files import FileView
from grants.core.permissions import Actor, Scope
from grants.core.together import Asking, Given, ask, both, reader
from grants.identity.models import User

FILE_KIND = "clarification"


def scope_of_clarification(clarification_id: UUID) -> Scope:
    """Where a request lies, under its application's lock: in that application."""
    return scope_of(get(Clarification, clarification_id).application_id)


def is_open(at: datetime) -> ColumnElement[bool]:
    """The condition on :class:`Application` that an answer is still waited for."""
    found = exists().where(
        Clarification.submission_id == Application.submission_id,
        Clarification.answered_at.is_(None),
        Clarification.withdrawn_at.is_(None),
        Clarification.due_at > at,
    )
    return found.correlate(Application)


def open_now(submission_id: UUID, at: datetime) -> Clarification | None:
    """A request about this version that still waits for its answer, for acts."""
    return db.session.scalars(
        select(Clarification)
        .where(
            Clarification.submission_id == submission_id,
            and_(Clarification.answered_at.is_(None), Clarification.withdrawn_at.is_(None), Clarification.due_at > at),
        )
        .order_by(Clarification.number)
        .limit(1)
    ).one_or_none()


@reader
def clarifications(actor: Actor, application: ApplicationView) -> Asking[tuple[ClarificationView, ...]]:
    """Every request about the version that stands, oldest first; one statement.

    The caller made sure that the person may open the application. Until an answer is sent its draft and its files are
    the team's own; who asked is told to nobody of the team.
    """
    team = is_team(actor, application.id)
    if application.submission is None:
        return ()
    of_version = Clarification.submission_id == application.submission.id
    rows, held = yield from both(
        _rows.asking(application.submission.id),
        files.listed_in.asking(FILE_KIND, select(Clarification.id).where(of_version)),
    )
    attached: dict[UUID, list[SubmittedFile]] = {}
    for file in held:
        attached.setdefault(file.object_id, []).append(_file(file))
    return tuple(_view(row, tuple(attached.get(row.id, ())), team=team) for row in rows)


@reader
def shared_clarifications(application_id: UUID) -> Asking[tuple[ClarificationView, ...]]:
    """Those about the version that stands an officer marked as the evaluators' to see, answered; the officer unnamed."""
    told = yield from ask(Given(_of_standing(), {"application_id": application_id}))
    rows = [row for row in told if row.shared and row.answered_at is not None]
    if not rows:
        return ()
    shared = select(Clarification.id).where(Clarification.id.in_([row.id for row in rows]))
    attached = yield from files.listed_in.asking(FILE_KIND, shared)
    return tuple(
        _view(row, tuple(_file(file) for file in attached if file.object_id == row.id), team=True) for row in rows
    )


# Under names of their own, and made once: an alias made anew copies every column of its table.
_ASKER, _ANSWERER = aliased(User), aliased(User)
_ASKED = (
    select(Clarification, _ASKER.name.label("asker"), _ANSWERER.name.label("answerer"))
    .join(_ASKER, _ASKER.id == Clarification.asked_by)
    .outerjoin(_ANSWERER, _ANSWERER.id == Clarification.answered_by)
    .order_by(Clarification.number)
)


@functools.cache
def _of_standing() -> Select[Clarification, str, str]:
    """Every request about the version of an application that stands, put together once: each page of a score sheet asks it."""
    wanted = Application.id == bindparam("application_id", type_=Uuid)
    return _ASKED.where(
        Clarification.submission_id == select(Application.submission_id).where(wanted).scalar_subquery()
    )


@reader
def _rows(submission_id: Any) -> Asking[list[Any]]:
    return (yield from ask(_ASKED.where(Clarification.submission_id == submission_id)))


def _view(row: Any, attached: tuple[SubmittedFile, ...], *, team: bool) -> ClarificationView:
    sent = row.answered_at is not None
    return ClarificationView(
        id=row.id,
        version=row.version,
        number=row.number,
        text=row.text,
        conditions=tuple(row.conditions),
        questions=tuple(row.questions),
        asked_at=row.created_at,
        asked_by="" if team else row.asker,
        first_due_at=row.first_due_at,
        due_at=row.due_at,
        extension_reason=row.extension_reason or "",
        draft=(row.draft or "") if team and not sent else "",
        answer=row.answer or "",
        answered_at=row.answered_at,
        answered_by=row.answerer or "",
        answer_sha256=row.answer_sha256.hex() if row.answer_sha256 else "",
        withdrawn_at=row.withdrawn_at,
        withdraw_reason=row.withdraw_reason or "",
        shared=row.shared,
        files=attached if sent or team else (),
    )


def _file(file: FileView) -> SubmittedFile:
    return SubmittedFile(file.id, file.role, file.name, file.media_type, file.size_bytes, file.sha256)
