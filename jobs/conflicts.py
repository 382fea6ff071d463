"""Conflicts of interest, looked for whenever people, organisations or applications changed, and every night."""

from __future__ import annotations

from uuid import UUID

from grants.core import jobs
from grants.core.permissions import Permission
from grants.evaluation import services


def look(*, call_id: str) -> dict[str, int]:
    """Look one call through; safe to run twice, since what stands is kept."""
    found = services.detect(jobs.actor(Permission.CONFLICT_DETECT), UUID(call_id))
    return {"proposed": found.proposed, "confirmed": found.confirmed, "gone": found.gone}


def organisation_changed(*, organisation_id: str) -> int:
    """An organisation or who belongs to it is not what it was: ask for every call it matters to."""
    return services.ask_to_look(jobs.actor(Permission.CONFLICT_DETECT), UUID(organisation_id))


def everywhere() -> int:
    """Ask for every call in which somebody may still decide about an application."""
    return services.ask_to_look(jobs.actor(Permission.CONFLICT_DETECT), None)
