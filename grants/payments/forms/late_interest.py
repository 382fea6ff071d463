"""What is typed to reckon the interest the programme owes, to decide on it, and to cancel what was never paid."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from uuid import UUID

from wtforms import RadioField, SelectField, StringField, TextAreaField

from grants.core.errors import NotFound
from grants.core.money import Money
from grants.payments.rules.late_interest import PUBLIC_WORDS, LateInterestInput, PublicRule
from grants.rates.rules.converting import DAY_COUNTS
from grants.web.forms import A_PARAGRAPH, DateField, MoneyField, MoneyForm, Needed, choices


class LateInterestForm(MoneyForm):
    """What the agreement says of interest for late payment, and when the city asked for it."""

    public_rule = RadioField(
        "What the agreement or national law says of public bodies",
        [Needed("Choose what the agreement says.")],
        choices=choices((each.value, words) for each, words in PUBLIC_WORDS.items()),
    )
    margin = StringField(
        "Points above the reference rate", [Needed("Write the points of the agreement, for example 3.5.")]
    )
    day_count = SelectField("Days of a year", choices=choices((str(each), str(each)) for each in DAY_COUNTS))
    minimum = MoneyField(
        "Up to this amount only if it is asked for", [Needed("Enter the amount of the agreement, or 0.")]
    )
    asked_on = DateField("The city asked for it on")

    def to_input(self) -> LateInterestInput:
        """What was typed; a margin that is no number is below nought, which the act refuses."""
        try:
            margin = Decimal((self.margin.data or "").strip().replace(",", "."))
        except InvalidOperation:
            margin = Decimal(-1)
        assert isinstance(self.minimum.data, Money), "validated before"
        return LateInterestInput(
            PublicRule(self.public_rule.data),
            margin if margin.is_finite() else Decimal(-1),
            int(self.day_count.data),
            self.minimum.data,
            self.asked_on.data,
        )


class ConfirmLateInterestForm(MoneyForm):
    """A button alone: the interest is right."""


class RefuseLateInterestForm(MoneyForm):
    """What is wrong with it."""

    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say what is wrong with it.")], id="reason_late_interest")


class CancelRequestForm(MoneyForm):
    """Why approved pre-financing is not paid any more: all of it, or what falls on a partner whose part ends."""

    # Offered where a part ends; empty is all of it. Which partners there are the act knows.
    of = RadioField("What is cancelled", choices=[], validate_choice=False)

    def partner(self) -> UUID | None:
        """The partner that was chosen; None for all of it, raises :class:`NotFound` for what is none."""
        try:
            return UUID(self.of.data) if self.of.data else None
        except ValueError:
            raise NotFound from None

    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say why it is not paid any more.")], id="reason_unpaid")
