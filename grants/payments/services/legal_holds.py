"""Acts on legal holds: set on a call or a grant by one person, lifted by another."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.agreements.services import refuse_conflict
from grants.core import acts
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Conflict, Invalid
from grants.core.legal_holds import LegalHold
from grants.core.permissions import Actor, Permission, Scope
from grants.core.references import next_number
from grants.core.states import HeldKind
from grants.dossiers.rules import clean_text
from grants.identity.services import refuse_tied_to
from grants.payments import queries
from grants.payments.rules.retaining import HoldInput, check_hold, refuse_own_hold

SERIES = "legal hold"


def _scope_of_hold(hold_id: UUID) -> Scope:
    row = get(LegalHold, hold_id)
    return queries.held_scope(HeldKind(row.kind), row.object_id)


@act("legal_hold.set", needs=Permission.LEGAL_HOLD_SET, says="set a legal hold")
def set_hold(actor: Actor, given: HoldInput) -> int:
    """Keep the records of a call with all its grants, or of one grant, whatever their time. Returns the number of the hold.

    Raises :class:`NotFound` for what the person may not hold, and :class:`Conflict` where a hold stands on it already.
    """
    check_hold(given)
    kind, object_id = queries.named(actor, given.reference)
    if kind is HeldKind.GRANT:
        refuse_conflict(actor, object_id)
    standing = select(LegalHold.number).where(
        LegalHold.kind == kind.value, LegalHold.object_id == object_id, LegalHold.lifted_at.is_(None)
    )
    if (number := db.session.scalar(standing)) is not None:
        raise Conflict(f"Hold {number} stands on this already. One is enough: it is lifted first.")
    words = clean_text(given.reason)
    row = LegalHold(kind=kind.value, object_id=object_id, reason=words, set_by=actor.user_id, set_at=acts.moment())
    row.number = next_number(SERIES)
    db.session.add(row)
    acts.reason(words)
    return row.number


@act("legal_hold.lift", needs=Permission.LEGAL_HOLD_LIFT, scope=_scope_of_hold, says="lifted a legal hold")
def lift_legal_hold(actor: Actor, hold_id: UUID, *, reason: str, version: int | None = None) -> None:
    """Lift a hold that somebody else set; what the program tidies by itself goes on where no other hold stands."""
    row = locked(LegalHold, hold_id)
    check_version(row, version)
    if row.kind == HeldKind.GRANT.value:
        refuse_conflict(actor, row.object_id)
    if row.lifted_at is not None:
        raise Conflict("Somebody lifted this hold after you opened the page.")
    refuse_own_hold(row.set_by, actor.user_id)
    refuse_tied_to(actor.user_id, (row.set_by, row.set_at))
    words = clean_text(reason)
    if not words:
        raise Invalid("The reason is missing.", {"reason": "Say why its records need no longer be held."})
    row.lifted_by, row.lifted_at, row.lift_reason = actor.user_id, acts.moment(), words
    acts.reason(words)
