"""What people type about a grant in preparation, read into frozen inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from uuid import UUID

from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, IntegerField, RadioField, StringField, TextAreaField

from grants.agreements.rules import (
    AccountCheck,
    AccountInput,
    CheckInput,
    ContactInput,
    GrantView,
    PayeeAddress,
    PlannedMilestone,
    Share,
    Terms,
    WaitingRule,
)
from grants.agreements.states import CheckAnswer, CheckChannel, ContactRole, PayeeMatch
from grants.core.errors import Invalid
from grants.core.money import Money
from grants.web.forms import A_PARAGRAPH, WORDS_OF_A_TITLE, ContestedForm, DateField, Form, MoneyField, Needed, choices

# So many rows more than there are, so that a milestone can be added without JavaScript.
SPARE_MILESTONES = 2


class PrepareForm(Form):
    """The planned first day of the pilot."""

    starts_on = DateField("First day of the pilot", [Needed("Enter the first day, for example 1 June 2023.")])


class CheckForm(Form):
    """The answer to one due-diligence item."""

    key = HiddenField()
    version = HiddenField()
    answer = RadioField(
        "Answer",
        choices=choices(
            [
                (CheckAnswer.DONE.value, "Done"),
                (CheckAnswer.NOT_APPLICABLE.value, "Does not apply"),
                (CheckAnswer.OPEN.value, "Still open"),
            ]
        ),
        validators=[Needed("Choose an answer.")],
    )
    evidence_on = DateField("Date of the evidence (optional)")
    note = StringField("What was looked at (needed where it does not apply)", [A_PARAGRAPH])

    def to_input(self) -> CheckInput:
        """The typed answer."""
        return CheckInput(
            str(self.key.data),
            CheckAnswer(self.answer.data),
            self.note.data or None,
            self.evidence_on.data,
            self.version_shown(),
        )


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


class ContactForm(Form):
    """A person of the coordinator."""

    name = StringField("Name", [WORDS_OF_A_TITLE, Needed("Enter the person’s name.")])
    email = StringField("E-mail address", [Needed("Enter the person’s e-mail address.")])
    role = RadioField(
        "What the person does",
        choices=choices((role.value, role.words) for role in ContactRole),
        validators=[Needed("Choose what the person does.")],
    )

    def to_input(self) -> ContactInput:
        """The typed person."""
        return ContactInput(str(self.name.data), str(self.email.data), ContactRole(self.role.data))


class ReasonForm(Form):
    """A deed that needs its reason."""

    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Give the reason in a sentence.")])


class DismissForm(ReasonForm):
    """Why a person's part ends, and whether they do not belong to the city at all."""

    leaves = BooleanField("The person does not belong to this organisation at all: end that too")


class OfferForm(Form):
    """Nothing but the deed, about the text that was shown."""

    document_sha256 = HiddenField()


class SignForm(Form):
    """The capacity in which somebody signs, and the text that was shown."""

    document_sha256 = HiddenField()
    capacity = StringField(
        "You sign as", [WORDS_OF_A_TITLE, Needed("Say in which capacity you sign, for example Deputy Mayor.")]
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


class TermsForm(ContestedForm):
    """Start, length, maxima and milestones; the rows of beneficiaries and milestones are added for one grant."""

    starts_on = DateField("First day", [Needed("Enter the first day, for example 1 June 2023.")])
    months = IntegerField("Length in months", [Needed("Enter the number of months.")])
    shares = HiddenField()
    milestones = HiddenField()

    def to_input(self) -> Terms:
        """The typed terms; a milestone without a title is none."""
        rows = range(1, self.milestone_rows + 1)
        return Terms(
            starts_on=self.starts_on.data or date.min,
            months=int(self.months.data or 0),
            shares=tuple(
                Share(organisation_id, self[f"share_{place}"].data or Money(0))
                for place, organisation_id in enumerate(self.organisation_ids)
            ),
            milestones=tuple(
                PlannedMilestone(
                    self[f"title_{row}"].data.strip(), self[f"criterion_{row}"].data.strip(), self[f"due_on_{row}"].data
                )
                for row in rows
                if (self[f"title_{row}"].data or "").strip()
            ),
            amount_note=self.amount_note,
        )

    def checks(self) -> Iterable[Callable[[], object]]:
        """A named milestone needs its criterion and its day."""
        yield self._refuse_half_milestones

    def _refuse_half_milestones(self) -> None:
        needed = {
            "criterion": "Say how anybody can see that it is reached.",
            "due_on": "Enter the day by which it is reached.",
        }
        named = [row for row in range(1, self.milestone_rows + 1) if (self[f"title_{row}"].data or "").strip()]
        missing = {
            f"{name}_{row}": sentence
            for row in named
            for name, sentence in needed.items()
            if not self[f"{name}_{row}"].data
        }
        if missing:
            raise Invalid("A milestone is not complete.", missing)


def terms_form(grant: GrantView) -> TermsForm:
    """The form with one amount for each beneficiary and one row for each milestone, filled with what stands."""
    rows = len(grant.milestones) + SPARE_MILESTONES
    fields: dict[str, Any] = {
        "milestone_rows": rows,
        "organisation_ids": tuple(each.organisation_id for each in grant.beneficiaries),
        "amount_note": grant.amount_note,
    }
    for place, each in enumerate(grant.beneficiaries):
        fields[f"share_{place}"] = MoneyField(f"Maximum for {each.name}", [Needed("Enter an amount, zero if none.")])
    for row in range(1, rows + 1):
        fields[f"title_{row}"] = StringField(f"Milestone {row}", [WORDS_OF_A_TITLE])
        fields[f"criterion_{row}"] = StringField("Accepted when", [A_PARAGRAPH])
        fields[f"due_on_{row}"] = DateField("Due on")
    months = (grant.ends_before.year - grant.starts_on.year) * 12 + grant.ends_before.month - grant.starts_on.month
    stands: dict[str, Any] = {"starts_on": grant.starts_on, "months": months, "version": grant.version}
    stands |= {f"share_{place}": each.maximum for place, each in enumerate(grant.beneficiaries)}
    for each_milestone in grant.milestones:
        number = each_milestone.number
        stands |= {
            f"title_{number}": each_milestone.title,
            f"criterion_{number}": each_milestone.criterion,
            f"due_on_{number}": each_milestone.due_on,
        }
    return type("TermsForm", (TermsForm,), fields)(data=stands)
