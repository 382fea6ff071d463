"""What the people of the circuit type, and the filters of the ledger, read into frozen inputs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from wtforms import StringField, TextAreaField

from grants.core import clock
from grants.core.errors import Invalid, no_such
from grants.core.money import Money
from grants.ledger.accounts import Account
from grants.ledger.rules import Event
from grants.payments.rules import DecisionInput, LedgerAsk, ReceiptInput, RecoveryInput
from grants.payments.rules.standing import BalancesAsk
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


def balances_ask(args: Mapping[str, str]) -> tuple[BalancesAsk, dict[str, str]]:
    """The two moments and the grant in the address of the balances, and a sentence for each that cannot be read."""
    problems: dict[str, str] = {}
    return BalancesAsk(
        on=day_asked(args, "on", problems),
        known=_moment_asked(args.get("known", "").strip(), problems),
        grant_reference=args.get("grant", "").strip(),
    ), problems


def _moment_asked(typed: str, problems: dict[str, str]) -> datetime | None:
    """A day means until its end; a moment carries its zone."""
    if not typed:
        return None
    try:
        return clock.read_moment(typed, "known") if "T" in typed.upper() and ":" in typed else _end_of(typed)
    except Invalid as error:
        problems["known"] = str(error)
        return None


def _end_of(typed: str) -> datetime:
    return clock.end_of_day(clock.read_date(typed))


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
