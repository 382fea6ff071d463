"""How each figure of what a coordinator holds for a partner is made up: what payments brought, and what was passed on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import assert_never

from grants.core import clock
from grants.core.money import ZERO, Money, total
from grants.payments.rules.amounts import Explanation, Lead, Line, Place, made_of
from grants.payments.rules.distribution import REPORTS_SHOWN_MAX, DistributionView, PartnerBalance
from grants.payments.states import DistributionState


class PartnerFigure(StrEnum):
    """A figure of one partner's balance; the word is the end of the address at which it is explained."""

    RECEIVED = "received"
    PASSED_ON = "passed-on"
    WAITING = "waiting"
    HELD = "held"


_HEADINGS: Mapping[PartnerFigure, str] = {
    PartnerFigure.RECEIVED: "Received for it",
    PartnerFigure.PASSED_ON: "Passed on",
    PartnerFigure.WAITING: "Waits for an answer",
    PartnerFigure.HELD: "Held",
}
_RULES: Mapping[PartnerFigure, str] = {
    PartnerFigure.RECEIVED: "The share of this partner in every payment, by whose costs the payment was made, less what went back.",
    PartnerFigure.PASSED_ON: "What the coordinator reported as passed on and another side confirmed.",
    PartnerFigure.WAITING: "What the coordinator reported as passed on and nobody confirmed or refused yet.",
    PartnerFigure.HELD: "What was received for this partner, less what was passed on; never below nought.",
}


def explain_passed(figure: PartnerFigure, of: PartnerBalance, lines: Sequence[DistributionView]) -> Explanation:
    """What a figure of a partner's balance is made up of; ``lines`` is what was reported for all partners, the newest of it."""
    mine = [each for each in lines if each.organisation_id == of.organisation_id]
    cut = len(lines) >= REPORTS_SHOWN_MAX
    match figure:
        case PartnerFigure.RECEIVED:
            brought = (Line(f"Booked on {clock.long_date(each.on)}", each.amount) for each in of.brought)
            return _made(figure, of, of.received, brought)
        case PartnerFigure.PASSED_ON:
            return _made(
                figure, of, of.passed_on, _reported(mine, DistributionState.CONFIRMED, of.passed_on, is_cut=cut)
            )
        case PartnerFigure.WAITING:
            return _made(figure, of, of.waiting, _reported(mine, DistributionState.REPORTED, of.waiting, is_cut=cut))
        case PartnerFigure.HELD:
            return _made(figure, of, of.held, _held(of))
        case _:
            assert_never(figure)


def _made(figure: PartnerFigure, of: PartnerBalance, amount: Money, lines: Iterable[Line]) -> Explanation:
    return made_of(f"{_HEADINGS[figure]}: {of.name}", amount, lines, _RULES[figure])


def _reported(mine: list[DistributionView], state: DistributionState, amount: Money, *, is_cut: bool) -> list[Line]:
    """The reports in this state; where the list of them is at its end, what older ones come to stands in one line."""
    found = [
        Line(
            f"{each.reference}, {clock.long_date(each.paid_on)}",
            each.amount,
            Lead(Place.PASSED_ON, str(each.number)),
            each.transfer,
        )
        for each in mine
        if each.state is state
    ]
    older = amount - total(each.amount for each in found)
    return [*found, Line("Reports before these", older)] if is_cut else found


def _held(of: PartnerBalance) -> list[Line]:
    lines = [
        Line(_HEADINGS[PartnerFigure.RECEIVED], of.received, Lead(Place.PARTNER_FIGURE, PartnerFigure.RECEIVED.value)),
        Line(
            _HEADINGS[PartnerFigure.PASSED_ON], -of.passed_on, Lead(Place.PARTNER_FIGURE, PartnerFigure.PASSED_ON.value)
        ),
    ]
    beyond = of.held - total(each.amount for each in lines)
    return [*lines, Line("Passed on beyond what was received", beyond)] if beyond != ZERO else lines
