"""The batch pass of the eligibility desk and its letters: one application each."""

from __future__ import annotations

from uuid import UUID

from grants.applications import services
from grants.core import jobs
from grants.core.errors import NotAllowed, NotFound, Refused
from grants.core.permissions import Permission


def pass_by_facts(*, application_id: str, submission_id: str) -> str | None:
    """Declare one application eligible, or say why it was skipped; safe to run twice, since a verdict stands for good."""
    try:
        services.pass_by_facts(jobs.actor(Permission.APPLICATION_CHECK), UUID(application_id), UUID(submission_id))
    except (NotFound, NotAllowed):
        return "It is not open to you any more."
    except Refused as error:
        return str(error)
    return None


def send_letter(*, application_id: str, sha256: str) -> str | None:
    """Send one decision letter, or say why it was not; safe to run twice, since a letter is sent once."""
    try:
        services.send_letter(jobs.actor(Permission.APPLICATION_CHECK), UUID(application_id), sha256)
    except (NotFound, NotAllowed):
        return "It is not open to you any more."
    except Refused as error:
        return str(error)
    return None
