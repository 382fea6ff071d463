"""How a figure of a grant's money, of a request, a debt or a partner's balance is made up, with the entries behind it.

For everybody who may read the agreement: the city reads of its own grant what moved, when and how much; who signed is the
programme's to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from grants.agreements import queries as agreements
from grants.agreements.rules import GrantView
from grants.agreements.states import ENDED
from grants.core.errors import NotFound, Refused
from grants.core.paging import Page, Rows
from grants.core.permissions import Actor
from grants.core.together import Asking, alone, ask, reader, side_by_side
from grants.ledger import queries as books
from grants.ledger.models import LedgerLeg
from grants.ledger.queries.moves import Moved, moved_by_event, moves, moves_of
from grants.payments.models import PaymentOrder, PaymentRequest
from grants.payments.queries.additional import use_of
from grants.payments.queries.distribution import distribution_page
from grants.payments.queries.offsets import offset_views
from grants.payments.queries.recoveries import grant_recoveries, recovery_in
from grants.payments.queries.requests import allowed_by, forecast, parts_decided, request_views
from grants.payments.rules.additional import UseView
from grants.payments.rules.amounts import Explanation, Figure, Footing, explain
from grants.payments.rules.amounts_asked import Asked, OrderPart, RequestFigure, explain_asked
from grants.payments.rules.amounts_owed import DebtFigure, explain_owed
from grants.payments.rules.amounts_passed import PartnerFigure, explain_passed
from grants.payments.rules.offsets import OffsetView
from grants.payments.states import OrderState


@dataclass(frozen=True, slots=True)
class Explained:
    """A figure with what it is made up of; entries where it is a balance of the books or a document has some."""

    grant: GrantView
    explanation: Explanation
    entries: Rows[Moved] | None


@reader
def explained(actor: Actor, reference: str, figure: Figure, page: Page) -> Asking[Explained]:
    """The explanation of a figure of one grant; raises :class:`NotFound` where this person may not read it."""
    row = yield from agreements.readable.asking(actor, reference)
    about: list[Asking[Any]] = [agreements.view.asking(row), books.of.asking(grant_id=row.id)]
    if figure.accounts:
        about += [moved_by_event.asking(row.id, figure.accounts), moves.asking(row.id, figure.accounts, page)]
    grant, found, *of_books = yield from side_by_side(about)
    moved, entries = of_books or ({}, None)
    limits = allowed_by(grant)
    partners = tuple((each.name, each.maximum) for each in grant.beneficiaries)
    footing = Footing(found, limits, partners, moved, ended=grant.state in ENDED)
    return Explained(grant, explain(figure, footing), entries)


def request_explained(actor: Actor, reference: str, asked: str, figure: RequestFigure, page: Page) -> Explained:
    """The explanation of a figure of one request of a grant; raises :class:`NotFound` where it has none of it."""
    found = alone(_request(actor, reference, asked, page))
    request = found.request
    made = _decided(found) if request.decision is not None else _undecided(found)
    if figure not in made.figures:
        raise NotFound
    return Explained(found.grant, explain_asked(figure, made), found.entries)


@dataclass(frozen=True, slots=True)
class _Read:
    grant: GrantView
    request: Any
    orders: tuple[OrderPart, ...]
    offsets: tuple[OffsetView, ...]
    entries: Rows[Moved]
    use: UseView | None


def _request(actor: Actor, reference: str, asked: str, page: Page) -> Asking[_Read]:
    row = yield from agreements.readable.asking(actor, reference)
    about: list[Asking[Any]] = [agreements.view.asking(row), _of_request(row.id, asked, page)]
    grant, (request, orders, offsets, entries, use) = yield from side_by_side(about)
    live = tuple(
        OrderPart(each.reference, each.amount, OrderState(each.state))
        for each in orders
        if each.reissue_of is None and each.let_go_on is None and each.state != OrderState.CANCELLED.value
    )
    return _Read(grant, request, live, offsets, entries, use)


def _of_request(grant_id: UUID, asked: str, page: Page) -> Asking[tuple[Any, ...]]:
    """The request, its orders, what was set off of it, and the entries of all of them."""
    wanted = select(PaymentRequest).where(PaymentRequest.grant_id == grant_id, PaymentRequest.reference == asked)
    requests = yield from ask(wanted)
    if not requests:
        raise NotFound
    request_id = requests[0].id
    of_request = select(PaymentOrder.id).where(PaymentOrder.request_id == request_id)
    about: list[Asking[Any]] = [
        request_views.asking(requests),
        ask(_orders(request_id)),
        offset_views.asking(requests=[request_id]),
        moves_of.asking(or_(LedgerLeg.document_id == request_id, LedgerLeg.document_id.in_(of_request)), page),
        use_of.asking(request_id),
    ]
    (view,), orders, offsets, entries, use = yield from side_by_side(about)
    return view, orders, tuple(offsets.get(request_id, ())), entries, use


def _orders(request_id: UUID) -> Any:
    columns = (
        PaymentOrder.id,
        PaymentOrder.reference,
        PaymentOrder.amount,
        PaymentOrder.state,
        PaymentOrder.reissue_of,
        PaymentOrder.let_go_on,
    )
    return (
        select(*columns).where(PaymentOrder.request_id == request_id).order_by(PaymentOrder.created_at, PaymentOrder.id)
    )


def _decided(found: _Read) -> Asked:
    parts, limits = parts_decided(found.request)
    return Asked(found.request, found.request.decision, parts, limits, found.orders, found.offsets, found.use)


def _undecided(found: _Read) -> Asked:
    """What approving the whole would do; of one that is rejected or cannot be approved now, what was requested only."""
    if not found.request.is_open:
        return Asked(found.request, None, use=found.use)
    try:
        outcome = forecast(found.request)
    except Refused:
        return Asked(found.request, None, use=found.use)
    return Asked(found.request, outcome.decision, outcome.parts, outcome.limits, use=found.use)


@reader
def debt_explained(actor: Actor, reference: str, number: int, figure: DebtFigure, page: Page) -> Asking[Explained]:
    """The explanation of a figure of one recovery of a grant; raises :class:`NotFound`."""
    found = yield from grant_recoveries.asking(actor, reference)
    debt = recovery_in(found, number)
    entries = yield from moves_of.asking(LedgerLeg.document_id == debt.id, page)
    return Explained(found.grant, explain_owed(figure, debt), entries)


@reader
def partner_explained(actor: Actor, reference: str, place: int, figure: PartnerFigure) -> Asking[Explained]:
    """The explanation of a figure of one partner's balance, by its place among the partners; raises :class:`NotFound`."""
    found = yield from distribution_page.asking(actor, reference)
    if not 1 <= place <= len(found.balances):
        raise NotFound
    return Explained(found.grant, explain_passed(figure, found.balances[place - 1], found.lines), None)
