"""What the people of the circuit type, and the filters of the ledger, read into frozen inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time
from typing import Any
from uuid import UUID

from wtforms import EmailField, FileField, IntegerField, RadioField, SelectField, StringField, TextAreaField

from grants.cities.rules import COUNTRIES
from grants.core import clock
from grants.core.money import Money
from grants.identity.policy import WORDS as ROLE_WORDS
from grants.identity.queries import HeldRole
from grants.identity.rules.standing_in import StandInInput
from grants.payments.rules import (
    REASON_WORDS,
    ApprovedPart,
    DecisionInput,
    PartLine,
)
from grants.payments.rules.circuit import ALL_PAIRS, MAY_MEET, STEP_PEOPLE, Pair, pair_code
from grants.payments.rules.outside import Fate
from grants.payments.rules.own_accounts import OwnAccountInput
from grants.payments.rules.pay_runs import FileInput, FileLayout
from grants.payments.rules.statements.claims import EXPLAINED_WORDS, Claim
from grants.payments.states import Explained, Step
from grants.programmes.rules import ProgrammeView
from grants.web.forms import (
    A_PARAGRAPH,
    WORDS_OF_A_TITLE,
    CheckboxesField,
    DateField,
    Form,
    MoneyField,
    MoneyForm,
    Needed,
    choices,
)


def _other(pair: tuple[Step, Step]) -> Step:
    """Who the verifier may also be."""
    first, second = pair
    return second if first is Step.VERIFIED else first


class DecideForm(MoneyForm):
    """The authoriser's decision on a request; fields for its parts are added for one request."""

    approved = MoneyField("Amount approved", [Needed("Enter the amount you approve.")])
    reason = TextAreaField("Reason, where something is refused", [A_PARAGRAPH])

    lines: tuple[PartLine, ...] = ()

    @property
    def parts_wrong(self) -> bool:
        """Whether something is wrong with an amount of a part, or was typed there and comes back."""
        return any(self[line.field].errors or self[line.field].raw_data for line in self.lines)

    def to_input(self) -> DecisionInput:
        """The typed decision; parts left empty take their share of a cut."""
        assert isinstance(self.approved.data, Money), "validated before"
        typed = [(line.part, self[line.field].data) for line in self.lines]
        parts = tuple(
            ApprovedPart(part.organisation_id, part.category, part.requested if amount is None else amount)
            for part, amount in typed
            if part.requested
        )
        chosen = any(amount is not None for _, amount in typed)
        return DecisionInput(self.approved.data, self.reason.data or "", parts if chosen else ())


def decide_form(lines: Iterable[PartLine]) -> type[DecideForm]:
    """The form for one request: one field for each of its parts, empty where nothing is said of it."""
    rows = tuple(lines)
    fields: dict[str, Any] = {"lines": rows}
    for line in rows:
        what = f"{line.partner}, {line.category}" if line.category else line.partner
        fields[line.field] = MoneyField(f"Approved: {what}")
    return type("DecideForm", (DecideForm,), fields)


class ReasonForm(MoneyForm):
    """A deed that needs a reason: a rejection, a cancellation."""

    # An id of its own: it shares a page with another form that asks for a reason.
    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say why.")], id="reason_against")


class SentElsewhereForm(MoneyForm):
    """What became of a file that was sent elsewhere, and how one knows."""

    decision = RadioField(
        "What became of it",
        [Needed("Choose what became of the file.")],
        choices=choices((each.value, each.words) for each in Fate),
    )
    reason = TextAreaField("How you know", [A_PARAGRAPH, Needed("Say how you know.")])


class ProposeReversalForm(Form):
    """That an entry of the ledger be reversed; nothing was proposed of it yet, so there is nothing to be overtaken by."""

    moves_money = True
    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say why.")])


class AskAgainForm(MoneyForm):
    """The coordinator's answer to the reason of a rejection."""

    reply = TextAreaField(
        "Your answer to the reason",
        [A_PARAGRAPH, Needed("Answer the reason of the rejection; the programme reads it.")],
    )


class RegisterForm(MoneyForm):
    """A button alone: the request is complete."""


class ReturnForm(MoneyForm):
    """What is missing, in words for the coordinator."""

    words = TextAreaField("What is missing", [A_PARAGRAPH, Needed("Say what is missing; the coordinator reads it.")])


class CheckForm(MoneyForm):
    """The check list of a verification."""

    evidence = CheckboxesField("What you looked at", validate_choice=False)
    # An id of its own: it shares a page with other forms.
    note = StringField("Note (optional)", [WORDS_OF_A_TITLE], id="note_of_check")


class SuspendForm(MoneyForm):
    """Why the clock is stopped, and the notice the coordinator reads."""

    reason = SelectField(
        "Reason", choices=choices((each.value, words) for each, words in REASON_WORDS.items()), id="reason_stopped"
    )
    notice = TextAreaField("Notice", [A_PARAGRAPH, Needed("Say what is asked of the coordinator, who reads it.")])


class LiftForm(MoneyForm):
    """Why the clock goes on."""

    reason = TextAreaField(
        "Why the clock goes on",
        [A_PARAGRAPH, Needed("Say why the clock goes on; the coordinator reads it.")],
        id="reason_lifted",
    )


class AnswerForm(MoneyForm):
    """The coordinator's answer to what the programme asked for a payment, with a file."""

    answer = TextAreaField("Your answer", [A_PARAGRAPH, Needed("Write the answer; the programme reads it.")])
    file = FileField("A file that shows it (optional)")

    @property
    def upload(self) -> Any:
        """The file that was sent, None where none was chosen."""
        sent = self.file.data
        return sent if getattr(sent, "filename", "") else None


class PrepareForm(MoneyForm):
    """How much of a request the initiator puts into an order."""

    amount = MoneyField("Amount of the order", [Needed("Enter the amount of the order.")])


class ChangeForm(MoneyForm):
    """Another amount, or the account that is confirmed now; why."""

    amount = MoneyField("Amount of the order", [Needed("Enter the amount of the order.")])
    reason = TextAreaField(
        "What changed", [A_PARAGRAPH, Needed("Say what changed; verifier and authoriser will read it.")]
    )


class SignForm(MoneyForm):
    """A signature to an order: what was looked at, ticked by hand, with an optional note."""

    evidence = CheckboxesField("What you looked at", validate_choice=False)
    note = StringField("Note (optional)", [WORDS_OF_A_TITLE])


class CircuitForm(Form):
    """Who may also be the verifier; a reason for the history."""

    moves_money = True

    meets = CheckboxesField(
        "The verifier may also be",
        choices=choices((pair_code(pair), STEP_PEOPLE[_other(pair)]) for pair in MAY_MEET),
        validate_choice=False,
    )
    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say why; it stands in the history.")])

    def to_input(self) -> frozenset[Pair]:
        """The pairs kept apart: all but those ticked."""
        met = {pair_code(pair): frozenset(pair) for pair in MAY_MEET}
        return ALL_PAIRS - {met[code] for code in self.meets.data or () if code in met}


class LimitForm(Form):
    """How much one person may authorise; empty for no limit."""

    moves_money = True

    person = SelectField("Authorising officer", choices=[])
    per_order = MoneyField("Most for one order")
    per_day = MoneyField("Most on one day")
    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say why; it stands in the history.")])

    def of(self, people: Iterable[tuple[UUID, str, str]]) -> LimitForm:
        """The form with the people whose limit can be set."""
        self.person.choices = choices((str(user_id), name) for user_id, name, _ in people)
        return self


class StandInForm(Form):
    """Whose role is stood in for, by whom, from when until when, and the written appointment."""

    moves_money = True

    role = SelectField("Whose role", choices=[])
    email = EmailField(
        "E-mail address of who stands in", [Needed("Enter the address of a person with an account here.")]
    )
    first_day = DateField("First day", [Needed("Enter the first day.")])
    last_day = DateField("Last day", [Needed("Enter the last day.")])
    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say why somebody stands in.")])
    file = FileField("The written appointment", [Needed("Choose the file that says so in writing.")])

    def of(self, holders: Iterable[HeldRole], places: Mapping[UUID, str]) -> StandInForm:
        """The form with the roles that can be stood in for."""
        self.role.choices = choices(
            (str(each.id), f"{each.name}, {ROLE_WORDS[each.role][0].lower()}{_where(each, places)}") for each in holders
        )
        return self

    def to_input(self, user_id: UUID) -> StandInInput:
        """From the first moment of the first day to the last of the last, in Brussels."""
        assert self.first_day.data and self.last_day.data, "validated before"
        begins, ends = (
            clock.local_to_utc(datetime.combine(day, time()), clock.BRUSSELS)
            for day in (self.first_day.data, clock.add_days(self.last_day.data, 1))
        )
        return StandInInput(UUID(str(self.role.data)), user_id, begins, ends, self.reason.data or "")


def _where(held: HeldRole, places: Mapping[UUID, str]) -> str:
    return f" in {places.get(held.object_id, 'one call')}" if held.object_id else ""


class ExecuteForm(MoneyForm):
    """The bank's value date."""

    value_on = DateField("Value date on the bank statement", [Needed("Enter the day the bank booked the payment.")])


class BankRejectForm(MoneyForm):
    """What the bank said no with, where no report of it came."""

    on = DateField("Day the bank said so", [Needed("Enter the day the bank said so.")])
    said = StringField("What the bank said", [A_PARAGRAPH, Needed("Enter what the bank said, its code first.")])


class BuildForm(Form):
    """The orders that leave as one file, how it is written, and the day the bank shall pay."""

    moves_money = True

    orders = CheckboxesField("Orders", [Needed("Tick at least one order.")])
    layout = RadioField(
        "What is made", choices=choices((each.value, each.words) for each in FileLayout), default=FileLayout.V09.value
    )
    execution_on = DateField("The bank pays on", [Needed("Enter the day on which the bank shall pay.")])
    # What was ticked and left, or was changed, before this was sent: a sentence each.
    gone: tuple[str, ...] = ()

    @property
    def listed(self) -> tuple[str, ...]:
        """The orders that may be ticked."""
        return tuple(value for value, *_ in self.orders.choices or ())

    def of(self, references: Iterable[str]) -> BuildForm:
        """The form with the orders that may be ticked."""
        self.orders.choices = choices((each, each) for each in references)
        return self

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Nothing is built while something ticked is no longer there.

        No check: the page tells it in a notice of its own, sentence by sentence.
        """
        return bool(super().validate(*args, **kwargs)) and not self.gone

    def to_input(self, account_id: UUID) -> FileInput:
        """What was chosen."""
        assert self.execution_on.data, "validated before"
        return FileInput(account_id, FileLayout(str(self.layout.data)), self.execution_on.data)


class SendForm(MoneyForm):
    """Number and sum of a file, typed back from the accounting officer's own list."""

    count = IntegerField("Number of orders", [Needed("Enter how many orders the file holds.")])
    control_total = MoneyField("Control total", [Needed("Enter the sum of the orders.")])


class CloseForm(MoneyForm):
    """The closure of a grant, and on what it rests."""

    note = TextAreaField("What was looked at", [A_PARAGRAPH, Needed("Write what was looked at before closing.")])


class OwnAccountForm(Form):
    """An account the programme pays from, with the address of its holder in parts."""

    moves_money = True

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


class ConfirmOwnAccountForm(MoneyForm):
    """How the second person checked an account of the programme."""

    evidence = StringField("What you compared it with", [A_PARAGRAPH, Needed("Name the document of the bank.")])


class BankFileForm(Form):
    """A file as the bank made it."""

    moves_money = True

    file = FileField("File of the bank", [Needed("Choose the file.")])


class KeepForecastForm(Form):
    """Why the forecast is kept now, where that is worth a word."""

    moves_money = True

    note = StringField("What for (optional)", [WORDS_OF_A_TITLE])


class ExplainForm(Form):
    """What somebody says a line of the bank is, and how they know."""

    moves_money = True

    explained = RadioField("What it is", choices=[], validators=[Needed("Choose what the line is.")])
    named = StringField("Reference of the order, of the file or of the recovery", [WORDS_OF_A_TITLE])
    fund = SelectField("Parent grant", choices=[])
    reason = TextAreaField("How you know", [A_PARAGRAPH, Needed("Say how you know; another person reads it.")])

    def of(self, possible: Iterable[Explained], funds: Iterable[tuple[str, str]]) -> ExplainForm:
        """The form with what this line can be."""
        self.explained.choices = choices((each.value, EXPLAINED_WORDS[each]) for each in possible)
        self.fund.choices = choices(funds)
        if not self.fund.choices:
            del self.fund
        return self

    def to_input(self) -> Claim:
        """What was said."""
        explained = Explained(str(self.explained.data))
        named = str(self.fund.data) if explained is Explained.FUNDING and "fund" in self else self.named.data or ""
        return Claim(explained, named.strip(), self.reason.data or "")
