"""What is published of an award in words: written by one person, confirmed by another, every version kept."""

from __future__ import annotations

from uuid import UUID

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.awards.models import AwardDescription
from grants.awards.queries import describing as descriptions
from grants.awards.queries.publication import STILL_SELECTED
from grants.awards.rules import confirmed_meanwhile, refuse_same_person
from grants.awards.rules.describing import checked_description
from grants.awards.services.leaving_out import refuse_shut
from grants.core import acts
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Conflict, Refused
from grants.core.permissions import Actor, Permission


@act(
    "award.describe",
    needs=Permission.SELECTION_PUBLISH_RESULTS,
    scope=applications.scope_of,
    says="wrote what is published of {subject}",
)
def describe(actor: Actor, application_id: UUID, text: str, number: int | None = None) -> int:
    """Write what everybody reads of a selected application; another person confirms it, until then the version before stands.

    ``number`` is the version that was seen. Returns the number of the new one.
    """
    refuse_shut(actor, application_id)
    application = locked(Application, application_id)
    if application.state not in STILL_SELECTED or application.submission_id is None:
        raise Refused("Only what was selected here, and still is, is described here. Nothing was kept.")
    last = descriptions.newest_description(application_id)
    seen = 0 if last is None else last.number
    if number is not None and number != seen:
        raise Conflict("Somebody wrote another description meanwhile. Look at it first.")
    words = checked_description(text, descriptions.sent_content(application_id))
    if last is not None and last.text == words:
        raise Refused("This is what stands already. Change it, or leave it.")
    assert actor.user_id is not None, "only a person writes"
    row = AwardDescription(application_id=application_id, number=seen + 1, text=words)
    row.written_by, row.written_at = actor.user_id, acts.moment()
    db.session.add(row)
    acts.subject("application", application_id)
    return seen + 1


@act(
    "award.confirm_description",
    needs=Permission.SELECTION_CONFIRM,
    scope=applications.scope_of,
    says="confirmed what is published of {subject}",
)
def confirm(actor: Actor, application_id: UUID, number: int) -> None:
    """Another person read the newest version: from now on it is the one everybody reads once results are public."""
    refuse_shut(actor, application_id)
    if locked(Application, application_id).state not in STILL_SELECTED:
        raise Refused("Only what was selected here, and still is, is described here. Nothing was kept.")
    row = descriptions.newest_description(application_id)
    if row is None or row.number != number:
        raise Conflict("Somebody wrote another description meanwhile. Look at it first.")
    refuse_same_person(row.written_by, actor.user_id, "wrote this description", "confirm it")
    if row.confirmed_at is not None:
        raise Conflict(f"{confirmed_meanwhile(row.confirmed_by, actor.user_id)} Everybody reads it.")
    row.confirmed_by, row.confirmed_at = actor.user_id, acts.moment()
    acts.subject("application", application_id)
