"""What bounds the final amount of a grant (I9): its limits, each with its sum, and which of them bind. Pure.

Rates are applied and rounded by partner and period, once on each total, when a report is accepted; nothing is rounded
again here but the share of a profit, half up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import assert_never
from uuid import UUID

from grants.calls.rules import Funding
from grants.calls.states import FundingForm, NoProfit
from grants.core import faults
from grants.core.errors import Refused
from grants.core.money import ZERO, Money, Rounding, total
from grants.payments.rules.securing import needing_certificate


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a final amount, with its sum, how it came about, and whether the final amount is that sum."""

    words: str
    amount: Money
    how: str
    binds: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a grant's reports and requests give for its final amount.

    ``accepted`` is what the decisions left, ``eligible`` the eligible costs, ``contributions`` the funding rate's part of
    them by partner; ``receipts`` what the action earned, None where nobody was asked. ``certified`` are partners
    whose certificate was accepted, ``uncertified`` those it was done without: of them counts what needs none.
    ``counted`` is what the decisions left by partner, None where a report does not say whose its costs are; each counts up
    to its own of the ``maxima``, and what does not fit is nobody else's.
    """

    maximum: Money
    accepted: Money
    eligible: Money
    contributions: Mapping[UUID | None, Money]
    receipts: Money | None = None
    certified: frozenset[UUID] = frozenset()
    uncertified: frozenset[UUID] = frozenset()
    counted: Mapping[UUID | None, Money] | None = None
    maxima: Mapping[UUID | None, Money] = field(default_factory=dict)

    @property
    def fits(self) -> Mapping[UUID | None, Money] | None:
        """What counts of each partner under its own maximum."""
        if self.counted is None:
            return None
        return {partner: min(each, self.maxima.get(partner, ZERO)) for partner, each in self.counted.items()}

    @property
    def left(self) -> Money:
        """What the decisions left that fits under the partners' own maxima."""
        return self.accepted if self.fits is None else min(self.accepted, total(self.fits.values()))

    def certified_of(self, partner: UUID | None, cap: Money) -> Money:
        """What of a partner's contribution counts with the certificate it has or has not."""
        own, fits = self.contributions[partner], self.fits
        most = min(own, cap) if partner in self.uncertified else own
        return most if fits is None else min(most, fits.get(partner, ZERO))


@dataclass(frozen=True, slots=True)
class FinalLimits:
    """Every limit of a final amount; the final amount is the least of them."""

    funding: Funding
    maximum: Money
    accepted: Money
    eligible: Money
    contribution: Money
    certified: Money
    receipts: Money | None = None
    without_profit: Money | None = None
    # Whose certificate is still wanted, with their contributions: nothing is final before. Never kept.
    wanted: tuple[tuple[UUID, Money], ...] = field(default=(), compare=False)

    @property
    def final(self) -> Money:
        """The least of all limits."""
        found = [self.maximum, self.accepted, self.contribution, self.certified]
        return min([*found, self.without_profit] if self.without_profit is not None else found)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Its limits as a page shows them: those that hold for this grant."""
        found = [
            ("The maximum grant", self.maximum, "Of the agreement"),
            (
                "Accepted in the decisions",
                self.accepted,
                "Of every report what was accepted and not refused, of each beneficiary up to its own maximum",
            ),
            (
                ("Lump sums of completed work packages", self.contribution, "As judged in the reports")
                if self.funding.form is FundingForm.LUMP_SUM
                else (
                    "Funding rate on eligible costs",
                    self.contribution,
                    f"On {self.eligible} of eligible costs, by partner and period",
                )
            ),
        ]
        if self.funding.certificate_from is not None:
            found.append(
                (
                    "With the certificates there are",
                    self.certified,
                    f"Without a certificate a beneficiary has at most {self.funding.certificate_from}",
                )
            )
        if self.without_profit is not None:
            found.append(("Without a profit", self.without_profit, _profit_words(self)))
        return tuple(Limit(words, amount, how, amount == self.final) for words, amount, how in found)


def _profit_words(limits: FinalLimits) -> str:
    assert limits.receipts is not None, "without receipts there is no such limit"
    base, profit = _profit(limits)
    if not profit:
        return f"{base} and {limits.receipts} of receipts do not exceed {limits.eligible} of eligible costs"
    part = "" if limits.funding.no_profit is NoProfit.WHOLE else " in its share"
    return (
        f"{base} and {limits.receipts} of receipts exceed {limits.eligible} of eligible costs by {profit}, "
        f"which is taken off{part}"
    )


def _profit(limits: FinalLimits) -> tuple[Money, Money]:
    """What the grant would be without this rule, and the profit the action would then make."""
    base = min(limits.maximum, limits.accepted, limits.contribution, limits.certified)
    return base, max(base + (limits.receipts or ZERO) - limits.eligible, ZERO)


def final_limits(funding: Funding, found: Found) -> FinalLimits:
    """The limits of a final amount, from what was found of its grant.

    >>> limits = final_limits(Funding(no_profit=NoProfit.WHOLE), Found(Money(600), Money(500), Money(500), {None: Money(500)}, Money(80)))
    >>> limits.final.cents, [each.words for each in limits.limits if each.binds]
    (420, ['Without a profit'])
    """
    faults.point("ceiling")
    contribution = total(found.contributions.values())
    cap = funding.certificate_from
    certified = contribution
    if cap is not None:
        certified = total(found.certified_of(partner, cap) for partner in found.contributions)
    before = FinalLimits(
        funding,
        found.maximum,
        found.left,
        found.eligible,
        contribution,
        certified,
        wanted=tuple(
            (partner, found.contributions[partner])
            for partner in needing_certificate(found.contributions, cap)
            if partner not in found.certified | found.uncertified
        ),
    )
    if funding.no_profit is NoProfit.NONE:
        return before
    if found.receipts is None:
        raise Refused(
            "The receipts of the action are not declared; the agreement takes a profit off. Ask the city for its final report."
        )
    before = replace(before, receipts=found.receipts)
    return replace(before, without_profit=max(_without_profit(before), ZERO))


def _without_profit(limits: FinalLimits) -> Money:
    base, profit = _profit(limits)
    match limits.funding.no_profit:
        case NoProfit.WHOLE | NoProfit.NONE:
            return base - profit
        case NoProfit.SHARE:
            # The part that the grant paid of the eligible costs, as in the grants of the Union.
            share = Fraction(base.cents, limits.eligible.cents) if limits.eligible else Fraction(1)
            return base - profit.share(min(share, Fraction(1)), rounding=Rounding.HALF_UP)
        case _:
            assert_never(limits.funding.no_profit)


def refuse_above(limits: FinalLimits, final: Money) -> None:
    """Refuse a final amount above one of its limits, with the limit that binds."""
    faults.point("ceiling")
    if final <= limits.final:
        return
    least = next(each for each in limits.limits if each.binds)
    raise Refused(
        f"The final amount is at most {limits.final}: {least.words[:1].lower()}{least.words[1:]}. {least.how}. "
        f"{final} is {final - limits.final} more; lower it."
    )


def limits_problems(kept: FinalLimits, stands: FinalLimits, approved: Money) -> tuple[str, ...]:
    """I9 for one grant: what was frozen is what its reports and requests give, and what was approved is within it."""
    found = []
    for name in ("maximum", "accepted", "eligible", "contribution", "certified", "receipts", "without_profit"):
        said, is_now = getattr(kept, name), getattr(stands, name)
        if said != is_now:
            found.append(f"I9: its final amount was bounded by {name.replace('_', ' ')} {said}; it is {is_now}.")
    if approved > kept.final:
        found.append(f"I9: {approved} was approved in the end; its limits allow {kept.final}.")
    return tuple(found)


__all__ = [
    "FinalLimits",
    "Found",
    "FundingForm",
    "Limit",
    "final_limits",
    "limits_problems",
    "refuse_above",
]
