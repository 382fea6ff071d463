"""What changes a score is told to the meeting of the panel that sits then: a job of the later stage logs it there."""

from __future__ import annotations

from uuid import UUID

from grants.core import acts, jobs

SCORED_JOB = "jobs.awards.score_changed"


def tell_panel(
    by: UUID | None, application_id: UUID, text: str, before: str, reason: str, *, named: bool = True
) -> None:
    """Have a meeting that runs now log what changed a score of this application, by whom and why; inside the act that does it.

    Not ``named``: the entry says what and why, and not who.
    """
    assert by is not None, "a person changes a score"
    jobs.queue(
        SCORED_JOB, subject=("application", application_id), asker=jobs.Asker.PROGRAM, application_id=application_id,
        by=by, at=acts.moment(), text=text, before=before, reason=reason, named=named,
    )  # fmt: skip
