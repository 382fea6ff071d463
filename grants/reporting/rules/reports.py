"""What a periodic report asks, what may be accepted of it, and how the accepted total is worked out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import assert_never
from uuid import UUID

from grants.agreements.states import RUNNING, GrantState, MilestoneState
from grants.budgets.rules import BudgetRules, Cell, totals, unit_problem
from grants.calls.states import EvidenceLevel
from grants.core import clock, faults
from grants.core.errors import Problem, Refused
from grants.core.money import ZERO, Money
from grants.dossiers.rules import Definition, Question, QuestionKind, Section
from grants.reporting.states import SETTLED, ReportKind, ReportState

# The questions of a report. The real forms of the 2022 programme are not public; these follow the usual
# technical part of a periodic report (what was done, deviations, results, lessons).
TECHNICAL_PART = Definition(
    (
        Section(
            "work",
            "What was done",
            "Technical part",
            "Write for somebody who knows the application but was not there.",
            (
                Question(
                    "progress",
                    "What was done in this period, and what changed because of it",
                    QuestionKind.LONG,
                    hint="Follow the milestones of the agreement.",
                    words_max=800,
                ),
                Question(
                    "deviations",
                    "What was not done as planned, why, and what you do about it",
                    QuestionKind.LONG,
                    hint="Write “None” where everything went as planned.",
                    words_max=400,
                ),
            ),
        ),
        Section(
            "learning",
            "What was learned",
            "Technical part",
            "Lessons are shared with other cities when the report is accepted.",
            (
                Question(
                    "lessons",
                    "What you know now that you did not know before",
                    QuestionKind.LONG,
                    words_max=400,
                ),
                Question(
                    "replication",
                    "What another city could take over",
                    QuestionKind.LONG,
                    required=False,
                    words_max=300,
                ),
            ),
        ),
    )
)


def actual_rules(planned: BudgetRules) -> BudgetRules:
    """The budget rules for spent costs: categories and rates of the call, no award amounts, ceilings, work packages or periods."""
    return replace(
        planned,
        envelopes=(),
        limits=(),
        by_work_package=False,
        period_months=0,
        lump_sums=(),
        organisation_max=None,
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """What the officer accepts of one declared amount; a reason wherever it is less."""

    organisation_id: UUID
    category: str
    declared: Money
    accepted: Money
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The officer's acceptance: every declared amount judged, and words for the city."""

    judged: tuple[Judged, ...]
    answer: str = ""


@dataclass(frozen=True, slots=True)
class MilestoneInput:
    """What the city says of a milestone it reached."""

    achieved_on: date
    report: str


@dataclass(frozen=True, slots=True)
class ExpectedInput:
    """The day a milestone is expected now, and why it is not the one that was planned."""

    expected_on: date
    reason: str


# Nobody can say anything of a day that lies further ahead.
EXPECTED_AHEAD_DAYS_MAX = 3_653


@dataclass(frozen=True, slots=True)
class ReceiptsInput:
    """What the action earned, and of what; zero is an answer."""

    amount: Money
    words: str


def receipts_problems(given: ReceiptsInput) -> dict[str, str]:
    """What is wrong with receipts as declared, by field; empty when they may stand.

    >>> receipts_problems(ReceiptsInput(ZERO, "The action earned nothing."))
    {}
    """
    found: dict[str, str] = {}
    if given.amount < ZERO:
        found["amount"] = "Receipts are zero or more. Enter what the action earned, zero where it earned nothing."
    if not given.words.strip():
        found["words"] = "Say what the receipts are, or that the action earned nothing; the programme reads it."
    return found


def expected_problems(given: ExpectedInput, state: MilestoneState, today: date) -> dict[str, str]:
    """What is wrong with a day a milestone is said to be expected on, by field; empty when it may stand."""
    if state not in {MilestoneState.PLANNED, MilestoneState.RETURNED}:
        raise Refused("The milestone is reported already; when it is expected says its report.")
    found: dict[str, str] = {}
    if given.expected_on < today:
        found["expected_on"] = "This day is over. Enter today or a day to come, or report the milestone as reached."
    elif given.expected_on > clock.add_days(today, EXPECTED_AHEAD_DAYS_MAX):
        found["expected_on"] = "This day lies more than ten years ahead. Check the year."
    if not given.reason.strip():
        found["reason"] = "Say why it is expected on that day; the other side reads it."
    return found


def accepted_total(budget_rules: BudgetRules, judged: Sequence[Judged]) -> Money:
    """What accepted direct costs give: flat rate and funding rate applied, worked out and never typed."""
    cells = [Cell(each.organisation_id, each.category, each.accepted) for each in judged]
    return totals(budget_rules, cells).requested


def judgement_problems(
    declared: Iterable[Cell], judged: Sequence[Judged], maxima: Mapping[UUID, Money], budget_rules: BudgetRules
) -> tuple[Problem, ...]:
    """What is wrong with an acceptance: amounts above what was declared, cuts without a reason, partners above their maximum.

    ``maxima`` are what each beneficiary may still have accepted.
    """
    found: list[Problem] = []
    answers = {(each.organisation_id, each.category): each for each in judged}
    for cell in declared:
        answer = answers.get((cell.organisation_id, cell.category))
        place = f"accepted-{cell.organisation_id}-{cell.category}"
        if answer is None:
            found.append(Problem(place, "say how much of this amount is accepted."))
        elif answer.accepted > cell.amount:
            found.append(
                Problem(place, f"{answer.accepted} is more than the {cell.amount} declared. Accept at most that.")
            )
        elif said := unit_problem(budget_rules, cell.category, answer.accepted):
            found.append(Problem(place, f"{said}."))
        elif answer.accepted < ZERO:
            found.append(Problem(place, "an accepted amount is zero or more."))
        elif answer.accepted < cell.amount and not (answer.reason or "").strip():
            found.append(Problem(place, f"say why {cell.amount - answer.accepted} is not accepted."))
    cells = [Cell(each.organisation_id, each.category, each.accepted) for each in judged]
    for row in totals(budget_rules, cells).rows:
        left = maxima.get(row.organisation_id, ZERO)
        if row.requested > left:
            found.append(
                Problem(
                    f"partner-{row.organisation_id}",
                    f"{row.requested} would be accepted, but only {left} of this partner’s maximum is left. "
                    f"Accept {row.requested - left} less, with the reason, or amend the agreement first.",
                )
            )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report as its pages show it."""

    id: UUID
    version: int
    reference: str
    number: int
    kind: ReportKind
    state: ReportState
    grant_id: UUID
    grant_reference: str
    grant_title: str
    coordinator: str
    starts_on: date
    ends_before: date
    due_on: date
    dossier_id: UUID
    budget_id: UUID
    submitted_at: datetime | None
    submitted_by_name: str | None
    decided_at: datetime | None
    decided_by_name: str | None
    answer: str | None
    accepted_total: Money | None
    versions: int
    evidence: EvidenceLevel = EvidenceLevel.TOTALS
    # Whether it says what the action earned, as the agreement asks of the final report; and what it says.
    asks_receipts: bool = False
    # Whether it declares work packages that are paid as lump sums, and no costs.
    lump_sums: bool = False
    receipts: Money | None = None
    receipts_words: str | None = None
    # Whether its grant runs or is terminated, and not closed: then one that never comes may be settled without it.
    running: bool = False

    def is_due(self, today: date) -> bool:
        """Whether its period is over and the city has it in hand."""
        return today >= self.ends_before and self.state in {ReportState.DRAFT, ReportState.RETURNED}

    def is_late(self, today: date) -> bool:
        """Whether its due day is past and it was not sent."""
        return today > self.due_on and self.state is ReportState.DRAFT

    def never_came(self, today: date) -> bool:
        """Whether the grant may be settled without it: its period and its due day are over, and the city has it in hand."""
        return self.running and self.in_hand_of_city and is_over(self.ends_before, self.due_on, today)

    @property
    def receipts_as_nought(self) -> bool:
        """Whether it is settled and nobody declared the receipts that the agreement counts: then they are nought."""
        return (
            self.asks_receipts and self.state in SETTLED and (self.state is ReportState.UNSENT or self.receipts is None)
        )

    @property
    def by_lines(self) -> bool:
        """Whether its costs are declared line by line."""
        return self.evidence is not EvidenceLevel.TOTALS

    @property
    def in_hand_of_city(self) -> bool:
        """Whether the city may write in it."""
        return self.state in {ReportState.DRAFT, ReportState.RETURNED}


def final_after(begins: Sequence[tuple[int, date]], over_on: date) -> int:
    """The number of the report that becomes the final one where the first day without work is ``over_on``.

    ``begins`` are the numbers of the reports with the first days of their periods; the first lies before ``over_on``.

    >>> final_after([(1, date(2023, 6, 1)), (2, date(2024, 6, 1))], date(2024, 6, 1))
    1
    """
    return max(number for number, starts_on in begins if starts_on < over_on)


def is_over(ends_before: date, due_on: date, today: date) -> bool:
    """Whether both the period of a report and the last day to send it are over."""
    return today >= ends_before and today > due_on


def receipts_of(state: ReportState, declared: Money | None) -> Money | None:
    """What counts as receipts of the action by its final report: nought where it is settled and they were never declared.

    None while they may still come. One that never came counts with nothing, whatever its draft says.

    >>> receipts_of(ReportState.UNSENT, Money(100)) == ZERO, receipts_of(ReportState.DRAFT, None)
    (True, None)
    """
    if state is ReportState.UNSENT:
        return ZERO
    return ZERO if declared is None and state in SETTLED else declared


def refuse_settling_unsent(
    state: ReportState, grant: GrantState, *, ends_before: date, due_on: date, today: date
) -> None:
    """Only of a grant that is not closed, only what the city has in hand, and only after its period and its due day."""
    faults.point("deadline")
    if grant not in RUNNING:
        raise Refused("This grant is not in force any more, so no report of it is settled.")
    if state not in {ReportState.DRAFT, ReportState.RETURNED}:
        raise Refused("The city has sent this report. Accept, return or reject it.")
    if not is_over(ends_before, due_on, today):
        last = max(due_on, clock.add_days(ends_before, -1))
        raise Refused(f"The report is due on {clock.long_date(last)}. Settle the grant without it after that day.")


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """What an act on a report answers."""

    id: UUID
    reference: str
    state: ReportState


def report_next(state: ReportState) -> str:
    """Where a report stands and what comes next, as a sentence."""
    match state:
        case ReportState.DRAFT:
            return "The city writes it, and sends it when its period is over."
        case ReportState.SUBMITTED:
            return "It is with the programme, which accepts it, in full or in part, or returns it to be changed."
        case ReportState.RETURNED:
            return "The programme asked for changes; the city sends it again."
        case ReportState.ACCEPTED:
            return "It is accepted and no longer changes; its payment request is decided next."
        case ReportState.REJECTED:
            return "It is rejected and no longer changes; nothing is paid for it."
        case ReportState.DROPPED:
            return "The grant was terminated before its period, so it is not owed any more."
        case ReportState.UNSENT:
            return "It never came, so nothing of its period counts; the balance follows without it."
        case _:
            assert_never(state)


def milestone_next(state: MilestoneState) -> str:
    """Where a milestone stands and what comes next, as a sentence."""
    match state:
        case MilestoneState.PLANNED:
            return "The city reports it when it is reached."
        case MilestoneState.SUBMITTED:
            return "It is with the programme, which accepts it or says what is missing."
        case MilestoneState.RETURNED:
            return "Something is missing; the city reports it again."
        case MilestoneState.ACCEPTED:
            return "It is accepted; nothing more is to be done."
        case _:
            assert_never(state)
