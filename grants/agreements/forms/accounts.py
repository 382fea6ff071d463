"""What is typed about the bank accounts of payees."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, IntegerField, RadioField, StringField, TextAreaField

from grants.agreements.rules import (
    AccountCheck,
    AccountInput,
    PayeeAddress,
    WaitingRule,
)
from grants.agreements.states import CheckChannel, PayeeMatch
from grants.core.errors import Invalid
from grants.web.forms import A_PARAGRAPH, WORDS_OF_A_TITLE, DateField, Form, Needed, choices


class AccountForm(Form):
    """A payee's account, where its holder lies, and the bank's document that shows it."""

    # Whose it was when the page was shown; beneficiaries may be put in another order meanwhile.
    payee = HiddenField()
    holder = StringField("Account holder", [WORDS_OF_A_TITLE, Needed("Enter the holder as the bank writes it.")])
    iban = StringField("IBAN", [Needed("Enter the IBAN.")])
    bic = StringField("BIC (optional)")
    street = StringField("Street of the holder (optional)")
    building = StringField("Number of the building (optional)")
    postcode = StringField("Postcode (optional)")
    town = StringField("Town of the holder", [Needed("Enter the town; a bank file without it is not taken.")])
    country_code = StringField(
        "Country, two letters", [Needed("Enter the country as its two letters, for example PL.")]
    )
    evidence_on = DateField(
        "Day of the bank’s document", [Needed("Enter the day of the bank’s document, for example 3 May 2023.")]
    )
    file = FileField(
        "The bank’s document that shows holder and IBAN",
        [Needed("Choose the bank’s document: a letter or a statement that shows holder and IBAN.")],
    )

    def to_input(self) -> AccountInput:
        """The typed account."""
        address = PayeeAddress(
            town=str(self.town.data),
            country_code=str(self.country_code.data),
            postcode=self.postcode.data or None,
            street=self.street.data or None,
            building=self.building.data or None,
        )
        return AccountInput(
            str(self.holder.data), str(self.iban.data), self.bic.data or None, self.evidence_on.data, address
        )

    def payee_id(self) -> UUID:
        """Whose account it is; raises Invalid where the field was changed to no id."""
        try:
            return UUID(str(self.payee.data))
        except ValueError as error:
            raise Invalid("It is not clear any more whose account this is. Reload the page.") from error


class ShownAccount(Form):
    """A deed about one account: the one that was on the page, and no other."""

    account_id = HiddenField()

    def shown(self) -> UUID:
        """The account that was shown; raises Invalid where the field was emptied or changed to no id."""
        try:
            return UUID(str(self.account_id.data))
        except ValueError as error:
            raise Invalid("There is no account to decide on any more. Reload the page.") from error


class ConfirmAccountForm(ShownAccount):
    """How the second person checked the account."""

    channel = RadioField(
        "How you checked it",
        choices=choices((each.value, each.words) for each in CheckChannel),
        validators=[Needed("Choose how you checked it.")],
    )
    checked_on = DateField("Day of your check", [Needed("Enter the day of your check, for example 4 May 2023.")])
    note = StringField("What you compared, or whom you spoke to", [A_PARAGRAPH, Needed("Say what you compared.")])
    match = RadioField(
        "What the bank answers: is the account this holder’s? (verification of payee)",
        choices=choices((each.value, each.words) for each in PayeeMatch),
        validators=[Needed("Choose what the bank said, or that it could not be asked.")],
    )
    match_name = StringField("The name the bank gave (for a close match)", [WORDS_OF_A_TITLE])
    matched_on = DateField("Day of the bank’s answer")

    def to_input(self) -> AccountCheck:
        """The typed check."""
        return AccountCheck(
            CheckChannel(self.channel.data),
            self.checked_on.data,
            str(self.note.data),
            PayeeMatch(self.match.data),
            self.match_name.data or None,
            self.matched_on.data,
        )


class RefuseAccountForm(ShownAccount):
    """Why an account is refused."""

    no_match = BooleanField("The bank said that the account is not this holder’s (no match)")
    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say what is wrong with this account.")])


class WaitingForm(Form):
    """How long new accounts wait, from which day on, and why."""

    programme = HiddenField()
    days = IntegerField(
        "Days between confirmation and the first payment", [Needed("Enter a number of days, 0 for none.")]
    )
    marked_days = IntegerField(
        "Days for which orders to a changed account are marked", [Needed("Enter a number of days, 0 for none.")]
    )
    starts_on = DateField("For accounts confirmed from", [Needed("Enter the day, for example 1 June 2023.")])
    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say in a sentence why.")])

    def to_input(self) -> WaitingRule:
        """The typed rule."""
        return WaitingRule(
            self.starts_on.data or date.min,
            int(self.days.data or 0),
            int(self.marked_days.data or 0),
            str(self.reason.data),
        )
