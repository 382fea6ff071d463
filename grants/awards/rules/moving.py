"""A move from the reserve list as pages show it, and the reasons for which it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.awards.states import SelectionState
from grants.core.money import Money, total


@dataclass(frozen=True, slots=True)
class MoveView:
    """One decided move."""

    id: UUID
    number: int
    state: SelectionState
    version: int
    application_id: UUID
    reference: str
    title: str
    amount: Money
    words: str
    reason: str
    decided_by: str
    decided_by_id: UUID
    decided_at: datetime
    confirmed_by: str
    returned_by: str
    return_reason: str


@dataclass(frozen=True, slots=True)
class NextView:
    """Whom the program proposes next."""

    application_id: UUID
    reference: str
    title: str
    # “rank 4”, or where a repeated evaluation put it.
    place: str
    amount: Money
    words: str


@dataclass(frozen=True, slots=True)
class ReservePage:
    """What came free of a confirmed list, who is next, and the moves that were decided."""

    ended: tuple[tuple[str, str, Money], ...] = ()
    available: Money = Money(0)
    next: NextView | None = None
    moves: tuple[MoveView, ...] = ()
    # What the call has free beyond its list: a raised budget, or a grant that took less.
    added: Money = Money(0)

    @property
    def open_move(self) -> MoveView | None:
        """The move that waits for a second person."""
        return next((move for move in self.moves if move.state is SelectionState.DECIDED), None)

    @property
    def moved(self) -> Money:
        """What those who moved up got."""
        return total(move.amount for move in self.moves if move.state is SelectionState.CONFIRMED)

    @property
    def freed(self) -> Money:
        """What declined or dropped applications gave back."""
        return total(amount for _, _, amount in self.ended)

    def reserved(self, used: Money) -> Money:
        """What of a list that used this much is reserved now.

        >>> ReservePage((("A-1", "One", Money(400)),)).reserved(Money(1_000))
        Money(cents=600, currency='EUR')
        """
        return used - self.freed + self.moved

    def left(self, left: Money) -> Money:
        """What is left now of a list that had this much left."""
        return left + self.freed - self.moved + self.added


NOTHING_FREED = ReservePage()
