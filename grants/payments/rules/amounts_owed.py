"""How each figure of a debt is made up: whose share of it is whose, what came back, and the interest on what came late. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import assert_never

from grants.core import clock
from grants.core.money import ZERO, Money
from grants.payments.rules.amounts import Explanation, Lead, Line, Place, made_of
from grants.payments.rules.interest import InterestLine
from grants.payments.rules.recoveries import RecoveryView, Share
from grants.payments.states import OWED, InterestState


class DebtFigure(StrEnum):
    """A figure of a recovery; the word is the end of the address at which it is explained."""

    DEBT = "debt"
    RECEIVED = "received"
    SET_OFF = "set-off"
    WAIVED = "waived"
    OWED = "owed"
    INTEREST = "interest"
    INTEREST_OPEN = "interest-open"

    @property
    def heading(self) -> str:
        """What the figure is called where it is shown."""
        return _HEADINGS[self]


_HEADINGS: Mapping[DebtFigure, str] = {
    DebtFigure.DEBT: "To be paid back",
    DebtFigure.RECEIVED: "Came back",
    DebtFigure.SET_OFF: "Set off",
    DebtFigure.WAIVED: "Waived",
    DebtFigure.OWED: "Still owed",
    DebtFigure.INTEREST: "Interest confirmed",
    DebtFigure.INTEREST_OPEN: "Interest still open",
}
_RULES: Mapping[DebtFigure, str] = {
    DebtFigure.DEBT: "What is claimed back, by whose share it is.",
    DebtFigure.RECEIVED: "What the bank booked as paid back for this debt, without interest and without what came above it.",
    DebtFigure.SET_OFF: "What was kept back from payments to the same city instead of being paid back.",
    DebtFigure.WAIVED: "What was left of the debt when a written decision waived it.",
    DebtFigure.OWED: "The debt, less what came back, was set off or waived; nothing before it is confirmed, nor once it is cancelled.",
    DebtFigure.INTEREST: "Principal × (reference rate + points above) ÷ 100 × days ÷ days of a year, from the day after it was due "
    "to the day of payment.",
    DebtFigure.INTEREST_OPEN: "The interest that was confirmed, less what of it was paid or waived.",
}


def explain_owed(figure: DebtFigure, debt: RecoveryView) -> Explanation:
    """What a figure of a debt is made up of."""
    match figure:
        case DebtFigure.DEBT:
            return _made(figure, debt, debt.amount, _shares(debt))
        case DebtFigure.RECEIVED:
            return _made(figure, debt, debt.received, _receipts(debt))
        case DebtFigure.SET_OFF:
            return _made(figure, debt, debt.set_off, _offsets(debt))
        case DebtFigure.WAIVED:
            return _made(figure, debt, debt.waived or ZERO, [Line("Waived by a written decision", debt.waived or ZERO)])
        case DebtFigure.OWED:
            return _made(figure, debt, debt.owed, _owed(debt))
        case DebtFigure.INTEREST:
            return _made(figure, debt, debt.interest_due, _interest(debt))
        case DebtFigure.INTEREST_OPEN:
            return _made(figure, debt, debt.interest_open, _interest_open(debt))
        case _:
            assert_never(figure)


def _made(figure: DebtFigure, debt: RecoveryView, amount: Money, lines: list[Line]) -> Explanation:
    return made_of(figure.heading, amount, lines, _RULES[figure], f"{debt.origin_words}: {debt.reason}")


def _leads(figure: DebtFigure) -> Lead:
    return Lead(Place.DEBT_FIGURE, figure.value)


def _shares(debt: RecoveryView) -> list[Line]:
    if not debt.shares:
        return [Line("Claimed back", debt.amount)]
    return [Line(each.partner, each.share.amount, note=_share_words(each.share)) for each in debt.shares]


def _share_words(share: Share) -> str:
    accepted, received = share.accepted, share.received
    if accepted is None or received is None:
        return ""
    return f"{received} was paid for it, {accepted} is its part of the final amount"


def _receipts(debt: RecoveryView) -> list[Line]:
    return [
        Line(f"Received on {clock.long_date(each.value_on)}", each.amount, note=f"Bank reference {each.bank_reference}")
        for each in debt.receipts
    ]


def _offsets(debt: RecoveryView) -> list[Line]:
    return [
        Line(
            f"Set off on {clock.long_date(each.offset_on)}",
            each.amount,
            note=f"Against request {each.request_reference}",
        )
        for each in debt.offsets
    ]


def _owed(debt: RecoveryView) -> list[Line]:
    lines = [
        Line(DebtFigure.DEBT.heading, debt.amount, _leads(DebtFigure.DEBT)),
        Line(DebtFigure.RECEIVED.heading, -debt.received, _leads(DebtFigure.RECEIVED)),
        Line(DebtFigure.SET_OFF.heading, -debt.set_off, _leads(DebtFigure.SET_OFF)),
        Line(DebtFigure.WAIVED.heading, -(debt.waived or ZERO), _leads(DebtFigure.WAIVED)),
    ]
    if debt.state in OWED:
        return lines
    rest = debt.amount - debt.received - debt.set_off - (debt.waived or ZERO)
    return [*lines, Line("Not owed: it is not confirmed, or it is cancelled or settled", -rest)]


def _interest(debt: RecoveryView) -> list[Line]:
    confirmed = [each for each in debt.interest if each.state is InterestState.CONFIRMED]
    return [Line(f"On {each.principal}, {_days(each)}", each.amount, note=_formula(each)) for each in confirmed]


def _days(line: InterestLine) -> str:
    return f"{line.days} day{'' if line.days == 1 else 's'} late"


def _formula(line: InterestLine) -> str:
    """``40 000.00 × (4.25 % + 3.5 %) × 31 ÷ 365``."""
    reference, above = line.reference.normalize(), line.margin.normalize()
    return (
        f"{line.principal} × ({reference:f} % + {above:f} %) × {line.days} ÷ {line.day_count}; due "
        f"{clock.long_date(line.due_on)}, paid {clock.long_date(line.paid_on)}; reference rate of table {line.table_number}, "
        f"since {clock.long_date(line.reference_on)}"
    )


def _interest_open(debt: RecoveryView) -> list[Line]:
    paid = debt.interest_due - debt.interest_open - debt.interest_waived
    return [
        Line(DebtFigure.INTEREST.heading, debt.interest_due, _leads(DebtFigure.INTEREST)),
        Line("Paid", -paid),
        Line("Waived by a written decision", -debt.interest_waived),
    ]
