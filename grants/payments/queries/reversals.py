"""Reversals as pages show them: of one entry, and all that a person may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.orm import aliased

from grants.core.duties import Duty
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity import queries as identity
from grants.ledger import queries as books
from grants.ledger import rules
from grants.ledger.models import LedgerEntry
from grants.payments.models import ReversalProposal
from grants.payments.states import ReversalState

SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class ReversalView:
    """One proposal with the entry it is about and the people."""

    id: UUID
    version: int
    ref: str
    description: str
    reason: str
    state: ReversalState
    proposed_by_id: UUID
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    refuse_reason: str | None
    reversal: str | None


@dataclass(frozen=True, slots=True)
class ReversalPage:
    """An entry, what was proposed of it, newest first, and why it is not reversed by itself (empty: it may be)."""

    entry: books.EntryView
    why_not: str
    proposals: tuple[ReversalView, ...]

    @property
    def open(self) -> ReversalView | None:
        """The proposal that waits for a decision."""
        return next((each for each in self.proposals if each.state is ReversalState.PROPOSED), None)


@reader
def reversal_page(actor: Actor, ref: str) -> Asking[ReversalPage]:
    """What can be done about an entry; raises :class:`NotFound` for one the person may not see."""
    entry = yield from books.entry.asking(actor, ref)
    rows = yield from ask(
        select(ReversalProposal)
        .where(ReversalProposal.entry_id == entry.id)
        .order_by(ReversalProposal.proposed_at.desc(), ReversalProposal.id)
        .limit(SHOWN_MAX)
    )
    names = yield from _names(rows)
    shown = tuple(_view(row, entry.ref, entry.description, entry.reversed_by, names) for row in rows)
    return ReversalPage(entry, why_not(entry), shown)


def why_not(entry: books.EntryView) -> str:
    """Why an entry is not reversed by itself, in words; empty where it may be proposed."""
    if entry.reversed_by:
        return f"It was reversed by {entry.reversed_by} already. An entry is reversed once."
    return rules.why_not_reversed(entry.event, from_a_document=any(leg.dims.document_id for leg in entry.legs))


@reader
def reversals(actor: Actor) -> Asking[tuple[ReversalView, ...]]:
    """What was proposed of entries this person may see: what waits first, then the newest; at most a hundred."""
    if not actor.can(Permission.LEDGER_READ):
        raise NotFound
    reversal = aliased(LedgerEntry)
    waits = case((ReversalProposal.state == ReversalState.PROPOSED.value, 0), else_=1)
    order = (waits, ReversalProposal.proposed_at.desc(), ReversalProposal.id)
    about = (ReversalProposal.id, LedgerEntry.number, LedgerEntry.effective_on, LedgerEntry.description)
    named = (
        select(*about, reversal.number.label("again"), reversal.effective_on.label("again_on"))
        .join(LedgerEntry, LedgerEntry.id == ReversalProposal.entry_id)
        .outerjoin(reversal, reversal.id == ReversalProposal.reversal_id)
        .where(books.visible(actor))
    )
    plain = select(ReversalProposal).join(LedgerEntry, LedgerEntry.id == ReversalProposal.entry_id)
    plain = plain.where(books.visible(actor))
    asked: list[Asking[Any]] = [ask(each.order_by(*order).limit(SHOWN_MAX)) for each in (plain, named)]
    rows, entries = yield from side_by_side(asked)
    names = yield from _names(rows)
    of = {proposal_id: _Said(*said) for proposal_id, *said in entries}
    return tuple(
        _view(row, of[row.id].ref, of[row.id].words, of[row.id].reversal, names) for row in rows if row.id in of
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """How the list names an entry, and what reversed it."""

    number: int
    effective_on: date
    words: str
    again: int | None
    again_on: date | None

    @property
    def ref(self) -> str:
        return rules.reference(self.number, self.effective_on)

    @property
    def reversal(self) -> str | None:
        return rules.reference(self.again, self.again_on) if self.again and self.again_on else None


@reader
def reversal_duties(actor: Actor) -> Asking[list[Duty]]:
    """The proposals of others that wait for this person to confirm or refuse them."""
    if not actor.can(Permission.LEDGER_CONFIRM_REVERSAL):
        return []
    found = yield from reversals.asking(actor)
    return [
        Duty(
            f"Decide on the reversal of {each.ref}",
            f"Proposed by {each.proposed_by}",
            "Look at the reversal",
            "payments.reversal",
            {"ref": each.ref},
        )
        for each in found
        if each.state is ReversalState.PROPOSED and each.proposed_by_id != actor.user_id
    ]


def _names(rows: Sequence[ReversalProposal]) -> Asking[dict[UUID, str]]:
    ids = {each for row in rows for each in (row.proposed_by, row.decided_by) if each}
    people = yield from identity.people.asking(ids)
    return {user_id: person.name for user_id, person in people.items()}


def _view(
    row: ReversalProposal, ref: str, description: str, reversal: str | None, names: dict[UUID, str]
) -> ReversalView:
    return ReversalView(
        id=row.id,
        version=row.version,
        ref=ref,
        description=description,
        reason=row.reason,
        state=ReversalState(row.state),
        proposed_by_id=row.proposed_by,
        proposed_by=names.get(row.proposed_by, ""),
        proposed_at=row.proposed_at,
        decided_by=names.get(row.decided_by) if row.decided_by else None,
        decided_at=row.decided_at,
        refuse_reason=row.refuse_reason,
        reversal=reversal if row.reversal_id else None,
    )
