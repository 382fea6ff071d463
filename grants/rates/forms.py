"""What people send of rates: a published file, a word about it, and the numbers of a calculation."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from wtforms import FileField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional, ValidationError

from grants.core.errors import Invalid, quoted
from grants.core.money import Money
from grants.rates.rules import DAY_COUNTS, KIND_WORDS, UNIT_WORDS, ConversionAsked, InterestAsked
from grants.rates.states import RateKind
from grants.web.forms import A_PARAGRAPH, ContestedForm, DateField, Form, MoneyField, Needed, choices

_MONTH = re.compile(r"([0-9]{4})-([0-9]{1,2})|([0-9]{1,2})[/.]([0-9]{4})")
# A space or an apostrophe between thousands; a comma or a point before decimals.
_NUMBER = re.compile(r"[0-9]{1,15}(?:[.,][0-9]{1,4})?")


class MonthField(StringField):
    """A month, ``2026-11`` or ``11/2026``; ``data`` is its first day or None."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return f"{self.data:%Y-%m}" if isinstance(self.data, date) else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if valuelist and (text := valuelist[0].strip()):
            found = _MONTH.fullmatch(text)
            try:
                year, month = (found[1] or found[4], found[2] or found[3]) if found else ("0", "0")
                self.data = date(int(year), int(month), 1)
            except ValueError:
                raise ValidationError(f"{quoted(text)} is no month. Write it as 2026-11.") from None


class NumberField(StringField):
    """A number that is zero or more; ``data`` is a Decimal or None."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if valuelist and (text := re.sub(r"[ '\u00a0\u202f]", "", valuelist[0].strip())):
            if not _NUMBER.fullmatch(text):
                raise ValidationError(
                    f"{quoted(valuelist[0].strip())} is no number that can be taken. Write it without a mark between thousands, for example 10000.50."
                )
            self.data = Decimal(text.replace(",", "."))

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else str(self.data)


class TableForm(Form):
    """A published file of rates."""

    kind = RadioField(
        "Which rates",
        [Needed("Say which rates the file holds.")],
        choices=choices([(kind.value, f"{KIND_WORDS[kind]} ({UNIT_WORDS[kind]})") for kind in RateKind]),
    )
    file = FileField("File")
    source = TextAreaField("Where it was published", [A_PARAGRAPH, Needed("Say where the file was published.")])
    month = MonthField("Month of the file", [Optional()])


class AcceptForm(ContestedForm):
    """Taking over what was read."""

    words = TextAreaField("About what is odd", [A_PARAGRAPH])


class DiscardForm(ContestedForm):
    """Leaving it aside."""

    words = TextAreaField("Why it is not taken over", [A_PARAGRAPH, Needed("Say why.")], id="why_not")


class _AskForm(Form):
    """Asked by an address, so that a calculation can be sent to somebody; nothing is written."""

    class Meta(Form.Meta):
        csrf = False

    act_key = None


class ConvertForm(_AskForm):
    """An amount of another currency over a period."""

    amount = NumberField("Amount", [Needed("Write the amount.")])
    currency = SelectField("Currency", [Needed("Choose the currency.")])
    kind = SelectField(
        "At the average of",
        choices=choices([(kind.value, KIND_WORDS[kind]) for kind in (RateKind.ECB_DAILY, RateKind.INFOREURO)]),
    )
    first = DateField("First day of the period", [Needed("Name the first day.")])
    last = DateField("Last day of the period", [Needed("Name the last day.")])

    def checks(self) -> Sequence[Callable[[], Any]]:
        """The period goes forward and is no longer than a project."""
        return (lambda: _refuse_period(self.first.data, self.last.data),)

    def to_input(self) -> ConversionAsked:
        """What is asked."""
        amount, first, last = self.amount.data, self.first.data, self.last.data
        assert amount is not None and first and last, "validated before"
        return ConversionAsked(amount, self.currency.data, RateKind(self.kind.data), first, last)


class InterestForm(_AskForm):
    """An amount that was paid late."""

    principal = MoneyField("Amount paid late", [Needed("Write the amount.")])
    due_on = DateField("Day it was due", [Needed("Name the day.")])
    paid_on = DateField("Day it was paid", [Needed("Name the day.")])
    margin = NumberField("Points above the reference rate", [Needed("Write the points, for example 3.5.")])
    day_count = SelectField(
        "Days of a year", choices=choices([(str(days), str(days)) for days in DAY_COUNTS]), default=str(DAY_COUNTS[0])
    )

    def to_input(self) -> InterestAsked:
        """What is asked."""
        principal, due_on, paid_on, margin = self.principal.data, self.due_on.data, self.paid_on.data, self.margin.data
        assert isinstance(principal, Money) and due_on and paid_on and margin is not None, "validated before"
        return InterestAsked(principal, due_on, paid_on, margin, int(self.day_count.data))


def _refuse_period(first: date | None, last: date | None) -> None:
    if first and last and last < first:
        raise Invalid("The period ends before it begins.", {"last": "The last day is before the first."})
    if first and last and (last - first).days > 366 * 10:
        raise Invalid("The period is too long.", {"last": "A period has at most ten years."})
