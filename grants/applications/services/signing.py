"""Acts of signing off: a partner the own part, a signatory the whole; each confirms the exact version they looked at."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.applications import queries
from grants.applications.models import ApplicationSignOff
from grants.applications.rules import SignedAnother, SignedPart, Standing
from grants.applications.services.drafting import refuse_before_acceptance, writable
from grants.calls.rules.saying import closes_said
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import services as people


@act(
    "application.sign_off",
    needs=Permission.APPLICATION_SIGN_OFF,
    scope=queries.scope_of,
    says="signed off application {subject}",
)
def sign_off(actor: Actor, application_id: UUID, organisation_id: UUID | None, sha256: str) -> None:
    """Confirm one part, or the whole without an organisation, as it stood when the person looked: ``sha256`` is its hash.

    Raises :class:`SignedAnother` when it changed since, :class:`NotFound` for a part that is not theirs.
    """
    writable(application_id)
    refuse_before_acceptance(actor, application_id)
    part = _own_part(actor, application_id, organisation_id)
    if part.sha256 != sha256:
        raise SignedAnother("This was changed after you looked at it. Nothing was signed; look again, then sign off.")
    if part.standing is Standing.SIGNED:
        return
    assert actor.user_id is not None, "only a person signs"
    before = db.session.scalar(
        select(func.max(ApplicationSignOff.number)).where(ApplicationSignOff.application_id == application_id)
    )
    db.session.add(
        ApplicationSignOff(
            application_id=application_id,
            number=(before or 0) + 1,
            organisation_id=organisation_id,
            user_id=actor.user_id,
            sha256=bytes.fromhex(part.sha256),
        )
    )


def _own_part(actor: Actor, application_id: UUID, organisation_id: UUID | None) -> SignedPart:
    for part in queries.workplace_of(queries.view_by_id(application_id)).parts:
        if part.organisation_id == organisation_id and part.may_sign(actor.user_id):
            return part
    raise NotFound


@act(
    "application.ask_sign_offs",
    needs=Permission.APPLICATION_INVITE,
    scope=queries.scope_of,
    says="asked for the sign-offs of application {subject}",
)
def ask_sign_offs(actor: Actor, application_id: UUID) -> int:
    """Mail everybody whose sign-off is missing or was overtaken by a change; returns how many were told."""
    application, call = writable(application_id)
    parts = queries.workplace_of(queries.view_by_id(application_id)).parts
    wanted = {person for part in parts if part.standing is not Standing.SIGNED for person, _ in part.people}
    if not wanted:
        raise Refused("Nobody is left to ask: every part that has somebody to sign it is signed off as it stands.")
    people.mail(
        wanted,
        "application_sign_off",
        "application",
        application_id,
        reference=application.reference,
        title=application.title,
        asked_by=actor.name,
        closes_at=closes_said(call),
    )
    return len(wanted)
