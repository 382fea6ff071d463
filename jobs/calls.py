"""Work after a call changed: telling everybody who has a draft."""

from __future__ import annotations

from uuid import UUID

from grants.applications import services
from grants.core import jobs
from grants.core.permissions import Permission


def deadline_moved(*, call_id: str, number: int) -> None:
    """The deadline was extended: mail everybody at work on an application."""
    services.tell_deadline_moved(jobs.actor(Permission.CALL_EXTEND), UUID(call_id), number)
