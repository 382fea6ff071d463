"""What changes a score is told to the meeting of the panel that sits then: a job of the later stage logs it there."""

from __future__ import annotations

from uuid import UUID

from grants.core import acts, jobs
from grants.core.permissions import Actor

SCORED_JOB = "jobs.awards.score_changed"


def tell_panel(actor: Actor, application_id: UUID, text: str, before: str, reason: str) -> None:
    """Have a meeting that runs now log what changed a score of this application, by whom and why; inside the act that does it."""
    assert actor.user_id is not None, "a person changes a score"
    jobs.queue(
        SCORED_JOB, subject=("application", application_id), asker=jobs.Asker.PROGRAM, application_id=application_id,
        by=actor.user_id, at=acts.moment(), text=text, before=before, reason=reason,
    )  # fmt: skip
