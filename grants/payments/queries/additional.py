"""Additional pre-financing of a grant: where it stands, and what the city stated to have used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.rules import GrantView, TerminationView, standing
from grants.agreements.states import RUNNING, GrantState, PaymentKind, TerminationState
from grants.core.errors import Refused
from grants.core.money import ZERO
from grants.core.permissions import Actor
from grants.core.together import Asking as Reading
from grants.core.together import ask, reader, side_by_side
from grants.identity.models import User
from grants.ledger import queries as books
from grants.payments.models import PaymentCancellation, PaymentOrder, PaymentRequest, PrefinancingUse
from grants.payments.queries.requests import limits_of, request_views
from grants.payments.rules import RequestView
from grants.payments.rules.additional import Asking, UseView, refuse_additional
from grants.payments.rules.decisions import room
from grants.payments.states import OrderState, RequestState


@reader
def use_of(request_id: UUID) -> Reading[UseView | None]:
    """What the city stated when it asked for additional pre-financing by this request; None of any other. One statement."""
    found = yield from _uses(PrefinancingUse.request_id == request_id)
    return found[0] if found else None


def _uses(wanted: ColumnElement[bool]) -> Reading[tuple[UseView, ...]]:
    request, earlier, row = aliased(PaymentRequest), aliased(PaymentRequest), PrefinancingUse
    found = yield from ask(
        select(
            *(request.reference, earlier.reference.label("earlier"), row.used, row.paid, row.threshold),
            *(row.used_until, row.words, row.stated_at, User.name),
        )
        .join(request, request.id == row.request_id)
        .join(earlier, earlier.id == row.earlier_id)
        .join(User, User.id == row.stated_by)
        .where(wanted)
        .order_by(request.number)
    )
    return tuple(UseView(*each) for each in found)


@dataclass(frozen=True, slots=True)
class Ground:
    """What additional pre-financing is asked on: where it stands, and the requests that it follows."""

    asking: Asking
    first_id: UUID | None
    paid_on: date | None
    # The one that was rejected last and not asked for again.
    rejected_id: UUID | None


def _asked(grant_id: UUID) -> Reading[list[Any]]:
    """What was asked for in advance, and the balance, with what of each was cancelled and when the bank paid it last."""
    cancelled, request = PaymentCancellation, PaymentRequest
    paid_on = (
        select(func.max(PaymentOrder.value_on))
        .where(PaymentOrder.request_id == request.id, PaymentOrder.state == OrderState.EXECUTED.value)
        .correlate(request)
        .scalar_subquery()
    )
    rows = yield from ask(
        select(
            *(request.id, request.reference, request.kind, request.state, request.payable),
            *(cancelled.amount.label("cancelled"), paid_on.label("paid_on")),
        )
        .outerjoin(cancelled, cancelled.request_id == request.id)
        .where(
            request.grant_id == grant_id,
            request.kind.in_([PaymentKind.PREFINANCING.value, PaymentKind.ADDITIONAL.value, PaymentKind.BALANCE.value]),
        )
        .order_by(request.number)
    )
    return list(rows)


def _ending_on(terminations: Sequence[TerminationView]) -> date | None:
    """The first day without work, where a termination of the whole grant is confirmed."""
    found = standing(terminations)
    return found.effective_on if found is not None and found.state is TerminationState.CONFIRMED else None


@reader
def ground_of(grant: Grant) -> Reading[Ground]:
    """Where a grant stands for additional pre-financing. Two statements."""
    about: list[Reading[Any]] = [
        _asked(grant.id),
        agreements.terminations.asking(grant.id),
        books.of.asking(grant_id=grant.id),
    ]
    rows, ended, stands = yield from side_by_side(about)
    of: dict[str, list[Any]] = {}
    for row in rows:
        of.setdefault(row.kind, []).append(row)
    first = next(reversed(of.get(PaymentKind.PREFINANCING.value, [])), None)
    more = of.get(PaymentKind.ADDITIONAL.value, [])
    balance = next(reversed(of.get(PaymentKind.BALANCE.value, [])), None)
    standing = next((each for each in more if each.state != RequestState.REJECTED.value), None)
    asking = Asking(
        agreed=grant.additional,
        threshold=grant.additional_threshold,
        running=GrantState(grant.state) in RUNNING,
        ends_on=_ending_on(ended),
        final=grant.final_amount,
        first=(first.reference, RequestState(first.state)) if first is not None else None,
        paid=(first.payable or ZERO) - (first.cancelled or ZERO) if first is not None else ZERO,
        open_one=standing.reference if standing is not None else None,
        balance=balance.reference if balance is not None else None,
        room=room(stands, limits_of(grant)),
    )
    return Ground(
        asking,
        first.id if first is not None else None,
        first.paid_on if first is not None else None,
        more[-1].id if more and standing is None else None,
    )


@dataclass(frozen=True, slots=True)
class AdditionalPage:
    """The page of additional pre-financing: what was agreed, where it stands, and every statement of use with its request."""

    grant: GrantView
    version: int
    ground: Ground
    uses: tuple[UseView, ...]
    requests: tuple[RequestView, ...]

    @property
    def refusal(self) -> str | None:
        """Why it cannot be asked for now; None where it may."""
        try:
            refuse_additional(self.ground.asking)
        except Refused as refused:
            return str(refused)
        return None

    @property
    def lines(self) -> tuple[tuple[UseView, RequestView], ...]:
        """Each statement with the request that it opened."""
        by_reference = {each.reference: each for each in self.requests}
        return tuple((each, by_reference[each.request]) for each in self.uses)


@reader
def additional_page(actor: Actor, reference: str) -> Reading[AdditionalPage]:
    """Additional pre-financing of a grant, for everybody who may read its agreement; raises :class:`NotFound`."""
    row = yield from agreements.readable.asking(actor, reference)
    of_grant = select(PaymentRequest.id).where(PaymentRequest.grant_id == row.id)
    about: list[Reading[Any]] = [
        agreements.view.asking(row),
        ground_of.asking(row),
        _uses(PrefinancingUse.request_id.in_(of_grant)),
        _requests(row.id),
    ]
    grant, ground, uses, requests = yield from side_by_side(about)
    return AdditionalPage(grant, row.version, ground, uses, requests)


def _requests(grant_id: UUID) -> Reading[tuple[RequestView, ...]]:
    found = yield from ask(
        select(PaymentRequest)
        .where(PaymentRequest.grant_id == grant_id, PaymentRequest.kind == PaymentKind.ADDITIONAL.value)
        .order_by(PaymentRequest.number)
    )
    return (yield from request_views.asking(found))
