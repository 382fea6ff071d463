"""Payments that came late and the interest on them: what is to be reckoned, what was, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import aliased

from grants.agreements import queries as agreements
from grants.agreements.models import Beneficiary, Grant
from grants.agreements.rules import GrantView
from grants.agreements.states import RUNNING, PaymentKind, values
from grants.applications.queries.writing import is_public
from grants.core.duties import Duty
from grants.core.errors import NotFound
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity import queries as identity
from grants.identity.models import User
from grants.payments.models import LateInterest, PaymentOrder, PaymentRequest
from grants.payments.queries.recoveries import DUTIES_MAX
from grants.payments.rules.days import WORDS
from grants.payments.rules.late_interest import LateInterestLine, NothingOwed, PublicRule
from grants.payments.states import InterestState, OrderState


@dataclass(frozen=True, slots=True)
class LateOrder:
    """An order the bank carried out after the due day of its request, and that bears no interest yet.

    Where it issues again what came back and bore interest by then, ``due_on`` is the day until which that was reckoned, and
    ``before`` what it came to: no day bears interest twice. ``rate_on`` is the due day of the request, by which the rate goes.
    """

    id: UUID
    reference: str
    amount: Money
    due_on: date
    paid_on: date
    rate_on: date
    before: Money = ZERO


@dataclass(frozen=True, slots=True)
class LatePage:
    """The interest on one request as this person may read it."""

    grant: GrantView
    request_id: UUID
    version: int
    reference: str
    number: int
    kind: PaymentKind
    due_on: date
    late: tuple[LateOrder, ...]
    lines: tuple[LateInterestLine, ...]
    booked_by: tuple[UUID, ...]
    # Beneficiaries by name, those that are public bodies first named.
    public: tuple[str, ...]
    private: tuple[str, ...]

    @property
    def waits(self) -> bool:
        """Whether something reckoned waits for another person."""
        return any(each.state is InterestState.PROPOSED for each in self.lines)

    @property
    def words(self) -> str:
        """What kind of payment came late."""
        return WORDS[self.kind]


def _late_orders() -> Any:
    """Executed orders after the due day without interest that stands; the suspended days are in the due day already."""
    reckoned = exists().where(
        LateInterest.order_id == PaymentOrder.id, LateInterest.state != InterestState.REFUSED.value
    )
    return (
        select(
            *(PaymentOrder.id, PaymentOrder.reference, PaymentOrder.amount, PaymentRequest.due_on),
            PaymentOrder.value_on.label("paid_on"),
        )
        .join(PaymentRequest, PaymentRequest.id == PaymentOrder.request_id)
        .where(
            PaymentOrder.state == OrderState.EXECUTED.value,
            PaymentOrder.value_on > PaymentRequest.due_on,
            PaymentRequest.kind != PaymentKind.LATE_INTEREST.value,
            ~reckoned.correlate(PaymentOrder),
        )
        .order_by(PaymentOrder.value_on, PaymentOrder.reference)
    )


@reader
def late_orders(request_id: UUID) -> Asking[tuple[LateOrder, ...]]:
    """What of a request was paid late and bears no interest yet. Two statements."""
    rows, issued = yield [_late_orders().where(PaymentRequest.id == request_id), _issued(request_id)]
    known = {row.id: row for row in issued}
    return tuple(_late(row, known) for row in rows)


def _issued(request_id: UUID) -> Any:
    """Every order of a request, which one it issues again, and the interest owed for it that was not refused."""
    owed = (
        (LateInterest.order_id == PaymentOrder.id)
        & (LateInterest.state != InterestState.REFUSED.value)
        & LateInterest.nothing.is_(None)
    )
    return (
        select(PaymentOrder.id, PaymentOrder.reissue_of, LateInterest.paid_on, LateInterest.amount)
        .outerjoin(LateInterest, owed)
        .where(PaymentOrder.request_id == request_id)
    )


def _late(row: Any, issued: Mapping[UUID, Any]) -> LateOrder:
    due_on, before, earlier = row.due_on, ZERO, issued[row.id].reissue_of
    while earlier is not None:
        came_back = issued[earlier]
        if came_back.paid_on is not None:
            due_on, before = max(due_on, came_back.paid_on), before + came_back.amount
        earlier = came_back.reissue_of
    return LateOrder(row.id, row.reference, row.amount, due_on, row.paid_on, row.due_on, before)


@reader
def partners_public(grant_id: UUID) -> Asking[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The beneficiaries that are public bodies and those that are not, by name, as the register says today."""
    holders = yield from ask(
        select(Beneficiary.organisation_id).where(Beneficiary.grant_id == grant_id).order_by(Beneficiary.position)
    )
    found = yield from identity.with_facts.asking([row.organisation_id for row in holders])
    views = [found[row.organisation_id] for row in holders]
    public = {view.id for view, facts in views if is_public(view.kind, facts)}
    return (
        tuple(view.name for view, _ in views if view.id in public),
        tuple(view.name for view, _ in views if view.id not in public),
    )


@reader
def late_page(actor: Actor, reference: str, asked: str) -> Asking[LatePage]:
    """The interest on a request of a grant this person may read; raises :class:`NotFound`."""
    grant = yield from agreements.readable.asking(actor, reference)
    rows = yield from ask(
        select(PaymentRequest).where(PaymentRequest.grant_id == grant.id, PaymentRequest.reference == asked)
    )
    if not rows or rows[0].kind == PaymentKind.LATE_INTEREST.value:
        raise NotFound
    request = rows[0]
    about: list[Asking[Any]] = [
        agreements.view.asking(grant),
        late_orders.asking(request.id),
        ask(_lines(request.id)),
        partners_public.asking(grant.id),
    ]
    view, late, lines, (public, private) = yield from side_by_side(about)
    return LatePage(
        *(view, request.id, request.version, request.reference, request.number, PaymentKind(request.kind)),
        *(request.due_on, late, tuple(_line(row) for row in lines), tuple(_waiting(lines)), public, private),
    )


def _waiting(lines: Sequence[Any]) -> list[UUID]:
    return [row.booked_by for row in lines if row.state == InterestState.PROPOSED.value]


def _lines(request_id: UUID) -> Any:
    who, decider, paying = aliased(User), aliased(User), aliased(PaymentRequest)
    row = LateInterest
    return (
        select(
            *(PaymentOrder.reference.label("order_reference"), row.state, row.principal, row.due_on, row.paid_on),
            *(row.days, row.reference_on, row.reference, row.table_number, row.margin, row.day_count, row.reckoned),
            *(row.minimum, row.public_rule, row.asked_on, row.nothing, row.amount, row.refuse_reason, row.booked_by),
            *(who.name.label("booker"), decider.name.label("decider"), paying.reference.label("paying")),
        )
        .join(PaymentOrder, PaymentOrder.id == row.order_id)
        .join(who, who.id == row.booked_by)
        .outerjoin(decider, decider.id == row.decided_by)
        .outerjoin(paying, paying.id == row.paying_id)
        .where(row.request_id == request_id)
        .order_by(row.booked_at, PaymentOrder.reference, row.id)
    )


def _line(row: Any) -> LateInterestLine:
    return LateInterestLine(
        *(row.order_reference, InterestState(row.state), row.principal, row.due_on, row.paid_on, row.days),
        *(row.reference_on, Decimal(row.reference), row.table_number, Decimal(row.margin), row.day_count),
        *(row.reckoned, row.minimum, PublicRule(row.public_rule), row.asked_on),
        *(NothingOwed(row.nothing) if row.nothing else None, row.amount, row.booker, row.decider),
        *(row.refuse_reason, row.paying),
    )


def late_waiting(grant_id: UUID) -> Asking[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Requests of a grant whose interest waits for its second person, and those paid late that bear none yet."""
    proposed = (
        select(PaymentRequest.reference)
        .where(
            PaymentRequest.grant_id == grant_id,
            exists().where(
                LateInterest.request_id == PaymentRequest.id, LateInterest.state == InterestState.PROPOSED.value
            ),
        )
        .order_by(PaymentRequest.reference)
    )
    late = _late_orders().with_only_columns(PaymentRequest.reference).where(PaymentRequest.grant_id == grant_id)
    waiting, to_reckon = yield [proposed, late]
    return tuple(row.reference for row in waiting), tuple(dict.fromkeys(row.reference for row in to_reckon))


@reader
def interest_origin(request_id: UUID) -> Asking[str | None]:
    """The request that was paid late, of one that pays the interest on it; None of every other."""
    late = aliased(PaymentRequest)
    rows = yield from ask(
        select(late.reference)
        .join(LateInterest, LateInterest.request_id == late.id)
        .where(LateInterest.paying_id == request_id)
    )
    return rows[0].reference if rows else None


def late_interest_duties(actor: Actor) -> Asking[list[Duty]]:
    """The interest that this person reckons, and what somebody else reckoned and they decide on."""
    kinds = []
    if actor.can(Permission.INTEREST_BOOK):
        late = _late_orders().order_by(None).with_only_columns(PaymentOrder.id)
        late = late.where(PaymentOrder.request_id == _asked.id)
        kinds.append(_duties(actor, Permission.INTEREST_BOOK, late.correlate(_asked).exists(), _to_reckon))
    if actor.can(Permission.INTEREST_CONFIRM):
        waits = exists().where(
            LateInterest.request_id == _asked.id,
            LateInterest.state == InterestState.PROPOSED.value,
            LateInterest.booked_by.is_distinct_from(actor.user_id),
        )
        kinds.append(_duties(actor, Permission.INTEREST_CONFIRM, waits, _to_decide))
    found = yield from side_by_side(kinds)
    return [duty for duties in found for duty in duties]


_asked = aliased(PaymentRequest)


def _duties(
    actor: Actor, needs: Permission, waits: ColumnElement[bool], told: Callable[[Any], Duty]
) -> Asking[list[Duty]]:
    statement = (
        select(
            _asked.reference, Grant.reference.label("grant"), func.coalesce(Grant.acronym, Grant.title).label("name")
        )
        .join(Grant, Grant.id == _asked.grant_id)
        .where(agreements.visible(actor, needs), Grant.state.in_(values(RUNNING)), waits)
        .order_by(_asked.due_on, _asked.reference)
        .limit(DUTIES_MAX)
    )
    return [told(row) for row in (yield from ask(statement))]


def _to_reckon(row: Any) -> Duty:
    return _duty(
        row,
        f"Reckon the interest for the late payment to {row.name}",
        f"{row.reference} was paid after its due day; where nothing is owed for it, that is decided too.",
    )


def _to_decide(row: Any) -> Duty:
    return _duty(
        row,
        f"Decide on the interest for the late payment to {row.name}",
        f"{row.reference}: it was reckoned by somebody else.",
    )


def _duty(row: Any, what: str, why: str) -> Duty:
    where = {"ref": row.grant, "asked": row.reference}
    return Duty(what, why, "Open the interest", "payments.late_interest", where)
