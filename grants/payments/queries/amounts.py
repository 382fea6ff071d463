"""How a figure of a grant's money is made up, with the entries behind it, for everybody who may read its agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grants.agreements import queries as agreements
from grants.agreements.rules import GrantView
from grants.agreements.states import ENDED
from grants.core.paging import Page, Rows
from grants.core.permissions import Actor
from grants.core.together import Asking, reader, side_by_side
from grants.ledger import queries as books
from grants.ledger.queries.moves import Moved, moved_by_event, moves
from grants.payments.rules import Limits
from grants.payments.rules.amounts import Explanation, Figure, Footing, explain


@dataclass(frozen=True, slots=True)
class Explained:
    """A figure with what it is made up of; entries only of a figure that is a balance of the books."""

    grant: GrantView
    explanation: Explanation
    entries: Rows[Moved] | None


@reader
def explained(actor: Actor, reference: str, figure: Figure, page: Page) -> Asking[Explained]:
    """The explanation of a figure of one grant; raises :class:`NotFound` where this person may not read it.

    The city reads the entries of its own grant: what moved, when and how much; who signed is the programme's to see.
    """
    row = yield from agreements.readable.asking(actor, reference)
    about: list[Asking[Any]] = [agreements.view.asking(row), books.of.asking(grant_id=row.id)]
    if figure.accounts:
        about += [moved_by_event.asking(row.id, figure.accounts), moves.asking(row.id, figure.accounts, page)]
    grant, found, *of_books = yield from side_by_side(about)
    moved, entries = of_books or ({}, None)
    limits = Limits(grant.maximum, grant.limits.interim_ceiling, grant.limits.prefinancing, grant.limits.retention)
    partners = tuple((each.name, each.maximum) for each in grant.beneficiaries)
    footing = Footing(found, limits, partners, moved, ended=grant.state in ENDED)
    return Explained(grant, explain(figure, footing), entries)
