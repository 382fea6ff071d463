"""In which form a grant is paid, and what bounds its final amount beside the maximum: data of the call. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grants.calls.states import FundingForm, NoProfit
from grants.core.money import Money

_FORMS: Mapping[FundingForm, str] = {
    FundingForm.ACTUAL_COST: "Paid are costs that were incurred, at the funding rate",
    FundingForm.FLAT_RATE: "Paid are direct costs that were incurred and a flat rate on them for all others, at the funding rate",
    FundingForm.LUMP_SUM: "Paid are lump sums for completed work packages; costs are not asked",
}
_NO_PROFIT: Mapping[NoProfit, str] = {
    NoProfit.NONE: "",
    NoProfit.WHOLE: "what the grant and the receipts of the action exceed its eligible costs by is taken off the final amount",
    NoProfit.SHARE: (
        "of what the grant and the receipts of the action exceed its eligible costs by, the share that the grant paid of "
        "these costs is taken off the final amount"
    ),
}


@dataclass(frozen=True, slots=True)
class Funding:
    """The form of funding of a grant, and what its final payment waits for.

    From ``certificate_from`` on (the contribution to one beneficiary over the whole action, that sum included) a
    certificate on its financial statements is asked for; None asks for none. With ``guarantee`` pre-financing waits
    for a financial guarantee.
    """

    form: FundingForm = FundingForm.ACTUAL_COST
    no_profit: NoProfit = NoProfit.NONE
    certificate_from: Money | None = None
    guarantee: bool = False

    @property
    def words(self) -> str:
        """All of it as one sentence, without its full stop.

        >>> Funding(guarantee=True).words
        'Paid are costs that were incurred, at the funding rate; pre-financing waits for a financial guarantee'
        """
        parts = [_FORMS[self.form], _NO_PROFIT[self.no_profit]]
        if self.certificate_from is not None:
            parts.append(
                f"from a contribution of {self.certificate_from} to one beneficiary on, the balance waits for a certificate "
                "on its financial statements"
            )
        if self.guarantee:
            parts.append("pre-financing waits for a financial guarantee")
        return "; ".join(part for part in parts if part)

    @property
    def asks_receipts(self) -> bool:
        """Whether the final report says what the action earned."""
        return self.no_profit is not NoProfit.NONE


PLAIN_FUNDING = Funding()
