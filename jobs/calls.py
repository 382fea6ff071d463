"""Work after a call changed: telling everybody who has a draft, and moving the drafts to a new version."""

from __future__ import annotations

from uuid import UUID

from grants.applications import services
from grants.calls import services as calls
from grants.core import jobs
from grants.core.permissions import Permission


def deadline_moved(*, call_id: str, number: int) -> None:
    """The deadline was extended: mail everybody at work on an application."""
    calls.tell_deadline_moved(jobs.actor(Permission.CALL_EXTEND), UUID(call_id), number)


def corrigendum_published(*, call_id: str, number: int) -> None:
    """A call has a new version: ask for each open draft to be moved to it."""
    services.spread_corrigendum(jobs.actor(Permission.CALL_PUBLISH), UUID(call_id), number)


def move_draft(*, application_id: str) -> None:
    """Move one draft to the newest version of its call and tell its team."""
    services.move_to_version(jobs.actor(Permission.CALL_PUBLISH), UUID(application_id))


def answers_published(*, call_id: str) -> None:
    """Answers were published or corrected: mail everybody at work on an application, and whoever asked."""
    calls.tell_answers(jobs.actor(Permission.QUESTION_ANSWER), UUID(call_id))
