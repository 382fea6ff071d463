"""What became of the mails about letters of decision, for each person of the team."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, cast, func, select

from grants.awards.rules.delivery import Delivery, Mailed, Recipient
from grants.core.db import db
from grants.core.jobs import Job, JobState
from grants.core.together import Asking, ask
from grants.identity.models import User

MAIL = "decision_letter"


def deliveries(ids: Sequence[UUID]) -> Asking[dict[UUID, Delivery]]:
    """How the mails about each letter fared, by application; the newest to each person counts."""
    to = Job.args["user_id"].astext
    rows = yield from ask(
        select(Job.subject_id, Job.state, Job.error, Job.result, to.label("to"), User.name.label("person"))
        .outerjoin(User, User.id == cast(to, Uuid))
        .where(
            Job.name == "jobs.mail.send",
            Job.subject_kind == "application",
            Job.subject_id.in_(ids),
            Job.args["template"].astext == MAIL,
        )
        .order_by(Job.number)
    )
    found: dict[UUID, dict[str, Recipient]] = {}
    for row in rows:
        found.setdefault(row.subject_id, {})[row.to] = _recipient(row)
    return {key: Delivery(tuple(sorted(each.values(), key=lambda one: one.name))) for key, each in found.items()}


def _recipient(row: Any) -> Recipient:
    name, result = row.person or "A former member", row.result or {}
    match JobState(row.state):
        case JobState.DONE if "message_id" in result:
            return Recipient(name, Mailed.SENT)
        case JobState.DONE if "subject" in result:
            return Recipient(name, Mailed.KEPT)
        case JobState.DONE:
            return Recipient(name, Mailed.FAILED, result.get("note", ""))
        case JobState.FAILED | JobState.CANCELLED:
            return Recipient(name, Mailed.FAILED, row.error or "Cancelled.")
        case JobState.QUEUED | JobState.RUNNING:
            return Recipient(name, Mailed.WAITING)


def kept_of(letters: Select[Any]) -> Select[Any]:
    """A statement that counts those of these applications, a select of ids, about whose letter mails were kept and none left."""
    sent = func.bool_or(Job.result.has_key("message_id"))
    kept = func.bool_or(Job.result.has_key("subject") & ~Job.result.has_key("message_id"))
    each = (
        select(Job.subject_id)
        .where(
            Job.name == "jobs.mail.send",
            Job.subject_kind == "application",
            Job.subject_id.in_(letters),
            Job.args["template"].astext == MAIL,
            Job.state == JobState.DONE.value,
        )
        .group_by(Job.subject_id)
        .having(kept & ~sent)
    )
    return select(func.count().label("number")).select_from(each.subquery())


def mailed_since(application_id: UUID, moment: datetime) -> bool:
    """Whether a mail about its letter was asked for since then and has not failed."""
    found = select(Job.id).where(
        Job.name == "jobs.mail.send",
        Job.subject_kind == "application",
        Job.subject_id == application_id,
        Job.args["template"].astext == MAIL,
        Job.created_at > moment,
        Job.state.not_in([JobState.FAILED.value, JobState.CANCELLED.value]),
    )
    return db.session.scalar(found.limit(1)) is not None
