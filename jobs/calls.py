"""Work after a call changed: telling everybody who has a draft."""

from __future__ import annotations

from uuid import UUID

from grants.applications import services
from grants.core import jobs
from grants.core.permissions import Permission


def deadline_moved(*, call_id: str, number: int) -> None:
    """The deadline was extended: mail everybody at work on an application."""
    services.tell_deadline_moved(jobs.actor(Permission.CALL_EXTEND), UUID(call_id), number)


def answers_published(*, call_id: str) -> None:
    """Answers were published or corrected: mail everybody at work on an application, and whoever asked."""
    services.tell_answers(jobs.actor(Permission.QUESTION_ANSWER), UUID(call_id))
