"""The schema of call files, version 1: every value a call has, how it is read, and whether a call needs it.

A new value is one entry of ``FIELDS``; its path is its key everywhere, in files, in the database and on pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

import yaml

from grants.budgets.rules import Category, CategoryLimit, Envelope, EnvelopeRule, LumpSum, Nature
from grants.calls.rules.declarations import Declarant, Declaration, Said
from grants.calls.rules.privacy import HEADINGS, PrivacyText
from grants.calls.rules.values import (
    Attachment,
    Condition,
    Consortium,
    CountryList,
    Criterion,
    DocumentVersion,
    FactRule,
    Instalment,
    LooseDate,
    NamedSource,
    Opening,
    ParentGrant,
    PlannedMilestone,
    ReportDuty,
    Scale,
    Thresholds,
    TimeLimits,
)
from grants.calls.states import CallKind, CallStage, ConditionKind, Confidence, FactKind, InstalmentKind, Whom
from grants.cities.rules import country_code
from grants.core import clock
from grants.core.clock import Fold
from grants.core.errors import Invalid, quoted
from grants.core.file_types import FileType
from grants.core.money import ZERO, Money
from grants.core.text import fold
from grants.core.yaml_schema import (
    DIGITS_MAX,
    Items,
    Kind,
    Reading,
    Record,
    Table,
    amount,
    clock_time,
    day,
    exact,
    flag,
    moment,
    one_of,
    plain_text,
    raw_of,
    wall_time,
    what,
    whole,
    zone,
)
from grants.dossiers.rules import (
    COLUMN_KINDS,
    AskedIf,
    Choice,
    Column,
    Definition,
    Question,
    QuestionKind,
    Section,
    Translation,
)
from grants.programmes.rules import ParentRules

SCHEMA_VERSION = 1
META = ("confidence", "source", "note")


# --- kinds of values --------------------------------------------------------------------------------------------


def _halves(node: yaml.Node, place: str, reading: Reading) -> int | None:
    """Points in half steps, kept as whole half points."""
    points = exact(0, 1000)(node, place, reading)
    if points is None:
        return None
    if (points * 2).denominator != 1:
        reading.wrong(node, place, f"is {node.value}; points come in halves, for example 3 or 3.5.")
        return None
    return int(points * 2)


def _confidence(node: yaml.Node, place: str, reading: Reading) -> Confidence | None:
    read = one_of(Confidence, Confidence.TEMPLATE)(node, place, reading)
    if read is not None:
        reading.noticed.append(read)
    return read


class _Weights(Table):
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


def _language(node: yaml.Node, place: str, reading: Reading) -> str | None:
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


def _choice(node: yaml.Node, place: str, reading: Reading) -> Choice | None:
    """A choice of a question: a word, or a value with its label; a year or another number stays as it was typed."""
    if isinstance(node, yaml.ScalarNode):
        is_number = what(node) == "a number" and len(node.value) <= DIGITS_MAX
        label = str(node.value).strip() if is_number else plain_text(node, place, reading)
        # A word in other letters than ours is kept as it is read.
        return None if label is None else Choice(re.sub(r"[^a-z0-9]+", "_", fold(label)).strip("_") or label, label)
    built: Choice | None = Record(Choice, {"value": plain_text, "label": plain_text}, ("value", "label"))(
        node, place, reading
    )
    return built


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


def _country(node: yaml.Node, place: str, reading: Reading) -> str | None:
    """The code of a country, as ISO writes it; “NO” needs quotes, since YAML reads it as a word for false."""
    raw = raw_of(node, place, reading, "a country code such as PL", "str", "bool")
    try:
        return None if raw is None else country_code(raw)
    except Invalid as error:
        reading.wrong(node, place, str(error))
        return None


def _with_keys(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Conditions without a number of their own get one by their place."""
    return tuple(replace(c, key=c.key or f"condition_at_{n}") for n, c in enumerate(conditions, 1))


def _envelope(code: str, amount: Money, **_sourced: Any) -> Envelope:
    return Envelope(code, amount)


def _loose(literal: str | None = None, local: date | None = None, iso: datetime | None = None) -> LooseDate | None:
    day = local or (clock.in_zone(iso).date() if iso else None)
    if literal is None and day is None:
        return None
    return LooseDate(literal or clock.long_date(day or date.min), day)


def _opening(local: date | None = None, time: str | None = None) -> Opening | None:
    return None if local is None else Opening(local, time)


SOURCED: dict[str, Kind] = {"confidence": _confidence, "source": plain_text, "note": plain_text}
_LOOSE_DATE = Record(_loose, {"literal": plain_text, "local": day, "iso": moment})
_DEADLINE = Record(
    PrintedDeadline,
    {"literal": plain_text, "iso": moment, "local": wall_time, "fold": one_of(Fold), "reason": plain_text},
)
_REPORT = Record(ReportDuty, {"required": flag, "timing": plain_text}, ("required",))
_RULE = Record(lambda rule: rule, {"rule": plain_text}, ("rule",))
_PARENT_RULES = Record(
    lambda funding_rate_percent_max=None, flat_rate_percent_max=None, **given: ParentRules(
        funding_rate_max=funding_rate_percent_max, flat_rate_max=flat_rate_percent_max, **given
    ),
    {
        "activities": Items(plain_text),
        "recipients": plain_text,
        "procedure": plain_text,
        "amount_rule": plain_text,
        "maximum_per_recipient": amount,
        "countries": Items(_country),
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
        "countries": Items(_country),
        "lists": Items(plain_text),
        "allowed": Items(plain_text),
        "question": plain_text,
        "at_most_eur": amount,
        "joint": flag,
    },
    ("fact",),
)
_CONDITION = Record(
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
_CATEGORY = Record(
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
_LIMIT = Record(
    lambda category, share_percent=None, amount=None: CategoryLimit(
        category, None if share_percent is None else share_percent / 100, amount
    ),
    {"category": plain_text, "share_percent": exact(0, 100), "amount": amount},
    ("category",),
)
_LUMP_SUM = Record(
    LumpSum, {"work_package": plain_text, "title": plain_text, "amount": amount}, ("work_package", "title", "amount")
)
_CRITERION = Record(
    Criterion, {"key": plain_text, "name": plain_text, "question": plain_text}, ("key", "name", "question")
)
_SCALE = Record(
    lambda max, step=1, anchors=(): Scale(max, step, anchors),
    {"max": _halves, "step": _halves, "anchors": Items(plain_text)},
    ("max",),
)
_THRESHOLDS = Record(
    lambda each=None, total=None, criteria=(): Thresholds(each, criteria, total),
    {"each": _halves, "total": _halves, "criteria": Table(_halves, lambda name, half: (name, half))},
)
_INSTALMENT = Record(
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
_TIME_LIMITS = Record(
    TimeLimits,
    {"prefinancing": _DAYS, "before_start": whole(0, 365), "report": _DAYS, "interim": _DAYS, "balance": _DAYS},
    ("prefinancing", "before_start", "report", "interim", "balance"),
)
_MILESTONE = Record(
    PlannedMilestone,
    {"key": plain_text, "title": plain_text, "month": whole(0, 240), "evidence": plain_text},
    ("key", "title", "month"),
)
_ATTACHMENT = Record(
    Attachment,
    {
        "key": plain_text,
        "label": plain_text,
        "required": flag,
        "hint": plain_text,
        "types": Items(one_of(FileType)),
        "megabytes_max": whole(1, 1_000),
        "pages_max": whole(1, 1_000),
    },
    ("key", "label"),
)
_TRANSLATION = Record(
    Translation, {"language": _language, "label": plain_text, "hint": plain_text}, ("language", "label")
)
_COLUMN = Record(
    Column,
    {
        "key": plain_text,
        "label": plain_text,
        "kind": one_of(QuestionKind, *(kind for kind in QuestionKind if kind not in COLUMN_KINDS)),
        "required": flag,
    },
    ("key", "label"),
)
_ASKED_IF = Record(AskedIf, {"question": plain_text, "answers": Items(plain_text)}, ("question",))
_QUESTION = Record(
    Question,
    {
        "key": plain_text,
        "label": plain_text,
        "kind": one_of(QuestionKind),
        "hint": plain_text,
        "required": flag,
        "words_max": whole(1, 20_000),
        "characters_max": whole(1, 100_000),
        "choices": Items(_choice),
        "criterion": plain_text,
        "guidance": Items(plain_text),
        "example": plain_text,
        "picks_max": whole(1, 100),
        "columns": Items(_COLUMN),
        "rows_max": whole(1, 50),
        "file_types": Items(one_of(FileType)),
        "megabytes_max": whole(1, 1_000),
        "pages_max": whole(1, 1_000),
        "asked_if": _ASKED_IF,
        "translations": Items(_TRANSLATION),
    },
    ("key", "label", "kind"),
)
_SECTION = Record(
    Section,
    {
        "key": plain_text,
        "title": plain_text,
        "step": plain_text,
        "intro": plain_text,
        "questions": Items(_QUESTION),
        "translations": Items(_TRANSLATION),
    },
    ("key", "title"),
)
_DECLARATION = Record(
    Declaration,
    {
        "key": plain_text,
        "text": plain_text,
        "explain": one_of(Said),
        "by": one_of(Declarant),
        "evidence": flag,
        "hint": plain_text,
    },
    ("key", "text"),
)
_PRIVACY = Record(PrivacyText, dict.fromkeys(HEADINGS, plain_text), tuple(HEADINGS))
_DOCUMENT = Record(
    lambda version, date, kind, changes=(), source=None, confidence=Confidence.STATED, note=None: DocumentVersion(
        version, date, kind, changes, source, confidence
    ),
    {"version": plain_text, "date": day, "kind": plain_text, "changes": Items(plain_text), **SOURCED},
    ("version", "date", "kind"),
)


# --- the schema ---------------------------------------------------------------------------------------------------


class Group(StrEnum):
    """The heading a value stands under on pages."""

    CALL = "The call"
    DATES = "Dates"
    MONEY = "Money"
    WHO = "Who may apply"
    FORM = "What to send"
    ASSESSMENT = "How it is assessed"
    PAYMENTS = "Payments and reports"
    SUPPORT = "Financial support to third parties"


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a call file: its path, what people call it, how it is read, and whether a call needs it."""

    path: str
    label: str
    group: Group
    kind: Kind
    type: Any
    needed: bool = False
    finish: Callable[[Any], Any] | None = None

    @property
    def of_money(self) -> bool:
        """Whether a call that pays nothing goes without it."""
        return self.group in (Group.MONEY, Group.PAYMENTS, Group.SUPPORT)


FIELDS: Mapping[str, Field] = {
    entry.path: entry
    for entry in (
        Field("call.id", "Identifier", Group.CALL, plain_text, str),
        Field("call.title", "Title", Group.CALL, plain_text, str),
        Field("call.year", "Year", Group.CALL, whole(2000, 2100), int),
        Field("call.invented", "Invented for demonstration", Group.CALL, flag, bool),
        Field("call.programme", "Programme and cohort", Group.CALL, plain_text, str),
        Field(
            "call.parent_grant",
            "Paid from",
            Group.CALL,
            Record(
                ParentGrant,
                {
                    "number": plain_text,
                    "acronym": plain_text,
                    "framework": plain_text,
                    "topic_family": plain_text,
                    "rules": _PARENT_RULES,
                },
                ("number", "acronym", "framework"),
            ),
            ParentGrant,
        ),
        Field("call.kind", "What it leads to", Group.CALL, one_of(CallKind), CallKind),
        Field("call.stage", "Stage", Group.CALL, one_of(CallStage), CallStage),
        Field("call.follows", "Follows the call", Group.CALL, plain_text, str),
        Field("call.funding_mechanism", "Kind of funding", Group.CALL, plain_text, str),
        Field("call.sources", "Sources", Group.CALL, Table(plain_text, NamedSource), tuple[NamedSource, ...]),
        Field("privacy_notice", "Privacy notice", Group.CALL, _PRIVACY, PrivacyText),
        Field("document_versions", "Documents", Group.CALL, Items(_DOCUMENT), tuple[DocumentVersion, ...]),
        Field("dates.timezone", "Time zone", Group.DATES, zone, str),
        Field(
            "dates.opens",
            "Opens",
            Group.DATES,
            Record(_opening, {"local": day, "time": clock_time}),
            Opening,
            needed=True,
        ),
        Field("dates.opens_time", "Opening hour", Group.DATES, clock_time, str, needed=True),
        Field("dates.short_opening_reason", "Why it is open for a short time", Group.DATES, plain_text, str),
        Field("dates.deadline_original", "First deadline", Group.DATES, _DEADLINE, PrintedDeadline),
        Field("dates.deadline_extended", "Extended deadline", Group.DATES, _DEADLINE, PrintedDeadline),
        Field("dates.questions_until", "Questions until", Group.DATES, wall_time, datetime),
        Field("dates.results_planned", "Results planned", Group.DATES, _LOOSE_DATE, LooseDate),
        Field("dates.results_actual", "Results made public", Group.DATES, _LOOSE_DATE, LooseDate),
        Field("dates.pilots_start", "Pilots start", Group.DATES, _LOOSE_DATE, LooseDate),
        Field("dates.pilots_end", "Pilots end", Group.DATES, _LOOSE_DATE, LooseDate),
        Field("duration_months", "Length of a pilot in months", Group.DATES, whole(1, 120), int, needed=True),
        Field("budget.currency", "Currency", Group.MONEY, plain_text, str),
        Field("budget.total", "Money for the whole call", Group.MONEY, amount, Money, needed=True),
        Field("budget.expected_awards", "Awards expected", Group.MONEY, whole(1, 10_000), int),
        Field(
            "grant_bands_eur",
            "Award amounts",
            Group.MONEY,
            Items(Record(_envelope, {"code": plain_text, "amount": amount, **SOURCED}, ("code", "amount"))),
            tuple[Envelope, ...],
            needed=True,
        ),
        Field(
            "grant_bands_rule", "How award amounts bind", Group.MONEY, one_of(EnvelopeRule), EnvelopeRule, needed=True
        ),
        Field(
            "funding_rate_percent",
            "Share of costs that is paid",
            Group.MONEY,
            exact(1, 100),
            Fraction,
            needed=True,
        ),
        Field(
            "indirect_costs.flat_rate_percent",
            "Flat rate for indirect costs",
            Group.MONEY,
            exact(0, 100),
            Fraction,
            needed=True,
        ),
        Field(
            "budget_categories",
            "Budget categories",
            Group.MONEY,
            Items(_CATEGORY),
            tuple[Category, ...],
            needed=True,
        ),
        Field("budget_limits", "Most in a category", Group.MONEY, Items(_LIMIT), tuple[CategoryLimit, ...]),
        Field("budget_grid.by_work_package", "Budget by work package", Group.MONEY, flag, bool),
        Field("budget_grid.period_months", "Months in a budget period", Group.MONEY, whole(1, 60), int),
        Field("lump_sums", "Lump sums by work package", Group.MONEY, Items(_LUMP_SUM), tuple[LumpSum, ...]),
        Field("grant_cap_per_legal_entity", "Most for one organisation", Group.MONEY, amount, Money),
        Field("eligibility.applicants", "Applicants", Group.WHO, _RULE, str, needed=True),
        Field(
            "eligibility.country_lists",
            "Lists of countries",
            Group.WHO,
            Table(Items(_country), CountryList),
            tuple[CountryList, ...],
        ),
        Field("eligibility.criteria_total_v1_0", "Conditions in the first draft", Group.WHO, plain_text, str),
        Field(
            "eligibility.criteria",
            "Conditions",
            Group.WHO,
            Items(_CONDITION),
            tuple[Condition, ...],
            needed=True,
            finish=_with_keys,
        ),
        Field(
            "eligibility.consortium",
            "Applying together",
            Group.WHO,
            Record(
                Consortium,
                {
                    "single_city": flag,
                    "multi_city": flag,
                    "lead": plain_text,
                    "other_organisations": Items(plain_text),
                },
            ),
            Consortium,
        ),
        Field("submission.channel", "Where to apply", Group.FORM, plain_text, str),
        Field("submission.language", "Language", Group.FORM, _language, str, needed=True),
        Field(
            "submission.documents_for_applicants",
            "Documents for applicants",
            Group.FORM,
            Items(plain_text),
            tuple[str, ...],
        ),
        Field(
            "submission.required_attachments",
            "Files to attach",
            Group.FORM,
            Items(_ATTACHMENT),
            tuple[Attachment, ...],
            needed=True,
        ),
        Field("submission.sign_offs", "Signed off by partners and signatory before it is sent", Group.FORM, flag, bool),
        Field(
            "submission.clarification_days", "Days to answer a question of the programme", Group.FORM, whole(1, 90), int
        ),
        Field(
            "application_form.sections",
            "Application form",
            Group.FORM,
            Items(_SECTION),
            Definition,
            needed=True,
            finish=Definition,
        ),
        Field(
            "application_form.own_sections",
            "Sections of its own",
            Group.FORM,
            Items(_SECTION),
            tuple[Section, ...],
        ),
        Field("declarations.other_grants", "Other grants are declared", Group.FORM, flag, bool),
        Field("declarations.asked", "Declarations", Group.FORM, Items(_DECLARATION), tuple[Declaration, ...]),
        Field("application_form.word_limits", "Word limits", Group.FORM, plain_text, str),
        Field(
            "application_form.public_profile_fields_seen",
            "Seen on public profiles",
            Group.FORM,
            Items(plain_text),
            tuple[str, ...],
        ),
        Field("application_form.profile_source", "Source of the profiles", Group.FORM, plain_text, str),
        Field("evaluation.stages", "Stages", Group.ASSESSMENT, Items(plain_text), tuple[str, ...]),
        Field(
            "evaluation.criteria",
            "Award criteria",
            Group.ASSESSMENT,
            Items(_CRITERION),
            tuple[Criterion, ...],
            needed=True,
        ),
        Field("evaluation.scale", "Scale", Group.ASSESSMENT, _SCALE, Scale, needed=True),
        Field(
            "evaluation.weights",
            "Weights",
            Group.ASSESSMENT,
            _Weights(exact(0, 100), lambda name, weight: (name, weight)),
            tuple[tuple[str, Fraction], ...],
            needed=True,
        ),
        Field("evaluation.thresholds", "Thresholds", Group.ASSESSMENT, _THRESHOLDS, Thresholds, needed=True),
        Field(
            "evaluation.tie_break", "Order for ties", Group.ASSESSMENT, Items(plain_text), tuple[str, ...], needed=True
        ),
        Field(
            "evaluation.evaluators_per_application",
            "Evaluators for each application",
            Group.ASSESSMENT,
            whole(1, 9),
            int,
            needed=True,
        ),
        Field("evaluation.reserve_list", "Reserve list", Group.ASSESSMENT, plain_text, str),
        Field("evaluation.conflict_of_interest", "Conflicts of interest", Group.ASSESSMENT, plain_text, str),
        Field("evaluation.redress", "Complaints", Group.ASSESSMENT, plain_text, str),
        Field(
            "payment.prefinancing_percent",
            "Pre-financing",
            Group.PAYMENTS,
            exact(0, 100),
            Fraction,
            needed=True,
        ),
        Field(
            "payment.interim_ceiling_percent",
            "Most before the balance",
            Group.PAYMENTS,
            exact(1, 100),
            Fraction,
            needed=True,
        ),
        Field("payment.retention_percent", "Held back", Group.PAYMENTS, exact(0, 50), Fraction, needed=True),
        Field(
            "payment.tranches",
            "Instalments",
            Group.PAYMENTS,
            Items(_INSTALMENT),
            tuple[Instalment, ...],
            needed=True,
        ),
        Field("payment.time_limits", "Time limits in days", Group.PAYMENTS, _TIME_LIMITS, TimeLimits, needed=True),
        Field("payment.unlock_rule", "What unlocks later payments", Group.PAYMENTS, _RULE, str),
        Field("reporting.interim_report", "Interim report", Group.PAYMENTS, _REPORT, ReportDuty),
        Field("reporting.final_report", "Final report", Group.PAYMENTS, _REPORT, ReportDuty),
        Field(
            "reporting.monitoring_evaluation_learning",
            "Monitoring, evaluation, learning",
            Group.PAYMENTS,
            _REPORT,
            ReportDuty,
        ),
        Field(
            "milestones",
            "Milestones every pilot has",
            Group.PAYMENTS,
            Items(_MILESTONE),
            tuple[PlannedMilestone, ...],
            needed=True,
        ),
        Field(
            "financial_support.activities",
            "Activities that are paid",
            Group.SUPPORT,
            Items(plain_text),
            tuple[str, ...],
            needed=True,
        ),
        Field(
            "financial_support.amount_rule",
            "How the exact amount is found",
            Group.SUPPORT,
            plain_text,
            str,
            needed=True,
        ),
        Field(
            "financial_support.maximum_per_recipient",
            "Most for one recipient",
            Group.SUPPORT,
            amount,
            Money,
            needed=True,
        ),
        Field("financial_support.maximum_reason", "Why more than EUR 60 000", Group.SUPPORT, plain_text, str),
    )
}

# Read from the file but kept in tables of their own, or as columns of the call.
ELSEWHERE = frozenset(
    {"document_versions", "dates.deadline_original", "dates.deadline_extended", "dates.timezone", "budget.currency"}
)
