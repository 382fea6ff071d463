"""What is typed to move budget within a grant."""

from __future__ import annotations

from uuid import UUID

from wtforms import SelectField, TextAreaField

from grants.agreements.rules import GrantView, TransferInput
from grants.budgets.rules import BudgetRules
from grants.core.money import ZERO
from grants.web.forms import A_PARAGRAPH, Form, MoneyField, Needed, choices


class TransferForm(Form):
    """From where, to where, how much and why."""

    giver = SelectField("From")
    taker = SelectField("To")
    amount = MoneyField("Amount, EUR", [Needed("Enter the amount, for example 1 250.00.")])
    reason = TextAreaField("Why", [A_PARAGRAPH, Needed("Say it in a sentence.")])

    def to_input(self) -> TransferInput:
        """The typed move."""
        (giver, from_category), (taker, to_category) = _place(self.giver.data), _place(self.taker.data)
        return TransferInput(giver, from_category, taker, to_category, self.amount.data or ZERO, str(self.reason.data))


def transfer_form(grant: GrantView, kept: BudgetRules) -> TransferForm:
    """The form with every partner and category of one grant."""
    form = TransferForm()
    places = [
        (f"{each.organisation_id}/{category.code}", f"{each.name}: {category.label}")
        for each in grant.beneficiaries
        for category in kept.entered
    ]
    form.giver.choices = choices(places)
    form.taker.choices = choices(places)
    return form


def _place(typed: str) -> tuple[UUID, str]:
    organisation_id, _, category = str(typed).partition("/")
    return UUID(organisation_id), category
