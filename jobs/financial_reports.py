"""Financial statements: the figures and their files, made in a worker."""

from __future__ import annotations

from uuid import UUID

from grants.core import jobs
from grants.core.permissions import Permission
from grants.documents import services


def build(*, run_id: str) -> None:
    """Somebody asked for a statement: work it out and write its files; a second run finds it built."""
    services.build(jobs.actor(Permission.STATEMENT_READ), UUID(run_id))
