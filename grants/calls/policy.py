"""The schema of a call: which values it has, how a call file gives them, and which must stand before publication.

Pure: text in, values or a list of problems out. The values themselves are those of ``rules``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

import yaml

from grants.budgets.rules import BudgetRules, Category, Envelope, EnvelopeRule, percent, rules_problems
from grants.calls.rules import (
    NOT_FOUND,
    SUPPORT_MAX_UNJUSTIFIED,
    TEMPLATE_LABEL,
    Attachment,
    CallContent,
    Condition,
    Consortium,
    Criterion,
    Deadline,
    DocumentVersion,
    Fact,
    Instalment,
    LooseDate,
    NamedSource,
    Opening,
    ParentGrant,
    PaymentPlan,
    PlannedMilestone,
    ReportDuty,
    Scale,
    Sourced,
    SupportPoint,
    Thresholds,
    literal_of,
    points,
)
from grants.calls.states import ConditionKind, Confidence, InstalmentKind
from grants.core import clock, encoding
from grants.core.clock import BRUSSELS, Fold
from grants.core.errors import Invalid, Problem, Problems
from grants.core.money import Money
from grants.core.yaml_schema import (
    Items,
    Kind,
    Reading,
    Record,
    Table,
    amount,
    clock_time,
    composed,
    day,
    exact,
    flag,
    is_null,
    moment,
    one_of,
    text,
    under,
    wall_time,
    what,
    whole,
    zone,
)
from grants.dossiers.rules import Choice, Definition, Question, QuestionKind, Section, definition_problems

SCHEMA_VERSION = 1
_META = ("confidence", "source", "note")


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
    given = text(node, place, reading)
    if given is None:
        return None
    codes = {name.lower(): code for code, name in LANGUAGES.items()} | {code: code for code in LANGUAGES}
    found = codes.get(given.lower())
    if found is None:
        reading.wrong(node, place, f"“{given}” is no language this program knows. Write its code, for example en.")
    return found


def _choice(node: yaml.Node, place: str, reading: Reading) -> Choice | None:
    """A choice of a question: a word, or a value with its label."""
    if isinstance(node, yaml.ScalarNode):
        label = text(node, place, reading)
        return None if label is None else Choice(re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_"), label)
    built: Choice | None = Record(Choice, {"value": text, "label": text}, ("value", "label"))(node, place, reading)
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
    **sourced: Any,
) -> Condition:
    each, together = thresholds
    name = key or (f"condition_{no}" if no else "")
    return Condition(name, rule, kind, each or threshold, together, country_examples, **sourced)


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


_SOURCED: dict[str, Kind] = {"confidence": _confidence, "source": text, "note": text}
_LOOSE_DATE = Record(_loose, {"literal": text, "local": day, "iso": moment})
_DEADLINE = Record(
    PrintedDeadline,
    {"literal": text, "iso": moment, "local": wall_time, "fold": one_of(Fold), "reason": text},
)
_REPORT = Record(ReportDuty, {"required": flag, "timing": text}, ("required",))
_RULE = Record(lambda rule: rule, {"rule": text}, ("rule",))
_CONDITION = Record(
    _condition,
    {
        "no": whole(1, 99),
        "key": text,
        "rule": text,
        "kind": one_of(ConditionKind),
        "threshold": whole(1, 10**9),
        "thresholds": Record(
            lambda each=None, together=None: (each, together),
            {"each": whole(1, 10**9), "together": whole(1, 10**9)},
        ),
        "country_examples": Items(text),
        **_SOURCED,
    },
    ("rule",),
)
_CATEGORY = Record(
    Category,
    {"code": text, "label": text, "in_flat_rate_base": flag, "entered": flag, "hint": text},
    ("code", "label"),
)
_CRITERION = Record(Criterion, {"key": text, "name": text, "question": text}, ("key", "name", "question"))
_SCALE = Record(
    lambda max, step=1, anchors=(): Scale(max, step, anchors),
    {"max": _halves, "step": _halves, "anchors": Items(text)},
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
        "key": text,
        "kind": one_of(InstalmentKind),
        "label": text,
        "percent": exact(0, 100),
        "condition": text,
        "due_month": whole(0, 240),
    },
    ("key", "kind", "label", "condition"),
)
_MILESTONE = Record(
    PlannedMilestone,
    {"key": text, "title": text, "month": whole(0, 240), "evidence": text},
    ("key", "title", "month"),
)
_ATTACHMENT = Record(Attachment, {"key": text, "label": text, "required": flag, "hint": text}, ("key", "label"))
_QUESTION = Record(
    Question,
    {
        "key": text,
        "label": text,
        "kind": one_of(QuestionKind),
        "hint": text,
        "required": flag,
        "words_max": whole(1, 20_000),
        "characters_max": whole(1, 100_000),
        "choices": Items(_choice),
        "criterion": text,
        "guidance": Items(text),
        "example": text,
    },
    ("key", "label", "kind"),
)
_SECTION = Record(
    Section,
    {"key": text, "title": text, "step": text, "intro": text, "questions": Items(_QUESTION)},
    ("key", "title", "questions"),
)
_DOCUMENT = Record(
    lambda version, date, kind, changes=(), source=None, confidence=Confidence.STATED, note=None: DocumentVersion(
        version, date, kind, changes, source, confidence
    ),
    {"version": text, "date": day, "kind": text, "changes": Items(text), **_SOURCED},
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


FIELDS: Mapping[str, Field] = {
    entry.path: entry
    for entry in (
        Field("call.id", "Identifier", Group.CALL, text, str),
        Field("call.title", "Title", Group.CALL, text, str),
        Field("call.year", "Year", Group.CALL, whole(2000, 2100), int),
        Field("call.invented", "Invented for demonstration", Group.CALL, flag, bool),
        Field("call.programme", "Programme and cohort", Group.CALL, text, str),
        Field(
            "call.parent_grant",
            "Paid from",
            Group.CALL,
            Record(
                ParentGrant,
                {"number": text, "acronym": text, "framework": text, "topic_family": text},
                ("number", "acronym", "framework"),
            ),
            ParentGrant,
        ),
        Field("call.funding_mechanism", "Kind of funding", Group.CALL, text, str),
        Field("call.sources", "Sources", Group.CALL, Table(text, NamedSource), tuple[NamedSource, ...]),
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
        Field("dates.deadline_original", "First deadline", Group.DATES, _DEADLINE, PrintedDeadline),
        Field("dates.deadline_extended", "Extended deadline", Group.DATES, _DEADLINE, PrintedDeadline),
        Field("dates.results_planned", "Results planned", Group.DATES, _LOOSE_DATE, LooseDate),
        Field("dates.results_actual", "Results made public", Group.DATES, _LOOSE_DATE, LooseDate),
        Field("dates.pilots_start", "Pilots start", Group.DATES, _LOOSE_DATE, LooseDate),
        Field("dates.pilots_end", "Pilots end", Group.DATES, _LOOSE_DATE, LooseDate),
        Field("duration_months", "Length of a pilot in months", Group.DATES, whole(1, 120), int, needed=True),
        Field("budget.currency", "Currency", Group.MONEY, text, str),
        Field("budget.total", "Money for the whole call", Group.MONEY, amount, Money, needed=True),
        Field("budget.expected_awards", "Awards expected", Group.MONEY, whole(1, 10_000), int),
        Field(
            "grant_bands_eur",
            "Award amounts",
            Group.MONEY,
            Items(Record(_envelope, {"code": text, "amount": amount, **_SOURCED}, ("code", "amount"))),
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
        Field("grant_cap_per_legal_entity", "Most for one organisation", Group.MONEY, amount, Money),
        Field("eligibility.applicants", "Applicants", Group.WHO, _RULE, str, needed=True),
        Field("eligibility.criteria_total_v1_0", "Conditions in the first draft", Group.WHO, text, str),
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
                    "lead": text,
                    "other_organisations": Items(text),
                },
            ),
            Consortium,
        ),
        Field("submission.channel", "Where to apply", Group.FORM, text, str),
        Field("submission.language", "Language", Group.FORM, _language, str, needed=True),
        Field(
            "submission.documents_for_applicants",
            "Documents for applicants",
            Group.FORM,
            Items(text),
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
        Field(
            "application_form.sections",
            "Application form",
            Group.FORM,
            Items(_SECTION),
            Definition,
            needed=True,
            finish=Definition,
        ),
        Field("application_form.word_limits", "Word limits", Group.FORM, text, str),
        Field(
            "application_form.public_profile_fields_seen",
            "Seen on public profiles",
            Group.FORM,
            Items(text),
            tuple[str, ...],
        ),
        Field("application_form.profile_source", "Source of the profiles", Group.FORM, text, str),
        Field("evaluation.stages", "Stages", Group.ASSESSMENT, Items(text), tuple[str, ...]),
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
        Field("evaluation.tie_break", "Order for ties", Group.ASSESSMENT, Items(text), tuple[str, ...], needed=True),
        Field(
            "evaluation.evaluators_per_application",
            "Evaluators for each application",
            Group.ASSESSMENT,
            whole(1, 9),
            int,
            needed=True,
        ),
        Field("evaluation.reserve_list", "Reserve list", Group.ASSESSMENT, text, str),
        Field("evaluation.conflict_of_interest", "Conflicts of interest", Group.ASSESSMENT, text, str),
        Field("evaluation.redress", "Complaints", Group.ASSESSMENT, text, str),
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
            Items(text),
            tuple[str, ...],
            needed=True,
        ),
        Field(
            "financial_support.amount_rule",
            "How the exact amount is found",
            Group.SUPPORT,
            text,
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
        Field("financial_support.maximum_reason", "Why more than EUR 60 000", Group.SUPPORT, text, str),
    )
}

# Known parts of a file that this act does not bring in, with the word of the note.
IGNORED = {
    "outcome": "“outcome” was left out: results enter by the selection decision or as a published outcome.",
    "later_calls": "“later_calls” was left out: each call is a file of its own.",
}

# Read from the file but kept in tables of their own, or as columns of the call.
_ELSEWHERE = frozenset(
    {"document_versions", "dates.deadline_original", "dates.deadline_extended", "dates.timezone", "budget.currency"}
)


@dataclass(frozen=True, slots=True)
class CallFile:
    """A call file that was read without a problem."""

    fields: Mapping[str, Sourced]
    deadlines: tuple[Deadline, ...]
    documents: tuple[DocumentVersion, ...]
    zone: str
    notes: tuple[str, ...]

    def value(self, path: str) -> Any:
        """The value at that path, None where it was not found."""
        return self.fields.get(path, NOT_FOUND).value


def _tree() -> dict[str, Any]:
    """The paths of all fields as nested groups."""
    root: dict[str, Any] = {}
    for entry in FIELDS.values():
        *groups, leaf = entry.path.split(".")
        inside = root
        for group in groups:
            inside = inside.setdefault(group, {})
        inside[leaf] = entry
    return root


def read_call_file(text: str) -> CallFile:
    """A whole call file as values; raises :class:`Problems` that lists everything wrong, each with its place.

    Nothing is required here but what makes it a call: what is missing is looked at before publishing.
    """
    read = _read(text)
    reading = read.reading
    root = read.root
    for path, label in {"call.id": "the identifier", "call.title": "the title"}.items():
        if read.fields.get(path, NOT_FOUND).value is None and not _noted(reading, path):
            reading.wrong(root, path, f"is missing: a call needs {label}.")
    zone = read.fields.get("dates.timezone", NOT_FOUND).value or BRUSSELS
    deadlines = _deadlines(read, zone)
    _refuse_if_any(reading)
    documents = read.fields.get("document_versions", NOT_FOUND).value or ()
    labels = [document.label for document in documents]
    if len(set(labels)) < len(labels):
        reading.wrong(root, "document_versions", "names a version twice. Give each its own.")
        _refuse_if_any(reading)
    fields = {path: read.fields.get(path, NOT_FOUND) for path in FIELDS if path not in _ELSEWHERE}
    opens = fields["dates.opens"]
    if opens.value is not None and opens.value.time and fields["dates.opens_time"].value is None:
        fields["dates.opens_time"] = replace(opens, value=opens.value.time)
    return CallFile(fields, deadlines, documents, zone, tuple(read.notes))


def read_template(text: str) -> Mapping[str, Sourced]:
    """A template: a call file with only the values it fills, each labelled as coming from it."""
    read = _read(text)
    _refuse_if_any(read.reading)
    return {
        path: Sourced(found.value, Confidence.TEMPLATE, None, found.note)
        for path, found in read.fields.items()
        if found.value is not None and path not in _ELSEWHERE
    }


@dataclass(slots=True)
class _FileRead:
    root: yaml.Node
    reading: Reading
    fields: dict[str, Sourced]
    nodes: dict[str, yaml.Node]
    notes: list[str]


def _refuse_if_any(reading: Reading) -> None:
    if reading.problems:
        count = len(reading.problems)
        words = "1 problem" if count == 1 else f"{count} problems"
        raise Problems(f"Nothing was imported: the file has {words}.", reading.problems)


def _noted(reading: Reading, path: str) -> bool:
    return any(problem.place.startswith(path) for problem in reading.problems)


def _read(text: str) -> _FileRead:
    root = composed(text)
    reading = Reading()
    pairs = reading.pairs(root, "")
    version = pairs.pop("schema_version", None)
    if version is None:
        reading.wrong(root, "schema_version", f"is missing: this program reads version {SCHEMA_VERSION}.")
    elif not (isinstance(version, yaml.ScalarNode) and version.value == str(SCHEMA_VERSION)):
        shown = version.value if isinstance(version, yaml.ScalarNode) else what(version)
        reading.wrong(version, "schema_version", f"is {shown}; this program reads version {SCHEMA_VERSION}.")
    read = _FileRead(root, reading, {}, {}, [IGNORED[name] for name in pairs if name in IGNORED])
    _read_group(read, {name: node for name, node in pairs.items() if name not in IGNORED}, _tree(), "", {})
    read.notes += [
        f"Line {line}: a text with commas was read as one text. Put it in quotes to be sure."
        for line in sorted(reading.commas)
    ]
    currency = read.fields.get("budget.currency", NOT_FOUND).value
    if currency not in (None, "EUR"):
        reading.wrong(
            read.nodes["budget.currency"], "budget.currency", f"is {currency}; calls are kept in euros: write EUR."
        )
    return read


def _read_group(
    read: _FileRead,
    pairs: Mapping[str, yaml.Node],
    tree: Mapping[str, Any],
    place: str,
    inherited: Mapping[str, Any],
) -> None:
    """One group of the schema: its own confidence, source and note hold for whatever in it brings none."""
    reading = read.reading
    meta = {
        name: reading.value(_SOURCED[name], pairs[name], under(place, name))
        for name in _META
        if place and name in pairs and name not in tree
    }
    reading.unknown(pairs, {*tree, *(_META if place else ("schema_version", *IGNORED))}, place)
    for name, node in pairs.items():
        entry = tree.get(name)
        inside = under(place, name)
        if isinstance(entry, Field):
            read.nodes[inside] = node
            read.fields[inside] = _sourced(entry, node, inside, {**inherited, **meta}, reading)
        elif entry is not None and not is_null(node):
            _read_group(read, reading.pairs(node, inside), entry, inside, {**inherited, **meta})


def _sourced(entry: Field, node: yaml.Node, place: str, inherited: Mapping[str, Any], reading: Reading) -> Sourced:
    """A value, plain or as ``{value, confidence, source, note}``; a group may carry the three beside its own keys."""
    before = len(reading.problems)
    reading.noticed = []
    meta: dict[str, Any] = {}
    value = None
    if isinstance(node, yaml.MappingNode) and not _is_free(entry.kind, node):
        pairs = reading.pairs(node, place)
        meta = {
            name: reading.value(_SOURCED[name], pairs.pop(name), under(place, name)) for name in _META if name in pairs
        }
        reading.noticed = []
        if "value" in pairs:
            reading.unknown(pairs, ("value", *_META), place)
            value = reading.value(entry.kind, pairs["value"], f"{place}.value")
        elif isinstance(entry.kind, Record):
            value = entry.kind.built(pairs, node, place, reading) if any(map(_is_there, pairs.values())) else None
        else:
            reading.unknown(pairs, ("value", *_META), place)
    else:
        value = reading.value(entry.kind, node, place)
    if value is not None and entry.finish is not None:
        value = entry.finish(value)
    stated = meta.get("confidence")
    if len(reading.problems) == before and stated is not None:
        if value is None and stated is not Confidence.NOT_FOUND:
            reading.wrong(node, place, f"says “{stated}” but gives no value. Write confidence: not_found.")
        elif value is not None and stated is Confidence.NOT_FOUND:
            reading.wrong(node, place, "says “not_found” and gives a value. Keep one of the two.")
    return Sourced(
        value,
        _how_sure(value, stated, inherited.get("confidence"), reading.noticed),
        meta.get("source") or inherited.get("source"),
        meta.get("note") or (inherited.get("note") if value is not None else None),
    )


def _is_free(kind: Kind, node: yaml.MappingNode) -> bool:
    """Whether the keys of this group are words of its own, not ``value`` with its confidence."""
    names = {str(key.value) for key, _ in node.value}
    return isinstance(kind, Table) and not ("value" in names and names <= {"value", *_META})


def _is_there(node: yaml.Node) -> bool:
    return not is_null(node)


_WEAKER = (Confidence.SEEN, Confidence.STATED, Confidence.SECONDARY, Confidence.INFERRED, Confidence.NOT_FOUND)


def _how_sure(
    value: Any, stated: Confidence | None, inherited: Confidence | None, inner: Sequence[Confidence]
) -> Confidence:
    """The value's own word, else the weakest word inside it, else its group's, else that the file states it."""
    if value is None:
        return Confidence.NOT_FOUND
    if stated is not None:
        return stated
    if inner:
        return max(inner, key=_WEAKER.index)
    return inherited if inherited not in (None, Confidence.NOT_FOUND) else Confidence.STATED


def _deadlines(read: _FileRead, zone: str) -> tuple[Deadline, ...]:
    """The printed deadlines as instants, in order; an offset the zone does not have on that day is a problem."""
    found: list[Deadline] = []
    for path in ("dates.deadline_original", "dates.deadline_extended"):
        sourced = read.fields.get(path, NOT_FOUND)
        closes_at = None if sourced.value is None else _instant(read, path, sourced.value, zone)
        if closes_at is None:
            continue
        if found and closes_at <= found[-1].closes_at:
            read.reading.wrong(read.nodes[path], path, "is not later than the first deadline.")
        found.append(
            Deadline(
                number=len(found) + 1,
                closes_at=closes_at,
                zone=zone,
                literal=sourced.value.literal or literal_of(closes_at, zone),
                reason=sourced.value.reason,
                public_note=sourced.note,
                confidence=sourced.confidence,
                source=sourced.source,
            )
        )
    return tuple(found)


def _instant(read: _FileRead, path: str, printed: PrintedDeadline, zone: str) -> datetime | None:
    node = read.nodes[path]
    if printed.iso is not None and printed.local is not None:
        read.reading.wrong(node, path, "gives “iso” and “local”. Keep one.")
    elif printed.iso is not None:
        there = clock.in_zone(printed.iso, zone)
        if there.utcoffset() != printed.iso.utcoffset():
            read.reading.wrong(
                node,
                f"{path}.iso",
                f"is {printed.iso.isoformat()}, but {zone} is at {there.isoformat()[-6:]} then"
                f" ({there.tzname()}). Write the instant people can rely on: {there.isoformat()}.",
            )
            return None
        return clock.as_utc(printed.iso)
    elif printed.local is not None:
        try:
            return clock.local_to_utc(printed.local, zone, fold=printed.fold)
        except Invalid as error:
            read.reading.wrong(node, f"{path}.local", str(error))
    return None


# --- values at rest -----------------------------------------------------------------------------------------------


def to_json(fields: Mapping[str, Sourced]) -> dict[str, Any]:
    """The values of a call as plain JSON, for its column."""
    return {
        "schema_version": SCHEMA_VERSION,
        "fields": {
            path: {
                "value": encoding.encode(found.value),
                "confidence": found.confidence.value,
                "source": found.source,
                "note": found.note,
            }
            for path, found in fields.items()
            if found != NOT_FOUND
        },
    }


def from_json(stored: Mapping[str, Any]) -> dict[str, Sourced]:
    """What :func:`to_json` made, as values again; a field nobody gave is not found."""
    kept = stored["fields"]
    return {path: _restored(entry, kept.get(path)) for path, entry in FIELDS.items() if path not in _ELSEWHERE}


def envelopes_in(stored: Mapping[str, Any]) -> tuple[Envelope, ...]:
    """The award amounts alone, for a list of calls."""
    return _restored(FIELDS["grant_bands_eur"], stored["fields"].get("grant_bands_eur")).value or ()


def _restored(entry: Field, kept: Mapping[str, Any] | None) -> Sourced:
    if kept is None:
        return NOT_FOUND
    value = None if kept["value"] is None else encoding.decode({"value": kept["value"]}, entry.type)
    return Sourced(value, Confidence(kept["confidence"]), kept["source"], kept["note"])


def filled(
    fields: Mapping[str, Sourced], template: Mapping[str, Sourced]
) -> tuple[dict[str, Sourced], tuple[str, ...]]:
    """The values with the template's where nothing was found, and the paths it filled; what was found never changes.

    What a file noted about a value it did not find stays beside the template's value.
    """
    result, paths = dict(fields), []
    for path, ours in template.items():
        found = fields.get(path, NOT_FOUND)
        if found.value is None:
            result[path] = replace(ours, note=ours.note or found.note)
            paths.append(path)
    return result, tuple(paths)


# --- what later stages need, and what is missing ------------------------------------------------------------------


def content_of(fields: Mapping[str, Sourced]) -> CallContent:
    """The typed content of a call; parts of a draft that were not found are empty."""

    def value(path: str, otherwise: Any) -> Any:
        found = fields.get(path, NOT_FOUND).value
        return otherwise if found is None else found

    flat_rate = fields.get("indirect_costs.flat_rate_percent", NOT_FOUND).value
    thresholds: Thresholds = value("evaluation.thresholds", Thresholds())
    return CallContent(
        budget_rules=BudgetRules(
            categories=value("budget_categories", ()),
            flat_rate=flat_rate / 100 if flat_rate else None,
            funding_rate=value("funding_rate_percent", Fraction(100)) / 100,
            envelopes=value("grant_bands_eur", ()),
            envelope_rule=value("grant_bands_rule", EnvelopeRule.CEILING),
        ),
        definition=value("application_form.sections", Definition()),
        conditions=value("eligibility.criteria", ()),
        criteria=_weighed(value("evaluation.criteria", ()), value("evaluation.weights", ()), thresholds),
        scale=value("evaluation.scale", Scale()),
        total_threshold_half=thresholds.total_half,
        tie_order=value("evaluation.tie_break", ()),
        evaluators_per_application=value("evaluation.evaluators_per_application", 0),
        payment_plan=PaymentPlan(
            value("payment.prefinancing_percent", Fraction(0)),
            value("payment.interim_ceiling_percent", Fraction(100)),
            value("payment.retention_percent", Fraction(0)),
            value("payment.tranches", ()),
        ),
        duration_months=value("duration_months", 0),
        milestones=value("milestones", ()),
        attachments=value("submission.required_attachments", ()),
        language=value("submission.language", ""),
        synthetic=frozenset(path for path, found in fields.items() if found.from_template),
    )


def _weighed(
    criteria: Sequence[Criterion], weights: Sequence[tuple[str, Fraction]], thresholds: Thresholds
) -> tuple[Criterion, ...]:
    """Criteria with the weights and thresholds that the file gives in places of their own."""
    weight, least = dict(weights), dict(thresholds.by_criterion)
    return tuple(
        replace(
            each,
            weight=weight.get(each.key, Fraction(1)),
            threshold_half=least.get(each.key, thresholds.each_half),
        )
        for each in criteria
    )


def opens_at(fields: Mapping[str, Sourced], zone_name: str) -> datetime | None:
    """The instant a call opens, once the day and the hour are known."""
    opening: Opening | None = fields.get("dates.opens", NOT_FOUND).value
    hour: str | None = fields.get("dates.opens_time", NOT_FOUND).value
    if opening is None or hour is None:
        return None
    return clock.local_to_utc(datetime.fromisoformat(f"{opening.day.isoformat()}T{hour}"), zone_name, fold=Fold.EARLIER)


def missing(fields: Mapping[str, Sourced], deadlines: Sequence[Deadline]) -> tuple[Problem, ...]:
    """What a call needs before it may be published and nobody has found yet."""
    found = [
        Problem(entry.label, "was not found. Fill it in the file, or apply the template.")
        for path, entry in FIELDS.items()
        if entry.needed and fields.get(path, NOT_FOUND).value is None
    ]
    if not deadlines:
        found.append(Problem("Deadline", "was not found. A call needs one."))
    return tuple(found)


def contradictions(fields: Mapping[str, Sourced], deadlines: Sequence[Deadline], zone_name: str) -> tuple[Problem, ...]:
    """Where the values of a call do not fit together. Looked at once nothing is missing."""
    content = content_of(fields)
    return (
        *_dates_clash(fields, deadlines, zone_name),
        *rules_problems(content.budget_rules),
        *_money_clashes(fields, content),
        *definition_problems(content.definition),
        *_assessment_clashes(content),
        *_payment_clashes(content),
    )


def publish_problems(
    fields: Mapping[str, Sourced], deadlines: Sequence[Deadline], zone_name: str
) -> tuple[Problem, ...]:
    """Everything that keeps a call from being published; empty when it may be."""
    return missing(fields, deadlines) or contradictions(fields, deadlines, zone_name)


def _dates_clash(fields: Mapping[str, Sourced], deadlines: Sequence[Deadline], zone_name: str) -> list[Problem]:
    opening = opens_at(fields, zone_name)
    if opening is None or not deadlines or opening < deadlines[0].closes_at:
        return []
    return [Problem("Deadline", "lies before the call opens. Check both dates.")]


def _money_clashes(fields: Mapping[str, Sourced], content: CallContent) -> list[Problem]:
    found = []
    whole_call: Money = fields["budget.total"].value
    most_each: Money = fields["financial_support.maximum_per_recipient"].value
    largest = max(content.envelopes, key=lambda envelope: envelope.amount)
    codes = [envelope.code for envelope in content.envelopes]
    if len(set(codes)) < len(codes):
        found.append(Problem("Award amounts", "use a code twice. Give each its own."))
    if largest.amount > whole_call:
        found.append(
            Problem("Award amounts", f"go up to {largest.amount}, but the whole call has {whole_call}. Lower one.")
        )
    if largest.amount > most_each:
        found.append(
            Problem(
                "Most for one recipient",
                f"is {most_each}, but an award goes up to {largest.amount}. Raise or lower one.",
            )
        )
    if most_each > SUPPORT_MAX_UNJUSTIFIED and not fields["financial_support.maximum_reason"].value:
        found.append(
            Problem(
                "Why more than EUR 60 000",
                f"is empty: {most_each} for one recipient needs a reason (Financial Regulation).",
            )
        )
    return found


def _assessment_clashes(content: CallContent) -> list[Problem]:
    found = []
    keys = [criterion.key for criterion in content.criteria]
    if len(set(keys)) < len(keys):
        found.append(Problem("Award criteria", "use a key twice. Give each its own."))
    for key in content.tie_order:
        if key not in keys:
            found.append(Problem("Order for ties", f"names “{key}”, which is no criterion of this call."))
    for section in content.definition.sections:
        for question in section.questions:
            if question.criterion is not None and question.criterion not in keys:
                found.append(
                    Problem(
                        "Application form",
                        f"the question “{question.label}” feeds “{question.criterion}”, which is no criterion of this call.",
                    )
                )
    for criterion in content.criteria:
        if criterion.threshold_half is not None and criterion.threshold_half > content.max_half:
            found.append(Problem("Thresholds", f"ask more of “{criterion.name}” than the scale can give."))
    if content.total_threshold_half is not None and content.total_threshold_half > content.total_max_half:
        found.append(Problem("Thresholds", "ask for a total that no application can reach."))
    if content.max_half < 1 or not 1 <= content.scale.step_half <= content.max_half:
        found.append(Problem("Scale", "needs a highest mark above zero and a step that fits into it."))
    return found


def _payment_clashes(content: CallContent) -> list[Problem]:
    found = []
    plan = content.payment_plan
    kinds = [instalment.kind for instalment in plan.instalments]
    if plan.prefinancing_percent > plan.interim_ceiling_percent:
        found.append(
            Problem("Pre-financing", "is above the most that is paid before the balance. Lower it or raise the other.")
        )
    if kinds.count(InstalmentKind.BALANCE) != 1:
        found.append(Problem("Instalments", "need exactly one payment of the balance."))
    if kinds.count(InstalmentKind.PREFINANCING) != (1 if plan.prefinancing_percent else 0):
        found.append(Problem("Instalments", "need one pre-financing where there is a percentage for it, else none."))
    for instalment in plan.instalments:
        if instalment.kind is InstalmentKind.PREFINANCING and instalment.percent != plan.prefinancing_percent:
            found.append(Problem("Instalments", "give another percentage for pre-financing than the plan. Use one."))
        if instalment.due_month is not None and instalment.due_month > content.duration_months:
            found.append(Problem("Instalments", f"“{instalment.label}” lies after the end of the pilot."))
    for milestone in content.milestones:
        if milestone.month > content.duration_months:
            found.append(Problem("Milestones every pilot has", f"“{milestone.title}” lies after the end of the pilot."))
    return found


def support_points(fields: Mapping[str, Sourced]) -> tuple[SupportPoint, ...]:
    """The five points of financial support to third parties, each with what the call says or that it does not say it yet."""
    points = {
        "A closed list of activities": ("financial_support.activities",),
        "Who may receive": ("eligibility.applicants", "eligibility.criteria"),
        "Award criteria and procedure": ("evaluation.criteria", "evaluation.thresholds"),
        "How the exact amount is found": ("financial_support.amount_rule",),
        "The most for one recipient": ("financial_support.maximum_per_recipient",),
    }
    return tuple(
        SupportPoint(
            name,
            all(fields.get(path, NOT_FOUND).value is not None for path in paths),
            words_of(FIELDS[paths[0]], fields.get(paths[0], NOT_FOUND).value),
        )
        for name, paths in points.items()
    )


# Values that serve others, or that the call's own columns show.
_NO_FACTS = frozenset(
    {"call.sources", "call.invented", "call.year", "application_form.profile_source", "application_form.word_limits"}
)


# --- words for people ---------------------------------------------------------------------------------------------


def facts_of(fields: Mapping[str, Sourced]) -> tuple[Fact, ...]:
    """Every value of a call as a page shows it, those not found included, in the order of the schema."""
    sources = {source.name: source.address for source in fields.get("call.sources", NOT_FOUND).value or ()}
    return tuple(
        Fact(
            key=path,
            label=entry.label,
            group=entry.group.value,
            text=words_of(entry, fields.get(path, NOT_FOUND).value),
            confidence=fields.get(path, NOT_FOUND).confidence,
            source=_source_of(fields.get(path, NOT_FOUND), sources),
            note=fields.get(path, NOT_FOUND).note,
        )
        for path, entry in FIELDS.items()
        if path not in _ELSEWHERE and path not in _NO_FACTS
    )


def source_address(source: str | None, sources: Mapping[str, str]) -> str | None:
    """The address of a source a file calls by a short name; a plain description stays as it is."""
    return None if source is None else sources.get(source, source)


def _source_of(found: Sourced, sources: Mapping[str, str]) -> str | None:
    return TEMPLATE_LABEL if found.from_template else source_address(found.source, sources)


def words_of(entry: Field, value: Any) -> str:
    """A value in words for the table of facts; long lists are counted, their pages show them."""
    if value is None:
        return "Not found"
    percentage = entry.path.endswith("_percent")
    match value:
        case bool():
            return "Yes" if value else "No"
        case Fraction():
            return percent(value / 100) if percentage else str(value)
        case EnvelopeRule():
            return {
                EnvelopeRule.CEILING: "Each is the most that can be asked",
                EnvelopeRule.EXACT: "The request must equal one of them",
            }[value]
        case Money() | int():
            return str(value)
        case str():
            return LANGUAGES[value] if entry.path == "submission.language" else value
        case Opening():
            return clock.long_date(value.day) + (f", {value.time}" if value.time else "")
        case LooseDate():
            return value.literal
        case ParentGrant():
            return f"{value.acronym}, {value.framework} grant {value.number}"
        case Definition():
            questions = sum(len(section.questions) for section in value.sections)
            return f"{len(value.sections)} sections, {questions} questions"
        case Scale():
            return (
                f"0 to {points(value.max_half)} in steps of {points(value.step_half) if value.step_half > 1 else '0.5'}"
            )
        case Thresholds():
            return _threshold_words(value)
        case ReportDuty():
            return ("Required" if value.required else "Not required") + (f", {value.timing}" if value.timing else "")
        case Consortium():
            return _consortium_words(value)
        case tuple():
            return _list_words(entry, value)
    raise TypeError(f"{type(value).__name__} of {entry.path} has no words")


def _threshold_words(value: Thresholds) -> str:
    parts = []
    if value.each_half is not None:
        parts.append(f"{points(value.each_half)} for each criterion")
    parts += [f"{points(half)} for {key}" for key, half in value.by_criterion]
    if value.total_half is not None:
        parts.append(f"{points(value.total_half)} in all")
    return ", ".join(parts) or "None"


def _consortium_words(value: Consortium) -> str:
    parts = []
    if value.single_city:
        parts.append("one city alone")
    if value.multi_city:
        parts.append("several cities together")
    words = " or ".join(parts)
    if value.lead:
        words += f"; {value.lead}"
    if value.other_organisations:
        words += f"; also {', '.join(value.other_organisations)}"
    return words[:1].upper() + words[1:]


def _list_words(entry: Field, value: tuple[Any, ...]) -> str:
    if not value:
        return "None"
    match value[0]:
        case Envelope():
            return ", ".join(f"{each.code}: {each.amount}" for each in value)
        case Category():
            return ", ".join(f"{each.code} {each.label}" for each in value)
        case Criterion() | Attachment() | Instalment() | PlannedMilestone():
            return ", ".join(
                getattr(each, "name", None) or getattr(each, "label", None) or each.title for each in value
            )
        case Condition():
            return f"{len(value)} conditions" if len(value) > 1 else "1 condition"
        case str():
            return ", ".join(value)
        case (str(), Fraction()):
            return ", ".join(f"{key} × {weight}" for key, weight in value)
    raise TypeError(f"{type(value[0]).__name__} of {entry.path} has no words")
