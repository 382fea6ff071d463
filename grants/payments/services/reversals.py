"""Acts on reversals: the accounting officer proposes with a reason, the authorising officer confirms or refuses."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.agreements.services import refuse_conflict
from grants.calls.models import Call
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Conflict, Invalid, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.identity.rules import demand_fresh
from grants.identity.services import refuse_tied_to
from grants.ledger import queries as books
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.models import LedgerEntry
from grants.ledger.rules import Event
from grants.payments.models import ReversalProposal
from grants.payments.states import REVERSAL, ReversalState


def scope_of_entry(entry_id: UUID) -> Scope:
    """The calls and grants an entry is about, its calls locked; money of none is whoever's may act everywhere."""
    get(LedgerEntry, entry_id)
    dims = [leg.dims for leg in books.legs(entry_id)]
    calls = sorted({each.call_id for each in dims if each.call_id})
    grants = sorted({each.grant_id for each in dims if each.grant_id})
    for call_id in calls:
        locked(Call, call_id)
    return Scope.of(*(("call", each) for each in calls), *(("grant", each) for each in grants))


def scope_of_proposal(proposal_id: UUID) -> Scope:
    """Where the entry of a proposal lies."""
    return scope_of_entry(get(ReversalProposal, proposal_id).entry_id)


@act(
    "ledger.propose_reversal",
    needs=Permission.LEDGER_PROPOSE_REVERSAL,
    scope=scope_of_entry,
    says="proposed to reverse an entry of the ledger",
)
def propose_reversal(actor: Actor, entry_id: UUID, *, reason: str) -> UUID:
    """Propose that an entry be reversed, with the reason; only one that a mirror entry alone puts right."""
    demand_fresh(actor)
    entry = get(LedgerEntry, entry_id)
    _refuse_conflicts(actor, entry_id)
    _refuse_unfit(entry)
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say what is wrong with the entry, and how you know."})
    earlier = db.session.scalar(
        select(ReversalProposal.id).where(
            ReversalProposal.entry_id == entry_id, ReversalProposal.state == ReversalState.PROPOSED.value
        )
    )
    if earlier is not None:
        raise Conflict("The reversal of this entry is proposed already. It is confirmed, refused or withdrawn first.")
    acts.reason(reason.strip())
    row = ReversalProposal(
        entry_id=entry_id,
        reason=reason.strip(),
        state=ReversalState.PROPOSED.value,
        proposed_by=actor.user_id,
        proposed_at=acts.moment(),
    )
    db.session.add(row)
    return row.id


@act(
    "ledger.confirm_reversal",
    needs=Permission.LEDGER_CONFIRM_REVERSAL,
    scope=scope_of_proposal,
    says="confirmed the reversal of an entry of the ledger",
)
def confirm_reversal(actor: Actor, proposal_id: UUID, *, version: int | None = None) -> UUID:
    """Confirm what somebody else proposed: the mirror entry is posted (E24). Returns its id."""
    row = _to_decide(actor, proposal_id, version, "confirm")
    _refuse_unfit(get(LedgerEntry, row.entry_id))
    acts.reason(row.reason)
    row.reversal_id = ledger.reverse(row.entry_id, effective_on=acts.today(), reason=row.reason)
    _decide(actor, row, "confirm")
    return row.reversal_id


@act(
    "ledger.refuse_reversal",
    needs=Permission.LEDGER_CONFIRM_REVERSAL,
    scope=scope_of_proposal,
    says="refused to reverse an entry of the ledger",
)
def refuse_reversal(actor: Actor, proposal_id: UUID, *, reason: str, version: int | None = None) -> None:
    """Refuse what somebody else proposed, with the reason; the entry stands."""
    row = _to_decide(actor, proposal_id, version, "refuse")
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say why the entry stands."})
    acts.reason(reason.strip())
    row.refuse_reason = reason.strip()
    _decide(actor, row, "refuse")


@act(
    "ledger.withdraw_reversal",
    needs=Permission.LEDGER_PROPOSE_REVERSAL,
    scope=scope_of_proposal,
    says="withdrew the proposal to reverse an entry of the ledger",
)
def withdraw_reversal(actor: Actor, proposal_id: UUID, *, version: int | None = None) -> None:
    """Take one's own proposal back before it is decided."""
    row = locked(ReversalProposal, proposal_id)
    _refuse_conflicts(actor, row.entry_id)
    check_version(row, version)
    REVERSAL.target(ReversalState(row.state), "withdraw")
    if actor.user_id != row.proposed_by:
        raise Refused("Somebody else proposed this reversal. Only who proposed it withdraws it.")
    _decide(actor, row, "withdraw")


def _to_decide(actor: Actor, proposal_id: UUID, version: int | None, verb: str) -> ReversalProposal:
    demand_fresh(actor)
    row = locked(ReversalProposal, proposal_id)
    _refuse_conflicts(actor, row.entry_id)
    check_version(row, version)
    REVERSAL.target(ReversalState(row.state), verb)
    faults.point("four_eyes")
    if actor.user_id == row.proposed_by:
        raise Refused("You proposed this reversal, so somebody else decides on it. Ask another authorising officer.")
    refuse_tied_to(actor.user_id, (row.proposed_by, row.proposed_at))
    return row


def _decide(actor: Actor, row: ReversalProposal, verb: str) -> None:
    REVERSAL.move(row, verb)
    row.decided_by, row.decided_at = actor.user_id, acts.moment()


def _refuse_unfit(entry: LedgerEntry) -> None:
    from_a_document = any(leg.dims.document_id for leg in books.legs(entry.id))
    ref = legs.reference(entry.number, entry.effective_on)
    legs.refuse_reversal(ref, Event(entry.event), from_a_document=from_a_document)
    reversal = db.session.scalar(select(LedgerEntry).where(LedgerEntry.reverses_id == entry.id))
    if reversal is not None:
        again = legs.reference(reversal.number, reversal.effective_on)
        raise Conflict(f"{ref} was already reversed by {again}. An entry is reversed once.")


def _refuse_conflicts(actor: Actor, entry_id: UUID) -> None:
    for grant_id in sorted({leg.dims.grant_id for leg in books.legs(entry_id) if leg.dims.grant_id}):
        refuse_conflict(actor, grant_id)
