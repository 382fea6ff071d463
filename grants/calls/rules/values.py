"""What a call consists of and what it is at a moment; every value keeps how sure it is and where it was seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any, assert_never
from uuid import UUID

from grants.budgets.rules import BudgetRules, Envelope
from grants.calls.rules.declarations import Declaration
from grants.calls.states import (
    CallKind,
    CallStage,
    CallState,
    ConditionKind,
    Confidence,
    FactKind,
    InstalmentKind,
    Phase,
    Whom,
)
from grants.core.clock import in_time
from grants.core.errors import Problem
from grants.core.file_types import FileLimits, FileType, limits_of
from grants.core.money import Money, euros
from grants.dossiers.rules import Definition
from grants.programmes.rules import NO_PARENT_RULES, FundSourceView, ParentRules, ProgrammeView

TEMPLATE_LABEL = "Horizon-like template"

# Recipients of financial support to third parties get at most this, unless the call says why more is needed
# (Financial Regulation, domain.md F-02).
SUPPORT_MAX_UNJUSTIFIED = euros(60_000)


# --- what a call consists of ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FactRule:
    """How the program looks at a condition by itself: a fact, of whom, and what it must be.

    ``at_least`` and ``at_most`` count inhabitants, cities or proposals; ``together`` is what the
    inhabitants of all cities must sum to. ``countries`` are codes, ``lists`` names of lists of the
    call or of its parent grant. ``words`` are what is picked (kinds of organisations, labels of
    earlier calls, answers). ``joint`` holds the condition back for a city that applies alone.
    """

    fact: FactKind
    of: Whom = Whom.EVERYBODY
    at_least: int | None = None
    at_most: int | None = None
    together: int | None = None
    countries: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    question: str | None = None
    money: Money | None = None
    joint: bool = False


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
    test: FactRule | None = None


@dataclass(frozen=True, slots=True)
class CountryList:
    """A closed list of countries under the name conditions use for it."""

    name: str
    countries: tuple[str, ...]


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
class TimeLimits:
    """Within how many calendar days reports and payments are due; the day of the event is not counted.

    Pre-financing is due by the later of ``prefinancing`` days after entry into force and
    ``before_start`` days before the grant starts; the others count from the end of a period
    (``report``) or from the day its report came in (``interim``, ``balance``).
    """

    prefinancing: int
    before_start: int
    report: int
    interim: int
    balance: int

    @property
    def words(self) -> str:
        """All of them as one sentence, without its full stop."""
        return (
            f"Pre-financing {self.prefinancing} days after entry into force, or {self.before_start} days before the start"
            f" where that is later; reports {self.report} days after their period; interim payments {self.interim} days"
            f" and the balance {self.balance} days after the report came in"
        )


@dataclass(frozen=True, slots=True)
class PaymentPlan:
    """How a grant of this call is paid. Percentages are exact (``Fraction(40)`` is 40 % of the maximum grant)."""

    prefinancing_percent: Fraction = Fraction(0)
    interim_ceiling_percent: Fraction = Fraction(100)
    retention_percent: Fraction = Fraction(0)
    instalments: tuple[Instalment, ...] = ()
    # None where a draft has none yet; no grant is prepared without.
    time_limits: TimeLimits | None = None


@dataclass(frozen=True, slots=True)
class PlannedMilestone:
    """A milestone every grant of this call starts with; ``month`` counts from the start of the pilot."""

    key: str
    title: str
    month: int
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file the application must or may bring; what is not limited here has the limits of the installation."""

    key: str
    label: str
    required: bool = True
    hint: str = ""
    types: tuple[FileType, ...] = ()
    megabytes_max: int | None = None
    # Pages are counted in PDFs, so with a limit of pages only a PDF is taken.
    pages_max: int | None = None

    def limits(self, bytes_max: int) -> FileLimits:
        """What such a file may be, where the installation takes files of at most ``bytes_max``."""
        wanted = self.megabytes_max * 1_000_000 if self.megabytes_max else None
        return limits_of(self.types, bytes_max=bytes_max, bytes_wanted=wanted, pages_max=self.pages_max)


@dataclass(frozen=True, slots=True)
class ParentGrant:
    """The grant the call is paid from, as the call names it."""

    number: str
    acronym: str
    framework: str
    topic_family: str | None = None
    rules: ParentRules = NO_PARENT_RULES


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
    kind: CallKind = CallKind.SUPPORT
    country_lists: tuple[CountryList, ...] = ()
    synthetic: frozenset[str] = frozenset()
    # Whether each partner and a signatory sign an application off before it may be sent.
    sign_offs: bool = False
    # Until when questions are taken, on a wall clock of the call's zone; where it says nothing, a week before the deadline.
    questions_until: datetime | None = None
    # Which half of a two-stage call it is; None for a call in one stage.
    stage: CallStage | None = None
    declarations: tuple[Declaration, ...] = ()
    # Within how many calendar days a question of the eligibility desk is answered, where the desk sets no other day.
    clarification_days: int = 10

    @property
    def pays(self) -> bool:
        """Whether the call gives money at all; a learning call or an expression of interest does not."""
        return self.kind is CallKind.SUPPORT

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
    # Of one applicant alone.
    is_own: bool = False


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
    # The number of the version that everybody reads; 0 before publication.
    version_number: int = 0
    # The day and the hour of the opening as a draft has them so far.
    opening: Opening | None = None
    # The concept stage this call follows; None for a call in one stage.
    follows_id: UUID | None = None

    @property
    def by_invitation(self) -> bool:
        """Whether only those invited after an earlier stage may apply."""
        return self.content.stage is CallStage.FULL

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

    @property
    def cancelled(self) -> bool:
        """Whether the call was given up."""
        return self.state is CallState.CANCELLED

    def until(self, own: datetime | None, reason: str | None) -> CallView:
        """The call as it is for one applicant: with a deadline of its own, where that is later than everybody’s."""
        last = self.deadline
        if own is None or last is None or own <= last.closes_at:
            return self
        moved = replace(
            last, number=last.number + 1, closes_at=own, literal="", reason=reason, public_note=None, is_own=True
        )
        return replace(self, deadlines=(*self.deadlines, moved))

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

    def labelled(self, *keys: str) -> bool:
        """Whether any of these values came from the template, so that the page says so beside them."""
        return any(key in self.content.synthetic for key in keys)


@dataclass(frozen=True, slots=True)
class CallTimes:
    """When a call is open, and nothing else of it."""

    state: CallState
    zone: str
    opens_at: datetime | None
    closes_at: datetime | None

    def until(self, own: datetime | None) -> CallTimes:
        """The times for one applicant with a deadline of its own, where that is later than everybody’s."""
        if own is None or self.closes_at is None or own <= self.closes_at:
            return self
        return replace(self, closes_at=own)

    def is_open(self, at: datetime) -> bool:
        """Whether an application may be sent at that moment."""
        return phase(self.state, self.opens_at, self.closes_at, at) is Phase.OPEN


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
            return Phase.OPEN if in_time(at, closes_at) else Phase.CLOSED
        case never:
            assert_never(never)


def zone_words(zone: str) -> str:
    """A zone as people say it.

    >>> zone_words("Europe/Brussels")
    'Brussels time'
    """
    return f"{zone.rpartition('/')[2].replace('_', ' ')} time"
