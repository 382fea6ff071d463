"""What coordinators, partners and officers type about money that is passed on to partners."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from wtforms import FileField, SelectField, StringField, TextAreaField

from grants.core.money import Money
from grants.payments.rules.distribution import PartnerBalance, PassedOnInput
from grants.web.forms import (
    A_PARAGRAPH,
    WORDS_OF_A_TITLE,
    DateField,
    MoneyField,
    MoneyForm,
    Needed,
    choices,
)


class PassedOnForm(MoneyForm):
    """One transfer of the coordinator to a partner, with its proof."""

    organisation_id = SelectField("Partner", choices=[])
    amount = MoneyField("Amount passed on", [Needed("Enter the amount of the transfer.")])
    paid_on = DateField("Day your bank booked it", [Needed("Enter the day your bank booked the transfer.")])
    transfer = StringField(
        "How your bank calls the transfer", [WORDS_OF_A_TITLE, Needed("Enter the reference of the transfer.")]
    )
    proof = FileField("Proof")

    def of(self, balances: Iterable[PartnerBalance]) -> PassedOnForm:
        """The form with the partners for whom something is held that is not reported."""
        held = [each for each in balances if each.to_report]
        self.organisation_id.choices = choices(
            (str(each.organisation_id), f"{each.name}: {each.to_report}") for each in held
        )
        return self

    @property
    def upload(self) -> Any:
        """The file that was sent, None where none was chosen."""
        sent = self.proof.data
        return sent if getattr(sent, "filename", "") else None

    def to_input(self) -> PassedOnInput:
        """What was typed."""
        assert isinstance(self.amount.data, Money) and self.paid_on.data, "validated before"
        return PassedOnInput(
            UUID(str(self.organisation_id.data)), self.amount.data, self.paid_on.data, self.transfer.data or ""
        )


class ConfirmPassedOnForm(MoneyForm):
    """A button alone: the money came, or the report is taken back."""


class RefusePassedOnForm(MoneyForm):
    """That the money did not come, or not like this; why."""

    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say what is wrong; the coordinator reads it.")])


class WaiveHeldForm(MoneyForm):
    """That what is held for a partner need not be shown passed on; why."""

    # Ids of their own: the form shares a page with the one that reports a transfer.
    partner = SelectField("Partner", choices=[], id="partner_waived")
    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say on which decision it rests.")], id="reason_waived")

    def of(self, balances: Iterable[PartnerBalance]) -> WaiveHeldForm:
        """The form with the partners for whom something is held."""
        self.partner.choices = choices((str(each.organisation_id), each.name) for each in balances if each.blocks)
        return self

    @property
    def whose(self) -> UUID:
        """The partner that was chosen."""
        return UUID(str(self.partner.data))
