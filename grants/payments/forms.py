"""What the people of the circuit type, and the filters of the ledger, read into frozen inputs."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date

from wtforms import HiddenField, StringField, TextAreaField

from grants.core.errors import Conflict, Invalid
from grants.core.money import Money
from grants.ledger.accounts import Account
from grants.ledger.rules import Event
from grants.payments.rules import DecisionInput, LedgerAsk
from grants.web.forms import (
    A_PARAGRAPH,
    WORDS_OF_A_TITLE,
    CheckboxesField,
    DateField,
    Form,
    MoneyField,
    Needed,
    parse_date,
)


class CircuitForm(Form):
    """A form of the circuit: when somebody else was faster it comes back with what was typed."""

    version = HiddenField()
    clashed = ""
    overtaken = False

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Refusals become problems of the form; a clash is remembered, so that the page can say who was faster."""
        try:
            with self.refusals():
                yield
        except Conflict as error:
            self.clashed = str(error)

    def try_again(self, version: int) -> None:
        """After a clash: the next sending counts as a new deed, made in sight of what stands now."""
        self.overtaken = self.version_shown() not in (None, version)
        self.version.data, self.version.raw_data = str(version), None
        self.act_key.data, self.act_key.raw_data = secrets.token_urlsafe(18), None

    def typed(self) -> list[tuple[str, str]]:
        """Label and text of what was typed, for a page on which the form itself stands no more."""
        fields = [field for field in self if field.type not in ("HiddenField", "CSRFTokenField")]
        return [(field.label.text, field._value()) for field in fields if field._value()]


class DecideForm(CircuitForm):
    """The authoriser's decision on a request."""

    approved = MoneyField("Amount approved", [Needed("Enter the amount you approve.")])
    reason = TextAreaField("Reason, where it is less than requested", [A_PARAGRAPH])

    def to_input(self) -> DecisionInput:
        """The typed decision."""
        assert isinstance(self.approved.data, Money), "validated before"
        return DecisionInput(self.approved.data, self.reason.data or "")


class ReasonForm(CircuitForm):
    """A deed that needs a reason: a rejection, a cancellation."""

    # An id of its own: it shares a page with another form that asks for a reason.
    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say why.")], id="reason_against")


class PrepareForm(CircuitForm):
    """How much of a request the initiator puts into an order."""

    amount = MoneyField("Amount of the order", [Needed("Enter the amount of the order.")])


class ChangeForm(CircuitForm):
    """Another amount, or the account that is confirmed now; why."""

    amount = MoneyField("Amount of the order", [Needed("Enter the amount of the order.")])
    reason = TextAreaField(
        "What changed", [A_PARAGRAPH, Needed("Say what changed; verifier and authoriser will read it.")]
    )


class SignForm(CircuitForm):
    """A signature to an order, with an optional note."""

    note = StringField("Note (optional)", [WORDS_OF_A_TITLE])


class ExecuteForm(CircuitForm):
    """The bank's value date."""

    value_on = DateField("Value date on the bank statement", [Needed("Enter the day the bank booked the payment.")])


class ExportForm(Form):
    """The orders that leave together, and their sum as the accounting officer typed it."""

    orders = CheckboxesField("Orders", [Needed("Tick at least one order.")])
    control_total = MoneyField(
        "Control total of the orders ticked", [Needed("Enter the sum of the orders you ticked.")]
    )


def ledger_ask(args: Mapping[str, str]) -> tuple[LedgerAsk, dict[str, str]]:
    """The filters in a ledger's address, and a sentence for each that cannot be read; those count as not asked."""
    problems: dict[str, str] = {}
    return (
        LedgerAsk(
            account=next((each for each in Account if each.value == args.get("account")), None),
            event=next((each for each in Event if each.value == args.get("event")), None),
            grant_reference=args.get("grant", "").strip(),
            from_on=_day(args, "from", problems),
            to_on=_day(args, "to", problems),
            text=args.get("q", "").strip()[:100],
        ),
        problems,
    )


def _day(args: Mapping[str, str], name: str, problems: dict[str, str]) -> date | None:
    typed = args.get(name, "").strip()
    if not typed:
        return None
    try:
        return parse_date(typed)
    except Invalid as error:
        problems[name] = str(error)
        return None


class CloseForm(CircuitForm):
    """The closure of a grant, and on what it rests."""

    note = TextAreaField("What was looked at", [A_PARAGRAPH, Needed("Write what was looked at before closing.")])
