"""What a call says, value by value, each with its source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from grants.budgets.rules import BudgetRules, Envelope, percent
from grants.calls.rules.additional import AdditionalPrefinancing
from grants.calls.rules.assigning import PLAIN as ASSIGNMENT_PLAIN
from grants.calls.rules.assigning import AssignmentRules
from grants.calls.rules.complaints import ComplaintRules
from grants.calls.rules.complaints_to import HELPDESK, ComplaintsTo
from grants.calls.rules.conflict_rules import USUAL_CONFLICT_RULES, ConflictRules
from grants.calls.rules.declarations import Declaration
from grants.calls.rules.drawing import DrawRules
from grants.calls.rules.funding import PLAIN_FUNDING, Funding
from grants.calls.rules.passing_on import PLAIN_PASSING_ON, PassingOn
from grants.calls.rules.payment_clock import PLAIN_CLOCK, PaymentClock
from grants.calls.rules.scoring import PLAIN_SCORING, Criterion, Marking, Scale, Scoring, tie_words
from grants.calls.rules.selection import PLAIN_SELECTION, SelectionRules
from grants.calls.rules.signing import PROGRAMME_SIGNS, Signing
from grants.calls.states import (
    CallKind,
    CallStage,
    ConditionKind,
    Confidence,
    EvidenceLevel,
    FactKind,
    InstalmentKind,
    Whom,
)
from grants.core.file_types import FileLimits, FileType, limits_of
from grants.core.money import Money, euros
from grants.dossiers.rules import Definition
from grants.programmes.rules import NO_PARENT_RULES, ParentRules

TEMPLATE_LABEL = "Horizon-like template"
# Regulation (EU) 2023/2831, article 3(2): over any period of three years.
DE_MINIMIS_CEILING = euros(300_000)


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
    clock: PaymentClock = PLAIN_CLOCK
    passing_on: PassingOn = PLAIN_PASSING_ON
    evidence: EvidenceLevel = EvidenceLevel.TOTALS
    funding: Funding = PLAIN_FUNDING
    # How much of a grant's budget may be moved in its whole life, in per cent of its maximum: freely, and with a notice to
    # the programme; above that by an amendment. None for both where every move takes one.
    transfer_free_percent: Fraction | None = None
    transfer_notify_percent: Fraction | None = None
    # Paid in advance once more when the city states what it used; None where the call has none.
    additional: AdditionalPrefinancing | None = None

    @property
    def additional_percent(self) -> Fraction:
        """How much is paid in advance once more, in per cent of the maximum; nought where the call has none."""
        return self.additional.percent if self.additional else Fraction(0)

    @property
    def transfer_words(self) -> str:
        """How much of its budget a grant moves without an amendment, without the full stop; empty where the call says nothing."""
        if self.transfer_free_percent is None and self.transfer_notify_percent is None:
            return ""
        free = self.transfer_free_percent or Fraction(0)
        most = max(free, self.transfer_notify_percent or Fraction(0))
        return (
            f"In its whole life a grant moves up to {percent(free / 100)} of its maximum within its budget freely, up to {percent(most / 100)} with a"
            " notice to the programme, and more by an amendment"
        )


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
    # Within how many calendar days a second person confirms, or ends, that an award is withheld from publication.
    withheld_days: int = 5
    # Within how many calendar days of its beginning a preparation ends in two signatures; None: the call sets no day.
    preparation_days: int | None = None
    # Within how many calendar days after the agreement entered into force each partner accedes to it; None: partners do not.
    accession_days: int | None = None
    # Within how many calendar days a request to amend an agreement is answered (silence is refusal), and after how many one
    # that nobody opened counts as opened; the day of either is not counted.
    amendment_reply_days: int = 45
    opened_after_days: int = 10
    # The most de minimis aid of one undertaking in three years (Regulation (EU) 2023/2831, article 3(2)).
    de_minimis_ceiling: Money = DE_MINIMIS_CEILING
    conflict_rules: ConflictRules = USUAL_CONFLICT_RULES
    assignment: AssignmentRules = ASSIGNMENT_PLAIN
    # What is made of the marks: consensus or mean, what weights serve, where a comment is demanded.
    scoring: Scoring = PLAIN_SCORING
    # What decides beside the rank: the rule at the line, ceilings, minima, the reserve list.
    selection: SelectionRules = PLAIN_SELECTION
    # Whether and how one complains about a negative result; None: this program takes no complaints about it.
    complaints: ComplaintRules | None = None
    # An address for complaints and who decides them; neither: the helpdesk is asked.
    complaints_to: ComplaintsTo = HELPDESK
    # Who writes and signs the letters of decision; empty: the programme.
    signing: Signing = PROGRAMME_SIGNS
    # Whether the group at the budget line is put in order by lot; None: it is not.
    draw: DrawRules | None = None

    @property
    def complaints_to_words(self) -> tuple[str, ...]:
        """Where complaints go and who decides them, in sentences; none where the call says neither."""
        return self.complaints_to.sentences(taken_here=self.complaints is not None)

    @property
    def pays(self) -> bool:
        """Whether the call gives money at all; a learning call or an expression of interest does not."""
        return self.kind is CallKind.SUPPORT

    @property
    def envelopes(self) -> tuple[Envelope, ...]:
        """The award amounts of the call."""
        return self.budget_rules.envelopes

    @property
    def marking(self) -> Marking:
        """What score sheets, consensus and ranking need to read marks."""
        return Marking(self.criteria, self.scale, self.scoring, self.total_threshold_half)

    @property
    def evaluators_least(self) -> int:
        """How many submitted assessments an application needs for a score."""
        return self.scoring.evaluators_least or self.evaluators_per_application

    @property
    def tie_words(self) -> str:
        """What decides between applications with the same score, in order."""
        return tie_words(self.tie_order, {criterion.key: criterion.name for criterion in self.criteria})

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
