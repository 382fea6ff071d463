"""Pure rules of evaluation: what a sheet needs, how well an evaluator fits, who may be seated, and the values pages show."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from grants.calls.rules import Criterion
from grants.core.errors import Invalid, Problem, Refused
from grants.dossiers.rules import Definition, DossierContent, QuestionKind, clean_text, count_words
from grants.evaluation.states import (
    AssessmentState,
    ConsensusState,
    CountryRule,
    Declared,
    Ruled,
    Ruling,
    RunStatus,
    SeatState,
)

HALF_MAX = 10
# A low score is what an applicant will ask about: it needs reasons (mock-up 06).
WORDS_BELOW_THRESHOLD_MIN = 30
COMMENT_CHARACTERS_MAX = 20_000
POOL_LOAD_MAX = 500

# The utility of a pair, 0 to 1000: three quarters topics, one quarter language.
TOPIC_WORTH = 750
LANGUAGE_WORTH = 250
NO_TOPICS_WORTH = TOPIC_WORTH // 2

# What each whole mark means (Horizon Europe's evaluation form, in our words); a call may bring its own.
ANCHORS = (
    "Fails the criterion, or cannot be judged",
    "Poor: serious weaknesses",
    "Fair: addresses the criterion broadly, with significant weaknesses",
    "Good: addresses the criterion well, with a number of shortcomings",
    "Very good: addresses the criterion very well, with a small number of shortcomings",
    "Excellent: addresses every relevant aspect; any shortcomings are minor",
)


def half_words(half: int | None) -> str:
    """Half points as people write them; nothing for a score that is missing.

    >>> half_words(7), half_words(8), half_words(None)
    ('3.5', '4', '')
    """
    if half is None:
        return ""
    return f"{half // 2}.5" if half % 2 else str(half // 2)


def anchor_words(half: int, anchors: Sequence[str] = ()) -> str:
    """What a score means: the words of its whole mark, or that it lies between two.

    >>> anchor_words(7)
    '3.5: between good and very good'
    """
    words = anchors or ANCHORS
    whole = half // 2
    if whole >= len(words):
        return half_words(half)
    if half % 2 and whole + 1 < len(words):
        lower, upper = (words[index].partition(":")[0].lower() for index in (whole, whole + 1))
        return f"{half_words(half)}: between {_short(lower)} and {_short(upper)}"
    return f"{half_words(half)}: {words[whole][:1].lower()}{words[whole][1:]}"


def _short(words: str) -> str:
    return words.partition(",")[0]


# --- inputs -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EvaluatorInput:
    """A person for the pool of a call."""

    user_id: UUID
    country_code: str
    languages: tuple[str, ...]
    topics: tuple[str, ...]
    load_min: int
    load_max: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What a person declares about one application."""

    application_id: UUID
    declared: Declared
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunInput:
    """What a manager chooses for a run of the assignment."""

    seed: str
    due_at: datetime | None
    countries: CountryRule = CountryRule.KEPT_AWAY


@dataclass(frozen=True, slots=True)
class MarkInput:
    """One criterion of a sheet as typed."""

    criterion: str
    half: int | None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class SheetInput:
    """A whole score sheet, or a whole consensus, as typed."""

    marks: tuple[MarkInput, ...]
    remark: str = ""


# --- what a sheet needs -----------------------------------------------------------------------------------------


def tidy(sheet: SheetInput, criteria: Sequence[Criterion], max_half: int = HALF_MAX) -> SheetInput:
    """The sheet with its texts cleaned, one mark for each criterion of the call in the call's order.

    Raises :class:`Invalid` for an unknown criterion, for a score that is not on the scale, and with every text that is
    over the limit: it is named, and how much it is over.
    """
    given = {mark.criterion: mark for mark in sheet.marks}
    unknown = sorted(set(given) - {criterion.key for criterion in criteria})
    if unknown:
        raise Invalid(f"This call has no criterion “{unknown[0]}”. Reload the page.")
    marks: list[MarkInput] = []
    wrong: dict[str, str] = {}
    for criterion in criteria:
        mark = given.get(criterion.key, MarkInput(criterion.key, None))
        if mark.half is not None and not 0 <= mark.half <= max_half:
            wrong[f"half_{criterion.key}"] = (
                f"{criterion.name}: choose a score from 0 to {half_words(max_half)} in half points."
            )
        comment = clean_text(mark.comment)
        if len(comment) > COMMENT_CHARACTERS_MAX:
            wrong[f"comment_{criterion.key}"] = _too_long(f"Your text for “{criterion.name}”", comment)
        marks.append(MarkInput(criterion.key, mark.half, comment))
    remark = clean_text(sheet.remark)
    if len(remark) > COMMENT_CHARACTERS_MAX:
        wrong["remark"] = _too_long("The text at the end", remark)
    if wrong:
        raise Invalid("Nothing was saved yet.", wrong)
    return SheetInput(tuple(marks), remark)


def _too_long(what: str, text: str) -> str:
    """How long a text is, the limit, and the way out."""
    over = len(text) - COMMENT_CHARACTERS_MAX
    return (
        f"{what} has {len(text):,} characters; the limit is {COMMENT_CHARACTERS_MAX:,}. "
        f"Shorten it by {over:,} and save again; nothing was saved yet."
    )


def problems(sheet: SheetInput, criteria: Sequence[Criterion]) -> tuple[Problem, ...]:
    """What keeps a sheet from being submitted: scores that are missing, and low scores without reasons.

    A score that is not given is missing; it never counts as zero.
    """
    found = []
    marks = {mark.criterion: mark for mark in sheet.marks}
    for criterion in criteria:
        mark = marks.get(criterion.key, MarkInput(criterion.key, None))
        if mark.half is None:
            found.append(Problem(f"half_{criterion.key}", f"Choose a score for {criterion.name}."))
            continue
        words = count_words(mark.comment)
        if demands_comment(mark.half, criterion) and words < WORDS_BELOW_THRESHOLD_MIN:
            found.append(
                Problem(
                    f"comment_{criterion.key}",
                    f"{criterion.name} has {half_words(mark.half)}, below the threshold of {half_words(criterion.threshold_half)}: "
                    f"say why in at least {WORDS_BELOW_THRESHOLD_MIN} words; there {'is' if words == 1 else 'are'} {words}.",
                )
            )
    return tuple(found)


def demands_comment(half: int, criterion: Criterion) -> bool:
    """Whether a score needs written reasons: exactly where it lies below the criterion's threshold."""
    return criterion.threshold_half is not None and half < criterion.threshold_half


def refuse_unfinished(sheet: SheetInput, criteria: Sequence[Criterion], text_missing: str = "") -> None:
    """Raise :class:`Invalid` with every problem at its field; ``text_missing`` is said where a text is needed too."""
    found = [*problems(sheet, criteria)]
    if text_missing and not sheet.remark:
        found.append(Problem("remark", text_missing))
    if found:
        raise Invalid(
            f"Not finished: {len(found)} {'thing is' if len(found) == 1 else 'things are'} missing. Your text is kept; you can also save it as a draft.",
            {problem.place: problem.message for problem in found},
        )


def total_half(marks: Iterable[MarkInput]) -> int | None:
    """The unweighted sum in half points; None while any score is missing."""
    halves = [mark.half for mark in marks]
    return None if None in halves or not halves else sum(half for half in halves if half is not None)


def spread_half(halves: Iterable[int | None]) -> int | None:
    """How far the highest and the lowest score of one criterion lie apart; None with fewer than two scores."""
    given = [half for half in halves if half is not None]
    return max(given) - min(given) if len(given) > 1 else None


# Three half points between evaluators, or a threshold between them: worth a look in the consensus.
SPREAD_HALF_WIDE = 3


def is_wide(halves: Sequence[int | None], threshold_half: int | None) -> bool:
    """Whether evaluators disagree enough to be marked: 1.5 points or more, or on both sides of the threshold."""
    spread = spread_half(halves)
    if spread is None:
        return False
    given = [half for half in halves if half is not None]
    astride = threshold_half is not None and min(given) < threshold_half <= max(given)
    return spread >= SPREAD_HALF_WIDE or astride


# --- conflicts and seats ----------------------------------------------------------------------------------------


def clean_declaration(answer: Answered) -> Answered:
    """The answer with its reason cleaned; raises :class:`Invalid` when a doubt has no reason."""
    reason = clean_text(answer.reason)
    if answer.declared is not Declared.NONE and not reason:
        asked = "Which conflict?" if answer.declared is Declared.CONFLICT else "What makes you unsure?"
        raise Invalid("A reason is missing.", {f"reason_{answer.application_id}": f"{asked} One sentence is enough."})
    return Answered(answer.application_id, answer.declared, reason if answer.declared is not Declared.NONE else "")


def stands_clear(declared: Declared | None, ruling: Ruling | None) -> bool:
    """Whether a person may open an application: declared free of conflict, or cleared by the manager.

    Nothing declared is not clear; a conflict the manager cleared is.
    """
    if ruling is not None:
        return ruling is Ruling.CLEARED
    return declared is Declared.NONE


def is_conflict(declared: Declared | None, ruling: Ruling | None) -> bool:
    """Whether a person is kept away: declared a conflict that was not cleared, or the manager confirmed one."""
    return ruling is Ruling.CONFIRMED or (declared is Declared.CONFLICT and ruling is None)


@dataclass(frozen=True, slots=True)
class Consortium:
    """Who stands behind an application: what conflicts and fit are judged by."""

    application_id: UUID
    reference: str
    title: str
    coordinator: str
    partners: tuple[str, ...]
    organisation_ids: frozenset[UUID]
    country_codes: tuple[str, ...]
    towns: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    user_ids: frozenset[UUID] = frozenset()
    topics: frozenset[str] = frozenset()

    @property
    def cities(self) -> str:
        """“Neochóra, with Vila Nova da Áçora”."""
        return f"{self.coordinator}, with {', '.join(self.partners)}" if self.partners else self.coordinator


@dataclass(frozen=True, slots=True)
class PoolMember:
    """An evaluator of a call as pages show them."""

    id: UUID
    user_id: UUID
    name: str
    handle: str
    organisation: str
    organisation_id: UUID | None
    country_code: str
    languages: tuple[str, ...]
    topics: tuple[str, ...]
    load_min: int
    load_max: int
    version: int
    load: int = 0
    submitted: int = 0
    undeclared: int = 0


def noticed(member_organisations: frozenset[UUID], email: str, user_id: UUID, town: str, about: Consortium) -> str:
    """What the program notices that may be a conflict; empty for nothing. A person decides, never this."""
    if user_id in about.user_ids:
        return "You take part in this application yourself"
    if member_organisations & about.organisation_ids:
        return "Your organisation is in this consortium"
    domain = email.rpartition("@")[2].lower()
    if domain and domain in about.domains:
        return f"Same e-mail domain as yours: {domain}"
    if town and town.casefold() in about.towns:
        return f"Same town as your organisation: {town}"
    return ""


def why_not(
    member: PoolMember, about: Consortium, declared: Declared | None, ruling: Ruling | None, *, countries: CountryRule
) -> str:
    """The rule that keeps an evaluator from an application, as a sentence; empty when none does."""
    if is_conflict(declared, ruling):
        return f"{member.name} has a conflict of interest with it."
    if member.user_id in about.user_ids:
        return f"{member.name} takes part in it."
    if member.organisation_id is not None and member.organisation_id in about.organisation_ids:
        return f"{member.name} belongs to an organisation of the consortium."
    if declared is None:
        return f"{member.name} has not declared yet whether there is a conflict."
    if not stands_clear(declared, ruling):
        return f"{member.name} is not sure about a conflict; the programme has not ruled yet."
    if countries is CountryRule.KEPT_AWAY and member.country_code in about.country_codes:
        return f"{member.name} comes from a country of the consortium ({member.country_code})."
    return ""


def utility(member: PoolMember, about: Consortium, language: str) -> int:
    """How well an evaluator fits, 0 to 1000: the share of the application's topics known, and its language.

    An application that names no topics counts half for everybody.
    """
    known = set(member.topics)
    topics = TOPIC_WORTH * len(known & about.topics) // len(about.topics) if about.topics else NO_TOPICS_WORTH
    return topics + (LANGUAGE_WORTH if not language or language in member.languages else 0)


def topics_of(content: DossierContent) -> frozenset[str]:
    """The topics an application picked: every choice of its questions with several choices."""
    kinds = {
        question.key
        for section in content.definition.sections
        for question in section.questions
        if question.kind is QuestionKind.MULTICHOICE
    }
    return frozenset(value for answer in content.answers if answer.question in kinds for value in answer.picked)


def digest(value: Any) -> bytes:
    """SHA-256 of plain data in one spelling: the hash of an input that can be recomputed."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).digest()


def checked_member(values: EvaluatorInput) -> EvaluatorInput:
    """The pool entry in one spelling; raises :class:`Invalid`."""
    wrong: dict[str, str] = {}
    country = values.country_code.strip().upper()
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        wrong["country_code"] = "Write the country as two letters, for example FI."
    if not 0 <= values.load_min <= values.load_max:
        wrong["load_min"] = "The least number of applications lies between 0 and the largest number."
    if not 1 <= values.load_max <= POOL_LOAD_MAX:
        wrong["load_max"] = f"The largest number of applications lies between 1 and {POOL_LOAD_MAX}."
    languages = tuple(dict.fromkeys(word.strip().lower() for word in values.languages if word.strip()))
    if any(len(word) != 2 or not word.isalpha() for word in languages):
        wrong["languages"] = "Write languages as two letters each, for example en, fr."
    if wrong:
        raise Invalid("The evaluator was not added.", wrong)
    topics = tuple(dict.fromkeys(word.strip() for word in values.topics if word.strip()))
    return EvaluatorInput(values.user_id, country, languages, topics, values.load_min, values.load_max)


def refuse_load(member: PoolMember) -> None:
    """Raise :class:`Refused` when an evaluator already has as many applications as they may take."""
    if member.load >= member.load_max:
        raise Refused(
            f"{member.name} already has {member.load} applications; the maximum is {member.load_max}. Raise it, or choose somebody else."
        )


# --- what pages show --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """One application on the page where conflicts are declared."""

    application_id: UUID
    reference: str
    title: str
    cities: str
    noticed: str
    declared: Declared | None
    reason: str
    ruling: Ruling | None

    @property
    def is_open(self) -> bool:
        """Whether the person has not answered yet."""
        return self.declared is None


@dataclass(frozen=True, slots=True)
class ConflictPage:
    """All applications of one call a person must declare about; barred ones are not among them."""

    call_id: UUID
    call_slug: str
    call_title: str
    rows: tuple[ConflictRow, ...]

    @property
    def open_count(self) -> int:
        """How many are not answered yet."""
        return sum(row.is_open for row in self.rows)


RULED_WORDS: Mapping[Ruled, str] = {
    Ruled.NOTHING_MORE: "The ruling is stored.",
    Ruled.SEAT_EMPTIED: "The ruling is stored. The seat is empty, and a consensus already begun is a draft again.",
    Ruled.RECORD_STANDS: (
        "The ruling is recorded. The application is no longer in evaluation: its assessments and consensus stand."
    ),
}


@dataclass(frozen=True, slots=True)
class DoubtRow:
    """A declaration the manager sees: doubts to rule on, conflicts that stand."""

    id: UUID
    person: str
    handle: str
    reference: str
    title: str
    declared: Declared
    reason: str
    declared_at: datetime
    ruling: Ruling | None
    ruling_reason: str
    version: int
    in_evaluation: bool


@dataclass(frozen=True, slots=True)
class AssessmentRow:
    """One application an evaluator assesses, in their list."""

    application_id: UUID
    reference: str
    title: str
    cities: str
    call_slug: str
    call_title: str
    state: AssessmentState | None
    scored: int
    criteria: int
    due_at: datetime | None
    submitted_at: datetime | None
    consensus: ConsensusState | None

    @property
    def words(self) -> str:
        """The state in one word."""
        if self.state is AssessmentState.SUBMITTED:
            return "Submitted"
        return "In progress" if self.scored else "Not started"


@dataclass(frozen=True, slots=True)
class SheetView:
    """One evaluator's sheet: the marks in the order of the criteria."""

    assessment_id: UUID | None
    evaluator: str
    state: AssessmentState
    marks: tuple[MarkInput, ...]
    remark: str
    version: int
    saved_at: datetime | None
    submitted_at: datetime | None

    @property
    def total_half(self) -> int | None:
        """The unweighted total; None while a score is missing."""
        return total_half(self.marks)

    def mark(self, key: str) -> MarkInput:
        """The mark for one criterion; empty where there is none."""
        return next((mark for mark in self.marks if mark.criterion == key), MarkInput(key, None))


@dataclass(frozen=True, slots=True)
class ApplicationHead:
    """What every evaluation page says about its application."""

    id: UUID
    reference: str
    title: str
    cities: str
    call_id: UUID
    call_slug: str
    call_title: str


@dataclass(frozen=True, slots=True)
class AssessmentPage:
    """Everything on the split screen: the sheet, and the others’ sheets once the own one is in."""

    head: ApplicationHead
    criteria: tuple[Criterion, ...]
    anchors: tuple[str, ...]
    max_half: int
    total_threshold_half: int | None
    sheet: SheetView
    others: tuple[SheetView, ...]
    waiting_for: int
    due_at: datetime | None
    locked: str
    consensus: ConsensusState | None
    done: int
    all: int
    next_reference: str | None


@dataclass(frozen=True, slots=True)
class ConsensusPage:
    """Everything on the consensus page: the sheets side by side, and what is agreed."""

    head: ApplicationHead
    criteria: tuple[Criterion, ...]
    anchors: tuple[str, ...]
    max_half: int
    total_threshold_half: int | None
    sheets: tuple[SheetView, ...]
    seats: int
    state: ConsensusState | None
    marks: tuple[MarkInput, ...]
    text: str
    minority_view: str
    version: int
    agreed: tuple[str, ...]
    waiting: tuple[str, ...]
    may_write: bool
    may_agree: bool

    def mark(self, key: str) -> MarkInput:
        """The agreed mark for one criterion; empty where there is none."""
        return next((mark for mark in self.marks if mark.criterion == key), MarkInput(key, None))

    @property
    def ready(self) -> bool:
        """Whether every seat has a submitted sheet."""
        return self.seats > 0 and len(self.sheets) == self.seats

    @property
    def total_half(self) -> int | None:
        """The unweighted total of the consensus; None while a score is missing."""
        return total_half(self.marks)


@dataclass(frozen=True, slots=True)
class AgreedWords:
    """What an application is told of its assessment: the agreed marks and the text, and nobody's name."""

    marks: tuple[MarkInput, ...]
    text: str


@dataclass(frozen=True, slots=True)
class ConsensusRow:
    """One application in the list of the chair."""

    application_id: UUID
    reference: str
    title: str
    cities: str
    call_slug: str
    call_title: str
    seats: int
    submitted: int
    widest: str
    state: ConsensusState | None


@dataclass(frozen=True, slots=True)
class SeatView:
    """One seat of an application as the manager sees it."""

    id: UUID
    evaluator_id: UUID
    user_id: UUID
    name: str
    handle: str
    state: SeatState
    utility: int
    by_hand: bool
    assessment: AssessmentState | None
    void_reason: str


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One application with its seats and, for every evaluator of the pool, why they may or may not take it."""

    application_id: UUID
    reference: str
    title: str
    cities: str
    seats: tuple[SeatView, ...]
    cells: tuple[str, ...]
    voided: tuple[SeatView, ...] = ()
    missing: int = 0
    # In evaluation still: seats may be given and taken.
    open_still: bool = True


@dataclass(frozen=True, slots=True)
class RunView:
    """A run of the assignment with its proof."""

    number: int
    status: RunStatus
    created_at: datetime
    seed: str
    objective: int | None
    bound: int | None
    reasons: tuple[str, ...]
    applications: int
    evaluators: int
    seats: int
    seats_new: int
    pairs_priced: int
    rounds: int
    input_hash: str

    @property
    def mean(self) -> str:
        """How well a seat fits on average, of 1000."""
        return f"{self.objective // self.seats}" if self.objective is not None and self.seats else "–"


@dataclass(frozen=True, slots=True)
class AssignmentsPage:
    """Everything on the manager’s assignment page of a call."""

    call_id: UUID
    call_slug: str
    call_title: str
    per_application: int
    pool: tuple[PoolMember, ...]
    rows: tuple[MatrixRow, ...]
    doubts: tuple[DoubtRow, ...]
    runs: tuple[RunView, ...]
    undeclared: int
    conflicts: int

    @property
    def seats_needed(self) -> int:
        """How many seats the applications need in all; one that is evaluated needs those it had."""
        return sum(self.per_application if row.open_still else len(row.seats) for row in self.rows)

    @property
    def seats_filled(self) -> int:
        """How many are filled."""
        return sum(len(row.seats) for row in self.rows)

    @property
    def submitted(self) -> int:
        """How many assessments are in."""
        return sum(seat.assessment is AssessmentState.SUBMITTED for row in self.rows for seat in row.seats)


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run of the assignment answers."""

    run_id: UUID
    status: RunStatus
    seats_new: int
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgreedScores:
    """What the ranking needs of one application: agreed half points by criterion; None while not agreed."""

    application_id: UUID
    halves: Mapping[str, int] | None
    evaluator_totals: tuple[int, ...] = field(default=())


def topic_choices(definition: Definition) -> tuple[tuple[str, str], ...]:
    """Value and label of every topic an application can pick: what evaluators are asked to know."""
    return tuple(
        (choice.value, choice.label)
        for section in definition.sections
        for question in section.questions
        if question.kind is QuestionKind.MULTICHOICE
        for choice in question.choices
    )
