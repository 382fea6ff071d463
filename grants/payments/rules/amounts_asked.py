"""How each figure of a payment request is made up: what was asked for, what its decision splits, and what became of it. Pure.

Of an undecided request the same figures say what approving the whole would do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from grants.agreements.states import PaymentKind
from grants.core import clock
from grants.core.money import ZERO, Money
from grants.payments.rules.additional import UseView
from grants.payments.rules.amounts import Explanation, Lead, Line, Place, made_of
from grants.payments.rules.decisions import Decision
from grants.payments.rules.finals import FinalLimits
from grants.payments.rules.offsets import OffsetView
from grants.payments.rules.parts import PartLine
from grants.payments.rules.showing import RequestView
from grants.payments.states import OrderState


class RequestFigure(StrEnum):
    """A figure of a payment request; the word is the end of the address at which it is explained."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    PAYABLE = "payable"
    RETAINED = "retained"
    CLEARED = "cleared"
    DEFERRED = "deferred"
    RECOVERABLE = "recoverable"
    SET_OFF = "set-off"
    CANCELLED = "cancelled"
    NET = "net"
    ORDERED = "ordered"
    TO_ORDER = "to-order"


_HEADINGS: Mapping[RequestFigure, str] = {
    RequestFigure.REQUESTED: "Requested",
    RequestFigure.APPROVED: "Approved",
    RequestFigure.REFUSED: "Refused",
    RequestFigure.PAYABLE: "Payable",
    RequestFigure.RETAINED: "Retained until the balance",
    RequestFigure.CLEARED: "Covered by pre-financing already paid",
    RequestFigure.DEFERRED: "Above the ceiling: waits for the balance",
    RequestFigure.RECOVERABLE: "Paid too much: to be recovered",
    RequestFigure.SET_OFF: "Set off against debts",
    RequestFigure.CANCELLED: "Cancelled unpaid",
    RequestFigure.NET: "To be paid, net",
    RequestFigure.ORDERED: "In orders",
    RequestFigure.TO_ORDER: "In no order yet",
}
_RULES: Mapping[RequestFigure, str] = {
    RequestFigure.APPROVED: "What was requested, less what was refused of it.",
    RequestFigure.REFUSED: "What was requested and not approved.",
    RequestFigure.RETAINED: "The agreement keeps the retention out of the pre-financing, once, and releases it with the balance.",
    RequestFigure.CLEARED: "Accepted costs that do not fit under the ceiling are covered by pre-financing that was paid and that no "
    "costs cover yet.",
    RequestFigure.DEFERRED: "What neither the room below the ceiling nor pre-financing takes. It counts in the final amount.",
    RequestFigure.RECOVERABLE: "What was paid or on its way before, above the final amount.",
    RequestFigure.SET_OFF: "What of the payment pays debts of the same city, each named.",
    RequestFigure.CANCELLED: "What of approved pre-financing was never paid and is not paid any more; it counts as never approved.",
    RequestFigure.NET: "What is payable, less what is set off against debts of the city and what was cancelled unpaid.",
    RequestFigure.ORDERED: "The orders made of it that were not cancelled. One that is issued again stands once.",
    RequestFigure.TO_ORDER: "What is payable, less what is in orders, what is set off and what was cancelled unpaid.",
}


@dataclass(frozen=True, slots=True)
class OrderPart:
    """An order of a request, as far as its amount and its fate go."""

    reference: str
    amount: Money
    state: OrderState


@dataclass(frozen=True, slots=True)
class Asked:
    """What the figures of a request are worked out of: its split, kept or as it would be, and what it was ordered and set off."""

    request: RequestView
    decision: Decision | None
    parts: tuple[PartLine, ...] = ()
    limits: FinalLimits | None = None
    orders: tuple[OrderPart, ...] = ()
    offsets: tuple[OffsetView, ...] = ()
    # What the city stated to have used, where it asked for additional pre-financing.
    use: UseView | None = None

    @property
    def figures(self) -> frozenset[RequestFigure]:
        """The figures that it has: of one that is neither decided nor can be approved, what was requested only."""
        if self.decision is None:
            return frozenset({RequestFigure.REQUESTED})
        if self.request.decision is None:
            return frozenset(RequestFigure) - _AFTERWARDS
        return frozenset(RequestFigure)


# What there is only once it is decided.
_AFTERWARDS = {
    *(RequestFigure.SET_OFF, RequestFigure.CANCELLED, RequestFigure.NET),
    *(RequestFigure.ORDERED, RequestFigure.TO_ORDER),
}


def heading(figure: RequestFigure, kind: PaymentKind) -> str:
    """What the figure is called where it is shown.

    >>> heading(RequestFigure.APPROVED, PaymentKind.BALANCE)
    'Final amount of the grant'
    """
    if kind is PaymentKind.BALANCE and figure is RequestFigure.APPROVED:
        return "Final amount of the grant"
    if kind is PaymentKind.BALANCE and figure is RequestFigure.REQUESTED:
        return "Final amount that was asked for"
    return _HEADINGS[figure]


def explain_asked(figure: RequestFigure, asked: Asked) -> Explanation:
    """What a figure of a request is made up of.

    Only of the figures it has (:attr:`Asked.figures`).
    """
    request, split = asked.request, asked.decision
    match figure:
        case RequestFigure.REQUESTED:
            return _made(figure, asked, request.requested, _of_use(asked) or _by_part(asked, figure))
        case RequestFigure.SET_OFF:
            return _made(figure, asked, request.set_off, _offsets(asked))
        case RequestFigure.CANCELLED:
            return _made(figure, asked, request.cancelled, [Line("Approved and never paid", request.cancelled)])
        case RequestFigure.ORDERED:
            return _made(figure, asked, request.ordered, _orders(asked))
        case RequestFigure.TO_ORDER:
            return _made(figure, asked, request.to_order, _to_order(asked))
        case _:
            assert split is not None, "only the figures that it has"
    match figure:
        case RequestFigure.APPROVED:
            taken = [Line("Requested", request.requested, _leads(RequestFigure.REQUESTED))]
            taken.append(Line("Refused", split.approved - request.requested, _leads(RequestFigure.REFUSED)))
            return _made(figure, asked, split.approved, taken)
        case RequestFigure.REFUSED:
            return _made(figure, asked, request.requested - split.approved, _by_part(asked, figure))
        case RequestFigure.PAYABLE:
            return _made(figure, asked, split.payable, _payable(asked, split))
        case RequestFigure.RECOVERABLE:
            return _made(figure, asked, split.recoverable, _recoverable(split))
        case RequestFigure.NET:
            gross = Line(_HEADINGS[RequestFigure.PAYABLE], split.payable, _leads(RequestFigure.PAYABLE))
            net = split.payable - request.set_off - request.cancelled
            return _made(figure, asked, net, [gross, *_taken_off(request)])
        case RequestFigure.RETAINED:
            return _made(figure, asked, split.retained, _by_part(asked, figure))
        case RequestFigure.CLEARED:
            return _made(figure, asked, split.cleared, _by_part(asked, figure))
        case RequestFigure.DEFERRED:
            return _made(figure, asked, split.deferred, _by_part(asked, figure))
        case _:
            assert_never(figure)


def _made(figure: RequestFigure, asked: Asked, amount: Money, lines: list[Line]) -> Explanation:
    return made_of(heading(figure, asked.request.kind), amount, lines, _rule(figure, asked), _source(figure, asked))


def _leads(figure: RequestFigure) -> Lead:
    return Lead(Place.REQUEST_FIGURE, figure.value)


def _by_part(asked: Asked, figure: RequestFigure) -> list[Line]:
    """By whose costs; a single line of what was decided before decisions were parted."""
    if not asked.parts:
        whole = _whole(asked, figure)
        return [Line(_HEADINGS[figure], whole, _evidence(asked))]
    return [
        Line(" · ".join(filter(None, (each.partner, each.category))), _of_part(each, figure), _evidence(asked))
        for each in asked.parts
    ]


def _of_part(each: PartLine, figure: RequestFigure) -> Money:
    amounts: Mapping[RequestFigure, Money] = {
        RequestFigure.REQUESTED: each.part.requested,
        RequestFigure.REFUSED: each.part.refused,
        RequestFigure.RETAINED: each.part.retained,
        RequestFigure.CLEARED: each.part.cleared,
        RequestFigure.DEFERRED: each.part.deferred,
    }
    return amounts[figure]


def _whole(asked: Asked, figure: RequestFigure) -> Money:
    split = asked.decision or Decision(ZERO, ZERO)
    amounts: Mapping[RequestFigure, Money] = {
        RequestFigure.REQUESTED: asked.request.requested,
        RequestFigure.REFUSED: asked.request.requested - split.approved,
        RequestFigure.RETAINED: split.retained,
        RequestFigure.CLEARED: split.cleared,
        RequestFigure.DEFERRED: split.deferred,
    }
    return amounts[figure]


def _evidence(asked: Asked) -> Lead | None:
    """The report whose costs these are; an advance has none."""
    reference = asked.request.report_reference
    return Lead(Place.REPORT, reference) if reference and asked.request.kind is PaymentKind.INTERIM else None


def _payable(asked: Asked, split: Decision) -> list[Line]:
    approved = Line(heading(RequestFigure.APPROVED, asked.request.kind), split.approved, _leads(RequestFigure.APPROVED))
    if asked.request.kind is PaymentKind.BALANCE:
        before = split.approved - split.payable + split.recoverable
        return [
            approved,
            Line("Paid or on its way before", -before),
            Line(_HEADINGS[RequestFigure.RECOVERABLE], split.recoverable, _leads(RequestFigure.RECOVERABLE)),
        ]
    kept = (
        (RequestFigure.RETAINED, split.retained),
        (RequestFigure.CLEARED, split.cleared),
        (RequestFigure.DEFERRED, split.deferred),
    )
    return [approved, *(Line(_HEADINGS[each], -amount, _leads(each)) for each, amount in kept)]


def _recoverable(split: Decision) -> list[Line]:
    before = split.approved - split.payable + split.recoverable
    return [
        Line("Paid or on its way before", before),
        Line("Final amount of the grant", -split.approved, _leads(RequestFigure.APPROVED)),
        Line(_HEADINGS[RequestFigure.PAYABLE], split.payable, _leads(RequestFigure.PAYABLE)),
    ]


def _offsets(asked: Asked) -> list[Line]:
    return [
        Line(
            f"Debt {each.recovery_reference}",
            each.amount,
            Lead(Place.DEBT, str(each.number), each.debtor_grant),
            f"Set off on {clock.long_date(each.offset_on)}",
        )
        for each in asked.offsets
    ]


def _orders(asked: Asked) -> list[Line]:
    return [Line(f"Order {each.reference}", each.amount, Lead(Place.ORDER, each.reference)) for each in asked.orders]


def _to_order(asked: Asked) -> list[Line]:
    request, payable = asked.request, asked.decision.payable if asked.decision else ZERO
    return [
        Line(_HEADINGS[RequestFigure.PAYABLE], payable, _leads(RequestFigure.PAYABLE)),
        Line(_HEADINGS[RequestFigure.ORDERED], -request.ordered, _leads(RequestFigure.ORDERED)),
        *_taken_off(request),
    ]


def _taken_off(request: RequestView) -> list[Line]:
    """What no order pays of what is payable."""
    gone = ((RequestFigure.SET_OFF, request.set_off), (RequestFigure.CANCELLED, request.cancelled))
    return [Line(_HEADINGS[each], -amount, _leads(each)) for each, amount in gone]


def _rule(figure: RequestFigure, asked: Asked) -> str:
    kind = asked.request.kind
    if figure is RequestFigure.REQUESTED:
        return {
            PaymentKind.PREFINANCING: "The pre-financing of the agreement, spread over the partners by their maxima.",
            PaymentKind.ADDITIONAL: _use_words(asked),
            PaymentKind.INTERIM: "What of the costs of the report the officer accepted, as contribution of the grant.",
            PaymentKind.BALANCE: "The least of what bounds a final amount: " + _bounds(asked),
            PaymentKind.LATE_INTEREST: "The interest that was reckoned on a payment that came late, and that another person confirmed.",
        }[kind]
    if figure is RequestFigure.PAYABLE:
        return {
            PaymentKind.PREFINANCING: "What is approved, less the retention of the agreement.",
            PaymentKind.ADDITIONAL: "What is approved; nothing is kept back of additional pre-financing.",
            PaymentKind.INTERIM: "What is approved, up to the room below the ceiling and up to what each partner may still be paid.",
            PaymentKind.BALANCE: "The final amount, less what was paid or is on its way; never below nought.",
            PaymentKind.LATE_INTEREST: "What was confirmed: interest is paid whole, beside the maximum of the grant.",
        }[kind]
    return _RULES[figure]


def _of_use(asked: Asked) -> list[Line]:
    """Additional pre-financing: what the agreement has of it, less what is missing to the threshold of use."""
    if asked.use is None:
        return []
    requested, missing = asked.request.requested, asked.use.missing
    return [
        Line("Additional pre-financing of the agreement", requested + missing),
        Line(
            f"Missing to {asked.use.threshold}\N{NO-BREAK SPACE}% of what was paid", -missing, note=asked.use.sentence
        ),
    ]


def _use_words(asked: Asked) -> str:
    share = f"{asked.use.threshold}\N{NO-BREAK SPACE}% of it" if asked.use else "the threshold of the agreement"
    return (
        "The additional pre-financing of the agreement. Where less was used of the pre-financing that was paid than "
        f"{share}, it is less by what is missing to that."
    )


def _bounds(asked: Asked) -> str:
    if asked.limits is None:
        return "the maximum of the grant and what was accepted."
    told = (f"{each.words[:1].lower()}{each.words[1:]} ({each.amount})" for each in asked.limits.limits)
    return "; ".join(told) + "."


_OPENED = {
    PaymentKind.ADDITIONAL: "A statement of use opened it",
    PaymentKind.LATE_INTEREST: "The payment that came late opened it",
}


def _source(figure: RequestFigure, asked: Asked) -> str:
    """Where it stands: the report or the agreement, and the decision with its reason."""
    request = asked.request
    opened = request.evidence.words if request.evidence else _OPENED.get(request.kind, "The signed agreement opened it")
    if figure is RequestFigure.REQUESTED:
        return f"{opened}."
    if request.decision is None:
        return f"Nothing is decided yet: this is what approving the whole would do. {opened}."
    on = clock.long_date(clock.in_zone(request.decided_at).date()) if request.decided_at else ""
    reason = f" Reason: {request.decision_reason}" if request.decision_reason else ""
    return f"Decided on {on}.{reason}"
