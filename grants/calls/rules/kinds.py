"""The kinds of values a call file may hold: how each is read, written and refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

import yaml

from grants.budgets.rules import Category, CategoryLimit, Envelope, LumpSum, Nature, UnitCost
from grants.calls.rules.additional import AdditionalPrefinancing
from grants.calls.rules.assigning import AssignmentRules
from grants.calls.rules.complaints import ComplaintRules
from grants.calls.rules.complaints_to import ComplaintsTo
from grants.calls.rules.content import (
    Condition,
    FactRule,
    Instalment,
    LooseDate,
    Opening,
    PlannedMilestone,
    ReportDuty,
    TimeLimits,
)
from grants.calls.rules.drawing import DrawRules
from grants.calls.rules.funding import Funding
from grants.calls.rules.mark_kinds import halves
from grants.calls.rules.passing_on import PassingOn
from grants.calls.rules.payment_clock import PaymentClock
from grants.calls.rules.privacy import HEADINGS, PrivacyText
from grants.calls.rules.scoring import Criterion, Thresholds
from grants.calls.rules.selection import SelectionRules, StrandRule
from grants.calls.rules.signing import Signing
from grants.calls.rules.values import DocumentVersion
from grants.calls.states import (
    ClockStart,
    ComplaintGround,
    ConditionKind,
    Confidence,
    FactKind,
    FundingForm,
    HolidayCalendar,
    InstalmentKind,
    NoProfit,
    PassedOnBy,
    RequestPath,
    Whom,
)
from grants.cities.rules import country_code
from grants.core import clock
from grants.core.clock import Fold
from grants.core.errors import Invalid, quoted
from grants.core.money import ZERO, Money
from grants.core.yaml_schema import (
    Items,
    Kind,
    Reading,
    Record,
    Table,
    amount,
    day,
    exact,
    flag,
    moment,
    one_of,
    plain_text,
    raw_of,
    wall_time,
    whole,
)
from grants.programmes.rules import ParentRules


def _confidence(node: yaml.Node, place: str, reading: Reading) -> Confidence | None:
    read = one_of(Confidence, Confidence.TEMPLATE)(node, place, reading)
    if read is not None:
        reading.noticed.append(read)
    return read


class Weights(Table):
    """``none``, or a weight for each criterion."""

    def __call__(self, node: yaml.Node, place: str, reading: Reading) -> tuple[Any, ...]:
        if isinstance(node, yaml.ScalarNode) and node.value == "none":
            return ()
        return super().__call__(node, place, reading)


# Languages of the EU and of countries that take part, by their ISO 639-1 code.
LANGUAGES: Mapping[str, str] = {
    "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "et": "Estonian", "fi": "Finnish", "fr": "French", "ga": "Irish", "hr": "Croatian",
    "hu": "Hungarian", "it": "Italian", "lt": "Lithuanian", "lv": "Latvian", "mt": "Maltese", "nl": "Dutch",
    "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "sk": "Slovak", "sl": "Slovenian",
    "sq": "Albanian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian",
}  # fmt: skip


def language_kind(node: yaml.Node, place: str, reading: Reading) -> str | None:
    """A language by its code or its English name, as its code."""
    given = plain_text(node, place, reading)
    if given is None:
        return None
    codes = {name.lower(): code for code, name in LANGUAGES.items()} | {code: code for code in LANGUAGES}
    found = codes.get(given.lower())
    if found is None:
        reading.wrong(
            node, place, f"{quoted(given)} is no language this program knows. Write its code, for example en."
        )
    return found


@dataclass(frozen=True, slots=True)
class PrintedDeadline:
    """A deadline as a file gives it: what was printed, and the instant or the local time it means."""

    literal: str | None = None
    iso: datetime | None = None
    local: datetime | None = None
    fold: Fold | None = None
    reason: str | None = None


def _condition(
    rule: str,
    *,
    no: int | None = None,
    key: str | None = None,
    kind: ConditionKind = ConditionKind.PASS_FAIL,
    threshold: int | None = None,
    thresholds: tuple[int | None, int | None] = (None, None),
    country_examples: tuple[str, ...] = (),
    test: FactRule | None = None,
    **sourced: Any,
) -> Condition:
    each, together = thresholds
    name = key or (f"condition_{no}" if no else "")
    if test is None and (each or threshold or together):
        # What files said before conditions had facts: so many inhabitants, alone or together.
        test = FactRule(
            FactKind.INHABITANTS,
            Whom.ADMINISTRATIONS,
            at_least=each or threshold,
            together=together,
            countries=country_examples,
        )
    return Condition(name, rule, kind, **sourced, test=test)


def _fact_rule(
    fact: FactKind, *, allowed: tuple[str, ...] = (), at_most_eur: Money | None = None, **given: Any
) -> FactRule:
    if fact is FactKind.MONEY and at_most_eur is None:
        at_most_eur = ZERO
    return FactRule(fact, words=allowed, money=at_most_eur, **given)


def country_kind(node: yaml.Node, place: str, reading: Reading) -> str | None:
    """The code of a country, as ISO writes it; “NO” needs quotes, since YAML reads it as a word for false."""
    raw = raw_of(node, place, reading, "a country code such as PL", "str", "bool")
    try:
        return None if raw is None else country_code(raw)
    except Invalid as error:
        reading.wrong(node, place, str(error))
        return None


def with_keys(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Conditions without a number of their own get one by their place."""
    return tuple(replace(c, key=c.key or f"condition_at_{n}") for n, c in enumerate(conditions, 1))


def envelope_of(code: str, amount: Money, **_sourced: Any) -> Envelope:
    return Envelope(code, amount)


def _loose(literal: str | None = None, local: date | None = None, iso: datetime | None = None) -> LooseDate | None:
    day = local or (clock.in_zone(iso).date() if iso else None)
    if literal is None and day is None:
        return None
    return LooseDate(literal or clock.long_date(day or date.min), day)


def local_opening(local: date | None = None, time: str | None = None) -> Opening | None:
    return None if local is None else Opening(local, time)


SOURCED: dict[str, Kind] = {"confidence": _confidence, "source": plain_text, "note": plain_text}

LOOSE_DATE = Record(_loose, {"literal": plain_text, "local": day, "iso": moment})

DEADLINE = Record(
    PrintedDeadline,
    {"literal": plain_text, "iso": moment, "local": wall_time, "fold": one_of(Fold), "reason": plain_text},
)

REPORT = Record(ReportDuty, {"required": flag, "timing": plain_text}, ("required",))

RULE = Record(lambda rule: rule, {"rule": plain_text}, ("rule",))

PARENT_RULES = Record(
    lambda funding_rate_percent_max=None, flat_rate_percent_max=None, **given: ParentRules(
        funding_rate_max=funding_rate_percent_max, flat_rate_max=flat_rate_percent_max, **given
    ),
    {
        "activities": Items(plain_text),
        "recipients": plain_text,
        "procedure": plain_text,
        "amount_rule": plain_text,
        "maximum_per_recipient": amount,
        "countries": Items(country_kind),
        "funding_rate_percent_max": exact(0, 100),
        "flat_rate_percent_max": exact(0, 100),
        "opening_months_min": whole(0, 12),
    },
)

_FACT_RULE = Record(
    _fact_rule,
    {
        "fact": one_of(FactKind),
        "of": one_of(Whom),
        "at_least": whole(0, 10**9),
        "at_most": whole(0, 10**9),
        "together": whole(1, 10**9),
        "countries": Items(country_kind),
        "lists": Items(plain_text),
        "allowed": Items(plain_text),
        "question": plain_text,
        "at_most_eur": amount,
        "joint": flag,
    },
    ("fact",),
)

CONDITION = Record(
    _condition,
    {
        "no": whole(1, 99),
        "key": plain_text,
        "rule": plain_text,
        "kind": one_of(ConditionKind),
        "threshold": whole(1, 10**9),
        "thresholds": Record(
            lambda each=None, together=None: (each, together),
            {"each": whole(1, 10**9), "together": whole(1, 10**9)},
        ),
        "country_examples": Items(plain_text),
        "test": _FACT_RULE,
        **SOURCED,
    },
    ("rule",),
    older=("no", "threshold", "thresholds", "country_examples"),
)

CATEGORY = Record(
    Category,
    {
        "code": plain_text,
        "label": plain_text,
        "in_flat_rate_base": flag,
        "entered": flag,
        "hint": plain_text,
        "nature": one_of(Nature),
    },
    ("code", "label"),
)

LIMIT = Record(
    lambda category, share_percent=None, amount=None: CategoryLimit(
        category, None if share_percent is None else share_percent / 100, amount
    ),
    {"category": plain_text, "share_percent": exact(0, 100), "amount": amount},
    ("category",),
)

LUMP_SUM = Record(
    LumpSum, {"work_package": plain_text, "title": plain_text, "amount": amount}, ("work_package", "title", "amount")
)

UNIT_COST = Record(
    UnitCost,
    {"category": plain_text, "unit": plain_text, "rate": amount, "decimals": whole(0, 2)},
    ("category", "unit", "rate"),
)

CRITERION = Record(
    lambda key, name, question, max=None: Criterion(key, name, question, max_half=max),
    {"key": plain_text, "name": plain_text, "question": plain_text, "max": halves},
    ("key", "name", "question"),
)

THRESHOLDS = Record(
    lambda each=None, total=None, criteria=(): Thresholds(each, criteria, total),
    {"each": halves, "total": halves, "criteria": Table(halves, lambda name, half: (name, half))},
)

SELECTION = Record(
    SelectionRules,
    {
        "fund_what_fits": flag, "reserve_max": whole(0, 500), "country_max": whole(1, 500), "country_amount_max": amount,
        "countries_min": whole(1, 100), "small_cities_min": whole(1, 500), "small_city_below": whole(1_000, 10_000_000),
        "one_per_city": flag, "amounts": flag, "places": flag,
        "strands": Items(
            Record(
                StrandRule, {"name": plain_text, "asked_max": amount, "ceiling": amount}, ("name", "asked_max", "ceiling")
            ),
            most=20,
        ),
    },
)  # fmt: skip

COMPLAINTS = Record(
    ComplaintRules,
    {
        "window_days": whole(1, 120), "decide_days": whole(1, 180), "working_days": flag,
        "holidays": one_of(HolidayCalendar), "days_off": Items(day, most=60), "languages": Items(language_kind, most=10),
        "grounds": Items(one_of(ComplaintGround), most=len(ComplaintGround)),
    },
    ("window_days", "decide_days"),
)  # fmt: skip

COMPLAINTS_TO = Record(ComplaintsTo, {"address": plain_text, "decided_by": plain_text})

SIGNING = Record(Signing, {each.name: plain_text for each in fields(Signing)})

DRAW = Record(DrawRules, {"within": exact(0, 100), "intervals": flag}, ("within",))

INSTALMENT = Record(
    lambda key, kind, label, condition, percent=None, due_month=None: Instalment(
        key, kind, label, percent, condition, due_month
    ),
    {
        "key": plain_text,
        "kind": one_of(InstalmentKind),
        "label": plain_text,
        "percent": exact(0, 100),
        "condition": plain_text,
        "due_month": whole(0, 240),
    },
    ("key", "kind", "label", "condition"),
)

_DAYS = whole(1, 365)

TIME_LIMITS = Record(
    TimeLimits,
    {"prefinancing": _DAYS, "before_start": whole(0, 365), "report": _DAYS, "interim": _DAYS, "balance": _DAYS},
    ("prefinancing", "before_start", "report", "interim", "balance"),
)

PAYMENT_CLOCK = Record(PaymentClock, {"starts": one_of(ClockStart), "passes": one_of(RequestPath)})

PASSING_ON = Record(PassingOn, {"days": _DAYS, "confirmed_by": one_of(PassedOnBy)})
ADDITIONAL = Record(AdditionalPrefinancing, {"percent": exact(1, 100), "threshold": whole(1, 100)}, ("percent",))
FUNDING = Record(
    Funding,
    {"form": one_of(FundingForm), "no_profit": one_of(NoProfit), "certificate_from": amount, "guarantee": flag},
)

_WEIGHT = whole(0, 1_000)

ASSIGNING = Record(
    AssignmentRules,
    {
        "topics": _WEIGHT,
        "language": _WEIGHT,
        "role": _WEIGHT,
        "bid": _WEIGHT,
        "novelty": _WEIGHT,
        "rare_topics": flag,
        "country_max": whole(1, 9),
        "organisation_max": whole(1, 9),
        "roles": Items(plain_text),
        "reader": flag,
        "balance": flag,
        "floor": flag,
    },
    ("topics", "language"),
)

MILESTONE = Record(
    PlannedMilestone,
    {"key": plain_text, "title": plain_text, "month": whole(0, 240), "evidence": plain_text},
    ("key", "title", "month"),
)


PRIVACY = Record(PrivacyText, dict.fromkeys(HEADINGS, plain_text), tuple(HEADINGS))

DOCUMENT = Record(
    lambda version, date, kind, changes=(), source=None, confidence=Confidence.STATED, note=None: DocumentVersion(
        version, date, kind, changes, source, confidence
    ),
    {"version": plain_text, "date": day, "kind": plain_text, "changes": Items(plain_text), **SOURCED},
    ("version", "date", "kind"),
)
