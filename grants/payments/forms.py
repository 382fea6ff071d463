"""What the people of the circuit type, and the filters of the ledger, read into frozen inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from wtforms import FileField, SelectField, StringField, TextAreaField

from grants.cities.rules import COUNTRIES
from grants.core.errors import no_such
from grants.core.money import Money
from grants.ledger.accounts import Account
from grants.ledger.rules import Event
from grants.payments.rules import DecisionInput, LedgerAsk, ReceiptInput, RecoveryInput
from grants.payments.rules.own_accounts import OwnAccountInput
from grants.programmes.rules import ProgrammeView
from grants.web.choosing import day_asked
from grants.web.forms import (
    A_PARAGRAPH,
    WORDS_OF_A_TITLE,
    CheckboxesField,
    ContestedForm,
    DateField,
    Form,
    MoneyField,
    Needed,
    choices,
)


class DecideForm(ContestedForm):
    """The authoriser's decision on a request."""

    approved = MoneyField("Amount approved", [Needed("Enter the amount you approve.")])
    reason = TextAreaField("Reason, where something is refused", [A_PARAGRAPH])

    def to_input(self) -> DecisionInput:
        """The typed decision."""
        assert isinstance(self.approved.data, Money), "validated before"
        return DecisionInput(self.approved.data, self.reason.data or "")


class ReasonForm(ContestedForm):
    """A deed that needs a reason: a rejection, a cancellation."""

    # An id of its own: it shares a page with another form that asks for a reason.
    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say why.")], id="reason_against")


class AskAgainForm(ContestedForm):
    """The coordinator's answer to the reason of a rejection."""

    reply = TextAreaField(
        "Your answer to the reason",
        [A_PARAGRAPH, Needed("Answer the reason of the rejection; the programme reads it.")],
    )


class EstablishForm(Form):
    """Why money is owed back, and until when."""

    reason = TextAreaField("Why it is owed back", [A_PARAGRAPH, Needed("Say why it is owed back; the city reads it.")])
    due_on = DateField("To be paid back by", [Needed("Enter the last day for paying it back.")])

    def to_input(self) -> RecoveryInput:
        """What was typed."""
        assert self.due_on.data, "validated before"
        return RecoveryInput(self.reason.data or "", self.due_on.data)


class ReceiptForm(ContestedForm):
    """What the bank statement says of money that came back."""

    amount = MoneyField("Amount received", [Needed("Enter the amount on the bank statement.")])
    value_on = DateField("Value date on the bank statement", [Needed("Enter the day the bank booked the money.")])
    bank_reference = StringField(
        "Bank reference", [WORDS_OF_A_TITLE, Needed("Enter the reference on the bank statement.")]
    )

    def to_input(self) -> ReceiptInput:
        """What was typed."""
        assert isinstance(self.amount.data, Money) and self.value_on.data, "validated before"
        return ReceiptInput(self.amount.data, self.value_on.data, self.bank_reference.data or "")


class PrepareForm(ContestedForm):
    """How much of a request the initiator puts into an order."""

    amount = MoneyField("Amount of the order", [Needed("Enter the amount of the order.")])


class ChangeForm(ContestedForm):
    """Another amount, or the account that is confirmed now; why."""

    amount = MoneyField("Amount of the order", [Needed("Enter the amount of the order.")])
    reason = TextAreaField(
        "What changed", [A_PARAGRAPH, Needed("Say what changed; verifier and authoriser will read it.")]
    )


class SignForm(ContestedForm):
    """A signature to an order, with an optional note."""

    note = StringField("Note (optional)", [WORDS_OF_A_TITLE])


class ExecuteForm(ContestedForm):
    """The bank's value date."""

    value_on = DateField("Value date on the bank statement", [Needed("Enter the day the bank booked the payment.")])


class ExportForm(Form):
    """The orders that leave together, and their sum as the accounting officer typed it."""

    orders = CheckboxesField("Orders", [Needed("Tick at least one order.")])
    control_total = MoneyField(
        "Control total of the orders ticked", [Needed("Enter the sum of the orders you ticked.")]
    )
    # What was ticked and left, or was changed, before this was sent: a sentence each.
    gone: tuple[str, ...] = ()

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Nothing leaves while something ticked is no longer there: the control total was made with it.

        No check: the page tells it in a notice of its own, sentence by sentence.
        """
        return bool(super().validate(*args, **kwargs)) and not self.gone


Listed = TypeVar("Listed", Account, Event)


def ledger_ask(args: Mapping[str, str]) -> tuple[LedgerAsk, dict[str, str]]:
    """The filters in a ledger's address, and a sentence for each that cannot be read or is not there."""
    problems: dict[str, str] = {}
    return (
        LedgerAsk(
            account=_listed(Account, "account", args, problems),
            event=_listed(Event, "event", args, problems),
            grant_reference=args.get("grant", "").strip(),
            from_on=day_asked(args, "from", problems),
            to_on=day_asked(args, "to", problems),
            text=args.get("q", "").strip()[:100],
        ),
        problems,
    )


def _listed(kind: type[Listed], name: str, args: Mapping[str, str], problems: dict[str, str]) -> Listed | None:
    """What a filter names of a closed list, told with its number and name as the page offers it."""
    given = args.get(name, "").strip()
    if given and given not in list(kind):
        problems[name] = no_such(name, given, (f"{each.value} {each.label}" for each in kind))
        return None
    return kind(given) if given else None


class CloseForm(ContestedForm):
    """The closure of a grant, and on what it rests."""

    note = TextAreaField("What was looked at", [A_PARAGRAPH, Needed("Write what was looked at before closing.")])


class OwnAccountForm(Form):
    """An account the programme pays from, with the address of its holder in parts."""

    programme = SelectField("Programme", choices=[])
    holder = StringField("Account holder", [WORDS_OF_A_TITLE, Needed("Enter the holder as the bank writes it.")])
    iban = StringField("IBAN", [Needed("Enter the IBAN.")])
    bic = StringField("BIC (optional)")
    street = StringField("Street (optional)", [WORDS_OF_A_TITLE])
    building = StringField("Building number (optional)")
    postcode = StringField("Postcode (optional)")
    town = StringField("Town", [WORDS_OF_A_TITLE, Needed("Enter the town: banks refuse an address without it.")])
    country = SelectField("Country", choices=choices(sorted(COUNTRIES.items(), key=lambda item: item[1])), default="BE")

    def of(self, programmes: Iterable[ProgrammeView]) -> OwnAccountForm:
        """The form with the programmes an account can be entered for."""
        self.programme.choices = choices((str(each.id), f"{each.code} {each.name}") for each in programmes)
        return self

    def to_input(self) -> OwnAccountInput:
        """The typed account."""
        return OwnAccountInput(
            programme_id=UUID(str(self.programme.data)),
            holder=self.holder.data or "",
            iban=self.iban.data or "",
            country=str(self.country.data),
            town=self.town.data or "",
            bic=self.bic.data or "",
            postcode=self.postcode.data or "",
            street=self.street.data or "",
            building=self.building.data or "",
        )


class ConfirmOwnAccountForm(ContestedForm):
    """How the second person checked an account of the programme."""

    evidence = StringField("What you compared it with", [A_PARAGRAPH, Needed("Name the document of the bank.")])


class BankFileForm(Form):
    """A file as the bank made it."""

    file = FileField("File of the bank", [Needed("Choose the file.")])
