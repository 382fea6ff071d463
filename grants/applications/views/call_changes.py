"""What changed in the call for one application: field by field, with every text that lost its place, and that it was read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, url_for

from grants.applications import queries, services
from grants.applications.forms import DeedForm
from grants.applications.queries import Workplace
from grants.applications.views.frame import bp, team_context
from grants.calls import queries as calls
from grants.calls.rules import CallVersionView, Change
from grants.core.permissions import Permission
from grants.dossiers.rules import anchor
from grants.web.routing import current_actor, page, requires, see_other

# Parts of a call whose changes a team meets on its page of the budget.
_OF_MONEY = (
    "budget",
    "grant_bands",
    "funding_rate",
    "indirect_costs",
    "lump_sums",
    "unit_costs",
    "grant_cap",
    "duration_months",
)


@bp.get("/applications/<ref>/changes")
@requires(Permission.APPLICATION_READ)
def changes(ref: str) -> Any:
    """Every corrigendum this draft was moved to, newest first."""
    return _changes_page(queries.workplace(current_actor(), ref), DeedForm())


@bp.post("/applications/<ref>/changes")
@requires(Permission.APPLICATION_EDIT)
def read_changes(ref: str) -> Any:
    """The team read what changed: its task list does not say it any more, this page still does."""
    place, form = queries.workplace(current_actor(), ref), DeedForm()
    with form.refusals():
        services.read_changes(current_actor(), place.application.id, place.application.call_version)
        flash("Marked as read. What changed stays on the page of changes.", "success")
        return see_other(".show", ref=ref)
    return _changes_page(place, form), 422


@bp.post("/applications/<ref>/budget/clear")
@requires(Permission.APPLICATION_EDIT)
def clear_dropped(ref: str) -> Any:
    """Clear the amounts that have no place since the budget rules changed."""
    place, form = queries.workplace(current_actor(), ref), DeedForm()
    with form.refusals():
        cleared = services.clear_dropped(current_actor(), place.application.id)
        flash(f"{cleared} without a place is cleared.", "success")
        return see_other(".budget", ref=ref)
    return _changes_page(place, form), 422


def _changes_page(place: Workplace, form: DeedForm) -> str:
    application = place.application
    after = calls.versions_after(application.call.id, 1)
    versions = [version for version in after if version.number <= application.call_version]
    return page(
        "applications/call_changes.html",
        form=form,
        versions=versions[::-1],
        change_href=change_href(place),
        **team_context(place),
    )


def unread(place: Workplace) -> tuple[CallVersionView, ...]:
    """The versions of the call nobody of the team has said to have read."""
    application = place.application
    if not application.changes_unread:
        return ()
    after = calls.versions_after(application.call.id, application.call_version_read)
    return tuple(version for version in after if version.number <= application.call_version)


def change_href(place: Workplace) -> Callable[[Change], str | None]:
    """Where a team meets a change: the field of a question, its section, the budget or the files; None for other parts."""
    homes = {
        question.key: section.key for section in place.dossier.definition.sections for question in section.questions
    }
    sections, ref = set(homes.values()), place.application.reference

    def href(change: Change) -> str | None:
        if change.question in homes:
            return url_for("applications.section", ref=ref, key=homes[change.question], _anchor=anchor(change.question))
        if change.section in sections:
            return url_for("applications.section", ref=ref, key=change.section)
        if change.path.startswith(_OF_MONEY):
            return url_for("applications.budget", ref=ref)
        if change.path == "submission.required_attachments":
            return url_for("applications.attached", ref=ref)
        return None

    return href
