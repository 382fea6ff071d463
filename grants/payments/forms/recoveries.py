"""What is typed at each step of a recovery."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from uuid import UUID

from wtforms import FileField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import NumberRange

from grants.core.money import Money
from grants.payments.rules import ReceiptInput, RecoveryInput
from grants.payments.rules.interest import InterestInput
from grants.payments.rules.offsets import OffsetChoice, OffsetInput
from grants.payments.rules.recoveries import ANSWER_DAYS, ANSWER_DAYS_MAX, ORIGIN_WORDS
from grants.payments.states import RecoveryOrigin
from grants.rates.rules.converting import DAY_COUNTS
from grants.web.forms import (
    A_PARAGRAPH,
    WORDS_OF_A_TITLE,
    DateField,
    Form,
    MoneyField,
    MoneyForm,
    Needed,
    choices,
)


class ProposeForm(Form):
    """What the balance found to be paid too much, and why the city owes it."""

    moves_money = True

    reason = TextAreaField("Why it is owed back", [A_PARAGRAPH, Needed("Say why it is owed back; the city reads it.")])

    def to_input(self) -> RecoveryInput:
        """What was typed."""
        return RecoveryInput(self.reason.data or "")


class ProposeRejectedForm(Form):
    """Whose accepted costs are rejected after the balance, how much of them, and why."""

    moves_money = True

    origin = RadioField(
        "What it rests on",
        [Needed("Choose what it rests on.")],
        choices=choices(
            (each.value, words) for each, words in ORIGIN_WORDS.items() if each is not RecoveryOrigin.BALANCE
        ),
    )
    partner = SelectField("Whose costs", [Needed("Choose whose costs are rejected.")], choices=[])
    amount = MoneyField("Amount of the grant that is owed back", [Needed("Enter the amount that is owed back.")])
    # An id of its own: it may share a page with the proposal of what the balance found.
    reason = TextAreaField(
        "Why it is owed back",
        [A_PARAGRAPH, Needed("Say why it is owed back; the city reads it.")],
        id="reason_rejected",
    )

    def of(self, partners: Iterable[tuple[str, str]]) -> ProposeRejectedForm:
        """The form with the partners of the grant."""
        self.partner.choices = choices(partners)
        return self

    def to_input(self) -> RecoveryInput:
        """What was typed."""
        assert isinstance(self.amount.data, Money), "validated before"
        return RecoveryInput(
            self.reason.data or "",
            RecoveryOrigin(str(self.origin.data)),
            UUID(str(self.partner.data)),
            self.amount.data,
        )


class InformForm(MoneyForm):
    """How long the city has to answer."""

    days = IntegerField(
        "Days to answer",
        [Needed("Enter the days."), NumberRange(1, ANSWER_DAYS_MAX, f"Enter 1 to {ANSWER_DAYS_MAX} days.")],
        default=ANSWER_DAYS,
    )


class ObserveForm(MoneyForm):
    """What the city says before its debt is confirmed."""

    words = TextAreaField(
        "Your answer", [A_PARAGRAPH, Needed("Say what speaks against the debt, or that you agree.")], id="words_of_city"
    )


class ConfirmForm(MoneyForm):
    """On what the debt rests once the city could answer."""

    words = TextAreaField(
        "What was weighed",
        [A_PARAGRAPH, Needed("Say what the city answered, or that it did not, and how that was weighed.")],
        id="words_weighed",
    )


class IssueForm(MoneyForm):
    """Until when the debt is to be paid."""

    due_on = DateField("To be paid back by", [Needed("Enter the last day for paying it back.")])


class ReceiptForm(MoneyForm):
    """What the bank statement says of money that came back."""

    amount = MoneyField("Amount received", [Needed("Enter the amount on the bank statement.")])
    value_on = DateField("Value date on the bank statement", [Needed("Enter the day the bank booked the money.")])
    bank_reference = StringField(
        "Bank reference", [WORDS_OF_A_TITLE, Needed("Enter the reference on the bank statement.")]
    )
    own_account = SelectField("Account it came to", choices=[])

    def of(self, accounts: Iterable[tuple[str, str]]) -> ReceiptForm:
        """The form with the accounts of the programme; one account is not asked for."""
        self.own_account.choices = choices(accounts)
        if len(self.own_account.choices) < 2:
            del self.own_account
        return self

    def to_input(self) -> ReceiptInput:
        """What was typed."""
        assert isinstance(self.amount.data, Money) and self.value_on.data, "validated before"
        account = UUID(str(self.own_account.data)) if "own_account" in self else None
        return ReceiptInput(self.amount.data, self.value_on.data, self.bank_reference.data or "", account)


class OffsetForm(MoneyForm):
    """Against which payment of the same city, and how much."""

    payment = SelectField("Payment", [Needed("Choose the payment.")], choices=[])
    # An id of its own: it shares a page with what came in.
    amount = MoneyField("Amount to set off", [Needed("Enter the amount to set off.")], id="amount_set_off")

    def of(self, payments: Iterable[OffsetChoice]) -> OffsetForm:
        """The form with the payments that are due to this city."""
        self.payment.choices = choices((str(each.request_id), each.words) for each in payments)
        return self

    def to_input(self, recovery_id: UUID) -> OffsetInput:
        """What was typed, of this debt."""
        assert isinstance(self.amount.data, Money), "validated before"
        return OffsetInput(recovery_id, UUID(str(self.payment.data)), self.amount.data)


class InterestForm(MoneyForm):
    """What the agreement says of interest for late payment."""

    margin = StringField(
        "Points above the reference rate", [Needed("Write the points of the agreement, for example 3.5.")]
    )
    day_count = SelectField("Days of a year", choices=choices((str(each), str(each)) for each in DAY_COUNTS))

    def to_input(self) -> InterestInput:
        """What was typed; raises :class:`Invalid` for what is no number."""
        try:
            margin = Decimal((self.margin.data or "").strip().replace(",", "."))
        except InvalidOperation:
            margin = Decimal(-1)
        return InterestInput(margin if margin.is_finite() else Decimal(-1), int(self.day_count.data))


class ConfirmInterestForm(MoneyForm):
    """A button alone: the interest is right."""


class RefuseInterestForm(MoneyForm):
    """What is wrong with it."""

    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say what is wrong with it.")], id="reason_interest")


class WaiveInterestForm(MoneyForm):
    """Why open interest is waived, and the decision that says so."""

    reason = TextAreaField(
        "Reason",
        [A_PARAGRAPH, Needed("Say why it is waived, and on which decision it rests.")],
        id="reason_interest_waived",
    )
    file = FileField("The decision", [Needed("Choose the file with the decision to waive it.")], id="file_interest")


class WaiveForm(MoneyForm):
    """Why what is still owed is waived, and the decision that says so."""

    reason = TextAreaField(
        "Reason",
        [A_PARAGRAPH, Needed("Say why the debt is waived, and on which decision it rests.")],
        id="reason_waived",
    )
    file = FileField("The decision", [Needed("Choose the file with the decision to waive it.")])


class CancelRecoveryForm(MoneyForm):
    """Why nothing is owed."""

    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say why it is not owed.")], id="reason_cancelled")
