"""What pages and later stages see of a programme and its funds, and when a programme's own data is good."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from grants.core import clock
from grants.core.errors import Invalid, Problem
from grants.core.money import ZERO, Money, euros

# The number of a parent grant is part of the address of its page.
NUMBER_CHARACTERS_MAX = 60

# The longest time for a report or a payment of a parent grant.
DAYS_MAX = 365

# For how many years after the final payment records are kept where its parent grant says nothing else (F17), and up to
# which amount a grant is a small one.
KEPT_YEARS, KEPT_YEARS_SMALL, SMALL_GRANT_MAX = 5, 3, euros(60_000)
KEPT_YEARS_MAX = 30

# How long a call is open at the least where its parent grant says nothing else (domain.md F-09).
OPENING_MONTHS_MIN = 2


@dataclass(frozen=True, slots=True)
class ProgrammeView:
    """A programme as pages show it."""

    id: UUID
    slug: str
    code: str
    name: str
    organisation_id: UUID | None


@dataclass(frozen=True, slots=True)
class Keeping:
    """When the programme got the final payment of a parent grant, and for how many years after it records are kept."""

    final_paid_on: date | None = None
    years: int = KEPT_YEARS
    years_small: int = KEPT_YEARS_SMALL
    small_up_to: Money = SMALL_GRANT_MAX

    def years_of(self, maximum: Money) -> int:
        """For how many years records of a grant of this size are kept.

        >>> Keeping().years_of(euros(60_000)), Keeping().years_of(euros(60_001))
        (3, 5)
        """
        return self.years_small if maximum <= self.small_up_to else self.years

    @property
    def words(self) -> str:
        """For how long, as a sentence."""
        return (
            f"Records are kept {self.years} years after the final payment of the parent grant, those of grants up to"
            f" {self.small_up_to} {self.years_small} years."
        )


KEEPING = Keeping()


@dataclass(frozen=True, slots=True)
class ParentRules:
    """What a parent grant lays down for every call it pays: the five points of support to third parties, rates, lists.

    Empty means the parent grant leaves it to the call. ``funding_rate_max`` and ``flat_rate_max`` are
    percentages (``Fraction(100)``); the effective cap of a call is the lower of its own and this one.
    """

    activities: tuple[str, ...] = ()
    recipients: str = ""
    procedure: str = ""
    amount_rule: str = ""
    maximum_per_recipient: Money | None = None
    countries: tuple[str, ...] = ()
    funding_rate_max: Fraction | None = None
    flat_rate_max: Fraction | None = None
    opening_months_min: int = OPENING_MONTHS_MIN

    @property
    def empty(self) -> bool:
        """Whether nothing at all is laid down yet."""
        return self == NO_PARENT_RULES


NO_PARENT_RULES = ParentRules()


def months_later(day: date, months: int) -> date:
    """The same day so many months on, the last of the month where it has none such.

    >>> months_later(date(2023, 12, 31), 2)
    datetime.date(2024, 2, 29)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def open_too_shortly(rules: ParentRules, opens_on: date, closes_on: date) -> bool:
    """Whether a call that is open over these days is open for less than its parent grant asks.

    >>> open_too_shortly(ParentRules(), date(2022, 9, 5), date(2022, 11, 4))
    True
    """
    return closes_on < months_later(opens_on, rules.opening_months_min)


def capped(own: Money | None, rules: ParentRules) -> Money | None:
    """The most for one recipient that really holds: the lower of what the call and its parent grant say."""
    known = [each for each in (own, rules.maximum_per_recipient) if each is not None]
    return min(known, default=None)


@dataclass(frozen=True, slots=True)
class FundSourceView:
    """A parent grant as pages show it."""

    id: UUID
    number: str
    acronym: str
    framework: str
    starts_on: date | None
    ends_on: date | None
    rules: ParentRules = NO_PARENT_RULES
    version: int = 1
    amount: Money | None = None
    report_days: int | None = None
    payment_days: int | None = None
    keeping: Keeping = KEEPING

    @property
    def reports_by(self) -> date | None:
        """The last day on which the programme reports to whoever gives the parent grant, itself included."""
        return reports_by(self.ends_on, self.report_days)

    @property
    def title(self) -> str:
        """``NetZeroCities, Horizon 2020 grant 101036519``."""
        return f"{self.acronym}, {self.framework} grant {self.number}"


def reports_by(ends_on: date | None, report_days: int | None) -> date | None:
    """The last day to report on a parent grant; None where its end or its days are not known.

    >>> reports_by(date(2025, 9, 30), 60)
    datetime.date(2025, 11, 29)
    """
    return None if ends_on is None or report_days is None else clock.add_days(ends_on, report_days)


@dataclass(frozen=True, slots=True)
class FundUse:
    """A call that is paid from a parent grant, and what rules of that grant mean for it.

    A draft follows the rules as they stand: ``clashes`` is what does not fit them. A published call keeps the rules
    it was opened with: ``kept`` names those that differ.
    """

    reference: str
    slug: str
    title: str
    state: str
    clashes: tuple[Problem, ...] = ()
    kept: tuple[str, ...] = ()
    opened: bool = False

    @property
    def draft(self) -> bool:
        """Whether the call still follows the rules as they stand."""
        return self.state == "draft"


@dataclass(frozen=True, slots=True)
class ProgrammeInput:
    """What makes a programme; ``code`` begins every reference of its objects."""

    code: str
    slug: str
    name: str
    organisation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class FundSourceInput:
    """What makes a fund source: the number of the parent grant, its acronym and framework."""

    number: str
    acronym: str
    framework: str
    starts_on: date | None = None
    ends_on: date | None = None
    rules: ParentRules = NO_PARENT_RULES
    amount: Money | None = None
    report_days: int | None = None
    payment_days: int | None = None
    keeping: Keeping = KEEPING


@dataclass(frozen=True, slots=True)
class FundSourceWords:
    """What may still be mended of a parent grant: all but its number, by which calls and ledger know it."""

    acronym: str
    framework: str
    starts_on: date | None = None
    ends_on: date | None = None
    amount: Money | None = None
    report_days: int | None = None
    payment_days: int | None = None
    keeping: Keeping = KEEPING


# What an installation starts with: the programme of the three cohorts and the parent grant of the first
# (domain.md P-03).
PILOT_CITIES = ProgrammeInput("PCP", "pilot-cities", "Pilot Cities Programme")
NETZEROCITIES = FundSourceInput("101036519", "NetZeroCities", "Horizon 2020")


def checked_programme(given: ProgrammeInput) -> ProgrammeInput:
    """The same input; raises :class:`Invalid` with a sentence for each field."""
    problems = {}
    if not re.fullmatch(r"[A-Z]{2,6}", given.code):
        problems["code"] = "The code is two to six capital letters, for example PCP: it begins every reference."
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", given.slug):
        problems["slug"] = "The address is lower-case letters, digits and single hyphens, for example pilot-cities."
    if not given.name.strip():
        problems["name"] = "Enter the name of the programme."
    if problems:
        raise Invalid("The programme is not complete.", problems)
    return given


def checked_fund_source(given: FundSourceInput) -> FundSourceInput:
    """The same input; raises :class:`Invalid` with a sentence for each field."""
    problems = {
        name: f"Enter the {label} of the parent grant."
        for name, label in {"number": "number", "acronym": "acronym", "framework": "framework programme"}.items()
        if not getattr(given, name).strip()
    }
    if "/" in given.number or len(given.number) > NUMBER_CHARACTERS_MAX:
        problems["number"] = (
            f"The number of a parent grant has at most {NUMBER_CHARACTERS_MAX} characters and no slash, for example"
            " 101036519: it is part of an address."
        )
    if given.starts_on and given.ends_on and given.ends_on < given.starts_on:
        problems["ends_on"] = "The parent grant ends before it starts. Check both dates."
    if given.amount is not None and given.amount <= ZERO:
        problems["amount"] = "A parent grant brings more than zero. Leave it empty if the amount is not known."
    for name, days in {"report_days": given.report_days, "payment_days": given.payment_days}.items():
        if days is not None and not 0 <= days <= DAYS_MAX:
            problems[name] = f"Write a whole number of days from 0 to {DAYS_MAX}, or leave it empty."
    kept = given.keeping
    for name, years in {"kept_years": kept.years, "kept_years_small": kept.years_small}.items():
        if not 0 <= years <= KEPT_YEARS_MAX:
            problems[name] = f"Write a whole number of years from 0 to {KEPT_YEARS_MAX}."
    if kept.small_up_to < ZERO:
        problems["small_grant_max"] = "This is an amount of zero or more."
    if kept.final_paid_on and given.starts_on and kept.final_paid_on < given.starts_on:
        problems["final_paid_on"] = "The final payment came after the parent grant started. Check both days."
    if problems:
        raise Invalid("The fund source is not complete.", problems)
    return given


def checked_parent_rules(given: ParentRules) -> ParentRules:
    """The same rules; raises :class:`Invalid` with a sentence for each field."""
    problems = {}
    if given.maximum_per_recipient is not None and given.maximum_per_recipient <= ZERO:
        problems["maximum_per_recipient"] = (
            "The most for one recipient is more than zero. Leave it empty if none is fixed."
        )
    for name, rate in {"funding_rate_max": given.funding_rate_max, "flat_rate_max": given.flat_rate_max}.items():
        if rate is not None and not 0 <= rate <= 100:
            problems[name] = "A rate lies between 0 and 100 %."
    if not 0 <= given.opening_months_min <= 12:
        problems["opening_months_min"] = "A call is open for 0 to 12 months at the least."
    if problems:
        raise Invalid("The rules of the parent grant were not kept.", problems)
    return given


@dataclass(frozen=True, slots=True)
class Beyond:
    """A grant whose last payment may fall after the end of the parent grant that pays it."""

    settled_by: date
    parent_ends_on: date
    # Whether that is also after the day by which the programme must have reported.
    past_report: bool

    @property
    def words(self) -> str:
        """What is wrong, by how much, and the way out."""
        days = (self.settled_by - self.parent_ends_on).days
        late = f"its last payment may fall on {clock.long_date(self.settled_by)}, {days} {'day' if days == 1 else 'days'} after the parent grant ends on {clock.long_date(self.parent_ends_on)}"
        if self.past_report:
            return f"{late}, and after the day by which the programme reports on it. Choose an earlier start or fewer months, or have the parent grant extended."
        return f"{late}. Choose an earlier start or fewer months, or agree with whoever gives the parent grant that later payments count."


def passes_parent_end(
    ends_before: date,
    *,
    report_days: int,
    payment_days: int,
    parent_ends_on: date | None,
    reports_by: date | None = None,
) -> Beyond | None:
    """Whether a grant's end, with its time to report and to be paid, passes the end of its parent grant; by how much.

    >>> passes_parent_end(date(2025, 6, 1), report_days=60, payment_days=90, parent_ends_on=date(2025, 10, 1)).settled_by
    datetime.date(2025, 10, 29)
    """
    if parent_ends_on is None:
        return None
    settled_by = clock.add_days(ends_before, report_days + payment_days)
    if settled_by <= parent_ends_on:
        return None
    return Beyond(settled_by, parent_ends_on, reports_by is not None and settled_by > reports_by)


def rules_words(rules: ParentRules) -> tuple[tuple[str, str], ...]:
    """Everything a parent grant can lay down: what people call it, and what is laid down, empty where nothing is.

    >>> dict(rules_words(ParentRules(flat_rate_max=Fraction(25))))["Highest flat rate for indirect costs"]
    '25 %'
    """
    months = rules.opening_months_min
    return (
        ("Activities that may be paid (a closed list)", ", ".join(rules.activities)),
        ("Who may receive money", rules.recipients),
        ("How recipients are chosen", rules.procedure),
        ("How the exact amount is found", rules.amount_rule),
        ("Most for one recipient", str(rules.maximum_per_recipient or "")),
        ("Countries that may be paid (a closed list)", ", ".join(rules.countries)),
        ("Largest share of costs that is paid", _percent(rules.funding_rate_max)),
        ("Highest flat rate for indirect costs", _percent(rules.flat_rate_max)),
        (
            "Least time a call is open",
            f"{months} {'month' if months == 1 else 'months'}" if months else "No least time",
        ),
    )


def differing(ours: ParentRules, theirs: ParentRules) -> tuple[str, ...]:
    """What two sets of rules say differently, by the names of :func:`rules_words`.

    >>> differing(ParentRules(), ParentRules(opening_months_min=1))
    ('Least time a call is open',)
    """
    pairs = zip(rules_words(ours), rules_words(theirs), strict=True)
    return tuple(name for (name, here), (_, there) in pairs if here != there)


def _percent(rate: Fraction | None) -> str:
    if rate is None:
        return ""
    whole, rest = divmod(rate, 1)
    return f"{whole}{str(Decimal(rest.numerator) / rest.denominator)[1:] if rest else ''} %"


def parent_problems(
    rules: ParentRules,
    *,
    maximum: Money | None,
    funding_rate: Fraction | None,
    flat_rate: Fraction | None,
    activities: tuple[str, ...],
) -> tuple[Problem, ...]:
    """Where a call goes beyond its parent grant: a higher cap or rate, an activity outside the closed list."""
    found = []
    most = rules.maximum_per_recipient
    if most is not None and maximum is not None and maximum > most:
        found.append(
            Problem("Most for one recipient", f"is {maximum}, but the parent grant allows {most}. Lower it to that.")
        )
    for label, own, limit in (
        ("Share of costs that is paid", funding_rate, rules.funding_rate_max),
        ("Flat rate for indirect costs", flat_rate, rules.flat_rate_max),
    ):
        if own is not None and limit is not None and own > limit:
            found.append(Problem(label, f"is {own} %, but the parent grant allows {limit} %. Lower it to that."))
    if rules.activities:
        outside = [each for each in activities if each not in rules.activities]
        found += [
            Problem("Activities that are paid", f"name “{each}”, which is not on the closed list of the parent grant.")
            for each in outside
        ]
    return tuple(found)
