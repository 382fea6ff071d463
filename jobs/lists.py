"""Lists of applications: the files of those too long for a page, and what they are searched by after a change of the register."""

from __future__ import annotations

from uuid import UUID

from grants.applications import services
from grants.core import jobs
from grants.core.permissions import Permission


def make(*, file_id: str) -> None:
    """Somebody asked for a list as a file: write what they may read now; a second run finds it made."""
    services.make_list_file(jobs.actor(Permission.APPLICATION_READ), UUID(file_id))


def organisation_renamed(*, organisation_id: str, behind: str = "") -> None:
    """An organisation has another name: its applications are found by it; one portion, which asks for the next."""
    services.refresh_names(jobs.actor(Permission.APPLICATION_READ), UUID(organisation_id), behind)
