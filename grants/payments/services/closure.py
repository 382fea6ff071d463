"""The closure of a grant: what stands against it, and what goes back to the call."""

from __future__ import annotations

from uuid import UUID

from grants.agreements.models import Grant
from grants.agreements.services import end_with_grant, refuse_conflict
from grants.agreements.states import GRANT, GrantState
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, Problem, Problems
from grants.core.money import Money, total
from grants.core.permissions import Actor, Permission
from grants.identity.rules import demand_fresh
from grants.ledger import queries as books
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions, Event
from grants.payments.models import GrantClosing
from grants.payments.queries import checklist, lines_of
from grants.payments.rules.closing import kept, problems_of
from grants.payments.services.locks import scope_of_grant


def closure_problems(grant_id: UUID) -> tuple[Problem, ...]:
    """Why a grant cannot be closed yet: every open line of its checklist (:mod:`grants.payments.queries.closing`)."""
    return problems_of(lines_of(grant_id))


@act("grant.close", needs=Permission.AGREEMENT_CLOSE, scope=scope_of_grant, says="closed grant {subject}")
def close_grant(actor: Actor, grant_id: UUID, *, note: str, version: int | None = None) -> Money:
    """Close a grant whose balance is settled; what was committed and never used goes back to the call (E21).

    Returns what was given back.
    """
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    refuse_conflict(actor, grant_id)
    check_version(grant, version)
    GRANT.target(GrantState(grant.state), "close")
    if not note.strip():
        raise Invalid("Say on what the closure rests.", {"note": "Write what was looked at before closing."})
    faults.point("ceiling")
    lines = checklist(grant)
    if problems := problems_of(lines):
        raise Problems("The grant cannot be closed yet.", problems)
    acts.reason(note.strip())
    still_open = [(partner, amount) for partner, amount in books.partners_open(grant_id) if amount]
    if still_open:
        ledger.post(
            Event.DECOMMITTED,
            source_key=f"grant:{grant_id}:decommitted",
            effective_on=acts.today(),
            description=f"{grant.reference}: decommitted at closure",
            legs=legs.legs_e21(still_open, Dimensions(grant.fund_source_id, grant.call_id, grant_id)),
        )
    words = "The grant is closed, so nothing of its agreement changes any more."
    end_with_grant(actor, grant, "close", words)
    GRANT.move(grant, "close")
    grant.closed_at = acts.moment()
    db.session.add(
        GrantClosing(
            grant_id=grant_id, lines=kept(lines), note=note.strip(), closed_by=actor.user_id, closed_at=acts.moment()
        )
    )
    return total(amount for _, amount in still_open)
