"""What a call consists of, what it is at a moment, and how its deadlines move; every value keeps where it was seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any, assert_never
from uuid import UUID

from grants.budgets.rules import BudgetRules, Envelope, EnvelopeRule, percent
from grants.calls.states import CallState, ConditionKind, Confidence, InstalmentKind, Phase
from grants.core import clock
from grants.core.clock import Fold
from grants.core.errors import Conflict, Invalid, Problem, Refused
from grants.core.money import ZERO, Money, euros
from grants.dossiers.rules import Definition, Section
from grants.programmes.rules import FundSourceView, ProgrammeView

SCHEMA_VERSION = 1
TEMPLATE_LABEL = "Horizon-like template"

# Recipients of financial support to third parties get at most this, unless the call says why more is needed
# (Financial Regulation, domain.md F-02).
SUPPORT_MAX_UNJUSTIFIED = euros(60_000)


# --- what a call consists of ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Condition:
    """An eligibility condition. ``PASS_FAIL`` is decided yes or no; an exception widens the condition before it."""

    key: str
    rule: str
    kind: ConditionKind = ConditionKind.PASS_FAIL
    threshold: int | None = None
    together: int | None = None
    countries: tuple[str, ...] = ()
    confidence: Confidence = Confidence.STATED
    source: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """An award criterion. The threshold is in half points; the weight serves ranking only (domain.md V-12)."""

    key: str
    name: str
    question: str
    weight: Fraction = Fraction(1)
    threshold_half: int | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """The marks of one criterion in half points: 0 to ``max_half``, with a word for each whole mark."""

    max_half: int = 10
    step_half: int = 1
    anchors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What an application must reach, in half points: for each criterion, for single ones, and in all."""

    each_half: int | None = None
    by_criterion: tuple[tuple[str, int], ...] = ()
    total_half: int | None = None


@dataclass(frozen=True, slots=True)
class Instalment:
    """One payment a grant can expect; ``percent`` is of the maximum grant, None where accepted costs decide."""

    key: str
    kind: InstalmentKind
    label: str
    percent: Fraction | None
    condition: str
    due_month: int | None = None


@dataclass(frozen=True, slots=True)
class PaymentPlan:
    """How a grant of this call is paid. Percentages are exact (``Fraction(40)`` is 40 % of the maximum grant)."""

    prefinancing_percent: Fraction = Fraction(0)
    interim_ceiling_percent: Fraction = Fraction(100)
    retention_percent: Fraction = Fraction(0)
    instalments: tuple[Instalment, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedMilestone:
    """A milestone every grant of this call starts with; ``month`` counts from the start of the pilot."""

    key: str
    title: str
    month: int
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file the application must or may bring."""

    key: str
    label: str
    required: bool = True
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ParentGrant:
    """The grant the call is paid from, as the call names it."""

    number: str
    acronym: str
    framework: str
    topic_family: str | None = None


@dataclass(frozen=True, slots=True)
class NamedSource:
    """A source of facts under the short name the file uses for it."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Opening:
    """The day a call opens, with its hour where that is known."""

    day: date
    time: str | None = None


@dataclass(frozen=True, slots=True)
class LooseDate:
    """A date as it was printed, exact or not (“mid-2025”)."""

    literal: str
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Consortium:
    """Who may stand together in one application."""

    single_city: bool | None = None
    multi_city: bool | None = None
    lead: str | None = None
    other_organisations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportDuty:
    """A report the call asks for."""

    required: bool
    timing: str | None = None


@dataclass(frozen=True, slots=True)
class CallContent:
    """Everything later stages need of a call, typed. Of a draft some parts are empty; a published call lacks none.

    ``synthetic`` names the values that came from the template: every page that shows one says so.
    """

    budget_rules: BudgetRules
    definition: Definition
    conditions: tuple[Condition, ...]
    criteria: tuple[Criterion, ...]
    scale: Scale
    total_threshold_half: int | None
    tie_order: tuple[str, ...]
    evaluators_per_application: int
    payment_plan: PaymentPlan
    duration_months: int
    milestones: tuple[PlannedMilestone, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    language: str = ""
    synthetic: frozenset[str] = frozenset()

    @property
    def envelopes(self) -> tuple[Envelope, ...]:
        """The award amounts of the call."""
        return self.budget_rules.envelopes

    @property
    def max_half(self) -> int:
        """The highest mark of one criterion, in half points."""
        return self.scale.max_half

    @property
    def total_max_half(self) -> int:
        """The highest sum of marks, in half points."""
        return self.scale.max_half * len(self.criteria)

    def criterion(self, key: str) -> Criterion | None:
        """The criterion of that key, or None."""
        return next((criterion for criterion in self.criteria if criterion.key == key), None)


@dataclass(frozen=True, slots=True)
class Sourced:
    """One value of a call with how sure it is, where it was seen, and what to know about it."""

    value: Any
    confidence: Confidence
    source: str | None = None
    note: str | None = None

    @property
    def from_template(self) -> bool:
        """Whether the value stands in for a rule that is not public."""
        return self.confidence is Confidence.TEMPLATE


NOT_FOUND = Sourced(None, Confidence.NOT_FOUND)


@dataclass(frozen=True, slots=True)
class Deadline:
    """One deadline: the instant that counts, and what was printed about it."""

    number: int
    closes_at: datetime
    zone: str
    literal: str
    reason: str | None = None
    public_note: str | None = None
    announced_at: datetime | None = None
    confidence: Confidence = Confidence.STATED
    source: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    """One version of the call's documents with what changed."""

    label: str
    published_on: date
    what: str
    changes: tuple[str, ...] = ()
    source: str | None = None
    confidence: Confidence = Confidence.STATED


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of a call as a page shows it: label, words, how sure, where from."""

    key: str
    label: str
    group: str
    text: str
    confidence: Confidence
    source: str | None
    note: str | None

    @property
    def from_template(self) -> bool:
        """Whether the page must label it as template."""
        return self.confidence is Confidence.TEMPLATE

    @property
    def absent(self) -> bool:
        """Whether nobody has found the value yet."""
        return self.confidence is Confidence.NOT_FOUND

    @property
    def address(self) -> str | None:
        """The web address of the source, where it has one."""
        return self.source if self.source and self.source.startswith(("https://", "http://")) else None


@dataclass(frozen=True, slots=True)
class SupportPoint:
    """One of the five things a call for financial support to third parties must fix in advance (domain.md F-01)."""

    name: str
    fixed: bool
    words: str


@dataclass(frozen=True, slots=True)
class CallView:
    """A call as pages and later stages see it."""

    id: UUID
    version: int
    reference: str
    slug: str
    title: str
    year: int
    published_id: str | None
    programme: ProgrammeView
    fund_source: FundSourceView
    state: CallState
    synthetic: bool
    zone: str
    opens_at: datetime | None
    deadlines: tuple[Deadline, ...]
    total: Money | None
    results_public_at: datetime | None
    published_at: datetime | None
    content: CallContent
    facts: tuple[Fact, ...]
    documents: tuple[DocumentVersion, ...]
    missing: tuple[Problem, ...]
    support: tuple[SupportPoint, ...]
    activities: tuple[str, ...] = ()

    @property
    def deadline(self) -> Deadline | None:
        """The deadline that counts: the last one announced."""
        return self.deadlines[-1] if self.deadlines else None

    @property
    def closes_at(self) -> datetime | None:
        """The instant from which an application is too late."""
        return self.deadlines[-1].closes_at if self.deadlines else None

    @property
    def zone_words(self) -> str:
        """The zone as people say it: “Brussels time”."""
        return zone_words(self.zone)

    def phase(self, at: datetime) -> Phase:
        """What the call is at that moment."""
        return phase(self.state, self.opens_at, self.closes_at, at)

    def is_open(self, at: datetime) -> bool:
        """Whether an application may be sent at that moment."""
        return self.phase(at) is Phase.OPEN

    def results_are_public(self, at: datetime) -> bool:
        """Whether the results may be shown to everybody, conflicted evaluators included."""
        return self.results_public_at is not None and at >= self.results_public_at

    def fact(self, key: str) -> Fact:
        """The fact of that key, found or not; a KeyError for a key no call has."""
        for fact in self.facts:
            if fact.key == key:
                return fact
        raise KeyError(key)

    @property
    def found(self) -> tuple[Fact, ...]:
        """The facts that have a value."""
        return tuple(fact for fact in self.facts if not fact.absent)

    @property
    def not_found(self) -> tuple[Fact, ...]:
        """The facts nobody has found."""
        return tuple(fact for fact in self.facts if fact.absent)

    def timeline(self, at: datetime) -> tuple[tuple[str, str, str, str], ...]:
        """Opening, every deadline and the results as steps: state, title, when, text."""
        return _timeline(self, at)

    def labelled(self, *keys: str) -> bool:
        """Whether any of these values came from the template, so that the page says so beside them."""
        return any(key in self.content.synthetic for key in keys)


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call in a list."""

    id: UUID
    reference: str
    slug: str
    title: str
    year: int
    state: CallState
    synthetic: bool
    zone: str
    opens_at: datetime | None
    closes_at: datetime | None
    total: Money | None
    largest_award: Money | None
    results_public_at: datetime | None

    @property
    def zone_words(self) -> str:
        """The zone as people say it: “Brussels time”."""
        return zone_words(self.zone)

    def phase(self, at: datetime) -> Phase:
        """What the call is at that moment."""
        return phase(self.state, self.opens_at, self.closes_at, at)


@dataclass(frozen=True, slots=True)
class CallSummary:
    """What an act on a call answers: which call, and what the person should know."""

    id: UUID
    reference: str
    slug: str
    title: str
    state: CallState
    notes: tuple[str, ...] = ()


def phase(state: CallState, opens_at: datetime | None, closes_at: datetime | None, at: datetime) -> Phase:
    """What a call is at ``at``. Half-open: at the very instant of the deadline it is closed.

    >>> start, end = datetime(2022, 9, 5, tzinfo=UTC), datetime(2022, 11, 15, 11, tzinfo=UTC)
    >>> phase(CallState.PUBLISHED, start, end, end).value
    'closed'
    """
    match state:
        case CallState.DRAFT:
            return Phase.DRAFT
        case CallState.CANCELLED:
            return Phase.CANCELLED
        case CallState.PUBLISHED:
            if opens_at is None or closes_at is None or at < opens_at:
                return Phase.UPCOMING
            return Phase.OPEN if at < closes_at else Phase.CLOSED
        case never:
            assert_never(never)


# --- deadlines --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeadlineInput:
    """A new deadline as a person enters it: a wall-clock time of the call's zone, and why.

    ``fold`` says which of two instants is meant when the clocks go back.
    """

    local: datetime
    reason: str
    public_note: str
    fold: Fold | None = None


def literal_of(closes_at: datetime, zone: str) -> str:
    """The deadline as it is printed, with the abbreviation the zone really has on that day.

    >>> literal_of(datetime(2022, 11, 15, 11, tzinfo=UTC), "Europe/Brussels")
    '15 November 2022, 12:00 CET'
    """
    local = clock.in_zone(closes_at, zone)
    return f"{clock.long_date(local.date())}, {local:%H:%M} {local.tzname()}"


def extended(current: Deadline, given: DeadlineInput, *, at: datetime) -> Deadline:
    """The next deadline of a call: later than the one that counts, later than now, with a reason.

    Raises :class:`Invalid` for a local time that does not exist or exists twice, :class:`Refused` otherwise.
    """
    problems = {}
    if not given.reason.strip():
        problems["reason"] = "Say why the deadline moves. The reason is kept with the deadline and shown to everybody."
    if not given.public_note.strip():
        problems["public_note"] = "Write the note that applicants will read."
    try:
        closes_at = clock.local_to_utc(given.local, current.zone, fold=given.fold)
    except Invalid as error:
        raise Invalid(str(error), problems | {"local": str(error)}) from error
    if closes_at <= current.closes_at:
        problems["local"] = (
            f"A deadline only moves to a later time. It now stands at {literal_of(current.closes_at, current.zone)}."
        )
    elif closes_at <= at:
        problems["local"] = f"This time has passed: it is {literal_of(at, current.zone)} now. Choose a later one."
    if problems:
        raise Invalid("The deadline was not moved.", problems)
    moved = Deadline(
        number=current.number + 1,
        closes_at=closes_at,
        zone=current.zone,
        literal=literal_of(closes_at, current.zone),
        reason=given.reason.strip(),
        public_note=given.public_note.strip(),
        announced_at=at,
    )
    assert moved.closes_at > current.closes_at, "a deadline only moves later"
    return moved


@dataclass(frozen=True, slots=True)
class DeadlineNotice:
    """What the notice to everybody with a draft says. ``stands`` is false once a later deadline was announced."""

    reference: str
    slug: str
    title: str
    old_literal: str
    new: Deadline
    stands: bool


# --- words for people ---------------------------------------------------------------------------------------------


def points(half: int) -> str:
    """Half points as points.

    >>> points(7), points(6)
    ('3.5', '3')
    """
    return f"{half // 2}.5" if half % 2 else str(half // 2)


def percent_words(value: Fraction) -> str:
    """``40 %`` for a percentage as a plan keeps it (``Fraction(40)``)."""
    return percent(value / 100)


def zone_words(zone: str) -> str:
    """A zone as people say it.

    >>> zone_words("Europe/Brussels")
    'Brussels time'
    """
    return f"{zone.rpartition('/')[2].replace('_', ' ')} time"


def steps(content: CallContent) -> tuple[tuple[str, tuple[Section, ...]], ...]:
    """The sections of the form under the headings of its steps, in order."""
    found: dict[str, list[Section]] = {}
    for section in content.definition.sections:
        found.setdefault(section.step or section.title, []).append(section)
    return tuple((step, tuple(sections)) for step, sections in found.items())


def _timeline(call: CallView, at: datetime) -> tuple[tuple[str, str, str, str], ...]:
    lines = []
    if call.opens_at is not None:
        lines.append((_stands(call.opens_at, at), "Opens", _printed(call.opens_at, call.zone), ""))
    for deadline in call.deadlines:
        counts = deadline.number == len(call.deadlines)
        title = "Deadline" if deadline.number == 1 else "Extended deadline"
        state = _stands(deadline.closes_at, at) if counts else "done"
        lines.append(
            (
                state,
                title if counts else f"{title}, no longer valid",
                _printed(deadline.closes_at, call.zone),
                _about(deadline),
            )
        )
    if call.results_public_at is not None:
        lines.append(
            (_stands(call.results_public_at, at), "Results are public", _printed(call.results_public_at, call.zone), "")
        )
    else:
        planned = call.fact("dates.results_planned")
        if not planned.absent:
            lines.append((_loosely(planned.text, at), "Results planned", planned.text, planned.note or ""))
    for key, title in (("dates.pilots_start", "Pilots start"), ("dates.pilots_end", "Pilots end")):
        fact = call.fact(key)
        if not fact.absent:
            lines.append((_loosely(fact.text, at), title, fact.text, fact.note or ""))
    return tuple(lines)


def _printed(moment: datetime, zone: str) -> str:
    """An instant without its zone, for a list that names the zone once."""
    local = clock.in_zone(moment, zone)
    return f"{clock.long_date(local.date())}, {local:%H:%M}"


def _stands(moment: datetime, at: datetime) -> str:
    return "done" if moment <= at else "next"


def _loosely(words: str, at: datetime) -> str:
    """Where a date printed in words stands: behind us once the last year it names is over."""
    years = [int(year) for year in re.findall(r"\b20[0-9]{2}\b", words)]
    return "done" if years and at.year > max(years) else "next"


def _about(deadline: Deadline) -> str:
    """What people should know of a deadline: the printed words, why it moved, what was said about it."""
    parts = [f"Printed as “{deadline.literal}”."]
    if deadline.announced_at is not None:
        parts.append(f"Announced on {clock.long_date(clock.in_zone(deadline.announced_at, deadline.zone).date())}.")
    if deadline.reason:
        parts.append(f"Why: {deadline.reason.rstrip('.')}.")
    if deadline.public_note:
        parts.append(deadline.public_note)
    return " ".join(parts)


def grouped(facts: Sequence[Fact]) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
    """Facts under the headings of their groups, in order."""
    found: dict[str, list[Fact]] = {}
    for fact in facts:
        found.setdefault(fact.group, []).append(fact)
    return tuple((name, tuple(values)) for name, values in found.items())


def checklist(call: CallView) -> tuple[tuple[str, None, str, str], ...]:
    """The set-up of a draft as a task list: each group with what is missing in it, or that it is complete."""
    labels = {problem.place for problem in call.missing}
    items = []
    for name, facts in grouped(call.facts):
        absent = [fact.label for fact in facts if fact.label in labels]
        if name == "Dates" and "Deadline" in labels:
            absent.append("Deadline")
        labels -= set(absent)
        template = sum(fact.from_template for fact in facts)
        hint = ", ".join(absent) or (f"{template} values from the template" if template else "")
        items.append((name, None, hint, f"{len(absent)} missing" if absent else "Complete"))
    if labels:
        items.append(("Fits together", None, ", ".join(sorted(labels)), f"{len(labels)} to mend"))
    return tuple(items)


@dataclass(frozen=True, slots=True)
class Explained:
    """One budget rule in words, with the keys of the values it rests on."""

    words: str
    keys: tuple[str, ...]


def budget_words(call: CallView) -> tuple[Explained, ...]:
    """The budget rules of a call as sentences, for people who have never made such a budget."""
    rules, found = call.content.budget_rules, []
    if rules.envelopes:
        amounts = [str(each.amount) for each in sorted(rules.envelopes, key=lambda each: each.amount)]
        match rules.envelope_rule:
            case EnvelopeRule.CEILING:
                words = f"You may ask for any amount up to {amounts[-1]}."
                if len(amounts) > 1:
                    words += f" The call names {len(amounts)} sizes: {', '.join(amounts[:-1])} and {amounts[-1]}."
            case EnvelopeRule.EXACT:
                words = f"The request must equal one of the award amounts: {', '.join(amounts)}."
            case never:
                assert_never(never)
        found.append(Explained(words, ("grant_bands_eur", "grant_bands_rule")))
    if not call.fact("funding_rate_percent").absent:
        rate = percent(rules.funding_rate)
        words = f"The grant pays {rate} of the eligible costs."
        if rules.funding_rate < 1:
            words += " The rest comes from the city or others."
        found.append(Explained(words, ("funding_rate_percent",)))
    if rules.flat_rate is not None and rules.computed is not None:
        outside = [category.label.lower() for category in rules.entered if not category.in_flat_rate_base]
        without = f", not counting {' and '.join(outside)}" if outside else ""
        found.append(
            Explained(
                f"{rules.computed.label} are {percent(rules.flat_rate)} of direct costs{without}."
                " The form computes them; nobody types them.",
                ("indirect_costs.flat_rate_percent", "budget_categories"),
            )
        )
    return tuple(found)


# --- results, documents, budget -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResultsInput:
    """From when results are public, as a wall-clock time of the call's zone."""

    local: datetime


@dataclass(frozen=True, slots=True)
class DocumentInput:
    """A new version of the call's documents."""

    label: str
    published_on: date
    what: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BudgetPosition:
    """Where the budget of a call stands in the ledger; the parts sum to what is authorised."""

    authorised: Money
    free: Money
    reserved: Money
    committed: Money
    consumed: Money


@dataclass(frozen=True, slots=True)
class BudgetInput:
    """What the budget of a call shall be, and what it was when the officer decided."""

    amount: Money
    note: str = ""
    shown: Money | None = None


def budget_change(*, stands: Money, free: Money, shown: Money | None, wanted: Money) -> Money:
    """By how much the budget of a call changes; below zero when it is lowered, at most by what is free.

    Raises :class:`Conflict` where somebody else changed it since it was shown, :class:`Refused` otherwise.
    """
    if shown is not None and shown != stands:
        raise Conflict(f"The budget was changed while you were deciding: it is {stands} now, and was {shown}.")
    if wanted < ZERO:
        raise Invalid("A budget is not below zero.", {"amount": "Enter an amount of zero or more."})
    change = wanted - stands
    if not change:
        raise Refused(f"The budget is {stands} already. Nothing was changed.")
    if -change > free:
        least = stands - free
        raise Refused(
            f"The budget cannot be lowered to {wanted}: {least} is reserved, committed or paid already."
            f" Lower it to {least} at the least."
        )
    return change
