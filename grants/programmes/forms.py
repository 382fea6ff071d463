"""Forms of parent grants: what one is, and what it lays down for its calls, in words and lists people can type."""

from __future__ import annotations

import re
from fractions import Fraction

from wtforms import StringField, TextAreaField
from wtforms.validators import Length

from grants.cities.rules import country_code
from grants.core.errors import Invalid, quoted
from grants.programmes.rules import (
    DAYS_MAX,
    KEPT_YEARS,
    KEPT_YEARS_MAX,
    KEPT_YEARS_SMALL,
    SMALL_GRANT_MAX,
    FundSourceInput,
    FundSourceView,
    FundSourceWords,
    Keeping,
    ParentRules,
)
from grants.web.forms import A_PARAGRAPH, ContestedForm, DateField, MoneyField, Needed

_RATE = re.compile(r"^[0-9]{1,3}([.,][0-9]{1,4})?$")
_NO_YEARS = f"Write a whole number of years from 0 to {KEPT_YEARS_MAX}."
_SHORT = Length(max=120, message="This is longer than 120 characters. Shorten it.")


class _WhatItIs(ContestedForm):
    """Acronym, framework and dates of a parent grant."""

    acronym = StringField("Acronym", [Needed("Enter the acronym of the parent grant."), _SHORT])
    framework = StringField(
        "Framework programme", [Needed("Enter the framework programme of the parent grant."), _SHORT]
    )
    starts_on = DateField("Starts on")
    ends_on = DateField("Ends on")
    amount = MoneyField("What it brings the programme in all, in euros")
    report_days = StringField("Days after its end within which the programme reports")
    payment_days = StringField("Days after that report within which the programme is paid")
    final_paid_on = DateField("Day of its final payment to the programme")
    kept_years = StringField("Years after that day for which records are kept", default=str(KEPT_YEARS))
    kept_years_small = StringField("Years for records of small grants", default=str(KEPT_YEARS_SMALL))
    small_grant_max = MoneyField("Most a small grant comes to, in euros", default=SMALL_GRANT_MAX)

    def _keeping(self) -> Keeping:
        """For how long records are kept; raises :class:`Invalid` with a sentence beside each field."""
        usual = {"kept_years": KEPT_YEARS, "kept_years_small": KEPT_YEARS_SMALL}
        typed = {name: str(self[name].data or "").strip() or str(years) for name, years in usual.items()}
        if problems := {name: _NO_YEARS for name, text in typed.items() if not re.fullmatch("[0-9]{1,2}", text)}:
            raise Invalid("The parent grant was not kept.", problems)
        return Keeping(
            self.final_paid_on.data,
            int(typed["kept_years"]),
            int(typed["kept_years_small"]),
            SMALL_GRANT_MAX if self.small_grant_max.data is None else self.small_grant_max.data,
        )

    def _days(self) -> tuple[int | None, int | None]:
        """Both counts of days; raises :class:`Invalid` with a sentence beside each field."""
        problems: dict[str, str] = {}
        found = tuple(_whole(name, self[name].data or "", problems) for name in ("report_days", "payment_days"))
        if problems:
            raise Invalid("The parent grant was not kept.", problems)
        return found[0], found[1]


class DescribeForm(_WhatItIs):
    """What may still be mended of a parent grant."""

    @classmethod
    def of(cls, source: FundSourceView) -> DescribeForm:
        """The form with what stands."""
        return cls(
            version=str(source.version), acronym=source.acronym, framework=source.framework,
            starts_on=source.starts_on, ends_on=source.ends_on, amount=source.amount,
            report_days=_number(source.report_days), payment_days=_number(source.payment_days),
            final_paid_on=source.keeping.final_paid_on, kept_years=str(source.keeping.years),
            kept_years_small=str(source.keeping.years_small), small_grant_max=source.keeping.small_up_to,
        )  # fmt: skip

    def to_input(self) -> FundSourceWords:
        """What it is called, as its frozen value."""
        return FundSourceWords(
            self.acronym.data or "", self.framework.data or "", self.starts_on.data, self.ends_on.data,
            self.amount.data, *self._days(), self._keeping(),
        )  # fmt: skip


class RulesForm(ContestedForm):
    """What a parent grant lays down for every call it pays; what is empty is left to the call."""

    activities = TextAreaField("Activities that may be paid", [A_PARAGRAPH])
    recipients = TextAreaField("Who may receive money", [A_PARAGRAPH])
    procedure = TextAreaField("How recipients are chosen", [A_PARAGRAPH])
    amount_rule = TextAreaField("How the exact amount is found", [A_PARAGRAPH])
    maximum_per_recipient = MoneyField("Most for one recipient")
    countries = TextAreaField("Countries that may be paid", [A_PARAGRAPH])
    funding_rate_max = StringField("Largest share of costs that is paid, in percent")
    flat_rate_max = StringField("Highest flat rate for indirect costs, in percent")
    opening_months_min = StringField("Least time a call is open, in months")

    @classmethod
    def of(cls, source: FundSourceView) -> RulesForm:
        """The form with the rules that stand."""
        return cls(version=str(source.version), **texts_of(source.rules))

    def to_input(self) -> ParentRules:
        """The rules as their frozen value; raises :class:`Invalid` with a sentence beside each field."""
        problems: dict[str, str] = {}
        given = ParentRules(
            activities=tuple(line.strip() for line in (self.activities.data or "").splitlines() if line.strip()),
            recipients=(self.recipients.data or "").strip(),
            procedure=(self.procedure.data or "").strip(),
            amount_rule=(self.amount_rule.data or "").strip(),
            maximum_per_recipient=self.maximum_per_recipient.data,
            countries=_countries(self.countries.data or "", problems),
            funding_rate_max=_rate("funding_rate_max", self.funding_rate_max.data, problems),
            flat_rate_max=_rate("flat_rate_max", self.flat_rate_max.data, problems),
            opening_months_min=_months(self.opening_months_min.data or "", problems),
        )
        if problems:
            raise Invalid("The rules of the parent grant were not kept.", problems)
        return given


class NewForm(_WhatItIs, RulesForm):
    """A parent grant with its rules."""

    number = StringField("Number of the grant agreement", [Needed("Enter the number, for example 101036519."), _SHORT])

    def to_new(self) -> FundSourceInput:
        """The parent grant as its frozen value."""
        return FundSourceInput(
            (self.number.data or "").strip(), self.acronym.data or "", self.framework.data or "",
            self.starts_on.data, self.ends_on.data, self.to_input(), self.amount.data, *self._days(), self._keeping(),
        )  # fmt: skip


def texts_of(rules: ParentRules) -> dict[str, object]:
    """Rules as the fields of the form show them."""
    return {
        "activities": "\n".join(rules.activities),
        "recipients": rules.recipients,
        "procedure": rules.procedure,
        "amount_rule": rules.amount_rule,
        "maximum_per_recipient": rules.maximum_per_recipient,
        "countries": ", ".join(rules.countries),
        "funding_rate_max": _typed(rules.funding_rate_max),
        "flat_rate_max": _typed(rules.flat_rate_max),
        "opening_months_min": str(rules.opening_months_min),
    }


def _typed(rate: Fraction | None) -> str:
    if rate is None:
        return ""
    return str(rate.numerator) if rate.denominator == 1 else f"{rate.numerator * 10_000 // rate.denominator / 10_000:g}"


def _rate(name: str, typed: str | None, problems: dict[str, str]) -> Fraction | None:
    text = (typed or "").replace("%", "").strip()
    if not text:
        return None
    if not _RATE.match(text):
        problems[name] = f"{quoted(text)} is no percentage. Write a number from 0 to 100, for example 25 or 12.5."
        return None
    return Fraction(text.replace(",", "."))


def _number(days: int | None) -> str:
    return "" if days is None else str(days)


def _whole(name: str, typed: str, problems: dict[str, str]) -> int | None:
    text = typed.strip()
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,3}", text):
        problems[name] = f"{quoted(text)} is no number of days. Write a whole number from 0 to {DAYS_MAX}."
        return None
    return int(text)


def _months(typed: str, problems: dict[str, str]) -> int:
    text = typed.strip() or "0"
    if not re.fullmatch("[0-9]{1,2}", text):
        problems["opening_months_min"] = f"{quoted(text)} is no number of months. Write a whole number from 0 to 12."
        return 0
    return int(text)


def _countries(typed: str, problems: dict[str, str]) -> tuple[str, ...]:
    """Country codes, each once, in the order typed."""
    found: dict[str, None] = {}
    for word in re.split(r"[\s,;]+", typed):
        if not word:
            continue
        try:
            found[country_code(word)] = None
        except Invalid as error:
            problems.setdefault("countries", str(error))
    return tuple(found)
