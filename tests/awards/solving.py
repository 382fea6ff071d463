"""The worker, in this process."""

from __future__ import annotations

from grants.core import jobs
from grants.core.db import db
from grants.identity.queries import actor_for


def worked_off() -> None:
    """Everything that was asked of the workers is done."""
    db.session.rollback()
    jobs.work_off(actor_of=actor_for)
    db.session.rollback()
